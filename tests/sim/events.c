#include "tests/sim/events.h"

#include <assert.h>
#include <stdlib.h>

static bool is_earlier(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void events_clear(struct events *events)
{
    for (size_t i = 0; i < events->count; i++) {
        frames_clear(&events->at[i].frames);
    }
    free(events->at);
    *events = (struct events){0};
}

void events_put_back(struct events *events, struct event event)
{
    if (events->count == events->room) {
        events->room = events->room ? events->room * 2 : 256;
        events->at = realloc(events->at, events->room * sizeof *events->at);
        assert(events->at);
    }
    size_t at = events->count++;
    while (at > 0 && is_earlier(&event, &events->at[(at - 1) / 2])) {
        events->at[at] = events->at[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    events->at[at] = event;
}

void events_add(struct events *events, struct event event)
{
    event.order = events->order++;
    events_put_back(events, event);
}

struct event events_take(struct events *events)
{
    assert(events->count > 0);
    struct event first = events->at[0];
    struct event last = events->at[--events->count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= events->count) {
            break;
        }
        if (child + 1 < events->count && is_earlier(&events->at[child + 1], &events->at[child])) {
            child++;
        }
        if (!is_earlier(&events->at[child], &last)) {
            break;
        }
        events->at[at] = events->at[child];
        at = child;
    }
    events->at[at] = last;
    return first;
}
