// What the broker keeps of an article besides its place in the queue: its id, its document while that is in
// memory, and the sections that stages made of it. Bodies are never parsed.
#ifndef COPYDESK_HOLDING_H
#define COPYDESK_HOLDING_H

#include "common/view.h"
#include "proto/wire.h"
#include "services/broker/history.h"
#include "services/broker/journal.h"

struct holding_section {
    struct holding_section *next;
    uint32_t stage; // number
    uint32_t len;
    char bytes[];
};

struct holding {
    struct journal_place place; // of its ARTICLE record
    uint64_t safe_at;           // position in the journal after which that record is on disk
    struct holding_section *sections;
    struct history *history; // NULL until it is handed out
    char *document;          // NULL: read it from the journal when it is needed
    uint32_t document_len;
    uint32_t section_bytes; // of all sections
    bool loading;           // a read of the document is under way
    uint8_t trace_flags;
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint16_t id_len;
    char id[];
};

// A holding without document. NULL when memory ran out.
struct holding *holding_new(struct view id);
void holding_free(struct holding *holding);

static inline struct view holding_id(const struct holding *holding)
{
    return (struct view){holding->id, holding->id_len};
}

// Copies the document in. False when memory ran out.
bool holding_set_document(struct holding *holding, struct view document);
void holding_drop_document(struct holding *holding);

// Keeps a copy of a section, in place of an earlier one of the same stage. False when memory ran out.
bool holding_add_section(struct holding *holding, uint32_t stage, struct view bytes);
void holding_drop_sections(struct holding *holding);

#endif
