#include "tests/bench/window.h"

#include "common/clock.h"
#include "common/view.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_EVERY_US = 2000 };

// CPU time of all threads of a process, those that ended included; below 0 when it is gone.
static double process_cpu_s(pid_t pid)
{
    clockid_t clock;
    struct timespec used;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0) {
        return -1;
    }
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

// CPU time of the whole machine that was not idle; 0 where the system does not say.
static double machine_cpu_s(void)
{
    unsigned long user = 0;
    unsigned long nice_user = 0;
    unsigned long kernel = 0;
    unsigned long irq = 0;
    unsigned long soft_irq = 0;
    FILE *file = fopen("/proc/stat", "r");
    if (!file) {
        return 0;
    }
    int found = fscanf(file, "cpu %lu %lu %lu %*u %*u %lu %lu", &user, &nice_user, &kernel, &irq,
                       &soft_irq);
    fclose(file);
    unsigned long ticks = user + nice_user + kernel + irq + soft_irq;
    return found == 5 ? (double)ticks / (double)sysconf(_SC_CLK_TCK) : 0;
}

static double process_peak_mib(pid_t pid)
{
    char path[64];
    char line[256];
    unsigned long kib = 0;
    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lu", &kib) != 1) {
    }
    if (file) {
        fclose(file);
    }
    return (double)kib / 1024.0;
}

static bool mark_now(struct window_mark *mark, const struct window_config *config)
{
    *mark = (struct window_mark){.us = clock_monotonic_us(),
                                 .delivered = *config->delivered,
                                 .broker_cpu_s = process_cpu_s(config->broker),
                                 .machine_cpu_s = machine_cpu_s()};
    bool all_here = mark->broker_cpu_s >= 0;
    for (size_t i = 0; i < config->client_count; i++) {
        double cpu_s = process_cpu_s(config->clients[i]);
        all_here = all_here && cpu_s >= 0;
        mark->clients_cpu_s += cpu_s;
    }
    if (!all_here) {
        fprintf(stderr, "%s: a process ended before its time\n", config->prefix);
    }
    return all_here;
}

static bool is_over(const struct window *window, const struct window_config *config)
{
    uint64_t passed_ms = (uint64_t)(clock_monotonic_us() - window->opened.us) / 1000;
    uint64_t delivered = *config->delivered - window->opened.delivered;
    return passed_ms >= config->limit_ms ||
           (passed_ms >= config->full_ms && delivered >= config->articles);
}

bool window_measure(struct window *window, const struct window_config *config)
{
    usleep((useconds_t)(config->warm_ms * 1000));
    if (!mark_now(&window->opened, config)) {
        return false;
    }
    while (!is_over(window, config)) {
        usleep(LOOK_EVERY_US);
    }
    if (!mark_now(&window->closed, config)) {
        return false;
    }
    window->peak_mib = process_peak_mib(config->broker);
    if (window->closed.delivered == window->opened.delivered) {
        fprintf(stderr, "%s: nothing was delivered\n", config->prefix);
        return false;
    }
    return true;
}

void window_print(const struct window *window, const struct window_config *config)
{
    const struct window_mark *opened = &window->opened;
    const struct window_mark *closed = &window->closed;
    const char *prefix = config->prefix;
    double seconds = (double)(closed->us - opened->us) / 1e6;
    double thousands = (double)(closed->delivered - opened->delivered) / 1000.0;
    double broker_s = closed->broker_cpu_s - opened->broker_cpu_s;
    double clients_s = closed->clients_cpu_s - opened->clients_cpu_s;
    double others_s = closed->machine_cpu_s - opened->machine_cpu_s - broker_s - clients_s;
    printf("%s.delivered %" PRIu64 "\n", prefix, closed->delivered - opened->delivered);
    printf("%s.seconds %.2f\n", prefix, seconds);
    printf("%s.articles_per_s %.0f\n", prefix, thousands * 1000.0 / seconds);
    printf("%s.cpu_broker_s_per_1000 %.4f\n", prefix, broker_s / thousands);
    printf("%s.cpu_s_per_1000 %.4f\n", prefix, (broker_s + clients_s) / thousands);
    printf("%s.rss_mib %.1f\n", prefix, window->peak_mib);
    printf("%s.other_cpus %.2f\n", prefix, others_s > 0 ? others_s / seconds : 0);
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void window_print_latency(const char *prefix, uint32_t *latency_us, size_t count)
{
    if (count == 0) {
        return;
    }
    size_t half = count / 2;
    size_t last_hundredth = count * 99 / 100;
    qsort(latency_us, count, sizeof *latency_us, compare_u32);
    printf("%s.p50_ms %.3f\n", prefix, latency_us[half] / 1000.0);
    printf("%s.p99_ms %.3f\n", prefix, latency_us[last_hundredth] / 1000.0);
}

bool window_wait(const _Atomic uint64_t *value, uint64_t least, uint64_t limit_ms)
{
    int64_t until_us = clock_monotonic_us() + (int64_t)limit_ms * 1000;
    while (*value < least) {
        if (clock_monotonic_us() > until_us) {
            return false;
        }
        usleep(LOOK_EVERY_US);
    }
    return true;
}

static bool read_option(const struct window_option *options, size_t count, const char *name,
                        const char *value)
{
    for (size_t i = 0; value && i < count; i++) {
        if (strcmp(name, options[i].name) != 0) {
            continue;
        }
        if (options[i].text) {
            *options[i].text = value;
            return true;
        }
        return view_parse_u64(view_of(value), options[i].number);
    }
    return false;
}

bool window_read_options(const struct window_option *options, size_t count, int argc, char **argv)
{
    for (int i = 1; i < argc; i += 2) {
        if (!read_option(options, count, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            fprintf(stderr, "%s: bad option %s\n", argv[0], argv[i]);
            return false;
        }
    }
    return true;
}
