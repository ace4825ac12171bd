// Open addressing over a dense array of entries.
//
// A slot keeps a part of the hash and the number of an entry. A key lies in one of the PROBES slots from its
// hash on. Stages must give the same output for the same input, so the hash has no random seed, and somebody
// who wants to slow us down can find keys that all fall together. When all PROBES slots of a new key are
// taken, it goes to a crit-bit tree instead (Bernstein, "Crit-bit trees", cr.yp.to/critbit.html): each branch
// names the first bit in which its two sides differ, so a look-up visits at most nine branches per byte of
// the key and compares the key once. With honest keys the tree stays empty at a load of one half.
#include "common/map.h"

#include "common/vec.h"

#include <assert.h>

enum { PROBES = 16, FIRST_SLOTS = 16, BITS_PER_BYTE = 9 };
#define KEY_LIMIT   ((size_t)1 << 28) // bytes, so that a bit's position fits 32 bits
#define COUNT_LIMIT ((size_t)1 << 30)

struct map_slot {
    uint32_t tag;    // upper half of the hash
    uint32_t number; // of the entry + 1, 0 when empty
};

// A child is the number of an entry (even) or of a branch (odd), shifted left by one.
struct map_branch {
    uint32_t bit; // position of the bit that decides, growing from root to leaf
    uint32_t child[2];
};

void map_init(struct map *map, struct arena *arena)
{
    *map = (struct map){.arena = arena};
}

static bool is_branch(uint32_t node)
{
    return node & 1;
}

// Every byte is nine bits, the first of them 1; behind the end all bits are 0. So no key's bits are
// the start of another's.
static unsigned bit_of(struct view key, uint32_t bit)
{
    size_t byte = bit / BITS_PER_BYTE;
    unsigned within = bit % BITS_PER_BYTE;
    if (byte >= key.len) {
        return 0;
    }
    unsigned value = 0x100u | (unsigned char)key.at[byte];
    return value >> (BITS_PER_BYTE - 1 - within) & 1;
}

// The first bit in which two different keys differ.
static uint32_t first_difference(struct view a, struct view b)
{
    size_t byte = 0;
    while (byte < a.len && byte < b.len && a.at[byte] == b.at[byte]) {
        byte++;
    }
    uint32_t bit = (uint32_t)byte * BITS_PER_BYTE;
    while (bit_of(a, bit) == bit_of(b, bit)) {
        bit++;
    }
    return bit;
}

// The only entry of the tree that can be `key`.
static struct map_entry *tree_candidate(const struct map *map, struct view key)
{
    uint32_t node = map->root;
    while (is_branch(node)) {
        const struct map_branch *branch = &map->branches[node >> 1];
        node = branch->child[bit_of(key, branch->bit)];
    }
    return &map->entries[node >> 1];
}

// Hangs entry `number` into the tree. False when the arena is full.
static bool tree_add(struct map *map, uint32_t number)
{
    struct view key = map->entries[number].key;
    if (map->tree_keys == 0) {
        map->root = number << 1;
        map->tree_keys = 1;
        return true;
    }
    if (!vec_reserve(map->arena, (void **)&map->branches, &map->branch_cap, map->branch_len + 1,
                     sizeof *map->branches)) {
        return false;
    }
    uint32_t bit = first_difference(key, tree_candidate(map, key)->key);
    uint32_t *link = &map->root;
    while (is_branch(*link) && map->branches[*link >> 1].bit < bit) {
        struct map_branch *branch = &map->branches[*link >> 1];
        link = &branch->child[bit_of(key, branch->bit)];
    }
    unsigned side = bit_of(key, bit);
    struct map_branch *added = &map->branches[map->branch_len];
    added->bit = bit;
    added->child[side] = number << 1;
    added->child[1 - side] = *link;
    *link = (uint32_t)(map->branch_len << 1 | 1);
    map->branch_len++;
    map->tree_keys++;
    return true;
}

// The slot that holds `key`, else the first empty one it may take, else NULL: crowded.
static struct map_slot *probe(const struct map *map, struct view key, uint64_t hash)
{
    for (size_t i = 0; i < PROBES && i < map->slot_count; i++) {
        struct map_slot *slot = &map->slots[(hash + i) & (map->slot_count - 1)];
        if (slot->number == 0) {
            return slot;
        }
        if (slot->tag == (uint32_t)(hash >> 32) &&
            view_equal(map->entries[slot->number - 1].key, key)) {
            return slot;
        }
    }
    return NULL;
}

static struct map_entry *find(const struct map *map, struct view key, uint64_t hash)
{
    const struct map_slot *slot = probe(map, key, hash);
    if (slot && slot->number != 0) {
        return &map->entries[slot->number - 1];
    }
    // A crowded place may have become free when the slots grew, so the tree is asked in any case.
    if (map->tree_keys > 0) {
        struct map_entry *entry = tree_candidate(map, key);
        return view_equal(entry->key, key) ? entry : NULL;
    }
    return NULL;
}

uint64_t *map_find(const struct map *map, struct view key)
{
    struct map_entry *entry = map->len > 0 ? find(map, key, view_hash(key)) : NULL;
    return entry ? &entry->value : NULL;
}

// Gives entry `number` a slot, or a place in the tree. False when the arena is full.
static bool place(struct map *map, uint32_t number, uint64_t hash)
{
    struct map_slot *slot = probe(map, map->entries[number].key, hash);
    if (!slot) {
        return tree_add(map, number);
    }
    assert(slot->number == 0);
    *slot = (struct map_slot){(uint32_t)(hash >> 32), number + 1};
    return true;
}

// Doubles the slots and places everything anew, the tree included.
static bool grow(struct map *map)
{
    size_t count = map->slot_count ? map->slot_count * 2 : FIRST_SLOTS;
    struct map_slot *slots = arena_zalloc(map->arena, count, sizeof *slots);
    if (!slots) {
        return false;
    }
    map->slots = slots;
    map->slot_count = count;
    map->branch_len = 0;
    map->tree_keys = 0;
    for (size_t number = 0; number < map->len; number++) {
        if (!place(map, (uint32_t)number, view_hash(map->entries[number].key))) {
            return false;
        }
    }
    return true;
}

uint64_t *map_add(struct map *map, struct view key, uint64_t value)
{
    uint64_t hash = view_hash(key);
    struct map_entry *entry = map->len > 0 ? find(map, key, hash) : NULL;
    if (entry) {
        return &entry->value;
    }
    if (key.len > KEY_LIMIT || map->len >= COUNT_LIMIT) {
        map->arena->full = true;
        return NULL;
    }
    if (map->len * 2 >= map->slot_count && !grow(map)) {
        return NULL;
    }
    if (!vec_reserve(map->arena, (void **)&map->entries, &map->cap, map->len + 1,
                     sizeof *map->entries)) {
        return NULL;
    }
    map->entries[map->len] = (struct map_entry){key, value};
    if (!place(map, (uint32_t)map->len, hash)) {
        return NULL;
    }
    map->len++;
    return &map->entries[map->len - 1].value;
}
