// The rules: what happens to an article between the door and the last sink. A pure state machine: no
// I/O, no clock (time is an argument), no bodies (the caller hangs them on `holding`).
//
// An article that was put has one **task** for each stage it stands before. A task is
//
//     READY    in the line of its stage and lane
//     DELAYED  until a time: a retry backing off, or a sink's task under embargo
//     LEASED   handed to a holder (a worker), with an attempt number as fencing token
//
// and gone when its stage is done. A lease lasts while its holder is heard of; when the holder falls silent
// or dies, its tasks return to the head of their lines. Every hand-out raises the attempt, and only the
// latest attempt may complete, fail or return a task.
//
// An article leaves in one of three ways, all through queue_take_ended: complete (every sink has it),
// superseded (a newer version or a kill came), dead (shelved with a reason; it stays in the queue as a
// dead letter until revived or discarded).
//
// Invariants (queue_check): each live article has exactly one task for each stage whose needs are met and that
// is not in `done`, and no other; a task is in exactly one of line, heap or lease; a leased task
// has a holder; counts agree with the lists.
#ifndef COPYDESK_QUEUE_H
#define COPYDESK_QUEUE_H

#include "common/view.h"
#include "services/broker/graph.h"

struct queue_config {
    uint32_t lease_ms;         // a holder silent for so long has lost its tasks
    uint32_t max_failures;     // failed so often at one inner stage: dead letter
    uint32_t max_deaths;       // so many holders died with this task alone in hand: dead letter
    uint32_t backoff_first_ms; // doubles with each failure, +- a quarter of jitter
    uint32_t backoff_limit_ms;
    size_t max_articles; // live and dead together; above it queue_put says FULL
    size_t remembered;   // ids of ended articles kept for dedupe, the oldest forgotten first
    uint64_t seed;       // of the jitter
};

// Sensible values: lease 10 s, 5 failures, 2 deaths, backoff 1 s to 60 s, 4 M articles, 200,000 ids.
extern const struct queue_config queue_defaults;

enum task_state { TASK_READY, TASK_DELAYED, TASK_LEASED };

enum article_state { ARTICLE_LIVE, ARTICLE_DEAD, ARTICLE_ENDED };

enum ending { ENDED_COMPLETE, ENDED_SUPERSEDED, ENDED_DEAD };

// Why an article was shelved. Text is terminated and cut to fit.
struct dead_letter {
    uint32_t stage; // number
    uint32_t attempts;
    int64_t at_ms;
    char worker[64];
    char reason[256];
};

// What is known of an id: the latest version that was accepted.
struct story {
    uint64_t key[2];
    uint64_t version;
    uint64_t content_hash;
    uint32_t evidence; // the caller's: where the journal knows it from
    bool canceled;     // killed: no later version revives it
    bool live;         // this is the head of a struct queued_article
};

// What only some articles have.
struct article_extra {
    int64_t deadline_ms, embargo_ms; // 0: none
    struct dead_letter *dead;        // when state is ARTICLE_DEAD
    uint32_t skipped;                // stages given up at the deadline; they are in `done` too
    uint32_t rounds;                 // how often it began again after being parked
};

// A million articles may wait, so an article and its task are kept narrow: what links them is a number of four bytes
// (pool.h) that queue_task and the like follow. An article that waits for its first stage takes here
//
//     88 article + 40 task + 2 * 8 slots of the tables (at half their load) = 144 bytes
struct queued_article {
    struct story story; // first: while the article lives its story is found here
    uint64_t handle;
    int64_t accepted_ms;
    void *holding;               // the caller's: document, sections
    struct article_extra *extra; // NULL: nothing, see queue_extra
    uint32_t done;               // stages whose section is there, or that need not run
    uint32_t tasks;              // the first of them, see queue_task; 0: none
    uint32_t next_ended;         // see queue_take_ended
    uint8_t lane, pubstatus;
    uint8_t state;      // enum article_state
    uint8_t ending : 2; // enum ending
    uint8_t listed : 1; // waits in queue_take_ended
    uint8_t again : 1;  // see struct queue_put
    uint8_t parked : 1; // see queue_park
    uint8_t unsafe : 3; // so many of its records are not on disk yet, see struct queue_put
};

struct article_task {
    struct queued_article *article;
    int64_t since_ms;        // when it became ready, or is due
    uint32_t previous, next; // in a line or in a holder's list
    uint32_t sibling;        // the article's next task
    uint32_t holder;         // when leased
    uint32_t attempt;
    uint8_t stage; // number
    uint8_t failures, deaths;
    uint8_t state : 4;   // enum task_state
    uint8_t suspect : 1; // was in a dead holder's hands with others: run it alone
};

struct queue;

// The graph is borrowed. NULL when memory ran out.
struct queue *queue_new(const struct graph *graph, const struct queue_config *config);
void queue_free(struct queue *queue, void (*free_holding)(void *holding));

struct queue_put {
    uint64_t handle; // unique, rising
    uint64_t key[2];
    uint64_t version;
    uint64_t content_hash;
    int64_t deadline_ms, embargo_ms; // 0: none
    uint8_t lane;                    // enum wire_lane
    uint8_t pubstatus;               // enum wire_pubstatus; WIRE_CANCELED is a kill
    bool again;                      // run this version again if it has ended, whatever its content
    bool unsafe;                     // not on disk yet: no sink gets it before queue_confirm
    bool asleep; // out of a journal that may say more of it: no task before queue_wake
};

// What queue_put would answer, short of memory running out.
enum wire_outcome queue_judge(const struct queue *queue, const struct queue_put *put);

// Accepts an article, or says why not, as an ACK does: WIRE_ACCEPTED, WIRE_DUPLICATE, WIRE_STALE,
// WIRE_CONFLICT, WIRE_BUSY. `*out` is the article when it was accepted. An older version still under way
// ends as superseded. A kill skips the inner stages and goes to every sink in the flash lane.
//
// With `again` the latest version is accepted once more: WIRE_DUPLICATE while it is under way or a dead letter, WIRE_STALE
// when a newer one or a kill is known. It keeps the content hash of before, so that its sender's copy stays a duplicate.
enum wire_outcome queue_put(struct queue *queue, const struct queue_put *put, int64_t now_ms,
                            struct queued_article **out);

// What was not on disk of an article when it was put or revived is there now. When that is all, sinks may have it. What they got
// before, a crash could take back: an older version, or a killed story, would come after it. Called once for each time that
// the article was put or revived as unsafe. Does nothing when it has ended.
void queue_confirm(struct queue *queue, uint64_t handle, int64_t now_ms);

// Opens the tasks of the articles that were put asleep and still live, in the order they were put. False when memory ran
// out: some have none.
bool queue_wake(struct queue *queue, int64_t now_ms);

// Remembers an id from an earlier life of the broker, without an article.
void queue_remember(struct queue *queue, const struct story *story);

// Hands the next task of `stage` to `holder` (any number the caller chooses, kept while it is in use).
// NULL when nothing is ready, or when the holder works on a suspect. Lanes share by weight, flash first.
struct article_task *queue_lease(struct queue *queue, uint32_t stage, uint64_t holder,
                                 int64_t now_ms);

// A task as its holder knows it.
struct queue_claim {
    uint64_t holder, handle;
    uint32_t stage, attempt;
};

// True when the holder has this task of the article, which is that of the claim or NULL: it may answer.
bool queue_holds(const struct queue *queue, const struct queued_article *article,
                 const struct queue_claim *claim);

// The caller has no room for what the stages made of an article that waits for sinks: before it is handed to one it goes
// through the stages again. False, and nothing is changed, unless each of its tasks stands before a sink of the set `idle` or
// is delayed beyond `until_ms`, or when memory ran out. At most 255 times; its attempts go on from 256 * how often, so that
// late answers are refused.
bool queue_park(struct queue *queue, struct queued_article *article, uint32_t idle,
                int64_t until_ms);

// How many tasks of `stage` are ready now.
size_t queue_ready(const struct queue *queue, uint32_t stage);

// The holder is alive: its leases run for another lease_ms.
void queue_renew(struct queue *queue, uint64_t holder, int64_t now_ms);

// Who gave a task back undone, and why: for the dead letter it may become.
struct queue_blame {
    struct view worker, reason;
};

// A holder gives a task back:
//     WIRE_DONE     the stage is done
//     WIRE_RETRY    not now: again after a pause; too often, and it is shelved, but not before a sink
//     WIRE_CRASHED  the same for a task that ends its holder: counts as one of max_deaths
//     WIRE_REJECT   never: shelved
//     WIRE_RETURN   not begun: to the head of its line
// False, and nothing changes, when it does not hold the task in this attempt: the answer comes from an expired lease and is
// refused. `blame` is not read when the task is done or returned.
bool queue_answer(struct queue *queue, const struct queue_claim *claim, enum wire_outcome outcome,
                  const struct queue_blame *blame, int64_t now_ms);

// True when a task of the article waits for that stage and nobody has it.
bool queue_waits(const struct queue *queue, const struct queued_article *article, uint32_t stage);

// A section of another stage came along with one that was completed. False, and nothing changes, unless a task of the article
// waits for that stage and nobody has it.
bool queue_supply(struct queue *queue, uint64_t handle, uint32_t stage, int64_t now_ms);

// The holder is gone. Tasks it held return; with `died`, they are suspects: each is run alone, and one
// that was alone in the hands of max_deaths dead holders is shelved.
void queue_lose(struct queue *queue, uint64_t holder, bool died, int64_t now_ms,
                struct view worker);

// The graph was reloaded (graph_reload). Articles that are not at their sinks yet get the new stages, those that are do without;
// tasks of stages out of use end, and their holders are told (queue_take_canceled). An article with nothing left to do is
// complete. Linear in the articles.
void queue_reload(struct queue *queue, int64_t now_ms);

// Limits and pauses from now on: max_failures, max_deaths, backoff_first_ms, backoff_limit_ms.
void queue_configure(struct queue *queue, const struct queue_config *config);

// Time passes: leases expire, delays end, deadlines skip inner stages, embargoes open; tasks that memory was short for are made.
// Returns how many holders were given up.
size_t queue_tick(struct queue *queue, int64_t now_ms);

// The clock that all times come from jumped by `by_ms` (below zero: back) to `now_ms`. Leases, pauses and waits keep
// the length that is left of them; embargoes and deadlines are moments of the clock and stay, also one
// that had opened already and is ahead again. Linear in the articles; not for small steps.
void queue_jump(struct queue *queue, int64_t by_ms, int64_t now_ms);

// When queue_tick may have something to do next, or INT64_MAX: never later than it has, but sooner when a lease was renewed
// since the last call that looked at all. Constant time.
int64_t queue_next_ms(const struct queue *queue);

// The next article that ended since the last call, or NULL; `article->ending` says how. The caller frees
// `holding` and calls queue_forget, except for ENDED_DEAD, which stays.
struct queued_article *queue_take_ended(struct queue *queue);

// A task that was taken away from its holder: its article was superseded or passed its deadline.
struct canceled {
    uint64_t holder, handle;
    uint32_t attempt, stage;
};

// The next task taken away since the last call; false when there is none. Telling the holder spares it work and keeps an
// older version from being run after a newer one; its answer would be refused anyway.
bool queue_take_canceled(struct queue *queue, struct canceled *out);

// Frees an ended article. Its id stays known.
void queue_forget(struct queue *queue, struct queued_article *article);

// The article with this handle, or NULL; live or dead.
struct queued_article *queue_find(const struct queue *queue, uint64_t handle);

// What only some articles have, borrowed; all 0 for the others.
const struct article_extra *queue_extra(const struct queued_article *article);

// The article's task for `stage`, or NULL.
struct article_task *queue_task(const struct queue *queue, const struct queued_article *article,
                                uint32_t stage);

// True when a stage was done or is under way: the article will soon be needed again.
bool queue_is_begun(const struct queue *queue, const struct queued_article *article);

// What is known of an id, or NULL. While `live` it is the head of its struct queued_article.
const struct story *queue_find_story(const struct queue *queue, const uint64_t key[2]);

// The article that is the latest version of an id, live or dead, or NULL.
struct queued_article *queue_head(const struct queue *queue, const uint64_t key[2]);

// A sink has the article, as the journal says: it does not get it again. When no other sink is left it is complete. Does
// nothing unless the article lives and `stage` is a sink.
void queue_deliver(struct queue *queue, uint64_t handle, uint32_t stage);

// Shelves a live article, as when the journal says it was dead.
void queue_shelve(struct queue *queue, struct queued_article *article,
                  const struct dead_letter *why);

// Puts a dead letter back before the stages it has not done; `unsafe` as in struct queue_put. False, and nothing changes, when
// `handle` is none, or when it was revived as unsafe so often that queue_confirm must come first.
bool queue_revive(struct queue *queue, uint64_t handle, bool unsafe, int64_t now_ms);

// Ends an article whatever its state, as superseded: a discarded dead letter, or one the journal says is done.
bool queue_discard(struct queue *queue, uint64_t handle);

// Walks over all articles: start with `*at` = 0; NULL at the end.
struct queued_article *queue_next(const struct queue *queue, size_t *at);

// Walks over the stories whose article has ended: start with `*at` = 0; NULL at the end.
struct story *queue_next_memory(struct queue *queue, size_t *at);

struct queue_counts {
    size_t live, dead, remembered;
    uint64_t expired_leases; // tasks that came back from silent holders, ever
    uint64_t refused;        // late answers, ever
    uint64_t superseded, stale, duplicates;
    struct {
        size_t ready[WIRE_LANE_COUNT];
        size_t timed; // of these, with a deadline
        size_t delayed, leased;
        size_t dead_now; // dead letters of this stage
        uint64_t done, failed, dead;
    } stages[WIRE_STAGE_LIMIT]; // index: number - 1
};

// The counts of now, borrowed from the queue.
const struct queue_counts *queue_counts(const struct queue *queue);

// Since when the oldest ready task of `stage` waits, or 0.
int64_t queue_oldest_ms(const struct queue *queue, uint32_t stage);

// Asserts every invariant. Linear in everything; for tests and debug builds.
void queue_check(const struct queue *queue);

#endif
