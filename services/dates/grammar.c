#include "services/dates/grammar.h"

#include "services/dates/ranges.h"

#include <assert.h>
#include <stdlib.h>

static_assert(CLASS_SLOT_END <= 64, "slots are bits of a 64-bit mask");
static_assert(CLASS_COUNT <= 256, "classes are bytes");

enum { PATTERN_LIMIT = 12, NODE_LIMIT = 60000 };

// A node of a trie; children are a list. `ending` is the first rule that ends here: several may, when they ask
// for different kinds of expressions inside.
struct node {
    uint16_t child, sibling;
    uint8_t class;
    uint16_t ending; // 0: none
};

struct ending {
    uint16_t rule; // index + 1
    uint16_t next; // in the order of the table
};

struct grammar {
    struct node *nodes; // [0] is none
    size_t count, cap;
    struct ending *endings; // [0] is none
    size_t ending_count, ending_cap;
    uint16_t roots[RULE_PHASES][CLASS_COUNT];
};

static uint16_t new_node(struct grammar *grammar, enum word_class class)
{
    if (grammar->count == grammar->cap) {
        size_t cap = grammar->cap * 2;
        struct node *nodes = realloc(grammar->nodes, cap * sizeof *nodes);
        if (!nodes || cap > NODE_LIMIT) {
            grammar->nodes = nodes ? nodes : grammar->nodes;
            return 0;
        }
        grammar->nodes = nodes;
        grammar->cap = cap;
    }
    grammar->nodes[grammar->count] = (struct node){.class = (uint8_t) class};
    return (uint16_t)grammar->count++;
}

static uint16_t step(struct grammar *grammar, uint8_t phase, uint16_t parent, enum word_class class)
{
    uint16_t first = parent ? grammar->nodes[parent].child : grammar->roots[phase][class];
    for (uint16_t node = first; node; node = grammar->nodes[node].sibling) {
        if (grammar->nodes[node].class == class) {
            return node;
        }
    }
    uint16_t made = new_node(grammar, class);
    if (made && parent) {
        grammar->nodes[made].sibling = first;
        grammar->nodes[parent].child = made;
    } else if (made) {
        grammar->roots[phase][class] = made;
    }
    return made;
}

// One element of a pattern: up to six classes, perhaps optional.
struct element {
    enum word_class classes[6];
    size_t count;
    bool optional;
};

static bool read_element(struct view word, struct element *out)
{
    *out = (struct element){.optional = view_ends(word, VIEW("?"))};
    word.len -= out->optional;
    while (word.len > 0 && out->count < 6) {
        size_t bar = view_find(word, VIEW("|"), 0);
        out->classes[out->count] = lexicon_class(view_slice(word, 0, bar));
        if (out->classes[out->count++] == CLASS_NONE) {
            return false;
        }
        word = view_slice(word, bar + 1, word.len);
    }
    return out->count > 0 && word.len == 0;
}

// Every way through a pattern is a number: per element a digit in base (classes + optional).
static size_t ways(const struct element *element)
{
    return element->count + element->optional;
}

static bool add_ending(struct grammar *grammar, uint16_t node, uint16_t rule)
{
    if (grammar->ending_count == grammar->ending_cap) {
        size_t cap = grammar->ending_cap * 2;
        struct ending *endings = realloc(grammar->endings, cap * sizeof *endings);
        if (!endings || cap > NODE_LIMIT) {
            grammar->endings = endings ? endings : grammar->endings;
            return false;
        }
        grammar->endings = endings;
        grammar->ending_cap = cap;
    }
    uint16_t made = (uint16_t)grammar->ending_count++;
    uint16_t *link = &grammar->nodes[node].ending;
    while (*link) {
        link = &grammar->endings[*link].next;
    }
    grammar->endings[made] = (struct ending){.rule = rule};
    *link = made;
    return true;
}

static bool add_way(struct grammar *grammar, const struct element *elements, size_t count,
                    size_t way, uint16_t rule)
{
    uint16_t node = 0;
    uint8_t phase = dates_rules[rule].phase;
    for (size_t i = 0; i < count; i++) {
        size_t choice = way % ways(&elements[i]);
        way /= ways(&elements[i]);
        if (choice < elements[i].count) {
            node = step(grammar, phase, node, elements[i].classes[choice]);
            if (!node) {
                return false;
            }
        }
    }
    return node && add_ending(grammar, node, (uint16_t)(rule + 1));
}

static enum status add_rule(struct grammar *grammar, uint16_t rule, struct error *why)
{
    struct element elements[PATTERN_LIMIT];
    struct view rest = view_of(dates_rules[rule].pattern);
    struct view word;
    size_t count = 0;
    size_t all = 1;
    while (view_next_word(&rest, &word)) {
        if (count == PATTERN_LIMIT || !read_element(word, &elements[count])) {
            return error_set(why, ERR_FORMAT, "dates: rule '%s': '%.*s' is no class",
                             dates_rules[rule].pattern, VIEW_ARGS(word));
        }
        all *= ways(&elements[count++]);
    }
    for (size_t way = 0; way < all; way++) {
        if (!add_way(grammar, elements, count, way, rule)) {
            return error_set(why, ERR_MEMORY, "dates: no memory for the rules");
        }
    }
    return OK;
}

enum status grammar_new(struct grammar **out, struct error *why)
{
    struct grammar *grammar = calloc(1, sizeof *grammar);
    enum status status = OK;
    if (grammar) {
        grammar->cap = grammar->ending_cap = 1024;
        grammar->count = grammar->ending_count = 1;
        grammar->endings = calloc(grammar->ending_cap, sizeof *grammar->endings);
        grammar->nodes = calloc(grammar->cap, sizeof *grammar->nodes);
    }
    if (!grammar || !grammar->nodes || !grammar->endings) {
        status = error_set(why, ERR_MEMORY, "dates: no memory for the rules");
    }
    for (uint16_t i = 0; status == OK && dates_rules[i].pattern; i++) {
        status = add_rule(grammar, i, why);
    }
    if (status != OK) {
        grammar_free(grammar);
        grammar = NULL;
    }
    *out = grammar;
    return status;
}

void grammar_free(struct grammar *grammar)
{
    if (grammar) {
        free(grammar->endings);
        free(grammar->nodes);
        free(grammar);
    }
}

struct match {
    uint16_t rule; // index + 1; 0: none
    size_t len;
    uint8_t choice[PATTERN_LIMIT]; // which sense of each item
};

static enum unit unit_at(const struct island *island, size_t at)
{
    const struct frame *frame = &island->frames[island->items[at].senses[0].value];
    return (enum unit)frame_get(frame, CLASS_UNIT, frame_get(frame, CLASS_PLURAL, UNIT_NONE));
}

// "an hour and 45 minutes" is a sum; "two years and three years" and "24 hours a day" are none.
static bool is_sum(const struct island *island, size_t first, size_t second)
{
    const struct frame *frame = &island->frames[island->items[second].senses[0].value];
    struct view pattern = view_of(dates_rules[frame->rule - 1].pattern);
    return unit_at(island, second) < unit_at(island, first) && !view_starts(pattern, VIEW("a "));
}

// True when the expressions among the items are of the kinds the rule takes.
static bool allows(const struct island *island, const struct rule *rule, size_t start, size_t len)
{
    uint32_t wanted[2] = {rule->inner, rule->second};
    size_t seen = 0;
    if (rule->op == OP_SUM) {
        return is_sum(island, start, start + len - 1);
    }
    for (size_t i = start; i < start + len && seen < 2; i++) {
        struct sense sense = island->items[i].senses[0];
        if (sense.class >= CLASS_DATED && sense.class <= CLASS_REFFED) {
            bool fits = !wanted[seen] || wanted[seen] >> island->frames[sense.value].op & 1;
            if (!fits) {
                return false;
            }
            seen++;
        }
    }
    return true;
}

// The first rule that ends at the node and takes these items; 0: none.
static uint16_t fitting_rule(const struct grammar *grammar, const struct island *island,
                             uint16_t node, size_t start, size_t len)
{
    for (uint16_t at = grammar->nodes[node].ending; at; at = grammar->endings[at].next) {
        if (allows(island, &dates_rules[grammar->endings[at].rule - 1], start, len)) {
            return grammar->endings[at].rule;
        }
    }
    return 0;
}

// The longest way through the phase's trie from item `start` on; depth first with a stack of its own.
static struct match find_match(const struct grammar *grammar, const struct island *island,
                               size_t phase, size_t start)
{
    struct match best = {0};
    uint16_t nodes[PATTERN_LIMIT + 1];
    uint8_t tried[PATTERN_LIMIT + 1] = {0}; // per depth: next sense to try
    size_t depth = 0;
    for (;;) {
        const struct item *item = &island->items[start + depth];
        bool inside = depth < PATTERN_LIMIT && start + depth < island->len;
        uint16_t next = 0;
        while (inside && !next && tried[depth] < item->count) {
            uint8_t class = item->senses[tried[depth]++].class;
            next = depth ? grammar->nodes[nodes[depth - 1]].child : grammar->roots[phase][class];
            while (next && grammar->nodes[next].class != class) {
                next = grammar->nodes[next].sibling;
            }
        }
        if (!next) {
            if (depth == 0) {
                return best;
            }
            depth--;
            continue;
        }
        nodes[depth] = next;
        depth++;
        uint16_t rule = fitting_rule(grammar, island, next, start, depth);
        if (rule && (depth > best.len || (depth == best.len && rule < best.rule))) {
            best.rule = rule;
            best.len = depth;
            for (size_t i = 0; i < depth; i++) {
                best.choice[i] = (uint8_t)(tried[i] - 1);
            }
        }
        tried[depth < PATTERN_LIMIT ? depth : PATTERN_LIMIT] = 0;
    }
}

static void collect(struct frame *frame, struct sense sense, uint16_t inner[2])
{
    if (sense.class < CLASS_SLOT_END) {
        // A half is added to the number before it: five 1/2 hours.
        bool fraction = sense.class == CLASS_NUM && sense.value > 0 && sense.value < 100 &&
                        frame_has(frame, CLASS_NUM) && frame->value[CLASS_NUM] % 100 == 0;
        if (fraction) {
            frame->value[CLASS_NUM] += sense.value;
        }
        // A second number, as in "two to three weeks", does not replace the first.
        if (!frame_has(frame, (enum word_class)sense.class)) {
            frame_set(frame, (enum word_class)sense.class, sense.value);
        }
        return;
    }
    if (sense.class >= CLASS_DATED && sense.class <= CLASS_REFFED) {
        inner[inner[0] ? 1 : 0] = (uint16_t)sense.value;
    }
}

static void take_slots(struct frame *frame, const struct frame *from)
{
    for (int class = 1; class < CLASS_SLOT_END; class ++) {
        if (frame_has(from, (enum word_class) class) &&
            !frame_has(frame, (enum word_class) class)) {
            frame_set(frame, (enum word_class) class, from->value[class]);
        }
    }
}

static bool is_duration(const struct frame *frame)
{
    return frame->class == CLASS_DURED || frame->class == CLASS_SPELLED;
}

// What the op makes of the expressions inside.
static void combine(struct island *island, struct frame *frame, const struct rule *rule,
                    const uint16_t inner[2])
{
    const struct frame *one = &island->frames[inner[0]];
    const struct frame *two = &island->frames[inner[1]];
    if (rule->op == OP_KEEP && inner[0]) {
        frame->op = one->op;
        frame->class = rule->class ? rule->class : one->class;
        frame->base = one->base;
        take_slots(frame, one);
    } else if (rule->op == OP_JOIN && inner[0] && inner[1]) {
        const struct frame *date = one->class == CLASS_CLOCKED ? two : one;
        const struct frame *time = one->class == CLASS_CLOCKED ? one : two;
        frame->op = date->op;
        frame->base = date->base;
        take_slots(frame, date);
        take_slots(frame, time);
    } else if (rule->op == OP_SUM) {
        take_slots(frame, one);
        frame->base = inner[1];
    } else if (inner[1] && (rule->op == OP_NTH || rule->op == OP_YEARPART ||
                            one->op == OP_SHIFT)) { // a part and the whole
        bool whole_first = rule->value == WHOLE_FIRST;
        take_slots(frame, whole_first ? two : one);
        frame->base = inner[whole_first ? 0 : 1];
    } else if (inner[1]) { // a duration and what it is counted from
        bool first_is_duration = is_duration(one);
        take_slots(frame, first_is_duration ? one : two);
        frame->base = inner[first_is_duration ? 1 : 0];
    } else if (inner[0] && is_duration(one)) {
        take_slots(frame, one);
    } else {
        frame->base = inner[0];
    }
}

// Minutes of the day for a number in hundredths of an hour's figures: 5 (500), 8.30 (830), or four figures before a zone,
// 1430 (143000). -1 when there is no such hour.
static int32_t minutes_of(int32_t number, bool has_zone, int32_t most)
{
    bool figures = has_zone && number >= 10000 && number % 100 == 0;
    int32_t hours = figures ? number / 10000 : number / 100;
    int32_t minutes = figures ? number / 100 % 100 : number % 100;
    return hours <= most && minutes < 60 ? hours * 60 + minutes : -1;
}

// Turns the number of "5 p.m.", "4 in the morning" or "1430 GMT" into a clock time. False when there is no such hour.
static bool set_hour(struct frame *frame)
{
    bool half = frame_has(frame, CLASS_HALFDAY) || frame_has(frame, CLASS_PART);
    int32_t number = frame_get(frame, CLASS_NUM, frame_get(frame, CLASS_YEAR, 0) * 100);
    if (frame_has(frame, CLASS_CLOCK) || number == 0) {
        return true;
    }
    int32_t minutes = minutes_of(number, frame_has(frame, CLASS_ZONE), half ? 12 : 24);
    frame_set(frame, CLASS_CLOCK, minutes);
    frame->has &= ~(1ull << CLASS_NUM | 1ull << CLASS_YEAR);
    return minutes >= 0;
}

static void reduce(struct island *island, const struct match *whole, size_t at)
{
    const struct rule *rule = &dates_rules[whole->rule - 1];
    struct match match_inside = *whole;
    struct match *match = &match_inside;
    at += rule->lead;
    match->len -= rule->lead;
    memmove(match->choice, match->choice + rule->lead, match->len);
    if (island->frame_count == FRAME_LIMIT) {
        return;
    }
    size_t n = island->frame_count++;
    struct frame *frame = &island->frames[n];
    uint16_t inner[2] = {0, 0};
    *frame = (struct frame){.op = rule->op, .class = rule->class, .rule = match->rule};
    frame->first = island->items[at].first;
    frame->last = island->items[at + match->len - 1].last;
    for (size_t i = 0; i < match->len; i++) {
        const struct item *item = &island->items[at + i];
        collect(frame, item->senses[match->choice[i]], inner);
    }
    combine(island, frame, rule, inner);
    if (rule->op == OP_CLOCK && !set_hour(frame)) {
        frame->op = OP_REJECT;
        frame->class = CLASS_REJECTED;
    }
    if (rule->slot) {
        frame_set(frame, (enum word_class)rule->slot, rule->value);
    }
    struct item *item = &island->items[at];
    *item = (struct item){.first = frame->first, .last = frame->last, .count = 1};
    item->senses[0] = (struct sense){frame->class, (int32_t)n};
    memmove(item + 1, item + match->len, (island->len - at - match->len) * sizeof *item);
    island->len -= match->len - 1;
}

void grammar_reduce(const struct grammar *grammar, struct island *island)
{
    island_prepare(island);
    for (size_t phase = 0; phase < RULE_PHASES; phase++) {
        for (size_t i = 0; i < island->len; i++) {
            struct match match = find_match(grammar, island, phase, i);
            if (match.rule) {
                reduce(island, &match, i);
            }
        }
    }
    ranges_mark(island);
}
