#include "services/entities/money.h"

// Limits that keep the search linear: "1 200 000" has groups, "tens of thousands of millions of" has scales.
// A currency has at most two names of a country before it: "Hong Kong dollars".
enum { NUMBER_GROUPS = 4, SCALE_STEPS = 3, CURRENCY_NAMES = 2 };

static bool same_sentence(const struct words *words, size_t i)
{
    return i < words->len && !words->tokens[i].starts_sentence;
}

static bool is_number(const struct words *words, size_t i)
{
    return words->at[i].shape == SHAPE_NUMBER;
}

static bool is_listed(const struct words *words, size_t i, enum lexicon_list list)
{
    return words_in(words, i, lexicon_bit(list));
}

static bool is_sign(const struct words *words, size_t i)
{
    static const char *const signs[] = {"$", "€",   "£", "¥", "₹", "₦", "₱", "₩",
                                        "₺", "₽", "₫", "₪", "₴", "฿", "₡", "₵"};
    return i < words->len && words->at[i].shape == SHAPE_MARK &&
           words_is_one_of(words_text(words, i), signs, sizeof signs / sizeof *signs);
}

// "USD", "Rs": codes are written with a capital.
static bool is_code(const struct words *words, size_t i)
{
    return is_listed(words, i, LIST_CURRENCY_CODES) && words->at[i].shape != SHAPE_LOWER;
}

// Token i is a number, or a hyphen or dash between numbers of one amount ("$5-7 million").
static size_t skip_number(const struct words *words, size_t i)
{
    if (i >= words->len || !is_number(words, i)) {
        return i;
    }
    size_t end = i + 1;
    while (end - i < NUMBER_GROUPS && same_sentence(words, end) && is_number(words, end)) {
        end++;
    }
    bool ranged = same_sentence(words, end + 1) && words->at[end].shape == SHAPE_MARK &&
                  is_number(words, end + 1) && !words->tokens[end].space_before &&
                  !words->tokens[end + 1].space_before &&
                  (view_equal(words_text(words, end), VIEW("-")) ||
                   view_equal(words_text(words, end), VIEW("–")));
    return ranged ? end + 2 : end;
}

static size_t skip_scale(const struct words *words, size_t i)
{
    if (same_sentence(words, i + 1) && view_equal(words_text(words, i), VIEW("-")) &&
        is_listed(words, i + 1, LIST_AMOUNTS)) {
        i++; // "$5-million"
    }
    for (int step = 0; step < SCALE_STEPS; step++) {
        i += same_sentence(words, i) && is_listed(words, i, LIST_AMOUNTS);
    }
    return i;
}

// "dollars", "US dollars", "Hong Kong dollars", "-ringgit", "USD": the end behind it, or `i`.
static size_t skip_currency(const struct words *words, size_t i)
{
    size_t at = i;
    if (same_sentence(words, at) && view_equal(words_text(words, at), VIEW("-")) &&
        !words->tokens[at].space_before) {
        at++;
    }
    for (size_t names = 0; names <= CURRENCY_NAMES && same_sentence(words, at); names++, at++) {
        if (is_listed(words, at, LIST_CURRENCIES)) {
            return at + 1;
        }
        if (words->at[at].role != ROLE_NAME) {
            break;
        }
    }
    return same_sentence(words, i) && is_code(words, i) ? i + 1 : i;
}

// "$5 million", "US$5", "Rs 200 crore", "USD 20": a sign or code, a number, perhaps a scale.
static size_t amount_after_sign(const struct words *words, size_t i)
{
    size_t number = i;
    if (is_code(words, i)) {
        number++;
        if (same_sentence(words, number) && view_equal(words_text(words, number), VIEW("."))) {
            number++; // "Rs. 500"
        }
    }
    bool prefixed = is_listed(words, i, LIST_CURRENCY_PREFIXES) && same_sentence(words, i + 1) &&
                    is_sign(words, i + 1) && !words->tokens[i + 1].space_before;
    if (prefixed) {
        number = i + 2;
    } else if ((number == i || same_sentence(words, number)) && is_sign(words, number)) {
        number++;
    }
    size_t end = number > i && same_sentence(words, number) ? skip_number(words, number) : number;
    return end > number ? skip_scale(words, end) : i;
}

// "5,000 euros", "3.5 billion Egyptian pounds": a number, perhaps a scale, a currency.
static size_t amount_before_currency(const struct words *words, size_t i)
{
    size_t number = skip_number(words, i);
    size_t scaled = skip_scale(words, number);
    size_t end = skip_currency(words, scaled);
    return end > scaled ? end : i;
}

// "millions of dollars", "tens of millions of US dollars".
static size_t vague_amount(const struct words *words, size_t i)
{
    size_t at = i;
    for (int step = 0; step < SCALE_STEPS; step++) {
        if (!is_listed(words, at, LIST_AMOUNTS) || !same_sentence(words, at + 1) ||
            !view_equal_nocase(words_text(words, at + 1), VIEW("of"))) {
            break;
        }
        at += 2;
    }
    size_t end = at > i ? skip_currency(words, at) : i;
    return end > at ? end : i;
}

static size_t amount_at(const struct words *words, size_t i)
{
    size_t end = amount_after_sign(words, i);
    if (end > i) {
        return end;
    }
    if (is_number(words, i)) {
        return amount_before_currency(words, i);
    }
    return is_listed(words, i, LIST_AMOUNTS) ? vague_amount(words, i) : i;
}

void money_find(struct words *words, struct arena *arena, struct spans *out)
{
    for (size_t i = 0; i < words->len;) {
        size_t end = amount_at(words, i);
        if (end == i) {
            i++;
            continue;
        }
        vec_push(arena, out, ((struct span){(uint32_t)i, (uint32_t)end}));
        for (; i < end; i++) {
            words->at[i].role = ROLE_OTHER;
        }
    }
}
