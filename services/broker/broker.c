// The broker's shell: performs what the core decides. The only place of the broker with sockets, threads and
// clocks. One thread runs the loop; a thread of libuv's pool writes and syncs one batch at a time.
#include "services/broker/broker.h"

#include "common/clock.h"
#include "common/ops.h"
#include "services/broker/core.h"
#include "services/broker/disk_file.h"
#include "services/broker/gauges.h"
#include "services/door.h"
#include "services/settings.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/random.h>

// Less than JUMP_MS is the time between two readings, or a correction that no lease minds.
enum { SIGNAL_COUNT = 4, JUMP_MS = 250 };

// Written in a second: more is a flood, less is quiet.
enum { FLOOD_BYTES = 8 << 20, QUIET_BYTES = 1 << 20 };

struct broker {
    uv_loop_t loop;
    struct log log;
    struct config *config;
    int argc; // the command line, to read the configuration again
    char **argv;
    struct disk_file *disk;
    struct core *core;
    struct door *door;
    struct metrics *metrics;
    struct gauges *gauges;
    struct ops *ops;
    int64_t ahead_ms;  // of the wall clock, to the monotonic clock
    int64_t gauged_ms; // when the gauges were brought up to date
    int64_t commit_us; // how long the last commit took
    uv_timer_t timer;
    uv_signal_t signals[SIGNAL_COUNT];
    uv_work_t work; // the commit under way
    struct journal_commit commit;
    enum status commit_status;
    struct error commit_error;
    bool committing;
    size_t written_bytes; // in this second
    bool flooded;         // the heap holds what a flood needed
    struct buf record;    // what ACTION_READ reads
    int64_t drain_until_ms;
    bool stopping, failed;
};

// The time that the core is told. It is the wall clock's, for embargoes and the journal; when that was set, the core
// hears of it first. What has happened between two readings is the difference to the monotonic clock.
static int64_t now_ms(struct broker *broker)
{
    int64_t wall_ms = clock_wall_ms();
    int64_t ahead_ms = wall_ms - clock_monotonic_us() / 1000;
    int64_t jump_ms = ahead_ms - broker->ahead_ms;
    if (jump_ms <= -JUMP_MS || jump_ms >= JUMP_MS) {
        broker->ahead_ms = ahead_ms;
        broker->gauged_ms += jump_ms;
        broker->drain_until_ms += broker->drain_until_ms ? jump_ms : 0;
        core_jump(broker->core, jump_ms, wall_ms);
    }
    return wall_ms;
}

// Reads what has come, then lets the core have its turn: a GOODBYE is heard before its sender is given up.
static void take_turn(struct broker *broker)
{
    if (!broker->stopping) {
        door_touch(broker->door);
    }
}

static void on_write(uv_work_t *work)
{
    struct broker *broker = work->data;
    int64_t start_us = clock_monotonic_us();
    broker->commit_status = disk_file_write(broker->disk, &broker->commit, &broker->commit_error);
    broker->commit_us = clock_monotonic_us() - start_us;
}

static void on_written(uv_work_t *work, int cancelled)
{
    struct broker *broker = work->data;
    (void)cancelled;
    broker->committing = false;
    if (broker->commit_status == OK) {
        broker->written_bytes += broker->commit.bytes.len;
        gauges_fsync(broker->gauges, broker->commit_us);
        core_synced(broker->core, broker->commit_us);
        core_committed(broker->core, now_ms(broker));
    } else {
        core_commit_failed(broker->core, broker->commit_status == ERR_FULL,
                           broker->commit_error.text, now_ms(broker));
    }
    take_turn(broker);
}

static void stop(struct broker *broker)
{
    if (broker->stopping) {
        return;
    }
    broker->stopping = true;
    door_close(broker->door);
    uv_close((uv_handle_t *)&broker->timer, NULL);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_close((uv_handle_t *)&broker->signals[i], NULL);
    }
}

static void read_record(struct broker *broker, const struct action *action)
{
    struct error why = {""};
    buf_reset(&broker->record);
    char *room = buf_reserve(&broker->record, action->place.bytes);
    struct view bytes = {"", 0};
    if (room && disk_file_read(broker->disk, action->place, room, &why) == OK) {
        bytes = (struct view){room, action->place.bytes};
    } else {
        log_error(&broker->log, "%s", why.text);
    }
    core_read(broker->core, action->handle, action->place, bytes, now_ms(broker));
}

// True when the core may have something more to do because of it.
static bool perform(struct broker *broker, struct action *action)
{
    switch (action->kind) {
    case ACTION_SEND:
        if (door_send(broker->door, action->peer, &action->frames) == ERR_UNREACHABLE) {
            core_unreachable(broker->core, action->peer);
            return true;
        }
        return false;
    case ACTION_COMMIT:
        broker->commit = action->commit;
        broker->committing = true;
        uv_queue_work(&broker->loop, &broker->work, on_write, on_written);
        return false;
    case ACTION_READ:
        read_record(broker, action);
        return true;
    case ACTION_DROP:
        disk_file_drop(broker->disk, action->segment);
        return false;
    case ACTION_STOP:
        log_error(&broker->log, "stopping: %s", action->sentence);
        broker->failed = true;
        stop(broker);
        return false;
    }
    return false;
}

static void on_timer(uv_timer_t *timer)
{
    take_turn(timer->data);
}

static void set_timer(struct broker *broker)
{
    int64_t next = core_next_ms(broker->core);
    int64_t now = now_ms(broker);
    int64_t wait = next <= now ? 0 : next - now < 1000 ? next - now : 1000;
    uv_timer_start(&broker->timer, on_timer, (uint64_t)wait, 0);
}

static bool is_drained(struct broker *broker)
{
    return broker->drain_until_ms != 0 && !broker->committing &&
           (core_is_idle(broker->core) || now_ms(broker) >= broker->drain_until_ms);
}

// The buffers of a flood go back to the system in the first quiet second after it. Recovery counts as one.
static void give_memory_back(struct broker *broker)
{
    if (broker->written_bytes >= FLOOD_BYTES) {
        broker->flooded = true;
    } else if (broker->flooded && broker->written_bytes < QUIET_BYTES) {
        malloc_trim(0);
        broker->flooded = false;
    }
    broker->written_bytes = 0;
}

// Once a second: tells whoever watches how things stand.
static void report(struct broker *broker)
{
    int64_t now = now_ms(broker);
    ops_tick(broker->ops);
    if (now - broker->gauged_ms < 1000 && now >= broker->gauged_ms) {
        return;
    }
    broker->gauged_ms = now;
    give_memory_back(broker);
    gauges_update(broker->gauges, broker->core, now);
    struct core_numbers numbers = core_numbers(broker->core);
    ops_condition(broker->ops, "door", numbers.closed);
    ops_note(broker->ops, "workers", numbers.starving);
}

// True when the core may have something more to do because of it.
static bool perform_all(struct broker *broker)
{
    struct action action;
    bool again = false;
    while (core_take_action(broker->core, &action)) {
        if (broker->stopping && action.kind == ACTION_SEND) {
            frames_clear(&action.frames);
        } else {
            again |= perform(broker, &action);
        }
    }
    return again;
}

static void leave(struct broker *broker)
{
    if (core_is_idle(broker->core)) {
        log_info(&broker->log, "drained, bye");
    } else {
        log_warning(&broker->log, "the time to drain is over; what is unfinished is run again by "
                                  "the next broker");
    }
    core_leave(broker->core, now_ms(broker));
    perform_all(broker);
    stop(broker);
}

static void turn(struct broker *broker)
{
    bool again = true;
    if (broker->stopping) {
        return;
    }
    core_tick(broker->core, now_ms(broker));
    while (again && !broker->stopping) {
        core_turn(broker->core, now_ms(broker));
        again = perform_all(broker);
    }
    report(broker);
    if (is_drained(broker)) {
        leave(broker);
    }
    if (!broker->stopping) {
        set_timer(broker);
    }
}

static void on_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct broker *broker = user;
    core_message(broker->core, peer, envelope, body, now_ms(broker));
}

static void on_turn(void *user)
{
    turn(user);
}

static void log_sentence(void *user, const char *sentence)
{
    struct broker *broker = user;
    log_info(&broker->log, "%s", sentence);
}

static void warn_sentence(void *user, const char *sentence)
{
    struct broker *broker = user;
    log_warning(&broker->log, "%s", sentence);
}

static void observe(void *user, uint32_t stage, uint8_t lane, int64_t waited_ms)
{
    struct broker *broker = user;
    gauges_waited(broker->gauges, stage, lane, waited_ms);
}

static void dump_state(struct broker *broker)
{
    struct buf state;
    buf_init(&state, 1 << 20);
    core_status(broker->core, now_ms(broker), &state);
    fprintf(stderr, "%.*s\n", VIEW_ARGS(buf_view(&state)));
    buf_clear(&state);
}

static void reload(struct broker *broker);

static void on_signal(uv_signal_t *signal, int number)
{
    struct broker *broker = signal->data;
    if (number == SIGHUP) {
        reload(broker);
        return;
    }
    if (number == SIGUSR1) {
        dump_state(broker);
        return;
    }
    if (broker->drain_until_ms != 0) {
        log_warning(&broker->log, "second signal: stopping now");
        stop(broker);
        return;
    }
    log_info(&broker->log, "draining; unfinished articles stay in the journal");
    broker->drain_until_ms = now_ms(broker) + config_duration_ms(broker->config, "broker.drain");
    core_drain(broker->core, now_ms(broker));
    take_turn(broker);
}

static struct core_config core_settings(struct broker *broker, const struct config *from)
{
    struct core_config config = core_defaults;
    uint64_t random[4] = {0};
    if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random) {
        random[0] = (uint64_t)clock_wall_ms();
    }
    config.queue = queue_defaults;
    config.queue.lease_ms = (uint32_t)config_duration_ms(from, "broker.lease");
    config.queue.max_failures = (uint32_t)config_int(from, "broker.max_failures");
    config.queue.max_deaths = (uint32_t)config_int(from, "broker.max_deaths");
    config.queue.backoff_first_ms = (uint32_t)config_duration_ms(from, "broker.backoff");
    config.queue.backoff_limit_ms = (uint32_t)config_duration_ms(from, "broker.backoff_limit");
    config.queue.seed = random[0];
    config.journal = journal_defaults;
    config.journal.segment_bytes = (uint32_t)config_bytes(from, "broker.segment");
    config.journal.hash_key[0] = random[1];
    config.journal.hash_key[1] = random[2];
    config.session = random[3];
    config.heartbeat_ms = (uint32_t)config_duration_ms(from, "broker.heartbeat");
    config.document_bytes = (size_t)config_bytes(from, "broker.document_memory");
    config.section_bytes = (size_t)config_bytes(from, "broker.section_memory");
    config.article_bytes = (uint32_t)config_bytes(from, "broker.article");
    config.disk_bytes = (uint64_t)config_bytes(from, "broker.disk");
    config.log = log_sentence;
    config.warn = warn_sentence;
    config.observe = observe;
    config.user = broker;
    return config;
}

static enum status read_pipeline(const struct config *config, struct graph *graph,
                                 struct error *why)
{
    struct buf pipeline;
    buf_init(&pipeline, 1 << 16);
    settings_pipeline(config, &pipeline);
    enum status status = graph_parse(graph, buf_view(&pipeline), why);
    buf_clear(&pipeline);
    if (status != OK) {
        error_prefix(why, "[pipeline]");
    }
    return status;
}

static enum status make_core(struct broker *broker, struct error *why)
{
    struct graph graph;
    struct core_config config = core_settings(broker, broker->config);
    enum status status = read_pipeline(broker->config, &graph, why);
    if (status != OK) {
        return status;
    }
    if (config.heartbeat_ms * 2 > config.queue.lease_ms) {
        return error_set(why, ERR_CONFIG,
                         "the lease (%u ms) must be at least two heartbeats (%u ms each)",
                         config.queue.lease_ms, config.heartbeat_ms);
    }
    broker->core = core_new(&graph, &config);
    broker->ahead_ms = clock_wall_ms() - clock_monotonic_us() / 1000;
    broker->metrics = metrics_new();
    if (broker->core && broker->metrics) {
        broker->gauges = gauges_new(broker->metrics, core_graph(broker->core));
    }
    return broker->gauges ? OK : error_set(why, ERR_MEMORY, "no memory for the broker");
}

static void tell_fixed(struct broker *broker, const char *key, bool same)
{
    if (!same) {
        log_warning(&broker->log, "%s stays as it was until the broker is started again", key);
    }
}

// Tells of settings that differ and cannot be changed while the broker runs.
static void tell_unchanged(struct broker *broker, const struct config *now)
{
    static const char *const durations[] = {"broker.lease", "broker.heartbeat", "broker.drain"};
    const struct config *old = broker->config;
    tell_fixed(broker, "broker.listen",
               strcmp(config_list(now, "broker.listen"), config_list(old, "broker.listen")) == 0);
    tell_fixed(broker, "broker.journal",
               strcmp(config_text(now, "broker.journal"), config_text(old, "broker.journal")) == 0);
    tell_fixed(broker, "broker.ops",
               strcmp(config_text(now, "broker.ops"), config_text(old, "broker.ops")) == 0);
    tell_fixed(broker, "broker.segment",
               config_bytes(now, "broker.segment") == config_bytes(old, "broker.segment"));
    for (size_t i = 0; i < sizeof durations / sizeof durations[0]; i++) {
        tell_fixed(broker, durations[i],
                   config_duration_ms(now, durations[i]) == config_duration_ms(old, durations[i]));
    }
}

// Reads the configuration again. One that is wrong changes nothing.
static void reload(struct broker *broker)
{
    struct config *config;
    struct graph graph;
    struct error why = {""};
    char names[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
    enum status status = settings_reload(&config, broker->argc, broker->argv, &why);
    if (status == OK) {
        status = read_pipeline(config, &graph, &why);
    }
    if (status == OK) {
        struct core_config settings_now = core_settings(broker, config);
        status = core_reload(broker->core, &graph, &settings_now, now_ms(broker), &why);
    }
    if (status == OK) {
        gauges_reload(broker->gauges);
        tell_unchanged(broker, config);
        log_info(&broker->log, "configuration read again; the pipeline is: %.*s",
                 VIEW_ARGS(graph_names(&graph, names)));
    } else {
        log_error(&broker->log, "configuration not taken over, nothing has changed: %s", why.text);
    }
    config_free(config);
    take_turn(broker);
}

static enum status open_ops(struct broker *broker, struct error *why)
{
    const char *listen = config_text(broker->config, "broker.ops");
    return *listen ? ops_open(&broker->ops, listen, broker->metrics, why) : OK;
}

static enum status recover(struct broker *broker, struct error *why)
{
    struct journal_report report;
    int64_t start_us = clock_monotonic_us();
    struct disk disk = disk_file_calls(broker->disk);
    enum status status = core_recover(broker->core, &disk, now_ms(broker), &report, why);
    if (status != OK) {
        return status;
    }
    broker->flooded = true;
    const struct queue_counts *counts = queue_counts(core_queue(broker->core));
    log_info(&broker->log,
             "journal: %" PRIu64 " segments, %" PRIu64 " records, %zu articles to go on with, %zu "
             "dead letters, %" PRId64 " ms",
             report.segments, report.records, counts->live, counts->dead,
             (clock_monotonic_us() - start_us) / 1000);
    if (report.cut_bytes > 0) {
        log_warning(&broker->log,
                    "journal: cut %" PRIu64 " bytes off segment %" PRIu64
                    ": room for later batches, or one that was never acknowledged",
                    report.cut_bytes, report.cut_segment);
    }
    return OK;
}

static enum status open_door(struct broker *broker, struct error *why)
{
    char addresses[DOOR_ENDPOINT_LIMIT][DOOR_ADDRESS_BYTES];
    const char *endpoints[DOOR_ENDPOINT_LIMIT];
    size_t count = 0;
    struct view rest = view_of(config_list(broker->config, "broker.listen"));
    struct view item;
    while (count < DOOR_ENDPOINT_LIMIT && config_next(&rest, &item)) {
        snprintf(addresses[count], sizeof addresses[count], "%.*s", VIEW_ARGS(item));
        endpoints[count] = addresses[count];
        count++;
    }
    struct door_config config = {.loop = &broker->loop,
                                 .router = true,
                                 .endpoints = endpoints,
                                 .endpoint_count = count,
                                 .flag = "--listen",
                                 .user = broker,
                                 .on_message = on_message,
                                 .on_turn = on_turn};
    enum status status = door_open(&broker->door, &config, why);
    for (size_t i = 0; status == OK && i < count; i++) {
        log_info(&broker->log, "listening on %s", door_address(broker->door, i));
    }
    return status;
}

static void start_handles(struct broker *broker)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGUSR1, SIGHUP};
    uv_timer_init(&broker->loop, &broker->timer);
    broker->timer.data = broker;
    broker->work.data = broker;
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&broker->loop, &broker->signals[i]);
        broker->signals[i].data = broker;
        uv_signal_start(&broker->signals[i], on_signal, numbers[i]);
    }
}

int broker_main(int argc, char **argv)
{
    struct broker broker = {.argc = argc, .argv = argv};
    struct error why = {""};
    int exit_code;
    if (!settings_load(&broker.config, &broker.log, "broker [--listen ADDRESS] [--journal FOLDER]",
                       argc, argv, &exit_code)) {
        config_free(broker.config);
        return exit_code;
    }
    uv_loop_init(&broker.loop);
    buf_init(&broker.record, (size_t)RECORD_BYTES_LIMIT * 2);
    enum status status = make_core(&broker, &why);
    if (status == OK) {
        status =
            disk_file_open(&broker.disk, config_text(broker.config, "broker.journal"), false, &why);
    }
    if (status == OK) {
        status = recover(&broker, &why);
    }
    if (status == OK) {
        status = open_door(&broker, &why);
    }
    if (status == OK) {
        status = open_ops(&broker, &why);
    }
    if (status == OK) {
        start_handles(&broker);
        turn(&broker);
        uv_run(&broker.loop, UV_RUN_DEFAULT);
    } else {
        log_error(&broker.log, "%s", why.text);
        door_close(broker.door);
        uv_run(&broker.loop, UV_RUN_DEFAULT); // what was opened closes
    }
    uv_loop_close(&broker.loop);
    ops_close(broker.ops);
    gauges_free(broker.gauges);
    metrics_free(broker.metrics);
    core_free(broker.core);
    disk_file_close(broker.disk);
    buf_clear(&broker.record);
    config_free(broker.config);
    return broker.failed ? status_exit_code(ERR_IO) : status_exit_code(status);
}
