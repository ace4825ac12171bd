#include "common/arena.h"

#include "common/buf.h"
#include "common/fault.h"

#include "common/vec.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define LIMIT ((size_t)8 << 20)

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void pieces_are_aligned_and_do_not_overlap(void **state)
{
    (void)state;
    enum { PIECES = 2000 };
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    uint64_t seed = 7;
    struct arena arena;
    arena_init(&arena, LIMIT);
    for (size_t i = 0; i < PIECES; i++) {
        sizes[i] = random_next(&seed) % 3000;
        pieces[i] = arena_alloc(&arena, sizes[i]);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)(i & 0xff), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(pieces[i][j], i & 0xff);
        }
    }
    arena_clear(&arena);
}

static void the_limit_is_kept_to_the_byte_and_remembered(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 100);
    assert_non_null(arena_alloc(&arena, 60));
    assert_non_null(arena_alloc(&arena, 40));
    assert_false(arena_is_full(&arena));
    assert_null(arena_alloc(&arena, 1));
    assert_true(arena_is_full(&arena));
    assert_non_null(arena_alloc(&arena, 0));
    assert_true(arena_is_full(&arena));
    arena_reset(&arena);
    assert_false(arena_is_full(&arena));
    assert_non_null(arena_alloc(&arena, 100));
    arena_clear(&arena);
}

static void missing_memory_is_told_from_the_limit(void **state)
{
    struct arena arena;
    struct buf buf;
    (void)state;
    arena_init(&arena, 100);
    assert_null(arena_alloc(&arena, 101));
    assert_false(arena.starved);
    arena_reset(&arena);
    buf_init(&buf, 100);
    fault_set(FAULT_MEMORY, 1, true);
    assert_null(arena_alloc(&arena, 10));
    buf_add(&buf, VIEW("text"));
    fault_clear();
    assert_true(arena_is_full(&arena) && arena.starved);
    assert_true(buf.full && buf.starved);
    buf_reset(&buf);
    assert_true(buf.starved); // until its owner has seen it
    arena_reset(&arena);
    assert_false(arena.starved);
    arena_clear(&arena);
}

static void absurd_sizes_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    assert_null(arena_zalloc(&arena, SIZE_MAX / 2, 3));
    assert_null(arena_grow(&arena, NULL, 0, SIZE_MAX - 3));
    assert_true(arena_is_full(&arena));
    arena_clear(&arena);
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_alloc(&arena, SIZE_MAX - 8));
    arena_clear(&arena);
}

static void a_reset_keeps_the_memory_for_the_next_article(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    void *first = arena_alloc(&arena, 5000);
    for (int i = 0; i < 50; i++) {
        arena_alloc(&arena, 50000);
    }
    arena_reset(&arena);
    assert_int_equal(arena.used_bytes, 0);
    assert_ptr_equal(arena_alloc(&arena, 5000), first);
    arena_clear(&arena);
}

static void zeroed_memory_is_zero_even_when_used_before(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    memset(arena_alloc(&arena, 4096), 0xff, 4096);
    arena_reset(&arena);
    const unsigned char *bytes = arena_zalloc(&arena, 64, 64);
    for (size_t i = 0; i < 4096; i++) {
        assert_int_equal(bytes[i], 0);
    }
    arena_clear(&arena);
}

static void the_last_piece_grows_where_it_is(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    char *piece = arena_alloc(&arena, 10);
    memcpy(piece, "0123456789", 10);
    assert_ptr_equal(arena_grow(&arena, piece, 10, 1000), piece);
    assert_int_equal(arena.used_bytes, 1000);
    arena_alloc(&arena, 1);
    char *moved = arena_grow(&arena, piece, 1000, 2000);
    assert_ptr_not_equal(moved, piece);
    assert_memory_equal(moved, "0123456789", 10);
    arena_clear(&arena);
}

static void growing_keeps_the_bytes_whatever_comes_between(void **state)
{
    (void)state;
    enum { COUNT = 8 };
    unsigned char *pieces[COUNT] = {NULL};
    size_t sizes[COUNT] = {0};
    uint64_t seed = 99;
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    for (int round = 0; round < 3000; round++) {
        size_t i = random_next(&seed) % COUNT;
        size_t size = sizes[i] + random_next(&seed) % 64;
        unsigned char *grown = arena_grow(&arena, pieces[i], sizes[i], size);
        assert_non_null(grown);
        memset(grown + sizes[i], (int)i, size - sizes[i]);
        pieces[i] = grown;
        sizes[i] = size;
    }
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t j = 0; j < sizes[i]; j++) {
            assert_int_equal(pieces[i][j], i);
        }
    }
    arena_clear(&arena);
}

static void a_failed_growth_leaves_the_old_piece(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, 100);
    char *piece = arena_alloc(&arena, 50);
    memset(piece, 'x', 50);
    assert_null(arena_grow(&arena, piece, 50, 101));
    assert_int_equal(piece[49], 'x');
    assert_ptr_equal(arena_grow(&arena, piece, 50, 100), piece);
    arena_clear(&arena);
}

static void a_copied_text_ends_with_nul(void **state)
{
    (void)state;
    struct arena arena;
    arena_init(&arena, LIMIT);
    struct view copy = arena_copy(&arena, VIEW("desk"));
    assert_string_equal(copy.at, "desk");
    assert_int_equal(copy.len, 4);
    assert_string_equal(arena_copy(&arena, (struct view){NULL, 0}).at, "");
    arena_clear(&arena);
}

static void a_vec_holds_what_was_pushed(void **state)
{
    (void)state;
    struct arena arena;
    VEC(struct span) spans = {0};
    arena_init(&arena, LIMIT);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_true(vec_push(&arena, &spans, ((struct span){i, i + 1})));
        arena_alloc(&arena, i % 3);
    }
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(spans.at[i].start, i);
        assert_int_equal(spans.at[i].end, i + 1);
    }
    assert_int_equal(spans.len, 10000);
    arena_clear(&arena);
}

static void a_vec_in_a_full_arena_keeps_what_it_has(void **state)
{
    (void)state;
    struct arena arena;
    VEC(uint64_t) numbers = {0};
    arena_init(&arena, 1000);
    uint64_t pushed = 0;
    while (vec_push(&arena, &numbers, pushed)) {
        pushed++;
    }
    assert_true(arena_is_full(&arena));
    assert_int_equal(numbers.len, pushed);
    assert_true(pushed >= 8);
    for (uint64_t i = 0; i < pushed; i++) {
        assert_int_equal(numbers.at[i], i);
    }
    assert_false(vec_reserve(&arena, (void **)&numbers.at, &numbers.cap, SIZE_MAX / 4, 8));
    assert_int_equal(numbers.at[0], 0);
    arena_clear(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_do_not_overlap),
        cmocka_unit_test(the_limit_is_kept_to_the_byte_and_remembered),
        cmocka_unit_test(missing_memory_is_told_from_the_limit),
        cmocka_unit_test(absurd_sizes_are_refused),
        cmocka_unit_test(a_reset_keeps_the_memory_for_the_next_article),
        cmocka_unit_test(zeroed_memory_is_zero_even_when_used_before),
        cmocka_unit_test(the_last_piece_grows_where_it_is),
        cmocka_unit_test(growing_keeps_the_bytes_whatever_comes_between),
        cmocka_unit_test(a_failed_growth_leaves_the_old_piece),
        cmocka_unit_test(a_copied_text_ends_with_nul),
        cmocka_unit_test(a_vec_holds_what_was_pushed),
        cmocka_unit_test(a_vec_in_a_full_arena_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
