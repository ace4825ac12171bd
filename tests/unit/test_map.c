#include "common/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LIMIT ((size_t)64 << 20)

// xorshift64: the same numbers on every run.
static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void a_key_keeps_the_number_it_came_with(void **state)
{
    (void)state;
    struct arena arena;
    struct map map;
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    assert_null(map_find(&map, VIEW("desk")));
    assert_int_equal(*map_add(&map, VIEW("desk"), 7), 7);
    assert_int_equal(*map_add(&map, VIEW("desk"), 9), 7);
    assert_int_equal(*map_find(&map, VIEW("desk")), 7);
    assert_null(map_find(&map, VIEW("des")));
    assert_int_equal(*map_add(&map, VIEW(""), 1), 1);
    assert_int_equal(*map_find(&map, VIEW("")), 1);
    assert_int_equal(map.len, 2);
    arena_clear(&arena);
}

// The obvious twin: an array that is searched from the start.
struct twin {
    char keys[4000][12];
    size_t lens[4000];
    uint64_t values[4000];
    size_t len;
};

static uint64_t *twin_find(struct twin *twin, struct view key)
{
    for (size_t i = 0; i < twin->len; i++) {
        if (view_equal((struct view){twin->keys[i], twin->lens[i]}, key)) {
            return &twin->values[i];
        }
    }
    return NULL;
}

static struct view twin_add(struct twin *twin, struct view key, uint64_t value)
{
    size_t n = twin->len++;
    assert_true(n < sizeof twin->lens / sizeof twin->lens[0]);
    memcpy(twin->keys[n], key.at, key.len);
    twin->lens[n] = key.len;
    twin->values[n] = value;
    return (struct view){twin->keys[n], key.len};
}

// Short keys over a small alphabet with NUL in it: many doubles, and keys that begin alike.
static struct view random_key(uint64_t *seed, char room[12])
{
    size_t len = random_next(seed) % 9;
    for (size_t i = 0; i < len; i++) {
        room[i] = "\0abc"[random_next(seed) % 4];
    }
    return (struct view){room, len};
}

static void it_agrees_with_a_plain_array_on_random_operations(void **state)
{
    (void)state;
    struct twin *twin = calloc(1, sizeof *twin);
    uint64_t seed = 20200819;
    struct arena arena;
    struct map map;
    assert_non_null(twin);
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    for (int i = 0; i < 8000; i++) {
        char room[12];
        struct view key = random_key(&seed, room);
        uint64_t value = random_next(&seed);
        uint64_t *expected = twin_find(twin, key);
        const uint64_t *found = map_find(&map, key);
        assert_int_equal(found != NULL, expected != NULL);
        if (expected) {
            assert_true(*found == *expected);
            *map_add(&map, key, 0) = value;
            *expected = value;
        } else if (twin->len < 4000 && value % 3 != 0) {
            struct view kept = twin_add(twin, key, value);
            assert_true(*map_add(&map, kept, value) == value);
        }
    }
    assert_int_equal(map.len, twin->len);
    for (size_t i = 0; i < twin->len; i++) {
        assert_true(map.entries[i].value == twin->values[i]);
    }
    arena_clear(&arena);
    free(twin);
}

// Keys whose hashes agree in the bits that choose the slot, as somebody hostile would send them.
static size_t hostile_keys(char (*keys)[16], size_t wanted, uint64_t mask)
{
    size_t count = 0;
    for (uint64_t n = 0; count < wanted; n++) {
        int len = snprintf(keys[count], sizeof keys[count], "%llx", (unsigned long long)n);
        struct view key = {keys[count], (size_t)len};
        count += (view_hash(key) & mask) == 0;
    }
    return count;
}

static void keys_that_all_fall_together_are_found_too(void **state)
{
    (void)state;
    enum { KEYS = 1500 };
    static char keys[KEYS + 1][16];
    struct arena arena;
    struct map map;
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    hostile_keys(keys, KEYS, 0xfff);
    for (uint64_t i = 0; i < KEYS; i++) {
        assert_non_null(map_add(&map, view_of(keys[i]), i));
    }
    assert_true(map.tree_keys > KEYS / 2);
    for (uint64_t i = 0; i < KEYS; i++) {
        assert_int_equal(*map_add(&map, view_of(keys[i]), 0), i);
        assert_int_equal(*map_find(&map, view_of(keys[i])), i);
    }
    assert_null(map_find(&map, VIEW("not among them")));
    assert_int_equal(map.len, KEYS);
    arena_clear(&arena);
}

static void honest_keys_never_need_the_tree(void **state)
{
    (void)state;
    enum { KEYS = 100000 };
    struct arena arena;
    struct map map;
    arena_init(&arena, LIMIT);
    map_init(&map, &arena);
    for (uint64_t i = 0; i < KEYS; i++) {
        char text[24];
        snprintf(text, sizeof text, "word%llu", (unsigned long long)i);
        assert_non_null(map_add(&map, arena_copy(&arena, view_of(text)), i));
    }
    assert_true(map.tree_keys < KEYS / 1000);
    arena_clear(&arena);
}

static void a_full_arena_is_remembered_and_nothing_breaks(void **state)
{
    (void)state;
    static char keys[300][16];
    hostile_keys(keys, 299, 0xff);
    for (size_t limit = 0; limit < 16000; limit += 97) {
        struct arena arena;
        struct map map;
        size_t added = 0;
        arena_init(&arena, limit);
        map_init(&map, &arena);
        for (size_t i = 0; i < 299; i++) {
            added += map_add(&map, view_of(keys[i]), i) != NULL;
            map_find(&map, view_of(keys[i / 2]));
        }
        assert_true(added == 299 || arena_is_full(&arena));
        arena_clear(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_keeps_the_number_it_came_with),
        cmocka_unit_test(it_agrees_with_a_plain_array_on_random_operations),
        cmocka_unit_test(keys_that_all_fall_together_are_found_too),
        cmocka_unit_test(honest_keys_never_need_the_tree),
        cmocka_unit_test(a_full_arena_is_remembered_and_nothing_breaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
