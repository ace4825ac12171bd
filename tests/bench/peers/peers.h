// Other message brokers on the work of bench_broker.c: what a driver for one of them must say.
//
//     ingest -> queue 1 -> stage -> queue 2 -> ... stage -> queue 5 -> sink
//
// Each box is a process. A stage receives a batch, publishes it to the next queue, waits until the broker has confirmed it,
// and only then acknowledges what it received: at-least-once at every hop. peers.c is the harness with `main`; each driver
// is a program of its own that defines `peer`.
#ifndef COPYDESK_PEERS_H
#define COPYDESK_PEERS_H

#include "common/view.h"

// 128 articles a batch and 256 unconfirmed at the ingest: what served every one of these brokers best or second best.
enum { PEER_STAGES = 4, PEER_QUEUES = PEER_STAGES + 1, PEER_BATCH = 128, PEER_UNCONFIRMED = 256 };

struct peer_link; // a driver's own

struct peer {
    // Makes the queues 1..PEER_QUEUES, empty and durable; runs in a process of its own.
    void (*prepare)(const char *endpoint);

    // Connects to receive from queue `from` (0: nothing) and publish to queue `to` (0: nothing).
    struct peer_link *(*open)(const char *endpoint, int from, int to);

    // Publishes at most PEER_BATCH bodies, which are lent for the call, without waiting.
    void (*publish)(struct peer_link *link, const struct view *bodies, size_t count);

    // Waits until at most `left` of what was published is not yet confirmed.
    void (*confirm)(struct peer_link *link, size_t left);

    // Receives up to PEER_BATCH bodies, lent until the next ack. Waits for the first one only, and at most half a second.
    size_t (*receive)(struct peer_link *link, struct view bodies[PEER_BATCH]);

    // Acknowledges all that the last call of receive brought.
    void (*ack)(struct peer_link *link);
};

// Defined by the driver.
extern const struct peer peer;

// Prints a sentence to stderr and ends the process: a measurement with an error in it is none.
__attribute__((noreturn, format(printf, 1, 2))) void peer_fail(const char *format, ...);

// Memory, zeroed, or peer_fail. Freed by the end of the process.
void *peer_memory(size_t count, size_t size);

#endif
