#include "tests/spec/stage_spec.h"

#include <stdlib.h>

enum { ARENA_LIMIT = 64 << 20, SECTION_LIMIT = 16 << 20 };

struct bench {
    const struct stage_spec *spec;
    struct model *model;
    struct arena arena;
    struct notes notes;
};

static enum status bench_open(void **context, const void *user, const char *folder,
                              struct error *why)
{
    struct bench *bench = calloc(1, sizeof *bench);
    if (!bench) {
        return error_set(why, ERR_MEMORY, "no memory");
    }
    bench->spec = user;
    arena_init(&bench->arena, ARENA_LIMIT);
    notes_init(&bench->notes, SECTION_LIMIT);
    *context = bench;
    return bench->spec->stage->load(&bench->model, folder, why);
}

static void bench_close(void *context)
{
    struct bench *bench = context;
    bench->spec->stage->unload(bench->model);
    notes_clear(&bench->notes);
    arena_clear(&bench->arena);
    free(bench);
}

void stage_spec_settings(const struct spec_case *one, const char *const (*members)[2],
                         struct buf *json)
{
    for (size_t i = 0; members[i][0]; i++) {
        struct view value = spec_setting(one, members[i][0]);
        if (value.len > 0) {
            buf_printf(json, ",\"%s\":", members[i][1]);
            buf_add_json(json, value);
        }
    }
}

static enum status read_case(const struct stage_spec *spec, const struct spec_case *one,
                             struct article *article, struct error *why)
{
    struct buf json;
    buf_init(&json, SECTION_LIMIT);
    buf_printf(&json, "{\"id\":\"case\",\"%s\":", spec->input);
    buf_add_json(&json, one->input);
    spec->add_members(one, &json);
    buf_add_char(&json, '}');
    enum status status = article_merge(article, buf_view(&json), why);
    buf_clear(&json);
    return status;
}

static enum status produce(void *context, const struct spec_case *one, struct buf *actual,
                           struct error *why)
{
    struct bench *bench = context;
    const struct stage_spec *spec = bench->spec;
    struct article article;
    arena_reset(&bench->arena);
    article_init(&article, &bench->arena);
    enum status status = read_case(spec, one, &article, why);
    if (status == OK) {
        article_segment(&article);
        notes_begin(&bench->notes, article.has_text ? &article.index : NULL);
        status = spec->stage->run(bench->model, &article, &bench->notes, NULL);
    }
    if (status == OK) {
        status = spec->tell(&article, notes_finish(&bench->notes), actual, why);
    }
    article_clear(&article);
    return status;
}

int stage_spec_main(int argc, char **argv, const struct stage_spec *spec)
{
    const struct spec_kind kind = {.name = spec->stage->name,
                                   .keys = spec->keys,
                                   .user = spec,
                                   .open = bench_open,
                                   .produce = produce,
                                   .close = bench_close};
    return spec_main(argc, argv, &kind);
}
