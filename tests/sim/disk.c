#include "tests/sim/disk.h"

#include <assert.h>
#include <stdlib.h>

static struct sim_segment *find(const struct sim_disk *disk, uint64_t number)
{
    for (size_t i = disk->count; i-- > 0;) {
        if (disk->segments[i].number == number) {
            return (struct sim_segment *)&disk->segments[i];
        }
    }
    return NULL;
}

void sim_disk_clear(struct sim_disk *disk)
{
    for (size_t i = 0; i < disk->count; i++) {
        free(disk->segments[i].bytes);
    }
    *disk = (struct sim_disk){.count = 0};
}

static enum status range(void *user, uint64_t *first, uint64_t *last, struct error *why)
{
    const struct sim_disk *disk = user;
    (void)why;
    *first = *last = 0;
    for (size_t i = 0; i < disk->count; i++) {
        uint64_t number = disk->segments[i].number;
        *first = number != 0 && (*first == 0 || number < *first) ? number : *first;
        *last = number > *last ? number : *last;
    }
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
    const struct sim_segment *segment = find(user, number);
    if (!segment || offset + len > segment->len) {
        return error_set(why, ERR_IO, "the segment ends there");
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
    struct sim_segment *segment = find(disk, number);
    if (!segment) {
        assert(disk->count < SIM_SEGMENTS);
        segment = &disk->segments[disk->count++];
        *segment = (struct sim_segment){.number = number};
    }
    return segment;
}

static void put(struct sim_disk *disk, const struct journal_commit *commit, size_t len)
{
    struct sim_segment *segment = open_segment(disk, commit->segment);
    size_t end = (size_t)commit->offset + len;
    if (end > segment->room) {
        segment->room = end * 2;
        segment->bytes = realloc(segment->bytes, segment->room);
        assert(segment->bytes);
    }
    assert(segment->len == commit->offset);
    memcpy(segment->bytes + commit->offset, commit->bytes.at, len);
    segment->len = end;
}

void sim_disk_write(struct sim_disk *disk, const struct journal_commit *commit)
{
    put(disk, commit, commit->bytes.len);
}

void sim_disk_crash(struct sim_disk *disk, const struct journal_commit *commit, uint64_t luck)
{
    size_t len = commit->bytes.len;
    size_t hole_len = (size_t)8 << luck / 4 % 7; // from a word to a sector
    switch (luck % 4) {
    case 0:
        return;
    case 1:
        put(disk, commit, (size_t)(luck / 4 % (len + 1)));
        return;
    case 2:
        put(disk, commit, len);
        return;
    default:
        put(disk, commit, len);
        if (len > hole_len) {
            struct sim_segment *segment = find(disk, commit->segment);
            size_t hole = (size_t)commit->offset + luck / 64 % (len - hole_len);
            memset(segment->bytes + hole, 0, hole_len);
        }
        return;
    }
}

struct view sim_disk_read(const struct sim_disk *disk, struct journal_place place)
{
    const struct sim_segment *segment = find(disk, place.segment);
    if (!segment || (size_t)place.offset + place.bytes > segment->len) {
        return (struct view){"", 0};
    }
    return (struct view){(const char *)segment->bytes + place.offset, place.bytes};
}

void sim_disk_drop(struct sim_disk *disk, uint64_t number)
{
    struct sim_segment *segment = find(disk, number);
    if (segment) {
        free(segment->bytes);
        *segment = disk->segments[--disk->count];
    }
}
