#include "services/dates/cues.h"

enum { CUE_REACH = 24, AHEAD_REACH = 16 };

// The walk back from an expression.
struct walk {
    const struct lexicon *lexicon;
    const struct pieces *pieces;
    struct view text;
    uint32_t to; // the last "to" that was passed; UINT32_MAX: none
};

static struct view word_at(const struct walk *walk, uint32_t i)
{
    return view_slice(walk->text, walk->pieces->at[i].start, walk->pieces->at[i].end);
}

static bool is_word(const struct walk *walk, uint32_t i, const char *word)
{
    return i < walk->pieces->len && view_equal_nocase(word_at(walk, i), view_of(word));
}

static enum cue cue_at(const struct walk *walk, uint32_t i)
{
    return (enum cue)walk->lexicon->entries[walk->pieces->at[i].entry].cue;
}

// A verb of the past by its ending: resumed, but not indeed.
static bool is_past_form(const struct walk *walk, uint32_t i)
{
    const struct piece *piece = &walk->pieces->at[i];
    struct view word = word_at(walk, i);
    if (i > 0 && (is_word(walk, i - 1, "be") || cue_at(walk, i - 1) == CUE_BE)) {
        return false; // to be published, is expected
    }
    return piece->kind == PIECE_WORD && !piece->capital && word.len > 4 &&
           view_ends(word, VIEW("ed")) && !view_ends(word, VIEW("eed"));
}

static bool ends_clause(const struct walk *walk, uint32_t i)
{
    const struct piece *piece = &walk->pieces->at[i];
    return piece->kind == PIECE_MARK && memchr(".;!?", walk->text.at[piece->start], 4);
}

// "had been scheduled", "was expected": the plan itself lies in the past.
static bool is_told_in_past(const struct walk *walk, uint32_t i)
{
    for (uint32_t back = 1; back <= 3 && back <= i; back++) {
        if (is_word(walk, i - back, "had") || is_word(walk, i - back, "was") ||
            is_word(walk, i - back, "were")) {
            return true;
        }
    }
    return false;
}

// What stands right before the expression: until Friday, as soon as Tuesday, ahead of the weekend.
static bool leads_ahead(const struct walk *walk, uint32_t first)
{
    if (first == 0) {
        return false;
    }
    bool as_soon = first >= 3 && is_word(walk, first - 1, "as") && is_word(walk, first - 3, "as") &&
                   (is_word(walk, first - 2, "soon") || is_word(walk, first - 2, "early"));
    bool ahead = first >= 2 && is_word(walk, first - 1, "of") && is_word(walk, first - 2, "ahead");
    return as_soon || ahead || cue_at(walk, first - 1) == CUE_UNTIL;
}

// What the word at `i` decides; CUE_NONE: walk on.
static enum cue judge(struct walk *walk, uint32_t i)
{
    switch (cue_at(walk, i)) {
    case CUE_FUTURE:
        return CUE_FUTURE;
    case CUE_PAST:
        return CUE_PAST;
    case CUE_TO:
        walk->to = i;
        return is_word(walk, i + 1, "be") && !is_told_in_past(walk, i) ? CUE_FUTURE : CUE_NONE;
    case CUE_BE:
        return walk->to == i + 1 ? CUE_FUTURE : CUE_NONE;
    case CUE_PLAN:
        return walk->to == UINT32_MAX ? CUE_NONE : is_told_in_past(walk, i) ? CUE_PAST : CUE_FUTURE;
    case CUE_SET:
        return is_told_in_past(walk, i) ? CUE_PAST : CUE_FUTURE;
    default:
        return is_past_form(walk, i) ? CUE_PAST : CUE_NONE;
    }
}

struct cue_found cues_find(const struct lexicon *lexicon, const struct pieces *pieces,
                           struct view text, uint32_t first)
{
    struct walk walk = {lexicon, pieces, text, UINT32_MAX};
    if (leads_ahead(&walk, first)) {
        return (struct cue_found){CUE_FUTURE, first - 1};
    }
    for (uint32_t i = first, steps = 0; i-- > 0 && steps < CUE_REACH; steps++) {
        if (ends_clause(&walk, i) || pieces->at[i + 1].lined) {
            break;
        }
        enum cue cue = judge(&walk, i);
        if (cue != CUE_NONE) {
            return (struct cue_found){cue, i};
        }
    }
    return (struct cue_found){CUE_NONE, first};
}

enum cue cues_ahead(const struct lexicon *lexicon, const struct pieces *pieces, struct view text,
                    uint32_t last)
{
    struct walk walk = {lexicon, pieces, text, UINT32_MAX};
    for (uint32_t i = last + 1; i < pieces->len && i <= last + AHEAD_REACH; i++) {
        if (ends_clause(&walk, i) || pieces->at[i].lined) {
            break;
        }
        enum cue cue = cue_at(&walk, i);
        if (cue == CUE_FUTURE || cue == CUE_PLAN || cue == CUE_SET) {
            return CUE_FUTURE;
        }
        if (cue == CUE_PAST || is_past_form(&walk, i)) {
            return CUE_PAST;
        }
    }
    return CUE_NONE;
}
