#include "tests/bench/peers/peers.h"

#include "common/clock.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARTICLE_LIMIT = 1 << 22, UNDER_WAY = 4096, PROCESSES = PEER_STAGES + 2 };

struct options {
    const char *endpoint, *prefix;
    uint64_t articles, size, rate, seconds, server_pid, limit_s;
};

// What the processes share.
struct shared {
    _Atomic uint32_t ready;
    _Atomic bool go, stop;
    _Atomic uint64_t delivered, doubles;
    _Atomic int64_t first_us, last_us;
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
    return count < options->articles ? count : options->articles;
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
    shared->first_us = start_us;
    for (uint64_t sent = 0; sent < options->articles && !shared->stop;) {
        uint64_t count = due(options, shared, start_us) - sent;
        if (count == 0) {
            wait_for_next(options, start_us, sent);
            continue;
        }
        size_t some = count < PEER_BATCH ? (size_t)count : PEER_BATCH;
        send_some(options, link, room, sent, some, start_us);
        sent += some;
    }
    peer.confirm(link, 0);
}

// --- stages and the sink

static void run_stage(const struct options *options, struct shared *shared, int number)
{
    struct peer_link *link = peer.open(options->endpoint, number, number + 1);
    struct view bodies[PEER_BATCH];
    wait_for_go(shared);
    while (!shared->stop) {
        size_t count = peer.receive(link, bodies);
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
    if (body.len != options->size) {
        peer_fail("the sink got %zu bytes", body.len);
    }
    memcpy(&stamp, body.at, sizeof stamp);
    if (stamp.number >= options->articles) {
        peer_fail("the sink got article %" PRIu64, stamp.number);
    }
    if (shared->seen[stamp.number]) {
        shared->doubles++;
        return;
    }
    shared->seen[stamp.number] = true;
    shared->last_us = clock_monotonic_us();
    shared->latency_us[stamp.number] = (uint32_t)(shared->last_us - stamp.us);
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

// --- the server: a process that is not ours

static double server_cpu_s(uint64_t pid)
{
    char path[64];
    unsigned long user = 0;
    unsigned long kernel = 0;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file || fscanf(file, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                        &user, &kernel) != 2) {
        peer_fail("cannot read %s", path);
    }
    fclose(file);
    return (double)(user + kernel) / (double)sysconf(_SC_CLK_TCK);
}

static double server_peak_mib(uint64_t pid)
{
    char path[64];
    char line[256];
    unsigned long kib = 0;
    snprintf(path, sizeof path, "/proc/%" PRIu64 "/status", pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file) && sscanf(line, "VmHWM: %lu", &kib) != 1) {
    }
    if (file) {
        fclose(file);
    }
    return (double)kib / 1024.0;
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
static double end_all(const pid_t pids[PROCESSES], struct shared *shared)
{
    double cpu_s = 0;
    shared->stop = true;
    usleep(1000000);
    for (int i = 0; i < PROCESSES; i++) {
        struct rusage usage = {0};
        kill(pids[i], SIGKILL);
        wait4(pids[i], NULL, 0, &usage);
        cpu_s += (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    }
    return cpu_s;
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_latency(const struct options *options, struct shared *shared)
{
    size_t count = (size_t)options->articles;
    qsort(shared->latency_us, count, sizeof *shared->latency_us, compare_u32);
    printf("%s.p50_ms %.3f\n", options->prefix, shared->latency_us[count / 2] / 1000.0);
    printf("%s.p99_ms %.3f\n", options->prefix, shared->latency_us[count * 99 / 100] / 1000.0);
}

static void run(const struct options *options, struct shared *shared)
{
    pid_t pids[PROCESSES];
    prepare(options);
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = start(options, shared, i);
    }
    for (int waited_ms = 0; shared->ready < PROCESSES; waited_ms++) {
        if (waited_ms > 30000 || waitpid(-1, NULL, WNOHANG) > 0) {
            peer_fail("%s: the clients did not start", options->prefix);
        }
        usleep(1000);
    }
    double before_s = server_cpu_s(options->server_pid);
    int64_t until_us = clock_monotonic_us() + (int64_t)options->limit_s * 1000000;
    shared->go = true;
    while (shared->delivered < options->articles && clock_monotonic_us() < until_us) {
        usleep(2000);
    }
    double server_s = server_cpu_s(options->server_pid) - before_s;
    double peak_mib = server_peak_mib(options->server_pid);
    double clients_s = end_all(pids, shared);
    double seconds = (double)(shared->last_us - shared->first_us) / 1e6;
    double thousands = (double)shared->delivered / 1000.0;
    printf("%s.delivered %" PRIu64 "\n", options->prefix, (uint64_t)shared->delivered);
    printf("%s.doubles %" PRIu64 "\n", options->prefix, (uint64_t)shared->doubles);
    printf("%s.articles_per_s %.0f\n", options->prefix, thousands * 1000.0 / seconds);
    printf("%s.cpu_broker_s_per_1000 %.4f\n", options->prefix, server_s / thousands);
    printf("%s.cpu_s_per_1000 %.4f\n", options->prefix, (server_s + clients_s) / thousands);
    printf("%s.rss_mib %.1f\n", options->prefix, peak_mib);
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
        {"--endpoint", &options->endpoint, NULL}, {"--prefix", &options->prefix, NULL},
        {"--n", NULL, &options->articles},        {"--size", NULL, &options->size},
        {"--rate", NULL, &options->rate},         {"--secs", NULL, &options->seconds},
        {"--pid", NULL, &options->server_pid},    {"--limit", NULL, &options->limit_s},
    };
    for (size_t i = 0; value && i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(name, table[i].name) == 0) {
            if (table[i].text) {
                *table[i].text = value;
                return true;
            }
            return view_parse_u64(view_of(value), table[i].number);
        }
    }
    return false;
}

int main(int argc, char **argv)
{
    struct options options = {
        .articles = 60000, .size = 4096, .seconds = 10, .limit_s = 120, .prefix = "peer"};
    for (int i = 1; i < argc; i += 2) {
        if (!read_option(&options, argv[i], i + 1 < argc ? argv[i + 1] : NULL)) {
            peer_fail("%s: bad option %s", argv[0], argv[i]);
        }
    }
    if (options.rate > 0) {
        options.articles = options.rate * options.seconds;
    }
    if (!options.endpoint || options.server_pid == 0 || options.size < sizeof(struct stamp) ||
        options.articles == 0 || options.articles > ARTICLE_LIMIT) {
        peer_fail("usage: %s --endpoint ADDRESS --pid OF_SERVER [--n N] [--size BYTES] "
                  "[--rate PER_S --secs S] [--limit S] [--prefix NAME]",
                  argv[0]);
    }
    struct shared *shared =
        mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        peer_fail("no memory");
    }
    run(&options, shared);
    return shared->delivered == options.articles ? 0 : 1;
}
