// The loop talks to the broker (worker_line.c) and hands articles to desks (desks.c). Each desk has memory of its own; the
// model is shared and read-only.
//
//     loop ──todo──▶ desks ──ready──▶ loop
//
// A few articles lie before each desk, so that it need not wait for the loop between two short ones; what is ready when
// the loop looks goes out in one message. How many, the time articles take decides (worker_pace_for).
//
// An article on which the stage crashes or hangs ends the process, but not without a word: the thread stands still, the
// broker is told which article it was and gets back the others, then the process ends (crash.c). When even that fails, an
// alarm ends it, the lease runs out, and the broker finds out which of the articles that were here is to blame.
// A process that the system refuses more memory leaves in order, to be started again with none wasted.
#include "services/worker.h"

#include "common/clock.h"
#include "services/crash.h"
#include "services/desks.h"
#include "services/limits.h"
#include "services/pipeline.h"
#include "services/settings.h"
#include "services/worker_line.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    NAME_BYTES = 64, // as much as the broker keeps
    SIGNAL_COUNT = 3,
    EXIT_OVERDUE = 70,
    EXIT_NO_MEMORY = 75,
    ID_SHOWN = 80,
};
#define CREDIT_BYTES_PER_DESK ((uint64_t)4 << 20)
#define ARENA_LIMIT           ((size_t)512 << 20) // of one article
#define SECTION_LIMIT         ((size_t)48 << 20)  // below what a message may carry

// What a desk works with.
struct desk {
    struct worker *worker;
    struct arena arena;
    struct notes notes;
    struct buf made; // sections, one behind the other
};

struct worker {
    uv_loop_t loop;
    struct log log;
    struct config *config;
    struct metrics *metrics;
    struct ops *ops;
    struct worker_line *line;
    struct pipeline pipeline;
    size_t stage;                     // index in stages[]
    size_t along[WORKER_ALONG_LIMIT]; // of those that are run along, see worker_core.h
    size_t along_count;
    char name[NAME_BYTES];

    struct desks *desks;
    struct desk *desk;
    size_t desk_count;

    struct series *outcomes[STAGE_LIMIT][3], *seconds[STAGE_LIMIT];
    uv_timer_t drain_timer;
    uv_timer_t look_timer; // runs while the desks are full
    uv_signal_t signals[SIGNAL_COUNT];
    bool draining, stopping;
    int lost_signal; // work on an article crashed by this; 0: not. Settled before the article comes back
    atomic_bool exhausted; // an article found no memory
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

static void count(const struct worker *worker, size_t stage, enum status status, int64_t start_us)
{
    enum desk_outcome outcome = status == OK              ? DESK_OK
                                : status == ERR_NOT_FOUND ? DESK_SKIPPED
                                                          : DESK_FAILED;
    series_add(worker->outcomes[stage][outcome], 1);
    series_observe_us(worker->seconds[stage], clock_monotonic_us() - start_us);
}

// Runs one stage. A stage that fails has judged: its section says so, and the article goes on. ERR_MEMORY when memory is
// missing for it, ERR_LIMIT when its section is too large, else OK.
static enum status make_section(struct desk *desk, struct worker_article *from, size_t stage,
                                struct article *article, struct view *section, struct error *why)
{
    struct worker *worker = desk->worker;
    bool is_along = stage != worker->stage;
    int64_t start_us = clock_monotonic_us();
    const struct delivery delivery = {.attempt = from->item.attempt,
                                      .queue_ms = is_along ? 0 : from->item.waited_ms,
                                      .worker = worker->name};
    from->stage = stage;
    enum status status = pipeline_run_stage(&worker->pipeline, stage, article, &desk->notes, NULL,
                                            &delivery, section, why);
    count(worker, stage, status, start_us);
    if (status == ERR_MEMORY) {
        return status;
    }
    return section->len > 0
               ? OK
               : error_set(why, ERR_LIMIT, "the stage's section is larger than its limit");
}

// Later stages see sections, not the document. So the first stage, which needs the article itself, hands all of it on
// but the raw page: a text that came with the document, its date, its language, members we do not know.
static enum status hand_on(struct desk *desk, const struct worker_article *from,
                           struct article *article, struct view section, struct error *why)
{
    bool whole = strcmp(stages[desk->worker->stage]->needs, "article") == 0;
    enum status status = OK;
    if (whole || from->along) {
        status = article_merge(article, section, why);
    }
    if (status == OK && whole) {
        status = article_print(article, true, &desk->made);
    } else if (status == OK) {
        buf_add(&desk->made, section);
    }
    return status == OK && desk->made.full
               ? error_set(why, ERR_LIMIT, "the stage's section is larger than its limit")
               : status;
}

// True when a stage that is run along after the `i`th reads what that one made.
static bool is_read_later(const struct worker *worker, const struct worker_article *from, size_t i)
{
    struct view name = view_of(stages[worker->along[i]]->name);
    for (size_t j = i + 1; j < worker->along_count; j++) {
        if ((from->along & 1u << j) && stage_list_has(stages[worker->along[j]]->needs, name)) {
            return true;
        }
    }
    return false;
}

// Whatever fails here is left to those who serve the stage alone: they say why. ERR_MEMORY as above, else OK.
static enum status run_along(struct desk *desk, struct worker_article *from,
                             struct article *article)
{
    const struct worker *worker = desk->worker;
    struct error why;
    for (size_t i = 0; i < worker->along_count; i++) {
        struct view section;
        if (!(from->along & 1u << i)) {
            continue;
        }
        enum status status = make_section(desk, from, worker->along[i], article, &section, &why);
        if (status == OK && is_read_later(worker, from, i)) {
            status = article_merge(article, section, &why);
        }
        if (status != OK || desk->made.len + section.len > SECTION_LIMIT) {
            return status == ERR_MEMORY ? status : OK;
        }
        buf_add(&desk->made, section);
        from->along_len[i] = section.len;
    }
    return OK;
}

// An article whose sections cannot be merged never will be: it is rejected, with the reason. ERR_MEMORY when memory is
// missing for it, else OK.
static enum status run_stages(struct desk *desk, struct worker_article *from,
                              struct article *article)
{
    struct error why = {""};
    struct view section;
    enum status status = merge_sections(from, article, &why);
    if (status != OK) {
        count(desk->worker, desk->worker->stage, status, clock_monotonic_us());
    } else {
        status = make_section(desk, from, desk->worker->stage, article, &section, &why);
    }
    if (status == OK) {
        status = hand_on(desk, from, article, section, &why);
    }
    if (status != OK) {
        set_result(from, WIRE_REJECT, view_of(why.text));
        return status == ERR_MEMORY ? status : OK;
    }
    size_t own_len = desk->made.len;
    status = run_along(desk, from, article);
    set_result(from, WIRE_DONE, buf_view(&desk->made));
    from->result_len = own_len;
    return status;
}

static bool is_starved(const struct desk *desk)
{
    return desk->arena.starved || desk->notes.json.starved || desk->made.starved;
}

// Memory was missing, so what came of it says nothing about the article: others shall try it.
static void hand_back(struct worker *worker, struct worker_article *article)
{
    free(article->result);
    memset(article->along_len, 0, sizeof article->along_len);
    set_result(article, WIRE_RETRY, VIEW("the worker ran out of memory"));
    atomic_store(&worker->exhausted, true);
}

static void on_work(void *user, size_t desk_number, struct worker_article *from)
{
    struct worker *worker = user;
    struct desk *desk = &worker->desk[desk_number];
    struct article article;
    arena_reset(&desk->arena);
    buf_reset(&desk->made);
    desk->notes.json.starved = desk->made.starved = false;
    article_init(&article, &desk->arena);
    enum status status = run_stages(desk, from, &article);
    article_clear(&article);
    if (status == ERR_MEMORY || is_starved(desk)) {
        hand_back(worker, from);
    }
}

static void on_ready(void *user, bool in_loop)
{
    struct worker *worker = user;
    if (in_loop) {
        worker_line_touch(worker->line);
    } else {
        worker_line_wake(worker->line);
    }
}

// Threads may be in the middle of an article, and nothing here is worth keeping: the lease returns it.
static _Noreturn void leave_now(int exit_code)
{
    fflush(NULL);
    _exit(exit_code);
}

static void on_lost(void *user, struct worker_article *article, int number)
{
    struct worker *worker = user;
    char name[64];
    struct error why;
    const char *stage = stages[article->stage]->name;
    crash_soon_ends();
    crash_name(number, name, sizeof name);
    if (number == CRASH_STOP) {
        error_set(&why, ERR_LIMIT, "it takes longer than %lld ms",
                  (long long)config_duration_ms(worker->config, "worker.article_timeout"));
    } else {
        error_set(&why, ERR_LIMIT, "the stage crashed: %s", name);
    }
    const struct log_about about = {.stage = stage,
                                    .id = view_slice(article->id, 0, ID_SHOWN),
                                    .version = (int64_t)article->item.version};
    log_write(&worker->log, LEVEL_ERROR, &about,
              "%s (attempt %u); the worker ends, the broker tries this article again and then "
              "shelves it",
              why.text, (unsigned)article->item.attempt);
    set_result(article, WIRE_CRASHED, view_of(why.text));
    worker->lost_signal = number;
}

static enum status open_desks(struct worker *worker, struct error *why)
{
    worker->desk_count = (size_t)config_int(worker->config, "worker.threads");
    worker->desk = calloc(worker->desk_count, sizeof *worker->desk);
    if (!worker->desk) {
        return error_set(why, ERR_MEMORY, "no memory for %zu threads", worker->desk_count);
    }
    for (size_t i = 0; i < worker->desk_count; i++) {
        struct desk *desk = &worker->desk[i];
        desk->worker = worker;
        arena_init(&desk->arena, ARENA_LIMIT);
        notes_init(&desk->notes, SECTION_LIMIT);
        buf_init(&desk->made, SECTION_LIMIT);
    }
    const struct desks_plan plan = {
        .count = worker->desk_count,
        .loop = &worker->loop,
        .user = worker,
        .work = on_work,
        .ready = on_ready,
        .limit_us = config_duration_ms(worker->config, "worker.article_timeout") * 1000,
        .lost = on_lost};
    return desks_open(&worker->desks, &plan, why);
}

static void close_desks(struct worker *worker)
{
    desks_close(worker->desks);
    for (size_t i = 0; i < worker->desk_count && worker->desk; i++) {
        notes_clear(&worker->desk[i].notes);
        buf_clear(&worker->desk[i].made);
        arena_clear(&worker->desk[i].arena);
    }
    free(worker->desk);
}

// ---- The loop's side

// Full desks do not tell what is ready: it is looked for.
static void look_later(struct worker *worker);

static void on_look(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    worker_line_touch(worker->line);
    look_later(worker);
}

static void look_later(struct worker *worker)
{
    uv_timer_t *timer = &worker->look_timer;
    if (!uv_is_active((uv_handle_t *)timer) && desks_are_full(worker->desks)) {
        uv_timer_start(timer, on_look, WORKER_HOLD_MS, 0);
    }
}

static void on_run(void *user, struct worker_article *article)
{
    struct worker *worker = user;
    desks_add(worker->desks, article);
    look_later(worker);
}

// What lies before the desks has not begun: it is handed back.
static void begin_drain(struct worker *worker)
{
    struct worker_article *article;
    worker->draining = true;
    while ((article = desks_take_back(worker->desks))) {
        article->outcome = WIRE_RETURN;
        worker_line_finished(worker->line, article);
    }
    worker_line_drain(worker->line);
}

// True when this process is of no more use and must be started anew.
static bool is_spent(struct worker *worker)
{
    return worker->lost_signal || atomic_load(&worker->exhausted) ||
           worker_line_core(worker->line)->starved;
}

static void on_turn(void *user)
{
    struct worker *worker = user;
    struct worker_article *ready = desks_take_ready(worker->desks);
    while (ready) {
        struct worker_article *article = ready;
        ready = article->next;
        worker_line_finished(worker->line, article);
    }
    worker_line_pace(worker->line, worker_pace_for((uint32_t)worker->desk_count,
                                                   desks_article_us(worker->desks)));
    if (is_spent(worker) && !worker->draining) {
        if (!worker->lost_signal) {
            log_error(&worker->log, "no memory is left: leaving, to be started anew");
        }
        begin_drain(worker);
    }
}

static void close_handles(struct worker *worker)
{
    uv_close((uv_handle_t *)&worker->drain_timer, NULL);
    uv_close((uv_handle_t *)&worker->look_timer, NULL);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&worker->signals[i], NULL);
    }
}

static void on_stopped(void *user, enum status status)
{
    struct worker *worker = user;
    bool spent = is_spent(worker);
    if (status == OK) {
        log_info(&worker->log, "drained, bye");
    }
    worker->stopping = true;
    worker->exit_code = status == OK && spent ? EXIT_NO_MEMORY : status_exit_code(status);
    worker_line_close(worker->line); // the last messages have left when it returns
    if (worker->lost_signal == CRASH_STOP) {
        leave_now(EXIT_OVERDUE);
    } else if (worker->lost_signal) {
        crash_end(worker->lost_signal);
    }
    close_handles(worker);
}

static void on_drained_too_long(uv_timer_t *timer)
{
    struct worker *worker = timer->data;
    log_warning(&worker->log, "the time to drain is over; the broker gives what is unfinished "
                              "to others");
    leave_now(69);
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
    if (worker->draining) {
        log_warning(&worker->log, "second signal: stopping now");
        leave_now(128 + number);
    }
    int64_t drain_ms = config_duration_ms(worker->config, "worker.drain");
    log_info(&worker->log, "draining, for at most %lld ms", (long long)drain_ms);
    uv_timer_start(&worker->drain_timer, on_drained_too_long, (uint64_t)drain_ms, 0);
    begin_drain(worker);
}

// ---- The command

// The stage to serve, and those to run along with it, in the order of stages[].
static enum status choose_stages(struct worker *worker, struct error *why)
{
    const char *name = config_argument(worker->config, 0);
    const char *along = config_text(worker->config, "worker.along");
    uint32_t own, others = 0;
    if (!name || config_argument(worker->config, 1)) {
        return error_set(why, ERR_USAGE, "which stage? say: copydesk worker STAGE");
    }
    enum status status = pipeline_choose(&own, view_of(name), why);
    if (status == OK && *along) {
        status = pipeline_choose(&others, view_of(along), why);
    }
    if (status == OK && (own & (own - 1)) != 0) {
        status = error_set(why, ERR_USAGE, "one stage, not '%s'; for others see --along", name);
    }
    if (status != OK) {
        return status;
    }
    while (!(own & 1u << worker->stage)) {
        worker->stage++;
    }
    own = 1u << worker->stage;
    others &= ~own;
    for (size_t i = 0; i < stage_count && worker->along_count < WORKER_ALONG_LIMIT; i++) {
        if (others & 1u << i) {
            worker->along[worker->along_count++] = i;
        }
    }
    char folder[4096];
    pipeline_data_folder(folder, sizeof folder);
    return pipeline_open_chosen(&worker->pipeline, own | others, folder, why);
}

static enum status set_limits(const struct worker *worker, struct error *why)
{
    limits_core(config_bool(worker->config, "worker.core"));
    return limits_memory((uint64_t)config_bytes(worker->config, "worker.memory"), why);
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

static void open_series(struct worker *worker, size_t i)
{
    static const char *const names[] = {"ok", "failed", "skipped"};
    const char *stage = stages[i]->name;
    for (int outcome = 0; outcome < 3; outcome++) {
        worker->outcomes[i][outcome] =
            metrics_series(worker->metrics, METRIC_ARTICLES, stage, names[outcome]);
    }
    worker->seconds[i] = metrics_series(worker->metrics, METRIC_STAGE_SECONDS, stage, NULL);
}

static enum status open_ops(struct worker *worker, struct error *why)
{
    const char *listen = config_text(worker->config, "worker.ops");
    worker->metrics = metrics_new();
    open_series(worker, worker->stage);
    for (size_t i = 0; i < worker->along_count; i++) {
        open_series(worker, worker->along[i]);
    }
    return *listen ? ops_open(&worker->ops, listen, worker->metrics, why) : OK;
}

static enum status open_line(struct worker *worker, struct error *why)
{
    uint32_t threads = (uint32_t)config_int(worker->config, "worker.threads");
    const struct worker_pace pace = worker_pace_for(threads, 0);
    struct worker_line_config config = {
        .loop = &worker->loop,
        .broker = config_text(worker->config, "worker.broker"),
        .worker = {.name = worker->name,
                   .stage = stages[worker->stage]->name,
                   .stage_version = stages[worker->stage]->version,
                   .slots = pace.slots,
                   .credit_count = pace.credit,
                   .credit_bytes = threads * CREDIT_BYTES_PER_DESK,
                   .seed = (uint64_t)clock_wall_ms() * 2654435761u + (uint64_t)getpid()},
        .log = &worker->log,
        .ops = worker->ops,
        .user = worker,
        .on_run = on_run,
        .on_turn = on_turn,
        .on_stopped = on_stopped};
    for (size_t i = 0; i < worker->along_count; i++) {
        config.worker.along[i] = stages[worker->along[i]]->name;
    }
    return worker_line_open(&worker->line, &config, why);
}

static void start_handles(struct worker *worker)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGUSR1};
    uv_timer_init(&worker->loop, &worker->drain_timer);
    uv_timer_init(&worker->loop, &worker->look_timer);
    worker->drain_timer.data = worker->look_timer.data = worker;
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&worker->loop, &worker->signals[i]);
        worker->signals[i].data = worker;
        uv_signal_start(&worker->signals[i], on_signal, numbers[i]);
    }
}

static enum status serve(struct worker *worker, struct error *why)
{
    choose_name(worker);
    enum status status = set_limits(worker, why);
    if (status == OK) {
        status = choose_stages(worker, why);
    }
    if (status == OK) {
        status = open_ops(worker, why);
    }
    if (status == OK) {
        status = open_line(worker, why);
    }
    if (status == OK) {
        status = open_desks(worker, why);
    }
    if (status == OK) {
        start_handles(worker);
        desks_run(worker->desks);
    } else {
        worker_line_close(worker->line);
        uv_run(&worker->loop, UV_RUN_DEFAULT); // what was opened closes
    }
    return status;
}

int worker_main(int argc, char **argv)
{
    struct worker worker = {0};
    struct error why = {""};
    int exit_code;
    if (!settings_load(&worker.config, &worker.log, "worker STAGE [--broker ADDRESS] [--threads N]",
                       argc, argv, &exit_code)) {
        config_free(worker.config);
        return exit_code;
    }
    uv_loop_init(&worker.loop);
    enum status status = serve(&worker, &why);
    if (status != OK) {
        log_error(&worker.log, "%s", why.text);
        worker.exit_code = status_exit_code(status);
    }
    close_desks(&worker);
    uv_loop_close(&worker.loop);
    ops_close(worker.ops);
    metrics_free(worker.metrics);
    pipeline_close(&worker.pipeline);
    config_free(worker.config);
    return worker.exit_code;
}
