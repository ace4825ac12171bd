// What the core keeps on disk: recovery, commits, and which segments may go.
#include "proto/bytes.h"
#include "services/broker/core_state.h"
#include "services/broker/dlq.h"

#include <assert.h>
#include <stdio.h>

// An article that keeps a segment so far behind the newest one is written again.
enum { STRAGGLE_SEGMENTS = 8 };

// How often articles are looked through for sections to give up; an embargo that ends sooner keeps them.
enum { PARK_MS = 250, PARK_EMBARGO_MS = 60000 };

// What a remembered id takes in the journal.
enum { MEMORY_BYTES = RECORD_HEAD_BYTES + RECORD_SEEN_BYTES };

// --- recovery

struct replay {
    struct core *core;
    int64_t now_ms;
    struct buf names; // of the last PIPELINE: what stage numbers meant when they were written
};

// Ends an article the journal says is done.
static void end_replayed(struct core *core, struct queued_article *article)
{
    if (queue_discard(core->queue, article->handle)) {
        queue_take_ended(core->queue);
        journal_release(core->journal, core_place(article));
        core_let_go(core, article);
    }
}

// An article that was accepted again had ended, even when the DONE of its first run did not reach the disk.
static void end_first_run(struct core *core, const struct record_article *again)
{
    struct queued_article *head = queue_head(core->queue, again->key);
    if (head && head->story.version == again->version) {
        end_replayed(core, head);
    }
}

// The present number of the stage that had this one; 0 when it is gone.
static uint32_t present_stage(const struct replay *at, uint32_t number)
{
    struct view rest = buf_view(&at->names);
    struct view name = {"", 0};
    if (rest.len == 0) {
        return number; // a journal that does not tell
    }
    for (uint32_t i = 0; i < number; i++) {
        if (!view_next_word(&rest, &name)) {
            return 0;
        }
    }
    return graph_find(&at->core->graph, name);
}

static enum status replay_article(struct core *core, const struct record *record,
                                  struct journal_place place, int64_t now_ms, struct error *why)
{
    const struct record_article *from = &record->is.article;
    bool is_new = record->handle >= core->next_handle;
    struct queued_article *article = is_new ? NULL : queue_find(core->queue, record->handle);
    core->next_handle = is_new ? record->handle + 1 : core->next_handle;
    if (article) { // written again to free its old segment
        journal_release(core->journal, core_place(article));
        core_set_place(article, place);
        return OK;
    }
    struct queue_put put = {.handle = record->handle,
                            .key = {from->key[0], from->key[1]},
                            .version = from->version,
                            .content_hash = from->content_hash,
                            .deadline_ms = from->deadline_ms,
                            .embargo_ms = from->embargo_ms,
                            .lane = record->lane,
                            .pubstatus = record->pubstatus,
                            .again = (record->flags & RECORD_AGAIN) != 0,
                            .asleep = true};
    if (put.again) {
        end_first_run(core, from);
    }
    struct holding *holding =
        holding_new(&core->holdings, (struct view){(const char *)from->id, from->id_bytes});
    enum wire_outcome outcome =
        holding ? queue_put(core->queue, &put, now_ms, &article) : WIRE_BUSY;
    if (outcome == WIRE_BUSY) {
        holding_free(&core->holdings, holding);
        return error_set(why, ERR_MEMORY, "no memory to recover article %.*s", (int)from->id_bytes,
                         (const char *)from->id);
    }
    if (outcome != WIRE_ACCEPTED) { // a later version stands before it in the journal
        journal_release(core->journal, place);
        holding_free(&core->holdings, holding);
        return OK;
    }
    article->accepted_ms = from->accepted_ms;
    article->holding = holding;
    core_set_place(article, place);
    core_settle_ended(core, now_ms);
    return OK;
}

static uint64_t handle_at(const struct record *record, uint32_t i)
{
    return get_u64(record->is.payload.at + (size_t)i * sizeof(uint64_t));
}

static void replay_done(struct core *core, const struct record *record)
{
    for (uint32_t i = 0; i < record->count; i++) {
        struct queued_article *article = queue_find(core->queue, handle_at(record, i));
        if (article) {
            end_replayed(core, article);
        }
    }
}

static void replay_dead(const struct replay *at, const struct record *record)
{
    struct core *core = at->core;
    const struct record_dead *from = &record->is.dead;
    struct queued_article *article = queue_find(core->queue, record->handle);
    if (!article || article->state != ARTICLE_LIVE) {
        return;
    }
    struct dead_letter dead = {.stage = present_stage(at, record->count),
                               .attempts = from->attempts,
                               .at_ms = from->at_ms};
    snprintf(dead.worker, sizeof dead.worker, "%.*s", from->worker_bytes,
             (const char *)from->worker);
    snprintf(dead.reason, sizeof dead.reason, "%.*s", from->reason_bytes,
             (const char *)from->reason);
    queue_shelve(core->queue, article, &dead);
    queue_take_ended(core->queue);
    core_bury(core, article);
}

static void replay_progress(const struct replay *at, const struct record *record)
{
    uint32_t stage = present_stage(at, record->count);
    for (uint32_t i = 0; stage > 0 && i < record->is.payload.bytes / 8; i++) {
        queue_deliver(at->core->queue, handle_at(record, i), stage);
        core_settle_ended(at->core, at->now_ms);
    }
}

static enum status replay(void *user, const struct record *record, struct journal_place place,
                          struct error *why)
{
    struct replay *at = user;
    struct core *core = at->core;
    switch (record->type) {
    case RECORD_ARTICLE:
        return replay_article(core, record, place, at->now_ms, why);
    case RECORD_DONE:
        replay_done(core, record);
        break;
    case RECORD_DEAD:
        replay_dead(at, record);
        break;
    case RECORD_REVIVED:
        queue_revive(core->queue, record->handle, false, at->now_ms);
        break;
    case RECORD_SEEN:
        queue_remember(core->queue,
                       &(struct story){.key = {record->is.seen.key[0], record->is.seen.key[1]},
                                       .version = record->is.seen.version,
                                       .content_hash = record->is.seen.content_hash,
                                       .canceled = record->pubstatus == WIRE_CANCELED});
        break;
    case RECORD_PIPELINE:
        buf_reset(&at->names);
        buf_add(&at->names,
                (struct view){(const char *)record->is.payload.at, record->is.payload.bytes});
        break;
    case RECORD_PROGRESS:
        replay_progress(at, record);
        break;
    default:
        break;
    }
    return OK;
}

enum status core_recover(struct core *core, const struct disk *disk, int64_t now_ms,
                         struct journal_report *report, struct error *why)
{
    struct replay at = {.core = core, .now_ms = now_ms};
    buf_init(&at.names, 1 << 16);
    enum status status = journal_recover(core->journal, disk, replay, &at, report, why);
    buf_clear(&at.names);
    if (status == OK && !queue_wake(core->queue, now_ms)) {
        return error_set(why, ERR_MEMORY, "no memory for what recovered articles have to do");
    }
    return status;
}

// --- reading back and writing again

// Writes a straggler again, so that its old segment can go. A dead letter's reason goes with it, and which sinks have it.
static void move_article(struct core *core, struct queued_article *article, struct view document,
                         int64_t now_ms)
{
    struct journal_place old = core_place(article);
    const struct holding_trace *trace = &holding_look(core_holding(article))->trace;
    if (old.segment != core->moving || !intake_append(core, article, trace, document, now_ms)) {
        return;
    }
    journal_moved(core->journal, old);
    if (article->state == ARTICLE_DEAD && queue_extra(article)->dead) {
        core_append_dead(core, article, now_ms);
    }
    progress_carry(core, article, now_ms);
}

static void move_stragglers(struct core *core, int64_t now_ms)
{
    size_t at = 0;
    struct queued_article *article;
    uint64_t segment = journal_straggling(core->journal, STRAGGLE_SEGMENTS);
    if (segment == 0 || segment == core->moving) {
        return;
    }
    core->moving = segment;
    while ((article = queue_next(core->queue, &at))) {
        const struct holding *holding = core_holding(article);
        if (article->story.evidence != segment) {
            continue;
        }
        const struct holding_warm *warm = holding_look(holding);
        if (warm->document) {
            struct view document = {warm->document, warm->document_len};
            move_article(core, article, document, now_ms);
        } else {
            keep_fetch(core, article);
        }
    }
}

// What the article's record says; false when the bytes are not that record.
static bool read_article(uint64_t handle, struct journal_place place, struct view bytes,
                         struct record *record)
{
    size_t size;
    return record_read(record, (const uint8_t *)bytes.at, bytes.len, place.segment, &size) ==
               RECORD_OK &&
           record->type == RECORD_ARTICLE && record->handle == handle;
}

static struct view document_of(const struct record *record)
{
    const struct record_article *from = &record->is.article;
    return (struct view){(const char *)from->document, from->document_bytes};
}

// False when memory ran out.
static bool take_document(struct core *core, struct holding *holding, const struct record *record)
{
    const struct record_article *from = &record->is.article;
    struct holding_trace trace = {.flags = from->trace_flags};
    memcpy(trace.id, from->trace_id, sizeof trace.id);
    memcpy(trace.span, from->span_id, sizeof trace.span);
    core_count_bytes(core, holding, false);
    bool taken = holding_set_document(&core->holdings, holding, document_of(record), &trace);
    core_count_bytes(core, holding, true);
    return taken;
}

// The holding has to make room, unless it was handed out.
static void cool(struct core *core, struct holding *holding)
{
    core_count_bytes(core, holding, false);
    holding_cool(&core->holdings, holding);
    core_count_bytes(core, holding, true);
}

void keep_fetch(struct core *core, const struct queued_article *article)
{
    struct holding *holding = core_holding(article);
    struct journal_place place = core_place(article);
    struct record record;
    struct view pending = journal_pending_record(core->journal, place);
    if (holding->loading) {
        return;
    }
    // A straggler that was just written again is not on disk yet, and need not be.
    if (pending.len > 0 && read_article(article->handle, place, pending, &record)) {
        take_document(core, holding, &record);
        return;
    }
    struct action action = {.kind = ACTION_READ, .handle = article->handle, .place = place};
    holding->loading = core_act(core, &action);
}

void core_read(struct core *core, uint64_t handle, struct journal_place place, struct view bytes,
               int64_t now_ms)
{
    struct record record;
    struct queued_article *article = queue_find(core->queue, handle);
    if (!article) {
        return;
    }
    struct holding *holding = core_holding(article);
    holding->loading = false;
    bool is_readable = read_article(handle, place, bytes, &record);
    if (!is_readable && article->state == ARTICLE_DEAD && place.segment != core->moving) {
        dlq_shown(core, article, (struct view){NULL, 0},
                  now_ms); // who looks must not end the broker
        return;
    }
    if (!is_readable) {
        core_stop(core, "an accepted article cannot be read back from the journal; run `copydesk "
                        "journal verify`");
        return;
    }
    dlq_shown(core, article, document_of(&record), now_ms);
    if (!take_document(core, holding, &record)) {
        handout_drop_load(core, handle); // and not read it again and again
        return;
    }
    move_article(core, article, document_of(&record), now_ms);
    if (article->state != ARTICLE_LIVE) {
        cool(core, holding);
    }
}

// --- commits

bool keep_reserve(struct core *core, size_t bytes, int64_t now_ms)
{
    return core_list_reserve(&core->unsafe, sizeof(struct unsafe)) &&
           journal_reserve(core->journal, bytes, now_ms);
}

void keep_until_safe(struct core *core, uint64_t handle)
{
    struct unsafe *unsafe = core_list_push(&core->unsafe, sizeof *unsafe);
    *unsafe = (struct unsafe){handle, journal_end(core->journal)};
}

// The document of an article that just became safe and will not be needed soon gives up its memory.
static void spill(struct core *core, const struct queued_article *article)
{
    struct holding *holding = core_holding(article);
    if (core->document_bytes > core->config.document_bytes && holding &&
        holding_look(holding)->document && !queue_is_begun(core->queue, article)) {
        cool(core, holding);
    }
}

// Sinks may have what is on disk now.
static void confirm(struct core *core, int64_t now_ms)
{
    struct list *list = &core->unsafe;
    for (; list->first < list->end; list->first++) {
        const struct unsafe *unsafe = (struct unsafe *)list->at + list->first;
        const struct queued_article *article = queue_find(core->queue, unsafe->handle);
        if (unsafe->safe_at > journal_durable(core->journal)) {
            return;
        }
        queue_confirm(core->queue, unsafe->handle, now_ms);
        if (article) {
            spill(core, article);
        }
    }
}

// Some article may wait long: for a sink of the set `idle`, or for its embargo.
static bool may_wait_long(const struct core *core, uint32_t idle)
{
    const struct queue_counts *counts = queue_counts(core->queue);
    size_t delayed = 0;
    for (uint32_t i = 0; i < core->graph.count; i++) {
        delayed += core->graph.terminal & graph_bit(i + 1) ? counts->stages[i].delayed : 0;
    }
    return idle != 0 || delayed > 0;
}

// Sections that nobody will fetch soon, because their sink is away or their embargo is long, give up their memory when that
// gets short: or the articles behind them would wait as well. The stages make them again.
void keep_park(struct core *core, int64_t now_ms)
{
    uint32_t idle;
    struct queued_article *article;
    size_t at = 0;
    size_t count = 0;
    if (core->section_bytes < core->config.section_bytes / 4 * 3 ||
        now_ms - core->parked_ms < PARK_MS) {
        return;
    }
    core->parked_ms = now_ms;
    idle = core->graph.terminal & ~handout_staffed(core);
    if (!may_wait_long(core, idle)) {
        return;
    }
    while (core->section_bytes > core->config.section_bytes / 2 &&
           (article = queue_next(core->queue, &at))) {
        struct holding *holding = core_holding(article);
        bool at_sinks = (core->graph.inner & ~article->done) == 0;
        if (at_sinks && holding_look(holding)->section_bytes > 0 &&
            queue_park(core->queue, article, idle, now_ms + PARK_EMBARGO_MS)) {
            cool(core, holding);
            count++;
        }
    }
    if (count > 0) {
        core_say(core,
                 "memory for sections is short: what stages made of %zu articles that wait for "
                 "sinks was given up and will be made again",
                 count);
    }
}

// What the segment alone knew of ended articles is written again, so that a restart still tells a duplicate,
// a late version and a killed story from news. False when memory ran out: the rest comes with the next call.
static bool carry_memories(struct core *core, uint64_t segment, int64_t now_ms)
{
    size_t at = 0;
    struct story *story;
    while ((story = queue_next_memory(core->queue, &at))) {
        if (story->evidence > segment) {
            continue;
        }
        struct journal_place place;
        struct record record = {.type = RECORD_SEEN,
                                .pubstatus = story->canceled ? WIRE_CANCELED : WIRE_USABLE};
        record.is.seen = (struct record_seen){.key = {story->key[0], story->key[1]},
                                              .version = story->version,
                                              .content_hash = story->content_hash};
        if (!journal_append(core->journal, &record, now_ms, &place)) {
            return false;
        }
        story->evidence = (uint32_t)place.segment;
    }
    return true;
}

static void carry(struct core *core, int64_t now_ms)
{
    bool carried = carry_memories(core, core->dropping, now_ms);
    core->drop_at = carried ? journal_end(core->journal) : 0;
}

// A segment goes in two steps: what must stay is written elsewhere, and when that is on disk the file goes.
static void drop_segments(struct core *core, int64_t now_ms)
{
    if (core->dropping != 0 && core->drop_at == 0) {
        carry(core, now_ms);
    } else if (core->dropping != 0 && journal_durable(core->journal) >= core->drop_at) {
        struct action action = {.kind = ACTION_DROP, .segment = core->dropping};
        // They go in their order, or recovery would miss one: without memory it is tried again.
        core->dropping = core_act(core, &action) ? 0 : core->dropping;
    }
    // Carrying memories on must cost less than what is dropped, or the journal would chase its own tail.
    uint64_t keep_bytes = (uint64_t)queue_counts(core->queue)->remembered * MEMORY_BYTES * 4;
    if (core->dropping == 0 && journal_next_drop(core->journal, keep_bytes, &core->dropping)) {
        carry(core, now_ms);
    }
}

void core_synced(struct core *core, int64_t us)
{
    core->sync_us[core->sync_count++ % CORE_SYNC_SAMPLES] =
        us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

void core_committed(struct core *core, int64_t now_ms)
{
    journal_committed(core->journal);
    if (core->disk_full) {
        core->disk_full = false;
        core_say(core, "the disk has room again: accepting articles");
    }
    confirm(core, now_ms);
    move_stragglers(core, now_ms);
    drop_segments(core, now_ms);
}

void core_commit_failed(struct core *core, bool no_room, const char *sentence, int64_t now_ms)
{
    if (!no_room) {
        core_stop(core, sentence);
        return;
    }
    if (!core->disk_full) {
        core_say(core, "%s: accepting no more until there is room; what was accepted goes on",
                 sentence);
    }
    core->disk_full = true;
    core->retry_at_ms = now_ms + core->config.retry_ms;
}

void keep_commit(struct core *core, int64_t now_ms)
{
    struct action action = {.kind = ACTION_COMMIT};
    bool wanted = journal_has_records(core->journal) ||
                  (journal_waiting_done(core->journal) > 0 &&
                   (core->draining || now_ms - core->gather_since_ms >= core->config.gather_ms));
    if (!core_list_reserve(&core->actions, sizeof action)) {
        return; // the next turn tries again: a batch under way is one that the shell was told of
    }
    if (core->disk_full) {
        if (now_ms >= core->retry_at_ms && journal_retry(core->journal, &action.commit)) {
            core->retry_at_ms = INT64_MAX;
            core_act(core, &action);
        }
    } else if (wanted && journal_next_commit(core->journal, now_ms, &action.commit)) {
        core_act(core, &action);
    }
}
