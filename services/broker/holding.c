#include "services/broker/holding.h"

#include <stdlib.h>

struct holding *holding_new(struct view id)
{
    struct holding *holding = calloc(1, sizeof *holding + id.len);
    if (holding) {
        holding->id_len = (uint16_t)id.len;
        memcpy(holding->id, id.at, id.len);
    }
    return holding;
}

void holding_drop_sections(struct holding *holding)
{
    while (holding->sections) {
        struct holding_section *next = holding->sections->next;
        free(holding->sections);
        holding->sections = next;
    }
    holding->section_bytes = 0;
}

void holding_drop_document(struct holding *holding)
{
    free(holding->document);
    holding->document = NULL;
    holding->document_len = 0;
}

void holding_free(struct holding *holding)
{
    if (holding) {
        holding_drop_sections(holding);
        holding_drop_document(holding);
        free(holding->history);
        free(holding);
    }
}

bool holding_set_document(struct holding *holding, struct view document)
{
    char *copy = malloc(document.len + 1);
    if (!copy) {
        return false;
    }
    memcpy(copy, document.at, document.len);
    free(holding->document);
    holding->document = copy;
    holding->document_len = (uint32_t)document.len;
    return true;
}

bool holding_add_section(struct holding *holding, uint32_t stage, struct view bytes)
{
    struct holding_section *section = malloc(sizeof *section + bytes.len);
    if (!section) {
        return false;
    }
    section->stage = stage;
    section->len = (uint32_t)bytes.len;
    memcpy(section->bytes, bytes.at, bytes.len);
    struct holding_section **link = &holding->sections;
    while (*link && (*link)->stage < stage) {
        link = &(*link)->next;
    }
    struct holding_section *after = *link;
    if (after && after->stage == stage) {
        *link = after->next;
        holding->section_bytes -= after->len;
        free(after);
        after = *link;
    }
    section->next = after;
    *link = section;
    holding->section_bytes += section->len;
    return true;
}
