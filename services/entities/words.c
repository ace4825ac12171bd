#include "services/entities/words.h"

// A line is shouted when it has this many words in capitals and none in lower case; a headline when
// at most one long word in five is in lower case.
enum { SHOUT_WORDS = 3, HEADLINE_WORDS = 4, LONG_WORD_BYTES = 4, BRACKET_WORDS = 12 };

static uint8_t shape_of(const struct token *token, struct view text)
{
    if (token->kind == TOKEN_NUMBER) {
        return SHAPE_NUMBER;
    }
    if (token->kind != TOKEN_WORD) {
        return SHAPE_MARK;
    }
    bool ends_with_period = text.len > 1 && text.at[text.len - 1] == '.';
    switch (token->letters) {
    case CASE_LOWER:
    case CASE_NONE:
        return SHAPE_LOWER;
    case CASE_UPPER:
        if (utf8_sequence(text, 0) == text.len) {
            return SHAPE_LETTER;
        }
        if (ends_with_period) {
            return text.len <= 3 ? SHAPE_INITIAL : SHAPE_INITIALISM;
        }
        return SHAPE_UPPER;
    case CASE_MIXED:
        return ends_with_period && text.len > 3 && text.at[1] == '.' ? SHAPE_INITIALISM
                                                                     : SHAPE_MIXED;
    default:
        if (utf8_sequence(text, 0) == text.len) {
            return SHAPE_LETTER;
        }
        return ends_with_period && text.len == 2 ? SHAPE_INITIAL : SHAPE_CAPITAL;
    }
}

bool words_is_one_of(struct view text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (view_equal_nocase(text, view_of(list[i]))) {
            return true;
        }
    }
    return false;
}

#define IS_ONE_OF(text, list) words_is_one_of(text, list, sizeof(list) / sizeof(list)[0])

static bool is_hyphen(struct view text)
{
    static const char *const hyphens[] = {"-", "\u2010", "\u2011"};
    return IS_ONE_OF(text, hyphens);
}

static bool is_possessive(struct view text)
{
    static const char *const forms[] = {"'s", "’s"};
    return IS_ONE_OF(text, forms);
}

static bool is_joining_mark(struct view text)
{
    static const char *const marks[] = {"&", "'", "’", "/", ".", "+"};
    return IS_ONE_OF(text, marks) || is_hyphen(text);
}

// "Washington, D.C.", "Acme, Inc.": the only words that a comma joins to a name.
static bool is_joining_comma(const struct words *words, size_t i)
{
    static const char *const tails[] = {"D.C.", "DC",  "D.C", "Inc.", "Inc", "Ltd.",
                                        "Ltd",  "LLC", "Jr.", "Jr",   "Sr."};
    return view_equal(words_text(words, i), VIEW(",")) && i + 1 < words->len &&
           IS_ONE_OF(words_text(words, i + 1), tails);
}

static uint8_t role_of(const struct words *words, size_t i)
{
    const struct word *word = &words->at[i];
    const struct token *token = &words->tokens[i];
    struct view text = words_text(words, i);
    switch (word->shape) {
    case SHAPE_CAPITAL:
    case SHAPE_UPPER:
    case SHAPE_MIXED:
    case SHAPE_LETTER:
    case SHAPE_INITIAL:
    case SHAPE_INITIALISM:
        return ROLE_NAME;
    case SHAPE_NUMBER:
        return ROLE_NUMBER;
    case SHAPE_MARK:
        return is_joining_mark(text) || is_possessive(text) || is_joining_comma(words, i)
                   ? ROLE_JOIN
                   : ROLE_OTHER;
    default:
        break;
    }
    bool glued = i > 1 && !token->space_before && is_hyphen(words_text(words, i - 1)) &&
                 !words->tokens[i - 1].space_before;
    if (glued && words->at[i - 2].role == ROLE_NAME) {
        return ROLE_TAIL;
    }
    if (words_in(words, i, lexicon_bit(LIST_STARTERS) | lexicon_bit(LIST_PARTICLES))) {
        return ROLE_START;
    }
    bool joins = words_in(words, i, lexicon_bit(LIST_JOINERS)) || is_possessive(text);
    return joins ? ROLE_JOIN : ROLE_OTHER;
}

static void read_words(struct words *words)
{
    for (size_t i = 0; i < words->len; i++) {
        struct word *word = &words->at[i];
        struct view text = words_text(words, i);
        word->fold = lexicon_fold(text);
        word->lists = lexicon_word(words->lexicon, word->fold);
        word->classes = clusters_find(words->clusters, word->fold);
        word->shape = shape_of(&words->tokens[i], text);
        word->role = role_of(words, i);
    }
}

// Marks the words of one line as shouted or headline.
static void judge_line(struct words *words, size_t first, size_t end)
{
    size_t upper = 0, capital = 0, lower = 0;
    for (size_t i = first; i < end; i++) {
        const struct word *word = &words->at[i];
        bool is_long = words->tokens[i].span.end - words->tokens[i].span.start >= LONG_WORD_BYTES;
        upper += word->shape == SHAPE_UPPER;
        capital += word->role == ROLE_NAME && is_long;
        lower += word->shape == SHAPE_LOWER && is_long;
    }
    bool shouting = upper >= SHOUT_WORDS && lower == 0 && upper * 2 > capital;
    bool headline = !shouting && capital >= HEADLINE_WORDS && lower * 4 <= capital;
    for (size_t i = first; i < end && (shouting || headline); i++) {
        words->at[i].shouting = shouting;
        words->at[i].headline = headline;
    }
}

static void judge_lines(struct words *words, const struct segments *segments)
{
    size_t first = 0;
    for (size_t p = 0; p < segments->paragraphs.len; p++) {
        size_t end = first;
        while (end < words->len && words->tokens[end].span.start < segments->paragraphs.at[p].end) {
            end++;
        }
        judge_line(words, first, end);
        first = end;
    }
}

// The uses are found through a hash of slots, at most half full. A word that is not found within the first
// few is nobody's (uses[0]): only text made to collide gets there, and it loses no more than context.
enum { PROBE_LIMIT = 64 };

struct use_index {
    uint32_t *slots;
    size_t mask;
};

// The slot of a word, free or its own; NULL when there is none within PROBE_LIMIT.
static uint32_t *use_slot(const struct words *words, const struct use_index *index, uint64_t fold)
{
    for (size_t i = 0; i < PROBE_LIMIT; i++) {
        uint32_t *slot = &index->slots[(fold + i) & index->mask];
        if (!*slot || words->uses[*slot].fold == fold) {
            return slot;
        }
    }
    return NULL;
}

static void count_uses(struct words *words, const struct use_index *index)
{
    words->use_count = 1;
    for (size_t i = 0; i < words->len; i++) {
        struct word *word = &words->at[i];
        if (word->role != ROLE_NAME) {
            continue;
        }
        uint32_t *slot = use_slot(words, index, word->fold);
        if (!slot) {
            continue;
        }
        if (!*slot) {
            *slot = (uint32_t)words->use_count++;
            words->uses[*slot].fold = word->fold;
        }
        word->use = *slot;
        words->uses[*slot].total++;
        words->uses[*slot].middle +=
            !words->tokens[i].starts_sentence && !word->shouting && !word->headline;
    }
    for (size_t i = 0; i < words->len; i++) {
        struct word *word = &words->at[i];
        const uint32_t *slot =
            word->shape == SHAPE_LOWER ? use_slot(words, index, word->fold) : NULL;
        if (slot && *slot) {
            word->use = *slot;
            words->uses[*slot].lower++;
        }
    }
}

static uint32_t context_bit(enum context context, bool holds)
{
    return holds ? UINT32_C(1) << context : 0;
}

static uint32_t context_before(const struct words *words, size_t i)
{
    static const char *const place_words[] = {"in", "at", "from", "near", "outside", "across"};
    static const char *const person_words[] = {"by", "with"};
    if (i == 0 || words->tokens[i].starts_sentence) {
        return 0;
    }
    struct view before = words_text(words, i - 1);
    bool named = words->at[i - 1].role == ROLE_NAME;
    return context_bit(AFTER_TITLE, words_in(words, i - 1, lexicon_bit(LIST_TITLES))) |
           context_bit(AFTER_FIRST_NAME,
                       named && words_in(words, i - 1, lexicon_bit(LIST_FIRST_NAMES))) |
           context_bit(AFTER_NAME, named) |
           context_bit(AFTER_PLACE_WORD, IS_ONE_OF(before, place_words)) |
           context_bit(AFTER_BY_OR_WITH, IS_ONE_OF(before, person_words)) |
           context_bit(AFTER_THE, view_equal_nocase(before, VIEW("the"))) |
           context_bit(AFTER_OF, view_equal(before, VIEW("of")));
}

static uint32_t context_after(const struct words *words, size_t i)
{
    size_t next = i + 1;
    if (next >= words->len || words->tokens[next].starts_sentence) {
        return 0;
    }
    struct view after = words_text(words, next);
    bool lower = words->at[next].shape == SHAPE_LOWER;
    bool function = words_in(words, next, lexicon_bit(LIST_FUNCTION_WORDS));
    uint32_t places = lexicon_bit(LIST_COUNTRIES) | lexicon_bit(LIST_REGIONS);
    return context_bit(BEFORE_SPEECH_VERB, words_in(words, next, lexicon_bit(LIST_SPEECH_VERBS))) |
           context_bit(BEFORE_ORGANISATION_CUE,
                       words_in(words, next, lexicon_bit(LIST_ORGANISATION_CUES))) |
           context_bit(BEFORE_PLACE_CUE, words_in(words, next, lexicon_bit(LIST_PLACE_CUES))) |
           context_bit(BEFORE_FACILITY_CUE,
                       words_in(words, next, lexicon_bit(LIST_FACILITY_CUES))) |
           context_bit(BEFORE_EVENT_CUE, words_in(words, next, lexicon_bit(LIST_EVENT_CUES))) |
           context_bit(BEFORE_POSSESSIVE, is_possessive(after)) |
           context_bit(BEFORE_COMMA_PLACE,
                       view_equal(after, VIEW(",")) && words_in(words, next + 1, places)) |
           context_bit(BEFORE_NAME, words->at[next].role == ROLE_NAME) |
           context_bit(BEFORE_NOUN, lower && !function) |
           context_bit(BEFORE_FUNCTION_WORD, lower && function) |
           context_bit(IN_BRACKETS, i > 0 && view_equal(after, VIEW(")")) &&
                                        view_equal(words_text(words, i - 1), VIEW("(")));
}

// First letter of the token's text, as a capital; 0 when it has none.
static char initial_of(struct view text)
{
    char c = text.len ? text.at[0] : '\0';
    return (char)(c >= 'a' && c <= 'z' ? c - 32 : c >= 'A' && c <= 'Z' ? c : '\0');
}

// "World Health Organization (WHO)": walks back from the bracket at `open` while initials match the letters
// of the initialism, small words without a letter of their own skipped. Gives the lists of its words.
static uint32_t meaning_of(const struct words *words, size_t open, struct view letters)
{
    uint32_t lists = 0;
    size_t left = letters.len;
    size_t i = open;
    for (size_t steps = 0; i > 0 && left > 0 && steps < BRACKET_WORDS; steps++) {
        i--;
        char initial = initial_of(words_text(words, i));
        if (initial && initial == initial_of(view_slice(letters, left - 1, left))) {
            lists |= words->at[i].lists;
            left--;
        } else if (words->at[i].role != ROLE_JOIN && words->at[i].shape != SHAPE_LOWER) {
            return 0;
        }
    }
    return left == 0 ? lists : 0;
}

static void gather_context(struct words *words)
{
    for (size_t i = 0; i < words->len; i++) {
        struct word *word = &words->at[i];
        if (word->role != ROLE_NAME) {
            continue;
        }
        struct word_use *use = &words->uses[word->use];
        uint32_t context = context_before(words, i) | context_after(words, i);
        use->context |= context;
        if (context & context_bit(IN_BRACKETS, true) && word->shape == SHAPE_UPPER) {
            use->meaning |= meaning_of(words, i - 1, words_text(words, i));
        }
    }
}

bool words_read(struct words *words, struct knowledge knowledge, const struct article *article)
{
    const struct tokens *tokens = &article->segments.tokens;
    struct use_index index = {.mask = 15};
    *words = (struct words){.text = article->text,
                            .tokens = tokens->at,
                            .lexicon = knowledge.lexicon,
                            .clusters = knowledge.clusters,
                            .len = tokens->len};
    words->at = arena_zalloc(article->arena, tokens->len, sizeof *words->at);
    if (!words->at) {
        return false;
    }
    read_words(words);
    size_t names = 0;
    for (size_t i = 0; i < words->len; i++) {
        names += words->at[i].role == ROLE_NAME;
    }
    while (index.mask < names * 2) {
        index.mask = index.mask * 2 + 1;
    }
    words->uses = arena_zalloc(article->arena, names + 1, sizeof *words->uses);
    index.slots = arena_zalloc(article->arena, index.mask + 1, sizeof *index.slots);
    if (!words->uses || !index.slots) {
        return false;
    }
    judge_lines(words, &article->segments);
    count_uses(words, &index);
    gather_context(words);
    return true;
}
