#include "services/dates/scan.h"

#include "common/calendar.h"

enum char_kind { CHAR_MARK, CHAR_SPACE, CHAR_LINE, CHAR_DIGIT, CHAR_LETTER, CHAR_HIGH };

struct scanner {
    struct pieces *out;
    struct arena *arena;
    const struct lexicon *lexicon;
    struct view text;
};

static enum char_kind kind_of(char c)
{
    unsigned char byte = (unsigned char)c;
    if ((byte | 32) >= 'a' && (byte | 32) <= 'z') {
        return CHAR_LETTER;
    }
    if (byte >= 0x80) {
        return CHAR_HIGH;
    }
    if (byte >= '0' && byte <= '9') {
        return CHAR_DIGIT;
    }
    return byte == '\n' ? CHAR_LINE : byte <= ' ' ? CHAR_SPACE : CHAR_MARK;
}

static bool is_digit_at(struct view text, size_t at)
{
    return at < text.len && text.at[at] >= '0' && text.at[at] <= '9';
}

// Length of a punctuation sequence outside ASCII: U+00A0..BF and U+2000..206F are no letters. 0 when it is one.
static size_t high_mark(struct view text, size_t at)
{
    unsigned char first = (unsigned char)text.at[at];
    if (first == 0xc2 && at + 1 < text.len) {
        return 2;
    }
    bool general =
        first == 0xe2 && at + 2 < text.len &&
        ((unsigned char)text.at[at + 1] == 0x80 || (unsigned char)text.at[at + 1] == 0x81);
    return general ? 3 : 0;
}

static bool is_wordy(struct view text, size_t at)
{
    enum char_kind kind = kind_of(text.at[at]);
    return kind == CHAR_LETTER || kind == CHAR_DIGIT ||
           (kind == CHAR_HIGH && high_mark(text, at) == 0);
}

// The word that two letters with stops stand for; empty when there is none.
static const char *dotted_name(char first, char second)
{
    static const char *const names[] = {"am", "pm", "bc", "ad"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if ((first | 32) == names[i][0] && (second | 32) == names[i][1]) {
            return names[i];
        }
    }
    return "";
}

// a.m., p.m., B.C. and A.D. with their stops, and any word that may take one.
static size_t with_dots(struct view text, size_t start, size_t end, bool takes_dot)
{
    bool half_day = end == start + 1 && end + 1 < text.len && text.at[end] == '.' &&
                    *dotted_name(text.at[start], text.at[end + 1]) &&
                    (end + 2 == text.len || !is_wordy(text, end + 2));
    if (half_day) {
        return end + 2 < text.len && text.at[end + 2] == '.' ? end + 3 : end + 2;
    }
    return takes_dot && end < text.len && text.at[end] == '.' ? end + 1 : end;
}

// The end of the word at `at`, or the 's after one.
static size_t phrase_word_end(struct view text, size_t at)
{
    size_t end = at;
    while (end < text.len && is_wordy(text, end)) {
        end++;
    }
    return end;
}

// The longest phrase of the lexicon that begins with the word [start, end), words joined by single spaces and 's
// written with a plain apostrophe. Gives the phrase's end and entry, or the word's own.
static size_t scan_phrase(const struct scanner *scanner, size_t start, size_t end, uint16_t *entry)
{
    struct view text = scanner->text;
    char phrase[LEXICON_WORD_LIMIT + 1];
    size_t len = 0;
    size_t best = end;
    size_t from = start;
    size_t to = end;
    for (;;) {
        if (len + (to - from) > LEXICON_WORD_LIMIT || to == from) {
            return best;
        }
        memcpy(phrase + len, text.at + from, to - from);
        len += to - from;
        uint16_t found = lexicon_find(scanner->lexicon, (struct view){phrase, len});
        if (found && to > end) {
            *entry = found;
            best = to;
        }
        struct view rest = view_slice(text, to, text.len);
        bool curly = view_starts(rest, VIEW("\xe2\x80\x99"));
        from = to + (curly ? 3 : 1);
        if (rest.len == 0 || from >= text.len || len == LEXICON_WORD_LIMIT ||
            (!curly && text.at[to] != ' ' && text.at[to] != '\'' && text.at[to] != '-')) {
            return best;
        }
        phrase[len++] = curly ? '\'' : text.at[to];
        to = phrase_word_end(text, from);
    }
}

static size_t scan_word(struct scanner *scanner, size_t start, struct piece *piece)
{
    struct view text = scanner->text;
    size_t end = start;
    size_t capitals = 0;
    while (end < text.len && (kind_of(text.at[end]) == CHAR_LETTER || is_wordy(text, end))) {
        capitals += text.at[end] >= 'A' && text.at[end] <= 'Z';
        end++;
    }
    piece->kind = PIECE_WORD;
    piece->capital = text.at[start] >= 'A' && text.at[start] <= 'Z';
    piece->upper = capitals > 1 && capitals == end - start;
    piece->entry = lexicon_find(scanner->lexicon, view_slice(text, start, end));
    if (scanner->lexicon->entries[piece->entry].begins_phrase) {
        end = scan_phrase(scanner, start, end, &piece->entry);
    }
    size_t dotted = with_dots(text, start, end, scanner->lexicon->entries[piece->entry].takes_dot);
    if (dotted > end + 1) {
        piece->entry =
            lexicon_find(scanner->lexicon, view_of(dotted_name(text.at[start], text.at[end + 1])));
    }
    return dotted;
}

// Digits joined by single . , : / and, when the front is a year, by hyphens as in 2020-08-19.
static size_t number_end(struct view text, size_t start)
{
    size_t end = start;
    while (is_digit_at(text, end)) {
        end++;
    }
    bool year = end - start == 4;
    while (end + 1 < text.len && is_digit_at(text, end + 1)) {
        char mark = text.at[end];
        bool iso = mark == '-' && year && is_digit_at(text, end + 2) &&
                   (end + 3 >= text.len || !is_digit_at(text, end + 3));
        if (!iso && (mark == '-' || !strchr(".,:/", mark))) {
            break;
        }
        end++;
        while (is_digit_at(text, end)) {
            end++;
        }
    }
    return end;
}

// The T07:05:30Z of an ISO instant.
static size_t instant_end(struct view text, size_t start, size_t end)
{
    if (end - start != 10 || end >= text.len || (text.at[end] | 32) != 't' ||
        !is_digit_at(text, end + 1)) {
        return end;
    }
    size_t at = end + 1;
    while (at < text.len && (is_digit_at(text, at) || strchr(":.+-Zz", text.at[at]))) {
        at++;
    }
    struct instant instant;
    while (at > end + 1 && !calendar_parse(view_slice(text, start, at), &instant)) {
        at--;
    }
    return at > end + 1 ? at : end;
}

// Endings that belong to the number: 1st 2nd 3rd 4th, 1990s.
static size_t suffix_end(struct view text, size_t end)
{
    static const char *const suffixes[] = {"st", "nd", "rd", "th", "s"};
    for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
        struct view suffix = view_of(suffixes[i]);
        size_t after = end + suffix.len;
        if (view_starts_nocase(view_slice(text, end, text.len), suffix) &&
            (after == text.len || !is_wordy(text, after))) {
            return after;
        }
    }
    return end;
}

static size_t scan_digits(struct scanner *scanner, size_t start, struct piece *piece)
{
    size_t end = number_end(scanner->text, start);
    piece->kind = PIECE_NUMBER;
    size_t longer = instant_end(scanner->text, start, end);
    return longer > end ? longer : suffix_end(scanner->text, end);
}

// '90s and '98: an apostrophe that touches two digits.
static bool is_short_year(struct view text, size_t at, size_t mark_len)
{
    size_t digits = at + mark_len;
    return is_digit_at(text, digits) && is_digit_at(text, digits + 1) &&
           !is_digit_at(text, digits + 2);
}

static size_t scan_mark(struct scanner *scanner, size_t start, struct piece *piece)
{
    struct view text = scanner->text;
    bool high = kind_of(text.at[start]) == CHAR_HIGH;
    size_t len = high ? high_mark(text, start) : 1;
    struct view mark = view_slice(text, start, start + len);
    bool apostrophe = view_equal(mark, VIEW("'")) || view_equal(mark, VIEW("\xe2\x80\x99")) ||
                      view_equal(mark, VIEW("\xe2\x80\x98"));
    piece->kind = PIECE_MARK;
    if (apostrophe && (start == 0 || !is_wordy(text, start - 1)) &&
        is_short_year(text, start, len)) {
        piece->kind = PIECE_NUMBER;
        return suffix_end(text, start + len + 2);
    }
    if (apostrophe) {
        bool with_s = start + len < text.len && (text.at[start + len] | 32) == 's' &&
                      (start + len + 1 == text.len || !is_wordy(text, start + len + 1));
        piece->entry = lexicon_find(scanner->lexicon, VIEW("'s"));
        return start + len + with_s;
    }
    bool dash = view_equal(mark, VIEW("\xe2\x80\x93")) || view_equal(mark, VIEW("\xe2\x80\x91")) ||
                view_equal(mark, VIEW("\xe2\x80\x90"));
    piece->entry = lexicon_find(scanner->lexicon, dash ? VIEW("-") : mark);
    return start + len;
}

void scan_text(struct pieces *out, struct arena *arena, const struct lexicon *lexicon,
               struct view text)
{
    struct scanner scanner = {out, arena, lexicon, text};
    struct piece piece = {0};
    size_t at = 0;
    while (at < text.len) {
        size_t start = at;
        enum char_kind kind = kind_of(text.at[at]);
        bool hard_space = view_starts(view_slice(text, at, text.len), VIEW("\xc2\xa0"));
        if (kind == CHAR_SPACE || kind == CHAR_LINE || hard_space) {
            piece.spaced = true;
            piece.lined |= kind == CHAR_LINE;
            at += hard_space ? 2 : 1;
            continue;
        }
        if (kind == CHAR_DIGIT) {
            at = scan_digits(&scanner, at, &piece);
        } else if (is_wordy(text, at)) {
            at = scan_word(&scanner, at, &piece);
        } else {
            at = scan_mark(&scanner, at, &piece);
        }
        piece.start = (uint32_t)start;
        piece.end = (uint32_t)at;
        if (!vec_push(arena, out, piece)) {
            return;
        }
        piece = (struct piece){0};
    }
}

// ---- what a number can mean ----

// The groups of digits in a number and the marks between them.
struct groups {
    int32_t value[7];
    uint8_t digits[7];
    char mark[7]; // after the group
    size_t count;
    struct view rest; // behind the last group
};

static void split_groups(struct view number, struct groups *groups)
{
    size_t at = 0;
    *groups = (struct groups){0};
    while (groups->count < 7 && is_digit_at(number, at)) {
        size_t n = groups->count++;
        while (is_digit_at(number, at)) {
            int64_t value = (int64_t)groups->value[n] * 10 + (number.at[at] - '0');
            groups->value[n] = value > 9999999 ? 9999999 : (int32_t)value;
            groups->digits[n] = (uint8_t)(groups->digits[n] < 99 ? groups->digits[n] + 1 : 99);
            at++;
        }
        if (at + 1 < number.len && is_digit_at(number, at + 1)) {
            groups->mark[n] = number.at[at];
            at++;
        }
    }
    groups->rest = view_slice(number, at, number.len);
}

static size_t add(struct sense *senses, size_t count, enum word_class class, int32_t value)
{
    senses[count] = (struct sense){(uint8_t) class, value};
    return count + 1;
}

static int32_t full_year(int32_t year, uint8_t digits)
{
    return digits == 2 ? year + (year < 50 ? 2000 : 1900) : year;
}

static size_t date_sense(int32_t year, int32_t month, int32_t day, struct sense *senses)
{
    struct civil date = {year, month, day};
    return calendar_is_valid(date) ? add(senses, 0, CLASS_NUMERIC, year * 10000 + month * 100 + day)
                                   : 0;
}

// Three groups: 2020-08-19, 19.08.2020, 8/19/2020, and the clock 7:56:30.
static size_t three_groups(const struct groups *g, bool day_first, struct sense *senses)
{
    char mark = g->mark[0];
    if (mark != g->mark[1]) {
        return 0;
    }
    if (mark == ':') {
        if (g->value[0] > 24 || g->value[1] > 59 || g->value[2] > 60) {
            return 0;
        }
        size_t count = add(senses, 0, CLASS_CLOCK, g->value[0] * 60 + g->value[1]);
        senses[0].value += (g->value[2] + 1) << 12;
        return count;
    }
    if (g->digits[0] == 4 && mark != ',') {
        return date_sense(g->value[0], g->value[1], g->value[2], senses);
    }
    if (mark == ',' || (g->digits[2] != 4 && g->digits[2] != 2) || g->digits[0] > 2 ||
        g->digits[1] > 2) {
        return 0;
    }
    bool swap = mark == '.' || day_first ? g->value[1] <= 12 : g->value[0] > 12;
    return date_sense(full_year(g->value[2], g->digits[2]), g->value[swap ? 1 : 0],
                      g->value[swap ? 0 : 1], senses);
}

static bool is_clock(const struct groups *g)
{
    return g->digits[0] <= 2 && g->value[0] <= 24 && g->digits[1] == 2 && g->value[1] <= 59 &&
           (g->value[0] < 24 || g->value[1] == 0);
}

// 1/2 and the like; and 9/11, which the news writes for one day only.
static size_t slashed(const struct groups *g, struct sense *senses)
{
    if (g->value[0] == 9 && g->value[1] == 11) {
        return date_sense(2001, 9, 11, senses);
    }
    bool fraction = g->value[0] < g->value[1] && (g->value[1] == 2 || g->value[1] == 4);
    return fraction ? add(senses, 0, CLASS_NUM, g->value[0] * 100 / g->value[1]) : 0;
}

// 2014-10 is a month, but 2006-07 and 1990-91 are seasons that begin in a year.
static size_t hyphened(const struct groups *g, struct sense *senses)
{
    bool season = g->value[1] == (g->value[0] + 1) % 100 || g->value[1] > 12;
    if (g->value[0] < 1500 || g->value[0] > 2100) {
        return 0;
    }
    if (season || g->value[1] == 0) {
        return add(senses, 0, CLASS_YEAR, g->value[0]);
    }
    return add(senses, 0, CLASS_NUMERIC, g->value[0] * 10000 + g->value[1] * 100);
}

// Two groups: 10:35, 3.5, 5,000, 2014-10.
static size_t two_groups(const struct groups *g, struct sense *senses)
{
    switch (g->mark[0]) {
    case ':':
        return is_clock(g) ? add(senses, 0, CLASS_CLOCK, g->value[0] * 60 + g->value[1]) : 0;
    case '-':
        return hyphened(g, senses);
    case ',':
        return g->digits[1] == 3 && g->value[0] < 100
                   ? add(senses, 0, CLASS_NUM, (g->value[0] * 1000 + g->value[1]) * 100)
                   : 0;
    case '.': {
        if (g->digits[1] > 2 || g->value[0] > 9999) {
            return 0;
        }
        int32_t part = g->digits[1] == 1 ? g->value[1] * 10 : g->value[1];
        return add(senses, 0, CLASS_NUM, g->value[0] * 100 + part);
    }
    case '/':
        return slashed(g, senses);
    default:
        return 0;
    }
}

static size_t decade_sense(const struct groups *g, struct sense *senses)
{
    if (g->value[0] % 10 != 0 || (g->digits[0] != 4 && g->digits[0] != 2)) {
        return 0;
    }
    int32_t decade = g->value[0] / 10 + (g->digits[0] == 2 ? 190 : 0);
    return add(senses, 0, CLASS_DECADE, decade);
}

static size_t one_group(const struct groups *g, struct sense *senses)
{
    int32_t value = g->value[0];
    size_t count = 0;
    if (g->rest.len == 1) {
        return decade_sense(g, senses);
    }
    bool ordinal = g->rest.len == 2;
    if (value >= 1 && value <= 31 && g->digits[0] <= 2) {
        count = add(senses, count, CLASS_DAY, value);
    }
    if (ordinal) {
        return value >= 1 && value <= 99 ? add(senses, count, CLASS_ORD, value) : 0;
    }
    if (g->digits[0] == 4 && value >= 1000 && value < 2200) {
        count = add(senses, count, CLASS_YEAR, value);
    }
    return value < 100000 ? add(senses, count, CLASS_NUM, value * 100) : count;
}

size_t scan_number(struct view number, bool day_first, struct sense senses[SENSE_LIMIT])
{
    struct groups groups;
    struct instant instant;
    if (number.len > 10 && calendar_parse(number, &instant)) {
        size_t count = date_sense(instant.date.year, instant.date.month, instant.date.day, senses);
        return add(senses, count, CLASS_CLOCK, instant.hour * 60 + instant.minute);
    }
    bool apostrophe = number.len > 0 && !is_digit_at(number, 0);
    if (apostrophe) {
        number = view_slice(number, number.at[0] == '\'' ? 1 : 3, number.len);
    }
    split_groups(number, &groups);
    if (apostrophe && groups.rest.len == 0) {
        return add(senses, 0, CLASS_YEAR, full_year(groups.value[0], 2));
    }
    if (groups.count == 3 && groups.rest.len == 0) {
        return three_groups(&groups, day_first, senses);
    }
    if (groups.count == 2 && groups.rest.len == 0) {
        return two_groups(&groups, senses);
    }
    return groups.count == 1 ? one_group(&groups, senses) : 0;
}
