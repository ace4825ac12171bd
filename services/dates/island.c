#include "services/dates/island.h"

#include "services/dates/number.h"
#include "services/dates/ranges.h"

// The classes that make a run of pieces worth a look; the others only accompany them.
#define BIT(class) (1ull << CLASS_##class)
static const uint64_t carrying = BIT(MONTH) | BIT(WEEKDAY) | BIT(UNIT) | BIT(YEAR) | BIT(PART) |
                                 BIT(SEASON) | BIT(DEICTIC) | BIT(REF) | BIT(PERIODIC) |
                                 BIT(HOLIDAY) | BIT(DECADE) | BIT(HALFDAY) | BIT(CLOCK) |
                                 BIT(NUMERIC) | BIT(WEEKEND) | BIT(YEARPART) | BIT(ERA) | BIT(AGO) |
                                 BIT(PLURAL) | BIT(WEEKDAYS) | BIT(TENSE);

static bool fill_item(const struct lexicon *lexicon, const struct pieces *pieces, struct view text,
                      bool day_first, size_t at, struct item *item)
{
    const struct piece *piece = &pieces->at[at];
    *item = (struct item){.first = (uint32_t)at, .last = (uint32_t)at};
    if (piece->kind == PIECE_NUMBER) {
        item->count = (uint8_t)scan_number(view_slice(text, piece->start, piece->end), day_first,
                                           item->senses);
        return item->count > 0;
    }
    const struct entry *entry = &lexicon->entries[piece->entry];
    memcpy(item->senses, entry->senses, sizeof item->senses);
    item->count = entry->sense_count;
    item->guarded = entry->guarded;
    item->capital = piece->capital;
    return item->count > 0;
}

// Numbers that begin a spelled year: nineteen, twenty.
static bool begins_year(struct sense sense)
{
    return sense.class == CLASS_NUM && sense.value >= 1600 && sense.value <= 2000;
}

static bool carries(const struct item *item)
{
    for (size_t i = 0; i < item->count; i++) {
        uint8_t class = item->senses[i].class;
        if (class == CLASS_TONIGHT || class == CLASS_PERIOD ||
            (class < CLASS_SLOT_END && carrying >> class & 1) || begins_year(item->senses[i])) {
            return true;
        }
    }
    return false;
}

static bool may_begin(const struct lexicon *lexicon, const struct piece *piece)
{
    return piece->kind == PIECE_NUMBER || lexicon->entries[piece->entry].sense_count > 0;
}

bool island_next(const struct lexicon *lexicon, const struct pieces *pieces, struct view text,
                 bool day_first, size_t *at, struct island *island)
{
    while (*at < pieces->len) {
        bool carrying_one = false;
        island->len = 0;
        island->frame_count = 1;
        while (*at < pieces->len && !may_begin(lexicon, &pieces->at[*at])) {
            (*at)++;
        }
        while (*at < pieces->len && island->len < ISLAND_LIMIT) {
            struct item *item = &island->items[island->len];
            if ((island->len > 0 && pieces->at[*at].lined) ||
                !fill_item(lexicon, pieces, text, day_first, *at, item)) {
                break;
            }
            carrying_one |= carries(item);
            island->len++;
            (*at)++;
        }
        if (island->len == 0) {
            (*at)++; // a number without a meaning
        } else if (carrying_one) {
            island->ends_clause =
                *at == pieces->len || pieces->at[*at].lined || pieces->at[*at].kind == PIECE_MARK;
            return true;
        }
    }
    return false;
}

static bool has_any(const struct island *island, size_t at, uint64_t classes)
{
    for (size_t i = 0; at < island->len && i < island->items[at].count; i++) {
        uint8_t class = island->items[at].senses[i].class;
        if (class < 64 && classes >> class & 1) {
            return true;
        }
    }
    return false;
}

static bool is_joint(const struct island *island, size_t at, enum word_class class)
{
    return at < island->len && island->items[at].count > 0 &&
           island->items[at].senses[0].class == class;
}

// A guarded word in small letters (may, march, fall, sat) counts only beside a day, a year, or a word such as last or
// early; a season also in "in the fall".
static bool is_supported(const struct island *island, size_t at)
{
    uint64_t near = BIT(DAY) | BIT(YEAR) | BIT(DIR) | BIT(MOD) | BIT(EACH) | BIT(NUM);
    bool before = at > 0 && (has_any(island, at - 1, near) || is_joint(island, at - 1, CLASS_THIS));
    bool behind = has_any(island, at + 1, BIT(DAY) | BIT(YEAR));
    bool in_the = at > 1 && has_any(island, at, BIT(SEASON)) &&
                  is_joint(island, at - 1, CLASS_THE) && is_joint(island, at - 2, CLASS_IN);
    return before || behind || in_the || has_any(island, at, BIT(REF));
}

static void drop_sense(struct item *item, enum word_class class)
{
    size_t kept = 0;
    for (size_t i = 0; i < item->count; i++) {
        if (item->senses[i].class != class) {
            item->senses[kept++] = item->senses[i];
        }
    }
    item->count = (uint8_t)kept;
}

// "2000 years" is a number of years, "2018 day" is not.
static void choose_year_or_number(struct island *island, size_t at)
{
    if (has_any(island, at, BIT(YEAR))) {
        bool counts = has_any(island, at + 1, BIT(PLURAL));
        bool alone = has_any(island, at + 1, BIT(UNIT));
        if (counts || alone) {
            drop_sense(&island->items[at], counts ? CLASS_YEAR : CLASS_NUM);
        }
    }
}

// "second" is a unit after a number or "a", else the one after the first.
static void choose_second(struct island *island, size_t at)
{
    if (has_any(island, at, BIT(ORD)) && has_any(island, at, BIT(UNIT))) {
        bool counted =
            at > 0 && (has_any(island, at - 1, BIT(NUM) | BIT(EACH) | BIT(SOME)) ||
                       is_joint(island, at - 1, CLASS_A) || is_joint(island, at - 1, CLASS_DASH));
        drop_sense(&island->items[at], counted ? CLASS_ORD : CLASS_UNIT);
    }
}

static void drop_unsupported(struct island *island)
{
    for (size_t i = 0; i < island->len; i++) {
        struct item *item = &island->items[i];
        if (item->guarded && !item->capital && !is_supported(island, i)) {
            item->count = 0;
        }
        choose_year_or_number(island, i);
        choose_second(island, i);
    }
}

void island_prepare(struct island *island)
{
    drop_unsupported(island);
    number_merge(island);
    ranges_share(island);
}
