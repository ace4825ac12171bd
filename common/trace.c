#include "common/trace.h"

#include "common/clock.h"
#include "common/line.h"

#include <assert.h>
#include <stdio.h>
#include <unistd.h>

#define X(name, text) text,
static const char *const parts[TRACE_PART_COUNT] = {TRACE_PARTS};
#undef X

static_assert(TRACE_PART_COUNT <= 32, "parts are bits of a uint32_t");

static enum status unknown_part(struct view name, struct error *why)
{
    char known[256] = "all";
    for (int i = 0; i < TRACE_PART_COUNT; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, ", %s", parts[i]);
    }
    return error_set(why, ERR_USAGE, "COPYDESK_TRACE: no part '%.*s'; there are: %s",
                     VIEW_ARGS(view_slice(name, 0, 40)), known);
}

static bool part_of(struct view name, uint32_t *bits)
{
    *bits = view_equal(name, VIEW("all")) ? UINT32_MAX : 0;
    for (int i = 0; i < TRACE_PART_COUNT && *bits == 0; i++) {
        if (view_equal(name, view_of(parts[i]))) {
            *bits = 1u << i;
        }
    }
    return *bits != 0;
}

enum status trace_open(struct tracer *out, const char *list, struct error *why)
{
    struct view rest = view_of(list);
    *out = (struct tracer){.file = STDERR_FILENO, .start_us = clock_monotonic_us()};
    while (rest.len > 0) {
        size_t comma = view_find(rest, VIEW(","), 0);
        struct view name = view_trim(view_slice(rest, 0, comma));
        uint32_t bits = 0;
        rest = view_slice(rest, comma + 1, rest.len);
        if (name.len > 0 && !part_of(name, &bits)) {
            return unknown_part(name, why);
        }
        out->on |= bits;
    }
    return OK;
}

void trace_write(const struct tracer *tracer, enum trace_part part, const char *format, ...)
{
    struct line line;
    char head[64];
    va_list arguments;
    int64_t us = clock_monotonic_us() - tracer->start_us;
    int len = snprintf(head, sizeof head, "trace %s %lld.%06lld ", parts[part],
                       (long long)(us / 1000000), (long long)(us % 1000000));
    line_init(&line);
    line.limit--;
    line_add(&line, (struct view){head, (size_t)len});
    va_start(arguments, format);
    line_vprintf(&line, format, arguments);
    va_end(arguments);
    line.limit++;
    line_add(&line, VIEW("\n"));
    line_write(&line, tracer->file);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Reads 2 * count hex digits and the '-' or the end behind them. False also when all bytes are 0 and
// `may_be_zero` is not.
static bool take_hex(struct view *rest, uint8_t *out, size_t count, bool may_be_zero)
{
    bool any = may_be_zero;
    if (rest->len < count * 2) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        int high = hex_digit(rest->at[i * 2]);
        int low = hex_digit(rest->at[i * 2 + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
        any |= out[i] != 0;
    }
    *rest = view_slice(*rest, count * 2, rest->len);
    if (rest->len > 0 && rest->at[0] != '-') {
        return false;
    }
    bool is_last = rest->len == 0;
    *rest = view_slice(*rest, is_last ? 0 : 1, rest->len);
    return any;
}

bool trace_parse(struct view header, struct trace_context *out)
{
    uint8_t version = 0;
    struct view rest = header;
    if (!take_hex(&rest, &version, 1, true) || !take_hex(&rest, out->trace_id, 16, false) ||
        !take_hex(&rest, out->span_id, 8, false) || !take_hex(&rest, &out->flags, 1, true)) {
        return false;
    }
    return version == 0 ? header.len == TRACEPARENT_SIZE - 1 : version != 0xff;
}

static char *put_hex(char *at, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        *at++ = "0123456789abcdef"[bytes[i] >> 4];
        *at++ = "0123456789abcdef"[bytes[i] & 15];
    }
    *at++ = '-';
    return at;
}

void trace_format(const struct trace_context *context, char out[TRACEPARENT_SIZE])
{
    const uint8_t version = 0;
    char *at = put_hex(out, &version, 1);
    at = put_hex(at, context->trace_id, 16);
    at = put_hex(at, context->span_id, 8);
    at = put_hex(at, &context->flags, 1);
    at[-1] = '\0';
}

// Ids of zeros mean "none", so they are not drawn.
static void draw_id(struct trace_random random, uint8_t *out, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t word = random.next(random.user);
        word = word ? word : 1;
        memcpy(out + i * sizeof word, &word, sizeof word);
    }
}

struct trace_context trace_start(struct trace_random random)
{
    struct trace_context context = {.flags = 1};
    draw_id(random, context.trace_id, 2);
    draw_id(random, context.span_id, 1);
    return context;
}

struct trace_context trace_child(const struct trace_context *parent, struct trace_random random)
{
    struct trace_context context = *parent;
    draw_id(random, context.span_id, 1);
    return context;
}
