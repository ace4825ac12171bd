#include "services/enrich_job.h"

#include "common/clock.h"
#include "services/card.h"

void job_init(struct job *job)
{
    *job = (struct job){.status = OK};
    buf_init(&job->json, JOB_DOCUMENT_LIMIT);
    buf_init(&job->id, JOB_DOCUMENT_LIMIT);
    buf_init(&job->result, JOB_RESULT_LIMIT);
    buf_init(&job->messages, JOB_RESULT_LIMIT);
}

void job_clear(struct job *job)
{
    buf_clear(&job->json);
    buf_clear(&job->id);
    buf_clear(&job->result);
    buf_clear(&job->messages);
}

void desk_init(struct desk *desk, size_t arena_limit)
{
    arena_init(&desk->arena, arena_limit);
    notes_init(&desk->notes, JOB_RESULT_LIMIT);
    explain_init(&desk->explain);
}

void desk_clear(struct desk *desk)
{
    arena_clear(&desk->arena);
    notes_clear(&desk->notes);
    explain_clear(&desk->explain);
}

// Behind a line, not behind a file, reading goes on.
static const char *what_follows(const struct input_event *event, bool strict)
{
    return strict || event->line == 0 ? "" : " - skipped (--strict stops)";
}

bool job_fill(struct job *job, const struct input_event *event, const struct job_rules *rules)
{
    job->event = *event;
    job->status = event->status;
    job->incomplete = job->wants_date = false;
    buf_reset(&job->json);
    buf_reset(&job->id);
    buf_reset(&job->result);
    buf_reset(&job->messages);
    switch (event->kind) {
    case INPUT_DOCUMENT:
        buf_add(&job->json, event->json);
        buf_add(&job->id, event->default_id);
        if (job->json.full || job->id.full) {
            job->status = ERR_MEMORY;
            buf_printf(&job->messages, "copydesk: %s:%zu: no memory for this document\n",
                       event->file, event->line);
        }
        return job->status == OK;
    case INPUT_NOTE:
        buf_printf(&job->messages, "note: %s\n", event->why.text);
        return false;
    case INPUT_FAILURE:
        buf_printf(&job->messages, "copydesk: %s%s\n", event->why.text,
                   what_follows(event, rules->strict));
        return false;
    }
    return false;
}

static void fail_job(struct job *job, enum status status, struct error *why, bool strict)
{
    job->status = status;
    input_locate(&job->event, why);
    buf_printf(&job->messages, "copydesk: %s%s\n", why->text, what_follows(&job->event, strict));
}

static void print_result(struct job *job, struct desk *desk, const struct job_rules *rules,
                         struct article *article, double ms)
{
    struct view why = buf_view(&desk->explain.lines);
    if (rules->cards) {
        struct card card = {.width = rules->width, .color = rules->color, .ms = ms, .explain = why};
        article_segment(article);
        card_print(article, &card, &job->result);
        job->wants_date = card_wants_date(article);
        return;
    }
    if (article_print(article, !rules->keep_content, &job->result) == OK) {
        buf_add_char(&job->result, '\n');
    }
    buf_add(&job->messages, why);
}

static void note_incomplete(struct job *job, const struct article *article, int failed)
{
    struct error why;
    job->incomplete = true;
    if (article->has_text) {
        error_set(&why, OK, "%d stage%s failed; see 'stages' in the output", failed,
                  failed == 1 ? "" : "s");
    } else {
        error_set(&why, OK, "there is no text: the article has neither 'content' nor 'text'");
    }
    input_locate(&job->event, &why);
    buf_printf(&job->messages, "copydesk: %s\n", why.text);
}

static enum status enrich(struct job *job, struct desk *desk, const struct job_rules *rules,
                          struct article *article, struct error *why)
{
    struct explain *explain = rules->explain ? &desk->explain : NULL;
    int failed = 0;
    int64_t start_us = clock_monotonic_us();
    enum status status = article_accept(article, buf_view(&job->json), buf_view(&job->id), why);
    if (status == OK && rules->published_at) {
        article_set(article, "published_at", view_of(rules->published_at));
        article_set(article, "published_at_source", VIEW("input"));
    }
    if (status == OK) {
        status = pipeline_run(rules->pipeline, article, &desk->notes, explain, &failed, why);
    }
    if (status == OK) {
        print_result(job, desk, rules, article, (double)(clock_monotonic_us() - start_us) / 1000.0);
        status = job->result.full ? error_set(why, ERR_LIMIT, "the result is larger than %d bytes",
                                              JOB_RESULT_LIMIT)
                                  : OK;
    }
    if (status == OK && failed > 0) {
        note_incomplete(job, article, failed);
    }
    return status;
}

void job_work(struct job *job, struct desk *desk, const struct job_rules *rules)
{
    struct article article;
    struct error why = {""};
    arena_reset(&desk->arena);
    buf_reset(&desk->explain.lines);
    article_init(&article, &desk->arena);
    enum status status = enrich(job, desk, rules, &article, &why);
    if (status != OK) {
        buf_reset(&job->result);
        fail_job(job, status, &why, rules->strict);
    }
    article_clear(&article);
}
