#include "services/summary/choose.h"

#include <stdio.h>

// Two sentences repeat each other when their vectors or their runs of three words agree so much.
static const double duplicate_cosine = 0.75;
static const double duplicate_runs = 0.4;

// What an editor expects, in the unit of scores (expected ROUGE-1 + ROUGE-2): three sentences unless two
// are better by this much, the lead among them unless it adds nothing, and no "he" or "but" without need.
// Fitted weights alone would give 2.6 sentences on average for the sake of references of 30 words; these three
// cost 0.5 ROUGE-1 (MODEL.md).
static const double three_bonus = 0.014;
static const double lead_bonus = 0.01;
static const double dangling_cost = 0.01;

enum { SENTENCES_LEAST = 2, CANDIDATE_LIMIT = 1 << POOL_SIZE };

const char *summary_feature_name(enum summary_feature feature)
{
#define FEATURE_NAME(name) #name,
    static const char *const names[] = {SUMMARY_FEATURES(FEATURE_NAME)};
#undef FEATURE_NAME
    return names[feature];
}

const char *gate_name(enum gate gate)
{
    static const char *const names[] = {
        [GATE_NONE] = "none",
        [GATE_OPENER] = "first sentence points back",
        [GATE_DANGLING] = "points back to a sentence that is not in",
        [GATE_DUPLICATE] = "repeats itself",
        [GATE_LENGTH] = "too long",
        [GATE_COUNT] = "too few sentences",
    };
    return names[gate];
}

enum status choose_load(struct summary_weights *weights, const struct lists *lists,
                        struct error *why)
{
    enum status status = OK;
    for (int i = 0; i < SUMMARY_FEATURE_COUNT && status == OK; i++) {
        char name[64];
        snprintf(name, sizeof name, "summary.%s", summary_feature_name((enum summary_feature)i));
        status = lists_weight(lists, name, &weights->at[i], why);
    }
    return status;
}

// What candidates are made of.
struct bench {
    const struct story *story;
    const struct rating *ratings;
    uint32_t pool[POOL_SIZE]; // ratings in reading order
    uint32_t pool_count;
    uint32_t *seen; // per term: the candidate that counted it last, from 1
};

static const struct sentence *sentence_of(const struct bench *bench, uint32_t rating)
{
    return &bench->story->sentences[bench->ratings[rating].sentence];
}

static bool is_better(const struct rating *ratings, uint32_t a, uint32_t b)
{
    return ratings[a].score > ratings[b].score || (ratings[a].score == ratings[b].score && a < b);
}

// A sentence that points back is of use only behind the one before it.
static bool can_stand(const struct bench *bench, uint32_t rating)
{
    return !sentence_of(bench, rating)->dangling ||
           (rating > 0 &&
            bench->ratings[rating - 1].sentence + 1 == bench->ratings[rating].sentence);
}

// The best ratings, those that can stand first, back in reading order.
static void fill_pool(struct bench *bench)
{
    uint32_t count = bench->story->usable;
    for (int pass = 0; pass < 2 && bench->pool_count == 0; pass++) {
        for (uint32_t i = 0; i < count; i++) {
            uint32_t at = bench->pool_count;
            if (pass == 0 && !can_stand(bench, i)) {
                continue;
            }
            while (at > 0 && is_better(bench->ratings, i, bench->pool[at - 1])) {
                at--;
            }
            if (at == POOL_SIZE) {
                continue;
            }
            bench->pool_count += bench->pool_count < POOL_SIZE;
            memmove(bench->pool + at + 1, bench->pool + at,
                    (bench->pool_count - 1 - at) * sizeof *bench->pool);
            bench->pool[at] = i;
        }
    }
    for (uint32_t i = 1; i < bench->pool_count; i++) {
        uint32_t moved = bench->pool[i];
        uint32_t at = i;
        for (; at > 0 && bench->pool[at - 1] > moved; at--) {
            bench->pool[at] = bench->pool[at - 1];
        }
        bench->pool[at] = moved;
    }
}

// Share of the shorter sentence's runs of three words that the other has too.
static double shared_runs(const struct sentence *a, const struct sentence *b)
{
    if (a->term_count > b->term_count) {
        const struct sentence *swap = a;
        a = b;
        b = swap;
    }
    uint32_t shared = 0;
    for (uint32_t i = 0; i + 2 < a->term_count; i++) {
        for (uint32_t j = 0; j + 2 < b->term_count; j++) {
            if (memcmp(a->terms + i, b->terms + j, 3 * sizeof *a->terms) == 0) {
                shared++;
                break;
            }
        }
    }
    return a->term_count > 2 ? shared / (a->term_count - 2.0) : 0;
}

static bool is_duplicate(const struct bench *bench, uint32_t a, uint32_t b)
{
    return story_likeness(bench->story, bench->ratings[a].sentence, bench->ratings[b].sentence) >
               duplicate_cosine ||
           shared_runs(sentence_of(bench, a), sentence_of(bench, b)) > duplicate_runs;
}

static bool has_duplicate(const struct bench *bench, const struct candidate *candidate)
{
    for (uint32_t i = 0; i < candidate->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (is_duplicate(bench, candidate->members[j], candidate->members[i])) {
                return true;
            }
        }
    }
    return false;
}

static enum gate find_gate(const struct bench *bench, const struct candidate *candidate)
{
    uint32_t words = 0, characters = 0;
    for (uint32_t i = 0; i < candidate->count; i++) {
        const struct sentence *sentence = sentence_of(bench, candidate->members[i]);
        words += sentence->words;
        characters += sentence->characters + (i > 0);
        if (!sentence->dangling) {
            continue;
        }
        if (i == 0) {
            return GATE_OPENER;
        }
        if (bench->ratings[candidate->members[i - 1]].sentence + 1 !=
            bench->ratings[candidate->members[i]].sentence) {
            return GATE_DANGLING;
        }
    }
    if (has_duplicate(bench, candidate)) {
        return GATE_DUPLICATE;
    }
    return words > CHOICE_WORDS || characters > CHOICE_CHARACTERS ? GATE_LENGTH : GATE_NONE;
}

static double above(double value, double limit)
{
    return value > limit ? value - limit : 0;
}

static void describe_words(double words, double *f)
{
    f[SUMMARY_words_under_20] = above(20, words) / 10;
    f[SUMMARY_words_under_40] = above(40, words) / 10;
    f[SUMMARY_words_over_40] = above(words, 40) / 10;
    f[SUMMARY_words_over_60] = above(words, 60) / 10;
    f[SUMMARY_words_over_80] = above(words, 80) / 10;
    f[SUMMARY_words_over_100] = above(words, 100) / 10;
}

static void describe_members(const struct bench *bench, const struct candidate *candidate,
                             double *f)
{
    double words = 0;
    for (uint32_t i = 0; i < candidate->count; i++) {
        const struct rating *rating = &bench->ratings[candidate->members[i]];
        const struct sentence *sentence = sentence_of(bench, candidate->members[i]);
        double place = story_log2(sentence->place);
        words += sentence->words;
        f[SUMMARY_score_sum] += rating->score;
        if (i == 0 || rating->score < f[SUMMARY_score_least]) {
            f[SUMMARY_score_least] = rating->score;
        }
        if (i == 0 || rating->score > f[SUMMARY_score_most]) {
            f[SUMMARY_score_most] = rating->score;
        }
        f[SUMMARY_first] += sentence->place == 0;
        f[SUMMARY_second] += sentence->place == 1;
        f[SUMMARY_third] += sentence->place == 2;
        f[SUMMARY_place_mean] += place / candidate->count;
        f[SUMMARY_place_last] = place;
        f[SUMMARY_quotes] += rating->features[SENTENCE_has_quote];
        f[SUMMARY_dangling] += sentence->dangling;
    }
    f[SUMMARY_score_mean] = f[SUMMARY_score_sum] / candidate->count;
    describe_words(words, f);
}

static void describe_pairs(const struct bench *bench, const struct candidate *candidate, double *f)
{
    for (uint32_t i = 0; i < candidate->count; i++) {
        uint32_t a = bench->ratings[candidate->members[i]].sentence;
        for (uint32_t j = 0; j < i; j++) {
            uint32_t b = bench->ratings[candidate->members[j]].sentence;
            double cosine = story_likeness(bench->story, a, b);
            f[SUMMARY_likeness_sum] += cosine;
            if (cosine > f[SUMMARY_likeness_most]) {
                f[SUMMARY_likeness_most] = cosine;
            }
            f[SUMMARY_neighbours] += a == b + 1;
        }
    }
}

static void describe_terms(const struct bench *bench, const struct candidate *candidate,
                           uint32_t number, double *f)
{
    const struct story *story = bench->story;
    uint32_t terms = 0, distinct = 0, titled = 0;
    for (uint32_t i = 0; i < candidate->count; i++) {
        const struct sentence *sentence = sentence_of(bench, candidate->members[i]);
        for (uint32_t p = 0; p < sentence->part_count; p++) {
            uint32_t term = sentence->parts[p].term;
            terms++;
            if (bench->seen[term] == number) {
                continue;
            }
            bench->seen[term] = number;
            distinct++;
            titled += story->terms[term].in_title;
            f[SUMMARY_coverage] += story->whole[term] * story->whole[term];
        }
    }
    f[SUMMARY_distinct] = terms > 0 ? (double)distinct / terms : 0;
    f[SUMMARY_title] = story->title_count > 0 ? (double)titled / story->title_count : 0;
}

static void describe(const struct bench *bench, struct candidate *candidate, uint32_t number,
                     const struct summary_weights *weights)
{
    double *f = candidate->features;
    f[SUMMARY_two] = candidate->count == 2;
    f[SUMMARY_three] = candidate->count == 3;
    describe_members(bench, candidate, f);
    describe_pairs(bench, candidate, f);
    describe_terms(bench, candidate, number, f);
    candidate->score = lead_bonus * f[SUMMARY_first] + three_bonus * f[SUMMARY_three] -
                       dangling_cost * f[SUMMARY_dangling];
    for (int i = 0; i < SUMMARY_FEATURE_COUNT; i++) {
        candidate->score += weights->at[i] * f[i];
    }
}

// Every subset of the pool of 1 to CHOICE_SENTENCES sentences.
static uint32_t make_candidates(const struct bench *bench, const struct summary_weights *weights,
                                struct candidate *candidates)
{
    uint32_t count = 0;
    for (uint32_t subset = 1; subset < 1u << bench->pool_count; subset++) {
        struct candidate candidate = {0};
        uint32_t size = 0;
        for (uint32_t i = 0; i < bench->pool_count; i++) {
            if (subset & 1u << i) {
                candidate.members[size < CHOICE_SENTENCES ? size : 0] = bench->pool[i];
                size++;
            }
        }
        if (size > CHOICE_SENTENCES) {
            continue;
        }
        candidate.count = size;
        candidate.gate = find_gate(bench, &candidate);
        describe(bench, &candidate, count + 1, weights);
        candidates[count++] = candidate;
    }
    return count;
}

// The best candidate whose gate is at most as bad as allowed; `allowed` has a bit per gate.
static const struct candidate *find_best(const struct choice *choice, uint32_t allowed,
                                         uint32_t least_count)
{
    const struct candidate *best = NULL;
    for (uint32_t i = 0; i < choice->candidate_count; i++) {
        const struct candidate *candidate = &choice->candidates[i];
        if (!(allowed & 1u << candidate->gate) || candidate->count < least_count) {
            continue;
        }
        if (!best || candidate->score > best->score) {
            best = candidate;
        }
    }
    return best;
}

static void note_refused(struct choice *choice, uint32_t least_count)
{
    for (uint32_t i = 0; i < choice->candidate_count; i++) {
        const struct candidate *candidate = &choice->candidates[i];
        enum gate gate = candidate->gate;
        if (gate == GATE_NONE && candidate->count < least_count) {
            gate = GATE_COUNT;
        }
        const struct candidate **refused = &choice->refused[gate];
        if (gate != GATE_NONE && candidate->score > choice->best->score &&
            (!*refused || candidate->score > (*refused)->score)) {
            *refused = candidate;
        }
    }
}

bool choose_summary(struct choice *choice, const struct story *story, const struct rating *ratings,
                    const struct summary_weights *weights)
{
    struct bench bench = {.story = story, .ratings = ratings};
    struct candidate *candidates = arena_alloc(story->arena, CANDIDATE_LIMIT * sizeof *candidates);
    bench.seen = arena_zalloc(story->arena, story->term_count + 1, sizeof *bench.seen);
    *choice = (struct choice){.candidates = candidates};
    if (!candidates || !bench.seen) {
        return false;
    }
    fill_pool(&bench);
    choice->candidate_count = make_candidates(&bench, weights, candidates);
    uint32_t passed = 1u << GATE_NONE;
    choice->best = find_best(choice, passed, SENTENCES_LEAST);
    if (!choice->best) {
        choice->best = find_best(choice, passed, 1);
    }
    if (!choice->best) {
        passed |= 1u << GATE_OPENER | 1u << GATE_DANGLING;
        choice->best = find_best(choice, passed, 1);
    }
    if (!choice->best) {
        choice->best = find_best(choice, passed | 1u << GATE_LENGTH, 1);
    }
    if (choice->best) {
        note_refused(choice, SENTENCES_LEAST);
    }
    return true;
}

const struct rating *choose_standfirst(const struct story *story, const struct rating *ratings,
                                       const struct sentence_weights *weights)
{
    const struct rating *best = NULL;
    double best_score = 0;
    for (uint32_t i = 0; i < story->usable; i++) {
        const struct rating *rating = &ratings[i];
        const struct sentence *sentence = &story->sentences[rating->sentence];
        if (sentence->dangling || sentence->characters > STANDFIRST_CHARACTERS ||
            rating->features[SENTENCE_like_title] > duplicate_cosine) {
            continue;
        }
        double score = rate_again(rating, weights);
        if (!best || score > best_score) {
            best = rating;
            best_score = score;
        }
    }
    return best;
}
