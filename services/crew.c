// Positions count up for ever; a position's slot is its remainder. The jobs form three runs in the ring:
//
//     oldest ...... taken ...... filled ...... oldest + slots
//     being worked  | waiting    | free
//
// `oldest` moves only in hand_back(), which one thread at a time runs (`handing`).
#include "services/crew.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct worker {
    struct crew *crew;
    size_t number;
    pthread_t thread;
};

struct crew {
    struct crew_plan plan;
    pthread_mutex_t lock;
    pthread_cond_t work_waits; // filled > taken, or closing
    pthread_cond_t slot_freed;
    size_t oldest, taken, filled;
    bool handing;
    bool closing;
    size_t running; // threads
    bool tried;     // to start them
    bool *finished; // per slot
    bool *idle;     // per slot: no work to do, only a place in line
    struct worker *workers;
};

enum status crew_open(struct crew **out, const struct crew_plan *plan, struct error *why)
{
    assert(plan->workers >= 1 && plan->workers <= CREW_WORKER_LIMIT);
    assert(plan->slots >= plan->workers);
    struct crew *crew = calloc(1, sizeof *crew);
    if (!crew) {
        return error_set(why, ERR_MEMORY, "no memory for %zu threads", plan->workers);
    }
    crew->plan = *plan;
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->work_waits, NULL);
    pthread_cond_init(&crew->slot_freed, NULL);
    crew->finished = calloc(plan->slots, sizeof *crew->finished);
    crew->idle = calloc(plan->slots, sizeof *crew->idle);
    crew->workers = calloc(plan->workers, sizeof *crew->workers);
    if (!crew->finished || !crew->idle || !crew->workers) {
        crew_close(crew);
        return error_set(why, ERR_MEMORY, "no memory for %zu threads", plan->workers);
    }
    *out = crew;
    return OK;
}

static bool is_finished(const struct crew *crew, size_t position)
{
    return position < crew->filled && crew->finished[position % crew->plan.slots];
}

// Gives all finished jobs at the front to `done`, without the lock while it writes. Called with the lock held.
static void hand_back(struct crew *crew)
{
    if (crew->handing) {
        return;
    }
    crew->handing = true;
    while (is_finished(crew, crew->oldest)) {
        size_t slot = crew->oldest % crew->plan.slots;
        bool more = is_finished(crew, crew->oldest + 1) && crew->plan.slots > 1;
        pthread_mutex_unlock(&crew->lock);
        crew->plan.done(crew->plan.context, slot, more);
        pthread_mutex_lock(&crew->lock);
        crew->finished[slot] = false;
        crew->oldest++;
        pthread_cond_broadcast(&crew->slot_freed);
    }
    crew->handing = false;
}

// Works on the next waiting job. Called with the lock held; gives it up meanwhile.
static void work_on_next(struct crew *crew, size_t worker)
{
    size_t slot = crew->taken++ % crew->plan.slots;
    if (!crew->idle[slot]) {
        pthread_mutex_unlock(&crew->lock);
        crew->plan.work(crew->plan.context, worker, slot);
        pthread_mutex_lock(&crew->lock);
    }
    crew->finished[slot] = true;
    hand_back(crew);
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    struct crew *crew = worker->crew;
    pthread_mutex_lock(&crew->lock);
    for (;;) {
        while (crew->taken == crew->filled && !crew->closing) {
            pthread_cond_wait(&crew->work_waits, &crew->lock);
        }
        if (crew->taken == crew->filled) {
            break;
        }
        work_on_next(crew, worker->number);
    }
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

static void start_threads(struct crew *crew)
{
    crew->tried = true;
    while (crew->running < crew->plan.workers) {
        struct worker *worker = &crew->workers[crew->running];
        *worker = (struct worker){.crew = crew, .number = crew->running};
        if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0) {
            break;
        }
        crew->running++;
    }
}

size_t crew_slot(struct crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    while (crew->filled - crew->oldest == crew->plan.slots) {
        pthread_cond_wait(&crew->slot_freed, &crew->lock);
    }
    size_t slot = crew->filled % crew->plan.slots;
    pthread_mutex_unlock(&crew->lock);
    return slot;
}

void crew_submit(struct crew *crew, bool needs_work)
{
    pthread_mutex_lock(&crew->lock);
    assert(crew->filled - crew->oldest < crew->plan.slots);
    crew->idle[crew->filled % crew->plan.slots] = !needs_work;
    crew->filled++;
    if (crew->plan.workers > 1 && crew->filled > CREW_INLINE && !crew->tried) {
        start_threads(crew);
    }
    if (crew->running > 0) {
        pthread_cond_signal(&crew->work_waits);
    } else {
        work_on_next(crew, 0);
    }
    pthread_mutex_unlock(&crew->lock);
}

void crew_close(struct crew *crew)
{
    if (!crew) {
        return;
    }
    pthread_mutex_lock(&crew->lock);
    crew->closing = true;
    pthread_cond_broadcast(&crew->work_waits);
    pthread_mutex_unlock(&crew->lock);
    for (size_t i = 0; i < crew->running; i++) {
        pthread_join(crew->workers[i].thread, NULL);
    }
    assert(crew->oldest == crew->filled);
    pthread_mutex_destroy(&crew->lock);
    pthread_cond_destroy(&crew->work_waits);
    pthread_cond_destroy(&crew->slot_freed);
    free(crew->finished);
    free(crew->idle);
    free(crew->workers);
    free(crew);
}
