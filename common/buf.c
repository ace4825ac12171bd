#include "common/buf.h"

#include "common/fault.h"
#include "common/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t limit_bytes)
{
    *buf = (struct buf){.limit_bytes = limit_bytes};
}

void buf_clear(struct buf *buf)
{
    free(buf->at);
    buf_init(buf, buf->limit_bytes);
}

void buf_reset(struct buf *buf)
{
    buf->len = 0;
    buf->full = false;
}

char *buf_grow(struct buf *buf, size_t more)
{
    if (buf->full || more > buf->limit_bytes || buf->len > buf->limit_bytes - more) {
        buf->full = true;
        return NULL;
    }
    size_t wanted = buf->len + more;
    size_t cap = buf->cap < 256 ? 256 : buf->cap * 2;
    cap = cap < buf->limit_bytes ? cap : buf->limit_bytes;
    cap = cap < wanted ? wanted : cap;
    if (buf->len == 0) { // nothing to be copied
        free(buf->at);
        buf->at = NULL;
        buf->cap = 0;
    }
    char *grown = fault_hit(FAULT_MEMORY) ? NULL : realloc(buf->at, cap > 0 ? cap : 1);
    if (!grown) {
        buf->full = true;
        buf->starved = true;
        return NULL;
    }
    buf->at = grown;
    buf->cap = cap;
    return buf->at + buf->len;
}

void buf_add_char(struct buf *buf, char c)
{
    char *room = buf_reserve(buf, 1);
    if (room) {
        *room = c;
        buf->len++;
    }
}

void buf_add_u64(struct buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    buf_add(buf, (struct view){digits + at, sizeof digits - at});
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (len < 0) {
        return;
    }
    if ((size_t)len < sizeof text) {
        buf_add(buf, (struct view){text, (size_t)len});
        return;
    }
    char *room = buf_reserve(buf, (size_t)len + 1);
    if (room) {
        va_start(arguments, format);
        vsnprintf(room, (size_t)len + 1, format, arguments);
        va_end(arguments);
        buf->len += (size_t)len;
    }
}

static void add_escape(struct buf *buf, unsigned char c)
{
    static const char two[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (c == '"' || c == '\\') {
        buf_add_char(buf, '\\');
        buf_add_char(buf, (char)c);
    } else if (c < sizeof two && two[c]) {
        buf_add_char(buf, '\\');
        buf_add_char(buf, two[c]);
    } else {
        buf_printf(buf, "\\u%04x", c);
    }
}

void buf_add_json(struct buf *buf, struct view text)
{
    size_t plain = 0; // start of the run that can be copied as it is
    buf_add_char(buf, '"');
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.at[i];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            i++;
            continue;
        }
        size_t len = c < 0x80 ? 0 : utf8_sequence(text, i);
        if (len > 0) {
            i += len;
            continue;
        }
        buf_add(buf, view_slice(text, plain, i));
        if (c < 0x80) {
            add_escape(buf, c);
        } else {
            buf_add(buf, VIEW("\xef\xbf\xbd"));
        }
        plain = ++i;
    }
    buf_add(buf, view_slice(text, plain, text.len));
    buf_add_char(buf, '"');
}

char *buf_take(struct buf *buf, size_t *len)
{
    char *bytes = buf->at;
    *len = buf->len;
    buf_init(buf, buf->limit_bytes);
    return bytes;
}
