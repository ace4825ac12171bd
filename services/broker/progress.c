// Which sinks have an article that another sink lacks, told so that a restart need not deliver it again.
//
// A sink that confirms is noted. Mostly the others follow within milliseconds, and the note is thrown away. What is a second old is
// written, eight bytes each: see RECORD_PROGRESS.
#include "common/buf.h"
#include "proto/bytes.h"
#include "services/broker/core_state.h"

// So long an article may be with one sink and not with another before that is written; with it goes what is half as old, so
// that it costs no more than two commits a second.
enum { PROGRESS_MS = 1000 };

void progress_note(struct core *core, uint64_t handle, uint32_t stage, int64_t now_ms)
{
    struct delivery *delivery = core_list_push(&core->delivered, sizeof *delivery);
    if (delivery) {
        *delivery = (struct delivery){handle, now_ms, stage};
    }
    core->deliveries_lost |= !delivery;
}

void progress_find(struct core *core, int64_t now_ms)
{
    size_t at = 0;
    const struct queued_article *article;
    bool lost = core->deliveries_lost;
    core->deliveries_lost = false;
    while (lost && !core->deliveries_lost && (article = queue_next(core->queue, &at))) {
        uint32_t sinks = article->state == ARTICLE_LIVE ? article->done & core->graph.terminal : 0;
        for (uint32_t stage = 1; sinks && stage <= core->graph.count; stage++) {
            if (sinks & graph_bit(stage)) {
                progress_note(core, article->handle, stage, now_ms);
            }
        }
    }
}

int64_t progress_next_ms(const struct core *core)
{
    const struct list *list = &core->delivered;
    const struct delivery *all = list->at;
    if (list->first == list->end || core->disk_full) {
        return INT64_MAX;
    }
    return core->draining ? 0 : all[list->first].at_ms + PROGRESS_MS;
}

// Writes what the numbers of sinks mean. False when memory ran out.
static bool append_names(struct core *core, int64_t now_ms)
{
    bool appended = core_append_pipeline(core, now_ms);
    core->deliveries_lost |= !appended;
    return appended;
}

// Writes that the sink has these articles.
static void append_sink(struct core *core, uint32_t stage, struct view handles, int64_t now_ms)
{
    struct journal_place place;
    struct record record = {.type = RECORD_PROGRESS, .count = stage};
    record.is.payload.at = (const uint8_t *)handles.at;
    record.is.payload.bytes = (uint32_t)handles.len;
    core->deliveries_lost |= !journal_append(core->journal, &record, now_ms, &place);
}

void progress_carry(struct core *core, const struct queued_article *article, int64_t now_ms)
{
    uint32_t sinks = article->done & core->graph.terminal;
    char handle[sizeof article->handle];
    set_u64(handle, article->handle);
    if (!sinks || !append_names(core, now_ms)) {
        return;
    }
    for (uint32_t stage = 1; stage <= core->graph.count; stage++) {
        if (sinks & graph_bit(stage)) {
            append_sink(core, stage, (struct view){handle, sizeof handle}, now_ms);
        }
    }
}

static void add_handle(struct buf *handles, uint64_t handle)
{
    char bytes[sizeof handle];
    set_u64(bytes, handle);
    buf_add(handles, (struct view){bytes, sizeof bytes});
}

// The sink still has the article, and another has not.
static bool is_partly_delivered(const struct core *core, const struct delivery *delivery)
{
    const struct queued_article *article = queue_find(core->queue, delivery->handle);
    return article && article->state == ARTICLE_LIVE &&
           (article->done & graph_bit(delivery->stage));
}

// The handles among `count` deliveries that are this sink's.
static void add_handles(const struct delivery *deliveries, size_t count, uint32_t stage,
                        struct buf *handles)
{
    buf_reset(handles);
    for (size_t i = 0; i < count; i++) {
        if (deliveries[i].stage == stage) {
            add_handle(handles, deliveries[i].handle);
        }
    }
}

static void write_all(struct core *core, const struct delivery *deliveries, size_t count,
                      int64_t now_ms)
{
    struct buf handles;
    if (!append_names(core, now_ms)) {
        return;
    }
    buf_init(&handles, count * sizeof(uint64_t));
    for (uint32_t stage = 1; stage <= core->graph.count; stage++) {
        add_handles(deliveries, count, stage, &handles);
        core->deliveries_lost |= handles.full;
        if (handles.len > 0) {
            append_sink(core, stage, buf_view(&handles), now_ms);
        }
    }
    buf_clear(&handles);
}

void progress_write(struct core *core, int64_t now_ms)
{
    struct list *list = &core->delivered;
    struct delivery *all = list->at;
    size_t first = list->first;
    size_t kept = first;
    if (now_ms < progress_next_ms(core)) {
        return;
    }
    while (list->first < list->end &&
           (core->draining || now_ms - all[list->first].at_ms >= PROGRESS_MS / 2)) {
        const struct delivery *delivery = &all[list->first++];
        if (is_partly_delivered(core, delivery)) {
            all[kept++] = *delivery;
        }
    }
    if (kept > first) {
        write_all(core, all + first, kept - first, now_ms);
    }
}
