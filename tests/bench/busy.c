// A worker whose one stage, "busy", computes for as long as the article says: what tests/bench/utilisation.py measures the worker's
// runtime with. The text begins with a number, microseconds of CPU time. Started as `copydesk worker` is: bench_busy worker busy --broker
// ADDRESS.
#include "common/clock.h"
#include "services/stages.h"
#include "services/worker.h"

static enum status load(struct model **model, const char *folder, struct error *why)
{
    (void)folder;
    (void)why;
    *model = NULL;
    return OK;
}

static void unload(struct model *model)
{
    (void)model;
}

static int64_t number_at(struct view text)
{
    int64_t number = 0;
    for (size_t i = 0; i < text.len && text.at[i] >= '0' && text.at[i] <= '9'; i++) {
        number = number * 10 + (text.at[i] - '0');
    }
    return number;
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    int64_t end_us = clock_thread_cpu_us() + number_at(article->text);
    (void)model;
    (void)notes;
    (void)explain;
    while (clock_thread_cpu_us() < end_us) {
    }
    return OK;
}

static const struct stage busy_stage = {
    .name = "busy", .version = "1", .needs = "article", .load = load, .run = run, .unload = unload};

// In place of services/stages.c.
const struct stage *const stages[] = {&busy_stage};
const size_t stage_count = 1;

const struct stage *stage_find(struct view name)
{
    return view_equal(name, VIEW("busy")) ? &busy_stage : NULL;
}

bool stage_list_has(const char *list, struct view name)
{
    return view_equal(view_of(list), name);
}

int main(int argc, char **argv)
{
    return worker_main(argc - 1, argv + 1);
}
