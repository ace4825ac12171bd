// What Prometheus sees of the broker: names in common/metrics.h.
#ifndef COPYDESK_GAUGES_H
#define COPYDESK_GAUGES_H

#include "common/metrics.h"
#include "services/broker/core.h"

struct gauges;

// Fetches every series of the graph's stages. Both are borrowed. NULL when memory ran out.
struct gauges *gauges_new(struct metrics *metrics, const struct graph *graph);
void gauges_free(struct gauges *gauges);

// Fetches the series of stages that the graph has got since.
void gauges_reload(struct gauges *gauges);

// Brings all numbers up to date. About once a second.
void gauges_update(struct gauges *gauges, const struct core *core, int64_t now_ms);

// As core_config.observe; `fsync` is a commit that took so long.
void gauges_waited(struct gauges *gauges, uint32_t stage, uint8_t lane, int64_t waited_ms);
void gauges_fsync(struct gauges *gauges, int64_t us);

#endif
