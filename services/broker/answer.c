#include "services/broker/answer.h"

#include "common/notes.h"
#include "services/broker/core_state.h"

#include <inttypes.h>
#include <stdio.h>

enum { DEAD_LIST_LIMIT = 1000 };

static void write_lanes(struct notes *json, const size_t ready[WIRE_LANE_COUNT])
{
    notes_object(json, "ready");
    for (unsigned lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        notes_integer(json, wire_lane_name(lane), (int64_t)ready[lane]);
    }
    notes_end(json);
}

static void write_stages(struct notes *json, const struct core *core, int64_t now_ms)
{
    const struct queue_counts *counts = queue_counts(core->queue);
    struct core_numbers numbers = core_numbers(core);
    notes_array(json, "stages");
    for (uint32_t i = 0; i < core->graph.count; i++) {
        int64_t oldest_ms = queue_oldest_ms(core->queue, i + 1);
        notes_object(json, NULL);
        notes_string(json, "name", view_of(core->graph.stages[i].name));
        notes_bool(json, "terminal", core->graph.stages[i].terminal);
        notes_integer(json, "workers", numbers.workers[i]);
        write_lanes(json, counts->stages[i].ready);
        notes_integer(json, "delayed", (int64_t)counts->stages[i].delayed);
        notes_integer(json, "leased", (int64_t)counts->stages[i].leased);
        notes_integer(json, "oldest_ms", oldest_ms ? now_ms - oldest_ms : 0);
        notes_integer(json, "done", (int64_t)counts->stages[i].done);
        notes_integer(json, "failed", (int64_t)counts->stages[i].failed);
        notes_integer(json, "dead", (int64_t)counts->stages[i].dead);
        notes_end(json);
    }
    notes_end(json);
}

static void write_peers(struct notes *json, const struct core *core, int64_t now_ms)
{
    size_t at = 0;
    const struct peer *peer;
    static const char *const roles[] = {"?", "client", "worker", "operator"};
    notes_array(json, "peers");
    while ((peer = index_next(&core->peers, &at))) {
        notes_object(json, NULL);
        notes_string(json, "name", view_of(peer->name));
        notes_string(json, "role", view_of(roles[peer->role]));
        if (peer->stage) {
            notes_string(json, "stage", view_of(core->graph.stages[peer->stage - 1].name));
            notes_string(json, "stage_version", view_of(peer->stage_version));
            notes_integer(json, "credit", peer->credit_articles);
            notes_integer(json, "done", (int64_t)peer->done);
        }
        notes_integer(json, "heard_ms", now_ms - peer->heard_ms);
        notes_integer(json, "up_ms", now_ms - peer->joined_ms);
        notes_end(json);
    }
    notes_end(json);
}

static void write_door(struct notes *json, const struct core *core)
{
    notes_object(json, "door");
    struct core_numbers numbers = core_numbers(core);
    notes_string(json, "state", numbers.closed ? view_of(numbers.closed) : VIEW("open"));
    for (unsigned outcome = WIRE_ACCEPTED; outcome <= WIRE_REFUSED; outcome++) {
        notes_integer(json, wire_outcome_name(outcome), (int64_t)core->outcomes[outcome]);
    }
    notes_integer(json, "unreadable", (int64_t)core->unreadable);
    notes_end(json);
}

static void write_totals(struct notes *json, const struct core *core)
{
    const struct queue_counts *counts = queue_counts(core->queue);
    notes_object(json, "articles");
    notes_integer(json, "live", (int64_t)counts->live);
    notes_integer(json, "dead", (int64_t)counts->dead);
    notes_integer(json, "complete", (int64_t)core->ended.complete);
    notes_integer(json, "superseded", (int64_t)core->ended.superseded);
    notes_integer(json, "expired_leases", (int64_t)counts->expired_leases);
    notes_integer(json, "refused_answers", (int64_t)counts->refused);
    notes_end(json);
    notes_object(json, "memory");
    notes_integer(json, "documents", (int64_t)core->document_bytes);
    notes_integer(json, "sections", (int64_t)core->section_bytes);
    notes_end(json);
    notes_object(json, "journal");
    notes_integer(json, "bytes", (int64_t)journal_bytes(core->journal));
    notes_integer(json, "pending_bytes", (int64_t)journal_pending_bytes(core->journal));
    notes_end(json);
}

static void write_status(struct notes *json, const struct core *core, int64_t now_ms)
{
    char session[24];
    snprintf(session, sizeof session, "%016" PRIx64, core->config.session);
    notes_string(json, "session", view_of(session));
    write_totals(json, core);
    write_door(json, core);
    write_stages(json, core, now_ms);
    write_peers(json, core, now_ms);
}

static void write_dead(struct notes *json, const struct core *core)
{
    size_t at = 0;
    size_t listed = 0;
    const struct queued_article *article;
    notes_array(json, "dead");
    while ((article = queue_next(core->queue, &at)) && listed < DEAD_LIST_LIMIT) {
        const struct holding *holding = article->holding;
        const struct dead_letter *why = article->dead;
        if (article->state != ARTICLE_DEAD || !why) {
            continue;
        }
        notes_object(json, NULL);
        notes_integer(json, "handle", (int64_t)article->handle);
        notes_string(json, "id", holding_id(holding));
        notes_integer(json, "version", (int64_t)article->story.version);
        notes_string(json, "stage", view_of(core->graph.stages[why->stage - 1].name));
        notes_integer(json, "attempts", why->attempts);
        notes_integer(json, "at_ms", why->at_ms);
        notes_string(json, "worker", view_of(why->worker));
        notes_string(json, "reason", view_of(why->reason));
        notes_end(json);
        listed++;
    }
    notes_end(json);
    notes_integer(json, "total", (int64_t)queue_counts(core->queue)->dead);
}

static bool retry(struct core *core, uint64_t handle, int64_t now_ms)
{
    struct journal_place place;
    struct record record = {.type = RECORD_REVIVED, .handle = handle};
    return queue_revive(core->queue, handle, now_ms) &&
           journal_append(core->journal, &record, now_ms, &place);
}

static bool discard(struct core *core, uint64_t handle, int64_t now_ms)
{
    const struct queued_article *article = queue_find(core->queue, handle);
    (void)now_ms;
    return article && article->state == ARTICLE_DEAD && queue_discard(core->queue, handle);
}

// The handle of some dead letter, or 0.
static uint64_t any_dead(const struct core *core)
{
    size_t at = 0;
    const struct queued_article *article;
    while ((article = queue_next(core->queue, &at))) {
        if (article->state == ARTICLE_DEAD) {
            return article->handle;
        }
    }
    return 0;
}

static int64_t for_dead(struct core *core, struct view which, int64_t now_ms,
                        bool (*does)(struct core *core, uint64_t handle, int64_t now_ms))
{
    uint64_t handle;
    int64_t count = 0;
    if (view_parse_u64(which, &handle)) {
        return does(core, handle, now_ms);
    }
    while (view_equal(which, VIEW("all")) && (handle = any_dead(core)) != 0 &&
           does(core, handle, now_ms)) {
        count++;
    }
    return count;
}

void answer_command(struct core *core, struct view command, int64_t now_ms, struct buf *out)
{
    struct notes json;
    struct view retried = VIEW("dlq retry ");
    struct view discarded = VIEW("dlq discard ");
    notes_init(&json, (size_t)64 << 20);
    notes_begin(&json, NULL);
    if (view_equal(command, VIEW("status"))) {
        write_status(&json, core, now_ms);
    } else if (view_equal(command, VIEW("dlq list"))) {
        write_dead(&json, core);
    } else if (view_starts(command, retried)) {
        notes_integer(&json, "retried",
                      for_dead(core, view_slice(command, retried.len, command.len), now_ms, retry));
    } else if (view_starts(command, discarded)) {
        notes_integer(
            &json, "discarded",
            for_dead(core, view_slice(command, discarded.len, command.len), now_ms, discard));
    } else {
        notes_string(&json, "error",
                     VIEW("no such command; there are: status, dlq list, dlq retry HANDLE|all, "
                          "dlq discard HANDLE|all"));
    }
    buf_add(out, notes_finish(&json));
    notes_clear(&json);
}

void core_status(const struct core *core, int64_t now_ms, struct buf *out)
{
    struct notes json;
    notes_init(&json, (size_t)64 << 20);
    notes_begin(&json, NULL);
    write_status(&json, core, now_ms);
    buf_add(out, notes_finish(&json));
    notes_clear(&json);
}
