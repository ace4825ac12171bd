#include "services/broker/journal.h"

#include "common/fault.h"
#include "proto/bytes.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

const struct journal_config journal_defaults = {
    .segment_bytes = 64 << 20,
    .retain_segments = 4,
};

// A batch larger than this is closed and the next one begun. Bounds what recovery holds in memory, single large articles
// aside, and what one write keeps: its buffers grow by doubling beside small things that live longer, so large ones cut up
// the heap. 500 articles of 4 KB are company enough for one sync.
enum { BATCH_BYTES = 1 << 20, COMMIT_BYTES = 24 };

static_assert(COMMIT_BYTES % 8 == 0, "records after a COMMIT are aligned");

// A run of records that goes to disk in one write.
struct batch {
    struct batch *next;
    uint64_t segment, offset;
    uint64_t number;
    uint64_t end; // position after it, for journal_durable
    bool fresh;
    size_t reserved; // bytes that are there for what comes next, however full the batch is
    struct buf bytes;
    uint64_t *released; // segments of articles whose DONE is in this batch
    size_t released_count, released_room;
};

// What is known of a segment that was not dropped.
struct segment {
    uint64_t number;
    uint64_t bytes;
    uint64_t articles; // ever written to it
    uint64_t live;     // of these, without a durable DONE
};

struct journal {
    struct journal_config config;
    struct segment *segments; // oldest first, numbered without gaps
    size_t segment_count, segment_room;
    uint64_t bytes; // of all of them
    uint64_t last_batch;
    uint64_t end, durable;
    struct batch *first, *last; // first may be under way
    bool under_way;
    struct buf spare; // memory of an earlier batch
    bool writing;     // the newest segment was begun by us, so it may be appended to
    bool empty;       // recovery found no batch in the newest segment: it is begun again
    struct buf done;  // handles that wait for the next batch
    uint64_t *done_segments;
    size_t done_count, done_room;
};

struct journal *journal_new(const struct journal_config *config)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (journal) {
        journal->config = *config;
        buf_init(&journal->done, (size_t)64 << 20);
    }
    return journal;
}

static void batch_free(struct batch *batch)
{
    buf_clear(&batch->bytes);
    free(batch->released);
    free(batch);
}

// A batch that is on disk leaves its memory to the next one.
static void batch_retire(struct journal *journal, struct batch *batch)
{
    if (!journal->spare.at && batch->bytes.cap <= 2 * BATCH_BYTES) {
        journal->spare = batch->bytes;
        buf_init(&batch->bytes, 0);
    }
    batch_free(batch);
}

static void batch_buf(struct journal *journal, struct buf *bytes)
{
    buf_init(bytes, (size_t)RECORD_BYTES_LIMIT * 2);
    if (journal->spare.at) {
        *bytes = journal->spare;
        buf_reset(bytes);
        buf_init(&journal->spare, 0);
    }
}

void journal_free(struct journal *journal)
{
    if (!journal) {
        return;
    }
    while (journal->first) {
        struct batch *next = journal->first->next;
        batch_free(journal->first);
        journal->first = next;
    }
    free(journal->segments);
    buf_clear(&journal->done);
    buf_clear(&journal->spare);
    free(journal->done_segments);
    free(journal);
}

const uint64_t *journal_hash_key(const struct journal *journal)
{
    return journal->config.hash_key;
}

static struct segment *find_segment(const struct journal *journal, uint64_t number)
{
    bool is_known = journal->segment_count > 0 && number >= journal->segments[0].number &&
                    number - journal->segments[0].number < journal->segment_count;
    return is_known ? &journal->segments[number - journal->segments[0].number] : NULL;
}

static struct segment *newest_segment(const struct journal *journal)
{
    return journal->segment_count > 0 ? &journal->segments[journal->segment_count - 1] : NULL;
}

static struct segment *add_segment(struct journal *journal, uint64_t number)
{
    assert(journal->segment_count == 0 || number == newest_segment(journal)->number + 1);
    if (journal->segment_count == journal->segment_room) {
        size_t room = journal->segment_room ? journal->segment_room * 2 : 16;
        struct segment *grown =
            fault_hit(FAULT_MEMORY) ? NULL : realloc(journal->segments, room * sizeof *grown);
        if (!grown) {
            return NULL;
        }
        journal->segments = grown;
        journal->segment_room = room;
    }
    struct segment *segment = &journal->segments[journal->segment_count++];
    *segment = (struct segment){.number = number};
    return segment;
}

static void add_bytes(struct journal *journal, struct segment *segment, uint64_t bytes)
{
    segment->bytes += bytes;
    journal->bytes += bytes;
}

static void add_article(struct segment *segment)
{
    segment->articles++;
    segment->live++;
}

// --- recovery

// What recovery carries from batch to batch.
struct recovery {
    struct journal *journal;
    const struct disk *disk;
    enum status (*each)(void *user, const struct record *record, struct journal_place place,
                        struct error *why);
    void *user;
    struct journal_report *report;
    struct buf batch;
    bool any_batch;
    uint16_t version; // of the segment's header; 0 when it is not sound
};

static enum status damaged(struct error *why, uint64_t segment, uint64_t offset, const char *what)
{
    return error_set(why, ERR_FORMAT,
                     "journal segment %" PRIu64 ", byte %" PRIu64
                     ": %s. Run `copydesk journal verify` and restore the segment from a copy; "
                     "nothing was changed",
                     segment, offset, what);
}

// Loads the batch at `offset` and checks every record in it. `*sound` tells whether all of it is there.
static enum status load_batch(struct recovery *recovery, uint64_t segment, uint64_t offset,
                              uint64_t size, bool *sound, struct error *why)
{
    uint8_t head[COMMIT_BYTES];
    struct record record;
    size_t taken;
    const struct disk *disk = recovery->disk;
    *sound = false;
    if (size - offset < COMMIT_BYTES) {
        return OK;
    }
    enum status status = disk->read(disk->user, segment, offset, head, sizeof head, why);
    if (status != OK) {
        return status;
    }
    if (record_read(&record, head, sizeof head, segment, &taken) != RECORD_OK ||
        record.type != RECORD_COMMIT || record.count < COMMIT_BYTES ||
        record.count > size - offset) {
        return OK;
    }
    buf_reset(&recovery->batch);
    char *room = buf_reserve(&recovery->batch, record.count);
    if (!room) {
        return error_set(why, ERR_MEMORY, "no memory for a batch of %u bytes", record.count);
    }
    recovery->batch.len = record.count;
    status = disk->read(disk->user, segment, offset, room, record.count, why);
    for (size_t at = COMMIT_BYTES; status == OK && at < record.count; at += taken) {
        struct record inner;
        enum record_fault fault =
            record_read(&inner, (const uint8_t *)room + at, record.count - at, segment, &taken);
        if (fault != RECORD_OK && fault != RECORD_UNKNOWN) {
            return OK;
        }
    }
    *sound = status == OK;
    return status;
}

// A batch that begins a segment is not the next one: what is missing stood in the segment before.
static enum status missing(const struct recovery *recovery, uint64_t segment, uint64_t offset,
                           struct error *why)
{
    const struct segment *before = find_segment(recovery->journal, segment - 1);
    if (before && offset <= SEGMENT_HEADER_BYTES) {
        return damaged(why, before->number, before->bytes,
                       "a batch is damaged or missing and later segments follow");
    }
    return damaged(why, segment, offset, "batches are missing before this one");
}

static enum status apply_batch(struct recovery *recovery, uint64_t segment, uint64_t offset,
                               struct error *why)
{
    const uint8_t *bytes = (const uint8_t *)recovery->batch.at;
    struct journal *journal = recovery->journal;
    struct record commit;
    size_t taken;
    record_read_again(&commit, bytes, &taken);
    if (recovery->any_batch && commit.handle != journal->last_batch + 1) {
        return missing(recovery, segment, offset, why);
    }
    recovery->any_batch = true;
    journal->last_batch = commit.handle;
    recovery->report->batches++;
    for (size_t at = COMMIT_BYTES; at < recovery->batch.len; at += taken) {
        struct record record;
        enum record_fault fault = record_read_again(&record, bytes + at, &taken);
        if (fault == RECORD_UNKNOWN) {
            return error_set(why, ERR_VERSION,
                             "journal segment %" PRIu64
                             " was written by a later version (record type %u); upgrade copydesk",
                             segment, record.type);
        }
        assert(fault == RECORD_OK);
        struct journal_place place = {segment, (uint32_t)(offset + at), (uint32_t)taken};
        if (record.type == RECORD_ARTICLE) {
            add_article(find_segment(journal, segment));
        }
        recovery->report->records++;
        enum status status = recovery->each(recovery->user, &record, place, why);
        if (status != OK) {
            return status;
        }
    }
    return OK;
}

// Looks for the beginning of a later batch anywhere behind `offset`: then what stands at `offset` is no torn tail. When it
// is the segment's header that did not get to disk, the batch right behind it is the torn one itself.
static enum status find_later_batch(struct recovery *recovery, uint64_t segment, uint64_t offset,
                                    uint64_t size, bool *found, struct error *why)
{
    enum { WINDOW = 1 << 16 };
    uint8_t window[WINDOW];
    const struct disk *disk = recovery->disk;
    *found = false;
    for (uint64_t at = (offset + 8) & ~(uint64_t)7; at + COMMIT_BYTES <= size;
         at += WINDOW - COMMIT_BYTES) {
        size_t len = size - at < WINDOW ? (size_t)(size - at) : WINDOW;
        enum status status = disk->read(disk->user, segment, at, window, len, why);
        if (status != OK) {
            return status;
        }
        for (size_t i = 0; i + COMMIT_BYTES <= len; i += 8) {
            struct record record;
            size_t taken;
            bool is_torn_one = offset == 0 && at + i == SEGMENT_HEADER_BYTES;
            if (!is_torn_one && get_u32(window + i) == COMMIT_BYTES &&
                window[i + 8] == RECORD_COMMIT &&
                record_read(&record, window + i, COMMIT_BYTES, segment, &taken) == RECORD_OK &&
                record.handle > recovery->journal->last_batch) {
                *found = true;
                return OK;
            }
        }
    }
    return OK;
}

static enum status end_segment(struct recovery *recovery, uint64_t segment, uint64_t offset,
                               uint64_t size, bool is_last, struct error *why)
{
    bool later;
    enum status status = find_later_batch(recovery, segment, offset, size, &later, why);
    if (status != OK) {
        return status;
    }
    if (later) {
        return damaged(why, segment, offset, "a batch is damaged and sound ones follow it");
    }
    // Files of version 1 end with their last batch: an earlier tail was cut off before the next segment began. Later ones may
    // hold an earlier life's bytes there; what is missing shows in the next segment's header.
    if (offset != size && !is_last && recovery->version == 1) {
        return damaged(why, segment, offset, "a batch is damaged and later segments follow");
    }
    // Nothing in it: it is begun again, so that no segment without a batch ever stands before another.
    recovery->journal->empty = is_last && offset <= SEGMENT_HEADER_BYTES;
    offset = recovery->journal->empty ? 0 : offset;
    add_bytes(recovery->journal, find_segment(recovery->journal, segment), offset);
    recovery->report->bytes += offset;
    if (offset == size || !is_last) {
        return OK;
    }
    recovery->report->cut_segment = segment;
    recovery->report->cut_bytes = size - offset;
    return recovery->disk->cut(recovery->disk->user, segment, offset, why);
}

static enum status read_header(struct recovery *recovery, uint64_t segment, uint64_t size,
                               bool is_last, bool *sound, struct error *why)
{
    uint8_t bytes[SEGMENT_HEADER_BYTES];
    struct segment_header header;
    *sound = false;
    recovery->version = 0;
    if (size < sizeof bytes) {
        return OK;
    }
    enum status status =
        recovery->disk->read(recovery->disk->user, segment, 0, bytes, sizeof bytes, why);
    if (status != OK || !segment_header_read(&header, bytes, sizeof bytes)) {
        return status;
    }
    if (header.version > RECORD_VERSION) {
        return error_set(why, ERR_VERSION,
                         "journal segment %" PRIu64
                         " has format %u, this program reads up to %d; upgrade copydesk",
                         segment, header.version, RECORD_VERSION);
    }
    if (header.number < segment && is_last) {
        return OK; // a reused file: the crash came before its first batch
    }
    if (header.number != segment) {
        return damaged(why, segment, 16, "the file holds another segment");
    }
    memcpy(recovery->journal->config.hash_key, header.hash_key, sizeof header.hash_key);
    *sound = true;
    recovery->version = header.version;
    bool is_first = recovery->journal->segments[0].number == segment;
    uint64_t next = recovery->any_batch ? recovery->journal->last_batch + 1 : 1;
    if (header.first_batch != 0 && header.first_batch != next &&
        (recovery->any_batch || !is_first)) {
        return missing(recovery, segment, 0, why);
    }
    return OK;
}

static enum status recover_segment(struct recovery *recovery, uint64_t segment, bool is_last,
                                   struct error *why)
{
    uint64_t size;
    bool sound;
    enum status status = recovery->disk->size(recovery->disk->user, segment, &size, why);
    if (status == ERR_NOT_FOUND) {
        return damaged(why, segment, 0, "the segment's file is missing");
    }
    if (status != OK) {
        return status;
    }
    if (!add_segment(recovery->journal, segment)) {
        return error_set(why, ERR_MEMORY, "no memory to recover the journal");
    }
    recovery->report->segments++;
    status = read_header(recovery, segment, size, is_last, &sound, why);
    uint64_t offset = sound ? SEGMENT_HEADER_BYTES : 0;
    while (status == OK && sound) {
        status = load_batch(recovery, segment, offset, size, &sound, why);
        if (status == OK && sound) {
            status = apply_batch(recovery, segment, offset, why);
            offset += recovery->batch.len;
        }
    }
    return status == OK ? end_segment(recovery, segment, offset, size, is_last, why) : status;
}

enum status journal_recover(struct journal *journal, const struct disk *disk,
                            enum status (*each)(void *user, const struct record *record,
                                                struct journal_place place, struct error *why),
                            void *user, struct journal_report *report, struct error *why)
{
    struct recovery recovery = {
        .journal = journal, .disk = disk, .each = each, .user = user, .report = report};
    uint64_t first, last;
    *report = (struct journal_report){0};
    enum status status = disk->range(disk->user, &first, &last, why);
    buf_init(&recovery.batch, (size_t)RECORD_BYTES_LIMIT * 2);
    for (uint64_t segment = first; status == OK && segment != 0 && segment <= last; segment++) {
        status = recover_segment(&recovery, segment, segment == last, why);
    }
    buf_clear(&recovery.batch);
    return status;
}

// --- appending

// The segment that a batch of `bytes` goes to, and whether it begins there. A journal that was just opened never appends to
// an old segment: it may have been cut. NULL when memory ran out.
static struct segment *segment_for(struct journal *journal, size_t bytes, bool *fresh)
{
    struct segment *newest = newest_segment(journal);
    *fresh = !journal->writing || newest->bytes + bytes > journal->config.segment_bytes;
    if (!*fresh || journal->empty) {
        return newest;
    }
    return add_segment(journal, newest ? newest->number + 1 : 1);
}

static void write_header(const struct journal *journal, struct batch *batch, int64_t now_ms)
{
    struct segment_header header = {.version = RECORD_VERSION,
                                    .number = batch->segment,
                                    .created_ms = now_ms,
                                    .first_batch = batch->number};
    memcpy(header.hash_key, journal->config.hash_key, sizeof header.hash_key);
    segment_header_write((uint8_t *)batch->bytes.at, &header);
}

// Begins a batch with room for `more` bytes of records. What can fail comes first: a segment that was begun for a batch that
// is not there would never be written.
static struct batch *new_batch(struct journal *journal, size_t more, int64_t now_ms)
{
    struct batch *batch = fault_hit(FAULT_MEMORY) ? NULL : calloc(1, sizeof *batch);
    size_t bytes = SEGMENT_HEADER_BYTES + COMMIT_BYTES + more;
    if (!batch) {
        return NULL;
    }
    batch_buf(journal, &batch->bytes);
    char *room = buf_reserve(&batch->bytes, bytes);
    struct segment *segment = room ? segment_for(journal, bytes, &batch->fresh) : NULL;
    if (!segment) {
        batch_free(batch);
        return NULL;
    }
    journal->writing = true;
    journal->empty = false;
    batch->segment = segment->number;
    batch->offset = segment->bytes;
    batch->number = ++journal->last_batch;
    batch->end = journal->end;
    batch->bytes.len = COMMIT_BYTES;
    if (batch->fresh) {
        write_header(journal, batch, now_ms);
        batch->bytes.len += SEGMENT_HEADER_BYTES;
    }
    memset(batch->bytes.at + batch->bytes.len - COMMIT_BYTES, 0,
           COMMIT_BYTES); // written when the batch is closed
    add_bytes(journal, segment, batch->bytes.len);
    *(journal->last ? &journal->last->next : &journal->first) = batch;
    journal->last = batch;
    return batch;
}

// The batch that takes `more` bytes: the last one unless it is under way, full or its segment is. NULL when memory ran out.
static struct batch *open_batch(struct journal *journal, size_t more, int64_t now_ms)
{
    struct batch *batch = journal->last;
    bool under_way = batch && batch == journal->first && journal->under_way;
    bool has_room = batch && batch->bytes.len + more <= BATCH_BYTES &&
                    newest_segment(journal)->bytes + more <= journal->config.segment_bytes;
    if (batch && !batch->bytes.full && !under_way && (has_room || more <= batch->reserved)) {
        return buf_reserve(&batch->bytes, more) ? batch : NULL;
    }
    return new_batch(journal, more, now_ms);
}

bool journal_reserve(struct journal *journal, size_t bytes, int64_t now_ms)
{
    struct batch *batch = open_batch(journal, bytes, now_ms);
    if (batch && batch->reserved < bytes) {
        batch->reserved = bytes;
    }
    return batch != NULL;
}

bool journal_append(struct journal *journal, const struct record *record, int64_t now_ms,
                    struct journal_place *place)
{
    size_t size = record_size(record);
    struct batch *batch = open_batch(journal, size, now_ms);
    if (!batch) {
        return false;
    }
    record_write((uint8_t *)batch->bytes.at + batch->bytes.len, record, batch->segment);
    *place = (struct journal_place){batch->segment, (uint32_t)(batch->offset + batch->bytes.len),
                                    (uint32_t)size};
    batch->bytes.len += size;
    batch->reserved -= size < batch->reserved ? size : batch->reserved;
    add_bytes(journal, newest_segment(journal), size);
    if (record->type == RECORD_ARTICLE) {
        add_article(newest_segment(journal));
    }
    batch->end = ++journal->end;
    return true;
}

bool journal_done(struct journal *journal, uint64_t handle, struct journal_place place)
{
    if (journal->done_count == journal->done_room) {
        size_t room = journal->done_room ? journal->done_room * 2 : 64;
        uint64_t *grown =
            fault_hit(FAULT_MEMORY) ? NULL : realloc(journal->done_segments, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        journal->done_segments = grown;
        journal->done_room = room;
    }
    char *at = buf_reserve(&journal->done, sizeof handle);
    if (!at) {
        journal->done.full = false; // for this one; there may be memory for the next
        return false;
    }
    set_u64(at, handle);
    journal->done.len += sizeof handle;
    journal->done_segments[journal->done_count++] = place.segment;
    return true;
}

uint64_t journal_end(const struct journal *journal)
{
    return journal->end;
}

uint64_t journal_durable(const struct journal *journal)
{
    return journal->durable;
}

bool journal_has_records(const struct journal *journal)
{
    return journal->first && !(journal->under_way && journal->first == journal->last);
}

size_t journal_waiting_done(const struct journal *journal)
{
    return journal->done_count;
}

bool journal_is_committing(const struct journal *journal)
{
    return journal->under_way;
}

struct view journal_pending_record(const struct journal *journal, struct journal_place place)
{
    for (const struct batch *batch = journal->first; batch; batch = batch->next) {
        if (batch->segment == place.segment && place.offset >= batch->offset &&
            (uint64_t)place.offset + place.bytes <= batch->offset + batch->bytes.len) {
            return (struct view){batch->bytes.at + (place.offset - batch->offset), place.bytes};
        }
    }
    return (struct view){"", 0};
}

size_t journal_pending_bytes(const struct journal *journal)
{
    size_t bytes = 0;
    for (const struct batch *batch = journal->first; batch; batch = batch->next) {
        bytes += batch->bytes.len;
    }
    return bytes;
}

// --- commits

// Lets go of one live article of `segment` once the batch is on disk. Without memory for the note the
// segment only stays longer than it must, until the next start counts again.
static void release_with(struct batch *batch, uint64_t segment)
{
    if (batch->released_count == batch->released_room) {
        size_t room = batch->released_room ? batch->released_room * 2 : 64;
        uint64_t *grown =
            fault_hit(FAULT_MEMORY) ? NULL : realloc(batch->released, room * sizeof *grown);
        if (!grown) {
            return;
        }
        batch->released = grown;
        batch->released_room = room;
    }
    batch->released[batch->released_count++] = segment;
}

static void release(struct journal *journal, uint64_t number)
{
    struct segment *segment = find_segment(journal, number);
    if (segment) {
        assert(segment->live > 0);
        segment->live--;
    }
}

void journal_release(struct journal *journal, struct journal_place place)
{
    release(journal, place.segment);
}

void journal_moved(struct journal *journal, struct journal_place old)
{
    release_with(journal->last, old.segment);
}

// Turns the gathered handles into a record of the last batch, which then releases their articles.
static bool write_done(struct journal *journal, int64_t now_ms)
{
    struct journal_place place;
    struct record record = {.type = RECORD_DONE, .count = (uint32_t)journal->done_count};
    if (journal->done_count == 0) {
        return true;
    }
    record.is.payload.at = (const uint8_t *)journal->done.at;
    record.is.payload.bytes = (uint32_t)journal->done.len;
    if (!journal_append(journal, &record, now_ms, &place)) {
        return false;
    }
    for (size_t i = 0; i < journal->done_count; i++) {
        release_with(journal->last, journal->done_segments[i]);
    }
    buf_reset(&journal->done);
    journal->done_count = 0;
    return true;
}

static void close_batch(struct batch *batch)
{
    size_t head = batch->fresh ? SEGMENT_HEADER_BYTES : 0;
    struct record commit = {.type = RECORD_COMMIT,
                            .count = (uint32_t)(batch->bytes.len - head),
                            .handle = batch->number};
    record_write((uint8_t *)batch->bytes.at + head, &commit, batch->segment);
}

static struct journal_commit commit_of(const struct batch *batch)
{
    return (struct journal_commit){.segment = batch->segment,
                                   .offset = batch->offset,
                                   .bytes = buf_view(&batch->bytes),
                                   .fresh = batch->fresh};
}

bool journal_next_commit(struct journal *journal, int64_t now_ms, struct journal_commit *commit)
{
    if (journal->under_way || !write_done(journal, now_ms) || !journal->first) {
        return false;
    }
    close_batch(journal->first);
    journal->under_way = true;
    *commit = commit_of(journal->first);
    return true;
}

bool journal_retry(const struct journal *journal, struct journal_commit *commit)
{
    if (journal->under_way) {
        *commit = commit_of(journal->first);
    }
    return journal->under_way;
}

void journal_committed(struct journal *journal)
{
    struct batch *batch = journal->first;
    assert(journal->under_way && batch);
    for (size_t i = 0; i < batch->released_count; i++) {
        release(journal, batch->released[i]);
    }
    journal->durable = batch->end;
    journal->under_way = false;
    journal->first = batch->next;
    if (!journal->first) {
        journal->last = NULL;
    }
    batch_retire(journal, batch);
}

bool journal_next_drop(struct journal *journal, uint64_t keep_bytes, uint64_t *number)
{
    struct segment *segments = journal->segments;
    uint64_t complete = 0;
    uint64_t bytes = 0;
    while (complete + 1 < journal->segment_count && segments[complete].live == 0) {
        bytes += segments[complete++].bytes;
    }
    if (complete <= journal->config.retain_segments || bytes <= keep_bytes) {
        return false;
    }
    *number = segments[0].number;
    journal->bytes -= segments[0].bytes;
    memmove(segments, segments + 1, --journal->segment_count * sizeof *segments);
    return true;
}

uint64_t journal_bytes(const struct journal *journal)
{
    return journal->bytes;
}

static bool is_worked_off(const struct segment *segment)
{
    return segment->live * 4 <= segment->articles;
}

uint64_t journal_straggling(const struct journal *journal, uint64_t segments)
{
    uint64_t passed = 0;
    size_t oldest = 0; // that lives
    while (oldest < journal->segment_count && journal->segments[oldest].live == 0) {
        oldest++;
    }
    if (oldest + 1 >= journal->segment_count || !is_worked_off(&journal->segments[oldest])) {
        return 0;
    }
    for (size_t at = oldest + 1; at + 1 < journal->segment_count; at++) {
        passed += is_worked_off(&journal->segments[at]);
    }
    return passed >= segments ? journal->segments[oldest].number : 0;
}
