// Runs simulated newsroom days and adds up what happened. Exit code 1 when anything was lost, leaked or stuck.
#include "tests/sim/world.h"

#include "common/clock.h"
#include "common/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static const char usage[] =
    "usage: sim [--seeds A..B | --seed N [--trace]] [--articles N] [--faults N] [--check]\n";

static void add(struct sim_report *total, const struct sim_report *one)
{
    const uint64_t *from = (const uint64_t *)one;
    uint64_t *to = (uint64_t *)total;
    // All members up to simulated_ms are counts.
    for (size_t i = 0; i <= offsetof(struct sim_report, simulated_ms) / sizeof *to; i++) {
        to[i] += from[i];
    }
}

static void print_report(const struct sim_report *report, uint64_t seeds, double seconds)
{
    printf("seeds %" PRIu64 "  article lives %" PRIu64 "  sink writes %" PRIu64 "  events %" PRIu64
           "  messages %" PRIu64 "\n",
           seeds, report->accepted, report->delivered, report->events, report->messages);
    printf("faults: broker died %" PRIu64 ", workers %" PRIu64 ", sinks %" PRIu64
           ", connections cut %" PRIu64 ", frozen %" PRIu64 ", clock set %" PRIu64
           ", disk full %" PRIu64 ", slow %" PRIu64 ", sync failed %" PRIu64 ", torn tails %" PRIu64
           ", poison %" PRIu64 "\n",
           report->broker_deaths, report->worker_deaths, report->sink_deaths, report->cuts,
           report->freezes, report->clock_jumps, report->full_disks, report->slow_disks,
           report->failed_syncs, report->torn_tails, report->poison);
    printf("superseded %" PRIu64 "  refused %" PRIu64 "  dead letters %" PRIu64 "\n",
           report->superseded, report->refused, report->dead);
    printf("lost %" PRIu64 "  embargo leaked %" PRIu64 "  revived after a kill %" PRIu64
           "  overtaken %" PRIu64 "  mixed %" PRIu64 "  delivered again %" PRIu64 "\n",
           report->lost, report->leaked, report->revived, report->overtaken, report->mixed,
           report->again);
    printf("simulated %.1f h in %.1f s: %.0f article lives/s\n",
           (double)report->simulated_ms / 3600000.0, seconds,
           seconds > 0 ? (double)report->accepted / seconds : 0);
}

static bool read_number(const char *text, uint64_t *out)
{
    return text && view_parse_u64(view_of(text), out);
}

static bool read_range(const char *text, uint64_t *first, uint64_t *last)
{
    struct view range = view_of(text);
    size_t dots = view_find(range, VIEW(".."), 0);
    return view_parse_u64(view_slice(range, 0, dots), first) &&
           view_parse_u64(view_slice(range, dots + 2, range.len), last) && *first <= *last;
}

int main(int argc, char **argv)
{
    uint64_t first = 1, last = 100, articles = 150, faults = 30;
    struct sim_options options = {0};
    struct sim_report total = {0};
    uint64_t bad = 0;
    for (int i = 1; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : NULL;
        bool ok = true;
        if (strcmp(argv[i], "--trace") == 0) {
            options.trace = true;
            continue;
        } else if (strcmp(argv[i], "--check") == 0) {
            options.check = true;
            continue;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            ok = value && read_range(value, &first, &last);
        } else if (strcmp(argv[i], "--seed") == 0) {
            ok = read_number(value, &first);
            last = first;
        } else if (strcmp(argv[i], "--articles") == 0) {
            ok = read_number(value, &articles) && articles > 0;
        } else if (strcmp(argv[i], "--faults") == 0) {
            ok = read_number(value, &faults);
        } else {
            ok = false;
        }
        if (!ok) {
            fputs(usage, stderr);
            return 2;
        }
        i++;
    }
    options.articles = (uint32_t)articles;
    options.faults = (uint32_t)faults;
    int64_t start_us = clock_monotonic_us();
    for (uint64_t seed = first; seed <= last; seed++) {
        struct sim_report one;
        options.seed = seed;
        if (!sim_run(&options, &one)) {
            bad++;
            printf("FAILED seed %" PRIu64 ": lost %" PRIu64 " leaked %" PRIu64 " revived %" PRIu64
                   " overtaken %" PRIu64 " mixed %" PRIu64 "%s; replay: --seed %" PRIu64
                   " --trace\n",
                   seed, one.lost, one.leaked, one.revived, one.overtaken, one.mixed,
                   one.drained ? "" : " not drained", seed);
        }
        add(&total, &one);
    }
    print_report(&total, last - first + 1, (double)(clock_monotonic_us() - start_us) / 1e6);
    return bad > 0;
}
