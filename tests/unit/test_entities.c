#include "services/entities/entities.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_LIMIT = 256 << 20, SECTION_LIMIT = 64 << 20 };

struct bench {
    struct model *model;
    struct arena arena;
    struct notes notes;
    struct article article;
    struct explain explain;
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    assert_non_null(bench);
    assert_int_equal(entities_stage.load(&bench->model, DATA_FOLDER, NULL), OK);
    arena_init(&bench->arena, ARENA_LIMIT);
    notes_init(&bench->notes, SECTION_LIMIT);
    explain_init(&bench->explain);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    article_clear(&bench->article);
    explain_clear(&bench->explain);
    notes_clear(&bench->notes);
    arena_clear(&bench->arena);
    entities_stage.unload(bench->model);
    free(bench);
    return 0;
}

// Runs the stage on `text` and merges its section, which checks every offset.
static void run(struct bench *bench, struct view title, struct view text)
{
    struct buf json;
    struct error why = {""};
    article_clear(&bench->article);
    arena_reset(&bench->arena);
    article_init(&bench->article, &bench->arena);
    buf_init(&json, SECTION_LIMIT);
    buf_add(&json, VIEW("{\"id\":\"a\",\"title\":"));
    buf_add_json(&json, title);
    buf_add(&json, VIEW(",\"text\":"));
    buf_add_json(&json, text);
    buf_add_char(&json, '}');
    assert_int_equal(article_merge(&bench->article, buf_view(&json), &why), OK);
    buf_clear(&json);
    article_segment(&bench->article);
    notes_begin(&bench->notes, &bench->article.index);
    assert_int_equal(
        entities_stage.run(bench->model, &bench->article, &bench->notes, &bench->explain), OK);
    assert_int_equal(article_merge(&bench->article, notes_finish(&bench->notes), &why), OK);
}

static const struct entity *find(const struct bench *bench, const char *name)
{
    for (size_t i = 0; i < bench->article.entity_count; i++) {
        if (view_equal(bench->article.entities[i].name, view_of(name))) {
            return &bench->article.entities[i];
        }
    }
    return NULL;
}

static void an_empty_text_has_no_entities(void **state)
{
    run(*state, VIEW(""), VIEW(""));
    assert_int_equal(((struct bench *)*state)->article.entity_count, 0);
}

static void confidence_and_relevance_are_shares(void **state)
{
    struct bench *bench = *state;
    run(bench, VIEW("Kenya votes"),
        VIEW("Kenya votes on Tuesday. William Ruto and Raila Odinga are running. In Kenya, the "
             "Supreme Court decides disputes. Ruto paid $5 million, he said."));
    assert_true(bench->article.entity_count >= 4);
    for (size_t i = 0; i < bench->article.entity_count; i++) {
        const struct entity *entity = &bench->article.entities[i];
        assert_true(entity->confidence >= 0 && entity->confidence <= 1);
        assert_true(entity->relevance >= 0 && entity->relevance <= 1);
    }
    const struct entity *kenya = find(bench, "Kenya");
    const struct entity *odinga = find(bench, "Raila Odinga");
    assert_non_null(kenya);
    assert_non_null(odinga);
    assert_true(kenya->relevance > odinga->relevance);
}

static void every_decision_is_explained(void **state)
{
    struct bench *bench = *state;
    run(bench, VIEW(""), VIEW("Jacinda Ardern resigned. Ardern said she had no regrets."));
    struct view lines = buf_view(&bench->explain.lines);
    assert_true(view_find(lines, VIEW("'Jacinda Ardern'"), 0) < lines.len);
    assert_true(view_find(lines, VIEW("surname"), 0) < lines.len);
}

static void the_same_article_gives_the_same_bytes(void **state)
{
    struct bench *bench = *state;
    struct buf first;
    struct view text = VIEW("Ghana's President Nana Akufo-Addo opened the Kotoka International "
                            "Airport terminal with Ghanaian and Chinese engineers.");
    buf_init(&first, SECTION_LIMIT);
    run(bench, VIEW(""), text);
    buf_add(&first, buf_view(&bench->notes.json));
    run(bench, VIEW(""), text);
    assert_true(view_equal(buf_view(&first), buf_view(&bench->notes.json)));
    buf_clear(&first);
}

// `piece` again and again to a megabyte: names without end, in one line.
static void run_long(struct bench *bench, struct view piece)
{
    struct buf text;
    buf_init(&text, 2 << 20);
    while (text.len < 1 << 20) {
        buf_add(&text, piece);
    }
    run(bench, VIEW(""), buf_view(&text));
    buf_clear(&text);
}

static void a_megabyte_of_capitals_or_numbers_ends_in_time(void **state)
{
    run_long(*state, VIEW("NEW YORK AND LONDON "));
    run_long(*state, VIEW("1 million of 2 "));
    run_long(*state, VIEW("John Smith (JS) of A-B-C "));
    run_long(*state, VIEW("Aa"));
}

static void a_missing_model_is_named(void **state)
{
    struct model *model = NULL;
    struct error why = {""};
    (void)state;
    assert_int_equal(entities_stage.load(&model, "/nonexistent", &why), ERR_CONFIG);
    assert_null(model);
    assert_non_null(strstr(why.text, "/nonexistent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_empty_text_has_no_entities, set_up, tear_down),
        cmocka_unit_test_setup_teardown(confidence_and_relevance_are_shares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_decision_is_explained, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_same_article_gives_the_same_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_megabyte_of_capitals_or_numbers_ends_in_time, set_up,
                                        tear_down),
        cmocka_unit_test(a_missing_model_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
