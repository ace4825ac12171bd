// Unites an article's sections as text: members are found and copied, no tree is built.
//
// To parse 20 KB of annotations into a tree and print it again costs more than all else a sink does. So here the text of
// each value is copied once, in the form in which article_print would have written it. Whatever is not as plain as stages
// write it (a member twice, a value of the wrong kind, an offset outside the text) is left to article_merge, which knows
// what to say of it.
#include "common/article.h"
#include "common/article_members.h"
#include "common/buf.h"
#include "common/json.h"

#include <stdlib.h>

enum { PART_LIMIT = 256 }; // members of one article, entries of `stages`

struct part {
    struct view name, value; // as they stand in the JSON; the name without its quotes
    size_t section;          // whose it is
    size_t rank;             // of the schema; not used of an entry of `stages`
    bool tight;              // the value can be copied as it stands
};

struct parts {
    struct part at[PART_LIMIT];
    size_t len;
};

struct unite {
    struct parts members, stages;
    struct view text; // the value of the member `text`, with its quotes; empty when there is none
    size_t section;   // the one being read
    struct buf *out;
};

// --- finding the members; the JSON was checked

static size_t skip_space(struct view json, size_t at)
{
    while (json.at[at] == ' ' || json.at[at] == '\n' || json.at[at] == '\r' ||
           json.at[at] == '\t') {
        at++;
    }
    return at;
}

// Behind the closing quote of the string that begins at `at`.
static size_t string_end(struct view json, size_t at)
{
    at = json_skip_plain(json, at + 1);
    while (json.at[at] != '"') {
        at = json_skip_plain(json, at + (json.at[at] == '\\' ? 2 : 1));
    }
    return at + 1;
}

// Behind the value that begins at `at`.
static size_t value_end(struct view json, size_t at)
{
    size_t depth = 0;
    for (;;) {
        char c = json.at[at];
        if (depth == 0 && memchr(",]} \t\r\n", c, 7)) {
            return at;
        }
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at = c == '"' ? string_end(json, at) : at + 1;
        if (depth == 0 && (c == '"' || c == '}' || c == ']')) {
            return at;
        }
    }
}

// True when the name needs no escapes.
static bool is_plain(struct view name)
{
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.at[i];
        if (c < 0x20 || c == 0x7f || c == '\\') {
            return false;
        }
    }
    return true;
}

// Calls `take` for each member of the object `json`. False when one of them is not plain.
static bool each_member(struct unite *unite, struct view json,
                        bool (*take)(struct unite *unite, struct part *part))
{
    size_t at = skip_space(json, skip_space(json, 0) + 1);
    while (json.at[at] != '}') {
        size_t name_end = string_end(json, at);
        size_t value = skip_space(json, skip_space(json, name_end) + 1);
        struct part part = {.name = view_slice(json, at + 1, name_end - 1),
                            .section = unite->section};
        at = value_end(json, value);
        part.value = view_slice(json, value, at);
        if (!is_plain(part.name) || !take(unite, &part)) {
            return false;
        }
        at = skip_space(json, at);
        at = skip_space(json, at + (json.at[at] == ','));
    }
    return true;
}

// Lays a part over what is there. False when its section has it twice, or there are too many.
static bool put_part(struct parts *parts, const struct part *part)
{
    size_t i = 0;
    while (i < parts->len && !view_equal(parts->at[i].name, part->name)) {
        i++;
    }
    if (i == PART_LIMIT || (i < parts->len && parts->at[i].section == part->section)) {
        return false;
    }
    parts->len += i == parts->len;
    parts->at[i] = *part;
    return true;
}

static bool take_stage(struct unite *unite, struct part *part)
{
    return put_part(&unite->stages, part);
}

static bool take_member(struct unite *unite, struct part *part)
{
    part->rank = article_member_rank(part->name);
    if (part->rank < article_member_count() &&
        !article_member_fits(part->rank, part->value.at[0])) {
        return false;
    }
    if (view_equal(part->name, VIEW("text"))) {
        if (unite->text.len > 0 && !view_equal(unite->text, part->value)) {
            return false;
        }
        unite->text = part->value;
    }
    if (view_equal(part->name, VIEW("stages")) && !each_member(unite, part->value, take_stage)) {
        return false;
    }
    return put_part(&unite->members, part);
}

// Takes the members of a section, which json_check has found.
static bool take_section(struct unite *unite, struct view json, const struct json_members *members)
{
    for (size_t i = 0; i < members->len; i++) {
        const struct json_member *member = &members->at[i];
        size_t name_end = string_end(json, member->name);
        struct part part = {.name = view_slice(json, member->name + 1, name_end - 1),
                            .value = view_slice(json, member->at, member->end),
                            .tight = member->tight,
                            .section = unite->section};
        if (!is_plain(part.name) || !take_member(unite, &part)) {
            return false;
        }
    }
    return true;
}

// --- printing

// Four hexadecimal digits.
static uint32_t read_hex(const char *at)
{
    char digits[5] = {at[0], at[1], at[2], at[3], '\0'};
    return (uint32_t)strtoul(digits, NULL, 16);
}

static void add_code_point(struct buf *out, uint32_t code_point)
{
    static const char named[] = "\b\t\n\f\r";
    char bytes[4];
    const char *found = code_point < 0x20 ? strchr(named, (int)code_point) : NULL;
    if (code_point == 0 || (code_point >= 0xd800 && code_point < 0xe000)) {
        code_point = UTF8_REPLACEMENT;
    }
    if (found && *found) {
        buf_add_char(out, '\\');
        buf_add_char(out, "btnfr"[found - named]);
    } else if (code_point < 0x20) {
        buf_printf(out, "\\u%04x", code_point);
    } else {
        if (code_point == '"' || code_point == '\\') {
            buf_add_char(out, '\\');
        }
        buf_add(out, (struct view){bytes, utf8_encode(code_point, bytes)});
    }
}

// Writes the escape at `at` as the printer would have; returns what is behind it.
static size_t add_escape(struct buf *out, struct view json, size_t at)
{
    char c = json.at[at + 1];
    if (c == '/') {
        buf_add_char(out, '/');
    } else if (c != 'u') {
        buf_add(out, view_slice(json, at, at + 2));
    } else {
        uint32_t unit = read_hex(json.at + at + 2);
        struct view rest = view_slice(json, at + 6, json.len);
        if (unit >= 0xd800 && unit < 0xdc00 && rest.len >= 6 && view_starts(rest, VIEW("\\u"))) {
            uint32_t low = read_hex(rest.at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                add_code_point(out, 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00));
                return at + 12;
            }
        }
        add_code_point(out, unit);
        return at + 6;
    }
    return at + 2;
}

// Copies the string at `at`, and returns what is behind it.
static size_t add_string(struct buf *out, struct view json, size_t at)
{
    size_t run = at++;
    while (json.at[at = json_skip_plain(json, at)] != '"') {
        unsigned char c = (unsigned char)json.at[at];
        bool is_odd = c == '\\' && (json.at[at + 1] == 'u' || json.at[at + 1] == '/');
        if (c == '\\' && !is_odd) {
            at += 2;
            continue;
        }
        buf_add(out, view_slice(json, run, at));
        if (is_odd) {
            at = add_escape(out, json, at);
        } else {
            add_code_point(out, c);
            at++;
        }
        run = at;
    }
    buf_add(out, view_slice(json, run, at + 1));
    return at + 1;
}

// Copies a value without the white space between its parts.
static void add_value(struct buf *out, const struct part *part)
{
    struct view value = part->value;
    size_t run = 0;
    if (part->tight) {
        buf_add(out, value);
        return;
    }
    for (size_t at = 0; at < value.len;) {
        char c = value.at[at];
        bool is_space = c == ' ' || c == '\t' || c == '\r' || c == '\n';
        if (c != '"' && !is_space) {
            at++;
            continue;
        }
        buf_add(out, view_slice(value, run, at));
        at = is_space ? at + 1 : add_string(out, value, at);
        run = at;
    }
    buf_add(out, view_slice(value, run, value.len));
}

static size_t text_length(struct view text)
{
    size_t code_points = 0;
    for (size_t at = 1; at + 1 < text.len; code_points++) {
        if (text.at[at] != '\\') {
            at += utf8_sequence(text, at);
            continue;
        }
        uint32_t unit = text.at[at + 1] == 'u' ? read_hex(text.at + at + 2) : 0;
        bool is_high = unit >= 0xd800 && unit < 0xdc00;
        struct view rest = view_slice(text, at + 6, text.len);
        at += text.at[at + 1] == 'u' ? 6 : 2;
        if (is_high && view_starts(rest, VIEW("\\u")) &&
            (read_hex(rest.at + 2) & 0xfc00) == 0xdc00) {
            at += 6;
        }
    }
    return code_points;
}

// The whole number at the beginning of `text`; false when there is none, or it is written in another way.
static bool read_offset(struct view text, size_t *out)
{
    size_t at = 0;
    for (*out = 0; at < text.len && at < 10 && text.at[at] >= '0' && text.at[at] <= '9'; at++) {
        *out = *out * 10 + (size_t)(text.at[at] - '0');
    }
    return at > 0 && at < text.len && memchr(",} \t\r\n", text.at[at], 6);
}

// False when a `start` or `end` in the value may lie outside of the text, or before its `start`.
static bool spans_fit(struct view value, size_t limit)
{
    size_t low = 0;
    for (size_t at = 0; at < value.len;) {
        if (value.at[at] != '"') {
            at++;
            continue;
        }
        size_t end = string_end(value, at);
        struct view name = view_slice(value, at + 1, end - 1);
        bool is_start = view_equal(name, VIEW("start"));
        size_t offset;
        at = end;
        if ((!is_start && !view_equal(name, VIEW("end"))) ||
            value.at[skip_space(value, end)] != ':') {
            continue;
        }
        at = skip_space(value, skip_space(value, end) + 1);
        if (!read_offset(view_slice(value, at, value.len), &offset) || offset > limit ||
            (!is_start && offset < low)) {
            return false;
        }
        low = is_start ? offset : 0;
    }
    return true;
}

static void add_name(struct buf *out, struct view name, bool *first)
{
    buf_add_char(out, *first ? '{' : ',');
    buf_add_char(out, '"');
    buf_add(out, name);
    buf_add(out, VIEW("\":"));
    *first = false;
}

static int by_name(const void *a, const void *b)
{
    return view_compare(((const struct part *)a)->name, ((const struct part *)b)->name);
}

static void add_member(struct unite *unite, const struct part *part, bool *first)
{
    bool first_stage = true;
    add_name(unite->out, part->name, first);
    if (!view_equal(part->name, VIEW("stages"))) {
        add_value(unite->out, part);
        return;
    }
    qsort(unite->stages.at, unite->stages.len, sizeof unite->stages.at[0], by_name);
    for (size_t i = 0; i < unite->stages.len; i++) {
        add_name(unite->out, unite->stages.at[i].name, &first_stage);
        add_value(unite->out, &unite->stages.at[i]);
    }
    buf_add(unite->out, first_stage ? VIEW("{}") : VIEW("}"));
}

static bool check_spans(const struct unite *unite)
{
    size_t limit = unite->text.len > 0 ? text_length(unite->text) : 0;
    for (size_t i = 0; i < unite->members.len; i++) {
        const struct part *part = &unite->members.at[i];
        if (part->rank < article_member_count() && article_member_has_spans(part->rank) &&
            !spans_fit(part->value, limit)) {
            return false;
        }
    }
    return true;
}

// In the order of the schema, unknown members behind.
static void print_all(struct unite *unite, bool without_content)
{
    const struct part *known[ARTICLE_MEMBER_LIMIT] = {NULL};
    size_t count = article_member_count();
    bool first = true;
    for (size_t i = 0; i < unite->members.len; i++) {
        const struct part *part = &unite->members.at[i];
        if (part->rank < count && !(without_content && view_equal(part->name, VIEW("content")))) {
            known[part->rank] = part;
        }
    }
    for (size_t rank = 0; rank < count; rank++) {
        if (known[rank]) {
            add_member(unite, known[rank], &first);
        }
    }
    for (size_t i = 0; i < unite->members.len; i++) {
        if (unite->members.at[i].rank == count) {
            add_member(unite, &unite->members.at[i], &first);
        }
    }
    buf_add(unite->out, first ? VIEW("{}") : VIEW("}"));
}

bool article_unite(const struct view *sections, size_t count, bool without_content,
                   struct arena *arena, struct buf *out)
{
    struct unite unite;
    unite.members.len = unite.stages.len = 0;
    unite.text = (struct view){"", 0};
    unite.out = out;
    for (unite.section = 0; unite.section < count; unite.section++) {
        struct json_facts facts;
        struct view json = sections[unite.section];
        if (json.len > ARTICLE_SIZE_LIMIT || json_check(json, arena, &facts, NULL) != OK ||
            arena_is_full(arena) || !take_section(&unite, json, &facts.members)) {
            return false;
        }
    }
    if (unite.stages.len > ARTICLE_STAGE_LIMIT || !check_spans(&unite)) {
        return false;
    }
    print_all(&unite, without_content);
    return !out->full;
}
