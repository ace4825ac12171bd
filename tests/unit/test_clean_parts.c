// The small readers of the clean stage: JSON-LD, days, credits, datelines.
#include "services/clean/credit.h"
#include "services/clean/dayscan.h"
#include "services/clean/forest.h"
#include "services/clean/jsonld.h"
#include "services/clean/lang.h"
#include "services/clean/reading.h"
#include "services/clean/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct bench {
    struct arena arena;
    struct clean_tables tables;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    *state = bench;
    if (!bench) {
        return -1;
    }
    arena_init(&bench->arena, 64 << 20);
    return clean_tables_open(&bench->tables, DATA_FOLDER, NULL) == OK ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    clean_tables_close(&bench->tables);
    arena_clear(&bench->arena);
    free(bench);
    return 0;
}

static void expect_view(struct view actual, const char *expected)
{
    char text[256];
    snprintf(text, sizeof text, "%.*s", VIEW_ARGS(actual));
    assert_string_equal(text, expected);
}

// ---- JSON-LD

static void an_article_inside_a_graph_is_found(void **state)
{
    struct bench *bench = *state;
    struct jsonld nodes = {0};
    jsonld_read(&nodes, &bench->arena,
                VIEW("{\"@graph\":[{\"@type\":\"WebSite\",\"name\":\"Ledger\"},"
                     "{\"@type\":[\"Thing\",\"NewsArticle\"],\"headline\":\"A \\u00e9t\\u00e9\","
                     "\"datePublished\":\"2020-08-19\",\"author\":[{\"name\":\"Jo\"},\"Li\"]}]}"));
    const struct jsonld_node *article = jsonld_article(&nodes);
    assert_non_null(article);
    expect_view(article->headline, "A \xc3\xa9t\xc3\xa9");
    expect_view(article->published, "2020-08-19");
    size_t authors = 0;
    for (size_t i = 0; i < nodes.len; i++) {
        authors += view_equal(nodes.at[i].key, VIEW("author"));
    }
    assert_int_equal(authors, 2);
}

static void damaged_json_gives_what_stood_before_the_damage(void **state)
{
    struct bench *bench = *state;
    struct jsonld nodes = {0};
    jsonld_read(&nodes, &bench->arena,
                VIEW("{\"@type\":\"Article\",\"headline\":\"One\",\"image\":{\"url\": \"x"));
    assert_non_null(jsonld_article(&nodes));
    expect_view(jsonld_article(&nodes)->headline, "One");
}

static void deep_json_ends_at_its_limit(void **state)
{
    struct bench *bench = *state;
    struct jsonld nodes = {0};
    size_t len = 400000;
    char *text = malloc(len);
    assert_non_null(text);
    for (size_t i = 0; i < len; i++) {
        text[i] = i % 2 ? '[' : '{';
    }
    jsonld_read(&nodes, &bench->arena, (struct view){text, len});
    assert_true(nodes.len <= JSONLD_NODES);
    free(text);
}

// ---- Days

static void expect_day(const char *text, int year, int month, int date)
{
    struct day day;
    size_t others;
    if (!dayscan_find(view_of(text), &day, &others)) {
        fail_msg("no day in '%s'", text);
    }
    if (day.year != year || day.month != month || day.day != date) {
        fail_msg("'%s' gives %d-%d-%d", text, day.year, day.month, day.day);
    }
}

static void days_are_read_in_many_spellings(void **state)
{
    (void)state;
    expect_day("Monday, April 15, 2024", 2024, 4, 15);
    expect_day("Published on 3rd of March 2021 by Jo", 2021, 3, 3);
    expect_day("Aug. 19, 2020 14:05", 2020, 8, 19);
    expect_day("19.08.2020, 14:05 Uhr", 2020, 8, 19);
    expect_day("am 3. M\xc3\xa4rz 2021", 2021, 3, 3);
    expect_day("3 de marzo de 2021", 2021, 3, 3);
    expect_day("le 1er ao\xc3\xbbt 2019", 2019, 8, 1);
    expect_day("2020-08-19T10:00:00Z", 2020, 8, 19);
    expect_day("8/19/2020", 2020, 8, 19);
    expect_day("19/08/2020", 2020, 8, 19);
}

static void numbers_that_are_no_days_are_none(void **state)
{
    (void)state;
    static const char *const texts[] = {"30.02.2020", "version 1.2.3", "call 555-12-34",
                                        "May be so", ""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct day day;
        size_t others;
        if (dayscan_find(view_of(texts[i]), &day, &others)) {
            fail_msg("a day in '%s'", texts[i]);
        }
    }
}

static void the_day_of_an_address_is_read(void **state)
{
    (void)state;
    struct day day;
    assert_true(dayscan_url(VIEW("https://example.org/2020/08/19/story"), &day));
    assert_int_equal(day.day, 19);
    assert_true(dayscan_url(VIEW("https://example.org/story-20200819"), &day));
    assert_int_equal(day.month, 8);
    assert_false(dayscan_url(VIEW("https://example.org/item/123456"), &day));
}

// ---- Credits and datelines

static void a_credit_block_names_everybody_with_a_role(void **state)
{
    struct bench *bench = *state;
    struct credits credits = {.len = 0};
    assert_true(credit_of_line(&credits,
                               VIEW("(Reporting by Ana Brito in Lisbon and Luc Fabre in Paris; "
                                    "Editing by P. Soto)"),
                               &bench->tables.agencies));
    assert_int_equal(credits.len, 3);
    expect_view(credits.at[1].name, "Luc Fabre");
    assert_string_equal(credits.at[1].role, "reporting");
    expect_view(credits.at[2].name, "P. Soto");
    assert_string_equal(credits.at[2].role, "editing");
}

static void a_sentence_about_an_agency_is_no_credit(void **state)
{
    struct bench *bench = *state;
    struct credits credits = {.len = 0};
    assert_false(credit_of_line(&credits, VIEW("AFP reported on Tuesday that the port reopened."),
                                &bench->tables.agencies));
    assert_int_equal(credits.len, 0);
}

static void a_dateline_is_split_into_its_parts(void **state)
{
    (void)state;
    struct dateline line;
    assert_true(wire_dateline(VIEW("LISBON, Portugal, March 4 (CNA) - Ports"), &line));
    expect_view(line.place, "LISBON, Portugal");
    expect_view(line.date, "March 4");
    expect_view(line.agency, "CNA");
    assert_int_equal(line.span.end, 33);
    assert_true(wire_dateline(VIEW("PARIS (AP) \xe2\x80\x94 A man"), &line));
    assert_true(wire_dateline(VIEW("WASHINGTON -- The president"), &line));
}

static void what_only_looks_like_a_dateline_is_none(void **state)
{
    (void)state;
    struct dateline line;
    assert_false(wire_dateline(VIEW("The port (once a market) - now closed"), &line));
    assert_false(wire_dateline(VIEW("ADVISORY - Eds: the story"), &line));
    assert_false(wire_dateline(VIEW("He said (AP) that"), &line));
    assert_false(wire_dateline(VIEW(""), &line));
}

// ---- Language and class names

static void the_language_is_told_by_small_words_and_script(void **state)
{
    struct bench *bench = *state;
    const struct table_list *words = &bench->tables.stop_words;
    struct view none = {"", 0};
    expect_view(
        lang_detect(VIEW("The ports of the city were closed and he said it was not"), none, words),
        "en");
    expect_view(lang_detect(VIEW("Die Stadt hat den Hafen nicht und das ist auch gut so"),
                            VIEW("en-US"), words),
                "de");
    expect_view(lang_detect(VIEW("\xd0\xbe\xd0\xbd \xd0\xb8 \xd0\xbd\xd0\xb5 \xd0\xbd\xd0\xb0 "
                                 "\xd1\x87\xd1\x82\xd0\xbe \xd0\xba\xd0\xb0\xd0\xba"),
                            none, words),
                "ru");
    expect_view(lang_detect(VIEW("\xe6\x97\xa5\xe6\x9c\xac\xe3\x81\xae\xe6\xb8\xaf"), none, words),
                "ja");
    expect_view(lang_detect(VIEW("12345"), VIEW("fr-CA"), words), "fr");
}

static void class_names_are_cut_at_hyphens_and_humps(void **state)
{
    struct bench *bench = *state;
    assert_true(blocks_hints(VIEW("site-footer__links"), &bench->tables.classes) & HINT(footer));
    assert_true(blocks_hints(VIEW("relatedPosts"), &bench->tables.classes) & HINT(related));
    assert_true(blocks_hints(VIEW("entry-content"), &bench->tables.classes) & HINT(body));
    assert_int_equal(blocks_hints(VIEW("xyzzy plugh"), &bench->tables.classes), 0);
}

// ---- The model file

static void a_damaged_model_is_refused(void **state)
{
    (void)state;
    struct forest *forest = NULL;
    struct error why = {""};
    assert_int_equal(
        forest_open(&forest, DATA_FOLDER, "clean_html", FEATURES_VERSION + 1, FEATURE_COUNT, &why),
        ERR_VERSION);
    assert_int_equal(
        forest_open(&forest, "/nonexistent", "clean_html", FEATURES_VERSION, FEATURE_COUNT, &why),
        ERR_CONFIG);
    assert_null(forest);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_article_inside_a_graph_is_found),
        TEST(damaged_json_gives_what_stood_before_the_damage),
        TEST(deep_json_ends_at_its_limit),
        TEST(days_are_read_in_many_spellings),
        TEST(numbers_that_are_no_days_are_none),
        TEST(the_day_of_an_address_is_read),
        TEST(a_credit_block_names_everybody_with_a_role),
        TEST(a_sentence_about_an_agency_is_no_credit),
        TEST(a_dateline_is_split_into_its_parts),
        TEST(what_only_looks_like_a_dateline_is_none),
        TEST(the_language_is_told_by_small_words_and_script),
        TEST(class_names_are_cut_at_hyphens_and_humps),
        TEST(a_damaged_model_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
