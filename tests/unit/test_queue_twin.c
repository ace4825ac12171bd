#include "services/broker/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

// The queue against a slow, obvious twin: flat arrays, linear searches, the rules of queue.h and nothing of queue.c. Both get the
// same random commands; every answer, every hand-out, every end and all counts must agree. Only the jitter of a retry is read
// off the queue, and checked against its bounds.

enum {
    SEEDS = 200,
    STEPS = 1200,
    STAGES = 6,
    ARTICLES = 400,
    ROOM = 24, // max_articles
    MEMORIES = 10,
    HOLDERS = 5,
    IDS = 14,
    LEASE_MS = 400,
    FAILURES = 2,
    DEATHS = 2,
    BACKOFF_MS = 40,
    BACKOFF_LIMIT_MS = 200,
};

static const char pipeline[] = "clean = article\nentities = clean\ndates = clean\n"
                               "summary = clean entities\nexport = *\ndesk = *\n";

struct twin_task {
    bool open;
    enum task_state state;
    int64_t since_ms;
    int64_t place;  // in its line: lower goes first
    uint64_t taken; // when leased: which hand-out it was
    uint64_t holder;
    uint32_t attempt, failures, deaths;
    bool suspect;
};

struct twin_article {
    bool used, latest, canceled, rung;
    enum article_state state;
    uint64_t handle, key, version, hash;
    int64_t deadline_ms, embargo_ms;
    uint32_t done, skipped, unsafe, dead_stage, dead_attempts;
    uint8_t lane;
    struct twin_task tasks[STAGES];
};

struct twin_memory {
    uint64_t key, version, hash;
    bool canceled;
};

struct twin_holder {
    bool used;
    int64_t expires_ms;
};

struct ended {
    uint64_t handle;
    enum ending how;
};

struct twin {
    struct graph graph;
    struct queue *queue;
    uint64_t random;
    int64_t now_ms;
    uint64_t next_handle, hand_outs;
    int64_t front, back; // of all lines
    unsigned turns[STAGES][WIRE_LANE_COUNT];
    struct twin_article articles[ARTICLES];
    struct twin_memory memories[MEMORIES + 1];
    size_t memory_count;
    struct twin_holder holders[HOLDERS + 1];
    struct ended ended[ARTICLES];
    size_t ended_count;
    struct canceled canceled[ARTICLES];
    size_t canceled_count;
    struct queue_counts counts; // those that only grow
};

static uint64_t any(struct twin *twin, uint64_t limit)
{
    twin->random ^= twin->random << 13;
    twin->random ^= twin->random >> 7;
    twin->random ^= twin->random << 17;
    return twin->random % limit;
}

static bool is_inner(const struct twin *twin, uint32_t stage)
{
    return !twin->graph.stages[stage - 1].terminal;
}

static uint32_t inner_stages(const struct twin *twin)
{
    uint32_t set = 0;
    for (uint32_t stage = 1; stage <= STAGES; stage++) {
        set |= is_inner(twin, stage) ? 1u << (stage - 1) : 0;
    }
    return set;
}

static struct twin_article *article_of(struct twin *twin, uint64_t handle)
{
    for (size_t i = 0; i < ARTICLES; i++) {
        if (twin->articles[i].used && twin->articles[i].handle == handle) {
            return &twin->articles[i];
        }
    }
    return NULL;
}

static struct twin_article *latest_of(struct twin *twin, uint64_t key)
{
    for (size_t i = 0; i < ARTICLES; i++) {
        if (twin->articles[i].used && twin->articles[i].latest && twin->articles[i].key == key) {
            return &twin->articles[i];
        }
    }
    return NULL;
}

static struct twin_memory *memory_of(struct twin *twin, uint64_t key)
{
    for (size_t i = 0; i < twin->memory_count; i++) {
        if (twin->memories[i].key == key) {
            return &twin->memories[i];
        }
    }
    return NULL;
}

static size_t count_state(const struct twin *twin, enum article_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < ARTICLES; i++) {
        count += twin->articles[i].used && twin->articles[i].state == state;
    }
    return count;
}

static size_t held_by(const struct twin *twin, uint64_t holder, bool only_suspects)
{
    size_t count = 0;
    for (size_t i = 0; i < ARTICLES; i++) {
        for (int s = 0; twin->articles[i].used && s < STAGES; s++) {
            const struct twin_task *task = &twin->articles[i].tasks[s];
            count += task->open && task->state == TASK_LEASED && task->holder == holder &&
                     (task->suspect || !only_suspects);
        }
    }
    return count;
}

// --- the rules

static void drop_memory(struct twin *twin, size_t at)
{
    memmove(&twin->memories[at], &twin->memories[at + 1],
            (twin->memory_count - at - 1) * sizeof twin->memories[0]);
    twin->memory_count--;
}

static void end(struct twin *twin, struct twin_article *article, enum ending how)
{
    for (uint32_t s = 0; s < STAGES; s++) {
        struct twin_task *task = &article->tasks[s];
        if (task->open && task->state == TASK_LEASED) {
            twin->canceled[twin->canceled_count++] =
                (struct canceled){task->holder, article->handle, task->attempt, s + 1};
        }
        task->open = false;
    }
    article->state = how == ENDED_DEAD ? ARTICLE_DEAD : ARTICLE_ENDED;
    size_t at = 0;
    while (at < twin->ended_count && twin->ended[at].handle != article->handle) {
        at++;
    }
    twin->ended_count += at == twin->ended_count;
    twin->ended[at] = (struct ended){article->handle, how};
}

static void make_ready(struct twin *twin, struct twin_task *task, bool at_head)
{
    task->state = TASK_READY;
    task->since_ms = twin->now_ms;
    task->place = at_head ? --twin->front : ++twin->back;
}

static void advance(struct twin *twin, struct twin_article *article)
{
    uint32_t open = 0;
    for (uint32_t s = 0; s < STAGES; s++) {
        struct twin_task *task = &article->tasks[s];
        bool ready = (twin->graph.stages[s].needs & ~article->done) == 0;
        bool held_back = article->unsafe && !is_inner(twin, s + 1);
        if (!task->open && !(article->done >> s & 1) && ready && !held_back) {
            *task = (struct twin_task){.open = true};
            make_ready(twin, task, false);
            if (!is_inner(twin, s + 1) && article->embargo_ms > twin->now_ms) {
                task->state = TASK_DELAYED;
                task->since_ms = article->embargo_ms;
            }
        }
        open |= task->open;
    }
    if (!open && !article->unsafe) {
        end(twin, article, ENDED_COMPLETE);
    }
}

static enum wire_outcome judge(struct twin *twin, const struct queue_put *put)
{
    struct twin_article *live = latest_of(twin, put->key[0]);
    struct twin_memory *memory = memory_of(twin, put->key[0]);
    enum wire_outcome outcome = WIRE_ACCEPTED;
    if (live || memory) {
        uint64_t version = live ? live->version : memory->version;
        uint64_t hash = live ? live->hash : memory->hash;
        bool killed = live ? live->canceled : memory->canceled;
        bool same = put->version == version;
        if (put->again && same) {
            outcome = killed ? WIRE_STALE : live ? WIRE_DUPLICATE : WIRE_ACCEPTED;
        } else if (same && put->content_hash == hash) {
            outcome = WIRE_DUPLICATE;
        } else if (killed || put->version < version) {
            outcome = WIRE_STALE;
        } else if (same && put->pubstatus != WIRE_CANCELED) {
            outcome = WIRE_CONFLICT;
        }
    }
    bool full = count_state(twin, ARTICLE_LIVE) + count_state(twin, ARTICLE_DEAD) >= ROOM;
    return outcome == WIRE_ACCEPTED && full ? WIRE_BUSY : outcome;
}

static enum wire_outcome twin_put(struct twin *twin, const struct queue_put *put)
{
    enum wire_outcome outcome = judge(twin, put);
    struct twin_article *older = latest_of(twin, put->key[0]);
    struct twin_memory *memory = memory_of(twin, put->key[0]);
    struct twin_article *article = twin->articles;
    bool kill = put->pubstatus == WIRE_CANCELED;
    twin->counts.duplicates += outcome == WIRE_DUPLICATE;
    twin->counts.stale += outcome == WIRE_STALE;
    if (outcome != WIRE_ACCEPTED) {
        return outcome;
    }
    while (article->used) {
        article++;
    }
    *article = (struct twin_article){.used = true,
                                     .latest = true,
                                     .canceled = kill,
                                     .handle = put->handle,
                                     .key = put->key[0],
                                     .version = put->version,
                                     .hash = put->content_hash,
                                     .deadline_ms = put->deadline_ms,
                                     .embargo_ms = kill ? 0 : put->embargo_ms,
                                     .done = kill ? inner_stages(twin) : 0,
                                     .unsafe = put->unsafe,
                                     .lane = kill ? WIRE_FLASH : put->lane};
    if (put->again && memory && memory->version == put->version) {
        article->hash = memory->hash;
    }
    advance(twin, article);
    if (older) {
        older->latest = false;
        twin->counts.superseded++;
        end(twin, older, ENDED_SUPERSEDED);
    } else if (memory) {
        drop_memory(twin, (size_t)(memory - twin->memories));
    }
    return WIRE_ACCEPTED;
}

static struct twin_task *first_in_lane(struct twin *twin, uint32_t stage, int lane,
                                       struct twin_article **of)
{
    struct twin_task *first = NULL;
    for (size_t i = 0; i < ARTICLES; i++) {
        struct twin_task *task = &twin->articles[i].tasks[stage - 1];
        if (twin->articles[i].used && task->open && task->state == TASK_READY &&
            twin->articles[i].lane == lane && (!first || task->place < first->place)) {
            first = task;
            *of = &twin->articles[i];
        }
    }
    return first;
}

static struct twin_task *next_task(struct twin *twin, uint32_t stage, struct twin_article **of)
{
    static const unsigned weights[WIRE_LANE_COUNT] = {64, 16, 4, 1};
    unsigned *turns = twin->turns[stage - 1];
    for (int round = 0; round < 2; round++) {
        for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
            struct twin_task *task = turns[lane] > 0 ? first_in_lane(twin, stage, lane, of) : NULL;
            if (task) {
                return task;
            }
        }
        memcpy(turns, weights, sizeof weights);
    }
    return NULL;
}

static struct twin_article *twin_lease(struct twin *twin, uint32_t stage, uint64_t number)
{
    struct twin_article *article = NULL;
    struct twin_holder *holder = &twin->holders[number];
    if (!holder->used) {
        *holder = (struct twin_holder){true, twin->now_ms + LEASE_MS};
    }
    if (held_by(twin, number, true) > 0) {
        return NULL;
    }
    struct twin_task *task = next_task(twin, stage, &article);
    if (!task || (task->suspect && held_by(twin, number, false) > 0)) {
        return NULL;
    }
    task->state = TASK_LEASED;
    task->attempt++;
    task->holder = number;
    task->taken = ++twin->hand_outs;
    twin->turns[stage - 1][article->lane]--;
    return article;
}

static struct twin_task *held(struct twin *twin, uint64_t holder, uint64_t handle, uint32_t stage,
                              uint32_t attempt)
{
    struct twin_article *article = article_of(twin, handle);
    struct twin_task *task = article ? &article->tasks[stage - 1] : NULL;
    bool is = task && task->open && task->state == TASK_LEASED && task->holder == holder &&
              task->attempt == attempt;
    twin->counts.refused += !is;
    return is ? task : NULL;
}

static void twin_shelve(struct twin *twin, struct twin_article *article, uint32_t stage,
                        uint32_t attempts)
{
    twin->counts.stages[stage - 1].dead++;
    article->dead_stage = stage;
    article->dead_attempts = attempts;
    article->skipped = 0;
    end(twin, article, ENDED_DEAD);
}

// The one of its tasks that the holder took last.
static struct twin_task *last_taken(struct twin *twin, uint64_t holder, struct twin_article **of,
                                    uint32_t *stage)
{
    struct twin_task *last = NULL;
    for (size_t i = 0; i < ARTICLES; i++) {
        for (uint32_t s = 0; twin->articles[i].used && s < STAGES; s++) {
            struct twin_task *task = &twin->articles[i].tasks[s];
            if (task->open && task->state == TASK_LEASED && task->holder == holder &&
                (!last || task->taken > last->taken)) {
                last = task;
                *of = &twin->articles[i];
                *stage = s + 1;
            }
        }
    }
    return last;
}

static void twin_lose(struct twin *twin, uint64_t number, bool died)
{
    struct twin_article *article;
    struct twin_task *task;
    uint32_t stage;
    bool alone = held_by(twin, number, false) == 1;
    twin->holders[number].used = false;
    while ((task = last_taken(twin, number, &article, &stage))) {
        make_ready(twin, task, true);
        if (!died) {
            continue;
        }
        twin->counts.expired_leases++;
        task->suspect = true;
        task->deaths += alone;
        if (task->deaths >= DEATHS) {
            twin_shelve(twin, article, stage, task->attempt);
        }
    }
}

static void pass_deadline(struct twin *twin, struct twin_article *article)
{
    uint32_t missing = inner_stages(twin) & ~article->done;
    article->rung = true;
    if (article->state != ARTICLE_LIVE || missing == 0) {
        return;
    }
    for (uint32_t s = 0; s < STAGES; s++) {
        struct twin_task *task = &article->tasks[s];
        if ((missing >> s & 1) && task->open) {
            if (task->state == TASK_LEASED) {
                twin->canceled[twin->canceled_count++] =
                    (struct canceled){task->holder, article->handle, task->attempt, s + 1};
            }
            task->open = false;
        }
    }
    article->done |= missing;
    article->skipped |= missing;
    advance(twin, article);
}

// What is due next: a deadline (no task) or a task's pause. Of the same time the lower handle goes first.
static int64_t next_due(struct twin *twin, struct twin_article **of, struct twin_task **which)
{
    int64_t due = INT64_MAX;
    *of = NULL;
    for (size_t i = 0; i < ARTICLES; i++) {
        struct twin_article *article = &twin->articles[i];
        bool before = *of && article->handle < (*of)->handle;
        if (!article->used) {
            continue;
        }
        if (article->deadline_ms > 0 && !article->rung &&
            (article->deadline_ms < due || (article->deadline_ms == due && before))) {
            due = article->deadline_ms;
            *of = article;
            *which = NULL;
        }
        for (int s = 0; s < STAGES; s++) {
            struct twin_task *task = &article->tasks[s];
            before = *of && article->handle < (*of)->handle;
            if (task->open && task->state == TASK_DELAYED &&
                (task->since_ms < due || (task->since_ms == due && before))) {
                due = task->since_ms;
                *of = article;
                *which = task;
            }
        }
    }
    return due;
}

static size_t twin_tick(struct twin *twin)
{
    struct twin_article *article;
    struct twin_task *task;
    size_t lost = 0;
    while (next_due(twin, &article, &task) <= twin->now_ms) {
        if (task) {
            make_ready(twin, task, false);
        } else {
            pass_deadline(twin, article);
        }
    }
    for (uint64_t number = 1; number <= HOLDERS; number++) {
        if (twin->holders[number].used && twin->holders[number].expires_ms <= twin->now_ms) {
            twin_lose(twin, number, true);
            lost++;
        }
    }
    return lost;
}

static int64_t twin_next_ms(struct twin *twin)
{
    struct twin_article *article;
    struct twin_task *task;
    int64_t next = next_due(twin, &article, &task);
    for (uint64_t number = 1; number <= HOLDERS; number++) {
        const struct twin_holder *holder = &twin->holders[number];
        next = holder->used && holder->expires_ms < next ? holder->expires_ms : next;
    }
    return next;
}

// --- comparing

static int by_ended(const void *a, const void *b)
{
    uint64_t left = ((const struct ended *)a)->handle;
    uint64_t right = ((const struct ended *)b)->handle;
    return left < right ? -1 : left > right;
}

static int by_canceled(const void *a, const void *b)
{
    const struct canceled *left = a;
    const struct canceled *right = b;
    return left->handle != right->handle ? (left->handle < right->handle ? -1 : 1)
                                         : (int)left->stage - (int)right->stage;
}

static void compare_ended(struct twin *twin)
{
    struct ended ended[ARTICLES];
    size_t count = 0;
    struct queued_article *article;
    while ((article = queue_take_ended(twin->queue))) {
        ended[count++] = (struct ended){article->handle, article->ending};
        if (article->ending != ENDED_DEAD) {
            queue_forget(twin->queue, article);
        }
    }
    assert_int_equal(count, twin->ended_count);
    qsort(ended, count, sizeof ended[0], by_ended);
    for (size_t i = 0; i < twin->ended_count; i++) { // ids are remembered in the order of ending
        struct twin_article *mine = article_of(twin, twin->ended[i].handle);
        if (twin->ended[i].how == ENDED_DEAD) {
            continue;
        }
        if (mine->latest) {
            twin->memories[twin->memory_count++] =
                (struct twin_memory){mine->key, mine->version, mine->hash, mine->canceled};
        }
        if (twin->memory_count > MEMORIES) {
            drop_memory(twin, 0);
        }
        mine->used = false;
    }
    qsort(twin->ended, count, sizeof ended[0], by_ended);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ended[i].handle, twin->ended[i].handle);
        assert_int_equal(ended[i].how, twin->ended[i].how);
    }
    twin->ended_count = 0;
}

static void compare_canceled(struct twin *twin)
{
    struct canceled canceled[ARTICLES];
    size_t count = 0;
    while (queue_take_canceled(twin->queue, &canceled[count])) {
        count++;
    }
    assert_int_equal(count, twin->canceled_count);
    qsort(canceled, count, sizeof canceled[0], by_canceled);
    qsort(twin->canceled, count, sizeof canceled[0], by_canceled);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(canceled[i].handle, twin->canceled[i].handle);
        assert_int_equal(canceled[i].holder, twin->canceled[i].holder);
        assert_int_equal(canceled[i].stage, twin->canceled[i].stage);
        assert_int_equal(canceled[i].attempt, twin->canceled[i].attempt);
    }
    twin->canceled_count = 0;
}

static void compare_stage(struct twin *twin, uint32_t stage)
{
    size_t ready[WIRE_LANE_COUNT] = {0};
    size_t delayed = 0;
    size_t leased = 0;
    size_t dead = 0;
    const struct queue_counts *counts = queue_counts(twin->queue);
    for (size_t i = 0; i < ARTICLES; i++) {
        const struct twin_article *article = &twin->articles[i];
        const struct twin_task *task = &article->tasks[stage - 1];
        if (article->used) {
            ready[article->lane] += task->open && task->state == TASK_READY;
            delayed += task->open && task->state == TASK_DELAYED;
            leased += task->open && task->state == TASK_LEASED;
            dead += article->state == ARTICLE_DEAD && article->dead_stage == stage;
        }
    }
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        assert_int_equal(counts->stages[stage - 1].ready[lane], ready[lane]);
    }
    assert_int_equal(counts->stages[stage - 1].delayed, delayed);
    assert_int_equal(counts->stages[stage - 1].leased, leased);
    assert_int_equal(counts->stages[stage - 1].dead_now, dead);
    assert_int_equal(counts->stages[stage - 1].done, twin->counts.stages[stage - 1].done);
    assert_int_equal(counts->stages[stage - 1].failed, twin->counts.stages[stage - 1].failed);
    assert_int_equal(counts->stages[stage - 1].dead, twin->counts.stages[stage - 1].dead);
}

static void compare_counts(struct twin *twin)
{
    const struct queue_counts *counts = queue_counts(twin->queue);
    assert_int_equal(counts->live, count_state(twin, ARTICLE_LIVE));
    assert_int_equal(counts->dead, count_state(twin, ARTICLE_DEAD));
    assert_int_equal(counts->remembered, twin->memory_count);
    assert_int_equal(counts->expired_leases, twin->counts.expired_leases);
    assert_int_equal(counts->refused, twin->counts.refused);
    assert_int_equal(counts->superseded, twin->counts.superseded);
    assert_int_equal(counts->stale, twin->counts.stale);
    assert_int_equal(counts->duplicates, twin->counts.duplicates);
    for (uint32_t stage = 1; stage <= STAGES; stage++) {
        compare_stage(twin, stage);
    }
    assert_true(queue_next_ms(twin->queue) <= twin_next_ms(twin));
}

static void compare_article(struct twin *twin, const struct twin_article *mine)
{
    const struct queued_article *article = queue_find(twin->queue, mine->handle);
    assert_non_null(article);
    assert_int_equal(article->state, mine->state);
    assert_int_equal(article->done, mine->done);
    assert_int_equal(queue_extra(article)->skipped, mine->skipped);
    if (mine->state == ARTICLE_DEAD) {
        assert_int_equal(queue_extra(article)->dead->stage, mine->dead_stage);
        assert_int_equal(queue_extra(article)->dead->attempts, mine->dead_attempts);
    }
    for (uint32_t s = 0; s < STAGES; s++) {
        const struct article_task *task = queue_task(twin->queue, article, s + 1);
        assert_int_equal(task != NULL, mine->tasks[s].open);
        if (task) {
            assert_int_equal(task->state, mine->tasks[s].state);
            assert_int_equal(task->attempt, mine->tasks[s].attempt);
            assert_int_equal(task->failures, mine->tasks[s].failures);
            assert_int_equal(task->suspect, mine->tasks[s].suspect);
        }
    }
}

static void compare_stories(struct twin *twin)
{
    for (uint64_t id = 1; id <= IDS; id++) {
        const struct story *story = queue_find_story(twin->queue, (uint64_t[2]){id, 7});
        const struct twin_article *live = latest_of(twin, id);
        const struct twin_memory *memory = memory_of(twin, id);
        assert_int_equal(story != NULL, live || memory);
        if (story) {
            assert_int_equal(story->live, live != NULL);
            assert_int_equal(story->version, live ? live->version : memory->version);
            assert_int_equal(story->content_hash, live ? live->hash : memory->hash);
            assert_int_equal(story->canceled, live ? live->canceled : memory->canceled);
        }
    }
}

// --- commands

static void put(struct twin *twin)
{
    struct queued_article *article;
    struct queue_put put = {.handle = twin->next_handle++,
                            .key = {1 + any(twin, IDS), 7},
                            .version = 1 + any(twin, 4),
                            .content_hash = any(twin, 2),
                            .lane = (uint8_t)any(twin, WIRE_LANE_COUNT),
                            .pubstatus = any(twin, 30) == 0 ? WIRE_CANCELED : WIRE_USABLE,
                            .again = any(twin, 4) == 0,
                            .unsafe = any(twin, 2) == 0};
    if (any(twin, 4) == 0) {
        put.deadline_ms = twin->now_ms + (int64_t)any(twin, 300);
    }
    if (any(twin, 4) == 0) {
        put.embargo_ms = twin->now_ms + (int64_t)any(twin, 300);
    }
    enum wire_outcome wanted = twin_put(twin, &put);
    assert_int_equal(queue_put(twin->queue, &put, twin->now_ms, &article), wanted);
    assert_int_equal(article != NULL, wanted == WIRE_ACCEPTED);
}

static void lease(struct twin *twin)
{
    uint32_t stage = 1 + (uint32_t)any(twin, STAGES);
    uint64_t holder = 1 + any(twin, HOLDERS);
    const struct twin_article *wanted = twin_lease(twin, stage, holder);
    const struct article_task *task = queue_lease(twin->queue, stage, holder, twin->now_ms);
    assert_int_equal(task ? task->article->handle : 0, wanted ? wanted->handle : 0);
    if (task) {
        assert_int_equal(task->attempt, wanted->tasks[stage - 1].attempt);
    }
}

// A task that is out, mostly; sometimes with something wrong about it.
static struct queue_claim choose_reply(struct twin *twin)
{
    struct twin_article *article = NULL;
    struct queue_claim reply = {.holder = 1 + any(twin, HOLDERS), .stage = 1};
    const struct twin_task *task = last_taken(twin, reply.holder, &article, &reply.stage);
    reply.handle = task ? article->handle : any(twin, twin->next_handle);
    reply.attempt = task ? task->attempt : 1;
    if (any(twin, 12) == 0) {
        reply.attempt += (uint32_t)any(twin, 3) - 1;
        reply.holder = 1 + any(twin, HOLDERS);
        reply.stage = 1 + (uint32_t)any(twin, STAGES);
    }
    return reply;
}

// The task that the queue takes the answer for, or NULL when both refuse it.
static struct twin_task *answered(struct twin *twin, const struct queue_claim *reply,
                                  enum wire_outcome outcome)
{
    const struct queue_blame blame = {VIEW("w"), VIEW("r")};
    struct twin_task *task = held(twin, reply->holder, reply->handle, reply->stage, reply->attempt);
    assert_int_equal(queue_answer(twin->queue, reply, outcome, &blame, twin->now_ms), task != NULL);
    return task;
}

static void complete(struct twin *twin)
{
    struct queue_claim reply = choose_reply(twin);
    struct twin_task *task = answered(twin, &reply, WIRE_DONE);
    if (task) {
        struct twin_article *article = article_of(twin, reply.handle);
        task->open = false;
        article->done |= 1u << (reply.stage - 1);
        twin->counts.stages[reply.stage - 1].done++;
        advance(twin, article);
    }
}

static void fail_one(struct twin *twin)
{
    struct queue_claim reply = choose_reply(twin);
    struct twin_task *task = answered(twin, &reply, WIRE_RETRY);
    if (!task) {
        return;
    }
    twin->counts.stages[reply.stage - 1].failed++;
    task->failures++;
    if (is_inner(twin, reply.stage) && task->failures >= FAILURES) {
        twin_shelve(twin, article_of(twin, reply.handle), reply.stage, task->attempt);
        return;
    }
    int64_t wait_ms = BACKOFF_MS;
    for (uint32_t i = 1; i < task->failures && wait_ms < BACKOFF_LIMIT_MS; i++) {
        wait_ms *= 2;
    }
    wait_ms = wait_ms > BACKOFF_LIMIT_MS ? BACKOFF_LIMIT_MS : wait_ms;
    task->state = TASK_DELAYED;
    task->since_ms =
        queue_task(twin->queue, queue_find(twin->queue, reply.handle), reply.stage)->since_ms;
    assert_in_range(task->since_ms - twin->now_ms, wait_ms - wait_ms / 4, wait_ms + wait_ms / 4);
}

static void reject(struct twin *twin)
{
    struct queue_claim reply = choose_reply(twin);
    struct twin_task *task = answered(twin, &reply, WIRE_REJECT);
    if (task) {
        twin->counts.stages[reply.stage - 1].failed++;
        twin_shelve(twin, article_of(twin, reply.handle), reply.stage, task->attempt);
    }
}

static void give_back(struct twin *twin)
{
    struct queue_claim reply = choose_reply(twin);
    struct twin_task *task = answered(twin, &reply, WIRE_RETURN);
    if (task) {
        make_ready(twin, task, true);
    }
}

static void renew(struct twin *twin)
{
    uint64_t holder = 1 + any(twin, HOLDERS);
    queue_renew(twin->queue, holder, twin->now_ms);
    if (twin->holders[holder].used) {
        twin->holders[holder].expires_ms = twin->now_ms + LEASE_MS;
    }
}

static void lose(struct twin *twin)
{
    uint64_t holder = 1 + any(twin, HOLDERS);
    bool died = any(twin, 2) == 0;
    queue_lose(twin->queue, holder, died, twin->now_ms, VIEW("w"));
    twin_lose(twin, holder, died);
}

// Some article, or a handle that is none's.
static uint64_t some_handle(struct twin *twin)
{
    const struct twin_article *article = &twin->articles[any(twin, ROOM + 2)];
    return article->used ? article->handle : any(twin, twin->next_handle);
}

static void revive(struct twin *twin)
{
    uint64_t handle = some_handle(twin);
    struct twin_article *article = article_of(twin, handle);
    bool unsafe = any(twin, 2) == 0;
    bool is_dead = article && article->state == ARTICLE_DEAD && !(unsafe && article->unsafe == 7);
    assert_int_equal(queue_revive(twin->queue, handle, unsafe, twin->now_ms), is_dead);
    if (is_dead) {
        article->state = ARTICLE_LIVE;
        article->unsafe += unsafe;
        advance(twin, article);
    }
}

static void confirm(struct twin *twin)
{
    uint64_t handle = some_handle(twin);
    struct twin_article *article = article_of(twin, handle);
    queue_confirm(twin->queue, handle, twin->now_ms);
    if (article && article->unsafe && --article->unsafe == 0 && article->state == ARTICLE_LIVE) {
        advance(twin, article);
    }
}

static void discard(struct twin *twin)
{
    uint64_t handle = some_handle(twin);
    struct twin_article *article = article_of(twin, handle);
    assert_int_equal(queue_discard(twin->queue, handle), article != NULL);
    if (article) {
        end(twin, article, ENDED_SUPERSEDED);
    }
}

static void tick_to(struct twin *twin, int64_t now_ms)
{
    twin->now_ms = now_ms;
    size_t lost = twin_tick(twin);
    assert_int_equal(queue_tick(twin->queue, now_ms), lost);
    compare_ended(twin);
    compare_canceled(twin);
}

// Both stop at each time something is due, so that the order within one tick is given.
static void let_time_pass(struct twin *twin, int64_t ms)
{
    int64_t until_ms = twin->now_ms + ms;
    int64_t next_ms;
    while ((next_ms = twin_next_ms(twin)) < until_ms) {
        tick_to(twin, next_ms > twin->now_ms ? next_ms : twin->now_ms);
    }
    tick_to(twin, until_ms);
}

static void wait_long(struct twin *twin)
{
    let_time_pass(twin, (int64_t)any(twin, 500));
}

static void step(struct twin *twin)
{
    static void (*const commands[])(struct twin *) = {
        put,      put,      put,       lease,    lease,    lease,   lease,     lease,
        complete, complete, complete,  complete, fail_one, reject,  give_back, renew,
        revive,   discard,  wait_long, lose,     confirm,  confirm, confirm,   confirm,
    };
    size_t which = any(twin, sizeof commands / sizeof commands[0] + 8);
    let_time_pass(twin, 1);
    commands[which < sizeof commands / sizeof commands[0] ? which : 3 + which % 9](twin);
    compare_ended(twin);
    compare_canceled(twin);
    compare_counts(twin);
}

static void free_nothing(void *holding)
{
    (void)holding;
}

static void run_seed(uint64_t seed)
{
    const struct queue_config config = {.lease_ms = LEASE_MS,
                                        .max_failures = FAILURES,
                                        .max_deaths = DEATHS,
                                        .backoff_first_ms = BACKOFF_MS,
                                        .backoff_limit_ms = BACKOFF_LIMIT_MS,
                                        .max_articles = ROOM,
                                        .remembered = MEMORIES,
                                        .seed = seed};
    struct twin *twin = calloc(1, sizeof *twin);
    twin->random = seed * 0x9e3779b97f4a7c15u + 1;
    twin->now_ms = 1000;
    twin->next_handle = 1;
    assert_int_equal(graph_parse(&twin->graph, view_of(pipeline), NULL), OK);
    twin->queue = queue_new(&twin->graph, &config);
    for (int i = 0; i < STEPS; i++) {
        step(twin);
        if (i % 16 == 0) {
            compare_stories(twin);
            queue_check(twin->queue);
            for (size_t at = 0; at < ARTICLES; at++) {
                if (twin->articles[at].used) {
                    compare_article(twin, &twin->articles[at]);
                }
            }
        }
    }
    queue_free(twin->queue, free_nothing);
    free(twin);
}

static void the_queue_does_what_its_twin_does(void **state)
{
    uint64_t *seed = *state;
    for (*seed = 1; *seed <= SEEDS; ++*seed) {
        run_seed(*seed);
    }
}

static int begin(void **state)
{
    *state = calloc(1, sizeof(uint64_t));
    return *state ? 0 : -1;
}

static int tell_seed(void **state)
{
    const uint64_t *seed = *state;
    if (*seed <= SEEDS) {
        print_message("failed in seed %llu\n", (unsigned long long)*seed);
    }
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_queue_does_what_its_twin_does, begin, tell_seed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
