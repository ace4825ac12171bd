#include "tests/sim/sink.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void sink_init(struct sink *sink, uint32_t places)
{
    *sink = (struct sink){.places = places, .known = calloc(places, 1)};
    assert(sink->known);
}

void sink_clear(struct sink *sink)
{
    free(sink->lines);
    free(sink->known);
    *sink = (struct sink){0};
}

bool sink_take(struct sink *sink, uint32_t place)
{
    if (sink->known[place]) {
        return false;
    }
    if (sink->count == sink->room) {
        sink->room = sink->room ? sink->room * 2 : 1024;
        sink->lines = realloc(sink->lines, sink->room * sizeof *sink->lines);
        assert(sink->lines);
    }
    sink->known[place] = true;
    sink->lines[sink->count++] = place;
    return true;
}

void sink_sync(struct sink *sink)
{
    sink->synced = sink->count;
}

void sink_take_back(struct sink *sink)
{
    while (sink->count > sink->synced) {
        sink->known[sink->lines[--sink->count]] = false;
    }
}

void sink_crash(struct sink *sink, uint64_t luck)
{
    sink->count = sink->synced + luck % (sink->count - sink->synced + 1);
    memset(sink->known, 0, sink->places);
}

void sink_start(struct sink *sink)
{
    for (size_t i = 0; i < sink->count; i++) {
        sink->known[sink->lines[i]] = true;
    }
}
