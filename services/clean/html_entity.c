#include "services/clean/html_entity.h"

#include "common/table.h"
#include "common/utf8.h"

enum { NAME_LIMIT = 32, LEGACY_LIMIT = 6 };

// &#128; to &#159; stand for windows-1252, as the HTML standard has it.
static const uint16_t windows_1252[32] = {
    0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};

static const struct {
    const char *name;
    const char *text;
} basic[] = {{"amp", "&"}, {"lt", "<"}, {"gt", ">"}, {"quot", "\""}, {"apos", "'"}};

static unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9') {
        return (unsigned)(c - '0');
    }
    if (c >= 'a' && c <= 'f') {
        return (unsigned)(c - 'a') + 10;
    }
    return c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10 : 99;
}

static uint32_t repair(uint32_t code_point)
{
    if (code_point >= 0x80 && code_point <= 0x9f) {
        return windows_1252[code_point - 0x80];
    }
    bool control = code_point < 0x20 && code_point != '\n' && code_point != '\t';
    if (control || code_point > 0x10ffff || (code_point >= 0xd800 && code_point <= 0xdfff)) {
        return UTF8_REPLACEMENT;
    }
    return code_point;
}

// At "&#". 0 when no digit follows.
static size_t decode_number(struct view text, char *out, size_t *len)
{
    bool hex = text.len > 2 && (text.at[2] == 'x' || text.at[2] == 'X');
    unsigned base = hex ? 16 : 10;
    size_t start = hex ? 3 : 2;
    size_t at = start;
    uint32_t code_point = 0;
    char bytes[4];
    while (at < text.len && digit_value(text.at[at]) < base) {
        code_point =
            code_point > 0x110000 ? code_point : code_point * base + digit_value(text.at[at]);
        at++;
    }
    if (at == start) {
        return 0;
    }
    at += at < text.len && text.at[at] == ';';
    size_t size = utf8_encode(repair(code_point), bytes);
    if (size > at) {
        return 0;
    }
    memcpy(out + *len, bytes, size);
    *len += size;
    return at;
}

static bool find_name(struct view name, const struct table_list *entities, struct view *value)
{
    struct view bare = view_ends(name, VIEW(";")) ? view_slice(name, 0, name.len - 1) : name;
    for (size_t i = 0; i < sizeof basic / sizeof basic[0]; i++) {
        if (view_equal(bare, view_of(basic[i].name))) {
            *value = view_of(basic[i].text);
            return true;
        }
    }
    return entities && table_find(entities, name, value);
}

static size_t take(struct view name, struct view value, char *out, size_t *len)
{
    if (value.len > name.len + 1) {
        return 0;
    }
    memcpy(out + *len, value.at, value.len);
    *len += value.len;
    return name.len + 1;
}

// A name with semicolon, else the longest of the old names that may stand without one.
static size_t decode_name(struct view text, const struct table_list *entities, char *out,
                          size_t *len)
{
    size_t end = 1;
    struct view value;
    while (end < text.len && end <= NAME_LIMIT &&
           (digit_value(text.at[end]) < 10 || (unsigned)((text.at[end] | 32) - 97) < 26u)) {
        end++;
    }
    if (end < text.len && text.at[end] == ';') {
        struct view name = view_slice(text, 1, end + 1);
        if (find_name(name, entities, &value)) {
            return take(name, value, out, len);
        }
    }
    for (size_t size = end - 1 < LEGACY_LIMIT ? end - 1 : LEGACY_LIMIT; size >= 2; size--) {
        struct view name = view_slice(text, 1, size + 1);
        bool in_query = end < text.len && text.at[end] == '=';
        if (!in_query && find_name(name, entities, &value)) {
            return take(name, value, out, len);
        }
    }
    return 0;
}

size_t html_entity(struct view text, const struct table_list *entities, char *out, size_t *len)
{
    size_t used = text.len > 1 && text.at[1] == '#' ? decode_number(text, out, len)
                                                    : decode_name(text, entities, out, len);
    if (used == 0) {
        out[(*len)++] = '&';
        return 1;
    }
    return used;
}
