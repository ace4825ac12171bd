#include "services/summary/story.h"

#include "common/map.h"
#include "common/utf8.h"

#include <math.h>

enum { WORD_BYTES = 48, TITLE_WORDS = 40 };

const char *fault_name(enum fault fault)
{
    static const char *const names[] = {
        [FAULT_NONE] = "usable",          [FAULT_HEADING] = "subhead",
        [FAULT_SHORT] = "under 5 words",  [FAULT_NO_PROSE] = "no prose",
        [FAULT_NO_END] = "no final mark", [FAULT_BOILERPLATE] = "boilerplate",
        [FAULT_CAPTION] = "caption",      [FAULT_OPEN_QUOTE] = "open quotation",
        [FAULT_LONG] = "over 60 words",   [FAULT_FIRST_PERSON] = "first person",
    };
    return names[fault];
}

double story_log2(double n)
{
    double value = 1 + n;
    double whole = 0;
    while (value >= 2) {
        value /= 2;
        whole++;
    }
    return whole + value - 1;
}

// The vocabulary while it is being built.
struct vocabulary {
    struct arena *arena;
    const struct lists *lists;
    struct map words; // lower-case word to its number in `entries`
    struct map stems; // stem to its number in `terms`
    struct word *entries;
    size_t entry_count, entry_cap;
    VEC(struct term) terms;
};

static bool ends_with(const char *word, size_t len, const char *ending)
{
    size_t more = strlen(ending);
    return len > more + 2 && memcmp(word + len - more, ending, more) == 0;
}

// Length of the stem: plurals, -ing, -ed and a last e go. Less than Porter (1980), enough to match words.
static size_t stem_length(const char *word, size_t len)
{
    if (ends_with(word, len, "sses") || ends_with(word, len, "shes") ||
        ends_with(word, len, "ches") || ends_with(word, len, "xes")) {
        len -= 2;
    } else if (ends_with(word, len, "ies")) {
        len -= 2;
    } else if (ends_with(word, len, "s") && !ends_with(word, len, "ss") &&
               !ends_with(word, len, "us") && !ends_with(word, len, "is")) {
        len--;
    }
    if (ends_with(word, len, "ing") && len > 5) {
        len -= 3;
    } else if (ends_with(word, len, "ed") && len > 4) {
        len -= 2;
    }
    if (len > 4 && (word[len - 1] == 'e' || word[len - 1] == word[len - 2])) {
        len--;
    }
    return len;
}

static uint32_t add_term(struct vocabulary *vocabulary, struct view stem, bool content)
{
    uint64_t *id = map_add(&vocabulary->stems, stem, vocabulary->terms.len);
    if (!id) {
        return 0;
    }
    if (*id == vocabulary->terms.len) {
        vec_push(vocabulary->arena, &vocabulary->terms, ((struct term){.content = content}));
    }
    return *id < vocabulary->terms.len ? (uint32_t)*id : 0;
}

static size_t lower_case(struct view word, char out[WORD_BYTES])
{
    size_t len = word.len < WORD_BYTES ? word.len : WORD_BYTES;
    for (size_t i = 0; i < len; i++) {
        char c = word.at[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return len;
}

static struct word new_word(struct vocabulary *vocabulary, struct view lower)
{
    struct word word = {.classes = lists_word(vocabulary->lists, lower)};
    bool content = !(word.classes & WORD_STOP) && lower.len > 1;
    size_t stem = content ? stem_length(lower.at, lower.len) : lower.len;
    word.term = add_term(vocabulary, view_slice(lower, 0, stem), content);
    return word;
}

static struct word find_word(struct vocabulary *vocabulary, struct view text)
{
    char bytes[WORD_BYTES];
    struct view lower = {bytes, lower_case(text, bytes)};
    uint64_t *known = map_find(&vocabulary->words, lower);
    if (known && *known < vocabulary->entry_count) {
        return vocabulary->entries[*known];
    }
    lower = arena_copy(vocabulary->arena, lower);
    struct word word = new_word(vocabulary, lower);
    if (lower.len > 0 &&
        vec_reserve(vocabulary->arena, (void **)&vocabulary->entries, &vocabulary->entry_cap,
                    vocabulary->entry_count + 1, sizeof word)) {
        vocabulary->entries[vocabulary->entry_count] = word;
        map_add(&vocabulary->words, lower, vocabulary->entry_count++);
    }
    return word;
}

static bool is_word(const struct token *token)
{
    return token->kind == TOKEN_WORD || token->kind == TOKEN_NUMBER;
}

static void read_words(struct story *story, struct vocabulary *vocabulary)
{
    const struct article *article = story->article;
    uint32_t end = story->sentences[story->count - 1].end;
    for (uint32_t i = 0; i < end; i++) {
        const struct token *token = &article->segments.tokens.at[i];
        story->words[i] = (struct word){0};
        if (is_word(token)) {
            story->words[i] = find_word(vocabulary, view_at(article->text, token->span));
        }
    }
}

static void read_sentences(struct story *story)
{
    const struct segments *segments = &story->article->segments;
    uint32_t paragraph = 0;
    for (uint32_t i = 0; i < story->count; i++) {
        struct sentence *sentence = &story->sentences[i];
        struct span span = segments->sentences.at[i];
        while (paragraph + 1 < segments->paragraphs.len &&
               segments->paragraphs.at[paragraph].end <= span.start) {
            paragraph++;
        }
        *sentence = (struct sentence){
            .span = span,
            .first = segments->first_token[i],
            .end = segments->first_token[i + 1],
            .paragraph = paragraph,
            .starts_paragraph = i == 0 || story->sentences[i - 1].paragraph != paragraph,
            .characters = (uint32_t)utf8_length(view_at(story->article->text, span)),
        };
    }
}

// Collects the terms of each sentence's words and counts them.
static bool count_terms(struct story *story)
{
    for (uint32_t i = 0; i < story->count; i++) {
        struct sentence *sentence = &story->sentences[i];
        uint32_t room = sentence->end - sentence->first;
        uint32_t *terms =
            arena_alloc(story->arena, (room < WORD_LIMIT ? room : WORD_LIMIT) * sizeof *terms);
        if (!terms) {
            return false;
        }
        sentence->terms = terms;
        for (uint32_t t = sentence->first; t < sentence->end; t++) {
            if (!is_word(&story->article->segments.tokens.at[t])) {
                continue;
            }
            sentence->words++;
            if (sentence->term_count < WORD_LIMIT) {
                struct term *term = &story->terms[story->words[t].term];
                terms[sentence->term_count++] = story->words[t].term;
                term->count++;
                term->sentences += term->last != i + 1;
                term->first = term->first ? term->first : i + 1;
                term->last = i + 1;
            }
        }
    }
    return true;
}

static void weigh_terms(struct story *story)
{
    for (uint32_t i = 0; i < story->term_count; i++) {
        struct term *term = &story->terms[i];
        double sentences = term->sentences > 0 ? term->sentences : 1;
        term->weight = term->content ? 1 + story_log2(story->count / sentences) : 0;
    }
}

// Sorted by term, each once; returns how many. Insertion: a sentence has few words, WORD_LIMIT at most.
static uint32_t collect_parts(const struct story *story, const uint32_t *terms, uint32_t count,
                              struct part *parts)
{
    uint32_t len = 0;
    for (uint32_t i = 0; i < count; i++) {
        double weight = story->terms[terms[i]].weight;
        uint32_t at = len;
        if (weight == 0) {
            continue;
        }
        while (at > 0 && parts[at - 1].term > terms[i]) {
            at--;
        }
        if (at > 0 && parts[at - 1].term == terms[i]) {
            parts[at - 1].weight += weight;
            continue;
        }
        memmove(parts + at + 1, parts + at, (len - at) * sizeof *parts);
        parts[at] = (struct part){terms[i], weight};
        len++;
    }
    return len;
}

static void scale_parts(struct part *parts, uint32_t count)
{
    double squares = 0;
    for (uint32_t i = 0; i < count; i++) {
        squares += parts[i].weight * parts[i].weight;
    }
    double length = sqrt(squares);
    for (uint32_t i = 0; i < count; i++) {
        parts[i].weight /= length;
    }
}

static double parts_cosine(const struct part *a, uint32_t a_count, const struct part *b,
                           uint32_t b_count)
{
    double sum = 0;
    for (uint32_t i = 0, j = 0; i < a_count && j < b_count;) {
        if (a[i].term == b[j].term) {
            sum += a[i++].weight * b[j++].weight;
        } else if (a[i].term < b[j].term) {
            i++;
        } else {
            j++;
        }
    }
    return sum;
}

static bool make_vectors(struct story *story)
{
    story->whole = arena_zalloc(story->arena, story->term_count + 1, sizeof *story->whole);
    if (!story->whole) {
        return false;
    }
    for (uint32_t i = 0; i < story->count; i++) {
        struct sentence *sentence = &story->sentences[i];
        sentence->parts =
            arena_alloc(story->arena, (sentence->term_count + 1) * sizeof *sentence->parts);
        if (!sentence->parts) {
            return false;
        }
        sentence->part_count =
            collect_parts(story, sentence->terms, sentence->term_count, sentence->parts);
        scale_parts(sentence->parts, sentence->part_count);
    }
    double squares = 0;
    for (uint32_t i = 0; i < story->term_count; i++) {
        story->whole[i] = story->terms[i].weight * story->terms[i].count;
        squares += story->whole[i] * story->whole[i];
    }
    double length = squares > 0 ? sqrt(squares) : 1;
    for (uint32_t i = 0; i < story->term_count; i++) {
        story->whole[i] /= length;
    }
    return true;
}

static bool compare_sentences(struct story *story)
{
    size_t count = story->count;
    story->likeness = arena_alloc(story->arena, count * count * sizeof *story->likeness);
    if (!story->likeness) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct sentence *a = &story->sentences[i];
        story->likeness[i * count + i] = 1;
        for (size_t j = 0; j < i; j++) {
            const struct sentence *b = &story->sentences[j];
            double cosine = parts_cosine(a->parts, a->part_count, b->parts, b->part_count);
            story->likeness[i * count + j] = cosine;
            story->likeness[j * count + i] = cosine;
        }
    }
    return true;
}

// The title's words as terms, up to TITLE_WORDS; words the text never uses are terms of their own.
static uint32_t read_title(struct story *story, struct vocabulary *vocabulary, uint32_t *terms)
{
    struct segments segments = {0};
    uint32_t count = 0;
    struct view title = story->article->title;
    segment_text(&segments, story->arena, view_slice(title, 0, 1000));
    for (size_t i = 0; i < segments.tokens.len && count < TITLE_WORDS; i++) {
        if (is_word(&segments.tokens.at[i])) {
            struct word word = find_word(vocabulary, view_at(title, segments.tokens.at[i].span));
            terms[count++] = word.term;
        }
    }
    return count;
}

static bool make_title(struct story *story, const uint32_t *terms, uint32_t count)
{
    story->title = arena_alloc(story->arena, (TITLE_WORDS + 1) * sizeof *story->title);
    if (!story->title) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        story->terms[terms[i]].in_title = story->terms[terms[i]].content;
    }
    story->title_count = collect_parts(story, terms, count, story->title);
    scale_parts(story->title, story->title_count);
    return true;
}

double story_title_likeness(const struct story *story, uint32_t i)
{
    const struct sentence *sentence = &story->sentences[i];
    return parts_cosine(sentence->parts, sentence->part_count, story->title, story->title_count);
}

bool story_read(struct story *story, const struct article *article, const struct lists *lists)
{
    const struct segments *segments = &article->segments;
    size_t count =
        segments->sentences.len < SENTENCE_LIMIT ? segments->sentences.len : SENTENCE_LIMIT;
    uint32_t title[TITLE_WORDS];
    *story = (struct story){
        .article = article, .arena = article->arena, .lists = lists, .count = (uint32_t)count};
    if (count == 0) {
        return true;
    }
    struct vocabulary vocabulary = {.arena = article->arena, .lists = lists};
    map_init(&vocabulary.words, article->arena);
    map_init(&vocabulary.stems, article->arena);
    story->sentences = arena_alloc(story->arena, count * sizeof *story->sentences);
    story->words = arena_alloc(story->arena, segments->first_token[count] * sizeof *story->words);
    if (!story->sentences || !story->words) {
        return false;
    }
    add_term(&vocabulary, VIEW(""), false);
    read_sentences(story);
    read_words(story, &vocabulary);
    uint32_t title_count = read_title(story, &vocabulary, title);
    story->terms = vocabulary.terms.at;
    story->term_count = (uint32_t)vocabulary.terms.len;
    if (story->term_count == 0 || !count_terms(story)) {
        return false;
    }
    weigh_terms(story);
    return make_vectors(story) && compare_sentences(story) && make_title(story, title, title_count);
}
