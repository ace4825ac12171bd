#include "services/broker/roster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { NUMBERS = 20000, STEPS = 400000 };

struct item {
    char before[12];
    uint32_t value;
    uint64_t key;
};

struct desk {
    struct pool pool;
    struct roster roster;
    struct item *items[NUMBERS]; // the slow obvious twin: one place for each number
};

static int set_up(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    pool_init(&desk->pool, sizeof(struct item));
    roster_init(&desk->roster, &desk->pool, offsetof(struct item, key));
    *state = desk;
    return 0;
}

static int tear_down(void **state)
{
    struct desk *desk = *state;
    roster_clear(&desk->roster);
    pool_clear(&desk->pool);
    free(desk);
    return 0;
}

static uint64_t key_of(size_t number)
{
    return number * 0x100000001u; // keys that share many bits
}

static void add(struct desk *desk, size_t number)
{
    struct item *item = pool_take(&desk->pool);
    assert_non_null(item);
    assert_int_equal(item->value, 0);
    assert_int_equal(item->key, 0);
    item->value = (uint32_t)number;
    item->key = key_of(number);
    assert_ptr_equal(pool_item(&desk->pool, pool_number(item)), item);
    assert_true(roster_add(&desk->roster, item));
    desk->items[number] = item;
}

static void take_out(struct desk *desk, size_t number)
{
    assert_ptr_equal(roster_remove(&desk->roster, key_of(number)), desk->items[number]);
    pool_give(&desk->pool, desk->items[number]);
    desk->items[number] = NULL;
}

static void check(const struct desk *desk)
{
    size_t count = 0;
    size_t at = 0;
    const struct item *item;
    while ((item = roster_next(&desk->roster, &at))) {
        assert_ptr_equal(desk->items[item->value], item);
        count++;
    }
    assert_int_equal(count, desk->roster.count);
    assert_int_equal(count, desk->pool.taken);
}

// First more come than go, then more go than come, and again: both the table and the pool grow and shrink.
static void it_does_what_an_array_does(void **state)
{
    struct desk *desk = *state;
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        size_t number = (size_t)rand() % NUMBERS;
        int chance = step / (STEPS / 8) % 2 ? 1 : 9;
        assert_ptr_equal(roster_find(&desk->roster, key_of(number)), desk->items[number]);
        if (rand() % 10 >= chance) {
            take_out(desk, number);
        } else if (!desk->items[number]) {
            add(desk, number);
        }
        if (step % 10000 == 0) {
            check(desk);
        }
    }
    check(desk);
}

static void what_was_given_back_is_taken_again_and_empty_blocks_are_freed(void **state)
{
    struct desk *desk = *state;
    for (size_t i = 0; i < NUMBERS; i++) {
        add(desk, i);
    }
    size_t blocks = desk->pool.block_count;
    size_t slots = desk->roster.mask + 1;
    assert_true(blocks > 1 && blocks * POOL_BLOCK_BYTES < NUMBERS * sizeof(struct item) * 5 / 4);
    for (size_t i = 0; i < NUMBERS; i++) {
        take_out(desk, i);
    }
    size_t left = 0;
    for (size_t i = 0; i < blocks; i++) {
        left += desk->pool.blocks[i] != NULL;
    }
    assert_int_equal(left, 1);
    assert_true((desk->roster.mask + 1) * 64 <= slots);
    for (size_t i = 0; i < NUMBERS; i++) {
        add(desk, i);
    }
    assert_int_equal(desk->pool.block_count, blocks);
    check(desk);
}

static void an_empty_one_has_nothing(void **state)
{
    struct desk *desk = *state;
    size_t at = 0;
    assert_null(roster_find(&desk->roster, 0));
    assert_null(roster_remove(&desk->roster, 0));
    assert_null(roster_next(&desk->roster, &at));
    assert_null(pool_item(&desk->pool, 0));
    assert_int_equal(pool_number(NULL), 0);
    pool_give(&desk->pool, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_does_what_an_array_does, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            what_was_given_back_is_taken_again_and_empty_blocks_are_freed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_one_has_nothing, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
