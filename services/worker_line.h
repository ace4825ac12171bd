// A worker_core on a socket: performs what the core decides, keeps its timer, and says in the log and at /readyz
// why it is not connected. For every worker and sink of this program; runs in the thread of its loop.
#ifndef COPYDESK_WORKER_LINE_H
#define COPYDESK_WORKER_LINE_H

#include "common/log.h"
#include "common/ops.h"
#include "services/door.h"
#include "services/worker_core.h"

struct worker_line;

struct worker_line_config {
    uv_loop_t *loop;
    const char *broker; // its address
    struct worker_config worker;
    const struct log *log;
    struct ops *ops; // NULL is fine
    void *user;      // handed to the calls below

    // An article is to be run. Not before worker_line_finished has it back will it be answered.
    void (*on_run)(void *user, struct worker_article *article);

    // Before each turn: the place to hand in what has finished elsewhere. NULL is fine.
    void (*on_turn)(void *user);

    // The line has come to its end: OK when it was drained, else what the broker refused for (told in the log).
    // Called once; then only worker_line_close is left to do.
    void (*on_stopped)(void *user, enum status status);
};

// Opens the socket; the broker need not be up. Strings of the config are borrowed. ERR_USAGE for an address that is none.
MUST_CHECK enum status worker_line_open(struct worker_line **out,
                                        const struct worker_line_config *config, struct error *why);

// Closes the socket at once and gives up what is held; no article may be running. NULL is fine. The memory goes when the
// loop has run the close callbacks.
void worker_line_close(struct worker_line *line);

// An article has run; takes it. In the loop's thread.
void worker_line_finished(struct worker_line *line, struct worker_article *article);

// See worker_core_pace.
void worker_line_pace(struct worker_line *line, struct worker_pace pace);

// Begins to leave: on_stopped follows when what is running has finished.
void worker_line_drain(struct worker_line *line);

// on_turn will be called before the loop sleeps. From the loop's thread.
void worker_line_touch(struct worker_line *line);

// The same from any thread, and wakes the loop.
void worker_line_wake(struct worker_line *line);

// What it holds and counts, borrowed from the line.
const struct worker_core *worker_line_core(const struct worker_line *line);

#endif
