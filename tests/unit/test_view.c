#include "common/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_number_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_true(view_parse_u64(VIEW("18446744073709551615"), &value));
    assert_int_equal(value, UINT64_MAX);
    assert_false(view_parse_u64(VIEW("18446744073709551616"), &value));
    assert_false(view_parse_u64(VIEW("12a"), &value));
    assert_false(view_parse_u64(VIEW(""), &value));
}

static void trimming_takes_hard_spaces_too(void **state)
{
    (void)state;
    struct view trimmed = view_trim(VIEW(" \xc2\xa0 Read more \t\xc2\xa0"));
    assert_true(view_equal(trimmed, VIEW("Read more")));
}

static void lines_end_with_or_without_carriage_return(void **state)
{
    (void)state;
    struct view rest = VIEW("one\r\n\ntwo");
    struct view line;
    assert_true(view_next_line(&rest, &line));
    assert_true(view_equal(line, VIEW("one")));
    assert_true(view_next_line(&rest, &line));
    assert_int_equal(line.len, 0);
    assert_true(view_next_line(&rest, &line));
    assert_true(view_equal(line, VIEW("two")));
    assert_false(view_next_line(&rest, &line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_is_read_whole_or_not_at_all),
        cmocka_unit_test(trimming_takes_hard_spaces_too),
        cmocka_unit_test(lines_end_with_or_without_carriage_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
