// The measured part of a run, the same for copydesk and its peers, and what is printed of it.
//
//     start .. warm-up .. | opens .. the window .. closes | .. what is under way ends
//
// The load is full from the start until the window has closed, so neither the start of processes nor an ebbing end is in the
// figures. What counts as delivered is up to the caller: a number that only grows.
#ifndef COPYDESK_WINDOW_H
#define COPYDESK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct window_config {
    const char *prefix; // of the names that are printed
    uint64_t articles;  // the window closes when so many were delivered in it
    uint64_t full_ms;   // and so much time has passed
    uint64_t warm_ms;   // after the first article was sent
    uint64_t limit_ms; // the longest window, for peers that are slow; it closes with fewer articles
    pid_t broker;      // its CPU and memory, all threads
    const pid_t *clients; // their CPU
    size_t client_count;
    const _Atomic uint64_t *delivered;
};

struct window_mark {
    int64_t us;
    uint64_t delivered;
    double broker_cpu_s, clients_cpu_s;
    double machine_cpu_s; // of everything that runs, the kernel's own threads included
};

struct window {
    struct window_mark opened, closed;
    double peak_mib; // of the broker since its start
};

// Waits for the warm-up and the window. False when nothing was delivered in it or a process is gone; a sentence on stderr.
bool window_measure(struct window *window, const struct window_config *config);

// Prints `PREFIX.articles_per_s` and what else is known after a full load.
void window_print(const struct window *window, const struct window_config *config);

// Prints `PREFIX.p50_ms` and `PREFIX.p99_ms` of `count` latencies, which are sorted on the way.
void window_print_latency(const char *prefix, uint32_t *latency_us, size_t count);

// Waits until `*value` is at least `least`. False when that took longer than `limit_ms`.
bool window_wait(const _Atomic uint64_t *value, uint64_t least, uint64_t limit_ms);

// An option of a measuring program: a text or a number.
struct window_option {
    const char *name;
    const char **text;
    uint64_t *number;
};

// Reads `--name value` pairs. False, with a sentence on stderr, when one is unknown or not a number.
bool window_read_options(const struct window_option *options, size_t count, int argc, char **argv);

#endif
