// A simulated sink: the disk of an export and what its process knows of it.
//
// The rules are those of services/export/ndjson.c: a line for each id and version; what came is answered only when its
// line is synced; a flush that fails is taken back; a start reads the lines that are there and knows them again, so
// that a second delivery writes nothing. What was not synced survives a crash up to some line, or not at all.
#ifndef COPYDESK_SIM_SINK_H
#define COPYDESK_SIM_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sink {
    uint32_t *lines; // places in the ledger, in the order of the file
    size_t count, room;
    size_t synced;  // so many of them are safe
    uint8_t *known; // by place: what the process remembers
    uint32_t places;
};

// An empty file; `places` versions may come. Asserts that there is memory.
void sink_init(struct sink *sink, uint32_t places);
void sink_clear(struct sink *sink);

// The article at `place` came: it gets a line unless it is known. True when it was new.
bool sink_take(struct sink *sink, uint32_t place);

// The lines from `sink->synced` on are safe now; the caller reads them before.
void sink_sync(struct sink *sink);

// They could not be written: they are forgotten.
void sink_take_back(struct sink *sink);

// The process dies. Of the lines that were not synced a beginning is left, of a length that `luck` picks.
void sink_crash(struct sink *sink, uint64_t luck);

// The process starts: it knows what is in the file.
void sink_start(struct sink *sink);

#endif
