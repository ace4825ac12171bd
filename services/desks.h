// Threads that take turns at a libuv loop and at articles: a quick article is worked on by the thread that received it,
// without waking another; a slow one never keeps the loop waiting.
//
// One thread more than there are desks. One of them, the host, runs the loop; the others sleep or work at a desk. Whoever
// works needs a desk, so never more than `count` articles are under way. When the loop has handed in articles whose expected
// time together is below DESKS_QUICK_US and a desk is free, the host works on them itself between two turns of the
// loop; else it wakes others. When an article takes the host longer than expected, the watchdog takes the loop away from it and
// another thread becomes host.
//
//     waking a thread for each article and the loop for each result cost two of five sleeps an article at low rate; under load
//     it took 14 system calls an article to wake the loop for each result, and 6 to wake it when work runs short
//
// The loop and what hangs on it (sockets too) therefore move between threads, one at a time, with a mutex in between.
// While nothing is under way, no thread wakes.
#ifndef COPYDESK_DESKS_H
#define COPYDESK_DESKS_H

#include "common/status.h"
#include "services/worker_core.h"

#include <uv.h>

enum {
    DESKS_LIMIT = 256,
    DESKS_SHORT_US = 10000,   // less work before each desk is short
    DESKS_QUICK_US = 1000,    // a host works on so much between two turns of the loop
    DESKS_PATIENCE_US = 50000 // a host that is longer at an article loses the loop
};

struct desks_plan {
    size_t count;    // 1..DESKS_LIMIT
    uv_loop_t *loop; // borrowed
    void *user;      // handed to the calls below

    // Works on an article at desk `desk`; several at once, one at each desk.
    void (*work)(void *user, size_t desk, struct worker_article *article);

    // Something is ready, and the loop should see to it: few articles are left before the desks, or it is an urgent one. Once until
    // desks_take_ready. `in_loop`: in the thread that has the loop, which will not sleep before its next turn if this touches
    // it; else from any thread, to wake the loop.
    void (*ready)(void *user, bool in_loop);

    // The work on an article crashed, or took longer than `limit_us` and was stopped (CRASH_STOP, see services/crash.h). Its
    // thread stands still and its desk is taken for good; the article comes back with those that are ready. Called in a
    // thread that is not the loop's. The process has to end soon.
    int64_t limit_us;
    void (*lost)(void *user, struct worker_article *article, int signal);
};

struct desks;

// Starts the threads. ERR_MEMORY, ERR_IO.
MUST_CHECK enum status desks_open(struct desks **out, const struct desks_plan *plan,
                                  struct error *why);

// Runs the loop until nothing is left in it; the caller's thread takes part.
void desks_run(struct desks *desks);

// Waits for the threads, after desks_run, and frees. What was never begun stays the caller's: take it before. After a loss
// the thread that stands still is left behind, with what it used. NULL is fine.
void desks_close(struct desks *desks);

// The rest is for the thread that has the loop.

// Hands in an article; the most urgent lane is begun first. The loop does not sleep before it has been dealt with.
void desks_add(struct desks *desks, struct worker_article *article);

// Everything that was worked on since the last call, newest first; NULL when there is nothing.
struct worker_article *desks_take_ready(struct desks *desks);

// An article that has not been begun, or NULL.
struct worker_article *desks_take_back(struct desks *desks);

// True when so many articles lie before the desks that what becomes ready is not told: look after some milliseconds.
bool desks_are_full(struct desks *desks);

// Microseconds an article of middle size took lately; 0 while none is known.
int64_t desks_article_us(struct desks *desks);

#endif
