#include "common/article.h"

#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct sheet {
    struct arena arena;
    struct article article;
    struct buf printed;
    struct error why;
};

static struct sheet *new_sheet(void)
{
    struct sheet *sheet = test_calloc(1, sizeof *sheet);
    arena_init(&sheet->arena, 1 << 26);
    article_init(&sheet->article, &sheet->arena);
    buf_init(&sheet->printed, 1 << 26);
    return sheet;
}

static void free_sheet(struct sheet *sheet)
{
    article_clear(&sheet->article);
    arena_clear(&sheet->arena);
    buf_clear(&sheet->printed);
    test_free(sheet);
}

static enum status merge(struct sheet *sheet, const char *json)
{
    return article_merge(&sheet->article, view_of(json), &sheet->why);
}

static void expect_printed(struct sheet *sheet, const char *json)
{
    buf_reset(&sheet->printed);
    assert_int_equal(article_print(&sheet->article, false, &sheet->printed), OK);
    buf_add_char(&sheet->printed, '\0');
    assert_string_equal(sheet->printed.at, json);
}

static void expect_refused(const char *json, enum status status, const char *sentence)
{
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, json), status);
    assert_string_equal(sheet->why.text, sentence);
    free_sheet(sheet);
}

static void members_print_in_the_order_of_the_schema_and_unknown_ones_last(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, "{\"desk\":\"world\",\"text\":\"b\",\"id\":\"a\",\"x\":[1,{}]}"),
                     OK);
    expect_printed(sheet, "{\"id\":\"a\",\"text\":\"b\",\"desk\":\"world\",\"x\":[1,{}]}");
    free_sheet(sheet);
}

static void numbers_survive_however_long(void **state)
{
    (void)state;
    const char *json =
        "{\"id\":\"a\",\"tweet\":1296088384842162177,\"deep\":[{\"n\":9007199254740993}],"
        "\"v\":1e400,\"rate\":0.10,\"z\":-0,\"long\":"
        "1111111111222222222233333333334444444444555555555566666666667777777777}";
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, json), OK);
    expect_printed(sheet, json);
    free_sheet(sheet);
}

static void a_zero_character_does_not_end_a_text(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, "{\"text\":\"a\\u0000b \\ud800 c\"}"), OK);
    assert_true(view_equal(sheet->article.text, VIEW("a\xef\xbf\xbd"
                                                     "b \xef\xbf\xbd c")));
    free_sheet(sheet);
}

static void a_backslash_before_u_is_no_escape_when_it_is_escaped_itself(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, "{\"text\":\"C:\\\\u0000\"}"), OK);
    assert_true(view_equal(sheet->article.text, VIEW("C:\\u0000")));
    free_sheet(sheet);
}

static void a_member_that_stands_twice_is_refused(void **state)
{
    (void)state;
    expect_refused("{\"id\":\"a\",\"id\":\"b\"}", ERR_FORMAT, "1:16: the member 'id' stands twice");
    expect_refused("{\"id\":\"a\",\"\\u0069d\":\"b\"}", ERR_FORMAT,
                   "1:21: the member 'id' stands twice");
}

static void known_members_are_checked(void **state)
{
    (void)state;
    expect_refused("{\"text\":5}", ERR_FORMAT, "1:9: 'text' must be a string, not a number");
    expect_refused("{\"id\":\"a\",\n \"title\":[]}", ERR_FORMAT,
                   "2:10: 'title' must be a string, not an array");
    expect_refused("{\"version\":0}", ERR_FORMAT, "1:12: version: must be a whole number from 1");
    expect_refused("{\"urgency\":10}", ERR_FORMAT,
                   "1:12: urgency: must be a whole number from 1 to 9");
    expect_refused("{\"text\":\"abc\",\"headings\":[{\"start\":2,\"end\":9}]}", ERR_FORMAT,
                   "1:26: headings: start and end must be code points with 0 <= start <= end <= 3");
}

static void offsets_are_code_points_outside_and_bytes_inside(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(
        merge(sheet, "{\"text\":\"\xc3\xa9t\xc3\xa9 in Paris\",\"entities\":[{\"type\":\"LOC\","
                     "\"name\":\"Paris\",\"mentions\":[{\"start\":7,\"end\":12}]}]}"),
        OK);
    assert_int_equal(sheet->article.entity_count, 1);
    struct span mention = sheet->article.entities[0].mentions.at[0];
    assert_true(view_equal(view_at(sheet->article.text, mention), VIEW("Paris")));
    free_sheet(sheet);
}

static void text_is_frozen_once_known(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, "{\"text\":\"one\"}"), OK);
    assert_int_equal(merge(sheet, "{\"text\":\"one\"}"), OK);
    assert_int_equal(merge(sheet, "{\"text\":\"two\"}"), ERR_FORMAT);
    assert_string_equal(sheet->why.text, "1:9: 'text' is frozen and cannot be changed");
    free_sheet(sheet);
}

static void stages_that_end_in_any_order_print_in_one(void **state)
{
    (void)state;
    static const char *const sections[] = {"{\"stages\":{\"dates\":{\"status\":\"ok\"}}}",
                                           "{\"stages\":{\"summary\":{\"status\":\"ok\"}}}",
                                           "{\"stages\":{\"entities\":{\"status\":\"ok\"}}}"};
    static const int orders[][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};
    for (size_t i = 0; i < 3; i++) {
        struct sheet *sheet = new_sheet();
        assert_int_equal(merge(sheet, "{\"id\":\"a\",\"stages\":{\"clean\":{\"status\":\"ok\"}}}"),
                         OK);
        for (size_t j = 0; j < 3; j++) {
            assert_int_equal(merge(sheet, sections[orders[i][j]]), OK);
        }
        expect_printed(sheet, "{\"id\":\"a\",\"stages\":{\"clean\":{\"status\":\"ok\"},\"dates\":{"
                              "\"status\":\"ok\"},\"entities\":{\"status\":\"ok\"},\"summary\":{"
                              "\"status\":\"ok\"}}}");
        free_sheet(sheet);
    }
}

static void a_stage_run_again_replaces_its_entry(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    struct stage_outcome outcome;
    assert_int_equal(merge(sheet, "{\"stages\":{\"dates\":{\"status\":\"failed\",\"error\":{"
                                  "\"message\":\"too long\"}}}}"),
                     OK);
    assert_true(article_stage(&sheet->article, VIEW("dates"), &outcome));
    assert_true(view_equal(outcome.message, VIEW("too long")));
    assert_int_equal(merge(sheet, "{\"stages\":{\"dates\":{\"status\":\"ok\",\"ms\":1.500}}}"), OK);
    assert_true(article_stage(&sheet->article, VIEW("dates"), &outcome));
    assert_true(view_equal(outcome.status, VIEW("ok")));
    assert_int_equal(outcome.message.len, 0);
    assert_false(article_stage(&sheet->article, VIEW("clean"), &outcome));
    free_sheet(sheet);
}

static void the_door_wants_an_id_and_something_to_read(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(
        article_accept(&sheet->article, VIEW("{\"text\":\"a\"}"), VIEW(""), &sheet->why),
        ERR_FORMAT);
    free_sheet(sheet);
    sheet = new_sheet();
    assert_int_equal(
        article_accept(&sheet->article, VIEW("{\"text\":\"a\"}"), VIEW("in:1"), &sheet->why), OK);
    assert_true(view_equal(sheet->article.id, VIEW("in:1")));
    free_sheet(sheet);
    sheet = new_sheet();
    assert_int_equal(article_accept(&sheet->article, VIEW("{\"id\":\"a\"}"), VIEW(""), &sheet->why),
                     ERR_FORMAT);
    free_sheet(sheet);
}

static void the_raw_page_can_be_left_out(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, "{\"id\":\"a\",\"content\":\"<p>\"}"), OK);
    assert_int_equal(article_print(&sheet->article, true, &sheet->printed), OK);
    assert_true(view_equal(buf_view(&sheet->printed), VIEW("{\"id\":\"a\"}")));
    free_sheet(sheet);
}

static void setting_a_member_shows_in_field_and_print(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    assert_int_equal(merge(sheet, "{\"id\":\"a\",\"published_at\":null}"), OK);
    article_set(&sheet->article, "published_at", VIEW("2020-08-19"));
    assert_true(view_equal(sheet->article.published_at, VIEW("2020-08-19")));
    expect_printed(sheet, "{\"id\":\"a\",\"published_at\":\"2020-08-19\"}");
    free_sheet(sheet);
}

static void an_article_too_large_for_its_arena_is_refused(void **state)
{
    (void)state;
    struct sheet *sheet = new_sheet();
    arena_init(&sheet->arena, 64);
    assert_int_equal(
        merge(sheet, "{\"text\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}"),
        ERR_LIMIT);
    free_sheet(sheet);
}

static void what_is_printed_reads_and_prints_the_same(void **state)
{
    (void)state;
    static const char *const samples[] = {
        "{\"id\":\"a\",\"text\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u001f\"}",
        "{\"id\":\"a\",\"n\":[0.1,1e-7,-1E+2,123456789012345678901234567890],\"o\":{\"\":{}}}",
        "{\"x\":{\"a\":1,\"a\":2},\"stages\":{\"z\":{},\"b\":{}},\"published_at\":null}",
    };
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        struct sheet *first = new_sheet();
        struct sheet *second = new_sheet();
        assert_int_equal(merge(first, samples[i]), OK);
        assert_int_equal(article_print(&first->article, false, &first->printed), OK);
        assert_int_equal(article_merge(&second->article, buf_view(&first->printed), &second->why),
                         OK);
        buf_add_char(&first->printed, '\0');
        expect_printed(second, first->printed.at);
        free_sheet(first);
        free_sheet(second);
    }
}

// Unites the sections both ways. True when article_unite took them; then both gave the same bytes.
static bool unites(const char *const *sections, size_t count)
{
    struct sheet *sheet = new_sheet();
    struct view views[8];
    struct buf united;
    buf_init(&united, 1 << 20);
    for (size_t i = 0; i < count; i++) {
        views[i] = view_of(sections[i]);
    }
    bool taken = article_unite(views, count, true, &sheet->arena, &united);
    if (taken) {
        for (size_t i = 0; i < count; i++) {
            assert_int_equal(merge(sheet, sections[i]), OK);
        }
        assert_int_equal(article_print(&sheet->article, true, &sheet->printed), OK);
        buf_add_char(&sheet->printed, '\0');
        buf_add_char(&united, '\0');
        assert_string_equal(united.at, sheet->printed.at);
    } else {
        assert_int_equal(united.len, 0);
    }
    buf_clear(&united);
    free_sheet(sheet);
    return taken;
}

static void sections_are_united_as_text_to_the_same_bytes(void **state)
{
    (void)state;
    static const char *const usual[] = {
        "{\"content\":\"<p>raw\",\"id\":\"a\",\"desk\":{\"x\":[1, 2.50 ,{}]},\"version\":7}",
        "{\"text\":\"Zw\xc3\xb6lf "
        "\\\"Boxer\\\"\\n\",\"title\":\"T\",\"stages\":{\"clean\":{\"ms\":0.10}}}",
        "{\"dates\":[{\"start\":0,\"end\":14,\"type\":\"DATE\"}],\"stages\":{\"dates\":{\"a\":[]}}"
        "}",
        "{\"entities\":[{\"type\":\"PER\",\"mentions\":[{\"start\":6,\"end\":11}]}],"
        "\"stages\":{\"a\":{},\"clean\":{\"ms\":2}},\"desk\":\"world\"}"};
    static const char *const odd[] = {
        " {\n \"id\" : \"a\\/b\\u0041\\u00e9\\ud83d\\ude00\\ud83d \\u0000 \\u001f \\u000a \\u0022 "
        "\\u005c \\u007f\" ,"
        "\t\"x\" : [ -0 , 1e5 , 123456789012345678 , true , null ] }\n",
        "{\"title\":\"tab\there\nand "
        "there\\b\\f\\n\\r\\t\\\\\",\"text\":\"\\ud83d\\ude00\\u0041b\","
        "\"headings\":[{\"start\":1,\"end\":3}],\"published_at\":null,\"ext\":{}}",
        "{}", "{\"stages\":{}}"};
    assert_true(unites(usual, 4));
    assert_true(unites(usual, 1));
    assert_true(unites(odd, 4));
}

static void what_is_not_plain_is_not_united_as_text(void **state)
{
    (void)state;
    static const char *const broken[][2] = {
        {"{\"id\":\"a\"", "{}"},
        {"{\"id\":\"a\",\"id\":\"b\"}", "{}"},
        {"{\"id\":7}", "{}"},
        {"{\"text\":\"a\"}", "{\"text\":\"b\"}"},
        {"{\"\\u0069d\":\"a\"}", "{}"},
        {"{\"stages\":{\"a\":1,\"a\":2}}", "{}"},
        {"{\"text\":\"abc\"}", "{\"headings\":[{\"start\":1,\"end\":4}]}"},
        {"{\"text\":\"abc\"}", "{\"headings\":[{\"start\":2,\"end\":1}]}"},
        {"{\"text\":\"abc\"}", "{\"headings\":[{\"start\":-1,\"end\":1}]}"},
        {"{\"text\":\"abc\"}", "{\"headings\":[{\"start\":1,\"end\":1.5}]}"},
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        assert_false(unites(broken[i], 2));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_print_in_the_order_of_the_schema_and_unknown_ones_last),
        cmocka_unit_test(numbers_survive_however_long),
        cmocka_unit_test(a_zero_character_does_not_end_a_text),
        cmocka_unit_test(a_backslash_before_u_is_no_escape_when_it_is_escaped_itself),
        cmocka_unit_test(a_member_that_stands_twice_is_refused),
        cmocka_unit_test(known_members_are_checked),
        cmocka_unit_test(offsets_are_code_points_outside_and_bytes_inside),
        cmocka_unit_test(text_is_frozen_once_known),
        cmocka_unit_test(stages_that_end_in_any_order_print_in_one),
        cmocka_unit_test(a_stage_run_again_replaces_its_entry),
        cmocka_unit_test(the_door_wants_an_id_and_something_to_read),
        cmocka_unit_test(the_raw_page_can_be_left_out),
        cmocka_unit_test(setting_a_member_shows_in_field_and_print),
        cmocka_unit_test(an_article_too_large_for_its_arena_is_refused),
        cmocka_unit_test(what_is_printed_reads_and_prints_the_same),
        cmocka_unit_test(sections_are_united_as_text_to_the_same_bytes),
        cmocka_unit_test(what_is_not_plain_is_not_united_as_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
