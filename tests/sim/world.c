#include "tests/sim/world.h"

#include "services/broker/core.h"
#include "services/client_core.h"
#include "services/worker_core.h"
#include "tests/sim/disk.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static const char pipeline[] =
    "clean = article\nentities = clean\ndates = clean\nsummary = clean entities\n"
    "desk = *\nexport = *\n";

enum {
    INNER_STAGES = 4,
    SINKS = 2,
    WORKERS_A_STAGE = 2,
    CLIENTS = 2,
    NODES = CLIENTS + INNER_STAGES * WORKERS_A_STAGE + SINKS,
    IDS_A_CLIENT = 1024,
    VERSIONS = 16, // of one id, at most
    DOCUMENT_BYTES = 2048,
    SLOTS = 4,                 // articles a worker runs at a time
    FAULTY_MS = 120 * 1000,    // faults fall into this span
    PATIENCE_MS = 3600 * 1000, // after it everything must have drained
};

enum node_kind { NODE_CLIENT, NODE_WORKER, NODE_SINK };

enum event_kind {
    EVENT_TO_BROKER, // frames arrive
    EVENT_TO_NODE,
    EVENT_LINK,  // a node's connection comes up
    EVENT_TIMER, // a node's
    EVENT_BROKER_TIMER,
    EVENT_COMMIT, // the disk has synced, or found no room
    EVENT_WORKED, // a worker or sink has finished an article
    EVENT_SUBMIT, // a client has something new
    EVENT_FAULT,
    EVENT_RESTART, // a node comes back
    EVENT_BROKER_RESTART,
};

struct event {
    int64_t at_ms;
    uint64_t order; // ties are broken by who came first
    enum event_kind kind;
    uint32_t node;
    uint64_t life; // of the node or broker it was meant for: void when that has died since
    uint64_t connection;
    struct frames frames;
    struct worker_article *article;
};

struct node {
    enum node_kind kind;
    uint32_t number;
    bool alive, linked;
    uint64_t life;
    uint64_t connection; // as the broker sees it
    int64_t timer_ms;    // the timer that is set
    int64_t frozen_ms;   // stands still until then; what comes meanwhile waits
    int64_t last_to_broker_ms, last_to_node_ms; // messages on a connection keep their order
    char name[24];
    char stage[24];
    struct worker_core worker;
    struct client_core client;
    struct worker_article *running[SLOTS]; // to be freed when the node dies
    uint32_t sink;                         // which of the sinks
    uint32_t submitted;
};

// One version of one story, as the world knows it.
struct truth {
    bool put, accepted, canceled, poison, dead;
    int64_t embargo_ms;
    int64_t accepted_ms;     // when the client was told
    uint32_t written[SINKS]; // how often each sink has it on its disk
    int64_t written_ms[SINKS];
};

struct world {
    const struct sim_options *options;
    struct sim_report *report;
    uint64_t random;
    int64_t now_ms;
    uint64_t order;
    struct event *events; // heap
    size_t event_count, event_room;
    struct graph graph;
    struct core *core; // NULL while the broker is down
    struct sim_disk disk;
    struct journal_commit commit;
    bool committing, disk_full, sync_fails, stopping;
    int64_t slow_until_ms; // the disk takes seconds until then
    int64_t clock_high_ms; // the latest time the broker's clock ever showed
    int64_t skew_ms;       // how far the broker's clock is ahead of the world's
    uint64_t broker_life;
    int64_t broker_timer_ms;
    uint64_t next_connection;
    struct node nodes[NODES];
    struct truth truths[CLIENTS][IDS_A_CLIENT][VERSIONS];
    uint64_t latest[CLIENTS][IDS_A_CLIENT]; // version put last
};

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

__attribute__((format(printf, 2, 3))) static void tell(const struct world *world,
                                                       const char *format, ...)
{
    va_list arguments;
    if (!world->options->trace) {
        return;
    }
    printf("%9" PRId64 "  ", world->now_ms);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

// What the broker's clock shows. It starts far from 0, so that it can be set back.
static int64_t broker_ms(const struct world *world)
{
    return world->now_ms + world->skew_ms;
}

// --- events

static bool earlier(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void push_event(struct world *world, struct event event)
{
    if (world->event_count == world->event_room) {
        world->event_room = world->event_room ? world->event_room * 2 : 256;
        world->events = realloc(world->events, world->event_room * sizeof *world->events);
        assert(world->events);
    }
    size_t at = world->event_count++;
    while (at > 0 && earlier(&event, &world->events[(at - 1) / 2])) {
        world->events[at] = world->events[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    world->events[at] = event;
}

static void schedule(struct world *world, int64_t in_ms, struct event event)
{
    event.at_ms = world->now_ms + in_ms;
    event.order = world->order++;
    push_event(world, event);
}

static struct event take_event(struct world *world)
{
    struct event first = world->events[0];
    struct event last = world->events[--world->event_count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= world->event_count) {
            break;
        }
        if (child + 1 < world->event_count &&
            earlier(&world->events[child + 1], &world->events[child])) {
            child++;
        }
        if (!earlier(&world->events[child], &last)) {
            break;
        }
        world->events[at] = world->events[child];
        at = child;
    }
    if (world->event_count > 0) {
        world->events[at] = last;
    }
    return first;
}

// --- the network

static struct node *node_of_connection(struct world *world, uint64_t connection)
{
    for (uint32_t i = 0; i < NODES; i++) {
        if (world->nodes[i].connection == connection && world->nodes[i].linked) {
            return &world->nodes[i];
        }
    }
    return NULL;
}

static int64_t latency_ms(struct world *world)
{
    return one_in(world, 200) ? (int64_t)below(world, 500) : (int64_t)below(world, 3);
}

// Connects a node again after a while; it is another peer to the broker then.
static void connect_later(struct world *world, struct node *node)
{
    node->connection = ++world->next_connection;
    node->linked = false;
    schedule(world, 1 + (int64_t)below(world, 200),
             (struct event){.kind = EVENT_LINK,
                            .node = node->number,
                            .life = node->life,
                            .connection = node->connection});
}

static void send_to_broker(struct world *world, struct node *node, struct frames *frames)
{
    int64_t at = world->now_ms + latency_ms(world);
    at = at < node->last_to_broker_ms ? node->last_to_broker_ms : at;
    node->last_to_broker_ms = at;
    world->report->messages++;
    schedule(world, at - world->now_ms,
             (struct event){.kind = EVENT_TO_BROKER,
                            .node = node->number,
                            .connection = node->connection,
                            .life = world->broker_life,
                            .frames = *frames});
}

static void send_to_node(struct world *world, struct node *node, struct frames *frames)
{
    int64_t at = world->now_ms + latency_ms(world);
    at = at < node->last_to_node_ms ? node->last_to_node_ms : at;
    node->last_to_node_ms = at;
    world->report->messages++;
    schedule(world, at - world->now_ms,
             (struct event){.kind = EVENT_TO_NODE,
                            .node = node->number,
                            .connection = node->connection,
                            .life = node->life,
                            .frames = *frames});
}

// --- stories

static void name_story(char out[32], uint32_t client, uint32_t id)
{
    snprintf(out, 32, "c%u-%u", client, id);
}

// The story that an article on the way is a version of.
static struct truth *truth_of(struct world *world, struct view id, uint64_t version)
{
    char text[32];
    unsigned client, number;
    snprintf(text, sizeof text, "%.*s", VIEW_ARGS(id));
    if (sscanf(text, "c%u-%u", &client, &number) != 2 || client >= CLIENTS ||
        number >= IDS_A_CLIENT || version >= VERSIONS) {
        return NULL;
    }
    return &world->truths[client][number][version];
}

// The document of a version: its id and version, and padding of a length of its own.
static struct view make_document(char out[DOCUMENT_BYTES], struct view id, uint64_t version)
{
    size_t padding = (view_hash(id) + version * 29) % (DOCUMENT_BYTES - 128);
    int len = snprintf(out, DOCUMENT_BYTES, "{\"id\":\"%.*s\",\"version\":%" PRIu64 ",\"pad\":\"",
                       VIEW_ARGS(id), version);
    memset(out + len, 'x', padding);
    memcpy(out + len + padding, "\"}", 2);
    return (struct view){out, (size_t)len + padding + 2};
}

// The last version of the same story.
static struct truth *truths_end(struct world *world, struct view id)
{
    return truth_of(world, id, VERSIONS - 1);
}

static void submit(struct world *world, struct node *node)
{
    uint32_t id = (uint32_t)below(world, IDS_A_CLIENT);
    uint64_t version = world->latest[node->number][id] + 1;
    char name[32];
    char document[DOCUMENT_BYTES];
    if (version >= VERSIONS) {
        return;
    }
    struct truth *truth = &world->truths[node->number][id][version];
    truth->canceled = one_in(world, 40);
    truth->poison = world->now_ms < FAULTY_MS && one_in(world, 150);
    truth->embargo_ms = one_in(world, 12) ? broker_ms(world) + (int64_t)below(world, 90000) : 0;
    name_story(name, node->number, id);
    struct client_article article = {
        .id = view_of(name),
        .document = make_document(document, view_of(name), version),
        .version = version,
        .embargo_ms = truth->embargo_ms,
        .deadline_ms = one_in(world, 20) ? broker_ms(world) + (int64_t)below(world, 20000) : 0,
        .lane = (enum wire_lane)below(world, WIRE_LANE_COUNT),
        .pubstatus = truth->canceled ? WIRE_CANCELED : WIRE_USABLE,
        .tag = (uint64_t)id << 32 | version,
    };
    if (client_core_put(&node->client, world->now_ms, &article, NULL) == OK) {
        truth->put = true;
        world->latest[node->number][id] = version;
        node->submitted++;
        tell(world, "%s puts %s version %" PRIu64 "%s", node->name, name, version,
             truth->canceled ? " (kill)"
             : truth->poison ? " (poison)"
                             : "");
    }
}

static void take_outcome(struct world *world, struct node *node,
                         const struct client_outcome *outcome)
{
    struct truth *truth =
        &world->truths[node->number][outcome->tag >> 32][outcome->tag & 0xffffffff];
    bool safe = outcome->outcome == WIRE_ACCEPTED || outcome->outcome == WIRE_DUPLICATE;
    truth->accepted = safe;
    truth->accepted_ms = world->now_ms;
    world->report->accepted += safe;
    world->report->refused += !safe;
    tell(world, "%s is told %.*s version %" PRIu64 " is %s", node->name, VIEW_ARGS(outcome->id),
         outcome->tag & 0xffffffff, wire_outcome_name(outcome->outcome));
}

// --- nodes

static void pump_node(struct world *world, struct node *node);

static void start_node(struct world *world, struct node *node)
{
    node->alive = true;
    node->life++;
    node->timer_ms = INT64_MAX;
    if (node->kind == NODE_CLIENT) {
        struct client_config config = {.name = node->name,
                                       .article_limit = 256,
                                       .bytes_limit = 1 << 20,
                                       .seed = next_random(world)};
        assert(client_core_init(&node->client, &config, world->now_ms) == OK);
    } else {
        struct worker_config config = {
            .name = node->name,
            .stage = node->stage,
            .stage_version = "1",
            .slots = node->kind == NODE_SINK ? 1 : SLOTS, // a sink keeps order
            .credit_count = 16,
            .credit_bytes = 1 << 20,
            .seed = next_random(world)};
        worker_core_init(&node->worker, &config, world->now_ms);
    }
    connect_later(world, node);
}

// Power off: whatever it held is gone, except what a sink has on its disk. Clients do not die here: what they
// were told is the measure of everything.
static void kill_node(struct world *world, struct node *node)
{
    assert(node->kind != NODE_CLIENT);
    tell(world, "%s dies", node->name);
    node->alive = false;
    node->linked = false;
    node->life++;
    for (uint32_t i = 0; i < SLOTS; i++) {
        if (node->running[i]) {
            struct worker_article *article = node->running[i];
            node->running[i] = NULL;
            article->outcome = WIRE_RETURN;
            worker_core_finished(&node->worker, world->now_ms, article);
        }
    }
    worker_core_clear(&node->worker);
    *(node->kind == NODE_SINK ? &world->report->sink_deaths : &world->report->worker_deaths) += 1;
    schedule(world, 200 + (int64_t)below(world, 5000),
             (struct event){.kind = EVENT_RESTART, .node = node->number, .life = node->life});
}

static void run_article(struct world *world, struct node *node, struct worker_article *article)
{
    uint32_t slot = 0;
    while (node->running[slot]) {
        slot++;
    }
    assert(slot < SLOTS);
    node->running[slot] = article;
    schedule(
        world, (int64_t)below(world, one_in(world, 100) ? 3000 : 20),
        (struct event){
            .kind = EVENT_WORKED, .node = node->number, .life = node->life, .article = article});
}

// The document is the one that was put under this id and version, and every inner stage is accounted for
// unless it is a kill, which skips them.
static bool is_whole(const struct worker_article *article)
{
    char document[DOCUMENT_BYTES];
    if (article->section_count == 0 || article->sections[0].stage != WIRE_DOCUMENT ||
        !view_equal(article->sections[0].bytes,
                    make_document(document, article->id, article->item.version))) {
        return false;
    }
    size_t expected = article->item.pubstatus == WIRE_CANCELED ? 1 : 1 + INNER_STAGES;
    return article->section_count == expected;
}

static void write_in_sink(struct world *world, struct node *node,
                          const struct worker_article *article)
{
    struct truth *truth = truth_of(world, article->id, article->item.version);
    assert(truth && truth->put);
    if (!is_whole(article)) {
        world->report->mixed++;
        tell(world, "MIXED: %.*s came with another article's parts", VIEW_ARGS(article->id));
    }
    if (truth->written[node->sink] > 0) { // the sink knows what it has
        world->report->again++;
        return;
    }
    for (struct truth *later = truth + 1; later <= truths_end(world, article->id); later++) {
        if (later->accepted && later->written[node->sink] > 0 &&
            later->written_ms[node->sink] >= later->accepted_ms) {
            world->report->overtaken++;
            tell(world, "OVERTAKEN: %.*s came after a later version", VIEW_ARGS(article->id));
            break;
        }
    }
    truth->written[node->sink]++;
    truth->written_ms[node->sink] = world->now_ms;
    world->report->delivered++;
    if (truth->embargo_ms > world->clock_high_ms && !truth->canceled) {
        world->report->leaked++;
        tell(world, "LEAKED: %.*s before its embargo", VIEW_ARGS(article->id));
    }
}

static void finish_article(struct world *world, struct node *node, struct worker_article *article)
{
    uint32_t slot = 0;
    char section[64];
    while (node->running[slot] != article) {
        slot++;
    }
    struct truth *truth = truth_of(world, article->id, article->item.version);
    if (node->kind == NODE_WORKER && truth->poison && strcmp(node->stage, "entities") == 0) {
        world->report->poison++;
        kill_node(world, node);
        return;
    }
    node->running[slot] = NULL;
    if (one_in(world, 100)) {
        article->outcome = WIRE_RETRY;
        article->result = strdup("not now");
        article->result_len = strlen("not now");
    } else if (node->kind == NODE_SINK) {
        write_in_sink(world, node, article);
        article->outcome = WIRE_DONE;
        // The machine may stop between the write and the answer.
        if (world->now_ms < FAULTY_MS && one_in(world, 300)) {
            node->running[slot] = article;
            kill_node(world, node);
            return;
        }
    } else {
        int len = snprintf(section, sizeof section, "{\"%s\":1}", node->stage);
        article->outcome = WIRE_DONE;
        article->result = strdup(section);
        article->result_len = (size_t)len;
    }
    worker_core_finished(&node->worker, world->now_ms, article);
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
            return;
        }
    }
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

static void link_node(struct node *node, int64_t now_ms, bool up)
{
    node->linked = up;
    if (node->kind == NODE_CLIENT) {
        client_core_link(&node->client, now_ms, up);
    } else {
        worker_core_link(&node->worker, now_ms, up);
    }
}

// --- the broker

static void broker_turn(struct world *world);

static void log_broker(void *user, const char *sentence)
{
    tell(user, "broker: %s", sentence);
}

static void start_broker(struct world *world)
{
    struct core_config config = core_defaults;
    struct journal_report report;
    struct error why = {""};
    struct disk disk = sim_disk_calls(&world->disk);
    config.queue = queue_defaults;
    config.queue.seed = next_random(world);
    config.queue.backoff_limit_ms = 8000;
    config.journal = journal_defaults;
    config.journal.segment_bytes = 1 << (12 + world->options->seed % 5);
    config.journal.hash_key[0] = world->options->seed;
    config.session = ++world->broker_life;
    config.document_bytes = 512; // so small that documents are read back all the time
    config.log = log_broker;
    config.user = world;
    world->core = core_new(&world->graph, &config);
    assert(world->core);
    enum status status = core_recover(world->core, &disk, broker_ms(world), &report, &why);
    if (status != OK) {
        fprintf(stderr, "seed %" PRIu64 ": recovery failed: %s\n", world->options->seed, why.text);
        abort();
    }
    world->broker_timer_ms = INT64_MAX;
    tell(world, "the broker starts with %zu articles", queue_counts(core_queue(world->core))->live);
    for (uint32_t i = 0; i < NODES; i++) {
        if (world->nodes[i].alive) {
            connect_later(world, &world->nodes[i]);
        }
    }
    broker_turn(world);
}

static void kill_broker(struct world *world)
{
    tell(world, "the broker dies%s", world->committing ? " while it writes" : "");
    if (world->committing && !world->disk_full) {
        sim_disk_crash(&world->disk, &world->commit, next_random(world));
    }
    world->committing = false;
    core_free(world->core);
    world->core = NULL;
    world->broker_life++;
    world->report->broker_deaths++;
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        if (node->alive && node->linked) {
            link_node(node, world->now_ms, false);
            pump_node(world, node);
        }
    }
    schedule(world, 100 + (int64_t)below(world, 8000),
             (struct event){.kind = EVENT_BROKER_RESTART, .life = world->broker_life});
}

static void start_commit(struct world *world, const struct journal_commit *commit)
{
    world->commit = *commit;
    world->committing = true;
    bool slow = world->now_ms < world->slow_until_ms || one_in(world, 50);
    schedule(world, 1 + (int64_t)below(world, slow ? 4000 : 10),
             (struct event){.kind = EVENT_COMMIT, .life = world->broker_life});
}

// True when the core may have more to do because of it.
static bool perform(struct world *world, struct action *action)
{
    struct node *node;
    switch (action->kind) {
    case ACTION_SEND:
        node = node_of_connection(world, action->peer);
        if (node) {
            send_to_node(world, node, &action->frames);
            return false;
        }
        frames_clear(&action->frames);
        core_unreachable(world->core, action->peer, broker_ms(world));
        return true;
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
        tell(world, "the broker stops: %s", action->sentence);
        if (strcmp(action->sentence, "cannot sync") != 0) {
            fprintf(stderr, "seed %" PRIu64 ": the broker stops: %s\n", world->options->seed,
                    action->sentence);
            abort();
        }
        world->stopping = true;
        return false;
    }
    return false;
}

static void broker_turn(struct world *world)
{
    struct action action;
    bool again = true;
    if (broker_ms(world) > world->clock_high_ms) {
        world->clock_high_ms = broker_ms(world);
    }
    core_tick(world->core, broker_ms(world));
    while (again) {
        again = false;
        core_turn(world->core, broker_ms(world));
        while (core_take_action(world->core, &action)) {
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
    int64_t next = core_next_ms(world->core);
    next = next == INT64_MAX ? next : next - world->skew_ms;
    next = next <= world->now_ms ? world->now_ms + 1 : next;
    if (next != INT64_MAX && next < world->broker_timer_ms) {
        world->broker_timer_ms = next;
        schedule(world, next - world->now_ms,
                 (struct event){.kind = EVENT_BROKER_TIMER, .life = world->broker_life});
    }
}

static void end_commit(struct world *world)
{
    if (world->sync_fails) {
        world->sync_fails = false;
        world->report->failed_syncs++;
        core_commit_failed(world->core, false, "cannot sync", broker_ms(world));
    } else if (world->disk_full) {
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

static void cut_connection(struct world *world, struct node *node)
{
    tell(world, "%s is cut off", node->name);
    world->report->cuts++;
    link_node(node, world->now_ms, false);
    pump_node(world, node);
    if (!node->linked) {
        connect_later(world, node);
    }
}

static void fault(struct world *world)
{
    struct node *node = &world->nodes[below(world, NODES)];
    switch (below(world, 8)) {
    case 0:
        if (world->core) {
            kill_broker(world);
        }
        break;
    case 1:
        world->disk_full = !world->disk_full;
        world->report->full_disks += world->disk_full;
        tell(world, "the disk %s", world->disk_full ? "is full" : "has room");
        break;
    case 2:
        node = one_in(world, 2) ? &world->nodes[below(world, CLIENTS)] : node;
        if (node->alive && node->linked) {
            cut_connection(world, node);
        }
        break;
    case 3:
        world->sync_fails = world->core != NULL;
        break;
    case 4:
        world->skew_ms += (int64_t)below(world, 60000) - 30000;
        world->report->clock_jumps++;
        tell(world, "the broker's clock is set to %+" PRId64 " ms", world->skew_ms);
        break;
    case 5:
        node->frozen_ms = world->now_ms + (int64_t)below(world, 15000);
        world->report->freezes++;
        tell(world, "%s freezes", node->name);
        break;
    case 6:
        // Troubles come together: whoever is cut off now sends again, and may be told too early.
        world->slow_until_ms = world->now_ms + (int64_t)below(world, 20000);
        for (int i = 0; i < 3 && world->now_ms + 3000 < FAULTY_MS; i++) {
            schedule(world, (int64_t)below(world, 3000), (struct event){.kind = EVENT_FAULT});
        }
        world->report->slow_disks++;
        tell(world, "the disk is slow");
        break;
    default:
        if (node->alive && node->kind != NODE_CLIENT) {
            kill_node(world, node);
        }
        break;
    }
}

// --- the day

// A frozen node meets what has come for it, in order, when it moves again.
static bool is_postponed(struct world *world, struct event *event)
{
    const struct node *node = &world->nodes[event->node];
    bool is_for_node = event->kind == EVENT_TO_NODE || event->kind == EVENT_LINK ||
                       event->kind == EVENT_TIMER || event->kind == EVENT_WORKED;
    if (!is_for_node || node->frozen_ms <= world->now_ms) {
        return false;
    }
    event->at_ms = node->frozen_ms; // in its old place in the order: a connection keeps it
    push_event(world, *event);
    return true;
}

static void happen(struct world *world, struct event *event)
{
    struct node *node = &world->nodes[event->node];
    if (is_postponed(world, event)) {
        return;
    }
    bool broker_lives = world->core && event->life == world->broker_life;
    bool node_lives = node->alive && event->life == node->life;
    switch (event->kind) {
    case EVENT_TO_BROKER:
        if (broker_lives && node_of_connection(world, event->connection)) {
            core_message(world->core, event->connection,
                         (struct view){event->frames.envelope, event->frames.envelope_len},
                         (struct view){event->frames.body, event->frames.body_len},
                         broker_ms(world));
            broker_turn(world);
        }
        break;
    case EVENT_TO_NODE:
        if (node_lives && node->linked && node->connection == event->connection) {
            struct view envelope = {event->frames.envelope, event->frames.envelope_len};
            struct view body = {event->frames.body, event->frames.body_len};
            if (node->kind == NODE_CLIENT) {
                client_core_message(&node->client, world->now_ms, envelope, body);
            } else {
                worker_core_message(&node->worker, world->now_ms, envelope, body);
            }
            pump_node(world, node);
        }
        break;
    case EVENT_LINK:
        if (node_lives && node->connection == event->connection && world->core) {
            link_node(node, world->now_ms, true);
            pump_node(world, node);
        }
        break;
    case EVENT_TIMER:
        if (node_lives && node->timer_ms <= world->now_ms) {
            node->timer_ms = INT64_MAX;
            pump_node(world, node);
        }
        break;
    case EVENT_BROKER_TIMER:
        if (broker_lives && world->broker_timer_ms <= world->now_ms) {
            world->broker_timer_ms = INT64_MAX;
            broker_turn(world);
        }
        break;
    case EVENT_COMMIT:
        if (broker_lives && world->committing) {
            end_commit(world);
        }
        break;
    case EVENT_WORKED:
        if (node_lives) {
            finish_article(world, node, event->article);
            if (node->alive) {
                pump_node(world, node);
            }
        }
        break;
    case EVENT_SUBMIT:
        if (node->submitted < world->options->articles) {
            submit(world, node);
            pump_node(world, node);
            schedule(world, (int64_t)below(world, 2 * FAULTY_MS / world->options->articles + 1),
                     (struct event){.kind = EVENT_SUBMIT, .node = node->number});
        }
        break;
    case EVENT_FAULT:
        fault(world);
        break;
    case EVENT_RESTART:
        if (!node->alive && event->life == node->life) {
            tell(world, "%s comes back", node->name);
            start_node(world, node);
            pump_node(world, node);
        }
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
    static const char *const inner[INNER_STAGES] = {"clean", "entities", "dates", "summary"};
    static const char *const sinks[SINKS] = {"desk", "export"};
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        uint32_t worker = i - CLIENTS;
        node->number = i;
        if (i < CLIENTS) {
            node->kind = NODE_CLIENT;
            snprintf(node->name, sizeof node->name, "client%u", i);
        } else if (worker < INNER_STAGES * WORKERS_A_STAGE) {
            node->kind = NODE_WORKER;
            const char *stage = inner[worker / WORKERS_A_STAGE];
            snprintf(node->stage, sizeof node->stage, "%s", stage);
            snprintf(node->name, sizeof node->name, "%s%u", stage, worker % WORKERS_A_STAGE);
        } else {
            node->kind = NODE_SINK;
            node->sink = worker - INNER_STAGES * WORKERS_A_STAGE;
            snprintf(node->stage, sizeof node->stage, "%s", sinks[node->sink]);
            snprintf(node->name, sizeof node->name, "%s", sinks[node->sink]);
        }
        start_node(world, node);
    }
}

static bool is_drained(const struct world *world)
{
    for (uint32_t i = 0; i < CLIENTS; i++) {
        const struct node *node = &world->nodes[i];
        if (node->submitted < world->options->articles || node->client.held > 0) {
            return false;
        }
    }
    return world->core && queue_counts(core_queue(world->core))->live == 0 &&
           core_is_idle(world->core);
}

static void run_day(struct world *world)
{
    bool calm = false;
    while (world->event_count > 0 && world->now_ms < FAULTY_MS + PATIENCE_MS) {
        struct event event = take_event(world);
        assert(event.at_ms >= world->now_ms);
        world->now_ms = event.at_ms;
        if (!calm && world->now_ms >= FAULTY_MS) {
            calm = true;
            world->disk_full = false;
            tell(world, "the faults stop");
        }
        world->report->events++;
        happen(world, &event);
        if (calm && is_drained(world)) {
            world->report->drained = true;
            break;
        }
    }
    world->report->simulated_ms = world->now_ms;
}

// --- the accounts

static void mark_dead(struct world *world)
{
    size_t at = 0;
    const struct queued_article *article;
    while ((article = queue_next(core_queue(world->core), &at))) {
        struct record record;
        size_t size;
        // The id is in the holding; the record on disk is the one place to read it from outside.
        struct journal_place place = core_place(article);
        struct view bytes = sim_disk_read(&world->disk, place);
        if (article->state == ARTICLE_DEAD &&
            record_read(&record, (const uint8_t *)bytes.at, bytes.len, place.segment, &size) ==
                RECORD_OK) {
            struct view id = {(const char *)record.is.article.id, record.is.article.id_bytes};
            truth_of(world, id, record.is.article.version)->dead = true;
            world->report->dead++;
        }
    }
}

// A later version that reached a sink or was accepted: what came before it may have been passed over.
static bool is_superseded(const struct truth *versions, uint64_t version, uint64_t latest)
{
    for (uint64_t later = version + 1; later <= latest; later++) {
        const struct truth *truth = &versions[later];
        if (truth->accepted || truth->dead || truth->written[0] || truth->written[1]) {
            return true;
        }
    }
    return false;
}

static void audit_story(struct world *world, uint32_t client, uint32_t id)
{
    const struct truth *versions = world->truths[client][id];
    uint64_t latest = world->latest[client][id];
    int64_t killed_ms = INT64_MAX;
    for (uint64_t version = 1; version <= latest; version++) {
        const struct truth *truth = &versions[version];
        bool superseded = is_superseded(versions, version, latest);
        for (uint32_t sink = 0; sink < SINKS; sink++) {
            if (truth->accepted && !truth->written[sink] && !truth->dead && !superseded) {
                world->report->lost++;
                tell(world, "LOST: c%u-%u version %" PRIu64 " in sink %u", client, id, version,
                     sink);
            }
            if (truth->written[sink] > 0 && truth->written_ms[sink] > killed_ms) {
                world->report->revived++;
                tell(world, "REVIVED: c%u-%u version %" PRIu64 " in sink %u", client, id, version,
                     sink);
            }
        }
        world->report->superseded += truth->accepted && superseded && !truth->written[0];
        if (truth->canceled && truth->accepted && killed_ms == INT64_MAX) {
            killed_ms = truth->accepted_ms;
        }
    }
}

static void audit(struct world *world)
{
    if (world->core) {
        mark_dead(world);
    }
    for (uint32_t client = 0; client < CLIENTS; client++) {
        for (uint32_t id = 0; id < IDS_A_CLIENT; id++) {
            audit_story(world, client, id);
        }
    }
    world->report->torn_tails = world->disk.cuts;
}

static void end_world(struct world *world)
{
    while (world->event_count > 0) {
        struct event event = take_event(world);
        frames_clear(&event.frames);
    }
    for (uint32_t i = 0; i < NODES; i++) {
        struct node *node = &world->nodes[i];
        if (node->kind == NODE_CLIENT) {
            client_core_clear(&node->client);
        } else if (node->alive) {
            for (uint32_t slot = 0; slot < SLOTS; slot++) {
                if (node->running[slot]) {
                    node->running[slot]->outcome = WIRE_RETURN;
                    worker_core_finished(&node->worker, world->now_ms, node->running[slot]);
                }
            }
            worker_core_clear(&node->worker);
        }
    }
    core_free(world->core);
    sim_disk_clear(&world->disk);
    free(world->events);
    free(world);
}

bool sim_run(const struct sim_options *options, struct sim_report *report)
{
    struct world *world = calloc(1, sizeof *world);
    assert(world);
    *report = (struct sim_report){0};
    world->options = options;
    world->report = report;
    world->random = options->seed;
    assert(graph_parse(&world->graph, view_of(pipeline), NULL) == OK);
    world->skew_ms = (int64_t)1 << 40;
    make_nodes(world);
    start_broker(world);
    for (uint32_t i = 0; i < CLIENTS; i++) {
        schedule(world, 0, (struct event){.kind = EVENT_SUBMIT, .node = i});
    }
    for (uint32_t i = 0; i < options->faults; i++) {
        schedule(world, (int64_t)below(world, FAULTY_MS), (struct event){.kind = EVENT_FAULT});
    }
    run_day(world);
    audit(world);
    bool good = report->drained && report->lost == 0 && report->leaked == 0 &&
                report->revived == 0 && report->mixed == 0 && report->overtaken == 0;
    end_world(world);
    return good;
}
