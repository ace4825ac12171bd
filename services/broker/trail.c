#include "services/broker/trail.h"

#include "services/broker/core_state.h"
#include "services/broker/hash.h"

enum { OTHERS_LIMIT = 100 };

static const char *const end_names[] = {
    [HOP_OPEN] = "lost",
    [HOP_DONE] = "done",
    [HOP_RETRY] = "failed",
    [HOP_REJECT] = "reject",
    [HOP_RETURN] = "given back",
    [HOP_REVIVED] = "retried by operator",
    [HOP_EDITED] = "edited by operator",
    [HOP_ALONG] = "done along",
};

// What is told of an article, live or ended.
struct trail {
    const struct core *core;
    const struct queued_article *article; // NULL: it ended
    const struct history *history;
    int64_t accepted_ms, now_ms;
    uint32_t done, skipped;
};

static const struct article_task *task_of(const struct trail *trail, uint32_t stage)
{
    return trail->article ? queue_task(trail->core->queue, trail->article, stage) : NULL;
}

// The hand-out of this attempt, or NULL when it is no longer kept.
static const struct hop *hop_of(const struct trail *trail, uint32_t stage, uint32_t attempt)
{
    const struct history *history = trail->history;
    for (uint32_t i = history ? history->count : 0; i > history_first(history); i--) {
        const struct hop *hop = &history->hops[(i - 1) % HISTORY_HOPS];
        if (hop->stage == stage && hop->attempt == (uint16_t)attempt) {
            return hop;
        }
    }
    return NULL;
}

static void write_task(const struct trail *trail, const struct article_task *task,
                       struct notes *json)
{
    static const char *const states[] = {"ready", "delayed", "leased"};
    notes_string(json, "state", view_of(states[task->state]));
    notes_integer(json, "attempt", task->attempt);
    notes_integer(json, "failures", task->failures);
    if (task->state == TASK_READY) {
        notes_integer(json, "for_ms", trail->now_ms - task->since_ms);
    } else if (task->state == TASK_DELAYED) {
        notes_integer(json, "due_in_ms", task->since_ms - trail->now_ms);
    } else {
        const struct hop *hop = hop_of(trail, task->stage, task->attempt);
        if (hop) {
            notes_integer(json, "for_ms", trail->now_ms - trail->accepted_ms - hop->after_ms);
            notes_string(json, "worker",
                         view_of(archive_name_of(trail->core->archive, hop->worker)));
        }
    }
}

static void write_stages(const struct trail *trail, struct notes *json)
{
    const struct graph *graph = &trail->core->graph;
    notes_array(json, "stages");
    for (uint32_t stage = 1; stage <= graph->count; stage++) {
        const struct article_task *task = task_of(trail, stage);
        notes_object(json, NULL);
        notes_string(json, "name", view_of(graph_name_of(graph, stage)));
        if (task) {
            write_task(trail, task, json);
        } else {
            notes_string(json, "state",
                         trail->skipped & graph_bit(stage) ? VIEW("skipped")
                         : trail->done & graph_bit(stage)  ? VIEW("done")
                                                           : VIEW("-"));
        }
        notes_end(json);
    }
    notes_end(json);
}

static bool is_held(const struct trail *trail, const struct hop *hop)
{
    const struct article_task *task = hop->stage ? task_of(trail, hop->stage) : NULL;
    return hop->end == HOP_OPEN && task && task->state == TASK_LEASED &&
           (uint16_t)task->attempt == hop->attempt;
}

static void write_hop(const struct trail *trail, const struct hop *hop, struct notes *json)
{
    const struct core *core = trail->core;
    notes_integer(json, "at_ms", trail->accepted_ms + hop->after_ms);
    notes_string(json, "stage",
                 hop->stage ? view_of(graph_name_of(&core->graph, hop->stage)) : VIEW("-"));
    notes_integer(json, "attempt", hop->attempt);
    notes_string(json, "worker",
                 hop->stage ? view_of(archive_name_of(core->archive, hop->worker)) : VIEW("-"));
    if (hop->end != HOP_OPEN && hop->end < HOP_REVIVED) {
        notes_integer(json, "took_ms", hop->took_ms);
    } else {
        notes_null(json, "took_ms");
    }
    notes_string(json, "end", is_held(trail, hop) ? VIEW("has it") : view_of(end_names[hop->end]));
}

static void write_history(const struct trail *trail, struct notes *json)
{
    const struct history *history = trail->history;
    notes_array(json, "history");
    for (uint32_t i = history_first(history); history && i < history->count; i++) {
        notes_object(json, NULL);
        write_hop(trail, &history->hops[i % HISTORY_HOPS], json);
        notes_end(json);
    }
    notes_end(json);
}

static struct view ending_name(const struct finished *ended)
{
    return ended->ending == ENDED_COMPLETE ? VIEW("complete")
           : ended->newer != 0             ? VIEW("superseded")
                                           : VIEW("discarded");
}

static void write_ending(const struct finished *ended, struct notes *json)
{
    notes_integer(json, "version", (int64_t)ended->version);
    notes_integer(json, "handle", (int64_t)ended->handle);
    notes_string(json, "state", ending_name(ended));
    notes_string(json, "lane", view_of(wire_lane_name(ended->lane)));
    notes_integer(json, "accepted_at_ms", ended->accepted_ms);
    notes_integer(json, ended->ending == ENDED_COMPLETE ? "delivered_at_ms" : "ended_at_ms",
                  ended->ended_ms);
    if (ended->newer != 0) {
        notes_integer(json, "superseded_by", (int64_t)ended->newer);
    }
}

static void write_live(const struct core *core, const struct queued_article *article,
                       struct notes *json)
{
    const struct dead_letter *why = queue_extra(article)->dead;
    notes_string(json, "id", holding_id(article->holding));
    notes_integer(json, "version", (int64_t)article->story.version);
    notes_integer(json, "handle", (int64_t)article->handle);
    notes_string(json, "state",
                 article->state == ARTICLE_DEAD ? VIEW("dead letter") : VIEW("under way"));
    notes_string(json, "lane", view_of(wire_lane_name(article->lane)));
    notes_integer(json, "accepted_at_ms", article->accepted_ms);
    if (queue_extra(article)->embargo_ms > 0) {
        notes_integer(json, "embargo_at_ms", queue_extra(article)->embargo_ms);
    }
    if (queue_extra(article)->deadline_ms > 0) {
        notes_integer(json, "deadline_at_ms", queue_extra(article)->deadline_ms);
    }
    if (article->state == ARTICLE_DEAD && why) {
        notes_integer(json, "died_at_ms", why->at_ms);
        notes_string(json, "died_in", view_of(graph_name_of(&core->graph, why->stage)));
        notes_integer(json, "attempts", why->attempts);
        notes_string(json, "worker", view_of(why->worker));
        notes_string(json, "reason", view_of(why->reason));
    }
}

static void write_others(const struct core *core, const uint64_t key[2], uint64_t but,
                         struct notes *json)
{
    size_t at = 0;
    size_t count = 0;
    const struct finished *ended;
    notes_array(json, "others");
    while (count < OTHERS_LIMIT && (ended = archive_find(core->archive, key, 0, &at))) {
        if (ended->handle != but) {
            notes_object(json, NULL);
            write_ending(ended, json);
            notes_end(json);
            count++;
        }
    }
    notes_end(json);
}

static void tell_live(const struct core *core, const struct queued_article *article, int64_t now_ms,
                      struct notes *json)
{
    const struct trail trail = {.core = core,
                                .article = article,
                                .history = holding_look(core_holding(article))->history,
                                .accepted_ms = article->accepted_ms,
                                .now_ms = now_ms,
                                .done = article->done,
                                .skipped = queue_extra(article)->skipped};
    write_live(core, article, json);
    write_stages(&trail, json);
    write_history(&trail, json);
    write_others(core, article->story.key, article->handle, json);
}

static void tell_ended(const struct core *core, const struct finished *ended, int64_t now_ms,
                       struct notes *json)
{
    const struct trail trail = {.core = core,
                                .history = ended->history,
                                .accepted_ms = ended->accepted_ms,
                                .now_ms = now_ms,
                                .done = ended->done,
                                .skipped = ended->skipped};
    write_ending(ended, json);
    write_stages(&trail, json);
    write_history(&trail, json);
    write_others(core, ended->key, ended->handle, json);
}

static void tell_remembered(const struct story *story, struct notes *json)
{
    notes_integer(json, "version", (int64_t)story->version);
    notes_string(json, "state", story->canceled ? VIEW("killed") : VIEW("ended"));
    notes_string(json, "note",
                 VIEW("it ended too long ago, or before this broker was started: only its id is "
                      "remembered"));
}

void trail_write(const struct core *core, struct view id, int64_t now_ms, struct notes *json)
{
    uint64_t key[2];
    uint64_t handle = 0;
    size_t at = 0;
    hash128(journal_hash_key(core->journal), id, key);
    const struct story *story = queue_find_story(core->queue, key);
    const struct finished *ended = archive_find(core->archive, key, 0, &at);
    const struct queued_article *article = queue_head(core->queue, key);
    if (!story && !ended && view_parse_u64(id, &handle)) {
        at = 0;
        article = queue_find(core->queue, handle);
        ended = archive_find(core->archive, NULL, handle, &at);
    }
    if (article) {
        tell_live(core, article, now_ms, json);
    } else if (ended) {
        if (handle == 0) {
            notes_string(json, "id", id);
        }
        tell_ended(core, ended, now_ms, json);
    } else if (story) {
        notes_string(json, "id", id);
        tell_remembered(story, json);
    } else {
        notes_string(json, "error", VIEW("no article with this id or handle is known"));
    }
}
