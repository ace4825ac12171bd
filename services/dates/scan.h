// One pass over the text: words, numbers and marks, each looked up once.
//
// A piece is a word, a number with its inner marks (10:35, 3.5, 2020-08-19, 1990s, 1st), or one mark. Word
// boundaries are decided here and nowhere else: letters and digits that touch make one word (A320, G20), so neither
// can be taken for a date. White space only shows as flags of the piece after it.
#ifndef COPYDESK_DATES_SCAN_H
#define COPYDESK_DATES_SCAN_H

#include "common/vec.h"
#include "services/dates/lexicon.h"

enum piece_kind { PIECE_WORD, PIECE_NUMBER, PIECE_MARK, PIECE_OTHER };

struct piece {
    uint32_t start, end;
    uint16_t entry;   // of the lexicon; 0 for numbers and unknown words
    uint8_t kind;     // enum piece_kind
    bool spaced : 1;  // white space stands before it
    bool lined : 1;   // a line end stands before it
    bool capital : 1; // begins with an ASCII capital
    bool upper : 1;   // a word of capitals
};

struct pieces {
    struct piece *at;
    size_t len, cap;
};

// Cuts `text`, which is valid UTF-8 and borrowed, into pieces. Linear, one lookup a word. When the arena is
// full what was found so far stays.
void scan_text(struct pieces *out, struct arena *arena, const struct lexicon *lexicon,
               struct view text);

// What a number piece can mean: up to SENSE_LIMIT senses. Returns how many; 0 when it means no time.
// `day_first` tells how 4/5/2020 is read where both readings exist.
size_t scan_number(struct view number, bool day_first, struct sense senses[SENSE_LIMIT]);

#endif
