#include "services/broker/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void the_last_hops_are_kept(void **state)
{
    struct history *history = NULL;
    (void)state;
    for (uint32_t i = 1; i <= 20; i++) {
        history_add(&history, (struct hop){.after_ms = i, .attempt = (uint16_t)i, .stage = 1});
    }
    assert_int_equal(history->count, 20);
    assert_int_equal(history->room, HISTORY_HOPS);
    assert_int_equal(history_first(history), 4);
    for (uint32_t i = history_first(history); i < history->count; i++) {
        assert_int_equal(history->hops[i % HISTORY_HOPS].attempt, i + 1);
    }
    free(history);
}

static void a_hop_ends_once(void **state)
{
    struct history *history = NULL;
    (void)state;
    history_end(history, 1, 1, HOP_DONE, 0);
    history_add(&history, (struct hop){.after_ms = 10, .attempt = 1, .stage = 2});
    history_end(history, 1, 1, HOP_DONE, 15);
    assert_int_equal(history->hops[0].end, HOP_OPEN);
    history_end(history, 2, 1, HOP_RETRY, 15);
    history_end(history, 2, 1, HOP_DONE, 99);
    assert_int_equal(history->hops[0].end, HOP_RETRY);
    assert_int_equal(history->hops[0].took_ms, 5);
    free(history);
}

static void the_archive_forgets_the_oldest(void **state)
{
    struct archive *archive = archive_new();
    size_t at = 0;
    (void)state;
    for (uint64_t i = 1; i <= HISTORY_ARCHIVE + 1; i++) {
        archive_add(archive, &(struct finished){.key = {i / 2, 0}, .handle = i});
    }
    assert_null(archive_find(archive, NULL, 1, &at));
    at = 0;
    assert_non_null(archive_find(archive, NULL, 2, &at));
    at = 0;
    assert_int_equal(archive_find(archive, (const uint64_t[]){50, 0}, 0, &at)->handle, 101);
    assert_int_equal(archive_find(archive, (const uint64_t[]){50, 0}, 0, &at)->handle, 100);
    assert_null(archive_find(archive, (const uint64_t[]){50, 0}, 0, &at));
    archive_free(archive);
}

static void an_old_worker_s_name_is_forgotten(void **state)
{
    struct archive *archive = archive_new();
    (void)state;
    uint32_t first = archive_name(archive, "ada");
    assert_string_equal(archive_name_of(archive, first), "ada");
    for (int i = 0; i < HISTORY_NAMES; i++) {
        archive_name(archive, "bob");
    }
    assert_string_equal(archive_name_of(archive, first), "?");
    assert_string_equal(archive_name_of(archive, 0), "?");
    archive_free(archive);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_hops_are_kept),
        cmocka_unit_test(a_hop_ends_once),
        cmocka_unit_test(the_archive_forgets_the_oldest),
        cmocka_unit_test(an_old_worker_s_name_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
