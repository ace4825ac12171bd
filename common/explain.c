#include "common/explain.h"

#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>

enum { EXPLAIN_LIMIT = 16 << 20, ABOUT_LIMIT = 80 };

void explain_init(struct explain *explain)
{
    buf_init(&explain->lines, EXPLAIN_LIMIT);
}

void explain_clear(struct explain *explain)
{
    buf_clear(&explain->lines);
}

// Cuts at a code point and shows line ends as spaces, so that one decision stays one line.
static void add_about(struct buf *lines, struct view about)
{
    size_t end = 0;
    while (end < about.len && end < ABOUT_LIMIT) {
        utf8_next(about, &end);
    }
    size_t first = lines->len;
    buf_add(lines, view_slice(about, 0, end));
    for (size_t i = first; i < lines->len; i++) {
        if (lines->at[i] == '\n' || lines->at[i] == '\r') {
            lines->at[i] = ' ';
        }
    }
    if (end < about.len) {
        buf_add(lines, VIEW("..."));
    }
}

void explain_add(struct explain *explain, const char *stage, const char *rule, struct view about,
                 const char *format, ...)
{
    if (!explain) {
        return;
    }
    char detail[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    buf_printf(&explain->lines, "%s: %s: '", stage, rule);
    add_about(&explain->lines, about);
    buf_printf(&explain->lines, "' %s\n", detail);
}
