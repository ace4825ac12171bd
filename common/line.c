#include "common/line.h"

#include "common/calendar.h"
#include "common/utf8.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

void line_init(struct line *line)
{
    line->len = 0;
    line->limit = LINE_SIZE;
}

void line_add(struct line *line, struct view text)
{
    if (text.len > 0 && text.len <= line->limit - line->len) {
        memcpy(line->at + line->len, text.at, text.len);
        line->len += text.len;
    }
}

// How the character at `at` is written; `*len` is how many bytes of text it stands for.
static struct view escaped(struct view text, size_t at, char room[8], size_t *len)
{
    unsigned char c = (unsigned char)text.at[at];
    *len = utf8_sequence(text, at);
    if (*len == 0) {
        *len = 1;
        return VIEW("\xef\xbf\xbd");
    }
    if (c == '"' || c == '\\' || c == '\n' || c == '\t') {
        room[0] = '\\';
        room[1] = (char)(c == '\n' ? 'n' : c == '\t' ? 't' : c);
        return (struct view){room, 2};
    }
    if (c < 0x20 || c == 0x7f) {
        return (struct view){room, (size_t)snprintf(room, 8, "\\u%04x", c)};
    }
    return view_slice(text, at, at + *len);
}

void line_add_escaped(struct line *line, struct view text)
{
    for (size_t at = 0, len; at < text.len; at += len) {
        char room[8];
        struct view piece = escaped(text, at, room, &len);
        if (piece.len > line->limit - line->len) {
            return;
        }
        line_add(line, piece);
    }
}

void line_vprintf(struct line *line, const char *format, va_list arguments)
{
    char text[2000];
    int len = vsnprintf(text, sizeof text, format, arguments);
    if (len > 0) {
        size_t kept = (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
        line_add_escaped(line, (struct view){text, kept});
    }
}

void line_add_time(struct line *line, int64_t unix_ms)
{
    char text[40];
    struct instant at = calendar_from_unix_ms(unix_ms);
    int len = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", at.date.year,
                       at.date.month, at.date.day, at.hour, at.minute, at.second, at.millisecond);
    line_add(line, (struct view){text, (size_t)len});
}

void line_write(const struct line *line, int file)
{
    ssize_t written;
    do {
        written = write(file, line->at, line->len);
    } while (written < 0 && errno == EINTR);
}
