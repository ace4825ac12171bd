#include "common/config_value.h"

#include <stdio.h>

struct unit {
    const char *name;
    int64_t factor;
};

// The longer names first, so that "ms" is not taken for "m".
static const struct unit durations[] = {{"ms", 1},    {"min", 60000}, {"s", 1000},
                                        {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

static const struct unit sizes[] = {{"KiB", 1 << 10},
                                    {"MiB", 1 << 20},
                                    {"GiB", 1 << 30},
                                    {"TiB", (int64_t)1 << 40},
                                    {"kB", 1000},
                                    {"KB", 1000},
                                    {"MB", 1000000},
                                    {"GB", 1000000000},
                                    {"TB", 1000000000000},
                                    {"K", 1 << 10},
                                    {"M", 1 << 20},
                                    {"G", 1 << 30},
                                    {"T", (int64_t)1 << 40},
                                    {"B", 1}};

static const struct unit switches[] = {{"yes", 1}, {"true", 1},  {"on", 1},  {"1", 1},
                                       {"no", 0},  {"false", 0}, {"off", 0}, {"0", 0}};

#define COUNT(table) (sizeof(table) / sizeof(table)[0])

// Cuts a whole number off the front.
static bool take_number(struct view *rest, int64_t *value)
{
    size_t len = 0;
    uint64_t number = 0;
    while (len < rest->len && rest->at[len] >= '0' && rest->at[len] <= '9') {
        len++;
    }
    if (!view_parse_u64(view_slice(*rest, 0, len), &number) || number > INT64_MAX) {
        return false;
    }
    *value = (int64_t)number;
    *rest = view_slice(*rest, len, rest->len);
    return true;
}

static const struct unit *take_unit(struct view *rest, const struct unit *units, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (view_starts(*rest, view_of(units[i].name))) {
            *rest = view_slice(*rest, strlen(units[i].name), rest->len);
            return &units[i];
        }
    }
    return NULL;
}

static bool add_product(int64_t *sum, int64_t a, int64_t b)
{
    int64_t product;
    return !__builtin_mul_overflow(a, b, &product) && !__builtin_add_overflow(*sum, product, sum);
}

bool duration_parse_ms(struct view text, int64_t *ms)
{
    int64_t number;
    *ms = 0;
    if (view_equal(text, VIEW("0"))) {
        return true;
    }
    do {
        if (!take_number(&text, &number)) {
            return false;
        }
        const struct unit *unit = take_unit(&text, durations, COUNT(durations));
        if (!unit || !add_product(ms, number, unit->factor)) {
            return false;
        }
    } while (text.len > 0);
    return true;
}

bool bytes_parse(struct view text, int64_t *bytes)
{
    int64_t number;
    *bytes = 0;
    if (!take_number(&text, &number)) {
        return false;
    }
    text = view_trim(text);
    if (text.len == 0) {
        *bytes = number;
        return true;
    }
    const struct unit *unit = take_unit(&text, sizes, COUNT(sizes));
    return unit && text.len == 0 && add_product(bytes, number, unit->factor);
}

static bool integer_parse(struct view text, int64_t *number)
{
    bool minus = view_starts(text, VIEW("-"));
    text = view_slice(text, minus ? 1 : 0, text.len);
    if (!take_number(&text, number) || text.len > 0) {
        return false;
    }
    *number = minus ? -*number : *number;
    return true;
}

static bool bool_parse(struct view text, int64_t *number)
{
    for (size_t i = 0; i < COUNT(switches); i++) {
        if (view_equal_nocase(text, view_of(switches[i].name))) {
            *number = switches[i].factor;
            return true;
        }
    }
    return false;
}

static bool in_range(const struct config_key *key, int64_t number)
{
    if (key->low == 0 && key->high == 0) {
        return number >= 0;
    }
    return number >= key->low && number <= key->high;
}

bool config_value_parse(const struct config_key *key, struct view text, int64_t *number)
{
    *number = 0;
    switch (key->kind) {
    case CONFIG_INTEGER:
        return integer_parse(text, number) && in_range(key, *number);
    case CONFIG_DURATION:
        return duration_parse_ms(text, number) && in_range(key, *number);
    case CONFIG_BYTES:
        return bytes_parse(text, number) && in_range(key, *number);
    case CONFIG_BOOL:
        return bool_parse(text, number);
    case CONFIG_TEXT:
    case CONFIG_LIST:
        return true;
    }
    return false;
}

// A number with the largest unit that divides it: 90000 ms as "90s".
static void write_with_unit(int64_t number, const struct unit *units, size_t count, char *out,
                            size_t size)
{
    const struct unit *best = NULL;
    for (size_t i = 0; i < count; i++) {
        bool divides = number != 0 && number % units[i].factor == 0;
        if (divides && (!best || units[i].factor > best->factor)) {
            best = &units[i];
        }
    }
    snprintf(out, size, "%lld%s", (long long)(best ? number / best->factor : number),
             best ? best->name : "");
}

static void write_bound(const struct config_key *key, int64_t bound, char *out, size_t size)
{
    if (key->kind == CONFIG_DURATION) {
        write_with_unit(bound, durations, COUNT(durations), out, size);
    } else if (key->kind == CONFIG_BYTES) {
        write_with_unit(bound, sizes, 4, out, size);
    } else {
        snprintf(out, size, "%lld", (long long)bound);
    }
}

void config_value_range(const struct config_key *key, char *out, size_t size)
{
    bool is_number =
        key->kind == CONFIG_INTEGER || key->kind == CONFIG_DURATION || key->kind == CONFIG_BYTES;
    char low[32], high[32];
    out[0] = '\0';
    if (is_number && (key->low != 0 || key->high != 0)) {
        write_bound(key, key->low, low, sizeof low);
        write_bound(key, key->high, high, sizeof high);
        snprintf(out, size, "%s to %s", low, high);
    }
}

void config_value_expected(const struct config_key *key, char *out, size_t size)
{
    static const char *const kinds[] = {
        [CONFIG_TEXT] = "a text",
        [CONFIG_INTEGER] = "a whole number",
        [CONFIG_DURATION] = "a duration such as 30s, 5m or 1h30m",
        [CONFIG_BYTES] = "a size such as 512KiB or 64MiB",
        [CONFIG_BOOL] = "yes or no",
        [CONFIG_LIST] = "a list",
    };
    char range[80];
    config_value_range(key, range, sizeof range);
    snprintf(out, size, "%s%s%s", kinds[key->kind], range[0] ? " from " : "", range);
}
