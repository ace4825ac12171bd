// Any text, as long as it is UTF-8: every mention lies inside it, none overlaps another, none has outer white
// space, and shares are shares. Needs the stage's models: COPYDESK_DATA names their folder.
#include "services/entities/entities.h"
#include "services/pipeline.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct model *load_once(void)
{
    static struct model *model;
    struct error why = {""};
    char folder[4096];
    if (!model) {
        pipeline_data_folder(folder, sizeof folder);
        if (entities_stage.load(&model, folder, &why) != OK) {
            fprintf(stderr, "fuzz_entities: %s\n", why.text);
            exit(78);
        }
    }
    return model;
}

// The bytes as text: what is no UTF-8 becomes a question mark.
static struct view text_of(struct arena *arena, const uint8_t *data, size_t size)
{
    struct view text = arena_copy(arena, (struct view){(const char *)data, size});
    char *bytes = arena_alloc(arena, size + 1);
    size_t at = 0;
    while (bytes && at < text.len) {
        size_t len = utf8_sequence(text, at);
        memcpy(bytes + at, len ? text.at + at : "?", len ? len : 1);
        at += len ? len : 1;
    }
    return (struct view){bytes, text.len};
}

static void check(const struct article *article)
{
    uint8_t *taken = arena_zalloc(article->arena, article->text.len + 1, 1);
    for (size_t e = 0; taken && e < article->entity_count; e++) {
        const struct entity *entity = &article->entities[e];
        assert(entity->mentions.len > 0);
        assert(entity->confidence >= 0 && entity->confidence <= 1);
        assert(entity->relevance >= 0 && entity->relevance <= 1);
        for (size_t m = 0; m < entity->mentions.len; m++) {
            struct span span = entity->mentions.at[m];
            struct view mention = view_at(article->text, span);
            assert(span.start < span.end && span.end <= article->text.len);
            assert(view_equal(view_trim(mention), mention));
            for (uint32_t i = span.start; i < span.end; i++) {
                assert(!taken[i]);
                taken[i] = 1;
            }
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct model *model = load_once();
    struct arena arena;
    struct article article;
    struct notes notes;
    struct error why = {""};
    arena_init(&arena, 256 << 20);
    article_init(&article, &arena);
    notes_init(&notes, 64 << 20);
    article.text = text_of(&arena, data, size);
    article.has_text = true;
    utf8_index_init(&article.index, &arena, article.text);
    article_segment(&article);
    notes_begin(&notes, &article.index);
    enum status status = entities_stage.run(model, &article, &notes, NULL);
    assert(status == OK);
    status = article_merge(&article, notes_finish(&notes), &why);
    assert(status == OK);
    check(&article);
    notes_clear(&notes);
    article_clear(&article);
    arena_clear(&arena);
    return 0;
}
