#include "common/calendar.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// Counts days one by one, the slow way, and compares everything about each.
static void every_day_of_four_thousand_years_agrees_with_counting(void **state)
{
    (void)state;
    struct civil date = {-1000, 1, 1};
    int32_t day = calendar_day(date);
    int weekday = (int)calendar_weekday(day);
    while (date.year <= 3000) {
        struct civil back = calendar_civil(day);
        if (calendar_day(date) != day || back.year != date.year || back.month != date.month ||
            back.day != date.day || (int)calendar_weekday(day) != weekday) {
            fail_msg("day %d is not %d-%d-%d", day, date.year, date.month, date.day);
        }
        day++;
        weekday = weekday == 7 ? 1 : weekday + 1;
        date.day++;
        bool leap = (date.year % 4 == 0 && date.year % 100 != 0) || date.year % 400 == 0;
        bool short_month =
            date.month == 4 || date.month == 6 || date.month == 9 || date.month == 11;
        int32_t last = date.month == 2 ? (leap ? 29 : 28) : short_month ? 30 : 31;
        if (date.day > last) {
            date.day = 1;
            date.month++;
        }
        if (date.month > 12) {
            date.month = 1;
            date.year++;
        }
    }
}

// A week belongs to the year that holds its Thursday, and weeks are counted from 1.
static void every_iso_week_agrees_with_counting_thursdays(void **state)
{
    (void)state;
    int32_t monday = calendar_week_monday((struct iso_week){-1000, 1});
    int32_t year = calendar_civil(monday + 3).year;
    int32_t week = 0;
    for (; year < 3000; monday += 7) {
        int32_t thursday_year = calendar_civil(monday + 3).year;
        if (thursday_year != year && week != calendar_weeks_of_year(year)) {
            fail_msg("year %d has %d weeks", year, week);
        }
        week = thursday_year == year ? week + 1 : 1;
        year = thursday_year;
        for (int32_t day = monday; day < monday + 7; day++) {
            struct iso_week got = calendar_week(day);
            if (got.year != year || got.week != week || calendar_week_monday(got) != monday) {
                fail_msg("day %d is in %d-W%d, not %d-W%d", day, got.year, got.week, year, week);
            }
        }
    }
}

static void known_days_have_their_weekdays(void **state)
{
    (void)state;
    assert_int_equal(calendar_weekday(calendar_day((struct civil){2020, 8, 19})), WEDNESDAY);
    assert_int_equal(calendar_weekday(calendar_day((struct civil){1970, 1, 1})), THURSDAY);
    assert_int_equal(calendar_weekday(calendar_day((struct civil){2000, 2, 29})), TUESDAY);
}

static void weeks_around_new_year_belong_to_the_neighbour(void **state)
{
    (void)state;
    struct iso_week week = calendar_week(calendar_day((struct civil){2021, 1, 3}));
    assert_int_equal(week.year, 2020);
    assert_int_equal(week.week, 53);
    week = calendar_week(calendar_day((struct civil){2018, 12, 31}));
    assert_int_equal(week.year, 2019);
    assert_int_equal(week.week, 1);
}

static void months_are_added_and_days_cut(void **state)
{
    (void)state;
    struct civil date = calendar_add_months((struct civil){2020, 1, 31}, 1);
    assert_int_equal(date.month, 2);
    assert_int_equal(date.day, 29);
    date = calendar_add_months((struct civil){2020, 1, 15}, -14);
    assert_int_equal(date.year, 2018);
    assert_int_equal(date.month, 11);
}

static void easter_falls_where_the_almanac_says(void **state)
{
    (void)state;
    static const struct civil known[] = {{1999, 4, 4},  {2000, 4, 23}, {2008, 3, 23}, {2011, 4, 24},
                                         {2020, 4, 12}, {2024, 3, 31}, {2038, 4, 25}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct civil got = calendar_easter(known[i].year);
        assert_int_equal(got.month, known[i].month);
        assert_int_equal(got.day, known[i].day);
    }
}

static void what_was_parsed_is_printed_again(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "2020-08-19",  "2020-08-19T07:05",     "2020-08-19T07:05Z", "2020-08-19T07:05:30.250+02:00",
        "-0043-03-15", "2016-12-31T23:59:60Z", "2020-02-29T24:00"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct instant instant;
        char out[CALENDAR_TEXT_SIZE];
        assert_true(calendar_parse(view_of(texts[i]), &instant));
        (void)calendar_format(&instant, out);
        assert_string_equal(out, texts[i]);
    }
}

static void days_that_do_not_exist_are_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {"2015-02-29",
                                        "2020-13-01",
                                        "2020-00-10",
                                        "2020-04-31",
                                        "2020-8-19",
                                        "2020-08-19T",
                                        "2020-08-19T24:01",
                                        "2020-08-19T07:60",
                                        "2020-08-19 7:05",
                                        "2020-08-19T07:05:",
                                        "2020-08-19T07:05+2",
                                        "2020-08-19T07:05+02:0",
                                        "2020-08-19T07:05x",
                                        "2020-08-19T07:05:30.",
                                        "2020-08-19T07:05+24:00",
                                        ""};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct instant instant;
        if (calendar_parse(view_of(texts[i]), &instant)) {
            fail_msg("'%s' was taken", texts[i]);
        }
    }
}

static void unix_time_goes_both_ways(void **state)
{
    (void)state;
    struct instant instant;
    assert_true(calendar_parse(VIEW("2020-08-19T07:05:30+02:00"), &instant));
    int64_t ms = calendar_unix_ms(&instant);
    assert_true(ms == 1597813530000);
    struct instant utc = calendar_from_unix_ms(ms);
    char out[CALENDAR_TEXT_SIZE];
    (void)calendar_format(&utc, out);
    assert_string_equal(out, "2020-08-19T05:05:30Z");
    utc = calendar_from_unix_ms(-1);
    assert_int_equal(utc.date.year, 1969);
    assert_int_equal(utc.millisecond, 999);
    assert_true(calendar_unix_ms(&utc) == -1);
    utc = calendar_from_unix_ms(INT64_MIN);
    assert_int_equal(utc.date.year, CALENDAR_YEAR_MIN);
    utc = calendar_from_unix_ms(INT64_MAX);
    assert_int_equal(utc.date.year, CALENDAR_YEAR_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_day_of_four_thousand_years_agrees_with_counting),
        cmocka_unit_test(every_iso_week_agrees_with_counting_thursdays),
        cmocka_unit_test(known_days_have_their_weekdays),
        cmocka_unit_test(weeks_around_new_year_belong_to_the_neighbour),
        cmocka_unit_test(months_are_added_and_days_cut),
        cmocka_unit_test(easter_falls_where_the_almanac_says),
        cmocka_unit_test(what_was_parsed_is_printed_again),
        cmocka_unit_test(days_that_do_not_exist_are_refused),
        cmocka_unit_test(unix_time_goes_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
