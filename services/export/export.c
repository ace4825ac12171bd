// The export's shell: takes finished articles from the broker and tells it they are delivered once they are on disk.
// One thread. Everything that has come in a turn of the loop shares one write and one sync.
#include "services/export/export.h"

#include "common/article.h"
#include "common/clock.h"
#include "common/ops.h"
#include "services/contact.h"
#include "services/door.h"
#include "services/export/ndjson.h"
#include "services/settings.h"
#include "services/worker_core.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    SIGNAL_COUNT = 2,
    SLOTS = 256, // articles that share a sync
    CREDIT_ARTICLES = 1024,
    CREDIT_BYTES = 64 << 20,
};

struct exporter {
    uv_loop_t loop;
    struct log log;
    struct config *config;
    struct ndjson *file;
    struct door *door;
    struct worker_core core;
    struct arena arena;
    struct buf line;
    struct buf rerun; // the sink's own section: which run it was; empty for the first
    struct worker_article *batch[SLOTS]; // written and not flushed
    size_t batch_count;
    uv_timer_t timer;
    uv_signal_t signals[SIGNAL_COUNT];
    int64_t drain_until_ms;
    struct metrics *metrics;
    struct series *exported, *failures;
    struct ops *ops;
    struct contact contact;
    bool keep_content, stopping, failed;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static void set_result(struct worker_article *article, enum wire_outcome outcome,
                       const char *sentence)
{
    article->outcome = outcome;
    article->result = sentence ? strdup(sentence) : NULL;
    article->result_len = article->result ? strlen(article->result) : 0;
}

// Lays the sections over the document and prints the article as one line.
static bool unite_article(struct exporter *exporter, const struct worker_article *from)
{
    struct view sections[WIRE_STAGE_LIMIT + 2];
    size_t count = from->section_count;
    if (count >= sizeof sections / sizeof sections[0]) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sections[i] = from->sections[i].bytes;
    }
    if (exporter->rerun.len > 0) {
        sections[count++] = buf_view(&exporter->rerun);
    }
    return article_unite(sections, count, !exporter->keep_content, &exporter->arena,
                         &exporter->line);
}

static enum status print_article(struct exporter *exporter, const struct worker_article *from,
                                 struct error *why)
{
    struct article article;
    enum status status = OK;
    arena_reset(&exporter->arena);
    buf_reset(&exporter->line);
    if (unite_article(exporter, from)) {
        return OK;
    }
    arena_reset(&exporter->arena);
    buf_reset(&exporter->line);
    article_init(&article, &exporter->arena);
    for (size_t i = 0; status == OK && i < from->section_count; i++) {
        status = article_merge(&article, from->sections[i].bytes, why);
    }
    if (status == OK && exporter->rerun.len > 0) {
        status = article_merge(&article, buf_view(&exporter->rerun), why);
    }
    if (status == OK) {
        status = article_print(&article, !exporter->keep_content, &exporter->line);
    }
    article_clear(&article);
    return status;
}

// 0 for the first run of a version. Handles rise, so a later run has a higher one.
static uint64_t rerun_of(const struct worker_article *article)
{
    return article->item.flags & WIRE_AGAIN ? article->item.handle : 0;
}

static void take_article(struct exporter *exporter, struct worker_article *article)
{
    struct error why = {""};
    bool added;
    struct ndjson_article line = {
        .id = article->id, .version = article->item.version, .rerun = rerun_of(article)};
    buf_reset(&exporter->rerun);
    if (line.rerun > 0) {
        buf_printf(&exporter->rerun, "{\"rerun\":%" PRIu64 "}", line.rerun);
    }
    enum status status = print_article(exporter, article, &why);
    if (status == OK) {
        line.line = buf_view(&exporter->line);
        status = ndjson_add(exporter->file, &line, &added, &why);
    }
    if (status == OK) {
        exporter->batch[exporter->batch_count++] = article;
        return;
    }
    // No memory may pass; an article that cannot be merged never will be.
    set_result(article, status == ERR_MEMORY ? WIRE_RETRY : WIRE_REJECT, why.text);
    worker_core_finished(&exporter->core, now_ms(), article);
}

// Makes what was taken durable and only then counts it as delivered.
static void flush(struct exporter *exporter)
{
    struct error why = {""};
    if (exporter->batch_count == 0) {
        return;
    }
    enum status status = ndjson_flush(exporter->file, &why);
    if (status != OK) {
        log_error(&exporter->log, "%s; the articles stay with the broker and come again", why.text);
    }
    series_add(status == OK ? exporter->exported : exporter->failures, exporter->batch_count);
    for (size_t i = 0; i < exporter->batch_count; i++) {
        set_result(exporter->batch[i], status == OK ? WIRE_DONE : WIRE_RETRY,
                   status == OK ? NULL : why.text);
        worker_core_finished(&exporter->core, now_ms(), exporter->batch[i]);
    }
    exporter->batch_count = 0;
}

static void stop(struct exporter *exporter)
{
    if (exporter->stopping) {
        return;
    }
    exporter->stopping = true;
    door_close(exporter->door);
    uv_close((uv_handle_t *)&exporter->timer, NULL);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&exporter->signals[i], NULL);
    }
}

static void tell_state(struct exporter *exporter)
{
    const struct session *session = &exporter->core.session;
    ops_tick(exporter->ops);
    contact_tell(&exporter->contact, session, now_ms());
    exporter->failed = session->state == SESSION_REFUSED;
}

// Does what the core asks for. False when it is done for good.
static bool perform_all(struct exporter *exporter)
{
    struct worker_action action;
    struct error why = {""};
    for (;;) {
        switch (worker_core_next(&exporter->core, now_ms(), &action)) {
        case WORKER_RUN:
            take_article(exporter, action.article);
            if (exporter->batch_count == SLOTS) {
                flush(exporter);
            }
            break;
        case WORKER_SEND:
            if (door_send(exporter->door, 0, &action.frames) != OK) {
                worker_core_link(&exporter->core, now_ms(), false);
            }
            break;
        case WORKER_RECONNECT:
            if (door_reopen(exporter->door, &why) != OK) {
                log_error(&exporter->log, "%s", why.text);
            }
            break;
        case WORKER_STOPPED:
            return false;
        case WORKER_WAIT:
            if (exporter->batch_count == 0) {
                return true;
            }
            flush(exporter);
            break;
        }
    }
}

static void turn(struct exporter *exporter);

static void on_timer(uv_timer_t *timer)
{
    turn(timer->data);
}

static void turn(struct exporter *exporter)
{
    if (exporter->stopping) {
        return;
    }
    bool going = perform_all(exporter);
    tell_state(exporter);
    bool late = exporter->drain_until_ms != 0 && now_ms() >= exporter->drain_until_ms;
    if (!going || late) {
        stop(exporter);
        return;
    }
    int64_t wait = worker_core_deadline(&exporter->core) - now_ms();
    wait = wait < 1 ? 1 : wait > 1000 ? 1000 : wait;
    uv_timer_start(&exporter->timer, on_timer, (uint64_t)wait, 0);
}

static void on_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct exporter *exporter = user;
    (void)peer;
    worker_core_message(&exporter->core, now_ms(), envelope, body);
}

static void on_turn(void *user)
{
    turn(user);
}

static void on_link(void *user, bool up)
{
    struct exporter *exporter = user;
    worker_core_link(&exporter->core, now_ms(), up);
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct exporter *exporter = signal->data;
    (void)number;
    if (exporter->drain_until_ms != 0) {
        stop(exporter);
        return;
    }
    log_info(&exporter->log, "draining");
    exporter->drain_until_ms = now_ms() + 10000;
    worker_core_drain(&exporter->core, now_ms());
    turn(exporter);
}

static void start_handles(struct exporter *exporter)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT};
    uv_timer_init(&exporter->loop, &exporter->timer);
    exporter->timer.data = exporter;
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&exporter->loop, &exporter->signals[i]);
        exporter->signals[i].data = exporter;
        uv_signal_start(&exporter->signals[i], on_signal, numbers[i]);
    }
}

static enum status open_ops(struct exporter *exporter, struct error *why)
{
    const char *listen = config_text(exporter->config, "export.ops");
    const char *stage = config_text(exporter->config, "export.stage");
    exporter->metrics = metrics_new();
    exporter->exported = metrics_series(exporter->metrics, METRIC_ARTICLES, stage, "ok");
    exporter->failures = metrics_series(exporter->metrics, METRIC_ARTICLES, stage, "failed");
    return *listen ? ops_open(&exporter->ops, listen, exporter->metrics, why) : OK;
}

static enum status open_all(struct exporter *exporter, struct error *why)
{
    const char *endpoint = config_text(exporter->config, "export.broker");
    struct door_config door = {.loop = &exporter->loop,
                               .endpoints = &endpoint,
                               .endpoint_count = 1,
                               .flag = "--broker",
                               .user = exporter,
                               .on_message = on_message,
                               .on_turn = on_turn,
                               .on_link = on_link};
    enum status status =
        ndjson_open(&exporter->file, config_text(exporter->config, "export.folder"),
                    (uint64_t)config_bytes(exporter->config, "export.rotate"), why);
    if (status != OK) {
        return status;
    }
    log_info(&exporter->log, "%" PRIu64 " articles are in %s", ndjson_count(exporter->file),
             config_text(exporter->config, "export.folder"));
    status = open_ops(exporter, why);
    return status == OK ? door_open(&exporter->door, &door, why) : status;
}

static void run(struct exporter *exporter)
{
    char name[64];
    const char *given = config_text(exporter->config, "export.name");
    snprintf(name, sizeof name, "export-%d", getpid());
    struct worker_config core = {.name = *given ? given : name,
                                 .stage = config_text(exporter->config, "export.stage"),
                                 .stage_version = COPYDESK_VERSION,
                                 .slots = SLOTS,
                                 .credit_count = CREDIT_ARTICLES,
                                 .credit_bytes = CREDIT_BYTES,
                                 .seed = (uint64_t)clock_wall_ms(),
                                 .gather_ms = WORKER_SINK_GATHER_MS};
    worker_core_init(&exporter->core, &core, now_ms());
    exporter->contact = (struct contact){.log = &exporter->log,
                                         .ops = exporter->ops,
                                         .broker = config_text(exporter->config, "export.broker"),
                                         .purpose = "exporting articles"};
    start_handles(exporter);
    turn(exporter);
    uv_run(&exporter->loop, UV_RUN_DEFAULT);
    worker_core_clear(&exporter->core);
}

int export_main(int argc, char **argv)
{
    struct exporter exporter = {0};
    struct error why = {""};
    int exit_code;
    if (!settings_load(&exporter.config, &exporter.log,
                       "export [--broker ADDRESS] [--folder FOLDER]", argc, argv, &exit_code)) {
        config_free(exporter.config);
        return exit_code;
    }
    uv_loop_init(&exporter.loop);
    arena_init(&exporter.arena, (size_t)1 << 30);
    buf_init(&exporter.line, (size_t)256 << 20);
    buf_init(&exporter.rerun, 64);
    exporter.keep_content = config_bool(exporter.config, "export.keep_content");
    enum status status = open_all(&exporter, &why);
    if (status == OK) {
        run(&exporter);
    } else {
        log_error(&exporter.log, "%s", why.text);
        door_close(exporter.door);
        uv_run(&exporter.loop, UV_RUN_DEFAULT); // what was opened closes
    }
    uv_loop_close(&exporter.loop);
    ops_close(exporter.ops);
    metrics_free(exporter.metrics);
    ndjson_close(exporter.file);
    arena_clear(&exporter.arena);
    buf_clear(&exporter.line);
    buf_clear(&exporter.rerun);
    config_free(exporter.config);
    return exporter.failed ? status_exit_code(ERR_UNREACHABLE) : status_exit_code(status);
}
