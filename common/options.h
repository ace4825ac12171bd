// Reads the flags of a command from a table, which also prints its help.
//
//     static const struct option table[] = {
//         {"json", '\0', OPTION_FLAG, offsetof(struct settings, json), NULL, "print NDJSON"},
//         {"only", '\0', OPTION_TEXT, offsetof(struct settings, only), "LIST", "run these stages"},
//     };
//
// --only LIST and --only=LIST, -j 4 and -j4 are the same; flags and operands may stand in any order; what
// follows "--" is no flag; "-" alone is an operand.
#ifndef COPYDESK_OPTIONS_H
#define COPYDESK_OPTIONS_H

#include "common/status.h"
#include "common/view.h"

#include <stdio.h>

enum option_kind {
    OPTION_FLAG,  // bool: given or not
    OPTION_TEXT,  // const char *: borrowed from argv
    OPTION_COUNT, // size_t from 1 to 4096
    OPTION_SIZE,  // size_t in bytes: 4096, 64K, 16M, 1G
};

struct option {
    const char *name; // without the dashes
    char letter;      // one-letter form, or '\0'
    enum option_kind kind;
    size_t offset;     // of the field in the command's settings
    const char *value; // what the help calls the value; NULL for flags
    const char *help;
};

// Reads argv[1..argc-1] into `settings`, which hold the defaults before. Operands are moved to the front, in order,
// from argv[1] on; `*operands` is their number. ERR_USAGE names the flag and, when one is near, what was meant.
MUST_CHECK enum status options_parse(const struct option *table, size_t count, void *settings,
                                     int argc, char **argv, int *operands, struct error *why);

// Prints one line a flag.
void options_print(const struct option *table, size_t count, FILE *out);

#endif
