#include "services/clean/forest.h"

#include "proto/crc32c.h"

#include <stdio.h>
#include <stdlib.h>

// Most blocks of a page are plainly no body: a row below -3 after this many trees is not followed further.
enum { EARLY_TREES = 40 };

static uint32_t get_u32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static float get_f32(const unsigned char *at)
{
    uint32_t bits = get_u32(at);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// Reads a whole file; the caller frees. NULL when it cannot be read or is larger than the limit.
static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    unsigned char *bytes = NULL;
    long end = -1;
    if (file && fseek(file, 0, SEEK_END) == 0) {
        end = ftell(file);
    }
    if (end >= 0 && end <= FOREST_SIZE_LIMIT && fseek(file, 0, SEEK_SET) == 0) {
        bytes = malloc((size_t)end + 1);
    }
    if (bytes && fread(bytes, 1, (size_t)end, file) != (size_t)end) {
        free(bytes);
        bytes = NULL;
    }
    if (file) {
        fclose(file);
    }
    *size = end > 0 ? (size_t)end : 0;
    return bytes;
}

static bool tree_is_sound(const struct forest *forest, uint32_t tree, uint32_t columns)
{
    uint32_t count = forest->first[tree + 1] - forest->first[tree];
    const struct forest_node *nodes = forest->nodes + forest->first[tree];
    for (uint32_t i = 0; i < count; i++) {
        bool leaf = nodes[i].column == FOREST_LEAF;
        // Children stand behind their parent, so every walk ends.
        bool inner = nodes[i].column < columns && nodes[i].left > i && nodes[i].left + 1u < count;
        if (!leaf && !inner) {
            return false;
        }
    }
    return count > 0;
}

static enum status decode(struct forest *forest, const unsigned char *bytes, size_t size,
                          uint32_t columns)
{
    uint32_t trees = get_u32(bytes + 12), nodes = get_u32(bytes + 20);
    size_t firsts_at = FOREST_HEADER;
    size_t nodes_at = firsts_at + (size_t)trees * 4;
    if (trees == 0 || trees > FOREST_TREES_LIMIT || nodes_at + (size_t)nodes * 8 + 4 != size) {
        return ERR_FORMAT;
    }
    forest->trees = trees;
    forest->base = get_f32(bytes + 16);
    forest->first = calloc(trees + 1, sizeof *forest->first);
    forest->nodes = calloc(nodes + 1, sizeof *forest->nodes);
    if (!forest->first || !forest->nodes) {
        return ERR_MEMORY;
    }
    for (uint32_t i = 0; i < nodes; i++) {
        uint32_t both = get_u32(bytes + nodes_at + (size_t)i * 8);
        forest->nodes[i] = (struct forest_node){(uint16_t)(both & 0xffff), (uint16_t)(both >> 16),
                                                get_f32(bytes + nodes_at + (size_t)i * 8 + 4)};
    }
    forest->first[trees] = nodes;
    for (uint32_t i = 0; i < trees; i++) {
        forest->first[i] = get_u32(bytes + firsts_at + (size_t)i * 4);
    }
    for (uint32_t i = 0; i < trees; i++) {
        bool ordered = forest->first[i] < forest->first[i + 1] && forest->first[i + 1] <= nodes;
        if (!ordered || !tree_is_sound(forest, i, columns)) {
            return ERR_FORMAT;
        }
    }
    return OK;
}

enum status forest_open(struct forest **out, const char *folder, const char *name, uint32_t version,
                        uint32_t columns, struct error *why)
{
    char path[4096];
    size_t size = 0;
    enum status status = OK;
    struct forest *forest = calloc(1, sizeof *forest);
    snprintf(path, sizeof path, "%s/%s.model", folder, name);
    unsigned char *bytes = read_file(path, &size);
    if (!forest) {
        status = error_set(why, ERR_MEMORY, "no memory for %s", path);
    } else if (!bytes) {
        status = error_set(why, ERR_CONFIG, "cannot read %s; the build puts it there", path);
    } else if (size < FOREST_HEADER + 4 || get_u32(bytes) != FOREST_MAGIC) {
        status = error_set(why, ERR_FORMAT, "%s is no model", path);
    } else if (get_u32(bytes + 4) != version || get_u32(bytes + 8) != columns) {
        status = error_set(why, ERR_VERSION, "%s is of version %u, this program needs %u", path,
                           get_u32(bytes + 4), version);
    } else if (crc32c(0, bytes, size - 4) != get_u32(bytes + size - 4)) {
        status = error_set(why, ERR_FORMAT, "%s is damaged: its checksum is wrong", path);
    } else if ((status = decode(forest, bytes, size, columns)) != OK) {
        status = error_set(why, status, "%s is damaged", path);
    }
    free(bytes);
    if (status != OK) {
        forest_close(forest);
        return status;
    }
    *out = forest;
    return OK;
}

void forest_close(struct forest *forest)
{
    if (forest) {
        free(forest->first);
        free(forest->nodes);
        free(forest);
    }
}

float forest_score(const struct forest *forest, const float *row)
{
    float sum = forest->base;
    const float sure = -3.0f;
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        const struct forest_node *nodes = forest->nodes + forest->first[tree];
        const struct forest_node *node = nodes;
        while (node->column != FOREST_LEAF) {
            node = nodes + node->left + !(row[node->column] <= node->value);
        }
        sum += node->value;
        if (tree == EARLY_TREES && sum < sure) {
            break;
        }
    }
    return sum;
}
