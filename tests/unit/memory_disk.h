// A disk in memory, a journal of small segments on it, and what recovery tells of it: for tests of the journal.
#ifndef COPYDESK_MEMORY_DISK_H
#define COPYDESK_MEMORY_DISK_H

#include "services/broker/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// A disk in memory: segment numbers are indexes.
enum { SEGMENTS = 64, SEGMENT_ROOM = 1 << 16, ARTICLES = 1024 };

struct memory_disk {
    uint8_t bytes[SEGMENTS][SEGMENT_ROOM];
    size_t len[SEGMENTS];
    bool there[SEGMENTS];
    bool reuses; // a fresh segment begins with the bytes of the one before, as a reused file does
};

// The calls of struct disk.
static inline enum status range(void *user, uint64_t *first, uint64_t *last, struct error *why)
{
    const struct memory_disk *disk = user;
    (void)why;
    *first = *last = 0;
    for (uint64_t i = 1; i < SEGMENTS; i++) {
        if (disk->there[i]) {
            *first = *first ? *first : i;
            *last = i;
        }
    }
    return OK;
}

static inline enum status size(void *user, uint64_t segment, uint64_t *bytes, struct error *why)
{
    const struct memory_disk *disk = user;
    *bytes = disk->len[segment];
    return disk->there[segment] ? OK : error_set(why, ERR_NOT_FOUND, "gone");
}

static inline enum status read_bytes(void *user, uint64_t segment, uint64_t offset, void *to,
                                     size_t len, struct error *why)
{
    const struct memory_disk *disk = user;
    (void)why;
    assert_true(offset + len <= disk->len[segment]);
    memcpy(to, disk->bytes[segment] + offset, len);
    return OK;
}

static inline enum status cut(void *user, uint64_t segment, uint64_t bytes, struct error *why)
{
    struct memory_disk *disk = user;
    (void)why;
    disk->len[segment] = (size_t)bytes;
    return OK;
}

// The first `len` bytes of the batch get to disk. A fresh segment takes the file the disk has for it, with what is in it.
static inline void write_part(struct memory_disk *disk, const struct journal_commit *commit,
                              size_t len)
{
    uint64_t segment = commit->segment;
    size_t end = (size_t)commit->offset + len;
    assert_true(segment < SEGMENTS);
    if (commit->fresh && disk->reuses && segment > 1 && !disk->there[segment]) {
        memcpy(disk->bytes[segment], disk->bytes[segment - 1], disk->len[segment - 1]);
        disk->len[segment] = disk->len[segment - 1];
    }
    assert_true(commit->offset <= disk->len[segment]);
    memcpy(disk->bytes[segment] + commit->offset, commit->bytes.at, len);
    disk->len[segment] = end > disk->len[segment] ? end : disk->len[segment];
    disk->there[segment] = true;
}

static inline void write_batch(struct memory_disk *disk, const struct journal_commit *commit)
{
    write_part(disk, commit, commit->bytes.len);
}

// An ARTICLE that borrows `document`.
static inline struct record article_record(uint64_t handle, const char *document)
{
    struct record record = {.type = RECORD_ARTICLE, .lane = 2, .handle = handle};
    record.is.article = (struct record_article){.key = {handle, ~handle},
                                                .version = 1,
                                                .id = (const uint8_t *)"id",
                                                .id_bytes = 2,
                                                .document = (const uint8_t *)document,
                                                .document_bytes = (uint32_t)strlen(document)};
    return record;
}

// Appends the article `handle`.
static inline struct journal_place append(struct journal *journal, uint64_t handle)
{
    struct journal_place place;
    char document[64];
    snprintf(document, sizeof document, "document %llu", (unsigned long long)handle);
    struct record record = article_record(handle, document);
    assert_true(journal_append(journal, &record, 0, &place));
    return place;
}

// Writes and commits all that was appended.
static inline void commit_all(struct journal *journal, struct memory_disk *disk)
{
    struct journal_commit commit;
    while (journal_next_commit(journal, 0, &commit)) {
        write_batch(disk, &commit);
        journal_committed(journal);
    }
}

// What recovery told: which articles live at the end.
struct told {
    struct journal *journal;
    bool live[ARTICLES];
    struct journal_place places[ARTICLES];
    size_t records;
};

static inline enum status tell(void *user, const struct record *record, struct journal_place place,
                               struct error *why)
{
    struct told *told = user;
    (void)why;
    told->records++;
    if (record->type == RECORD_ARTICLE) {
        told->live[record->handle] = true;
        told->places[record->handle] = place;
    }
    for (uint32_t i = 0; record->type == RECORD_DONE && i < record->count; i++) {
        uint64_t handle;
        memcpy(&handle, record->is.payload.at + i * 8, sizeof handle);
        told->live[handle] = false;
        journal_release(told->journal, told->places[handle]);
    }
    return OK;
}

// Reads the disk with a new journal, `told->journal`, which the caller frees.
static inline enum status recover(struct memory_disk *disk, struct told *told,
                                  struct journal_report *report, struct error *why)
{
    struct journal_config config = journal_defaults;
    config.segment_bytes = 4096;
    struct disk calls = {
        .user = disk, .range = range, .size = size, .read = read_bytes, .cut = cut};
    *told = (struct told){.journal = journal_new(&config)};
    return journal_recover(told->journal, &calls, tell, told, report, why);
}

// A journal of small segments; the caller frees it.
static inline struct journal *small_journal(void)
{
    struct journal_config config = journal_defaults;
    config.segment_bytes = 4096;
    config.retain_segments = 1;
    config.hash_key[0] = 42;
    return journal_new(&config);
}

// An empty disk; the caller frees it.
static inline struct memory_disk *new_disk(void)
{
    struct memory_disk *disk = calloc(1, sizeof *disk);
    assert_non_null(disk);
    return disk;
}

#endif
