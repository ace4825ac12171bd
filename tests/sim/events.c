#include "tests/sim/events.h"

#include <assert.h>
#include <stdlib.h>

// Four to a parent: half the depth of a binary heap, and the four lie in one cache line.
enum { CHILDREN = 4, ORDER_BITS = 40, FIRST_ROOM = 256 };

static uint64_t key_of(const struct event *event)
{
    assert(event->at_ms >= 0 && event->at_ms < (int64_t)1 << (64 - ORDER_BITS));
    assert(event->order < (uint64_t)1 << ORDER_BITS);
    return (uint64_t)event->at_ms << ORDER_BITS | event->order;
}

void events_clear(struct events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        frames_clear(&events->events[events->heap[i].place].frames);
    }
    free(events->heap);
    free(events->events);
    *events = (struct events){0};
}

static void make_room(struct events *events)
{
    uint32_t room = events->room ? events->room * 2 : FIRST_ROOM;
    events->heap = realloc(events->heap, room * sizeof *events->heap);
    events->events = realloc(events->events, room * sizeof *events->events);
    assert(events->heap && events->events);
    // The places behind the heap are those that are free.
    for (uint32_t i = events->room; i < room; i++) {
        events->heap[i].place = i;
    }
    events->room = room;
}

void events_put_back(struct events *events, const struct event *event)
{
    if (events->count == events->room) {
        make_room(events);
    }
    uint32_t at = events->count++;
    struct event_key added = {key_of(event), events->heap[at].place};
    events->events[added.place] = *event;
    while (at > 0 && added.key < events->heap[(at - 1) / CHILDREN].key) {
        events->heap[at] = events->heap[(at - 1) / CHILDREN];
        at = (at - 1) / CHILDREN;
    }
    events->heap[at] = added;
}

void events_add(struct events *events, struct event *event)
{
    event->order = events->order++;
    events_put_back(events, event);
}

static uint32_t earliest_child(const struct events *events, uint32_t at)
{
    uint32_t first = at * CHILDREN + 1;
    uint32_t end = first + CHILDREN < events->count ? first + CHILDREN : events->count;
    uint32_t earliest = first;
    for (uint32_t child = first + 1; child < end; child++) {
        earliest = events->heap[child].key < events->heap[earliest].key ? child : earliest;
    }
    return earliest;
}

struct event *events_take(struct events *events)
{
    assert(events->count > 0);
    struct event_key first = events->heap[0];
    struct event_key last = events->heap[--events->count];
    uint32_t at = 0;
    while (at * CHILDREN + 1 < events->count) {
        uint32_t child = earliest_child(events, at);
        if (last.key < events->heap[child].key) {
            break;
        }
        events->heap[at] = events->heap[child];
        at = child;
    }
    events->heap[at] = last;
    events->heap[events->count] = first;
    return &events->events[first.place];
}
