#include "tests/sim/disk.h"

#include <assert.h>
#include <stdlib.h>

static struct sim_segment *slot_of(const struct sim_disk *disk, uint64_t number)
{
    return (struct sim_segment *)&disk->segments[number % SIM_SEGMENTS];
}

static struct sim_segment *find(const struct sim_disk *disk, uint64_t number)
{
    struct sim_segment *segment = slot_of(disk, number);
    return segment->number == number ? segment : NULL;
}

void sim_disk_drop(struct sim_disk *disk, uint64_t number)
{
    struct sim_segment *segment = find(disk, number);
    if (!segment) {
        return;
    }
    free(disk->spare.bytes);
    disk->spare =
        (struct sim_segment){.bytes = segment->bytes, .len = segment->len, .room = segment->room};
    *segment = (struct sim_segment){0};
    while (disk->first < disk->last && !find(disk, disk->first)) {
        disk->first++;
    }
}

void sim_disk_clear(struct sim_disk *disk)
{
    for (uint64_t number = disk->first; number <= disk->last; number++) {
        sim_disk_drop(disk, number);
    }
    free(disk->spare.bytes);
    *disk = (struct sim_disk){0};
}

static enum status range(void *user, uint64_t *first, uint64_t *last, struct error *why)
{
    const struct sim_disk *disk = user;
    (void)why;
    *first = disk->first;
    *last = disk->last;
    return OK;
}

static enum status size(void *user, uint64_t number, uint64_t *bytes, struct error *why)
{
    const struct sim_segment *segment = find(user, number);
    *bytes = segment ? segment->len : 0;
    return segment ? OK : error_set(why, ERR_NOT_FOUND, "no such segment");
}

static enum status read(void *user, uint64_t number, uint64_t offset, void *to, size_t len,
                        struct error *why)
{
    const struct sim_disk *disk = user;
    const struct sim_segment *segment = find(disk, number);
    if (disk->unreadable || !segment || offset + len > segment->len) {
        return error_set(why, ERR_IO, "cannot read the segment");
    }
    memcpy(to, segment->bytes + offset, len);
    return OK;
}

static enum status cut(void *user, uint64_t number, uint64_t bytes, struct error *why)
{
    struct sim_disk *disk = user;
    struct sim_segment *segment = find(disk, number);
    (void)why;
    segment->len = (size_t)bytes;
    disk->cuts++;
    return OK;
}

struct disk sim_disk_calls(struct sim_disk *disk)
{
    return (struct disk){.user = disk, .range = range, .size = size, .read = read, .cut = cut};
}

static struct sim_segment *open_segment(struct sim_disk *disk, uint64_t number)
{
    struct sim_segment *segment = slot_of(disk, number);
    if (segment->number != number) {
        assert(segment->number == 0);
        *segment = disk->spare; // with all that it held
        segment->number = number;
        disk->spare = (struct sim_segment){0};
        disk->first = disk->first ? disk->first : number;
        disk->last = number;
    }
    return segment;
}

// Writes the batch's bytes from `from` to `to`. A gap before them reads as zeros.
static struct sim_segment *put(struct sim_disk *disk, const struct journal_commit *commit,
                               size_t from, size_t to)
{
    struct sim_segment *segment = open_segment(disk, commit->segment);
    size_t start = (size_t)commit->offset + from;
    size_t end = (size_t)commit->offset + to;
    if (end > segment->room) {
        segment->room = end * 2;
        segment->bytes = realloc(segment->bytes, segment->room);
        assert(segment->bytes);
    }
    assert(segment->len >= commit->offset);
    if (start > segment->len) {
        memset(segment->bytes + segment->len, 0, start - segment->len);
    }
    if (to > from) {
        memcpy(segment->bytes + start, commit->bytes.at + from, to - from);
    }
    segment->len = end > segment->len ? end : segment->len;
    return segment;
}

void sim_disk_write(struct sim_disk *disk, const struct journal_commit *commit)
{
    struct sim_segment *segment = put(disk, commit, 0, commit->bytes.len);
    segment->last_batch = (size_t)commit->offset;
    segment->end = (size_t)commit->offset + commit->bytes.len;
    segment->batches++;
}

void sim_disk_crash(struct sim_disk *disk, const struct journal_commit *commit, uint64_t luck)
{
    size_t len = commit->bytes.len;
    size_t hole_len = (size_t)8 << luck / 4 % 7; // from a word to a sector
    if (luck % 4 == 0) {
        return;
    }
    if (luck % 4 == 1) {
        put(disk, commit, 0, (size_t)(luck / 4 % (len + 1)));
        return;
    }
    if (luck % 4 == 2 || len <= hole_len) {
        put(disk, commit, 0, len);
        return;
    }
    size_t hole = luck / 64 % (len - hole_len);
    put(disk, commit, 0, hole);
    put(disk, commit, hole + hole_len, len);
}

struct view sim_disk_read(const struct sim_disk *disk, struct journal_place place)
{
    const struct sim_segment *segment = find(disk, place.segment);
    if (disk->unreadable || !segment || (size_t)place.offset + place.bytes > segment->len) {
        return (struct view){"", 0};
    }
    return (struct view){(const char *)segment->bytes + place.offset, place.bytes};
}

// --- damage

bool sim_disk_flip(struct sim_disk *disk, uint64_t luck, uint64_t *number, size_t *at)
{
    if (disk->last == 0) {
        return false;
    }
    struct sim_segment *segment = find(disk, disk->first + luck % (disk->last - disk->first + 1));
    if (!segment || segment->flipped) {
        return false;
    }
    bool is_followed = segment->number != disk->last && find(disk, segment->number + 1) &&
                       find(disk, segment->number + 1)->batches > 0;
    size_t end = is_followed ? segment->end : segment->last_batch;
    if (end == 0) {
        return false;
    }
    segment->flipped = (uint8_t)(1u << luck / SIM_SEGMENTS % 8);
    segment->flipped_at = luck / SIM_SEGMENTS / 8 % end;
    segment->bytes[segment->flipped_at] ^= segment->flipped;
    *number = segment->number;
    *at = segment->flipped_at;
    return true;
}

bool sim_disk_is_damaged(const struct sim_disk *disk)
{
    for (uint64_t number = disk->first; number <= disk->last; number++) {
        const struct sim_segment *segment = find(disk, number);
        if (segment && segment->flipped) {
            return true;
        }
    }
    return false;
}

bool sim_disk_restore(struct sim_disk *disk, uint64_t number)
{
    struct sim_segment *segment = find(disk, number);
    if (!segment || !segment->flipped) {
        return false;
    }
    segment->bytes[segment->flipped_at] ^= segment->flipped;
    segment->flipped = 0;
    return true;
}
