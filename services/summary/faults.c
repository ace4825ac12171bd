// What makes a sentence unusable. Checked per sentence in the order of enum fault; quotations need the
// sentences before, captions the paragraph after.
#include "services/summary/faults.h"

enum {
    WORDS_LEAST = 5,
    WORDS_MOST = 60,
    LOWER_LEAST = 2,
    QUOTE_SENTENCES = 5, // a quotation left open for longer was a stray mark
    CAPTION_SENTENCES = 2,
    CREDIT_WORDS = 8,
    ENOUGH_SENTENCES = 3,
};

static const struct token *token_at(const struct story *story, uint32_t i)
{
    return &story->article->segments.tokens.at[i];
}

static struct view text_at(const struct story *story, uint32_t i)
{
    return view_at(story->article->text, token_at(story, i)->span);
}

static char first_byte(const struct story *story, uint32_t i)
{
    return story->article->text.at[token_at(story, i)->span.start];
}

enum quote { QUOTE_NONE, QUOTE_OPEN, QUOTE_CLOSE, QUOTE_EITHER };

// Whether the mark stands before a word and after a space, as opening marks do.
static bool leans_right(const struct story *story, const struct sentence *sentence, uint32_t i)
{
    bool before_space = i + 1 >= sentence->end || token_at(story, i + 1)->space_before;
    return (token_at(story, i)->space_before || i == sentence->first) && !before_space;
}

// Double quotation marks. Straight ones open or close by where they lean; between two words by turns.
static enum quote double_quote(const struct story *story, const struct sentence *sentence,
                               uint32_t i)
{
    if (token_at(story, i)->kind != TOKEN_PUNCTUATION) {
        return QUOTE_NONE;
    }
    struct view mark = text_at(story, i);
    if (mark.at[0] == '"') {
        if (leans_right(story, sentence, i)) {
            return QUOTE_OPEN;
        }
        return token_at(story, i)->space_before ? QUOTE_EITHER : QUOTE_CLOSE;
    }
    if (view_equal(mark, VIEW("“")) || view_equal(mark, VIEW("«")) || view_equal(mark, VIEW("„"))) {
        return QUOTE_OPEN;
    }
    return view_equal(mark, VIEW("”")) || view_equal(mark, VIEW("»")) ? QUOTE_CLOSE : QUOTE_NONE;
}

// Single marks open after a space; they close after a mark of punctuation, where no apostrophe stands.
static enum quote single_quote(const struct story *story, const struct sentence *sentence,
                               uint32_t i)
{
    const struct token *token = token_at(story, i);
    struct view mark = text_at(story, i);
    bool left = view_equal(mark, VIEW("‘"));
    if (token->kind != TOKEN_PUNCTUATION ||
        !(left || mark.at[0] == '\'' || view_equal(mark, VIEW("’")))) {
        return QUOTE_NONE;
    }
    if (left || leans_right(story, sentence, i)) {
        bool decade = i + 1 < sentence->end && token_at(story, i + 1)->kind == TOKEN_NUMBER;
        return decade ? QUOTE_NONE : QUOTE_OPEN;
    }
    bool after_mark = i > sentence->first && token_at(story, i - 1)->kind == TOKEN_PUNCTUATION;
    return after_mark ? QUOTE_CLOSE : QUOTE_EITHER;
}

// Whether the single quotation marks of a sentence leave a quotation open at either side. An opening mark
// right behind a word, and never closed, is more often a misprinted apostrophe.
static bool has_open_single(const struct story *story, const struct sentence *sentence)
{
    bool open = false;
    bool speech = false;
    for (uint32_t i = sentence->first; i < sentence->end; i++) {
        switch (single_quote(story, sentence, i)) {
        case QUOTE_OPEN:
            open = true;
            speech |= i == sentence->first || token_at(story, i - 1)->kind == TOKEN_PUNCTUATION;
            break;
        case QUOTE_CLOSE:
            if (!open) {
                return true;
            }
            open = false;
            speech = false;
            break;
        case QUOTE_EITHER:
            open = false;
            speech = false;
            break;
        default:
            break;
        }
    }
    return open && speech;
}

// Double quotation marks over a paragraph: whether one is open, and for how many sentences.
struct quotation {
    bool open;
    int sentences;
};

// Moves over a sentence. True when a quotation begins or ends outside of it.
static bool crosses_quote(const struct story *story, const struct sentence *sentence,
                          struct quotation *quotation)
{
    if (sentence->starts_paragraph || quotation->sentences > QUOTE_SENTENCES) {
        *quotation = (struct quotation){false, 0};
    }
    bool inside = quotation->open;
    bool has_marks = false;
    bool balanced = true;
    bool open = false;
    for (uint32_t i = sentence->first; i < sentence->end; i++) {
        enum quote quote = double_quote(story, sentence, i);
        if (quote == QUOTE_NONE) {
            continue;
        }
        if (quote == QUOTE_EITHER) {
            quote = open ? QUOTE_CLOSE : QUOTE_OPEN;
        }
        has_marks = true;
        balanced = balanced && (quote == QUOTE_OPEN) != open;
        open = quote == QUOTE_OPEN;
    }
    balanced = balanced && !open;
    quotation->open = has_marks ? open : inside;
    quotation->sentences = quotation->open ? quotation->sentences + 1 : 0;
    return !balanced || (inside && !has_marks);
}

static bool ends_with_mark(const struct story *story, const struct sentence *sentence)
{
    for (uint32_t i = sentence->end; i-- > sentence->first;) {
        const struct token *token = token_at(story, i);
        char first = first_byte(story, i);
        if (first == '.' || first == '!' || first == '?') {
            return true;
        }
        struct view text = text_at(story, i);
        if (view_equal(text, VIEW("…")) || view_equal(text, VIEW("。"))) {
            return true;
        }
        if (token->kind != TOKEN_PUNCTUATION || first == ',' || first == ':' || first == ';') {
            return text.at[text.len - 1] == '.';
        }
    }
    return false;
}

// Words in lower case. Names of places and people alone make no sentence.
static uint32_t count_lower(const struct story *story, const struct sentence *sentence)
{
    uint32_t count = 0;
    for (uint32_t i = sentence->first; i < sentence->end; i++) {
        const struct token *token = token_at(story, i);
        bool lower = token->letters == CASE_LOWER || token->letters == CASE_NONE;
        count += token->kind == TOKEN_WORD && lower && first_byte(story, i) != '\'';
    }
    return count;
}

static bool is_heading(const struct story *story, const struct sentence *sentence)
{
    const struct spans *headings = &story->article->headings;
    for (size_t i = 0; i < headings->len && headings->at[i].start < sentence->span.end; i++) {
        if (headings->at[i].end > sentence->span.start) {
            return true;
        }
    }
    return false;
}

enum { PHRASE_BYTES = 96 };

// Appends the token in lower case; false when there is no room.
static bool add_lower(char *phrase, size_t *len, struct view token)
{
    if (*len + token.len + 1 > PHRASE_BYTES) {
        return false;
    }
    if (*len > 0) {
        phrase[(*len)++] = ' ';
    }
    for (size_t i = 0; i < token.len; i++) {
        char c = token.at[i];
        phrase[(*len)++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return true;
}

// Whether a phrase of the list begins at token `i` and stands where it counts.
static bool is_phrase_at(const struct story *story, const struct sentence *sentence, uint32_t i)
{
    char phrase[PHRASE_BYTES];
    size_t len = 0;
    if (!lists_begins_phrase(story->lists, text_at(story, i))) {
        return false;
    }
    for (uint32_t j = i; j < sentence->end && j < i + PHRASE_WORDS; j++) {
        if (!add_lower(phrase, &len, text_at(story, j))) {
            return false;
        }
        switch (lists_phrase(story->lists, (struct view){phrase, len})) {
        case PHRASE_START:
            if (i == sentence->first) {
                return true;
            }
            break;
        case PHRASE_END:
            if (j + 2 >= sentence->end) {
                return true;
            }
            break;
        case PHRASE_ANY:
            return true;
        default:
            break;
        }
    }
    return false;
}

static bool has_phrase(const struct story *story, const struct sentence *sentence)
{
    for (uint32_t i = sentence->first; i < sentence->end; i++) {
        if (is_phrase_at(story, sentence, i)) {
            return true;
        }
    }
    return false;
}

// First person outside quotations; "US" in capitals is a country.
static bool has_first_person(const struct story *story, const struct sentence *sentence)
{
    bool quoted = false;
    for (uint32_t i = sentence->first; i < sentence->end; i++) {
        enum quote quote = double_quote(story, sentence, i);
        if (quote == QUOTE_NONE) {
            quote = single_quote(story, sentence, i);
            quote = quote == QUOTE_EITHER ? QUOTE_CLOSE : quote;
        }
        if (quote != QUOTE_NONE) {
            quoted = quote == QUOTE_OPEN || (quote == QUOTE_EITHER && !quoted);
        }
        if (!quoted && story->words[i].classes & WORD_FIRST &&
            token_at(story, i)->letters != CASE_UPPER) {
            return true;
        }
    }
    return false;
}

// Whether the sentence opens with a word that points back, also behind an opening quotation mark.
static bool is_dangling(const struct story *story, const struct sentence *sentence)
{
    uint32_t i = sentence->first;
    while (i < sentence->end && token_at(story, i)->kind == TOKEN_PUNCTUATION) {
        i++;
    }
    if (i + 2 < sentence->end && view_equal_nocase(text_at(story, i), VIEW("the"))) {
        struct view second = text_at(story, i + 1);
        return view_equal(second, VIEW("latter")) || view_equal(second, VIEW("former")) ||
               view_equal(second, VIEW("two")) || view_equal(second, VIEW("pair"));
    }
    // "IT workers" and "ER doctors" point nowhere.
    return i < sentence->end && token_at(story, i)->letters != CASE_UPPER &&
           story->words[i].classes & (WORD_PRONOUN | WORD_CONNECTIVE);
}

static enum fault find_fault(const struct story *story, const struct sentence *sentence,
                             bool open_quote)
{
    if (is_heading(story, sentence)) {
        return FAULT_HEADING;
    }
    if (sentence->words < WORDS_LEAST) {
        return FAULT_SHORT;
    }
    if (count_lower(story, sentence) < LOWER_LEAST) {
        return FAULT_NO_PROSE;
    }
    if (!ends_with_mark(story, sentence)) {
        return FAULT_NO_END;
    }
    if (has_phrase(story, sentence)) {
        return FAULT_BOILERPLATE;
    }
    if (open_quote || has_open_single(story, sentence)) {
        return FAULT_OPEN_QUOTE;
    }
    if (sentence->words > WORDS_MOST) {
        return FAULT_LONG;
    }
    if (first_byte(story, sentence->end - 1) == '?') {
        return FAULT_QUESTION;
    }
    return has_first_person(story, sentence) ? FAULT_FIRST_PERSON : FAULT_NONE;
}

// A short line with an agency or a bar in it, such as "Jane Roe | AFP | Getty Images".
static bool is_credit_line(const struct story *story, const struct sentence *sentence)
{
    bool ended = sentence->fault != FAULT_SHORT && sentence->fault != FAULT_NO_PROSE &&
                 sentence->fault != FAULT_NO_END && sentence->fault != FAULT_BOILERPLATE;
    if (!sentence->starts_paragraph || ended || sentence->words > CREDIT_WORDS) {
        return false;
    }
    for (uint32_t i = sentence->first; i < sentence->end; i++) {
        struct view text = text_at(story, i);
        if (text.at[0] == '|' || view_equal(text, VIEW("Getty")) || view_equal(text, VIEW("AP")) ||
            view_equal(text, VIEW("AFP")) || view_equal(text, VIEW("Reuters")) ||
            view_equal(text, VIEW("Credit")) || view_equal(text, VIEW("Photo"))) {
            return true;
        }
    }
    return false;
}

// The paragraph before a credit line is its caption, when it is short.
static void mark_captions(struct story *story)
{
    uint32_t start = 0; // of the paragraph before
    for (uint32_t i = 1; i < story->count; i++) {
        if (!story->sentences[i].starts_paragraph) {
            continue;
        }
        if (is_credit_line(story, &story->sentences[i]) && i - start <= CAPTION_SENTENCES) {
            for (uint32_t j = start; j < i; j++) {
                story->sentences[j].fault = FAULT_CAPTION;
            }
        }
        start = i;
    }
}

// Counts the places anew, taking sentences with the fault `forgiven` for usable.
static void forgive(struct story *story, enum fault forgiven)
{
    story->usable = 0;
    for (uint32_t i = 0; i < story->count; i++) {
        struct sentence *sentence = &story->sentences[i];
        sentence->place = story->usable;
        if (sentence->fault == forgiven) {
            sentence->fault = FAULT_NONE;
        }
        story->usable += sentence->fault == FAULT_NONE;
    }
}

static uint32_t count_fault(const struct story *story, enum fault fault)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < story->count; i++) {
        count += story->sentences[i].fault == fault;
    }
    return count;
}

void faults_mark(struct story *story)
{
    struct quotation quotation = {false, 0};
    for (uint32_t i = 0; i < story->count; i++) {
        struct sentence *sentence = &story->sentences[i];
        bool open_quote = crosses_quote(story, sentence, &quotation);
        sentence->fault = find_fault(story, sentence, open_quote);
        sentence->dangling = is_dangling(story, sentence);
    }
    mark_captions(story);
    forgive(story, FAULT_NONE);
    if (story->usable < ENOUGH_SENTENCES &&
        count_fault(story, FAULT_FIRST_PERSON) > 2 * story->usable) {
        forgive(story, FAULT_FIRST_PERSON);
    }
    if (story->usable == 0) {
        forgive(story, FAULT_QUESTION);
        forgive(story, FAULT_LONG);
    }
}
