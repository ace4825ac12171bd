// How a worker, client or operator keeps in touch with the broker: HELLO and WELCOME, heartbeats,
// noticing silence, starting again with growing pauses. Shared by worker_core and client_core.
//
// Pure: no sockets, threads or clocks. Events go in (the link, a message, the time), and session_next says what is to be
// done. Times are monotonic milliseconds of the caller's choice. The simulator drives this very code.
//
//     DOWN ──link──▶ GREETING ──WELCOME──▶ UP
//      ▲                │ no answer          │ silence, GOODBYE, ERROR
//      └──RECONNECT── PAUSING ◀──────────────┘            REFUSED: told never to come again
//
// The **epoch** counts the times the session was lost. What belongs to an earlier epoch (work taken, results not sent, messages not
// acknowledged) is not the broker's business any more: owners compare and start over.
#ifndef COPYDESK_SESSION_H
#define COPYDESK_SESSION_H

#include "common/status.h"
#include "services/message.h"

enum session_state {
    SESSION_DOWN,     // no connection
    SESSION_PAUSING,  // until `retry_ms`, then a new socket
    SESSION_GREETING, // HELLO goes out, WELCOME is awaited
    SESSION_UP,
    SESSION_REFUSED, // for good; `why` has the broker's sentence
};

struct session_config {
    enum wire_role role;
    const char *name;                  // for people; borrowed, as all strings here
    const char *software;              // "copydesk 0.1.0"
    const char *stage, *stage_version; // workers only, else NULL
    const char *along;                 // names of stages a worker runs along with its own, or NULL
    uint32_t patience_ms;              // a client's, with its outcomes; 0: it has none
    uint32_t credit_count;             // a worker's first grant, else 0
    uint64_t credit_bytes;
    uint64_t seed; // of the jitter
};

struct session {
    struct session_config config;
    enum session_state state;
    struct message out; // every message of this session is built here
    uint64_t number;    // messages sent so far
    uint64_t epoch;
    uint64_t run;      // the broker's SESSION number; 0 before the first WELCOME
    uint16_t stage;    // our number, from WELCOME
    char stages[1024]; // names of all stages, from WELCOME
    char along[1024];  // and of those that may be run along
    uint32_t heartbeat_ms, lease_ms;
    int64_t heard_ms, sent_ms; // last sign of life, last message sent
    int64_t retry_ms;
    int64_t since_ms; // when this state of being up, or of not being up, began
    uint32_t tries;   // failures since it was last up
    uint64_t random;
    bool hello_due;
    enum wire_error refusal;
    struct error why; // why it is not up
};

// Starts with the link down; frees what it holds.
void session_init(struct session *session, const struct session_config *config, int64_t now_ms);
void session_clear(struct session *session);

// The socket got or lost its connection. A send that failed counts as lost.
void session_link(struct session *session, int64_t now_ms, bool up);

enum session_event {
    SESSION_NOTHING,  // dealt with
    SESSION_WELCOMED, // just came up; `*parsed` is the WELCOME
    SESSION_MESSAGE, // came while up and is the owner's business: `*parsed`, borrowed from the frames; a worker's is
                     // GOODBYE too
};

// A message came.
enum session_event session_message(struct session *session, int64_t now_ms, struct view envelope,
                                   struct view body, struct wire_message *parsed);

enum session_action {
    SESSION_WAIT,      // nothing before session_deadline
    SESSION_SEND,      // send `*frames`; they are the caller's
    SESSION_RECONNECT, // give up the socket, connect a new one, then tell session_link
};

// What is to be done now; call until it says WAIT. `*frames` is written for SEND only.
enum session_action session_next(struct session *session, int64_t now_ms, struct frames *frames);

// When session_next will have something to do, if nothing happens before; INT64_MAX: never.
int64_t session_deadline(const struct session *session);

// Ends the message in `session->out`, which the owner has built, and counts it as a sign of life of ours.
// False when memory or a limit ran out.
bool session_finish(struct session *session, int64_t now_ms, struct frames *frames);

// Gives the session up for the reason in `why` and starts again after a pause.
__attribute__((format(printf, 3, 4))) void session_fail(struct session *session, int64_t now_ms,
                                                        const char *why, ...);

// A pause before trying again: 100 ms doubled `tries` times, 5 s at most, of which a random half is taken off
// so that many do not return at once.
int64_t session_backoff_ms(struct session *session, uint32_t tries);

#endif
