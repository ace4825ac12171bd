#include "services/entities/consistency.h"

#include "common/map.h"

// The chance that the mentions of one name have gathered for each type.
struct tally {
    float chance[ENTITY_TYPE_COUNT];
};

static enum entity_type winner(const struct tally *tally)
{
    enum entity_type best = PER;
    for (int type = 1; type < ENTITY_TYPE_COUNT; type++) {
        if (tally->chance[type] > tally->chance[best]) {
            best = (enum entity_type)type;
        }
    }
    return best;
}

void consistency_settle(const struct words *words, struct arena *arena, struct mentions *mentions,
                        struct explain *explain)
{
    struct map names;
    uint32_t *name_of = arena_zalloc(arena, mentions->len, sizeof *name_of);
    uint64_t *keys = arena_zalloc(arena, mentions->len, sizeof *keys);
    struct tally *tallies = arena_zalloc(arena, mentions->len, sizeof *tallies);
    map_init(&names, arena);
    if (!name_of || !keys || !tallies) {
        return;
    }
    for (size_t i = 0; i < mentions->len; i++) {
        const struct mention *mention = &mentions->at[i];
        keys[i] = LEXICON_EMPTY;
        for (uint32_t k = mention->first; k < mention->end; k++) {
            keys[i] = lexicon_join(keys[i], words->at[k].fold);
        }
        const uint64_t *name =
            map_add(&names, (struct view){(const char *)&keys[i], sizeof keys[i]}, i);
        name_of[i] = name ? (uint32_t)*name : (uint32_t)i;
        tallies[name_of[i]].chance[mention->type] += mention->chance;
    }
    for (size_t i = 0; i < mentions->len; i++) {
        struct mention *mention = &mentions->at[i];
        enum entity_type type = winner(&tallies[name_of[i]]);
        if (type != mention->type) {
            explain_add(explain, "entities", "one type",
                        view_at(words->text, words_span(words, mention->first, mention->end)),
                        "%s, as elsewhere in the article, not %s", entity_type_name(type),
                        entity_type_name(mention->type));
            mention->type = type;
        }
    }
}
