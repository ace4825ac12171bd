#include "services/entities/tagger.h"

#include <math.h>
#include <stdio.h>

// How strongly the other occurrences of a word speak for a label; less for words that are also ordinary
// ones. 1 would let the article overrule every sentence; measured on news, .6 and .3 are best.
#define VOTE        0.6F
#define VOTE_COMMON 0.2F
#define VOTE_FLOOR  1e-4F

// Candidates this improbable after the first look are dropped, single words excepted.
#define LEAST_CHANCE 0.01F

// Explanations show this many weights of a decision.
enum { SHOWN_WEIGHTS = 5 };

// What happens between the two looks at the article.
struct article_votes {
    float (*by_use)[LABEL_COUNT];   // summed over the occurrences of a word
    float (*by_token)[LABEL_COUNT]; // of each token in a run
    struct candidates candidates;
    VEC(struct run) runs;
    VEC(size_t) first_candidate; // per run
};

static void score(const struct weights *weights, const struct words *words,
                  struct candidate *candidate)
{
    struct features features;
    int32_t sum[LABEL_COUNT] = {0};
    features_of(words, candidate->first, candidate->end, &features);
    for (size_t i = 0; i < features.len; i++) {
        const struct weights_slot *slot = weights_find(weights, features.at[i]);
        for (int label = 0; slot && label < LABEL_COUNT; label++) {
            sum[label] += slot->value[label];
        }
    }
    for (int label = 0; label < LABEL_COUNT; label++) {
        candidate->score[label] = (float)sum[label] * weights->scale;
        candidate->chance[label] = 0;
    }
}

// Fills `at` (room for RUN_LIMIT * CANDIDATE_LIMIT) with the scored candidates of a run.
static size_t score_run(const struct weights *weights, const struct words *words, struct run run,
                        struct candidate *at)
{
    size_t len = 0;
    for (uint32_t first = run.first; first < run.end; first++) {
        for (uint32_t end = first + 1; end <= run.end && end - first <= CANDIDATE_LIMIT; end++) {
            if (candidates_allow(words, first, end)) {
                at[len] = (struct candidate){.first = first, .end = end};
                score(weights, words, &at[len++]);
            }
        }
    }
    return len;
}

static float name_chance(const struct candidate *candidate)
{
    float sum = 0;
    for (int label = LABEL_NONE + 1; label < LABEL_COUNT; label++) {
        sum += candidate->chance[label];
    }
    return sum;
}

static void count_votes(struct article_votes *votes, const struct words *words,
                        const struct lattice *lattice)
{
    for (size_t i = 0; i < lattice->len; i++) {
        const struct candidate *candidate = &lattice->at[i];
        for (uint32_t token = candidate->first; token < candidate->end; token++) {
            for (int label = LABEL_NONE + 1; label < LABEL_COUNT; label++) {
                votes->by_token[token][label] += candidate->chance[label];
            }
        }
    }
    for (uint32_t token = lattice->run.first; token < lattice->run.end; token++) {
        float *own = votes->by_token[token];
        own[LABEL_NONE] = 1;
        for (int label = LABEL_NONE + 1; label < LABEL_COUNT; label++) {
            own[LABEL_NONE] -= own[label];
        }
        own[LABEL_NONE] = fmaxf(own[LABEL_NONE], 0);
        for (int label = 0; words->at[token].role == ROLE_NAME && label < LABEL_COUNT; label++) {
            votes->by_use[words->at[token].use][label] += own[label];
        }
    }
}

// First look: every run by itself.
static void look_at_runs(const struct weights *weights, const struct words *words,
                         struct arena *arena, struct article_votes *votes)
{
    struct candidate *room =
        arena_alloc(arena, RUN_LIMIT * CANDIDATE_LIMIT * sizeof(struct candidate));
    struct run run;
    size_t from = 0;
    while (room && candidates_next_run(words, &from, &run)) {
        struct lattice lattice = {.run = run, .at = room};
        lattice.len = score_run(weights, words, run, room);
        lattice_chances(&lattice);
        count_votes(votes, words, &lattice);
        vec_push(arena, &votes->runs, run);
        vec_push(arena, &votes->first_candidate, votes->candidates.len);
        for (size_t i = 0; i < lattice.len; i++) {
            bool single = room[i].end == room[i].first + 1;
            if (single || name_chance(&room[i]) >= LEAST_CHANCE) {
                vec_push(arena, &votes->candidates, room[i]);
            }
        }
    }
}

// What the other occurrences of its words add to a candidate's score for each label.
static void add_votes(const struct article_votes *votes, const struct words *words,
                      struct candidate *candidate)
{
    for (uint32_t token = candidate->first; token < candidate->end; token++) {
        const struct word *word = &words->at[token];
        const struct word_use *use = &words->uses[word->use];
        if (word->role != ROLE_NAME || use->total < 2) {
            continue;
        }
        bool common = use->lower > 0 || word->lists & lexicon_bit(LIST_COMMON_WORDS);
        float strength = common ? VOTE_COMMON : VOTE;
        for (int label = 0; label < LABEL_COUNT; label++) {
            float mean = votes->by_use[word->use][label] / (float)use->total;
            float own = votes->by_token[token][label];
            candidate->score[label] +=
                strength * (logf(mean + VOTE_FLOOR) - logf(own + VOTE_FLOOR));
        }
    }
}

// The weights that speak most for a decision, for a person to read.
static void explain_choice(const struct weights *weights, const struct words *words,
                           const struct candidate *candidate, int label, struct explain *explain)
{
    struct features features;
    char reasons[256] = "";
    if (!explain) {
        return;
    }
    features_of(words, candidate->first, candidate->end, &features);
    for (int shown = 0; shown < SHOWN_WEIGHTS; shown++) {
        size_t best = features.len;
        int best_value = 0;
        for (size_t i = 0; i < features.len; i++) {
            const struct weights_slot *slot = weights_find(weights, features.at[i]);
            if (slot && slot->value[label] > best_value) {
                best_value = slot->value[label];
                best = i;
            }
        }
        if (best == features.len) {
            break;
        }
        size_t used = strlen(reasons);
        snprintf(reasons + used, sizeof reasons - used, "%s%s %+.2f", used ? ", " : "",
                 features_template_name(features.template[best]),
                 (double)((float)best_value * weights->scale));
        features.at[best] = features.at[--features.len];
        features.template[best] = features.template[features.len];
    }
    explain_add(explain, "entities", label == LABEL_NONE ? "no name" : "name",
                view_at(words->text, words_span(words, candidate->first, candidate->end)),
                "%s %.2f: %s",
                label == LABEL_NONE ? "-" : entity_type_name((enum entity_type)(label - 1)),
                (double)candidate->chance[label], reasons);
}

static void explain_rejected(const struct weights *weights, const struct words *words,
                             const struct lattice *lattice, struct explain *explain)
{
    for (size_t i = 0; explain && i < lattice->len; i++) {
        const struct candidate *candidate = &lattice->at[i];
        if (candidate->end == candidate->first + 1 && candidate->chance[LABEL_NONE] > 0.5F) {
            explain_choice(weights, words, candidate, LABEL_NONE, explain);
        }
    }
}

void tagger_find(const struct weights *weights, const struct words *words, struct arena *arena,
                 struct explain *explain, struct mentions *out)
{
    struct article_votes votes = {0};
    votes.by_use = arena_zalloc(arena, words->use_count, sizeof *votes.by_use);
    votes.by_token = arena_zalloc(arena, words->len, sizeof *votes.by_token);
    if (!votes.by_use || !votes.by_token) {
        return;
    }
    look_at_runs(weights, words, arena, &votes);
    for (size_t r = 0; r < votes.first_candidate.len; r++) {
        size_t first = votes.first_candidate.at[r];
        size_t end = r + 1 < votes.first_candidate.len ? votes.first_candidate.at[r + 1]
                                                       : votes.candidates.len;
        struct candidate *candidates = votes.candidates.at ? votes.candidates.at + first : NULL;
        struct lattice lattice = {votes.runs.at[r], candidates, end - first};
        struct choice choices[RUN_LIMIT];
        for (size_t i = 0; i < lattice.len; i++) {
            add_votes(&votes, words, &lattice.at[i]);
        }
        lattice_chances(&lattice);
        size_t found = lattice_best(&lattice, choices);
        for (size_t i = 0; i < found; i++) {
            const struct candidate *candidate = &lattice.at[choices[i].candidate];
            int label = choices[i].label;
            explain_choice(weights, words, candidate, label, explain);
            vec_push(arena, out,
                     ((struct mention){candidate->first, candidate->end,
                                       (enum entity_type)(label - 1), candidate->chance[label]}));
        }
        explain_rejected(weights, words, &lattice, explain);
    }
}
