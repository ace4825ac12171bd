// Reads .spec files, the plain-text cases an editor could review, and runs them.
//
//     # tests/spec/dates/weekday.spec
//     published 2020-08-19
//
//     A bare weekday in future tense is the next such day.
//     > Kadhemi will meet Trump on Thursday.
//     Thursday     DATE 2020-08-20
//
// The rules, line by line:
//   - '#' in the first column begins a comment; it is skipped wherever it stands, even inside a case.
//   - A case is a paragraph: settings and prose, then input, then what is expected. A blank line after the
//     input ends it. A case without expected lines expects nothing to be produced.
//   - Before the input, a line whose first word is one of the kind's keys is a **setting**: the key, then the value,
//     which is the rest of the line without outer white space. Any other line is prose and says what the case shows;
//     the first one is its title.
//   - A line that begins with "> ", or is just ">", is **input**; lines are joined with \n, ">" alone is an empty line.
//     "\xHH" in it stands for that byte, so that a case can show broken or invisible characters.
//   - A paragraph of settings alone holds for all later cases of the file; a case's own settings win over it.
//   - Every line after the input is **expected**. Runs of white space count as one space, outer ones as none;
//     order and number of lines count.
// Input after an expected line, prose without input, and too many settings are errors of the file.
#ifndef COPYDESK_SPEC_H
#define COPYDESK_SPEC_H

#include "common/buf.h"
#include "common/status.h"

enum {
    SPEC_SETTINGS_LIMIT = 16, // per case, those of the file included
    SPEC_FILE_LIMIT = 16 << 20,
};

struct spec_setting {
    struct view key, value;
};

struct spec_case {
    const char *file;
    size_t line; // of the first line of the case, from 1
    struct view title;
    struct spec_setting settings[SPEC_SETTINGS_LIMIT];
    size_t setting_count;
    struct view input;
};

// What a runner of one kind of spec brings: see tests/spec/spec_queue.c for a whole one, and stage_spec.h for those of stages.
struct spec_kind {
    const char *name;
    const char *const *keys; // words that begin a setting; ends with NULL

    const void *user; // for `open`

    // Loads what the cases need from the data folder; `*context` goes to the other two. May be NULL.
    enum status (*open)(void **context, const void *user, const char *folder, struct error *why);

    // Appends the actual lines of a case to `actual`, each with its \n. A status other than OK fails the case.
    enum status (*produce)(void *context, const struct spec_case *one, struct buf *actual,
                           struct error *why);

    void (*close)(void *context); // may be NULL
};

// The value of a setting, the last one when it was given twice; empty when it was not given.
struct view spec_setting(const struct spec_case *one, const char *key);

// Runs all cases of the files: `argv` is PROGRAM DATA_FOLDER FILE... Prints "file:line: ..." for every
// difference and one line of counts. Returns 0 when all cases passed and there was at least one.
int spec_main(int argc, char **argv, const struct spec_kind *kind);

#endif
