#include "common/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static int begin(void **state)
{
    *state = metrics_new();
    return *state ? 0 : -1;
}

static int end(void **state)
{
    metrics_free(*state);
    return 0;
}

static void assert_printed(struct metrics *metrics, const char *expected, bool is_there)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    metrics_print(metrics, &out);
    buf_add_char(&out, '\0');
    if ((strstr(out.at, expected) != NULL) != is_there) {
        fail_msg("%s '%s' in:\n%s", is_there ? "missing" : "unwanted", expected, out.at);
    }
    buf_clear(&out);
}

static void a_counter_counts_by_its_labels(void **state)
{
    struct series *ok = metrics_series(*state, METRIC_ARTICLES, "clean", "ok");
    series_add(ok, 2);
    series_add(metrics_series(*state, METRIC_ARTICLES, "clean", "failed"), 1);
    assert_ptr_equal(ok, metrics_series(*state, METRIC_ARTICLES, "clean", "ok"));
    assert_int_equal(series_count(ok), 2);
    assert_printed(*state,
                   "# HELP copydesk_articles_total Articles that left a stage, by outcome\n"
                   "# TYPE copydesk_articles_total counter\n"
                   "copydesk_articles_total{stage=\"clean\",outcome=\"ok\"} 2\n"
                   "copydesk_articles_total{stage=\"clean\",outcome=\"failed\"} 1\n",
                   true);
}

static void a_gauge_shows_its_last_value(void **state)
{
    struct series *oldest = metrics_series(*state, METRIC_OLDEST_SECONDS, "dates", NULL);
    series_set(oldest, 3);
    series_set(oldest, 1.25);
    series_set(metrics_series(*state, METRIC_EMBARGOED, NULL, NULL), 4);
    assert_printed(*state, "copydesk_queue_oldest_seconds{stage=\"dates\"} 1.25\n", true);
    assert_printed(*state, "copydesk_embargo_held 4\n", true);
}

static void a_histogram_sums_up_its_buckets(void **state)
{
    struct series *fsync = metrics_series(*state, METRIC_FSYNC_SECONDS, NULL, NULL);
    series_observe_us(fsync, 100); // the bound itself belongs to its bucket
    series_observe_us(fsync, 101);
    series_observe_us(fsync, 70000000); // above the last bound
    series_observe_us(fsync, -5);       // a clock that went back counts as 0
    assert_printed(*state, "# TYPE copydesk_wal_fsync_seconds histogram\n", true);
    assert_printed(*state,
                   "copydesk_wal_fsync_seconds_bucket{le=\"0.0001\"} 2\n"
                   "copydesk_wal_fsync_seconds_bucket{le=\"0.00025\"} 3\n",
                   true);
    assert_printed(*state,
                   "copydesk_wal_fsync_seconds_bucket{le=\"60\"} 3\n"
                   "copydesk_wal_fsync_seconds_bucket{le=\"+Inf\"} 4\n"
                   "copydesk_wal_fsync_seconds_sum 70.000201\n"
                   "copydesk_wal_fsync_seconds_count 4\n",
                   true);
    series_observe_us(metrics_series(*state, METRIC_STAGE_SECONDS, "dates", NULL), 1);
    assert_printed(*state, "duration_seconds_bucket{stage=\"dates\",le=\"0.0001\"} 1\n", true);
}

static void what_was_never_counted_is_not_shown(void **state)
{
    assert_printed(*state, "copydesk_", false);
    assert_printed(*state, "process_resident_memory_bytes ", true);
    assert_printed(*state, "process_cpu_seconds_total ", true);
}

static void label_values_are_escaped(void **state)
{
    series_add(metrics_series(*state, METRIC_FEED_ERRORS, "a\"b\\c\nd", "500"), 1);
    assert_printed(*state, "{feed=\"a\\\"b\\\\c\\nd\",code=\"500\"} 1\n", true);
}

static void too_many_label_values_share_one_series(void **state)
{
    for (int i = 0; i < METRICS_SERIES_LIMIT * 2; i++) {
        char feed[32];
        snprintf(feed, sizeof feed, "feed %d", i);
        series_add(metrics_series(*state, METRIC_FEED_ERRORS, feed, "500"), 1);
    }
    assert_printed(*state, "{feed=\"other\",code=\"other\"} 128\n", true);
    assert_printed(*state, "feed 128", false);
}

static void without_a_registry_nothing_is_counted_and_nothing_breaks(void **state)
{
    (void)state;
    struct series *none = metrics_series(NULL, METRIC_KILLS, NULL, NULL);
    assert_null(none);
    series_add(none, 1);
    series_set(none, 1);
    series_observe_us(none, 1);
    assert_int_equal(series_count(none), 0);
    metrics_free(NULL);
}

static void *count_many(void *metrics)
{
    for (int i = 0; i < 20000; i++) {
        series_add(metrics_series(metrics, METRIC_KILLS, NULL, NULL), 1);
        series_observe_us(metrics_series(metrics, METRIC_FSYNC_SECONDS, NULL, NULL), i);
    }
    return NULL;
}

static void threads_lose_no_count(void **state)
{
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count_many, *state), 0);
    }
    assert_printed(*state, "process_cpu", true);
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_printed(*state, "copydesk_kills_total 80000\n", true);
    assert_printed(*state, "copydesk_wal_fsync_seconds_count 80000\n", true);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        FRESH(a_counter_counts_by_its_labels),
        FRESH(a_gauge_shows_its_last_value),
        FRESH(a_histogram_sums_up_its_buckets),
        FRESH(what_was_never_counted_is_not_shown),
        FRESH(label_values_are_escaped),
        FRESH(too_many_label_values_share_one_series),
        cmocka_unit_test(without_a_registry_nothing_is_counted_and_nothing_breaks),
        FRESH(threads_lose_no_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
