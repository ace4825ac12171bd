// What the broker keeps of an article besides its place in the queue: its id, its document while that is in
// memory, and the sections that stages made of it. Bodies are never parsed.
//
// Most articles of a backlog are cold: they wait, and only their id and their place in the journal are in memory, 20
// bytes and the id. The rest is there from the time the article came, or was read back, until it has to make room.
#ifndef COPYDESK_HOLDING_H
#define COPYDESK_HOLDING_H

#include "common/article.h"
#include "common/view.h"
#include "proto/wire.h"
#include "services/broker/history.h"
#include "services/broker/pool.h"

struct holding_section {
    struct holding_section *next;
    uint32_t stage; // number
    uint32_t len;
    char bytes[];
};

struct holding_trace {
    uint8_t id[16];
    uint8_t span[8];
    uint8_t flags;
};

// What is in memory of an article that is not cold.
struct holding_warm {
    struct holding_section *sections;
    struct history *history; // NULL until it is handed out
    char *document;          // NULL: read it from the journal when it is needed
    uint32_t document_len;
    uint32_t section_bytes;     // of all sections
    struct holding_trace trace; // as the journal has it; set whenever the document was
};

struct holding {
    uint32_t offset, bytes;    // of its ARTICLE record, see core_place
    struct holding_warm *warm; // NULL: cold
    bool loading;              // a read of the document is under way
    uint16_t id_len;
    char id[];
};

// The memory of all holdings: a pool for each size, so that what stays is not strewn among documents that go.
struct holdings {
    struct pool sizes[(sizeof(struct holding) + ARTICLE_ID_LIMIT) / 8 + 1]; // at i: of i * 8 bytes
    struct pool warm;
};

// Takes no memory yet.
void holdings_init(struct holdings *holdings);

// Frees the memory of all holdings but not what hangs on them: holding_drop does that for each before.
void holdings_clear(struct holdings *holdings);

// A cold holding. NULL when memory ran out, or when the id is longer than ARTICLE_ID_LIMIT.
struct holding *holding_new(struct holdings *holdings, struct view id);
void holding_free(struct holdings *holdings, struct holding *holding);

// Frees document, sections and history.
void holding_drop(struct holding *holding);

static inline struct view holding_id(const struct holding *holding)
{
    return (struct view){holding->id, holding->id_len};
}

// What is in memory, borrowed; all empty for a cold one.
const struct holding_warm *holding_look(const struct holding *holding);

// The same to be written to: makes a cold one warm. NULL when memory ran out.
struct holding_warm *holding_warm(struct holdings *holdings, struct holding *holding);

// Makes it cold again, document and sections are gone; one that was handed out keeps its history and trace.
void holding_cool(struct holdings *holdings, struct holding *holding);

// Copies the document in, with the trace it came with. False when memory ran out.
bool holding_set_document(struct holdings *holdings, struct holding *holding, struct view document,
                          const struct holding_trace *trace);
void holding_drop_document(struct holding *holding);

// Keeps a copy of a section, in place of an earlier one of the same stage. False when memory ran out.
bool holding_add_section(struct holdings *holdings, struct holding *holding, uint32_t stage,
                         struct view bytes);

#endif
