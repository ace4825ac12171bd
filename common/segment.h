// Cuts news text into paragraphs, sentences and tokens. Made once per article, shared by all stages.
#ifndef COPYDESK_SEGMENT_H
#define COPYDESK_SEGMENT_H

#include "common/vec.h"

enum token_kind {
    TOKEN_WORD,        // letters, with inner periods of initialisms: word, U.S., a.m., Mr.
    TOKEN_NUMBER,      // 5,000  3.5  1st  2020
    TOKEN_PUNCTUATION, // one mark, or points in a row
    TOKEN_SYMBOL,      // $ % & emoji, anything else
};

// How the letters of a word are written; a single capital is CASE_CAPITAL, scripts without case CASE_NONE.
enum token_case { CASE_NONE, CASE_LOWER, CASE_CAPITAL, CASE_UPPER, CASE_MIXED };

struct token {
    struct span span; // bytes of the text
    uint8_t kind;     // enum token_kind
    uint8_t letters;  // enum token_case
    bool space_before;
    bool starts_sentence;
};

struct tokens {
    struct token *at;
    size_t len, cap;
};

// All of one text. Everything in reading order, never overlapping, no outer white space.
struct segments {
    bool made;
    struct tokens tokens;
    struct spans sentences;
    struct spans paragraphs; // runs of text between line ends
    uint32_t *first_token;   // per sentence: index of its first token; sentences.len + 1 entries
};

// Finds paragraphs, sentences and tokens of `text`, which is valid UTF-8 and only borrowed.
//
// A token never holds white space. Words split at hyphens, slashes and other punctuation, and before a
// possessive ('s is a token of its own); other apostrophes between letters stay (O'Neill, don't). Initialisms,
// titles and the like keep their period (U.S., a.m., Mr., Inc., Dec.), numbers keep inner commas and points.
// A line end ends a sentence; so do . ! ? and the full stops of CJK with the quotes, brackets and footnote
// marks behind them, unless an abbreviation, initial, list number or a lower-case word says otherwise.
// Quotations are split inside: whoever picks sentences looks after the balance of quotes.
// Linear in the text, some 170 MB/s. When the arena is full, what was found so far stays; `first_token`
// is NULL when there is no sentence for want of memory.
void segment_text(struct segments *segments, struct arena *arena, struct view text);

// The words of a sentence, as a range of indexes into tokens.
static inline struct span segment_tokens(const struct segments *segments, size_t sentence)
{
    return (struct span){segments->first_token[sentence], segments->first_token[sentence + 1]};
}

#endif
