#include "services/dates/moment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct moment day_of(int32_t year, int32_t month, int32_t day)
{
    return moment_at(calendar_day((struct civil){year, month, day}), GRAIN_DAY);
}

static void assert_value(struct moment moment, const char *value)
{
    char out[MOMENT_VALUE_SIZE];
    (void)moment_print(&moment, out);
    assert_string_equal(out, value);
}

static void every_grain_has_its_form(void **state)
{
    (void)state;
    int32_t day = calendar_day((struct civil){2020, 8, 19});
    static const struct {
        enum grain grain;
        const char *value;
    } forms[] = {
        {GRAIN_DAY, "2020-08-19"}, {GRAIN_WEEK, "2020-W34"},  {GRAIN_WEEKEND, "2020-W34-WE"},
        {GRAIN_MONTH, "2020-08"},  {GRAIN_SEASON, "2020-SU"}, {GRAIN_QUARTER, "2020-Q3"},
        {GRAIN_HALF, "2020-H2"},   {GRAIN_YEAR, "2020"},      {GRAIN_DECADE, "202"},
        {GRAIN_CENTURY, "20"},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        assert_value(moment_at(day, forms[i].grain), forms[i].value);
    }
}

static void what_is_unknown_is_written_as_x(void **state)
{
    (void)state;
    struct moment moment = moment_of(GRAIN_DAY);
    moment.weekday = 4;
    assert_value(moment, "XXXX-WXX-4");
    moment.month = 8;
    moment.day = 4;
    assert_value(moment, "XXXX-08-04");
    assert_value(moment_of(GRAIN_WEEK), "XXXX-WXX");
    assert_value(moment_of(GRAIN_MONTH), "XXXX-XX");
}

static void shifting_keeps_the_grain(void **state)
{
    (void)state;
    struct moment day = day_of(2020, 1, 31);
    assert_value(moment_shift(&day, 1, UNIT_MONTH), "2020-02-29");
    assert_value(moment_shift(&day, -31, UNIT_DAY), "2019-12-31");
    struct moment week = moment_at(calendar_day((struct civil){2020, 12, 31}), GRAIN_WEEK);
    assert_value(week, "2020-W53");
    assert_value(moment_shift(&week, 1, UNIT_WEEK), "2021-W01");
    struct moment quarter = moment_at(calendar_day((struct civil){2020, 1, 1}), GRAIN_QUARTER);
    assert_value(moment_shift(&quarter, -1, UNIT_QUARTER), "2019-Q4");
}

static void there_is_no_year_zero(void **state)
{
    (void)state;
    struct moment year = moment_of(GRAIN_YEAR);
    year.year = -1;
    assert_value(year, "BC0001");
    assert_value(moment_shift(&year, 1, UNIT_YEAR), "0001");
    year.year = 1;
    assert_value(moment_shift(&year, -1, UNIT_YEAR), "BC0001");
}

static void the_hour_follows_the_day(void **state)
{
    (void)state;
    struct moment moment = day_of(2020, 8, 19);
    moment.part = lexicon_pack('E', 'V');
    assert_value(moment, "2020-08-19TEV");
    moment.clock = 17 * 60 + 5;
    assert_value(moment, "2020-08-19T17:05");
    moment.seconds = 9;
    assert_value(moment, "2020-08-19T17:05:09");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_grain_has_its_form),
        cmocka_unit_test(what_is_unknown_is_written_as_x),
        cmocka_unit_test(shifting_keeps_the_grain),
        cmocka_unit_test(there_is_no_year_zero),
        cmocka_unit_test(the_hour_follows_the_day),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
