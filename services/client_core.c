#include "services/client_core.h"

#include <assert.h>
#include <stdlib.h>

enum {
    BATCH_LIMIT = 64, // articles in one PUT
    SENTENCE_LIMIT = 500,
    BUSY_STEP_MS =
        32, // what is sent again comes due in steps: a thousand at a time, not one by one
};
#define BATCH_BYTES_LIMIT ((size_t)256 << 10)

enum entry_state {
    ENTRY_WAITING, // in a lane
    ENTRY_SENT,    // no answer yet; in the ring alone
    ENTRY_PAUSED,  // in the list of the paused
    ENTRY_SETTLED, // in the list of the settled
};

// An article that is held. Exactly one list has it, but for SENT.
struct client_entry {
    struct client_entry *next;
    struct wire_item item; // handle and all; lane is valid
    uint64_t tag;
    struct view id, document;
    enum entry_state state;
    enum wire_outcome outcome;
    uint32_t tries, busy;
    int64_t put_ms, due_ms;
    char *sentence;
    size_t sentence_len;
};

static void list_init(struct client_list *list)
{
    *list = (struct client_list){.last = &list->first};
}

static void list_push(struct client_list *list, struct client_entry *entry)
{
    entry->next = NULL;
    *list->last = entry;
    list->last = &entry->next;
}

static struct client_entry *list_pop(struct client_list *list)
{
    struct client_entry *entry = list->first;
    if (entry) {
        list->first = entry->next;
        if (!list->first) {
            list->last = &list->first;
        }
    }
    return entry;
}

static uint64_t entry_bytes(const struct client_entry *entry)
{
    return entry->id.len + entry->document.len;
}

static void entry_free(struct client_entry *entry)
{
    if (entry) {
        free(entry->sentence);
        free(entry);
    }
}

static void clear_lists(struct client_core *core)
{
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        list_init(&core->lanes[lane]);
    }
    list_init(&core->paused);
    core->paused_ms = INT64_MAX;
    core->waiting = 0;
}

enum status client_core_init(struct client_core *core, const struct client_config *config,
                             int64_t now_ms)
{
    uint32_t slots = 1;
    *core = (struct client_core){.config = *config};
    while (slots < config->article_limit && slots < 1u << 30) {
        slots *= 2;
    }
    core->config.article_limit = slots;
    core->ring = calloc(slots, sizeof(struct client_entry *));
    if (!core->ring) {
        return ERR_MEMORY;
    }
    const struct session_config session = {.role = WIRE_CLIENT,
                                           .name = config->name,
                                           .software = "copydesk " COPYDESK_VERSION,
                                           .patience_ms = config->patience_ms,
                                           .seed = config->seed};
    session_init(&core->session, &session, now_ms);
    core->oldest = core->next_handle = 1;
    clear_lists(core);
    list_init(&core->settled);
    return OK;
}

static struct client_entry **slot_of(const struct client_core *core, uint64_t handle)
{
    return &core->ring[handle & (core->config.article_limit - 1)];
}

void client_core_clear(struct client_core *core)
{
    for (uint64_t handle = core->oldest; handle < core->next_handle; handle++) {
        entry_free(*slot_of(core, handle));
    }
    entry_free(core->told);
    free(core->ring);
    core->ring = NULL;
    session_clear(&core->session);
}

static struct client_entry *entry_new(const struct client_article *article)
{
    struct client_entry *entry = malloc(sizeof *entry + article->id.len + article->document.len);
    if (!entry) {
        return NULL;
    }
    char *at = (char *)(entry + 1);
    *entry = (struct client_entry){
        .item = {.version = article->version,
                 .deadline_ms = article->deadline_ms,
                 .embargo_ms = article->embargo_ms,
                 .lane = (uint8_t)article->lane,
                 .pubstatus = (uint8_t)article->pubstatus,
                 .trace_flags = article->trace_flags,
                 .flags = article->again ? WIRE_AGAIN : 0},
        .tag = article->tag,
        .id = {at, article->id.len},
        .document = {at + article->id.len, article->document.len},
    };
    memcpy(entry->item.trace_id, article->trace_id, sizeof entry->item.trace_id);
    memcpy(entry->item.span_id, article->span_id, sizeof entry->item.span_id);
    memcpy(at, article->id.at, article->id.len);
    memcpy(at + article->id.len, article->document.at, article->document.len);
    return entry;
}

static void queue_entry(struct client_core *core, struct client_entry *entry)
{
    entry->state = ENTRY_WAITING;
    list_push(&core->lanes[entry->item.lane], entry);
    core->waiting++;
}

enum status client_core_put(struct client_core *core, int64_t now_ms,
                            const struct client_article *article, struct error *why)
{
    uint64_t bytes = article->id.len + article->document.len;
    assert(article->lane < WIRE_LANE_COUNT && article->id.len > 0 && article->document.len > 0);
    if (article->id.len > UINT16_MAX || bytes > MESSAGE_BYTES_LIMIT / 2) {
        return error_set(why, ERR_LIMIT, "an article of %llu bytes is too large to be sent",
                         (unsigned long long)bytes);
    }
    if (core->next_handle - core->oldest >= core->config.article_limit ||
        (core->held > 0 && core->held_bytes + bytes > core->config.bytes_limit)) {
        return error_set(why, ERR_FULL, "%u articles are waiting for the broker already",
                         (unsigned)core->held);
    }
    struct client_entry *entry = entry_new(article);
    if (!entry) {
        return error_set(why, ERR_MEMORY, "no memory for an article of %llu bytes",
                         (unsigned long long)bytes);
    }
    entry->item.handle = core->next_handle++;
    entry->put_ms = now_ms;
    *slot_of(core, entry->item.handle) = entry;
    core->held++;
    core->held_bytes += bytes;
    core->counts.put++;
    queue_entry(core, entry);
    return OK;
}

// After a lost session: whatever has no outcome is to be sent (again), oldest first.
static void keep_up(struct client_core *core)
{
    if (core->epoch == core->session.epoch) {
        return;
    }
    core->epoch = core->session.epoch;
    core->credit_count = 0;
    core->credit_bytes = 0;
    clear_lists(core);
    for (uint64_t handle = core->oldest; handle < core->next_handle; handle++) {
        struct client_entry *entry = *slot_of(core, handle);
        if (entry && entry->state != ENTRY_SETTLED) {
            queue_entry(core, entry);
        }
    }
}

void client_core_link(struct client_core *core, int64_t now_ms, bool up)
{
    session_link(&core->session, now_ms, up);
    keep_up(core);
}

static void grant(struct client_core *core, const struct wire_header *header)
{
    uint64_t bytes = header->credit_bytes;
    core->credit_count += header->credit_count;
    core->credit_bytes += bytes > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)bytes;
    // Whoever grants without end must not make the sum overflow.
    if (core->credit_count > INT64_MAX / 4) {
        core->credit_count = INT64_MAX / 4;
    }
    if (core->credit_bytes > INT64_MAX / 4) {
        core->credit_bytes = INT64_MAX / 4;
    }
}

static void pause(struct client_core *core, int64_t now_ms, struct client_entry *entry)
{
    int64_t due_ms = now_ms + session_backoff_ms(&core->session, entry->busy++);
    entry->due_ms = (due_ms + BUSY_STEP_MS - 1) / BUSY_STEP_MS * BUSY_STEP_MS;
    entry->state = ENTRY_PAUSED;
    list_push(&core->paused, entry);
    core->paused_ms = entry->due_ms < core->paused_ms ? entry->due_ms : core->paused_ms;
    core->counts.busy++;
}

static void keep_sentence(struct client_entry *entry, struct view sentence)
{
    size_t len = sentence.len < SENTENCE_LIMIT ? sentence.len : SENTENCE_LIMIT;
    entry->sentence = len > 0 ? malloc(len) : NULL;
    if (entry->sentence) {
        memcpy(entry->sentence, sentence.at, len);
        entry->sentence_len = len;
    }
}

// An answer to something we did not send, or sent and know about already, changes nothing.
static void take_answer(struct client_core *core, int64_t now_ms, const struct wire_item *item,
                        struct view sentence)
{
    bool held = item->handle >= core->oldest && item->handle < core->next_handle;
    struct client_entry *entry = held ? *slot_of(core, item->handle) : NULL;
    if (!entry || entry->state != ENTRY_SENT) {
        return;
    }
    if (item->outcome == WIRE_BUSY) {
        pause(core, now_ms, entry);
    } else if (item->outcome >= WIRE_ACCEPTED && item->outcome <= WIRE_REFUSED) {
        entry->outcome = (enum wire_outcome)item->outcome;
        entry->state = ENTRY_SETTLED;
        if (item->outcome == WIRE_REFUSED) {
            keep_sentence(entry, sentence);
        }
        list_push(&core->settled, entry);
    }
}

static void take_acks(struct client_core *core, int64_t now_ms, const struct wire_message *message)
{
    struct wire_walk walk = {.message = message};
    struct view sentence = message_text(message, WIRE_TAG_SENTENCE);
    while (wire_next_item(&walk)) {
        take_answer(core, now_ms, &walk.item, sentence);
    }
}

void client_core_message(struct client_core *core, int64_t now_ms, struct view envelope,
                         struct view body)
{
    struct wire_message message;
    enum session_event event = session_message(&core->session, now_ms, envelope, body, &message);
    keep_up(core);
    if (event == SESSION_NOTHING) {
        return;
    }
    unsigned type = message.header.type;
    if (type == WIRE_WELCOME || type == WIRE_ACK || type == WIRE_CREDIT) {
        grant(core, &message.header);
    }
    if (type == WIRE_ACK) {
        take_acks(core, now_ms, &message);
    }
}

void client_core_leave(struct client_core *core)
{
    core->leaving = true;
}

static void wake_paused(struct client_core *core, int64_t now_ms)
{
    struct client_list still;
    struct client_entry *entry;
    if (now_ms < core->paused_ms) {
        return;
    }
    list_init(&still);
    core->paused_ms = INT64_MAX;
    while ((entry = list_pop(&core->paused))) {
        if (entry->due_ms <= now_ms) {
            queue_entry(core, entry);
        } else {
            list_push(&still, entry);
            core->paused_ms = entry->due_ms < core->paused_ms ? entry->due_ms : core->paused_ms;
        }
    }
    core->paused = still;
    core->paused.last = still.first ? still.last : &core->paused.first;
}

static struct client_entry *next_to_send(struct client_core *core)
{
    if (core->waiting == 0 || core->credit_count <= 0 || core->credit_bytes <= 0) {
        return NULL;
    }
    struct client_entry *entry = NULL;
    for (int lane = 0; !entry; lane++) {
        assert(lane < WIRE_LANE_COUNT);
        entry = list_pop(&core->lanes[lane]);
    }
    core->waiting--;
    return entry;
}

// Articles of a stream are much alike: takes all that may go into one message to be as large as the first.
static void reserve(struct client_core *core, const struct client_entry *entry)
{
    size_t alike = core->waiting < BATCH_LIMIT ? core->waiting + 1 : BATCH_LIMIT;
    size_t bytes = alike * entry_bytes(entry);
    message_reserve(&core->session.out, bytes < BATCH_BYTES_LIMIT ? bytes : BATCH_BYTES_LIMIT);
}

static void add_article(struct client_core *core, struct client_entry *entry)
{
    if (message_item_count(&core->session.out) == 0) {
        reserve(core, entry);
    }
    message_item(&core->session.out, &entry->item, entry->id);
    message_section(&core->session.out, WIRE_DOCUMENT, entry->document);
    entry->state = ENTRY_SENT;
    core->counts.resent += entry->tries > 0;
    core->counts.sent++;
    entry->tries++;
    core->credit_count--;
    core->credit_bytes -= (int64_t)entry_bytes(entry);
}

static bool build_put(struct client_core *core, int64_t now_ms, struct frames *frames)
{
    struct message *out = &core->session.out;
    struct client_entry *entry;
    message_begin(out, WIRE_PUT, WIRE_NO_STAGE);
    while (message_item_count(out) < BATCH_LIMIT && message_body_bytes(out) < BATCH_BYTES_LIMIT &&
           (entry = next_to_send(core))) {
        add_article(core, entry);
    }
    if (message_item_count(out) == 0) {
        return false;
    }
    if (!session_finish(&core->session, now_ms, frames)) {
        session_fail(&core->session, now_ms, "no memory to send articles");
        keep_up(core);
        return false;
    }
    return true;
}

// Takes the entry out of the ring; the ring's start moves over what is gone.
static void release(struct client_core *core, struct client_entry *entry)
{
    *slot_of(core, entry->item.handle) = NULL;
    core->held--;
    core->held_bytes -= entry_bytes(entry);
    core->counts.settled++;
    while (core->oldest < core->next_handle && !*slot_of(core, core->oldest)) {
        core->oldest++;
    }
    assert((core->held == 0) == (core->oldest == core->next_handle));
}

static bool tell_outcome(struct client_core *core, int64_t now_ms, struct client_outcome *out)
{
    entry_free(core->told);
    core->told = list_pop(&core->settled);
    if (!core->told) {
        return false;
    }
    const struct client_entry *entry = core->told;
    *out = (struct client_outcome){.tag = entry->tag,
                                   .id = entry->id,
                                   .outcome = entry->outcome,
                                   .sentence = {entry->sentence, entry->sentence_len},
                                   .tries = entry->tries,
                                   .waited_ms = now_ms - entry->put_ms};
    release(core, core->told);
    return true;
}

static bool build_goodbye(struct client_core *core, int64_t now_ms, struct frames *frames)
{
    message_begin(&core->session.out, WIRE_GOODBYE, WIRE_NO_STAGE);
    core->said_goodbye = true;
    return session_finish(&core->session, now_ms, frames);
}

static bool is_stopped(const struct client_core *core)
{
    bool up = core->session.state == SESSION_UP;
    return core->session.state == SESSION_REFUSED ||
           (core->leaving && core->held == 0 && (!up || core->said_goodbye));
}

enum client_action_type client_core_next(struct client_core *core, int64_t now_ms,
                                         struct client_action *action)
{
    *action = (struct client_action){0};
    if (tell_outcome(core, now_ms, &action->outcome)) {
        return CLIENT_OUTCOME;
    }
    if (is_stopped(core)) {
        return CLIENT_STOPPED;
    }
    enum session_action session = session_next(&core->session, now_ms, &action->frames);
    keep_up(core);
    if (session != SESSION_WAIT) {
        return session == SESSION_SEND ? CLIENT_SEND : CLIENT_RECONNECT;
    }
    if (core->session.state != SESSION_UP) {
        return CLIENT_WAIT;
    }
    wake_paused(core, now_ms);
    if (build_put(core, now_ms, &action->frames)) {
        return CLIENT_SEND;
    }
    if (core->leaving && core->held == 0 && build_goodbye(core, now_ms, &action->frames)) {
        return CLIENT_SEND;
    }
    return CLIENT_WAIT;
}

int64_t client_core_deadline(const struct client_core *core)
{
    int64_t deadline_ms = session_deadline(&core->session);
    return core->paused_ms < deadline_ms ? core->paused_ms : deadline_ms;
}
