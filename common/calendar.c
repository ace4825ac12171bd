#include "common/calendar.h"

#include <assert.h>
#include <stdio.h>

enum { DAY_MS = 86400000 };

// Rounds toward minus infinity; `by` is above 0.
static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

bool calendar_is_leap(int32_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t calendar_month_days(int32_t year, int32_t month)
{
    static const int8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && calendar_is_leap(year));
}

bool calendar_is_valid(struct civil date)
{
    return date.year >= CALENDAR_YEAR_MIN && date.year <= CALENDAR_YEAR_MAX && date.month >= 1 &&
           date.month <= 12 && date.day >= 1 &&
           date.day <= calendar_month_days(date.year, date.month);
}

// Years are counted from March, so that the leap day is the last one; an era is 400 years, 146097 days.
int32_t calendar_day(struct civil date)
{
    int32_t year = date.year - (date.month <= 2);
    int32_t era = (int32_t)floor_div(year, 400);
    int32_t year_of_era = year - era * 400;
    int32_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
    int32_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

struct civil calendar_civil(int32_t day)
{
    int32_t shifted = day + 719468;
    int32_t era = (int32_t)floor_div(shifted, 146097);
    int32_t day_of_era = shifted - era * 146097;
    int32_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int32_t month_from_march = (5 * day_of_year + 2) / 153;
    int32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    return (struct civil){year_of_era + era * 400 + (month <= 2), month,
                          day_of_year - (153 * month_from_march + 2) / 5 + 1};
}

// 1970-01-01 was a Thursday.
enum weekday calendar_weekday(int32_t day)
{
    int64_t from_monday = (int64_t)day + 3;
    return (enum weekday)(from_monday - floor_div(from_monday, 7) * 7 + 1);
}

// The first ISO week of a year is the one with 4 January in it.
static int32_t first_monday(int32_t year)
{
    int32_t fourth = calendar_day((struct civil){year, 1, 4});
    return fourth - ((int32_t)calendar_weekday(fourth) - 1);
}

struct iso_week calendar_week(int32_t day)
{
    int32_t thursday = day - ((int32_t)calendar_weekday(day) - 4);
    int32_t year = calendar_civil(thursday).year;
    return (struct iso_week){year, (thursday - first_monday(year)) / 7 + 1};
}

int32_t calendar_week_monday(struct iso_week week)
{
    return first_monday(week.year) + (week.week - 1) * 7;
}

int32_t calendar_weeks_of_year(int32_t year)
{
    return (first_monday(year + 1) - first_monday(year)) / 7;
}

struct civil calendar_add_months(struct civil date, int32_t months)
{
    int64_t index = (int64_t)date.year * 12 + (date.month - 1) + months;
    date.year = (int32_t)floor_div(index, 12);
    date.month = (int32_t)(index - (int64_t)date.year * 12) + 1;
    int32_t last = calendar_month_days(date.year, date.month);
    date.day = date.day > last ? last : date.day;
    return date;
}

struct civil calendar_easter(int32_t year)
{
    int32_t golden = year % 19;
    int32_t century = year / 100;
    int32_t rest = year % 100;
    int32_t moon =
        (19 * golden + century - century / 4 - (century - (century + 8) / 25 + 1) / 3 + 15) % 30;
    int32_t sunday = (32 + 2 * (century % 4) + 2 * (rest / 4) - moon - rest % 4) % 7;
    int32_t late = (golden + 11 * moon + 22 * sunday) / 451;
    int32_t sum = moon + sunday - 7 * late + 114;
    return (struct civil){year, sum / 31, sum % 31 + 1};
}

// Takes `count` digits off the front of `*rest`.
static bool take_digits(struct view *rest, size_t count, int32_t *out)
{
    uint64_t value;
    if (rest->len < count || !view_parse_u64(view_slice(*rest, 0, count), &value)) {
        return false;
    }
    *out = (int32_t)value;
    *rest = view_slice(*rest, count, rest->len);
    return true;
}

static bool take_char(struct view *rest, char c)
{
    if (rest->len == 0 || rest->at[0] != c) {
        return false;
    }
    *rest = view_slice(*rest, 1, rest->len);
    return true;
}

// The fraction of a second, cut after milliseconds.
static bool take_fraction(struct view *rest, int32_t *millisecond)
{
    int32_t scale = 100;
    int32_t digit;
    if (!take_digits(rest, 1, &digit)) {
        return false;
    }
    do {
        *millisecond += digit * scale;
        scale /= 10;
    } while (take_digits(rest, 1, &digit));
    return true;
}

static bool take_zone(struct view *rest, struct instant *out)
{
    if (take_char(rest, 'Z') || take_char(rest, 'z')) {
        out->has_zone = true;
        return true;
    }
    bool west = take_char(rest, '-');
    int32_t hours;
    int32_t minutes = 0;
    if ((!west && !take_char(rest, '+')) || !take_digits(rest, 2, &hours)) {
        return false;
    }
    (void)take_char(rest, ':');
    if (rest->len > 0 && !take_digits(rest, 2, &minutes)) {
        return false;
    }
    out->has_zone = true;
    out->zone_minutes = (hours * 60 + minutes) * (west ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

static bool is_time_valid(const struct instant *instant)
{
    if (instant->hour == 24) {
        return instant->minute == 0 && instant->second == 0 && instant->millisecond == 0;
    }
    return instant->hour <= 23 && instant->minute <= 59 && instant->second <= 60;
}

static bool take_time(struct view *rest, struct instant *out)
{
    out->has_time = true;
    if (!take_digits(rest, 2, &out->hour) || !take_char(rest, ':') ||
        !take_digits(rest, 2, &out->minute)) {
        return false;
    }
    if (take_char(rest, ':')) {
        if (!take_digits(rest, 2, &out->second)) {
            return false;
        }
        bool has_fraction = take_char(rest, '.') || take_char(rest, ',');
        if (has_fraction && !take_fraction(rest, &out->millisecond)) {
            return false;
        }
    }
    return is_time_valid(out) && (rest->len == 0 || take_zone(rest, out));
}

bool calendar_parse(struct view text, struct instant *out)
{
    *out = (struct instant){0};
    bool before_christ = take_char(&text, '-');
    if (!take_digits(&text, 4, &out->date.year) || !take_char(&text, '-') ||
        !take_digits(&text, 2, &out->date.month) || !take_char(&text, '-') ||
        !take_digits(&text, 2, &out->date.day)) {
        return false;
    }
    out->date.year = before_christ ? -out->date.year : out->date.year;
    if (!calendar_is_valid(out->date)) {
        return false;
    }
    if (text.len == 0) {
        return true;
    }
    bool has_time = take_char(&text, 'T') || take_char(&text, 't') || take_char(&text, ' ');
    return has_time && take_time(&text, out) && text.len == 0;
}

size_t calendar_format(const struct instant *instant, char out[CALENDAR_TEXT_SIZE])
{
    const struct civil *date = &instant->date;
    size_t size = CALENDAR_TEXT_SIZE;
    size_t len =
        (size_t)snprintf(out, size, "%s%04d-%02d-%02d", date->year < 0 ? "-" : "",
                         date->year < 0 ? -date->year : date->year, date->month, date->day);
    if (!instant->has_time) {
        return len;
    }
    len += (size_t)snprintf(out + len, size - len, "T%02d:%02d", instant->hour, instant->minute);
    if (instant->second || instant->millisecond) {
        len += (size_t)snprintf(out + len, size - len, ":%02d", instant->second);
    }
    if (instant->millisecond) {
        len += (size_t)snprintf(out + len, size - len, ".%03d", instant->millisecond);
    }
    if (instant->has_zone) {
        int32_t minutes = instant->zone_minutes;
        int32_t size_of = minutes < 0 ? -minutes : minutes;
        len += minutes == 0 ? (size_t)snprintf(out + len, size - len, "Z")
                            : (size_t)snprintf(out + len, size - len, "%c%02d:%02d",
                                               minutes < 0 ? '-' : '+', size_of / 60, size_of % 60);
    }
    return len;
}

int64_t calendar_unix_ms(const struct instant *instant)
{
    int64_t minutes = (int64_t)instant->hour * 60 + instant->minute - instant->zone_minutes;
    return (int64_t)calendar_day(instant->date) * DAY_MS + minutes * 60000 +
           (int64_t)instant->second * 1000 + instant->millisecond;
}

struct instant calendar_from_unix_ms(int64_t unix_ms)
{
    int64_t first = (int64_t)calendar_day((struct civil){CALENDAR_YEAR_MIN, 1, 1}) * DAY_MS;
    int64_t past = (int64_t)calendar_day((struct civil){CALENDAR_YEAR_MAX + 1, 1, 1}) * DAY_MS;
    unix_ms = unix_ms < first ? first : unix_ms >= past ? past - 1 : unix_ms;
    int64_t day = floor_div(unix_ms, DAY_MS);
    int32_t ms = (int32_t)(unix_ms - day * DAY_MS);
    return (struct instant){
        .date = calendar_civil((int32_t)day),
        .has_time = true,
        .has_zone = true,
        .hour = ms / 3600000,
        .minute = ms / 60000 % 60,
        .second = ms / 1000 % 60,
        .millisecond = ms % 1000,
    };
}
