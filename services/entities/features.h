// What there is to say about a candidate: its features, as hashes for the weights.
//
// A feature is a template ("last word is") and a value (the word's hash). Templates look at the words of the
// candidate, the words around it, the lists they are in, how they are written, and how the same words are
// used in the rest of the article. Set after Ratinov and Roth (2009) and Krishnan and Manning (2006), as
// features of whole spans (Sarawagi and Cohen 2004, semi-Markov fields) in place of labelled tokens.
#ifndef COPYDESK_ENTITIES_FEATURES_H
#define COPYDESK_ENTITIES_FEATURES_H

#include "services/entities/candidates.h"

// The order is part of the trained model.
#define FEATURE_TEMPLATES(X)                                                                       \
    X(BIAS, "any")                                                                                 \
    X(PHRASE, "whole name")                                                                        \
    X(FIRST, "first word")                                                                         \
    X(LAST, "last word")                                                                           \
    X(INNER, "inner word")                                                                         \
    X(FIRST_OF_MANY, "first word of several")                                                      \
    X(BEFORE, "word before")                                                                       \
    X(BEFORE_TWO, "two words before")                                                              \
    X(SECOND_BEFORE, "second word before")                                                         \
    X(AFTER, "word after")                                                                         \
    X(AFTER_TWO, "two words after")                                                                \
    X(SECOND_AFTER, "second word after")                                                           \
    X(BEFORE_LENGTH, "word before and length")                                                     \
    X(AFTER_LENGTH, "word after and length")                                                       \
    X(BEFORE_FIRST, "word before and first")                                                       \
    X(LAST_AFTER, "last word and after")                                                           \
    X(SHAPE, "letter case")                                                                        \
    X(SHAPE_AROUND, "letter case with surroundings")                                               \
    X(PREFIX3, "first letters of the first word")                                                  \
    X(SUFFIX2, "last 2 letters")                                                                   \
    X(SUFFIX3, "last 3 letters")                                                                   \
    X(SUFFIX4, "last 4 letters")                                                                   \
    X(FIRST_SUFFIX3, "last letters of the first word")                                             \
    X(LIST_WHOLE, "listed")                                                                        \
    X(LIST_FIRST, "first word listed")                                                             \
    X(LIST_LAST, "last word listed")                                                               \
    X(LIST_ANY, "a word listed")                                                                   \
    X(LIST_BEFORE, "word before listed")                                                           \
    X(LIST_AFTER, "word after listed")                                                             \
    X(LIST_FIRST_LAST, "first and last listed")                                                    \
    X(LENGTH, "length")                                                                            \
    X(EDGES, "neighbours are names")                                                               \
    X(START, "starts the sentence")                                                                \
    X(LOWER, "seen in lower case")                                                                 \
    X(CONTEXT_FIRST, "first word elsewhere")                                                       \
    X(CONTEXT_LAST, "last word elsewhere")                                                         \
    X(MEANING, "initialism stands for")                                                            \
    X(JOINED, "joined by")                                                                         \
    X(QUOTED, "in quotes or brackets")                                                             \
    X(LINE, "line style")                                                                          \
    X(FIRST_LAST, "first and last word")                                                           \
    X(PREFIX4, "first 4 letters of the last word")                                                 \
    X(LIST_SHAPE, "lists with surroundings")                                                       \
    X(CLASS_FIRST, "first word used like")                                                         \
    X(CLASS_LAST, "last word used like")                                                           \
    X(CLASS_ONLY, "word used like")                                                                \
    X(CLASS_BEFORE, "word before used like")                                                       \
    X(CLASS_AFTER, "word after used like")                                                         \
    X(CLASS_SECOND_BEFORE, "second word before used like")                                         \
    X(CLASS_SECOND_AFTER, "second word after used like")

enum feature_template {
#define FEATURE_ENUM(name, text) FEATURE_##name,
    FEATURE_TEMPLATES(FEATURE_ENUM)
#undef FEATURE_ENUM
        FEATURE_TEMPLATE_COUNT
};

enum { FEATURE_LIMIT = 256 };

struct features {
    uint64_t at[FEATURE_LIMIT];
    uint8_t template[FEATURE_LIMIT]; // enum feature_template, for explanations
    size_t len;
};

// The features of tokens [first, end), at most FEATURE_LIMIT; `features` starts over.
void features_of(const struct words *words, size_t first, size_t end, struct features *features);

// The template's name for people.
const char *features_template_name(enum feature_template template);

#endif
