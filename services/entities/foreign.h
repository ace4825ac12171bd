// Articles in other languages than English: what the stage may still say about them.
//
// The weights know English alone, and German writes every noun with a capital. So in other languages only
// what the lists bear out is reported, and with less confidence.
#ifndef COPYDESK_ENTITIES_FOREIGN_H
#define COPYDESK_ENTITIES_FOREIGN_H

#include "services/entities/tagger.h"

// True when the article says that it is not in English, or says nothing and reads as if it were not: too few
// of its words are English function words. Short texts count as English.
bool foreign_is(const struct words *words, struct view lang);

// Keeps the mentions that a list bears out, typed by the list, and lowers their chance.
void foreign_keep_listed(const struct words *words, struct mentions *mentions,
                         struct explain *explain);

#endif
