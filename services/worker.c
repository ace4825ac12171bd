// One thread runs the loop: it talks to the broker (worker_line.c), and hands articles to desks. A desk is a thread with
// its own memory that runs the stage; the model is shared and read-only.
//
//     loop ──todo──▶ desks ──ready──▶ loop
//
// Each desk may have DEPTH articles lying before it, so that it need not wait for the loop between two short ones; what
// is ready when the loop looks goes out in one message.
//
// A stage that hangs or crashes is not rescued here. The watchdog ends the process when an article takes too long, the
// lease runs out, and the broker finds out which of the articles that were here is to blame.
#include "services/worker.h"

#include "common/clock.h"
#include "services/pipeline.h"
#include "services/settings.h"
#include "services/worker_line.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    DEPTH = 16,            // articles before a desk
    CREDIT_PER_DESK = 128, // articles of the broker's for each desk, the ones before it included
    NAME_BYTES = 64,       // as much as the broker keeps
    SIGNAL_COUNT = 3,
    WATCH_MS = 500,
    ID_SHOWN = 80,
};
#define CREDIT_BYTES_PER_DESK ((uint64_t)16 << 20)
#define ARENA_LIMIT           ((size_t)512 << 20) // of one article
#define SECTION_LIMIT         ((size_t)48 << 20)  // below what a message may carry

struct worker;

struct desk {
    struct worker *worker;
    pthread_t thread;
    struct arena arena;
    struct notes notes;
    struct buf whole; // see hand_on
    // Under the lock: what is being run, for the watchdog.
    const struct worker_article *article;
    int64_t begun_us;
};

struct worker {
    uv_loop_t loop;
    struct log log;
    struct config *config;
    struct metrics *metrics;
    struct ops *ops;
    struct worker_line *line;
    struct pipeline pipeline;
    size_t stage; // index in stages[]
    char name[NAME_BYTES];

    pthread_mutex_t lock;
    pthread_cond_t todo_waits;
    struct worker_article *todo, **todo_last;
    struct worker_article *ready; // newest first
    bool closing;
    struct desk *desks;
    size_t desk_count, running_desks;

    struct series *outcomes[3], *seconds;
    uv_timer_t watch;
    uv_signal_t signals[SIGNAL_COUNT];
    int64_t drain_until_us; // 0: not draining
    bool stopping;
    int exit_code;
};

// ---- A desk

enum desk_outcome { DESK_OK, DESK_FAILED, DESK_SKIPPED };

static void set_result(struct worker_article *article, enum wire_outcome outcome, struct view text)
{
    article->outcome = outcome;
    article->result = malloc(text.len ? text.len : 1);
    if (!article->result) { // let the broker try somebody with more memory
        article->outcome = WIRE_RETRY;
        return;
    }
    memcpy(article->result, text.at, text.len);
    article->result_len = text.len;
}

static enum status merge_sections(const struct worker_article *from, struct article *article,
                                  struct error *why)
{
    enum status status = OK;
    for (size_t i = 0; status == OK && i < from->section_count; i++) {
        status = article_merge(article, from->sections[i].bytes, why);
    }
    return status;
}

static void count(struct worker *worker, enum status status, int64_t start_us)
{
    enum desk_outcome outcome = status == OK              ? DESK_OK
                                : status == ERR_NOT_FOUND ? DESK_SKIPPED
                                                          : DESK_FAILED;
    series_add(worker->outcomes[outcome], 1);
    series_observe_us(worker->seconds, clock_monotonic_us() - start_us);
}

// Later stages see sections, not the document. So the first stage, which needs the article itself, hands all of it on
// but the raw page: a text that came with the document, its date, its language, members we do not know.
static enum status hand_on(struct desk *desk, struct article *article, struct view *section,
                           struct error *why)
{
    if (strcmp(stages[desk->worker->stage]->needs, "article") != 0) {
        return OK;
    }
    buf_reset(&desk->whole);
    enum status status = article_merge(article, *section, why);
    if (status == OK) {
        status = article_print(article, true, &desk->whole);
        *section = desk->whole.full ? VIEW("") : buf_view(&desk->whole);
    }
    return status;
}

// An article whose sections cannot be merged never will be: it is rejected, with the reason. A stage that fails
// has judged: its section says so, and the article goes on.
static void run_stage(struct desk *desk, struct worker_article *from, struct article *article)
{
    struct worker *worker = desk->worker;
    struct error why = {""};
    struct view section;
    int64_t start_us = clock_monotonic_us();
    const struct delivery delivery = {
        .attempt = from->item.attempt, .queue_ms = from->item.waited_ms, .worker = worker->name};
    enum status status = merge_sections(from, article, &why);
    if (status == ERR_MEMORY) {
        set_result(from, WIRE_RETRY, view_of(why.text));
        return;
    }
    if (status != OK) {
        set_result(from, WIRE_REJECT, view_of(why.text));
        count(worker, status, start_us);
        return;
    }
    status = pipeline_run_stage(&worker->pipeline, worker->stage, article, &desk->notes, NULL,
                                &delivery, &section, &why);
    count(worker, status, start_us);
    if (section.len > 0 && hand_on(desk, article, &section, &why) != OK) {
        set_result(from, WIRE_REJECT, view_of(why.text));
    } else if (section.len == 0) {
        set_result(from, WIRE_REJECT, VIEW("the stage's section is larger than its limit"));
    } else {
        set_result(from, WIRE_DONE, section);
    }
}

static void run_article(struct desk *desk, struct worker_article *from)
{
    struct article article;
    arena_reset(&desk->arena);
    article_init(&article, &desk->arena);
    run_stage(desk, from, &article);
    article_clear(&article);
}

static struct worker_article *take_todo(struct worker *worker)
{
    struct worker_article *article = worker->todo;
    if (article) {
        worker->todo = article->next;
        if (!worker->todo) {
            worker->todo_last = &worker->todo;
        }
    }
    return article;
}

static void *run_desk(void *argument)
{
    struct desk *desk = argument;
    struct worker *worker = desk->worker;
    pthread_mutex_lock(&worker->lock);
    for (;;) {
        struct worker_article *article;
        while (!(article = take_todo(worker)) && !worker->closing) {
            pthread_cond_wait(&worker->todo_waits, &worker->lock);
        }
        if (!article) {
            break;
        }
        desk->article = article;
        desk->begun_us = clock_monotonic_us();
        pthread_mutex_unlock(&worker->lock);
        run_article(desk, article);
        pthread_mutex_lock(&worker->lock);
        desk->article = NULL;
        bool first = !worker->ready;
        article->next = worker->ready;
        worker->ready = article;
        if (first) { // else the loop has been woken and has not come yet
            worker_line_wake(worker->line);
        }
    }
    pthread_mutex_unlock(&worker->lock);
    return NULL;
}

static enum status start_desks(struct worker *worker, struct error *why)
{
    worker->desk_count = (size_t)config_int(worker->config, "worker.threads");
    worker->desks = calloc(worker->desk_count, sizeof *worker->desks);
    if (!worker->desks) {
        return error_set(why, ERR_MEMORY, "no memory for %zu threads", worker->desk_count);
    }
    for (size_t i = 0; i < worker->desk_count; i++) {
        struct desk *desk = &worker->desks[i];
        desk->worker = worker;
        arena_init(&desk->arena, ARENA_LIMIT);
        notes_init(&desk->notes, SECTION_LIMIT);
        buf_init(&desk->whole, SECTION_LIMIT);
        int failed = pthread_create(&desk->thread, NULL, run_desk, desk);
        if (failed) {
            return error_set(why, ERR_MEMORY, "cannot start thread %zu: %s", i + 1,
                             strerror(failed));
        }
        worker->running_desks++;
    }
    return OK;
}

static void end_desks(struct worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->closing = true;
    pthread_cond_broadcast(&worker->todo_waits);
    pthread_mutex_unlock(&worker->lock);
    for (size_t i = 0; i < worker->running_desks; i++) {
        pthread_join(worker->desks[i].thread, NULL);
    }
    for (size_t i = 0; i < worker->desk_count && worker->desks; i++) {
        notes_clear(&worker->desks[i].notes);
        buf_clear(&worker->desks[i].whole);
        arena_clear(&worker->desks[i].arena);
    }
    free(worker->desks);
}

// ---- The loop's side

static void on_run(void *user, struct worker_article *article)
{
    struct worker *worker = user;
    article->next = NULL;
    pthread_mutex_lock(&worker->lock);
    *worker->todo_last = article;
    worker->todo_last = &article->next;
    pthread_cond_signal(&worker->todo_waits);
    pthread_mutex_unlock(&worker->lock);
}

static void hand_in(struct worker *worker, struct worker_article *list)
{
    while (list) {
        struct worker_article *article = list;
        list = article->next;
        worker_line_finished(worker->line, article);
    }
}

static void on_turn(void *user)
{
    struct worker *worker = user;
    pthread_mutex_lock(&worker->lock);
    struct worker_article *ready = worker->ready;
    worker->ready = NULL;
    pthread_mutex_unlock(&worker->lock);
    hand_in(worker, ready);
}

static void close_handles(struct worker *worker)
{
    uv_close((uv_handle_t *)&worker->watch, NULL);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&worker->signals[i], NULL);
    }
}

static void on_stopped(void *user, enum status status)
{
    struct worker *worker = user;
    if (status == OK) {
        log_info(&worker->log, "drained, bye");
    }
    worker->stopping = true;
    worker->exit_code = status_exit_code(status);
    worker_line_close(worker->line);
    close_handles(worker);
}

// Threads may be in the middle of an article, and nothing here is worth keeping: the lease returns it.
static _Noreturn void leave_now(int exit_code)
{
    fflush(NULL);
    _exit(exit_code);
}

static const struct worker_article *overdue(struct worker *worker, int64_t limit_us, int64_t now_us)
{
    for (size_t i = 0; i < worker->desk_count; i++) {
        const struct desk *desk = &worker->desks[i];
        if (desk->article && now_us - desk->begun_us > limit_us) {
            return desk->article;
        }
    }
    return NULL;
}

static void on_watch(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    int64_t now_us = clock_monotonic_us();
    int64_t limit_ms = config_duration_ms(worker->config, "worker.article_timeout");
    pthread_mutex_lock(&worker->lock);
    const struct worker_article *article = overdue(worker, limit_ms * 1000, now_us);
    if (article) { // the lock stays held: the desk must not free it
        const struct log_about about = {.stage = stages[worker->stage]->name,
                                        .id = view_slice(article->id, 0, ID_SHOWN),
                                        .version = (int64_t)article->item.version};
        log_write(&worker->log, LEVEL_ERROR, &about,
                  "this article takes longer than %lld ms (attempt %u): the worker ends itself, "
                  "the broker will try it again and then shelve it",
                  (long long)limit_ms, (unsigned)article->item.attempt);
        leave_now(70);
    }
    pthread_mutex_unlock(&worker->lock);
    if (worker->drain_until_us && now_us >= worker->drain_until_us) {
        log_warning(&worker->log, "the time to drain is over; the broker gives what is unfinished "
                                  "to others");
        leave_now(69);
    }
}

// What lies before the desks has not begun: it is handed back.
static void return_todo(struct worker *worker)
{
    struct worker_article *article;
    pthread_mutex_lock(&worker->lock);
    while ((article = take_todo(worker))) {
        article->outcome = WIRE_RETURN;
        worker_line_finished(worker->line, article);
    }
    pthread_mutex_unlock(&worker->lock);
}

static void dump_state(const struct worker *worker)
{
    const struct worker_core *core = worker_line_core(worker->line);
    const struct worker_counts *counts = &core->counts;
    log_info(&worker->log,
             "%s: session %s, %u waiting, %u running; received %llu, done %llu, retried %llu, "
             "rejected %llu, returned %llu, fenced %llu",
             worker->name, core->session.state == SESSION_UP ? "up" : core->session.why.text,
             (unsigned)core->waiting, (unsigned)core->running, (unsigned long long)counts->received,
             (unsigned long long)counts->done, (unsigned long long)counts->retried,
             (unsigned long long)counts->rejected, (unsigned long long)counts->returned,
             (unsigned long long)counts->fenced);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct worker *worker = signal->data;
    if (number == SIGUSR1) {
        dump_state(worker);
        return;
    }
    if (worker->drain_until_us) {
        log_warning(&worker->log, "second signal: stopping now");
        leave_now(128 + number);
    }
    int64_t drain_ms = config_duration_ms(worker->config, "worker.drain");
    log_info(&worker->log, "draining, for at most %lld ms", (long long)drain_ms);
    worker->drain_until_us = clock_monotonic_us() + drain_ms * 1000;
    return_todo(worker);
    worker_line_drain(worker->line);
}

// ---- The command

static enum status choose_stage(struct worker *worker, struct error *why)
{
    const char *name = config_argument(worker->config, 0);
    char folder[4096];
    if (!name || config_argument(worker->config, 1)) {
        return error_set(why, ERR_USAGE, "which stage? say: copydesk worker STAGE");
    }
    if (!stage_find(view_of(name))) {
        // says which there are
        return pipeline_open(&worker->pipeline, view_of(name), "", why);
    }
    while (strcmp(stages[worker->stage]->name, name) != 0) {
        worker->stage++;
    }
    pipeline_data_folder(folder, sizeof folder);
    return pipeline_open(&worker->pipeline, view_of(name), folder, why);
}

static void choose_name(struct worker *worker)
{
    const char *given = config_text(worker->config, "worker.name");
    char host[NAME_BYTES - 16] = "";
    gethostname(host, sizeof host - 1);
    if (*given) {
        snprintf(worker->name, sizeof worker->name, "%s", given);
    } else {
        snprintf(worker->name, sizeof worker->name, "%s-%d", host, (int)getpid());
    }
}

static enum status open_ops(struct worker *worker, struct error *why)
{
    static const char *const names[] = {"ok", "failed", "skipped"};
    const char *stage = stages[worker->stage]->name;
    const char *listen = config_text(worker->config, "worker.ops");
    worker->metrics = metrics_new();
    for (int i = 0; i < 3; i++) {
        worker->outcomes[i] = metrics_series(worker->metrics, METRIC_ARTICLES, stage, names[i]);
    }
    worker->seconds = metrics_series(worker->metrics, METRIC_STAGE_SECONDS, stage, NULL);
    return *listen ? ops_open(&worker->ops, listen, worker->metrics, why) : OK;
}

static enum status open_line(struct worker *worker, struct error *why)
{
    size_t threads = (size_t)config_int(worker->config, "worker.threads");
    const struct worker_line_config config = {
        .loop = &worker->loop,
        .broker = config_text(worker->config, "worker.broker"),
        .worker = {.name = worker->name,
                   .stage = stages[worker->stage]->name,
                   .stage_version = stages[worker->stage]->version,
                   .slots = (uint32_t)threads * DEPTH,
                   .credit_count = (uint32_t)threads * CREDIT_PER_DESK,
                   .credit_bytes = (uint64_t)threads * CREDIT_BYTES_PER_DESK,
                   .seed = (uint64_t)clock_wall_ms() * 2654435761u + (uint64_t)getpid()},
        .log = &worker->log,
        .ops = worker->ops,
        .user = worker,
        .on_run = on_run,
        .on_turn = on_turn,
        .on_stopped = on_stopped};
    return worker_line_open(&worker->line, &config, why);
}

static void start_handles(struct worker *worker)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGUSR1};
    uv_timer_init(&worker->loop, &worker->watch);
    worker->watch.data = worker;
    uv_timer_start(&worker->watch, on_watch, WATCH_MS, WATCH_MS);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&worker->loop, &worker->signals[i]);
        worker->signals[i].data = worker;
        uv_signal_start(&worker->signals[i], on_signal, numbers[i]);
    }
}

static enum status serve(struct worker *worker, struct error *why)
{
    choose_name(worker);
    enum status status = choose_stage(worker, why);
    if (status == OK) {
        status = open_ops(worker, why);
    }
    if (status == OK) {
        status = open_line(worker, why);
    }
    if (status == OK) {
        status = start_desks(worker, why);
    }
    if (status == OK) {
        start_handles(worker);
    } else {
        worker_line_close(worker->line);
    }
    uv_run(&worker->loop, UV_RUN_DEFAULT);
    return status;
}

int worker_main(int argc, char **argv)
{
    struct worker worker = {.lock = PTHREAD_MUTEX_INITIALIZER,
                            .todo_waits = PTHREAD_COND_INITIALIZER};
    struct error why = {""};
    int exit_code;
    if (!settings_load(&worker.config, &worker.log, "worker STAGE [--broker ADDRESS] [--threads N]",
                       argc, argv, &exit_code)) {
        config_free(worker.config);
        return exit_code;
    }
    worker.todo_last = &worker.todo;
    uv_loop_init(&worker.loop);
    enum status status = serve(&worker, &why);
    if (status != OK) {
        log_error(&worker.log, "%s", why.text);
        worker.exit_code = status_exit_code(status);
    }
    end_desks(&worker);
    uv_loop_close(&worker.loop);
    ops_close(worker.ops);
    metrics_free(worker.metrics);
    pipeline_close(&worker.pipeline);
    config_free(worker.config);
    return worker.exit_code;
}
