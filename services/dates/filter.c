#include "services/dates/filter.h"

// The expression and the pieces around it.
struct scene {
    const struct resolver *resolver;
    const struct frame *frame;
    const struct result *result;
    const struct piece *before, *first, *last, *after; // before and after may be NULL
};

static struct view word_of(const struct scene *scene, const struct piece *piece)
{
    return piece ? view_slice(scene->resolver->text, piece->start, piece->end) : VIEW("");
}

static bool is_word(const struct scene *scene, const struct piece *piece, const char *const *words)
{
    struct view word = word_of(scene, piece);
    for (; *words; words++) {
        if (view_equal_nocase(word, view_of(*words))) {
            return true;
        }
    }
    return false;
}

static bool is_single(const struct scene *scene)
{
    return scene->first == scene->last;
}

static const char *refuse_guarded(const struct scene *scene)
{
    static const char *const supports[] = {
        "in",     "of",  "since",  "by",    "until", "till", "from", "through", "to",
        "during", "for", "before", "after", "and",   "or",   "on",   "between", NULL};
    bool guarded = scene->resolver->lexicon->entries[scene->first->entry].guarded;
    if (!guarded || !is_single(scene)) {
        return NULL;
    }
    if (!scene->first->capital) {
        return "a common word";
    }
    if (!scene->before || scene->first->lined || !is_word(scene, scene->before, supports)) {
        return "a guarded word without support";
    }
    return NULL;
}

// "a second term", "a quarter of the votes", "the future of Iraq".
static const char *refuse_other_sense(const struct scene *scene)
{
    const struct frame *frame = scene->frame;
    static const char *const of[] = {"of", NULL};
    bool single = frame->op == OP_DURATION && frame_get(frame, CLASS_NUM, 0) == 100 &&
                  scene->last->start - scene->first->start < 3;
    int32_t unit = frame_get(frame, CLASS_UNIT, UNIT_NONE);
    if (single && (unit == UNIT_SECOND || unit == UNIT_QUARTER)) {
        return "a second or a quarter of something";
    }
    if (frame->op == OP_CLOCK && is_single(scene) && frame_has(frame, CLASS_PART)) {
        return "a part of the day in general";
    }
    int32_t plural = frame_get(frame, CLASS_PLURAL, UNIT_NONE);
    if (frame->op == OP_DURATION && (unit == UNIT_QUARTER || plural == UNIT_QUARTER) &&
        (is_word(scene, scene->after, of) || frame_get(frame, CLASS_NUM, 0) == 300)) {
        return "quarters of something";
    }
    if (frame_has(frame, CLASS_TENSE) && is_word(scene, scene->after, of)) {
        return "the past or future of something";
    }
    if (frame->op == OP_UNIT && frame_get(frame, CLASS_DIR, 0) == 3 && unit == UNIT_DAY &&
        !frame_has(frame, CLASS_AGO) && !frame_has(frame, CLASS_MOD)) {
        return "a day in general";
    }
    return NULL;
}

// "the 18th" is a day only after "on", and only in figures; "the day after" only when nothing follows it.
static const char *refuse_bare(const struct scene *scene)
{
    const struct frame *frame = scene->frame;
    bool bare_day = frame->op == OP_CALENDAR && frame_has(frame, CLASS_DAY) &&
                    !frame_has(frame, CLASS_MONTH) && !frame_has(frame, CLASS_NUMERIC);
    bool in_figures = scene->last->kind == PIECE_NUMBER &&
                      scene->last->end - scene->last->start > 2 &&
                      is_word(scene, scene->before, (const char *const[]){"on", NULL});
    if (bare_day && !in_figures) {
        return "a rank or a number";
    }
    bool bare_shift = frame->op == OP_SHIFT && frame_has(frame, CLASS_SIDE) && !frame->base;
    bool closed = !scene->after || scene->after->lined || scene->after->kind == PIECE_MARK;
    return bare_shift && !closed ? "counted from an event" : NULL;
}

// Words after which four digits are a number of something else.
static bool is_numbered(const struct scene *scene)
{
    static const char *const names[] = {"resolution", "flight",  "no",    "number", "section",
                                        "article",    "chapter", "room",  "route",  "highway",
                                        "page",       "boeing",  "order", "bill",   "act",
                                        "+",          "tel",     "model", NULL};
    return is_word(scene, scene->before, names);
}

// "1400 troops": digits before a plural noun, and no word before them that leads to a year.
static bool is_quantity(const struct scene *scene)
{
    static const char *const leads[] = {
        "the",   "in",  "of",  "since",  "by",     "until",         "from",    "for",
        "a",     "to",  "and", "or",     "'s",     "\xe2\x80\x99s", "its",     "their",
        "his",   "her", "our", "during", "before", "after",         "between", "late",
        "early", "mid", "-",   "(",      NULL};
    struct view after = word_of(scene, scene->after);
    bool plural = after.len > 3 && scene->after->kind == PIECE_WORD && !scene->after->capital &&
                  scene->after->entry == 0 && after.at[after.len - 1] == 's' &&
                  after.at[after.len - 2] != 's';
    return plural && !is_word(scene, scene->before, leads);
}

static const char *refuse_year(const struct scene *scene)
{
    static const char *const marks[] = {"$", "\xe2\x82\xac", "\xc2\xa3", "#", "/", ".", NULL};
    if (!is_single(scene) || scene->first->kind != PIECE_NUMBER) {
        return NULL;
    }
    if (scene->before && !scene->first->spaced && is_word(scene, scene->before, marks)) {
        return "money, a number or a path";
    }
    bool led = scene->before && !scene->first->lined && scene->before->entry;
    if (!scene->resolver->is_english && frame_has(scene->frame, CLASS_YEAR) && !led) {
        return "a number without a word that leads to a year";
    }
    if (is_numbered(scene) || is_quantity(scene)) {
        return "a number of something";
    }
    if (scene->after && is_word(scene, scene->after, (const char *const[]){"%", "percent", NULL})) {
        return "a share";
    }
    return NULL;
}

const char *filter_refuses(const struct resolver *resolver, const struct island *island, size_t at,
                           const struct result *result)
{
    const struct frame *frame = &island->frames[island->items[at].senses[0].value];
    const struct pieces *pieces = resolver->pieces;
    struct scene scene = {.resolver = resolver, .frame = frame, .result = result};
    scene.first = &pieces->at[frame->first];
    scene.last = &pieces->at[frame->last];
    scene.before = frame->first > 0 ? &pieces->at[frame->first - 1] : NULL;
    scene.after = frame->last + 1 < pieces->len ? &pieces->at[frame->last + 1] : NULL;
    if (result->value[0] == '\0') {
        return "no such day, or no reading";
    }
    const char *refusal = refuse_guarded(&scene);
    refusal = refusal ? refusal : refuse_other_sense(&scene);
    refusal = refusal ? refusal : refuse_bare(&scene);
    return refusal ? refusal : refuse_year(&scene);
}
