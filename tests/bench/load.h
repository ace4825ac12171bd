// The load of bench_broker: no-op workers, a sink that counts and a client, each a process that runs the very runtimes of
// production. Each of the functions below is the whole life of one process.
#ifndef COPYDESK_LOAD_H
#define COPYDESK_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LOAD_ARTICLE_LIMIT = 1 << 22, LOAD_UNDER_WAY = 4096 };

struct load_options {
    const char *program, *endpoint, *folder, *prefix, *graph;
    uint64_t articles, size, text, rate, seconds, full_ms, warm_ms, limit_ms;
    uint64_t stages, workers, backlog;
    uint64_t flash; // every so many articles one is urgent; 0: none
};

// What the processes share, all zero at first.
struct load_shared {
    _Atomic uint64_t started; // 1 when the client has a session
    _Atomic uint64_t put, accepted, delivered, doubles;
    _Atomic bool closing;   // the client shall put no more
    _Atomic uint64_t ended; // 1 when it does not
    _Atomic uint32_t
        latency_us[LOAD_ARTICLE_LIMIT]; // by article; 0: not delivered, 1: not measured
};

// Serves `stage` with sections of `answer_bytes`, or counts articles when it is the sink.
__attribute__((noreturn)) void load_run_worker(const struct load_options *options,
                                               struct load_shared *shared, const char *stage,
                                               size_t answer_bytes, bool is_sink);

// Hands in articles: at the rate, or as fast as they go with LOAD_UNDER_WAY more than the backlog under way.
__attribute__((noreturn)) void load_run_client(const struct load_options *options,
                                               struct load_shared *shared);

#endif
