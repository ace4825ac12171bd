#include "services/session.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    GREETING_LIMIT_MS = 5000, // without WELCOME: the broker is stuck, or it is no broker
    BACKOFF_MS = 100,
    BACKOFF_LIMIT_MS = 5000,
    STEADY_MS = 5000, // up for so long, the pauses start small again
    // What a WELCOME may ask for; anything else is taken as the nearest of these.
    HEARTBEAT_LEAST_MS = 10,
    HEARTBEAT_MOST_MS = 60000,
    HEARTBEAT_DEFAULT_MS = 1000,
    LEASE_DEFAULT_MS = 10000,
};

void session_init(struct session *session, const struct session_config *config, int64_t now_ms)
{
    *session = (struct session){.config = *config,
                                .state = SESSION_DOWN,
                                .stage = WIRE_NO_STAGE,
                                .heartbeat_ms = HEARTBEAT_DEFAULT_MS,
                                .lease_ms = LEASE_DEFAULT_MS,
                                .since_ms = now_ms,
                                .random = config->seed | 1};
    message_init(&session->out);
    error_set(&session->why, ERR_UNREACHABLE, "not connected yet");
}

void session_clear(struct session *session)
{
    message_clear(&session->out);
}

// xorshift64*
static uint64_t random_next(struct session *session)
{
    uint64_t x = session->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    session->random = x;
    return x * 0x2545f4914f6cdd1du;
}

int64_t session_backoff_ms(struct session *session, uint32_t tries)
{
    int64_t pause_ms = (int64_t)BACKOFF_MS << (tries < 6 ? tries : 6);
    pause_ms = pause_ms > BACKOFF_LIMIT_MS ? BACKOFF_LIMIT_MS : pause_ms;
    int64_t half = pause_ms / 2;
    return half + (int64_t)(random_next(session) % (uint64_t)(half + 1));
}

static void greet(struct session *session, int64_t now_ms)
{
    session->state = SESSION_GREETING;
    session->hello_due = true;
    session->heard_ms = now_ms;
}

// What was under way belongs to the past from here on.
static void leave(struct session *session, int64_t now_ms, enum session_state state)
{
    if (session->state == SESSION_UP) {
        session->since_ms = now_ms;
    }
    session->epoch++;
    session->state = state;
    session->hello_due = false;
}

static void pause_then_reconnect(struct session *session, int64_t now_ms)
{
    if (session->state == SESSION_UP && now_ms - session->since_ms >= STEADY_MS) {
        session->tries = 0;
    }
    leave(session, now_ms, SESSION_PAUSING);
    session->retry_ms = now_ms + session_backoff_ms(session, session->tries++);
}

void session_fail(struct session *session, int64_t now_ms, const char *why, ...)
{
    va_list arguments;
    va_start(arguments, why);
    vsnprintf(session->why.text, sizeof session->why.text, why, arguments);
    va_end(arguments);
    pause_then_reconnect(session, now_ms);
}

void session_link(struct session *session, int64_t now_ms, bool up)
{
    if (up) {
        if (session->state == SESSION_DOWN) {
            greet(session, now_ms);
        }
        return;
    }
    if (session->state == SESSION_UP || session->state == SESSION_GREETING) {
        leave(session, now_ms, SESSION_DOWN);
        error_set(&session->why, ERR_UNREACHABLE, "the connection broke");
    }
}

static uint32_t clamp(uint32_t value, uint32_t least, uint32_t most)
{
    return value < least ? least : value > most ? most : value;
}

static void come_up(struct session *session, int64_t now_ms, const struct wire_message *welcome)
{
    struct view names = message_text(welcome, WIRE_TAG_STAGES);
    uint32_t heartbeat_ms = wire_field_u32(welcome, WIRE_TAG_HEARTBEAT, HEARTBEAT_DEFAULT_MS);
    uint32_t lease_ms = wire_field_u32(welcome, WIRE_TAG_LEASE, LEASE_DEFAULT_MS);
    session->heartbeat_ms = clamp(heartbeat_ms, HEARTBEAT_LEAST_MS, HEARTBEAT_MOST_MS);
    session->lease_ms = clamp(lease_ms, session->heartbeat_ms * 2, UINT32_MAX);
    session->run = wire_field_u64(welcome, WIRE_TAG_SESSION, 0);
    session->stage = welcome->header.stage;
    snprintf(session->stages, sizeof session->stages, "%.*s", VIEW_ARGS(names));
    snprintf(session->along, sizeof session->along, "%.*s",
             VIEW_ARGS(message_text(welcome, WIRE_TAG_ALONG)));
    session->state = SESSION_UP;
    session->since_ms = now_ms;
    session->why.text[0] = '\0';
}

static void refuse(struct session *session, int64_t now_ms, enum wire_error code)
{
    leave(session, now_ms, SESSION_REFUSED);
    session->refusal = code;
}

static void told_error(struct session *session, int64_t now_ms, const struct wire_message *message)
{
    uint32_t code = wire_field_u32(message, WIRE_TAG_CODE, 0);
    struct view sentence = message_text(message, WIRE_TAG_SENTENCE);
    if (code == WIRE_ERROR_UNKNOWN) {
        // The first of several, one for each message under way, is the news; the rest find us greeting.
        if (session->state == SESSION_UP) {
            error_set(&session->why, ERR_UNREACHABLE, "the broker does not know us: %.*s",
                      VIEW_ARGS(sentence));
            leave(session, now_ms, SESSION_GREETING);
            greet(session, now_ms);
        }
        return;
    }
    error_set(&session->why, ERR_UNREACHABLE, "%.*s", VIEW_ARGS(sentence));
    if (code == WIRE_ERROR_VERSION || code == WIRE_ERROR_STAGE || code == WIRE_ERROR_ROLE) {
        refuse(session, now_ms, (enum wire_error)code);
    } else {
        pause_then_reconnect(session, now_ms);
    }
}

static void told_nonsense(struct session *session, int64_t now_ms, enum wire_fault fault,
                          const struct wire_message *message)
{
    if (fault == WIRE_FAULT_MAJOR) {
        error_set(&session->why, ERR_VERSION,
                  "the broker speaks protocol %u, this program %u: upgrade the older one",
                  message->header.minor, (unsigned)WIRE_MAJOR);
        refuse(session, now_ms, WIRE_ERROR_VERSION);
    } else {
        session_fail(session, now_ms, "the broker's message could not be read: %s",
                     wire_fault_text(fault));
    }
}

enum session_event session_message(struct session *session, int64_t now_ms, struct view envelope,
                                   struct view body, struct wire_message *parsed)
{
    if (session->state != SESSION_UP && session->state != SESSION_GREETING) {
        return SESSION_NOTHING; // of a connection that was given up
    }
    enum wire_fault fault = wire_parse(parsed, envelope.at, envelope.len, body.at, body.len);
    if (fault != WIRE_OK) {
        told_nonsense(session, now_ms, fault, parsed);
        return SESSION_NOTHING;
    }
    unsigned type = parsed->header.type;
    if (type == WIRE_ERROR) {
        told_error(session, now_ms, parsed);
        return SESSION_NOTHING;
    }
    if (session->state == SESSION_GREETING) {
        if (type == WIRE_GOODBYE && !session->hello_due) {
            session_fail(session, now_ms, "the broker is leaving");
        }
        // Whatever else was sent to our earlier self.
        if (type != WIRE_WELCOME || session->hello_due) {
            return SESSION_NOTHING;
        }
        session->heard_ms = now_ms;
        come_up(session, now_ms, parsed);
        return SESSION_WELCOMED;
    }
    session->heard_ms = now_ms;
    // A worker answers for what it holds before it ends the session itself.
    if (type == WIRE_GOODBYE && session->config.role != WIRE_WORKER) {
        session_fail(session, now_ms, "the broker is leaving");
        return SESSION_NOTHING;
    }
    return type == WIRE_HEARTBEAT || type == WIRE_WELCOME ? SESSION_NOTHING : SESSION_MESSAGE;
}

bool session_finish(struct session *session, int64_t now_ms, struct frames *frames)
{
    session->sent_ms = now_ms;
    return message_finish(&session->out, ++session->number, frames);
}

static void field_text(struct session *session, enum wire_tag tag, const char *text)
{
    if (text) {
        message_field(&session->out, tag, view_of(text));
    }
}

static bool build_hello(struct session *session, int64_t now_ms, struct frames *frames)
{
    const struct session_config *config = &session->config;
    message_begin(&session->out, WIRE_HELLO, WIRE_NO_STAGE);
    session->out.header.role = (uint8_t)config->role;
    session->out.header.credit_count = config->credit_count;
    session->out.header.credit_bytes = config->credit_bytes;
    field_text(session, WIRE_TAG_NAME, config->name);
    field_text(session, WIRE_TAG_SOFTWARE, config->software);
    field_text(session, WIRE_TAG_STAGE, config->stage);
    field_text(session, WIRE_TAG_STAGE_VERSION, config->stage_version);
    field_text(session, WIRE_TAG_ALONG, config->along);
    if (config->patience_ms > 0) {
        message_field_u32(&session->out, WIRE_TAG_PATIENCE, config->patience_ms);
    }
    return session_finish(session, now_ms, frames);
}

static void notice_silence(struct session *session, int64_t now_ms)
{
    int64_t silent_ms = now_ms - session->heard_ms;
    if (session->state == SESSION_UP && silent_ms >= (int64_t)session->lease_ms) {
        session_fail(session, now_ms, "no word from the broker for %.1f s",
                     (double)silent_ms / 1000);
    } else if (session->state == SESSION_GREETING && !session->hello_due &&
               silent_ms >= GREETING_LIMIT_MS) {
        session_fail(session, now_ms, "connected, but no answer to our greeting for %.1f s",
                     (double)silent_ms / 1000);
    }
}

enum session_action session_next(struct session *session, int64_t now_ms, struct frames *frames)
{
    notice_silence(session, now_ms);
    if (session->state == SESSION_PAUSING && now_ms >= session->retry_ms) {
        session->state = SESSION_DOWN;
        return SESSION_RECONNECT;
    }
    if (session->state == SESSION_GREETING && session->hello_due) {
        session->hello_due = false;
        session->heard_ms = now_ms;
        return build_hello(session, now_ms, frames) ? SESSION_SEND : SESSION_WAIT;
    }
    if (session->state == SESSION_UP && now_ms - session->sent_ms >= session->heartbeat_ms) {
        message_begin(&session->out, WIRE_HEARTBEAT, session->stage);
        return session_finish(session, now_ms, frames) ? SESSION_SEND : SESSION_WAIT;
    }
    return SESSION_WAIT;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t session_deadline(const struct session *session)
{
    switch (session->state) {
    case SESSION_PAUSING:
        return session->retry_ms;
    case SESSION_GREETING:
        return session->hello_due ? 0 : session->heard_ms + GREETING_LIMIT_MS;
    case SESSION_UP:
        return earlier(session->sent_ms + session->heartbeat_ms,
                       session->heard_ms + session->lease_ms);
    default:
        return INT64_MAX;
    }
}
