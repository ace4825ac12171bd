// The broker under load: a real broker process, no-op stages, a sink and a client, each a process of its own that runs the
// runtimes of production (load.h). Prints one `name value` a line.
//
// The broker syncs every article before it acknowledges it; an article is delivered when the sink has it. The pipelines:
//
//     product    clean -> entities, dates -> summary -> sink. `clean` answers with --text bytes (default: as large as the article),
//                which is what the others get; they answer with 200 bytes.
//     chain      --stages in a row. Each gets the document and the section before; sections are so large that the same bytes
//                cross sockets as with a broker that carries the article to each stage and back (section_bytes below).
//
// With --backlog that many articles wait in the broker before the first worker starts, and as many the whole time. With --flash every
// so many articles one is urgent, and its latency is printed.
#include "tests/bench/load.h"
#include "tests/bench/window.h"

#include "common/clock.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { STAGE_LIMIT = 16, WORKER_LIMIT = 64, SECTION_BYTES = 200, END_LIMIT_MS = 30000 };
enum { CLIENT_LIMIT = (STAGE_LIMIT + 1) * WORKER_LIMIT + 1 };

struct stage {
    char name[32];
    char needs[64];
    size_t answer_bytes;
};

// The stages, and after them the sink.
struct plan {
    struct stage stages[STAGE_LIMIT + 1];
    size_t count;
};

struct processes {
    pid_t broker;
    pid_t clients[CLIENT_LIMIT];
    size_t count;
};

static void add_stage(struct plan *plan, const char *name, const char *needs, size_t answer_bytes)
{
    struct stage *stage = &plan->stages[plan->count++];
    snprintf(stage->name, sizeof stage->name, "%s", name);
    snprintf(stage->needs, sizeof stage->needs, "%s", needs);
    stage->answer_bytes = answer_bytes;
}

// With N stages a peer moves 2N + 2 articles of S bytes: in, to each stage and back, to the sink. A chain moves N + 2 documents
// and 3N - 1 sections: N from stages, N - 1 to the next stage, N to the sink. Equal when a section is N S / (3N - 1).
static size_t section_bytes(const struct load_options *options)
{
    return (size_t)(options->stages * options->size / (3 * options->stages - 1));
}

static void make_plan(struct plan *plan, const struct load_options *options)
{
    plan->count = 0;
    if (strcmp(options->graph, "product") == 0) {
        add_stage(plan, "clean", "article", options->text);
        add_stage(plan, "entities", "clean", SECTION_BYTES);
        add_stage(plan, "dates", "clean", SECTION_BYTES);
        add_stage(plan, "summary", "clean entities", SECTION_BYTES);
    }
    for (uint64_t i = plan->count; i < options->stages; i++) {
        char name[32];
        char needs[64];
        snprintf(name, sizeof name, "s%" PRIu64, i + 1);
        snprintf(needs, sizeof needs, i == 0 ? "article" : "article s%" PRIu64, i);
        add_stage(plan, name, needs, section_bytes(options));
    }
    add_stage(plan, "export", "*", 0);
}

// --- processes

static bool write_settings(const struct plan *plan, const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        return false;
    }
    fprintf(file, "[pipeline]\n");
    for (size_t i = 0; i < plan->count; i++) {
        fprintf(file, "%s = %s\n", plan->stages[i].name, plan->stages[i].needs);
    }
    return fclose(file) == 0;
}

// A child that ends with its parent, under a name of its own in profiles.
static pid_t start(const char *name)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0) {
        perror("fork");
        exit(1);
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prctl(PR_SET_NAME, name);
    }
    return pid;
}

static bool start_broker(struct processes *processes, const struct load_options *options,
                         const struct plan *plan)
{
    char settings[4096];
    snprintf(settings, sizeof settings, "%s.ini", options->folder);
    if (!write_settings(plan, settings)) {
        return false;
    }
    processes->broker = start("broker");
    if (processes->broker == 0) {
        execl(options->program, "copydesk", "broker", "--config", settings, "--listen",
              options->endpoint, "--journal", options->folder, "--log-level", "warning",
              (char *)NULL);
        perror(options->program);
        _exit(127);
    }
    return true;
}

static void start_client(struct processes *processes, const struct load_options *options,
                         struct load_shared *shared)
{
    pid_t pid = start("client");
    if (pid == 0) {
        load_run_client(options, shared);
    }
    processes->clients[processes->count++] = pid;
}

static void start_workers(struct processes *processes, const struct load_options *options,
                          struct load_shared *shared, const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct stage *stage = &plan->stages[i];
        bool is_sink = i + 1 == plan->count;
        for (uint64_t w = 0; w < (is_sink ? 1 : options->workers); w++) {
            pid_t pid = start(stage->name);
            if (pid == 0) {
                load_run_worker(options, shared, stage->name, stage->answer_bytes, is_sink);
            }
            processes->clients[processes->count++] = pid;
        }
    }
}

// SIGTERM, so that a tool that watches the process can write what it saw; SIGKILL when that takes too long.
static void end_process(pid_t pid)
{
    kill(pid, SIGTERM);
    for (int waited_ms = 0; waited_ms < 5000; waited_ms++) {
        if (waitpid(pid, NULL, WNOHANG) == pid) {
            return;
        }
        usleep(1000);
    }
    kill(pid, SIGKILL);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
}

static void end_all(const struct processes *processes)
{
    for (size_t i = 0; i < processes->count; i++) {
        end_process(processes->clients[i]);
    }
    end_process(processes->broker);
}

// --- the run

// Everything up and the backlog in place.
static bool begin(struct processes *processes, const struct load_options *options,
                  struct load_shared *shared, const struct plan *plan)
{
    uint64_t limit_ms = END_LIMIT_MS + options->backlog;
    if (!start_broker(processes, options, plan)) {
        return false;
    }
    if (options->backlog == 0) {
        start_workers(processes, options, shared, plan);
        usleep(500000);
        start_client(processes, options, shared);
    } else {
        start_client(processes, options, shared);
        if (!window_wait(&shared->accepted, options->backlog, limit_ms)) {
            fprintf(stderr, "bench_broker: the backlog did not come about\n");
            return false;
        }
        start_workers(processes, options, shared, plan);
    }
    if (!window_wait(&shared->started, 1, limit_ms) ||
        !window_wait(&shared->delivered, 1, limit_ms)) {
        fprintf(stderr, "bench_broker: no article arrives\n");
        return false;
    }
    return true;
}

// Nothing may be lost: what was put arrives once the client has stopped. A backlog is not waited for.
static bool all_arrived(const struct load_options *options, struct load_shared *shared)
{
    shared->closing = true;
    bool whole = window_wait(&shared->ended, 1, END_LIMIT_MS);
    if (options->backlog == 0) {
        whole = whole && window_wait(&shared->delivered, shared->put, END_LIMIT_MS);
    }
    if (!whole || shared->doubles > 0) {
        fprintf(stderr,
                "bench_broker: %" PRIu64 " of %" PRIu64 " articles arrived, %" PRIu64 " twice\n",
                shared->delivered, shared->put, shared->doubles);
        return false;
    }
    return true;
}

// Latencies of what was put while the window was open: of all articles with a rate, else of the urgent ones. The array is
// used up.
static void print_latency(const struct window *window, const struct load_options *options,
                          struct load_shared *shared)
{
    char prefix[64];
    uint64_t ahead = options->rate > 0 ? 0 : options->backlog + LOAD_UNDER_WAY;
    uint64_t last = window->closed.delivered + ahead;
    size_t count = 0;
    snprintf(prefix, sizeof prefix, "%s%s", options->prefix, options->rate > 0 ? "" : ".flash");
    for (uint64_t i = window->opened.delivered + ahead + 1; i <= last && i < LOAD_ARTICLE_LIMIT;
         i++) {
        if (shared->latency_us[i] > 1) {
            shared->latency_us[count++] = shared->latency_us[i];
        }
    }
    window_print_latency(prefix, (uint32_t *)shared->latency_us, count);
}

static bool run(const struct load_options *options, struct load_shared *shared)
{
    struct plan plan;
    struct processes processes = {0};
    struct window window;
    make_plan(&plan, options);
    bool good = begin(&processes, options, shared, &plan);
    struct window_config config = {.prefix = options->prefix,
                                   .articles = options->articles,
                                   .full_ms = options->full_ms,
                                   .warm_ms = options->warm_ms,
                                   .limit_ms = options->limit_ms,
                                   .broker = processes.broker,
                                   .clients = processes.clients,
                                   .client_count = processes.count,
                                   .delivered = &shared->delivered};
    good = good && window_measure(&window, &config) && all_arrived(options, shared);
    if (processes.broker > 0) {
        end_all(&processes);
    }
    if (good) {
        window_print(&window, &config);
        print_latency(&window, options, shared);
    }
    return good;
}

static bool check_options(const struct load_options *options)
{
    bool product = strcmp(options->graph, "product") == 0;
    return options->program && options->endpoint && options->folder && options->size > 0 &&
           (product || strcmp(options->graph, "chain") == 0) && options->stages >= 1 &&
           options->stages <= STAGE_LIMIT && (!product || options->stages == 4) &&
           options->workers >= 1 && options->workers <= WORKER_LIMIT &&
           (options->rate == 0 || options->backlog == 0);
}

int main(int argc, char **argv)
{
    struct load_options options = {.prefix = "copydesk",
                                   .graph = "product",
                                   .articles = 60000,
                                   .size = 4096,
                                   .seconds = 10,
                                   .full_ms = 3000,
                                   .warm_ms = 500,
                                   .limit_ms = 60000,
                                   .stages = 4,
                                   .workers = 1};
    const struct window_option table[] = {
        {"--program", &options.program, NULL},   {"--endpoint", &options.endpoint, NULL},
        {"--folder", &options.folder, NULL},     {"--prefix", &options.prefix, NULL},
        {"--graph", &options.graph, NULL},       {"--n", NULL, &options.articles},
        {"--size", NULL, &options.size},         {"--text", NULL, &options.text},
        {"--rate", NULL, &options.rate},         {"--secs", NULL, &options.seconds},
        {"--full-ms", NULL, &options.full_ms},   {"--warm-ms", NULL, &options.warm_ms},
        {"--limit-ms", NULL, &options.limit_ms}, {"--stages", NULL, &options.stages},
        {"--workers", NULL, &options.workers},   {"--backlog", NULL, &options.backlog},
        {"--flash", NULL, &options.flash},
    };
    if (!window_read_options(table, sizeof table / sizeof table[0], argc, argv) ||
        !check_options(&options)) {
        fprintf(
            stderr,
            "usage: bench_broker --program COPYDESK --endpoint ADDRESS --folder FOLDER [--graph "
            "product|chain] [--stages 1..16]\n"
            "                    [--workers 1..64] [--backlog N] [--flash N] [--n N] [--size "
            "BYTES] [--text "
            "BYTES] [--rate "
            "PER_S --secs S]\n"
            "                    [--full-ms MS] [--warm-ms MS] [--limit-ms MS] [--prefix NAME]\n");
        return 2;
    }
    if (options.text == 0) {
        options.text = options.size;
    }
    if (options.rate > 0) {
        options.articles = 1;
        options.full_ms = options.seconds * 1000;
    }
    struct load_shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    return run(&options, shared) ? 0 : 1;
}
