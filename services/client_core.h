// What a client decides that hands articles to the broker: what to send, what to send again, and what became of each.
//
// Pure: no sockets, threads or clocks. Events go in through the functions below, client_core_next says what is to be done.
// `copydesk submit`, the gateway and the simulator drive the same code. Times are monotonic milliseconds.
//
// Rules it keeps
//   - An article is the client's business until its outcome is known: ACCEPTED means on the broker's disk.
//   - Never more articles or bytes without an answer than the broker granted (credit). While both grants are above
//     zero one more may be sent, so that an article larger than what is left gets through.
//   - After a lost session everything without an answer is sent again, oldest first. The broker knows an article by id, version
//     and content and answers DUPLICATE for what it has, so that nothing is doubled.
//   - BUSY is not an outcome: the article waits, each time longer, and is sent again.
//   - Urgent lanes first.
//
// Memory: at most `article_limit` articles and `bytes_limit` bytes; client_core_put says ERR_FULL beyond.
#ifndef COPYDESK_CLIENT_CORE_H
#define COPYDESK_CLIENT_CORE_H

#include "services/session.h"

struct client_config {
    const char *name;
    uint32_t article_limit; // rounded up to a power of two
    uint64_t bytes_limit;   // of ids and documents held here
    uint64_t seed;
    // So long outcomes may wait for others at the broker, twice as long when nothing else happens: for who goes on without them. 0:
    // each is told at once.
    uint32_t patience_ms;
};

// Of who reads on while outcomes are awaited.
enum { CLIENT_PATIENCE_MS = 5 };

// An article to hand over. Everything is borrowed for the call.
struct client_article {
    struct view id;
    struct view document; // JSON
    uint64_t version;
    int64_t embargo_ms, deadline_ms; // Unix time; 0: none
    enum wire_lane lane;
    enum wire_pubstatus pubstatus;
    uint8_t trace_id[16], span_id[8];
    uint8_t trace_flags;
    bool again;   // run this version again, see WIRE_AGAIN
    uint64_t tag; // comes back with the outcome
};

struct client_outcome {
    uint64_t tag;
    struct view id;            // until the next call of client_core_next
    enum wire_outcome outcome; // ACCEPTED, DUPLICATE, STALE, CONFLICT or REFUSED
    struct view sentence;      // of a refusal; until the next call
    uint32_t tries;            // how often it was sent
    int64_t waited_ms;         // since it was put
};

struct client_entry;

struct client_list {
    struct client_entry *first, **last;
};

struct client_counts {
    uint64_t put, sent, resent, busy, settled;
};

struct client_core {
    struct client_config config;
    struct session session;
    uint64_t epoch;                            // of what was sent
    struct client_entry **ring;                // by handle; `config.article_limit` slots
    uint64_t oldest, next_handle;              // handles that are held: [oldest, next_handle)
    struct client_list lanes[WIRE_LANE_COUNT]; // to be sent
    struct client_list paused;                 // were BUSY
    struct client_list settled;                // outcome known, not told yet
    struct client_entry *told;                 // the one whose outcome was handed out last
    int64_t paused_ms;                         // when the first of the paused is due
    int64_t credit_count, credit_bytes;        // may fall below zero by one article
    uint32_t held, waiting;
    uint64_t held_bytes;
    bool leaving, said_goodbye;
    struct client_counts counts;
};

// ERR_MEMORY when there is none for the ring.
MUST_CHECK enum status client_core_init(struct client_core *core,
                                        const struct client_config *config, int64_t now_ms);
void client_core_clear(struct client_core *core);

// Takes a copy of the article. ERR_FULL when a limit is reached: try again after an outcome. ERR_MEMORY.
// ERR_LIMIT when it can never fit.
MUST_CHECK enum status client_core_put(struct client_core *core, int64_t now_ms,
                                       const struct client_article *article, struct error *why);

// Events.
void client_core_link(struct client_core *core, int64_t now_ms, bool up);
void client_core_message(struct client_core *core, int64_t now_ms, struct view envelope,
                         struct view body);

// Says GOODBYE once all outcomes are known; client_core_next says STOPPED then.
void client_core_leave(struct client_core *core);

enum client_action_type {
    CLIENT_WAIT, // nothing before client_core_deadline
    CLIENT_SEND, // send `frames`; they are the caller's. When that fails: client_core_link(.., false)
    CLIENT_RECONNECT, // new socket, then client_core_link(.., true) when it is connected
    CLIENT_OUTCOME,   // `outcome` of one article
    CLIENT_STOPPED,   // left, or refused by the broker (session.state, session.why)
};

struct client_action {
    struct frames frames;
    struct client_outcome outcome;
};

// What is to be done now; call until it says WAIT or STOPPED.
enum client_action_type client_core_next(struct client_core *core, int64_t now_ms,
                                         struct client_action *action);

// When client_core_next wants to be called again though nothing came, in ms of the clock it is given.
int64_t client_core_deadline(const struct client_core *core);

#endif
