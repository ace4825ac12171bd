// What is going to happen in a simulated world, in order of time; ties are broken by who came first.
#ifndef COPYDESK_SIM_EVENTS_H
#define COPYDESK_SIM_EVENTS_H

#include "services/message.h"

#include <stdint.h>

enum event_kind {
    EVENT_TO_BROKER, // frames arrive
    EVENT_TO_NODE,
    EVENT_LINK,   // a node's connection comes up
    EVENT_UNLINK, // a node learns that its connection is gone
    EVENT_TIMER,  // a node's
    EVENT_BROKER_TIMER,
    EVENT_COMMIT, // the broker's disk has synced, or found no room
    EVENT_WORKED, // a worker has finished articles, or a sink's disk has synced
    EVENT_SUBMIT, // a client has something new
    EVENT_FAULT,
    EVENT_RESTART, // a node comes back
    EVENT_BROKER_RESTART,
    EVENT_KILL_NOTED, // the broker dies, and what sinks had must be known after
};

struct event {
    int64_t at_ms;
    uint64_t order;
    enum event_kind kind;
    uint32_t node;
    uint64_t life; // of the node or broker it was meant for: void when that has died since
    uint64_t connection;
    uint32_t run; // of a worker: the articles that finish together
    struct frames frames;
};

// Its place in the heap is told by one number: time, and who came first among those of the same time.
struct event_key {
    uint64_t key;
    uint32_t place; // of the event
};

// A heap of keys; the events themselves stay where they are. Starts empty: {0}.
struct events {
    struct event_key *heap; // those from `count` on name the free places
    struct event *events;
    uint32_t count, room;
    uint64_t order; // of the next event
};

// Frees all, frames that are on their way too.
void events_clear(struct events *events);

// Adds an event behind all others of its time; writes its order.
void events_add(struct events *events, struct event *event);

// Adds an event that was taken before and keeps its place among those of its new time.
void events_put_back(struct events *events, const struct event *event);

// Takes the first event; there must be one. It may be read until the next one is added.
struct event *events_take(struct events *events);

// When the first event is due; INT64_MAX when there is none.
static inline int64_t events_next_ms(const struct events *events)
{
    return events->count > 0 ? events->events[events->heap[0].place].at_ms : INT64_MAX;
}

#endif
