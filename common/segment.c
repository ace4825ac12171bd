// Sentences are found over tokens, line by line: every mark that may end one is judged by what follows.
//
// A mark (. ! ? ... and the full stops of CJK) takes along closing quotes, brackets and footnote marks
// behind it. It ends the sentence when the line ends, or when the next word is not in lower case, except
// after abbreviations (segment_tokens.h says which kind allows what), initials, list numbers at the head of a
// sentence, and a quoted question before "Smith asked". The rules follow the usual ones for English news and
// the published "golden rules" of pragmatic_segmenter; quotations are split inside, as treebanks do.
// Tried and dropped: ends after colons (academic texts want them, news does not), starts in lower case
// (web text has them; each costs more than it finds).
#include "common/segment.h"

#include "common/segment_tokens.h"
#include "common/utf8.h"

// Tokens are about this many bytes each with their space, so one reservation is nearly always enough.
enum { BYTES_PER_TOKEN = 4, OPENERS_LIMIT = 4, FOOTNOTE_LIMIT = 4, ATTRIBUTION_LIMIT = 4 };

// The line being judged: tokens [first, end), the sentence that is open began at `sentence`.
struct line {
    struct view text;
    struct token *tokens;
    size_t first, end;
    size_t sentence;
};

static struct view token_text(const struct line *line, size_t i)
{
    return view_at(line->text, line->tokens[i].span);
}

static bool is_one_of(struct view token, const char *const *marks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (view_equal(token, view_of(marks[i]))) {
            return true;
        }
    }
    return false;
}

#define IS_ONE_OF(token, list) is_one_of(token, list, sizeof(list) / sizeof(list)[0])

static const char *const stops_without_space[] = {"。", "！", "？"};
static const char *const closers[] = {")", "]", "}", "\"", "'", "”", "’", "»", "」", "』", "）"};
static const char *const openers[] = {"(", "[", "{", "\"", "'", "`", "“",  "‘", "«",
                                      "¿", "¡", "-", "–",  "—", "•", "「", "（"};

static bool is_stop_without_space(const struct line *line, size_t i)
{
    return IS_ONE_OF(token_text(line, i), stops_without_space);
}

static bool is_final_mark(const struct line *line, size_t i)
{
    if (line->tokens[i].kind != TOKEN_PUNCTUATION) {
        return false;
    }
    char first = line->text.at[line->tokens[i].span.start];
    if ((unsigned char)first < 0x80) {
        return first == '.' || first == '!' || first == '?';
    }
    return view_equal(token_text(line, i), VIEW("…")) || is_stop_without_space(line, i);
}

static bool is_closer(const struct line *line, size_t i)
{
    return line->tokens[i].kind == TOKEN_PUNCTUATION && IS_ONE_OF(token_text(line, i), closers);
}

static bool is_opener(const struct line *line, size_t i)
{
    return line->tokens[i].kind == TOKEN_PUNCTUATION && IS_ONE_OF(token_text(line, i), openers);
}

// Behind a footnote mark such as [28] or [citation needed] that begins at `i`, or `i`.
static size_t skip_footnote(const struct line *line, size_t i)
{
    if (i >= line->end || !view_equal(token_text(line, i), VIEW("["))) {
        return i;
    }
    bool numeric = i + 1 < line->end && line->tokens[i + 1].kind == TOKEN_NUMBER;
    for (size_t j = i + 1; j < line->end && j <= i + FOOTNOTE_LIMIT; j++) {
        if (view_equal(token_text(line, j), VIEW("]"))) {
            return numeric || !line->tokens[i].space_before ? j + 1 : i;
        }
    }
    return i;
}

// Behind everything that clings to the mark before `i`.
static size_t skip_tail(const struct line *line, size_t i)
{
    while (i < line->end) {
        size_t footnote = skip_footnote(line, i);
        if (footnote > i) {
            i = footnote;
        } else if (!line->tokens[i].space_before &&
                   (is_final_mark(line, i) || is_closer(line, i))) {
            i++;
        } else {
            break;
        }
    }
    // A last quote or bracket that stands off by a space.
    return i + 1 == line->end && is_closer(line, i) ? i + 1 : i;
}

static size_t skip_openers(const struct line *line, size_t i)
{
    size_t limit = i + OPENERS_LIMIT;
    while (i < line->end && i < limit && is_opener(line, i)) {
        i++;
    }
    return i;
}

// The points in "[...]" and the mark in "(!)".
static bool is_bracketed(const struct line *line, size_t i)
{
    static const char *const open[] = {"[", "("};
    static const char *const close[] = {"]", ")"};
    return i > line->first && i + 1 < line->end && IS_ONE_OF(token_text(line, i - 1), open) &&
           IS_ONE_OF(token_text(line, i + 1), close);
}

// "Image: Name" set behind a caption that has no full stop.
static bool is_credit(const struct line *line, size_t i)
{
    static const char *const labels[] = {"Image",    "Images",     "Photo",  "Photos", "Picture",
                                         "Pictures", "Photograph", "Credit", "Video"};
    return line->tokens[i].letters == CASE_CAPITAL && i + 1 < line->end && i > line->sentence &&
           line->tokens[i - 1].kind != TOKEN_PUNCTUATION && !line->tokens[i + 1].space_before &&
           (line->text.at[line->tokens[i + 1].span.start] == ':' ||
            line->text.at[line->tokens[i + 1].span.start] == ';') &&
           IS_ONE_OF(token_text(line, i), labels);
}

// "2." or "2.1." at the head of a sentence, also "Q." and "A.".
static bool is_list_number(const struct line *line, size_t mark)
{
    if (mark != line->sentence + 1) {
        return false;
    }
    const struct token *number = &line->tokens[line->sentence];
    return number->kind == TOKEN_NUMBER && number->letters == CASE_NONE &&
           number->span.end - number->span.start <= 6;
}

// "am 6. Mai": a German ordinal.
static bool is_ordinal(const struct line *line, size_t mark, size_t next)
{
    const struct token *number = &line->tokens[mark - (mark > line->first)];
    return number->kind == TOKEN_NUMBER && number->span.end - number->span.start <= 2 &&
           segment_is_after_ordinal(token_text(line, next));
}

// `"Are you well?" Smith asked.` goes on after the question.
static bool is_attributed(const struct line *line, size_t mark, size_t tail, size_t next)
{
    if (tail == mark + 1 || tail != next || line->text.at[line->tokens[mark].span.start] == '.') {
        return false;
    }
    for (size_t i = next; i < line->end && i < next + ATTRIBUTION_LIMIT; i++) {
        if (segment_is_saying(token_text(line, i))) {
            return true;
        }
        if (line->tokens[i].letters != CASE_CAPITAL) {
            return false;
        }
    }
    return false;
}

// Whether the period inside the word at `i` may end the sentence before the word at `next`.
static bool abbreviation_ends(const struct line *line, size_t i, size_t next)
{
    struct view word = token_text(line, next);
    bool first_word = segment_is_first_word(word);
    switch (segment_abbreviation(token_text(line, i))) {
    case ABBREVIATION_TITLE:
    case ABBREVIATION_NUMBERED:
        return false;
    case ABBREVIATION_COMPANY:
    case ABBREVIATION_HOUR:
        return line->tokens[next].letters != CASE_NONE && !segment_is_follower(word);
    case ABBREVIATION_INITIAL:
        if (i == line->sentence) {
            return false;
        }
        return first_word || (line->text.at[line->tokens[i].span.start] == 'I' &&
                              line->tokens[i - 1].letters == CASE_LOWER);
    default:
        return first_word;
    }
}

// "fell.The": a full stop whose space was lost.
static bool is_glued(const struct line *line, size_t mark, size_t next)
{
    return mark > line->first && next == mark + 1 && line->tokens[mark - 1].letters == CASE_LOWER &&
           line->tokens[mark - 1].kind == TOKEN_WORD &&
           line->tokens[next].letters == CASE_CAPITAL &&
           segment_is_first_word(token_text(line, next));
}

// Whether the mark (or the word with its own period) at `i` ends a sentence; `tail` is behind what clings to it.
static bool ends_sentence(const struct line *line, size_t i, size_t tail)
{
    bool inside_word = line->tokens[i].kind == TOKEN_WORD;
    size_t next = skip_openers(line, tail);
    if (tail >= line->end) {
        return true;
    }
    if (is_stop_without_space(line, i)) {
        return true;
    }
    if (!line->tokens[tail].space_before) {
        return !inside_word && is_glued(line, i, tail);
    }
    if (next >= line->end || is_final_mark(line, next)) {
        return false;
    }
    const struct token *word = &line->tokens[next];
    if (word->kind == TOKEN_PUNCTUATION ||
        (word->kind == TOKEN_WORD && word->letters == CASE_LOWER)) {
        return false;
    }
    if (inside_word) {
        return abbreviation_ends(line, i, next);
    }
    return !is_list_number(line, i) && !is_ordinal(line, i, next) &&
           !is_attributed(line, i, tail, next);
}

// Numbers of a list inside one line: "1. Hello 2. Hello", "a) one b) two".
static bool is_next_item(const struct line *line, size_t i)
{
    if (i + 2 >= line->end || i < line->sentence + 3 || line->tokens[i + 1].space_before ||
        line->tokens[i + 1].kind != TOKEN_PUNCTUATION) {
        return false;
    }
    struct view head = token_text(line, line->sentence);
    struct view item = token_text(line, i);
    struct view head_mark = token_text(line, line->sentence + 1);
    uint64_t before, now;
    if (!view_equal(head_mark, token_text(line, i + 1)) || !line->tokens[i + 2].space_before) {
        return false;
    }
    if (view_equal(head_mark, VIEW(".")) && view_parse_u64(head, &before) &&
        view_parse_u64(item, &now)) {
        return now == before + 1 && line->tokens[i + 2].letters != CASE_LOWER;
    }
    return view_equal(head_mark, VIEW(")")) && head.len == 1 && item.len == 1 &&
           item.at[0] == head.at[0] + 1;
}

static void add_sentence(struct segments *segments, struct arena *arena, struct line *line,
                         size_t end)
{
    struct token *tokens = line->tokens;
    if (end <= line->sentence) {
        return;
    }
    tokens[line->sentence].starts_sentence = true;
    vec_push(arena, &segments->sentences,
             ((struct span){tokens[line->sentence].span.start, tokens[end - 1].span.end}));
    line->sentence = end;
}

static bool has_own_period(const struct line *line, size_t i)
{
    struct span span = line->tokens[i].span;
    return line->tokens[i].kind == TOKEN_WORD && line->text.at[span.end - 1] == '.';
}

static void cut_sentences(struct segments *segments, struct arena *arena, struct line line)
{
    for (size_t i = line.first; i < line.end;) {
        bool word = line.tokens[i].kind != TOKEN_PUNCTUATION;
        if (word && (is_credit(&line, i) || is_next_item(&line, i))) {
            add_sentence(segments, arena, &line, i);
        }
        if (word ? !has_own_period(&line, i) : !is_final_mark(&line, i)) {
            i++;
            continue;
        }
        size_t tail = skip_tail(&line, i + 1);
        if (!is_bracketed(&line, i) && ends_sentence(&line, i, tail)) {
            add_sentence(segments, arena, &line, tail);
        }
        i = tail;
    }
    add_sentence(segments, arena, &line, line.end);
}

// End of the line that begins at `at`: \n, \r, or the two separators of Unicode.
static size_t line_end(struct view text, size_t at)
{
    const char *newline = memchr(text.at + at, '\n', text.len - at);
    return newline ? (size_t)(newline - text.at) : text.len;
}

static void note_first_tokens(struct segments *segments, struct arena *arena)
{
    size_t count = segments->sentences.len;
    uint32_t *first = arena_alloc(arena, (count + 1) * sizeof *first);
    size_t sentence = 0;
    if (!first) {
        segments->sentences.len = 0;
        return;
    }
    for (size_t i = 0; i < segments->tokens.len && sentence < count; i++) {
        if (segments->tokens.at[i].starts_sentence) {
            first[sentence++] = (uint32_t)i;
        }
    }
    first[count] = (uint32_t)segments->tokens.len;
    segments->first_token = first;
}

void segment_text(struct segments *segments, struct arena *arena, struct view text)
{
    struct tokens *tokens = &segments->tokens;
    segments->made = true;
    vec_reserve(arena, (void **)&tokens->at, &tokens->cap, text.len / BYTES_PER_TOKEN + 8,
                sizeof *tokens->at);
    bool room = true;
    for (size_t at = 0; room && at < text.len;) {
        size_t first = tokens->len;
        size_t end = line_end(text, at);
        room = segment_tokens_add(tokens, arena, text, at, end);
        if (tokens->len > first) {
            struct span paragraph = {tokens->at[first].span.start,
                                     tokens->at[tokens->len - 1].span.end};
            vec_push(arena, &segments->paragraphs, paragraph);
            cut_sentences(segments, arena,
                          (struct line){text, tokens->at, first, tokens->len, first});
        }
        at = end + 1;
    }
    note_first_tokens(segments, arena);
}
