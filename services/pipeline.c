#include "services/pipeline.h"

#include "common/clock.h"
#include "common/suggest.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void pipeline_data_folder(char *out, size_t size)
{
    const char *given = getenv("COPYDESK_DATA");
    char program[PATH_MAX];
    if (given && *given) {
        snprintf(out, size, "%s", given);
        return;
    }
    ssize_t len = readlink("/proc/self/exe", program, sizeof program - 1);
    program[len > 0 ? len : 0] = '\0';
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(program, '/');
        if (slash) {
            *slash = '\0';
        }
    }
    snprintf(out, size, "%s/share/copydesk", program);
}

static bool next_name(struct view *rest, struct view *name)
{
    size_t start = 0;
    while (start < rest->len && strchr(", \t", rest->at[start])) {
        start++;
    }
    size_t end = start;
    while (end < rest->len && !strchr(", \t", rest->at[end])) {
        end++;
    }
    *name = view_slice(*rest, start, end);
    *rest = view_slice(*rest, end, rest->len);
    return name->len > 0;
}

static enum status unknown_stage(struct view name, struct error *why)
{
    char known[256] = "";
    struct suggestion near = {.word = name};
    for (size_t i = 0; i < stage_count; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", stages[i]->name);
        suggest_offer(&near, stages[i]->name);
    }
    return near.best ? error_set(why, ERR_USAGE, "no stage '%.*s'. Did you mean '%s'?",
                                 VIEW_ARGS(name), near.best)
                     : error_set(why, ERR_USAGE, "no stage '%.*s'; there are: %s", VIEW_ARGS(name),
                                 known);
}

enum status pipeline_choose(uint32_t *chosen, struct view list, struct error *why)
{
    struct view name;
    *chosen = 0;
    while (next_name(&list, &name)) {
        size_t i = 0;
        while (i < stage_count && !view_equal(name, view_of(stages[i]->name))) {
            i++;
        }
        if (i == stage_count) {
            return unknown_stage(name, why);
        }
        *chosen |= 1u << i;
    }
    if (*chosen == 0) {
        *chosen = (1u << stage_count) - 1;
    }
    return OK;
}

// A stage's needs stand above it in the list, so one pass from the bottom adds them all.
static void add_needed(uint32_t *chosen)
{
    for (size_t i = stage_count; i-- > 0;) {
        if (!(*chosen & 1u << i)) {
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            if (stage_list_has(stages[i]->needs, view_of(stages[j]->name))) {
                *chosen |= 1u << j;
            }
        }
    }
}

enum status pipeline_open(struct pipeline *pipeline, struct view list, const char *folder,
                          struct error *why)
{
    uint32_t chosen;
    *pipeline = (struct pipeline){0};
    enum status status = pipeline_choose(&chosen, list, why);
    if (status != OK) {
        return status;
    }
    add_needed(&chosen);
    return pipeline_open_chosen(pipeline, chosen, folder, why);
}

enum status pipeline_open_chosen(struct pipeline *pipeline, uint32_t chosen, const char *folder,
                                 struct error *why)
{
    *pipeline = (struct pipeline){.chosen = chosen};
    for (size_t i = 0; i < stage_count; i++) {
        enum status status = OK;
        if (chosen & 1u << i) {
            status = stages[i]->load(&pipeline->models[i], folder, why);
        }
        if (status != OK) {
            pipeline_close(pipeline);
            return status;
        }
    }
    return OK;
}

void pipeline_close(struct pipeline *pipeline)
{
    for (size_t i = 0; i < stage_count; i++) {
        stages[i]->unload(pipeline->models[i]);
        pipeline->models[i] = NULL;
    }
}

// What a stage's entry under `stages` says.
struct entry {
    const char *outcome;
    double ms; // below 0: it did not run
    enum status status;
    const char *message; // when status is not OK
    const struct delivery *delivery;
};

static void note_delivery(struct notes *notes, const struct delivery *delivery)
{
    notes_integer(notes, "queue_ms", delivery->queue_ms);
    notes_integer(notes, "attempt", delivery->attempt);
    notes_string(notes, "worker", view_of(delivery->worker));
}

static void note_stage(struct notes *notes, const struct stage *stage, const struct entry *entry)
{
    notes_object(notes, "stages");
    notes_object(notes, stage->name);
    notes_string(notes, "status", view_of(entry->outcome));
    notes_string(notes, "version", view_of(stage->version));
    if (entry->ms >= 0) {
        notes_decimal(notes, "ms", entry->ms, 3);
    }
    if (entry->delivery) {
        note_delivery(notes, entry->delivery);
    }
    if (entry->status != OK) {
        notes_object(notes, "error");
        notes_string(notes, "code", view_of(status_name(entry->status)));
        notes_string(notes, "message", view_of(entry->message));
        notes_end(notes);
    }
    notes_end(notes);
    notes_end(notes);
}

static struct view skip_stage(const struct stage *stage, struct notes *notes,
                              const struct delivery *delivery)
{
    notes_begin(notes, NULL);
    note_stage(notes, stage, &(struct entry){.outcome = "skipped", .ms = -1, .delivery = delivery});
    return notes_finish(notes);
}

static struct view fail_stage(const struct stage *stage, struct notes *notes, struct entry entry,
                              enum status status, struct error *reason)
{
    error_set(reason, status, "%s could not judge this article: %s", stage->name,
              status == ERR_LIMIT ? "it needs more memory than its limit" : status_name(status));
    entry.outcome = "failed";
    entry.status = status;
    entry.message = reason->text;
    notes_begin(notes, NULL);
    note_stage(notes, stage, &entry);
    return notes_finish(notes);
}

// Runs the stage, unless the article's own parts have filled the arena already. When the stage fills it, the stage has
// failed and not the article: what is left of the arena is for the others.
static enum status run_guarded(const struct stage *stage, const struct model *model,
                               struct article *article, struct notes *notes,
                               struct explain *explain)
{
    if (arena_is_full(article->arena)) {
        return ERR_LIMIT;
    }
    enum status status = stage->run(model, article, notes, explain);
    if (status == OK && (arena_is_full(article->arena) || notes->json.full)) {
        status = ERR_LIMIT;
    }
    article->arena->full = false;
    return status;
}

enum status pipeline_run_stage(const struct pipeline *pipeline, size_t i, struct article *article,
                               struct notes *notes, struct explain *explain,
                               const struct delivery *delivery, struct view *section,
                               struct error *why)
{
    const struct stage *stage = stages[i];
    struct error reason = {""};
    int64_t start_us = clock_monotonic_us();
    if (strcmp(stage->needs, "article") != 0) {
        if (!article->has_text) {
            *section = skip_stage(stage, notes, delivery);
            return error_set(why, ERR_NOT_FOUND, "%s was skipped: there is no text", stage->name);
        }
        article_segment(article);
    }
    notes_begin(notes, article->has_text ? &article->index : NULL);
    enum status status = run_guarded(stage, pipeline->models[i], article, notes, explain);
    struct entry entry = {.outcome = "ok",
                          .ms = (double)(clock_monotonic_us() - start_us) / 1000.0,
                          .delivery = delivery};
    if (status == OK) {
        note_stage(notes, stage, &entry);
        *section = notes_finish(notes);
        status = section->len > 0 ? OK : ERR_LIMIT;
    }
    if (status != OK) {
        *section = fail_stage(stage, notes, entry, status, &reason);
    }
    if (why) {
        *why = reason;
    }
    return status;
}

static bool needs_met(size_t i, uint32_t done)
{
    for (size_t j = 0; j < i; j++) {
        if (stage_list_has(stages[i]->needs, view_of(stages[j]->name)) && !(done & 1u << j)) {
            return false;
        }
    }
    return true;
}

enum status pipeline_run(const struct pipeline *pipeline, struct article *article,
                         struct notes *notes, struct explain *explain, int *failed,
                         struct error *why)
{
    uint32_t done = 0;
    *failed = 0;
    for (size_t i = 0; i < stage_count; i++) {
        struct view section;
        enum status status = OK;
        if (!(pipeline->chosen & 1u << i)) {
            continue;
        }
        if (needs_met(i, done)) {
            status = pipeline_run_stage(pipeline, i, article, notes, explain, NULL, &section, NULL);
        } else {
            section = skip_stage(stages[i], notes, NULL);
            status = ERR_NOT_FOUND;
        }
        if (status == OK) {
            done |= 1u << i;
        } else {
            (*failed)++;
        }
        status = article_merge(article, section, why);
        if (status != OK) {
            error_prefix(why, stages[i]->name);
            return status;
        }
    }
    return OK;
}
