// Trains the weights of the entities stage.
//
//     entities_train FOLDER OUT.model [--epochs N] GOLD.ndjson ...
//
// FOLDER holds entities.tables. GOLD are articles with "text" and "entities" (the format of the pipeline's own
// output), one a line.
//
// Method: the log-likelihood of the gold names of every run (lattice.h) is climbed by AdaGrad, a run a step;
// half of the features are left out at random in each step (dropout), and features that lie on fewer than two
// gold ways are never used. Order and random numbers depend on the input alone: the same files give the same
// model. Runs whose gold no candidate can express are left out and counted.
#include "services/entities/features.h"
#include "services/entities/lattice.h"
#include "services/entities/money.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_BYTES  ((size_t)8 << 30)
#define ARTICLE_BYTES ((size_t)256 << 20)

enum { EPOCHS = 8, LEAST_SEEN = 2, NO_EXAMPLE = -1 };

static const float RATE = 0.08F;
static const float SUM_START = 0.1F;     // of AdaGrad's squares
static const float KEPT = 0.5F;          // share of features that a step sees
static const float SMALL_STEP = 1e-4F;   // gradients below are not worth the walk
static const float SMALL_WEIGHT = 0.02F; // weights below are not written

// A candidate of a run, its features and what the gold says.
struct example {
    uint32_t first, end; // tokens, from the start of the run
    size_t ids_at;       // into trainer.ids
    uint32_t id_count;
    int8_t gold; // its label, or NO_EXAMPLE when the gold way does not pass here
};

struct gold_run {
    size_t examples_at;
    uint32_t example_count;
    uint32_t len; // tokens
};

struct row {
    uint64_t feature;
    uint32_t seen; // on gold ways
    float weight[LABEL_COUNT];
    float sum[LABEL_COUNT];
};

struct trainer {
    const struct lexicon *lexicon;
    struct arena memory; // of everything below
    VEC(uint32_t) ids;
    VEC(struct example) examples;
    VEC(struct gold_run) runs;
    VEC(struct row) rows;
    uint32_t *slots; // row + 1 by feature; 0 is free
    size_t slot_mask;
    uint64_t random;
    size_t names, lost_names;
};

// The gold label of each token that starts a name, and where the name ends; `end` 0: no name starts here.
struct gold_name {
    uint32_t end;
    int8_t label;
};

static uint64_t next_random(struct trainer *trainer)
{
    uint64_t z = trainer->random += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool grow_slots(struct trainer *trainer)
{
    size_t mask = trainer->slots ? trainer->slot_mask * 2 + 1 : (1 << 20) - 1;
    uint32_t *slots = arena_zalloc(&trainer->memory, mask + 1, sizeof *slots);
    for (size_t row = 0; slots && row < trainer->rows.len; row++) {
        size_t i = trainer->rows.at[row].feature & mask;
        while (slots[i]) {
            i = (i + 1) & mask;
        }
        slots[i] = (uint32_t)row + 1;
    }
    trainer->slots = slots;
    trainer->slot_mask = mask;
    return slots != NULL;
}

static uint32_t row_of(struct trainer *trainer, uint64_t feature)
{
    if (trainer->rows.len * 2 >= trainer->slot_mask && !grow_slots(trainer)) {
        fprintf(stderr, "entities_train: no memory for more features\n");
        exit(1);
    }
    size_t i = feature & trainer->slot_mask;
    while (trainer->slots[i] && trainer->rows.at[trainer->slots[i] - 1].feature != feature) {
        i = (i + 1) & trainer->slot_mask;
    }
    if (!trainer->slots[i]) {
        vec_push(&trainer->memory, &trainer->rows, ((struct row){.feature = feature}));
        trainer->slots[i] = (uint32_t)trainer->rows.len;
    }
    return trainer->slots[i] - 1;
}

static void add_example(struct trainer *trainer, const struct words *words, struct run run,
                        uint32_t first, uint32_t end, int8_t gold)
{
    struct features features;
    struct example example = {.first = first - run.first,
                              .end = end - run.first,
                              .ids_at = trainer->ids.len,
                              .gold = gold};
    features_of(words, first, end, &features);
    for (size_t i = 0; i < features.len; i++) {
        uint32_t row = row_of(trainer, features.at[i]);
        trainer->rows.at[row].seen += gold != NO_EXAMPLE;
        vec_push(&trainer->memory, &trainer->ids, row);
    }
    example.id_count = (uint32_t)features.len;
    vec_push(&trainer->memory, &trainer->examples, example);
}

// Marks in `inside` every token of a gold name that begins in the run. False when a name cannot be expressed.
static bool gold_fits(struct trainer *trainer, const struct words *words, struct run run,
                      const struct gold_name *gold, bool *inside)
{
    bool fits = true;
    for (uint32_t i = run.first; i < run.end; i++) {
        inside[i - run.first] = false;
    }
    for (uint32_t i = run.first; i < run.end; i++) {
        if (gold[i].end == 0) {
            continue;
        }
        bool allowed = gold[i].end <= run.end && candidates_allow(words, i, gold[i].end);
        trainer->names++;
        trainer->lost_names += !allowed;
        fits = fits && allowed;
        for (uint32_t k = i; k < gold[i].end && k < run.end; k++) {
            inside[k - run.first] = true;
        }
    }
    return fits;
}

static void add_run(struct trainer *trainer, const struct words *words, struct run run,
                    const struct gold_name *gold)
{
    bool inside[RUN_LIMIT];
    struct gold_run learnt = {.examples_at = trainer->examples.len, .len = run.end - run.first};
    if (!gold_fits(trainer, words, run, gold, inside)) {
        return;
    }
    for (uint32_t first = run.first; first < run.end; first++) {
        for (uint32_t end = first + 1; end <= run.end && end - first <= CANDIDATE_LIMIT; end++) {
            if (!candidates_allow(words, first, end)) {
                continue;
            }
            int8_t label = NO_EXAMPLE;
            if (gold[first].end == end) {
                label = gold[first].label;
            } else if (end == first + 1 && !inside[first - run.first]) {
                label = LABEL_NONE;
            }
            add_example(trainer, words, run, first, end, label);
        }
    }
    learnt.example_count = (uint32_t)(trainer->examples.len - learnt.examples_at);
    vec_push(&trainer->memory, &trainer->runs, learnt);
}

// Lays the gold entities over the tokens. Names that do not begin and end with a token are lost.
static struct gold_name *read_gold(struct trainer *trainer, const struct article *article)
{
    const struct tokens *tokens = &article->segments.tokens;
    struct gold_name *gold = arena_zalloc(article->arena, tokens->len + 1, sizeof *gold);
    for (size_t e = 0; gold && e < article->entity_count; e++) {
        const struct entity *entity = &article->entities[e];
        for (size_t m = 0; entity->type != MONEY && m < entity->mentions.len; m++) {
            struct span span = entity->mentions.at[m];
            size_t low = 0, high = tokens->len;
            while (low < high) {
                size_t middle = (low + high) / 2;
                if (tokens->at[middle].span.start < span.start) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            size_t end = low;
            while (end < tokens->len && tokens->at[end].span.end < span.end) {
                end++;
            }
            if (low < tokens->len && end < tokens->len &&
                tokens->at[low].span.start == span.start && tokens->at[end].span.end == span.end) {
                gold[low] = (struct gold_name){(uint32_t)end + 1, (int8_t)(entity->type + 1)};
            } else {
                trainer->names++;
                trainer->lost_names++;
            }
        }
    }
    return gold;
}

static void add_article(struct trainer *trainer, struct article *article)
{
    struct words words;
    struct spans amounts = {0};
    struct run run;
    size_t from = 0;
    article_segment(article);
    const struct gold_name *gold = read_gold(trainer, article);
    if (!gold || !words_read(&words, trainer->lexicon, article)) {
        fprintf(stderr, "entities_train: article too large\n");
        return;
    }
    money_find(&words, article->arena, &amounts);
    while (candidates_next_run(&words, &from, &run)) {
        add_run(trainer, &words, run, gold);
    }
}

static bool read_file(struct trainer *trainer, const char *path)
{
    FILE *file = fopen(path, "r");
    struct arena arena;
    struct error why;
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    bool fine = file != NULL;
    arena_init(&arena, ARTICLE_BYTES);
    while (fine && (len = getline(&line, &cap, file)) > 0) {
        struct article article;
        arena_reset(&arena);
        article_init(&article, &arena);
        fine = article_merge(&article, (struct view){line, (size_t)len}, &why) == OK;
        if (fine) {
            add_article(trainer, &article);
        } else {
            fprintf(stderr, "entities_train: %s: %s\n", path, why.text);
        }
        article_clear(&article);
    }
    free(line);
    arena_clear(&arena);
    if (file) {
        fclose(file);
    } else {
        perror(path);
    }
    return fine;
}

// One step sees a feature when the bits of its row and of the step's number say so.
static bool is_kept(const struct trainer *trainer, uint32_t row, uint64_t step)
{
    uint64_t z = (row + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15) ^ step;
    z = (z ^ z >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return trainer->rows.at[row].seen >= LEAST_SEEN && (float)(z >> 40) < KEPT * (float)(1 << 24);
}

static void score_example(const struct trainer *trainer, const struct example *example,
                          uint64_t step, struct candidate *candidate)
{
    *candidate = (struct candidate){.first = example->first, .end = example->end};
    for (uint32_t i = 0; i < example->id_count; i++) {
        uint32_t row = trainer->ids.at[example->ids_at + i];
        if (is_kept(trainer, row, step)) {
            for (int label = 0; label < LABEL_COUNT; label++) {
                candidate->score[label] += trainer->rows.at[row].weight[label] / KEPT;
            }
        }
    }
}

static void climb(struct trainer *trainer, const struct example *example, uint64_t step,
                  const struct candidate *candidate)
{
    float slope[LABEL_COUNT];
    float largest = 0;
    for (int label = 0; label < LABEL_COUNT; label++) {
        slope[label] = (float)(example->gold == label) - candidate->chance[label];
        largest = fmaxf(largest, fabsf(slope[label]));
    }
    if (largest < SMALL_STEP) {
        return;
    }
    for (uint32_t i = 0; i < example->id_count; i++) {
        uint32_t id = trainer->ids.at[example->ids_at + i];
        if (!is_kept(trainer, id, step)) {
            continue;
        }
        struct row *row = &trainer->rows.at[id];
        for (int label = 0; label < LABEL_COUNT; label++) {
            row->sum[label] += slope[label] * slope[label];
            row->weight[label] += RATE * slope[label] / sqrtf(SUM_START + row->sum[label]);
        }
    }
}

// One run, one step. Returns the log-likelihood of its gold way.
static float learn_run(struct trainer *trainer, const struct gold_run *run)
{
    struct candidate candidates[RUN_LIMIT * CANDIDATE_LIMIT];
    struct lattice lattice = {{0, run->len}, candidates, run->example_count};
    const struct example *examples = trainer->examples.at + run->examples_at;
    uint64_t step = next_random(trainer);
    float gold = 0;
    for (size_t i = 0; i < lattice.len; i++) {
        score_example(trainer, &examples[i], step, &candidates[i]);
        gold += examples[i].gold >= 0 ? candidates[i].score[examples[i].gold] : 0;
    }
    float total = lattice_chances(&lattice);
    for (size_t i = 0; i < lattice.len; i++) {
        climb(trainer, &examples[i], step, &candidates[i]);
    }
    return gold - total;
}

static void learn(struct trainer *trainer, int epochs)
{
    size_t count = trainer->runs.len;
    size_t *order = arena_alloc(&trainer->memory, count * sizeof *order);
    for (size_t i = 0; order && i < count; i++) {
        order[i] = i;
    }
    for (int epoch = 1; order && epoch <= epochs; epoch++) {
        double sum = 0;
        for (size_t i = count; i > 1; i--) {
            size_t j = next_random(trainer) % i;
            size_t other = order[i - 1];
            order[i - 1] = order[j];
            order[j] = other;
        }
        for (size_t i = 0; i < count; i++) {
            sum += (double)learn_run(trainer, &trainer->runs.at[order[i]]);
        }
        printf("epoch %d: log-likelihood %.4f a run\n", epoch, sum / (double)count);
        fflush(stdout);
    }
}

// Rows with most gold first, so that the file keeps the better one of two that collide.
static int by_seen(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;
    if (left->seen != right->seen) {
        return left->seen < right->seen ? 1 : -1;
    }
    return (left->feature > right->feature) - (left->feature < right->feature);
}

static enum status save(struct trainer *trainer, const char *path, struct error *why)
{
    size_t count = trainer->rows.len;
    uint64_t *features = arena_alloc(&trainer->memory, count * sizeof *features);
    float *values = arena_alloc(&trainer->memory, count * LABEL_COUNT * sizeof *values);
    size_t kept = 0;
    if (!features || !values) {
        return error_set(why, ERR_MEMORY, "no memory to write %s", path);
    }
    qsort(trainer->rows.at, count, sizeof *trainer->rows.at, by_seen);
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &trainer->rows.at[i];
        float largest = 0;
        for (int label = 0; label < LABEL_COUNT; label++) {
            values[kept * LABEL_COUNT + (size_t)label] = row->weight[label];
            largest = fmaxf(largest, fabsf(row->weight[label]));
        }
        features[kept] = row->feature;
        kept += row->seen >= LEAST_SEEN && largest >= SMALL_WEIGHT;
    }
    printf("%zu features of %zu written\n", kept, count);
    return weights_write(path, features, values, kept, why);
}

int main(int argc, char **argv)
{
    struct trainer trainer = {.random = 1};
    struct lexicon *lexicon = NULL;
    struct error why = {""};
    int epochs = EPOCHS;
    if (argc < 4) {
        fprintf(stderr, "usage: entities_train FOLDER OUT.model [--epochs N] GOLD.ndjson ...\n");
        return 2;
    }
    if (lexicon_open(&lexicon, argv[1], &why) != OK) {
        fprintf(stderr, "entities_train: %s\n", why.text);
        return 78;
    }
    trainer.lexicon = lexicon;
    arena_init(&trainer.memory, MEMORY_BYTES);
    grow_slots(&trainer);
    for (int i = 3; i < argc; i++) {
        if (strcmp(argv[i], "--epochs") == 0 && i + 1 < argc) {
            epochs = (int)strtol(argv[++i], NULL, 10);
        } else if (!read_file(&trainer, argv[i])) {
            return 66;
        }
    }
    printf("%zu runs, %zu candidates, %zu features; %zu of %zu names lost\n", trainer.runs.len,
           trainer.examples.len, trainer.rows.len, trainer.lost_names, trainer.names);
    learn(&trainer, epochs);
    enum status status = save(&trainer, argv[2], &why);
    if (status != OK) {
        fprintf(stderr, "entities_train: %s\n", why.text);
    }
    arena_clear(&trainer.memory);
    lexicon_free(lexicon);
    return status_exit_code(status);
}
