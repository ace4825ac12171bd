// Trains the weights of the entities stage.
//
//     entities_train FOLDER OUT.model [--epochs N] [--weight PERCENT] GOLD.ndjson ...
//     entities_train --clusters OUT.model WORDS.tsv [COUNT]
//
// FOLDER holds entities.tables and entities-clusters.model, which the second form makes. GOLD are articles with
// "text" and "entities" (the format of the pipeline's own output), one a line. A weight holds for the files after
// it. Entities may overlap and carry a confidence: then they are what another tagger thinks possible, and each is
// learnt as far as it is sure.
//
// Method: the log-likelihood of the gold names of every run (lattice.h) is climbed by AdaGrad, a run a step; two
// features in five are left out at random in each step (dropout), features that lie on fewer than two gold ways
// are never used, and the weights after the last epochs are averaged. Order and random numbers depend on the
// input alone: the same files give the same model. Runs whose gold no candidate can express are left out.
//
// Tried without gain: other rates, dropout of .5 and .65, classes of neighbouring words in pairs, word types
// learnt from the vectors, a weight below 1 for the soft targets.
#include "common/buf.h"
#include "services/entities/features.h"
#include "services/entities/lattice.h"
#include "services/entities/money.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_BYTES  ((size_t)8 << 30)
#define ARTICLE_BYTES ((size_t)256 << 20)

enum { EPOCHS = 20, LEAST_SEEN = 2, AVERAGED = 6 };

static const float RATE = 0.08F;
static const float SUM_START = 0.1F;     // of AdaGrad's squares
static const float KEPT = 0.6F;          // share of features that a step sees
static const float UNFIT_CHANCE = 0.3F;  // a name likelier than this must be a candidate
static const float SMALL_STEP = 1e-4F;   // gradients below are not worth the walk
static const float SMALL_WEIGHT = 0.02F; // weights below are not written

// A candidate of a run, its features and what the gold says.
struct example {
    uint32_t first, end; // tokens, from the start of the run
    size_t ids_at;       // into trainer.ids
    uint32_t id_count;
    float target[LABEL_COUNT]; // what its chances should be
};

struct gold_run {
    size_t examples_at;
    uint32_t example_count;
    uint32_t len; // tokens
    float weight; // of a step
};

struct row {
    uint64_t feature;
    uint32_t seen; // on gold ways
    float weight[LABEL_COUNT];
    float sum[LABEL_COUNT];  // of squared slopes
    float mean[LABEL_COUNT]; // of the weight after each of the last epochs
};

struct trainer {
    struct knowledge knowledge;
    struct arena memory; // of everything below
    VEC(uint32_t) ids;
    VEC(struct example) examples;
    VEC(struct gold_run) runs;
    VEC(struct row) rows;
    uint32_t *slots; // row + 1 by feature; 0 is free
    size_t slot_mask;
    uint64_t random;
    float weight; // of the runs being read
    size_t names, lost_names;
};

// A name the gold sees in the text, or one of several that it thinks possible. Without tokens of its own
// (end 0) it is one that no candidate can express, at `first`.
struct gold_name {
    uint32_t first, end;
    int label;
    float chance;
};

struct gold {
    struct gold_name *at; // by first token
    size_t len, cap;
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
                        struct example example)
{
    struct features features;
    bool likely = false;
    features_of(words, example.first, example.end, &features);
    for (int label = 0; label < LABEL_COUNT; label++) {
        likely = likely || example.target[label] >= 0.5F;
    }
    example.first -= run.first;
    example.end -= run.first;
    example.ids_at = trainer->ids.len;
    example.id_count = (uint32_t)features.len;
    for (size_t i = 0; i < features.len; i++) {
        uint32_t row = row_of(trainer, features.at[i]);
        trainer->rows.at[row].seen += likely;
        vec_push(&trainer->memory, &trainer->ids, row);
    }
    vec_push(&trainer->memory, &trainer->examples, example);
}

// How much of each token of the run the gold gives to names. False when a likely name cannot be expressed.
static bool cover(struct trainer *trainer, const struct words *words, struct run run,
                  const struct gold *gold, size_t from, float *covered)
{
    bool fits = true;
    memset(covered, 0, RUN_LIMIT * sizeof *covered);
    for (size_t i = from; i < gold->len && gold->at[i].first < run.end; i++) {
        const struct gold_name *name = &gold->at[i];
        bool likely = name->chance >= UNFIT_CHANCE;
        bool allowed = name->end <= run.end && candidates_allow(words, name->first, name->end);
        trainer->names += likely;
        trainer->lost_names += likely && !allowed;
        fits = fits && (allowed || !likely);
        for (uint32_t k = name->first; allowed && k < name->end; k++) {
            covered[k - run.first] += name->chance;
        }
    }
    return fits;
}

static struct example example_of(const struct gold *gold, size_t from, uint32_t first, uint32_t end,
                                 float covered)
{
    struct example example = {.first = first, .end = end};
    for (size_t i = from; i < gold->len && gold->at[i].first <= first; i++) {
        if (gold->at[i].first == first && gold->at[i].end == end) {
            example.target[gold->at[i].label] += gold->at[i].chance;
        }
    }
    if (end == first + 1) {
        example.target[LABEL_NONE] = fmaxf(0, 1 - covered);
    }
    return example;
}

// `*from` is the first gold name that is not before the run; it is moved behind the run.
static void add_run(struct trainer *trainer, const struct words *words, struct run run,
                    const struct gold *gold, size_t *from)
{
    float covered[RUN_LIMIT];
    struct gold_run learnt = {.examples_at = trainer->examples.len,
                              .len = run.end - run.first,
                              .weight = trainer->weight};
    while (*from < gold->len && gold->at[*from].first < run.first) {
        (*from)++;
    }
    if (!cover(trainer, words, run, gold, *from, covered)) {
        return;
    }
    for (uint32_t first = run.first; first < run.end; first++) {
        for (uint32_t end = first + 1; end <= run.end && end - first <= CANDIDATE_LIMIT; end++) {
            if (candidates_allow(words, first, end)) {
                add_example(trainer, words, run,
                            example_of(gold, *from, first, end, covered[first - run.first]));
            }
        }
    }
    learnt.example_count = (uint32_t)(trainer->examples.len - learnt.examples_at);
    vec_push(&trainer->memory, &trainer->runs, learnt);
}

// The first token that starts at or after `byte`.
static size_t token_from(const struct tokens *tokens, uint32_t byte)
{
    size_t low = 0, high = tokens->len;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (tokens->at[middle].span.start < byte) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

// One mention as tokens; without an end when it does not begin and end with a token.
static struct gold_name lay_name(const struct tokens *tokens, struct span span,
                                 enum entity_type type, double confidence)
{
    struct gold_name name = {.label = (int)type + 1,
                             .chance = confidence > 0 ? (float)confidence : 1};
    size_t first = token_from(tokens, span.start);
    size_t end = token_from(tokens, span.end);
    bool starts = first < end && tokens->at[first].span.start == span.start;
    if (starts && tokens->at[end - 1].span.end == span.end) {
        name.end = (uint32_t)end;
    }
    name.first = (uint32_t)(starts || first == 0 ? first : first - 1);
    return name;
}

static int by_first(const void *a, const void *b)
{
    const struct gold_name *left = a;
    const struct gold_name *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

static struct gold read_gold(const struct article *article)
{
    struct gold gold = {0};
    for (size_t e = 0; e < article->entity_count; e++) {
        const struct entity *entity = &article->entities[e];
        for (size_t m = 0; entity->type != MONEY && m < entity->mentions.len; m++) {
            vec_push(article->arena, &gold,
                     lay_name(&article->segments.tokens, entity->mentions.at[m], entity->type,
                              entity->confidence));
        }
    }
    if (gold.len > 0) {
        qsort(gold.at, gold.len, sizeof *gold.at, by_first);
    }
    return gold;
}

static void add_article(struct trainer *trainer, struct article *article)
{
    struct words words;
    struct spans amounts = {0};
    struct run run;
    size_t from = 0;
    size_t gold_from = 0;
    article_segment(article);
    const struct gold gold = read_gold(article);
    if (!words_read(&words, trainer->knowledge, article)) {
        fprintf(stderr, "entities_train: article too large\n");
        return;
    }
    money_find(&words, article->arena, &amounts);
    while (candidates_next_run(&words, &from, &run)) {
        add_run(trainer, &words, run, &gold, &gold_from);
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
                  float weight, const struct candidate *candidate)
{
    float slope[LABEL_COUNT];
    float largest = 0;
    for (int label = 0; label < LABEL_COUNT; label++) {
        slope[label] = weight * (example->target[label] - candidate->chance[label]);
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
        for (int label = 0; label < LABEL_COUNT; label++) {
            gold += examples[i].target[label] * candidates[i].score[label];
        }
    }
    float total = lattice_chances(&lattice);
    for (size_t i = 0; i < lattice.len; i++) {
        climb(trainer, &examples[i], step, run->weight, &candidates[i]);
    }
    return gold - total;
}

static void add_to_means(struct trainer *trainer, float share)
{
    for (size_t i = 0; i < trainer->rows.len; i++) {
        struct row *row = &trainer->rows.at[i];
        for (int label = 0; label < LABEL_COUNT; label++) {
            row->mean[label] += row->weight[label] * share;
        }
    }
}

static void learn(struct trainer *trainer, int epochs)
{
    size_t count = trainer->runs.len;
    int averaged = epochs < AVERAGED ? epochs : AVERAGED;
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
        if (epoch > epochs - averaged) {
            add_to_means(trainer, 1 / (float)averaged);
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
            values[kept * LABEL_COUNT + (size_t)label] = row->mean[label];
            largest = fmaxf(largest, fabsf(row->mean[label]));
        }
        features[kept] = row->feature;
        kept += row->seen >= LEAST_SEEN && largest >= SMALL_WEIGHT;
    }
    printf("%zu features of %zu written\n", kept, count);
    return weights_write(path, features, values, kept, why);
}

static int make_clusters(const char *path, const char *source, size_t limit)
{
    struct error why = {""};
    struct buf text;
    char block[1 << 16];
    size_t len;
    FILE *file = fopen(source, "r");
    if (!file) {
        perror(source);
        return 66;
    }
    buf_init(&text, ARTICLE_BYTES);
    while ((len = fread(block, 1, sizeof block, file)) > 0) {
        buf_add(&text, (struct view){block, len});
    }
    fclose(file);
    enum status status = clusters_write(path, buf_view(&text), limit, &why);
    if (status != OK) {
        fprintf(stderr, "entities_train: %s\n", why.text);
    }
    buf_clear(&text);
    return status_exit_code(status);
}

// Takes `--NAME NUMBER` off the arguments at `*i` when they stand there.
static bool take_number(int argc, char **argv, int *i, const char *name, uint64_t *number)
{
    bool here = *i + 1 < argc && strcmp(argv[*i], name) == 0 &&
                view_parse_u64(view_of(argv[*i + 1]), number);
    *i += here;
    return here;
}

static int train(struct trainer *trainer, int argc, char **argv)
{
    struct error why = {""};
    uint64_t epochs = EPOCHS;
    uint64_t percent = 100;
    for (int i = 3; i < argc; i++) {
        if (take_number(argc, argv, &i, "--weight", &percent)) {
            trainer->weight = (float)percent / 100;
        } else if (!take_number(argc, argv, &i, "--epochs", &epochs) &&
                   !read_file(trainer, argv[i])) {
            return 66;
        }
    }
    printf("%zu runs, %zu candidates, %zu features; %zu of %zu names lost\n", trainer->runs.len,
           trainer->examples.len, trainer->rows.len, trainer->lost_names, trainer->names);
    learn(trainer, (int)epochs);
    enum status status = save(trainer, argv[2], &why);
    if (status != OK) {
        fprintf(stderr, "entities_train: %s\n", why.text);
    }
    return status_exit_code(status);
}

int main(int argc, char **argv)
{
    struct trainer trainer = {.random = 1, .weight = 1};
    struct lexicon *lexicon = NULL;
    struct clusters clusters;
    struct error why = {""};
    uint64_t limit = SIZE_MAX;
    if (argc >= 4 && strcmp(argv[1], "--clusters") == 0 &&
        (argc == 4 || view_parse_u64(view_of(argv[4]), &limit))) {
        return make_clusters(argv[2], argv[3], limit);
    }
    if (argc < 4) {
        fprintf(stderr, "usage: entities_train FOLDER OUT.model [--epochs N] [--weight PERCENT] "
                        "GOLD.ndjson ...\n"
                        "       entities_train --clusters OUT.model WORDS.tsv [COUNT]\n");
        return 2;
    }
    if (lexicon_open(&lexicon, argv[1], &why) != OK ||
        clusters_open(&clusters, argv[1], &why) != OK) {
        fprintf(stderr, "entities_train: %s\n", why.text);
        return 78;
    }
    trainer.knowledge = (struct knowledge){lexicon, &clusters};
    arena_init(&trainer.memory, MEMORY_BYTES);
    int code = grow_slots(&trainer) ? train(&trainer, argc, argv) : 70;
    arena_clear(&trainer.memory);
    clusters_close(&clusters);
    lexicon_free(lexicon);
    return code;
}
