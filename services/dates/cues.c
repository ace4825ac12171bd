#include "services/dates/cues.h"

enum { CUE_REACH = 24 };

static bool is_past_form(const struct piece *piece, struct view text)
{
    struct view word = view_slice(text, piece->start, piece->end);
    return piece->kind == PIECE_WORD && !piece->capital && word.len > 4 &&
           view_ends(word, VIEW("ed")) && !view_ends(word, VIEW("eed"));
}

static bool ends_clause(const struct piece *piece, struct view text)
{
    char c = text.at[piece->start];
    return piece->kind == PIECE_MARK && (c == '.' || c == ';' || c == '!' || c == '?');
}

struct cue_found cues_find(const struct lexicon *lexicon, const struct pieces *pieces,
                           struct view text, uint32_t first)
{
    bool to_ahead = false;
    for (uint32_t i = first, steps = 0; i-- > 0 && steps < CUE_REACH; steps++) {
        const struct piece *piece = &pieces->at[i];
        if (ends_clause(piece, text) || pieces->at[i + 1].lined) {
            break;
        }
        enum cue cue = (enum cue)lexicon->entries[piece->entry].cue;
        if (cue == CUE_FUTURE || (cue == CUE_PLAN && to_ahead)) {
            return (struct cue_found){CUE_FUTURE, i};
        }
        if (cue == CUE_PAST || (cue == CUE_NONE && is_past_form(piece, text))) {
            return (struct cue_found){CUE_PAST, i};
        }
        if (cue == CUE_TO) {
            to_ahead = true;
        }
    }
    return (struct cue_found){CUE_NONE, first};
}
