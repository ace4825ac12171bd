#include "services/worker_line.h"

#include "common/clock.h"
#include "services/contact.h"

#include <stdio.h>
#include <stdlib.h>

enum { TICK_MS = 1000 }; // at least so often the loop shows that it lives

struct worker_line {
    struct worker_line_config config;
    struct worker_core core;
    struct door *door;
    uv_timer_t timer;
    struct contact contact;
    char purpose[64];
    bool stopped, closed;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static void reopen(struct worker_line *line)
{
    struct error why = {""};
    if (door_reopen(line->door, &why) != OK) {
        session_fail(&line->core.session, now_ms(), "%s", why.text);
    }
}

static void stop(struct worker_line *line)
{
    const struct session *session = &line->core.session;
    enum status status = OK;
    line->stopped = true;
    if (session->state == SESSION_REFUSED) {
        log_error(line->config.log, "the broker at %s refuses us: %s", line->config.broker,
                  session->why.text);
        status = session->refusal == WIRE_ERROR_VERSION ? ERR_VERSION : ERR_CONFIG;
    }
    line->config.on_stopped(line->config.user, status);
}

// Does what the core asks for, until there is nothing left.
static void perform(struct worker_line *line)
{
    struct worker_action action;
    while (!line->stopped) {
        switch (worker_core_next(&line->core, now_ms(), &action)) {
        case WORKER_SEND:
            if (door_send(line->door, 0, &action.frames) != OK) {
                worker_core_link(&line->core, now_ms(), false);
            }
            break;
        case WORKER_RECONNECT:
            reopen(line);
            break;
        case WORKER_RUN:
            line->config.on_run(line->config.user, action.article);
            break;
        case WORKER_STOPPED:
            stop(line);
            return;
        case WORKER_WAIT:
            return;
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct worker_line *line = timer->data;
    door_touch(line->door);
}

static void turn(void *user)
{
    struct worker_line *line = user;
    if (line->stopped || line->closed) {
        return;
    }
    if (line->config.on_turn) {
        line->config.on_turn(line->config.user);
    }
    perform(line);
    if (line->stopped || line->closed) {
        return;
    }
    ops_tick(line->config.ops);
    contact_tell(&line->contact, &line->core.session, now_ms());
    int64_t wait_ms = worker_core_deadline(&line->core) - now_ms();
    wait_ms = wait_ms < 1 ? 1 : wait_ms > TICK_MS ? TICK_MS : wait_ms;
    uv_timer_start(&line->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void on_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct worker_line *line = user;
    (void)peer;
    worker_core_message(&line->core, now_ms(), envelope, body);
}

static void on_link(void *user, bool up)
{
    struct worker_line *line = user;
    worker_core_link(&line->core, now_ms(), up);
}

enum status worker_line_open(struct worker_line **out, const struct worker_line_config *config,
                             struct error *why)
{
    struct worker_line *line = calloc(1, sizeof *line);
    if (!line) {
        return error_set(why, ERR_MEMORY, "no memory for a connection");
    }
    line->config = *config;
    const struct door_config door = {.loop = config->loop,
                                     .endpoints = &config->broker,
                                     .endpoint_count = 1,
                                     .flag = "--broker",
                                     .user = line,
                                     .on_message = on_message,
                                     .on_turn = turn,
                                     .on_link = on_link};
    enum status status = door_open(&line->door, &door, why);
    if (status != OK) {
        free(line);
        return status;
    }
    worker_core_init(&line->core, &config->worker, now_ms());
    snprintf(line->purpose, sizeof line->purpose, "serving %s", config->worker.stage);
    line->contact = (struct contact){
        .log = config->log, .ops = config->ops, .broker = config->broker, .purpose = line->purpose};
    ops_condition(config->ops, "broker", "not connected yet");
    uv_timer_init(config->loop, &line->timer);
    line->timer.data = line;
    uv_timer_start(&line->timer, on_timer, 1, 0);
    *out = line;
    return OK;
}

static void timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void worker_line_close(struct worker_line *line)
{
    if (!line || line->closed) {
        return;
    }
    line->closed = true;
    door_close(line->door);
    worker_core_clear(&line->core);
    uv_close((uv_handle_t *)&line->timer, timer_closed);
}

void worker_line_finished(struct worker_line *line, struct worker_article *article)
{
    worker_core_finished(&line->core, now_ms(), article);
}

void worker_line_pace(struct worker_line *line, struct worker_pace pace)
{
    worker_core_pace(&line->core, pace);
}

void worker_line_drain(struct worker_line *line)
{
    worker_core_drain(&line->core, now_ms());
    door_touch(line->door);
}

void worker_line_touch(struct worker_line *line)
{
    door_touch(line->door);
}

void worker_line_wake(struct worker_line *line)
{
    door_wake(line->door);
}

const struct worker_core *worker_line_core(const struct worker_line *line)
{
    return &line->core;
}
