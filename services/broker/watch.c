// Stages whose articles nobody fetches: the commonest reason why nothing comes out of a pipeline.
#include "services/broker/core_state.h"

#include <stdio.h>

// A restart of a worker takes less. Both ends of the trouble are told once.
enum { WATCH_MS = 1000, STARVED_MS = 10000 };

static void watch_stage(struct core *core, uint32_t i, uint32_t workers, int64_t now_ms)
{
    const char *name = core->graph.stages[i].name;
    size_t waiting = queue_ready(core->queue, i + 1);
    if (workers > 0 || waiting == 0) {
        if (core->starved[i].told) {
            core_say(core, "stage %s: has %s again, %zu waiting", name,
                     workers > 0 ? "a worker" : "nothing to do", waiting);
        }
        core->starved[i].since_ms = 0;
        core->starved[i].told = false;
        return;
    }
    if (core->starved[i].since_ms == 0) {
        core->starved[i].since_ms = now_ms;
    }
    if (now_ms - core->starved[i].since_ms < STARVED_MS) {
        return;
    }
    if (!core->starved[i].told) {
        core->starved[i].told = true;
        core_warn(core,
                  "stage %s: no workers for %d s, %zu waiting; `copydesk worker %s` starts one",
                  name, STARVED_MS / 1000, waiting, name);
    }
    if (!*core->starving) {
        snprintf(core->starving, sizeof core->starving, "stage %s: no workers, %zu waiting", name,
                 waiting);
    }
}

void watch_stages(struct core *core, int64_t now_ms)
{
    uint32_t workers[WIRE_STAGE_LIMIT] = {0};
    if (core->draining || (now_ms - core->watched_ms < WATCH_MS && now_ms >= core->watched_ms)) {
        return;
    }
    core->watched_ms = now_ms;
    core->starving[0] = '\0';
    for (uint32_t i = 0; i < core->worker_count; i++) {
        workers[core->workers[i]->stage - 1]++;
    }
    for (uint32_t i = 0; i < core->graph.count; i++) {
        watch_stage(core, i, workers[i], now_ms);
    }
}
