// The word lists and weights of the summary stage, read from summary.tables.
#ifndef COPYDESK_SUMMARY_LISTS_H
#define COPYDESK_SUMMARY_LISTS_H

#include "common/status.h"
#include "common/table.h"

// What a word is good for; tables/words.txt. A word may be several things.
enum word_class {
    WORD_STOP = 1 << 0,       // too common to tell what a text is about
    WORD_PRONOUN = 1 << 1,    // he, it, their: points back when it opens a sentence
    WORD_CONNECTIVE = 1 << 2, // but, however: ties a sentence to the one before
    WORD_FIRST = 1 << 3,      // I, we, my
    WORD_DAY = 1 << 4,        // weekdays and months
    WORD_SAYING = 1 << 5,     // said, told
    WORD_NEGATIVE = 1 << 6,   // not, no
};

// Where a phrase must stand to give a sentence away; tables/phrases.txt.
enum phrase_place { PHRASE_START = 1, PHRASE_END = 2, PHRASE_ANY = 3 };

enum { PHRASE_WORDS = 4 }; // longest phrase

struct lists {
    struct table *table;
    struct table_list words, phrases;
    uint16_t phrase_heads
        [32]; // per first letter: which lengths (bit, 15 at most) phrases of any place begin with
};

// Maps `folder`/summary.tables. ERR_CONFIG, ERR_VERSION, ERR_FORMAT with the reason.
MUST_CHECK enum status lists_open(struct lists *lists, const char *folder, struct error *why);
void lists_close(struct lists *lists);

// The classes of a word in lower case; 0 when it has none.
uint32_t lists_word(const struct lists *lists, struct view word);

// False when no phrase begins with `word` (lower case); cheap, sometimes wrongly true.
bool lists_begins_phrase(const struct lists *lists, struct view word);

// Where the phrase (lower case, single spaces) counts; 0 when it is none.
int lists_phrase(const struct lists *lists, struct view phrase);

// Reads the number `name` of tables/weights.txt. ERR_CONFIG when it is missing or no number.
MUST_CHECK enum status lists_weight(const struct lists *lists, const char *name, double *out,
                                    struct error *why);

#endif
