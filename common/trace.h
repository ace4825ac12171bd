// Two kinds of tracing: what parts of this process do, line by line, and W3C trace context, which ties the
// work on one article together across processes.
#ifndef COPYDESK_TRACE_H
#define COPYDESK_TRACE_H

#include "common/status.h"
#include "common/view.h"

// ---- Parts of this process: COPYDESK_TRACE=wire,journal
//
//     trace_line(tracer, TRACE_JOURNAL, "drop segment %llu", segment);
//
// writes "trace journal 12.345678 drop segment 7" to stderr. When the part is off, or there is no tracer, this costs one
// comparison, and the arguments are not evaluated. What stages decide is told by `enrich --explain`.

// A new part is one line here and trace_line where it belongs.
#define TRACE_PARTS                                                                                \
    X(WIRE, "wire")       /* every message in and out */                                           \
    X(JOURNAL, "journal") /* what is written, made durable and dropped */                          \
    X(OUTCOME, "outcome") /* what the broker said to each article handed in */

#define X(name, text) TRACE_##name,
enum trace_part { TRACE_PARTS TRACE_PART_COUNT };
#undef X

// Set up once, then read only; shared by threads.
struct tracer {
    uint32_t on; // bit per part
    int file;
    int64_t start_us;
};

// Reads the list of parts ("wire,queue", "all"; NULL or "" for none) and starts the clock.
// ERR_USAGE names a part that does not exist and those that do.
MUST_CHECK enum status trace_open(struct tracer *out, const char *list, struct error *why);

static inline bool trace_is_on(const struct tracer *tracer, enum trace_part part)
{
    return tracer && (tracer->on & 1u << part) != 0;
}

#define trace_line(tracer, part, ...)                                                              \
    (trace_is_on((tracer), (part)) ? trace_write((tracer), (part), __VA_ARGS__) : (void)0)

// What trace_line calls. Allocates nothing, one write.
__attribute__((format(printf, 3, 4))) void
trace_write(const struct tracer *tracer, enum trace_part part, const char *format, ...);

// ---- W3C trace context (Recommendation of 2021-11-23), header `traceparent`:
// 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01

enum { TRACEPARENT_SIZE = 56 }; // with '\0'

struct trace_context {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t flags; // bit 0: sampled
};

// Where ids come from, so that tests and the simulator choose them.
struct trace_random {
    uint64_t (*next)(void *user);
    void *user;
};

// Reads a traceparent. Versions after 00 are read by their first four fields, as the standard asks. False when it
// is none: wrong length, upper case, version ff, an id of zeros.
bool trace_parse(struct view header, struct trace_context *out);

// Writes it as version 00.
void trace_format(const struct trace_context *context, char out[TRACEPARENT_SIZE]);

// A new trace, sampled, with new ids.
struct trace_context trace_start(struct trace_random random);

// The next span of the same trace: a stage's work, one try of a delivery.
struct trace_context trace_child(const struct trace_context *parent, struct trace_random random);

#endif
