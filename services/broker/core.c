#include "services/broker/core.h"

#include "common/fault.h"
#include "services/broker/answer.h"
#include "services/broker/core_state.h"
#include "services/broker/dlq.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

const struct core_config core_defaults = {
    .heartbeat_ms = 2000,
    .gather_ms = 20,
    .retry_ms = 1000,
    .client_articles = 1024,
    .client_bytes = 8 << 20,
    .document_bytes = 12 << 20,
    .section_bytes = (size_t)256 << 20,
    .ahead_articles = 256,
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
    core->peers_due_ms = INT64_MAX;
    core->queue = queue_new(&core->graph, &core->config.queue);
    core->journal = journal_new(&core->config.journal);
    core->archive = archive_new();
    message_init(&core->message);
    holdings_init(&core->holdings);
    if (!core->queue || !core->journal || !core->archive) {
        core_free(core);
        return NULL;
    }
    return core;
}

static void drop_holding(void *holding)
{
    holding_drop(holding);
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
    queue_free(core->queue, drop_holding);
    holdings_clear(&core->holdings);
    journal_free(core->journal);
    message_clear(&core->message);
    free(core->actions.at);
    free(core->acks.at);
    free(core->unsafe.at);
    free(core->delivered.at);
    free(core->loads.at);
    free(core->shows.at);
    free(core->edits.at);
    archive_free(core->archive);
    free(core);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// Notes when the peer is given up if it stays silent, or wants a heartbeat.
static void note_due(struct core *core, const struct peer *peer)
{
    int64_t silent_ms = peer->heard_ms + core->config.queue.lease_ms;
    int64_t beat_ms = peer->sent_ms + core->config.heartbeat_ms;
    core->peers_due_ms =
        peer->is_gone ? INT64_MIN : sooner(core->peers_due_ms, sooner(silent_ms, beat_ms));
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
        core_settle_ended(core, now_ms);
    }
    free(peer);
}

static void lose_peer(struct core *core, struct peer *peer, const char *how, int64_t now_ms)
{
    core_say(core, "%s %s %s", peer->role == WIRE_WORKER ? "worker" : "client", peer->name,
             peer->is_dropped ? "must say HELLO again: there was no memory for its messages" : how);
    remove_peer(core, peer, !peer->is_dropped, now_ms);
}

void core_unreachable(struct core *core, uint64_t number)
{
    struct peer *peer = core_find_peer(core, number);
    if (peer) {
        peer->is_gone = true;
        core->peers_due_ms = INT64_MIN;
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
    if (peer->stage == 0 || !graph_in_use(&core->graph, peer->stage)) {
        char known[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
        struct view names = graph_names(&core->graph, known);
        snprintf(sentence, sizeof sentence,
                 "the pipeline has no stage '%.*s'; it has: %.*s. Add a line to [pipeline]",
                 VIEW_ARGS(view_slice(name, 0, 40)), VIEW_ARGS(view_slice(names, 0, 100)));
        core_send_error(core, peer->number, WIRE_ERROR_STAGE, sentence);
        return false;
    }
    if (core->worker_count == CORE_WORKER_LIMIT) {
        core_send_error(core, peer->number, WIRE_ERROR_LIMIT,
                        "the broker has as many workers as it serves");
        return false;
    }
    core->workers[core->worker_count++] = peer;
    peer->could = graph_set(&core->graph, message_text(hello, WIRE_TAG_ALONG));
    peer->along = graph_along(&core->graph, peer->stage, peer->could);
    peer->name_number = archive_name(core->archive, peer->name);
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
    if (peer->along) {
        message_field(message, WIRE_TAG_ALONG, graph_names_of(&core->graph, peer->along, names));
    }
    core_send(core, peer, now_ms);
}

// While the broker leaves there is nothing here for a worker of an inner stage, nor for a client: each comes again
// until the next broker answers. Sinks still get what is ready for them, and operators see how it goes.
static bool is_turned_away(const struct core *core, const struct wire_message *hello)
{
    uint32_t stage = graph_find(&core->graph, message_text(hello, WIRE_TAG_STAGE));
    bool is_sink = stage > 0 && core->graph.stages[stage - 1].terminal;
    return core->draining && (hello->header.role == WIRE_CLIENT ||
                              (hello->header.role == WIRE_WORKER && stage > 0 && !is_sink));
}

static void turn_away(struct core *core, uint64_t number)
{
    struct action action = {.kind = ACTION_SEND, .peer = number};
    message_begin(&core->message, WIRE_GOODBYE, WIRE_NO_STAGE);
    if (message_finish(&core->message, 1, &action.frames) && !core_act(core, &action)) {
        frames_clear(&action.frames);
    }
}

static void take_hello(struct core *core, uint64_t number, const struct wire_message *hello,
                       int64_t now_ms)
{
    struct peer *peer = core_find_peer(core, number);
    if (peer) { // it starts over, and has dropped what it held
        remove_peer(core, peer, false, now_ms);
    }
    if (hello->header.role < WIRE_CLIENT || hello->header.role > WIRE_OPERATOR) {
        core_send_error(core, number, WIRE_ERROR_ROLE,
                        "a HELLO names the role client, worker or operator");
        return;
    }
    if (is_turned_away(core, hello)) {
        turn_away(core, number);
        return;
    }
    peer = fault_hit(FAULT_MEMORY) ? NULL : calloc(1, sizeof *peer);
    if (!peer || !index_add(&core->peers, number, peer)) {
        free(peer);
        return;
    }
    *peer = (struct peer){
        .number = number, .role = hello->header.role, .heard_ms = now_ms, .joined_ms = now_ms};
    uint32_t patience_ms = wire_field_u32(hello, WIRE_TAG_PATIENCE, 0);
    peer->patience_ms = patience_ms < PATIENCE_LIMIT_MS ? patience_ms : PATIENCE_LIMIT_MS;
    snprintf(peer->name, sizeof peer->name, "%.*s", VIEW_ARGS(message_text(hello, WIRE_TAG_NAME)));
    snprintf(peer->stage_version, sizeof peer->stage_version, "%.*s",
             VIEW_ARGS(message_text(hello, WIRE_TAG_STAGE_VERSION)));
    if (peer->role == WIRE_WORKER && !accept_worker(core, peer, hello)) {
        index_remove(&core->peers, number);
        free(peer);
        return;
    }
    welcome(core, peer, now_ms);
    note_due(core, peer);
    if (peer->role == WIRE_WORKER) {
        core_say(core, "worker %s serves %s", peer->name, core->graph.stages[peer->stage - 1].name);
    }
}

// --- messages

static void take_ask(struct core *core, struct peer *peer, const struct wire_message *message,
                     int64_t now_ms)
{
    struct buf answer;
    struct wire_walk walk = {.message = message};
    struct wire_section section;
    const uint8_t *bytes;
    struct question question = {
        .peer = peer->number, .command = message_text(message, WIRE_TAG_COMMAND), .now_ms = now_ms};
    if (wire_next_item(&walk) && wire_next_section(&walk, &section, &bytes) &&
        section.stage == WIRE_DOCUMENT) {
        question.document = (struct view){(const char *)bytes, section.bytes};
    }
    buf_init(&answer, 64 << 20);
    bool now = answer_command(core, &question, &answer);
    core_settle_ended(core, now_ms);
    if (now) {
        answer_send(core, peer, buf_view(&answer), now_ms);
    }
    buf_clear(&answer);
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
        intake_take_put(core, peer, message, now_ms);
        break;
    case WIRE_RESULT:
        if (peer->role == WIRE_WORKER) {
            handout_take_result(core, peer, message, now_ms);
        } else {
            core_send_error(core, peer->number, WIRE_ERROR_ROLE, "only a worker sends RESULT");
        }
        break;
    case WIRE_ASK:
        take_ask(core, peer, message, now_ms);
        break;
    case WIRE_GOODBYE:
        if (peer->role != WIRE_OPERATOR) { // who comes and goes with every question
            core_say(core, "%s leaves", peer->name);
        }
        remove_peer(core, peer, false, now_ms);
        break;
    case WIRE_CREDIT:
    case WIRE_HEARTBEAT:
        break;
    default:
        core_send_error(core, peer->number, WIRE_ERROR_ROLE,
                        "the broker does not take this message");
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
        core_send_error(core, number, WIRE_ERROR_VERSION, sentence);
        return;
    }
    if (fault != WIRE_OK) {
        core->unreadable++;
        snprintf(sentence, sizeof sentence, "message not understood: %s", wire_fault_text(fault));
        core_send_error(core, number, WIRE_ERROR_FORMAT, sentence);
        return;
    }
    if (message.header.type == WIRE_HELLO) {
        take_hello(core, number, &message, now_ms);
        return;
    }
    struct peer *peer = core_find_peer(core, number);
    if (!peer) {
        core_send_error(core, number, WIRE_ERROR_UNKNOWN,
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
        core_send(core, peer, now_ms);
    }
}

static struct peer *gone_peer(const struct core *core)
{
    size_t at = 0;
    struct peer *peer;
    while ((peer = index_next(&core->peers, &at)) && !peer->is_gone) {
    }
    return peer;
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

static void lose_peers(struct core *core, int64_t now_ms)
{
    struct peer *peer;
    while ((peer = gone_peer(core))) {
        lose_peer(core, peer, "is gone", now_ms);
    }
    while ((peer = silent_peer(core, now_ms))) {
        lose_peer(core, peer, "fell silent", now_ms);
    }
}

// Peers are heard and told later and later: until the earliest time that was noted none of them needs a look.
static void beat_peers(struct core *core, int64_t now_ms)
{
    size_t at = 0;
    struct peer *peer;
    core->peers_due_ms = INT64_MAX;
    while ((peer = index_next(&core->peers, &at))) {
        beat(core, peer, now_ms);
        note_due(core, peer);
    }
}

void core_tick(struct core *core, int64_t now_ms)
{
    bool peers_are_due = now_ms >= core->peers_due_ms;
    if (peers_are_due) {
        lose_peers(core, now_ms);
    }
    core->started_ms = core->started_ms ? core->started_ms : now_ms;
    queue_tick(core->queue, now_ms);
    core_settle_ended(core, now_ms);
    handout_send_canceled(core, now_ms);
    progress_find(core, now_ms);
    keep_park(core, now_ms);
    watch_stages(core, now_ms);
    if (peers_are_due) {
        beat_peers(core, now_ms);
    }
}

void core_jump(struct core *core, int64_t by_ms, int64_t now_ms)
{
    size_t at = 0;
    struct peer *peer;
    while ((peer = index_next(&core->peers, &at))) {
        peer->heard_ms += by_ms;
        peer->sent_ms += by_ms;
        peer->joined_ms += by_ms;
    }
    core->peers_due_ms = INT64_MIN;
    for (uint32_t i = 0; i < core->graph.count; i++) {
        core->starved[i].since_ms += core->starved[i].since_ms ? by_ms : 0;
    }
    core->gather_since_ms += by_ms;
    core->retry_at_ms += core->retry_at_ms == INT64_MAX ? 0 : by_ms;
    core->started_ms += core->started_ms ? by_ms : 0;
    core->watched_ms += by_ms;
    core->parked_ms += by_ms;
    for (size_t i = core->delivered.first; i < core->delivered.end; i++) {
        ((struct delivery *)core->delivered.at)[i].at_ms += by_ms;
    }
    core->acks_since_ms += core->acks_since_ms ? by_ms : 0;
    queue_jump(core->queue, by_ms, now_ms);
    core_say(core, "the clock jumped by %lld ms; embargoes follow it, leases do not",
             (long long)by_ms);
}

int64_t core_next_ms(const struct core *core)
{
    int64_t next = sooner(queue_next_ms(core->queue), core->peers_due_ms);
    if (journal_waiting_done(core->journal) > 0 && !journal_is_committing(core->journal)) {
        next = sooner(next, core->gather_since_ms + core->config.gather_ms);
    }
    if (core->acks_since_ms > 0) {
        next = sooner(next, core->acks_since_ms + 2 * (int64_t)core->acks_wait_ms);
    }
    next = sooner(next, progress_next_ms(core));
    return core->disk_full ? sooner(next, core->retry_at_ms) : next;
}

void core_turn(struct core *core, int64_t now_ms)
{
    handout_send_canceled(core, now_ms);
    handout_send_loaded(core, now_ms);
    handout_dispatch(core, now_ms);
    handout_send_loaded(core, now_ms); // what was fetched without a read
    progress_write(core, now_ms);
    keep_commit(core, now_ms);
    intake_send_acks(core, now_ms);
    dlq_send_edited(core, now_ms);
}

// A worker may run other stages along with its own now: it is to say HELLO again. What it holds goes back to the line.
static void greet_again(struct core *core, struct peer *peer, int64_t now_ms)
{
    core_send_error(core, peer->number, WIRE_ERROR_UNKNOWN,
                    "the pipeline has changed: say HELLO again");
    remove_peer(core, peer, false, now_ms);
}

static void dismiss(struct core *core, struct peer *peer, int64_t now_ms)
{
    char sentence[160];
    snprintf(sentence, sizeof sentence, "the pipeline has no stage '%s' any more",
             graph_name_of(&core->graph, peer->stage));
    core_send_error(core, peer->number, WIRE_ERROR_STAGE, sentence);
    core_say(core, "worker %s is dismissed: %s", peer->name, sentence);
    remove_peer(core, peer, false, now_ms);
}

enum status core_reload(struct core *core, const struct graph *graph,
                        const struct core_config *config, int64_t now_ms, struct error *why)
{
    enum status status = graph_reload(&core->graph, graph, why);
    if (status != OK) {
        return status;
    }
    core->config.document_bytes = config->document_bytes;
    core->config.section_bytes = config->section_bytes;
    core->config.article_bytes = config->article_bytes;
    core->config.disk_bytes = config->disk_bytes;
    queue_configure(core->queue, &config->queue);
    queue_reload(core->queue, now_ms);
    for (uint32_t i = core->worker_count; i-- > 0;) {
        struct peer *peer = core->workers[i];
        if (!graph_in_use(&core->graph, peer->stage)) {
            dismiss(core, peer, now_ms);
        } else if (peer->along != graph_along(&core->graph, peer->stage, peer->could)) {
            greet_again(core, peer, now_ms);
        }
    }
    core_settle_ended(core, now_ms);
    return OK;
}

static void say_goodbye(struct core *core, struct peer *peer, int64_t now_ms)
{
    message_begin(&core->message, WIRE_GOODBYE, WIRE_NO_STAGE);
    core_send(core, peer, now_ms);
}

void core_drain(struct core *core, int64_t now_ms)
{
    core->draining = true;
    for (uint32_t i = 0; i < core->worker_count; i++) {
        if (!core->graph.stages[core->workers[i]->stage - 1].terminal) {
            say_goodbye(core, core->workers[i], now_ms);
        }
    }
}

void core_leave(struct core *core, int64_t now_ms)
{
    size_t at = 0;
    struct peer *peer;
    while ((peer = index_next(&core->peers, &at))) {
        say_goodbye(core, peer, now_ms);
    }
}

// A sink that is there has something to fetch.
static bool is_delivering(const struct core *core)
{
    for (uint32_t i = 0; i < core->worker_count; i++) {
        uint32_t stage = core->workers[i]->stage;
        if (core->graph.stages[stage - 1].terminal && queue_ready(core->queue, stage) > 0) {
            return true;
        }
    }
    return false;
}

bool core_is_idle(const struct core *core)
{
    const struct queue_counts *counts = queue_counts(core->queue);
    size_t leased = 0;
    for (uint32_t i = 0; i < core->graph.count; i++) {
        leased += counts->stages[i].leased;
    }
    return leased == 0 && !is_delivering(core) && journal_pending_bytes(core->journal) == 0 &&
           journal_waiting_done(core->journal) == 0 && core->delivered.first == core->delivered.end;
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
                                   .closed = intake_closed(core),
                                   .starving = *core->starving ? core->starving : NULL};
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
        const struct holding *holding = core_holding(article);
        assert(holding);
        assert(core_place(article).segment != 0);
        documents += holding_look(holding)->document_len;
        sections += holding_look(holding)->section_bytes;
    }
    assert(documents == core->document_bytes);
    assert(sections == core->section_bytes);
}
