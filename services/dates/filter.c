#include "services/dates/filter.h"

// The expression and the pieces around it.
struct scene {
    const struct resolver *resolver;
    const struct frame *frame;
    const struct result *result;
    const struct piece *before, *first, *last, *after; // before and after may be NULL
    enum op op;
    enum unit unit;   // 0: none
    enum unit plural; // 0: none
};

static struct view word_of(const struct scene *scene, const struct piece *piece)
{
    return piece ? view_slice(scene->resolver->text, piece->start, piece->end) : VIEW("");
}

// `words` ends with NULL; letters are compared without case.
static bool is_among(const struct scene *scene, const struct piece *piece, const char *const *words)
{
    struct view word = word_of(scene, piece);
    for (; piece && *words; words++) {
        if (view_equal_nocase(word, view_of(*words))) {
            return true;
        }
    }
    return false;
}

static bool is_word(const struct scene *scene, const struct piece *piece, const char *word)
{
    return is_among(scene, piece, (const char *const[]){word, NULL});
}

static bool is_single(const struct scene *scene)
{
    return scene->first == scene->last;
}

static bool has(const struct scene *scene, enum word_class class)
{
    return frame_has(scene->frame, class);
}

static const char *refuse_empty(const struct scene *scene)
{
    return scene->result->value[0] ? NULL : "no such day, or no reading";
}

// May, March, Sun, Sat: alone they need a capital and a word that leads to a date.
static const char *refuse_guarded(const struct scene *scene)
{
    static const char *const leads[] = {"in",   "of", "since",  "by",    "until",   "till",
                                        "from", "to", "during", "for",   "through", "before",
                                        "and",  "or", "on",     "after", "between", NULL};
    if (!scene->resolver->lexicon->entries[scene->first->entry].guarded || !is_single(scene)) {
        return NULL;
    }
    if (!scene->first->capital) {
        return "a common word";
    }
    struct view word = word_of(scene, scene->first);
    if (has(scene, CLASS_MONTH) && word.len == 3 && !view_equal_nocase(word, VIEW("may"))) {
        return "a short month without its stop";
    }
    if (has(scene, CLASS_WEEKDAY)) {
        bool meant = view_ends(word, VIEW(".")) || is_word(scene, scene->before, "on");
        return meant ? NULL : "a short weekday without support";
    }
    bool led = !scene->first->lined && is_among(scene, scene->before, leads);
    return led ? NULL : "a guarded word without support";
}

// "a second term", "a quarter of the votes", "their quarters".
static const char *refuse_fraction(const struct scene *scene)
{
    int32_t num = frame_get(scene->frame, CLASS_NUM, 0);
    bool quarter = scene->unit == UNIT_QUARTER || scene->plural == UNIT_QUARTER;
    bool written_out = scene->last->start - scene->first->start >= 3;
    if (scene->op != OP_DURATION) {
        return NULL;
    }
    if (num == 100 && !written_out && (scene->unit == UNIT_SECOND || quarter)) {
        return "a second or a quarter of something";
    }
    if (quarter && (is_word(scene, scene->after, "of") || num == 300 || num == 0)) {
        return "quarters of something";
    }
    return NULL;
}

// "the future of Iraq", "the day", "at night", "60 miles per hour".
static const char *refuse_general(const struct scene *scene)
{
    bool the_day = scene->op == OP_UNIT && scene->unit == UNIT_DAY && !has(scene, CLASS_AGO) &&
                   !has(scene, CLASS_MOD) && !has(scene, CLASS_EDGE) &&
                   frame_get(scene->frame, CLASS_DIR, DIR_THIS) == DIR_THE;
    bool named = has(scene, CLASS_EACH) || has(scene, CLASS_PERIODIC) || has(scene, CLASS_TIMES) ||
                 has(scene, CLASS_WEEKDAYS);
    if (has(scene, CLASS_TENSE) && is_word(scene, scene->after, "of")) {
        return "the past or future of something";
    }
    if (the_day) {
        return "a day in general";
    }
    if (scene->op == OP_CLOCK && is_single(scene) && has(scene, CLASS_PART)) {
        return "a part of the day in general";
    }
    return scene->op == OP_SET && !named && scene->unit < UNIT_DAY ? "a speed" : NULL;
}

// "the 18th" is a day only after "on", and only in figures; "the day after" only when nothing follows it.
static const char *refuse_bare(const struct scene *scene)
{
    bool bare_day = scene->op == OP_CALENDAR && has(scene, CLASS_DAY) && !has(scene, CLASS_MONTH) &&
                    !has(scene, CLASS_NUMERIC);
    bool in_figures = scene->last->kind == PIECE_NUMBER &&
                      scene->last->end - scene->last->start > 2 &&
                      is_word(scene, scene->before, "on");
    bool bare_shift = scene->op == OP_SHIFT && has(scene, CLASS_SIDE) && !scene->frame->base;
    bool closed = !scene->after || scene->after->lined || scene->after->kind == PIECE_MARK;
    if (bare_day && !in_figures) {
        return "a rank or a number";
    }
    return bare_shift && !closed ? "counted from an event" : NULL;
}

// "in his 30s", "the 747s": decades of two figures need their apostrophe.
static const char *refuse_decade(const struct scene *scene)
{
    static const char *const owners[] = {"his", "her", "their", "my", "our", "your", NULL};
    bool short_form = scene->first->kind == PIECE_NUMBER && word_of(scene, scene->first).len == 3;
    bool owned = is_among(scene, scene->before, owners);
    return scene->op == OP_DECADE && (short_form || owned) ? "an age or a number" : NULL;
}

// "1400 troops": digits before a plural noun, and no word before them that leads to a year.
static bool is_quantity(const struct scene *scene)
{
    static const char *const leads[] = {
        "the",    "in",     "of",   "since", "by",  "until", "from",          "for",     "a",
        "to",     "and",    "or",   "'s",    "its", "their", "his",           "her",     "our",
        "during", "before", "late", "early", "mid", "after", "\xe2\x80\x99s", "between", "-",
        "(",      NULL};
    struct view after = word_of(scene, scene->after);
    bool plural = after.len > 3 && scene->after->kind == PIECE_WORD && !scene->after->capital &&
                  scene->after->entry == 0 && after.at[after.len - 1] == 's' &&
                  after.at[after.len - 2] != 's';
    return plural && !is_among(scene, scene->before, leads);
}

// The length of the number that a hyphen ties to piece `at` from the left or the right; 0 when there is none.
static size_t tied_number(const struct scene *scene, uint32_t at, int step)
{
    const struct pieces *pieces = scene->resolver->pieces;
    int64_t dash = (int64_t)at + step;
    int64_t number = (int64_t)at + 2 * step;
    if (number < 0 || number >= (int64_t)pieces->len) {
        return 0;
    }
    const struct piece *mark = &pieces->at[dash];
    const struct piece *other = &pieces->at[number];
    bool loose = mark->spaced || (step < 0 ? pieces->at[at].spaced : other->spaced);
    bool tied = !loose && is_word(scene, mark, "-") && other->kind == PIECE_NUMBER;
    return tied ? other->end - other->start : 0;
}

// 2010 in 555-2010-2015: digits tied by hyphens to others that are no year.
static bool is_part_of_number(const struct scene *scene)
{
    uint32_t at = scene->frame->first;
    size_t left = tied_number(scene, at, -1);
    size_t right = tied_number(scene, at, 1);
    bool chain = left > 0 && at >= 2 && tied_number(scene, at - 2, -1) > 0;
    return (left > 0 && left != 4) || (right > 0 && right != 4 && right != 2) || chain;
}

// A word with a capital that is part of no date.
static bool is_name(const struct piece *piece)
{
    return piece && piece->kind == PIECE_WORD && piece->capital && piece->entry == 0;
}

// USA Today, the Winter Olympics: a capital inside a name.
static const char *refuse_name(const struct scene *scene)
{
    static const char *const events[] = {"olympics", "olympic",  "paralympics", "games",
                                         "palace",   "festival", NULL};
    bool inside = scene->last->capital && !scene->last->lined;
    bool today = scene->op == OP_DEICTIC && is_single(scene) && is_name(scene->before);
    bool season = scene->op == OP_CALENDAR && has(scene, CLASS_SEASON) && !has(scene, CLASS_YEAR) &&
                  is_among(scene, scene->after, events);
    return inside && (today || season) ? "part of a name" : NULL;
}

// "won in 2:08:35", "the second half": times and halves of a game.
static const char *refuse_sport(const struct scene *scene)
{
    bool bare_clock = scene->op == OP_CLOCK && is_single(scene) && has(scene, CLASS_CLOCK) &&
                      scene->first->kind == PIECE_NUMBER;
    bool seconds = bare_clock && frame_get(scene->frame, CLASS_CLOCK, 0) >> 12;
    if (seconds || (bare_clock && is_word(scene, scene->before, "in"))) {
        return "a result";
    }
    bool half = scene->op == OP_YEARPART && frame_get(scene->frame, CLASS_YEARPART, 4) == 2;
    bool bare_half = half && !has(scene, CLASS_YEAR) && !scene->frame->base;
    return bare_half ? "a half of something" : NULL;
}

// Four digits that are no year: money, shares, quantities, numbers of resolutions and flights.
static const char *refuse_year(const struct scene *scene)
{
    static const char *const signs[] = {"$", "\xe2\x82\xac", "\xc2\xa3", "#", "/", ".", NULL};
    static const char *const names[] = {"resolution", "flight", "no",    "number",  "section",
                                        "article",    "room",   "route", "highway", "chapter",
                                        "page",       "boeing", "order", "bill",    "act",
                                        "model",      "tel",    "+",     NULL};
    static const char *const shares[] = {"%", "percent", "per cent", NULL};
    bool led = scene->before && !scene->first->lined && scene->before->entry;
    if (!is_single(scene) || scene->first->kind != PIECE_NUMBER || !has(scene, CLASS_YEAR)) {
        return NULL;
    }
    if (!scene->resolver->is_english && !led) {
        return "a number without a word that leads to a year";
    }
    if (!scene->first->spaced && is_among(scene, scene->before, signs)) {
        return "money, a number or a path";
    }
    bool numbered = is_among(scene, scene->before, names);
    bool share = is_among(scene, scene->after, shares);
    return numbered || share || is_quantity(scene) || is_part_of_number(scene)
               ? "a number of something"
               : NULL;
}

const char *filter_refuses(const struct resolver *resolver, const struct frame *frame,
                           const struct result *result)
{
    static const char *(*const checks[])(const struct scene *) = {
        refuse_empty,  refuse_guarded, refuse_fraction, refuse_general, refuse_bare,
        refuse_decade, refuse_name,    refuse_sport,    refuse_year,
    };
    const struct pieces *pieces = resolver->pieces;
    struct scene scene = {
        .resolver = resolver,
        .frame = frame,
        .result = result,
        .first = &pieces->at[frame->first],
        .last = &pieces->at[frame->last],
        .before = frame->first > 0 ? &pieces->at[frame->first - 1] : NULL,
        .after = frame->last + 1 < pieces->len ? &pieces->at[frame->last + 1] : NULL,
        .op = (enum op)frame->op,
        .unit = (enum unit)frame_get(frame, CLASS_UNIT, UNIT_NONE),
        .plural = (enum unit)frame_get(frame, CLASS_PLURAL, UNIT_NONE),
    };
    const char *refusal = NULL;
    for (size_t i = 0; !refusal && i < sizeof checks / sizeof checks[0]; i++) {
        refusal = checks[i](&scene);
    }
    return refusal;
}
