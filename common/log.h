// What the program tells whoever runs it: one line per event on stderr, text for people or JSON for machines.
//
//     2020-08-19T07:05:30.250Z warning broker: lease ran out (stage=clean id=a1 attempt=2)
//     {"ts":"2020-08-19T07:05:30.250Z","level":"warning","svc":"broker","stage":"clean","id":"a1","msg":"lease ran out"}
//
// A line is built on the stack and leaves in one write, so lines of several threads never mix and a full disk or a
// closed pipe costs the line, not the program. Control characters and bytes that are not UTF-8 are escaped: what
// comes from outside cannot forge a line. Report an error once, at the top; one line per article only at debug.
#ifndef COPYDESK_LOG_H
#define COPYDESK_LOG_H

#include "common/view.h"

enum log_level { LEVEL_ERROR, LEVEL_WARNING, LEVEL_INFO, LEVEL_DEBUG, LEVEL_COUNT };
enum log_format { LOG_AUTO, LOG_TEXT, LOG_JSON }; // auto: text on a terminal, else JSON

enum {
    LOG_LINE_LIMIT =
        4096, // bytes of a line; what is longer is cut. A pipe takes this much in one piece
};

// Set up once, then read only; shared by threads. NULL instead of one is silence.
struct log {
    int file;
    enum log_level level; // and everything more severe
    bool json;
    const char *service;     // "broker"
    int64_t (*now_ms)(void); // the wall clock
};

// What a line is about. Members that are empty, 0 or NULL are left out.
struct log_about {
    const char *stage;
    struct view id;
    int64_t version;
    const char *trace; // 32 hex digits
    const char *error;
};

// A log on stderr with the real clock.
struct log log_open(const char *service, enum log_level level, enum log_format format);

// "error" "warning" "info" "debug", and "auto" "text" "json". False when it is none of them.
bool log_level_parse(struct view name, enum log_level *out);
bool log_format_parse(struct view name, enum log_format *out);

// Writes one line. `about` may be NULL. Allocates nothing; never fails.
__attribute__((format(printf, 4, 5))) void log_write(const struct log *log, enum log_level level,
                                                     const struct log_about *about,
                                                     const char *format, ...);

#define log_error(log, ...)   log_write((log), LEVEL_ERROR, NULL, __VA_ARGS__)
#define log_warning(log, ...) log_write((log), LEVEL_WARNING, NULL, __VA_ARGS__)
#define log_info(log, ...)    log_write((log), LEVEL_INFO, NULL, __VA_ARGS__)
#define log_debug(log, ...)   log_write((log), LEVEL_DEBUG, NULL, __VA_ARGS__)

#endif
