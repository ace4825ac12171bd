// Gradient boosting for yes and no: Friedman (2001); values are cut into 64 bins by quantile, the leaf with the largest
// gain is split next, and of two new leaves only the smaller one is counted, the other is the difference
// (Ke et al. 2017, LightGBM).
#include "services/clean/train/boost.h"

#include "common/buf.h"
#include "proto/crc32c.h"
#include "services/clean/forest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { BINS = 64, SAMPLE = 20000, LEAVES_LIMIT = 64 };

struct cell {
    double gradient, hessian;
};

struct leaf {
    size_t start, end;  // of the order array
    struct cell *cells; // columns * BINS
    double gradient, hessian, gain;
    size_t column;
    int bin;
    uint32_t node; // in the tree
};

struct trainer {
    const struct boost_data *data;
    const struct boost_options *options;
    uint8_t *bins; // column by column
    float (*edges)[BINS];
    double *scores;
    float *gradients, *hessians;
    uint32_t *order, *spare;
    bool *drawn; // columns of the present tree
    struct forest_node tree[2 * LEAVES_LIMIT];
    uint32_t tree_nodes;
    struct buf firsts, nodes;
    uint32_t node_count;
    uint64_t state;
};

static double draw(struct trainer *trainer)
{
    trainer->state += 0x9e3779b97f4a7c15u;
    uint64_t z = trainer->state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) / 9007199254740992.0;
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static void cut_column(struct trainer *trainer, size_t column, float *sample)
{
    const struct boost_data *data = trainer->data;
    size_t step = data->rows / SAMPLE + 1, count = 0;
    float *edges = trainer->edges[column];
    for (size_t i = 0; i < data->rows; i += step) {
        sample[count++] = data->values[i * data->columns + column];
    }
    qsort(sample, count, sizeof *sample, compare_floats);
    size_t distinct = 0;
    for (size_t i = 0; i < count && distinct < BINS; i++) {
        if (i == 0 || sample[i] != sample[i - 1]) {
            edges[distinct++] = sample[i];
        }
    }
    if (distinct == BINS) {
        for (int b = 0; b < BINS; b++) {
            edges[b] = sample[(size_t)(b + 1) * count / BINS - 1];
        }
    } else {
        for (size_t b = 0; b + 1 < distinct; b++) {
            edges[b] = (edges[b] + edges[b + 1]) / 2;
        }
        for (size_t b = distinct ? distinct - 1 : 0; b < BINS; b++) {
            edges[b] = INFINITY;
        }
    }
    edges[BINS - 1] = INFINITY;
    for (size_t i = 0; i < data->rows; i++) {
        float value = data->values[i * data->columns + column];
        int low = 0, high = BINS - 1;
        while (low < high) {
            int middle = (low + high) / 2;
            if (value <= edges[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        trainer->bins[column * data->rows + i] = (uint8_t)low;
    }
}

static void count_cells(struct trainer *trainer, struct leaf *leaf)
{
    size_t columns = trainer->data->columns, rows = trainer->data->rows;
    memset(leaf->cells, 0, columns * BINS * sizeof *leaf->cells);
    for (size_t column = 0; column < columns; column++) {
        struct cell *cells = leaf->cells + column * BINS;
        const uint8_t *bins = trainer->bins + column * rows;
        for (size_t i = leaf->start; trainer->drawn[column] && i < leaf->end; i++) {
            uint32_t row = trainer->order[i];
            cells[bins[row]].gradient += (double)trainer->gradients[row];
            cells[bins[row]].hessian += (double)trainer->hessians[row];
        }
    }
}

static void find_split(struct trainer *trainer, struct leaf *leaf)
{
    double ridge = (double)trainer->options->ridge, least = (double)trainer->options->least_hessian;
    double whole = leaf->gradient * leaf->gradient / (leaf->hessian + ridge);
    leaf->gain = 0;
    for (size_t column = 0; column < trainer->data->columns; column++) {
        double gradient = 0, hessian = 0;
        for (int bin = 0; trainer->drawn[column] && bin < BINS - 1; bin++) {
            gradient += leaf->cells[column * BINS + (size_t)bin].gradient;
            hessian += leaf->cells[column * BINS + (size_t)bin].hessian;
            double other = leaf->hessian - hessian;
            if (hessian < least || other < least) {
                continue;
            }
            double right = leaf->gradient - gradient;
            double gain =
                gradient * gradient / (hessian + ridge) + right * right / (other + ridge) - whole;
            if (gain > leaf->gain) {
                leaf->gain = gain;
                leaf->column = column;
                leaf->bin = bin;
            }
        }
    }
}

static void sum_leaf(const struct trainer *trainer, struct leaf *leaf)
{
    leaf->gradient = leaf->hessian = 0;
    for (size_t i = leaf->start; i < leaf->end; i++) {
        leaf->gradient += (double)trainer->gradients[trainer->order[i]];
        leaf->hessian += (double)trainer->hessians[trainer->order[i]];
    }
}

static void set_leaf_value(struct trainer *trainer, const struct leaf *leaf)
{
    double value = leaf->gradient / (leaf->hessian + (double)trainer->options->ridge);
    trainer->tree[leaf->node] =
        (struct forest_node){FOREST_LEAF, 0, (float)value * trainer->options->rate};
}

// Splits `leaf` in place; the right half becomes `right`.
static void split_leaf(struct trainer *trainer, struct leaf *leaf, struct leaf *right)
{
    size_t rows = trainer->data->rows, columns = trainer->data->columns;
    const uint8_t *bins = trainer->bins + leaf->column * rows;
    size_t left_end = leaf->start, spare = 0;
    for (size_t i = leaf->start; i < leaf->end; i++) {
        uint32_t row = trainer->order[i];
        if (bins[row] <= leaf->bin) {
            trainer->order[left_end++] = row;
        } else {
            trainer->spare[spare++] = row;
        }
    }
    memcpy(trainer->order + left_end, trainer->spare, spare * sizeof *trainer->spare);
    trainer->tree[leaf->node] =
        (struct forest_node){(uint16_t)leaf->column, (uint16_t)trainer->tree_nodes,
                             trainer->edges[leaf->column][leaf->bin]};
    right->start = left_end;
    right->end = leaf->end;
    leaf->end = left_end;
    leaf->node = trainer->tree_nodes++;
    right->node = trainer->tree_nodes++;
    bool left_small = leaf->end - leaf->start < right->end - right->start;
    struct cell *whole = leaf->cells, *fresh = right->cells;
    struct leaf *small = left_small ? leaf : right, *large = left_small ? right : leaf;
    small->cells = fresh;
    count_cells(trainer, small);
    for (size_t i = 0; i < columns * BINS; i++) {
        whole[i].gradient -= fresh[i].gradient;
        whole[i].hessian -= fresh[i].hessian;
    }
    large->cells = whole;
    sum_leaf(trainer, leaf);
    sum_leaf(trainer, right);
    find_split(trainer, leaf);
    find_split(trainer, right);
    set_leaf_value(trainer, leaf);
    set_leaf_value(trainer, right);
}

static void grow_tree(struct trainer *trainer, struct leaf *leaves, size_t rows)
{
    size_t count = 1;
    trainer->tree_nodes = 1;
    leaves[0].start = 0;
    leaves[0].end = rows;
    leaves[0].node = 0;
    sum_leaf(trainer, &leaves[0]);
    count_cells(trainer, &leaves[0]);
    find_split(trainer, &leaves[0]);
    set_leaf_value(trainer, &leaves[0]);
    while (count < (size_t)trainer->options->leaves) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++) {
            best = leaves[i].gain > leaves[best].gain ? i : best;
        }
        if (leaves[best].gain <= 0) {
            break;
        }
        split_leaf(trainer, &leaves[best], &leaves[count]);
        count++;
    }
}

static double score_row(const struct trainer *trainer, size_t row)
{
    const struct forest_node *node = trainer->tree;
    const float *values = trainer->data->values + row * trainer->data->columns;
    while (node->column != FOREST_LEAF) {
        node = trainer->tree + node->left + !(values[node->column] <= node->value);
    }
    return (double)node->value;
}

static void add_u32(struct buf *buf, uint32_t value)
{
    char bytes[4] = {(char)(value & 0xff), (char)(value >> 8 & 0xff), (char)(value >> 16 & 0xff),
                     (char)(value >> 24)};
    buf_add(buf, (struct view){bytes, 4});
}

static void add_f32(struct buf *buf, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_u32(buf, bits);
}

static void keep_tree(struct trainer *trainer)
{
    add_u32(&trainer->firsts, trainer->node_count);
    for (uint32_t i = 0; i < trainer->tree_nodes; i++) {
        const struct forest_node *node = &trainer->tree[i];
        add_u32(&trainer->nodes, (uint32_t)node->column | (uint32_t)node->left << 16);
        add_f32(&trainer->nodes, node->value);
    }
    trainer->node_count += trainer->tree_nodes;
}

static void one_round(struct trainer *trainer, struct leaf *leaves)
{
    const struct boost_data *data = trainer->data;
    size_t drawn = 0;
    for (size_t i = 0; i < data->rows; i++) {
        double chance = 1.0 / (1.0 + exp(-trainer->scores[i]));
        trainer->gradients[i] = data->weights[i] * (float)((data->wanted[i] ? 1.0 : 0.0) - chance);
        trainer->hessians[i] = data->weights[i] * (float)(chance * (1.0 - chance));
        if (draw(trainer) < (double)trainer->options->row_share) {
            trainer->order[drawn++] = (uint32_t)i;
        }
    }
    for (size_t i = 0; i < data->columns; i++) {
        trainer->drawn[i] = draw(trainer) < (double)trainer->options->column_share;
    }
    grow_tree(trainer, leaves, drawn);
    keep_tree(trainer);
    for (size_t i = 0; i < data->rows; i++) {
        trainer->scores[i] += score_row(trainer, i);
    }
}

static enum status write_forest(struct trainer *trainer, uint32_t version, const char *path,
                                struct error *why)
{
    struct buf out;
    enum status status = OK;
    buf_init(&out, FOREST_SIZE_LIMIT);
    add_u32(&out, FOREST_MAGIC);
    add_u32(&out, version);
    add_u32(&out, (uint32_t)trainer->data->columns);
    add_u32(&out, (uint32_t)trainer->options->trees);
    add_f32(&out, 0.0f);
    add_u32(&out, trainer->node_count);
    buf_add(&out, buf_view(&trainer->firsts));
    buf_add(&out, buf_view(&trainer->nodes));
    add_u32(&out, crc32c(0, out.at, out.len));
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(out.at, 1, out.len, file) != out.len) {
        status = error_set(why, ERR_IO, "cannot write %s", path);
    }
    if (file && fclose(file) != 0) {
        status = error_set(why, ERR_IO, "cannot write %s", path);
    }
    buf_clear(&out);
    return status;
}

enum status boost_train(const struct boost_data *data, const struct boost_options *options,
                        uint32_t version, const char *path, struct error *why)
{
    struct trainer trainer = {.data = data, .options = options, .state = options->seed};
    struct leaf leaves[LEAVES_LIMIT];
    size_t cells = data->columns * BINS;
    float *sample = calloc(data->rows + 1, sizeof *sample);
    trainer.bins = calloc(data->rows + 1, data->columns);
    trainer.edges = calloc(data->columns, sizeof *trainer.edges);
    trainer.scores = calloc(data->rows + 1, sizeof *trainer.scores);
    trainer.gradients = calloc(data->rows + 1, sizeof *trainer.gradients);
    trainer.hessians = calloc(data->rows + 1, sizeof *trainer.hessians);
    trainer.order = calloc(data->rows + 1, sizeof *trainer.order);
    trainer.spare = calloc(data->rows + 1, sizeof *trainer.spare);
    trainer.drawn = calloc(data->columns, sizeof *trainer.drawn);
    struct cell *pool = calloc(cells * LEAVES_LIMIT, sizeof *pool);
    buf_init(&trainer.firsts, FOREST_SIZE_LIMIT);
    buf_init(&trainer.nodes, FOREST_SIZE_LIMIT);
    enum status status = OK;
    if (!sample || !trainer.bins || !trainer.edges || !trainer.scores || !trainer.gradients ||
        !trainer.hessians || !trainer.order || !trainer.spare || !trainer.drawn || !pool ||
        options->leaves > LEAVES_LIMIT) {
        status = error_set(why, ERR_MEMORY, "no memory for %zu rows", data->rows);
    }
    for (size_t i = 0; status == OK && i < LEAVES_LIMIT; i++) {
        leaves[i] = (struct leaf){.cells = pool + i * cells};
    }
    for (size_t i = 0; status == OK && i < data->columns; i++) {
        cut_column(&trainer, i, sample);
    }
    for (int i = 0; status == OK && i < options->trees; i++) {
        one_round(&trainer, leaves);
    }
    if (status == OK) {
        status = write_forest(&trainer, version, path, why);
    }
    free(sample);
    free(trainer.bins);
    free(trainer.edges);
    free(trainer.scores);
    free(trainer.gradients);
    free(trainer.hessians);
    free(trainer.order);
    free(trainer.spare);
    free(trainer.drawn);
    free(pool);
    buf_clear(&trainer.firsts);
    buf_clear(&trainer.nodes);
    return status;
}
