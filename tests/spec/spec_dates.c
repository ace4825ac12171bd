// Specs of the dates stage. Settings: published, lang, title, rendered (a line with the day the page was rendered, cut out by
// clean). One line per expression, then what the text says about the day of publication:
//
//     the text   TYPE value [mod=START] [quant=EVERY] [freq=2X]
//     conflict   the text; the text ...
//     inferred   earliest latest [candidates ...]
#include "services/dates/dates.h"
#include "tests/spec/spec.h"

#include <cjson/cJSON.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 64 << 20, SECTION_LIMIT = 16 << 20 };

struct bench {
    struct model *model;
    struct arena arena;
    struct notes notes;
};

static enum status bench_open(void **context, const char *folder, struct error *why)
{
    struct bench *bench = calloc(1, sizeof *bench);
    if (!bench) {
        return error_set(why, ERR_MEMORY, "no memory");
    }
    enum status status = dates_stage.load(&bench->model, folder, why);
    arena_init(&bench->arena, ARENA_LIMIT);
    notes_init(&bench->notes, SECTION_LIMIT);
    *context = bench;
    return status;
}

static void bench_close(void *context)
{
    struct bench *bench = context;
    dates_stage.unload(bench->model);
    notes_clear(&bench->notes);
    arena_clear(&bench->arena);
    free(bench);
}

static void add_document(const struct spec_case *one, struct buf *json)
{
    static const char *const members[][2] = {
        {"published", "published_at"}, {"lang", "lang"}, {"title", "title"}};
    buf_add(json, VIEW("{\"id\":\"case\",\"text\":"));
    buf_add_json(json, one->input);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct view value = spec_setting(one, members[i][0]);
        if (value.len > 0) {
            buf_printf(json, ",\"%s\":", members[i][1]);
            buf_add_json(json, value);
        }
    }
    struct view rendered = spec_setting(one, "rendered");
    if (rendered.len > 0) {
        buf_add(json, VIEW(",\"removed\":[{\"reason\":\"render_date\",\"text\":"));
        buf_add_json(json, rendered);
        buf_add(json, VIEW("}]"));
    }
    buf_add_char(json, '}');
}

static void add_member(const cJSON *object, const char *name, const char *before, struct buf *out)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    if (cJSON_IsString(member)) {
        buf_printf(out, "%s%s", before, member->valuestring);
    }
}

static void add_verdict(const cJSON *root, struct buf *out)
{
    const cJSON *conflict = cJSON_GetObjectItemCaseSensitive(root, "date_conflict_reasons");
    const cJSON *inferred = cJSON_GetObjectItemCaseSensitive(root, "published_at_inferred");
    const cJSON *item;
    cJSON_ArrayForEach(item, conflict)
    {
        add_member(item, "text", item == conflict->child ? "conflict " : "; ", out);
    }
    add_member(inferred, "earliest", conflict ? "\ninferred " : "inferred ", out);
    add_member(inferred, "latest", " ", out);
    cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(inferred, "candidates"))
    {
        buf_printf(out, " %s", item->valuestring);
    }
    buf_add_char(out, '\n');
}

static void add_section(struct view section, struct buf *out)
{
    cJSON *root = cJSON_ParseWithLength(section.at, section.len);
    const cJSON *date;
    cJSON_ArrayForEach(date, cJSON_GetObjectItemCaseSensitive(root, "dates"))
    {
        add_member(date, "text", "", out);
        add_member(date, "type", " ", out);
        add_member(date, "value", " ", out);
        add_member(date, "mod", " mod=", out);
        add_member(date, "quant", " quant=", out);
        add_member(date, "freq", " freq=", out);
        buf_add_char(out, '\n');
    }
    if (cJSON_HasObjectItem(root, "date_conflict") ||
        cJSON_HasObjectItem(root, "published_at_inferred")) {
        add_verdict(root, out);
    }
    cJSON_Delete(root);
}

static enum status produce(void *context, const struct spec_case *one, struct buf *actual,
                           struct error *why)
{
    struct bench *bench = context;
    struct article article;
    struct buf json;
    arena_reset(&bench->arena);
    article_init(&article, &bench->arena);
    buf_init(&json, SECTION_LIMIT);
    add_document(one, &json);
    enum status status = article_merge(&article, buf_view(&json), why);
    buf_clear(&json);
    if (status == OK) {
        article_segment(&article);
        notes_begin(&bench->notes, &article.index);
        status = dates_stage.run(bench->model, &article, &bench->notes, NULL);
    }
    if (status == OK) {
        add_section(notes_finish(&bench->notes), actual);
    }
    article_clear(&article);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"published", "lang", "title", "rendered", NULL};
    static const struct spec_kind kind = {
        .name = "dates",
        .keys = keys,
        .open = bench_open,
        .produce = produce,
        .close = bench_close,
    };
    return spec_main(argc, argv, &kind);
}
