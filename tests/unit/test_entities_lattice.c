#include "services/entities/lattice.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { TOKENS = 5, CANDIDATES = TOKENS * (TOKENS + 1) / 2 };

struct sums {
    double all;
    double by_choice[CANDIDATES][LABEL_COUNT];
    double best;
};

// A run of TOKENS tokens and every candidate in it but the single token 2, which may only be no name.
static struct lattice make_lattice(struct candidate *at, uint64_t *random)
{
    struct lattice lattice = {.run = {7, 7 + TOKENS}, .at = at};
    for (uint32_t first = 0; first < TOKENS; first++) {
        for (uint32_t end = first + 1; end <= TOKENS; end++) {
            if (first == 2 && end == 3) {
                continue;
            }
            struct candidate *candidate = &at[lattice.len++];
            *candidate = (struct candidate){.first = 7 + first, .end = 7 + end};
            for (int label = 0; label < LABEL_COUNT; label++) {
                *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407U;
                candidate->score[label] = (float)(*random >> 40) / (float)(1 << 21) - 4;
            }
        }
    }
    return lattice;
}

// The obvious twin: all ways through the run, one by one. `path` holds candidate * LABEL_COUNT + label.
static void walk(const struct lattice *lattice, uint32_t token, double score, size_t *path,
                 size_t steps, struct sums *sums)
{
    if (token == lattice->run.end) {
        sums->all += exp(score);
        sums->best = fmax(sums->best, score);
        for (size_t i = 0; i < steps; i++) {
            sums->by_choice[path[i] / LABEL_COUNT][path[i] % LABEL_COUNT] += exp(score);
        }
        return;
    }
    bool single = false;
    for (size_t i = 0; i < lattice->len; i++) {
        const struct candidate *candidate = &lattice->at[i];
        bool alone = candidate->end == candidate->first + 1;
        if (candidate->first != token) {
            continue;
        }
        single = single || alone;
        for (size_t label = alone ? 0 : 1; label < LABEL_COUNT; label++) {
            path[steps] = i * LABEL_COUNT + label;
            walk(lattice, candidate->end, score + (double)candidate->score[label], path, steps + 1,
                 sums);
        }
    }
    if (!single) {
        walk(lattice, token + 1, score, path, steps, sums);
    }
}

static void chances_are_those_of_all_ways_counted_one_by_one(void **state)
{
    (void)state;
    uint64_t random = 1;
    for (int round = 0; round < 5; round++) {
        struct candidate at[CANDIDATES];
        size_t path[TOKENS];
        struct sums sums = {.best = -1e9};
        struct lattice lattice = make_lattice(at, &random);
        walk(&lattice, lattice.run.first, 0, path, 0, &sums);
        assert_float_equal(lattice_chances(&lattice), (float)log(sums.all), 1e-3F);
        for (size_t i = 0; i < lattice.len; i++) {
            for (int label = 0; label < LABEL_COUNT; label++) {
                float chance = (float)(sums.by_choice[i][label] / sums.all);
                assert_float_equal(at[i].chance[label], chance, 1e-3F);
            }
        }
    }
}

static void the_best_way_is_the_best_of_all_ways(void **state)
{
    (void)state;
    uint64_t random = 2;
    for (int round = 0; round < 20; round++) {
        struct candidate at[CANDIDATES];
        size_t path[TOKENS];
        struct choice choices[RUN_LIMIT];
        struct sums sums = {.best = -1e9};
        struct lattice lattice = make_lattice(at, &random);
        walk(&lattice, lattice.run.first, 0, path, 0, &sums);
        size_t found = lattice_best(&lattice, choices);
        double score = 0;
        uint32_t token = lattice.run.first;
        for (size_t i = 0; i < found; i++) {
            const struct candidate *candidate = &at[choices[i].candidate];
            for (size_t k = 0; k < lattice.len; k++) {
                bool passed = at[k].first >= token && at[k].end <= candidate->first &&
                              at[k].end == at[k].first + 1;
                score += passed ? (double)at[k].score[LABEL_NONE] : 0;
            }
            assert_true(candidate->first >= token);
            score += (double)candidate->score[choices[i].label];
            token = candidate->end;
        }
        for (size_t k = 0; k < lattice.len; k++) {
            bool passed = at[k].first >= token && at[k].end == at[k].first + 1;
            score += passed ? (double)at[k].score[LABEL_NONE] : 0;
        }
        assert_float_equal((float)score, (float)sums.best, 1e-3F);
    }
}

static void a_run_without_candidates_has_no_names(void **state)
{
    (void)state;
    struct choice choices[RUN_LIMIT];
    struct lattice lattice = {.run = {3, 6}};
    assert_float_equal(lattice_chances(&lattice), 0, 1e-6F);
    assert_int_equal(lattice_best(&lattice, choices), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chances_are_those_of_all_ways_counted_one_by_one),
        cmocka_unit_test(the_best_way_is_the_best_of_all_ways),
        cmocka_unit_test(a_run_without_candidates_has_no_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
