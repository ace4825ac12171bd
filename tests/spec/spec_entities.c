// Specs of the entities stage. Settings: lang, title. One line per entity, in the order of first mentions:
//
//     TYPE name: mention | mention | mention
#include "services/entities/entities.h"
#include "tests/spec/spec.h"

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
    enum status status = entities_stage.load(&bench->model, folder, why);
    arena_init(&bench->arena, ARENA_LIMIT);
    notes_init(&bench->notes, SECTION_LIMIT);
    *context = bench;
    return status;
}

static void bench_close(void *context)
{
    struct bench *bench = context;
    entities_stage.unload(bench->model);
    notes_clear(&bench->notes);
    arena_clear(&bench->arena);
    free(bench);
}

static void add_document(const struct spec_case *one, struct buf *json)
{
    static const char *const members[] = {"lang", "title"};
    buf_add(json, VIEW("{\"id\":\"case\",\"text\":"));
    buf_add_json(json, one->input);
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct view value = spec_setting(one, members[i]);
        if (value.len > 0) {
            buf_printf(json, ",\"%s\":", members[i]);
            buf_add_json(json, value);
        }
    }
    buf_add_char(json, '}');
}

// The section goes back into the article, as it does in the pipeline: offsets are checked on the way.
static void add_entities(const struct article *article, struct buf *out)
{
    for (size_t e = 0; e < article->entity_count; e++) {
        const struct entity *entity = &article->entities[e];
        buf_printf(out, "%s %.*s:", entity_type_name(entity->type), VIEW_ARGS(entity->name));
        for (size_t m = 0; m < entity->mentions.len; m++) {
            struct view mention = view_at(article->text, entity->mentions.at[m]);
            buf_printf(out, "%s %.*s", m ? " |" : "", VIEW_ARGS(mention));
        }
        buf_add_char(out, '\n');
    }
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
        status = entities_stage.run(bench->model, &article, &bench->notes, NULL);
    }
    if (status == OK) {
        status = article_merge(&article, notes_finish(&bench->notes), why);
    }
    if (status == OK) {
        add_entities(&article, actual);
    }
    article_clear(&article);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {"lang", "title", NULL};
    static const struct spec_kind kind = {
        .name = "entities",
        .keys = keys,
        .open = bench_open,
        .produce = produce,
        .close = bench_close,
    };
    return spec_main(argc, argv, &kind);
}
