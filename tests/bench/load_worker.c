#include "tests/bench/load.h"

#include "common/clock.h"
#include "services/door.h"
#include "services/worker_core.h"

#include <stdio.h>
#include <stdlib.h>

struct noop {
    uv_loop_t loop;
    struct door *door;
    struct worker_core core;
    uv_timer_t timer;
    struct load_shared *shared;
    size_t answer_bytes;
    bool is_sink;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

// The article's number is its version, and the deadline tells when it was due (load_client.c).
static void deliver(struct load_shared *shared, const struct wire_item *item)
{
    int64_t latency_us = 1; // not measured
    if (item->version >= LOAD_ARTICLE_LIMIT) {
        shared->delivered++;
        return;
    }
    if (item->deadline_ms > 0) {
        latency_us = clock_monotonic_us() - (item->deadline_ms - ((int64_t)1 << 50));
    }
    if (shared->latency_us[item->version] != 0) {
        shared->doubles++;
        return;
    }
    shared->latency_us[item->version] = (uint32_t)latency_us;
    shared->delivered++;
}

static void finish(struct noop *noop, struct worker_article *article)
{
    article->outcome = WIRE_DONE;
    if (noop->is_sink) {
        deliver(noop->shared, &article->item);
    } else {
        article->result = malloc(noop->answer_bytes);
        if (!article->result) {
            exit(1);
        }
        article->result_len = noop->answer_bytes;
        memset(article->result, 'x', noop->answer_bytes);
    }
    worker_core_finished(&noop->core, now_ms(), article);
}

static void noop_perform(struct noop *noop)
{
    struct worker_action action;
    struct error why;
    for (;;) {
        switch (worker_core_next(&noop->core, now_ms(), &action)) {
        case WORKER_RUN:
            finish(noop, action.article);
            break;
        case WORKER_SEND:
            if (door_send(noop->door, 0, &action.frames) != OK) {
                worker_core_link(&noop->core, now_ms(), false);
            }
            break;
        case WORKER_RECONNECT:
            if (door_reopen(noop->door, &why) != OK) {
                exit(1);
            }
            break;
        case WORKER_WAIT:
        case WORKER_STOPPED:
            return;
        }
    }
}

static void noop_timer(uv_timer_t *timer);

static void noop_turn(void *user)
{
    struct noop *noop = user;
    noop_perform(noop);
    int64_t wait_ms = worker_core_deadline(&noop->core) - now_ms();
    wait_ms = wait_ms < 1 ? 1 : wait_ms > 500 ? 500 : wait_ms;
    uv_timer_start(&noop->timer, noop_timer, (uint64_t)wait_ms, 0);
}

static void noop_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct noop *noop = user;
    (void)peer;
    worker_core_message(&noop->core, now_ms(), envelope, body);
}

static void noop_link(void *user, bool up)
{
    struct noop *noop = user;
    worker_core_link(&noop->core, now_ms(), up);
}

static void noop_timer(uv_timer_t *timer)
{
    noop_turn(timer->data);
}

void load_run_worker(const struct load_options *options, struct load_shared *shared,
                     const char *stage, size_t answer_bytes, bool is_sink)
{
    struct noop noop = {.shared = shared, .answer_bytes = answer_bytes, .is_sink = is_sink};
    struct error why = {""};
    struct worker_config config = {.name = stage,
                                   .stage = stage,
                                   .stage_version = "1",
                                   .slots = 256,
                                   .credit_count = 256,
                                   .credit_bytes = 4 << 20,
                                   .seed = 1,
                                   .gather_ms = is_sink ? WORKER_SINK_GATHER_MS : 0};
    struct door_config door = {.loop = &noop.loop,
                               .endpoints = &options->endpoint,
                               .endpoint_count = 1,
                               .flag = "",
                               .user = &noop,
                               .on_message = noop_message,
                               .on_turn = noop_turn,
                               .on_link = noop_link};
    uv_loop_init(&noop.loop);
    worker_core_init(&noop.core, &config, now_ms());
    if (door_open(&noop.door, &door, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    uv_timer_init(&noop.loop, &noop.timer);
    noop.timer.data = &noop;
    uv_timer_start(&noop.timer, noop_timer, 100, 0);
    uv_run(&noop.loop, UV_RUN_DEFAULT);
    exit(0);
}
