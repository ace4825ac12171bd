#include "services/broker/gauges.h"

#include <stdlib.h>

// A counter whose source only knows totals: the difference to last time is added.
struct total {
    struct series *series;
    uint64_t seen;
};

struct stage_gauges {
    struct series *depth[WIRE_LANE_COUNT];
    struct series *wait[WIRE_LANE_COUNT];
    struct series *oldest, *inflight, *workers, *dead_letters;
    struct total done, failed, dead;
};

struct gauges {
    const struct graph *graph;
    struct metrics *metrics;
    uint32_t opened; // stages that have their series
    struct stage_gauges stages[WIRE_STAGE_LIMIT];
    struct series *end_to_end[WIRE_LANE_COUNT];
    struct series *sink_lag[WIRE_STAGE_LIMIT];
    struct series *journal_bytes, *fsync;
    struct total kills, expired;
    struct total refused[WIRE_DONE];
};

static void open_stage(struct gauges *gauges, struct metrics *metrics, uint32_t i)
{
    const char *name = gauges->graph->stages[i].name;
    struct stage_gauges *stage = &gauges->stages[i];
    for (unsigned lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        stage->depth[lane] = metrics_series(metrics, METRIC_DEPTH, name, wire_lane_name(lane));
        stage->wait[lane] =
            metrics_series(metrics, METRIC_WAIT_SECONDS, name, wire_lane_name(lane));
    }
    stage->oldest = metrics_series(metrics, METRIC_OLDEST_SECONDS, name, NULL);
    stage->inflight = metrics_series(metrics, METRIC_INFLIGHT, name, NULL);
    stage->workers = metrics_series(metrics, METRIC_WORKERS, name, NULL);
    stage->dead_letters = metrics_series(metrics, METRIC_DLQ_DEPTH, name, NULL);
    stage->done.series = metrics_series(metrics, METRIC_ARTICLES, name, "ok");
    stage->failed.series = metrics_series(metrics, METRIC_ARTICLES, name, "failed");
    stage->dead.series = metrics_series(metrics, METRIC_ARTICLES, name, "dead");
    if (gauges->graph->stages[i].terminal) {
        gauges->sink_lag[i] = metrics_series(metrics, METRIC_SINK_LAG, name, NULL);
    }
}

void gauges_reload(struct gauges *gauges)
{
    while (gauges->opened < gauges->graph->count) {
        open_stage(gauges, gauges->metrics, gauges->opened++);
    }
}

struct gauges *gauges_new(struct metrics *metrics, const struct graph *graph)
{
    struct gauges *gauges = calloc(1, sizeof *gauges);
    if (!gauges) {
        return NULL;
    }
    gauges->graph = graph;
    gauges->metrics = metrics;
    gauges_reload(gauges);
    for (unsigned lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        gauges->end_to_end[lane] =
            metrics_series(metrics, METRIC_END_TO_END_SECONDS, wire_lane_name(lane), NULL);
    }
    for (unsigned outcome = WIRE_DUPLICATE; outcome <= WIRE_REFUSED; outcome++) {
        gauges->refused[outcome].series =
            metrics_series(metrics, METRIC_REFUSED, wire_outcome_name(outcome), NULL);
    }
    gauges->journal_bytes = metrics_series(metrics, METRIC_WAL_BYTES, NULL, NULL);
    gauges->fsync = metrics_series(metrics, METRIC_FSYNC_SECONDS, NULL, NULL);
    gauges->kills.series = metrics_series(metrics, METRIC_KILLS, NULL, NULL);
    gauges->expired.series = metrics_series(metrics, METRIC_REDELIVERIES, "all", "lease_expired");
    return gauges;
}

void gauges_free(struct gauges *gauges)
{
    free(gauges);
}

static void bring_up(struct total *total, uint64_t now)
{
    series_add(total->series, now - total->seen);
    total->seen = now;
}

static void update_stage(struct gauges *gauges, const struct core *core, uint32_t i, int64_t now_ms)
{
    const struct queue *queue = core_queue(core);
    const struct queue_counts *counts = queue_counts(queue);
    struct stage_gauges *stage = &gauges->stages[i];
    int64_t oldest_ms = queue_oldest_ms(queue, i + 1);
    size_t waiting = counts->stages[i].delayed + counts->stages[i].leased;
    for (unsigned lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        series_set(stage->depth[lane], (double)counts->stages[i].ready[lane]);
        waiting += counts->stages[i].ready[lane];
    }
    series_set(stage->oldest, oldest_ms ? (double)(now_ms - oldest_ms) / 1000.0 : 0);
    series_set(stage->inflight, (double)counts->stages[i].leased);
    series_set(stage->dead_letters, (double)counts->stages[i].dead_now);
    series_set(gauges->sink_lag[i], (double)waiting);
    bring_up(&stage->done, counts->stages[i].done);
    bring_up(&stage->failed, counts->stages[i].failed);
    bring_up(&stage->dead, counts->stages[i].dead);
}

void gauges_update(struct gauges *gauges, const struct core *core, int64_t now_ms)
{
    struct core_numbers numbers = core_numbers(core);
    for (uint32_t i = 0; i < gauges->graph->count; i++) {
        update_stage(gauges, core, i, now_ms);
        series_set(gauges->stages[i].workers, numbers.workers[i]);
    }
    for (unsigned outcome = WIRE_DUPLICATE; outcome <= WIRE_REFUSED; outcome++) {
        bring_up(&gauges->refused[outcome], numbers.outcomes[outcome]);
    }
    series_set(gauges->journal_bytes, (double)numbers.journal_bytes);
    bring_up(&gauges->kills, numbers.kills);
    bring_up(&gauges->expired, queue_counts(core_queue(core))->expired_leases);
}

void gauges_waited(struct gauges *gauges, uint32_t stage, uint8_t lane, int64_t waited_ms)
{
    struct series *series = NULL;
    if (lane < WIRE_LANE_COUNT) {
        series = stage == 0 ? gauges->end_to_end[lane] : gauges->stages[stage - 1].wait[lane];
    }
    series_observe_us(series, waited_ms * 1000);
}

void gauges_fsync(struct gauges *gauges, int64_t us)
{
    series_observe_us(gauges->fsync, us);
}
