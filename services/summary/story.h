// An article as the summary stage sees it: its first sentences with their words, terms and likeness.
//
// Everything lies in the article's arena. Built in order: story_read, faults_mark, then the ratings.
#ifndef COPYDESK_SUMMARY_STORY_H
#define COPYDESK_SUMMARY_STORY_H

#include "common/article.h"
#include "services/summary/lists.h"

// Limits on what is looked at. News stories end long before; the rest of a longer text is not read.
enum {
    SENTENCE_LIMIT = 200, // sentence likeness is quadratic, so this bounds it
    WORD_LIMIT = 120,     // words of one sentence that count for likeness
};

// Why a sentence cannot stand in a summary. The order is the order of checks; the last three may be
// forgiven when nothing else is left (choose.h).
enum fault {
    FAULT_NONE,
    FAULT_HEADING,     // a subhead
    FAULT_SHORT,       // under 5 words
    FAULT_NO_PROSE,    // under 2 words in lower case: bylines, datelines, titles
    FAULT_NO_END,      // no final mark: captions, credits, teasers
    FAULT_BOILERPLATE, // "Read more", "Getty Images", "Correction:"
    FAULT_CAPTION,     // stands before a credit line
    FAULT_OPEN_QUOTE,  // a quotation begins or ends elsewhere
    FAULT_LONG,        // over 60 words
    FAULT_QUESTION,    // asks instead of telling
    FAULT_FIRST_PERSON // I, we outside quotations
};

// "no final mark" and so on.
const char *fault_name(enum fault fault);

// One word of the vocabulary of the article. Terms are words without endings.
struct word {
    uint32_t term;
    uint32_t classes; // enum word_class bits
};

struct term {
    uint32_t count;     // in all sentences
    uint32_t sentences; // that have it
    uint32_t first;     // sentence that has it first, from 1
    uint32_t last;      // and last
    bool content;       // not a stop word
    bool in_title;
    double weight; // inverse sentence frequency
};

// A term of a sentence with its share of the sentence's vector, which has length 1.
struct part {
    uint32_t term;
    double weight;
};

struct sentence {
    struct span span;    // bytes of the text
    uint32_t first, end; // its tokens
    uint32_t paragraph;
    uint32_t place; // how many usable sentences stand before it
    uint32_t words, characters;
    enum fault fault;
    bool starts_paragraph;
    bool dangling; // opens with he, it, but ...
    struct part *parts;
    uint32_t part_count;
    const uint32_t *terms; // of each word, in order; WORD_LIMIT at most
    uint32_t term_count;
};

struct story {
    const struct article *article;
    struct arena *arena;
    const struct lists *lists;
    struct sentence *sentences;
    uint32_t count;
    uint32_t usable;
    struct word *words; // of each token: classes; ids count from the article's first token
    struct term *terms;
    uint32_t term_count;
    double *likeness; // cosine of sentences i and j at [i * count + j]
    double *whole;    // per term: weight in the vector of the whole story, which has length 1
    struct part *title;
    uint32_t title_count;
};

// Reads the article's first SENTENCE_LIMIT sentences. False when the arena is full.
bool story_read(struct story *story, const struct article *article, const struct lists *lists);

// Cosine of two sentences.
static inline double story_likeness(const struct story *story, uint32_t a, uint32_t b)
{
    return story->likeness[(size_t)a * story->count + b];
}

// Cosine of a sentence and the title; 0 without a title.
double story_title_likeness(const struct story *story, uint32_t sentence);

// Logarithm to base 2 of 1 + `n`, straight lines between powers of two: the same bytes on every machine.
double story_log2(double n);

#endif
