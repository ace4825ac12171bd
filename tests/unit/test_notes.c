#include "common/notes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_section(struct notes *notes, struct view expected)
{
    struct view section = notes_finish(notes);
    if (!view_equal(section, expected)) {
        fail_msg("%.*s", VIEW_ARGS(section));
    }
}

static void an_article_without_notes_has_an_empty_section(void **state)
{
    (void)state;
    struct notes notes;
    notes_init(&notes, 1000);
    notes_begin(&notes, NULL);
    assert_section(&notes, VIEW("{}"));
    notes_clear(&notes);
}

static void members_and_items_are_parted_by_commas(void **state)
{
    (void)state;
    struct notes notes;
    notes_init(&notes, 1000);
    notes_begin(&notes, NULL);
    notes_string(&notes, "title", VIEW("A \"day\""));
    notes_array(&notes, "list");
    notes_integer(&notes, NULL, INT64_MIN);
    notes_integer(&notes, NULL, INT64_MAX);
    notes_array(&notes, NULL);
    notes_end(&notes);
    notes_object(&notes, NULL);
    notes_bool(&notes, "yes", true);
    notes_null(&notes, "nothing");
    notes_end(&notes);
    notes_end(&notes);
    notes_decimal(&notes, "sure", 0.5, 2);
    assert_section(&notes, VIEW("{\"title\":\"A \\\"day\\\"\",\"list\":[-9223372036854775808,"
                                "9223372036854775807,[],{\"yes\":true,\"nothing\":null}],"
                                "\"sure\":0.50}"));
    notes_clear(&notes);
}

static void spans_come_out_as_code_points(void **state)
{
    (void)state;
    struct arena arena;
    struct notes notes;
    arena_init(&arena, 1 << 16);
    notes_init(&notes, 1000);
    notes_begin(&notes, NULL);
    notes_text(&notes, &arena, VIEW("\xf0\x9f\x98\x80 caf\xc3\xa9 x"));
    notes_span(&notes, (struct span){5, 10});
    assert_section(&notes, VIEW("{\"start\":2,\"end\":6}"));
    notes_clear(&notes);
    arena_clear(&arena);
}

static void a_section_over_the_limit_is_given_up_whole(void **state)
{
    (void)state;
    struct notes notes;
    notes_init(&notes, 20);
    notes_begin(&notes, NULL);
    notes_string(&notes, "title", VIEW("longer than the limit"));
    assert_section(&notes, VIEW(""));
    notes_begin(&notes, NULL);
    notes_integer(&notes, "n", 1);
    assert_section(&notes, VIEW("{\"n\":1}"));
    notes_clear(&notes);
}

static void decimals_that_are_no_numbers_stay_json(void **state)
{
    (void)state;
    struct notes notes;
    double zero = 0;
    notes_init(&notes, 1000);
    notes_begin(&notes, NULL);
    notes_decimal(&notes, "a", 0.0 / zero, 3);
    notes_decimal(&notes, "b", -1.0 / zero, 3);
    notes_decimal(&notes, "c", -0.0001, 3);
    assert_section(&notes, VIEW("{\"a\":null,\"b\":null,\"c\":0.000}"));
    notes_clear(&notes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_article_without_notes_has_an_empty_section),
        cmocka_unit_test(members_and_items_are_parted_by_commas),
        cmocka_unit_test(spans_come_out_as_code_points),
        cmocka_unit_test(a_section_over_the_limit_is_given_up_whole),
        cmocka_unit_test(decimals_that_are_no_numbers_stay_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
