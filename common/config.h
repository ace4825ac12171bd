// Settings from flags, environment and one INI file; in this order the first that names a key wins.
//
// A program declares its keys in one table; everything else follows from it: flags, environment names, checks,
// help and the report of what is in force and why.
//
//     static const struct config_key keys[] = {
//         {.section = "broker", .key = "listen", .kind = CONFIG_TEXT, .fallback = "tcp://127.0.0.1:5555",
//          .help = "where workers connect"},
//         {.section = "broker", .key = "lease", .kind = CONFIG_DURATION, .fallback = "30s", .low = 1000,
//          .high = 86400000, .help = "how long a worker may keep an article"},
//         {.section = "pipeline", .key = "*", .kind = CONFIG_TEXT, .help = "STAGE = what it needs"},
//     };
//     status = config_load(&config, keys, sizeof keys / sizeof keys[0], path, argc, argv, &why);
//     int64_t lease_ms = config_duration_ms(config, "broker.lease");
//
// The key `queue_size` of [broker] is, highest precedence first:
//     --broker-queue-size 100    or, for the command `broker` (argv[0]), short: --queue-size 100, --queue-size=100
//     COPYDESK_BROKER_QUEUE_SIZE=100
//     [broker] queue_size = 100  in the file; `;` after white space starts a comment, indented lines continue a list
// Kinds as people write them: "30s" "1h30m" "250ms"; "64MiB" "10kB" (KiB and K are 1024, kB 1000); yes/no, true/false,
// on/off, 1/0; lists separated by commas or white space.
//
// Built in: --config FILE (or COPYDESK_CONFIG) names the file; --help is noted, for the caller to print config_help.
// The program must hand in all keys of all its commands: a key that is in no table is an error with its place.
#ifndef COPYDESK_CONFIG_H
#define COPYDESK_CONFIG_H

#include "common/buf.h"
#include "common/status.h"

enum config_kind {
    CONFIG_TEXT,
    CONFIG_INTEGER,
    CONFIG_DURATION, // kept in milliseconds
    CONFIG_BYTES,
    CONFIG_BOOL,
    CONFIG_LIST,
};

struct config_key {
    const char *section;
    const char *key;  // lower case with '_'; "*": any key may stand in the section (file only)
    const char *flag; // another name, such as "log-format", valid in every command; or NULL
    const char *env;  // another name for the environment, such as "COPYDESK_BROKER"; or NULL
    enum config_kind kind;
    const char *fallback; // as a person would write it; NULL or "" when there is none
    int64_t low, high;    // for numbers, inclusive, in the kept unit; both 0: from 0 up
    bool secret;          // its value is never shown
    const char *help;     // one line
};

struct config;

// Reads flags, environment and file, in `*out` for the caller to free.
//
// `path` is the file to read when neither --config nor COPYDESK_CONFIG names one; NULL: none. argv[0] is the command
// and skipped; arguments that are no flags are kept for config_argument, as is everything behind "--".
// ERR_USAGE for a flag, ERR_CONFIG for the file or environment; `why` names the place and what was expected:
// "copydesk.ini:9: unknown key 'quue_size' in [broker]; did you mean 'queue_size'?". A broken
// table of keys (a fallback outside its range) is an assert.
MUST_CHECK enum status config_load(struct config **out, const struct config_key *keys,
                                   size_t key_count, const char *path, int argc, char **argv,
                                   struct error *why);

// NULL is fine.
void config_free(struct config *config);

// The value of "section.key". Asking for a key that is not in the table, or by the wrong kind, is an assert.
// Text is "" when there is none, and lives as long as `config`.
const char *config_text(const struct config *config, const char *name);
int64_t config_int(const struct config *config, const char *name);
int64_t config_duration_ms(const struct config *config, const char *name);
int64_t config_bytes(const struct config *config, const char *name);
bool config_bool(const struct config *config, const char *name);

// Cuts the next item off the front of `*rest`; false when none is left:
//     for (struct view rest = view_of(config_list(config, "gateway.feeds")), item; config_next(&rest, &item);)
const char *config_list(const struct config *config, const char *name);
bool config_next(struct view *rest, struct view *item);

// True when flag, environment or file named "section.key".
bool config_is_set(const struct config *config, const char *name);

// The n-th line of an open section, in the order of the file; false when there are fewer.
bool config_entry(const struct config *config, const char *section, size_t n, const char **key,
                  const char **value);

// The n-th argument that is no flag, or NULL.
const char *config_argument(const struct config *config, size_t n);

// True when --help or -h was among the flags. Other mistakes are then not reported.
bool config_wants_help(const struct config *config);

// Appends the flags of one section as help text, one line a key with its default; NULL: of all sections.
void config_help(const struct config_key *keys, size_t key_count, const char *section,
                 struct buf *out);

// Appends what is in force as an INI file that can be read back, each value with a comment that says where
// it comes from; secrets as ***.
void config_print(const struct config *config, struct buf *out);

// The same as JSON: {"broker": {"listen": {"value": "...", "source": "copydesk.ini:3"}}}.
void config_print_json(const struct config *config, struct buf *out);

#endif
