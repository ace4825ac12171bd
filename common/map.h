// A map from text to a number, in an arena: counts, ids, positions in some vec.
//
//     struct map seen;
//     map_init(&seen, arena);
//     uint64_t *count = map_add(&seen, word, 0);     // there already: its number stays
//     if (count) { (*count)++; }
//
// Keys are borrowed; whoever made them lends them as long as the map lives. Nothing is taken out singly. Entries
// keep the order in which they were added, so walking a map gives the same output for the same input.
//
// Hostile keys cost no more than others: a key is looked for in a few slots only, and when these are
// crowded it goes to a tree whose depth is bounded by the bits of the key (map.c tells how).
#ifndef COPYDESK_MAP_H
#define COPYDESK_MAP_H

#include "common/arena.h"

struct map_entry {
    struct view key;
    uint64_t value;
};

struct map_slot;
struct map_branch;

struct map {
    struct arena *arena;
    struct map_entry *entries; // in the order they were added
    size_t len, cap;
    struct map_slot *slots;
    size_t slot_count; // 0 or a power of two, at least 2 * len
    struct map_branch *branches;
    size_t branch_len, branch_cap;
    uint32_t root;      // of the tree of crowded keys
    uint32_t tree_keys; // how many keys are in it
};

// Starts an empty map that will allocate from `arena`, which it borrows. Allocates nothing yet.
void map_init(struct map *map, struct arena *arena);

// Where the number of `key` is, or NULL when it was never added. Constant time for keys of bounded length.
// The pointer is good until the next map_add.
uint64_t *map_find(const struct map *map, struct view key);

// Adds `key` with `value` unless it is there already; where its number is, or NULL when the arena is full;
// the map may then have forgotten other keys too, and stays safe to use.
// The pointer is good until the next map_add. Amortised constant time.
uint64_t *map_add(struct map *map, struct view key, uint64_t value);

#endif
