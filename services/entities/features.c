#include "services/entities/features.h"

enum { SHAPES_SHOWN = 6, ANY_LENGTH = 7 };

// Words beyond the text or beyond the sentence.
#define OUTSIDE UINT64_C(0x6f75747369646521)

static const char *const template_names[FEATURE_TEMPLATE_COUNT] = {
#define FEATURE_NAME(name, text) text,
    FEATURE_TEMPLATES(FEATURE_NAME)
#undef FEATURE_NAME
};

const char *features_template_name(enum feature_template template)
{
    return template_names[template];
}

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t hash = (a ^ (b * UINT64_C(0x9ddfea08eb382d69))) * UINT64_C(0xc2b2ae3d27d4eb4f);
    return hash ^ hash >> 31;
}

static void add(struct features *features, enum feature_template template, uint64_t value)
{
    if (features->len < FEATURE_LIMIT) {
        uint64_t hash = mix(value, template + UINT64_C(1));
        features->template[features->len] = (uint8_t) template;
        features->at[features->len++] = mix(hash, UINT64_C(0x51ed270b));
    }
}

static void add_bits(struct features *features, enum feature_template template, uint32_t bits,
                     uint64_t with)
{
    while (bits) {
        uint64_t bit = (uint64_t)__builtin_ctz(bits);
        add(features, template, bit << 8 | with);
        bits &= bits - 1;
    }
}

// A candidate and its surroundings, looked up once.
struct place {
    const struct words *words;
    size_t first, end;
    uint64_t before, second_before, after, second_after;
    uint64_t length;     // 1, 2, 3 or 4 for more
    uint64_t surrounded; // bit 0: a name before, bit 1: a name after
    bool starts_sentence;
};

// Position of the token `steps` before or after, or words->len when the sentence ends before it.
static size_t left_of(const struct words *words, size_t i, size_t steps)
{
    for (; steps > 0; steps--) {
        if (i == 0 || words->tokens[i].starts_sentence) {
            return words->len;
        }
        i--;
    }
    return i;
}

static size_t right_of(const struct words *words, size_t i, size_t steps)
{
    for (; steps > 0; steps--) {
        if (i + 1 >= words->len || words->tokens[i + 1].starts_sentence) {
            return words->len;
        }
        i++;
    }
    return i;
}

static uint64_t fold_at(const struct words *words, size_t i)
{
    if (i >= words->len) {
        return OUTSIDE;
    }
    return words->at[i].shape == SHAPE_NUMBER ? SHAPE_NUMBER : words->at[i].fold;
}

static struct place place_of(const struct words *words, size_t first, size_t end)
{
    size_t before = left_of(words, first, 1);
    size_t after = right_of(words, end - 1, 1);
    struct place place = {
        .words = words,
        .first = first,
        .end = end,
        .before = fold_at(words, before),
        .second_before = fold_at(words, left_of(words, first, 2)),
        .after = fold_at(words, after),
        .second_after = fold_at(words, right_of(words, end - 1, 2)),
        .length = end - first > 4 ? 4 : end - first,
        .starts_sentence = words->tokens[first].starts_sentence,
    };
    bool named_before = before < words->len && words->at[before].role == ROLE_NAME;
    bool named_after = after < words->len && words->at[after].role == ROLE_NAME;
    place.surrounded = (uint64_t)named_before | (uint64_t)named_after << 1;
    return place;
}

static void add_words(struct features *features, const struct place *place)
{
    const struct words *words = place->words;
    uint64_t first = fold_at(words, place->first);
    uint64_t last = fold_at(words, place->end - 1);
    uint64_t phrase = LEXICON_EMPTY;
    for (size_t i = place->first; i < place->end; i++) {
        phrase = lexicon_join(phrase, words->at[i].fold);
        if (i > place->first && i + 1 < place->end) {
            add(features, FEATURE_INNER, fold_at(words, i));
        }
    }
    add(features, FEATURE_PHRASE, phrase);
    add(features, FEATURE_LAST, mix(last, place->length > 1));
    add(features, FEATURE_LAST_AFTER, mix(last, place->after));
    add(features, FEATURE_BEFORE_FIRST, mix(place->before, first));
    if (place->length > 1) {
        add(features, FEATURE_FIRST_OF_MANY, first);
        add(features, FEATURE_FIRST_LAST, mix(first, last));
    }
    uint32_t lists = lexicon_phrase(words->lexicon, phrase);
    add_bits(features, FEATURE_LIST_WHOLE, lists, place->length);
    add_bits(features, FEATURE_LIST_WHOLE, lists, ANY_LENGTH);
}

static void add_surroundings(struct features *features, const struct place *place)
{
    add(features, FEATURE_BEFORE, place->before);
    add(features, FEATURE_BEFORE_TWO, mix(place->second_before, place->before));
    add(features, FEATURE_SECOND_BEFORE, place->second_before);
    add(features, FEATURE_AFTER, place->after);
    add(features, FEATURE_AFTER_TWO, mix(place->after, place->second_after));
    add(features, FEATURE_SECOND_AFTER, place->second_after);
    add(features, FEATURE_BEFORE_LENGTH, mix(place->before, place->length));
    add(features, FEATURE_AFTER_LENGTH, mix(place->after, place->length));
    add(features, FEATURE_EDGES, place->surrounded << 3 | place->length);
}

// Up to four bytes of a word, ASCII letters in lower case, packed.
static uint64_t pack(struct view text)
{
    uint64_t packed = text.len;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        packed = packed << 8 | (c >= 'A' && c <= 'Z' ? c + 32U : c);
    }
    return packed;
}

static uint64_t prefix(struct view text, size_t len)
{
    return pack(view_slice(text, 0, len));
}

static uint64_t suffix(struct view text, size_t len)
{
    return pack(view_slice(text, text.len > len ? text.len - len : 0, text.len));
}

static void add_letters(struct features *features, const struct place *place)
{
    const struct words *words = place->words;
    struct view first = words_text(words, place->first);
    struct view last = words_text(words, place->end - 1);
    uint64_t several = place->length > 1;
    add(features, FEATURE_PREFIX3, prefix(first, 3) << 1 | several);
    add(features, FEATURE_PREFIX4, prefix(last, 4) << 1 | several);
    add(features, FEATURE_SUFFIX2, suffix(last, 2) << 1 | several);
    add(features, FEATURE_SUFFIX3, suffix(last, 3) << 1 | several);
    add(features, FEATURE_SUFFIX4, suffix(last, 4) << 1 | several);
    if (several) {
        add(features, FEATURE_FIRST_SUFFIX3, suffix(first, 3));
    }
}

static void add_shape(struct features *features, const struct place *place)
{
    const struct words *words = place->words;
    uint64_t shape = 0;
    for (size_t i = place->first, shown = 0; i < place->end && shown < SHAPES_SHOWN; i++, shown++) {
        shape = shape << 4 | words->at[i].shape;
    }
    const struct word *word = &words->at[place->first];
    uint64_t line = (uint64_t)word->shouting | (uint64_t)word->headline << 1;
    add(features, FEATURE_SHAPE, shape);
    add(features, FEATURE_SHAPE_AROUND,
        mix(shape, place->surrounded << 1 | place->starts_sentence));
    add(features, FEATURE_LINE, line << 3 | place->length);
}

static void add_lists(struct features *features, const struct place *place)
{
    const struct words *words = place->words;
    uint32_t first = words->at[place->first].lists;
    uint32_t last = words->at[place->end - 1].lists;
    uint32_t any = 0;
    for (size_t i = place->first; i < place->end; i++) {
        any |= words->at[i].lists;
    }
    if (place->length > 1) {
        add_bits(features, FEATURE_LIST_FIRST, first, place->length);
        add(features, FEATURE_LIST_FIRST_LAST, mix(first, last));
    }
    add_bits(features, FEATURE_LIST_LAST, last, place->length);
    add_bits(features, FEATURE_LIST_ANY, any & ~(first | last), 0);
    size_t before = left_of(words, place->first, 1);
    size_t after = right_of(words, place->end - 1, 1);
    uint32_t left = before < words->len ? words->at[before].lists : 0;
    uint32_t right = after < words->len ? words->at[after].lists : 0;
    add_bits(features, FEATURE_LIST_BEFORE, left, place->length);
    add_bits(features, FEATURE_LIST_AFTER, right, place->length);
    add(features, FEATURE_LIST_SHAPE, mix(mix(left, last), right));
}

static void add_classes(struct features *features, enum feature_template template,
                        const struct words *words, size_t i)
{
    uint64_t packed = i < words->len ? words->at[i].classes : 0;
    if (packed == 0) {
        add(features, template, i < words->len);
        return;
    }
    for (int grain = 0; grain < CLUSTER_GRAINS; grain++) {
        add(features, template, (uint64_t)clusters_id(packed, grain) << 4 | (uint64_t)(grain + 2));
    }
}

static void add_all_classes(struct features *features, const struct place *place)
{
    const struct words *words = place->words;
    size_t last = place->end - 1;
    if (place->length > 1) {
        add_classes(features, FEATURE_CLASS_FIRST, words, place->first);
        add_classes(features, FEATURE_CLASS_LAST, words, last);
    } else {
        add_classes(features, FEATURE_CLASS_ONLY, words, last);
    }
    add_classes(features, FEATURE_CLASS_BEFORE, words, left_of(words, place->first, 1));
    add_classes(features, FEATURE_CLASS_AFTER, words, right_of(words, last, 1));
    add_classes(features, FEATURE_CLASS_SECOND_BEFORE, words, left_of(words, place->first, 2));
    add_classes(features, FEATURE_CLASS_SECOND_AFTER, words, right_of(words, last, 2));
}

// How far the article itself bears out that a capitalised word is a name.
static uint64_t evidence(const struct words *words, size_t i)
{
    const struct word_use *use = &words->uses[words->at[i].use];
    uint64_t middle = use->middle > 2 ? 2 : use->middle;
    uint64_t lower = use->lower > 1 ? 2 : use->lower;
    return middle << 2 | lower;
}

static void add_use(struct features *features, const struct place *place)
{
    const struct words *words = place->words;
    const struct word *first = &words->at[place->first];
    const struct word *last = &words->at[place->end - 1];
    uint64_t several = place->length > 1;
    uint64_t common = (first->lists & lexicon_bit(LIST_COMMON_WORDS)) != 0;
    uint64_t function = (first->lists & lexicon_bit(LIST_FUNCTION_WORDS)) != 0;
    uint64_t listed = common << 1 | function;
    add(features, FEATURE_START,
        (uint64_t)place->starts_sentence << 7 | listed << 5 | several << 4 |
            evidence(words, place->first));
    add(features, FEATURE_LOWER, evidence(words, place->end - 1) << 1 | several);
    add_bits(features, FEATURE_CONTEXT_LAST, words->uses[last->use].context, several);
    if (several) {
        add_bits(features, FEATURE_CONTEXT_FIRST, words->uses[first->use].context, 0);
    } else {
        add_bits(features, FEATURE_MEANING, words->uses[last->use].meaning, 0);
    }
}

static bool is_mark(const struct words *words, size_t i, const char *marks)
{
    if (i >= words->len || words->at[i].shape != SHAPE_MARK) {
        return false;
    }
    struct view text = words_text(words, i);
    return text.len == 1 && strchr(marks, text.at[0]) != NULL;
}

static bool is_curly(const struct words *words, size_t i)
{
    return i < words->len && view_starts(words_text(words, i), VIEW("\xe2\x80")) &&
           words->at[i].shape == SHAPE_MARK;
}

static void add_marks(struct features *features, const struct place *place)
{
    const struct words *words = place->words;
    size_t before = left_of(words, place->first, 1);
    size_t after = right_of(words, place->end - 1, 1);
    uint64_t opened = is_mark(words, before, "\"'") || is_curly(words, before);
    uint64_t closed = is_mark(words, after, "\"'") || is_curly(words, after);
    uint64_t bracket_open = is_mark(words, before, "(");
    uint64_t bracket_closed = is_mark(words, after, ")");
    uint64_t glued_before = !words->tokens[place->first].space_before;
    uint64_t glued_after = place->end < words->len && !words->tokens[place->end].space_before;
    add(features, FEATURE_QUOTED,
        opened | closed << 1 | bracket_open << 2 | bracket_closed << 3 | glued_before << 4 |
            glued_after << 5);
    for (size_t i = place->first + 1; i + 1 < place->end; i++) {
        if (words->at[i].role == ROLE_JOIN || words->at[i].role == ROLE_START) {
            add(features, FEATURE_JOINED, mix(words->at[i].fold, words->at[i - 1].lists & 0x3f80));
        }
    }
}

void features_of(const struct words *words, size_t first, size_t end, struct features *features)
{
    struct place place = place_of(words, first, end);
    features->len = 0;
    add(features, FEATURE_BIAS, 0);
    add(features, FEATURE_LENGTH, end - first);
    add_words(features, &place);
    add_surroundings(features, &place);
    add_letters(features, &place);
    add_shape(features, &place);
    add_lists(features, &place);
    add_use(features, &place);
    add_all_classes(features, &place);
    add_marks(features, &place);
}
