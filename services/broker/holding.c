#include "services/broker/holding.h"

#include "common/fault.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>

enum { STEP_BYTES = 8, SIZE_COUNT = sizeof(((struct holdings *)0)->sizes) / sizeof(struct pool) };

static_assert(offsetof(struct holding, id) == 20, "holding.h states what a cold article takes");

void holdings_init(struct holdings *holdings)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        pool_init(&holdings->sizes[i], (i + 1) * STEP_BYTES);
    }
    pool_init(&holdings->warm, sizeof(struct holding_warm));
}

void holdings_clear(struct holdings *holdings)
{
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        pool_clear(&holdings->sizes[i]);
    }
    pool_clear(&holdings->warm);
}

static struct pool *pool_of(struct holdings *holdings, size_t id_len)
{
    return &holdings->sizes[(offsetof(struct holding, id) + id_len - 1) / STEP_BYTES];
}

struct holding *holding_new(struct holdings *holdings, struct view id)
{
    struct holding *holding =
        id.len <= ARTICLE_ID_LIMIT ? pool_take(pool_of(holdings, id.len)) : NULL;
    if (holding) {
        holding->id_len = (uint16_t)id.len;
        memcpy(holding->id, id.at, id.len);
    }
    return holding;
}

static void drop_sections(struct holding_warm *warm)
{
    while (warm->sections) {
        struct holding_section *next = warm->sections->next;
        free(warm->sections);
        warm->sections = next;
    }
    warm->section_bytes = 0;
}

void holding_drop_document(struct holding *holding)
{
    if (holding->warm) {
        free(holding->warm->document);
        holding->warm->document = NULL;
        holding->warm->document_len = 0;
    }
}

void holding_drop(struct holding *holding)
{
    holding_drop_document(holding);
    if (holding->warm) {
        drop_sections(holding->warm);
        free(holding->warm->history);
        holding->warm->history = NULL;
    }
}

void holding_free(struct holdings *holdings, struct holding *holding)
{
    if (holding) {
        holding_drop(holding);
        pool_give(&holdings->warm, holding->warm);
        pool_give(pool_of(holdings, holding->id_len), holding);
    }
}

const struct holding_warm *holding_look(const struct holding *holding)
{
    static const struct holding_warm nothing;
    return holding->warm ? holding->warm : &nothing;
}

struct holding_warm *holding_warm(struct holdings *holdings, struct holding *holding)
{
    if (!holding->warm) {
        holding->warm = pool_take(&holdings->warm);
    }
    return holding->warm;
}

void holding_cool(struct holdings *holdings, struct holding *holding)
{
    holding_drop_document(holding);
    if (holding->warm) {
        drop_sections(holding->warm);
        if (!holding->warm->history) {
            pool_give(&holdings->warm, holding->warm);
            holding->warm = NULL;
        }
    }
}

bool holding_set_document(struct holdings *holdings, struct holding *holding, struct view document,
                          const struct holding_trace *trace)
{
    struct holding_warm *warm = holding_warm(holdings, holding);
    char *copy = warm && !fault_hit(FAULT_MEMORY) ? malloc(document.len + 1) : NULL;
    if (!copy) {
        return false;
    }
    memcpy(copy, document.at, document.len);
    free(warm->document);
    warm->document = copy;
    warm->document_len = (uint32_t)document.len;
    warm->trace = *trace;
    return true;
}

bool holding_add_section(struct holdings *holdings, struct holding *holding, uint32_t stage,
                         struct view bytes)
{
    struct holding_warm *warm = holding_warm(holdings, holding);
    struct holding_section *section =
        warm && !fault_hit(FAULT_MEMORY) ? malloc(sizeof *section + bytes.len) : NULL;
    if (!section) {
        return false;
    }
    section->stage = stage;
    section->len = (uint32_t)bytes.len;
    memcpy(section->bytes, bytes.at, bytes.len);
    struct holding_section **link = &warm->sections;
    while (*link && (*link)->stage < stage) {
        link = &(*link)->next;
    }
    struct holding_section *after = *link;
    if (after && after->stage == stage) {
        *link = after->next;
        warm->section_bytes -= after->len;
        free(after);
        after = *link;
    }
    section->next = after;
    *link = section;
    warm->section_bytes += section->len;
    return true;
}
