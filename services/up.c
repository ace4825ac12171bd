// The services are children: this program again, with other arguments, over a socket file in the data folder. They
// are in process groups of their own, so that Ctrl-C reaches the supervisor alone and it can stop them in order; the
// kernel ends them should the supervisor die (PR_SET_PDEATHSIG).
//
// What a child writes is printed line by line behind its name. A child that ends is started again after a pause that
// doubles; one that cannot run (wrong configuration, address taken) ends the whole, with its reason on the screen.
#include "services/up.h"

#include "common/clock.h"
#include "common/folder.h"
#include "services/broker/graph.h"
#include "services/door.h"
#include "services/settings.h"
#include "services/stages.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    CHILD_LIMIT = WIRE_STAGE_LIMIT + 1,
    ARGUMENT_LIMIT = 20,
    ARGUMENT_BYTES = 600,
    LINE_BYTES = 8192,  // of a child's output; longer ones are cut in two
    LOOK_EACH_MS = 100, // for the broker, until it is there
    PAUSE_MS = 200,     // before the first restart; doubled
    PAUSE_LIMIT_MS = 10000,
    STEADY_MS = 10000, // ran for so long, the pauses start small again
    LOOK_MS = 50,
    SOCKET_PATH_LIMIT = 100,
    SIGNAL_COUNT = 4,
    NEW_MS = 1000, // what a reload added starts so much later, when the broker knows of it
};

// In the order of starting; stopped the other way round, phase by phase.
enum phase { PHASE_BROKER, PHASE_EXPORT, PHASE_WORKERS, PHASE_COUNT };

struct up;

struct child {
    struct up *up;
    char name[GRAPH_NAME_BYTES];
    enum phase phase;
    char *arguments[ARGUMENT_LIMIT];
    int argument_count;
    pid_t pid; // 0: not running
    int64_t started_ms, restart_ms;
    int64_t pause_ms;
    uint32_t restarts;
    bool is_wanted; // the pipeline has its stage; the broker is always wanted
    bool is_new;    // added by a reload: the broker may not have heard of it yet
};

// What a child writes. One for each start; ends with the pipe.
struct output {
    uv_pipe_t pipe;
    struct child *child;
    size_t len;
    char line[LINE_BYTES];
    char chunk[4096];
};

struct up {
    uv_loop_t loop;
    struct log log;
    struct config *config;
    int argc; // the command line, to read the configuration again
    char **argv;
    struct graph graph;
    const char *folder, *listen;
    char socket[ARGUMENT_BYTES]; // "ipc://..."; empty when the path is too long for one
    char program[PATH_MAX];
    struct child children[CHILD_LIMIT];
    size_t child_count;
    size_t name_width;
    uv_timer_t timer;
    uv_signal_t signals[SIGNAL_COUNT];
    bool is_up; // the broker was reached and the start screen shown
    bool stopping;
    enum phase stop_phase;
    int64_t stop_by_ms;
    bool killed;
    int exit_code;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

// ---- Output of children

static void print_line(const struct child *child, struct view line)
{
    fprintf(stderr, "%-*s | %.*s\n", (int)child->up->name_width, child->name, VIEW_ARGS(line));
}

static void add_output(struct output *output, struct view bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        bool ends = bytes.at[i] == '\n';
        if (!ends) {
            output->line[output->len++] = bytes.at[i];
        }
        if (ends || output->len == LINE_BYTES) {
            print_line(output->child, (struct view){output->line, output->len});
            output->len = 0;
        }
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *room)
{
    struct output *output = handle->data;
    (void)suggested;
    *room = uv_buf_init(output->chunk, sizeof output->chunk);
}

static void output_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_output(uv_stream_t *stream, ssize_t len, const uv_buf_t *room)
{
    struct output *output = stream->data;
    if (len > 0) {
        add_output(output, (struct view){room->base, (size_t)len});
    } else if (len < 0) {
        if (output->len > 0) {
            add_output(output, VIEW("\n"));
        }
        uv_close((uv_handle_t *)stream, output_closed);
    }
}

// Reads what comes out of `fd`, and takes it.
static void watch_output(struct child *child, int fd)
{
    struct output *output = calloc(1, sizeof *output);
    if (!output) {
        close(fd); // the child goes on, unheard
        return;
    }
    output->child = child;
    uv_pipe_init(&child->up->loop, &output->pipe, 0);
    output->pipe.data = output;
    if (uv_pipe_open(&output->pipe, fd) != 0) {
        close(fd);
        uv_close((uv_handle_t *)&output->pipe, output_closed);
        return;
    }
    uv_read_start((uv_stream_t *)&output->pipe, on_room, on_output);
}

// ---- Children

// In the child. Only calls that are safe after fork.
static _Noreturn void become(const struct child *child, int out, pid_t parent)
{
    sigset_t none;
    int null = open("/dev/null", O_RDONLY);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setpgid(0, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getppid() == parent && null >= 0 && dup2(null, STDIN_FILENO) >= 0 &&
        dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0) {
        execv(child->up->program, child->arguments);
    }
    _exit(71);
}

static void schedule_restart(struct child *child)
{
    child->restart_ms = now_ms() + child->pause_ms;
    child->pause_ms = child->pause_ms * 2 > PAUSE_LIMIT_MS ? PAUSE_LIMIT_MS : child->pause_ms * 2;
}

static void start(struct child *child)
{
    int ends[2];
    pid_t parent = getpid();
    child->restart_ms = 0;
    child->started_ms = now_ms();
    if (pipe2(ends, O_CLOEXEC) != 0) {
        log_error(&child->up->log, "cannot start %s: %s", child->name, strerror(errno));
        schedule_restart(child);
        return;
    }
    pid_t pid = fork();
    if (pid == 0) {
        become(child, ends[1], parent);
    }
    close(ends[1]);
    if (pid < 0) {
        log_error(&child->up->log, "cannot start %s: %s", child->name, strerror(errno));
        close(ends[0]);
        schedule_restart(child);
        return;
    }
    child->pid = pid;
    watch_output(child, ends[0]);
}

static void set_timer(struct up *up);
static void begin_stop(struct up *up);
static void go_on_stopping(struct up *up);

static void say_ended(const struct child *child, int how)
{
    const struct log *log = &child->up->log;
    if (WIFSIGNALED(how)) {
        log_warning(log, "%s was ended by signal %d (%s); starting it again in %lld ms",
                    child->name, WTERMSIG(how), strsignal(WTERMSIG(how)),
                    (long long)child->pause_ms);
    } else {
        log_warning(log, "%s ended with exit code %d; starting it again in %lld ms", child->name,
                    WEXITSTATUS(how), (long long)child->pause_ms);
    }
}

// Starting again would not help: the command line, the configuration, an address or a folder is wrong.
static bool is_hopeless(const struct child *child, int how)
{
    int code = WIFEXITED(how) ? WEXITSTATUS(how) : 0;
    bool young = child->restarts == 0 && now_ms() - child->started_ms < STEADY_MS;
    if (young && child->is_new) {
        return false;
    }
    return code == 2 || code == 78 || (child->phase == PHASE_BROKER && young && code != 0);
}

static void child_ended(struct child *child, int how)
{
    struct up *up = child->up;
    child->pid = 0;
    if (up->stopping) {
        go_on_stopping(up);
        return;
    }
    if (!child->is_wanted) {
        log_info(&up->log, "%s has left", child->name);
        return;
    }
    if (is_hopeless(child, how)) {
        log_error(&up->log, "%s cannot run here (exit code %d, its reason stands above): stopping",
                  child->name, WEXITSTATUS(how));
        up->exit_code = WEXITSTATUS(how);
        begin_stop(up);
        return;
    }
    if (now_ms() - child->started_ms >= STEADY_MS) {
        child->pause_ms = PAUSE_MS;
    }
    child->restarts++;
    say_ended(child, how);
    schedule_restart(child);
}

static void reap(struct up *up)
{
    for (size_t i = 0; i < up->child_count; i++) {
        struct child *child = &up->children[i];
        int how;
        if (child->pid > 0 && waitpid(child->pid, &how, WNOHANG) == child->pid) {
            child_ended(child, how);
        }
    }
}

// ---- Stopping

static size_t signal_phase(struct up *up, enum phase phase, int number)
{
    size_t running = 0;
    for (size_t i = 0; i < up->child_count; i++) {
        const struct child *child = &up->children[i];
        if (child->phase == phase && child->pid > 0) {
            running++;
            if (number != 0) {
                kill(child->pid, number);
            }
        }
    }
    return running;
}

static void close_handles(struct up *up)
{
    if (!uv_is_closing((uv_handle_t *)&up->timer)) {
        uv_close((uv_handle_t *)&up->timer, NULL);
        for (int i = 0; i < SIGNAL_COUNT; i++) {
            uv_close((uv_handle_t *)&up->signals[i], NULL);
        }
    }
}

// Moves to the next phase when the present one has ended.
static void go_on_stopping(struct up *up)
{
    while (signal_phase(up, up->stop_phase, 0) == 0) {
        if (up->stop_phase == PHASE_BROKER) {
            close_handles(up);
            return;
        }
        up->stop_phase--;
        signal_phase(up, up->stop_phase, SIGTERM);
    }
}

static void begin_stop(struct up *up)
{
    up->stopping = true;
    up->stop_by_ms = now_ms() + config_duration_ms(up->config, "up.drain");
    up->stop_phase = PHASE_COUNT - 1;
    signal_phase(up, up->stop_phase, SIGTERM);
    go_on_stopping(up);
}

static void kill_all(struct up *up)
{
    up->killed = true;
    for (int phase = 0; phase < PHASE_COUNT; phase++) {
        signal_phase(up, (enum phase)phase, SIGKILL);
    }
}

static void reload(struct up *up);

static void on_signal(uv_signal_t *signal, int number)
{
    struct up *up = signal->data;
    if (number == SIGCHLD) {
        reap(up);
    } else if (number == SIGHUP) {
        reload(up);
    } else if (up->stopping) {
        log_warning(&up->log, "second signal: killing what still runs; the journal keeps the rest");
        kill_all(up);
    } else {
        log_info(&up->log, "stopping: finishing what is under way (again to kill)");
        begin_stop(up);
    }
    set_timer(up);
}

// ---- The start screen

// True for a stage or sink that this program has.
static bool is_ours(const struct graph_stage *stage)
{
    return stage->terminal ? strcmp(stage->name, "export") == 0
                           : stage_find(view_of(stage->name)) != NULL;
}

static void print_screen(const struct up *up)
{
    bool usual = strcmp(up->listen, DEFAULT_BROKER) == 0;
    const char *flag = usual ? "" : " --broker ";
    const char *address = usual ? "" : up->listen;
    fprintf(stderr, "\ncopydesk is up:");
    for (size_t i = 0; i < up->child_count; i++) {
        fprintf(stderr, "%s%s", i == 0 ? " " : ", ", up->children[i].name);
    }
    fprintf(stderr,
            "\n\n"
            "  hand in   copydesk submit%s%s FILE...\n"
            "  look      copydesk status%s%s\n"
            "  results   %s/export/current.ndjson\n"
            "  broker    %s\n"
            "  stop      Ctrl-C finishes what is under way\n",
            flag, address, flag, address, up->folder, up->listen);
    for (uint32_t i = 0; i < up->graph.count; i++) {
        const struct graph_stage *stage = &up->graph.stages[i];
        if (!is_ours(stage)) {
            fprintf(stderr, "  waiting   '%s' needs a worker of yours (proto/PROTOCOL.md)\n",
                    stage->name);
        }
    }
    fputc('\n', stderr);
}

static void look_for_broker(struct up *up)
{
    struct error why;
    const char *own = up->socket[0] ? up->socket : up->listen;
    if (!up->is_up && up->children[0].pid > 0 && !door_explain(own, LOOK_MS, &why)) {
        up->is_up = true;
        print_screen(up);
    }
}

static void start_due(struct up *up)
{
    for (size_t i = 0; i < up->child_count; i++) {
        struct child *child = &up->children[i];
        if (child->pid == 0 && child->restart_ms != 0 && now_ms() >= child->restart_ms) {
            start(child);
        }
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct up *up = timer->data;
    if (!up->stopping) {
        start_due(up);
        look_for_broker(up);
    } else if (!up->killed && now_ms() >= up->stop_by_ms) {
        log_warning(&up->log,
                    "the time to drain is over: killing what still runs; the journal keeps "
                    "the rest");
        kill_all(up);
    }
    set_timer(up);
}

// When something is to be done that no signal tells of; INT64_MAX: never.
static int64_t next_ms(const struct up *up)
{
    int64_t next = up->is_up ? INT64_MAX : now_ms() + LOOK_EACH_MS;
    if (up->stopping) {
        return up->killed ? INT64_MAX : up->stop_by_ms;
    }
    for (size_t i = 0; i < up->child_count; i++) {
        const struct child *child = &up->children[i];
        if (child->pid == 0 && child->restart_ms != 0 && child->restart_ms < next) {
            next = child->restart_ms;
        }
    }
    return next;
}

// Sleeps until then. After whatever may have changed that.
static void set_timer(struct up *up)
{
    int64_t next = next_ms(up);
    if (uv_is_closing((uv_handle_t *)&up->timer) || next == INT64_MAX) {
        uv_timer_stop(&up->timer);
        return;
    }
    int64_t in_ms = next - now_ms();
    uv_update_time(&up->loop);
    uv_timer_start(&up->timer, on_timer, in_ms > 0 ? (uint64_t)in_ms : 0, 0);
}

// ---- Setting up

static void add_argument(struct child *child, const char *text)
{
    if (child->argument_count < ARGUMENT_LIMIT - 1) {
        child->arguments[child->argument_count++] = strdup(text);
    }
}

static void add_flag(struct child *child, const char *flag, const char *value)
{
    add_argument(child, flag);
    add_argument(child, value);
}

static struct child *add_child(struct up *up, enum phase phase, const char *command,
                               const char *name)
{
    struct child *child = &up->children[up->child_count++];
    *child = (struct child){.up = up, .phase = phase, .pause_ms = PAUSE_MS, .is_wanted = true};
    snprintf(child->name, sizeof child->name, "%s", name);
    up->name_width = strlen(name) > up->name_width ? strlen(name) : up->name_width;
    add_argument(child, "copydesk");
    add_argument(child, command);
    return child;
}

static void add_common(struct child *child)
{
    const struct config *config = child->up->config;
    const char *format = config_text(config, "log.format");
    add_flag(child, "--log-format", strcmp(format, "json") == 0 ? format : "text");
    add_flag(child, "--log-level", config_text(config, "log.level"));
}

static void add_broker(struct up *up)
{
    char text[ARGUMENT_BYTES * 2];
    struct child *child = add_child(up, PHASE_BROKER, "broker", "broker");
    snprintf(text, sizeof text, "%s %s", up->listen, up->socket);
    add_flag(child, "--listen", text);
    snprintf(text, sizeof text, "%s/journal", up->folder);
    add_flag(child, "--journal", text);
    add_flag(child, "--drain", "10s");
    add_common(child);
}

static void add_reach(struct child *child)
{
    const struct up *up = child->up;
    add_flag(child, "--broker", up->socket[0] ? up->socket : up->listen);
    add_common(child);
}

// The stages of this program.
static uint32_t our_stages(const struct graph *graph)
{
    uint32_t set = 0;
    for (uint32_t number = 1; number <= graph->count; number++) {
        set |= is_ours(&graph->stages[number - 1]) ? graph_bit(number) : 0;
    }
    return set;
}

// On one machine a worker does all it can to an article before it gives it back; the workers of the other stages do
// what is left: second attempts, and what comes from workers elsewhere.
static void add_along(struct child *child, const struct graph *graph, uint32_t stage)
{
    char names[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
    uint32_t along = graph_along(graph, stage, our_stages(graph));
    struct view list = graph_names_of(graph, along, names);
    names[list.len] = '\0';
    add_flag(child, "--along", names);
}

static void add_worker(struct up *up, const struct graph *graph, uint32_t stage)
{
    char threads[24];
    const char *name = graph->stages[stage - 1].name;
    struct child *child = add_child(up, PHASE_WORKERS, "worker", name);
    long long wanted = config_int(up->config, "up.threads");
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    add_argument(child, name);
    snprintf(threads, sizeof threads, "%lld", wanted > 0 ? wanted : cores > 0 ? cores : 1);
    add_flag(child, "--threads", threads);
    add_along(child, graph, stage);
    add_flag(child, "--ops", "");
    add_reach(child);
}

static void add_export(struct up *up)
{
    char folder[ARGUMENT_BYTES];
    struct child *child = add_child(up, PHASE_EXPORT, "export", "export");
    snprintf(folder, sizeof folder, "%s/export", up->folder);
    add_flag(child, "--folder", folder);
    add_flag(child, "--ops", "");
    add_reach(child);
}

static void add_service(struct up *up, const struct graph *graph, uint32_t stage)
{
    if (graph->stages[stage - 1].terminal) {
        add_export(up);
    } else {
        add_worker(up, graph, stage);
    }
}

static enum status read_pipeline(const struct config *config, struct graph *graph,
                                 struct error *why)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    settings_pipeline(config, &text);
    enum status status = graph_parse(graph, buf_view(&text), why);
    if (status != OK) {
        error_prefix(why, "[pipeline]");
    }
    buf_clear(&text);
    return status;
}

static enum status plan(struct up *up, struct error *why)
{
    up->folder = config_text(up->config, "up.folder");
    up->listen = config_text(up->config, "up.listen");
    ssize_t len = readlink("/proc/self/exe", up->program, sizeof up->program - 1);
    if (len <= 0) {
        return error_set(why, ERR_IO, "cannot find this program: /proc is not mounted");
    }
    if (strlen(up->folder) >= ARGUMENT_BYTES - 16 || strlen(up->listen) >= ARGUMENT_BYTES) {
        return error_set(why, ERR_USAGE, "the folder's or the address's name is too long");
    }
    if (strlen(up->folder) < SOCKET_PATH_LIMIT - sizeof "/broker.sock") {
        snprintf(up->socket, sizeof up->socket, "ipc://%s/broker.sock", up->folder);
    }
    enum status status = read_pipeline(up->config, &up->graph, why);
    if (status == OK) {
        status = folder_make(up->folder, why);
    }
    if (status != OK) {
        return status;
    }
    add_broker(up);
    for (uint32_t stage = 1; stage <= up->graph.count; stage++) {
        if (is_ours(&up->graph.stages[stage - 1])) {
            add_service(up, &up->graph, stage);
        }
    }
    return OK;
}

static struct child *find_child(struct up *up, const char *name)
{
    for (size_t i = 0; i < up->child_count; i++) {
        if (strcmp(up->children[i].name, name) == 0) {
            return &up->children[i];
        }
    }
    return NULL;
}

// Starts the service of a stage that the pipeline has got.
static void want(struct up *up, const struct graph *graph, uint32_t stage)
{
    struct child *child = find_child(up, graph->stages[stage - 1].name);
    if (!child && up->child_count < CHILD_LIMIT) {
        add_service(up, graph, stage);
        child = &up->children[up->child_count - 1];
        child->is_wanted = false;
    }
    if (child && !child->is_wanted) {
        child->is_wanted = child->is_new = true;
        child->restarts = 0;
        child->restart_ms = now_ms() + NEW_MS;
    }
}

// Reads the configuration again. The broker does so itself; stages that have come are started, those that have gone ended.
static void reload(struct up *up)
{
    struct config *config;
    struct graph graph;
    struct error why = {""};
    enum status status = settings_reload(&config, up->argc, up->argv, &why);
    if (status == OK) {
        status = read_pipeline(config, &graph, &why);
    }
    config_free(config);
    if (status != OK) {
        log_error(&up->log, "configuration not taken over, nothing has changed: %s", why.text);
        return;
    }
    for (size_t i = 1; i < up->child_count; i++) {
        struct child *child = &up->children[i];
        if (child->is_wanted && graph_find(&graph, view_of(child->name)) == 0) {
            child->is_wanted = false;
            child->restart_ms = 0;
            if (child->pid > 0) {
                kill(child->pid, SIGTERM);
            }
        }
    }
    signal_phase(up, PHASE_BROKER, SIGHUP);
    for (uint32_t stage = 1; stage <= graph.count; stage++) {
        if (is_ours(&graph.stages[stage - 1])) {
            want(up, &graph, stage);
        }
    }
    log_info(&up->log, "configuration read again");
}

// Children read the same file as we.
static void pass_config(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--config=", 9) == 0) {
            setenv("COPYDESK_CONFIG", argv[i] + 9, 1);
        } else if (strcmp(argv[i], "--config") == 0 && i + 1 < argc) {
            setenv("COPYDESK_CONFIG", argv[i + 1], 1);
        }
    }
}

static void start_handles(struct up *up)
{
    static const int numbers[SIGNAL_COUNT] = {SIGTERM, SIGINT, SIGCHLD, SIGHUP};
    uv_timer_init(&up->loop, &up->timer);
    up->timer.data = up;
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        uv_signal_init(&up->loop, &up->signals[i]);
        up->signals[i].data = up;
        uv_signal_start(&up->signals[i], on_signal, numbers[i]);
    }
}

static void free_children(struct up *up)
{
    for (size_t i = 0; i < up->child_count; i++) {
        for (int j = 0; j < up->children[i].argument_count; j++) {
            free(up->children[i].arguments[j]);
        }
    }
}

static int run(struct up *up)
{
    struct error why = {""};
    enum status status = plan(up, &why);
    if (status != OK) {
        log_error(&up->log, "%s", why.text);
        return status_exit_code(status);
    }
    uv_loop_init(&up->loop);
    start_handles(up);
    for (size_t i = 0; i < up->child_count; i++) {
        start(&up->children[i]);
    }
    set_timer(up);
    uv_run(&up->loop, UV_RUN_DEFAULT);
    uv_loop_close(&up->loop);
    if (up->exit_code == 0 && !up->killed) {
        log_info(&up->log, "everything has ended in order, bye");
    }
    return up->exit_code ? up->exit_code : up->killed ? 1 : 0;
}

int up_main(int argc, char **argv)
{
    struct up *up = calloc(1, sizeof *up);
    int code = 70;
    if (!up) {
        return code;
    }
    if (settings_load(&up->config, &up->log, "up [--folder FOLDER] [-j N] [--listen ADDRESS]", argc,
                      argv, &code)) {
        up->log.json = strcmp(config_text(up->config, "log.format"), "json") == 0;
        pass_config(argc, argv);
        up->argc = argc;
        up->argv = argv;
        code = run(up);
    }
    free_children(up);
    config_free(up->config);
    free(up);
    return code;
}
