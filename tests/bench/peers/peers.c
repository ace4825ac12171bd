#include "tests/bench/peers/peers.h"

#include "common/clock.h"
#include "tests/bench/window.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    ARTICLE_LIMIT = 1 << 22,
    UNDER_WAY = 4096,
    PROCESSES = PEER_STAGES + 2,
    END_LIMIT_MS = 30000
};

struct options {
    const char *endpoint, *prefix;
    uint64_t articles, size, text, rate, seconds, server_pid, full_ms, warm_ms, limit_ms;
};

// What the processes share.
struct shared {
    _Atomic uint64_t ready, sent, delivered, doubles;
    _Atomic bool go;
    _Atomic bool closing;   // the ingest shall send no more
    _Atomic uint64_t ended; // 1 when it does not
    _Atomic bool stop;
    bool seen[ARTICLE_LIMIT];
    uint32_t latency_us[ARTICLE_LIMIT]; // by article
};

// The beginning of every body; the rest is filler.
struct stamp {
    uint64_t number;
    int64_t us; // when it was due, or sent
};

static void wait_for_go(struct shared *shared)
{
    shared->ready++;
    while (!shared->go) {
        usleep(1000);
    }
}

// --- the ingest

// How many articles may have been sent by now.
static uint64_t due(const struct options *options, const struct shared *shared, int64_t start_us)
{
    uint64_t count = options->rate > 0
                         ? (uint64_t)(clock_monotonic_us() - start_us) * options->rate / 1000000 + 1
                         : shared->delivered + UNDER_WAY;
    return count < ARTICLE_LIMIT ? count : ARTICLE_LIMIT;
}

// Sleeps until article `next` is due, or a moment when that depends on what arrives.
static void wait_for_next(const struct options *options, int64_t start_us, uint64_t next)
{
    int64_t wait_us = 100;
    if (options->rate > 0) {
        wait_us = start_us + (int64_t)(next * 1000000 / options->rate) - clock_monotonic_us();
    }
    if (wait_us > 0) {
        nanosleep(&(struct timespec){wait_us / 1000000, wait_us % 1000000 * 1000}, NULL);
    }
}

static void send_some(const struct options *options, struct peer_link *link, char *room,
                      uint64_t first, size_t count, int64_t start_us)
{
    struct view bodies[PEER_BATCH];
    for (size_t i = 0; i < count; i++) {
        struct stamp stamp = {first + i, clock_monotonic_us()};
        if (options->rate > 0) {
            stamp.us = start_us + (int64_t)((first + i) * 1000000 / options->rate);
        }
        bodies[i] = (struct view){room + i * options->size, options->size};
        memcpy(room + i * options->size, &stamp, sizeof stamp);
    }
    peer.publish(link, bodies, count);
    peer.confirm(link, PEER_UNCONFIRMED - PEER_BATCH);
}

static void run_ingest(const struct options *options, struct shared *shared)
{
    struct peer_link *link = peer.open(options->endpoint, 0, 1);
    char *room = peer_memory(PEER_BATCH, options->size);
    memset(room, 'x', PEER_BATCH * options->size);
    wait_for_go(shared);
    int64_t start_us = clock_monotonic_us();
    while (!shared->closing) {
        uint64_t count = due(options, shared, start_us) - shared->sent;
        if (count == 0) {
            wait_for_next(options, start_us, shared->sent);
            continue;
        }
        size_t some = count < PEER_BATCH ? (size_t)count : PEER_BATCH;
        send_some(options, link, room, shared->sent, some, start_us);
        shared->sent += some;
    }
    peer.confirm(link, 0);
    shared->ended = 1;
    pause();
}

// --- stages and the sink. The first stage passes on the beginning of an article, its text; the others all they got.

static void run_stage(const struct options *options, struct shared *shared, int number)
{
    struct peer_link *link = peer.open(options->endpoint, number, number + 1);
    struct view bodies[PEER_BATCH];
    wait_for_go(shared);
    while (!shared->stop) {
        size_t count = peer.receive(link, bodies);
        for (size_t i = 0; number == 1 && i < count; i++) {
            bodies[i].len = options->text;
        }
        if (count > 0) {
            peer.publish(link, bodies, count);
            peer.confirm(link, 0);
            peer.ack(link);
        }
    }
}

static void deliver(const struct options *options, struct shared *shared, struct view body)
{
    struct stamp stamp;
    if (body.len != options->text) {
        peer_fail("the sink got %zu bytes", body.len);
    }
    memcpy(&stamp, body.at, sizeof stamp);
    if (stamp.number >= ARTICLE_LIMIT) {
        peer_fail("the sink got article %" PRIu64, stamp.number);
    }
    if (shared->seen[stamp.number]) {
        shared->doubles++;
        return;
    }
    shared->seen[stamp.number] = true;
    shared->latency_us[stamp.number] = (uint32_t)(clock_monotonic_us() - stamp.us);
    shared->delivered++;
}

static void run_sink(const struct options *options, struct shared *shared)
{
    struct peer_link *link = peer.open(options->endpoint, PEER_QUEUES, 0);
    struct view bodies[PEER_BATCH];
    wait_for_go(shared);
    while (!shared->stop) {
        size_t count = peer.receive(link, bodies);
        for (size_t i = 0; i < count; i++) {
            deliver(options, shared, bodies[i]);
        }
        if (count > 0) {
            peer.ack(link);
        }
    }
}

// --- the run

static pid_t start(const struct options *options, struct shared *shared, int number)
{
    pid_t pid = fork();
    if (pid != 0) {
        return pid;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (number == 0) {
        run_ingest(options, shared);
    } else if (number <= PEER_STAGES) {
        run_stage(options, shared, number);
    } else {
        run_sink(options, shared);
    }
    _exit(0);
}

static void prepare(const struct options *options)
{
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        peer.prepare(options->endpoint);
        _exit(0);
    }
    if (waitpid(pid, &status, 0) < 0 || status != 0) {
        peer_fail("the queues could not be made");
    }
}

// Kills what still runs a second after it was told to stop: a client may sit in a call that waits.
static void end_all(const pid_t pids[PROCESSES], struct shared *shared)
{
    shared->stop = true;
    usleep(1000000);
    for (int i = 0; i < PROCESSES; i++) {
        kill(pids[i], SIGKILL);
        waitpid(pids[i], NULL, 0);
    }
}

// Nothing may be lost: what was sent arrives once the ingest has stopped.
static bool all_arrived(const struct options *options, struct shared *shared)
{
    shared->closing = true;
    bool whole = window_wait(&shared->ended, 1, END_LIMIT_MS) &&
                 window_wait(&shared->delivered, shared->sent, END_LIMIT_MS);
    if (!whole) {
        fprintf(stderr, "%s: %" PRIu64 " of %" PRIu64 " articles arrived\n", options->prefix,
                shared->delivered, shared->sent);
    }
    return whole;
}

static void start_all(const struct options *options, struct shared *shared, pid_t pids[PROCESSES])
{
    prepare(options);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = start(options, shared, i);
    }
    if (!window_wait(&shared->ready, PROCESSES, END_LIMIT_MS)) {
        peer_fail("%s: the clients did not start", options->prefix);
    }
    shared->go = true;
    if (!window_wait(&shared->delivered, 1, END_LIMIT_MS)) {
        peer_fail("%s: no article arrives", options->prefix);
    }
}

static bool run(const struct options *options, struct shared *shared)
{
    pid_t pids[PROCESSES];
    struct window window;
    struct window_config config = {.prefix = options->prefix,
                                   .articles = options->articles,
                                   .full_ms = options->full_ms,
                                   .warm_ms = options->warm_ms,
                                   .limit_ms = options->limit_ms,
                                   .broker = (pid_t)options->server_pid,
                                   .clients = pids,
                                   .client_count = PROCESSES,
                                   .delivered = &shared->delivered};
    start_all(options, shared, pids);
    bool good = window_measure(&window, &config) && all_arrived(options, shared);
    end_all(pids, shared);
    if (good) {
        window_print(&window, &config);
        printf("%s.doubles %" PRIu64 "\n", options->prefix, shared->doubles);
        if (options->rate > 0) {
            window_print_latency(options->prefix, &shared->latency_us[window.opened.delivered],
                                 window.closed.delivered - window.opened.delivered);
        }
    }
    return good;
}

int main(int argc, char **argv)
{
    struct options options = {.articles = 60000,
                              .size = 4096,
                              .seconds = 10,
                              .full_ms = 3000,
                              .warm_ms = 500,
                              .limit_ms = 60000,
                              .prefix = "peer"};
    const struct window_option table[] = {
        {"--endpoint", &options.endpoint, NULL}, {"--prefix", &options.prefix, NULL},
        {"--n", NULL, &options.articles},        {"--size", NULL, &options.size},
        {"--text", NULL, &options.text},

        {"--rate", NULL, &options.rate},         {"--secs", NULL, &options.seconds},
        {"--pid", NULL, &options.server_pid},    {"--full-ms", NULL, &options.full_ms},
        {"--warm-ms", NULL, &options.warm_ms},   {"--limit-ms", NULL, &options.limit_ms},
    };
    if (!window_read_options(table, sizeof table / sizeof table[0], argc, argv) ||
        !options.endpoint || options.server_pid == 0) {
        peer_fail(
            "usage: %s --endpoint ADDRESS --pid OF_SERVER [--n N] [--size BYTES] [--text BYTES] "
            "[--rate PER_S --secs S] [--full-ms MS] [--warm-ms MS] [--limit-ms MS] [--prefix NAME]",
            argv[0]);
    }
    if (options.text == 0) {
        options.text = options.size;
    }
    if (options.text < sizeof(struct stamp) || options.text > options.size) {
        peer_fail("%s: the text must be as large as a stamp and no larger than the article",
                  argv[0]);
    }
    if (options.rate > 0) {
        options.articles = 1;
        options.full_ms = options.seconds * 1000;
    }
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        peer_fail("no memory");
    }
    return run(&options, shared) ? 0 : 1;
}
