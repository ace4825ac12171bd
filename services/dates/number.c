#include "services/dates/number.h"

// A number being read. Values are whole; hundredths are added at the end.
struct reading {
    int32_t total;   // finished thousands
    int32_t current; // below the next scale
    int32_t year;    // nineteen | ninety-six: the first pair
    size_t used;     // items that belong to it
    int32_t ordinal; // 0 or the ordinal that ends it: twenty-first
    bool spelled;    // in words
};

static const struct sense *find_sense(const struct item *item, enum word_class class)
{
    for (size_t i = 0; i < item->count; i++) {
        if (item->senses[i].class == class) {
            return &item->senses[i];
        }
    }
    return NULL;
}

static int32_t whole(const struct item *item)
{
    const struct sense *sense = find_sense(item, CLASS_NUM);
    return sense && sense->value % 100 == 0 ? sense->value / 100 : -1;
}

// True when `next` may follow `before` in one number: twenty five, but not five six.
static bool joins(int32_t before, int32_t next)
{
    return before >= 20 && before < 100 && before % 10 == 0 && next >= 1 && next <= 9;
}

static size_t skip_dash(const struct island *island, size_t at)
{
    return at < island->len && find_sense(&island->items[at], CLASS_DASH) ? at + 1 : at;
}

static bool is_spelled(const struct item *item)
{
    return find_sense(item, CLASS_NUM) && !find_sense(item, CLASS_DAY) && whole(item) < 100;
}

static void read_scale(const struct island *island, struct reading *r, size_t *at)
{
    const struct sense *scale =
        *at < island->len ? find_sense(&island->items[*at], CLASS_SCALE) : NULL;
    if (!scale) {
        return;
    }
    if (scale->value == 100) {
        r->current *= 100;
    } else if ((int64_t)r->current * scale->value < 10000000) {
        r->total += r->current * scale->value;
        r->current = 0;
    }
    (*at)++;
}

// Two-digit number at `at`: five, twenty, twenty-five, twenty-fifth. -1 when there is none.
static int32_t read_pair(const struct island *island, size_t *at, int32_t *ordinal)
{
    if (*at >= island->len || !is_spelled(&island->items[*at])) {
        return -1;
    }
    int32_t value = whole(&island->items[*at]);
    size_t next = skip_dash(island, *at + 1);
    (*at)++;
    if (next >= island->len || value < 0) {
        return value;
    }
    const struct item *item = &island->items[next];
    const struct sense *ord = find_sense(item, CLASS_ORD);
    if (is_spelled(item) && joins(value, whole(item))) {
        value += whole(item);
        *at = next + 1;
    } else if (ord && joins(value, ord->value)) {
        *ordinal = value + ord->value;
        *at = next + 1;
    }
    return value;
}

static struct reading read_number(const struct island *island, size_t start)
{
    struct reading r = {.spelled = is_spelled(&island->items[start])};
    size_t at = start;
    bool a_hundred = find_sense(&island->items[start], CLASS_A) && start + 1 < island->len &&
                     find_sense(&island->items[start + 1], CLASS_SCALE);
    if (a_hundred) {
        r.current = 1;
        at++;
        read_scale(island, &r, &at);
        r.used = 2;
    }
    if (!r.spelled) {
        return r;
    }
    for (int part = 0; part < 4; part++) {
        size_t before = at;
        int32_t pair = read_pair(island, &at, &r.ordinal);
        if (pair < 0) {
            at = before;
            break;
        }
        bool fresh = r.current % 100 == 0;
        if (part == 1 && r.current >= 16 && r.current <= 20 && r.total == 0 && pair >= 10) {
            r.year = r.current * 100 + pair;
            break;
        }
        if (part > 0 && !fresh) {
            at = before;
            break;
        }
        r.current += pair;
        if (r.ordinal) {
            break;
        }
        size_t scaled = at;
        read_scale(island, &r, &at);
        read_scale(island, &r, &at);
        size_t joined = at < island->len && find_sense(&island->items[at], CLASS_AND) ? at + 1 : at;
        if (scaled == at && part > 0) {
            break;
        }
        if (scaled != at && joined > at && joined < island->len &&
            is_spelled(&island->items[joined])) {
            at = joined;
        }
    }
    r.used = at - start;
    return r;
}

static void write_item(struct island *island, size_t at, const struct reading *r)
{
    struct item *item = &island->items[at];
    int32_t value = r->total + r->current;
    item->last = island->items[at + r->used - 1].last;
    item->count = 0;
    item->guarded = false;
    if (r->ordinal) {
        item->senses[item->count++] = (struct sense){CLASS_ORD, r->ordinal};
        if (r->ordinal <= 31) {
            item->senses[item->count++] = (struct sense){CLASS_DAY, r->ordinal};
        }
    } else if (r->year) {
        item->senses[item->count++] = (struct sense){CLASS_YEAR, r->year};
    } else {
        if (value >= 1900 && value < 2100) {
            item->senses[item->count++] = (struct sense){CLASS_YEAR, value};
        }
        item->senses[item->count++] = (struct sense){CLASS_NUM, value < 100000 ? value * 100 : 0};
    }
    memmove(item + 1, item + r->used, (island->len - at - r->used) * sizeof *item);
    island->len -= r->used - 1;
}

void number_merge(struct island *island)
{
    for (size_t i = 0; i < island->len; i++) {
        struct reading r = read_number(island, i);
        if (r.used > 1) {
            write_item(island, i, &r);
        }
    }
}
