// What the stage knows about words before it reads the article: the lists of tables/*.txt as one hash
// from a folded word or phrase to the set of lists that hold it.
//
// Words are compared without case ("NEW YORK" is "New York"), token by token, so that it does not matter
// how a table or a text puts white space around marks.
#ifndef COPYDESK_ENTITIES_LEXICON_H
#define COPYDESK_ENTITIES_LEXICON_H

#include "common/segment.h"
#include "common/status.h"
#include "common/utf8.h"

// Each list is tables/NAME.txt. The order is part of the trained model: add at the end and retrain.
#define LEXICON_LISTS(X)                                                                           \
    X(FIRST_NAMES, first_names)                                                                    \
    X(TITLES, titles)                                                                              \
    X(COUNTRIES, countries)                                                                        \
    X(DEMONYMS, demonyms)                                                                          \
    X(CITIES, cities)                                                                              \
    X(REGIONS, regions)                                                                            \
    X(ORGANISATIONS, organisations)                                                                \
    X(ORGANISATION_CUES, organisation_cues)                                                        \
    X(PLACE_CUES, place_cues)                                                                      \
    X(FACILITY_CUES, facility_cues)                                                                \
    X(EVENT_CUES, event_cues)                                                                      \
    X(PRODUCTS, products)                                                                          \
    X(GROUPS, groups)                                                                              \
    X(FUNCTION_WORDS, function_words)                                                              \
    X(CALENDAR, calendar)                                                                          \
    X(JOINERS, joiners)                                                                            \
    X(STARTERS, starters)                                                                          \
    X(PARTICLES, particles)                                                                        \
    X(SPEECH_VERBS, speech_verbs)                                                                  \
    X(CURRENCIES, currencies)                                                                      \
    X(CURRENCY_CODES, currency_codes)                                                              \
    X(AMOUNTS, amounts)                                                                            \
    X(COMMON_WORDS, common_words)                                                                  \
    X(SURNAMES, surnames)                                                                          \
    X(CURRENCY_PREFIXES, currency_prefixes)

enum lexicon_list {
#define LEXICON_ENUM(upper, lower) LIST_##upper,
    LEXICON_LISTS(LEXICON_ENUM)
#undef LEXICON_ENUM
        LIST_COUNT
};

// A set of lists.
static inline uint32_t lexicon_bit(enum lexicon_list list)
{
    return UINT32_C(1) << list;
}

struct lexicon;

// Reads the lists out of `folder`/entities.tables. The caller frees.
MUST_CHECK enum status lexicon_open(struct lexicon **out, const char *folder, struct error *why);
void lexicon_free(struct lexicon *lexicon);

// Hash of one token's text without case; equal on every machine.
uint64_t lexicon_fold(struct view word);

// Hash of a phrase, built token by token from LEXICON_EMPTY.
#define LEXICON_EMPTY UINT64_C(0x9e3779b97f4a7c15)
static inline uint64_t lexicon_join(uint64_t phrase, uint64_t word)
{
    uint64_t mixed = (phrase ^ word) * UINT64_C(0xff51afd7ed558ccd);
    return mixed ^ mixed >> 29;
}

// The lists that hold the phrase with this joined hash; 0 when none does.
uint32_t lexicon_phrase(const struct lexicon *lexicon, uint64_t phrase);

// The lists that hold a single word, by its folded hash.
static inline uint32_t lexicon_word(const struct lexicon *lexicon, uint64_t word)
{
    return lexicon_phrase(lexicon, lexicon_join(LEXICON_EMPTY, word));
}

// Canonical form a table gives for a name ("u.s." is "United States"), as a hash to compare; 0 when none.
uint64_t lexicon_alias(const struct lexicon *lexicon, uint64_t phrase);

#endif
