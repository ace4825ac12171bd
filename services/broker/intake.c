// The door: what is accepted, and when its sender is told.
#include "common/article.h"
#include "services/broker/core_state.h"
#include "services/broker/hash.h"

#include <assert.h>

enum { ACKS_TOGETHER = 32 }; // so many go without waiting for more

// Why nothing is accepted now, or NULL.
const char *intake_closed(const struct core *core)
{
    if (core->draining) {
        return "draining";
    }
    if (core->disk_full) {
        return "no room on the disk of the journal";
    }
    if (journal_bytes(core->journal) >= core->config.disk_bytes) {
        return "the journal has reached its limit (--disk)";
    }
    return journal_pending_bytes(core->journal) >= core->config.pending_bytes
               ? "the disk is slower than what comes in"
               : NULL;
}

size_t intake_record_bytes(struct view id, struct view document)
{
    return RECORD_HEAD_BYTES + RECORD_ARTICLE_BYTES + id.len + document.len + 8; // 8: its padding
}

bool intake_append(struct core *core, struct queued_article *article,
                   const struct holding_trace *trace, struct view document, int64_t now_ms)
{
    const struct holding *holding = core_holding(article);
    struct record record = {.type = RECORD_ARTICLE,
                            .lane = article->lane,
                            .pubstatus = article->pubstatus,
                            .flags = article->again ? RECORD_AGAIN : 0,
                            .handle = article->handle};
    struct record_article *to = &record.is.article;
    *to = (struct record_article){.key = {article->story.key[0], article->story.key[1]},
                                  .version = article->story.version,
                                  .content_hash = article->story.content_hash,
                                  .accepted_ms = article->accepted_ms,
                                  .deadline_ms = queue_extra(article)->deadline_ms,
                                  .embargo_ms = queue_extra(article)->embargo_ms,
                                  .trace_flags = trace->flags,
                                  .id = (const uint8_t *)holding->id,
                                  .id_bytes = holding->id_len,
                                  .document = (const uint8_t *)document.at,
                                  .document_bytes = (uint32_t)document.len};
    memcpy(to->trace_id, trace->id, sizeof to->trace_id);
    memcpy(to->span_id, trace->span, sizeof to->span_id);
    struct journal_place place;
    if (!journal_append(core->journal, &record, now_ms, &place)) {
        return false;
    }
    core_set_place(article, place);
    return true;
}

// While other documents fill the memory this one stays where it is written anyway: in the batch that is on its way to disk,
// then in the journal.
static struct holding *hold(struct core *core, struct view id, struct view document,
                            const struct holding_trace *trace)
{
    struct holding *holding = holding_new(&core->holdings, id);
    bool is_kept = core->document_bytes < core->config.document_bytes;
    if (holding && is_kept && !holding_set_document(&core->holdings, holding, document, trace)) {
        holding_free(&core->holdings, holding);
        return NULL;
    }
    return holding;
}

// Why an article can never be accepted, or NULL.
static const char *unacceptable(const struct core *core, const struct wire_walk *walk,
                                size_t document_bytes)
{
    if (walk->item.id_bytes == 0 || walk->item.id_bytes > ARTICLE_ID_LIMIT) {
        return "an article has an id of 1 to 512 bytes";
    }
    if (walk->item.version == 0) {
        return "versions count from 1";
    }
    if (document_bytes == 0) {
        return "a PUT carries one section for each article, its document";
    }
    return document_bytes > core->config.article_bytes
               ? "the article is larger than the broker accepts (--article)"
               : NULL;
}

// What cannot fail any more once the queue has it is done before: an older version ends with queue_put.
static enum wire_outcome put_article(struct core *core, const struct wire_item *item,
                                     struct view id, struct view document, int64_t now_ms)
{
    uint64_t content[2];
    struct queued_article *article;
    struct holding_trace trace = {.flags = item->trace_flags};
    memcpy(trace.id, item->trace_id, sizeof trace.id);
    memcpy(trace.span, item->span_id, sizeof trace.span);
    struct queue_put put = {.handle = core->next_handle,
                            .version = item->version,
                            .deadline_ms = item->deadline_ms,
                            .embargo_ms = item->embargo_ms,
                            .lane = item->lane,
                            .pubstatus = item->pubstatus,
                            .again = (item->flags & WIRE_AGAIN) != 0,
                            .unsafe = true};
    if (intake_closed(core)) {
        return WIRE_BUSY;
    }
    hash128(journal_hash_key(core->journal), id, put.key);
    hash128(journal_hash_key(core->journal), document, content);
    put.content_hash = content[0];
    enum wire_outcome outcome = queue_judge(core->queue, &put);
    if (outcome != WIRE_ACCEPTED) {
        return queue_put(core->queue, &put, now_ms, &article); // counts it
    }
    struct holding *holding = hold(core, id, document, &trace);
    if (!holding || !keep_reserve(core, intake_record_bytes(id, document), now_ms) ||
        queue_put(core->queue, &put, now_ms, &article) != WIRE_ACCEPTED) {
        holding_free(&core->holdings, holding);
        return WIRE_BUSY;
    }
    core->next_handle++;
    article->holding = holding;
    core_count_bytes(core, holding, true);
    core->kills += item->pubstatus == WIRE_CANCELED;
    bool appended = intake_append(core, article, &trace, document, now_ms);
    assert(appended);
    keep_until_safe(core, article->handle);
    return WIRE_ACCEPTED;
}

void intake_take_put(struct core *core, struct peer *peer, const struct wire_message *message,
                     int64_t now_ms)
{
    struct wire_walk walk = {.message = message};
    while (wire_next_item(&walk)) {
        struct wire_section section;
        const uint8_t *bytes;
        // What could not be answered is not taken: its sender comes again.
        if (!core_list_reserve(&core->acks, sizeof(struct ack))) {
            core_drop(core, peer);
            return;
        }
        struct view id = {(const char *)walk.id, walk.item.id_bytes};
        enum wire_outcome outcome = WIRE_REFUSED;
        struct view document = {"", 0};
        if (walk.item.section_count == 1 && wire_next_section(&walk, &section, &bytes) &&
            section.stage == WIRE_DOCUMENT) {
            document = (struct view){(const char *)bytes, section.bytes};
        }
        const char *sentence = unacceptable(core, &walk, document.len);
        if (!sentence) {
            outcome = put_article(core, &walk.item, id, document, now_ms);
        }
        core->outcomes[outcome < WIRE_DONE ? outcome : 0]++;
        // A duplicate is safe only when the first one is: it waits for all that was appended so far.
        bool waits = outcome == WIRE_ACCEPTED || outcome == WIRE_DUPLICATE;
        struct ack *ack = core_list_push(&core->acks, sizeof *ack);
        *ack = (struct ack){.peer = peer->number,
                            .reference = walk.item.handle,
                            .version = walk.item.version,
                            .bytes = id.len + document.len,
                            .safe_at = waits ? journal_end(core->journal) : 0,
                            .outcome = (uint8_t)outcome,
                            .sentence = sentence};
        core_settle_ended(core, now_ms);
    }
}

// How long the owner of an acknowledgement lets it wait for others.
static uint32_t patience_ms(const struct core *core, const struct ack *ack)
{
    const struct peer *peer = core_find_peer(core, ack->peer);
    bool good = ack->outcome == WIRE_ACCEPTED || ack->outcome == WIRE_DUPLICATE;
    return good && peer ? peer->patience_ms : 0;
}

// True while few could be sent and all their owners are patient: at a steady low rate one message then serves several
// articles. Little of a client's grant is held back meanwhile.
static bool acks_may_wait(struct core *core, uint64_t durable, int64_t now_ms)
{
    const struct ack *acks = core->acks.at;
    size_t due = core->acks.first, end = due + ACKS_TOGETHER, bytes = 0;
    uint32_t least_ms = PATIENCE_LIMIT_MS;
    while (due < core->acks.end && due < end && acks[due].safe_at <= durable) {
        uint32_t patience = patience_ms(core, &acks[due]);
        least_ms = patience < least_ms ? patience : least_ms;
        bytes += acks[due++].bytes;
    }
    core->acks_since_ms = core->acks_since_ms ? core->acks_since_ms : now_ms;
    core->acks_wait_ms = least_ms;
    return due < end && bytes < core->config.client_bytes / 8 && !core->draining &&
           now_ms - core->acks_since_ms < least_ms;
}

static bool acks_are_due(struct core *core, uint64_t durable, int64_t now_ms)
{
    const struct list *acks = &core->acks;
    return acks->first < acks->end && ((struct ack *)acks->at)[acks->first].safe_at <= durable &&
           !acks_may_wait(core, durable, now_ms);
}

// Sends the acknowledgements whose articles are on disk, many in one message.
void intake_send_acks(struct core *core, int64_t now_ms)
{
    uint64_t durable = journal_durable(core->journal);
    struct list *acks = &core->acks;
    if (!acks_are_due(core, durable, now_ms)) {
        return;
    }
    core->acks_since_ms = 0;
    while (acks->first < acks->end) {
        const struct ack *ack = (struct ack *)acks->at + acks->first;
        struct peer *peer = core_find_peer(core, ack->peer);
        uint64_t number = ack->peer;
        if (ack->safe_at > durable) {
            return;
        }
        message_begin(&core->message, WIRE_ACK, WIRE_NO_STAGE);
        while (acks->first < acks->end && ack->peer == number && ack->safe_at <= durable &&
               message_item_count(&core->message) < WIRE_ITEM_LIMIT) {
            struct wire_item item = {
                .handle = ack->reference, .version = ack->version, .outcome = ack->outcome};
            message_item(&core->message, &item, VIEW(""));
            if (ack->sentence) {
                message_field(&core->message, WIRE_TAG_SENTENCE, view_of(ack->sentence));
            }
            core->message.header.credit_count++;
            core->message.header.credit_bytes += ack->bytes;
            acks->first++;
            ack++;
        }
        if (peer) {
            core_send(core, peer, now_ms);
        }
    }
}
