#include "services/worker_core.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    BATCH_LIMIT = 64,  // results in one message: as many as the broker packs into one
    DEPTH_LEAST = 2,   // one running, one to go on with
    DEPTH_US = 20000,  // of work before a thread
    CREDIT_US = 50000, // of work for each thread in the process
    UNKNOWN_US = 2000, // taken for the first articles, before their time is known
};
#define BATCH_BYTES_LIMIT ((size_t)256 << 10)

void worker_list_init(struct worker_list *list)
{
    *list = (struct worker_list){.last = &list->first};
}

void worker_list_push(struct worker_list *list, struct worker_article *article)
{
    article->next = NULL;
    *list->last = article;
    list->last = &article->next;
    list->len++;
}

struct worker_article *worker_list_pop(struct worker_list *list)
{
    struct worker_article *article = list->first;
    if (article) {
        list->first = article->next;
        if (!list->first) {
            list->last = &list->first;
        }
        list->len--;
    }
    return article;
}

// What a WORK brought, in one piece of memory: articles, then their sections, then all ids and bytes as they came.
struct worker_parcel {
    size_t left; // articles that were not freed
    struct worker_article articles[];
};

static void article_free(struct worker_article *article)
{
    struct worker_parcel *parcel = article->parcel;
    free(article->result);
    if (--parcel->left == 0) {
        free(parcel);
    }
}

static void join_names(struct worker_core *core)
{
    size_t len = 0;
    for (int i = 0; core->config.along[i]; i++) {
        len += (size_t)snprintf(core->along_names + len, sizeof core->along_names - len, "%s%s",
                                i > 0 ? " " : "", core->config.along[i]);
        assert(len < sizeof core->along_names);
    }
}

void worker_core_init(struct worker_core *core, const struct worker_config *config, int64_t now_ms)
{
    assert(config->slots >= 1 && config->credit_count >= config->slots);
    *core = (struct worker_core){.config = *config};
    join_names(core);
    const struct session_config session = {.role = WIRE_WORKER,
                                           .name = config->name,
                                           .software = "copydesk " COPYDESK_VERSION,
                                           .stage = config->stage,
                                           .stage_version = config->stage_version,
                                           .along = config->along[0] ? core->along_names : NULL,
                                           .credit_count = config->credit_count,
                                           .credit_bytes = config->credit_bytes,
                                           .seed = config->seed};
    session_init(&core->session, &session, now_ms);
    core->lent = config->credit_count;
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        worker_list_init(&core->lanes[lane]);
    }
    worker_list_init(&core->settled);
}

static void forget_list(struct worker_core *core, struct worker_list *list)
{
    struct worker_article *article;
    while ((article = worker_list_pop(list))) {
        core->counts.fenced++;
        article_free(article);
    }
}

// Drops what belongs to an epoch that is over. What runs cannot be stopped: it is dropped when it comes back.
static void keep_up(struct worker_core *core)
{
    if (core->epoch == core->session.epoch) {
        return;
    }
    core->epoch = core->session.epoch;
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        forget_list(core, &core->lanes[lane]);
    }
    forget_list(core, &core->settled);
    core->waiting = 0;
    core->held = 0;
    core->held_bytes = 0;
    core->lent = core->session.config.credit_count;
    core->dismissed = false;
}

void worker_core_clear(struct worker_core *core)
{
    assert(core->running == 0);
    core->session.epoch++;
    keep_up(core);
    session_clear(&core->session);
}

void worker_core_link(struct worker_core *core, int64_t now_ms, bool up)
{
    session_link(&core->session, now_ms, up);
    keep_up(core);
}

// Nothing more is begun.
static bool is_leaving(const struct worker_core *core)
{
    return core->draining || core->dismissed;
}

static void settle(struct worker_core *core, int64_t now_ms, struct worker_article *article,
                   enum wire_outcome outcome)
{
    int64_t hold_ms = outcome != WIRE_DONE                ? 0
                      : article->item.lane <= WIRE_URGENT ? 1
                                                          : WORKER_HOLD_MS;
    int64_t due_ms = now_ms + hold_ms;
    article->outcome = outcome;
    core->settled_ms = core->settled.first ? core->settled_ms : now_ms;
    if (!core->settled.first || due_ms < core->settled_due_ms) {
        core->settled_due_ms = due_ms;
    }
    worker_list_push(&core->settled, article);
}

static struct worker_section *sections_of(struct worker_parcel *parcel, size_t articles)
{
    return (struct worker_section *)(parcel->articles + articles);
}

// Room for all of the message, its body copied. NULL when memory ran out.
static struct worker_parcel *parcel_new(const struct wire_message *message)
{
    size_t articles = message->header.item_count, sections = message->header.section_count;
    struct worker_parcel *parcel =
        malloc(sizeof *parcel + articles * sizeof(struct worker_article) +
               sections * sizeof(struct worker_section) + message->body_len);
    if (parcel) {
        parcel->left = articles;
        if (message->body_len > 0) {
            memcpy(sections_of(parcel, articles) + sections, message->body, message->body_len);
        }
    }
    return parcel;
}

// The present item of the walk. Its sections go to `sections`.
static void read_article(struct worker_article *article, struct wire_walk *walk,
                         struct worker_section *sections)
{
    struct wire_section section;
    const uint8_t *bytes;
    *article = (struct worker_article){.item = walk->item,
                                       .id = {(const char *)walk->id, walk->item.id_bytes},
                                       .sections = sections,
                                       .bytes = walk->item.id_bytes};
    while (wire_next_section(walk, &section, &bytes)) {
        article->sections[article->section_count++] =
            (struct worker_section){section.stage, {(const char *)bytes, section.bytes}};
        article->bytes += section.bytes;
    }
}

static void take_article(struct worker_core *core, int64_t now_ms, struct worker_article *article)
{
    bool wanted = core->held < core->lent && !is_leaving(core);
    article->epoch = core->epoch;
    article->received_ms = now_ms;
    core->held++;
    core->held_bytes += article->bytes;
    core->counts.received++;
    if (wanted) {
        unsigned lane = article->item.lane < WIRE_LANE_COUNT ? article->item.lane : WIRE_ROUTINE;
        worker_list_push(&core->lanes[lane], article);
        core->waiting++;
    } else {
        settle(core, now_ms, article, WIRE_RETURN);
    }
}

// Without memory nothing is said: the leases run out and the articles go elsewhere.
static void take_work(struct worker_core *core, int64_t now_ms, const struct wire_message *message)
{
    size_t articles = message->header.item_count, sections = message->header.section_count;
    if (articles == 0) {
        return;
    }
    struct worker_parcel *parcel = parcel_new(message);
    if (!parcel) {
        core->starved = true;
        session_fail(&core->session, now_ms, "no memory for %zu bytes of articles",
                     message->body_len);
        return;
    }
    struct worker_section *at = sections_of(parcel, articles);
    struct wire_message copy = *message; // its body is ours, its records are read once and for all
    copy.body = (const uint8_t *)(at + sections);
    struct wire_walk walk = {.message = &copy};
    for (struct worker_article *article = parcel->articles; wire_next_item(&walk); article++) {
        read_article(article, &walk, at);
        article->parcel = parcel;
        at += article->section_count;
        take_article(core, now_ms, article);
    }
}

// Takes an article that has not begun out of its lane; NULL when there is none such.
static struct worker_article *take_waiting(struct worker_core *core, const struct wire_item *item)
{
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        struct worker_list *list = &core->lanes[lane];
        for (struct worker_article **at = &list->first; *at; at = &(*at)->next) {
            struct worker_article *article = *at;
            if (article->item.handle == item->handle && article->item.attempt == item->attempt) {
                *at = article->next;
                list->last = article->next ? list->last : at;
                list->len--;
                core->waiting--;
                return article;
            }
        }
    }
    return NULL;
}

static void cancel(struct worker_core *core, int64_t now_ms, const struct wire_message *message)
{
    struct wire_walk walk = {.message = message};
    while (wire_next_item(&walk)) {
        struct worker_article *article = take_waiting(core, &walk.item);
        if (article) {
            settle(core, now_ms, article, WIRE_RETURN);
            core->counts.canceled++;
        }
    }
}

// The place of `name` among `names`, from 1; 0 when it is not there.
static uint16_t place_of(const char *names, const char *name)
{
    struct view rest = view_of(names), word;
    for (uint16_t place = 1; view_next_word(&rest, &word); place++) {
        if (view_equal(word, view_of(name))) {
            return place;
        }
    }
    return 0;
}

// Which of the stages that could be run along the broker wants.
static void agree_on_along(struct worker_core *core)
{
    for (int i = 0; core->config.along[i]; i++) {
        const char *name = core->config.along[i];
        bool wanted = place_of(core->session.along, name) > 0;
        core->along_numbers[i] = wanted ? place_of(core->session.stages, name) : 0;
    }
}

static void return_waiting(struct worker_core *core, int64_t now_ms)
{
    for (int lane = 0; lane < WIRE_LANE_COUNT; lane++) {
        struct worker_article *article;
        while ((article = worker_list_pop(&core->lanes[lane]))) {
            settle(core, now_ms, article, WIRE_RETURN);
        }
    }
    core->waiting = 0;
}

void worker_core_message(struct worker_core *core, int64_t now_ms, struct view envelope,
                         struct view body)
{
    struct wire_message message;
    enum session_event event = session_message(&core->session, now_ms, envelope, body, &message);
    keep_up(core);
    if (event == SESSION_WELCOMED) {
        agree_on_along(core);
    }
    if (event != SESSION_MESSAGE) {
        return;
    }
    if (message.header.type == WIRE_WORK) {
        take_work(core, now_ms, &message);
    } else if (message.header.type == WIRE_CANCEL) {
        cancel(core, now_ms, &message);
    } else if (message.header.type == WIRE_GOODBYE) {
        core->dismissed = true;
        return_waiting(core, now_ms);
    }
    keep_up(core);
}

void worker_core_finished(struct worker_core *core, int64_t now_ms, struct worker_article *article)
{
    assert(core->running > 0);
    assert(article->outcome >= WIRE_DONE && article->outcome <= WIRE_CRASHED);
    core->running--;
    if (article->epoch != core->epoch) {
        core->counts.fenced++;
        article_free(article);
        return;
    }
    settle(core, now_ms, article, article->outcome);
}

static uint32_t between(uint32_t low, int64_t value, uint32_t high)
{
    return value < low ? low : value > high ? high : (uint32_t)value;
}

struct worker_pace worker_pace_for(uint32_t threads, int64_t article_us)
{
    int64_t us = article_us > 0 ? article_us : UNKNOWN_US;
    uint32_t depth = between(DEPTH_LEAST, DEPTH_US / us, BATCH_LIMIT);
    uint32_t credit = between(depth + 1, CREDIT_US / us, 2 * BATCH_LIMIT);
    return (struct worker_pace){.slots = threads * depth, .credit = threads * credit};
}

void worker_core_pace(struct worker_core *core, struct worker_pace pace)
{
    assert(pace.slots >= 1 && pace.credit >= pace.slots);
    core->config.slots = pace.slots;
    core->config.credit_count = pace.credit;
}

void worker_core_drain(struct worker_core *core, int64_t now_ms)
{
    core->draining = true;
    return_waiting(core, now_ms);
}

static void count_outcome(struct worker_counts *counts, enum wire_outcome outcome)
{
    counts->done += outcome == WIRE_DONE;
    counts->retried += outcome == WIRE_RETRY;
    counts->rejected += outcome == WIRE_REJECT;
    counts->returned += outcome == WIRE_RETURN;
    counts->crashed += outcome == WIRE_CRASHED;
}

// What a settled article gives back: itself; nothing while too much is lent, one more while too little is.
static uint32_t next_grant(struct worker_core *core)
{
    uint32_t wanted = core->config.credit_count;
    core->lent -= core->lent > 0; // a broker that sends more than was lent gets back no more
    uint32_t grant = core->lent >= wanted ? 0 : core->lent + 1 >= wanted ? 1 : 2;
    core->lent += grant;
    return grant;
}

static void add_along(struct worker_core *core, const struct worker_article *article)
{
    const char *at = article->result + article->result_len;
    for (int i = 0; i < WORKER_ALONG_LIMIT; i++) {
        if (article->along_len[i] > 0) {
            assert(article->along & 1u << i);
            message_section(&core->session.out, core->along_numbers[i],
                            (struct view){at, article->along_len[i]});
            at += article->along_len[i];
        }
    }
}

static void add_result(struct worker_core *core, const struct worker_article *article)
{
    struct message *out = &core->session.out;
    const struct wire_item item = {.handle = article->item.handle,
                                   .attempt = article->item.attempt,
                                   .outcome = (uint8_t)article->outcome};
    message_item(out, &item, VIEW(""));
    if (article->result) {
        message_section(out, core->session.stage,
                        (struct view){article->result, article->result_len});
        add_along(core, article);
    }
    // A worker that leaves does not ask for more.
    out->header.credit_count += is_leaving(core) ? 0 : next_grant(core);
    out->header.credit_bytes += is_leaving(core) ? 0 : article->bytes;
    count_outcome(&core->counts, article->outcome);
}

static size_t result_bytes(const struct worker_article *article)
{
    size_t bytes = article->result_len;
    for (uint32_t left = article->along; left; left &= left - 1) {
        bytes += article->along_len[__builtin_ctz(left)];
    }
    return bytes;
}

// Of the results that one message will take.
static size_t settled_bytes(const struct worker_core *core)
{
    const struct worker_article *article = core->settled.first;
    size_t bytes = 0;
    for (int i = 0; article && i < BATCH_LIMIT && bytes < BATCH_BYTES_LIMIT; i++) {
        bytes += article->result ? result_bytes(article) : 0;
        article = article->next;
    }
    return bytes;
}

static bool build_results(struct worker_core *core, int64_t now_ms, struct frames *frames)
{
    struct message *out = &core->session.out;
    message_begin(out, WIRE_RESULT, core->session.stage);
    message_reserve(out, settled_bytes(core));
    while (core->settled.first && message_item_count(out) < BATCH_LIMIT &&
           message_body_bytes(out) < BATCH_BYTES_LIMIT) {
        struct worker_article *article = worker_list_pop(&core->settled);
        add_result(core, article);
        assert(core->held > 0 && core->held_bytes >= article->bytes);
        core->held--;
        core->held_bytes -= article->bytes;
        article_free(article);
    }
    if (!session_finish(&core->session, now_ms, frames)) {
        core->starved = true;
        session_fail(&core->session, now_ms, "no memory for results");
        keep_up(core);
        return false;
    }
    return true;
}

static uint32_t along_set(const struct worker_core *core)
{
    uint32_t set = 0;
    for (int i = 0; i < WORKER_ALONG_LIMIT; i++) {
        set |= core->along_numbers[i] ? 1u << i : 0;
    }
    return set;
}

static struct worker_article *next_to_run(struct worker_core *core, int64_t now_ms)
{
    if (core->running >= core->config.slots || core->waiting == 0) {
        return NULL;
    }
    struct worker_article *article = NULL;
    for (int lane = 0; !article; lane++) {
        assert(lane < WIRE_LANE_COUNT);
        article = worker_list_pop(&core->lanes[lane]);
    }
    article->begun_ms = now_ms;
    article->along = article->item.attempt == 1 ? along_set(core) : 0;
    core->waiting--;
    core->running++;
    return article;
}

// Little of the grant is here, so the broker goes on handing out meanwhile.
static bool may_gather(const struct worker_core *core, int64_t now_ms)
{
    return now_ms - core->settled_ms < core->config.gather_ms && !is_leaving(core) &&
           core->held < core->lent / 2 && core->held_bytes < core->config.credit_bytes / 2;
}

// While there is more to be run, results wait for company: for a whole message, or until they have waited long enough.
static bool results_are_due(const struct worker_core *core, int64_t now_ms)
{
    return core->settled.len >= BATCH_LIMIT ||
           (core->settled.first && now_ms >= core->settled_due_ms && !may_gather(core, now_ms));
}

static bool goodbye_is_due(const struct worker_core *core)
{
    return core->draining ? core->running == 0 : core->dismissed && core->held == 0;
}

static bool build_goodbye(struct worker_core *core, int64_t now_ms, struct frames *frames)
{
    message_begin(&core->session.out, WIRE_GOODBYE, core->session.stage);
    core->said_goodbye = core->draining;
    bool built = session_finish(&core->session, now_ms, frames);
    if (!core->draining) {
        session_fail(&core->session, now_ms, "the broker is leaving");
        keep_up(core);
    }
    return built;
}

static bool is_stopped(const struct worker_core *core)
{
    bool up = core->session.state == SESSION_UP;
    bool refused = core->session.state == SESSION_REFUSED;
    return core->running == 0 && (refused || (core->draining && (!up || core->said_goodbye)));
}

enum worker_action_type worker_core_next(struct worker_core *core, int64_t now_ms,
                                         struct worker_action *action)
{
    *action = (struct worker_action){0};
    if (is_stopped(core)) {
        return WORKER_STOPPED;
    }
    enum session_action session = session_next(&core->session, now_ms, &action->frames);
    keep_up(core);
    if (session != SESSION_WAIT) {
        return session == SESSION_SEND ? WORKER_SEND : WORKER_RECONNECT;
    }
    if (core->session.state != SESSION_UP) {
        return WORKER_WAIT;
    }
    if (results_are_due(core, now_ms) && build_results(core, now_ms, &action->frames)) {
        return WORKER_SEND;
    }
    if ((action->article = next_to_run(core, now_ms))) {
        return WORKER_RUN;
    }
    if (core->settled.first && core->waiting == 0 && !may_gather(core, now_ms) &&
        build_results(core, now_ms, &action->frames)) {
        return WORKER_SEND;
    }
    if (goodbye_is_due(core) && build_goodbye(core, now_ms, &action->frames)) {
        return WORKER_SEND;
    }
    return WORKER_WAIT;
}

int64_t worker_core_deadline(const struct worker_core *core)
{
    int64_t deadline = session_deadline(&core->session);
    int64_t results_ms = core->config.gather_ms > 0
                             ? core->settled_ms + 2 * (int64_t)core->config.gather_ms
                             : core->settled_due_ms;
    return core->settled.first && results_ms < deadline ? results_ms : deadline;
}
