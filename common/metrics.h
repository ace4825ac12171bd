// Counters, gauges and histograms, printed as Prometheus text (exposition format 0.0.4).
//
// All families of the program stand in one table below, so that names stay the same over services and dashboards.
// Whoever counts fetches a series once and keeps it; counting is then one atomic addition.
//
//     struct series *done = metrics_series(metrics, METRIC_ARTICLES, "clean", "ok");
//     series_add(done, 1);
//
// Label values come from small sets: stages, lanes, outcomes; never ids, addresses or entities. A family holds at most
// METRICS_SERIES_LIMIT series; what comes later is counted under the label values "other".
#ifndef COPYDESK_METRICS_H
#define COPYDESK_METRICS_H

#include "common/buf.h"

enum { METRICS_SERIES_LIMIT = 128 };

// X(name, kind, labels, exported name, help). A new family is one line here.
// clang-format off
#define METRIC_FAMILIES                                                                                              \
    X(ARTICLES, COUNTER, "stage,outcome", "copydesk_articles_total", "Articles that left a stage, by outcome")       \
    X(STAGE_SECONDS, HISTOGRAM, "stage", "copydesk_stage_duration_seconds", "Time a stage spent on an article")      \
    X(WAIT_SECONDS, HISTOGRAM, "stage,lane", "copydesk_queue_wait_seconds", "Time from queue to worker")             \
    X(DEPTH, GAUGE, "stage,lane", "copydesk_queue_depth", "Articles waiting")                                        \
    X(OLDEST_SECONDS, GAUGE, "stage", "copydesk_queue_oldest_seconds", "Age of the oldest article waiting")          \
    X(INFLIGHT, GAUGE, "stage", "copydesk_inflight", "Articles leased to workers")                                   \
    X(WORKERS, GAUGE, "stage", "copydesk_workers", "Workers connected")                                              \
    X(REDELIVERIES, COUNTER, "stage,reason", "copydesk_redeliveries_total", "Articles handed out again")             \
    X(DLQ_DEPTH, GAUGE, "stage", "copydesk_dlq_depth", "Dead letters")                                               \
    X(END_TO_END_SECONDS, HISTOGRAM, "lane", "copydesk_end_to_end_seconds", "From accepted to all sinks")            \
    X(FEED_SUCCESS, GAUGE, "feed", "copydesk_feed_last_success_timestamp_seconds", "Last good poll of a feed")       \
    X(FEED_ERRORS, COUNTER, "feed,code", "copydesk_feed_errors_total", "Polls of a feed that failed")                \
    X(SINK_LAG, GAUGE, "sink", "copydesk_sink_lag", "Articles a sink has still to take")                             \
    X(KILLS, COUNTER, "", "copydesk_kills_total", "Kill notices acted on")                                           \
    X(EMBARGOED, GAUGE, "", "copydesk_embargo_held", "Articles held back until their time")                          \
    X(WAL_BYTES, GAUGE, "", "copydesk_wal_bytes", "Size of the journal on disk")                                     \
    X(FSYNC_SECONDS, HISTOGRAM, "", "copydesk_wal_fsync_seconds", "Time to make a commit durable")                   \
    X(REFUSED, COUNTER, "reason", "copydesk_refused_total", "Articles refused at the door")                          \
    X(BUILD, GAUGE, "version,revision", "copydesk_build_info", "1; the labels tell what runs")
// clang-format on

#define X(name, kind, labels, exported, help) METRIC_##name,
enum metric { METRIC_FAMILIES METRIC_COUNT };
#undef X

struct metrics;
struct series;

// An empty registry; NULL when there is no memory. Shared by threads.
struct metrics *metrics_new(void);

// Frees the registry with all its series; NULL is fine.
void metrics_free(struct metrics *metrics);

// The series of a family with these label values, one argument per label in the table (at most two; NULL where
// the family has fewer). Made when it is new. Takes a lock: fetch once and keep it. NULL only when
// `metrics` is NULL or there is no memory; every function below takes NULL and does nothing.
struct series *metrics_series(struct metrics *metrics, enum metric family, const char *first,
                              const char *second);

// Counters: `more` on top.
void series_add(struct series *series, uint64_t more);

// Gauges: the value now.
void series_set(struct series *series, double value);

// Histograms: one observation of `us` microseconds, exported in seconds.
void series_observe_us(struct series *series, int64_t us);

// Counters and histograms: the count so far. For tests and status pages.
uint64_t series_count(const struct series *series);

// Gauges: the last value.
double series_value(const struct series *series);

// Appends everything that was counted, and process_* read from /proc, as text/plain; version=0.0.4.
void metrics_print(struct metrics *metrics, struct buf *out);

#endif
