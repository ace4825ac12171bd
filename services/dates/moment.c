#include "services/dates/moment.h"

#include <stdio.h>

struct moment moment_of(enum grain grain)
{
    return (struct moment){.grain = grain, .year = MOMENT_UNKNOWN, .clock = -1, .seconds = -1};
}

enum grain moment_grain(enum unit unit)
{
    static const uint8_t grains[] = {
        [UNIT_DAY] = GRAIN_DAY,
        [UNIT_WEEK] = GRAIN_WEEK,
        [UNIT_FORTNIGHT] = GRAIN_WEEK,
        [UNIT_MONTH] = GRAIN_MONTH,
        [UNIT_QUARTER] = GRAIN_QUARTER,
        [UNIT_YEAR] = GRAIN_YEAR,
        [UNIT_DECADE] = GRAIN_DECADE,
        [UNIT_CENTURY] = GRAIN_CENTURY,
        [UNIT_MILLENNIUM] = GRAIN_MILLENNIUM,
    };
    return (enum grain)grains[unit];
}

static int32_t season_of(int32_t month)
{
    static const char names[4][3] = {"WI", "SP", "SU", "FA"};
    const char *name = names[month % 12 / 3];
    return lexicon_pack(name[0], name[1]);
}

struct moment moment_at(int32_t day, enum grain grain)
{
    struct civil date = calendar_civil(day);
    struct iso_week week = calendar_week(day);
    struct moment moment = moment_of(grain);
    moment.year = date.year > 0 ? date.year : date.year - 1;
    moment.month = date.month;
    moment.day = date.day;
    switch (grain) {
    case GRAIN_WEEK:
    case GRAIN_WEEKEND:
        moment.year = week.year;
        moment.sub = week.week;
        break;
    case GRAIN_QUARTER:
        moment.sub = (date.month - 1) / 3 + 1;
        break;
    case GRAIN_HALF:
        moment.sub = (date.month - 1) / 6 + 1;
        break;
    case GRAIN_SEASON:
        moment.sub = season_of(date.month);
        break;
    default:
        break;
    }
    return moment;
}

static int32_t first_month(const struct moment *moment)
{
    switch (moment->grain) {
    case GRAIN_QUARTER:
        return moment->sub * 3 - 2;
    case GRAIN_HALF:
        return moment->sub * 6 - 5;
    case GRAIN_SEASON:
        return moment->sub == lexicon_pack('S', 'P')   ? 3
               : moment->sub == lexicon_pack('S', 'U') ? 6
               : moment->sub == lexicon_pack('F', 'A') ? 9
                                                       : 12;
    case GRAIN_DAY:
    case GRAIN_MONTH:
        return moment->month;
    default:
        return 1;
    }
}

bool moment_first_day(const struct moment *moment, int32_t *day)
{
    if (moment->year == MOMENT_UNKNOWN || moment->year < CALENDAR_YEAR_MIN ||
        moment->year > CALENDAR_YEAR_MAX) {
        return false;
    }
    int32_t year = moment->year < 0 ? moment->year + 1 : moment->year; // 1 BC is year 0
    if (moment->grain == GRAIN_WEEK || moment->grain == GRAIN_WEEKEND) {
        *day = calendar_week_monday((struct iso_week){year, moment->sub}) +
               (moment->grain == GRAIN_WEEKEND ? 5 : 0);
        return moment->sub > 0;
    }
    int32_t month = first_month(moment);
    struct civil date = {year, month > 0 ? month : 1, 1};
    if (moment->grain == GRAIN_DAY && moment->day > 0) {
        date.day = moment->day;
    }
    *day = calendar_is_valid(date) ? calendar_day(date) : 0;
    return calendar_is_valid(date);
}

static int32_t unit_months(enum unit unit)
{
    switch (unit) {
    case UNIT_MONTH:
        return 1;
    case UNIT_QUARTER:
        return 3;
    case UNIT_YEAR:
        return 12;
    case UNIT_DECADE:
        return 120;
    case UNIT_CENTURY:
        return 1200;
    default:
        return 0;
    }
}

struct moment moment_shift(const struct moment *moment, int32_t count, enum unit unit)
{
    struct moment out = *moment;
    int32_t day;
    int32_t days = unit == UNIT_WEEK ? 7 : unit == UNIT_FORTNIGHT ? 14 : unit == UNIT_DAY ? 1 : 0;
    int64_t months = (int64_t)unit_months(unit) * count;
    if (!moment_first_day(moment, &day) || count > 100000 || count < -100000) {
        return out;
    }
    if (days) {
        out = moment_at(day + count * days, moment->grain);
    } else if (months && months < 60000 && months > -60000) {
        struct civil date = calendar_add_months(calendar_civil(day), (int32_t)months);
        if (calendar_is_valid(date)) {
            int32_t sub = out.sub;
            out = moment_at(calendar_day(date), moment->grain);
            out.sub = moment->grain == GRAIN_SEASON ? sub : out.sub;
        }
    }
    out.part = moment->part;
    out.clock = moment->clock;
    out.seconds = moment->seconds;
    out.fuzzy = moment->fuzzy;
    return out;
}

// Decades and centuries are the year without its last digits.
static size_t print_year(const struct moment *moment, int drop, char *out)
{
    size_t size = MOMENT_VALUE_SIZE;
    if (moment->year == MOMENT_UNKNOWN) {
        return (size_t)snprintf(out, size, "%s", &"XXXX"[drop]);
    }
    int32_t by = drop == 1 ? 10 : drop == 2 ? 100 : drop == 3 ? 1000 : 1;
    int32_t year = moment->year < 0 ? -moment->year : moment->year;
    return (size_t)snprintf(out, size, "%s%0*d", moment->year < 0 ? "BC" : "", 4 - drop, year / by);
}

static size_t print_day(const struct moment *moment, char *out, size_t size)
{
    bool by_week = moment->weekday && !moment->month && !moment->day;
    if (by_week) {
        return (size_t)snprintf(out, size, "-WXX-%d", moment->weekday);
    }
    size_t len = moment->month ? (size_t)snprintf(out, size, "-%02d", moment->month)
                               : (size_t)snprintf(out, size, "-XX");
    return len + (moment->day && !moment->fuzzy
                      ? (size_t)snprintf(out + len, size - len, "-%02d", moment->day)
                      : (size_t)snprintf(out + len, size - len, "-XX"));
}

static size_t print_grain(const struct moment *moment, char *out, size_t size)
{
    switch (moment->grain) {
    case GRAIN_DAY:
        return print_day(moment, out, size);
    case GRAIN_WEEK:
    case GRAIN_WEEKEND: {
        const char *tail = moment->grain == GRAIN_WEEKEND ? "-WE" : "";
        return moment->sub ? (size_t)snprintf(out, size, "-W%02d%s", moment->sub, tail)
                           : (size_t)snprintf(out, size, "-WXX%s", tail);
    }
    case GRAIN_MONTH:
        return moment->month ? (size_t)snprintf(out, size, "-%02d", moment->month)
                             : (size_t)snprintf(out, size, "-XX");
    case GRAIN_SEASON:
        return (size_t)snprintf(out, size, "-%c%c", moment->sub / 256, moment->sub % 256);
    case GRAIN_QUARTER:
    case GRAIN_HALF: {
        char letter = moment->grain == GRAIN_HALF ? 'H' : 'Q';
        return moment->sub ? (size_t)snprintf(out, size, "-%c%d", letter, moment->sub)
                           : (size_t)snprintf(out, size, "-%cX", letter);
    }
    default:
        return 0;
    }
}

size_t moment_print(const struct moment *moment, char out[MOMENT_VALUE_SIZE])
{
    size_t size = MOMENT_VALUE_SIZE;
    int drop = moment->grain >= GRAIN_DECADE ? (int)moment->grain - GRAIN_YEAR : 0;
    size_t len = print_year(moment, drop, out);
    len += print_grain(moment, out + len, size - len);
    if (moment->clock >= 0) {
        len += (size_t)snprintf(out + len, size - len, "T%02d:%02d", moment->clock / 60,
                                moment->clock % 60);
        if (moment->seconds >= 0) {
            len += (size_t)snprintf(out + len, size - len, ":%02d", moment->seconds);
        }
    } else if (moment->part) {
        len += (size_t)snprintf(out + len, size - len, "T%c%c", moment->part / 256,
                                moment->part % 256);
    }
    return len;
}
