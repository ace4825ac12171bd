// The lower half of common/segment.h: lines into tokens, and what the periods of abbreviations mean.
// Used by segment.c alone.
#ifndef COPYDESK_SEGMENT_TOKENS_H
#define COPYDESK_SEGMENT_TOKENS_H

#include "common/segment.h"

// What may follow the period of a word that keeps it.
enum abbreviation {
    ABBREVIATION_NONE,     // an ordinary word
    ABBREVIATION_TITLE,    // Mr. e.g. vs.: never ends a sentence
    ABBREVIATION_NUMBERED, // No. p. Mar.: an abbreviation only before a number
    ABBREVIATION_NAME,     // St. Jan. Ave.: ends one only before a typical first word
    ABBREVIATION_COMPANY,  // Inc. Jr. etc.: ends one before a capital that is not an office
    ABBREVIATION_STATE,    // Ore. Miss.: an abbreviation only after a comma
    ABBREVIATION_HOUR,     // a.m. p.m.: ends one before a capital that is not a zone or weekday
    ABBREVIATION_INITIALS, // U.S. D.C.: as NAME
    ABBREVIATION_INITIAL,  // J. in J. Smith
};

// Cuts the line [start, end) of `text` into tokens and appends them. False when the arena is full.
bool segment_tokens_add(struct tokens *tokens, struct arena *arena, struct view text, size_t start,
                        size_t end);

// Which abbreviation the token is, judged by its bytes; NONE when it does not end in a period.
enum abbreviation segment_abbreviation(struct view token);

// True for words that often stand first in a sentence and hardly ever second in a name: The, He, But ...
bool segment_is_first_word(struct view word);

// True for words that follow a company's name or an hour without a new sentence: Chief, Monday, GMT ...
bool segment_is_follower(struct view word);

// True for German months and such, which follow an ordinal: am 6. Mai, im 16. Jahrhundert.
bool segment_is_after_ordinal(struct view word);

// True for verbs of saying after a quotation: said, asked ...
bool segment_is_saying(struct view word);

#endif
