// The registry is a short list of series per family; only making and printing take the lock. A series never moves,
// so counting needs nothing but its own atomics.
#include "common/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum kind { COUNTER, GAUGE, HISTOGRAM };

struct family {
    enum kind kind;
    const char *labels; // names separated by a comma
    const char *name, *help;
};

#define X(id, kind, labels, exported, help) [METRIC_##id] = {kind, labels, exported, help},
static const struct family families[METRIC_COUNT] = {METRIC_FAMILIES};
#undef X

static const char *const kind_names[] = {"counter", "gauge", "histogram"};

// Upper bounds in microseconds, and as they are printed: from a summary of one page to an article that
// waited for a minute.
static const struct {
    int64_t us;
    const char *seconds;
} bounds[] = {{100, "0.0001"},  {250, "0.00025"}, {500, "0.0005"},  {1000, "0.001"},
              {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},
              {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},
              {1000000, "1"},   {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"},
              {30000000, "30"}, {60000000, "60"}};

enum { BOUND_COUNT = sizeof bounds / sizeof bounds[0], LABEL_LIMIT = 64, LABEL_COUNT = 2 };

struct series {
    struct series *next;
    enum metric family;
    char values[LABEL_COUNT][LABEL_LIMIT]; // of the labels
    _Atomic uint64_t count;                // of a counter or histogram
    _Atomic uint64_t gauge;                // the bits of a double
    _Atomic uint64_t sum_us;               // of a histogram
    _Atomic uint64_t buckets[BOUND_COUNT]; // each its own range; summed up in print
};

struct metrics {
    pthread_mutex_t lock;
    struct series *first[METRIC_COUNT]; // in the order they were made
    size_t lens[METRIC_COUNT];
};

struct metrics *metrics_new(void)
{
    struct metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics && pthread_mutex_init(&metrics->lock, NULL) != 0) {
        free(metrics);
        return NULL;
    }
    return metrics;
}

void metrics_free(struct metrics *metrics)
{
    if (!metrics) {
        return;
    }
    for (int family = 0; family < METRIC_COUNT; family++) {
        for (struct series *series = metrics->first[family]; series;) {
            struct series *next = series->next;
            free(series);
            series = next;
        }
    }
    pthread_mutex_destroy(&metrics->lock);
    free(metrics);
}

// Where the series with these values hangs, or where it would.
static struct series **find(struct metrics *metrics, enum metric family,
                            const char *const values[LABEL_COUNT])
{
    struct series **link = &metrics->first[family];
    while (*link && (strncmp((*link)->values[0], values[0], LABEL_LIMIT - 1) != 0 ||
                     strncmp((*link)->values[1], values[1], LABEL_LIMIT - 1) != 0)) {
        link = &(*link)->next;
    }
    return link;
}

static struct series *series_new(enum metric family, const char *const values[LABEL_COUNT])
{
    struct series *series = calloc(1, sizeof *series);
    if (series) {
        series->family = family;
        for (size_t i = 0; i < LABEL_COUNT; i++) {
            snprintf(series->values[i], LABEL_LIMIT, "%s", values[i]);
        }
    }
    return series;
}

struct series *metrics_series(struct metrics *metrics, enum metric family, const char *first,
                              const char *second)
{
    if (!metrics) {
        return NULL;
    }
    const char *values[LABEL_COUNT] = {first ? first : "", second ? second : ""};
    pthread_mutex_lock(&metrics->lock);
    struct series **link = find(metrics, family, values);
    if (!*link && metrics->lens[family] >= METRICS_SERIES_LIMIT) {
        values[0] = first ? "other" : "";
        values[1] = second ? "other" : "";
        link = find(metrics, family, values);
    }
    if (!*link) {
        *link = series_new(family, values);
        metrics->lens[family] += *link != NULL;
    }
    struct series *series = *link;
    pthread_mutex_unlock(&metrics->lock);
    return series;
}

void series_add(struct series *series, uint64_t more)
{
    if (series) {
        atomic_fetch_add_explicit(&series->count, more, memory_order_relaxed);
    }
}

void series_set(struct series *series, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (series) {
        atomic_store_explicit(&series->gauge, bits, memory_order_relaxed);
    }
}

void series_observe_us(struct series *series, int64_t us)
{
    if (!series) {
        return;
    }
    us = us < 0 ? 0 : us;
    size_t bucket = 0;
    while (bucket < BOUND_COUNT && us > bounds[bucket].us) {
        bucket++;
    }
    if (bucket < BOUND_COUNT) {
        atomic_fetch_add_explicit(&series->buckets[bucket], 1, memory_order_relaxed);
    }
    atomic_fetch_add_explicit(&series->sum_us, (uint64_t)us, memory_order_relaxed);
    atomic_fetch_add_explicit(&series->count, 1, memory_order_relaxed);
}

uint64_t series_count(const struct series *series)
{
    return series ? atomic_load_explicit(&series->count, memory_order_relaxed) : 0;
}

double series_value(const struct series *series)
{
    uint64_t bits = series ? atomic_load_explicit(&series->gauge, memory_order_relaxed) : 0;
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// A label value as the format wants it: \\, \" and \n escaped.
static void print_value(struct buf *out, const char *value)
{
    buf_add_char(out, '"');
    for (; *value; value++) {
        if (*value == '\\' || *value == '"') {
            buf_add_char(out, '\\');
        }
        buf_add(out, *value == '\n' ? VIEW("\\n") : (struct view){value, 1});
    }
    buf_add_char(out, '"');
}

// name_suffix{label="value",le="bound"} without the number.
static void print_name(struct buf *out, const struct series *series, const char *suffix,
                       const char *le)
{
    const struct family *family = &families[series->family];
    struct view rest = view_of(family->labels);
    char before = '{';
    buf_printf(out, "%s%s", family->name, suffix);
    for (size_t i = 0; i < LABEL_COUNT && rest.len > 0; i++) {
        size_t comma = view_find(rest, VIEW(","), 0);
        buf_add_char(out, before);
        buf_add(out, view_slice(rest, 0, comma));
        buf_add_char(out, '=');
        print_value(out, series->values[i]);
        rest = view_slice(rest, comma + 1, rest.len);
        before = ',';
    }
    if (le) {
        buf_printf(out, "%cle=\"%s\"", before, le);
        before = ',';
    }
    buf_add(out, before == ',' ? VIEW("} ") : VIEW(" "));
}

// Buckets are read one by one while others count; the total is the sum of what was read, so that the
// buckets of one print never contradict each other.
static void print_histogram(struct buf *out, const struct series *series)
{
    uint64_t total = series_count(series);
    uint64_t sum = 0;
    for (size_t i = 0; i < BOUND_COUNT; i++) {
        sum += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        print_name(out, series, "_bucket", bounds[i].seconds);
        buf_printf(out, "%llu\n", (unsigned long long)sum);
    }
    total = total < sum ? sum : total;
    print_name(out, series, "_bucket", "+Inf");
    buf_printf(out, "%llu\n", (unsigned long long)total);
    print_name(out, series, "_sum", NULL);
    uint64_t sum_us = atomic_load_explicit(&series->sum_us, memory_order_relaxed);
    buf_printf(out, "%llu.%06llu\n", (unsigned long long)(sum_us / 1000000),
               (unsigned long long)(sum_us % 1000000));
    print_name(out, series, "_count", NULL);
    buf_printf(out, "%llu\n", (unsigned long long)total);
}

static void print_series(struct buf *out, const struct series *series)
{
    switch (families[series->family].kind) {
    case COUNTER:
        print_name(out, series, "", NULL);
        buf_printf(out, "%llu\n", (unsigned long long)series_count(series));
        break;
    case GAUGE:
        print_name(out, series, "", NULL);
        buf_printf(out, "%.15g\n", series_value(series));
        break;
    case HISTOGRAM:
        print_histogram(out, series);
        break;
    }
}

static void print_head(struct buf *out, const char *name, const char *kind, const char *help)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind);
}

// Memory in use by this process, or -1.
static int64_t resident_bytes(void)
{
    char text[128] = "";
    uint64_t pages = 0;
    struct view rest, word;
    FILE *file = fopen("/proc/self/statm", "r"); // all pages, resident pages, ...
    if (!file) {
        return -1;
    }
    rest = view_of(fgets(text, sizeof text, file));
    fclose(file);
    for (int i = 0; i < 2; i++) {
        if (!view_next_word(&rest, &word)) {
            return -1;
        }
    }
    if (!view_parse_u64(word, &pages)) {
        return -1;
    }
    return (int64_t)pages * sysconf(_SC_PAGESIZE);
}

static void print_process(struct buf *out)
{
    struct rusage usage;
    int64_t resident = resident_bytes();
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        print_head(out, "process_cpu_seconds_total", "counter", "CPU time used");
        buf_printf(out, "process_cpu_seconds_total %.6f\n", seconds);
    }
    if (resident >= 0) {
        print_head(out, "process_resident_memory_bytes", "gauge", "Memory in use");
        buf_printf(out, "process_resident_memory_bytes %lld\n", (long long)resident);
    }
}

void metrics_print(struct metrics *metrics, struct buf *out)
{
    pthread_mutex_lock(&metrics->lock);
    for (int i = 0; i < METRIC_COUNT; i++) {
        const struct series *series = metrics->first[i];
        if (series) {
            print_head(out, families[i].name, kind_names[families[i].kind], families[i].help);
        }
        for (; series; series = series->next) {
            print_series(out, series);
        }
    }
    pthread_mutex_unlock(&metrics->lock);
    print_process(out);
}
