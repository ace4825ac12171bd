// Cuts news text into paragraphs, sentences and tokens. Made once per article, shared by all stages.
#ifndef COPYDESK_SEGMENT_H
#define COPYDESK_SEGMENT_H

#include "common/vec.h"

enum token_kind {
    TOKEN_WORD,        // letters, with inner periods of initialisms: word, U.S., a.m., Mr.
    TOKEN_NUMBER,      // 5,000  3.5  1st  2020
    TOKEN_PUNCTUATION, // one mark
    TOKEN_SYMBOL,      // $ % & emoji, anything else
};

// How the letters of a word are written.
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
// A token never holds white space; words split at hyphens, slashes, apostrophes before s ('s is a token of its
// own) and other punctuation; initialisms and titles keep their periods; numbers keep inner commas and points.
// A line end ends a sentence. Linear in the text. When the arena is full, what was found so far stays.
void segment_text(struct segments *segments, struct arena *arena, struct view text);

// The words of a sentence, as a range of indexes into tokens.
static inline struct span segment_tokens(const struct segments *segments, size_t sentence)
{
    return (struct span){segments->first_token[sentence], segments->first_token[sentence + 1]};
}

#endif
