#include "services/clean/features.h"

#include "common/utf8.h"

#include <assert.h>
#include <math.h>

enum {
    GRAM = 4,             // words of a shingle
    GRAM_SLOTS = 1 << 14, // of the filter of shingles of articleBody
    LONG_BLOCK = 20,      // words of a long block
    PHRASE_WORDS = 5,
};

// ---- Landmarks

static bool is_same_title(struct view a, struct view b)
{
    return a.len > 0 && view_equal_nocase(view_trim(a), view_trim(b));
}

static size_t find_title(const struct page *page, const struct page_facts *facts)
{
    size_t first_h1 = page->blocks.len;
    for (size_t i = 0; i < page->blocks.len; i++) {
        const struct block *block = &page->blocks.at[i];
        bool heading = block->tag >= TAG_h1 && block->tag <= TAG_h2;
        if (is_same_title(block->text, facts->title) &&
            (heading || page->html.nodes.len == 0 || block->words >= 4)) {
            return i;
        }
        if (block->tag == TAG_h1 && first_h1 == page->blocks.len && block->words > 1) {
            first_h1 = i;
        }
    }
    return first_h1;
}

void features_landmarks(const struct page *page, const struct page_facts *facts,
                        struct landmarks *out)
{
    static const size_t shares[3] = {40, 60, 80};
    *out = (struct landmarks){.title = find_title(page, facts)};
    for (uint32_t i = 0; i < page->html.nodes.len; i++) {
        const struct element *element = &page->elements[i];
        if (element->score > page->elements[out->top].score) {
            out->top = i;
        }
        for (int k = 0; k < 3 && element->prose > 0; k++) {
            if (element->prose * 100 >= page->prose * shares[k] &&
                page->html.nodes.at[i].depth > page->html.nodes.at[out->container[k]].depth) {
                out->container[k] = i;
            }
        }
    }
}

// ---- Small measures

static float logarithm(double value)
{
    return (float)log1p(value < 0 ? 0 : value);
}

static float ratio(double part, double whole)
{
    return whole > 0 ? (float)(part / whole) : 0.0f;
}

static float clip(double value, double limit)
{
    return (float)(value > limit ? limit : value < -limit ? -limit : value);
}

static bool is_inside(const struct page *page, uint32_t node, uint32_t container)
{
    return node >= container && node < page->html.nodes.at[container].end;
}

// How many levels up from `container` an element is that also holds `node`; at most 9.
static float levels_up(const struct page *page, uint32_t node, uint32_t container)
{
    int levels = 0;
    while (levels < 9 && container > 0 && !is_inside(page, node, container)) {
        container = page->html.nodes.at[container].parent;
        levels++;
    }
    return (float)levels;
}

static const uint8_t tag_classes[TAG_COUNT] = {
    [TAG_p] = 1,           [TAG_h1] = 2,       [TAG_h2] = 3,       [TAG_h3] = 4,
    [TAG_h4] = 5,          [TAG_h5] = 5,       [TAG_h6] = 5,       [TAG_li] = 6,
    [TAG_td] = 7,          [TAG_th] = 7,       [TAG_div] = 8,      [TAG_blockquote] = 9,
    [TAG_figcaption] = 10, [TAG_pre] = 11,     [TAG_button] = 12,  [TAG_dt] = 13,
    [TAG_dd] = 13,         [TAG_section] = 14, [TAG_article] = 15, [TAG_header] = 16,
    [TAG_footer] = 17,     [TAG_aside] = 18,   [TAG_nav] = 19,     [TAG_form] = 20,
    [TAG_unknown] = 21,    [TAG_main] = 22,    [TAG_body] = 23,    [TAG_figure] = 24,
    [TAG_ul] = 25,         [TAG_ol] = 25,      [TAG_tr] = 26,      [TAG_noscript] = 27,
};

// ---- Words shared with other texts

static struct view next_bare_word(struct view *rest)
{
    struct view word;
    if (!view_next_word(rest, &word)) {
        return (struct view){"", 0};
    }
    return word;
}

static uint64_t fold_word(struct view word)
{
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.at[i];
        c = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            hash = (hash ^ c) * 1099511628211u;
        }
    }
    return hash ^ (hash >> 29);
}

// A set of shingles as a bit filter; equal hashes are rare enough to count as equal.
struct grams {
    uint64_t *bits;
    size_t count;
};

static bool grams_has(const struct grams *grams, uint64_t hash)
{
    uint64_t slot = (hash ^ (hash >> 33)) % (GRAM_SLOTS * 16);
    return grams->bits && (grams->bits[slot / 64] >> (slot % 64) & 1u);
}

static void grams_add(struct grams *grams, uint64_t hash)
{
    uint64_t slot = (hash ^ (hash >> 33)) % (GRAM_SLOTS * 16);
    if (grams->bits) {
        grams->bits[slot / 64] |= (uint64_t)1 << (slot % 64);
        grams->count++;
    }
}

// Walks the shingles of `text`: adds them, or counts those that are there.
static size_t walk_grams(struct grams *grams, struct view text, size_t size, bool add,
                         size_t *total)
{
    uint64_t window[GRAM] = {0};
    size_t words = 0, hits = 0;
    *total = 0;
    for (;;) {
        struct view word = next_bare_word(&text);
        uint64_t hash = 0;
        if (word.len == 0) {
            break;
        }
        window[words++ % GRAM] = fold_word(word);
        if (words < size) {
            continue;
        }
        for (size_t k = 0; k < size; k++) {
            hash = hash * 0x9e3779b97f4a7c15u + window[(words - size + k) % GRAM];
        }
        (*total)++;
        if (add) {
            grams_add(grams, hash);
        } else {
            hits += grams_has(grams, hash);
        }
    }
    return hits;
}

static struct grams grams_of(struct arena *arena, struct view text, size_t size)
{
    struct grams grams = {NULL, 0};
    size_t total;
    if (text.len > 0) {
        grams.bits = arena_zalloc(arena, GRAM_SLOTS / 4, sizeof *grams.bits);
        walk_grams(&grams, text, size, true, &total);
    }
    return grams;
}

static float share_in(const struct grams *grams, struct view text, size_t size)
{
    size_t total;
    size_t hits;
    if (!grams->bits) {
        return 0.0f;
    }
    hits = walk_grams((struct grams *)grams, text, size, false, &total);
    return ratio((double)hits, (double)total);
}

struct view features_phrase(struct view text, const struct table_list *phrases)
{
    char key[96];
    size_t len = 0;
    struct view word, kind, best = {"", 0};
    for (int words = 0; words < PHRASE_WORDS && view_next_word(&text, &word); words++) {
        if (len > 0 && len < sizeof key) {
            key[len++] = ' ';
        }
        for (size_t at = 0; at < word.len && len + 4 < sizeof key;) {
            uint32_t c = utf8_next(word, &at);
            if (c >= 0x80 || !strchr(":.,!?()[]*|", (int)c)) {
                len += utf8_encode(utf8_to_lower(c), key + len);
            }
        }
        struct view trimmed = view_trim((struct view){key, len});
        if (len + 4 < sizeof key && table_find(phrases, trimmed, &kind)) {
            best = kind;
        }
    }
    return best;
}

// ---- Rows

// Column numbers, in order; enum so that a name cannot be used twice.
enum column {
    F_WORDS,
    F_CHARACTERS,
    F_WORD_LENGTH,
    F_LINKS,
    F_COMMAS,
    F_STOPS,
    F_ENDS,
    F_CAPITALS,
    F_DIGITS,
    F_ALL_CAPITALS,
    F_SHORT_WORDS,
    F_PHRASE,
    F_COPYRIGHT,
    F_COLON,
    F_BAR,
    F_LOWER_START,
    F_QUOTE_START,
    F_AT_SIGN,
    F_QUESTION,
    F_DIGIT_START,
    F_AFTER_BREAK,
    F_GAP,
    F_PROSE,
    F_INDEX,
    F_WORDS_BEFORE,
    F_PROSE_BEFORE,
    F_FROM_TITLE,
    F_AFTER_TITLE,
    F_SINCE_LONG,
    F_UNTIL_LONG,
    F_REPEAT,
    F_REPEATS,
    F_TITLE_WORDS,
    F_PAGE_BLOCKS,
    F_PAGE_WORDS,
    F_IS_TITLE,
    F_IN_DESCRIPTION,
    F_IN_BODY,
    F_HAS_BODY,
    F_PAGE_PROSE,
    F_IN_40,
    F_IN_60,
    F_IN_80,
    F_LEVELS_40,
    F_LEVELS_60,
    F_LEVELS_80,
    F_IN_TOP,
    F_LEVELS_TOP,
    F_PARENT_PROSE,
    F_PARENT_SCORE,
    F_PARENT_LINKS,
    F_GRAND_LINKS,
    F_GRAND_PROSE,
    F_PARENT_PURITY,
    F_GRAND_PURITY,
    F_IMAGES,
    F_TAG,
    F_PARENT_TAG,
    F_GRAND_TAG,
    F_DEPTH,
    F_SIGNATURE,
    F_DENSITY_3,
    F_DENSITY_8,
    F_DENSITY_20,
    F_SIGNATURE_SHARE,
    F_TAGS,
    F_TAGS_END = F_TAGS + 20,
    F_HINTS = F_TAGS_END,
    F_NEAR_DENY = F_HINTS + HINT_COUNT,
    F_NEAR_AD,
    F_OWN_DENY,
    F_OWN_ALLOW,
    F_PHRASE_SHORT,
    F_LONG_RUN,
    F_USED
};

static_assert((int)F_USED <= (int)OWN_FEATURES, "more columns than the row has");

static const uint32_t deny_hints = HINT(nav) | HINT(footer) | HINT(sidebar) | HINT(comment) |
                                   HINT(share) | HINT(related) | HINT(promo) | HINT(ad) |
                                   HINT(author) | HINT(date) | HINT(tags) | HINT(caption) |
                                   HINT(bio) | HINT(form) | HINT(tools) | HINT(live) | HINT(toc);

struct rows {
    const struct page *page;
    const struct page_facts *facts;
    const struct landmarks *marks;
    const struct table_list *phrases;
    struct grams title, description, body;
    uint32_t *prose_before; // words of prose in the blocks before
    uint32_t *words_before;
    uint16_t *repeats;      // blocks of the same text on the page
    bool *is_repeat;        // not the first of them
    float *signature_share; // of the page's prose in blocks of the same signature
    float *at;
};

// Counts equal values with an open hash table: `key(i)` gives what is compared.
struct tally {
    uint64_t *keys;
    uint32_t *sums;
    size_t mask;
};

static bool tally_init(struct tally *tally, struct arena *arena, size_t count)
{
    size_t slots = 16;
    while (slots < count * 2) {
        slots *= 2;
    }
    tally->mask = slots - 1;
    tally->keys = arena_zalloc(arena, slots, sizeof *tally->keys);
    tally->sums = arena_zalloc(arena, slots, sizeof *tally->sums);
    return tally->keys && tally->sums;
}

static uint32_t *tally_slot(struct tally *tally, uint64_t key)
{
    key |= 1u;
    size_t slot = (key ^ (key >> 31)) & tally->mask;
    while (tally->keys[slot] != 0 && tally->keys[slot] != key) {
        slot = (slot + 1) & tally->mask;
    }
    tally->keys[slot] = key;
    return &tally->sums[slot];
}

static bool count_repeats(struct rows *rows)
{
    const struct page *page = rows->page;
    size_t count = page->blocks.len;
    struct tally texts, signatures;
    if (!tally_init(&texts, page->arena, count) || !tally_init(&signatures, page->arena, count)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct block *block = &page->blocks.at[i];
        uint32_t *seen = tally_slot(&texts, block->hash * 2);
        rows->is_repeat[i] = *seen > 0;
        (*seen)++;
        *tally_slot(&signatures, (uint64_t)page->elements[block->node].signature * 2) +=
            block->is_prose ? block->words : 0;
    }
    for (size_t i = 0; i < count; i++) {
        const struct block *block = &page->blocks.at[i];
        uint32_t seen = *tally_slot(&texts, block->hash * 2);
        rows->repeats[i] = (uint16_t)(seen > 9 ? 9 : seen);
        rows->signature_share[i] =
            ratio(*tally_slot(&signatures, (uint64_t)page->elements[block->node].signature * 2),
                  (double)page->prose);
    }
    return true;
}

static bool prepare(struct rows *rows)
{
    struct arena *arena = rows->page->arena;
    size_t count = rows->page->blocks.len;
    uint32_t prose = 0, words = 0;
    rows->prose_before = arena_alloc(arena, (count + 1) * sizeof *rows->prose_before);
    rows->words_before = arena_alloc(arena, (count + 1) * sizeof *rows->words_before);
    rows->repeats = arena_zalloc(arena, count + 1, sizeof *rows->repeats);
    rows->is_repeat = arena_zalloc(arena, count + 1, sizeof *rows->is_repeat);
    rows->signature_share = arena_zalloc(arena, count + 1, sizeof *rows->signature_share);
    rows->at = arena_zalloc(arena, count + 1, FEATURE_COUNT * sizeof *rows->at);
    if (!rows->prose_before || !rows->words_before || !rows->repeats || !rows->is_repeat ||
        !rows->signature_share || !rows->at) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        rows->prose_before[i] = prose;
        rows->words_before[i] = words;
        prose += rows->page->blocks.at[i].is_prose ? rows->page->blocks.at[i].words : 0;
        words += rows->page->blocks.at[i].words;
    }
    rows->prose_before[count] = prose;
    rows->words_before[count] = words;
    rows->title = grams_of(arena, rows->facts->title, 1);
    rows->description = grams_of(arena, rows->facts->description, 3);
    rows->body = grams_of(arena, rows->facts->body, GRAM);
    return count_repeats(rows);
}

static bool has_byte(struct view text, const char *mark)
{
    return view_find(text, view_of(mark), 0) < text.len;
}

static bool ends_in_colon(struct view text)
{
    return view_ends(text, VIEW(":")) || view_ends(text, VIEW("\xef\xbc\x9a"));
}

static float phrase_number(struct view kind)
{
    static const char *const kinds[] = {"related_link", "promo", "comment", "legal",
                                        "caption",      "nav",   "byline",  "credit"};
    for (size_t i = 0; kind.len > 0 && i < sizeof kinds / sizeof kinds[0]; i++) {
        if (view_equal(kind, view_of(kinds[i]))) {
            return (float)i + 1;
        }
    }
    return 0;
}

static void fill_text(const struct rows *rows, const struct block *block, float *row)
{
    double words = block->words ? block->words : 1;
    size_t at = 0;
    uint32_t first = block->text.len ? utf8_next(block->text, &at) : 0;
    struct view phrase = features_phrase(block->text, rows->phrases);
    struct view opening = block->words < 30 ? phrase : (struct view){"", 0};
    row[F_WORDS] = logarithm(block->words);
    row[F_CHARACTERS] = logarithm(block->code_points);
    row[F_WORD_LENGTH] = clip(block->code_points / words, 20);
    row[F_LINKS] = ratio(block->link_words, words);
    row[F_COMMAS] = clip(block->commas / words, 1);
    row[F_STOPS] = clip(block->stops / words, 1);
    row[F_ENDS] = block->ends_sentence;
    row[F_CAPITALS] = ratio(block->capitals, words);
    row[F_DIGITS] = ratio(block->digits, block->code_points);
    row[F_ALL_CAPITALS] = block->all_capitals;
    row[F_SHORT_WORDS] = ratio(block->short_words, words);
    row[F_PHRASE] = phrase_number(opening);
    row[F_COPYRIGHT] = has_byte(block->text, "\xc2\xa9");
    row[F_COLON] = ends_in_colon(block->text);
    row[F_BAR] = has_byte(block->text, "|");
    row[F_LOWER_START] = utf8_is_lower(first);
    row[F_QUOTE_START] = first == '"' || first == 0x201c || first == 0x201e || first == 0xab;
    row[F_AT_SIGN] = has_byte(block->text, "@") || has_byte(block->text, "http");
    row[F_QUESTION] = has_byte(block->text, "?");
    row[F_DIGIT_START] = first >= '0' && first <= '9';
    row[F_AFTER_BREAK] = block->after_break;
    row[F_GAP] = (float)(block->gap > 4 ? 4 : block->gap);
    row[F_PROSE] = block->is_prose;
    row[F_PHRASE_SHORT] = phrase.len && block->words < 12;
    row[F_TITLE_WORDS] = share_in(&rows->title, block->text, 1);
    row[F_IN_DESCRIPTION] = share_in(&rows->description, block->text, 3);
    row[F_IN_BODY] = block->words >= GRAM ? share_in(&rows->body, block->text, GRAM) : -1.0f;
    row[F_HAS_BODY] = logarithm((double)rows->body.count);
}

static void fill_place(const struct rows *rows, size_t i, float *row)
{
    const struct page *page = rows->page;
    size_t title = rows->marks->title;
    double count = (double)page->blocks.len;
    row[F_INDEX] = ratio((double)i, count);
    row[F_WORDS_BEFORE] = ratio(rows->words_before[i], (double)page->words);
    row[F_PROSE_BEFORE] = ratio(rows->prose_before[i], (double)page->prose);
    row[F_FROM_TITLE] = title < page->blocks.len ? clip((double)i - (double)title, 60) : -99.0f;
    row[F_AFTER_TITLE] = title < page->blocks.len ? (float)(i > title) : -1.0f;
    row[F_IS_TITLE] = i == title || is_same_title(page->blocks.at[i].text, rows->facts->title);
    row[F_REPEAT] = rows->is_repeat[i];
    row[F_REPEATS] = rows->repeats[i];
    row[F_PAGE_BLOCKS] = logarithm(count);
    row[F_PAGE_WORDS] = logarithm((double)page->words);
    row[F_PAGE_PROSE] = ratio((double)page->prose, (double)page->words);
}

static float density(const struct rows *rows, size_t i, size_t reach)
{
    size_t low = i > reach ? i - reach : 0;
    size_t high = i + reach + 1 < rows->page->blocks.len ? i + reach + 1 : rows->page->blocks.len;
    return ratio(rows->prose_before[high] - rows->prose_before[low],
                 rows->words_before[high] - rows->words_before[low]);
}

static void fill_markup(const struct rows *rows, const struct block *block, float *row)
{
    const struct page *page = rows->page;
    const struct landmarks *marks = rows->marks;
    uint32_t parent = page->html.nodes.at[block->node].parent;
    uint32_t grand = page->html.nodes.at[parent].parent;
    const struct element *own = &page->elements[block->node];
    const struct element *above = &page->elements[parent];
    const struct element *top = &page->elements[grand];
    for (int k = 0; k < 3; k++) {
        row[F_IN_40 + k] = is_inside(page, block->node, marks->container[k]);
        row[F_LEVELS_40 + k] = levels_up(page, block->node, marks->container[k]);
    }
    row[F_IN_TOP] = is_inside(page, block->node, marks->top);
    row[F_LEVELS_TOP] = levels_up(page, block->node, marks->top);
    row[F_PARENT_PROSE] = ratio(above->prose, (double)page->prose);
    row[F_GRAND_PROSE] = ratio(top->prose, (double)page->prose);
    row[F_PARENT_SCORE] = ratio((double)above->score, (double)page->elements[marks->top].score);
    row[F_PARENT_LINKS] = ratio(above->links, above->words);
    row[F_GRAND_LINKS] = ratio(top->links, top->words);
    row[F_PARENT_PURITY] = ratio(above->prose, above->words);
    row[F_GRAND_PURITY] = ratio(top->prose, top->words);
    row[F_IMAGES] = clip(own->images + above->images, 9);
    row[F_TAG] = tag_classes[block->tag];
    row[F_PARENT_TAG] = tag_classes[page->html.nodes.at[parent].tag];
    row[F_GRAND_TAG] = tag_classes[page->html.nodes.at[grand].tag];
    row[F_DEPTH] = clip(page->html.nodes.at[block->node].depth, 60);
    for (int k = 0; k < 20; k++) {
        row[F_TAGS + k] = (float)(own->tags >> k & 1u);
    }
    for (int k = 0; k < HINT_COUNT; k++) {
        row[F_HINTS + k] = (own->hints >> k & 1u) ? (own->near >> k & 1u) ? 2.0f : 1.0f : 0.0f;
    }
    row[F_NEAR_DENY] = (float)__builtin_popcount(own->near & deny_hints);
    row[F_OWN_DENY] = (float)__builtin_popcount(own->own & deny_hints);
    row[F_OWN_ALLOW] = (float)__builtin_popcount(own->hints & (HINT(body) | HINT(content)));
}

// Blocks since the last long one, and until the next.
static void fill_distances(const struct rows *rows)
{
    size_t count = rows->page->blocks.len;
    float since = 30, until = 30;
    for (size_t i = 0; i < count; i++) {
        rows->at[i * FEATURE_COUNT + F_SINCE_LONG] = since;
        since = rows->page->blocks.at[i].is_prose && rows->page->blocks.at[i].words >= LONG_BLOCK
                    ? 0
                    : clip((double)since + 1, 30);
    }
    for (size_t i = count; i-- > 0;) {
        rows->at[i * FEATURE_COUNT + F_UNTIL_LONG] = until;
        until = rows->page->blocks.at[i].is_prose && rows->page->blocks.at[i].words >= LONG_BLOCK
                    ? 0
                    : clip((double)until + 1, 30);
    }
}

static void fill_context(const struct rows *rows, size_t i)
{
    static const uint8_t shown[CONTEXT_FEATURES] = {
        F_WORDS, F_LINKS,    F_ENDS, F_IN_60,        F_TAG,
        F_STOPS, F_CAPITALS, F_GAP,  F_PHRASE_SHORT, F_PARENT_SCORE};
    float *row = rows->at + i * FEATURE_COUNT;
    float *out = row + OWN_FEATURES;
    for (int step = -CONTEXT_BLOCKS; step <= CONTEXT_BLOCKS; step++) {
        bool exists = (step < 0 ? i >= (size_t)-step : i + (size_t)step < rows->page->blocks.len);
        for (int k = 0; step != 0 && k < CONTEXT_FEATURES; k++) {
            *out++ = exists ? row[step * FEATURE_COUNT + shown[k]] : -1.0f;
        }
    }
}

float *features_of_page(const struct page *page, const struct page_facts *facts,
                        const struct landmarks *marks, const struct table_list *phrases)
{
    struct rows rows = {.page = page, .facts = facts, .marks = marks, .phrases = phrases};
    if (!prepare(&rows)) {
        return NULL;
    }
    for (size_t i = 0; i < page->blocks.len; i++) {
        const struct block *block = &page->blocks.at[i];
        float *row = rows.at + i * FEATURE_COUNT;
        fill_text(&rows, block, row);
        fill_place(&rows, i, row);
        if (page->html.nodes.len > 0) {
            fill_markup(&rows, block, row);
        }
        row[F_DENSITY_3] = density(&rows, i, 1);
        row[F_DENSITY_8] = density(&rows, i, 4);
        row[F_DENSITY_20] = density(&rows, i, 10);
        row[F_SIGNATURE_SHARE] = rows.signature_share[i];
    }
    fill_distances(&rows);
    for (size_t i = 0; i < page->blocks.len; i++) {
        fill_context(&rows, i);
    }
    return rows.at;
}
