#include "services/entities/groups.h"

#include "common/map.h"
#include "services/entities/aliases.h"

#include <math.h>

// Rules find money; this is how often they are right on news.
static const double MONEY_CONFIDENCE = 0.8;

// Relevance is a mix of how often, how early, and whether the headline has it. Weights set by hand.
static const double OFTEN = 0.5;
static const double EARLY = 0.25;
static const double HEADLINE = 0.25;
static const double ABOUT = 0.6; // relevance from which an article is about something

enum { TITLE_WORDS = 64, TITLE_PHRASE = 6, ABOUT_LIMIT = 5 };

// A mention or an amount, in reading order.
struct item {
    uint32_t first, end;
    enum entity_type type;
    float chance;
};

struct grouping {
    struct groups *groups;
    const struct words *words;
    struct arena *arena;
    struct names names;
    VEC(struct item) items;
    VEC(uint32_t) name_of; // per item
};

static void add_item(struct grouping *grouping, struct map *keys, struct item item)
{
    uint64_t key = aliases_key(grouping->words, item.type, item.first, item.end);
    struct view at = arena_copy(grouping->arena, (struct view){(const char *)&key, sizeof key});
    uint32_t next = (uint32_t)grouping->names.len;
    const uint64_t *found = at.len ? map_add(keys, at, next) : NULL;
    if (!found) {
        return;
    }
    uint32_t name = (uint32_t)*found;
    if (name == next) {
        vec_push(grouping->arena, &grouping->names,
                 ((struct name){item.type, item.first, item.end, next}));
    }
    if (name < grouping->names.len && vec_push(grouping->arena, &grouping->items, item)) {
        vec_push(grouping->arena, &grouping->name_of, name);
    }
}

static void collect(struct grouping *grouping, const struct spans *amounts,
                    const struct mentions *mentions)
{
    struct map keys;
    size_t a = 0, m = 0;
    map_init(&keys, grouping->arena);
    while (a < amounts->len || m < mentions->len) {
        bool money = m == mentions->len ||
                     (a < amounts->len && amounts->at[a].start < mentions->at[m].first);
        if (money) {
            add_item(grouping, &keys,
                     (struct item){amounts->at[a].start, amounts->at[a].end, MONEY,
                                   (float)MONEY_CONFIDENCE});
            a++;
        } else {
            const struct mention *mention = &mentions->at[m++];
            add_item(grouping, &keys,
                     (struct item){mention->first, mention->end, mention->type, mention->chance});
        }
    }
}

// How good a form is as the name of its group: more words, not in capitals, longer.
static uint64_t merit(const struct words *words, uint32_t first, uint32_t end)
{
    struct span span = words_span(words, first, end);
    uint64_t shouted = 0;
    for (uint32_t i = first; i < end; i++) {
        shouted += words->at[i].shape == SHAPE_UPPER && end - first > 1;
    }
    uint64_t calm = shouted < end - first;
    return (uint64_t)(end - first) << 33 | calm << 32 | (span.end - span.start);
}

// One group per name that stands for itself, filled with the mentions of all names that mean it.
static void fill(struct grouping *grouping)
{
    uint32_t *group_of = arena_zalloc(grouping->arena, grouping->names.len + 1, sizeof *group_of);
    uint64_t *best = arena_zalloc(grouping->arena, grouping->names.len + 1, sizeof *best);
    struct groups *groups = grouping->groups;
    for (size_t i = 0; group_of && best && i < grouping->name_of.len; i++) {
        const struct item *item = &grouping->items.at[i];
        uint32_t root = aliases_root(&grouping->names, grouping->name_of.at[i]);
        if (!group_of[root]) {
            if (!vec_push(grouping->arena, groups, ((struct group){.type = item->type}))) {
                return;
            }
            group_of[root] = (uint32_t)groups->len;
        }
        struct group *group = &groups->at[group_of[root] - 1];
        struct span span = words_span(grouping->words, item->first, item->end);
        uint64_t merits = merit(grouping->words, item->first, item->end);
        if (merits > best[root]) {
            best[root] = merits;
            group->name = span;
        }
        group->confidence += (double)item->chance; // a sum until it is divided in judge
        vec_push(grouping->arena, &group->mentions, span);
    }
}

// The phrases of the headline, as a set of joined hashes.
static void read_title(struct map *phrases, struct arena *arena, struct view title)
{
    struct segments segments = {0};
    map_init(phrases, arena);
    segment_text(&segments, arena, title);
    for (size_t first = 0; first < segments.tokens.len && first < TITLE_WORDS; first++) {
        uint64_t phrase = LEXICON_EMPTY;
        for (size_t i = first; i < segments.tokens.len && i < first + TITLE_PHRASE; i++) {
            phrase = lexicon_join(phrase, lexicon_fold(view_at(title, segments.tokens.at[i].span)));
            struct view key =
                arena_copy(arena, (struct view){(const char *)&phrase, sizeof phrase});
            if (key.len) {
                map_add(phrases, key, 0);
            }
        }
    }
}

// Marks the groups that the headline names, by any of their forms.
static void mark_titled(struct grouping *grouping, struct view title)
{
    struct map phrases;
    uint32_t *group_of = arena_zalloc(grouping->arena, grouping->names.len + 1, sizeof *group_of);
    read_title(&phrases, grouping->arena, title);
    uint32_t next = 0;
    for (size_t i = 0; group_of && i < grouping->name_of.len; i++) {
        const struct item *item = &grouping->items.at[i];
        uint32_t root = aliases_root(&grouping->names, grouping->name_of.at[i]);
        group_of[root] = group_of[root] ? group_of[root] : ++next;
        uint64_t phrase = LEXICON_EMPTY;
        for (uint32_t k = item->first; k < item->end; k++) {
            phrase = lexicon_join(phrase, grouping->words->at[k].fold);
        }
        if (group_of[root] <= grouping->groups->len &&
            map_find(&phrases, (struct view){(const char *)&phrase, sizeof phrase})) {
            grouping->groups->at[group_of[root] - 1].about = true;
        }
    }
}

// How much a type can be what an article is about.
static double weight_of(enum entity_type type)
{
    switch (type) {
    case MONEY:
        return 0.3;
    case NORP:
        return 0.6;
    default:
        return 1;
    }
}

static void judge(struct groups *groups, size_t text_len)
{
    size_t most = 1;
    size_t about = 0;
    for (size_t i = 0; i < groups->len; i++) {
        most = groups->at[i].mentions.len > most ? groups->at[i].mentions.len : most;
    }
    for (size_t i = 0; i < groups->len; i++) {
        struct group *group = &groups->at[i];
        double count = (double)group->mentions.len;
        double often = log2(1 + count) / log2(1 + (double)most);
        double early = 1 - (double)group->mentions.at[0].start / (double)(text_len + 1);
        double mixed = OFTEN * often + EARLY * early + (group->about ? HEADLINE : 0);
        group->confidence /= count;
        group->relevance = mixed * weight_of(group->type);
        group->about = group->relevance >= ABOUT && about < ABOUT_LIMIT;
        about += group->about;
    }
}

void groups_make(struct groups *groups, const struct words *words, const struct article *article,
                 const struct spans *amounts, const struct mentions *mentions,
                 struct explain *explain)
{
    struct grouping grouping = {.groups = groups, .words = words, .arena = article->arena};
    collect(&grouping, amounts, mentions);
    aliases_link(&grouping.names, words, article->arena, explain);
    fill(&grouping);
    mark_titled(&grouping, article->title);
    judge(groups, article->text.len);
}
