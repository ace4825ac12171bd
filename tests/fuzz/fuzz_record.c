// Feeds arbitrary bytes to record_read as a segment's rest. The fuzzer cannot guess checksums, so it also sets them
// right and reads again: what passes must be written back byte for byte.
#include "proto/record.h"

#include "proto/bytes.h"
#include "proto/crc32c.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SEGMENT = 3 };

static void set_checksum(uint8_t *at, size_t len)
{
    uint8_t seed[8];
    size_t bytes = len >= RECORD_HEAD_BYTES ? get_u32(at) : 0;
    if (bytes < RECORD_HEAD_BYTES || bytes > len) {
        return;
    }
    set_u64(seed, SEGMENT);
    set_u32(at + 4, crc32c(crc32c(0, seed, sizeof seed), at + 8, bytes - 8));
}

static void check_round_trip(const uint8_t *at, const struct record *record, size_t size)
{
    if (record->type == RECORD_REVIVED || record->type == RECORD_COMMIT) {
        return; // what follows their head is not kept
    }
    uint8_t *again = malloc(size);
    if (!again) {
        return;
    }
    if (record_size(record) != size) {
        abort();
    }
    record_write(again, record, SEGMENT);
    struct record back;
    size_t took;
    if (record_read(&back, again, size, SEGMENT, &took) != RECORD_OK || took != size ||
        back.handle != record->handle || back.count != record->count ||
        get_u32(again) != get_u32(at)) {
        abort();
    }
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size + 1);
    size_t at = 0, took = 0;
    struct segment_header header;
    if (!copy) {
        return 0;
    }
    memcpy(copy, data, size);
    segment_header_read(&header, copy, size);
    while (at < size) {
        struct record record;
        set_checksum(copy + at, size - at);
        enum record_fault fault = record_read(&record, copy + at, size - at, SEGMENT, &took);
        if (fault == RECORD_OK) {
            check_round_trip(copy + at, &record, took);
        } else if (fault != RECORD_UNKNOWN) {
            break;
        }
        at += took;
    }
    free(copy);
    return 0;
}
