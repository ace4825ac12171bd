#include "common/article.h"

#include "common/article_members.h"
#include "common/buf.h"
#include "common/tree.h"

#include <assert.h>
#include <cjson/cJSON.h>

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
static enum status read_rerun(struct article *article, const cJSON *item, struct error *why);
static enum status read_urgency(struct article *article, const cJSON *item, struct error *why);
static enum status read_source(struct article *article, const cJSON *item, struct error *why);
static enum status read_headings(struct article *article, const cJSON *item, struct error *why);
static enum status read_entities(struct article *article, const cJSON *array, struct error *why);
static enum status read_dates(struct article *article, const cJSON *array, struct error *why);
static enum status read_summary(struct article *article, const cJSON *item, struct error *why);
static enum status read_removed(struct article *article, const cJSON *array, struct error *why);
static enum status read_trace(struct article *article, const cJSON *item, struct error *why);
static enum status read_confidence(struct article *article, const cJSON *item, struct error *why);
static enum status read_inferred(struct article *article, const cJSON *item, struct error *why);
static enum status read_stages(struct article *article, const cJSON *item, struct error *why);
static enum status read_conflict(struct article *article, const cJSON *item, struct error *why);

#define FIELD(name) offsetof(struct article, name)

static const struct member members[] = {
    {"schema", TEXT, 0, NULL},
    {"id", TEXT, FIELD(id), NULL},
    {"version", NUMBER, 0, read_version},
    {"rerun", ANY, 0, read_rerun},
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
    {"published_at_confidence", NUMBER, 0, read_confidence},
    {"published_at_inferred", OBJECT, 0, read_inferred},
    {"date_candidates", ARRAY, 0, NULL},
    {"date_conflict", ANY, 0, read_conflict},
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
    {"stages", OBJECT, 0, read_stages},
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
        return error_set(why, ERR_FORMAT, "must be a whole number from 1");
    }
    article->version = (int64_t)item->valuedouble;
    return OK;
}

// Anything but a number is somebody else's member of that name.
static enum status read_rerun(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->rerun = whole_number(item, 0, 9007199254740992.0) ? (int64_t)item->valuedouble : 0;
    return OK;
}

static enum status read_urgency(struct article *article, const cJSON *item, struct error *why)
{
    if (!whole_number(item, 1, 9)) {
        return error_set(why, ERR_FORMAT, "must be a whole number from 1 to 9");
    }
    article->urgency = (int64_t)item->valuedouble;
    return OK;
}

static enum status read_source(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->source_name = keep(article, tree_string(item, "name"));
    return OK;
}

static enum status read_trace(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->traceparent = keep(article, tree_string(item, "traceparent"));
    return OK;
}

static enum status read_confidence(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->published_at_confidence = item->valuedouble;
    return OK;
}

static enum status read_inferred(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->inferred_earliest = keep(article, tree_string(item, "earliest"));
    article->inferred_latest = keep(article, tree_string(item, "latest"));
    return OK;
}

static enum status read_stages(struct article *article, const cJSON *item, struct error *why)
{
    (void)article;
    return cJSON_GetArraySize(item) > ARTICLE_STAGE_LIMIT
               ? error_set(why, ERR_LIMIT, "more than %d entries", ARTICLE_STAGE_LIMIT)
               : OK;
}

static enum status read_conflict(struct article *article, const cJSON *item, struct error *why)
{
    (void)why;
    article->date_conflict = !cJSON_IsFalse(item) && !cJSON_IsNull(item);
    return OK;
}

// "start" and "end" of an object, in code points, as bytes of the text.
static enum status read_span(struct article *article, const cJSON *item, struct span *out,
                             struct error *why)
{
    const cJSON *start = cJSON_GetObjectItemCaseSensitive(item, "start");
    const cJSON *end = cJSON_GetObjectItemCaseSensitive(item, "end");
    double length = (double)article->index.code_points;
    if (!tree_is_number(start) || !tree_is_number(end) || !whole_number(start, 0, length) ||
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
        struct entity entity = {.name = keep(article, tree_string(item, "name")),
                                .confidence = tree_number(item, "confidence"),
                                .relevance = tree_number(item, "relevance")};
        if (!entity_type_parse(tree_string(item, "type"), &entity.type)) {
            return error_set(why, ERR_FORMAT, "unknown type '%.40s'", tree_string(item, "type").at);
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
        struct date date = {.type = keep(article, tree_string(item, "type")),
                            .value = keep(article, tree_string(item, "value")),
                            .mod = keep(article, tree_string(item, "mod"))};
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
    article->summary = keep(article, tree_string(item, "text"));
    article->summary_reason = keep(article, tree_string(item, "reason"));
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
        struct removed one = {keep(article, tree_string(item, "reason")),
                              keep(article, tree_string(item, "text"))};
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
        return tree_is_number(item);
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

static const char *type_name(const cJSON *item)
{
    return cJSON_IsString(item)   ? "a string"
           : tree_is_number(item) ? "a number"
           : cJSON_IsObject(item) ? "an object"
           : cJSON_IsArray(item)  ? "an array"
           : cJSON_IsNull(item)   ? "null"
                                  : "true or false";
}

static enum status read_member(struct article *article, const struct member *member,
                               const cJSON *item, struct error *why)
{
    if (!has_kind(item, member->kind)) {
        return error_set(why, ERR_FORMAT, "'%s' must be %s, not %s", member->name,
                         kind_name(member->kind), type_name(item));
    }
    if (member->offset != 0) {
        *(struct view *)((char *)article + member->offset) = keep(article, tree_text(item));
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
        return error_set(why, ERR_FORMAT, "'text' must be a string, not %s", type_name(item));
    }
    if (article->has_text) {
        return view_equal(article->text, tree_text(item))
                   ? OK
                   : error_set(why, ERR_FORMAT, "'text' is frozen and cannot be changed");
    }
    article->has_text = true;
    article->text = keep(article, tree_text(item));
    utf8_index_init(&article->index, article->arena, article->text);
    return OK;
}

// The items of `object` that are known members, by rank; NULL when it has none.
static void find_known(const cJSON *object, const cJSON *known[MEMBER_COUNT])
{
    const cJSON *item;
    memset(known, 0, MEMBER_COUNT * sizeof *known);
    cJSON_ArrayForEach(item, object)
    {
        size_t rank = article_member_rank(view_of(item->string));
        if (rank < MEMBER_COUNT) {
            known[rank] = item;
        }
    }
}

static enum status read_members(struct article *article, struct view json,
                                const struct json_facts *facts, const cJSON *object,
                                struct error *why)
{
    enum status status = read_text(article, object, why);
    if (status != OK) {
        return tree_fail(json, facts, object, "text", status, why);
    }
    const cJSON *known[MEMBER_COUNT];
    find_known(object, known);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        status = known[i] ? read_member(article, &members[i], known[i], why) : OK;
        if (status != OK) {
            return tree_fail(json, facts, object, members[i].name, status, why);
        }
    }
    return OK;
}

enum status article_merge(struct article *article, struct view json, struct error *why)
{
    cJSON *object = NULL;
    struct json_facts facts;
    if (json.len > ARTICLE_SIZE_LIMIT) {
        return error_set(why, ERR_LIMIT, "1:1: %zu bytes of JSON, the limit is %zu", json.len,
                         ARTICLE_SIZE_LIMIT);
    }
    enum status status = tree_parse(article->arena, json, &object, &facts, why);
    if (status != OK) {
        return status;
    }
    status = read_members(article, json, &facts, object, why);
    if (status == OK && arena_is_full(article->arena)) {
        status = error_set(why, ERR_LIMIT, "1:1: the article needs more memory than its limit");
    }
    if (status != OK) {
        cJSON_Delete(object);
        return status;
    }
    article->document = article->document ? article->document : cJSON_CreateObject();
    if (!article->document) {
        cJSON_Delete(object);
        return error_set(why, ERR_MEMORY, "1:1: no memory for the article");
    }
    status = tree_lay_over(article->document, object, "stages");
    return status == OK ? OK : error_set(why, status, "1:1: no memory for the article");
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
    bool is_kill = view_equal(article->pubstatus, VIEW("canceled"));
    if (article->content.len == 0 && !article->has_text && article->url.len == 0 && !is_kill) {
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

void article_strip(struct article *article)
{
    static const char *const always[] = {"entities",
                                         "dates",
                                         "summary",
                                         "stages",
                                         "rerun",
                                         "date_conflict",
                                         "published_at_inferred"};
    static const char *const of_page[] = {"text",    "headings", "removed",
                                          "credits", "dateline", "date_candidates"};
    static const char *const found_day[] = {"published_at", "published_at_source",
                                            "published_at_confidence"};
    cJSON *document = article->document;
    // Clean says what it removed whenever it made the text, and never of a text that was given.
    bool made =
        article->content.len > 0 && cJSON_GetObjectItemCaseSensitive(document, "removed") != NULL;
    bool found = made && !view_equal(article->published_at_source, VIEW("input"));
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(document, always[i]);
    }
    for (size_t i = 0; made && i < sizeof of_page / sizeof of_page[0]; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(document, of_page[i]);
    }
    for (size_t i = 0; found && i < sizeof found_day / sizeof found_day[0]; i++) {
        cJSON_DeleteItemFromObjectCaseSensitive(document, found_day[i]);
    }
}

bool article_stage(const struct article *article, struct view name, struct stage_outcome *out)
{
    const cJSON *stages = cJSON_GetObjectItemCaseSensitive(article->document, "stages");
    const cJSON *stage;
    cJSON_ArrayForEach(stage, stages)
    {
        if (view_equal(name, view_of(stage->string))) {
            const cJSON *error = cJSON_GetObjectItemCaseSensitive(stage, "error");
            *out = (struct stage_outcome){.status = tree_string(stage, "status"),
                                          .version = tree_string(stage, "version"),
                                          .message = tree_string(error, "message"),
                                          .ms = tree_number(stage, "ms")};
            return true;
        }
    }
    return false;
}

void article_segment(struct article *article)
{
    if (!article->segments.made && article->has_text) {
        segment_text(&article->segments, article->arena, article->text);
    }
}

static_assert((int)MEMBER_COUNT <= (int)ARTICLE_MEMBER_LIMIT, "they fit a table");

size_t article_member_count(void)
{
    return MEMBER_COUNT;
}

size_t article_member_rank(struct view name)
{
    size_t i = 0;
    char first = name.len > 0 ? name.at[0] : '\0';
    while (i < MEMBER_COUNT &&
           (members[i].name[0] != first || !view_equal(view_of(members[i].name), name))) {
        i++;
    }
    return i;
}

bool article_member_fits(size_t rank, char first)
{
    bool is_number = first == '-' || (first >= '0' && first <= '9');
    switch (members[rank].kind) {
    case TEXT:
        return first == '"';
    case TEXT_OR_NULL:
        return first == '"' || first == 'n';
    case NUMBER:
        return is_number;
    case OBJECT:
        return first == '{';
    case ARRAY:
        return first == '[';
    case ANY:
        return true;
    }
    return false;
}

bool article_member_has_spans(size_t rank)
{
    enum status (*read)(struct article *, const cJSON *, struct error *) = members[rank].read;
    return read == read_headings || read == read_entities || read == read_dates ||
           read == read_summary;
}

static void print_member(struct buf *out, const char *name, const cJSON *item, bool *first)
{
    buf_add_char(out, *first ? '{' : ',');
    buf_add_json(out, view_of(name));
    buf_add_char(out, ':');
    tree_print(item, out);
    *first = false;
}

enum status article_print(const struct article *article, bool without_content, struct buf *out)
{
    bool first = true;
    const cJSON *item;
    const cJSON *known[MEMBER_COUNT];
    find_known(article->document, known);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        if (known[i] && !(without_content && strcmp(members[i].name, "content") == 0)) {
            print_member(out, members[i].name, known[i], &first);
        }
    }
    cJSON_ArrayForEach(item, article->document)
    {
        if (article_member_rank(view_of(item->string)) == MEMBER_COUNT) {
            print_member(out, item->string, item, &first);
        }
    }
    buf_add(out, first ? VIEW("{}") : VIEW("}"));
    return out->full ? ERR_LIMIT : OK;
}
