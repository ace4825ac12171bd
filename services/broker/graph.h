// The pipeline as the broker knows it: which stage needs what.
//
// Written by people as lines `stage = what it needs`:
//
//     clean    = article
//     entities = clean
//     summary  = clean entities
//     export   = *
//
// `*` makes a terminal stage, a sink: it gets the document and all sections once every other stage is through,
// and each sink has its own queue. Stages are numbered from 1 in the order they are written; a stage
// stands below what it needs, so there are no cycles.
#ifndef COPYDESK_GRAPH_H
#define COPYDESK_GRAPH_H

#include "common/status.h"
#include "common/view.h"
#include "proto/wire.h"

enum { GRAPH_NAME_BYTES = 32 };

struct graph_stage {
    char name[GRAPH_NAME_BYTES];
    uint32_t needs;      // set of stages: bit i is stage number i + 1
    bool needs_document; // `article` or `*`
    bool terminal;
};

struct graph {
    uint32_t count;
    uint32_t inner;    // set of the stages that are not terminal
    uint32_t readers;  // of these, the ones that need the document
    uint32_t terminal; // set of the sinks; a stage in neither set is out of use, see graph_reload
    struct graph_stage stages[WIRE_STAGE_LIMIT];
};

// The bit of a stage number (from 1) in a set.
static inline uint32_t graph_bit(uint32_t number)
{
    return 1u << (number - 1);
}

// The lowest stage number in a set that is not empty. To walk through a set: `set &= set - 1` takes it out.
static inline uint32_t graph_lowest(uint32_t set)
{
    return (uint32_t)__builtin_ctz(set) + 1;
}

static inline bool graph_in_use(const struct graph *graph, uint32_t number)
{
    return ((graph->inner | graph->terminal) & graph_bit(number)) != 0;
}

// Reads the lines. Empty lines and lines that begin with '#' are passed over.
// ERR_CONFIG with "line N: ..." for a name given twice or unknown, no sink, too many stages.
MUST_CHECK enum status graph_parse(struct graph *graph, struct view text, struct error *why);

// Makes `graph` the pipeline `wanted` while its numbers are in use: a stage keeps its number by name, a new one gets
// the next, and one that is not wanted any more keeps number and name but is out of use. ERR_CONFIG, and nothing is changed,
// when a stage has become a sink or the other way round, or there are more than WIRE_STAGE_LIMIT, the unused counted.
MUST_CHECK enum status graph_reload(struct graph *graph, const struct graph *wanted,
                                    struct error *why);

// The number of the stage called `name`, in use or not; 0 when there is none.
uint32_t graph_find(const struct graph *graph, struct view name);

// The name behind a stage number; "?" when there is none, as in a journal of another pipeline.
const char *graph_name_of(const struct graph *graph, uint32_t number);

// The stages that are not yet in `done` nor in `open` and whose needs are in `done`.
uint32_t graph_ready(const struct graph *graph, uint32_t done, uint32_t open);

// Those of the set `wanted` that whoever has an article for `stage` can run right after it: what each of them needs is made
// by `stage`, or by another of them before it. Sinks are never among them.
uint32_t graph_along(const struct graph *graph, uint32_t stage, uint32_t wanted);

// Names of all stages in the order of their numbers separated by spaces, as a WELCOME carries them. `out` has room for
// WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES bytes.
struct view graph_names(const struct graph *graph, char *out);

// The same for the stages of a set alone; and back: the set of those named that there are.
struct view graph_names_of(const struct graph *graph, uint32_t set, char *out);
uint32_t graph_set(const struct graph *graph, struct view names);

#endif
