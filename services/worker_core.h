// What a worker or sink decides: which article to run next, what to tell the broker and when.
//
// Pure: no sockets, threads or clocks. Events go in through the functions below, worker_core_next says what is to be done. The shell
// (worker.c, export) and the simulator drive the same code. Times are monotonic milliseconds.
//
//     worker_core_message(core, now_ms, envelope, body);
//     while ((type = worker_core_next(core, now_ms, &action)) != WORKER_WAIT) { do it }
//
// Rules it keeps
//   - The broker's articles are copied when they come, a message at once, and wait here until a slot is free, the most urgent lane first.
//   - Results share messages: they wait while articles lie here that have not begun, for at most WORKER_HOLD_MS, those of flash
//     and urgent articles a millisecond, and what is not done not at all. Each message gives the broker back the credit of the articles it settles, as far as the pace wants it.
//   - A sink's results wait for company though nothing can be run (`gather_ms`): no article waits for them. A message costs
//     its two processes and the broker a dozen switches between threads, at 500 articles/s a twelfth of an article's whole way.
//   - Work and results of an earlier epoch (session.h) are dropped: the broker has taken them back, and
//     whoever has the article now holds a higher attempt number.
//   - A worker may run further stages along with its own, where the broker's pipeline allows: it saves handing the article
//     round. Only at the first attempt: what went wrong once is done step by step, so that the broker learns which stage it is.
//   - Draining: what has not begun is returned at once, what has begun is finished, then GOODBYE.
//   - The same when the broker says GOODBYE; after ours a broker is looked for again, after a pause.
//
// Memory: `credit_bytes` and one article, as the broker keeps to the grant, and of a message (at most 256 KB and one article)
// what was settled before the last of its articles; more than `credit_count` articles are returned unread.
#ifndef COPYDESK_WORKER_CORE_H
#define COPYDESK_WORKER_CORE_H

#include "services/session.h"

enum {
    WORKER_ALONG_LIMIT = 16,
    WORKER_HOLD_MS =
        5, // a tenth of what lies here in work (worker_pace_for): nobody runs dry of it
};

struct worker_config {
    const char *name;  // for people, in logs and dead letters
    const char *stage; // serves the queue of this name
    const char *stage_version;
    const char *along[WORKER_ALONG_LIMIT +
                      1]; // stages that could be run along, in the order of running; ends with NULL
    uint32_t slots;       // articles that run at the same time
    uint32_t credit_count; // articles the broker may have out here, running ones included
    uint64_t credit_bytes;
    uint64_t seed;
    // So long a result may wait for others, and as long again until something else is to be done; less when half of the
    // grant is here. 0: not at all, as for a stage, behind which the article itself waits.
    uint32_t gather_ms;
};

// For a sink: the broker lets completions wait several times as long on their way to disk.
enum { WORKER_SINK_GATHER_MS = 5 };

// A section of an article that was handed out; WIRE_DOCUMENT comes first.
struct worker_section {
    uint16_t stage;
    struct view bytes;
};

// An article on lease. The core owns it; between WORKER_RUN and worker_core_finished the shell may read it and
// writes the last four members.
struct worker_article {
    struct worker_article *next;
    struct wire_item item; // handle, attempt, version, lane, pubstatus, times, trace
    struct view id;
    struct worker_section *sections;
    size_t section_count;
    struct worker_parcel *parcel; // the memory it lies in
    uint64_t bytes;               // of credit: id and sections
    uint64_t epoch;
    int64_t received_ms, begun_ms;
    uint32_t along; // bit i: run config.along[i] too
    size_t stage;   // the shell's: which stage is being run

    enum wire_outcome outcome; // DONE, RETRY, REJECT, RETURN or CRASHED
    char *result;              // the section, or a sentence; from malloc, taken; NULL is fine
    size_t result_len;
    size_t along_len
        [WORKER_ALONG_LIMIT]; // the sections of stages that were run along stand behind it; 0: none
};

struct worker_list {
    struct worker_article *first, **last;
    uint32_t len;
};

// First in, first out; linked through `next`. Pop gives NULL when it is empty.
void worker_list_init(struct worker_list *list);
void worker_list_push(struct worker_list *list, struct worker_article *article);
struct worker_article *worker_list_pop(struct worker_list *list);

// How much a worker holds, for `threads` that take `article_us` an article; 0: not known yet.
struct worker_pace {
    uint32_t slots;  // handed to the threads, running ones included
    uint32_t credit; // of the broker's here, those included
};

// Enough that threads never wait: before each thread 20 ms of work, at least one article, so that the loop may be late when
// others have its processor; in the whole process 50 ms of work, so that the broker may be, but no more than two full
// messages for each thread. The less a worker holds, the more is left to others. An urgent article passes all that has not
// begun, once there is room before the threads.
struct worker_pace worker_pace_for(uint32_t threads, int64_t article_us);

struct worker_counts {
    uint64_t received, done, retried, rejected, returned, crashed;
    uint64_t canceled; // of the returned: the broker asked
    uint64_t fenced;   // dropped because their session was over
};

struct worker_core {
    struct worker_config config;
    char along_names[256];                      // of config.along, as HELLO has them
    uint16_t along_numbers[WORKER_ALONG_LIMIT]; // the broker's, of those it wants; 0 for others
    struct session session;
    uint64_t epoch;                            // of what is held
    struct worker_list lanes[WIRE_LANE_COUNT]; // not begun
    struct worker_list settled;                // to be told
    int64_t settled_ms;                        // since when the first of them waits
    int64_t settled_due_ms;                    // when they go out though there is more to run
    uint32_t waiting, running;
    uint32_t held; // of this epoch: waiting, running or settled
    uint32_t lent; // articles the broker may have out here; moves towards config.credit_count
    uint64_t held_bytes;
    bool draining, said_goodbye;
    bool dismissed; // the broker leaves: what is held is handed in, then another is looked for
    bool starved;   // memory was missing for an article or for results
    struct worker_counts counts;
};

// Starts with no article and no connection.
void worker_core_init(struct worker_core *core, const struct worker_config *config, int64_t now_ms);

// Frees everything held. No article may be running.
void worker_core_clear(struct worker_core *core);

// Events.
void worker_core_link(struct worker_core *core, int64_t now_ms, bool up);
void worker_core_message(struct worker_core *core, int64_t now_ms, struct view envelope,
                         struct view body);

// An article has run: `outcome` and `result` are set. Takes it.
void worker_core_finished(struct worker_core *core, int64_t now_ms, struct worker_article *article);

// From now on holds so much. What the broker may have out here follows with the results: a grant cannot be taken back.
void worker_core_pace(struct worker_core *core, struct worker_pace pace);

// Begins to leave.
void worker_core_drain(struct worker_core *core, int64_t now_ms);

enum worker_action_type {
    WORKER_WAIT, // nothing before worker_core_deadline
    WORKER_SEND, // send `frames`; they are the caller's. When that fails: worker_core_link(.., false)
    WORKER_RECONNECT, // new socket, then worker_core_link(.., true) when it is connected
    WORKER_RUN,       // run `article` and give it back with worker_core_finished
    WORKER_STOPPED,   // drained, or refused by the broker (session.state, session.why)
};

struct worker_action {
    struct frames frames;
    struct worker_article *article;
};

// What is to be done now; call until it says WAIT or STOPPED.
enum worker_action_type worker_core_next(struct worker_core *core, int64_t now_ms,
                                         struct worker_action *action);

// When worker_core_next wants to be called again though nothing came, in ms of the clock it is given.
int64_t worker_core_deadline(const struct worker_core *core);

#endif
