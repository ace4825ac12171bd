// Between broker and workers: what is handed to whom, and what comes back.
#include "services/broker/core_state.h"

#include <stdio.h>

// A batch for one worker ends at the first of these. Nothing waits for a batch to fill.
enum { BATCH_ARTICLES = 64, BATCH_BYTES = 256 << 10 };

// Tells holders what was taken away from them, before they get anything newer.
void handout_send_canceled(struct core *core, int64_t now_ms)
{
    struct canceled canceled;
    while (queue_take_canceled(core->queue, &canceled)) {
        struct peer *peer = core_find_peer(core, canceled.holder);
        struct wire_item item = {.handle = canceled.handle, .attempt = canceled.attempt};
        if (peer) {
            message_begin(&core->message, WIRE_CANCEL, (uint16_t)canceled.stage);
            message_item(&core->message, &item, VIEW(""));
            core_send(core, peer, now_ms);
        }
    }
}

// --- results

// Notes in the article's history how a hand-out ended.
static void note_end(const struct queued_article *article, const struct wire_item *item,
                     uint32_t stage, enum hop_end end, int64_t now_ms)
{
    int64_t after = now_ms - article->accepted_ms;
    struct holding_warm *warm = core_holding(article)->warm;
    history_end(warm ? warm->history : NULL, stage, item->attempt, end,
                after > 0 ? (uint32_t)after : 0);
}

// The hop lacks when it was.
static void note_hop(struct core *core, const struct queued_article *article, struct hop hop,
                     int64_t now_ms)
{
    struct holding_warm *warm = holding_warm(&core->holdings, core_holding(article));
    int64_t after = now_ms - article->accepted_ms;
    if (warm) {
        hop.after_ms = after > 0 ? (uint32_t)after : 0;
        history_add(&warm->history, hop);
    }
}

// Under memory pressure a document that is not needed at once is not kept: the journal has it.
static void drop_document(struct core *core, struct holding *holding)
{
    if (core->document_bytes > core->config.document_bytes) {
        core_count_bytes(core, holding, false);
        holding_drop_document(holding);
        core_count_bytes(core, holding, true);
    }
}

// False when memory ran out.
static bool keep_section(struct core *core, const struct queued_article *article, uint32_t stage,
                         struct view bytes)
{
    struct holding *holding = core_holding(article);
    core_count_bytes(core, holding, false);
    bool kept = holding_add_section(&core->holdings, holding, stage, bytes);
    core_count_bytes(core, holding, true);
    return kept;
}

// The sections of further stages, made in the same go. Without memory for one its stage runs after all.
static void take_along(struct core *core, const struct peer *peer,
                       const struct queued_article *article, struct wire_walk *walk, int64_t now_ms)
{
    struct wire_section section;
    const uint8_t *bytes;
    while (wire_next_section(walk, &section, &bytes)) {
        bool known = section.stage >= 1 && section.stage <= core->graph.count;
        struct view text = {(const char *)bytes, section.bytes};
        if (known && (peer->along & graph_bit(section.stage)) &&
            queue_waits(core->queue, article, section.stage) &&
            keep_section(core, article, section.stage, text)) {
            queue_supply(core->queue, article->handle, section.stage, now_ms);
            note_hop(core, article,
                     (struct hop){.worker = peer->name_number,
                                  .stage = (uint8_t)section.stage,
                                  .end = HOP_ALONG},
                     now_ms);
        }
    }
}

// What else a stage that is done leads to.
static void go_on(struct core *core, struct peer *peer, const struct queued_article *article,
                  struct wire_walk *walk, int64_t now_ms)
{
    bool is_sink = core->graph.stages[peer->stage - 1].terminal;
    peer->done++;
    if (is_sink && article->state == ARTICLE_LIVE) {
        progress_note(core, article->handle, peer->stage, now_ms);
    } else if (!is_sink) {
        take_along(core, peer, article, walk, now_ms);
        if ((core->graph.readers & ~article->done) == 0) {
            drop_document(core, core_holding(article)); // sinks alone will want it
        }
    }
}

// Keeps what a stage made; of an answer that will be refused, nothing. False when there is no memory for it.
static bool take_section(struct core *core, const struct queued_article *article,
                         const struct queue_claim *claim, struct view bytes)
{
    return !queue_holds(core->queue, article, claim) ||
           keep_section(core, article, claim->stage, bytes);
}

static void take_result_item(struct core *core, struct peer *peer, struct wire_walk *walk,
                             int64_t now_ms)
{
    static const uint8_t ends[] = {[WIRE_DONE] = HOP_DONE,
                                   [WIRE_RETRY] = HOP_RETRY,
                                   [WIRE_CRASHED] = HOP_RETRY,
                                   [WIRE_RETURN] = HOP_RETURN,
                                   [WIRE_REJECT] = HOP_REJECT};
    const struct wire_item *item = &walk->item;
    struct wire_section section;
    const uint8_t *bytes;
    // What ends here is freed by core_settle_ended, not before. A task that is held has its article.
    const struct queued_article *article = queue_find(core->queue, item->handle);
    const struct queue_claim claim = {peer->number, item->handle, peer->stage, item->attempt};
    bool has_section = wire_next_section(walk, &section, &bytes);
    struct view text = {has_section ? (const char *)bytes : "", has_section ? section.bytes : 0};
    struct queue_blame blame = {view_of(peer->name), text};
    bool is_sink = core->graph.stages[peer->stage - 1].terminal;
    enum wire_outcome outcome = item->outcome;
    if (outcome < WIRE_DONE || outcome > WIRE_CRASHED) {
        outcome = WIRE_REJECT;
        blame.reason = VIEW("unknown outcome");
    } else if (outcome == WIRE_DONE && !is_sink && has_section &&
               !take_section(core, article, &claim, text)) {
        outcome = WIRE_RETURN; // as if it had not been begun
    }
    if (!queue_answer(core->queue, &claim, outcome, &blame, now_ms)) {
        return;
    }
    note_end(article, item, peer->stage, (enum hop_end)ends[outcome], now_ms);
    if (outcome == WIRE_DONE) {
        go_on(core, peer, article, walk, now_ms);
    }
}

void handout_take_result(struct core *core, struct peer *peer, const struct wire_message *message,
                         int64_t now_ms)
{
    struct wire_walk walk = {.message = message};
    while (wire_next_item(&walk)) {
        take_result_item(core, peer, &walk, now_ms);
        core_settle_ended(core, now_ms);
    }
}

// --- handing out

static void add_skipped(struct core *core, uint32_t stage)
{
    char section[128];
    int len = snprintf(section, sizeof section, "{\"stages\":{\"%s\":{\"status\":\"timeout\"}}}",
                       core->graph.stages[stage - 1].name);
    message_section(&core->message, (uint16_t)stage, (struct view){section, (size_t)len});
}

// The sections that the stage needs, in the order of stages; in the place of one that was skipped, why it is missing.
static void add_sections(struct core *core, const struct queued_article *article,
                         const struct holding_section *section, uint32_t needs)
{
    uint32_t skipped = queue_extra(article)->skipped;
    for (; needs; needs &= needs - 1) {
        uint32_t number = graph_lowest(needs);
        while (section && section->stage < number) {
            section = section->next;
        }
        if (section && section->stage == number) {
            message_section(&core->message, (uint16_t)number,
                            (struct view){section->bytes, section->len});
        } else if (skipped & graph_bit(number)) {
            add_skipped(core, number);
        }
    }
}

// Adds one leased article to the WORK being built, with the sections its stage needs.
static void add_work(struct core *core, const struct article_task *task, int64_t now_ms)
{
    const struct queued_article *article = task->article;
    const struct graph_stage *stage = &core->graph.stages[task->stage - 1];
    const struct holding *holding = core_holding(article);
    const struct holding_warm *warm = holding_look(holding);
    int64_t waited = now_ms - task->since_ms;
    core_observe(core, task->stage, article->lane, waited);
    struct wire_item item = {.handle = article->handle,
                             .key = {article->story.key[0], article->story.key[1]},
                             .version = article->story.version,
                             .deadline_ms = queue_extra(article)->deadline_ms,
                             .embargo_ms = queue_extra(article)->embargo_ms,
                             .attempt = task->attempt,
                             .lane = article->lane,
                             .pubstatus = article->pubstatus,
                             .trace_flags = warm->trace.flags,
                             .waited_ms = waited > 0 ? (uint32_t)waited : 0,
                             .flags = article->again ? WIRE_AGAIN : 0};
    memcpy(item.trace_id, warm->trace.id, sizeof item.trace_id);
    memcpy(item.span_id, warm->trace.span, sizeof item.span_id);
    message_item(&core->message, &item, holding_id(holding));
    if (stage->needs_document) {
        message_section(&core->message, WIRE_DOCUMENT,
                        (struct view){warm->document, warm->document_len});
    }
    add_sections(core, article, warm->sections, stage->needs);
}

// Notes that the task waits for its document; there is room for the note.
static void load(struct core *core, const struct article_task *task, uint64_t peer)
{
    struct load *room = core_list_push(&core->loads, sizeof *room);
    *room = (struct load){task->article->handle, task->attempt, task->stage, peer};
    keep_fetch(core, task->article);
}

static bool lacks_document(const struct core *core, const struct article_task *task)
{
    return core->graph.stages[task->stage - 1].needs_document &&
           !holding_look(core_holding(task->article))->document;
}

uint32_t handout_staffed(const struct core *core)
{
    uint32_t stages = 0;
    for (uint32_t i = 0; i < core->worker_count; i++) {
        stages |= core->workers[i]->is_gone ? 0 : graph_bit(core->workers[i]->stage);
    }
    return stages;
}

// Begun articles take memory for their sections, and a longer line before a stage makes nothing come out sooner. So there
// is enough under way while `ahead_articles` stand before an inner stage, or before each of the sinks that are there: one
// that keeps up goes on getting its articles. With no sink at all half of the memory is filled; more would have to be given
// up again (keep_park).
static bool has_enough_begun(const struct core *core)
{
    uint32_t stages = handout_staffed(core);
    size_t shortest = SIZE_MAX; // line before a sink
    for (uint32_t number = 1; number <= core->graph.count; number++) {
        const struct graph_stage *stage = &core->graph.stages[number - 1];
        size_t ready = stages & graph_bit(number) ? queue_ready(core->queue, number) : SIZE_MAX;
        if (stage->terminal) {
            shortest = ready < shortest ? ready : shortest;
        } else if (stage->needs != 0 && ready != SIZE_MAX && ready >= core->config.ahead_articles) {
            return true;
        }
    }
    return shortest == SIZE_MAX ? core->section_bytes >= core->config.section_bytes / 2
                                : shortest >= core->config.ahead_articles;
}

// Something in the stage's line cannot wait: or a slow sink would make an article with a deadline arrive without its sections.
static bool is_pressed(const struct core *core, uint32_t stage)
{
    const struct queue_counts *counts = queue_counts(core->queue);
    const size_t *ready = counts->stages[stage - 1].ready;
    return ready[WIRE_FLASH] + ready[WIRE_URGENT] + counts->stages[stage - 1].timed > 0;
}

// While too many sections are in memory no new article is begun, and while enough are under way none that can wait; those
// under way go on. A broker that leaves serves sinks alone.
static bool is_held_back(const struct core *core, uint32_t stage, bool enough)
{
    const struct graph_stage *at = &core->graph.stages[stage - 1];
    bool is_full = core->section_bytes >= core->config.section_bytes;
    bool waits = at->needs == 0 && (is_full || (enough && !is_pressed(core, stage)));
    return !at->terminal && (core->draining || waits);
}

// An article whose sections have outgrown what a message may hold is shelved: nobody could be told of it.
static bool refuse_oversize(struct core *core, const struct peer *peer,
                            const struct article_task *task, int64_t now_ms)
{
    const struct holding_warm *warm = holding_look(core_holding(task->article));
    const struct queue_claim claim = {peer->number, task->article->handle, task->stage,
                                      task->attempt};
    const struct queue_blame blame = {
        VIEW("broker"), VIEW("the article and its sections are larger than a message may be")};
    if ((size_t)warm->document_len + warm->section_bytes <=
        MESSAGE_BYTES_LIMIT - 2 * (size_t)BATCH_BYTES) {
        return false;
    }
    queue_answer(core->queue, &claim, WIRE_REJECT, &blame, now_ms);
    core_settle_ended(core, now_ms);
    return true;
}

// A run of tasks for one message.
struct batch {
    struct article_task *tasks[BATCH_ARTICLES];
    size_t count;
    size_t bytes; // of ids, documents and sections
};

static size_t work_bytes(const struct core *core, const struct article_task *task)
{
    const struct graph_stage *stage = &core->graph.stages[task->stage - 1];
    const struct holding *holding = core_holding(task->article);
    const struct holding_warm *warm = holding_look(holding);
    size_t bytes = holding->id_len + (stage->needs_document ? warm->document_len : 0);
    for (const struct holding_section *at = warm->sections; at; at = at->next) {
        bytes += stage->needs & graph_bit(at->stage) ? at->len : 0;
    }
    return bytes;
}

// Leases what the peer's credit allows. False when there was nothing.
static bool lease_batch(struct core *core, struct peer *peer, struct batch *batch, int64_t now_ms)
{
    bool any = false;
    batch->count = batch->bytes = 0;
    while (peer->credit_articles > 0 && batch->count < BATCH_ARTICLES &&
           batch->bytes < BATCH_BYTES && peer->credit_bytes > 0 &&
           core_list_reserve(&core->loads, sizeof(struct load))) {
        struct article_task *task = queue_lease(core->queue, peer->stage, peer->number, now_ms);
        if (!task) {
            break;
        }
        any = true;
        if (refuse_oversize(core, peer, task, now_ms)) {
            continue;
        }
        note_hop(core, task->article,
                 (struct hop){.worker = peer->name_number,
                              .attempt = (uint16_t)task->attempt,
                              .stage = task->stage},
                 now_ms);
        peer->credit_articles--;
        if (lacks_document(core, task)) {
            load(core, task, peer->number);
            continue;
        }
        size_t bytes = work_bytes(core, task);
        batch->tasks[batch->count++] = task;
        batch->bytes += bytes;
        peer->credit_bytes -= (int64_t)bytes;
    }
    return any;
}

// Fills one WORK for one worker. False when it got nothing.
static bool dispatch_to(struct core *core, struct peer *peer, int64_t now_ms)
{
    struct batch batch;
    bool any = lease_batch(core, peer, &batch, now_ms);
    if (batch.count == 0) {
        return any;
    }
    message_begin(&core->message, WIRE_WORK, (uint16_t)peer->stage);
    message_reserve(&core->message, batch.bytes);
    for (size_t i = 0; i < batch.count; i++) {
        add_work(core, batch.tasks[i], now_ms);
    }
    core_send(core, peer, now_ms);
    return any;
}

// Goes round the workers, one batch each, until nobody can take more. The starting point moves, so that
// at low rate all of them get their share.
void handout_dispatch(struct core *core, int64_t now_ms)
{
    uint32_t turn = core->turn++;
    uint32_t first = core->worker_count > 0 ? turn % core->worker_count : 0;
    for (bool again = true; again;) {
        bool enough = has_enough_begun(core);
        again = false;
        for (uint32_t i = 0, at = first; i < core->worker_count; i++) {
            struct peer *peer = core->workers[at++];
            at = at < core->worker_count ? at : 0;
            if (!peer->is_gone && peer->credit_articles > 0 && peer->credit_bytes > 0 &&
                queue_ready(core->queue, peer->stage) > 0 &&
                !is_held_back(core, peer->stage, enough)) {
                again |= dispatch_to(core, peer, now_ms);
            }
        }
    }
}

// The task a load was for, if it is still in the same hands.
static struct article_task *loaded_task(const struct core *core, const struct load *load)
{
    const struct queued_article *article = queue_find(core->queue, load->handle);
    struct article_task *task = article ? queue_task(core->queue, article, load->stage) : NULL;
    return task && task->state == TASK_LEASED && task->attempt == load->attempt ? task : NULL;
}

// Articles of a batch are much alike: takes all loads of the run that `load` begins to be as large as the first.
static void reserve_run(struct core *core, const struct article_task *task, const struct load *load)
{
    const struct load *end = (const struct load *)core->loads.at + core->loads.end;
    size_t bytes = work_bytes(core, task);
    size_t run = 1;
    while (run < BATCH_ARTICLES && load + run < end && load[run].peer == load->peer) {
        run++;
    }
    message_reserve(&core->message, bytes * run < BATCH_BYTES ? bytes * run : bytes);
}

// Adds a task whose document has come to the WORK being built for `*number`, and sends what was built for another
// worker before.
static void add_loaded(struct core *core, const struct article_task *task, const struct load *load,
                       uint64_t *number, struct peer *peer, int64_t now_ms)
{
    bool full = message_body_bytes(&core->message) >= BATCH_BYTES ||
                message_item_count(&core->message) >= BATCH_ARTICLES;
    if (*number != 0 && (*number != peer->number || full)) {
        core_send(core, core_find_peer(core, *number), now_ms);
        *number = 0;
    }
    if (*number == 0) {
        message_begin(&core->message, WIRE_WORK, (uint16_t)peer->stage);
        reserve_run(core, task, load);
        *number = peer->number;
    }
    size_t before = message_body_bytes(&core->message);
    add_work(core, task, now_ms);
    peer->credit_bytes -= (int64_t)(message_body_bytes(&core->message) - before);
}

void handout_drop_load(struct core *core, uint64_t handle)
{
    const struct load *loads = core->loads.at;
    for (size_t i = core->loads.first; i < core->loads.end; i++) {
        struct peer *peer = loads[i].handle == handle ? core_find_peer(core, loads[i].peer) : NULL;
        if (peer) {
            core_drop(core, peer);
        }
    }
}

// Sends what was waiting for documents that have come, a batch for each run of one worker.
void handout_send_loaded(struct core *core, int64_t now_ms)
{
    struct list *loads = &core->loads;
    struct load *all = loads->at;
    uint64_t number = 0;
    size_t kept = loads->first;
    for (size_t i = loads->first; i < loads->end; i++) {
        struct article_task *task = loaded_task(core, &all[i]);
        struct peer *peer = core_find_peer(core, all[i].peer);
        if (!task || !peer || peer->is_gone) {
            continue;
        }
        if (!lacks_document(core, task)) {
            add_loaded(core, task, &all[i], &number, peer, now_ms);
            drop_document(core, core_holding(task->article));
            continue;
        }
        // Another sink that waits for the same document may come after it was dropped again.
        keep_fetch(core, task->article);
        all[kept++] = all[i];
    }
    if (number != 0) {
        core_send(core, core_find_peer(core, number), now_ms);
    }
    loads->end = kept;
}
