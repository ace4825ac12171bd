// Specs of the summary stage. Settings: title, subhead (a line of the text). One line per sentence chosen, or the
// reason why there is none in square brackets.
#include "common/utf8.h"
#include "services/summary/summary.h"
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
    enum status status = summary_stage.load(&bench->model, folder, why);
    arena_init(&bench->arena, ARENA_LIMIT);
    notes_init(&bench->notes, SECTION_LIMIT);
    *context = bench;
    return status;
}

static void bench_close(void *context)
{
    struct bench *bench = context;
    summary_stage.unload(bench->model);
    notes_clear(&bench->notes);
    arena_clear(&bench->arena);
    free(bench);
}

static void add_document(const struct spec_case *one, struct buf *json)
{
    struct view subhead = spec_setting(one, "subhead");
    size_t start = view_find(one->input, subhead, 0);
    buf_add(json, VIEW("{\"id\":\"case\",\"text\":"));
    buf_add_json(json, one->input);
    buf_add(json, VIEW(",\"title\":"));
    buf_add_json(json, spec_setting(one, "title"));
    if (subhead.len > 0 && start < one->input.len) {
        size_t before = utf8_length(view_slice(one->input, 0, start));
        buf_printf(json, ",\"headings\":[{\"start\":%zu,\"end\":%zu}]", before,
                   before + utf8_length(subhead));
    }
    buf_add_char(json, '}');
}

static void add_summary(const struct article *article, struct view section, struct buf *out)
{
    cJSON *root = cJSON_ParseWithLength(section.at, section.len);
    const cJSON *summary = cJSON_GetObjectItemCaseSensitive(root, "summary");
    const cJSON *reason = cJSON_GetObjectItemCaseSensitive(summary, "reason");
    const cJSON *sentence;
    cJSON_ArrayForEach(sentence, cJSON_GetObjectItemCaseSensitive(summary, "sentences"))
    {
        int start = cJSON_GetObjectItemCaseSensitive(sentence, "start")->valueint;
        int end = cJSON_GetObjectItemCaseSensitive(sentence, "end")->valueint;
        buf_add(out, view_slice(article->text, utf8_to_bytes(&article->index, (size_t)start),
                                utf8_to_bytes(&article->index, (size_t)end)));
        buf_add_char(out, '\n');
    }
    if (cJSON_IsString(reason)) {
        buf_printf(out, "[%s]\n", reason->valuestring);
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
        status = summary_stage.run(bench->model, &article, &bench->notes, NULL);
    }
    if (status == OK) {
        add_summary(&article, notes_finish(&bench->notes), actual);
    }
    article_clear(&article);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"title", "subhead", NULL};
    static const struct spec_kind kind = {
        .name = "summary",
        .keys = keys,
        .open = bench_open,
        .produce = produce,
        .close = bench_close,
    };
    return spec_main(argc, argv, &kind);
}
