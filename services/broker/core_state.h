// The core's state, and what its parts offer each other. Nobody outside of the core looks inside:
//
//     core.c       peers, messages, time
//     core_acts.c  actions and messages out; what happens when an article ends
//     intake.c     the door: PUT and ACK
//     handout.c    WORK and RESULT
//     keep.c       recovery, commits, segments
//     progress.c   which sinks have an article
//     watch.c      stages without workers
//     answer.c     the operator's commands; dlq.c and trail.c: those about articles
#ifndef COPYDESK_CORE_STATE_H
#define COPYDESK_CORE_STATE_H

#include "services/broker/core.h"
#include "services/broker/holding.h"
#include "services/broker/index.h"

enum {
    CORE_WORKER_LIMIT = 1024,
    PATIENCE_LIMIT_MS = 1000, // of a client
    CORE_SYNC_SAMPLES = 128,  // the last commits, for the operator
    CORE_STARVED_BYTES = 160, // of a sentence
};

// Someone who said HELLO over a connection.
struct peer {
    uint64_t number;
    uint8_t role;          // enum wire_role
    uint32_t stage;        // a worker's
    uint32_t could, along; // set of further stages it could run along, and of those it was told to
    uint32_t credit_articles; // a worker: may be sent so many more
    int64_t credit_bytes;     // below zero by what the last article overdrew
    int64_t heard_ms, sent_ms, joined_ms;
    bool is_gone;         // a send found nobody, or it is dropped; given up by the next core_tick
    bool is_dropped;      // see core_drop
    uint32_t patience_ms; // a client's: its acceptances may wait so long for company
    uint64_t messages;    // sent to it
    uint64_t done;        // articles it completed
    uint32_t name_number; // a worker: of its name in the archive
    char name[64];
    char stage_version[32];
};

// An acknowledgement that waits for the journal.
struct ack {
    uint64_t peer;
    uint64_t reference; // the client's number of the article
    uint64_t version;
    size_t bytes; // credit to give back
    uint64_t safe_at;
    uint8_t outcome;
    const char *sentence; // of a refusal, or NULL
};

// An article whose record is on its way to disk: sinks do not get it before.
struct unsafe {
    uint64_t handle;
    uint64_t safe_at; // position in the journal
};

// A sink has an article that lives on, for another sink has not.
struct delivery {
    uint64_t handle;
    int64_t at_ms;
    uint32_t stage;
};

// A leased task that waits for its document to be read.
struct load {
    uint64_t handle;
    uint32_t attempt;
    uint32_t stage;
    uint64_t peer;
};

// An operator who waits to see a dead letter whose document is being read.
struct show {
    uint64_t handle;
    uint64_t peer;
};

// An operator who waits until an edited document is on disk.
struct edit {
    uint64_t handle;
    uint64_t peer;
    uint64_t safe_at; // position in the journal
};

// First in, first out.
struct list {
    void *at;
    size_t first, end, room;
};

struct core {
    struct graph graph;
    struct core_config config;
    struct queue *queue;
    struct journal *journal;
    struct message message; // being built; one at a time
    struct index peers;
    int64_t peers_due_ms; // no peer is given up or wants a heartbeat before
    struct peer *workers[CORE_WORKER_LIMIT];
    uint32_t worker_count;
    uint32_t turn; // where dispatch starts next
    uint64_t next_handle;
    struct list actions; // struct action
    struct list acks;    // struct ack
    int64_t
        acks_since_ms; // since when the first that could be sent waits for company; 0: none does
    uint32_t acks_wait_ms; // how long it may
    struct list unsafe;    // struct unsafe
    struct list delivered; // struct delivery; what is not written yet
    bool deliveries_lost;  // some are missing there: memory ran out
    struct list loads;     // struct load
    struct list shows;     // struct show
    struct list edits;     // struct edit
    struct holdings holdings;
    struct archive *archive;
    size_t document_bytes, section_bytes;
    uint64_t dropping; // segment that goes when the journal is durable up to `drop_at`; 0: none
    uint64_t drop_at;  // 0: not all is written elsewhere that must stay
    uint64_t moving;   // segment whose stragglers are being written again
    int64_t gather_since_ms;
    int64_t retry_at_ms;
    bool disk_full, draining;
    uint64_t kills;               // accepted
    uint64_t unreadable;          // messages
    uint64_t outcomes[WIRE_DONE]; // of PUT, by enum wire_outcome
    struct {
        uint64_t complete, superseded, dead;
    } ended;
    int64_t started_ms;
    uint32_t sync_us[CORE_SYNC_SAMPLES]; // commit i at i % CORE_SYNC_SAMPLES
    uint64_t sync_count;
    int64_t watched_ms;
    int64_t parked_ms; // when keep_park last looked
    struct {
        int64_t since_ms; // has work and no worker; 0: has not
        bool told;
    } starved[WIRE_STAGE_LIMIT];
    char starving[CORE_STARVED_BYTES]; // the first stage that starves, or ""
    const char
        *stopped_by; // the sentence of an ACTION_STOP that is due, or NULL; it takes no memory
};

// --- core_acts.c

// Room for one more of `size` bytes in a list that is filled at its end and emptied from its front; NULL
// when memory ran out. After core_list_reserve, which says false then, the next push finds room.
void *core_list_push(struct list *list, size_t size);
bool core_list_reserve(struct list *list, size_t size);

// Hands an action to the shell. False when memory ran out.
bool core_act(struct core *core, const struct action *action);

// Has the shell end the process, behind all other actions.
void core_stop(struct core *core, const char *sentence);

// There is no memory for what the peer must be told. Its session ends: with its next message, a heartbeat say, it learns that
// it has to say HELLO again, and sends again what has no answer. What it held returns, and nobody is blamed.
void core_drop(struct core *core, struct peer *peer);

// Ends the message being built and sends it. Without memory for it the peer is dropped.
void core_send(struct core *core, struct peer *peer, int64_t now_ms);
void core_send_error(struct core *core, uint64_t number, enum wire_error code,
                     const char *sentence);

// A line for the log.
__attribute__((format(printf, 2, 3))) void core_say(struct core *core, const char *format, ...);

// The same for what somebody should see to.
__attribute__((format(printf, 2, 3))) void core_warn(struct core *core, const char *format, ...);

// Tells whoever measures that an article waited: for a stage, or (0) for its completion.
void core_observe(struct core *core, uint32_t stage, uint8_t lane, int64_t waited_ms);

// The peer of this connection, or NULL when it has not said HELLO.
struct peer *core_find_peer(const struct core *core, uint64_t number);

static inline struct holding *core_holding(const struct queued_article *article)
{
    return article->holding;
}

// Notes where the article's record lies, for core_place.
void core_set_place(struct queued_article *article, struct journal_place place);

// Takes what a holding has in memory into the sums, or out of them: out before it changes, in after.
void core_count_bytes(struct core *core, const struct holding *holding, bool in);

// Frees an article that ended.
void core_let_go(struct core *core, struct queued_article *article);

// Writes what the numbers of stages mean: they may mean something else after the next start. False when memory ran out.
bool core_append_pipeline(struct core *core, int64_t now_ms);

// A dead letter begins with the first stage again when it is revived, and keeps nothing in memory but its id.
void core_bury(struct core *core, struct queued_article *article);

// Writes why an article is a dead letter, and before it the names of the stages. Without memory it runs again after a restart.
void core_append_dead(struct core *core, const struct queued_article *article, int64_t now_ms);

// Sees to the articles that ended since the last call: their DONE or DEAD goes to the journal.
void core_settle_ended(struct core *core, int64_t now_ms);

// --- intake.c

// Why nothing is accepted now, or NULL.
const char *intake_closed(const struct core *core);

// Bytes of the journal that the record of an article with this id and document takes.
size_t intake_record_bytes(struct view id, struct view document);

// Writes the article's record; its holding learns where.
bool intake_append(struct core *core, struct queued_article *article,
                   const struct holding_trace *trace, struct view document, int64_t now_ms);

// Takes the articles of a PUT in, or not; each is owed an acknowledgement.
void intake_take_put(struct core *core, struct peer *peer, const struct wire_message *message,
                     int64_t now_ms);

// Sends the acknowledgements whose articles are on disk, or lets them wait for company.
void intake_send_acks(struct core *core, int64_t now_ms);

// --- handout.c

// Takes a worker's answers.
void handout_take_result(struct core *core, struct peer *peer, const struct wire_message *message,
                         int64_t now_ms);

// Tells holders what was taken away from them.
void handout_send_canceled(struct core *core, int64_t now_ms);

// Sends tasks whose documents have been read back.
void handout_send_loaded(struct core *core, int64_t now_ms);

// There is no memory for the document of this article: the workers that wait for it are dropped.
void handout_drop_load(struct core *core, uint64_t handle);

// Hands out what is ready, within each worker's credit.
void handout_dispatch(struct core *core, int64_t now_ms);

// The set of stages that somebody works at.
uint32_t handout_staffed(const struct core *core);

// --- watch.c

// Once a second: warns of stages whose articles nobody fetches, and says when that is over.
void watch_stages(struct core *core, int64_t now_ms);

// --- progress.c

// A sink has the article now, which lives on. When other sinks are without it for a second that is written, so that a restart
// does not deliver it again; most of the time they are not, and nothing is.
void progress_note(struct core *core, uint64_t handle, uint32_t stage, int64_t now_ms);
void progress_write(struct core *core, int64_t now_ms);

// When progress_write has something to do, or INT64_MAX.
int64_t progress_next_ms(const struct core *core);

// Without memory for some of it: looks for it in the articles. Linear in these, and rare.
void progress_find(struct core *core, int64_t now_ms);

// Writes it for an article whose record was just written again: what stands before that may go.
void progress_carry(struct core *core, const struct queued_article *article, int64_t now_ms);

// --- keep.c

// Makes sure that records of `bytes` together can be appended, and that an article can be kept from the sinks until they are on
// disk. False when memory ran out.
bool keep_reserve(struct core *core, size_t bytes, int64_t now_ms);

// Sinks get the article, which is unsafe, when all that was appended so far is on disk. After keep_reserve.
void keep_until_safe(struct core *core, uint64_t handle);

// Begins a commit when there is something to write and none is under way.
void keep_commit(struct core *core, int64_t now_ms);

// Gives up sections that wait for sinks when memory for them is short.
void keep_park(struct core *core, int64_t now_ms);

// Has the document of an article brought back to memory, unless that is under way: at once when its record is still
// on the way to disk, else by an ACTION_READ.
void keep_fetch(struct core *core, const struct queued_article *article);

#endif
