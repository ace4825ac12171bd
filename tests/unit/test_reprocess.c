#include "services/reprocess.h"

#include "services/stages.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static int order(const char *a, const char *b)
{
    return reprocess_compare(view_of(a), view_of(b));
}

static void versions_are_compared_number_by_number(void **state)
{
    (void)state;
    assert_true(order("1.9.0", "1.10.0") < 0);
    assert_true(order("2", "1.10.0") > 0);
    assert_int_equal(order("1", "1.0"), 0);
    assert_true(order("", "0.1") < 0);
    assert_true(order("1.0.a", "1.0.b") < 0);
}

// What becomes of a stored article: the document that is handed in, or "left out".
static void becomes(const char *stage, const char *older_than, const char *json, const char *wanted)
{
    struct reprocess which;
    struct arena arena;
    struct article article;
    struct buf printed;
    struct client_article out = {.lane = WIRE_URGENT};
    arena_init(&arena, 1 << 20);
    buf_init(&printed, 1 << 16);
    article_init(&article, &arena);
    assert_int_equal(reprocess_read(&which, stage, older_than, NULL), OK);
    assert_int_equal(article_merge(&article, view_of(json), NULL), OK);
    if (!reprocess_wants(&which, &article)) {
        assert_string_equal("left out", wanted);
    } else {
        char text[1000];
        assert_int_equal(reprocess_make(&out, &article, &printed, NULL), OK);
        snprintf(text, sizeof text, "%.*s", VIEW_ARGS(out.document));
        assert_string_equal(text, wanted);
        assert_int_equal(out.lane, WIRE_BACKFILL);
        assert_true(out.again);
    }
    article_clear(&article);
    buf_clear(&printed);
    arena_clear(&arena);
}

static void what_stages_said_is_taken_out_and_the_rest_stays(void **state)
{
    (void)state;
    becomes(
        "", "",
        "{\"id\":\"a\",\"version\":3,\"rerun\":9,\"text\":\"Hi.\",\"title\":\"T\",\"entities\":[],"
        "\"dates\":[],\"summary\":{\"text\":\"\"},\"stages\":{\"clean\":{\"status\":\"ok\"}},"
        "\"own\":1}",
        "{\"id\":\"a\",\"version\":3,\"title\":\"T\",\"text\":\"Hi.\",\"own\":1}");
}

static void a_text_that_clean_made_goes_when_the_page_is_there_to_make_it_again(void **state)
{
    (void)state;
    becomes("", "",
            "{\"id\":\"a\",\"content\":\"<p>Hi.\",\"text\":\"Hi.\",\"removed\":[],"
            "\"published_at\":\"2020-01-01\",\"published_at_source\":\"meta\"}",
            "{\"id\":\"a\",\"content\":\"<p>Hi.\"}");
    becomes("", "",
            "{\"id\":\"a\",\"content\":\"<p>Hi.\",\"text\":\"Hi.\",\"removed\":[],"
            "\"published_at\":\"2020-01-01\",\"published_at_source\":\"input\"}",
            "{\"id\":\"a\",\"content\":\"<p>Hi.\",\"published_at\":\"2020-01-01\","
            "\"published_at_source\":\"input\"}");
    becomes("", "", "{\"id\":\"a\",\"content\":\"<p>Hi.\",\"text\":\"Hi.\"}",
            "{\"id\":\"a\",\"content\":\"<p>Hi.\",\"text\":\"Hi.\"}");
    becomes("", "",
            "{\"id\":\"a\",\"text\":\"Hi.\",\"removed\":[],\"published_at\":\"2020-01-01\","
            "\"published_at_source\":\"meta\"}",
            "{\"id\":\"a\",\"text\":\"Hi.\",\"published_at\":\"2020-01-01\","
            "\"published_at_source\":\"meta\",\"removed\":[]}");
}

static void only_what_another_version_made_is_chosen(void **state)
{
    (void)state;
    static const char made[] = "{\"id\":\"a\",\"text\":\"x\",\"stages\":{\"dates\":{\"status\":\"%"
                               "s\",\"version\":\"%s\"}}}";
    char json[200];
    static const char bare[] = "{\"id\":\"a\",\"text\":\"x\"}";
    const char *now = stage_find(VIEW("dates"))->version;
    snprintf(json, sizeof json, made, "ok", now);
    becomes("dates", "", json, "left out");
    snprintf(json, sizeof json, made, "timeout", now);
    becomes("dates", "", json, bare);
    snprintf(json, sizeof json, made, "ok", "0.0.1");
    becomes("dates", "", json, bare);
    becomes("entities", "", json, bare);
    becomes("", "dates=0.0.1", json, "left out");
    becomes("", "dates=0.0.2", json, bare);
    becomes("", "entities=0.0.1", json, bare);
}

static void a_killed_story_is_left_out(void **state)
{
    (void)state;
    becomes("", "", "{\"id\":\"a\",\"pubstatus\":\"canceled\"}", "left out");
}

static void a_choice_that_makes_no_sense_is_told(void **state)
{
    (void)state;
    struct reprocess which;
    struct error why = {""};
    assert_int_equal(reprocess_read(&which, "quotes", "", &why), ERR_USAGE);
    assert_non_null(strstr(why.text, "quotes"));
    assert_int_equal(reprocess_read(&which, "", "clean", NULL), ERR_USAGE);
    assert_int_equal(reprocess_read(&which, "", "=1.0", NULL), ERR_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_compared_number_by_number),
        cmocka_unit_test(what_stages_said_is_taken_out_and_the_rest_stays),
        cmocka_unit_test(a_text_that_clean_made_goes_when_the_page_is_there_to_make_it_again),
        cmocka_unit_test(only_what_another_version_made_is_chosen),
        cmocka_unit_test(a_killed_story_is_left_out),
        cmocka_unit_test(a_choice_that_makes_no_sense_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
