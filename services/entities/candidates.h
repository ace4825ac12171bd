// Where names can stand: runs of words that may belong to names, and the candidates inside a run.
//
// A run is a stretch of one sentence of capitalised words, numbers and what joins them ("Ministry of Health
// and Rabin 2"). Every name lies inside one run, so whatever decides about names works run by run.
#ifndef COPYDESK_ENTITIES_CANDIDATES_H
#define COPYDESK_ENTITIES_CANDIDATES_H

#include "services/entities/words.h"

enum {
    RUN_LIMIT = 60,       // tokens; longer runs (lines in capitals) are cut
    CANDIDATE_LIMIT = 14, // tokens; 99.9 % of names in news are shorter
    JOIN_LIMIT = 3,       // joining tokens in a row: "Bank of the West", "d'Ivoire - the"
};

struct run {
    uint32_t first, end; // tokens
};

// Finds the next run at or after token `*from` and moves `*from` behind it. False when there is none.
// All runs of a text together cost one pass over it.
bool candidates_next_run(const struct words *words, size_t *from, struct run *run);

// True when the tokens [first, end) of one run may be a name of their own.
bool candidates_allow(const struct words *words, size_t first, size_t end);

#endif
