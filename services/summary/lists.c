#include "services/summary/lists.h"

struct class_name {
    struct view name;
    uint32_t bit;
};

static enum status open_lists(struct lists *lists, const char *folder, struct error *why)
{
    enum status status = table_open(&lists->table, folder, "summary", why);
    if (status == OK) {
        status = table_find_list(lists->table, "words", &lists->words, why);
    }
    if (status == OK) {
        status = table_find_list(lists->table, "phrases", &lists->phrases, why);
    }
    return status;
}

static unsigned letter_slot(struct view word)
{
    return (unsigned char)word.at[0] & 31;
}

static unsigned length_bit(struct view word)
{
    return 1u << (word.len > 15 ? 15 : word.len);
}

enum status lists_open(struct lists *lists, const char *folder, struct error *why)
{
    *lists = (struct lists){0};
    enum status status = open_lists(lists, folder, why);
    if (status != OK) {
        lists_close(lists);
        return status;
    }
    for (size_t i = 0; i < lists->phrases.count; i++) {
        struct view phrase, value, head;
        table_entry(&lists->phrases, i, &phrase, &value);
        if (view_next_word(&phrase, &head)) {
            uint16_t *slot = &lists->phrase_heads[letter_slot(head)];
            *slot = (uint16_t)(*slot | length_bit(head));
        }
    }
    return OK;
}

void lists_close(struct lists *lists)
{
    table_close(lists->table);
    lists->table = NULL;
}

uint32_t lists_word(const struct lists *lists, struct view word)
{
    static const struct class_name classes[] = {
        {{"stop", 4}, WORD_STOP},
        {{"pronoun", 7}, WORD_PRONOUN},
        {{"connective", 10}, WORD_CONNECTIVE},
        {{"first", 5}, WORD_FIRST},
        {{"day", 3}, WORD_DAY},
        {{"saying", 6}, WORD_SAYING},
        {{"negative", 8}, WORD_NEGATIVE},
    };
    struct view names, name;
    uint32_t bits = 0;
    if (!table_find(&lists->words, word, &names)) {
        return 0;
    }
    while (view_next_word(&names, &name)) {
        for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
            bits |= view_equal(name, classes[i].name) ? classes[i].bit : 0;
        }
    }
    return bits;
}

bool lists_begins_phrase(const struct lists *lists, struct view word)
{
    return word.len > 0 && (lists->phrase_heads[letter_slot(word)] & length_bit(word));
}

int lists_phrase(const struct lists *lists, struct view phrase)
{
    struct view place;
    if (!table_find(&lists->phrases, phrase, &place)) {
        return 0;
    }
    if (view_starts(place, VIEW("start"))) {
        return PHRASE_START;
    }
    return view_starts(place, VIEW("end")) ? PHRASE_END : PHRASE_ANY;
}

// A decimal number such as -0.125, read without the locale.
static bool parse_decimal(struct view text, double *out)
{
    bool negative = view_starts(text, VIEW("-"));
    text = view_slice(text, negative ? 1 : 0, text.len);
    size_t point = view_find(text, VIEW("."), 0);
    struct view decimals = view_slice(text, point + 1, text.len);
    uint64_t whole, parts = 0;
    double scale = 1;
    if (!view_parse_u64(view_slice(text, 0, point), &whole) ||
        (decimals.len > 0 && !view_parse_u64(decimals, &parts))) {
        return false;
    }
    for (size_t i = 0; i < decimals.len; i++) {
        scale *= 10;
    }
    *out = ((double)whole + (double)parts / scale) * (negative ? -1 : 1);
    return true;
}

enum status lists_weight(const struct lists *lists, const char *name, double *out,
                         struct error *why)
{
    struct table_list weights;
    struct view value;
    enum status status = table_find_list(lists->table, "weights", &weights, why);
    if (status != OK) {
        return status;
    }
    if (!table_find(&weights, view_of(name), &value) || !parse_decimal(value, out)) {
        return error_set(why, ERR_CONFIG, "tables/weights.txt has no number for '%s'", name);
    }
    return OK;
}
