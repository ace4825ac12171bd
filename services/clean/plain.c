#include "services/clean/plain.h"

#include "services/clean/dayscan.h"
#include "services/clean/features.h"

enum {
    STORY_WORDS = 400,  // of the story in which words of the headline are looked for
    STORY_SLOTS = 2048, // of their set
    REACH = 40,         // lines above the first long line
    LONG_LINE = 18,     // words
    SLUG_WORDS = 24,    // of an address
    SLUG_REACH = 250,   // lines of the page that are compared with the address
};

static uint64_t fold_word(struct view word)
{
    uint64_t hash = 1469598103934665603u;
    size_t letters = 0;
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.at[i];
        c = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
        if (c >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
            hash = (hash ^ c) * 1099511628211u;
            letters++;
        }
    }
    return letters >= 4 ? hash | 1u : 0; // short words say nothing
}

static void add_story(uint64_t *set, const struct page *page, size_t from)
{
    size_t words = 0;
    for (size_t i = from; i < page->blocks.len && words < STORY_WORDS; i++) {
        struct view rest = page->blocks.at[i].text, word;
        while (page->blocks.at[i].words >= LONG_LINE && words < STORY_WORDS &&
               view_next_word(&rest, &word)) {
            uint64_t key = fold_word(word);
            size_t slot = key % STORY_SLOTS;
            words++;
            while (key && set[slot] && set[slot] != key) {
                slot = (slot + 1) % STORY_SLOTS;
            }
            set[slot] = key ? key : set[slot];
        }
    }
}

static double share_in_story(const uint64_t *set, struct view line)
{
    size_t hits = 0, count = 0;
    struct view word;
    while (count < 40 && view_next_word(&line, &word)) {
        uint64_t key = fold_word(word);
        size_t slot = key % STORY_SLOTS;
        while (key && set[slot] && set[slot] != key) {
            slot = (slot + 1) % STORY_SLOTS;
        }
        hits += key && set[slot] == key;
        count += key != 0;
    }
    return count > 0 ? (double)hits / (double)count : 0.0;
}

// The words of the last part of an address that has at least three of them.
struct slug {
    uint64_t words[SLUG_WORDS];
    size_t len;
};

static struct slug slug_of(struct view url)
{
    struct slug slug = {.len = 0}, part = {.len = 0};
    size_t start = view_find(url, VIEW("://"), 0);
    start = start < url.len ? start + 3 : 0;
    for (size_t i = start, word = start; i <= url.len; i++) {
        char c = i < url.len ? url.at[i] : '/';
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      (unsigned char)c >= 0x80;
        if (letter) {
            continue;
        }
        uint64_t key = fold_word(view_slice(url, word, i));
        if (key && part.len < SLUG_WORDS) {
            part.words[part.len++] = key;
        }
        word = i + 1;
        if (c == '/' || c == '?' || c == '#') {
            slug = part.len >= 3 && start < i ? part : slug;
            part.len = 0;
        }
        if (c == '?' || c == '#') {
            break;
        }
    }
    return slug;
}

// How well the words of a line and of the address cover each other, 0 to 1.
static double share_in_slug(const struct slug *slug, struct view line)
{
    bool found[SLUG_WORDS] = {false};
    size_t hits = 0, count = 0, covered = 0;
    struct view word;
    while (slug->len > 0 && count < 40 && view_next_word(&line, &word)) {
        uint64_t key = fold_word(word);
        bool any = false;
        for (size_t i = 0; key && i < slug->len; i++) {
            if (slug->words[i] == key) {
                found[i] = any = true;
            }
        }
        hits += any;
        count += key != 0;
    }
    for (size_t i = 0; i < slug->len; i++) {
        covered += found[i];
    }
    return count > 0 && slug->len > 0
               ? 0.5 * (double)hits / (double)count + 0.5 * (double)covered / (double)slug->len
               : 0.0;
}

bool plain_is_date_line(struct view line)
{
    struct day day;
    size_t rest;
    return line.len < 80 && dayscan_find(line, &day, &rest) && rest <= 3;
}

static bool can_be_title(const struct block *block, const struct table_list *phrases)
{
    struct view phrase = features_phrase(block->text, phrases);
    bool question = view_ends(block->text, VIEW("?")) || view_ends(block->text, VIEW("!"));
    bool masthead =
        view_starts(block->text, VIEW("|")) || view_starts_nocase(block->text, VIEW("Welcome to "));
    return block->words >= 2 && block->words <= 40 && block->code_points <= 250 && !masthead &&
           (!block->ends_sentence || question) && !(phrase.len && block->words < 6) &&
           !plain_is_date_line(block->text) && block->letters > block->digits;
}

static struct view wire_title(const struct page *page, const struct wire *wire,
                              const struct table_list *phrases)
{
    struct dateline dateline;
    const struct block *block = &page->blocks.at[wire->body];
    if (wire->body + 1 >= page->blocks.len || wire_dateline(block->text, &dateline) ||
        !can_be_title(block, phrases) || features_phrase(block->text, phrases).len > 0) {
        return (struct view){"", 0};
    }
    return block->text;
}

struct view plain_title(const struct page *page, const struct wire *wire, struct view url,
                        const struct table_list *phrases)
{
    if (wire->found) {
        return wire_title(page, wire, phrases);
    }
    size_t first = 0, best = page->blocks.len;
    double best_score = 0.0;
    uint64_t *set = arena_zalloc(page->arena, STORY_SLOTS, sizeof *set);
    while (first < page->blocks.len &&
           !(page->blocks.at[first].is_prose && page->blocks.at[first].words >= LONG_LINE)) {
        first++;
    }
    if (first == page->blocks.len || !set) {
        return (struct view){"", 0};
    }
    add_story(set, page, first);
    struct slug slug = slug_of(url);
    size_t end = slug.len > 0 && first < SLUG_REACH ? SLUG_REACH : first;
    end = end < page->blocks.len ? end : page->blocks.len;
    size_t start = first > REACH ? first - REACH : 0;
    for (size_t i = slug.len > 0 ? 0 : start; i < end; i++) {
        const struct block *block = &page->blocks.at[i];
        double same = share_in_slug(&slug, block->text);
        bool near = i >= start && i < first;
        if ((!near && same < 0.6) || !can_be_title(block, phrases)) {
            continue;
        }
        double length = block->words >= 4 && block->words <= 20 ? 0.35 : 0.0;
        double place = near ? 0.3 * (1.0 - (double)(first - i) / REACH) : 0.0;
        double score = share_in_story(set, block->text) + length + place + 1.5 * same;
        if (score > best_score + 0.05) {
            best_score = score;
            best = i;
        }
    }
    return best < page->blocks.len && best_score > 0.4 ? page->blocks.at[best].text
                                                       : (struct view){"", 0};
}
