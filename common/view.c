#include "common/view.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

int view_compare(struct view a, struct view b)
{
    size_t shared = a.len < b.len ? a.len : b.len;
    int order = shared ? memcmp(a.at, b.at, shared) : 0;
    if (order != 0) {
        return order;
    }
    return (a.len > b.len) - (a.len < b.len);
}

bool view_equal_nocase(struct view a, struct view b)
{
    return a.len == b.len && view_starts_nocase(a, b);
}

bool view_starts_nocase(struct view v, struct view prefix)
{
    if (v.len < prefix.len) {
        return false;
    }
    for (size_t i = 0; i < prefix.len; i++) {
        if (lower(v.at[i]) != lower(prefix.at[i])) {
            return false;
        }
    }
    return true;
}

size_t view_find(struct view v, struct view needle, size_t from)
{
    if (from > v.len || needle.len > v.len - from) {
        return v.len;
    }
    if (needle.len == 0) {
        return from;
    }
    const char *hit = memmem(v.at + from, v.len - from, needle.at, needle.len);
    return hit ? (size_t)(hit - v.at) : v.len;
}

struct view view_trim(struct view v)
{
    static const struct view hard_space = {"\xc2\xa0", 2};
    for (;;) {
        if (v.len > 0 && is_space(v.at[0])) {
            v = view_slice(v, 1, v.len);
        } else if (view_starts(v, hard_space)) {
            v = view_slice(v, 2, v.len);
        } else if (v.len > 0 && is_space(v.at[v.len - 1])) {
            v.len--;
        } else if (view_ends(v, hard_space)) {
            v.len -= 2;
        } else {
            return v;
        }
    }
}

bool view_next_line(struct view *rest, struct view *line)
{
    if (rest->len == 0) {
        return false;
    }
    const char *newline = memchr(rest->at, '\n', rest->len);
    size_t len = newline ? (size_t)(newline - rest->at) : rest->len;
    *line = view_slice(*rest, 0, len);
    *rest = view_slice(*rest, newline ? len + 1 : len, rest->len);
    if (line->len > 0 && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    return true;
}

bool view_next_word(struct view *rest, struct view *word)
{
    size_t start = 0;
    while (start < rest->len && is_space(rest->at[start])) {
        start++;
    }
    size_t end = start;
    while (end < rest->len && !is_space(rest->at[end])) {
        end++;
    }
    *word = view_slice(*rest, start, end);
    *rest = view_slice(*rest, end, rest->len);
    return word->len > 0;
}

bool view_parse_u64(struct view v, uint64_t *out)
{
    uint64_t value = 0;
    if (v.len == 0) {
        return false;
    }
    for (size_t i = 0; i < v.len; i++) {
        unsigned digit = (unsigned)(unsigned char)v.at[i] - '0';
        if (digit > 9 || value > (UINT64_MAX - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}

uint64_t view_hash(struct view v)
{
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < v.len; i++) {
        hash = (hash ^ (unsigned char)v.at[i]) * 1099511628211u;
    }
    hash ^= hash >> 32;
    hash *= 0xd6e8feb86659fd93u;
    return hash ^ (hash >> 32);
}
