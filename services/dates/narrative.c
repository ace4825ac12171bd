#include "services/dates/narrative.h"

#include "services/dates/moment.h"

static bool is_four_digits(const struct piece *piece)
{
    return piece->kind == PIECE_NUMBER && piece->end - piece->start == 4;
}

static bool is_near(const struct entry *entry)
{
    for (size_t i = 0; i < entry->sense_count && !entry->guarded; i++) {
        if (entry->senses[i].class == CLASS_WEEKDAY || entry->senses[i].class == CLASS_DEICTIC) {
            return true;
        }
    }
    return false;
}

static bool is_era(const struct entry *entry)
{
    return entry->sense_count > 0 && entry->senses[0].class == CLASS_ERA && !entry->guarded;
}

struct tempo narrative_tempo(const struct lexicon *lexicon, const struct pieces *pieces,
                             struct view text, int32_t year)
{
    struct tempo tempo = {0, 0};
    for (size_t i = 0; i < pieces->len; i++) {
        const struct piece *piece = &pieces->at[i];
        uint64_t value;
        if (piece->entry) {
            tempo.near += is_near(&lexicon->entries[piece->entry]);
            tempo.far += is_era(&lexicon->entries[piece->entry]);
        } else if (is_four_digits(piece) &&
                   view_parse_u64(view_slice(text, piece->start, piece->end), &value) &&
                   value >= 1000 && value < 2200) {
            bool close =
                year != MOMENT_UNKNOWN && (int32_t)value > year - 2 && (int32_t)value < year + 2;
            tempo.far += !close;
        }
    }
    return tempo;
}

bool narrative_is_history(struct tempo tempo)
{
    return tempo.far >= 12 && 2 * tempo.far > 5 * tempo.near;
}
