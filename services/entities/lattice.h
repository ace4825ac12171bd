// Decides a run: which of its candidates are names, and of what type.
//
// A way through a run is a sequence of steps: a candidate with a label, or a single token that belongs to no
// name. Each step has a score, a way the sum of its steps, and its probability is exp(sum) over the same of all
// ways: a semi-Markov conditional random field (Sarawagi and Cohen 2004) whose labels do not look at each other.
// Length of a run and of a candidate are limited, so all of this is linear in the text.
#ifndef COPYDESK_ENTITIES_LATTICE_H
#define COPYDESK_ENTITIES_LATTICE_H

#include "services/entities/candidates.h"
#include "services/entities/weights.h"

struct candidate {
    uint32_t first, end;       // tokens
    float score[LABEL_COUNT];  // label 0 counts for single tokens only
    float chance[LABEL_COUNT]; // filled by lattice_chances
};

struct candidates {
    struct candidate *at;
    size_t len, cap;
};

// A run and its candidates, ordered by first token, then by length. Every single token that may be a name
// is among them; a single token that is not has score 0 as no name.
struct lattice {
    struct run run;
    struct candidate *at;
    size_t len;
};

// Fills `chance` of every candidate: its probability with each label. Returns the log of the sum over all ways.
float lattice_chances(const struct lattice *lattice);

// One name of the best way.
struct choice {
    uint32_t candidate; // index into lattice->at
    int label;          // 1 and above
};

// The names of the most probable way, in reading order, into `out` (room for RUN_LIMIT). Returns how many.
size_t lattice_best(const struct lattice *lattice, struct choice *out);

#endif
