#include "services/broker/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NUMBERS = 512, STEPS = 200000 };

// The slow obvious twin is an array with one place for each number.
static void it_does_what_an_array_does(void **state)
{
    static int items[NUMBERS];
    bool present[NUMBERS] = {false};
    struct index index = {0};
    size_t count = 0;
    (void)state;
    srand(1);
    for (int step = 0; step < STEPS; step++) {
        size_t number = (size_t)rand() % NUMBERS;
        uint64_t key = number * 0x100000001u; // keys that share many bits
        assert_ptr_equal(index_find(&index, key), present[number] ? &items[number] : NULL);
        if (rand() % 2 == 0 && !present[number]) {
            assert_true(index_add(&index, key, &items[number]));
            present[number] = true;
            count++;
        } else if (rand() % 2 == 0) {
            assert_ptr_equal(index_remove(&index, key), present[number] ? &items[number] : NULL);
            count -= present[number];
            present[number] = false;
        }
        assert_int_equal(index.count, count);
    }
    index_clear(&index);
}

static void walking_meets_every_item_once(void **state)
{
    int items[100];
    int seen[100] = {0};
    struct index index = {0};
    size_t at = 0;
    int *item;
    (void)state;
    for (uint64_t i = 0; i < 100; i++) {
        assert_true(index_add(&index, i, &items[i]));
    }
    while ((item = index_next(&index, &at))) {
        seen[item - items]++;
    }
    for (int i = 0; i < 100; i++) {
        assert_int_equal(seen[i], 1);
    }
    index_clear(&index);
}

static void an_empty_table_has_nothing(void **state)
{
    struct index index = {0};
    size_t at = 0;
    (void)state;
    assert_null(index_find(&index, 0));
    assert_null(index_remove(&index, 0));
    assert_null(index_next(&index, &at));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_what_an_array_does),
        cmocka_unit_test(walking_meets_every_item_once),
        cmocka_unit_test(an_empty_table_has_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
