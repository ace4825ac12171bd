#include "common/fault.h"

#include "common/arena.h"
#include "common/article.h"
#include "common/buf.h"
#include "common/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static int no_fault(void **state)
{
    (void)state;
    fault_clear();
    return 0;
}

static void without_a_fault_nothing_fails_and_nothing_is_counted(void **state)
{
    (void)state;
    assert_false(fault_hit(FAULT_WRITE));
    assert_int_equal(fault_count(FAULT_WRITE), 0);
}

static void the_third_call_fails_and_no_other(void **state)
{
    (void)state;
    assert_int_equal(fault_open("write:3", NULL), OK);
    assert_false(fault_hit(FAULT_WRITE));
    assert_false(fault_hit(FAULT_SYNC));
    assert_false(fault_hit(FAULT_WRITE));
    assert_true(fault_hit(FAULT_WRITE));
    assert_false(fault_hit(FAULT_WRITE));
    assert_int_equal(fault_count(FAULT_WRITE), 4);
}

static void with_a_plus_all_later_calls_fail_too(void **state)
{
    (void)state;
    assert_int_equal(fault_open("sync:2+,memory:1", NULL), OK);
    assert_false(fault_hit(FAULT_SYNC));
    assert_true(fault_hit(FAULT_SYNC));
    assert_true(fault_hit(FAULT_SYNC));
    assert_true(fault_hit(FAULT_MEMORY));
    assert_false(fault_hit(FAULT_MEMORY));
}

static void what_cannot_be_read_is_named_and_sets_nothing(void **state)
{
    (void)state;
    static const char *const wrong[] = {"write",   "write:",  "write:0",
                                        "write:x", "wrote:1", "sync:1,,"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct error why = {""};
        assert_int_equal(fault_open(wrong[i], &why), ERR_USAGE);
        assert_non_null(strstr(why.text, "is not POINT:N or POINT:N+"));
        assert_false(fault_hit(FAULT_SYNC));
    }
}

// Builds something of each kind; whatever fails must be remembered and must not leak.
static void build(void *user)
{
    bool *all_went_well = user;
    struct arena arena;
    struct buf buf;
    struct map map;
    arena_init(&arena, 1 << 20);
    buf_init(&buf, 1 << 20);
    map_init(&map, &arena);
    bool added = true;
    for (uint64_t i = 0; i < 3000; i++) {
        char text[24];
        size_t before = buf.len;
        buf_add_u64(&buf, i);
        memcpy(text, buf_view(&buf).at + before, buf.len - before);
        struct view key = arena_copy(&arena, (struct view){text, buf.len - before});
        added &= map_add(&map, key, i) != NULL;
    }
    *all_went_well = added && !buf.full;
    assert_true(*all_went_well || buf.full || arena_is_full(&arena));
    buf_clear(&buf);
    arena_clear(&arena);
}

static void memory_may_end_at_any_moment(void **state)
{
    (void)state;
    bool all_went_well = false;
    size_t faults = fault_torture(FAULT_MEMORY, 1000, build, &all_went_well);
    assert_true(faults > 10);
    assert_true(all_went_well);
}

static void an_article_survives_running_out_of_memory(void **state)
{
    (void)state;
    for (uint64_t n = 1; n < 4; n++) {
        struct arena arena;
        struct article article;
        struct error why = {""};
        arena_init(&arena, 1 << 20);
        article_init(&article, &arena);
        fault_set(FAULT_MEMORY, n, true);
        enum status status =
            article_merge(&article, VIEW("{\"id\":\"a\",\"text\":\"caf\xc3\xa9\"}"), &why);
        fault_clear();
        assert_true(status != OK || n > 1);
        article_clear(&article);
        arena_clear(&arena);
    }
}

int main(void)
{
#define ALONE(test) cmocka_unit_test_setup_teardown(test, no_fault, no_fault)
    const struct CMUnitTest tests[] = {
        ALONE(without_a_fault_nothing_fails_and_nothing_is_counted),
        ALONE(the_third_call_fails_and_no_other),
        ALONE(with_a_plus_all_later_calls_fail_too),
        ALONE(what_cannot_be_read_is_named_and_sets_nothing),
        ALONE(memory_may_end_at_any_moment),
        ALONE(an_article_survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
