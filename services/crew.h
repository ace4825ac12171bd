// Several threads work on a stream of jobs; the results come back in the order the jobs went in.
//
// The jobs lie in a ring that the caller owns. One thread, the caller's, fills a slot and submits it; a worker takes it;
// whoever finishes the oldest open job hands it and all finished ones behind it to `done`, one at a time.
// The ring bounds the memory: when it is full, crew_slot waits. So a slow reader of the results slows the source.
//
//     slot = crew_slot(crew);      // waits for room
//     fill(&jobs[slot]);
//     crew_submit(crew, true);     // true: a worker must `work` on it; false: it only takes its place in line
//     ...
//     crew_close(crew);            // waits until all are done
//
// The first CREW_INLINE jobs run in the caller's thread: threads cost more than a single article.
#ifndef COPYDESK_CREW_H
#define COPYDESK_CREW_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>

enum { CREW_INLINE = 4, CREW_WORKER_LIMIT = 256 };

struct crew_plan {
    size_t workers; // threads, 1..CREW_WORKER_LIMIT; with 1 everything runs in the caller's thread
    size_t slots;   // size of the ring
    void *context;
    void (*work)(void *context, size_t worker,
                 size_t slot); // several at once, one per worker and slot
    // In order, never two at once. `more` tells that another finished job follows at once.
    void (*done)(void *context, size_t slot, bool more);
};

struct crew;

// ERR_MEMORY. Starts no threads yet; when they cannot be started later, the caller's thread does the work.
MUST_CHECK enum status crew_open(struct crew **out, const struct crew_plan *plan,
                                 struct error *why);

// The slot to fill next; waits until it is free.
size_t crew_slot(struct crew *crew);

// Submits the slot that crew_slot gave.
void crew_submit(struct crew *crew, bool needs_work);

// Waits for all jobs, ends the threads and frees. NULL is fine.
void crew_close(struct crew *crew);

#endif
