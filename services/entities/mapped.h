// A read-only file in memory that begins with the header all models of the stage share.
#ifndef COPYDESK_ENTITIES_MAPPED_H
#define COPYDESK_ENTITIES_MAPPED_H

#include "common/status.h"
#include "common/view.h"

struct mapped_header {
    char magic[8];
    uint32_t version;
    uint32_t count;    // of whatever follows
    uint32_t checksum; // CRC-32C of everything behind this member
    float scale;       // what one step of a stored number is worth; 0 when there are none
};

struct mapped {
    void *at; // NULL when closed
    size_t size;
    struct mapped_header header;
};

// Maps `folder`/`name` and checks that it is of this magic and version, holds `count` items of `item_bytes`,
// and is undamaged. ERR_CONFIG when it cannot be read, ERR_VERSION, ERR_FORMAT.
MUST_CHECK enum status mapped_open(struct mapped *mapped, const char *folder, const char *name,
                                   const char magic[8], uint32_t version, size_t item_bytes,
                                   struct error *why);
void mapped_close(struct mapped *mapped);

// What follows the header.
static inline const void *mapped_items(const struct mapped *mapped)
{
    return (const char *)mapped->at + sizeof(struct mapped_header);
}

// Writes such a file; the checksum is set here.
MUST_CHECK enum status mapped_write(const char *path, struct mapped_header header,
                                    const void *items, size_t item_bytes, struct error *why);

#endif
