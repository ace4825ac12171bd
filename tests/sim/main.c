// Runs simulated newsroom days and adds up what happened, a `name value` line each. Exit code 1 when a promise was broken.
#include "tests/sim/world.h"

#include "common/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const char usage[] =
    "usage: sim [--seeds A..B | --seed N [--trace]] [--articles N] [--faults N] [--check]\n";

static void add(struct sim_report *total, const struct sim_report *one)
{
    for (size_t i = 0; i < SIM_COUNT; i++) {
        total->counts[i] += one->counts[i];
    }
    total->simulated_ms += one->simulated_ms;
}

static void print_report(const struct sim_report *report, uint64_t seeds, double seconds)
{
    printf("seeds %" PRIu64 "\n", seeds);
    for (enum sim_count count = 0; count < SIM_COUNT; count++) {
        printf("%s %" PRIu64 "\n", sim_count_name(count), report->counts[count]);
    }
    printf("simulated_hours %.1f\n", (double)report->simulated_ms / 3600000.0);
    printf("cpu_seconds %.1f\n", seconds);
    printf("lives_per_second %.0f\n",
           seconds > 0 ? (double)report->counts[SIM_LIVES] / seconds : 0);
}

// One line: what was broken on which day, and how to see it again.
static void print_failure(const struct sim_report *report, uint64_t seed)
{
    printf("FAILED seed %" PRIu64 ":", seed);
    for (enum sim_count count = 0; count < SIM_COUNT; count++) {
        if (sim_count_is_bad(count) && report->counts[count] > 0) {
            printf(" %s %" PRIu64, sim_count_name(count), report->counts[count]);
        }
    }
    printf("; replay: --seed %" PRIu64 " --trace\n", seed);
    fflush(stdout);
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
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
    uint64_t first = 1, last = 100, articles = 1000, faults = 30;
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
    double start = cpu_seconds();
    for (uint64_t seed = first; seed <= last; seed++) {
        struct sim_report one;
        options.seed = seed;
        if (!sim_run(&options, &one)) {
            bad++;
            print_failure(&one, seed);
        }
        add(&total, &one);
    }
    print_report(&total, last - first + 1, cpu_seconds() - start);
    return bad > 0;
}
