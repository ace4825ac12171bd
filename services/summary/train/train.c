// Fits the weights of the summary stage and prints tables/weights.txt.
//
//     summary_train FOLDER --summaries FILE... --standfirsts FILE...
//
// FOLDER holds summary.tables (for the word lists; its weights are not used). Files are articles in the format of
// the pipeline, one a line, tagged or not, whose summary.text is what an editor wrote: a few sentences, or one.
//
// Method. A sentence belongs to the ideal summary when a greedy search for overlap with the editor's words (Nallapati
// et al. 2017, SummaRuNNer) picks it; the sentence weights are a logistic regression on that, by Newton's method with
// a ridge. Standfirst articles count a quarter there. Then all candidates of choose.h are made with these weights,
// and a ridge regression inside each article tells which features go with overlap. The standfirst weights
// are a logistic regression on the best single sentence of the standfirst articles. Overlap is F1 of words plus F1 of
// pairs of words, without stemming: ROUGE-1 + ROUGE-2 but for that. The same files give the same weights.
#include "common/map.h"
#include "services/summary/choose.h"
#include "services/summary/faults.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define ARTICLE_BYTES ((size_t)256 << 20)
#define MEMORY_BYTES  ((size_t)4 << 30)

enum {
    SIZE = SENTENCE_FEATURE_COUNT,
    NEWTON_STEPS = 12,
    ORACLE_SENTENCES = 3,
    STANDFIRST_ORACLE = 2,
    REFERENCE_WORDS = 200,
    PICKED_WORDS = 600,
};

static const double LOGISTIC_RIDGE = 10;
static const double CANDIDATE_RIDGE = 50;
static const double STANDFIRST_SHARE = 0.25;

static_assert((int)SENTENCE_FEATURE_COUNT >= (int)SUMMARY_FEATURE_COUNT, "one solver serves both");

// A sentence as an example of the logistic regression.
struct example {
    double features[SIZE];
    double label, share;
};

struct examples {
    struct example *at;
    size_t len, cap;
};

// Sums of the ridge regression over candidates.
struct sums {
    double squares[SIZE][SIZE];
    double products[SIZE];
    double weight;
};

struct trainer {
    struct lists lists;
    struct arena memory; // of the examples
    struct examples sentences, standfirsts;
    struct sentence_weights weights;
    struct sums sums;
};

// An article with its editor's words.
struct lesson {
    struct arena arena;
    struct article article;
    struct story story;
    struct rating *ratings;
    struct map words;
    uint32_t reference[REFERENCE_WORDS];
    uint32_t reference_count;
};

// The numbers of the words of `text`, the same for the same word in any case; `limit` at most.
static uint32_t number_words(struct lesson *lesson, struct view text, uint32_t *out, uint32_t limit)
{
    struct segments segments = {0};
    uint32_t count = 0;
    segment_text(&segments, &lesson->arena, text);
    for (size_t i = 0; i < segments.tokens.len && count < limit; i++) {
        const struct token *token = &segments.tokens.at[i];
        if (token->kind != TOKEN_WORD && token->kind != TOKEN_NUMBER) {
            continue;
        }
        struct view word = arena_copy(&lesson->arena, view_at(text, token->span));
        char *bytes = (char *)(uintptr_t)word.at;
        for (size_t b = 0; b < word.len; b++) {
            bytes[b] = bytes[b] >= 'A' && bytes[b] <= 'Z' ? (char)(bytes[b] + 32) : bytes[b];
        }
        const uint64_t *number = map_add(&lesson->words, word, lesson->words.len);
        out[count++] = number ? (uint32_t)*number : 0;
    }
    return count;
}

// How many runs of `width` words the two have in common, each as often as both have it.
static uint32_t count_shared(const uint32_t *a, uint32_t a_count, const uint32_t *b,
                             uint32_t b_count, uint32_t width)
{
    bool used[PICKED_WORDS] = {false};
    uint32_t shared = 0;
    for (uint32_t i = 0; i + width <= a_count; i++) {
        for (uint32_t j = 0; j + width <= b_count; j++) {
            if (!used[j] && memcmp(a + i, b + j, width * sizeof *a) == 0) {
                used[j] = true;
                shared++;
                break;
            }
        }
    }
    return shared;
}

static double f1(uint32_t shared, uint32_t a, uint32_t b)
{
    return shared > 0 ? 2.0 * shared / (a + b) : 0;
}

// What an editor's words and the picked sentences have in common: F1 of words plus F1 of pairs.
static double overlap(struct lesson *lesson, const uint32_t *members, uint32_t count)
{
    uint32_t picked[PICKED_WORDS];
    uint32_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct span span = lesson->story.sentences[lesson->ratings[members[i]].sentence].span;
        len += number_words(lesson, view_at(lesson->article.text, span), picked + len,
                            PICKED_WORDS - len);
    }
    const uint32_t *reference = lesson->reference;
    uint32_t reference_len = lesson->reference_count;
    if (len < 2 || reference_len < 2) {
        return 0;
    }
    return f1(count_shared(reference, reference_len, picked, len, 1), reference_len, len) +
           f1(count_shared(reference, reference_len, picked, len, 2), reference_len - 1, len - 1);
}

static bool lesson_open(struct lesson *lesson, const struct trainer *trainer, struct view json)
{
    struct error why = {""};
    arena_init(&lesson->arena, ARTICLE_BYTES);
    article_init(&lesson->article, &lesson->arena);
    map_init(&lesson->words, &lesson->arena);
    if (article_accept(&lesson->article, json, VIEW("article"), &why) != OK) {
        fprintf(stderr, "summary_train: %s\n", why.text);
        return false;
    }
    article_segment(&lesson->article);
    if (!story_read(&lesson->story, &lesson->article, &trainer->lists)) {
        return false;
    }
    faults_mark(&lesson->story);
    lesson->ratings =
        lesson->story.usable > 0 ? rate_sentences(&lesson->story, &trainer->weights) : NULL;
    lesson->reference_count =
        number_words(lesson, lesson->article.summary, lesson->reference, REFERENCE_WORDS);
    return lesson->ratings && lesson->reference_count > 0;
}

static void lesson_close(struct lesson *lesson)
{
    article_clear(&lesson->article);
    arena_clear(&lesson->arena);
}

// Picks up to `limit` sentences, each the one that adds most overlap; returns how many.
static uint32_t find_ideal(struct lesson *lesson, uint32_t limit, uint32_t *picked)
{
    uint32_t count = 0;
    double best = 0;
    for (bool better = true; better && count < limit;) {
        uint32_t next = 0;
        better = false;
        for (uint32_t i = 0; i < lesson->story.usable; i++) {
            picked[count] = i;
            double value = overlap(lesson, picked, count + 1);
            if (value > best + 1e-9) {
                best = value;
                next = i;
                better = true;
            }
        }
        picked[count] = next;
        count += better;
    }
    return count;
}

static void add_examples(struct trainer *trainer, struct examples *examples, struct lesson *lesson,
                         uint32_t limit, double share)
{
    uint32_t picked[ORACLE_SENTENCES + 1];
    uint32_t count = find_ideal(lesson, limit, picked);
    for (uint32_t i = 0; i < lesson->story.usable; i++) {
        struct example example = {.share = share};
        memcpy(example.features, lesson->ratings[i].features, sizeof example.features);
        for (uint32_t p = 0; p < count; p++) {
            example.label = picked[p] == i ? 1 : example.label;
        }
        vec_push(&trainer->memory, examples, example);
    }
}

static void learn_summary(struct trainer *trainer, struct lesson *lesson)
{
    add_examples(trainer, &trainer->sentences, lesson, ORACLE_SENTENCES, 1);
}

static void learn_standfirst(struct trainer *trainer, struct lesson *lesson)
{
    add_examples(trainer, &trainer->sentences, lesson, STANDFIRST_ORACLE, STANDFIRST_SHARE);
    add_examples(trainer, &trainer->standfirsts, lesson, 1, 1);
}

// Adds what an article's candidates tell: features and overlap, both less their means.
static void learn_candidates(struct trainer *trainer, struct lesson *lesson)
{
    struct choice choice;
    const struct summary_weights none = {{0}};
    double overlaps[1 << POOL_SIZE];
    double means[SUMMARY_FEATURE_COUNT] = {0};
    double mean = 0;
    uint32_t count = 0;
    if (!choose_summary(&choice, &lesson->story, lesson->ratings, &none)) {
        return;
    }
    for (uint32_t i = 0; i < choice.candidate_count; i++) {
        const struct candidate *candidate = &choice.candidates[i];
        if (candidate->gate == GATE_NONE) {
            overlaps[i] = overlap(lesson, candidate->members, candidate->count);
            mean += overlaps[i];
            count++;
            for (int f = 0; f < SUMMARY_FEATURE_COUNT; f++) {
                means[f] += candidate->features[f];
            }
        }
    }
    for (uint32_t i = 0; i < choice.candidate_count; i++) {
        const struct candidate *candidate = &choice.candidates[i];
        if (candidate->gate != GATE_NONE) {
            continue;
        }
        double value = overlaps[i] - mean / count;
        for (int f = 0; f < SUMMARY_FEATURE_COUNT; f++) {
            double feature = candidate->features[f] - means[f] / count;
            trainer->sums.products[f] += feature * value;
            for (int g = 0; g <= f; g++) {
                trainer->sums.squares[f][g] +=
                    feature * (candidate->features[g] - means[g] / count);
            }
        }
        trainer->sums.weight += 1;
    }
}

// Solves A x = b for a symmetric positive definite A of which the lower half is given (Cholesky); A is lost.
static void solve(double a[SIZE][SIZE], const double *b, int size, double *x)
{
    for (int i = 0; i < size; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = a[i][j];
            for (int k = 0; k < j; k++) {
                sum -= a[i][k] * a[j][k];
            }
            a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
        }
    }
    for (int i = 0; i < size; i++) {
        double sum = b[i];
        for (int k = 0; k < i; k++) {
            sum -= a[i][k] * x[k];
        }
        x[i] = sum / a[i][i];
    }
    for (int i = size; i-- > 0;) {
        double sum = x[i];
        for (int k = i + 1; k < size; k++) {
            sum -= a[k][i] * x[k];
        }
        x[i] = sum / a[i][i];
    }
}

// The spread of every feature, so that the ridge weighs on all alike; 0 for those that never change.
static void measure(const struct examples *examples, double *mean, double *spread)
{
    for (int f = 0; f < SIZE; f++) {
        double sum = 0, squares = 0;
        for (size_t i = 0; i < examples->len; i++) {
            sum += examples->at[i].features[f];
        }
        mean[f] = sum / (double)examples->len;
        for (size_t i = 0; i < examples->len; i++) {
            double off = examples->at[i].features[f] - mean[f];
            squares += off * off;
        }
        spread[f] = sqrt(squares / (double)examples->len);
        spread[f] = spread[f] < 1e-9 ? 0 : spread[f];
    }
}

// Feature `f` of an example, scaled; the constant feature stays 1.
static double scaled(const struct example *example, const double *mean, const double *spread, int f)
{
    if (f == SENTENCE_constant) {
        return 1;
    }
    return spread[f] > 0 ? (example->features[f] - mean[f]) / spread[f] : 0;
}

static void newton_step(const struct examples *examples, const double *mean, const double *spread,
                        double *weights)
{
    double curve[SIZE][SIZE] = {{0}};
    double slope[SIZE] = {0};
    double step[SIZE];
    for (size_t i = 0; i < examples->len; i++) {
        double x[SIZE];
        double score = 0;
        for (int f = 0; f < SIZE; f++) {
            x[f] = scaled(&examples->at[i], mean, spread, f);
            score += weights[f] * x[f];
        }
        double chance = 1 / (1 + exp(-score));
        double share = examples->at[i].share;
        for (int f = 0; f < SIZE; f++) {
            slope[f] += share * (examples->at[i].label - chance) * x[f];
            for (int g = 0; g <= f; g++) {
                curve[f][g] += share * chance * (1 - chance) * x[f] * x[g];
            }
        }
    }
    for (int f = 0; f < SIZE; f++) {
        double ridge = f == SENTENCE_constant ? 1e-6 : LOGISTIC_RIDGE;
        curve[f][f] += ridge;
        slope[f] -= ridge * weights[f];
    }
    solve(curve, slope, SIZE, step);
    for (int f = 0; f < SIZE; f++) {
        weights[f] += step[f];
    }
}

static void fit_sentences(const struct examples *examples, struct sentence_weights *out)
{
    double mean[SIZE], spread[SIZE];
    double weights[SIZE] = {0};
    measure(examples, mean, spread);
    for (int i = 0; i < NEWTON_STEPS; i++) {
        newton_step(examples, mean, spread, weights);
    }
    *out = (struct sentence_weights){{0}};
    out->at[SENTENCE_constant] = weights[SENTENCE_constant];
    for (int f = 0; f < SIZE; f++) {
        if (f != SENTENCE_constant && spread[f] > 0) {
            out->at[f] = weights[f] / spread[f];
            out->at[SENTENCE_constant] -= out->at[f] * mean[f];
        }
    }
}

static void fit_candidates(struct sums *sums, struct summary_weights *out)
{
    double spread[SUMMARY_FEATURE_COUNT];
    double products[SIZE];
    double weights[SIZE];
    for (int f = 0; f < SUMMARY_FEATURE_COUNT; f++) {
        spread[f] = sqrt(sums->squares[f][f] / sums->weight);
        spread[f] = spread[f] < 1e-9 ? 1 : spread[f];
        products[f] = sums->products[f] / spread[f];
        for (int g = 0; g <= f; g++) {
            sums->squares[f][g] /= spread[f] * spread[g];
        }
        sums->squares[f][f] += CANDIDATE_RIDGE;
    }
    solve(sums->squares, products, SUMMARY_FEATURE_COUNT, weights);
    for (int f = 0; f < SUMMARY_FEATURE_COUNT; f++) {
        out->at[f] = weights[f] / spread[f];
    }
}

typedef void (*learn_function)(struct trainer *trainer, struct lesson *lesson);

static bool read_file(struct trainer *trainer, const char *path, learn_function learn)
{
    FILE *file = fopen(path, "rb");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    if (!file) {
        fprintf(stderr, "summary_train: cannot open %s\n", path);
        return false;
    }
    while ((len = getline(&line, &cap, file)) > 0) {
        struct lesson lesson = {0};
        if (lesson_open(&lesson, trainer, (struct view){line, (size_t)len})) {
            learn(trainer, &lesson);
        }
        lesson_close(&lesson);
    }
    free(line);
    fclose(file);
    return true;
}

// Reads the files behind `option`, up to the next option.
static bool read_files(struct trainer *trainer, char **argv, const char *option,
                       learn_function learn)
{
    bool mine = false;
    bool good = true;
    for (size_t i = 2; argv[i] && good; i++) {
        if (argv[i][0] == '-') {
            mine = strcmp(argv[i], option) == 0;
        } else if (mine) {
            good = read_file(trainer, argv[i], learn);
        }
    }
    return good;
}

struct line {
    char name[64];
    double value;
};

static int compare_lines(const void *a, const void *b)
{
    return strcmp(((const struct line *)a)->name, ((const struct line *)b)->name);
}

static void print_weights(const struct sentence_weights *sentence,
                          const struct sentence_weights *standfirst,
                          const struct summary_weights *summary)
{
    struct line lines[2 * SENTENCE_FEATURE_COUNT + SUMMARY_FEATURE_COUNT] = {{"", 0}};
    size_t count = 0;
    for (int f = 0; f < SENTENCE_FEATURE_COUNT; f++) {
        const char *name = sentence_feature_name((enum sentence_feature)f);
        snprintf(lines[count].name, sizeof lines->name, "sentence.%s", name);
        lines[count++].value = sentence->at[f];
        snprintf(lines[count].name, sizeof lines->name, "standfirst.%s", name);
        lines[count++].value = standfirst->at[f];
    }
    for (int f = 0; f < SUMMARY_FEATURE_COUNT; f++) {
        snprintf(lines[count].name, sizeof lines->name, "summary.%s",
                 summary_feature_name((enum summary_feature)f));
        lines[count++].value = summary->at[f];
    }
    qsort(lines, count, sizeof *lines, compare_lines);
    printf(
        "# Weights of the features in rate.h (sentence., standfirst.) and choose.h (summary.), as\n"
        "# summary_train printed them; MODEL.md tells from what.\n"
        "# Source: fitted for copydesk. Licence: CC0.\n");
    for (size_t i = 0; i < count; i++) {
        printf("%s\t%.4f\n", lines[i].name, lines[i].value);
    }
}

int main(int argc, char **argv)
{
    struct trainer trainer = {0};
    struct sentence_weights standfirst;
    struct summary_weights summary;
    struct error why = {""};
    if (argc < 4) {
        fprintf(stderr, "usage: summary_train FOLDER --summaries FILE... --standfirsts FILE...\n");
        return 2;
    }
    if (lists_open(&trainer.lists, argv[1], &why) != OK) {
        fprintf(stderr, "summary_train: %s\n", why.text);
        return 1;
    }
    arena_init(&trainer.memory, MEMORY_BYTES);
    bool good = read_files(&trainer, argv, "--summaries", learn_summary) &&
                read_files(&trainer, argv, "--standfirsts", learn_standfirst);
    if (good && trainer.sentences.len > 0 && trainer.standfirsts.len > 0) {
        fit_sentences(&trainer.sentences, &trainer.weights);
        fit_sentences(&trainer.standfirsts, &standfirst);
        good = read_files(&trainer, argv, "--summaries", learn_candidates);
        fit_candidates(&trainer.sums, &summary);
        print_weights(&trainer.weights, &standfirst, &summary);
    }
    fprintf(stderr, "%zu sentences, %zu for standfirsts, %.0f candidates\n", trainer.sentences.len,
            trainer.standfirsts.len, trainer.sums.weight);
    arena_clear(&trainer.memory);
    lists_close(&trainer.lists);
    return good ? 0 : 1;
}
