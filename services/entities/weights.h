// The trained weights of the entities stage: a read-only file from feature hash to one weight per label.
//
// The file entities.model, little-endian: behind the header of mapped.h ("CDENTITY") stand
// slots of 12 bytes: check (upper half of the hash, never 0; 0 means free), then 8 signed weights in steps of
// the header's scale. A feature lies in the first slots from (lower half of the hash) * count / 2^32 on; a free
// slot ends the search.
// Changing the layout, the features or the order of lists? Raise WEIGHTS_VERSION and train again.
#ifndef COPYDESK_ENTITIES_WEIGHTS_H
#define COPYDESK_ENTITIES_WEIGHTS_H

#include "services/entities/mapped.h"

enum { WEIGHTS_VERSION = 1, LABEL_COUNT = 8 };

// Labels: 0 is "no name"; label n is entity type n - 1 (PER .. MISC). MONEY is found by rules.
enum { LABEL_NONE = 0 };

struct weights_slot {
    uint32_t check;
    int8_t value[LABEL_COUNT];
};

struct weights {
    struct mapped file;
    const struct weights_slot *slots;
    uint32_t count;
    float scale;
};

// Maps the file read-only. ERR_CONFIG when it cannot be read, ERR_VERSION, ERR_FORMAT when damaged.
MUST_CHECK enum status weights_open(struct weights *weights, const char *folder, struct error *why);
void weights_close(struct weights *weights);

// The slot of a feature, or NULL when it carries no weight.
const struct weights_slot *weights_find(const struct weights *weights, uint64_t feature);

// Writes the file. `count` features; `values` holds LABEL_COUNT floats for each. For the trainer.
MUST_CHECK enum status weights_write(const char *path, const uint64_t *features,
                                     const float *values, size_t count, struct error *why);

#endif
