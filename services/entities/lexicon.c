#include "services/entities/lexicon.h"

#include "common/table.h"

#include <assert.h>
#include <stdlib.h>

// One open-addressing table for all lists: a lookup is one probe sequence, whatever the number of lists.
// Tables come with the program, so 64-bit hashes stand for their words; no two of them collide (asserted
// by the unit test through the exact counts of a few lists).
struct slot {
    uint64_t phrase; // 0: free
    uint64_t alias;
    uint32_t lists;
};

struct lexicon {
    struct slot *slots;
    size_t mask;
    size_t used;
};

enum { PHRASE_BYTES = 256, SCRATCH_BYTES = 1 << 20, SLOTS_PER_ENTRY = 3 };

static_assert(LIST_COUNT <= 32, "a set of lists is 32 bits");

static const char *const list_names[LIST_COUNT] = {
#define LEXICON_NAME(upper, lower) #lower,
    LEXICON_LISTS(LEXICON_NAME)
#undef LEXICON_NAME
};

uint64_t lexicon_fold(struct view word)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    size_t at = 0;
    while (at < word.len) {
        unsigned char byte = (unsigned char)word.at[at];
        uint32_t point = byte;
        if (byte < 0x80) {
            point += byte >= 'A' && byte <= 'Z' ? 32 : 0;
            at++;
        } else {
            point = utf8_to_lower(utf8_next(word, &at));
            point = point == 0x2019 ? '\'' : point;
        }
        hash = (hash ^ point) * UINT64_C(0x100000001b3);
    }
    hash ^= hash >> 32;
    hash *= UINT64_C(0xd6e8feb86659fd93);
    return hash ^ hash >> 32;
}

static struct slot *find_slot(const struct lexicon *lexicon, uint64_t phrase)
{
    size_t i = phrase & lexicon->mask;
    while (lexicon->slots[i].phrase && lexicon->slots[i].phrase != phrase) {
        i = (i + 1) & lexicon->mask;
    }
    return &lexicon->slots[i];
}

uint32_t lexicon_phrase(const struct lexicon *lexicon, uint64_t phrase)
{
    return find_slot(lexicon, phrase)->lists;
}

uint64_t lexicon_alias(const struct lexicon *lexicon, uint64_t phrase)
{
    return find_slot(lexicon, phrase)->alias;
}

static uint64_t phrase_of(struct arena *scratch, struct view text)
{
    struct segments segments = {0};
    uint64_t phrase = LEXICON_EMPTY;
    arena_reset(scratch);
    segment_text(&segments, scratch, text);
    for (size_t i = 0; i < segments.tokens.len; i++) {
        phrase = lexicon_join(phrase, lexicon_fold(view_at(text, segments.tokens.at[i].span)));
    }
    return phrase;
}

static void add_list(struct lexicon *lexicon, struct arena *scratch, const struct table_list *list,
                     uint32_t bit)
{
    for (size_t n = 0; n < list->count; n++) {
        struct view key;
        struct view value;
        table_entry(list, n, &key, &value);
        struct slot *slot = find_slot(lexicon, phrase_of(scratch, key));
        lexicon->used += slot->phrase == 0;
        slot->phrase = phrase_of(scratch, key);
        slot->lists |= bit;
        if (value.len) {
            slot->alias = phrase_of(scratch, value);
        }
    }
}

static enum status read_lists(struct lexicon *lexicon, const struct table *table, struct error *why)
{
    struct table_list lists[LIST_COUNT];
    struct arena scratch;
    size_t entries = 0;
    size_t slots = 1024;

    for (size_t i = 0; i < LIST_COUNT; i++) {
        enum status status = table_find_list(table, list_names[i], &lists[i], why);
        if (status != OK) {
            return status;
        }
        entries += lists[i].count;
    }
    while (slots < entries * SLOTS_PER_ENTRY) {
        slots *= 2;
    }
    lexicon->mask = slots - 1;
    lexicon->slots = calloc(slots, sizeof *lexicon->slots);
    if (!lexicon->slots) {
        return error_set(why, ERR_MEMORY, "no memory for %zu words of the entities tables",
                         entries);
    }
    arena_init(&scratch, SCRATCH_BYTES);
    for (size_t i = 0; i < LIST_COUNT; i++) {
        add_list(lexicon, &scratch, &lists[i], UINT32_C(1) << i);
    }
    arena_clear(&scratch);
    return OK;
}

enum status lexicon_open(struct lexicon **out, const char *folder, struct error *why)
{
    struct table *table = NULL;
    struct lexicon *lexicon = calloc(1, sizeof *lexicon);
    enum status status = lexicon ? table_open(&table, folder, "entities", why)
                                 : error_set(why, ERR_MEMORY, "no memory for the entities tables");
    if (status == OK) {
        status = read_lists(lexicon, table, why);
    }
    table_close(table);
    if (status != OK) {
        lexicon_free(lexicon);
        lexicon = NULL;
    }
    *out = lexicon;
    return status;
}

void lexicon_free(struct lexicon *lexicon)
{
    if (lexicon) {
        free(lexicon->slots);
        free(lexicon);
    }
}
