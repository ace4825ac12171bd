#include "services/desks.h"

#include "common/clock.h"
#include "services/crash.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    WATCH_MS = 50,     // how often the watchdog looks while something is under way
    SMALL_BYTES = 512, // an article costs something even when it is empty
    FORGET = 16,       // an expectation that was too high sinks by this part of the difference
};

struct desk {
    struct worker_article *article; // NULL: free
    int64_t begun_us;
    pthread_t thread;
    atomic_int signal; // it crashed by this; set in the handler
    bool told_to_stop, lost;
};

struct desks {
    struct desks_plan plan;
    pthread_mutex_t lock; // for what follows
    pthread_cond_t changes;
    struct worker_list todo[WIRE_LANE_COUNT];
    size_t todo_len;
    uint64_t todo_bytes;
    struct worker_article *ready; // newest first
    bool told;                    // of these
    struct desk desk[DESKS_LIMIT];
    size_t free_count;
    double us_per_byte, article_us; // CPU time of articles lately; 0 while unknown
    uint64_t threads_named; // threads have numbers from 1, which is the caller's of desks_run
    uint64_t host;          // whose turn at the loop it is; 0: nobody's
    size_t host_desk;       // where the host works; DESKS_LIMIT: it does not
    bool ended;             // the loop has nothing left
    bool alarm_is_set;

    int alarm; // timerfd: wakes the watchdog
    pthread_t watchdog;
    bool has_watchdog;
    pthread_t threads[DESKS_LIMIT];
    size_t thread_count;
};

static uint64_t size_of(const struct worker_article *article)
{
    return article->bytes + SMALL_BYTES;
}

static void set_alarm(struct desks *desks, long nanoseconds)
{
    const struct itimerspec when = {.it_value = {.tv_nsec = nanoseconds}};
    int failed = timerfd_settime(desks->alarm, 0, &when, NULL);
    assert(!failed);
    (void)failed;
    desks->alarm_is_set = true;
}

// ---- At a desk. All of this with the lock held.

static struct worker_article *take_todo(struct desks *desks)
{
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        struct worker_article *article = worker_list_pop(&desks->todo[lane]);
        if (article) {
            desks->todo_len--;
            desks->todo_bytes -= size_of(article);
            return article;
        }
    }
    return NULL;
}

static size_t take_desk(struct desks *desks, struct worker_article *article)
{
    size_t i = 0;
    while (desks->desk[i].article) {
        i++;
    }
    assert(i < desks->plan.count);
    desks->desk[i] = (struct desk){
        .article = article, .begun_us = clock_monotonic_us(), .thread = pthread_self()};
    desks->free_count--;
    if (!desks->alarm_is_set) {
        set_alarm(desks, WATCH_MS * 1000000L);
    }
    return i;
}

// Expectations rise at once and sink slowly: one that is too high costs a wake-up, one that is too low keeps the loop waiting.
// CPU time, as the clock goes on while other programs have the processor.
static void learn(struct desks *desks, const struct worker_article *article, int64_t cpu_us)
{
    double us = cpu_us > 0 ? (double)cpu_us : 0.5;
    double cost = us / (double)size_of(article);
    bool rises = cost > desks->us_per_byte;
    desks->us_per_byte += (cost - desks->us_per_byte) / (rises ? 1 : FORGET);
    bool first = desks->article_us <= 0;
    desks->article_us += (us - desks->article_us) / (first ? 1 : FORGET);
}

// More than one for each desk, and enough that none stands idle until the loop comes, though others have its processor.
static bool is_full(const struct desks *desks)
{
    return desks->todo_len > desks->plan.count && desks->us_per_byte * (double)desks->todo_bytes >
                                                      (double)desks->plan.count * DESKS_SHORT_US;
}

static void tell_ready(struct desks *desks, bool in_loop)
{
    if (!desks->told) {
        desks->told = true;
        desks->plan.ready(desks->plan.user, in_loop);
    }
}

static void add_ready(struct desks *desks, struct worker_article *article, bool in_loop)
{
    article->next = desks->ready;
    desks->ready = article;
    if (in_loop || !is_full(desks) || article->item.lane <= WIRE_URGENT) {
        tell_ready(desks, in_loop);
    }
}

// Works on the next article, without the lock meanwhile.
static void work_on_next(struct desks *desks, uint64_t self)
{
    struct worker_article *article = take_todo(desks);
    size_t desk = take_desk(desks, article);
    desks->host_desk = desks->host == self ? desk : desks->host_desk;
    pthread_mutex_unlock(&desks->lock);
    int64_t begun_us = clock_thread_cpu_us();
    crash_enter(desk);
    desks->plan.work(desks->plan.user, desk, article);
    crash_leave();
    int64_t cpu_us = clock_thread_cpu_us() - begun_us;
    pthread_mutex_lock(&desks->lock);
    learn(desks, article, cpu_us);
    desks->desk[desk].article = NULL;
    desks->free_count++;
    desks->host_desk = desks->host == self ? DESKS_LIMIT : desks->host_desk;
    add_ready(desks, article, desks->host == self);
}

// ---- The host. With the lock held.

static bool todo_is_quick(const struct desks *desks)
{
    return desks->todo_len > 0 && desks->free_count > 0 && desks->us_per_byte > 0 &&
           desks->us_per_byte * (double)desks->todo_bytes <= DESKS_QUICK_US;
}

static void wake_others(struct desks *desks)
{
    size_t wanted = desks->todo_len < desks->free_count ? desks->todo_len : desks->free_count;
    while (wanted-- > 0) {
        pthread_cond_signal(&desks->changes);
    }
}

static void host_turn(struct desks *desks, uint64_t self)
{
    pthread_mutex_unlock(&desks->lock);
    bool more = uv_run(desks->plan.loop, UV_RUN_ONCE) != 0;
    pthread_mutex_lock(&desks->lock);
    while (todo_is_quick(desks) && desks->host == self) {
        work_on_next(desks, self);
    }
    wake_others(desks);
    if (!more && desks->host == self) {
        desks->ended = true;
        pthread_cond_broadcast(&desks->changes);
    }
}

// A thread's life.
static void take_part(struct desks *desks, uint64_t self)
{
    void *stack = malloc(CRASH_STACK_BYTES); // without one, too deep a recursion is not told
    crash_use_stack(stack);
    pthread_mutex_lock(&desks->lock);
    while (!desks->ended) {
        if (desks->host == 0) {
            desks->host = self;
            wake_others(desks); // this one may have been woken for an article
        }
        if (desks->host == self) {
            host_turn(desks, self);
        } else if (desks->todo_len > 0 && desks->free_count > 0) {
            work_on_next(desks, self);
        } else {
            pthread_cond_wait(&desks->changes, &desks->lock);
        }
    }
    pthread_mutex_unlock(&desks->lock);
    crash_use_stack(NULL);
    free(stack);
}

static void *run_thread(void *argument)
{
    struct desks *desks = argument;
    pthread_mutex_lock(&desks->lock);
    uint64_t self = ++desks->threads_named;
    pthread_mutex_unlock(&desks->lock);
    take_part(desks, self);
    return NULL;
}

// ---- The watchdog

// In a signal handler.
static void on_crash(void *user, size_t desk, int number)
{
    struct desks *desks = user;
    const struct itimerspec now = {.it_value = {.tv_nsec = 1}};
    atomic_store(&desks->desk[desk].signal, number);
    timerfd_settime(desks->alarm, 0, &now, NULL);
}

static void take_loop_away(struct desks *desks, size_t desk)
{
    if (desks->host_desk == desk) {
        desks->host = 0;
        desks->host_desk = DESKS_LIMIT;
        pthread_cond_signal(&desks->changes);
    }
}

static void give_up(struct desks *desks, size_t i, int number)
{
    struct desk *desk = &desks->desk[i];
    desk->lost = true;
    take_loop_away(desks, i);
    desks->plan.lost(desks->plan.user, desk->article, number);
    add_ready(desks, desk->article, false);
    tell_ready(desks, false);
}

// One that hangs is told to stand still. One that does not even hear that waits in the system: it is given up where it is.
static void look_at(struct desks *desks, size_t i, int64_t now_us)
{
    struct desk *desk = &desks->desk[i];
    int64_t took_us = now_us - desk->begun_us;
    int number = atomic_load(&desk->signal);
    if (number != 0 || desk->told_to_stop) {
        give_up(desks, i, number ? number : CRASH_STOP);
    } else if (took_us > desks->plan.limit_us) {
        desk->told_to_stop = true;
        pthread_kill(desk->thread, CRASH_STOP);
    } else if (took_us > DESKS_PATIENCE_US) {
        take_loop_away(desks, i);
    }
}

static void look(struct desks *desks)
{
    int64_t now_us = clock_monotonic_us();
    for (size_t i = 0; i < desks->plan.count; i++) {
        if (desks->desk[i].article && !desks->desk[i].lost) {
            look_at(desks, i, now_us);
        }
    }
    desks->alarm_is_set = false;
    if (desks->free_count < desks->plan.count) {
        set_alarm(desks, WATCH_MS * 1000000L);
    }
}

static void *run_watchdog(void *argument)
{
    struct desks *desks = argument;
    uint64_t rings;
    for (bool ended = false; !ended;) {
        if (read(desks->alarm, &rings, sizeof rings) < 0 && errno != EINTR) {
            break; // cannot be: the descriptor is ours and blocks
        }
        pthread_mutex_lock(&desks->lock);
        ended = desks->ended;
        look(desks);
        pthread_mutex_unlock(&desks->lock);
    }
    return NULL;
}

// ---- Beginning and end

static enum status start_threads(struct desks *desks, struct error *why)
{
    desks->alarm = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    if (desks->alarm < 0) {
        return error_set(why, ERR_IO, "cannot make a timer: %s", strerror(errno));
    }
    int failed = pthread_create(&desks->watchdog, NULL, run_watchdog, desks);
    desks->has_watchdog = !failed;
    while (!failed && desks->thread_count < desks->plan.count) {
        failed = pthread_create(&desks->threads[desks->thread_count], NULL, run_thread, desks);
        desks->thread_count += !failed;
    }
    return failed ? error_set(why, ERR_MEMORY, "cannot start thread %zu: %s",
                              desks->thread_count + 1, strerror(failed))
                  : OK;
}

enum status desks_open(struct desks **out, const struct desks_plan *plan, struct error *why)
{
    assert(plan->count >= 1 && plan->count <= DESKS_LIMIT);
    struct desks *desks = calloc(1, sizeof *desks);
    *out = NULL;
    if (!desks) {
        return error_set(why, ERR_MEMORY, "no memory for %zu threads", plan->count);
    }
    desks->plan = *plan;
    desks->free_count = plan->count;
    desks->host_desk = DESKS_LIMIT;
    desks->threads_named = desks->host = 1;
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        worker_list_init(&desks->todo[lane]);
    }
    pthread_mutex_init(&desks->lock, NULL);
    pthread_cond_init(&desks->changes, NULL);
    crash_catch(on_crash, desks);
    enum status status = start_threads(desks, why);
    if (status != OK) {
        desks_close(desks);
        return status;
    }
    *out = desks;
    return OK;
}

void desks_run(struct desks *desks)
{
    take_part(desks, 1);
}

static bool stands_still(const struct desks *desks, pthread_t thread)
{
    for (size_t i = 0; i < desks->plan.count; i++) {
        if (desks->desk[i].lost && pthread_equal(desks->desk[i].thread, thread)) {
            return true;
        }
    }
    return false;
}

void desks_close(struct desks *desks)
{
    if (!desks) {
        return;
    }
    pthread_mutex_lock(&desks->lock);
    desks->ended = true;
    pthread_cond_broadcast(&desks->changes);
    if (desks->has_watchdog) {
        set_alarm(desks, 1);
    }
    pthread_mutex_unlock(&desks->lock);
    for (size_t i = 0; i < desks->thread_count; i++) {
        if (!stands_still(desks, desks->threads[i])) {
            pthread_join(desks->threads[i], NULL);
        }
    }
    crash_release();
    if (desks->has_watchdog) {
        pthread_join(desks->watchdog, NULL);
    }
    if (desks->alarm >= 0) {
        close(desks->alarm);
    }
    pthread_cond_destroy(&desks->changes);
    pthread_mutex_destroy(&desks->lock);
    free(desks);
}

void desks_add(struct desks *desks, struct worker_article *article)
{
    unsigned lane = article->item.lane < WIRE_LANE_COUNT ? article->item.lane : WIRE_ROUTINE;
    pthread_mutex_lock(&desks->lock);
    worker_list_push(&desks->todo[lane], article);
    desks->todo_len++;
    desks->todo_bytes += size_of(article);
    pthread_mutex_unlock(&desks->lock);
    uv_stop(desks->plan.loop);
}

struct worker_article *desks_take_ready(struct desks *desks)
{
    pthread_mutex_lock(&desks->lock);
    struct worker_article *ready = desks->ready;
    desks->ready = NULL;
    desks->told = false;
    pthread_mutex_unlock(&desks->lock);
    return ready;
}

bool desks_are_full(struct desks *desks)
{
    pthread_mutex_lock(&desks->lock);
    bool full = is_full(desks);
    pthread_mutex_unlock(&desks->lock);
    return full;
}

struct worker_article *desks_take_back(struct desks *desks)
{
    pthread_mutex_lock(&desks->lock);
    struct worker_article *article = take_todo(desks);
    pthread_mutex_unlock(&desks->lock);
    return article;
}

int64_t desks_article_us(struct desks *desks)
{
    pthread_mutex_lock(&desks->lock);
    int64_t us = (int64_t)desks->article_us;
    pthread_mutex_unlock(&desks->lock);
    return us;
}
