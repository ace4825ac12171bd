// The dates stage as a whole: offsets, determinism, hostile input, and the late anchor.
#include "services/dates/dates.h"

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
};

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct error why = {""};
    if (!bench || dates_stage.load(&bench->model, DATA_FOLDER, &why) != OK) {
        free(bench);
        return -1;
    }
    arena_init(&bench->arena, ARENA_LIMIT);
    notes_init(&bench->notes, SECTION_LIMIT);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;
    dates_stage.unload(bench->model);
    notes_clear(&bench->notes);
    arena_clear(&bench->arena);
    free(bench);
    return 0;
}

// The section of a text; valid until the next call.
static struct view run(struct bench *bench, struct view text, const char *published)
{
    struct article article;
    arena_reset(&bench->arena);
    article_init(&article, &bench->arena);
    article.text = text;
    article.published_at = view_of(published);
    utf8_index_init(&article.index, &bench->arena, text);
    notes_begin(&bench->notes, &article.index);
    assert_int_equal(dates_stage.run(bench->model, &article, &bench->notes, NULL), OK);
    struct view section = notes_finish(&bench->notes);
    article_clear(&article);
    return section;
}

static bool has(struct view section, const char *what)
{
    struct view needle = view_of(what);
    return view_find(section, needle, 0) < section.len;
}

static void offsets_are_code_points_whatever_stands_before(void **state)
{
    struct view section =
        run(*state, VIEW("\xf0\x9f\x98\x80 e\xcc\x81t\xc3\xa9, on\xc2\xa0Tuesday\xe2\x80\x99s"),
            "2020-08-19");
    assert_true(has(section, "\"start\":11,\"end\":18,\"text\":\"Tuesday\""));
}

static void the_same_text_gives_the_same_section(void **state)
{
    struct view text = VIEW("He said Wednesday that in May they would meet again on Aug. 3.");
    struct view first = run(*state, text, "2020-08-19");
    struct buf kept;
    buf_init(&kept, SECTION_LIMIT);
    buf_add(&kept, first);
    (void)run(*state, VIEW("In 1914, on March 3, it began."), "1999-01-01");
    struct view second = run(*state, text, "2020-08-19");
    assert_true(view_equal(buf_view(&kept), second));
    buf_clear(&kept);
}

static void a_day_that_arrives_later_resolves_what_was_open(void **state)
{
    struct view text = VIEW("They will meet on Thursday.");
    struct view open = run(*state, text, "");
    assert_true(has(open, "\"value\":\"XXXX-WXX-4\""));
    assert_true(has(open, "\"rel\":\"W0-4\""));
    struct view closed = run(*state, text, "2020-08-19T23:30:00-05:00");
    assert_true(has(closed, "\"value\":\"2020-08-20\""));
    assert_true(has(closed, "\"anchor\":\"2020-08-19\""));
}

static void a_published_at_that_is_no_date_is_no_anchor(void **state)
{
    struct view section = run(*state, VIEW("They met on Thursday."), "yesterday");
    assert_true(has(section, "\"value\":\"XXXX-WXX-4\""));
}

// Text made of triggers only: islands are cut at their limit, and time grows with the text, not faster.
static void endless_runs_of_time_words_end(void **state)
{
    static const char *const patterns[] = {"the last of the ", "two and ",        "March 3 to ",
                                           "second ",          "early late mid-", "12 ",
                                           "twenty-",          "next year's "};
    struct buf text;
    buf_init(&text, SECTION_LIMIT);
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
        buf_reset(&text);
        while (text.len < 200000) {
            buf_add(&text, view_of(patterns[i]));
        }
        assert_true(run(*state, buf_view(&text), "2020-08-19").len > 0);
    }
    buf_clear(&text);
}

static void an_empty_text_has_no_dates(void **state)
{
    assert_true(view_equal(run(*state, VIEW(""), ""), VIEW("{\"dates\":[]}")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets_are_code_points_whatever_stands_before),
        cmocka_unit_test(the_same_text_gives_the_same_section),
        cmocka_unit_test(a_day_that_arrives_later_resolves_what_was_open),
        cmocka_unit_test(a_published_at_that_is_no_date_is_no_anchor),
        cmocka_unit_test(endless_runs_of_time_words_end),
        cmocka_unit_test(an_empty_text_has_no_dates),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
