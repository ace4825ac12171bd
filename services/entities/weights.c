#include "services/entities/weights.h"

#include "proto/crc32c.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct weights_header {
    char magic[8];
    uint32_t version;
    uint32_t slot_count;
    uint32_t checksum;
    float scale;
};

enum { CHECKED_FROM = 20, PATH_BYTES = 4096, SMALLEST_WEIGHT = 1 };

static_assert(sizeof(struct weights_header) == 24, "the header is part of the file format");
static_assert(sizeof(struct weights_slot) == 12, "slots are part of the file format");

static enum status check_file(struct weights *weights, const char *path, struct error *why)
{
    struct weights_header header;
    if (weights->size < sizeof header) {
        return error_set(why, ERR_FORMAT, "%s is too short to be a model", path);
    }
    memcpy(&header, weights->map, sizeof header);
    if (memcmp(header.magic, "CDENTITY", 8) != 0) {
        return error_set(why, ERR_FORMAT, "%s is no model of the entities stage", path);
    }
    if (header.version != WEIGHTS_VERSION) {
        return error_set(why, ERR_VERSION, "%s has version %u, this program reads %d", path,
                         header.version, WEIGHTS_VERSION);
    }
    size_t slots = header.slot_count;
    if (slots == 0 || (slots & (slots - 1)) != 0 ||
        weights->size != sizeof header + slots * sizeof(struct weights_slot)) {
        return error_set(why, ERR_FORMAT, "%s has the wrong size", path);
    }
    if (crc32c(0, (const char *)weights->map + CHECKED_FROM, weights->size - CHECKED_FROM) !=
        header.checksum) {
        return error_set(why, ERR_FORMAT, "%s is damaged: its checksum does not match", path);
    }
    weights->slots = (const void *)((const char *)weights->map + sizeof header);
    weights->mask = header.slot_count - 1;
    weights->scale = header.scale;
    return OK;
}

enum status weights_open(struct weights *weights, const char *folder, struct error *why)
{
    char path[PATH_BYTES];
    struct stat info;
    enum status status = OK;

    *weights = (struct weights){.map = MAP_FAILED};
    snprintf(path, sizeof path, "%s/entities.model", folder);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 || fstat(file, &info) != 0) {
        status = error_set(why, ERR_CONFIG, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    weights->size = (size_t)info.st_size;
    weights->map = mmap(NULL, weights->size, PROT_READ, MAP_SHARED, file, 0);
    if (weights->map == MAP_FAILED) {
        status = error_set(why, ERR_CONFIG, "cannot map %s: %s", path, strerror(errno));
        goto done;
    }
    status = check_file(weights, path, why);
done:
    if (file >= 0) {
        close(file);
    }
    if (status != OK) {
        weights_close(weights);
    }
    return status;
}

void weights_close(struct weights *weights)
{
    if (weights->map != MAP_FAILED && weights->map) {
        munmap(weights->map, weights->size);
    }
    *weights = (struct weights){.map = MAP_FAILED};
}

static uint32_t check_of(uint64_t feature)
{
    uint32_t check = (uint32_t)(feature >> 32);
    return check ? check : 1;
}

const struct weights_slot *weights_find(const struct weights *weights, uint64_t feature)
{
    uint32_t check = check_of(feature);
    uint32_t i = (uint32_t)feature & weights->mask;
    // The writer leaves two slots in five free or more, so a free one always comes.
    while (weights->slots[i].check) {
        if (weights->slots[i].check == check) {
            return &weights->slots[i];
        }
        i = (i + 1) & weights->mask;
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

static void place(struct weights_slot *slots, uint32_t mask, uint64_t feature,
                  const int8_t value[LABEL_COUNT])
{
    uint32_t i = (uint32_t)feature & mask;
    while (slots[i].check) {
        if (slots[i].check == check_of(feature)) {
            return; // a collision of hashes: the first one, the more frequent, stays
        }
        i = (i + 1) & mask;
    }
    slots[i].check = check_of(feature);
    memcpy(slots[i].value, value, LABEL_COUNT);
}

static enum status write_file(const char *path, const struct weights_header *header,
                              const struct weights_slot *slots, struct error *why)
{
    FILE *file = fopen(path, "wb");
    bool written = file && fwrite(header, sizeof *header, 1, file) == 1 &&
                   fwrite(slots, sizeof *slots, header->slot_count, file) == header->slot_count;
    if (file && fclose(file) != 0) {
        written = false;
    }
    return written ? OK : error_set(why, ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

enum status weights_write(const char *path, const uint64_t *features, const float *values,
                          size_t count, struct error *why)
{
    struct weights_header header = {.version = WEIGHTS_VERSION, .slot_count = 1024};
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
    while (header.slot_count * 3 < kept * 5) { // at most 60 % full
        header.slot_count *= 2;
    }
    struct weights_slot *slots = calloc(header.slot_count, sizeof *slots);
    if (!slots) {
        return error_set(why, ERR_MEMORY, "no memory for %zu weights", kept);
    }
    for (size_t i = 0; i < count; i++) {
        if (quantise(values + i * LABEL_COUNT, header.scale, value)) {
            place(slots, header.slot_count - 1, features[i], value);
        }
    }
    memcpy(header.magic, "CDENTITY", 8);
    header.checksum = crc32c(0, &header.scale, sizeof header.scale);
    header.checksum = crc32c(header.checksum, slots, header.slot_count * sizeof *slots);
    enum status status = write_file(path, &header, slots, why);
    free(slots);
    return status;
}
