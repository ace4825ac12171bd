#include "services/clean/lang.h"

#include "common/utf8.h"

enum { SAMPLE_BYTES = 4000, LANGUAGES = 40, WORD_BYTES = 32 };

struct scores {
    struct view codes[LANGUAGES];
    double sums[LANGUAGES];
    size_t len;
    double words;
};

static void add(struct scores *scores, struct view code, double weight)
{
    for (size_t i = 0; i < scores->len; i++) {
        if (view_equal(scores->codes[i], code)) {
            scores->sums[i] += weight;
            return;
        }
    }
    if (scores->len < LANGUAGES) {
        scores->codes[scores->len] = code;
        scores->sums[scores->len++] = weight;
    }
}

static void add_word(struct scores *scores, struct view word, const struct table_list *stop_words)
{
    struct view languages, code;
    size_t count = 0;
    scores->words++;
    if (!table_find(stop_words, word, &languages)) {
        return;
    }
    struct view rest = languages;
    while (view_next_word(&rest, &code)) {
        count++;
    }
    // A word of few languages tells more.
    while (view_next_word(&languages, &code)) {
        add(scores, code, 1.0 + 1.0 / (double)count);
    }
}

static void count_words(struct scores *scores, struct view text,
                        const struct table_list *stop_words)
{
    char word[WORD_BYTES];
    size_t len = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t c = utf8_next(text, &at);
        if (utf8_is_letter(c) && len + 4 <= WORD_BYTES) {
            len += utf8_encode(utf8_to_lower(c), word + len);
        } else if (!utf8_is_letter(c) && len > 0) {
            add_word(scores, (struct view){word, len}, stop_words);
            len = 0;
        }
    }
}

// Scripts that name one language, or its best guess.
static const struct {
    uint32_t first, last;
    const char *code;
} scripts[] = {
    {0x0370, 0x03ff, "el"}, {0x0590, 0x05ff, "he"}, {0x0600, 0x06ff, "ar"}, {0x0900, 0x097f, "hi"},
    {0x0980, 0x09ff, "bn"}, {0x0b80, 0x0bff, "ta"}, {0x0c00, 0x0c7f, "te"}, {0x0e00, 0x0e7f, "th"},
    {0x10a0, 0x10ff, "ka"}, {0x0530, 0x058f, "hy"}, {0xac00, 0xd7af, "ko"}, {0x3040, 0x30ff, "ja"},
    {0x4e00, 0x9fff, "zh"},
};

enum { SCRIPTS = sizeof scripts / sizeof scripts[0] };

// The language of the script that at least a third of the letters are of; NULL for Latin and Cyrillic.
static const char *by_script(struct view text)
{
    size_t counts[SCRIPTS] = {0}, letters = 0;
    for (size_t at = 0; at < text.len;) {
        uint32_t c = utf8_next(text, &at);
        letters += c > 0x2ff ? !(c >= 0x2000 && c < 0x2c00) : utf8_is_letter(c);
        for (size_t i = 0; c >= 0x370 && i < SCRIPTS; i++) {
            counts[i] += c >= scripts[i].first && c <= scripts[i].last;
        }
    }
    // Japanese mixes its own letters with Chinese ones.
    if (counts[SCRIPTS - 2] * 10 > letters && letters > 0) {
        return "ja";
    }
    for (size_t i = 0; i < SCRIPTS; i++) {
        if (counts[i] * 3 > letters) {
            return scripts[i].code;
        }
    }
    return NULL;
}

static struct view primary(struct view tag)
{
    size_t end = 0;
    while (end < tag.len && tag.at[end] != '-' && tag.at[end] != '_') {
        end++;
    }
    return view_slice(tag, 0, end);
}

// Languages without small words of their own here but with the same script: the attribute decides.
static struct view settle_script(const char *code, struct view declared)
{
    static const char *const relatives[] = {"ar fa ur ps ckb", "hi mr ne", "zh ja yue", "he yi"};
    for (size_t i = 0; i < sizeof relatives / sizeof relatives[0]; i++) {
        struct view rest = view_of(relatives[i]), word;
        bool known = false, same = false;
        while (view_next_word(&rest, &word)) {
            known |= view_equal(word, declared);
            same |= view_equal(word, view_of(code));
        }
        if (known && same) {
            return declared;
        }
    }
    return view_of(code);
}

struct view lang_detect(struct view text, struct view declared, const struct table_list *stop_words)
{
    struct scores scores = {.len = 0};
    size_t best = 0;
    char folded[8];
    struct view sample = view_slice(text, 0, SAMPLE_BYTES);
    struct view tag = primary(view_trim(declared));
    const char *script = by_script(sample);
    if (tag.len > sizeof folded || tag.len < 2) {
        tag = (struct view){"", 0};
    }
    for (size_t i = 0; i < tag.len; i++) {
        folded[i] = (char)(tag.at[i] | 32);
    }
    struct view known = {folded, tag.len};
    known = view_equal(known, VIEW("nb")) || view_equal(known, VIEW("nn")) ? VIEW("no") : known;
    if (script) {
        struct view settled = settle_script(script, known);
        return settled.at == folded ? tag : settled;
    }
    count_words(&scores, sample, stop_words);
    for (size_t i = 0; i < scores.len; i++) {
        scores.sums[i] *= view_equal(scores.codes[i], known) ? 1.15 : 1.0;
        best = scores.sums[i] > scores.sums[best] ? i : best;
    }
    if (scores.len == 0 || scores.sums[best] < 2.0 || scores.sums[best] < scores.words * 0.08) {
        return tag;
    }
    return scores.codes[best];
}
