#include "common/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void distance_counts_added_dropped_replaced_and_swapped_letters(void **state)
{
    (void)state;
    assert_int_equal(suggest_distance(VIEW("enrich"), VIEW("enrich")), 0);
    assert_int_equal(suggest_distance(VIEW("enrch"), VIEW("enrich")), 1);
    assert_int_equal(suggest_distance(VIEW("enriich"), VIEW("enrich")), 1);
    assert_int_equal(suggest_distance(VIEW("enrick"), VIEW("enrich")), 1);
    assert_int_equal(suggest_distance(VIEW("ernich"), VIEW("enrich")), 1);
    assert_int_equal(suggest_distance(VIEW(""), VIEW("up")), 2);
    assert_int_equal(suggest_distance(VIEW("status"), VIEW("enrich")), SUGGEST_DISTANCE + 1);
}

static void words_beyond_the_limit_are_far_from_everything(void **state)
{
    (void)state;
    char word[SUGGEST_LENGTH + 1];
    memset(word, 'a', sizeof word);
    struct view view = {word, sizeof word};
    assert_int_equal(suggest_distance(view, view), SUGGEST_DISTANCE + 1);
    view.len--;
    assert_int_equal(suggest_distance(view, view), 0);
}

static void the_nearest_name_wins(void **state)
{
    (void)state;
    struct suggestion near = {.word = VIEW("tokns")};
    suggest_offer(&near, "toks");
    suggest_offer(&near, "tokens");
    suggest_offer(&near, "token");
    assert_string_equal(near.best, "toks");
    near = (struct suggestion){.word = VIEW("statsu")};
    suggest_offer(&near, "stats");
    suggest_offer(&near, "status");
    assert_string_equal(near.best, "stats");
}

static void a_short_word_is_not_near_everything_short(void **state)
{
    (void)state;
    struct suggestion near = {.word = VIEW("xy")};
    suggest_offer(&near, "up");
    assert_null(near.best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_added_dropped_replaced_and_swapped_letters),
        cmocka_unit_test(words_beyond_the_limit_are_far_from_everything),
        cmocka_unit_test(the_nearest_name_wins),
        cmocka_unit_test(a_short_word_is_not_near_everything_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
