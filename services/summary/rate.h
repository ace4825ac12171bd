// Rates sentences: features, and a weighted sum of them.
//
// The weights were fitted on news articles with the summaries editors wrote (MODEL.md); they stand in
// tables/weights.txt by the names below and say how many nats a feature adds to the log-odds that a
// sentence belongs into the summary. Feature set after Nenkova and McKeown (2011), Automatic Summarization,
// chapters 2 and 4: position, frequency, likeness to the whole and to the title, shape.
#ifndef COPYDESK_SUMMARY_RATE_H
#define COPYDESK_SUMMARY_RATE_H

#include "services/summary/story.h"

// Places count usable sentences only: what stands behind three captions is still the first sentence.
#define SENTENCE_FEATURES(X)                                                                       \
    X(constant)                                                                                    \
    X(first)              /* place 0 */                                                            \
    X(second)             /* place 1 */                                                            \
    X(third)              /* place 2 */                                                            \
    X(fourth)             /* place 3 */                                                            \
    X(place_log)          /* log2(1 + place) */                                                    \
    X(place_inverse)      /* 1 / (1 + place) */                                                    \
    X(place_relative)     /* place / usable sentences */                                           \
    X(late)               /* among the last three */                                               \
    X(starts_paragraph)   /* where the text has paragraphs */                                      \
    X(words_log)          /* log2(1 + words) */                                                    \
    X(words_under_10)     /* 10 - words, / 10 */                                                   \
    X(words_over_20)      /* words - 20, / 10 */                                                   \
    X(words_over_30)      /* words - 30, / 10 */                                                   \
    X(words_over_40)      /* words - 40, / 10 */                                                   \
    X(content_share)      /* words that are no stop words */                                       \
    X(centrality)         /* cosine to the whole story */                                          \
    X(mean_likeness)      /* mean cosine to the other sentences */                                 \
    X(later_likeness)     /* sum of cosines to later sentences / 4 */                              \
    X(earlier_likeness)   /* largest cosine to an earlier one */                                   \
    X(like_first)         /* cosine to the first usable sentence */                                \
    X(like_lead)          /* mean cosine to the first three */                                     \
    X(like_title)         /* cosine to the title */                                                \
    X(title_share)        /* words of the title it has */                                          \
    X(title_repeat)       /* like_title over 0.7 */                                                \
    X(frequency)          /* mean share of the story's words its words make up, x 100 */           \
    X(top_terms)          /* of the 10 most frequent terms, how many, / 10 */                      \
    X(rarity)             /* mean weight of its terms / 4 */                                       \
    X(fresh)              /* share of words seen here first that come again */                     \
    X(capitals)           /* share of words in capitals, not the first */                          \
    X(names)              /* capitalised words that occur three times or more, / 5 */              \
    X(numbers)            /* number tokens / 3 */                                                  \
    X(money)              /* a currency sign or percent */                                         \
    X(has_quote)          /* double quotation marks */                                             \
    X(opens_quote)        /* begins with a quotation mark */                                       \
    X(quote_share)        /* share of tokens inside double quotation marks */                      \
    X(pronoun)            /* opens with a pronoun */                                               \
    X(connective)         /* opens with a connective */                                            \
    X(colon)              /* a colon among its first five tokens */                                \
    X(bracket)            /* round brackets */                                                     \
    X(days)               /* weekdays and months */                                                \
    X(saying)             /* a verb of saying */                                                   \
    X(negative)           /* not, no, never */                                                     \
    X(commas)             /* commas / words x 10 */                                                \
    X(dashes)             /* dashes / 2 */                                                         \
    X(entities)           /* summed relevance of the entities it names, at most 3, / 3 */          \
    X(rank_centrality)    /* rank by centrality / usable */                                        \
    X(rank_frequency)     /* rank by frequency / usable */                                         \
    X(rank_lead)          /* rank by like_lead / usable */                                         \
    X(rank_later)         /* rank by later_likeness / usable */                                    \
    X(previous_words_log) /* length of the sentence before */                                      \
    X(next_words_log)     /* length of the sentence behind */

#define FEATURE_ENUM(name) SENTENCE_##name,
enum sentence_feature { SENTENCE_FEATURES(FEATURE_ENUM) SENTENCE_FEATURE_COUNT };
#undef FEATURE_ENUM

struct sentence_weights {
    double at[SENTENCE_FEATURE_COUNT];
};

// A usable sentence with what speaks for it.
struct rating {
    uint32_t sentence;
    double score;
    double features[SENTENCE_FEATURE_COUNT];
};

// The name of a feature as in tables/weights.txt, without the "sentence." before it.
const char *sentence_feature_name(enum sentence_feature feature);

// Reads the weights `prefix`.FEATURE: "sentence" for summaries, "standfirst" for a single sentence.
// ERR_CONFIG names the one that is missing.
MUST_CHECK enum status rate_load(struct sentence_weights *weights, const struct lists *lists,
                                 const char *prefix, struct error *why);

// Rates the usable sentences, in reading order: story->usable of them. NULL when the arena is full.
struct rating *rate_sentences(const struct story *story, const struct sentence_weights *weights);

// The weighted sum of a rating's features with other weights.
double rate_again(const struct rating *rating, const struct sentence_weights *weights);

#endif
