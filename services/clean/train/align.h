// Says which blocks of a page are in its gold text.
#ifndef COPYDESK_CLEAN_TRAIN_ALIGN_H
#define COPYDESK_CLEAN_TRAIN_ALIGN_H

#include "services/clean/blocks.h"

// Sets in_body[i] for every block of `page` that `gold` holds at its place; in_body has page->blocks.len entries.
//
// Blocks of four and more words match by shingles on one diagonal of the gold; the heaviest chain of such matches
// in the order of both texts wins; shorter blocks count only where they fill a gap of the chain word by
// word. Returns the share of the gold's words that the chosen blocks cover.
double align_blocks(const struct page *page, struct view gold, bool *in_body);

#endif
