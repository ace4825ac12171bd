// Chooses a whole summary: every subset of the best sentences is a candidate, gates throw out what an
// editor would not print, and a weighted sum of features picks among the rest.
//
// Judging summaries whole, not sentence by sentence, is worth more than any finer rating of sentences: it sees
// length, repetition and what is left uncovered (cf. Zhong et al. 2020, Extractive Summarization as Text Matching).
#ifndef COPYDESK_SUMMARY_CHOOSE_H
#define COPYDESK_SUMMARY_CHOOSE_H

#include "services/summary/rate.h"

enum {
    POOL_SIZE = 6,       // best sentences; 2^6 subsets
    CHOICE_SENTENCES = 3 // most sentences of a summary
};

// Caps of a summary. They are kept by choosing another candidate, never by cutting a sentence.
enum {
    CHOICE_WORDS = 130,
    CHOICE_CHARACTERS = 900,
    STANDFIRST_CHARACTERS = 300 // what fits a tile
};

#define SUMMARY_FEATURES(X)                                                                        \
    X(two) /* sentences */                                                                         \
    X(three)                                                                                       \
    X(score_sum) /* of the sentences' scores */                                                    \
    X(score_mean)                                                                                  \
    X(score_least)                                                                                 \
    X(score_most)                                                                                  \
    X(words_under_20) /* 20 - words, / 10 */                                                       \
    X(words_under_40) /* 40 - words, / 10 */                                                       \
    X(words_over_40)  /* words - 40, / 10 */                                                       \
    X(words_over_60)                                                                               \
    X(words_over_80)                                                                               \
    X(words_over_100)                                                                              \
    X(first) /* has the first usable sentence */                                                   \
    X(second)                                                                                      \
    X(third)                                                                                       \
    X(place_mean)    /* mean log2(1 + place) */                                                    \
    X(place_last)    /* log2(1 + place) of the last */                                             \
    X(likeness_most) /* largest cosine between two of them */                                      \
    X(likeness_sum)  /* over all pairs */                                                          \
    X(coverage)      /* share of the story's squared weight its terms have */                      \
    X(title)         /* share of the title's words it has */                                       \
    X(distinct)      /* distinct terms / terms */                                                  \
    X(quotes)        /* sentences with quotation marks */                                          \
    X(dangling)      /* sentences that point back */                                               \
    X(neighbours)    /* pairs that stand together in the text */

#define FEATURE_ENUM(name) SUMMARY_##name,
enum summary_feature { SUMMARY_FEATURES(FEATURE_ENUM) SUMMARY_FEATURE_COUNT };
#undef FEATURE_ENUM

struct summary_weights {
    double at[SUMMARY_FEATURE_COUNT];
};

// Why a candidate is refused.
enum gate {
    GATE_NONE,
    GATE_OPENER,    // the first sentence points back
    GATE_DANGLING,  // another one points back and the sentence before it is not in
    GATE_DUPLICATE, // two sentences say the same
    GATE_LENGTH,    // over CHOICE_WORDS or CHOICE_CHARACTERS
    GATE_COUNT,     // not the number of sentences the story calls for
    GATE_LIMIT
};

struct candidate {
    uint32_t members[CHOICE_SENTENCES]; // ratings, in reading order
    uint32_t count;
    double score;
    enum gate gate;
    double features[SUMMARY_FEATURE_COUNT];
};

struct choice {
    const struct candidate *best; // NULL when there is no usable sentence
    const struct candidate
        *refused[GATE_LIMIT]; // per gate the best that scored higher than `best`, or NULL
    const struct candidate *candidates;
    uint32_t candidate_count;
};

// Names for --explain and the tables of weights; never NULL.
const char *summary_feature_name(enum summary_feature feature);
const char *gate_name(enum gate gate);

// Reads the weights. ERR_CONFIG names the one that is missing.
MUST_CHECK enum status choose_load(struct summary_weights *weights, const struct lists *lists,
                                   struct error *why);

// Chooses among the `story->usable` ratings. When all candidates are refused the gates fall in this order: number
// of sentences, the dangling ones, length; duplicates never pass. Ties go to the candidate that stands earlier.
// False when the arena is full.
bool choose_summary(struct choice *choice, const struct story *story, const struct rating *ratings,
                    const struct summary_weights *weights);

// The one sentence that says most by itself: none that points back, repeats the title or is over
// STANDFIRST_CHARACTERS. NULL when there is no such sentence.
const struct rating *choose_standfirst(const struct story *story, const struct rating *ratings,
                                       const struct sentence_weights *weights);

#endif
