#include "services/ask.h"

#include "common/clock.h"
#include "services/contact.h"
#include "services/door.h"

#include <unistd.h>

enum { TICK_MS = 100 };

struct ask {
    uv_loop_t loop;
    uv_timer_t timer;
    struct door *door;
    struct session session;
    struct view command, document;
    struct buf *out;
    int64_t until_ms;
    bool asked, answered, failed;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static void take_answer(struct ask *ask, const struct wire_message *message)
{
    struct wire_walk walk = {.message = message};
    struct wire_section section;
    const uint8_t *bytes;
    if (wire_next_item(&walk) && wire_next_section(&walk, &section, &bytes)) {
        buf_add(ask->out, (struct view){(const char *)bytes, section.bytes});
        ask->answered = true;
    }
}

static void on_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct ask *ask = user;
    struct wire_message message;
    (void)peer;
    enum session_event event = session_message(&ask->session, now_ms(), envelope, body, &message);
    if (event == SESSION_MESSAGE && message.header.type == WIRE_ANSWER) {
        take_answer(ask, &message);
    }
}

static void on_link(void *user, bool up)
{
    struct ask *ask = user;
    session_link(&ask->session, now_ms(), up);
    ask->asked = false;
}

static void send_frames(struct ask *ask, struct frames *frames)
{
    if (door_send(ask->door, 0, frames) != OK) {
        on_link(ask, false);
    }
}

static void send_question(struct ask *ask)
{
    struct frames frames;
    message_begin(&ask->session.out, WIRE_ASK, WIRE_NO_STAGE);
    message_field(&ask->session.out, WIRE_TAG_COMMAND, ask->command);
    if (ask->document.len > 0) {
        message_item(&ask->session.out, &(struct wire_item){0}, VIEW(""));
        message_section(&ask->session.out, WIRE_DOCUMENT, ask->document);
    }
    ask->asked = true;
    if (session_finish(&ask->session, now_ms(), &frames)) {
        send_frames(ask, &frames);
    }
}

static void send_goodbye(struct ask *ask)
{
    struct frames frames;
    message_begin(&ask->session.out, WIRE_GOODBYE, WIRE_NO_STAGE);
    if (session_finish(&ask->session, now_ms(), &frames)) {
        send_frames(ask, &frames);
    }
}

static void perform(struct ask *ask)
{
    struct frames frames;
    struct error why;
    enum session_action action;
    while ((action = session_next(&ask->session, now_ms(), &frames)) != SESSION_WAIT) {
        if (action == SESSION_SEND) {
            send_frames(ask, &frames);
        } else if (door_reopen(ask->door, &why) != OK) {
            ask->failed = true;
            return;
        }
    }
    if (ask->session.state == SESSION_UP && !ask->asked) {
        send_question(ask);
    }
}

static void on_turn(void *user)
{
    struct ask *ask = user;
    perform(ask);
    if (ask->answered || ask->failed || ask->session.state == SESSION_REFUSED ||
        now_ms() >= ask->until_ms) {
        uv_stop(&ask->loop);
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct ask *ask = timer->data;
    door_touch(ask->door);
}

static enum status exchange(struct ask *ask, const char *address, struct error *why)
{
    const struct door_config config = {.loop = &ask->loop,
                                       .endpoints = &address,
                                       .endpoint_count = 1,
                                       .flag = "--broker",
                                       .user = ask,
                                       .on_message = on_message,
                                       .on_turn = on_turn,
                                       .on_link = on_link};
    enum status status = door_open(&ask->door, &config, why);
    if (status != OK) {
        return status;
    }
    uv_timer_init(&ask->loop, &ask->timer);
    ask->timer.data = ask;
    uv_timer_start(&ask->timer, on_timer, TICK_MS, TICK_MS);
    uv_run(&ask->loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&ask->timer, NULL);
    if (!ask->answered) {
        struct error reason;
        contact_explain(address, &ask->session, &reason);
        return error_set(
            why, ERR_UNREACHABLE,
            "no answer from %.400s. Is the broker up? copydesk up starts one; --broker "
            "names another",
            reason.text);
    }
    send_goodbye(ask);
    return !ask->out->full ? OK : error_set(why, ERR_LIMIT, "the answer is too large");
}

// Asks what stands in `ask` already.
static enum status ask_it(struct ask *ask, const char *address, struct error *why)
{
    const struct session_config config = {.role = WIRE_OPERATOR,
                                          .name = "operator",
                                          .software = "copydesk " COPYDESK_VERSION,
                                          .seed = (uint64_t)getpid()};
    uv_loop_init(&ask->loop);
    session_init(&ask->session, &config, now_ms());
    enum status status = exchange(ask, address, why);
    door_close(ask->door);
    uv_run(&ask->loop, UV_RUN_DEFAULT);
    uv_loop_close(&ask->loop);
    session_clear(&ask->session);
    return status;
}

enum status ask_broker_within(const char *address, struct view command, int64_t wait_ms,
                              struct buf *out, struct error *why)
{
    struct ask ask = {.command = command, .out = out, .until_ms = now_ms() + wait_ms};
    return ask_it(&ask, address, why);
}

enum status ask_broker_about(const char *address, struct view command, struct view document,
                             struct buf *out, struct error *why)
{
    struct ask ask = {
        .command = command, .document = document, .out = out, .until_ms = now_ms() + ASK_WAIT_MS};
    return ask_it(&ask, address, why);
}

enum status ask_broker(const char *address, struct view command, struct buf *out, struct error *why)
{
    return ask_broker_within(address, command, ASK_WAIT_MS, out, why);
}
