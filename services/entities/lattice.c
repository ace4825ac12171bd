#include "services/entities/lattice.h"

#include <assert.h>
#include <math.h>

static bool is_single(const struct candidate *candidate)
{
    return candidate->end == candidate->first + 1;
}

static float log_add(float a, float b)
{
    float high = a > b ? a : b;
    float low = a > b ? b : a;
    return low == -INFINITY ? high : high + log1pf(expf(low - high));
}

// log of the summed exp of the name labels, and of label 0 where it counts.
static float log_total(const struct candidate *candidate)
{
    float high = candidate->score[LABEL_NONE + 1];
    float sum = 0;
    int first = is_single(candidate) ? LABEL_NONE : LABEL_NONE + 1;
    for (int label = first; label < LABEL_COUNT; label++) {
        high = fmaxf(high, candidate->score[label]);
    }
    for (int label = first; label < LABEL_COUNT; label++) {
        sum += expf(candidate->score[label] - high);
    }
    return high + logf(sum);
}

// True when a candidate of one token starts at the position that `i` is about to reach; such a token brings
// its own score for "no name".
static bool has_single(const struct lattice *lattice, size_t i, uint32_t position)
{
    return i < lattice->len && lattice->at[i].first == position && is_single(&lattice->at[i]);
}

float lattice_chances(const struct lattice *lattice)
{
    float forward[RUN_LIMIT + 1];
    float backward[RUN_LIMIT + 1];
    uint32_t base = lattice->run.first;
    uint32_t count = lattice->run.end - base;

    assert(count <= RUN_LIMIT);
    for (uint32_t p = 0; p <= count; p++) {
        forward[p] = p ? -INFINITY : 0;
    }
    for (uint32_t p = 0, i = 0; p < count; p++) {
        if (!has_single(lattice, i, base + p)) {
            forward[p + 1] = log_add(forward[p + 1], forward[p]);
        }
        for (; i < lattice->len && lattice->at[i].first == base + p; i++) {
            uint32_t end = lattice->at[i].end - base;
            // Kept for the way back: the total stands in chance[0] until it is overwritten.
            lattice->at[i].chance[0] = log_total(&lattice->at[i]);
            forward[end] = log_add(forward[end], forward[p] + lattice->at[i].chance[0]);
        }
    }
    backward[count] = 0;
    for (size_t p = count, i = lattice->len; p-- > 0;) {
        float sum = -INFINITY;
        bool single = false;
        for (; i > 0 && lattice->at[i - 1].first == base + p; i--) {
            struct candidate *candidate = &lattice->at[i - 1];
            float rest = backward[candidate->end - base];
            sum = log_add(sum, candidate->chance[0] + rest);
            single = single || is_single(candidate);
            float outside = forward[p] + rest - forward[count];
            for (int label = LABEL_COUNT - 1; label >= 0; label--) {
                bool counts = label != LABEL_NONE || is_single(candidate);
                candidate->chance[label] =
                    counts ? expf(fminf(candidate->score[label] + outside, 0)) : 0;
            }
        }
        backward[p] = single ? sum : log_add(sum, backward[p + 1]);
    }
    return forward[count];
}

// The best label of a candidate; label 0 only where it counts.
static int best_label(const struct candidate *candidate)
{
    int best = is_single(candidate) ? LABEL_NONE : LABEL_NONE + 1;
    for (int label = best + 1; label < LABEL_COUNT; label++) {
        best = candidate->score[label] > candidate->score[best] ? label : best;
    }
    return best;
}

size_t lattice_best(const struct lattice *lattice, struct choice *out)
{
    float score[RUN_LIMIT + 1];
    struct choice
        step[RUN_LIMIT + 1]; // the step that reaches a position; label 0: one token, no name
    uint32_t base = lattice->run.first;
    uint32_t count = lattice->run.end - base;
    size_t found = 0;

    assert(count <= RUN_LIMIT);
    for (uint32_t p = 0; p <= count; p++) {
        score[p] = p ? -INFINITY : 0;
        step[p] = (struct choice){0};
    }
    for (uint32_t p = 0, i = 0; p < count; p++) {
        if (!has_single(lattice, i, base + p) && score[p] > score[p + 1]) {
            score[p + 1] = score[p];
            step[p + 1] = (struct choice){0};
        }
        for (; i < lattice->len && lattice->at[i].first == base + p; i++) {
            const struct candidate *candidate = &lattice->at[i];
            int label = best_label(candidate);
            uint32_t end = candidate->end - base;
            if (score[p] + candidate->score[label] > score[end]) {
                score[end] = score[p] + candidate->score[label];
                step[end] = (struct choice){i, label};
            }
        }
    }
    for (uint32_t p = count; p > 0;) {
        if (step[p].label == LABEL_NONE) {
            p--;
        } else {
            out[found++] = step[p];
            p = lattice->at[step[p].candidate].first - base;
        }
    }
    for (size_t i = 0; i < found / 2; i++) {
        struct choice other = out[i];
        out[i] = out[found - 1 - i];
        out[found - 1 - i] = other;
    }
    return found;
}
