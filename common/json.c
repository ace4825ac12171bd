#include "common/json.h"

#include "common/utf8.h"

#include <endian.h>
#include <stdarg.h>
#include <stdio.h>

enum { PLAIN_DIGITS = 15 }; // any whole number of so many digits is exact in a double

// What may come next.
enum expect { VALUE, VALUE_OR_END, NAME, NAME_OR_END, COMMA_OR_END };

struct scan {
    struct view json;
    size_t at;
    struct arena *arena;
    struct json_facts *facts;
    struct error *why;
    enum expect expect;
    int depth;
    char closing[JSON_DEPTH_LIMIT];
    size_t values, numbers;
    size_t name;        // where the name read last begins
    size_t odd, before; // white space and odd escapes so far, and before the present member
};

static void line_and_column(struct view json, size_t at, size_t *line, size_t *column)
{
    struct view before = view_slice(json, 0, at);
    size_t start = 0;
    *line = 1;
    for (size_t i = 0; i < before.len; i++) {
        if (before.at[i] == '\n') {
            (*line)++;
            start = i + 1;
        }
    }
    *column = utf8_length(view_slice(before, start, before.len)) + 1;
}

enum status json_fail(struct view json, size_t at, enum status status, struct error *why,
                      const char *format, ...)
{
    char detail[400];
    size_t line, column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    line_and_column(json, at, &line, &column);
    return error_set(why, status, "%zu:%zu: %s", line, column, detail);
}

static char peek(const struct scan *scan)
{
    return scan->at < scan->json.len ? scan->json.at[scan->at] : '\0';
}

// Writers of other languages leave these behind.
static const char *advice(char found, enum expect expect)
{
    switch (found) {
    case '\'':
        return " (JSON quotes with \")";
    case 'T':
    case 'F':
        return " (JSON writes true and false)";
    case 'N':
        return " (JSON writes null, and knows no NaN or None)";
    case '}':
    case ']':
        return expect == VALUE || expect == NAME ? " (is there a comma too many before it?)" : "";
    default:
        return "";
    }
}

static enum status fail_expected(const struct scan *scan, const char *expected)
{
    unsigned char c = (unsigned char)peek(scan);
    if (scan->at >= scan->json.len) {
        return json_fail(scan->json, scan->at, ERR_FORMAT, scan->why,
                         "expected %s, but the JSON ends here", expected);
    }
    if (c < 0x20 || c == 0x7f) {
        return json_fail(scan->json, scan->at, ERR_FORMAT, scan->why,
                         "expected %s, found the control character 0x%02x", expected, c);
    }
    size_t len = utf8_sequence(scan->json, scan->at);
    return json_fail(scan->json, scan->at, ERR_FORMAT, scan->why, "expected %s, found '%.*s'%s",
                     expected, (int)len, scan->json.at + scan->at, advice((char)c, scan->expect));
}

static bool is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->json.len && is_space(scan->json.at[scan->at])) {
        scan->at++;
        scan->odd++;
    }
}

#define EACH_BYTE(byte) ((uint64_t)0x0101010101010101 * (byte))

// The top bit of each byte that is a quote, a backslash or below 0x20; bytes above the first of these may have it too.
static uint64_t special_bytes(uint64_t eight)
{
    uint64_t quote = eight ^ EACH_BYTE('"');
    uint64_t backslash = eight ^ EACH_BYTE('\\');
    uint64_t special = ((eight - EACH_BYTE(0x20)) & ~eight) | ((quote - EACH_BYTE(1)) & ~quote) |
                       ((backslash - EACH_BYTE(1)) & ~backslash);
    return special & EACH_BYTE(0x80);
}

size_t json_skip_plain(struct view json, size_t at)
{
    uint64_t eight;
    for (; json.len - at >= sizeof eight; at += sizeof eight) {
        memcpy(&eight, json.at + at, sizeof eight);
        uint64_t special = special_bytes(le64toh(eight));
        if (special) {
            return at + (size_t)__builtin_ctzll(special) / 8;
        }
    }
    while (at < json.len && (unsigned char)json.at[at] >= 0x20 && json.at[at] != '"' &&
           json.at[at] != '\\') {
        at++;
    }
    return at;
}

// The four hexadecimal digits at `at`; false when they are not.
static bool read_hex(struct view json, size_t at, uint32_t *out)
{
    *out = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = i < json.len ? json.at[i] : '\0';
        char lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9') {
            *out = *out << 4 | (uint32_t)(c - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            *out = *out << 4 | (uint32_t)(lower - 'a' + 10);
        } else {
            return false;
        }
    }
    return true;
}

// An escape; `at` stands on its backslash.
static enum status scan_escape(struct scan *scan)
{
    uint32_t unit, low;
    size_t start = scan->at;
    char c = start + 1 < scan->json.len ? scan->json.at[start + 1] : '\0';
    scan->odd += c == 'u' || c == '/';
    if (c != '\0' && strchr("\"\\/bfnrt", c)) {
        scan->at += 2;
        return OK;
    }
    if (c != 'u' || !read_hex(scan->json, start + 2, &unit)) {
        return json_fail(scan->json, start, ERR_FORMAT, scan->why,
                         "a backslash must be followed by one of \"\\/bfnrt or u and four digits "
                         "0-9 a-f");
    }
    scan->at += 6;
    bool is_high = unit >= 0xd800 && unit < 0xdc00;
    if (is_high && view_starts(view_slice(scan->json, scan->at, scan->json.len), VIEW("\\u")) &&
        read_hex(scan->json, scan->at + 2, &low) && low >= 0xdc00 && low < 0xe000) {
        scan->at += 6;
    } else if (unit == 0 || (unit >= 0xd800 && unit < 0xe000)) {
        vec_push(scan->arena, &scan->facts->unfit, start);
    }
    return OK;
}

// `at` stands on the opening quote.
static enum status scan_string(struct scan *scan)
{
    size_t start = scan->at++;
    while ((scan->at = json_skip_plain(scan->json, scan->at)) < scan->json.len) {
        unsigned char c = (unsigned char)scan->json.at[scan->at];
        if (c == '"') {
            scan->at++;
            return OK;
        }
        if (c == '\\') {
            enum status status = scan_escape(scan);
            if (status != OK) {
                return status;
            }
            continue;
        }
        if (!memchr("\t\n\r", c, 3)) {
            return json_fail(scan->json, scan->at, ERR_FORMAT, scan->why,
                             "control character 0x%02x in a string; write it as \\u%04x", c, c);
        }
        scan->odd++;
        scan->at++;
    }
    return json_fail(scan->json, start, ERR_FORMAT, scan->why,
                     "the string that begins here is not closed");
}

static size_t skip_digits(struct scan *scan)
{
    size_t start = scan->at;
    while (peek(scan) >= '0' && peek(scan) <= '9') {
        scan->at++;
    }
    return scan->at - start;
}

static enum status scan_number(struct scan *scan)
{
    size_t start = scan->at;
    scan->at += peek(scan) == '-';
    bool zero = peek(scan) == '0';
    size_t digits = skip_digits(scan);
    bool plain = digits <= PLAIN_DIGITS;
    if (digits == 0) {
        return fail_expected(scan, "a digit");
    }
    if (zero && digits > 1) {
        return json_fail(scan->json, start, ERR_FORMAT, scan->why,
                         "a number cannot begin with a zero; is it text that needs quotes?");
    }
    if (peek(scan) == '.') {
        plain = false;
        scan->at++;
        if (skip_digits(scan) == 0) {
            return fail_expected(scan, "a digit behind the decimal point");
        }
    }
    if (peek(scan) == 'e' || peek(scan) == 'E') {
        plain = false;
        scan->at++;
        scan->at += peek(scan) == '+' || peek(scan) == '-';
        if (skip_digits(scan) == 0) {
            return fail_expected(scan, "a digit of the exponent");
        }
    }
    plain = plain && !(zero && scan->json.at[start] == '-');
    if (!plain) {
        struct json_number number = {scan->numbers, start, scan->at - start};
        vec_push(scan->arena, &scan->facts->numbers, number);
    }
    scan->numbers++;
    return OK;
}

static enum status scan_literal(struct scan *scan)
{
    static const char *const literals[] = {"true", "false", "null"};
    struct view rest = view_slice(scan->json, scan->at, scan->json.len);
    for (size_t i = 0; i < sizeof literals / sizeof literals[0]; i++) {
        if (view_starts(rest, view_of(literals[i]))) {
            scan->at += strlen(literals[i]);
            return OK;
        }
    }
    return fail_expected(scan, "a value");
}

static enum status open_bracket(struct scan *scan, char closing)
{
    if (scan->depth == JSON_DEPTH_LIMIT) {
        return json_fail(scan->json, scan->at, ERR_LIMIT, scan->why, "nested deeper than %d levels",
                         JSON_DEPTH_LIMIT);
    }
    scan->closing[scan->depth++] = closing;
    scan->expect = closing == '}' ? NAME_OR_END : VALUE_OR_END;
    scan->at++;
    return OK;
}

static void begin_member(struct scan *scan)
{
    const struct json_member member = {.name = scan->name, .at = scan->at};
    scan->before = scan->odd;
    vec_push(scan->arena, &scan->facts->members, member);
}

static void end_member(struct scan *scan)
{
    struct json_members *members = &scan->facts->members;
    if (members->len > 0) { // else the arena is full
        members->at[members->len - 1].end = scan->at;
        members->at[members->len - 1].tight = scan->odd == scan->before;
    }
}

static void close_bracket(struct scan *scan)
{
    scan->depth--;
    scan->at++;
    scan->expect = COMMA_OR_END;
    if (scan->depth == 1) {
        end_member(scan);
    }
}

static enum status scan_scalar(struct scan *scan, char c)
{
    scan->expect = COMMA_OR_END;
    enum status status = c == '"'                             ? scan_string(scan)
                         : c == '-' || (c >= '0' && c <= '9') ? scan_number(scan)
                                                              : scan_literal(scan);
    if (scan->depth == 1) {
        end_member(scan);
    }
    return status;
}

static enum status scan_value(struct scan *scan)
{
    char c = peek(scan);
    if (++scan->values > JSON_VALUE_LIMIT) {
        return json_fail(scan->json, scan->at, ERR_LIMIT, scan->why, "more than %d values",
                         JSON_VALUE_LIMIT);
    }
    if (scan->depth == 1) {
        begin_member(scan);
    }
    if (scan->depth == 0 && c != '{') {
        return fail_expected(scan, "one JSON object: '{'");
    }
    if (c == '{' || c == '[') {
        return open_bracket(scan, c == '{' ? '}' : ']');
    }
    return scan_scalar(scan, c);
}

static enum status scan_name(struct scan *scan)
{
    if (peek(scan) != '"') {
        return fail_expected(scan,
                             scan->expect == NAME ? "a name in quotes" : "a name in quotes or '}'");
    }
    scan->name = scan->at;
    enum status status = scan_string(scan);
    if (status != OK) {
        return status;
    }
    skip_space(scan);
    if (peek(scan) != ':') {
        return fail_expected(scan, "':' after the name");
    }
    scan->at++;
    scan->expect = VALUE;
    return OK;
}

static enum status scan_comma(struct scan *scan, char closing)
{
    if (peek(scan) != ',') {
        return fail_expected(scan, closing == '}' ? "',' or '}' after the value"
                                                  : "',' or ']' after the value");
    }
    scan->at++;
    scan->expect = closing == '}' ? NAME : VALUE;
    return OK;
}

static enum status scan_next(struct scan *scan)
{
    char closing = scan->depth > 0 ? scan->closing[scan->depth - 1] : '\0';
    bool may_end = scan->expect != VALUE && scan->expect != NAME;
    if (may_end && closing != '\0' && peek(scan) == closing) {
        close_bracket(scan);
        return OK;
    }
    switch (scan->expect) {
    case NAME:
    case NAME_OR_END:
        return scan_name(scan);
    case COMMA_OR_END:
        return scan_comma(scan, closing);
    case VALUE:
    case VALUE_OR_END:
        break;
    }
    return scan_value(scan);
}

enum status json_check(struct view json, struct arena *arena, struct json_facts *facts,
                       struct error *why)
{
    struct scan scan = {.json = json, .arena = arena, .facts = facts, .why = why};
    *facts = (struct json_facts){0};
    size_t invalid = utf8_invalid_at(json);
    if (invalid < json.len) {
        return json_fail(json, invalid, ERR_FORMAT, why, "not UTF-8 (byte 0x%02x)",
                         (unsigned)(unsigned char)json.at[invalid]);
    }
    enum status status = OK;
    while (status == OK && !(scan.depth == 0 && scan.expect == COMMA_OR_END)) {
        skip_space(&scan);
        status = scan_next(&scan);
    }
    skip_space(&scan);
    if (status == OK && scan.at < json.len) {
        status = fail_expected(&scan, "nothing behind the JSON object");
    }
    return status;
}
