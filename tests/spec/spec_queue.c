// Specs of the broker's rules: a script of commands, each with the time in milliseconds in front.
//
//     > 0      put a1 lane=flash        also v=2 content=other kill again embargo=5000 deadline=3000
//     > 0      lease clean w1           done|fail|reject|return STAGE WORKER ID [attempt=N]
//     > 10000  tick                     renew W, die W, leave W, revive ID, discard ID, counts STAGE
//     > 70000  jump from=10000          the clock is set from 10000 to 70000
//     > 10000  park a1 idle=export       gives up what the stages made of a1
//     > 0      deliver export a1          the journal says that the sink has it
//     > 0      put a1 unsafe             not on disk yet, as after `revive a1 unsafe`; `confirm a1`: it is
//     > 20000  pipeline clean=article dates=clean export=*    reloads; needs are separated by commas
//
// Every command gives one line, "put a1 -> accepted"; an article that ends because of it adds a line, "a1 complete".
// The invariants of the queue are checked after every command.
#include "services/broker/queue.h"
#include "tests/spec/spec.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARTICLES = 64, WORDS = 8 };

struct known {
    char id[24];
    uint64_t handle;
};

struct script {
    struct graph graph;
    struct queue *queue;
    struct known known[ARTICLES];
    size_t known_count;
    int64_t now_ms;
    struct view words[WORDS];
    size_t word_count;
    struct buf *out;
};

static const char default_pipeline[] =
    "clean = article\nentities = clean\ndates = clean\nsummary = clean entities\nexport = *\n";

// The value of the word "name=value", or an empty view.
static struct view option(const struct script *script, const char *name)
{
    for (size_t i = 0; i < script->word_count; i++) {
        struct view word = script->words[i];
        size_t equals = view_find(word, VIEW("="), 0);
        if (view_equal(view_slice(word, 0, equals), view_of(name))) {
            return view_slice(word, equals + 1, word.len);
        }
    }
    return (struct view){"", 0};
}

static uint64_t number(const struct script *script, const char *name, uint64_t otherwise)
{
    uint64_t value;
    return view_parse_u64(option(script, name), &value) ? value : otherwise;
}

static bool has_word(const struct script *script, const char *word)
{
    for (size_t i = 0; i < script->word_count; i++) {
        if (view_equal(script->words[i], view_of(word))) {
            return true;
        }
    }
    return false;
}

static const char *id_of(const struct script *script, uint64_t handle)
{
    for (size_t i = 0; i < script->known_count; i++) {
        if (script->known[i].handle == handle) {
            return script->known[i].id;
        }
    }
    return "?";
}

// The latest article that was put under an id.
static uint64_t handle_of(const struct script *script, struct view id)
{
    for (size_t i = script->known_count; i-- > 0;) {
        if (view_equal(view_of(script->known[i].id), id)) {
            return script->known[i].handle;
        }
    }
    return 0;
}

static void put(struct script *script)
{
    struct view id = script->words[1];
    struct view lane = option(script, "lane");
    struct queued_article *article;
    struct queue_put put = {.handle = script->known_count + 1,
                            .key = {view_hash(id), 1},
                            .version = number(script, "v", 1),
                            .content_hash = view_hash(option(script, "content")),
                            .embargo_ms = (int64_t)number(script, "embargo", 0),
                            .deadline_ms = (int64_t)number(script, "deadline", 0),
                            .lane = WIRE_ROUTINE,
                            .pubstatus = has_word(script, "kill") ? WIRE_CANCELED : WIRE_USABLE,
                            .again = has_word(script, "again"),
                            .unsafe = has_word(script, "unsafe")};
    for (uint8_t i = 0; i < WIRE_LANE_COUNT; i++) {
        put.lane = view_equal(lane, view_of(wire_lane_name(i))) ? i : put.lane;
    }
    enum wire_outcome outcome = queue_put(script->queue, &put, script->now_ms, &article);
    if (outcome == WIRE_ACCEPTED && script->known_count < ARTICLES) {
        struct known *known = &script->known[script->known_count++];
        snprintf(known->id, sizeof known->id, "%.*s", VIEW_ARGS(id));
        known->handle = put.handle;
    }
    buf_printf(script->out, "%s\n", wire_outcome_name(outcome));
}

static void lease(struct script *script)
{
    uint32_t stage = graph_find(&script->graph, script->words[1]);
    const struct article_task *task =
        queue_lease(script->queue, stage, view_hash(script->words[2]), script->now_ms);
    if (task) {
        buf_printf(script->out, "%s attempt %u\n", id_of(script, task->article->handle),
                   task->attempt);
    } else {
        buf_printf(script->out, "nothing\n");
    }
}

// The attempt in which the article's task for `stage` is out now.
static uint32_t present_attempt(const struct script *script, uint64_t handle, uint32_t stage)
{
    const struct queued_article *article = queue_find(script->queue, handle);
    const struct article_task *task = article ? queue_task(script->queue, article, stage) : NULL;
    return task ? task->attempt : 0;
}

static enum wire_outcome outcome_named(struct view name)
{
    static const struct {
        const char *name;
        enum wire_outcome outcome;
    } outcomes[] = {{"done", WIRE_DONE},
                    {"fail", WIRE_RETRY},
                    {"crash", WIRE_CRASHED},
                    {"reject", WIRE_REJECT},
                    {"return", WIRE_RETURN}};
    size_t i = 0;
    while (!view_equal(name, view_of(outcomes[i].name))) {
        i++;
    }
    return outcomes[i].outcome;
}

static void answer(struct script *script)
{
    struct queue_claim claim = {.holder = view_hash(script->words[2]),
                                .handle = handle_of(script, script->words[3]),
                                .stage = graph_find(&script->graph, script->words[1])};
    const struct queue_blame blame = {script->words[2], VIEW("told so")};
    claim.attempt =
        (uint32_t)number(script, "attempt", present_attempt(script, claim.handle, claim.stage));
    bool taken = queue_answer(script->queue, &claim, outcome_named(script->words[0]), &blame,
                              script->now_ms);
    buf_printf(script->out, "%s\n", taken ? "taken" : "refused");
}

static void count(struct script *script)
{
    uint32_t stage = graph_find(&script->graph, script->words[1]);
    const struct queue_counts *counts = queue_counts(script->queue);
    buf_printf(script->out, "ready %zu delayed %zu leased %zu\n", queue_ready(script->queue, stage),
               counts->stages[stage - 1].delayed, counts->stages[stage - 1].leased);
}

static void pipeline(struct script *script)
{
    char text[512] = "";
    struct graph wanted;
    struct error why = {""};
    size_t len = 0;
    for (size_t i = 1; i < script->word_count && len < sizeof text - 64; i++) {
        len += (size_t)snprintf(text + len, 64, "%.*s\n", VIEW_ARGS(script->words[i]));
    }
    for (size_t i = 0; i < len; i++) {
        text[i] = text[i] == ',' ? ' ' : text[i];
    }
    enum status status = graph_parse(&wanted, view_of(text), &why);
    if (status == OK) {
        status = graph_reload(&script->graph, &wanted, &why);
    }
    if (status == OK) {
        queue_reload(script->queue, script->now_ms);
    }
    buf_printf(script->out, "%s\n", status == OK ? "ok" : why.text);
}

static void park(struct script *script)
{
    struct queued_article *article = queue_find(script->queue, handle_of(script, script->words[1]));
    uint32_t idle = graph_find(&script->graph, option(script, "idle"));
    bool done = article && queue_park(script->queue, article, idle ? graph_bit(idle) : 0,
                                      script->now_ms + 60000);
    buf_printf(script->out, "%s\n", done ? "ok" : "no");
}

static void tell_canceled(struct script *script)
{
    struct canceled canceled;
    while (queue_take_canceled(script->queue, &canceled)) {
        buf_printf(script->out, "%s taken away at %s\n", id_of(script, canceled.handle),
                   graph_name_of(&script->graph, canceled.stage));
    }
}

static void other(struct script *script)
{
    struct view command = script->words[0];
    struct view who = script->words[1];
    if (view_equal(command, VIEW("tick"))) {
        buf_printf(script->out, "%zu lost\n", queue_tick(script->queue, script->now_ms));
    } else if (view_equal(command, VIEW("jump"))) {
        int64_t by_ms = script->now_ms - (int64_t)number(script, "from", 0);
        queue_jump(script->queue, by_ms, script->now_ms);
        buf_printf(script->out, "ok\n");
    } else if (view_equal(command, VIEW("pipeline"))) {
        pipeline(script);
        tell_canceled(script);
    } else if (view_equal(command, VIEW("renew"))) {
        queue_renew(script->queue, view_hash(who), script->now_ms);
        buf_printf(script->out, "ok\n");
    } else if (view_equal(command, VIEW("die")) || view_equal(command, VIEW("leave"))) {
        queue_lose(script->queue, view_hash(who), view_equal(command, VIEW("die")), script->now_ms,
                   who);
        buf_printf(script->out, "ok\n");
    } else if (view_equal(command, VIEW("revive"))) {
        bool done = queue_revive(script->queue, handle_of(script, who), has_word(script, "unsafe"),
                                 script->now_ms);
        buf_printf(script->out, "%s\n", done ? "ok" : "no dead letter");
    } else if (view_equal(command, VIEW("deliver"))) {
        queue_deliver(script->queue, handle_of(script, script->words[2]),
                      graph_find(&script->graph, who));
        buf_printf(script->out, "ok\n");
    } else if (view_equal(command, VIEW("confirm"))) {
        queue_confirm(script->queue, handle_of(script, who), script->now_ms);
        buf_printf(script->out, "ok\n");
    } else if (view_equal(command, VIEW("discard"))) {
        bool done = queue_discard(script->queue, handle_of(script, who));
        buf_printf(script->out, "%s\n", done ? "ok" : "no such article");
    } else {
        buf_printf(script->out, "unknown command\n");
    }
}

static void tell_ended(struct script *script)
{
    static const char *const how[] = {"complete", "superseded", "dead"};
    struct queued_article *article;
    while ((article = queue_take_ended(script->queue))) {
        buf_printf(script->out, "%s %s", id_of(script, article->handle), how[article->ending]);
        if (article->ending == ENDED_DEAD) {
            buf_printf(script->out, ": %s\n", queue_extra(article)->dead->reason);
        } else {
            buf_printf(script->out, "\n");
            queue_forget(script->queue, article);
        }
    }
}

static bool run_line(struct script *script, struct view line)
{
    static const struct {
        const char *command;
        void (*run)(struct script *script);
    } commands[] = {{"put", put},       {"lease", lease},   {"done", answer},
                    {"fail", answer},   {"park", park},     {"crash", answer},
                    {"reject", answer}, {"return", answer}, {"counts", count}};
    struct view time;
    struct view rest = line;
    uint64_t now;
    if (!view_next_word(&rest, &time) || !view_parse_u64(time, &now)) {
        return false;
    }
    script->now_ms = (int64_t)now;
    buf_printf(script->out, "%.*s -> ", VIEW_ARGS(view_trim(rest)));
    memset(script->words, 0, sizeof script->words);
    script->word_count = 0;
    while (script->word_count < WORDS &&
           view_next_word(&rest, &script->words[script->word_count])) {
        script->word_count++;
    }
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (view_equal(script->words[0], view_of(commands[i].command))) {
            commands[i].run(script);
            return true;
        }
    }
    other(script);
    return true;
}

static void free_nothing(void *holding)
{
    (void)holding;
}

static enum status produce(void *context, const struct spec_case *one, struct buf *actual,
                           struct error *why)
{
    struct script script = {.out = actual};
    struct view rest = one->input;
    struct view line;
    (void)context;
    enum status status = graph_parse(&script.graph, view_of(default_pipeline), why);
    script.queue = status == OK ? queue_new(&script.graph, &queue_defaults) : NULL;
    while (status == OK && view_next_line(&rest, &line)) {
        if (!run_line(&script, line)) {
            status = error_set(why, ERR_FORMAT, "a line begins with its time in ms: '%.*s'",
                               VIEW_ARGS(line));
        }
        tell_ended(&script);
        queue_check(script.queue);
    }
    queue_free(script.queue, free_nothing);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {NULL};
    static const struct spec_kind kind = {.name = "queue", .keys = keys, .produce = produce};
    return spec_main(argc, argv, &kind);
}
