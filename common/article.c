#include "common/article.h"

#include "common/buf.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// A member this program knows: how it is checked and where it is offered as a field.
// The order here is the order in print.
enum kind {
    TEXT, // string
    TEXT_OR_NULL,
    NUMBER,
    OBJECT,
    ARRAY,
    ANY,
};

struct member {
    const char *name;
    enum kind kind;
    size_t offset; // of a struct view field, or 0
    enum status (*read)(struct article *, const cJSON *,
                        struct error *); // for what is not a plain view
};

static enum status read_version(struct article *article, const cJSON *item, struct error *why);
static enum status read_urgency(struct article *article, const cJSON *item, struct error *why);
static enum status read_source(struct article *article, const cJSON *item, struct error *why);
static enum status read_headings(struct article *article, const cJSON *item, struct error *why);
static enum status read_entities(struct article *article, const cJSON *item, struct error *why);
static enum status read_dates(struct article *article, const cJSON *item, struct error *why);
static enum status read_summary(struct article *article, const cJSON *item, struct error *why);
static enum status read_removed(struct article *article, const cJSON *item, struct error *why);
static enum status read_trace(struct article *article, const cJSON *item, struct error *why);

#define FIELD(name) offsetof(struct article, name)

static const struct member members[] = {
    {"schema", TEXT, 0, NULL},
    {"id", TEXT, FIELD(id), NULL},
    {"version", NUMBER, 0, read_version},
    {"version_created", TEXT, 0, NULL},
    {"url", TEXT, FIELD(url), NULL},
    {"canonical_url", TEXT, 0, NULL},
    {"source", OBJECT, 0, read_source},
    {"content", TEXT, FIELD(content), NULL},
    {"content_type", TEXT, FIELD(content_type), NULL},
    {"title", TEXT, FIELD(title), NULL},
    {"text", TEXT, 0, NULL}, // read first, see read_text
    {"headings", ARRAY, 0, read_headings},
    {"byline", TEXT, FIELD(byline), NULL},
    {"credits", ARRAY, 0, NULL},
    {"dateline", OBJECT, 0, NULL},
    {"published_at", TEXT_OR_NULL, FIELD(published_at), NULL},
    {"published_at_source", TEXT, FIELD(published_at_source), NULL},
    {"published_at_confidence", NUMBER, 0, NULL},
    {"published_at_inferred", ANY, 0, NULL},
    {"date_candidates", ARRAY, 0, NULL},
    {"date_conflict", ANY, 0, NULL},
    {"modified_at", TEXT, 0, NULL},
    {"fetched_at", TEXT, 0, NULL},
    {"lang", TEXT, FIELD(lang), NULL},
    {"pubstatus", TEXT, FIELD(pubstatus), NULL},
    {"embargoed_until", TEXT, FIELD(embargoed_until), NULL},
    {"urgency", NUMBER, 0, read_urgency},
    {"signal", TEXT, 0, NULL},
    {"ednote", TEXT, 0, NULL},
    {"slugline", TEXT, 0, NULL},
    {"genre", TEXT, 0, NULL},
    {"supersedes", ARRAY, 0, NULL},
    {"rights", OBJECT, 0, NULL},
    {"entities", ARRAY, 0, read_entities},
    {"dates", ARRAY, 0, read_dates},
    {"summary", OBJECT, 0, read_summary},
    {"removed", ARRAY, 0, read_removed},
    {"stages", OBJECT, 0, NULL},
    {"trace", OBJECT, 0, read_trace},
    {"ext", OBJECT, 0, NULL},
};

enum { MEMBER_COUNT = sizeof members / sizeof members[0] };

static const char *const entity_names[ENTITY_TYPE_COUNT] = {"PER",  "ORG",     "LOC",  "FAC",
                                                            "NORP", "PRODUCT", "MISC", "MONEY"};

const char *entity_type_name(enum entity_type type)
{
    return (unsigned)type < ENTITY_TYPE_COUNT ? entity_names[type] : "MISC";
}

bool entity_type_parse(struct view name, enum entity_type *out)
{
    for (int type = 0; type < ENTITY_TYPE_COUNT; type++) {
        if (view_equal(name, view_of(entity_names[type]))) {
            *out = (enum entity_type)type;
            return true;
        }
    }
    return false;
}

void article_init(struct article *article, struct arena *arena)
{
    *article = (struct article){.arena = arena, .version = 1};
}

void article_clear(struct article *article)
{
    cJSON_Delete(article->document);
    article->document = NULL;
}

// Where byte `at` of `json` is, for people.
static void line_and_column(struct view json, size_t at, size_t *line, size_t *column)
{
    struct view before = view_slice(json, 0, at);
    size_t start = 0;
    *line = 1;
    for (size_t i = 0; i < before.len; i++) {
        if (before.at[i] == '\n') {
            (*line)++;
            start = i + 1;
        }
    }
    *column = utf8_length(view_slice(before, start, before.len)) + 1;
}

__attribute__((format(printf, 5, 6))) static enum status
fail_at(struct view json, size_t at, enum status status, struct error *why, const char *format, ...)
{
    char detail[300];
    size_t line, column;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);
    line_and_column(json, at, &line, &column);
    return error_set(why, status, "%zu:%zu: %s", line, column, detail);
}

// What cJSON does not check, or would only check by recursing: depth, and NUL characters, which would end a C
// string early and lose the rest in silence. `*has_nul` tells that \u0000 occurs.
static enum status check_json(struct view json, bool *has_nul, struct error *why)
{
    int depth = 0;
    bool in_string = false;
    *has_nul = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.at[i];
        if (in_string) {
            if (c == '\\') {
                *has_nul |= view_starts(view_slice(json, i, json.len), VIEW("\\u0000"));
                i++;
            } else if (c == '"') {
                in_string = false;
            } else if ((unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r') {
                return fail_at(json, i, ERR_FORMAT, why, "control character 0x%02x in a string",
                               (unsigned)(unsigned char)c);
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '{' || c == '[') {
            if (++depth > ARTICLE_DEPTH_LIMIT) {
                return fail_at(json, i, ERR_LIMIT, why, "nested deeper than %d levels",
                               ARTICLE_DEPTH_LIMIT);
            }
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return OK;
}

// A copy in which each \u0000 reads \ufffd.
static struct view without_nul(struct arena *arena, struct view json)
{
    struct view copy = arena_copy(arena, json);
    char *at = (char *)copy.at;
    for (size_t i = 0; i + 6 <= copy.len; i++) {
        if (at[i] != '\\') {
            continue;
        }
        if (memcmp(at + i, "\\u0000", 6) == 0) {
            memcpy(at + i, "\\ufffd", 6);
        }
        i++;
    }
    return copy;
}

// Says what is wrong at the place where cJSON gave up.
static enum status fail_syntax(struct view json, const char *end, struct error *why)
{
    size_t at = end >= json.at && end <= json.at + json.len ? (size_t)(end - json.at) : 0;
    while (at < json.len && (json.at[at] == ' ' || json.at[at] == '\n')) {
        at++;
    }
    if (at >= json.len) {
        return fail_at(json, json.len, ERR_FORMAT, why, "the JSON ends too early");
    }
    size_t back = at;
    while (back > 0 && (json.at[back - 1] == ' ' || json.at[back - 1] == '\n')) {
        back--;
    }
    char before = back > 0 ? json.at[back - 1] : '\0';
    const char *expected = before == ',' || before == ':' || before == '['
                               ? "a value or a name in quotes"
                           : before == '{'  ? "a name in quotes or '}'"
                           : before == '\0' ? "'{'"
                                            : "',' or a closing bracket after the value";
    return fail_at(json, at, ERR_FORMAT, why, "expected %s, found '%.1s'", expected, json.at + at);
}

static enum status parse_object(struct article *article, struct view json, cJSON **out,
                                struct error *why)
{
    bool has_nul;
    if (json.len > ARTICLE_SIZE_LIMIT) {
        return error_set(why, ERR_LIMIT, "1:1: %zu bytes of JSON, the limit is %zu", json.len,
                         ARTICLE_SIZE_LIMIT);
    }
    size_t invalid = utf8_invalid_at(json);
    if (invalid < json.len) {
        return fail_at(json, invalid, ERR_FORMAT, why, "not UTF-8 (byte 0x%02x)",
                       (unsigned)(unsigned char)json.at[invalid]);
    }
    enum status status = check_json(json, &has_nul, why);
    if (status != OK) {
        return status;
    }
    if (has_nul) {
        json = without_nul(article->arena, json);
    }
    const char *end = json.at;
    cJSON *object = cJSON_ParseWithLengthOpts(json.at, json.len, &end, 0);
    if (!object) {
        return fail_syntax(json, end, why);
    }
    struct view rest = view_slice(json, (size_t)(end - json.at), json.len);
    if (!cJSON_IsObject(object) || view_trim(rest).len > 0) {
        size_t at = cJSON_IsObject(object) ? (size_t)(view_trim(rest).at - json.at) : 0;
        cJSON_Delete(object);
        return fail_at(json, at, ERR_FORMAT, why, "expected one JSON object");
    }
    *out = object;
    return OK;
}

static struct view string_of(const cJSON *item)
{
    return cJSON_IsString(item) ? view_of(item->valuestring) : (struct view){"", 0};
}

static struct view string_in(const cJSON *object, const char *name)
{
    return string_of(cJSON_GetObjectItemCaseSensitive(object, name));
}

static double number_in(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

// Strings of the tree are copied, so that fields stay valid when a later section replaces a member.
static struct view keep(struct article *article, struct view text)
{
    return arena_copy(article->arena, text);
}

static bool whole_number(const cJSON *item, double low, double high)
{
    double value = item->valuedouble;
    return value >= low && value <= high && value == (double)(int64_t)value;
}

static enum status read_version(struct article *article, const cJSON *item, struct error *why)
{
    if (!whole_number(item, 1, 9007199254740992.0)) {
        return error_set(why, ERR_FORMAT, "version must be a whole number from 1");
    }
    article->version = (int64_t)item->valuedouble;
    return OK;
}

static enum status read_urgency(struct article *article, const cJSON *item, struct error *why)
{
    if (!whole_number(item, 1, 9)) {
        return error_set(why, ERR_FORMAT, "urgency must be a whole number from 1 to 9");
    }
    article->urgency = (int64_t)item->valuedouble;
    return OK;
}

static enum status read_source(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->source_name = keep(article, string_in(item, "name"));
    return OK;
}

static enum status read_trace(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->traceparent = keep(article, string_in(item, "traceparent"));
    return OK;
}

// "start" and "end" of an object, in code points, as bytes of the text.
static enum status read_span(struct article *article, const cJSON *item, struct span *out,
                             struct error *why)
{
    const cJSON *start = cJSON_GetObjectItemCaseSensitive(item, "start");
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(item, "end");
    double length = (double)article->index.code_points;
    if (!cJSON_IsNumber(start) || !cJSON_IsNumber(end) || !whole_number(start, 0, length) ||
        !whole_number(end, start->valuedouble, length)) {
        return error_set(why, ERR_FORMAT,
                         "start and end must be code points with 0 <= start <= end <= %zu",
                         article->index.code_points);
    }
    out->start = (uint32_t)utf8_to_bytes(&article->index, (size_t)start->valuedouble);
    out->end = (uint32_t)utf8_to_bytes(&article->index, (size_t)end->valuedouble);
    return OK;
}

static enum status read_spans(struct article *article, const cJSON *array, struct spans *out,
                              struct error *why)
{
    const cJSON *item;
    *out = (struct spans){0};
    cJSON_ArrayForEach(item, array)
    {
        struct span span;
        enum status status = read_span(article, item, &span, why);
        if (status != OK) {
            return status;
        }
        vec_push(article->arena, out, span);
    }
    return OK;
}

static enum status read_headings(struct article *article, const cJSON *item, struct error *why)
{
    return read_spans(article, item, &article->headings, why);
}

static enum status read_entities(struct article *article, const cJSON *array, struct error *why)
{
    const cJSON *item;
    VEC(struct entity) entities = {0};
    cJSON_ArrayForEach(item, array)
    {
        struct entity entity = {.name = keep(article, string_in(item, "name")),
                                .confidence = number_in(item, "confidence"),
                                .relevance = number_in(item, "relevance")};
        if (!entity_type_parse(string_in(item, "type"), &entity.type)) {
            return error_set(why, ERR_FORMAT, "unknown type '%.40s'", string_in(item, "type").at);
        }
        enum status status = read_spans(article, cJSON_GetObjectItemCaseSensitive(item, "mentions"),
                                        &entity.mentions, why);
        if (status != OK) {
            return status;
        }
        vec_push(article->arena, &entities, entity);
    }
    article->entities = entities.at;
    article->entity_count = entities.len;
    return OK;
}

static enum status read_dates(struct article *article, const cJSON *array, struct error *why)
{
    const cJSON *item;
    VEC(struct date) dates = {0};
    cJSON_ArrayForEach(item, array)
    {
        struct date date = {.type = keep(article, string_in(item, "type")),
                            .value = keep(article, string_in(item, "value")),
                            .mod = keep(article, string_in(item, "mod"))};
        enum status status = read_span(article, item, &date.span, why);
        if (status != OK) {
            return status;
        }
        vec_push(article->arena, &dates, date);
    }
    article->dates = dates.at;
    article->date_count = dates.len;
    return OK;
}

static enum status read_summary(struct article *article, const cJSON *item, struct error *why)
{
    article->summary = keep(article, string_in(item, "text"));
    return read_spans(article, cJSON_GetObjectItemCaseSensitive(item, "sentences"),
                      &article->summary_sentences, why);
}

static enum status read_removed(struct article *article, const cJSON *array, struct error *why)
{
    (void)why;
    const cJSON *item;
    VEC(struct removed) removed = {0};
    cJSON_ArrayForEach(item, array)
    {
        struct removed one = {keep(article, string_in(item, "reason")),
                              keep(article, string_in(item, "text"))};
        vec_push(article->arena, &removed, one);
    }
    article->removed = removed.at;
    article->removed_count = removed.len;
    return OK;
}

static bool has_kind(const cJSON *item, enum kind kind)
{
    switch (kind) {
    case TEXT:
        return cJSON_IsString(item);
    case TEXT_OR_NULL:
        return cJSON_IsString(item) || cJSON_IsNull(item);
    case NUMBER:
        return cJSON_IsNumber(item);
    case OBJECT:
        return cJSON_IsObject(item);
    case ARRAY:
        return cJSON_IsArray(item);
    case ANY:
        return true;
    }
    return false;
}

static const char *kind_name(enum kind kind)
{
    static const char *const names[] = {"a string",  "a string or null", "a number",
                                        "an object", "an array",         "a value"};
    return names[kind];
}

static enum status read_member(struct article *article, const struct member *member,
                               const cJSON *item, struct error *why)
{
    if (!has_kind(item, member->kind)) {
        return error_set(why, ERR_FORMAT, "'%s' must be %s", member->name, kind_name(member->kind));
    }
    if (member->offset != 0) {
        *(struct view *)((char *)article + member->offset) = keep(article, string_of(item));
    }
    enum status status = member->read ? member->read(article, item, why) : OK;
    if (status != OK) {
        error_prefix(why, member->name);
    }
    return status;
}

// The text comes first, for every offset refers to it.
static enum status read_text(struct article *article, const cJSON *object, struct error *why)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, "text");
    if (!item) {
        return OK;
    }
    if (!cJSON_IsString(item)) {
        return error_set(why, ERR_FORMAT, "'text' must be a string");
    }
    if (article->has_text) {
        return view_equal(article->text, string_of(item))
                   ? OK
                   : error_set(why, ERR_FORMAT, "'text' is frozen and cannot be changed");
    }
    article->has_text = true;
    article->text = keep(article, string_of(item));
    utf8_index_init(&article->index, article->arena, article->text);
    return OK;
}

static enum status read_members(struct article *article, const cJSON *object, struct error *why)
{
    enum status status = read_text(article, object, why);
    for (size_t i = 0; status == OK && i < MEMBER_COUNT; i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, members[i].name);
        if (item) {
            status = read_member(article, &members[i], item, why);
        }
    }
    return status;
}

static void put(cJSON *object, cJSON *item)
{
    cJSON *old = cJSON_GetObjectItemCaseSensitive(object, item->string);
    if (old) {
        cJSON_ReplaceItemViaPointer(object, old, item);
    } else {
        cJSON_AddItemToArray(object, item); // keeps the name it already has
    }
}

// Moves the members of `from` over to `object` and frees what is left of it.
static void lay_over(cJSON *object, cJSON *from)
{
    cJSON *item;
    while ((item = from->child)) {
        cJSON_DetachItemViaPointer(from, item);
        cJSON *present = cJSON_GetObjectItemCaseSensitive(object, item->string);
        if (strcmp(item->string, "stages") == 0 && cJSON_IsObject(present) &&
            cJSON_IsObject(item)) {
            lay_over(present, item);
        } else {
            put(object, item);
        }
    }
    cJSON_Delete(from);
}

enum status article_merge(struct article *article, struct view json, struct error *why)
{
    cJSON *object = NULL;
    enum status status = parse_object(article, json, &object, why);
    if (status != OK) {
        return status;
    }
    status = read_members(article, object, why);
    if (status == OK && arena_is_full(article->arena)) {
        status = error_set(why, ERR_LIMIT, "the article needs more memory than its limit");
    }
    if (status != OK) {
        cJSON_Delete(object);
        return status;
    }
    if (article->document) {
        lay_over(article->document, object);
    } else {
        article->document = object;
    }
    return OK;
}

enum status article_accept(struct article *article, struct view json, struct view default_id,
                           struct error *why)
{
    enum status status = article_merge(article, json, why);
    if (status != OK) {
        return status;
    }
    if (article->id.len == 0 && default_id.len > 0) {
        article_set(article, "id", default_id);
    }
    if (article->id.len == 0) {
        return error_set(why, ERR_FORMAT, "1:1: the article has no 'id'");
    }
    if (article->id.len > ARTICLE_ID_LIMIT) {
        return error_set(why, ERR_LIMIT, "1:1: 'id' has %zu bytes, the limit is %d",
                         article->id.len, ARTICLE_ID_LIMIT);
    }
    if (article->content.len == 0 && !article->has_text && article->url.len == 0) {
        return error_set(why, ERR_FORMAT, "1:1: the article has none of 'content', 'text', 'url'");
    }
    return OK;
}

void article_set(struct article *article, const char *name, struct view value)
{
    struct view copy = keep(article, value);
    if (!article->document) {
        article->document = cJSON_CreateObject();
    }
    cJSON *item = cJSON_CreateString(copy.at);
    if (!article->document || !item) {
        article->arena->full = true;
        cJSON_Delete(item);
        return;
    }
    if (cJSON_GetObjectItemCaseSensitive(article->document, name)) {
        cJSON_ReplaceItemInObjectCaseSensitive(article->document, name, item);
    } else {
        cJSON_AddItemToObject(article->document, name, item);
    }
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (members[i].offset != 0 && strcmp(members[i].name, name) == 0) {
            *(struct view *)((char *)article + members[i].offset) = copy;
        }
    }
}

void article_segment(struct article *article)
{
    if (!article->segments.made && article->has_text) {
        segment_text(&article->segments, article->arena, article->text);
    }
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (strcmp(members[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void print_member(struct buf *out, const char *name, const cJSON *item, bool *first)
{
    char *value = cJSON_PrintUnformatted(item);
    if (!value) {
        out->full = true;
        return;
    }
    buf_add_char(out, *first ? '{' : ',');
    buf_add_json(out, view_of(name));
    buf_add_char(out, ':');
    buf_add(out, view_of(value));
    *first = false;
    free(value);
}

enum status article_print(const struct article *article, bool without_content, struct buf *out)
{
    bool first = true;
    const cJSON *item;
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        item = cJSON_GetObjectItemCaseSensitive(article->document, members[i].name);
        if (item && !(without_content && strcmp(members[i].name, "content") == 0)) {
            print_member(out, members[i].name, item, &first);
        }
    }
    cJSON_ArrayForEach(item, article->document)
    {
        if (!is_known(item->string)) {
            print_member(out, item->string, item, &first);
        }
    }
    buf_add(out, first ? VIEW("{}") : VIEW("}"));
    return out->full ? ERR_LIMIT : OK;
}
