// What every part of the core uses: actions and messages out, and what happens when an article ends.
#include "common/fault.h"
#include "services/broker/core_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void core_say(struct core *core, const char *format, ...)
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

void core_warn(struct core *core, const char *format, ...)
{
    char sentence[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    if (core->config.warn) {
        core->config.warn(core->config.user, sentence);
    } else {
        core_say(core, "%s", sentence);
    }
}

bool core_list_reserve(struct list *list, size_t size)
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
        void *grown = fault_hit(FAULT_MEMORY) ? NULL : realloc(list->at, room * size);
        if (!grown) {
            return false;
        }
        list->at = grown;
        list->room = room;
    }
    return true;
}

void *core_list_push(struct list *list, size_t size)
{
    return core_list_reserve(list, size) ? (char *)list->at + list->end++ * size : NULL;
}

bool core_act(struct core *core, const struct action *action)
{
    struct action *room = core_list_push(&core->actions, sizeof *room);
    if (room) {
        *room = *action;
    }
    return room != NULL;
}

void core_stop(struct core *core, const char *sentence)
{
    core->stopped_by = sentence;
}

bool core_take_action(struct core *core, struct action *action)
{
    if (core->actions.first == core->actions.end) {
        *action = (struct action){.kind = ACTION_STOP, .sentence = core->stopped_by};
        core->stopped_by = NULL;
        return action->sentence != NULL;
    }
    *action = ((struct action *)core->actions.at)[core->actions.first++];
    return true;
}

void core_drop(struct core *core, struct peer *peer)
{
    peer->is_gone = true;
    peer->is_dropped = true;
    core->peers_due_ms = INT64_MIN;
}

void core_send(struct core *core, struct peer *peer, int64_t now_ms)
{
    struct action action = {.kind = ACTION_SEND, .peer = peer->number};
    peer->sent_ms = now_ms;
    if (!message_finish(&core->message, ++peer->messages, &action.frames) ||
        !core_act(core, &action)) {
        frames_clear(&action.frames);
        core_drop(core, peer);
    }
}

void core_send_error(struct core *core, uint64_t number, enum wire_error code, const char *sentence)
{
    struct action action = {.kind = ACTION_SEND, .peer = number};
    if (message_error(&core->message, code, sentence, 0, &action.frames) &&
        !core_act(core, &action)) {
        frames_clear(&action.frames);
    }
}

void core_observe(struct core *core, uint32_t stage, uint8_t lane, int64_t waited_ms)
{
    if (core->config.observe) {
        core->config.observe(core->config.user, stage, lane, waited_ms);
    }
}

// --- articles that ended

void core_count_bytes(struct core *core, const struct holding *holding, bool in)
{
    const struct holding_warm *warm = holding_look(holding);
    core->document_bytes += in ? warm->document_len : 0 - (size_t)warm->document_len;
    core->section_bytes += in ? warm->section_bytes : 0 - (size_t)warm->section_bytes;
}

// The story knows the segment, so that the holding need not.
struct journal_place core_place(const struct queued_article *article)
{
    const struct holding *holding = core_holding(article);
    return (struct journal_place){article->story.evidence, holding->offset, holding->bytes};
}

void core_set_place(struct queued_article *article, struct journal_place place)
{
    struct holding *holding = core_holding(article);
    article->story.evidence = (uint32_t)place.segment;
    holding->offset = place.offset;
    holding->bytes = place.bytes;
}

void core_let_go(struct core *core, struct queued_article *article)
{
    struct holding *holding = core_holding(article);
    core_count_bytes(core, holding, false);
    holding_free(&core->holdings, holding);
    article->holding = NULL;
    queue_forget(core->queue, article);
}

bool core_append_pipeline(struct core *core, int64_t now_ms)
{
    char names[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
    struct journal_place place;
    struct view text = graph_names(&core->graph, names);
    struct record record = {.type = RECORD_PIPELINE};
    record.is.payload.at = (const uint8_t *)text.at;
    record.is.payload.bytes = (uint32_t)text.len;
    return journal_append(core->journal, &record, now_ms, &place);
}

void core_append_dead(struct core *core, const struct queued_article *article, int64_t now_ms)
{
    struct journal_place place;
    const struct dead_letter *why = queue_extra(article)->dead;
    struct record record = {.type = RECORD_DEAD, .count = why->stage, .handle = article->handle};
    record.is.dead = (struct record_dead){.at_ms = why->at_ms,
                                          .attempts = why->attempts,
                                          .worker = (const uint8_t *)why->worker,
                                          .worker_bytes = (uint16_t)strlen(why->worker),
                                          .reason = (const uint8_t *)why->reason,
                                          .reason_bytes = (uint16_t)strlen(why->reason)};
    if (core_append_pipeline(core, now_ms)) {
        journal_append(core->journal, &record, now_ms, &place);
    }
}

void core_bury(struct core *core, struct queued_article *article)
{
    struct holding *holding = core_holding(article);
    core_count_bytes(core, holding, false);
    holding_cool(&core->holdings, holding);
    core_count_bytes(core, holding, true);
    article->done = article->pubstatus == WIRE_CANCELED ? core->graph.inner : 0;
}

static void tell_dead(struct core *core, struct queued_article *article, int64_t now_ms)
{
    const struct holding *holding = core_holding(article);
    const struct dead_letter *why = queue_extra(article)->dead;
    core_bury(core, article);
    core->ended.dead++;
    if (!why) {
        return; // no memory for the reason: the article will be run again after a restart
    }
    core_append_dead(core, article, now_ms);
    core_say(core, "article %.*s shelved at %s after %u attempts: %s",
             VIEW_ARGS(holding_id(holding)), core->graph.stages[why->stage - 1].name, why->attempts,
             why->reason);
}

// Which version took the article's place; 0 when none did and the operator discarded it.
static uint64_t newer_version(const struct core *core, const struct queued_article *article)
{
    const struct story *known = queue_find_story(core->queue, article->story.key);
    return article->ending == ENDED_SUPERSEDED && known && known != &article->story ? known->version
                                                                                    : 0;
}

// Keeps for `copydesk trace` how the article ended.
static void archive(struct core *core, const struct queued_article *article, int64_t now_ms)
{
    struct holding_warm *warm = core_holding(article)->warm;
    struct finished finished = {.key = {article->story.key[0], article->story.key[1]},
                                .handle = article->handle,
                                .version = article->story.version,
                                .newer = newer_version(core, article),
                                .accepted_ms = article->accepted_ms,
                                .ended_ms = now_ms,
                                .done = article->done,
                                .skipped = queue_extra(article)->skipped,
                                .ending = article->ending,
                                .lane = article->lane,
                                .pubstatus = article->pubstatus,
                                .history = warm ? warm->history : NULL};
    if (warm) {
        warm->history = NULL; // the archive's now
    }
    archive_add(core->archive, &finished);
}

void core_settle_ended(struct core *core, int64_t now_ms)
{
    struct queued_article *article;
    while ((article = queue_take_ended(core->queue))) {
        if (article->ending == ENDED_DEAD) {
            tell_dead(core, article, now_ms);
            continue;
        }
        if (article->ending == ENDED_COMPLETE) {
            core->ended.complete++;
            core_observe(core, 0, article->lane, now_ms - article->accepted_ms);
        }
        core->ended.superseded += article->ending == ENDED_SUPERSEDED;
        if (journal_waiting_done(core->journal) == 0) {
            core->gather_since_ms = now_ms;
        }
        // Without memory for the note the article is only run again after a restart.
        journal_done(core->journal, article->handle, core_place(article));
        archive(core, article, now_ms);
        core_let_go(core, article);
    }
}

struct peer *core_find_peer(const struct core *core, uint64_t number)
{
    return index_find(&core->peers, number);
}
