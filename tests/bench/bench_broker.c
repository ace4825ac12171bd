// The broker under load: a real broker process, four no-op stages, a sink and a client, each a process of its own,
// running the runtimes that production runs. Prints one `name value` a line.
//
// The work: articles of --size bytes through clean -> entities, dates -> summary -> sink; the client counts an article when
// the sink has it, and never has more than 4096 under way. `clean` answers with a section as large as the article (its text), the others with 200 bytes. The broker
// syncs every article before it acknowledges it.
#include "common/clock.h"
#include "services/client_core.h"
#include "services/door.h"
#include "services/worker_core.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 5, SECTION_BYTES = 200, RATE_LIMIT = 1 << 22, UNDER_WAY = 4096 };

struct options {
    const char *program, *endpoint, *folder, *prefix;
    uint64_t articles, size, rate, seconds, threads;
};

// What the processes share.
struct shared {
    _Atomic uint64_t delivered;
    _Atomic int64_t first_us, last_us;
    _Atomic uint32_t latency_us[RATE_LIMIT]; // by article, when there is a rate
};

// --- a worker that does nothing, or a sink that counts

struct noop {
    uv_loop_t loop;
    struct door *door;
    struct worker_core core;
    uv_timer_t timer;
    struct shared *shared;
    const struct options *options;
    bool is_sink;
    bool is_clean;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static void finish(struct noop *noop, struct worker_article *article)
{
    article->outcome = WIRE_DONE;
    if (noop->is_sink) {
        int64_t now = clock_monotonic_us();
        uint64_t number = article->item.version;
        noop->shared->last_us = now;
        noop->shared->delivered++;
        if (noop->options->rate > 0 && number < RATE_LIMIT) {
            noop->shared->latency_us[number] =
                (uint32_t)(now - (article->item.deadline_ms - ((int64_t)1 << 50)));
        }
    } else {
        size_t len = noop->is_clean ? article->sections[0].bytes.len : SECTION_BYTES;
        article->result = malloc(len);
        article->result_len = len;
        memset(article->result, 'x', len);
    }
    worker_core_finished(&noop->core, now_ms(), article);
}

static void noop_turn(void *user)
{
    struct noop *noop = user;
    struct worker_action action;
    struct error why;
    for (;;) {
        switch (worker_core_next(&noop->core, now_ms(), &action)) {
        case WORKER_RUN:
            finish(noop, action.article);
            break;
        case WORKER_SEND:
            if (door_send(noop->door, 0, &action.frames) != OK) {
                worker_core_link(&noop->core, now_ms(), false);
            }
            break;
        case WORKER_RECONNECT:
            if (door_reopen(noop->door, &why) != OK) {
                exit(1);
            }
            break;
        case WORKER_WAIT:
        case WORKER_STOPPED:
            return;
        }
    }
}

static void noop_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct noop *noop = user;
    (void)peer;
    worker_core_message(&noop->core, now_ms(), envelope, body);
}

static void noop_link(void *user, bool up)
{
    struct noop *noop = user;
    worker_core_link(&noop->core, now_ms(), up);
}

static void noop_timer(uv_timer_t *timer)
{
    noop_turn(timer->data);
}

static void run_noop(const struct options *options, struct shared *shared, const char *stage)
{
    struct noop noop = {.options = options, .shared = shared};
    struct error why = {""};
    struct worker_config config = {.name = stage,
                                   .stage = stage,
                                   .stage_version = "1",
                                   .slots = 256,
                                   .credit_count = 256,
                                   .credit_bytes = 64 << 20,
                                   .seed = 1};
    struct door_config door = {.loop = &noop.loop,
                               .endpoints = &options->endpoint,
                               .endpoint_count = 1,
                               .flag = "",
                               .user = &noop,
                               .on_message = noop_message,
                               .on_turn = noop_turn,
                               .on_link = noop_link};
    noop.is_sink = strcmp(stage, "export") == 0;
    noop.is_clean = strcmp(stage, "clean") == 0;
    uv_loop_init(&noop.loop);
    worker_core_init(&noop.core, &config, now_ms());
    if (door_open(&noop.door, &door, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    uv_timer_init(&noop.loop, &noop.timer);
    noop.timer.data = &noop;
    uv_timer_start(&noop.timer, noop_timer, 100, 500);
    uv_run(&noop.loop, UV_RUN_DEFAULT);
    exit(0);
}

// --- the client

struct client {
    uv_loop_t loop;
    struct door *door;
    struct client_core core;
    uv_timer_t timer;
    uv_poll_t
        clock; // with a rate: rings when an article is due; the loop's own timers know milliseconds only
    int clock_file;
    const struct options *options;
    struct shared *shared;
    char *document;
    uint64_t put, settled;
    int64_t start_us;
    bool done;
};

// With a rate the deadline carries the time at which the article was due, moved so far into the future that it never acts as
// one: a client that comes late counts its own lateness.
static bool put_one(struct client *client)
{
    char id[32];
    struct error why;
    uint64_t number = client->put + 1;
    int len = snprintf(id, sizeof id, "article-%" PRIu64, number);
    struct client_article article = {.id = {id, (size_t)len},
                                     .document = {client->document, client->options->size},
                                     .version = number,
                                     .lane = WIRE_ROUTINE,
                                     .tag = number};
    if (client->options->rate > 0) {
        article.deadline_ms = client->start_us +
                              (int64_t)(client->put * 1000000 / client->options->rate) +
                              ((int64_t)1 << 50);
    }
    if (client_core_put(&client->core, now_ms(), &article, &why) != OK) {
        return false;
    }
    client->put++;
    return true;
}

static uint64_t due(const struct client *client)
{
    uint64_t count = client->shared->delivered + UNDER_WAY;
    if (client->options->rate > 0) {
        int64_t us = clock_monotonic_us() - client->start_us;
        count = (uint64_t)us * client->options->rate / 1000000 + 1;
    }
    return count < client->options->articles ? count : client->options->articles;
}

static void start_clock(struct client *client);

static void client_turn(void *user)
{
    struct client *client = user;
    struct client_action action;
    struct error why;
    if (client->start_us == 0 && client->core.session.state == SESSION_UP) {
        client->start_us = clock_monotonic_us();
        client->shared->first_us = client->start_us;
        if (client->options->rate > 0) {
            start_clock(client);
        }
    }
    for (;;) {
        while (client->core.session.state == SESSION_UP && client->put < due(client) &&
               put_one(client)) {
        }
        switch (client_core_next(&client->core, now_ms(), &action)) {
        case CLIENT_OUTCOME:
            if (action.outcome.outcome != WIRE_ACCEPTED) {
                fprintf(stderr, "article %" PRIu64 ": %s\n", action.outcome.tag,
                        wire_outcome_name(action.outcome.outcome));
            }
            client->settled++;
            break;
        case CLIENT_SEND:
            if (door_send(client->door, 0, &action.frames) != OK) {
                client_core_link(&client->core, now_ms(), false);
            }
            break;
        case CLIENT_RECONNECT:
            if (door_reopen(client->door, &why) != OK) {
                exit(1);
            }
            break;
        case CLIENT_WAIT:
        case CLIENT_STOPPED:
            return;
        }
    }
}

static void client_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct client *client = user;
    (void)peer;
    client_core_message(&client->core, now_ms(), envelope, body);
}

static void client_link(void *user, bool up)
{
    struct client *client = user;
    client_core_link(&client->core, now_ms(), up);
}

static void client_timer(uv_timer_t *timer)
{
    struct client *client = timer->data;
    client_turn(client);
    if (client->settled >= client->options->articles) {
        uv_stop(&client->loop);
    }
}

static void client_clock(uv_poll_t *clock, int status, int events)
{
    struct client *client = clock->data;
    uint64_t rings;
    (void)status;
    (void)events;
    if (read(client->clock_file, &rings, sizeof rings) == (ssize_t)sizeof rings) {
        client_turn(client);
    }
}

static void start_clock(struct client *client)
{
    long period_ns = (long)(1000000000 / client->options->rate);
    struct itimerspec every = {{0, period_ns % 1000000000}, {0, 1}};
    every.it_interval.tv_sec = period_ns / 1000000000;
    client->clock_file = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    if (client->clock_file < 0 || timerfd_settime(client->clock_file, 0, &every, NULL) != 0 ||
        uv_poll_init(&client->loop, &client->clock, client->clock_file) != 0) {
        perror("timerfd");
        exit(1);
    }
    client->clock.data = client;
    uv_poll_start(&client->clock, UV_READABLE, client_clock);
}

static void run_client(const struct options *options, struct shared *shared)
{
    struct client client = {.options = options, .shared = shared};
    struct error why = {""};
    struct client_config config = {
        .name = "client", .article_limit = 4096, .bytes_limit = 64 << 20, .seed = 1};
    struct door_config door = {.loop = &client.loop,
                               .endpoints = &options->endpoint,
                               .endpoint_count = 1,
                               .flag = "",
                               .user = &client,
                               .on_message = client_message,
                               .on_turn = client_turn,
                               .on_link = client_link};
    client.document = malloc(options->size);
    memset(client.document, 'x', options->size);
    uv_loop_init(&client.loop);
    if (client_core_init(&client.core, &config, now_ms()) != OK ||
        door_open(&client.door, &door, &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    uv_timer_init(&client.loop, &client.timer);
    client.timer.data = &client;
    uv_timer_start(&client.timer, client_timer, 1, options->rate > 0 ? 20 : 1);
    uv_run(&client.loop, UV_RUN_DEFAULT);
    exit(0);
}

// --- the run

static pid_t start_broker(const struct options *options)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl(options->program, "copydesk", "broker", "--listen", options->endpoint, "--journal",
              options->folder, "--log-level", "warning", (char *)NULL);
        perror(options->program);
        _exit(127);
    }
    return pid;
}

struct cost {
    double cpu_s;
    long peak_kib;
};

static struct cost end_process(pid_t pid, int signal)
{
    struct rusage usage = {0};
    int status;
    if (signal != 0) {
        kill(pid, signal);
    }
    while (wait4(pid, &status, 0, &usage) < 0 && errno == EINTR) {
    }
    return (struct cost){(double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                             (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6,
                         usage.ru_maxrss};
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_latency(const struct options *options, const struct shared *shared)
{
    uint64_t count = options->articles < RATE_LIMIT ? options->articles : RATE_LIMIT - 1;
    uint32_t *sorted = malloc(count * sizeof *sorted);
    for (uint64_t i = 0; i < count; i++) {
        sorted[i] = shared->latency_us[i + 1];
    }
    qsort(sorted, count, sizeof *sorted, compare_u32);
    printf("%s.p50_ms %.3f\n", options->prefix, sorted[count / 2] / 1000.0);
    printf("%s.p99_ms %.3f\n", options->prefix, sorted[count * 99 / 100] / 1000.0);
    free(sorted);
}

static void run(const struct options *options, struct shared *shared)
{
    static const char *const stages[WORKERS] = {"clean", "entities", "dates", "summary", "export"};
    pid_t workers[WORKERS];
    double worker_cpu = 0;
    fflush(stdout);
    pid_t broker = start_broker(options);
    for (int i = 0; i < WORKERS; i++) {
        workers[i] = fork();
        if (workers[i] == 0) {
            run_noop(options, shared, stages[i]);
        }
    }
    usleep(500000);
    pid_t client = fork();
    if (client == 0) {
        run_client(options, shared);
    }
    int64_t until_us = clock_monotonic_us() + 300 * 1000000LL;
    while (shared->delivered < options->articles && clock_monotonic_us() < until_us) {
        usleep(2000);
    }
    double seconds = (double)(shared->last_us - shared->first_us) / 1e6;
    struct cost client_cost = end_process(client, 0);
    for (int i = 0; i < WORKERS; i++) {
        worker_cpu += end_process(workers[i], SIGKILL).cpu_s;
    }
    struct cost broker_cost = end_process(broker, SIGTERM);
    double thousands = (double)options->articles / 1000.0;
    printf("%s.delivered %" PRIu64 "\n", options->prefix, (uint64_t)shared->delivered);
    printf("%s.articles_per_s %.0f\n", options->prefix, (double)options->articles / seconds);
    printf("%s.cpu_broker_s_per_1000 %.4f\n", options->prefix, broker_cost.cpu_s / thousands);
    printf("%s.cpu_s_per_1000 %.4f\n", options->prefix,
           (broker_cost.cpu_s + worker_cpu + client_cost.cpu_s) / thousands);
    printf("%s.rss_mib %.1f\n", options->prefix, (double)broker_cost.peak_kib / 1024.0);
    if (options->rate > 0) {
        print_latency(options, shared);
    }
}

static bool read_option(struct options *options, const char *name, const char *value)
{
    struct {
        const char *name;
        const char **text;
        uint64_t *number;
    } table[] = {
        {"--program", &options->program, NULL}, {"--endpoint", &options->endpoint, NULL},
        {"--folder", &options->folder, NULL},   {"--prefix", &options->prefix, NULL},
        {"--n", NULL, &options->articles},      {"--size", NULL, &options->size},
        {"--rate", NULL, &options->rate},       {"--secs", NULL, &options->seconds},
    };
    for (size_t i = 0; value && i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(name, table[i].name) != 0) {
            continue;
        }
        if (table[i].text) {
            *table[i].text = value;
            return true;
        }
        return view_parse_u64(view_of(value), table[i].number);
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options options = {.articles = 60000, .size = 4096, .seconds = 10, .prefix = "copydesk"};
    for (int i = 1; i < argc; i += 2) {
        if (!read_option(&options, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            fprintf(stderr, "bench_broker: bad option %s\n", argv[i]);
            return 2;
        }
    }
    if (!options.program || !options.endpoint || !options.folder || options.size == 0) {
        fprintf(stderr, "usage: bench_broker --program COPYDESK --endpoint ADDRESS --folder FOLDER "
                        "[--n N] [--size BYTES] [--rate PER_S --secs S] [--prefix NAME]\n");
        return 2;
    }
    if (options.rate > 0) {
        options.articles = options.rate * options.seconds;
    }
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    run(&options, shared);
    return shared->delivered == options.articles ? 0 : 1;
}
