#include "services/broker/core.h"

#include "services/broker/answer.h"
#include "services/broker/core_state.h"
#include "services/broker/hash.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

// A batch for one worker ends at the first of these. Nothing waits for a batch to fill.
enum { BATCH_ARTICLES = 64, BATCH_BYTES = 256 << 10 };

// An article that keeps a segment so far behind the newest one is written again.
enum { STRAGGLE_SEGMENTS = 8 };

// What a remembered id takes in the journal.
enum { MEMORY_BYTES = RECORD_HEAD_BYTES + RECORD_SEEN_BYTES };

const struct core_config core_defaults = {
    .heartbeat_ms = 2000,
    .gather_ms = 5,
    .retry_ms = 1000,
    .client_articles = 4096,
    .client_bytes = 32 << 20,
    .document_bytes = 32 << 20,
    .section_bytes = (size_t)256 << 20,
    .pending_bytes = 64 << 20,
    .disk_bytes = (uint64_t)64 << 30,
    .article_bytes = 64 << 20,
};

struct core *core_new(const struct graph *graph, const struct core_config *config)
{
    struct core *core = calloc(1, sizeof *core);
    if (!core) {
        return NULL;
    }
    core->graph = *graph;
    core->config = *config;
    core->next_handle = 1;
    core->queue = queue_new(&core->graph, &core->config.queue);
    core->journal = journal_new(&core->config.journal);
    message_init(&core->message);
    if (!core->queue || !core->journal) {
        core_free(core);
        return NULL;
    }
    return core;
}

static void free_holding(void *holding)
{
    holding_free(holding);
}

void core_free(struct core *core)
{
    size_t at = 0;
    struct peer *peer;
    struct action action;
    if (!core) {
        return;
    }
    while ((peer = index_next(&core->peers, &at))) {
        free(peer);
    }
    while (core_take_action(core, &action)) {
        if (action.kind == ACTION_SEND) {
            frames_clear(&action.frames);
        }
    }
    index_clear(&core->peers);
    queue_free(core->queue, free_holding);
    journal_free(core->journal);
    message_clear(&core->message);
    free(core->actions.at);
    free(core->acks.at);
    free(core->loads.at);
    free(core);
}

__attribute__((format(printf, 2, 3))) static void say(struct core *core, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    if (!core->config.log) {
        return;
    }
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    core->config.log(core->config.user, sentence);
}

// --- actions

// Room for one more of `size` bytes in a list that is filled at its end and emptied from its front.
static void *list_push(struct list *list, size_t size)
{
    if (list->first == list->end) {
        list->first = list->end = 0;
    }
    if (list->end == list->room && list->first > list->room / 2) {
        memmove(list->at, (char *)list->at + list->first * size, (list->end - list->first) * size);
        list->end -= list->first;
        list->first = 0;
    }
    if (list->end == list->room) {
        size_t room = list->room ? list->room * 2 : 64;
        void *grown = realloc(list->at, room * size);
        if (!grown) {
            return NULL;
        }
        list->at = grown;
        list->room = room;
    }
    return (char *)list->at + list->end++ * size;
}

static bool act(struct core *core, const struct action *action)
{
    struct action *room = list_push(&core->actions, sizeof *room);
    if (room) {
        *room = *action;
    }
    return room != NULL;
}

bool core_take_action(struct core *core, struct action *action)
{
    if (core->actions.first == core->actions.end) {
        return false;
    }
    *action = ((struct action *)core->actions.at)[core->actions.first++];
    return true;
}

// Ends the message being built and sends it.
static void send(struct core *core, struct peer *peer, int64_t now_ms)
{
    struct action action = {.kind = ACTION_SEND, .peer = peer->number};
    if (message_finish(&core->message, ++peer->messages, &action.frames)) {
        peer->sent_ms = now_ms;
        if (!act(core, &action)) {
            frames_clear(&action.frames);
        }
    }
}

static void send_error(struct core *core, uint64_t number, enum wire_error code,
                       const char *sentence)
{
    struct action action = {.kind = ACTION_SEND, .peer = number};
    if (message_error(&core->message, code, sentence, 0, &action.frames) && !act(core, &action)) {
        frames_clear(&action.frames);
    }
}

static void observe(struct core *core, uint32_t stage, uint8_t lane, int64_t waited_ms)
{
    if (core->config.observe) {
        core->config.observe(core->config.user, stage, lane, waited_ms);
    }
}

// --- articles that ended

static struct holding *holding_of(const struct queued_article *article)
{
    return article->holding;
}

static void count_bytes(struct core *core, const struct holding *holding, bool in)
{
    core->document_bytes += in ? holding->document_len : 0 - (size_t)holding->document_len;
    core->section_bytes += in ? holding->section_bytes : 0 - (size_t)holding->section_bytes;
}

static void let_go(struct core *core, struct queued_article *article)
{
    struct holding *holding = holding_of(article);
    count_bytes(core, holding, false);
    holding_free(holding);
    article->holding = NULL;
    queue_forget(core->queue, article);
}

static void append_dead(struct core *core, const struct queued_article *article, int64_t now_ms)
{
    struct journal_place place;
    const struct dead_letter *why = article->dead;
    struct record record = {.type = RECORD_DEAD, .count = why->stage, .handle = article->handle};
    record.is.dead = (struct record_dead){.at_ms = why->at_ms,
                                          .attempts = why->attempts,
                                          .worker = (const uint8_t *)why->worker,
                                          .worker_bytes = (uint16_t)strlen(why->worker),
                                          .reason = (const uint8_t *)why->reason,
                                          .reason_bytes = (uint16_t)strlen(why->reason)};
    journal_append(core->journal, &record, now_ms, &place);
}

// A dead letter keeps its place in the journal and nothing in memory but its id.
static void bury(struct core *core, struct queued_article *article, int64_t now_ms)
{
    struct holding *holding = holding_of(article);
    const struct dead_letter *why = article->dead;
    count_bytes(core, holding, false);
    holding_drop_document(holding);
    holding_drop_sections(holding);
    article->done = article->pubstatus == WIRE_CANCELED ? core->graph.inner : 0;
    article->skipped = 0;
    core->ended.dead++;
    if (!why) {
        return; // no memory for the reason: the article will be run again after a restart
    }
    append_dead(core, article, now_ms);
    say(core, "article %.*s shelved at %s after %u attempts: %s", VIEW_ARGS(holding_id(holding)),
        core->graph.stages[why->stage - 1].name, why->attempts, why->reason);
}

static void settle_ended(struct core *core, int64_t now_ms)
{
    struct queued_article *article;
    while ((article = queue_take_ended(core->queue))) {
        if (article->ending == ENDED_DEAD) {
            bury(core, article, now_ms);
            continue;
        }
        if (article->ending == ENDED_COMPLETE) {
            core->ended.complete++;
            observe(core, 0, article->lane, now_ms - article->accepted_ms);
        }
        core->ended.superseded += article->ending == ENDED_SUPERSEDED;
        if (journal_waiting_done(core->journal) == 0) {
            core->gather_since_ms = now_ms;
        }
        // Without memory for the note the article is only run again after a restart.
        journal_done(core->journal, article->handle, holding_of(article)->place);
        let_go(core, article);
    }
}

// --- recovery

struct replay {
    struct core *core;
    int64_t now_ms;
};

static enum status replay_article(struct core *core, const struct record *record,
                                  struct journal_place place, int64_t now_ms, struct error *why)
{
    const struct record_article *from = &record->is.article;
    struct queued_article *article = queue_find(core->queue, record->handle);
    if (record->handle >= core->next_handle) {
        core->next_handle = record->handle + 1;
    }
    if (article) { // written again to free its old segment
        journal_release(core->journal, holding_of(article)->place);
        holding_of(article)->place = place;
        article->story.evidence = place.segment;
        return OK;
    }
    struct queue_put put = {.handle = record->handle,
                            .key = {from->key[0], from->key[1]},
                            .version = from->version,
                            .content_hash = from->content_hash,
                            .deadline_ms = from->deadline_ms,
                            .embargo_ms = from->embargo_ms,
                            .lane = record->lane,
                            .pubstatus = record->pubstatus};
    struct holding *holding = holding_new((struct view){(const char *)from->id, from->id_bytes});
    enum wire_outcome outcome =
        holding ? queue_put(core->queue, &put, now_ms, &article) : WIRE_BUSY;
    if (outcome == WIRE_BUSY) {
        holding_free(holding);
        return error_set(why, ERR_MEMORY, "no memory to recover article %.*s", (int)from->id_bytes,
                         (const char *)from->id);
    }
    if (outcome != WIRE_ACCEPTED) { // a later version stands before it in the journal
        journal_release(core->journal, place);
        holding_free(holding);
        return OK;
    }
    article->accepted_ms = from->accepted_ms;
    article->story.evidence = place.segment;
    article->holding = holding;
    holding->place = place;
    holding->trace_flags = from->trace_flags;
    memcpy(holding->trace_id, from->trace_id, sizeof holding->trace_id);
    memcpy(holding->span_id, from->span_id, sizeof holding->span_id);
    settle_ended(core, now_ms);
    return OK;
}

static void replay_done(struct core *core, const struct record *record)
{
    for (uint32_t i = 0; i < record->count; i++) {
        uint64_t handle;
        memcpy(&handle, record->is.payload.at + (size_t)i * 8, sizeof handle);
        struct queued_article *article = queue_find(core->queue, handle);
        if (article && queue_discard(core->queue, handle)) {
            queue_take_ended(core->queue);
            journal_release(core->journal, holding_of(article)->place);
            let_go(core, article);
        }
    }
}

static void replay_dead(struct core *core, const struct record *record)
{
    const struct record_dead *from = &record->is.dead;
    struct queued_article *article = queue_find(core->queue, record->handle);
    if (!article || article->state != ARTICLE_LIVE) {
        return;
    }
    struct dead_letter dead = {
        .stage = record->count, .attempts = from->attempts, .at_ms = from->at_ms};
    snprintf(dead.worker, sizeof dead.worker, "%.*s", from->worker_bytes,
             (const char *)from->worker);
    snprintf(dead.reason, sizeof dead.reason, "%.*s", from->reason_bytes,
             (const char *)from->reason);
    queue_shelve(core->queue, article, &dead);
    queue_take_ended(core->queue);
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
        replay_dead(core, record);
        break;
    case RECORD_REVIVED:
        queue_revive(core->queue, record->handle, at->now_ms);
        break;
    case RECORD_SEEN:
        queue_remember(core->queue,
                       &(struct story){.key = {record->is.seen.key[0], record->is.seen.key[1]},
                                       .version = record->is.seen.version,
                                       .content_hash = record->is.seen.content_hash,
                                       .canceled = record->pubstatus == WIRE_CANCELED});
        break;
    default: // PIPELINE and PROGRESS only save work
        break;
    }
    return OK;
}

enum status core_recover(struct core *core, const struct disk *disk, int64_t now_ms,
                         struct journal_report *report, struct error *why)
{
    struct replay at = {core, now_ms};
    return journal_recover(core->journal, disk, replay, &at, report, why);
}

// --- peers

static struct peer *find_peer(const struct core *core, uint64_t number)
{
    return index_find(&core->peers, number);
}

static void remove_peer(struct core *core, struct peer *peer, bool died, int64_t now_ms)
{
    index_remove(&core->peers, peer->number);
    if (peer->role == WIRE_WORKER) {
        for (uint32_t i = 0; i < core->worker_count; i++) {
            if (core->workers[i] == peer) {
                core->workers[i] = core->workers[--core->worker_count];
                break;
            }
        }
        queue_lose(core->queue, peer->number, died, now_ms, view_of(peer->name));
        settle_ended(core, now_ms);
    }
    free(peer);
}

static void lose_peer(struct core *core, struct peer *peer, const char *how, int64_t now_ms)
{
    say(core, "%s %s %s", peer->role == WIRE_WORKER ? "worker" : "client", peer->name, how);
    remove_peer(core, peer, true, now_ms);
}

void core_unreachable(struct core *core, uint64_t number, int64_t now_ms)
{
    struct peer *peer = find_peer(core, number);
    if (peer) {
        lose_peer(core, peer, "is gone", now_ms);
    }
}

// Whoever grants without end must not make the sum overflow.
static void grant_bytes(struct peer *peer, uint64_t bytes)
{
    const int64_t limit = INT64_MAX / 4;
    peer->credit_bytes += bytes < (uint64_t)limit ? (int64_t)bytes : limit;
    peer->credit_bytes = peer->credit_bytes < limit ? peer->credit_bytes : limit;
}

static bool accept_worker(struct core *core, struct peer *peer, const struct wire_message *hello)
{
    char sentence[200];
    struct view name = message_text(hello, WIRE_TAG_STAGE);
    peer->stage = graph_find(&core->graph, name);
    if (peer->stage == 0) {
        char known[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
        struct view names = graph_names(&core->graph, known);
        snprintf(sentence, sizeof sentence,
                 "the pipeline has no stage '%.*s'; it has: %.*s. Add a line to [pipeline]",
                 VIEW_ARGS(view_slice(name, 0, 40)), VIEW_ARGS(view_slice(names, 0, 100)));
        send_error(core, peer->number, WIRE_ERROR_STAGE, sentence);
        return false;
    }
    if (core->worker_count == CORE_WORKER_LIMIT) {
        send_error(core, peer->number, WIRE_ERROR_LIMIT,
                   "the broker has as many workers as it serves");
        return false;
    }
    core->workers[core->worker_count++] = peer;
    peer->credit_articles = hello->header.credit_count;
    grant_bytes(peer, hello->header.credit_bytes);
    return true;
}

static void welcome(struct core *core, struct peer *peer, int64_t now_ms)
{
    char names[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
    struct message *message = &core->message;
    message_begin(message, WIRE_WELCOME, peer->stage ? (uint16_t)peer->stage : WIRE_NO_STAGE);
    if (peer->role == WIRE_CLIENT) {
        peer->credit_articles = core->config.client_articles;
        grant_bytes(peer, core->config.client_bytes);
        message->header.credit_count = core->config.client_articles;
        message->header.credit_bytes = core->config.client_bytes;
    }
    message_field_u64(message, WIRE_TAG_SESSION, core->config.session);
    message_field(message, WIRE_TAG_STAGES, graph_names(&core->graph, names));
    message_field_u32(message, WIRE_TAG_HEARTBEAT, core->config.heartbeat_ms);
    message_field_u32(message, WIRE_TAG_LEASE, core->config.queue.lease_ms);
    message_field(message, WIRE_TAG_SOFTWARE, VIEW("copydesk " COPYDESK_VERSION));
    send(core, peer, now_ms);
}

static void take_hello(struct core *core, uint64_t number, const struct wire_message *hello,
                       int64_t now_ms)
{
    struct peer *peer = find_peer(core, number);
    if (peer) { // it starts over, and has dropped what it held
        remove_peer(core, peer, false, now_ms);
    }
    if (hello->header.role < WIRE_CLIENT || hello->header.role > WIRE_OPERATOR) {
        send_error(core, number, WIRE_ERROR_ROLE,
                   "a HELLO names the role client, worker or operator");
        return;
    }
    peer = calloc(1, sizeof *peer);
    if (!peer || !index_add(&core->peers, number, peer)) {
        free(peer);
        return;
    }
    *peer = (struct peer){
        .number = number, .role = hello->header.role, .heard_ms = now_ms, .joined_ms = now_ms};
    snprintf(peer->name, sizeof peer->name, "%.*s", VIEW_ARGS(message_text(hello, WIRE_TAG_NAME)));
    snprintf(peer->stage_version, sizeof peer->stage_version, "%.*s",
             VIEW_ARGS(message_text(hello, WIRE_TAG_STAGE_VERSION)));
    if (peer->role == WIRE_WORKER && !accept_worker(core, peer, hello)) {
        index_remove(&core->peers, number);
        free(peer);
        return;
    }
    welcome(core, peer, now_ms);
    if (peer->role == WIRE_WORKER) {
        say(core, "worker %s serves %s", peer->name, core->graph.stages[peer->stage - 1].name);
    }
}

// --- the door

// Why nothing is accepted now, or NULL.
static const char *closed_because(const struct core *core)
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

// Notes an acknowledgement to be sent when the journal has reached its `safe_at`. Without memory for it
// the client asks again.
static void owe_ack(struct core *core, const struct ack *ack)
{
    struct ack *room = list_push(&core->acks, sizeof *room);
    if (room) {
        *room = *ack;
    }
}

static bool append_article(struct core *core, struct queued_article *article,
                           struct holding *holding, struct view document, int64_t now_ms)
{
    struct record record = {.type = RECORD_ARTICLE,
                            .lane = article->lane,
                            .pubstatus = article->pubstatus,
                            .handle = article->handle};
    struct record_article *to = &record.is.article;
    *to = (struct record_article){.key = {article->story.key[0], article->story.key[1]},
                                  .version = article->story.version,
                                  .content_hash = article->story.content_hash,
                                  .accepted_ms = article->accepted_ms,
                                  .deadline_ms = article->deadline_ms,
                                  .embargo_ms = article->embargo_ms,
                                  .trace_flags = holding->trace_flags,
                                  .id = (const uint8_t *)holding->id,
                                  .id_bytes = holding->id_len,
                                  .document = (const uint8_t *)document.at,
                                  .document_bytes = (uint32_t)document.len};
    memcpy(to->trace_id, holding->trace_id, sizeof to->trace_id);
    memcpy(to->span_id, holding->span_id, sizeof to->span_id);
    bool appended = journal_append(core->journal, &record, now_ms, &holding->place);
    holding->safe_at = journal_end(core->journal);
    article->story.evidence = holding->place.segment;
    return appended;
}

static struct holding *hold(const struct wire_item *item, struct view id, struct view document)
{
    struct holding *holding = holding_new(id);
    if (!holding || !holding_set_document(holding, document)) {
        holding_free(holding);
        return NULL;
    }
    holding->trace_flags = item->trace_flags;
    memcpy(holding->trace_id, item->trace_id, sizeof holding->trace_id);
    memcpy(holding->span_id, item->span_id, sizeof holding->span_id);
    return holding;
}

static enum wire_outcome put_article(struct core *core, const struct wire_item *item,
                                     struct view id, struct view document, int64_t now_ms)
{
    uint64_t content[2];
    struct queued_article *article;
    struct queue_put put = {.handle = core->next_handle,
                            .version = item->version,
                            .deadline_ms = item->deadline_ms,
                            .embargo_ms = item->embargo_ms,
                            .lane = item->lane,
                            .pubstatus = item->pubstatus};
    if (id.len == 0 || item->version == 0 || document.len > core->config.article_bytes) {
        return WIRE_REFUSED;
    }
    if (closed_because(core)) {
        return WIRE_BUSY;
    }
    hash128(journal_hash_key(core->journal), id, put.key);
    hash128(journal_hash_key(core->journal), document, content);
    put.content_hash = content[0];
    struct holding *holding = hold(item, id, document);
    enum wire_outcome outcome =
        holding ? queue_put(core->queue, &put, now_ms, &article) : WIRE_BUSY;
    if (outcome != WIRE_ACCEPTED) {
        holding_free(holding);
        return outcome;
    }
    core->next_handle++;
    article->holding = holding;
    count_bytes(core, holding, true);
    core->kills += item->pubstatus == WIRE_CANCELED;
    if (!append_article(core, article, holding, document, now_ms)) {
        // Not written, so not accepted: take it out again.
        queue_discard(core->queue, article->handle);
        queue_take_ended(core->queue);
        article->story.live = false;
        let_go(core, article);
        return WIRE_BUSY;
    }
    return WIRE_ACCEPTED;
}

static void take_put(struct core *core, struct peer *peer, const struct wire_message *message,
                     int64_t now_ms)
{
    struct wire_walk walk = {.message = message};
    while (wire_next_item(&walk)) {
        struct wire_section section;
        const uint8_t *bytes;
        struct view id = {(const char *)walk.id, walk.item.id_bytes};
        enum wire_outcome outcome = WIRE_REFUSED;
        struct view document = {"", 0};
        if (walk.item.section_count == 1 && wire_next_section(&walk, &section, &bytes) &&
            section.stage == WIRE_DOCUMENT) {
            document = (struct view){(const char *)bytes, section.bytes};
            outcome = put_article(core, &walk.item, id, document, now_ms);
        }
        core->outcomes[outcome < WIRE_DONE ? outcome : 0]++;
        // A duplicate is safe only when the first one is: it waits for all that was appended so far.
        bool waits = outcome == WIRE_ACCEPTED || outcome == WIRE_DUPLICATE;
        owe_ack(core, &(struct ack){.peer = peer->number,
                                    .reference = walk.item.handle,
                                    .version = walk.item.version,
                                    .handle = outcome == WIRE_ACCEPTED ? core->next_handle - 1 : 0,
                                    .bytes = id.len + document.len,
                                    .safe_at = waits ? journal_end(core->journal) : 0,
                                    .outcome = (uint8_t)outcome});
        settle_ended(core, now_ms);
    }
}

// Tells holders what was taken away from them, before they get anything newer.
static void send_canceled(struct core *core, int64_t now_ms)
{
    struct canceled canceled;
    while (queue_take_canceled(core->queue, &canceled)) {
        struct peer *peer = find_peer(core, canceled.holder);
        struct wire_item item = {.handle = canceled.handle, .attempt = canceled.attempt};
        if (peer) {
            message_begin(&core->message, WIRE_CANCEL, (uint16_t)canceled.stage);
            message_item(&core->message, &item, VIEW(""));
            send(core, peer, now_ms);
        }
    }
}

// Sends the acknowledgements whose articles are on disk, many in one message.
static void send_acks(struct core *core, int64_t now_ms)
{
    uint64_t durable = journal_durable(core->journal);
    struct list *acks = &core->acks;
    while (acks->first < acks->end) {
        const struct ack *ack = (struct ack *)acks->at + acks->first;
        struct peer *peer = find_peer(core, ack->peer);
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
            core->message.header.credit_count++;
            core->message.header.credit_bytes += ack->bytes;
            acks->first++;
            ack++;
        }
        if (peer) {
            send(core, peer, now_ms);
        }
    }
}

// --- results

static void keep_section(struct core *core, uint64_t handle, uint32_t stage, struct view bytes)
{
    struct queued_article *article = queue_find(core->queue, handle);
    if (article && article->state == ARTICLE_LIVE) {
        struct holding *holding = holding_of(article);
        count_bytes(core, holding, false);
        holding_add_section(holding, stage, bytes);
        count_bytes(core, holding, true);
    }
}

static void take_result_item(struct core *core, struct peer *peer, struct wire_walk *walk,
                             int64_t now_ms)
{
    struct wire_section section;
    const uint8_t *bytes = NULL;
    struct view text = {"", 0};
    const struct wire_item *item = &walk->item;
    struct queue *queue = core->queue;
    struct view worker = view_of(peer->name);
    if (wire_next_section(walk, &section, &bytes)) {
        text = (struct view){(const char *)bytes, section.bytes};
    }
    switch (item->outcome) {
    case WIRE_DONE:
        if (queue_complete(queue, peer->number, item->handle, peer->stage, item->attempt, now_ms)) {
            peer->done++;
            if (!core->graph.stages[peer->stage - 1].terminal && bytes) {
                keep_section(core, item->handle, peer->stage, text);
            }
        }
        break;
    case WIRE_RETRY:
        queue_fail(queue, peer->number, item->handle, peer->stage, item->attempt, now_ms, worker,
                   text);
        break;
    case WIRE_RETURN:
        queue_return(queue, peer->number, item->handle, peer->stage, item->attempt, now_ms);
        break;
    default:
        queue_reject(queue, peer->number, item->handle, peer->stage, item->attempt, now_ms, worker,
                     item->outcome == WIRE_REJECT ? text : VIEW("unknown outcome"));
        break;
    }
}

static void take_result(struct core *core, struct peer *peer, const struct wire_message *message,
                        int64_t now_ms)
{
    struct wire_walk walk = {.message = message};
    while (wire_next_item(&walk)) {
        take_result_item(core, peer, &walk, now_ms);
        settle_ended(core, now_ms);
    }
}

// --- handing out

static void add_skipped(struct core *core, const struct queued_article *article, uint32_t stage)
{
    char section[128];
    int len = snprintf(section, sizeof section, "{\"stages\":{\"%s\":{\"status\":\"timeout\"}}}",
                       core->graph.stages[stage - 1].name);
    if (article->skipped & graph_bit(stage)) {
        message_section(&core->message, (uint16_t)stage, (struct view){section, (size_t)len});
    }
}

// Adds one leased article to the WORK being built, with the sections its stage needs.
static void add_work(struct core *core, const struct article_task *task, int64_t now_ms)
{
    const struct queued_article *article = task->article;
    const struct graph_stage *stage = &core->graph.stages[task->stage - 1];
    const struct holding *holding = holding_of(article);
    int64_t waited = now_ms - task->since_ms;
    observe(core, task->stage, article->lane, waited);
    struct wire_item item = {.handle = article->handle,
                             .key = {article->story.key[0], article->story.key[1]},
                             .version = article->story.version,
                             .deadline_ms = article->deadline_ms,
                             .embargo_ms = article->embargo_ms,
                             .attempt = task->attempt,
                             .lane = article->lane,
                             .pubstatus = article->pubstatus,
                             .trace_flags = holding->trace_flags,
                             .waited_ms = waited > 0 ? (uint32_t)waited : 0};
    memcpy(item.trace_id, holding->trace_id, sizeof item.trace_id);
    memcpy(item.span_id, holding->span_id, sizeof item.span_id);
    message_item(&core->message, &item, holding_id(holding));
    if (stage->needs_document) {
        message_section(&core->message, WIRE_DOCUMENT,
                        (struct view){holding->document, holding->document_len});
    }
    const struct holding_section *section = holding->sections;
    for (uint32_t number = 1; number <= core->graph.count; number++) {
        if (section && section->stage < number) {
            section = section->next;
        }
        if (!(stage->needs & graph_bit(number))) {
            continue;
        }
        if (section && section->stage == number) {
            message_section(&core->message, (uint16_t)number,
                            (struct view){section->bytes, section->len});
        } else {
            add_skipped(core, article, number);
        }
    }
}

// Asks for the document, once.
static void ask_for_document(struct core *core, const struct queued_article *article)
{
    struct holding *holding = holding_of(article);
    if (!holding->loading) {
        struct action action = {
            .kind = ACTION_READ, .handle = article->handle, .place = holding->place};
        holding->loading = act(core, &action);
    }
}

// Notes that the task waits for its document. Without memory for the note its lease is never answered
// and the worker's end frees it.
static void load(struct core *core, const struct article_task *task, uint64_t peer)
{
    struct load *room = list_push(&core->loads, sizeof *room);
    if (room) {
        *room = (struct load){task->article->handle, task->attempt, task->stage, peer};
    }
    ask_for_document(core, task->article);
}

static bool lacks_document(const struct core *core, const struct article_task *task)
{
    return core->graph.stages[task->stage - 1].needs_document &&
           !holding_of(task->article)->document;
}

// While too many sections are in memory no new article is begun; those under way go on.
static bool is_held_back(const struct core *core, uint32_t stage)
{
    const struct graph_stage *at = &core->graph.stages[stage - 1];
    return core->draining ||
           (!at->terminal && at->needs == 0 && core->section_bytes >= core->config.section_bytes);
}

// Fills one WORK for one worker. False when it got nothing.
static bool dispatch_to(struct core *core, struct peer *peer, int64_t now_ms)
{
    bool any = false;
    struct message *message = &core->message;
    message_begin(message, WIRE_WORK, (uint16_t)peer->stage);
    while (peer->credit_articles > 0 && message_item_count(message) < BATCH_ARTICLES &&
           message_body_bytes(message) < BATCH_BYTES && peer->credit_bytes > 0) {
        struct article_task *task = queue_lease(core->queue, peer->stage, peer->number, now_ms);
        if (!task) {
            break;
        }
        any = true;
        size_t before = message_body_bytes(message);
        if (lacks_document(core, task)) {
            load(core, task, peer->number);
        } else {
            add_work(core, task, now_ms);
        }
        peer->credit_articles--;
        peer->credit_bytes -= (int64_t)(message_body_bytes(message) - before);
    }
    if (message_item_count(message) > 0) {
        send(core, peer, now_ms);
    }
    return any;
}

// Goes round the workers, one batch each, until nobody can take more. The starting point moves, so that
// at low rate all of them get their share.
static void dispatch(struct core *core, int64_t now_ms)
{
    for (bool again = true; again;) {
        again = false;
        for (uint32_t i = 0; i < core->worker_count; i++) {
            struct peer *peer = core->workers[(core->turn + i) % core->worker_count];
            if (peer->credit_articles > 0 && peer->credit_bytes > 0 &&
                queue_ready(core->queue, peer->stage) > 0 && !is_held_back(core, peer->stage)) {
                again |= dispatch_to(core, peer, now_ms);
            }
        }
    }
    core->turn++;
}

// The task a load was for, if it is still in the same hands.
static struct article_task *loaded_task(const struct core *core, const struct load *load)
{
    const struct queued_article *article = queue_find(core->queue, load->handle);
    struct article_task *task = article ? article->tasks : NULL;
    while (task && task->stage != load->stage) {
        task = task->sibling;
    }
    return task && task->state == TASK_LEASED && task->attempt == load->attempt ? task : NULL;
}

// Under memory pressure a document that was read back is not kept: the journal has it.
static void drop_document(struct core *core, struct holding *holding)
{
    if (core->document_bytes > core->config.document_bytes) {
        count_bytes(core, holding, false);
        holding_drop_document(holding);
        count_bytes(core, holding, true);
    }
}

// Adds a task whose document has come to the WORK being built for `*number`, and sends what was built for another
// worker before.
static void add_loaded(struct core *core, const struct article_task *task, uint64_t *number,
                       struct peer *peer, int64_t now_ms)
{
    bool full = message_body_bytes(&core->message) >= BATCH_BYTES ||
                message_item_count(&core->message) >= BATCH_ARTICLES;
    if (*number != 0 && (*number != peer->number || full)) {
        send(core, find_peer(core, *number), now_ms);
        *number = 0;
    }
    if (*number == 0) {
        message_begin(&core->message, WIRE_WORK, (uint16_t)peer->stage);
        *number = peer->number;
    }
    size_t before = message_body_bytes(&core->message);
    add_work(core, task, now_ms);
    peer->credit_bytes -= (int64_t)(message_body_bytes(&core->message) - before);
}

// Sends what was waiting for documents that have come, a batch for each run of one worker.
static void send_loaded(struct core *core, int64_t now_ms)
{
    struct list *loads = &core->loads;
    struct load *all = loads->at;
    uint64_t number = 0;
    size_t kept = loads->first;
    for (size_t i = loads->first; i < loads->end; i++) {
        struct article_task *task = loaded_task(core, &all[i]);
        struct peer *peer = find_peer(core, all[i].peer);
        if (!task || !peer) {
            continue;
        }
        if (!lacks_document(core, task)) {
            add_loaded(core, task, &number, peer, now_ms);
            drop_document(core, holding_of(task->article));
            continue;
        }
        // Another sink that waits for the same document may come after it was dropped again.
        ask_for_document(core, task->article);
        all[kept++] = all[i];
    }
    if (number != 0) {
        send(core, find_peer(core, number), now_ms);
    }
    loads->end = kept;
}

// Writes a straggler again, so that its old segment can go. A dead letter's reason goes with it.
static void move_article(struct core *core, struct queued_article *article, struct view document,
                         int64_t now_ms)
{
    struct holding *holding = holding_of(article);
    struct journal_place old = holding->place;
    if (old.segment != core->moving || !append_article(core, article, holding, document, now_ms)) {
        return;
    }
    journal_moved(core->journal, old);
    if (article->state == ARTICLE_DEAD && article->dead) {
        append_dead(core, article, now_ms);
    }
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
        const struct holding *holding = holding_of(article);
        if (holding->place.segment != segment) {
            continue;
        }
        if (holding->document) {
            struct view document = {holding->document, holding->document_len};
            move_article(core, article, document, now_ms);
        } else {
            ask_for_document(core, article);
        }
    }
}

void core_read(struct core *core, uint64_t handle, struct view bytes, int64_t now_ms)
{
    struct record record;
    size_t size;
    struct queued_article *article = queue_find(core->queue, handle);
    if (!article) {
        return;
    }
    struct holding *holding = holding_of(article);
    holding->loading = false;
    if (record_read(&record, (const uint8_t *)bytes.at, bytes.len, holding->place.segment, &size) !=
            RECORD_OK ||
        record.type != RECORD_ARTICLE || record.handle != handle) {
        struct action action = {.kind = ACTION_STOP,
                                .sentence = "an accepted article cannot be read back from the "
                                            "journal; run `copydesk journal verify`"};
        act(core, &action);
        return;
    }
    struct view document = {(const char *)record.is.article.document,
                            record.is.article.document_bytes};
    move_article(core, article, document, now_ms);
    if (article->state == ARTICLE_LIVE) {
        count_bytes(core, holding, false);
        holding_set_document(holding, document);
        count_bytes(core, holding, true);
    }
}

// --- commits

// Documents of articles that just became safe and will not be needed soon give up their memory.
static void spill(struct core *core, uint64_t from, uint64_t to)
{
    const struct list *acks = &core->acks;
    for (size_t i = acks->first;
         i < acks->end && core->document_bytes > core->config.document_bytes; i++) {
        const struct ack *ack = (struct ack *)acks->at + i;
        if (ack->safe_at <= from || ack->safe_at > to || ack->outcome != WIRE_ACCEPTED) {
            continue;
        }
        struct queued_article *article = queue_find(core->queue, ack->handle);
        struct holding *holding = article ? holding_of(article) : NULL;
        bool begun = !article || !article->tasks || article->tasks->state == TASK_LEASED ||
                     article->done != 0;
        if (holding && holding->document && !begun) {
            count_bytes(core, holding, false);
            holding_drop_document(holding);
            count_bytes(core, holding, true);
        }
    }
}

// What the segment alone knew of ended articles is written again, so that a restart still tells a duplicate,
// a late version and a killed story from news.
static void carry_memories(struct core *core, uint64_t segment, int64_t now_ms)
{
    size_t at = 0;
    struct story *story;
    while ((story = queue_next_memory(core->queue, &at))) {
        struct journal_place place;
        struct record record = {.type = RECORD_SEEN,
                                .pubstatus = story->canceled ? WIRE_CANCELED : WIRE_USABLE};
        if (story->evidence > segment) {
            continue;
        }
        record.is.seen = (struct record_seen){.key = {story->key[0], story->key[1]},
                                              .version = story->version,
                                              .content_hash = story->content_hash};
        if (journal_append(core->journal, &record, now_ms, &place)) {
            story->evidence = place.segment;
        }
    }
}

// A segment goes in two steps: what must stay is written elsewhere, and when that is on disk the file goes.
static void drop_segments(struct core *core, int64_t now_ms)
{
    if (core->dropping != 0 && journal_durable(core->journal) >= core->drop_at) {
        struct action action = {.kind = ACTION_DROP, .segment = core->dropping};
        act(core, &action);
        core->dropping = 0;
    }
    // Carrying memories on must cost less than what is dropped, or the journal would chase its own tail.
    uint64_t keep_bytes = (uint64_t)queue_counts(core->queue)->remembered * MEMORY_BYTES * 4;
    if (core->dropping == 0 && journal_next_drop(core->journal, keep_bytes, &core->dropping)) {
        carry_memories(core, core->dropping, now_ms);
        core->drop_at = journal_end(core->journal);
    }
}

void core_committed(struct core *core, int64_t now_ms)
{
    uint64_t before = journal_durable(core->journal);
    journal_committed(core->journal);
    if (core->disk_full) {
        core->disk_full = false;
        say(core, "the disk has room again: accepting articles");
    }
    spill(core, before, journal_durable(core->journal));
    move_stragglers(core, now_ms);
    drop_segments(core, now_ms);
}

void core_commit_failed(struct core *core, bool no_room, const char *sentence, int64_t now_ms)
{
    if (!no_room) {
        struct action action = {.kind = ACTION_STOP, .sentence = sentence};
        act(core, &action);
        return;
    }
    if (!core->disk_full) {
        say(core, "%s: accepting no more until there is room; what was accepted goes on", sentence);
    }
    core->disk_full = true;
    core->retry_at_ms = now_ms + core->config.retry_ms;
}

static void commit(struct core *core, int64_t now_ms)
{
    struct action action = {.kind = ACTION_COMMIT};
    bool wanted = journal_has_records(core->journal) ||
                  (journal_waiting_done(core->journal) > 0 &&
                   (core->draining || now_ms - core->gather_since_ms >= core->config.gather_ms));
    if (core->disk_full) {
        if (now_ms >= core->retry_at_ms && journal_retry(core->journal, &action.commit)) {
            core->retry_at_ms = INT64_MAX;
            act(core, &action);
        }
    } else if (wanted && journal_next_commit(core->journal, now_ms, &action.commit)) {
        act(core, &action);
    }
}

// --- messages

static void take_ask(struct core *core, struct peer *peer, const struct wire_message *message,
                     int64_t now_ms)
{
    struct buf answer;
    buf_init(&answer, 64 << 20);
    answer_command(core, message_text(message, WIRE_TAG_COMMAND), now_ms, &answer);
    settle_ended(core, now_ms);
    message_begin(&core->message, WIRE_ANSWER, WIRE_NO_STAGE);
    message_item(&core->message, &(struct wire_item){0}, VIEW(""));
    message_section(&core->message, WIRE_DOCUMENT, buf_view(&answer));
    buf_clear(&answer);
    send(core, peer, now_ms);
}

static void take_message(struct core *core, struct peer *peer, const struct wire_message *message,
                         int64_t now_ms)
{
    peer->heard_ms = now_ms;
    if (peer->role == WIRE_WORKER) {
        queue_renew(core->queue, peer->number, now_ms);
        peer->credit_articles += message->header.credit_count;
        grant_bytes(peer, message->header.credit_bytes);
    }
    switch (message->header.type) {
    case WIRE_PUT:
        take_put(core, peer, message, now_ms);
        break;
    case WIRE_RESULT:
        if (peer->role == WIRE_WORKER) {
            take_result(core, peer, message, now_ms);
        } else {
            send_error(core, peer->number, WIRE_ERROR_ROLE, "only a worker sends RESULT");
        }
        break;
    case WIRE_ASK:
        take_ask(core, peer, message, now_ms);
        break;
    case WIRE_GOODBYE:
        say(core, "%s leaves", peer->name);
        remove_peer(core, peer, false, now_ms);
        break;
    case WIRE_CREDIT:
    case WIRE_HEARTBEAT:
        break;
    default:
        send_error(core, peer->number, WIRE_ERROR_ROLE, "the broker does not take this message");
        break;
    }
}

void core_message(struct core *core, uint64_t number, struct view envelope, struct view body,
                  int64_t now_ms)
{
    struct wire_message message;
    char sentence[200];
    enum wire_fault fault = wire_parse(&message, envelope.at, envelope.len, body.at, body.len);
    if (fault == WIRE_FAULT_MAJOR) {
        snprintf(
            sentence, sizeof sentence,
            "you speak protocol %u, this broker speaks %d: upgrade the older one, the broker first",
            message.header.minor, WIRE_MAJOR);
        send_error(core, number, WIRE_ERROR_VERSION, sentence);
        return;
    }
    if (fault != WIRE_OK) {
        core->unreadable++;
        snprintf(sentence, sizeof sentence, "message not understood: %s", wire_fault_text(fault));
        send_error(core, number, WIRE_ERROR_FORMAT, sentence);
        return;
    }
    if (message.header.type == WIRE_HELLO) {
        take_hello(core, number, &message, now_ms);
        return;
    }
    struct peer *peer = find_peer(core, number);
    if (!peer) {
        send_error(core, number, WIRE_ERROR_UNKNOWN,
                   "say HELLO first: this broker does not know you");
        return;
    }
    take_message(core, peer, &message, now_ms);
}

// --- time

static void beat(struct core *core, struct peer *peer, int64_t now_ms)
{
    if (now_ms - peer->sent_ms >= core->config.heartbeat_ms) {
        message_begin(&core->message, WIRE_HEARTBEAT, WIRE_NO_STAGE);
        send(core, peer, now_ms);
    }
}

static struct peer *silent_peer(const struct core *core, int64_t now_ms)
{
    size_t at = 0;
    struct peer *peer;
    while ((peer = index_next(&core->peers, &at))) {
        if (now_ms - peer->heard_ms >= core->config.queue.lease_ms) {
            return peer;
        }
    }
    return NULL;
}

void core_tick(struct core *core, int64_t now_ms)
{
    size_t at = 0;
    struct peer *peer;
    while ((peer = silent_peer(core, now_ms))) {
        lose_peer(core, peer, "fell silent", now_ms);
    }
    queue_tick(core->queue, now_ms);
    settle_ended(core, now_ms);
    send_canceled(core, now_ms);
    while ((peer = index_next(&core->peers, &at))) {
        beat(core, peer, now_ms);
    }
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t core_next_ms(const struct core *core)
{
    int64_t next = queue_next_ms(core->queue);
    size_t at = 0;
    const struct peer *peer;
    while ((peer = index_next(&core->peers, &at))) {
        next = sooner(next, peer->heard_ms + core->config.queue.lease_ms);
        next = sooner(next, peer->sent_ms + core->config.heartbeat_ms);
    }
    if (journal_waiting_done(core->journal) > 0 && !journal_is_committing(core->journal)) {
        next = sooner(next, core->gather_since_ms + core->config.gather_ms);
    }
    return core->disk_full ? sooner(next, core->retry_at_ms) : next;
}

void core_turn(struct core *core, int64_t now_ms)
{
    send_canceled(core, now_ms);
    send_loaded(core, now_ms);
    dispatch(core, now_ms);
    commit(core, now_ms);
    send_acks(core, now_ms);
}

void core_drain(struct core *core)
{
    core->draining = true;
}

bool core_is_idle(const struct core *core)
{
    const struct queue_counts *counts = queue_counts(core->queue);
    size_t leased = 0;
    for (uint32_t i = 0; i < core->graph.count; i++) {
        leased += counts->stages[i].leased;
    }
    return leased == 0 && journal_pending_bytes(core->journal) == 0 &&
           journal_waiting_done(core->journal) == 0;
}

struct core_numbers core_numbers(const struct core *core)
{
    struct core_numbers numbers = {.journal_bytes = journal_bytes(core->journal),
                                   .pending_bytes = journal_pending_bytes(core->journal),
                                   .document_bytes = core->document_bytes,
                                   .section_bytes = core->section_bytes,
                                   .complete = core->ended.complete,
                                   .superseded = core->ended.superseded,
                                   .dead = core->ended.dead,
                                   .kills = core->kills,
                                   .closed = closed_because(core)};
    memcpy(numbers.outcomes, core->outcomes, sizeof numbers.outcomes);
    for (uint32_t i = 0; i < core->worker_count; i++) {
        numbers.workers[core->workers[i]->stage - 1]++;
    }
    return numbers;
}

const struct graph *core_graph(const struct core *core)
{
    return &core->graph;
}

const struct queue *core_queue(const struct core *core)
{
    return core->queue;
}

void core_check(const struct core *core)
{
    size_t documents = 0;
    size_t sections = 0;
    size_t at = 0;
    const struct queued_article *article;
    queue_check(core->queue);
    while ((article = queue_next(core->queue, &at))) {
        const struct holding *holding = holding_of(article);
        assert(holding);
        assert(holding->place.segment != 0);
        documents += holding->document_len;
        sections += holding->section_bytes;
    }
    assert(documents == core->document_bytes);
    assert(sections == core->section_bytes);
}
