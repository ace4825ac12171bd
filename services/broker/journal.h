// The journal: what makes an accepted article survive. Format in proto/record.h.
//
// This part decides what is written where, and reads it back; it does no I/O itself. The caller takes
// a batch (journal_next_commit), writes and syncs it, and says so (journal_committed). One batch is
// under way at a time; what comes meanwhile gathers in the next one. So a lone article is committed
// at once and a flood is amortised.
//
// An article is written once. When it is complete, eight bytes say so; a segment whose articles are all
// complete is dropped. Dropping goes from the oldest on, so that no DONE disappears before its ARTICLE.
#ifndef COPYDESK_JOURNAL_H
#define COPYDESK_JOURNAL_H

#include "common/buf.h"
#include "common/status.h"
#include "proto/record.h"

struct journal_config {
    uint32_t segment_bytes; // a new segment begins beyond it
    uint32_t
        retain_segments; // so many complete ones stay: what is dropped less often is carried on less often
    uint64_t hash_key[2]; // for a new journal; an old one has its own
};

extern const struct journal_config journal_defaults; // 64 MiB, 4 segments

// Where a record lies.
struct journal_place {
    uint64_t segment;
    uint32_t offset, bytes;
};

// The few calls recovery needs. Each returns OK, or a status with the reason in `why`.
struct disk {
    void *user;
    // The lowest and the highest segment number there is; both 0 when there is none.
    enum status (*range)(void *user, uint64_t *first, uint64_t *last, struct error *why);
    // Size of a segment; ERR_NOT_FOUND when it is missing.
    enum status (*size)(void *user, uint64_t segment, uint64_t *bytes, struct error *why);
    // Reads exactly `len` bytes.
    enum status (*read)(void *user, uint64_t segment, uint64_t offset, void *to, size_t len,
                        struct error *why);
    // Cuts a segment off at `bytes` and syncs.
    enum status (*cut)(void *user, uint64_t segment, uint64_t bytes, struct error *why);
};

struct journal;

// A journal over the disk of `config`, still closed; NULL when memory ran out. journal_free takes NULL.
struct journal *journal_new(const struct journal_config *config);
void journal_free(struct journal *journal);

// What recovery met, for the log.
struct journal_report {
    uint64_t segments, batches, records;
    uint64_t bytes; // of the whole batches and their headers; files may be longer
    // Cut off behind the last whole batch: one that was never acknowledged, or what the file held in an earlier life.
    uint64_t cut_segment, cut_bytes;
};

// Reads every segment in order and calls `each` with every record of every complete batch. Memory: one batch.
// A torn tail is cut off. A segment's file may have been an earlier segment's: records carry the number of their segment
// in the checksum and batches have rising numbers, so nothing of its earlier life is taken for a batch. What no reader
// can tell: damage within the very last batch looks like a torn write. ERR_FORMAT when a batch in the middle is damaged or a segment is missing, naming the
// segment and offset; ERR_VERSION when the format is a later one. `each` may stop it by its status.
MUST_CHECK enum status
journal_recover(struct journal *journal, const struct disk *disk,
                enum status (*each)(void *user, const struct record *record,
                                    struct journal_place place, struct error *why),
                void *user, struct journal_report *report, struct error *why);

// The hash key of this journal.
const uint64_t *journal_hash_key(const struct journal *journal);

// Makes sure that the next records of `bytes` together (record_size) can be appended, before the next commit: whatever their
// size, they go into one batch. False when memory ran out, and then nothing has changed but that a batch may have begun.
bool journal_reserve(struct journal *journal, size_t bytes, int64_t now_ms);

// Appends a record to the batch that gathers. False when memory ran out: nothing was appended.
// An ARTICLE counts as live in its segment until journal_done.
bool journal_append(struct journal *journal, const struct record *record, int64_t now_ms,
                    struct journal_place *place);

// Notes that the article `handle`, whose record lies at `place`, needs no more. Its DONE goes with the
// next batch.
bool journal_done(struct journal *journal, uint64_t handle, struct journal_place place);

// During recovery: the article whose record lies at `place` is done, or was written again later.
void journal_release(struct journal *journal, struct journal_place place);

// The article whose record lay at `old` was just appended again: `old` is not needed once that is on disk.
void journal_moved(struct journal *journal, struct journal_place old);

// Position up to which everything was appended; and up to which it is on disk. An article appended when the
// end was E is safe when journal_durable() >= E.
uint64_t journal_end(const struct journal *journal);
uint64_t journal_durable(const struct journal *journal);

// What waits to be committed: true when there are records, and since when only DONEs wait.
bool journal_has_records(const struct journal *journal);
size_t journal_waiting_done(const struct journal *journal);

// True while a batch is under way.
bool journal_is_committing(const struct journal *journal);

// The record at `place` while it is not on disk yet, or an empty view. Valid until the next append or commit.
struct view journal_pending_record(const struct journal *journal, struct journal_place place);

// Bytes gathered and not yet on disk; the caller pushes back when they grow too many.
size_t journal_pending_bytes(const struct journal *journal);

struct journal_commit {
    uint64_t segment;
    uint64_t offset;
    struct view bytes; // valid until journal_committed
    bool fresh;        // the segment's first batch: create the file
};

// The batch to write and sync now. False when one is under way or nothing waits.
bool journal_next_commit(struct journal *journal, int64_t now_ms, struct journal_commit *commit);

// The batch under way is on disk.
void journal_committed(struct journal *journal);

// The batch under way could not be written (no room). It stays under way: the same bytes go to the same
// place again when journal_retry is called.
bool journal_retry(const struct journal *journal, struct journal_commit *commit);

// Takes the oldest segment off the list when no live article is in it: the caller deletes its file. False otherwise.
// Complete segments stay while they are no more than retain_segments, or hold no more than `keep_bytes`.
bool journal_next_drop(struct journal *journal, uint64_t keep_bytes, uint64_t *segment);

// Bytes in all segments that were not dropped.
uint64_t journal_bytes(const struct journal *journal);

// The oldest segment that holds live articles, when no more than a quarter of them still live there and in `segments` or more
// between it and the newest; else 0. These stragglers should be appended again, so that it can be dropped. Where a backlog is
// being worked off its oldest segment has few live articles as well, but none behind it: they are done before they are copied.
uint64_t journal_straggling(const struct journal *journal, uint64_t segments);

#endif
