#include "services/broker/graph.h"

static enum status add_need(struct graph *graph, struct graph_stage *stage, struct view need,
                            unsigned line, struct error *why)
{
    if (view_equal(need, VIEW("article"))) {
        stage->needs_document = true;
        return OK;
    }
    if (view_equal(need, VIEW("*"))) {
        stage->needs_document = true;
        stage->terminal = true;
        return OK;
    }
    uint32_t number = graph_find(graph, need);
    if (number == 0) {
        return error_set(why, ERR_CONFIG, "line %u: '%s' needs '%.*s', which no line above defines",
                         line, stage->name, VIEW_ARGS(need));
    }
    if (graph->stages[number - 1].terminal) {
        return error_set(why, ERR_CONFIG, "line %u: '%s' needs '%.*s', which is a sink", line,
                         stage->name, VIEW_ARGS(need));
    }
    stage->needs |= graph_bit(number);
    return OK;
}

static enum status add_stage(struct graph *graph, struct view name, struct view needs,
                             unsigned line, struct error *why)
{
    struct graph_stage stage = {.name = ""};
    struct view need;
    if (name.len == 0 || name.len >= GRAPH_NAME_BYTES || graph->count == WIRE_STAGE_LIMIT) {
        return error_set(why, ERR_CONFIG,
                         "line %u: a stage's name has 1 to %d letters, and there are at most %d",
                         line, GRAPH_NAME_BYTES - 1, WIRE_STAGE_LIMIT);
    }
    if (graph_find(graph, name) != 0) {
        return error_set(why, ERR_CONFIG, "line %u: '%.*s' is defined twice", line,
                         VIEW_ARGS(name));
    }
    memcpy(stage.name, name.at, name.len);
    enum status status = OK;
    while (status == OK && view_next_word(&needs, &need)) {
        status = add_need(graph, &stage, need, line, why);
    }
    if (status == OK && stage.needs == 0 && !stage.needs_document) {
        status = error_set(why, ERR_CONFIG,
                           "line %u: '%s' needs nothing; write 'article', stages or '*'", line,
                           stage.name);
    }
    if (status == OK) {
        graph->stages[graph->count++] = stage;
    }
    return status;
}

// Into the set that it belongs to.
static void put_in_use(struct graph *graph, uint32_t number)
{
    const struct graph_stage *stage = &graph->stages[number - 1];
    uint32_t bit = graph_bit(number);
    graph->terminal |= stage->terminal ? bit : 0;
    graph->inner |= stage->terminal ? 0 : bit;
    graph->readers |= !stage->terminal && stage->needs_document ? bit : 0;
}

enum status graph_parse(struct graph *graph, struct view text, struct error *why)
{
    struct view line;
    *graph = (struct graph){0};
    for (unsigned number = 1; view_next_line(&text, &line); number++) {
        line = view_trim(line);
        if (line.len == 0 || line.at[0] == '#') {
            continue;
        }
        size_t equals = view_find(line, VIEW("="), 0);
        if (equals == line.len) {
            return error_set(why, ERR_CONFIG, "line %u: expected 'stage = what it needs'", number);
        }
        enum status status = add_stage(graph, view_trim(view_slice(line, 0, equals)),
                                       view_slice(line, equals + 1, line.len), number, why);
        if (status != OK) {
            return status;
        }
    }
    for (uint32_t number = 1; number <= graph->count; number++) {
        put_in_use(graph, number);
    }
    if (graph->terminal == 0) {
        return error_set(why, ERR_CONFIG, "the pipeline has no sink: add a line like 'export = *'");
    }
    for (uint32_t number = 1; number <= graph->count; number++) {
        if (graph->stages[number - 1].terminal) {
            graph->stages[number - 1].needs = graph->inner;
        }
    }
    return OK;
}

// The number that the stage `number` of `wanted` gets.
static uint32_t place_of(const struct graph *graph, const struct graph *wanted, uint32_t number)
{
    return graph_find(graph, view_of(wanted->stages[number - 1].name));
}

// Numbers for all names.
static enum status add_names(struct graph *graph, const struct graph *wanted, struct error *why)
{
    for (uint32_t i = 0; i < wanted->count; i++) {
        const struct graph_stage *stage = &wanted->stages[i];
        uint32_t number = place_of(graph, wanted, i + 1);
        if (number == 0 && graph->count == WIRE_STAGE_LIMIT) {
            return error_set(why, ERR_CONFIG,
                             "'%s' is one stage too many while those taken out still have their "
                             "numbers; restart the broker",
                             stage->name);
        }
        if (number != 0 && graph->stages[number - 1].terminal != stage->terminal) {
            return error_set(
                why, ERR_CONFIG,
                "'%s' was a %s and cannot become a %s while the broker runs; restart it",
                stage->name, stage->terminal ? "stage" : "sink",
                stage->terminal ? "sink" : "stage");
        }
        if (number == 0) {
            graph->stages[graph->count++] = *stage;
        }
    }
    return OK;
}

enum status graph_reload(struct graph *graph, const struct graph *wanted, struct error *why)
{
    struct graph next = *graph;
    enum status status = add_names(&next, wanted, why);
    if (status != OK) {
        return status;
    }
    next.inner = next.readers = next.terminal = 0;
    for (uint32_t i = 0; i < wanted->count; i++) {
        uint32_t number = place_of(&next, wanted, i + 1);
        struct graph_stage *stage = &next.stages[number - 1];
        *stage = wanted->stages[i];
        stage->needs = 0;
        for (uint32_t need = 1; need <= wanted->count; need++) {
            if (wanted->stages[i].needs & graph_bit(need)) {
                stage->needs |= graph_bit(place_of(&next, wanted, need));
            }
        }
        put_in_use(&next, number);
    }
    *graph = next;
    return OK;
}

uint32_t graph_find(const struct graph *graph, struct view name)
{
    for (uint32_t i = 0; i < graph->count; i++) {
        if (view_equal(name, view_of(graph->stages[i].name))) {
            return i + 1;
        }
    }
    return 0;
}

const char *graph_name_of(const struct graph *graph, uint32_t number)
{
    return number >= 1 && number <= graph->count ? graph->stages[number - 1].name : "?";
}

uint32_t graph_ready(const struct graph *graph, uint32_t done, uint32_t open)
{
    uint32_t ready = 0;
    for (uint32_t left = (graph->inner | graph->terminal) & ~(done | open); left;
         left &= left - 1) {
        uint32_t number = graph_lowest(left);
        if ((graph->stages[number - 1].needs & ~done) == 0) {
            ready |= graph_bit(number);
        }
    }
    return ready;
}

// Numbers rise from what is needed to what needs it. After a reload it may be otherwise: such a stage is left out.
uint32_t graph_along(const struct graph *graph, uint32_t stage, uint32_t wanted)
{
    uint32_t made = graph_bit(stage);
    for (uint32_t number = 1; number <= graph->count; number++) {
        const struct graph_stage *at = &graph->stages[number - 1];
        bool is_wanted = (wanted & graph->inner & graph_bit(number)) != 0;
        bool has_document = graph->stages[stage - 1].needs_document || !at->needs_document;
        if (is_wanted && has_document && at->needs != 0 && (at->needs & ~made) == 0) {
            made |= graph_bit(number);
        }
    }
    return made & ~graph_bit(stage);
}

struct view graph_names_of(const struct graph *graph, uint32_t set, char *out)
{
    size_t len = 0;
    for (uint32_t i = 0; i < graph->count; i++) {
        size_t name = strlen(graph->stages[i].name);
        if (!(set & graph_bit(i + 1))) {
            continue;
        }
        if (len > 0) {
            out[len++] = ' ';
        }
        memcpy(out + len, graph->stages[i].name, name);
        len += name;
    }
    return (struct view){out, len};
}

struct view graph_names(const struct graph *graph, char *out)
{
    return graph_names_of(graph, UINT32_MAX, out);
}

uint32_t graph_set(const struct graph *graph, struct view names)
{
    struct view name;
    uint32_t set = 0;
    while (view_next_word(&names, &name)) {
        uint32_t number = graph_find(graph, name);
        set |= number ? graph_bit(number) : 0;
    }
    return set;
}
