// One line of text of bounded length on the stack, for logs and traces. What does not fit is dropped.
#ifndef COPYDESK_LINE_H
#define COPYDESK_LINE_H

#include "common/view.h"

#include <stdarg.h>

enum { LINE_SIZE = 4096 };

struct line {
    size_t len;
    size_t limit; // at most LINE_SIZE; a writer keeps room for an ending by lowering it
    char at[LINE_SIZE];
};

// Starts an empty line.
void line_init(struct line *line);

// Appends bytes as they are; nothing when they do not all fit.
void line_add(struct line *line, struct view text);

// Appends with control characters, '"' and '\' escaped as JSON has it; bytes that are not UTF-8 become U+FFFD.
// Cut between two characters when the limit is reached.
void line_add_escaped(struct line *line, struct view text);

// As line_add_escaped with formatted text, which is cut at 2,000 bytes.
void line_vprintf(struct line *line, const char *format, va_list arguments);

// Appends "2020-08-19T07:05:30.250Z".
void line_add_time(struct line *line, int64_t unix_ms);

// Writes the line to `file` in one piece; what the system refuses is lost.
void line_write(const struct line *line, int file);

#endif
