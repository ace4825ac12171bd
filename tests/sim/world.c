#include "tests/sim/world.h"

#include "common/fault.h"
#include "services/broker/core.h"
#include "services/client_core.h"
#include "services/worker_core.h"
#include "tests/sim/disk.h"
#include "tests/sim/events.h"
#include "tests/sim/ledger.h"
#include "tests/sim/sink.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char pipeline[] =
    "clean = article\nentities = clean\ndates = clean\nsummary = clean entities\n"
    "desk = *\nexport = *\n";

enum {
    WORKERS_A_STAGE = 2,
    WORKERS = LEDGER_STAGES * WORKERS_A_STAGE,
    NODES = LEDGER_CLIENTS + WORKERS + LEDGER_SINKS,
    NODE_LIMIT = 16, // connections are numbered so that their node is the rest modulo this
    BURST = 96,      // articles that a client may have at once
    WORKER_SLOTS = 64,
    SINK_SLOTS = 256,
    GHOSTS = 16,               // connections of peers that vanished, the last so many
    FAULTY_MS = 120 * 1000,    // faults fall into this span
    PATIENCE_MS = 3600 * 1000, // after it everything must have drained
    SECTION_LIMIT = 4 << 10,
    PENDING_LIMIT = 32 << 10,
    CARRIED = 64 << 10, // what may come on top of it
    DISK_LIMIT = 8 << 20,
    CHECK_TURNS = 16, // the limits are looked at so often
    NOTED = 256,
    NOTED_MS = 2500, // so long before its end the broker must have heard of a delivery to keep it
};

// An article that some sinks have and others have not.
struct noted {
    uint64_t handle;
    uint32_t sinks; // set of stages
};

enum node_kind { NODE_CLIENT, NODE_WORKER, NODE_SINK };

// What a stage makes of an article: for whom, in which session of the broker, in which attempt of which stage: its own, or
// the one that it ran along with.
struct made {
    uint64_t session;
    uint32_t place, attempt;
    uint32_t stage_index, zero;
};

// An article that a node works on. Those of one run finish together.
struct running {
    struct worker_article *article;
    uint64_t session; // of the broker that handed it out
    uint32_t place;   // in the ledger
    uint32_t run;
};

struct node {
    enum node_kind kind;
    uint32_t number;
    bool alive, linked;
    uint64_t life;
    uint64_t connection; // as the broker sees it
    int64_t timer_ms;    // the timer that is set
    int64_t frozen_ms;   // stands still until then; what comes meanwhile waits
    int64_t syncing_ms;  // a sink: waits for its disk until then
    int64_t delayed_ms;  // its messages are late until then
    int64_t last_to_broker_ms, last_to_node_ms; // messages on a connection keep their order
    char name[24];
    char stage[24];
    uint32_t stage_index; // of a worker, among the inner ones; of a sink, among the sinks
    struct worker_core worker;
    struct client_core client;
    struct running running[SINK_SLOTS];
    uint32_t running_count, scheduled; // those before `scheduled` have their end in the events
    uint32_t run;                      // number of the next run
    int64_t run_end_ms;                // of the one before it
    uint32_t submitted;
    struct sink sink;
};

struct world {
    const struct sim_options *options;
    struct sim_report *report;
    uint64_t *counts; // the report's
    uint64_t random;
    int64_t now_ms;
    struct events events;
    struct graph graph;
    struct core *core; // NULL while the broker is down
    struct sim_disk disk;
    struct journal_commit commit;
    bool committing, sync_fails, stopping, calm;
    bool turn_due;          // messages came since the broker's last turn
    uint32_t pump_due;      // set of nodes that something happened to in this moment, by number
    uint32_t turns;         // since the limits were checked
    int64_t slow_until_ms;  // the disk takes seconds until then
    int64_t full_until_ms;  // and has no room until then
    int64_t clock_high_ms;  // the latest time the broker's clock ever showed
    int64_t skew_ms;        // how far the broker's clock is ahead of the world's
    uint64_t short_in;      // the broker's allocation of this number from now on fails; 0: none
    int64_t short_ms;       // when an allocation failed last
    int64_t short_until_ms; // and all after it until then
    uint64_t broker_life;
    int64_t broker_timer_ms;
    uint64_t connections;    // so many there were
    uint64_t ghosts[GHOSTS]; // connections whose peer is gone without a word
    uint32_t ghost_count;
    struct noted
        noted[NOTED]; // what one sink had, and another had not, before the broker is killed
    uint32_t noted_count;
    uint64_t noted_life; // of the broker
    int64_t noted_ms;    // 0: not now
    struct node nodes[NODES];
    struct ledger *ledger;
};

// --- names of the counts

static const struct {
    const char *name;
    bool is_bad;
} count_table[SIM_COUNT] = {
#define SIM_COUNT_ROW(upper, lower, bad) {#lower, bad},
    SIM_COUNTS(SIM_COUNT_ROW)
#undef SIM_COUNT_ROW
};

const char *sim_count_name(enum sim_count count)
{
    return count_table[count].name;
}

bool sim_count_is_bad(enum sim_count count)
{
    return count_table[count].is_bad;
}

// --- chance, time, the story for the reader

static uint64_t next_random(struct world *world)
{
    world->random += 0x9e3779b97f4a7c15u;
    uint64_t z = world->random;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(struct world *world, uint64_t limit)
{
    return next_random(world) % limit;
}

static bool one_in(struct world *world, uint64_t n)
{
    return below(world, n) == 0;
}

__attribute__((format(printf, 2, 3))) static void tell_story(const struct world *world,
                                                             const char *format, ...)
{
    va_list arguments;
    printf("%9" PRId64 "  ", world->now_ms);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

// Costs nothing, arguments included, while nobody reads.
#define tell(of, ...)                                                                              \
    do {                                                                                           \
        const struct world *reader = (of);                                                         \
        if (reader->options->trace) {                                                              \
            tell_story(reader, __VA_ARGS__);                                                       \
        }                                                                                          \
    } while (0)

// Says what is wrong with the world itself, and ends.
__attribute__((format(printf, 2, 3), noreturn)) static void give_up(const struct world *world,
                                                                    const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "seed %" PRIu64 ": ", world->options->seed);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    abort();
}

// What the broker's clock shows. It starts far from 0, so that it can be set back.
static int64_t broker_ms(const struct world *world)
{
    return world->now_ms + world->skew_ms;
}

static bool is_full(const struct world *world)
{
    return world->now_ms < world->full_until_ms;
}

static void schedule(struct world *world, int64_t in_ms, struct event event)
{
    event.at_ms = world->now_ms + in_ms;
    events_add(&world->events, &event);
}

// --- the network

static struct node *node_of_connection(struct world *world, uint64_t connection)
{
    uint64_t number = connection % NODE_LIMIT;
    struct node *node = number < NODES ? &world->nodes[number] : NULL;
    return node && node->linked && node->connection == connection ? node : NULL;
}

static int64_t latency_ms(struct world *world, const struct node *node)
{
    bool late = world->now_ms < node->delayed_ms || one_in(world, 200);
    return (int64_t)below(world, late ? 500 : 3);
}

// Connects a node again after a while; it is another peer to the broker then.
static void connect_later(struct world *world, struct node *node)
{
    node->connection = ++world->connections * NODE_LIMIT + node->number;
    node->linked = false;
    schedule(world, 1 + (int64_t)below(world, 200),
             (struct event){.kind = EVENT_LINK,
                            .node = node->number,
                            .life = node->life,
                            .connection = node->connection});
}

// The connection breaks; its node learns it at its own next moment.
static void unlink_node(struct world *world, struct node *node)
{
    node->linked = false;
    schedule(world, 0,
             (struct event){.kind = EVENT_UNLINK, .node = node->number, .life = node->life});
}

static void cut_connection(struct world *world, struct node *node)
{
    tell(world, "%s is cut off", node->name);
    unlink_node(world, node);
    connect_later(world, node);
}

static void send_to_broker(struct world *world, struct node *node, struct frames *frames)
{
    int64_t at = world->now_ms + latency_ms(world, node);
    at = at < node->last_to_broker_ms ? node->last_to_broker_ms : at;
    node->last_to_broker_ms = at;
    world->counts[SIM_MESSAGES]++;
    schedule(world, at - world->now_ms,
             (struct event){.kind = EVENT_TO_BROKER,
                            .node = node->number,
                            .connection = node->connection,
                            .life = world->broker_life,
                            .frames = *frames});
}

static void send_to_node(struct world *world, struct node *node, struct frames *frames)
{
    int64_t at = world->now_ms + latency_ms(world, node);
    at = at < node->last_to_node_ms ? node->last_to_node_ms : at;
    node->last_to_node_ms = at;
    world->counts[SIM_MESSAGES]++;
    schedule(world, at - world->now_ms,
             (struct event){.kind = EVENT_TO_NODE,
                            .node = node->number,
                            .connection = node->connection,
                            .life = node->life,
                            .frames = *frames});
    if (node->kind == NODE_CLIENT && !world->calm && one_in(world, 200)) {
        world->counts[SIM_LOST_ACKS]++;
        cut_connection(world, node);
    }
}

static bool is_ghost(const struct world *world, uint64_t connection)
{
    for (uint32_t i = 0; i < GHOSTS; i++) {
        if (world->ghosts[i] == connection) {
            return true;
        }
    }
    return false;
}

// --- clients

static void submit_one(struct world *world, struct node *node)
{
    char name[LEDGER_NAME_BYTES];
    char document[LEDGER_DOCUMENT_BYTES];
    uint32_t id = (uint32_t)below(world, LEDGER_IDS);
    uint32_t place = ledger_next(world->ledger, node->number, id);
    if (place == 0) {
        return;
    }
    struct version *version = &world->ledger->versions[place];
    version->canceled = one_in(world, 40);
    version->poison = !world->calm && one_in(world, 1000);
    version->embargo_ms = one_in(world, 12) ? broker_ms(world) + (int64_t)below(world, 60000) : 0;
    struct client_article article = {
        .id = ledger_name(world->ledger, place, name),
        .document = ledger_document(world->ledger, place, document),
        .version = version->number,
        .embargo_ms = version->embargo_ms,
        .deadline_ms = one_in(world, 20) ? broker_ms(world) + (int64_t)below(world, 20000) : 0,
        .lane = (enum wire_lane)below(world, WIRE_LANE_COUNT),
        .pubstatus = version->canceled ? WIRE_CANCELED : WIRE_USABLE,
        .tag = place,
    };
    if (client_core_put(&node->client, world->now_ms, &article, NULL) == OK) {
        ledger_put(world->ledger, place);
        node->submitted++;
        tell(world, "%s puts %.*s version %d%s", node->name, VIEW_ARGS(article.id), version->number,
             version->canceled ? " (kill)"
             : version->poison ? " (poison)"
                               : "");
    }
}

// Wires and feeds come in bursts.
static void submit(struct world *world, struct node *node)
{
    uint32_t left = world->options->articles - node->submitted;
    uint32_t burst = 1 + (uint32_t)below(world, one_in(world, 4) ? 3 : BURST);
    for (uint32_t i = 0; i < burst && i < left; i++) {
        submit_one(world, node);
    }
    // All of it within the time of faults, as a burst has a third of BURST on average.
    int64_t pause_ms = (int64_t)FAULTY_MS * BURST * 2 / 3 / world->options->articles;
    schedule(world, (int64_t)below(world, (uint64_t)pause_ms + 1),
             (struct event){.kind = EVENT_SUBMIT, .node = node->number});
}

static void take_outcome(struct world *world, struct node *node,
                         const struct client_outcome *outcome)
{
    struct version *version = &world->ledger->versions[outcome->tag];
    bool safe = outcome->outcome == WIRE_ACCEPTED || outcome->outcome == WIRE_DUPLICATE;
    version->accepted = safe;
    version->accepted_ms = world->now_ms;
    world->counts[SIM_ACCEPTED] += safe;
    world->counts[SIM_REFUSED] += !safe;
    world->counts[SIM_DUPLICATES] += outcome->outcome == WIRE_DUPLICATE;
    tell(world, "%s is told %.*s version %d is %s", node->name, VIEW_ARGS(outcome->id),
         version->number, wire_outcome_name(outcome->outcome));
}

static void pump_client(struct world *world, struct node *node)
{
    struct client_action action;
    for (;;) {
        switch (client_core_next(&node->client, world->now_ms, &action)) {
        case CLIENT_SEND:
            if (node->linked) {
                send_to_broker(world, node, &action.frames);
            } else {
                frames_clear(&action.frames);
                client_core_link(&node->client, world->now_ms, false);
            }
            break;
        case CLIENT_RECONNECT:
            connect_later(world, node);
            break;
        case CLIENT_OUTCOME:
            take_outcome(world, node, &action.outcome);
            break;
        case CLIENT_STOPPED:
        case CLIENT_WAIT:
            return;
        }
    }
}

// --- workers and sinks

static const char *const inner_stages[LEDGER_STAGES] = {"clean", "entities", "dates", "summary"};

// The first worker of clean runs the other stages along.
static bool runs_along(const struct node *node)
{
    return node->kind == NODE_WORKER && node->number == LEDGER_CLIENTS;
}

static void start_node(struct world *world, struct node *node)
{
    node->alive = true;
    node->life++;
    node->timer_ms = INT64_MAX;
    node->syncing_ms = node->run_end_ms = 0;
    if (node->kind == NODE_CLIENT) {
        struct client_config config = {.name = node->name,
                                       .article_limit = 1024,
                                       .bytes_limit = 1 << 20,
                                       .seed = next_random(world),
                                       .patience_ms = node->number % 2 ? CLIENT_PATIENCE_MS : 0};
        enum status status = client_core_init(&node->client, &config, world->now_ms);
        assert(status == OK);
    } else {
        uint32_t slots = node->kind == NODE_SINK ? SINK_SLOTS : WORKER_SLOTS;
        struct worker_config config = {.name = node->name,
                                       .stage = node->stage,
                                       .stage_version = "1",
                                       .slots = slots,
                                       .credit_count = slots * 2,
                                       .credit_bytes = 1 << 20,
                                       .seed = next_random(world),
                                       .gather_ms =
                                           node->kind == NODE_SINK ? WORKER_SINK_GATHER_MS : 0};
        if (runs_along(node)) {
            memcpy(config.along, inner_stages + 1, (LEDGER_STAGES - 1) * sizeof *inner_stages);
        }
        worker_core_init(&node->worker, &config, world->now_ms);
    }
    if (node->kind == NODE_SINK) {
        sink_start(&node->sink);
    }
    connect_later(world, node);
}

// Gives back what runs, from `first` on, as if it had never begun.
static void drop_running(struct world *world, struct node *node)
{
    for (uint32_t i = 0; i < node->running_count; i++) {
        struct worker_article *article = node->running[i].article;
        article->outcome = WIRE_RETURN;
        worker_core_finished(&node->worker, world->now_ms, article);
    }
    node->running_count = node->scheduled = 0;
}

// The lines that became safe are in effect, in their order.
static void write_lines(struct world *world, struct node *node)
{
    struct sink *sink = &node->sink;
    char name[LEDGER_NAME_BYTES];
    for (size_t i = sink->synced; i < sink->count; i++) {
        if (world->options->trace) {
            tell(world, "%s has %.*s version %d", node->name,
                 VIEW_ARGS(ledger_name(world->ledger, sink->lines[i], name)),
                 world->ledger->versions[sink->lines[i]].number);
        }
        ledger_write(world->ledger, sink->lines[i], node->stage_index, world->now_ms);
    }
    sink_sync(sink);
}

// Power off: whatever it held is gone, except what a sink has on its disk. In silence: nobody tells the broker.
// Clients do not die here: what they were told is the measure of everything.
static void kill_node(struct world *world, struct node *node, bool silently)
{
    assert(node->kind != NODE_CLIENT);
    tell(world, "%s %s", node->name, silently ? "vanishes" : "dies");
    if (silently && node->linked) {
        world->ghosts[world->ghost_count++ % GHOSTS] = node->connection;
        world->counts[SIM_VANISHED]++;
    }
    node->alive = false;
    node->linked = false;
    node->life++;
    drop_running(world, node);
    worker_core_clear(&node->worker);
    if (node->kind == NODE_SINK) {
        sink_crash(&node->sink, next_random(world));
        write_lines(world, node);
    }
    world->counts[node->kind == NODE_SINK ? SIM_SINK_DEATHS : SIM_WORKER_DEATHS]++;
    schedule(world, 200 + (int64_t)below(world, 5000),
             (struct event){.kind = EVENT_RESTART, .node = node->number, .life = node->life});
}

// A section is by the last attempt that was begun. Attempts of an article that was parked and begins again count from another
// multiple of 256: what was handed to a sink before that is as good.
static bool is_fresh(const struct version *version, const struct running *running,
                     const struct made *made, uint32_t last)
{
    uint32_t round = running->article->item.attempt >> 8;
    bool known = version->session == made->session && last >> 8 == round;
    return made->session == running->session && made->attempt >> 8 == round &&
           (!known || made->attempt == last);
}

// The sections are those of every inner stage, made for this article and by the last attempt that was begun.
static void check_sections(struct world *world, const struct running *running)
{
    const struct worker_article *article = running->article;
    const struct version *version = &world->ledger->versions[running->place];
    size_t expected = version->canceled ? 1 : 1 + LEDGER_STAGES;
    bool whole = article->section_count == expected &&
                 article->sections[0].stage == WIRE_DOCUMENT &&
                 ledger_is_document(world->ledger, running->place, article->sections[0].bytes);
    for (size_t i = 1; i < article->section_count; i++) {
        struct view bytes = article->sections[i].bytes;
        struct made made;
        if (bytes.len != sizeof made) { // of a stage that was skipped at the deadline
            continue;
        }
        memcpy(&made, bytes.at, sizeof made);
        whole = whole && made.place == running->place;
        if (!is_fresh(version, running, &made, version->attempts[made.stage_index])) {
            world->counts[SIM_STALE]++;
            tell(world, "STALE: the %s of %.*s is by attempt %u, the last was %u",
                 world->nodes[LEDGER_CLIENTS + (i - 1) * WORKERS_A_STAGE].stage,
                 VIEW_ARGS(article->id), made.attempt, version->attempts[made.stage_index]);
        }
    }
    if (!whole) {
        world->counts[SIM_MIXED]++;
        tell(world, "MIXED: %.*s came with another article's parts", VIEW_ARGS(article->id));
    }
}

static void take_in_sink(struct world *world, struct node *node, const struct running *running)
{
    const struct version *version = &world->ledger->versions[running->place];
    check_sections(world, running);
    if (version->embargo_ms > world->clock_high_ms && !version->canceled) {
        world->counts[SIM_LEAKED]++;
        tell(world, "LEAKED: %.*s before its embargo", VIEW_ARGS(running->article->id));
    }
    world->counts[SIM_AGAIN] += !sink_take(&node->sink, running->place);
}

// Notes the attempt that begins. In a later session of the broker attempts count anew.
static void note_attempt(struct world *world, const struct node *node,
                         const struct running *running)
{
    struct version *version = &world->ledger->versions[running->place];
    if (version->session != running->session) {
        version->session = running->session;
        memset(version->attempts, 0, sizeof version->attempts);
    }
    uint32_t *attempt = &version->attempts[node->stage_index];
    uint32_t begun = running->article->item.attempt;
    *attempt = begun > *attempt ? begun : *attempt;
}

static void run_article(struct world *world, struct node *node, struct worker_article *article)
{
    assert(node->running_count < node->worker.config.slots);
    struct running *running = &node->running[node->running_count++];
    *running = (struct running){
        .article = article,
        .session = node->worker.session.run,
        .place = ledger_find(world->ledger, article->id, article->item.version),
    };
    tell(world, "%s begins %.*s version %" PRIu64 " attempt %u", node->name, VIEW_ARGS(article->id),
         article->item.version, article->item.attempt);
    if (node->kind == NODE_SINK) {
        take_in_sink(world, node, running);
    } else {
        note_attempt(world, node, running);
    }
}

// The run that what was begun in this moment belongs to: mostly the one that is going on and ends soon.
static uint32_t choose_run(struct world *world, struct node *node)
{
    bool is_sink = node->kind == NODE_SINK;
    if (!is_sink && node->run_end_ms > world->now_ms && !one_in(world, 8)) {
        return node->run - 1;
    }
    bool slow = one_in(world, 50);
    int64_t in_ms = 1 + (int64_t)below(world, slow ? 3000 : 20);
    schedule(world, in_ms,
             (struct event){
                 .kind = EVENT_WORKED, .node = node->number, .life = node->life, .run = node->run});
    node->run_end_ms = slow ? 0 : world->now_ms + in_ms;
    // A sink is one thread: while its disk syncs it hears and does nothing else.
    node->syncing_ms = is_sink ? world->now_ms + in_ms : 0;
    return node->run++;
}

// What was begun since the last call finishes together, after a while.
static void schedule_run(struct world *world, struct node *node)
{
    if (node->scheduled == node->running_count) {
        return;
    }
    uint32_t run = choose_run(world, node);
    while (node->scheduled < node->running_count) {
        node->running[node->scheduled++].run = run;
    }
}

static void set_result(struct worker_article *article, enum wire_outcome outcome, const void *bytes,
                       size_t len)
{
    article->outcome = outcome;
    article->result = malloc(len);
    assert(article->result);
    memcpy(article->result, bytes, len);
    article->result_len = len;
}

static void set_retry(struct worker_article *article)
{
    static const char sentence[] = "not now";
    set_result(article, WIRE_RETRY, sentence, sizeof sentence - 1);
}

// The section of the stage, and those of stages that ran along; now and then one is left out.
static void set_made(struct world *world, struct worker_article *article, const struct made *made)
{
    struct made all[LEDGER_STAGES];
    size_t count = 0;
    all[count++] = *made;
    for (uint32_t i = 0; i + 1 < LEDGER_STAGES; i++) {
        if ((article->along & 1u << i) && !one_in(world, 50)) {
            article->along_len[i] = sizeof *made;
            all[count++] = *made;
        }
    }
    set_result(article, WIRE_DONE, all, count * sizeof *made);
    article->result_len = sizeof *made;
}

static void finish_article(struct world *world, struct node *node, const struct running *running)
{
    struct worker_article *article = running->article;
    if (one_in(world, 200)) {
        set_retry(article);
    } else {
        const struct made made = {running->session, running->place, article->item.attempt,
                                  node->stage_index, 0};
        set_made(world, article, &made);
    }
    worker_core_finished(&node->worker, world->now_ms, article);
}

static bool is_poisoned(const struct world *world, const struct node *node, uint32_t run)
{
    for (uint32_t i = 0; i < node->running_count; i++) {
        const struct running *running = &node->running[i];
        bool has_entities = strcmp(node->stage, "entities") == 0 || (running->article->along & 1);
        if (running->run == run && world->ledger->versions[running->place].poison && has_entities) {
            return true;
        }
    }
    return false;
}

static void finish_run(struct world *world, struct node *node, uint32_t run)
{
    uint32_t kept = 0;
    if (is_poisoned(world, node, run)) {
        world->counts[SIM_POISON]++;
        kill_node(world, node, false);
        return;
    }
    for (uint32_t i = 0; i < node->running_count; i++) {
        if (node->running[i].run == run) {
            finish_article(world, node, &node->running[i]);
        } else {
            node->running[kept++] = node->running[i];
        }
    }
    node->running_count = node->scheduled = kept;
}

static void answer_sync(struct world *world, struct node *node, bool failed)
{
    for (uint32_t i = 0; i < node->running_count; i++) {
        struct worker_article *article = node->running[i].article;
        article->outcome = WIRE_DONE;
        if (failed) {
            set_retry(article);
        }
        worker_core_finished(&node->worker, world->now_ms, article);
    }
    node->running_count = node->scheduled = 0;
}

// The sink's disk has synced, or failed: then all of it is taken back and comes again.
static void finish_sync(struct world *world, struct node *node)
{
    bool failed = !world->calm && one_in(world, 100);
    if (!world->calm && one_in(world, 200)) { // the machine stops before the disk has answered
        kill_node(world, node, false);
        return;
    }
    if (failed) {
        world->counts[SIM_SINK_FAILURES]++;
        tell(world, "%s cannot write", node->name);
        sink_take_back(&node->sink);
    } else {
        write_lines(world, node);
    }
    if (!world->calm && one_in(world, 200)) { // or between the write and the answers
        kill_node(world, node, false);
        return;
    }
    answer_sync(world, node, failed);
}

static void pump_worker(struct world *world, struct node *node)
{
    struct worker_action action;
    for (;;) {
        switch (worker_core_next(&node->worker, world->now_ms, &action)) {
        case WORKER_SEND:
            if (node->linked) {
                send_to_broker(world, node, &action.frames);
            } else {
                frames_clear(&action.frames);
                worker_core_link(&node->worker, world->now_ms, false);
            }
            break;
        case WORKER_RECONNECT:
            connect_later(world, node);
            break;
        case WORKER_RUN:
            run_article(world, node, action.article);
            break;
        case WORKER_STOPPED:
        case WORKER_WAIT:
            schedule_run(world, node);
            return;
        }
    }
}

static void pump_node(struct world *world, struct node *node)
{
    int64_t deadline;
    if (node->kind == NODE_CLIENT) {
        pump_client(world, node);
        deadline = client_core_deadline(&node->client);
    } else {
        pump_worker(world, node);
        deadline = worker_core_deadline(&node->worker);
    }
    deadline = deadline <= world->now_ms ? world->now_ms + 1 : deadline;
    if (deadline != INT64_MAX && deadline < node->timer_ms) {
        node->timer_ms = deadline;
        schedule(world, deadline - world->now_ms,
                 (struct event){.kind = EVENT_TIMER, .node = node->number, .life = node->life});
    }
}

static void tell_link(struct node *node, int64_t now_ms, bool up)
{
    if (node->kind == NODE_CLIENT) {
        client_core_link(&node->client, now_ms, up);
    } else {
        worker_core_link(&node->worker, now_ms, up);
    }
}

static void take_frames(struct world *world, struct node *node, const struct frames *frames)
{
    struct view envelope = {frames->envelope, frames->envelope_len};
    struct view body = {frames->body, frames->body_len};
    if (node->kind == NODE_CLIENT) {
        client_core_message(&node->client, world->now_ms, envelope, body);
    } else {
        worker_core_message(&node->worker, world->now_ms, envelope, body);
    }
}

// --- the broker

static void broker_turn(struct world *world);

static void log_broker(void *user, const char *sentence)
{
    tell(user, "broker: %s", sentence);
}

static struct core *make_core(struct world *world)
{
    struct core_config config = core_defaults;
    config.queue = queue_defaults;
    config.queue.seed = next_random(world);
    config.queue.backoff_limit_ms = 8000;
    config.journal = journal_defaults;
    config.journal.segment_bytes = 1 << (13 + world->options->seed % 5);
    config.journal.hash_key[0] = world->options->seed;
    config.session = ++world->broker_life;
    config.document_bytes = 512; // so small that documents are read back all the time
    config.section_bytes = SECTION_LIMIT;
    config.ahead_articles = (size_t)4 << world->options->seed % 8;
    config.pending_bytes = PENDING_LIMIT;
    config.disk_bytes = DISK_LIMIT;
    config.log = world->options->trace ? log_broker : NULL;
    config.user = world;
    struct core *core = core_new(&world->graph, &config);
    assert(core);
    return core;
}

// Recovery has named a damaged segment: it comes back from a copy. Another segment, or none, was lied about.
static void restore_segment(struct world *world, const char *sentence)
{
    struct view text = view_of(sentence);
    struct view before = VIEW("journal segment ");
    size_t at = view_find(text, before, 0) + before.len;
    size_t end = view_find(text, VIEW(","), at);
    uint64_t segment = 0;
    if (at > text.len || !view_parse_u64(view_slice(text, at, end), &segment) ||
        !sim_disk_restore(&world->disk, segment)) {
        give_up(world, "recovery does not name the damaged segment: %s", sentence);
    }
    world->counts[SIM_RESTORED]++;
    tell(world, "segment %" PRIu64 " comes from a copy", segment);
}

// Reads the journal. False when the disk cannot be read now.
static bool recover(struct world *world)
{
    struct journal_report report;
    struct error why = {""};
    struct disk disk = sim_disk_calls(&world->disk);
    for (;;) {
        world->core = make_core(world);
        enum status status = core_recover(world->core, &disk, broker_ms(world), &report, &why);
        if (status == OK) {
            return true;
        }
        tell(world, "recovery: %s", why.text);
        core_free(world->core);
        world->core = NULL;
        if (status == ERR_IO && world->disk.unreadable) {
            return false;
        }
        if (status != ERR_FORMAT || !sim_disk_is_damaged(&world->disk)) {
            give_up(world, "recovery failed: %s", why.text);
        }
        restore_segment(world, why.text);
    }
}

// One allocation of the broker fails, or all for a moment. The others in this process have memory.
static void memory_fault(struct world *world)
{
    world->short_in = 1 + below(world, 100);
    world->short_until_ms = world->now_ms + (one_in(world, 2) ? (int64_t)below(world, 500) : 0);
    tell(world, "the broker's memory runs short");
}

static void restart_later(struct world *world)
{
    schedule(world, 100 + (int64_t)below(world, 8000),
             (struct event){.kind = EVENT_BROKER_RESTART, .life = world->broker_life});
}

// What sinks had long enough before the broker was killed they do not get again.
static void check_noted(struct world *world)
{
    for (uint32_t i = 0; i < world->noted_count; i++) {
        const struct noted *noted = &world->noted[i];
        const struct queued_article *article = queue_find(core_queue(world->core), noted->handle);
        if (article && article->state == ARTICLE_LIVE && (noted->sinks & ~article->done)) {
            world->counts[SIM_REPEATED]++;
            tell(world, "REPEATED: a sink will get article %" PRIu64 " again", noted->handle);
        }
    }
    world->noted_count = 0;
}

static void start_broker(struct world *world)
{
    if (!recover(world)) {
        world->disk.unreadable = one_in(world, 2);
        restart_later(world);
        return;
    }
    if (sim_disk_is_damaged(&world->disk)) {
        world->counts[SIM_UNNOTICED]++;
        tell(world, "UNNOTICED: recovery took a damaged segment");
    }
    check_noted(world);
    world->broker_timer_ms = INT64_MAX;
    tell(world, "the broker starts with %zu articles", queue_counts(core_queue(world->core))->live);
    for (uint32_t i = 0; i < NODES; i++) {
        if (world->nodes[i].alive) {
            connect_later(world, &world->nodes[i]);
        }
    }
    if (!world->calm && one_in(world, 2)) { // while all of it is still to be taken
        memory_fault(world);
    }
    broker_turn(world);
}

static void kill_broker(struct world *world)
{
    tell(world, "the broker dies%s", world->committing ? " while it writes" : "");
    if (world->committing && !is_full(world)) {
        sim_disk_crash(&world->disk, &world->commit, next_random(world));
    }
    if (world->noted_ms != INT64_MIN) { // it ends before its time
        world->noted_count = 0;
    }
    world->noted_ms = 0;
    world->committing = false;
    world->turn_due = false;
    core_free(world->core);
    world->core = NULL;
    world->broker_life++;
    world->counts[SIM_BROKER_DEATHS]++;
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        if (node->alive && node->linked) {
            unlink_node(world, node);
        }
    }
    restart_later(world);
}

static void start_commit(struct world *world, const struct journal_commit *commit)
{
    world->commit = *commit;
    world->committing = true;
    bool slow = world->now_ms < world->slow_until_ms || one_in(world, 50);
    schedule(world, 1 + (int64_t)below(world, slow ? 4000 : 10),
             (struct event){.kind = EVENT_COMMIT, .life = world->broker_life});
}

// The broker ends by itself when it cannot sync, or cannot read what it accepted; for nothing else.
static void stop_broker(struct world *world, const char *sentence)
{
    bool sync = strcmp(sentence, "cannot sync") == 0;
    bool unreadable = strstr(sentence, "cannot be read back") &&
                      (world->disk.unreadable || sim_disk_is_damaged(&world->disk));
    tell(world, "the broker stops: %s", sentence);
    if (!sync && !unreadable) {
        give_up(world, "the broker stops: %s", sentence);
    }
    world->stopping = true;
}

static void reach(struct world *world, struct action *action)
{
    struct node *node = node_of_connection(world, action->peer);
    if (node) {
        send_to_node(world, node, &action->frames);
        return;
    }
    frames_clear(&action->frames);
    if (!is_ghost(world, action->peer)) {
        core_unreachable(world->core, action->peer);
    }
}

// True when the core may have more to do because of it.
static bool perform(struct world *world, struct action *action)
{
    switch (action->kind) {
    case ACTION_SEND:
        reach(world, action);
        return !node_of_connection(world, action->peer);
    case ACTION_COMMIT:
        start_commit(world, &action->commit);
        return false;
    case ACTION_READ:
        core_read(world->core, action->handle, action->place,
                  sim_disk_read(&world->disk, action->place), broker_ms(world));
        return true;
    case ACTION_DROP:
        sim_disk_drop(&world->disk, action->segment);
        return false;
    case ACTION_STOP:
        stop_broker(world, action->sentence);
        return false;
    }
    return false;
}

// Memory and disk stay within their limits and what may be under way when a limit is reached:
//   pending   the last article that was let in, and the memories of a segment that are carried on
//   sections  every article that has one at the limit, or is with the first stage, goes on and gets the other three
//   journal   one batch of the above
static void check_limits(struct world *world)
{
    const struct core_numbers numbers = core_numbers(world->core);
    const size_t first = (size_t)WORKERS_A_STAGE * WORKER_SLOTS * 2 * sizeof(struct made);
    if (numbers.pending_bytes > PENDING_LIMIT + CARRIED ||
        numbers.section_bytes > LEDGER_STAGES * (SECTION_LIMIT + first) ||
        numbers.journal_bytes > DISK_LIMIT + PENDING_LIMIT + CARRIED) {
        world->counts[SIM_OVER_LIMIT]++;
        tell(world, "OVER LIMIT: pending %" PRIu64 ", sections %zu, journal %" PRIu64,
             numbers.pending_bytes, numbers.section_bytes, numbers.journal_bytes);
    }
}

static void set_broker_timer(struct world *world)
{
    int64_t next = core_next_ms(world->core);
    next = next == INT64_MAX ? next : next <= broker_ms(world) ? 0 : next - world->skew_ms;
    next = next <= world->now_ms ? world->now_ms + 1 : next;
    if (next != INT64_MAX && next < world->broker_timer_ms) {
        world->broker_timer_ms = next;
        schedule(world, next - world->now_ms,
                 (struct event){.kind = EVENT_BROKER_TIMER, .life = world->broker_life});
    }
}

static void broker_turn(struct world *world)
{
    struct action action;
    bool again = true;
    world->turn_due = false;
    if (broker_ms(world) > world->clock_high_ms) {
        world->clock_high_ms = broker_ms(world);
    }
    while (again && !world->stopping) {
        again = false;
        core_turn(world->core, broker_ms(world));
        while (!world->stopping && core_take_action(world->core, &action)) {
            again |= perform(world, &action);
        }
    }
    if (world->stopping) {
        world->stopping = false;
        kill_broker(world);
        return;
    }
    if (world->options->check) {
        core_check(world->core);
    }
    if (world->turns++ % CHECK_TURNS == 0) {
        check_limits(world);
    }
    set_broker_timer(world);
}

static void end_commit(struct world *world)
{
    if (world->sync_fails) {
        world->sync_fails = false;
        world->counts[SIM_FAILED_SYNCS]++;
        core_commit_failed(world->core, false, "cannot sync", broker_ms(world));
    } else if (is_full(world)) {
        world->committing = false;
        core_commit_failed(world->core, true, "no space left", broker_ms(world));
    } else {
        sim_disk_write(&world->disk, &world->commit);
        world->committing = false;
        core_committed(world->core, broker_ms(world));
    }
    broker_turn(world);
}

// --- faults

static void begin_shortage(const struct world *world)
{
    if (world->short_in > 0) {
        fault_set(FAULT_MEMORY, world->short_in, world->now_ms < world->short_until_ms);
    }
}

static void end_shortage(struct world *world)
{
    uint64_t calls = fault_count(FAULT_MEMORY);
    bool is_over = world->calm || world->now_ms >= world->short_until_ms;
    if (world->short_in == 0) {
        return;
    }
    fault_set(FAULT_MEMORY, 0, false);
    if (world->short_in > calls) {
        world->short_in -= calls;
    } else {
        world->counts[SIM_SHORTAGES]++;
        world->short_ms = world->now_ms;
        world->short_in = is_over ? 0 : 1;
    }
}

// Troubles come together: whoever is cut off now sends again, and may be told too early.
static void slow_disk(struct world *world)
{
    world->slow_until_ms = world->now_ms + (int64_t)below(world, 20000);
    for (int i = 0; i < 3 && world->now_ms + 3000 < FAULTY_MS; i++) {
        schedule(world, (int64_t)below(world, 3000), (struct event){.kind = EVENT_FAULT});
    }
    world->counts[SIM_SLOW_DISKS]++;
    tell(world, "the disk is slow");
}

static void disk_fault(struct world *world)
{
    uint64_t segment;
    size_t at;
    switch (below(world, 5)) {
    case 0:
        world->full_until_ms = world->now_ms + (int64_t)below(world, 20000);
        world->counts[SIM_FULL_DISKS]++;
        tell(world, "the disk is full");
        break;
    case 1:
        world->sync_fails = world->core != NULL;
        break;
    case 2:
        world->disk.unreadable = true;
        world->counts[SIM_FAILED_READS]++;
        tell(world, "the disk cannot be read");
        break;
    case 3:
        if (sim_disk_flip(&world->disk, next_random(world), &segment, &at)) {
            world->counts[SIM_FLIPS]++;
            tell(world, "a bit flips in segment %" PRIu64 ", byte %zu", segment, at);
        }
        break;
    default:
        slow_disk(world);
        break;
    }
}

static void network_fault(struct world *world, struct node *node)
{
    node = one_in(world, 2) ? &world->nodes[below(world, LEDGER_CLIENTS)] : node;
    if (one_in(world, 3)) {
        node->delayed_ms = world->now_ms + (int64_t)below(world, 10000);
        world->counts[SIM_DELAYS]++;
        tell(world, "the messages of %s are late", node->name);
    } else if (node->alive && node->linked) {
        world->counts[SIM_CUTS]++;
        cut_connection(world, node);
    }
}

static void node_fault(struct world *world, struct node *node)
{
    if (one_in(world, 2)) {
        int64_t until_ms = world->now_ms + (int64_t)below(world, 15000);
        // Never sooner than it was to move before: what waits for it would get out of order.
        node->frozen_ms = until_ms > node->frozen_ms ? until_ms : node->frozen_ms;
        world->counts[SIM_FREEZES]++;
        tell(world, "%s freezes", node->name);
    } else if (node->alive && node->kind != NODE_CLIENT) {
        kill_node(world, node, one_in(world, 3));
    }
}

// Notes what will have to be known after the broker's end, which comes soon.
static void note_deliveries(struct world *world)
{
    size_t at = 0;
    const struct queued_article *article;
    world->noted_count = 0;
    world->noted_ms = world->now_ms;
    world->noted_life = world->broker_life;
    while ((article = queue_next(core_queue(world->core), &at)) && world->noted_count < NOTED) {
        uint32_t sinks = article->done & world->graph.terminal;
        if (article->state == ARTICLE_LIVE && sinks) {
            world->noted[world->noted_count++] = (struct noted){article->handle, sinks};
        }
    }
}

// An article that ended while memory was short may be run again: its end could not be noted (core_settle_ended).
static void forget_unsaid(struct world *world)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < world->noted_count; i++) {
        const struct queued_article *article =
            queue_find(core_queue(world->core), world->noted[i].handle);
        if (article || world->short_ms < world->noted_ms) {
            world->noted[kept++] = world->noted[i];
        }
    }
    world->noted_count = kept;
}

// The broker is killed some time after deliveries were noted, in a moment when all that it wrote is on disk.
static void kill_noted(struct world *world)
{
    // What it had no memory for it finds with its next heartbeat.
    bool is_written = world->core && core_numbers(world->core).pending_bytes == 0 &&
                      world->now_ms >= world->short_ms + 2 * NOTED_MS;
    if (world->noted_ms == 0 || world->noted_life != world->broker_life || !world->core ||
        world->calm) {
        return;
    }
    if (!is_written && world->now_ms < world->noted_ms + 4 * NOTED_MS) {
        schedule(world, 50, (struct event){.kind = EVENT_KILL_NOTED});
        return;
    }
    forget_unsaid(world);
    world->noted_ms = is_written ? INT64_MIN : 0;
    kill_broker(world);
}

// While the broker is down nobody tells it that its clock was set.
static void set_clock(struct world *world)
{
    int64_t by_ms = (int64_t)below(world, 60000) - 30000;
    world->skew_ms += by_ms;
    world->counts[SIM_CLOCK_JUMPS]++;
    tell(world, "the broker's clock is set to %+" PRId64 " ms", world->skew_ms);
    if (world->core) {
        core_jump(world->core, by_ms, broker_ms(world));
        world->turn_due = true;
    }
}

static void fault(struct world *world)
{
    struct node *node = &world->nodes[below(world, NODES)];
    switch (below(world, 9)) {
    case 0:
        if (world->core && world->noted_ms == 0 && one_in(world, 2)) {
            note_deliveries(world);
            schedule(world, NOTED_MS, (struct event){.kind = EVENT_KILL_NOTED});
        } else if (world->core) {
            kill_broker(world);
        }
        break;
    case 8:
        memory_fault(world);
        break;
    case 1:
        set_clock(world);
        break;
    case 2:
    case 3:
        network_fault(world, node);
        break;
    case 4:
    case 5:
        node_fault(world, node);
        break;
    default:
        disk_fault(world);
        break;
    }
}

static void end_faults(struct world *world)
{
    world->calm = true;
    world->short_in = 0;
    world->full_until_ms = 0;
    world->sync_fails = false;
    world->disk.unreadable = false;
    tell(world, "the faults stop");
}

// --- the day

// A node that is frozen, or waits for its disk, meets what has come for it, in order, when it moves again.
static bool is_postponed(struct world *world, struct event *event)
{
    const struct node *node = &world->nodes[event->node];
    bool is_work = event->kind == EVENT_WORKED;
    bool is_for_node = event->kind == EVENT_TO_NODE || event->kind == EVENT_LINK ||
                       event->kind == EVENT_UNLINK || event->kind == EVENT_TIMER;
    int64_t until = node->frozen_ms;
    if (!is_work && node->syncing_ms >= until) {
        until = node->syncing_ms + 1;
    }
    if (!(is_for_node || is_work) || until <= world->now_ms || event->life != node->life) {
        return false;
    }
    event->at_ms = until;
    events_put_back(&world->events, event);
    return true;
}

static void happen_to_broker(struct world *world, const struct event *event)
{
    if (!world->core || event->life != world->broker_life) {
        return;
    }
    switch (event->kind) {
    case EVENT_TO_BROKER:
        if (node_of_connection(world, event->connection)) {
            core_message(world->core, event->connection,
                         (struct view){event->frames.envelope, event->frames.envelope_len},
                         (struct view){event->frames.body, event->frames.body_len},
                         broker_ms(world));
            world->turn_due = true;
        }
        break;
    case EVENT_BROKER_TIMER:
        if (world->broker_timer_ms <= world->now_ms) {
            world->broker_timer_ms = INT64_MAX;
            core_tick(world->core, broker_ms(world));
            broker_turn(world);
        }
        break;
    default:
        if (world->committing) {
            end_commit(world);
        }
        break;
    }
}

static void happen_to_node(struct world *world, struct node *node, const struct event *event)
{
    if (!node->alive || event->life != node->life) {
        return;
    }
    switch (event->kind) {
    case EVENT_TO_NODE:
        if (!node->linked || node->connection != event->connection) {
            return;
        }
        take_frames(world, node, &event->frames);
        break;
    case EVENT_LINK:
        if (node->connection != event->connection || !world->core) {
            return;
        }
        node->linked = true;
        tell_link(node, world->now_ms, true);
        break;
    case EVENT_UNLINK:
        tell_link(node, world->now_ms, false);
        break;
    case EVENT_TIMER:
        if (node->timer_ms > world->now_ms) {
            return;
        }
        node->timer_ms = INT64_MAX;
        break;
    default:
        if (node->kind == NODE_SINK) {
            finish_sync(world, node);
        } else {
            finish_run(world, node, event->run);
        }
        break;
    }
    world->pump_due |= 1u << node->number;
}

static void happen(struct world *world, struct event *event)
{
    struct node *node = &world->nodes[event->node];
    if (is_postponed(world, event)) {
        return;
    }
    switch (event->kind) {
    case EVENT_TO_BROKER:
    case EVENT_BROKER_TIMER:
    case EVENT_COMMIT:
        begin_shortage(world);
        happen_to_broker(world, event);
        end_shortage(world);
        break;
    case EVENT_TO_NODE:
    case EVENT_LINK:
    case EVENT_UNLINK:
    case EVENT_TIMER:
    case EVENT_WORKED:
        happen_to_node(world, node, event);
        break;
    case EVENT_SUBMIT:
        if (node->submitted < world->options->articles) {
            submit(world, node);
            world->pump_due |= 1u << node->number;
        }
        break;
    case EVENT_FAULT:
        fault(world);
        break;
    case EVENT_RESTART:
        if (!node->alive && event->life == node->life) {
            tell(world, "%s comes back", node->name);
            start_node(world, node);
            world->pump_due |= 1u << node->number;
        }
        break;
    case EVENT_KILL_NOTED:
        kill_noted(world);
        break;
    case EVENT_BROKER_RESTART:
        if (!world->core && event->life == world->broker_life) {
            start_broker(world);
        }
        break;
    }
    frames_clear(&event->frames);
}

static void make_nodes(struct world *world)
{
    static const char *const sinks[LEDGER_SINKS] = {"desk", "export"};
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        uint32_t worker = i - LEDGER_CLIENTS;
        node->number = i;
        if (i < LEDGER_CLIENTS) {
            node->kind = NODE_CLIENT;
            snprintf(node->name, sizeof node->name, "client%u", i);
        } else if (worker < WORKERS) {
            node->kind = NODE_WORKER;
            node->stage_index = worker / WORKERS_A_STAGE;
            snprintf(node->stage, sizeof node->stage, "%s", inner_stages[node->stage_index]);
            snprintf(node->name, sizeof node->name, "%s%u", node->stage, worker % WORKERS_A_STAGE);
        } else {
            node->kind = NODE_SINK;
            node->stage_index = worker - WORKERS;
            snprintf(node->stage, sizeof node->stage, "%s", sinks[node->stage_index]);
            snprintf(node->name, sizeof node->name, "%s", node->stage);
            sink_init(&node->sink, world->ledger->room);
        }
        start_node(world, node);
    }
}

static bool is_drained(const struct world *world)
{
    for (uint32_t i = 0; i < LEDGER_CLIENTS; i++) {
        const struct node *node = &world->nodes[i];
        if (node->submitted < world->options->articles || node->client.held > 0) {
            return false;
        }
    }
    return world->core && queue_counts(core_queue(world->core))->live == 0 &&
           core_is_idle(world->core);
}

// What came in the same moment is acted on together, as in production. False while there is more of it.
static bool end_moment(struct world *world)
{
    if (events_next_ms(&world->events) == world->now_ms) {
        return false;
    }
    for (; world->pump_due; world->pump_due &= world->pump_due - 1) {
        struct node *node = &world->nodes[__builtin_ctz(world->pump_due)];
        if (node->alive) {
            pump_node(world, node);
        }
    }
    if (world->turn_due) {
        begin_shortage(world);
        broker_turn(world);
        end_shortage(world);
    }
    return true;
}

static void run_day(struct world *world)
{
    bool drained = false;
    while (!drained && world->events.count > 0 && world->now_ms < FAULTY_MS + PATIENCE_MS) {
        struct event event = *events_take(&world->events);
        assert(event.at_ms >= world->now_ms);
        world->now_ms = event.at_ms;
        if (!world->calm && world->now_ms >= FAULTY_MS) {
            end_faults(world);
        }
        world->counts[SIM_EVENTS]++;
        happen(world, &event);
        drained = end_moment(world) && world->calm && is_drained(world);
    }
    world->counts[SIM_STUCK] = !drained;
    world->report->simulated_ms = world->now_ms;
}

// --- the accounts

static void mark_dead(struct world *world)
{
    size_t at = 0;
    const struct queued_article *article;
    while ((article = queue_next(core_queue(world->core), &at))) {
        // The id is in the holding; the record on disk is the one place to read it from outside.
        struct record record;
        size_t size;
        struct journal_place place = core_place(article);
        sim_disk_restore(&world->disk, place.segment);
        struct view bytes = sim_disk_read(&world->disk, place);
        if (article->state == ARTICLE_DEAD &&
            record_read(&record, (const uint8_t *)bytes.at, bytes.len, place.segment, &size) ==
                RECORD_OK) {
            struct view id = {(const char *)record.is.article.id, record.is.article.id_bytes};
            uint32_t version = ledger_find(world->ledger, id, record.is.article.version);
            world->ledger->versions[version].dead = true;
        }
    }
}

static void audit(struct world *world)
{
    if (world->core) {
        mark_dead(world);
    }
    for (uint32_t i = NODES - LEDGER_SINKS; i < NODES; i++) {
        const struct node *node = &world->nodes[i];
        ledger_recount(world->ledger, node->stage_index, node->sink.lines, node->sink.synced);
    }
    ledger_audit(world->ledger);
    for (uint32_t i = 0; i < LEDGER_CLIENTS; i++) {
        world->counts[SIM_RESENT] += world->nodes[i].client.counts.resent;
    }
    world->counts[SIM_TORN_TAILS] = world->disk.cuts;
}

static void end_world(struct world *world)
{
    events_clear(&world->events);
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        if (node->kind == NODE_CLIENT) {
            client_core_clear(&node->client);
        } else if (node->alive) {
            drop_running(world, node);
            worker_core_clear(&node->worker);
        }
        sink_clear(&node->sink);
    }
    core_free(world->core);
    sim_disk_clear(&world->disk);
    ledger_free(world->ledger);
    free(world);
}

bool sim_run(const struct sim_options *options, struct sim_report *report)
{
    struct world *world = calloc(1, sizeof *world);
    assert(world);
    *report = (struct sim_report){0};
    world->options = options;
    world->report = report;
    world->counts = report->counts;
    world->random = options->seed;
    world->ledger = ledger_new(options, report);
    enum status status = graph_parse(&world->graph, view_of(pipeline), NULL);
    assert(status == OK);
    world->skew_ms = (int64_t)1 << 40;
    make_nodes(world);
    start_broker(world);
    for (uint32_t i = 0; i < LEDGER_CLIENTS; i++) {
        schedule(world, 0, (struct event){.kind = EVENT_SUBMIT, .node = i});
    }
    for (uint32_t i = 0; i < options->faults; i++) {
        schedule(world, (int64_t)below(world, FAULTY_MS), (struct event){.kind = EVENT_FAULT});
    }
    run_day(world);
    audit(world);
    bool good = true;
    for (enum sim_count count = 0; count < SIM_COUNT; count++) {
        good = good && !(sim_count_is_bad(count) && report->counts[count] > 0);
    }
    end_world(world);
    return good;
}
