#include "services/dates/conflict.h"

enum {
    AHEAD_DAYS = 30,   // a month-day this far ahead did not just happen
    FRESH_DAYS = 2,    // between the newest event and the writing
    FIRST_YEAR = 2005, // no candidate before: pages of news on the web
    FIT_YEARS = 15,    // how far another year is looked for
};

static enum tell_kind kind_of(const struct frame *frame)
{
    bool month = frame_has(frame, CLASS_MONTH);
    bool day = frame_has(frame, CLASS_DAY);
    bool year = frame_has(frame, CLASS_YEAR);
    if (frame->op == OP_UNIT && frame_get(frame, CLASS_UNIT, 0) == UNIT_MONTH &&
        frame_get(frame, CLASS_DIR, DIR_NONE) == DIR_THIS) {
        return TELL_THIS_MONTH;
    }
    if (frame->op != OP_CALENDAR || frame_has(frame, CLASS_ERA) || frame_has(frame, CLASS_DIR)) {
        return TELL_OTHER;
    }
    if (month && day) {
        return year ? TELL_DAY : TELL_MONTH_DAY;
    }
    bool bare = frame_has(frame, CLASS_WEEKDAY) && !month && !frame_has(frame, CLASS_NUMERIC);
    return bare ? TELL_WEEKDAY : TELL_OTHER;
}

void conflict_tell(struct tells *tells, struct resolver *resolver, const struct frame *frame,
                   struct span span)
{
    enum tell_kind kind = kind_of(frame);
    if (kind == TELL_OTHER || tells->len == TELL_LIMIT) {
        return;
    }
    struct cue_found before =
        cues_find(resolver->lexicon, resolver->pieces, resolver->text, frame->first);
    enum cue cue = before.cue;
    if (cue == CUE_NONE) {
        cue = cues_ahead(resolver->lexicon, resolver->pieces, resolver->text, frame->last);
    }
    tells->at[tells->len++] = (struct tell){
        .kind = kind,
        .span = span,
        .cue = cue,
        .year = frame_get(frame, CLASS_YEAR, 0),
        .month = frame_get(frame, CLASS_MONTH, 0),
        .day = frame_get(frame, CLASS_DAY, 0),
        .weekday = frame_get(frame, CLASS_WEEKDAY, 0),
    };
}

static bool falls_on(int32_t year, const struct tell *tell)
{
    struct civil date = {year, tell->month, tell->day};
    return calendar_is_valid(date) &&
           (int32_t)calendar_weekday(calendar_day(date)) == tell->weekday;
}

// The spans of weekday and month-day pairs that fit none of the years around the day but some other year.
static size_t find_misfits(const struct tells *tells, int32_t published, struct span *spans,
                           size_t limit)
{
    int32_t year = calendar_civil(published).year;
    size_t count = 0;
    for (size_t i = 0; i < tells->len; i++) {
        const struct tell *tell = &tells->at[i];
        if (tell->kind != TELL_MONTH_DAY || tell->weekday == 0) {
            continue;
        }
        if (falls_on(year - 1, tell) || falls_on(year, tell) || falls_on(year + 1, tell)) {
            return 0;
        }
        for (int32_t off = 2; off <= FIT_YEARS && count < limit; off++) {
            if (falls_on(year - off, tell) || falls_on(year + off, tell)) {
                spans[count++] = tell->span;
                break;
            }
        }
    }
    return count;
}

// Full days told as past that lie after the day of publication; one alone may be a date of maturity or a slip.
static size_t find_unborn(const struct tells *tells, int32_t published, struct span *spans,
                          size_t limit)
{
    size_t count = 0;
    for (size_t i = 0; i < tells->len && count < limit; i++) {
        const struct tell *tell = &tells->at[i];
        struct civil date = {tell->year, tell->month, tell->day};
        if (tell->kind == TELL_DAY && tell->cue == CUE_PAST && calendar_is_valid(date) &&
            calendar_day(date) > published + 1) {
            spans[count++] = tell->span;
        }
    }
    return count >= 2 ? count : 0;
}

// Days from the day of publication to the nearest such month-day, behind or ahead.
static int32_t days_to(const struct tell *tell, int32_t published)
{
    int32_t year = calendar_civil(published).year;
    int32_t nearest = INT32_MAX;
    for (int32_t y = year - 1; y <= year + 1; y++) {
        struct civil date = {y, tell->month, tell->day};
        if (calendar_is_valid(date)) {
            int32_t off = calendar_day(date) - published;
            bool nearer = (off < 0 ? -off : off) < (nearest < 0 ? -nearest : nearest);
            nearest = nearer ? off : nearest;
        }
    }
    return nearest;
}

static bool speaks_of_now(const struct tells *tells)
{
    for (size_t i = 0; i < tells->len; i++) {
        const struct tell *tell = &tells->at[i];
        if (tell->kind == TELL_THIS_MONTH ||
            (tell->kind == TELL_WEEKDAY && tell->cue == CUE_PAST)) {
            return true;
        }
    }
    return false;
}

// Month-days told as past that all lie well ahead of the day.
static size_t find_ahead(const struct tells *tells, int32_t published, struct span *spans,
                         size_t limit)
{
    size_t count = 0;
    if (!speaks_of_now(tells)) {
        return 0;
    }
    for (size_t i = 0; i < tells->len; i++) {
        const struct tell *tell = &tells->at[i];
        if (tell->kind != TELL_MONTH_DAY) {
            continue;
        }
        if (days_to(tell, published) < AHEAD_DAYS) {
            return 0;
        }
        if (tell->cue == CUE_PAST && count < limit) {
            spans[count++] = tell->span;
        }
    }
    return count >= 2 ? count : 0;
}

size_t conflict_find(const struct tells *tells, int32_t published, struct span *spans, size_t limit)
{
    size_t count = find_misfits(tells, published, spans, limit);
    count = count ? count : find_unborn(tells, published, spans, limit);
    return count ? count : find_ahead(tells, published, spans, limit);
}

// The newest month-day told as past; NULL when there is none. Within one story the year does not turn unless December and
// January both occur, and then nothing is inferred.
static const struct tell *newest(const struct tells *tells)
{
    const struct tell *best = NULL;
    bool winter[2] = {false, false};
    for (size_t i = 0; i < tells->len; i++) {
        const struct tell *tell = &tells->at[i];
        if (tell->kind != TELL_MONTH_DAY) {
            continue;
        }
        winter[0] |= tell->month == 1;
        winter[1] |= tell->month == 12;
        bool later = !best || tell->month * 32 + tell->day > best->month * 32 + best->day;
        best = tell->cue == CUE_PAST && later ? tell : best;
    }
    return winter[0] && winter[1] ? NULL : best;
}

static const struct tell *first_of(const struct tells *tells, enum tell_kind kind, enum cue cue)
{
    for (size_t i = 0; i < tells->len; i++) {
        if (tells->at[i].kind == kind && (cue == CUE_NONE || tells->at[i].cue == cue)) {
            return &tells->at[i];
        }
    }
    return NULL;
}

// A story says "on Wednesday" of the same day or the day before.
static bool is_weekday_fresh(const struct tell *told, int32_t day)
{
    int32_t behind = ((int32_t)calendar_weekday(day) - told->weekday + 7) % 7;
    return behind <= 1;
}

static void add_candidates(const struct tell *event, const struct tell *told, int32_t not_after,
                           struct inferred *out)
{
    size_t room = sizeof out->candidates / sizeof out->candidates[0];
    for (int32_t year = calendar_civil(not_after).year; year >= FIRST_YEAR; year--) {
        struct civil date = {year, event->month, event->day};
        if (!calendar_is_valid(date)) {
            continue;
        }
        for (int32_t off = FRESH_DAYS; off >= 0; off--) {
            int32_t day = calendar_day(date) + off;
            if (day <= not_after && is_weekday_fresh(told, day) && out->candidate_count < room) {
                out->candidates[out->candidate_count++] = calendar_civil(day);
            }
        }
    }
}

bool conflict_infer(const struct tells *tells, bool has_bound, int32_t not_after,
                    struct inferred *out)
{
    const struct tell *event = newest(tells);
    const struct tell *month = first_of(tells, TELL_THIS_MONTH, CUE_NONE);
    const struct tell *told = first_of(tells, TELL_WEEKDAY, CUE_PAST);
    *out = (struct inferred){0};
    if (!event || !month || !told || first_of(tells, TELL_DAY, CUE_PAST)) {
        return false;
    }
    struct civil in_leap_year = {2000, event->month, event->day};
    struct civil latest = calendar_civil(calendar_day(in_leap_year) + FRESH_DAYS);
    out->earliest = (struct civil){0, event->month, event->day};
    out->latest = (struct civil){0, latest.month, latest.day};
    out->reasons[out->reason_count++] = event->span;
    out->reasons[out->reason_count++] = month->span;
    out->reasons[out->reason_count++] = told->span;
    if (has_bound) {
        add_candidates(event, told, not_after, out);
    }
    return true;
}
