#include "services/pipeline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char story[] = "{\"id\":\"a\",\"published_at\":\"2020-08-19\",\"text\":\"Jane Hopkins "
                            "left Springfield on Monday. She "
                            "had been its mayor for ten years, and many came to see her off.\"}";

struct desk {
    struct pipeline pipeline;
    struct arena arena;
    struct notes notes;
    struct article article;
    struct error why;
    int failed;
};

static void open_desk(struct desk *desk, const char *list, const char *document)
{
    *desk = (struct desk){0};
    if (pipeline_open(&desk->pipeline, view_of(list), DATA_FOLDER, &desk->why) != OK) {
        fail_msg("%s", desk->why.text);
    }
    arena_init(&desk->arena, 1 << 26);
    notes_init(&desk->notes, 1 << 20);
    article_init(&desk->article, &desk->arena);
    assert_int_equal(article_merge(&desk->article, view_of(document), &desk->why), OK);
}

static void close_desk(struct desk *desk)
{
    article_clear(&desk->article);
    notes_clear(&desk->notes);
    arena_clear(&desk->arena);
    pipeline_close(&desk->pipeline);
}

static enum status run(struct desk *desk)
{
    return pipeline_run(&desk->pipeline, &desk->article, &desk->notes, NULL, &desk->failed,
                        &desk->why);
}

static void expect_outcome(const struct desk *desk, const char *stage, const char *status)
{
    struct stage_outcome outcome;
    if (!article_stage(&desk->article, view_of(stage), &outcome)) {
        fail_msg("%s left no entry", stage);
    }
    if (!view_equal(outcome.status, view_of(status))) {
        fail_msg("%s is %.*s, not %s", stage, VIEW_ARGS(outcome.status), status);
    }
}

static void a_list_brings_what_its_stages_need(void **state)
{
    (void)state;
    struct desk desk;
    struct stage_outcome outcome;
    open_desk(&desk, "dates", story);
    assert_int_equal(run(&desk), OK);
    assert_int_equal(desk.failed, 0);
    expect_outcome(&desk, "clean", "ok");
    expect_outcome(&desk, "dates", "ok");
    assert_false(article_stage(&desk.article, VIEW("entities"), &outcome));
    close_desk(&desk);
}

static void an_empty_list_means_all(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, "", story);
    assert_int_equal(run(&desk), OK);
    for (size_t i = 0; i < stage_count; i++) {
        expect_outcome(&desk, stages[i]->name, "ok");
    }
    assert_true(desk.article.entity_count > 0);
    assert_true(desk.article.date_count > 0);
    assert_true(desk.article.summary.len > 0);
    close_desk(&desk);
}

static void an_unknown_stage_is_answered_with_the_nearest(void **state)
{
    (void)state;
    struct pipeline pipeline;
    struct error why = {""};
    assert_int_equal(pipeline_open(&pipeline, VIEW("clean,sumary"), DATA_FOLDER, &why), ERR_USAGE);
    assert_string_equal(why.text, "no stage 'sumary'. Did you mean 'summary'?");
    assert_int_equal(pipeline_open(&pipeline, VIEW("quotes"), DATA_FOLDER, &why), ERR_USAGE);
    assert_string_equal(why.text, "no stage 'quotes'; there are: clean, entities, dates, summary");
}

static void a_folder_without_tables_is_a_configuration_error(void **state)
{
    (void)state;
    struct pipeline pipeline;
    struct error why = {""};
    assert_int_equal(pipeline_open(&pipeline, VIEW(""), "/nowhere", &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "/nowhere"));
}

static void an_article_without_text_is_passed_by_the_stages_that_need_one(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, "", "{\"id\":\"a\",\"url\":\"https://example.org/a\"}");
    assert_int_equal(run(&desk), OK);
    expect_outcome(&desk, "entities", "skipped");
    expect_outcome(&desk, "dates", "skipped");
    expect_outcome(&desk, "summary", "skipped");
    assert_int_equal(desk.failed, 3);
    close_desk(&desk);
}

static void a_stage_that_fails_is_named_and_the_article_goes_on(void **state)
{
    (void)state;
    struct desk desk;
    open_desk(&desk, "dates,entities", story);
    notes_clear(&desk.notes);
    notes_init(&desk.notes, 220); // room to say what failed, none for a list of names
    assert_int_equal(run(&desk), OK);
    expect_outcome(&desk, "entities", "failed");
    struct stage_outcome outcome;
    assert_true(article_stage(&desk.article, VIEW("entities"), &outcome));
    assert_true(view_equal(
        outcome.message,
        VIEW("entities could not judge this article: it needs more memory than its limit")));
    assert_true(desk.failed > 0);
    close_desk(&desk);
}

static void a_delivery_leaves_its_trace(void **state)
{
    (void)state;
    struct desk desk;
    struct view section;
    struct delivery delivery = {.attempt = 2, .queue_ms = 17, .worker = "w1"};
    open_desk(&desk, "dates", story);
    size_t dates = 0;
    while (strcmp(stages[dates]->name, "dates") != 0) {
        dates++;
    }
    assert_int_equal(pipeline_run_stage(&desk.pipeline, dates, &desk.article, &desk.notes, NULL,
                                        &delivery, &section, &desk.why),
                     OK);
    size_t at = view_find(section, VIEW("\"queue_ms\":17,\"attempt\":2,\"worker\":\"w1\""), 0);
    assert_true(at < section.len);
    close_desk(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_brings_what_its_stages_need),
        cmocka_unit_test(an_empty_list_means_all),
        cmocka_unit_test(an_unknown_stage_is_answered_with_the_nearest),
        cmocka_unit_test(a_folder_without_tables_is_a_configuration_error),
        cmocka_unit_test(an_article_without_text_is_passed_by_the_stages_that_need_one),
        cmocka_unit_test(a_stage_that_fails_is_named_and_the_article_goes_on),
        cmocka_unit_test(a_delivery_leaves_its_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
