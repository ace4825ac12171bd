#include "services/broker/queue.h"

#include "common/fault.h"
#include "services/broker/roster.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

static_assert(sizeof(struct queued_article) == 88, "queue.h states what an article takes");
static_assert(sizeof(struct article_task) == 40, "and its task");

const struct queue_config queue_defaults = {
    .lease_ms = 10000,
    .max_failures = 5,
    .max_deaths = 2,
    .backoff_first_ms = 1000,
    .backoff_limit_ms = 60000,
    .max_articles = 4000000,
    .remembered = 200000,
    .seed = 1,
};

// Records of an article that may be on their way to disk at a time: what fits into its three bits.
enum { UNSAFE_LIMIT = 7 };

// Hand-outs a lane may have in a round while lower lanes wait; a round ends when no lane that
// has something may go on. So flash overtakes nearly always and backfill still moves.
static const unsigned lane_weights[WIRE_LANE_COUNT] = {64, 16, 4, 1};

struct line {
    uint32_t first, last; // tasks
};

struct stage_lines {
    struct line lanes[WIRE_LANE_COUNT];
    unsigned turns[WIRE_LANE_COUNT]; // left in this round
};

struct holder {
    uint64_t number;
    uint32_t first; // task
    size_t count;
    int64_t expires_ms;
    bool alone; // works on a suspect and gets nothing else
};

// Something to do at a time: a delayed task's due time, or (stage 0) an article's deadline. Entries are
// not taken out when they lose their meaning; they are judged when their time comes.
struct alarm {
    int64_t at_ms;
    uint64_t handle;
    uint32_t stage;
};

// An ended article's id, in the order of ending. One that is not in the table was replaced and waits to be freed.
struct memory {
    struct story story;
    struct memory *next;
};

struct queue {
    const struct graph *graph;
    struct queue_config config;
    struct pool article_pool, task_pool, extra_pool, memory_pool, holder_pool;
    struct roster articles; // by handle
    struct roster stories;  // articles by key[0], the latest version of each id
    struct roster memories; // by key[0], of ids that no article has
    struct roster holders;
    int64_t holders_due_ms; // no lease runs out before
    uint32_t last_holder;   // the one that was given something last; 0: none
    struct stage_lines lines[WIRE_STAGE_LIMIT];
    struct alarm *alarms; // binary heap
    size_t alarm_count, alarm_room;
    struct queued_article *ended_first, *ended_last;
    struct queued_article
        *forgotten; // let go, and waiting for memory to remember their ids; linked as the ended are
    struct canceled *canceled; // taken away and not told yet
    size_t canceled_count, canceled_room;
    struct memory *oldest, *newest;
    uint64_t *asleep; // handles, as they came
    size_t asleep_count, asleep_room;
    uint64_t random;
    bool starved; // some articles may lack tasks: memory ran out. queue_tick tries again
    struct queue_counts counts;
};

struct queue *queue_new(const struct graph *graph, const struct queue_config *config)
{
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue) {
        queue->graph = graph;
        queue->config = *config;
        queue->random = config->seed * 2 + 1;
        queue->holders_due_ms = INT64_MAX;
        pool_init(&queue->article_pool, sizeof(struct queued_article));
        pool_init(&queue->task_pool, sizeof(struct article_task));
        pool_init(&queue->extra_pool, sizeof(struct article_extra));
        pool_init(&queue->memory_pool, sizeof(struct memory));
        pool_init(&queue->holder_pool, sizeof(struct holder));
        roster_init(&queue->articles, &queue->article_pool,
                    offsetof(struct queued_article, handle));
        roster_init(&queue->stories, &queue->article_pool,
                    offsetof(struct queued_article, story.key));
        roster_init(&queue->memories, &queue->memory_pool, offsetof(struct memory, story.key));
        roster_init(&queue->holders, &queue->holder_pool, offsetof(struct holder, number));
    }
    return queue;
}

void queue_free(struct queue *queue, void (*free_holding)(void *holding))
{
    size_t at = 0;
    struct queued_article *article;
    if (!queue) {
        return;
    }
    while ((article = roster_next(&queue->articles, &at))) {
        free(queue_extra(article)->dead);
        free_holding(article->holding);
    }
    for (article = queue->forgotten; article;
         article = pool_item(&queue->article_pool, article->next_ended)) {
        free(queue_extra(article)->dead);
    }
    pool_clear(&queue->article_pool);
    pool_clear(&queue->task_pool);
    pool_clear(&queue->extra_pool);
    pool_clear(&queue->memory_pool);
    pool_clear(&queue->holder_pool);
    roster_clear(&queue->articles);
    roster_clear(&queue->stories);
    roster_clear(&queue->memories);
    roster_clear(&queue->holders);
    free(queue->alarms);
    free(queue->canceled);
    free(queue->asleep);
    free(queue);
}

// xorshift64*: the jitter must be the same for the same seed.
static uint64_t next_random(struct queue *queue)
{
    queue->random ^= queue->random >> 12;
    queue->random ^= queue->random << 25;
    queue->random ^= queue->random >> 27;
    return queue->random * 2685821657736338717u;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

// --- alarms

static bool earlier(const struct alarm *a, const struct alarm *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->handle < b->handle;
}

// Room for one more. False when memory ran out.
static bool reserve_alarm(struct queue *queue)
{
    if (queue->alarm_count == queue->alarm_room) {
        size_t room = queue->alarm_room ? queue->alarm_room * 2 : 64;
        struct alarm *grown =
            fault_hit(FAULT_MEMORY) ? NULL : realloc(queue->alarms, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        queue->alarms = grown;
        queue->alarm_room = room;
    }
    return true;
}

static bool add_alarm(struct queue *queue, struct alarm alarm)
{
    if (!reserve_alarm(queue)) {
        return false;
    }
    size_t at = queue->alarm_count++;
    while (at > 0 && earlier(&alarm, &queue->alarms[(at - 1) / 2])) {
        queue->alarms[at] = queue->alarms[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    queue->alarms[at] = alarm;
    return true;
}

static struct alarm take_alarm(struct queue *queue)
{
    struct alarm first = queue->alarms[0];
    struct alarm last = queue->alarms[--queue->alarm_count];
    size_t at = 0;
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= queue->alarm_count) {
            break;
        }
        if (child + 1 < queue->alarm_count &&
            earlier(&queue->alarms[child + 1], &queue->alarms[child])) {
            child++;
        }
        if (!earlier(&queue->alarms[child], &last)) {
            break;
        }
        queue->alarms[at] = queue->alarms[child];
        at = child;
    }
    if (queue->alarm_count > 0) {
        queue->alarms[at] = last;
    }
    return first;
}

// --- lines and leases

static struct line *line_of(struct queue *queue, const struct article_task *task)
{
    return &queue->lines[task->stage - 1].lanes[task->article->lane];
}

static struct article_task *task_at(const struct queue *queue, uint32_t number)
{
    return pool_item(&queue->task_pool, number);
}

static void count_ready(struct queue *queue, const struct article_task *task, size_t change)
{
    const struct queued_article *article = task->article;
    queue->counts.stages[task->stage - 1].ready[article->lane] += change;
    if (queue_extra(article)->deadline_ms > 0) {
        queue->counts.stages[task->stage - 1].timed += change;
    }
}

static void join_line(struct queue *queue, struct article_task *task, bool at_head)
{
    struct line *line = line_of(queue, task);
    uint32_t number = pool_number(task);
    task->state = TASK_READY;
    task->previous = at_head ? 0 : line->last;
    task->next = at_head ? line->first : 0;
    *(task->previous ? &task_at(queue, task->previous)->next : &line->first) = number;
    *(task->next ? &task_at(queue, task->next)->previous : &line->last) = number;
    count_ready(queue, task, 1);
}

static void leave_line(struct queue *queue, struct article_task *task)
{
    struct line *line = line_of(queue, task);
    *(task->previous ? &task_at(queue, task->previous)->next : &line->first) = task->next;
    *(task->next ? &task_at(queue, task->next)->previous : &line->last) = task->previous;
    task->previous = task->next = 0;
    count_ready(queue, task, (size_t)-1);
}

static struct holder *holder_of(const struct queue *queue, const struct article_task *task)
{
    return pool_item(&queue->holder_pool, task->holder);
}

static void give_to_holder(struct queue *queue, struct article_task *task, struct holder *holder)
{
    task->state = TASK_LEASED;
    task->holder = pool_number(holder);
    task->next = holder->first;
    if (holder->first) {
        task_at(queue, holder->first)->previous = pool_number(task);
    }
    holder->first = pool_number(task);
    holder->count++;
    holder->alone = task->suspect;
    queue->counts.stages[task->stage - 1].leased++;
}

static void take_from_holder(struct queue *queue, struct article_task *task)
{
    struct holder *holder = holder_of(queue, task);
    *(task->previous ? &task_at(queue, task->previous)->next : &holder->first) = task->next;
    if (task->next) {
        task_at(queue, task->next)->previous = task->previous;
    }
    task->previous = task->next = 0;
    task->holder = 0;
    holder->count--;
    if (holder->count == 0) {
        holder->alone = false;
    }
    queue->counts.stages[task->stage - 1].leased--;
}

// Takes the task out of wherever it is: line, heap or lease.
static void detach(struct queue *queue, struct article_task *task)
{
    switch ((enum task_state)task->state) {
    case TASK_READY:
        leave_line(queue, task);
        break;
    case TASK_DELAYED:
        queue->counts.stages[task->stage - 1].delayed--;
        break;
    case TASK_LEASED:
        take_from_holder(queue, task);
        break;
    }
}

// Lets a detached task wait until `due_ms`. Without memory for the alarm it is ready at once, which is early but loses
// nothing; where an embargo would leak the alarm is reserved before.
static void delay(struct queue *queue, struct article_task *task, int64_t due_ms, int64_t now_ms)
{
    struct alarm alarm = {due_ms, task->article->handle, task->stage};
    if (due_ms <= now_ms || !add_alarm(queue, alarm)) {
        task->since_ms = now_ms;
        join_line(queue, task, false);
        return;
    }
    task->state = TASK_DELAYED;
    task->since_ms = due_ms;
    queue->counts.stages[task->stage - 1].delayed++;
}

static void remove_task(struct queue *queue, struct article_task *task)
{
    uint32_t *link = &task->article->tasks;
    detach(queue, task);
    while (*link != pool_number(task)) {
        link = &task_at(queue, *link)->sibling;
    }
    *link = task->sibling;
    pool_give(&queue->task_pool, task);
}

// Takes a task away, whoever has it. Without memory for the note the holder works in vain, no more.
static void cancel_task(struct queue *queue, struct article_task *task)
{
    if (task->state == TASK_LEASED && queue->canceled_count == queue->canceled_room) {
        size_t room = queue->canceled_room ? queue->canceled_room * 2 : 16;
        struct canceled *grown =
            fault_hit(FAULT_MEMORY) ? NULL : realloc(queue->canceled, room * sizeof *grown);
        if (grown) {
            queue->canceled = grown;
            queue->canceled_room = room;
        }
    }
    if (task->state == TASK_LEASED && queue->canceled_count < queue->canceled_room) {
        queue->canceled[queue->canceled_count++] = (struct canceled){
            holder_of(queue, task)->number, task->article->handle, task->attempt, task->stage};
    }
    remove_task(queue, task);
}

bool queue_take_canceled(struct queue *queue, struct canceled *out)
{
    if (queue->canceled_count == 0) {
        return false;
    }
    *out = queue->canceled[--queue->canceled_count];
    return true;
}

// --- articles

const struct article_extra *queue_extra(const struct queued_article *article)
{
    static const struct article_extra nothing;
    return article->extra ? article->extra : &nothing;
}

// The same to be written to. NULL when memory ran out.
static struct article_extra *need_extra(struct queue *queue, struct queued_article *article)
{
    if (!article->extra) {
        article->extra = pool_take(&queue->extra_pool);
    }
    return article->extra;
}

static void drop_article(struct queue *queue, struct queued_article *article)
{
    if (article) {
        free(queue_extra(article)->dead);
        pool_give(&queue->extra_pool, article->extra);
        pool_give(&queue->article_pool, article);
    }
}

// The stages the article has a task for.
static uint32_t open_stages(const struct queue *queue, const struct queued_article *article)
{
    uint32_t open = 0;
    for (uint32_t at = article->tasks; at; at = task_at(queue, at)->sibling) {
        open |= graph_bit(task_at(queue, at)->stage);
    }
    return open;
}

static void count_dead(struct queue *queue, const struct queued_article *article, int more)
{
    const struct dead_letter *why = queue_extra(article)->dead;
    queue->counts.dead += (size_t)more;
    if (why && why->stage - 1 < queue->graph->count) {
        queue->counts.stages[why->stage - 1].dead_now += (size_t)more;
    }
}

static void end_article(struct queue *queue, struct queued_article *article, enum ending ending)
{
    while (article->tasks) {
        cancel_task(queue, task_at(queue, article->tasks));
    }
    if (article->state == ARTICLE_LIVE) {
        queue->counts.live--;
    } else if (article->state == ARTICLE_DEAD) {
        count_dead(queue, article, -1);
    }
    if (ending == ENDED_DEAD) {
        count_dead(queue, article, 1);
    }
    article->state = ending == ENDED_DEAD ? ARTICLE_DEAD : ARTICLE_ENDED;
    article->ending = (unsigned)ending & 3u;
    if (article->listed) {
        return; // died and superseded before the caller looked: the last ending counts
    }
    article->listed = true;
    article->next_ended = 0;
    if (queue->ended_last) {
        queue->ended_last->next_ended = pool_number(article);
    } else {
        queue->ended_first = article;
    }
    queue->ended_last = article;
}

static bool open_task(struct queue *queue, struct queued_article *article, uint32_t stage,
                      int64_t now_ms)
{
    int64_t embargo_ms = queue_extra(article)->embargo_ms;
    bool gated = queue->graph->stages[stage - 1].terminal && embargo_ms > now_ms;
    struct article_task *task =
        gated && !reserve_alarm(queue) ? NULL : pool_take(&queue->task_pool);
    if (!task) {
        return false;
    }
    task->article = article;
    task->stage = (uint8_t)stage;
    task->attempt = queue_extra(article)->rounds << 8;
    task->since_ms = now_ms;
    task->sibling = article->tasks;
    article->tasks = pool_number(task);
    delay(queue, task, gated ? embargo_ms : now_ms, now_ms);
    return true;
}

// The stages it may stand before now and has no task for.
static uint32_t ready_stages(const struct queue *queue, const struct queued_article *article)
{
    uint32_t ready = graph_ready(queue->graph, article->done, open_stages(queue, article));
    return article->unsafe ? ready & ~queue->graph->terminal : ready;
}

// Opens tasks for every stage whose needs are met; ends the article when nothing is left to do.
// False when memory ran out: some tasks are missing, and the next queue_tick tries again.
static bool advance(struct queue *queue, struct queued_article *article, int64_t now_ms)
{
    const struct graph *graph = queue->graph;
    for (uint32_t ready = ready_stages(queue, article); ready; ready &= ready - 1) {
        if (!open_task(queue, article, graph_lowest(ready), now_ms)) {
            queue->starved = true;
            return false;
        }
    }
    if (article->tasks == 0 && ((graph->inner | graph->terminal) & ~article->done) == 0) {
        end_article(queue, article, ENDED_COMPLETE);
    }
    return true;
}

static struct story *find_story(const struct queue *queue, const uint64_t key[2])
{
    struct queued_article *article = roster_find(&queue->stories, key[0]);
    struct memory *memory = article ? NULL : roster_find(&queue->memories, key[0]);
    struct story *story = article ? &article->story : memory ? &memory->story : NULL;
    return story && story->key[1] == key[1] ? story : NULL;
}

// What the door says about an id that is known.
static enum wire_outcome judge(const struct story *story, const struct queue_put *put)
{
    if (put->again && put->version == story->version && !story->canceled) {
        return story->live ? WIRE_DUPLICATE : WIRE_ACCEPTED;
    }
    if (put->again && put->version == story->version) {
        return WIRE_STALE;
    }
    if (put->version == story->version && put->content_hash == story->content_hash) {
        return WIRE_DUPLICATE;
    }
    if (story->canceled) {
        return WIRE_STALE;
    }
    if (put->pubstatus == WIRE_CANCELED && put->version >= story->version) {
        return WIRE_ACCEPTED;
    }
    if (put->version == story->version) {
        return WIRE_CONFLICT;
    }
    return put->version < story->version ? WIRE_STALE : WIRE_ACCEPTED;
}

static struct queued_article *new_article(struct queue *queue, const struct queue_put *put,
                                          int64_t now_ms)
{
    struct queued_article *article = pool_take(&queue->article_pool);
    if (!article) {
        return NULL;
    }
    bool kill = put->pubstatus == WIRE_CANCELED;
    *article = (struct queued_article){
        .story = {.key = {put->key[0], put->key[1]},
                  .version = put->version,
                  .content_hash = put->content_hash,
                  .canceled = kill,
                  .live = true},
        .handle = put->handle,
        .accepted_ms = now_ms,
        .done = kill ? queue->graph->inner : 0,
        .lane = kill                          ? WIRE_FLASH
                : put->lane < WIRE_LANE_COUNT ? put->lane
                                              : WIRE_ROUTINE,
        .pubstatus = put->pubstatus,
        .again = put->again,
        .unsafe = put->unsafe,
    };
    int64_t embargo_ms = kill ? 0 : put->embargo_ms;
    if (put->deadline_ms != 0 || embargo_ms != 0) {
        struct article_extra *extra = need_extra(queue, article);
        if (!extra) {
            drop_article(queue, article);
            return NULL;
        }
        extra->deadline_ms = put->deadline_ms;
        extra->embargo_ms = embargo_ms;
    }
    return article;
}

static void forget_oldest(struct queue *queue)
{
    struct memory *memory = queue->oldest;
    queue->oldest = memory->next;
    if (!queue->oldest) {
        queue->newest = NULL;
    }
    if (roster_find(&queue->memories, memory->story.key[0]) == memory) {
        roster_remove(&queue->memories, memory->story.key[0]);
        queue->counts.remembered--;
    }
    pool_give(&queue->memory_pool, memory);
}

void queue_confirm(struct queue *queue, uint64_t handle, int64_t now_ms)
{
    struct queued_article *article = queue_find(queue, handle);
    if (article && article->unsafe) {
        article->unsafe = (article->unsafe - 1u) & UNSAFE_LIMIT;
        if (article->state == ARTICLE_LIVE && !article->unsafe) {
            advance(queue, article, now_ms);
        }
    }
}

// Notes an id that no article has any more. False when memory ran out.
static bool remember(struct queue *queue, const struct story *story)
{
    struct memory *memory = pool_take(&queue->memory_pool);
    if (!memory) {
        return false;
    }
    if (roster_remove(&queue->memories, story->key[0])) {
        queue->counts.remembered--;
    }
    memory->story = *story;
    memory->story.live = false;
    if (!roster_add(&queue->memories, memory)) {
        pool_give(&queue->memory_pool, memory);
        return false;
    }
    queue->counts.remembered++;
    *(queue->newest ? &queue->newest->next : &queue->oldest) = memory;
    queue->newest = memory;
    while (queue->counts.remembered > queue->config.remembered) {
        forget_oldest(queue);
    }
    return true;
}

void queue_remember(struct queue *queue, const struct story *story)
{
    const struct story *known = find_story(queue, story->key);
    if (!known || (!known->live && known->version <= story->version)) {
        remember(queue, story);
    }
}

// Puts the new article's story in the place of what was known of its id. Cannot fail when an older version lives:
// its slot is free then.
static bool replace_story(struct queue *queue, struct queued_article *article, struct story *known)
{
    if (known && known->live) {
        roster_remove(&queue->stories, known->key[0]);
        known->live = false;
        struct queued_article *older = (struct queued_article *)known;
        if (older->state != ARTICLE_ENDED) {
            queue->counts.superseded++;
            end_article(queue, older, ENDED_SUPERSEDED);
        }
        return roster_add(&queue->stories, article);
    }
    if (!roster_add(&queue->stories, article)) {
        return false;
    }
    if (known) {
        roster_remove(&queue->memories, known->key[0]);
        queue->counts.remembered--;
    }
    return true;
}

// The same while there is room.
static enum wire_outcome judge_known(const struct queue *queue, const struct story *known,
                                     const struct queue_put *put)
{
    enum wire_outcome outcome = known ? judge(known, put) : WIRE_ACCEPTED;
    bool full = queue->counts.live + queue->counts.dead >= queue->config.max_articles;
    return outcome == WIRE_ACCEPTED && full ? WIRE_BUSY : outcome;
}

enum wire_outcome queue_judge(const struct queue *queue, const struct queue_put *put)
{
    return judge_known(queue, find_story(queue, put->key), put);
}

// Most of what a journal tells of has ended further on: what has is not kept, so that the list stays as long as the queue.
static bool make_room_asleep(struct queue *queue)
{
    size_t kept = 0;
    for (size_t i = 0; i < queue->asleep_count; i++) {
        if (queue_find(queue, queue->asleep[i])) {
            queue->asleep[kept++] = queue->asleep[i];
        }
    }
    queue->asleep_count = kept;
    if (kept <= queue->asleep_room / 2 && queue->asleep_room > 0) {
        return true;
    }
    size_t room = queue->asleep_room ? queue->asleep_room * 2 : 256;
    uint64_t *grown = realloc(queue->asleep, room * sizeof *grown);
    if (!grown) {
        return false;
    }
    queue->asleep = grown;
    queue->asleep_room = room;
    return true;
}

// Without memory for the note the article is awake at once: out of order, no more.
static bool put_asleep(struct queue *queue, struct queued_article *article, int64_t now_ms)
{
    if (queue->asleep_count == queue->asleep_room && !make_room_asleep(queue)) {
        return advance(queue, article, now_ms);
    }
    queue->asleep[queue->asleep_count++] = article->handle;
    return true;
}

bool queue_wake(struct queue *queue, int64_t now_ms)
{
    bool all = true;
    for (size_t i = 0; i < queue->asleep_count; i++) {
        struct queued_article *article = queue_find(queue, queue->asleep[i]);
        all &= !article || article->state != ARTICLE_LIVE || advance(queue, article, now_ms);
    }
    free(queue->asleep);
    queue->asleep = NULL;
    queue->asleep_count = queue->asleep_room = 0;
    return all;
}

enum wire_outcome queue_put(struct queue *queue, const struct queue_put *put, int64_t now_ms,
                            struct queued_article **out)
{
    struct story *known = find_story(queue, put->key);
    enum wire_outcome outcome = judge_known(queue, known, put);
    *out = NULL;
    queue->counts.duplicates += outcome == WIRE_DUPLICATE;
    queue->counts.stale += outcome == WIRE_STALE;
    if (outcome != WIRE_ACCEPTED) {
        return outcome;
    }
    struct queued_article *article = new_article(queue, put, now_ms);
    if (!article || !roster_add(&queue->articles, article)) {
        drop_article(queue, article);
        return WIRE_BUSY;
    }
    if (known && put->again && known->version == put->version) {
        article->story.content_hash = known->content_hash;
    }
    // The tasks come first: an older version must not end before the newer one is sure to stay.
    bool opened =
        put->asleep ? put_asleep(queue, article, now_ms) : advance(queue, article, now_ms);
    if (!opened || !replace_story(queue, article, known)) {
        while (article->tasks) {
            remove_task(queue, task_at(queue, article->tasks));
        }
        roster_remove(&queue->articles, article->handle);
        drop_article(queue, article);
        return WIRE_BUSY;
    }
    queue->counts.live++;
    if (queue_extra(article)->deadline_ms > 0) {
        add_alarm(queue, (struct alarm){queue_extra(article)->deadline_ms, article->handle, 0});
    }
    *out = article;
    return WIRE_ACCEPTED;
}

// --- leases

static struct holder *find_holder(struct queue *queue, uint64_t number, int64_t now_ms)
{
    struct holder *holder = pool_item(&queue->holder_pool, queue->last_holder);
    if (!holder || holder->number != number) {
        holder = roster_find(&queue->holders, number);
    }
    if (holder) {
        queue->last_holder = pool_number(holder);
        return holder;
    }
    holder = pool_take(&queue->holder_pool);
    if (!holder) {
        return NULL;
    }
    holder->number = number;
    holder->expires_ms = now_ms + queue->config.lease_ms;
    if (!roster_add(&queue->holders, holder)) {
        pool_give(&queue->holder_pool, holder);
        return NULL;
    }
    queue->holders_due_ms = sooner(queue->holders_due_ms, holder->expires_ms);
    return holder;
}

// The number of a task, or 0.
static uint32_t first_of_round(const struct stage_lines *lines)
{
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        if (lines->lanes[lane].first && lines->turns[lane] > 0) {
            return lines->lanes[lane].first;
        }
    }
    return 0;
}

static struct article_task *next_in_line(const struct queue *queue, struct stage_lines *lines)
{
    uint32_t number = first_of_round(lines);
    if (!number) {
        memcpy(lines->turns, lane_weights, sizeof lines->turns);
        number = first_of_round(lines);
    }
    return task_at(queue, number);
}

bool queue_park(struct queue *queue, struct queued_article *article, uint32_t idle,
                int64_t until_ms)
{
    const struct article_task *task = task_at(queue, article->tasks);
    if (article->state != ARTICLE_LIVE || article->pubstatus == WIRE_CANCELED ||
        queue_extra(article)->rounds == UINT8_MAX) {
        return false;
    }
    for (; task; task = task_at(queue, task->sibling)) {
        bool waits = task->state == TASK_READY     ? (idle & graph_bit(task->stage)) != 0
                     : task->state == TASK_DELAYED ? task->since_ms > until_ms
                                                   : false;
        if (!waits || !queue->graph->stages[task->stage - 1].terminal) {
            return false;
        }
    }
    article->parked = need_extra(queue, article) != NULL;
    return article->parked;
}

// A parked article begins again, but for the sinks that have it and the stages that were given up.
static void unpark(struct queue *queue, struct queued_article *article, int64_t now_ms)
{
    while (article->tasks) {
        remove_task(queue, task_at(queue, article->tasks));
    }
    article->parked = false;
    article->extra->rounds++;
    article->done = (article->done & queue->graph->terminal) | queue_extra(article)->skipped;
    advance(queue, article, now_ms);
}

struct article_task *queue_lease(struct queue *queue, uint32_t stage, uint64_t number,
                                 int64_t now_ms)
{
    assert(stage >= 1 && stage <= queue->graph->count);
    struct stage_lines *lines = &queue->lines[stage - 1];
    struct holder *holder = find_holder(queue, number, now_ms);
    if (!holder || holder->alone) {
        return NULL;
    }
    struct article_task *task = next_in_line(queue, lines);
    while (task && task->article->parked) {
        unpark(queue, task->article, now_ms);
        task = next_in_line(queue, lines);
    }
    if (!task || (task->suspect && holder->count > 0)) {
        return NULL;
    }
    lines->turns[task->article->lane]--; // a hand-out, and not the look at one, uses it up
    leave_line(queue, task);
    task->attempt++;
    give_to_holder(queue, task, holder);
    return task;
}

size_t queue_ready(const struct queue *queue, uint32_t stage)
{
    const size_t *ready = queue->counts.stages[stage - 1].ready;
    return ready[0] + ready[1] + ready[2] + ready[3];
}

void queue_renew(struct queue *queue, uint64_t number, int64_t now_ms)
{
    struct holder *holder = roster_find(&queue->holders, number);
    if (holder) {
        holder->expires_ms = now_ms + queue->config.lease_ms;
    }
}

struct article_task *queue_task(const struct queue *queue, const struct queued_article *article,
                                uint32_t stage)
{
    struct article_task *task = task_at(queue, article->tasks);
    while (task && task->stage != stage) {
        task = task_at(queue, task->sibling);
    }
    return task;
}

bool queue_is_begun(const struct queue *queue, const struct queued_article *article)
{
    const struct article_task *task = task_at(queue, article->tasks);
    while (task && task->state != TASK_LEASED) {
        task = task_at(queue, task->sibling);
    }
    return article->done != 0 || task;
}

// The article's task that the claim is about, or NULL: it must be held by the claimant in exactly this attempt.
static struct article_task *find_held(const struct queue *queue,
                                      const struct queued_article *article,
                                      const struct queue_claim *claim)
{
    struct article_task *task = article ? queue_task(queue, article, claim->stage) : NULL;
    bool is_held = task && task->state == TASK_LEASED && task->attempt == claim->attempt &&
                   holder_of(queue, task)->number == claim->holder;
    return is_held ? task : NULL;
}

bool queue_holds(const struct queue *queue, const struct queued_article *article,
                 const struct queue_claim *claim)
{
    return find_held(queue, article, claim) != NULL;
}

static void complete(struct queue *queue, struct article_task *task, int64_t now_ms)
{
    struct queued_article *article = task->article;
    queue->counts.stages[task->stage - 1].done++;
    article->done |= graph_bit(task->stage);
    remove_task(queue, task);
    advance(queue, article, now_ms);
}

bool queue_waits(const struct queue *queue, const struct queued_article *article, uint32_t stage)
{
    const struct article_task *task = queue_task(queue, article, stage);
    return task && task->state == TASK_READY;
}

bool queue_supply(struct queue *queue, uint64_t handle, uint32_t stage, int64_t now_ms)
{
    struct queued_article *article = roster_find(&queue->articles, handle);
    bool waits = article && queue_waits(queue, article, stage);
    if (waits) {
        complete(queue, queue_task(queue, article, stage), now_ms);
    }
    return waits;
}

static void cut_text(char *out, size_t size, struct view text)
{
    snprintf(out, size, "%.*s", VIEW_ARGS(text));
}

static void shelve(struct queue *queue, struct article_task *task, const struct queue_blame *blame,
                   int64_t now_ms)
{
    struct dead_letter why = {.stage = task->stage, .attempts = task->attempt, .at_ms = now_ms};
    cut_text(why.worker, sizeof why.worker, blame->worker);
    cut_text(why.reason, sizeof why.reason, blame->reason);
    queue_shelve(queue, task->article, &why);
}

void queue_shelve(struct queue *queue, struct queued_article *article,
                  const struct dead_letter *why)
{
    struct article_extra *extra = need_extra(queue, article);
    if (extra) { // without memory it is a dead letter without a reason
        free(extra->dead);
        extra->dead = malloc(sizeof *extra->dead);
        extra->skipped = 0; // who revives it runs every stage again
    }
    if (extra && extra->dead) {
        *extra->dead = *why;
    }
    if (why->stage >= 1 && why->stage <= queue->graph->count) {
        queue->counts.stages[why->stage - 1].dead++;
    }
    end_article(queue, article, ENDED_DEAD);
}

// One more, but never around to 0.
static uint8_t count_up(uint8_t count)
{
    return count < UINT8_MAX ? (uint8_t)(count + 1) : count;
}

static int64_t backoff_ms(struct queue *queue, unsigned failures)
{
    int64_t wait = queue->config.backoff_first_ms;
    for (unsigned i = 1; i < failures && wait < queue->config.backoff_limit_ms; i++) {
        wait *= 2;
    }
    wait = wait > queue->config.backoff_limit_ms ? queue->config.backoff_limit_ms : wait;
    int64_t quarter = wait / 4;
    return wait - quarter + (int64_t)(next_random(queue) % (uint64_t)(2 * quarter + 1));
}

// A task that came back undone for the time `count`: it waits, or goes to the dead letters.
static void put_off(struct queue *queue, struct article_task *task, uint8_t count, bool give_up,
                    const struct queue_blame *blame, int64_t now_ms)
{
    if (give_up) {
        shelve(queue, task, blame, now_ms);
        return;
    }
    detach(queue, task);
    delay(queue, task, now_ms + backoff_ms(queue, count), now_ms);
}

// To the head of its line.
static void give_back(struct queue *queue, struct article_task *task, int64_t now_ms)
{
    detach(queue, task);
    task->since_ms = now_ms;
    join_line(queue, task, true);
}

bool queue_answer(struct queue *queue, const struct queue_claim *claim, enum wire_outcome outcome,
                  const struct queue_blame *blame, int64_t now_ms)
{
    struct article_task *task =
        find_held(queue, roster_find(&queue->articles, claim->handle), claim);
    if (!task) {
        queue->counts.refused++;
        return false;
    }
    const struct queue_config *config = &queue->config;
    bool is_sink = queue->graph->stages[task->stage - 1].terminal;
    queue->counts.stages[task->stage - 1].failed += outcome != WIRE_DONE && outcome != WIRE_RETURN;
    switch (outcome) {
    case WIRE_DONE:
        complete(queue, task, now_ms);
        break;
    case WIRE_RETURN:
        give_back(queue, task, now_ms);
        break;
    case WIRE_RETRY: // a sink that is down is tried for as long as it takes; an article no stage can do is not
        task->failures = count_up(task->failures);
        put_off(queue, task, task->failures, !is_sink && task->failures >= config->max_failures,
                blame, now_ms);
        break;
    case WIRE_CRASHED:
        task->deaths = count_up(task->deaths);
        put_off(queue, task, task->deaths, task->deaths >= config->max_deaths, blame, now_ms);
        break;
    default:
        shelve(queue, task, blame, now_ms);
        break;
    }
    return true;
}

// A task whose holder died. Alone in the holder's hands it is to blame; among others it is suspected.
static void recover_task(struct queue *queue, struct article_task *task, bool died, bool was_alone,
                         int64_t now_ms, struct view worker)
{
    const struct queue_blame blame = {
        worker, VIEW("its workers died or fell silent while they had only this article")};
    give_back(queue, task, now_ms);
    if (!died) {
        return;
    }
    task->suspect = true;
    if (was_alone) {
        task->deaths = count_up(task->deaths);
    }
    if (task->deaths >= queue->config.max_deaths) {
        shelve(queue, task, &blame, now_ms);
    }
}

void queue_lose(struct queue *queue, uint64_t number, bool died, int64_t now_ms, struct view worker)
{
    struct holder *holder = roster_remove(&queue->holders, number);
    if (!holder) {
        return;
    }
    bool was_alone = holder->count == 1;
    while (holder->first) {
        queue->counts.expired_leases += died;
        recover_task(queue, task_at(queue, holder->first), died, was_alone, now_ms, worker);
    }
    assert(holder->count == 0);
    queue->last_holder = 0;
    pool_give(&queue->holder_pool, holder);
}

// --- time

// Leases only get longer: between two looks at all holders the earliest end is known well enough.
static struct holder *next_expired(struct queue *queue, int64_t now_ms)
{
    size_t at = 0;
    struct holder *holder;
    if (now_ms < queue->holders_due_ms) {
        return NULL;
    }
    queue->holders_due_ms = INT64_MAX;
    while ((holder = roster_next(&queue->holders, &at))) {
        queue->holders_due_ms = sooner(queue->holders_due_ms, holder->expires_ms);
        if (holder->expires_ms <= now_ms) {
            return holder;
        }
    }
    return NULL;
}

static size_t expire_holders(struct queue *queue, int64_t now_ms)
{
    size_t lost = 0;
    struct holder *holder;
    while ((holder = next_expired(queue, now_ms))) {
        queue_lose(queue, holder->number, true, now_ms, VIEW(""));
        lost++;
    }
    return lost;
}

// Past its deadline an article goes to the sinks with what it has.
static void pass_deadline(struct queue *queue, struct queued_article *article, int64_t now_ms)
{
    uint32_t missing = queue->graph->inner & ~article->done;
    if (article->state != ARTICLE_LIVE || missing == 0) {
        return;
    }
    struct article_task *task = task_at(queue, article->tasks);
    while (task) {
        struct article_task *next = task_at(queue, task->sibling);
        if (missing & graph_bit(task->stage)) {
            cancel_task(queue, task);
        }
        task = next;
    }
    article->done |= missing;
    article->extra->skipped |= missing; // it has a deadline
    advance(queue, article, now_ms);
}

static void ring(struct queue *queue, const struct alarm *alarm, int64_t now_ms)
{
    struct queued_article *article = roster_find(&queue->articles, alarm->handle);
    if (!article) {
        return;
    }
    if (alarm->stage == 0) {
        pass_deadline(queue, article, now_ms);
        return;
    }
    struct article_task *task = queue_task(queue, article, alarm->stage);
    if (task && task->state == TASK_DELAYED && task->since_ms <= now_ms) {
        detach(queue, task);
        task->since_ms = now_ms;
        join_line(queue, task, false);
    }
}

// --- another pipeline

static void cancel_unused(struct queue *queue, const struct queued_article *article)
{
    struct article_task *next;
    for (struct article_task *task = task_at(queue, article->tasks); task; task = next) {
        next = task_at(queue, task->sibling);
        if (!graph_in_use(queue->graph, task->stage)) {
            cancel_task(queue, task);
        }
    }
}

void queue_reload(struct queue *queue, int64_t now_ms)
{
    const struct graph *graph = queue->graph;
    size_t at = 0;
    struct queued_article *article;
    while ((article = queue_next(queue, &at))) {
        uint32_t open = open_stages(queue, article);
        bool at_sinks = ((open | article->done) & graph->terminal) != 0;
        if (article->state == ARTICLE_ENDED) {
            continue;
        }
        cancel_unused(queue, article);
        if (at_sinks || article->pubstatus == WIRE_CANCELED) {
            article->done |= graph->inner & ~open;
        }
        if (article->state == ARTICLE_LIVE) {
            advance(queue, article, now_ms);
        }
    }
}

void queue_configure(struct queue *queue, const struct queue_config *config)
{
    queue->config.max_failures = config->max_failures;
    queue->config.max_deaths = config->max_deaths;
    queue->config.backoff_first_ms = config->backoff_first_ms;
    queue->config.backoff_limit_ms = config->backoff_limit_ms;
}

// Of the articles that were let go only the ids stay. Without memory for that they stay themselves, and later ones with them.
static void forget_ended(struct queue *queue)
{
    struct queued_article *article = queue->forgotten;
    while (article && (!article->story.live || remember(queue, &article->story))) {
        if (article->story.live) {
            roster_remove(&queue->stories, article->story.key[0]);
        }
        queue->forgotten = pool_item(&queue->article_pool, article->next_ended);
        drop_article(queue, article);
        article = queue->forgotten;
    }
}

// What advance found no memory for. Linear in the articles, and rare.
static void advance_starved(struct queue *queue, int64_t now_ms)
{
    size_t at = 0;
    struct queued_article *article;
    bool starved = queue->starved;
    queue->starved = false;
    while (starved && (article = queue_next(queue, &at))) {
        if (article->state == ARTICLE_LIVE && !advance(queue, article, now_ms)) {
            return;
        }
    }
}

size_t queue_tick(struct queue *queue, int64_t now_ms)
{
    advance_starved(queue, now_ms);
    forget_ended(queue);
    while (queue->alarm_count > 0 && queue->alarms[0].at_ms <= now_ms) {
        struct alarm alarm = take_alarm(queue);
        ring(queue, &alarm, now_ms);
    }
    return expire_holders(queue, now_ms);
}

static bool waits_for_embargo(const struct article_task *task)
{
    return task->state == TASK_DELAYED && task->since_ms == queue_extra(task->article)->embargo_ms;
}

// Without memory to let it wait the task goes, and queue_tick opens it again.
static void jump_task(struct queue *queue, struct article_task *task, int64_t by_ms, int64_t now_ms)
{
    int64_t embargo_ms = queue_extra(task->article)->embargo_ms;
    if (waits_for_embargo(task)) {
        return;
    }
    task->since_ms += by_ms;
    if (task->state == TASK_READY && queue->graph->stages[task->stage - 1].terminal &&
        embargo_ms > now_ms) {
        if (!reserve_alarm(queue)) {
            queue->starved = true;
            remove_task(queue, task);
            return;
        }
        detach(queue, task);
        delay(queue, task, embargo_ms, now_ms);
    }
}

// An alarm rings when its task is due. Those whose task is gone, and deadlines, stay as they are.
static void jump_alarms(struct queue *queue)
{
    size_t count = queue->alarm_count;
    queue->alarm_count = 0;
    for (size_t i = 0; i < count; i++) { // each into the heap of those before it, which ends there
        struct alarm alarm = queue->alarms[i];
        struct queued_article *article = roster_find(&queue->articles, alarm.handle);
        const struct article_task *task =
            article && alarm.stage ? queue_task(queue, article, alarm.stage) : NULL;
        if (task && task->state == TASK_DELAYED) {
            alarm.at_ms = task->since_ms;
        }
        bool added = add_alarm(queue, alarm);
        assert(added);
    }
}

void queue_jump(struct queue *queue, int64_t by_ms, int64_t now_ms)
{
    size_t at = 0;
    struct holder *holder;
    struct queued_article *article;
    queue->holders_due_ms = INT64_MAX;
    while ((holder = roster_next(&queue->holders, &at))) {
        holder->expires_ms += by_ms;
        queue->holders_due_ms = sooner(queue->holders_due_ms, holder->expires_ms);
    }
    at = 0;
    while ((article = roster_next(&queue->articles, &at))) {
        struct article_task *next, *task = task_at(queue, article->tasks);
        for (; task; task = next) {
            next = task_at(queue, task->sibling);
            jump_task(queue, task, by_ms, now_ms);
        }
    }
    jump_alarms(queue);
}

int64_t queue_next_ms(const struct queue *queue)
{
    return sooner(queue->alarm_count > 0 ? queue->alarms[0].at_ms : INT64_MAX,
                  queue->holders_due_ms);
}

// --- endings

struct queued_article *queue_take_ended(struct queue *queue)
{
    struct queued_article *article = queue->ended_first;
    if (article) {
        queue->ended_first = pool_item(&queue->article_pool, article->next_ended);
        queue->ended_last = queue->ended_first ? queue->ended_last : NULL;
        article->next_ended = 0;
        article->listed = false;
    }
    return article;
}

void queue_forget(struct queue *queue, struct queued_article *article)
{
    assert(article->state == ARTICLE_ENDED && !article->tasks);
    roster_remove(&queue->articles, article->handle);
    article->next_ended = pool_number(queue->forgotten);
    queue->forgotten = article;
    forget_ended(queue);
}

struct queued_article *queue_find(const struct queue *queue, uint64_t handle)
{
    return roster_find(&queue->articles, handle);
}

const struct story *queue_find_story(const struct queue *queue, const uint64_t key[2])
{
    return find_story(queue, key);
}

struct queued_article *queue_head(const struct queue *queue, const uint64_t key[2])
{
    const struct story *story = find_story(queue, key);
    const struct queued_article *head = (const struct queued_article *)story;
    return story && story->live ? queue_find(queue, head->handle) : NULL;
}

bool queue_revive(struct queue *queue, uint64_t handle, bool unsafe, int64_t now_ms)
{
    struct queued_article *article = queue_find(queue, handle);
    if (!article || article->state != ARTICLE_DEAD || (unsafe && article->unsafe == UNSAFE_LIMIT)) {
        return false;
    }
    count_dead(queue, article, -1);
    if (article->extra) {
        free(article->extra->dead);
        article->extra->dead = NULL;
    }
    article->state = ARTICLE_LIVE;
    article->unsafe = (article->unsafe + unsafe) & UNSAFE_LIMIT;
    queue->counts.live++;
    advance(queue, article, now_ms);
    return true;
}

void queue_deliver(struct queue *queue, uint64_t handle, uint32_t stage)
{
    const struct graph *graph = queue->graph;
    struct queued_article *article = queue_find(queue, handle);
    struct article_task *task = article ? queue_task(queue, article, stage) : NULL;
    if (!article || article->state != ARTICLE_LIVE || !(graph->terminal & graph_bit(stage))) {
        return;
    }
    if (task) {
        remove_task(queue, task);
    }
    article->done |= graph_bit(stage);
    if ((graph->terminal & ~article->done) == 0) {
        end_article(queue, article, ENDED_COMPLETE);
    }
}

bool queue_discard(struct queue *queue, uint64_t handle)
{
    struct queued_article *article = queue_find(queue, handle);
    if (!article || article->state == ARTICLE_ENDED) {
        return false;
    }
    end_article(queue, article, ENDED_SUPERSEDED);
    return true;
}

struct queued_article *queue_next(const struct queue *queue, size_t *at)
{
    return roster_next(&queue->articles, at);
}

struct story *queue_next_memory(struct queue *queue, size_t *at)
{
    struct memory *memory = roster_next(&queue->memories, at);
    return memory ? &memory->story : NULL;
}

const struct queue_counts *queue_counts(const struct queue *queue)
{
    return &queue->counts;
}

int64_t queue_oldest_ms(const struct queue *queue, uint32_t stage)
{
    int64_t oldest = 0;
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        const struct article_task *first =
            task_at(queue, queue->lines[stage - 1].lanes[lane].first);
        if (first && (oldest == 0 || first->since_ms < oldest)) {
            oldest = first->since_ms;
        }
    }
    return oldest;
}

// --- invariants

static void check_article(const struct queue *queue, const struct queued_article *article)
{
    const struct article_task *task = task_at(queue, article->tasks);
    uint32_t open = 0;
    for (; task; task = task_at(queue, task->sibling)) {
        assert(task->article == article);
        assert(!(open & graph_bit(task->stage)));
        assert((task->state == TASK_LEASED) == (task->holder != 0));
        open |= graph_bit(task->stage);
    }
    assert((open & article->done) == 0);
    assert(article->state == ARTICLE_LIVE || !article->tasks);
    if (article->state == ARTICLE_LIVE) {
        assert(open != 0 || article->unsafe || queue->starved);
        assert(ready_stages(queue, article) == 0 || queue->starved);
    }
}

static size_t check_line(const struct queue *queue, const struct line *line, size_t *timed)
{
    size_t count = 0;
    uint32_t previous = 0;
    for (uint32_t at = line->first; at; at = task_at(queue, at)->next) {
        assert(task_at(queue, at)->state == TASK_READY);
        assert(task_at(queue, at)->previous == previous);
        previous = at;
        count++;
        *timed += queue_extra(task_at(queue, at)->article)->deadline_ms > 0;
    }
    assert(line->last == previous);
    return count;
}

static void check_stages(const struct queue *queue)
{
    size_t leased = 0;
    size_t held_tasks = 0;
    size_t at = 0;
    const struct holder *holder;
    for (uint32_t i = 0; i < queue->graph->count; i++) {
        size_t timed = 0;
        for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
            assert(check_line(queue, &queue->lines[i].lanes[lane], &timed) ==
                   queue->counts.stages[i].ready[lane]);
        }
        assert(timed == queue->counts.stages[i].timed);
        leased += queue->counts.stages[i].leased;
    }
    while ((holder = roster_next(&queue->holders, &at))) {
        size_t count = 0;
        for (uint32_t task = holder->first; task; task = task_at(queue, task)->next) {
            assert(holder_of(queue, task_at(queue, task)) == holder);
            count++;
        }
        assert(count == holder->count);
        held_tasks += count;
    }
    assert(leased == held_tasks);
}

void queue_check(const struct queue *queue)
{
    size_t live = 0;
    size_t dead = 0;
    size_t at = 0;
    const struct queued_article *article;
    while ((article = roster_next(&queue->articles, &at))) {
        check_article(queue, article);
        live += article->state == ARTICLE_LIVE;
        dead += article->state == ARTICLE_DEAD;
    }
    assert(live == queue->counts.live);
    assert(dead == queue->counts.dead);
    check_stages(queue);
}
