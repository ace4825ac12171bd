// Checks JSON from outside before anything is built from it: RFC 8259 with limits, one pass, no recursion.
//
// A parser that builds a tree answers a mistake with "failed"; a person needs the line, the column, and what was
// expected there. It may also do worse than fail: end a string at \u0000, round 9007199254740993 to its neighbour,
// recurse as deep as the input likes. What such a parser would lose is noted here, with its place.
#ifndef COPYDESK_JSON_H
#define COPYDESK_JSON_H

#include "common/status.h"
#include "common/vec.h"

enum {
    JSON_DEPTH_LIMIT = 64,
    JSON_VALUE_LIMIT = 1 << 20, // values in one document; a tree takes some 100 bytes for each
};

// A number that a double or a printer would change: more than 15 digits, a fraction, an exponent.
struct json_number {
    size_t ordinal; // how many numbers stand before it in the text
    size_t at, len;
};

struct json_numbers {
    struct json_number *at;
    size_t len, cap;
};

struct json_offsets {
    size_t *at;
    size_t len, cap;
};

// A member of the outermost object.
struct json_member {
    size_t name;    // where its name begins, with the quote
    size_t at, end; // its value
    bool
        tight; // no white space in the value but inside strings, no escapes there that a printer writes otherwise
};

struct json_members {
    struct json_member *at;
    size_t len, cap;
};

struct json_facts {
    struct json_members members; // in order
    struct json_offsets
        unfit; // escapes \uXXXX that stand for no character: NUL, half a surrogate pair
    struct json_numbers numbers; // see above
};

// Checks that `json` is one JSON object in valid UTF-8 with nothing behind it, and collects its facts in `arena`.
//
// ERR_FORMAT with "line:column: expected ..., found ..."; ERR_LIMIT when it is nested too deep or has too many values.
// Tabs and line ends inside strings are let through, as many writers forget to escape them. Linear.
MUST_CHECK enum status json_check(struct view json, struct arena *arena, struct json_facts *facts,
                                  struct error *why);

// The next byte from `at` on that is a quote, a backslash or a control character, or the end of `json`.
size_t json_skip_plain(struct view json, size_t at);

// Fails with the sentence and the place of byte `at`, as "line:column: sentence". Columns count code points.
__attribute__((format(printf, 5, 6))) enum status json_fail(struct view json, size_t at,
                                                            enum status status, struct error *why,
                                                            const char *format, ...);

#endif
