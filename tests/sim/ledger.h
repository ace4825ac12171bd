// What the world knows of every version of every story: what was put, what its sender was told, which sink has it.
// The promises are checked against it, as the day goes and at its end.
#ifndef COPYDESK_SIM_LEDGER_H
#define COPYDESK_SIM_LEDGER_H

#include "common/view.h"
#include "tests/sim/world.h"

enum {
    LEDGER_CLIENTS = 2,
    LEDGER_IDS = 2048,   // stories of a client
    LEDGER_VERSIONS = 8, // of one story, at most
    LEDGER_SINKS = 2,
    LEDGER_STAGES = 4, // inner ones
    LEDGER_NAME_BYTES = 16,
    LEDGER_DOCUMENT_BYTES = 2048,
};

// One version of one story.
struct version {
    bool put, accepted, canceled, poison, dead;
    uint8_t number; // of the version, from 1
    uint32_t story;
    int64_t embargo_ms;
    int64_t accepted_ms;              // when its client was told
    uint32_t written[LEDGER_SINKS];   // lines on the disk of each sink
    int64_t written_ms[LEDGER_SINKS]; // the last of them
    uint64_t session;                 // of the broker that handed it out last
    uint32_t attempts[LEDGER_STAGES]; // the latest that was begun in that session
};

struct told_story {
    uint32_t latest;                  // version put last; 0: none
    uint32_t places[LEDGER_VERSIONS]; // of the versions in the ledger
};

struct ledger {
    const struct sim_options *options;
    struct sim_report *report;
    struct told_story stories[LEDGER_CLIENTS * LEDGER_IDS];
    struct version *versions; // from 1
    uint32_t count, room;
};

// A ledger with room for what the clients hand over; asserts that there is memory for it. Both are borrowed.
struct ledger *ledger_new(const struct sim_options *options, struct sim_report *report);
void ledger_free(struct ledger *ledger);

// The place of the next version of a story, or 0 when there may be none. It counts when ledger_put says so.
uint32_t ledger_next(struct ledger *ledger, uint32_t client, uint32_t id);
void ledger_put(struct ledger *ledger, uint32_t place);

// The id of the story as articles carry it. The view borrows from `out`.
struct view ledger_name(const struct ledger *ledger, uint32_t place, char out[LEDGER_NAME_BYTES]);

// The document of a version; it names the version, and its length is its own. The view borrows from `out`.
struct view ledger_document(const struct ledger *ledger, uint32_t place,
                            char out[LEDGER_DOCUMENT_BYTES]);

// True when `document` is the one of the version at `place`.
bool ledger_is_document(const struct ledger *ledger, uint32_t place, struct view document);

// The place of the version of the story called `id`; asserts that it was put.
uint32_t ledger_find(const struct ledger *ledger, struct view id, uint64_t version);

// A line with the version is safe on the disk of a sink, behind all lines before it.
void ledger_write(struct ledger *ledger, uint32_t place, uint32_t sink, int64_t now_ms);

// What counts in the end is the file: takes the `count` lines of a sink for all that it has.
void ledger_recount(struct ledger *ledger, uint32_t sink, const uint32_t *lines, size_t count);

// Adds up at the end of the day what was lost, revived, superseded and complete.
void ledger_audit(struct ledger *ledger);

#endif
