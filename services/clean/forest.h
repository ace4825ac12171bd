// A forest of boosted decision trees: a row of numbers in, the log-odds that it is of the wanted kind out.
//
// The file NAME.model: little-endian header {u32 magic "CDFM", u32 version, u32 columns, u32 trees, f32 base,
// u32 nodes}, u32 first node of each tree, nodes {u16 column, u16 left, f32 value}, u32 CRC-32C of all before.
// A node sends a row left when row[column] <= value, else right; children lie side by side, `left` counted from
// the tree's first node. Column 0xffff marks a leaf, its value is added to the sum. At most 65535 nodes a tree.
// Method: Friedman (2001), Greedy function approximation; trained by services/clean/train.
#ifndef COPYDESK_CLEAN_FOREST_H
#define COPYDESK_CLEAN_FOREST_H

#include "common/status.h"
#include "common/view.h"

enum {
    FOREST_MAGIC = 0x4d464443,
    FOREST_HEADER = 24,
    FOREST_LEAF = 0xffff,
    FOREST_TREES_LIMIT = 4096,
    FOREST_SIZE_LIMIT = 64 << 20,
};

struct forest_node {
    uint16_t column;
    uint16_t left;
    float value;
};

struct forest {
    uint32_t trees;
    float base;
    uint32_t *first; // trees + 1 entries
    struct forest_node *nodes;
};

// Reads `folder`/`name`.model and checks it whole, so that forest_score always ends and stays inside the row.
// ERR_CONFIG when it cannot be read, ERR_VERSION when it is of another version or row, ERR_FORMAT when damaged.
MUST_CHECK enum status forest_open(struct forest **out, const char *folder, const char *name,
                                   uint32_t version, uint32_t columns, struct error *why);
void forest_close(struct forest *forest);

// The log-odds for a row of as many columns as were given to forest_open; where they are far below zero early,
// the value after the first trees.
float forest_score(const struct forest *forest, const float *row);

#endif
