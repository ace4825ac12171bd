#include "services/dates/lexicon.h"

#include <assert.h>
#include <stdlib.h>

// Names of values in the tables.
static const struct {
    const char *name;
    int32_t value;
} value_names[] = {
    {"second", UNIT_SECOND},
    {"minute", UNIT_MINUTE},
    {"hour", UNIT_HOUR},
    {"day", UNIT_DAY},
    {"week", UNIT_WEEK},
    {"fortnight", UNIT_FORTNIGHT},
    {"month", UNIT_MONTH},
    {"quarter", UNIT_QUARTER},
    {"year", UNIT_YEAR},
    {"decade", UNIT_DECADE},
    {"century", UNIT_CENTURY},
    {"millennium", UNIT_MILLENNIUM},
    {"start", MOD_START},
    {"mid", MOD_MID},
    {"end", MOD_END},
    {"approx", MOD_APPROX},
    {"less", MOD_LESS_THAN},
    {"more", MOD_MORE_THAN},
    {"atmost", MOD_EQUAL_OR_LESS},
    {"atleast", MOD_EQUAL_OR_MORE},
    {"before", MOD_BEFORE},
    {"after", MOD_AFTER},
    {"preceding", DIR_PRECEDING},
    {"last", DIR_LAST},
    {"this", DIR_THIS},
    {"next", DIR_NEXT},
    {"following", DIR_FOLLOWING},
    {"present", REF_PRESENT},
    {"past", REF_PAST},
    {"future", REF_FUTURE},
};

static const char *const class_names[CLASS_COUNT] = {
#define X(name, text) [CLASS_##name] = #text,
    LEXICON_SLOTS LEXICON_JOINTS
#undef X
};

static const struct {
    const char *name;
    enum cue cue;
} cue_names[] = {
    {"+past", CUE_PAST}, {"+future", CUE_FUTURE}, {"+plan", CUE_PLAN},   {"+to", CUE_TO},
    {"+set", CUE_SET},   {"+be", CUE_BE},         {"+until", CUE_UNTIL},
};

enum word_class lexicon_class(struct view name)
{
    for (int i = 1; i < CLASS_COUNT; i++) {
        if (class_names[i] && view_equal(name, view_of(class_names[i]))) {
            return (enum word_class)i;
        }
    }
    return CLASS_NONE;
}

static bool read_value(struct view text, int32_t *out)
{
    bool negative = view_starts(text, VIEW("-"));
    uint64_t number;
    if (view_parse_u64(view_slice(text, negative, text.len), &number) && number < INT32_MAX) {
        *out = negative ? -(int32_t)number : (int32_t)number;
        return true;
    }
    for (size_t i = 0; i < sizeof value_names / sizeof value_names[0]; i++) {
        if (view_equal(text, view_of(value_names[i].name))) {
            *out = value_names[i].value;
            return true;
        }
    }
    if (text.len == 2) {
        *out = lexicon_pack(text.at[0], text.at[1]);
        return true;
    }
    return false;
}

static bool read_flag(struct entry *entry, struct view word)
{
    for (size_t i = 0; i < sizeof cue_names / sizeof cue_names[0]; i++) {
        if (view_equal(word, view_of(cue_names[i].name))) {
            entry->cue = (uint8_t)cue_names[i].cue;
            return true;
        }
    }
    entry->takes_dot |= view_equal(word, VIEW("+dot"));
    entry->guarded |= view_equal(word, VIEW("+guard"));
    entry->begins_phrase |= view_equal(word, VIEW("+phrase"));
    return view_equal(word, VIEW("+dot")) || view_equal(word, VIEW("+guard")) ||
           view_equal(word, VIEW("+phrase"));
}

static bool read_sense(struct entry *entry, struct view word)
{
    size_t equals = view_find(word, VIEW("="), 0);
    enum word_class class = lexicon_class(view_slice(word, 0, equals));
    int32_t value = 1;
    if (class == CLASS_NONE || entry->sense_count == SENSE_LIMIT ||
        (equals < word.len && !read_value(view_slice(word, equals + 1, word.len), &value))) {
        return false;
    }
    entry->senses[entry->sense_count++] = (struct sense){(uint8_t) class, value};
    return true;
}

static bool read_entry(struct entry *entry, struct view key, struct view value)
{
    struct view word;
    entry->word = key;
    while (view_next_word(&value, &word)) {
        bool is_flag = word.at[0] == '+';
        if (is_flag ? !read_flag(entry, word) : !read_sense(entry, word)) {
            return false;
        }
    }
    return key.len > 0 && key.len <= LEXICON_WORD_LIMIT;
}

// A number for the two first letters, capital or small.
static uint32_t start_of(struct view word)
{
    uint32_t second = word.len > 1 ? (unsigned char)word.at[1] & 31u : 0;
    return ((unsigned char)word.at[0] & 31u) << 5 | second;
}

// Words are short: eight bytes a step, folded by a multiplication.
static uint32_t hash_word(struct view word)
{
    uint64_t hash = word.len;
    for (size_t i = 0; i < word.len; i += 8) {
        uint64_t part = 0;
        memcpy(&part, word.at + i, word.len - i < 8 ? word.len - i : 8);
        hash = (hash ^ part) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 29;
    }
    return (uint32_t)(hash >> 16);
}

static void add_entry(struct lexicon *lexicon, size_t n)
{
    struct view word = lexicon->entries[n].word;
    uint32_t slot = hash_word(word) & lexicon->slot_mask;
    while (lexicon->slots[slot] != 0) {
        slot = (slot + 1) & lexicon->slot_mask;
    }
    lexicon->slots[slot] = (uint16_t)n;
    lexicon->starts[start_of(word)] |= 1ull << word.len;
}

enum status lexicon_load(struct lexicon *lexicon, const struct table_list *list, struct error *why)
{
    size_t slots = 64;
    assert(list->count < UINT16_MAX);
    while (slots < (size_t)list->count * 3) {
        slots *= 2;
    }
    *lexicon = (struct lexicon){.count = (size_t)list->count + 1, .slot_mask = (uint32_t)slots - 1};
    lexicon->entries = calloc(lexicon->count, sizeof *lexicon->entries);
    lexicon->slots = calloc(slots, sizeof *lexicon->slots);
    if (!lexicon->entries || !lexicon->slots) {
        return error_set(why, ERR_MEMORY, "no memory for the words of the dates stage");
    }
    for (size_t i = 0; i < list->count; i++) {
        struct view key;
        struct view value;
        table_entry(list, i, &key, &value);
        if (!read_entry(&lexicon->entries[i + 1], key, value)) {
            return error_set(why, ERR_FORMAT,
                             "dates: the word '%.*s' has a sense nobody knows: %.*s",
                             VIEW_ARGS(key), VIEW_ARGS(value));
        }
        add_entry(lexicon, i + 1);
    }
    return OK;
}

void lexicon_clear(struct lexicon *lexicon)
{
    free(lexicon->entries);
    free(lexicon->slots);
    *lexicon = (struct lexicon){0};
}

uint16_t lexicon_find(const struct lexicon *lexicon, struct view word)
{
    char lower[LEXICON_WORD_LIMIT];
    if (word.len == 0 || word.len > LEXICON_WORD_LIMIT ||
        !(lexicon->starts[start_of(word)] >> word.len & 1)) {
        return 0;
    }
    for (size_t i = 0; i < word.len; i++) {
        char c = word.at[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    struct view key = {lower, word.len};
    uint32_t slot = hash_word(key) & lexicon->slot_mask;
    for (; lexicon->slots[slot] != 0; slot = (slot + 1) & lexicon->slot_mask) {
        if (view_equal(lexicon->entries[lexicon->slots[slot]].word, key)) {
            return lexicon->slots[slot];
        }
    }
    return 0;
}
