#include "tests/bench/load.h"

#include "common/clock.h"
#include "services/client_core.h"
#include "services/door.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct client {
    uv_loop_t loop;
    struct door *door;
    struct client_core core;
    uv_timer_t timer;
    uv_poll_t
        clock; // with a rate: rings when an article is due; the loop's timers know milliseconds only
    int clock_file;
    const struct load_options *options;
    struct load_shared *shared;
    char *document;
    int64_t start_us;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static bool is_flash(const struct client *client, uint64_t number)
{
    return client->options->flash > 0 && number % client->options->flash == 0;
}

// With a rate the deadline carries the time at which the article was due, moved so far into the future that it never acts as
// one: a client that comes late counts its own lateness. An urgent article under full load is due now.
static bool put_one(struct client *client)
{
    char id[32];
    struct error why;
    uint64_t number = client->shared->put + 1;
    int len = snprintf(id, sizeof id, "article-%" PRIu64, number);
    struct client_article article = {.id = {id, (size_t)len},
                                     .document = {client->document, client->options->size},
                                     .version = number,
                                     .lane = is_flash(client, number) ? WIRE_FLASH : WIRE_ROUTINE,
                                     .tag = number};
    if (client->options->rate > 0) {
        article.deadline_ms = client->start_us +
                              (int64_t)((number - 1) * 1000000 / client->options->rate) +
                              ((int64_t)1 << 50);
    } else if (is_flash(client, number)) {
        article.deadline_ms = clock_monotonic_us() + ((int64_t)1 << 50);
    }
    if (client_core_put(&client->core, now_ms(), &article, &why) != OK) {
        return false;
    }
    client->shared->put = number;
    return true;
}

// How many articles may have been put by now.
static uint64_t due(const struct client *client)
{
    if (client->shared->closing) {
        return 0;
    }
    if (client->options->rate > 0) {
        int64_t us = clock_monotonic_us() - client->start_us;
        return (uint64_t)us * client->options->rate / 1000000 + 1;
    }
    return client->shared->delivered + client->options->backlog + LOAD_UNDER_WAY;
}

static void client_clock(uv_poll_t *clock, int status, int events);

static void start_clock(struct client *client)
{
    long period_ns = (long)(1000000000 / client->options->rate);
    struct itimerspec every = {{0, period_ns % 1000000000}, {0, 1}};
    every.it_interval.tv_sec = period_ns / 1000000000;
    client->clock_file = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (client->clock_file < 0 || timerfd_settime(client->clock_file, 0, &every, NULL) != 0 ||
        uv_poll_init(&client->loop, &client->clock, client->clock_file) != 0) {
        perror("timerfd");
        exit(1);
    }
    client->clock.data = client;
    uv_poll_start(&client->clock, UV_READABLE, client_clock);
}

static void begin(struct client *client)
{
    client->start_us = clock_monotonic_us();
    client->shared->started = 1;
    if (client->options->rate > 0) {
        start_clock(client);
    }
}

static void note_outcome(struct client *client, const struct client_outcome *outcome)
{
    if (outcome->outcome != WIRE_ACCEPTED) {
        fprintf(stderr, "article %" PRIu64 ": %s\n", outcome->tag,
                wire_outcome_name(outcome->outcome));
    }
    client->shared->accepted++;
}

static void client_turn(void *user)
{
    struct client *client = user;
    struct client_action action;
    struct error why;
    bool is_up = client->core.session.state == SESSION_UP;
    if (client->start_us == 0 && is_up) {
        begin(client);
    }
    for (;;) {
        while (is_up && client->shared->put < due(client) && put_one(client)) {
        }
        switch (client_core_next(&client->core, now_ms(), &action)) {
        case CLIENT_OUTCOME:
            note_outcome(client, &action.outcome);
            break;
        case CLIENT_SEND:
            if (door_send(client->door, 0, &action.frames) != OK) {
                client_core_link(&client->core, now_ms(), false);
            }
            break;
        case CLIENT_RECONNECT:
            if (door_reopen(client->door, &why) != OK) {
                exit(1);
            }
            break;
        case CLIENT_WAIT:
        case CLIENT_STOPPED:
            return;
        }
    }
}

static void client_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct client *client = user;
    (void)peer;
    client_core_message(&client->core, now_ms(), envelope, body);
}

static void client_link(void *user, bool up)
{
    struct client *client = user;
    client_core_link(&client->core, now_ms(), up);
}

static void client_timer(uv_timer_t *timer)
{
    struct client *client = timer->data;
    client_turn(client);
    if (client->shared->closing) {
        client->shared->ended = 1;
    }
}

static void client_clock(uv_poll_t *clock, int status, int events)
{
    struct client *client = clock->data;
    uint64_t rings;
    (void)status;
    (void)events;
    if (read(client->clock_file, &rings, sizeof rings) == (ssize_t)sizeof rings) {
        client_turn(client);
    }
}

void load_run_client(const struct load_options *options, struct load_shared *shared)
{
    struct client client = {.options = options, .shared = shared};
    struct error why = {""};
    struct client_config config = {.name = "client",
                                   .article_limit = 4096,
                                   .bytes_limit = 64 << 20,
                                   .seed = 1,
                                   .patience_ms = CLIENT_PATIENCE_MS};
    struct door_config door = {.loop = &client.loop,
                               .endpoints = &options->endpoint,
                               .endpoint_count = 1,
                               .flag = "",
                               .user = &client,
                               .on_message = client_message,
                               .on_turn = client_turn,
                               .on_link = client_link};
    client.document = malloc(options->size);
    if (!client.document) {
        exit(1);
    }
    memset(client.document, 'x', options->size);
    uv_loop_init(&client.loop);
    if (client_core_init(&client.core, &config, now_ms()) != OK ||
        door_open(&client.door, &door, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    uv_timer_init(&client.loop, &client.timer);
    client.timer.data = &client;
    uv_timer_start(&client.timer, client_timer, 1, options->rate > 0 ? 20 : 1);
    uv_run(&client.loop, UV_RUN_DEFAULT);
    exit(0);
}
