// The broker without I/O: events go in, actions come out.
//
//     core_message(core, peer, envelope, body, now);     // events: frames, commits, reads, time
//     core_turn(core, now);                              // then act on all of them at once
//     while (core_take_action(core, &action)) perform(&action);
//
// Sockets, files, threads and clocks live in broker.c and disk_file.c alone; tests/sim performs the same
// actions on a simulated network and disk. The core decides
//   - who speaks: HELLO, heartbeats, credit; a peer that is silent for the lease is given up
//   - what is accepted: dedupe, versions, kills; acknowledged only when its record is on disk
//   - what is handed to whom: batches within each worker's credit, only the sections a stage needs
//   - what is written: articles once, completions as eight bytes; what the journal may drop
// The rules of the articles are in queue.h, the journal's in journal.h.
//
// Writes that can fail are decided here: a batch that finds no room is tried again while the door is
// closed and the rest drains; a sync that fails stops the broker, for the kernel may have dropped the pages.
#ifndef COPYDESK_CORE_H
#define COPYDESK_CORE_H

#include "services/broker/journal.h"
#include "services/broker/queue.h"
#include "services/message.h"

struct core_config {
    struct queue_config queue;
    struct journal_config journal;
    uint64_t session; // names this run of the broker; another one after each start
    uint32_t heartbeat_ms;
    // Completions may wait so long for company on their way to disk; nobody waits for them. An article does not wait and
    // takes them along. 20 and not 5: 1.01 and not 1.28 syncs an article at 200/s (drawn at random, syncs of .3 ms).
    uint32_t gather_ms;
    uint32_t retry_ms;        // between attempts to write to a full disk
    uint32_t client_articles; // first grant to a client
    uint64_t client_bytes;    //
    size_t document_bytes;    // documents kept in memory; more are read back from the journal
    size_t section_bytes;     // sections in memory; above it no new article is begun
    size_t
        ahead_articles; // wait for a later stage, or for each sink: enough are under way, see handout.c
    size_t pending_bytes;   // on the way to disk; above it the door is closed
    uint64_t disk_bytes;    // of the journal; above it the door is closed
    uint32_t article_bytes; // largest document
    void (*log)(void *user, const char *sentence);
    void (*warn)(void *user, const char *sentence); // NULL: `log`
    // An article was handed to a stage after waiting in its line, or was complete (stage 0). NULL is fine.
    void (*observe)(void *user, uint32_t stage, uint8_t lane, int64_t waited_ms);
    void *user;
};

extern const struct core_config core_defaults;

enum action_kind {
    ACTION_SEND,   // frames to a peer; the performer takes the frames
    ACTION_COMMIT, // write and sync a batch, then core_committed or core_commit_failed
    ACTION_READ,   // read a record, then core_read
    ACTION_DROP,   // delete a segment
    ACTION_STOP,   // the broker cannot go on: end the process with this sentence
};

struct action {
    enum action_kind kind;
    uint64_t peer;
    struct frames frames;
    struct journal_commit commit;
    uint64_t handle;
    struct journal_place place;
    uint64_t segment;
    const char *sentence;
};

struct core;

// The graph is copied. NULL when memory ran out.
struct core *core_new(const struct graph *graph, const struct core_config *config);
void core_free(struct core *core);

// Reads the journal back: every article that was accepted and not completed stands before its first stage
// again. Before any event. Fails as journal_recover does.
MUST_CHECK enum status core_recover(struct core *core, const struct disk *disk, int64_t now_ms,
                                    struct journal_report *report, struct error *why);

// A message came from `peer` (any number that names the connection). The views are borrowed for the call.
void core_message(struct core *core, uint64_t peer, struct view envelope, struct view body,
                  int64_t now_ms);

// A send to `peer` found nobody: the connection is gone. What came over it before may wait to be read, a GOODBYE say, so
// the peer is given up by the next core_tick: let core_message have what there is first.
void core_unreachable(struct core *core, uint64_t peer);

// The batch of the last ACTION_COMMIT is on disk.
void core_committed(struct core *core, int64_t now_ms);

// How long that took, for `copydesk status`.
void core_synced(struct core *core, int64_t us);

// It is not. `no_room`: the write found no space and may be tried again; otherwise nothing can be trusted
// and the broker stops with `sentence`, which must live as long as the core.
void core_commit_failed(struct core *core, bool no_room, const char *sentence, int64_t now_ms);

// The record asked for by ACTION_READ at its place; an empty view when it could not be read.
void core_read(struct core *core, uint64_t handle, struct journal_place place, struct view record,
               int64_t now_ms);

// Time has passed. Call at least when core_next_ms says so: it tells the time by which there may be something to do, and
// costs the same however many peers there are.
void core_tick(struct core *core, int64_t now_ms);
int64_t core_next_ms(const struct core *core);

// The clock jumped by `by_ms` to `now_ms` since the last call: somebody set it. Who is silent, for how long, is not
// concerned; embargoes and deadlines follow the clock. Call before anything else is told the new time.
// A machine that wakes from sleep is such a jump too: compare with a clock that stands still meanwhile (CLOCK_MONOTONIC,
// not CLOCK_BOOTTIME). Nobody could be heard in the sleep, so nobody is given up for it; embargoes and deadlines that
// passed in it count at once.
void core_jump(struct core *core, int64_t by_ms, int64_t now_ms);

// Acts on what the events since the last turn have changed: answers, hands out work, commits.
void core_turn(struct core *core, int64_t now_ms);

// The next action, or false. Frames of an ACTION_SEND belong to the caller from then on.
bool core_take_action(struct core *core, struct action *action);

// Goes on with another pipeline and other limits. Taken over from `config`: the queue's as queue_configure does, document_bytes,
// section_bytes, article_bytes, disk_bytes. Articles under way go on as queue_reload says; workers of a stage that is gone are
// told so and forgotten. ERR_CONFIG as graph_reload, and nothing is changed.
MUST_CHECK enum status core_reload(struct core *core, const struct graph *graph,
                                   const struct core_config *config, int64_t now_ms,
                                   struct error *why);

// Begins to leave. Nothing new is accepted. Workers of inner stages are told GOODBYE, get no more and hand in what they
// have; sinks go on getting what is ready for them, so that no article leaves with one sink served and another not.
// Unfinished articles stay in the journal.
void core_drain(struct core *core, int64_t now_ms);

// True when a drained core has nothing under way: no leases, nothing for a sink that is there, nothing to write.
bool core_is_idle(const struct core *core);

// Tells everybody who is left GOODBYE: the last actions before the end.
void core_leave(struct core *core, int64_t now_ms);

// The state as one JSON object, as `copydesk status --json` prints it.
void core_status(const struct core *core, int64_t now_ms, struct buf *out);

// Numbers for whoever watches.
struct core_numbers {
    uint64_t journal_bytes, pending_bytes;
    size_t document_bytes, section_bytes;
    uint64_t outcomes[WIRE_DONE]; // of PUT, by enum wire_outcome
    uint64_t complete, superseded, dead, kills;
    uint32_t workers[WIRE_STAGE_LIMIT]; // connected, by stage number - 1
    const char *closed;                 // why the door is closed, or NULL
    const char *starving; // a stage with articles and without workers, or NULL; borrowed
};

// The numbers of now, and the pipeline, which is borrowed from the core.
struct core_numbers core_numbers(const struct core *core);
const struct graph *core_graph(const struct core *core);

// Where the article's record lies in the journal.
struct journal_place core_place(const struct queued_article *article);

// For tests and checkers.
const struct queue *core_queue(const struct core *core);
void core_check(const struct core *core);

#endif
