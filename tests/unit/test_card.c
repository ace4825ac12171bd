#include "services/card.h"

#include "services/paper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void print(const char *json, const struct card *card, struct buf *out)
{
    struct arena arena;
    struct article article;
    struct error why = {""};
    arena_init(&arena, 1 << 26);
    article_init(&article, &arena);
    if (article_merge(&article, view_of(json), &why) != OK) {
        fail_msg("%s", why.text);
    }
    article_segment(&article);
    buf_init(out, 1 << 20);
    card_print(&article, card, out);
    buf_add_char(out, '\0');
    article_clear(&article);
    arena_clear(&arena);
}

static void expect_card(const char *json, const char *text)
{
    struct buf out;
    struct card card = {.width = 60, .ms = -1};
    print(json, &card, &out);
    assert_string_equal(out.at, text);
    buf_clear(&out);
}

static void a_card_shows_what_a_reader_asks_first(void **state)
{
    (void)state;
    expect_card(
        "{\"id\":\"a\",\"title\":\"Dam breaks\",\"byline\":\"Ana Li\",\"lang\":\"en\","
        "\"published_at\":\"2020-08-19\",\"published_at_source\":\"url\","
        "\"text\":\"Jo Bo left Oz on Monday. Jo Bo slept.\","
        "\"entities\":[{\"type\":\"PER\",\"name\":\"Jo Bo\",\"mentions\":[{\"start\":0,\"end\":5},"
        "{\"start\":25,\"end\":30}]},{\"type\":\"LOC\",\"name\":\"Oz\",\"mentions\":[{\"start\":11,"
        "\"end\":13}]}],"
        "\"dates\":[{\"start\":17,\"end\":23,\"text\":\"Monday\",\"type\":\"DATE\",\"value\":"
        "\"2020-08-17\"}],"
        "\"summary\":{\"text\":\"Jo Bo slept.\",\"sentences\":[{\"start\":25,\"end\":37}]},"
        "\"removed\":[{\"reason\":\"related_link\",\"text\":\"More\"},{\"reason\":\"nav\",\"text\":"
        "\"Home\"},{\"reason\":\"related_link\",\"text\":\"Less\"}]}",
        "Dam breaks\n"
        "Ana Li · en · 9 words ·\n"
        "published 2020-08-19 from the address\n"
        "\n"
        "  PEOPLE   Jo Bo ×2\n"
        "  PLACES   Oz\n"
        "  DATES    Monday → 2020-08-17\n"
        "  SUMMARY  Jo Bo slept. [2]\n"
        "\n"
        "  removed 3 lines (related link 2, nav 1)\n");
}

static void an_unknown_date_says_why_and_what_stays_open(void **state)
{
    (void)state;
    expect_card(
        "{\"id\":\"a\",\"text\":\"It fell on Monday.\",\"removed\":[{\"reason\":\"render_date\","
        "\"text\":\"April 15, 2024\"}],\"dates\":[{\"start\":11,\"end\":17,\"text\":\"Monday\","
        "\"type\":\"DATE\",\"value\":\"XXXX-WXX-1\"}]}",
        "a\n"
        "4 words · published: unknown (April 15, 2024 is the page's\n"
        "date, not the article's)\n"
        "\n"
        "  DATES    Monday → open until the article's date is known\n"
        "\n"
        "  removed 1 line (render date 1)\n");
}

static void a_guess_at_the_day_is_told_as_one(void **state)
{
    (void)state;
    expect_card("{\"id\":\"a\",\"text\":\"For years it lay there.\",\"published_at\":null,"
                "\"published_at_inferred\":{\"earliest\":\"XXXX-06-17\",\"latest\":\"XXXX-06-19\"},"
                "\"dates\":[{\"start\":4,\"end\":9,\"type\":\"DURATION\",\"value\":\"PXY\"}]}",
                "a\n"
                "5 words · published: unknown ·\n"
                "perhaps 06-17 to 06-19 of an unknown year\n"
                "\n");
    expect_card("{\"id\":\"a\",\"published_at_inferred\":{\"earliest\":\"2020-06-17\"}}",
                "a\n"
                "published: unknown · perhaps 2020-06-17\n"
                "\n");
}

static void what_failed_is_on_the_card(void **state)
{
    (void)state;
    expect_card("{\"id\":\"a\",\"text\":\"\",\"summary\":{\"text\":\"\",\"reason\":\"no "
                "text\"},\"stages\":{"
                "\"dates\":{\"status\":\"failed\",\"error\":{\"message\":\"too long\"}}}}",
                "a\n"
                "published: unknown\n"
                "\n"
                "  SUMMARY  none: no text\n"
                "  FAILED   dates failed too long\n"
                "  TEXT     none found; --explain says why\n");
}

static void nothing_in_an_article_commands_the_terminal(void **state)
{
    (void)state;
    struct buf out;
    struct card card = {.width = 60, .ms = -1};
    print("{\"id\":\"\\u001b[2J\\u009b1m\\u202ea\",\"byline\":\"b\\u0007\\rc\"}", &card, &out);
    assert_null(strpbrk(out.at, "\x1b\x07\r"));
    assert_true(view_starts(view_of(out.at), VIEW("[2J1ma\nb c")));
    buf_clear(&out);
}

static void long_rows_end_with_how_much_is_hidden(void **state)
{
    (void)state;
    struct buf json, out;
    struct card card = {.width = 80, .ms = -1};
    buf_init(&json, 1 << 16);
    buf_add(&json, VIEW("{\"id\":\"a\",\"text\":\"x\",\"entities\":["));
    for (int i = 0; i < 20; i++) {
        buf_printf(&json, "%s{\"type\":\"ORG\",\"name\":\"N%d\",\"mentions\":[]}", i ? "," : "", i);
    }
    buf_add(&json, VIEW("]}"));
    buf_add_char(&json, '\0');
    print(json.at, &card, &out);
    assert_non_null(strstr(out.at, "N11 · 8 more\n"));
    buf_clear(&json);
    buf_clear(&out);
}

static void lines_never_exceed_the_width(void **state)
{
    (void)state;
    for (size_t width = PAPER_NARROWEST; width < 100; width += 7) {
        struct buf out;
        struct card card = {
            .width = width, .ms = 1.5, .explain = VIEW("dates: rule: 'x' because of it\n")};
        print(
            "{\"id\":\"a\",\"title\":\"A title long enough to be wrapped on any paper of this "
            "width, is "
            "it not\",\"byline\":\"Ein Name ohne Ende mit vielen Teilen und noch mehr Teilen und "
            "so weiter "
            "und fort und immer fort\",\"text\":\"x\",\"summary\":{\"text\":\"https://example.org/"
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
            "aaaaaaaaaaaaa \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"
            "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5"
            "\xe6"
            "\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5\xe6\x9c\xac\xe8"
            "\xaa"
            "\x9e\"}}",
            &card, &out);
        struct view rest = view_of(out.at);
        struct view line;
        while (view_next_line(&rest, &line)) {
            assert_in_range(paper_columns(line), 0, width);
        }
        buf_clear(&out);
    }
}

static void columns_know_wide_and_combining_characters(void **state)
{
    (void)state;
    assert_int_equal(paper_columns(VIEW("abc")), 3);
    assert_int_equal(paper_columns(VIEW("e\xcc\x81")), 1);
    assert_int_equal(paper_columns(VIEW("\xe6\x97\xa5\xe6\x9c\xac")), 4);
    assert_int_equal(paper_columns(VIEW("\xf0\x9f\x98\x80")), 2);
    assert_int_equal(paper_columns(VIEW("\x1b\xe2\x80\xae")), 0);
}

static void relative_dates_want_a_date_only_when_there_is_none(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        bool wants;
    } cases[] = {
        {"{\"text\":\"Monday\",\"dates\":[{\"start\":0,\"end\":6,\"value\":\"XXXX-WXX-1\"}]}",
         true},
        {"{\"text\":\"Monday\",\"dates\":[{\"start\":0,\"end\":6,\"value\":\"2020-08-17\"}]}",
         false},
        {"{\"text\":\"Monday\",\"published_at\":\"2020-08-19\",\"dates\":[{\"start\":0,\"end\":6,"
         "\"value\":"
         "\"XXXX-WXX-1\"}]}",
         false},
        {"{\"text\":\"Monday\"}", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        struct article article;
        arena_init(&arena, 1 << 20);
        article_init(&article, &arena);
        assert_int_equal(article_merge(&article, view_of(cases[i].json), NULL), OK);
        assert_int_equal(card_wants_date(&article), cases[i].wants);
        article_clear(&article);
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_card_shows_what_a_reader_asks_first),
        cmocka_unit_test(an_unknown_date_says_why_and_what_stays_open),
        cmocka_unit_test(a_guess_at_the_day_is_told_as_one),
        cmocka_unit_test(what_failed_is_on_the_card),
        cmocka_unit_test(nothing_in_an_article_commands_the_terminal),
        cmocka_unit_test(long_rows_end_with_how_much_is_hidden),
        cmocka_unit_test(lines_never_exceed_the_width),
        cmocka_unit_test(columns_know_wide_and_combining_characters),
        cmocka_unit_test(relative_dates_want_a_date_only_when_there_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
