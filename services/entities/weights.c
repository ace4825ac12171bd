#include "services/entities/weights.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

enum { SMALLEST_WEIGHT = 1, FULL_PERCENT = 70 };

static_assert(sizeof(struct weights_slot) == 12, "slots are part of the file format");

static const char magic[8] = {'C', 'D', 'E', 'N', 'T', 'I', 'T', 'Y'};

enum status weights_open(struct weights *weights, const char *folder, struct error *why)
{
    enum status status = mapped_open(&weights->file, folder, "entities.model", magic,
                                     WEIGHTS_VERSION, sizeof(struct weights_slot), why);
    weights->slots = status == OK ? mapped_items(&weights->file) : NULL;
    weights->count = weights->file.header.count;
    weights->scale = weights->file.header.scale;
    return status;
}

void weights_close(struct weights *weights)
{
    mapped_close(&weights->file);
}

static uint32_t check_of(uint64_t feature)
{
    uint32_t check = (uint32_t)(feature >> 32);
    return check ? check : 1;
}

static uint32_t home_of(uint64_t feature, uint32_t count)
{
    return (uint32_t)((feature & UINT32_MAX) * count >> 32);
}

const struct weights_slot *weights_find(const struct weights *weights, uint64_t feature)
{
    uint32_t check = check_of(feature);
    uint32_t i = home_of(feature, weights->count);
    for (uint32_t probes = 0; probes < weights->count; probes++) {
        const struct weights_slot *slot = &weights->slots[i];
        if (slot->check == check || slot->check == 0) {
            return slot->check ? slot : NULL;
        }
        i = i + 1 == weights->count ? 0 : i + 1;
    }
    return NULL;
}

static bool quantise(const float *values, float scale, int8_t out[LABEL_COUNT])
{
    bool any = false;
    for (size_t label = 0; label < LABEL_COUNT; label++) {
        out[label] = (int8_t)lrintf(values[label] / scale);
        any = any || abs(out[label]) >= SMALLEST_WEIGHT;
    }
    return any;
}

// The first feature to come, which is the more frequent one, keeps a check that two share.
static void place(struct weights_slot *slots, uint32_t count, uint64_t feature,
                  const int8_t value[LABEL_COUNT])
{
    uint32_t i = home_of(feature, count);
    while (slots[i].check) {
        if (slots[i].check == check_of(feature)) {
            return;
        }
        i = i + 1 == count ? 0 : i + 1;
    }
    slots[i].check = check_of(feature);
    memcpy(slots[i].value, value, LABEL_COUNT);
}

enum status weights_write(const char *path, const uint64_t *features, const float *values,
                          size_t count, struct error *why)
{
    struct mapped_header header = {.version = WEIGHTS_VERSION};
    int8_t value[LABEL_COUNT];
    float largest = 1e-6F;
    size_t kept = 0;

    for (size_t i = 0; i < count * LABEL_COUNT; i++) {
        largest = fmaxf(largest, fabsf(values[i]));
    }
    header.scale = largest / INT8_MAX;
    for (size_t i = 0; i < count; i++) {
        kept += quantise(values + i * LABEL_COUNT, header.scale, value);
    }
    header.count = (uint32_t)(kept * 100 / FULL_PERCENT + 1);
    struct weights_slot *slots = calloc(header.count, sizeof *slots);
    if (!slots) {
        return error_set(why, ERR_MEMORY, "no memory for %zu weights", kept);
    }
    for (size_t i = 0; i < count; i++) {
        if (quantise(values + i * LABEL_COUNT, header.scale, value)) {
            place(slots, header.count, features[i], value);
        }
    }
    memcpy(header.magic, magic, sizeof magic);
    enum status status = mapped_write(path, header, slots, sizeof *slots, why);
    free(slots);
    return status;
}
