// Numbers written in words: twenty-five, two hundred, nineteen ninety-six, two and a half.
#ifndef COPYDESK_DATES_NUMBER_H
#define COPYDESK_DATES_NUMBER_H

#include "services/dates/island.h"

// Joins runs of number words in the island into one item each, with the senses the whole number has. Linear.
void number_merge(struct island *island);

#endif
