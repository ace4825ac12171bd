// An enriched article as a person wants to read it on a terminal.
//
//     Iraq PM visits White House: US troops focal point of White House talks
//     AFP with additional input by GVS News Desk · en · 723 words · published: unknown
//
//       PEOPLE   Mustafa al-Kadhemi ×5 · Donald Trump ×3 · ...
//       PLACES   Washington ×4 · Baghdad ×3 · ...
//       DATES    the end of June → 2020-06 · ...
//       SUMMARY  A new Iraqi prime minister is visiting Washington ... [1]
//
//       removed 8 lines (related link 4, masthead 1, ...)   12 ms
#ifndef COPYDESK_CARD_H
#define COPYDESK_CARD_H

#include "common/article.h"
#include "common/buf.h"

struct card {
    size_t width; // columns, see paper_width
    bool color;
    double ms;           // time that was spent; below 0: not shown
    struct view explain; // lines of --explain, or empty
};

// Appends the card of `article` to `out`. What is not known is left out or said in words; text from the article
// cannot command the terminal. Linear in the article.
void card_print(const struct article *article, const struct card *card, struct buf *out);

// True when relative dates stayed open for want of the publication date: `--published-at` would help.
bool card_wants_date(const struct article *article);

#endif
