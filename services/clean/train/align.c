#include "services/clean/train/align.h"

#include "common/utf8.h"

#include <stdlib.h>

enum { GRAM = 4, HITS = 24, CANDIDATES = 3 };

struct words {
    uint64_t *at;
    size_t len, cap;
};

static bool is_word_letter(uint32_t c)
{
    if (c < 0x80) {
        return utf8_is_letter(c) || utf8_is_digit(c) || c == '_';
    }
    bool mark =
        c == 0xd7 || c == 0xf7 || (c >= 0x80 && c < 0xc0 && c != 0xaa && c != 0xb5 && c != 0xba);
    return !mark && !(c >= 0x2000 && c < 0x2c00) && !(c >= 0x3000 && c <= 0x303f) && c < 0xff00;
}

static struct words words_of(struct arena *arena, struct view text)
{
    struct words words = {0};
    uint64_t hash = 0;
    for (size_t at = 0; at <= text.len;) {
        uint32_t c = ' ';
        if (at < text.len) {
            c = utf8_next(text, &at);
        } else {
            at++;
        }
        if (c == 0xad || (c >= 0x200b && c <= 0x200d) || c == 0xfeff) {
            continue;
        }
        if (is_word_letter(c)) {
            hash = (hash ^ c) * 1099511628211u + 0x9e3779b9u;
        }
        bool single = c >= 0x3040 && c <= 0x9fff;
        if (hash != 0 && (single || !is_word_letter(c))) {
            vec_push(arena, &words, hash | 1u);
            hash = 0;
        }
    }
    return words;
}

// Positions of every shingle of the gold, chained by hash.
struct index {
    uint32_t *heads, *next;
    size_t mask;
    const struct words *gold;
};

static uint64_t gram_hash(const uint64_t *words)
{
    uint64_t hash = 0;
    for (int i = 0; i < GRAM; i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
    }
    return hash ^ (hash >> 32);
}

static struct index index_of(struct arena *arena, const struct words *gold)
{
    struct index index = {.gold = gold, .mask = 1023};
    while (index.mask < gold->len * 2) {
        index.mask = index.mask * 2 + 1;
    }
    index.heads = arena_zalloc(arena, index.mask + 1, sizeof *index.heads);
    index.next = arena_zalloc(arena, gold->len + 1, sizeof *index.next);
    for (size_t i = gold->len; i-- > 0;) {
        if (i + GRAM <= gold->len) {
            uint32_t *head = &index.heads[gram_hash(gold->at + i) & index.mask];
            index.next[i] = *head;
            *head = (uint32_t)i + 1;
        }
    }
    return index;
}

struct match {
    size_t block;
    int64_t start, end; // in words of the gold
    double weight;
    double chain;
    size_t before; // match + 1
};

struct matches {
    struct match *at;
    size_t len, cap;
};

static int compare_diagonals(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

// Adds the best diagonals of one block.
static void match_block(struct arena *arena, const struct index *index, const struct words *words,
                        size_t block, struct matches *out)
{
    size_t count = 0, found = 0;
    int64_t *diagonals = arena_alloc(arena, words->len * HITS * sizeof *diagonals + 8);
    for (size_t k = 0; k + GRAM <= words->len; k++) {
        bool any = false;
        uint32_t at = index->heads[gram_hash(words->at + k) & index->mask];
        for (int hits = 0; at && hits < HITS; at = index->next[at - 1], hits++) {
            if (memcmp(index->gold->at + at - 1, words->at + k, GRAM * sizeof *words->at) == 0) {
                diagonals[count++] = (int64_t)(at - 1) - (int64_t)k;
                any = true;
            }
        }
        found += any;
    }
    if (found * 2 < words->len - GRAM + 1) {
        return;
    }
    qsort(diagonals, count, sizeof *diagonals, compare_diagonals);
    for (int pick = 0; pick < CANDIDATES; pick++) {
        size_t best = 0, best_at = 0;
        for (size_t i = 0, run = 0; i < count; i++) {
            run = i > 0 && diagonals[i] == diagonals[i - 1] ? run + 1 : 1;
            if (diagonals[i] != INT64_MAX && run > best) {
                best = run;
                best_at = i;
            }
        }
        if (best == 0 || (pick > 0 && best * 2 < found)) {
            return;
        }
        int64_t start = diagonals[best_at];
        struct match match = {
            block, start < 0 ? 0 : start, start + (int64_t)words->len, (double)found + 3, 0, 0};
        vec_push(arena, out, match);
        for (size_t i = 0; i < count; i++) {
            diagonals[i] = diagonals[i] == start ? INT64_MAX : diagonals[i];
        }
        qsort(diagonals, count, sizeof *diagonals, compare_diagonals);
    }
}

// Heaviest chain in the order of both texts; small overlaps are allowed.
static size_t best_chain(struct matches *matches)
{
    size_t best = 0;
    for (size_t i = 0; i < matches->len; i++) {
        struct match *match = &matches->at[i];
        match->chain = match->weight;
        for (size_t k = i > 3000 ? i - 3000 : 0; k < i; k++) {
            const struct match *other = &matches->at[k];
            bool fits = other->block < match->block && other->start < match->start &&
                        other->end <= match->start + 3;
            if (fits && other->chain + match->weight > match->chain) {
                match->chain = other->chain + match->weight;
                match->before = k + 1;
            }
        }
        if (best == 0 || match->chain > matches->at[best - 1].chain) {
            best = i + 1;
        }
    }
    return best;
}

static size_t find_words(const struct words *gold, const struct words *words, size_t low,
                         size_t high)
{
    for (size_t at = low; words->len > 0 && at + words->len <= high; at++) {
        if (memcmp(gold->at + at, words->at, words->len * sizeof *words->at) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

double align_blocks(const struct page *page, struct view gold_text, bool *in_body)
{
    struct arena *arena = page->arena;
    size_t count = page->blocks.len;
    struct words gold = words_of(arena, gold_text);
    struct words *words = arena_zalloc(arena, count + 1, sizeof *words);
    int64_t *starts = arena_alloc(arena, (count + 1) * sizeof *starts);
    int64_t *ends = arena_alloc(arena, (count + 1) * sizeof *ends);
    struct matches matches = {0};
    struct index index = index_of(arena, &gold);
    size_t covered = 0;
    for (size_t i = 0; i < count; i++) {
        in_body[i] = false;
        starts[i] = -1;
        words[i] = words_of(arena, page->blocks.at[i].text);
        if (words[i].len >= GRAM) {
            match_block(arena, &index, &words[i], i, &matches);
        }
    }
    for (size_t at = best_chain(&matches); at > 0; at = matches.at[at - 1].before) {
        const struct match *match = &matches.at[at - 1];
        in_body[match->block] = true;
        starts[match->block] = match->start;
        ends[match->block] = match->end;
        covered += words[match->block].len;
    }
    int64_t next = (int64_t)gold.len;
    int64_t *limit = arena_alloc(arena, (count + 1) * sizeof *limit);
    for (size_t i = count; i-- > 0;) {
        limit[i] = next;
        next = starts[i] >= 0 ? starts[i] : next;
    }
    size_t low = 0;
    for (size_t i = 0; i < count; i++) {
        if (starts[i] >= 0) {
            low = ends[i] > (int64_t)low ? (size_t)ends[i] : low;
            continue;
        }
        size_t hit = find_words(&gold, &words[i], low, (size_t)limit[i]);
        if (hit != SIZE_MAX) {
            in_body[i] = true;
            low = hit + words[i].len;
            covered += words[i].len;
        }
    }
    return gold.len > 0 ? (double)covered / (double)gold.len : 0.0;
}
