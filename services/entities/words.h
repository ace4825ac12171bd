// The words of one article as the entities stage sees them: what each token is, and how each
// capitalised word is used in the article as a whole.
#ifndef COPYDESK_ENTITIES_WORDS_H
#define COPYDESK_ENTITIES_WORDS_H

#include "common/article.h"
#include "services/entities/clusters.h"
#include "services/entities/lexicon.h"

// What part a token can play in a name.
enum role {
    ROLE_OTHER,  // none: ends the run
    ROLE_NAME,   // capitalised: may start, continue and end a name
    ROLE_NUMBER, // may start or end a name that has a capitalised word
    ROLE_START,  // lower case, may start one: southern, de, al
    ROLE_TAIL,   // lower case after a hyphen: Jae-in
    ROLE_JOIN,   // inside only: of, &, hyphen
};

// How the letters of a token look.
enum shape {
    SHAPE_MARK,
    SHAPE_LOWER,
    SHAPE_CAPITAL,    // Baghdad
    SHAPE_UPPER,      // NATO
    SHAPE_MIXED,      // McDonald, iPhone
    SHAPE_LETTER,     // X
    SHAPE_INITIAL,    // X.
    SHAPE_INITIALISM, // U.S.
    SHAPE_NUMBER,
};

struct word {
    uint64_t fold;    // hash without case
    uint64_t classes; // packed ids of clusters.h; 0 when unknown
    uint32_t lists;   // of the lexicon
    uint32_t use;     // index into uses; 0 for words that never stand capitalised
    uint8_t role;     // enum role
    uint8_t shape;    // enum shape
    bool shouting;    // in a line that is all capitals
    bool headline;    // in a line where nearly every long word is capitalised
};

// Company a capitalised word keeps somewhere in the article; bits of word_use.context.
enum context {
    AFTER_TITLE,
    AFTER_FIRST_NAME,
    AFTER_PLACE_WORD, // in, at, from, near
    AFTER_THE,
    AFTER_OF,
    AFTER_BY_OR_WITH,
    AFTER_NAME,
    BEFORE_SPEECH_VERB,
    BEFORE_ORGANISATION_CUE,
    BEFORE_PLACE_CUE,
    BEFORE_FACILITY_CUE,
    BEFORE_EVENT_CUE,
    BEFORE_POSSESSIVE,
    BEFORE_COMMA_PLACE, // Basra, Iraq
    BEFORE_NAME,
    BEFORE_NOUN, // lower-case word that is no function word: Iraqi troops
    BEFORE_FUNCTION_WORD,
    IN_BRACKETS,
    CONTEXT_COUNT
};

// All occurrences of one word in the article, by folded hash.
struct word_use {
    uint64_t fold;
    uint32_t lower;  // written in lower case
    uint32_t middle; // capitalised where no sentence starts and the line is not all capitals
    uint32_t total;  // capitalised anywhere
    uint32_t context;
    uint32_t
        meaning; // lists of the words an initialism stands for: "World Health Organization (WHO)"
};

struct words {
    struct view text;
    const struct token *tokens;
    const struct lexicon *lexicon;
    const struct clusters *clusters;
    struct word *at;
    size_t len;
    struct word_use *uses; // uses[0] is nobody's
    size_t use_count;
};

// What is known before the article is read.
struct knowledge {
    const struct lexicon *lexicon;
    const struct clusters *clusters;
};

// Reads the tokens of `article` (segmented) into `words`; memory from its arena. Linear.
// False when the arena is full.
bool words_read(struct words *words, struct knowledge knowledge, const struct article *article);

// True when token i is one of the lists in `bits`.
static inline bool words_in(const struct words *words, size_t i, uint32_t bits)
{
    return i < words->len && (words->at[i].lists & bits) != 0;
}

// True when `text` is one of the `count` words of `list`, ASCII letters compared without case.
bool words_is_one_of(struct view text, const char *const *list, size_t count);

static inline struct view words_text(const struct words *words, size_t i)
{
    return view_at(words->text, words->tokens[i].span);
}

// The bytes from the start of token `first` to the end of token `end - 1`.
static inline struct span words_span(const struct words *words, size_t first, size_t end)
{
    return (struct span){words->tokens[first].span.start, words->tokens[end - 1].span.end};
}

#endif
