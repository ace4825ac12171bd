#include "services/broker/answer.h"

#include "common/notes.h"
#include "services/broker/core_state.h"
#include "services/broker/dlq.h"
#include "services/broker/trail.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

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
        if (!graph_in_use(&core->graph, i + 1)) {
            continue;
        }
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
        if (numbers.workers[i] == 0 && queue_ready(core->queue, i + 1) > 0) {
            notes_string(json, "note", VIEW("no workers"));
        }
        notes_end(json);
    }
    notes_end(json);
}

static void write_peers(struct notes *json, const struct core *core, int64_t now_ms)
{
    size_t at = 0;
    const struct peer *peer;
    static const char *const roles[] = {"?", "client", "worker", "operator"};
    char names[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
    notes_array(json, "peers");
    while ((peer = index_next(&core->peers, &at))) {
        notes_object(json, NULL);
        notes_string(json, "name", view_of(peer->name));
        notes_string(json, "role", view_of(roles[peer->role]));
        if (peer->stage) {
            notes_string(json, "stage", view_of(core->graph.stages[peer->stage - 1].name));
            notes_string(json, "stage_version", view_of(peer->stage_version));
            notes_string(json, "along", graph_names_of(&core->graph, peer->along, names));
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

static int by_size(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return left < right ? -1 : left > right;
}

// Of the last commits.
static void write_syncs(struct notes *json, const struct core *core)
{
    uint32_t sorted[CORE_SYNC_SAMPLES];
    size_t count =
        core->sync_count < CORE_SYNC_SAMPLES ? (size_t)core->sync_count : CORE_SYNC_SAMPLES;
    if (count > 0) {
        memcpy(sorted, core->sync_us, count * sizeof sorted[0]);
        qsort(sorted, count, sizeof sorted[0], by_size);
        notes_integer(json, "sync_p50_us", sorted[count / 2]);
        notes_integer(json, "sync_p99_us", sorted[count * 99 / 100]);
    }
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
    write_syncs(json, core);
    notes_end(json);
}

static void write_status(struct notes *json, const struct core *core, int64_t now_ms)
{
    char session[24];
    snprintf(session, sizeof session, "%016" PRIx64, core->config.session);
    notes_string(json, "session", view_of(session));
    notes_integer(json, "up_ms", core->started_ms ? now_ms - core->started_ms : 0);
    write_totals(json, core);
    write_door(json, core);
    write_stages(json, core, now_ms);
    write_peers(json, core, now_ms);
}

bool answer_command(struct core *core, const struct question *question, struct buf *out)
{
    struct notes json;
    struct view command = question->command;
    bool answered = true;
    notes_init(&json, ANSWER_LIMIT);
    notes_begin(&json, NULL);
    if (view_equal(command, VIEW("status"))) {
        write_status(&json, core, question->now_ms);
    } else if (view_starts(command, VIEW("dlq "))) {
        answered = dlq_command(core, question, &json);
    } else if (view_starts(command, VIEW("trace "))) {
        trail_write(core, view_slice(command, 6, command.len), question->now_ms, &json);
    } else {
        notes_string(&json, "error",
                     VIEW("no such command; there are: status, trace ID, dlq list, dlq show, dlq "
                          "retry, dlq discard, dlq edit"));
    }
    buf_add(out, notes_finish(&json));
    notes_clear(&json);
    return answered;
}

void answer_send(struct core *core, struct peer *peer, struct view answer, int64_t now_ms)
{
    message_begin(&core->message, WIRE_ANSWER, WIRE_NO_STAGE);
    message_item(&core->message, &(struct wire_item){0}, VIEW(""));
    message_section(&core->message, WIRE_DOCUMENT, answer);
    core_send(core, peer, now_ms);
}

void core_status(const struct core *core, int64_t now_ms, struct buf *out)
{
    struct notes json;
    notes_init(&json, ANSWER_LIMIT);
    notes_begin(&json, NULL);
    write_status(&json, core, now_ms);
    buf_add(out, notes_finish(&json));
    notes_clear(&json);
}
