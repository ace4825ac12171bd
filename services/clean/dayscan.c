#include "services/clean/dayscan.h"

enum { WORD_LIMIT = 400 }; // words of a text that are looked at

// Month names by their first letters, lower case; the longest are cut. Languages: en de fr es it pt nl sv da no pl cs fi hu ro tr.
static const struct {
    const char *start;
    uint8_t month;
} months[] = {
    {"jan", 1},       {"jän", 1},     {"ene", 1},   {"gen", 1},    {"sty", 1},    {"led", 1},
    {"tammi", 1},     {"ocak", 1},    {"ian", 1},   {"feb", 2},    {"fév", 2},    {"fev", 2},
    {"lut", 2},       {"ún", 2},      {"helmi", 2}, {"şub", 2},    {"febbr", 2},  {"mar", 3},
    {"mär", 3},       {"maa", 3},     {"břez", 3},  {"már", 3},    {"mrt", 3},    {"apr", 4},
    {"avr", 4},       {"abr", 4},     {"kwi", 4},   {"dub", 4},    {"huhti", 4},  {"nis", 4},
    {"ápr", 4},       {"may", 5},     {"mai", 5},   {"maj", 5},    {"mag", 5},    {"mei", 5},
    {"maio", 5},      {"květ", 5},    {"touko", 5}, {"máj", 5},    {"jun", 6},    {"juin", 6},
    {"giu", 6},       {"cze", 6},     {"červn", 6}, {"červen", 6}, {"kesä", 6},   {"haz", 6},
    {"jún", 6},       {"iun", 6},     {"jul", 7},   {"juil", 7},   {"lug", 7},    {"lip", 7},
    {"červenc", 7},   {"heinä", 7},   {"tem", 7},   {"júl", 7},    {"iul", 7},    {"aug", 8},
    {"aoû", 8},       {"aou", 8},     {"ago", 8},   {"sie", 8},    {"srp", 8},    {"elo", 8},
    {"ağu", 8},       {"sep", 9},     {"set", 9},   {"wrz", 9},    {"září", 9},   {"syys", 9},
    {"eyl", 9},       {"sze", 9},     {"oct", 10},  {"okt", 10},   {"out", 10},   {"ott", 10},
    {"paź", 10},      {"říj", 10},    {"loka", 10}, {"eki", 10},   {"nov", 11},   {"lis", 11},
    {"listopad", 11}, {"marras", 11}, {"kas", 11},  {"noi", 11},   {"dec", 12},   {"dez", 12},
    {"déc", 12},      {"dic", 12},    {"gru", 12},  {"pros", 12},  {"joulu", 12}, {"ara", 12},
    {"des", 12},
};

static const char *const weekdays[] = {
    "mon", "tue", "wed", "thu", "fri", "sat", "sun", "die", "mit", "don", "fre", "sam", "son",
    "lun", "mar", "mer", "jeu", "ven", "dim", "mié", "mie", "jue", "vie", "sáb", "sab", "dom",
    "gio", "seg", "ter", "qua", "qui", "sex", "maa", "din", "woe", "vri", "zat", "zon", "tor",
    "lör", "sön", "tir", "ons", "lør", "søn", "pon", "wto", "śro", "czw", "pią", "sob", "nie",
};

// Words that may stand inside of a date: 3rd of March, 3 de marzo de 2021, den 3. März, at 14:05 Uhr.
static const char *const fillers[] = {
    "of",           "de",           "the",      "den",         "del", "dem", "am",  "at",   "um",
    "uhr",          "on",           "le",       "el",          "a",   "à",   "h",   "am",   "pm",
    "o'clock",      "est",          "edt",      "gmt",         "utc", "bst", "cet", "cest", "pst",
    "pdt",          "et",           "ist",      "il",          "em",  "|",   "-",   "/",    "@",
    "\xe2\x80\x93", "\xe2\x80\x94", "\xc2\xb7", "\xe2\x80\xa2"};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

// `start` is in lower case and not empty.
static bool starts_like(struct view word, const char *start)
{
    return word.len > 0 && lower(word.at[0]) == start[0] &&
           view_starts_nocase(word, view_of(start));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Without commas, full stops and brackets at both ends.
static struct view bare(struct view word)
{
    while (word.len > 0 && strchr(",.;:()[]|", word.at[0])) {
        word = view_slice(word, 1, word.len);
    }
    while (word.len > 0 && strchr(",.;:()[]|", word.at[word.len - 1])) {
        word.len--;
    }
    return word;
}

int dayscan_month(struct view word)
{
    int month = 0;
    size_t best = 0;
    word = bare(word);
    if (word.len < 3 || word.len > 14 || (unsigned char)word.at[0] < 'A') {
        return 0;
    }
    for (size_t i = 0; i < sizeof months / sizeof months[0]; i++) {
        if (starts_like(word, months[i].start) && strlen(months[i].start) > best) {
            best = strlen(months[i].start);
            month = months[i].month;
        }
    }
    return month;
}

bool dayscan_is_day(int year, int month, int day)
{
    static const uint8_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1990 || year > 2099 || month < 1 || month > 12 || day < 1) {
        return false;
    }
    return day <= lengths[month - 1] && !(month == 2 && day == 29 && !leap);
}

static bool is_filler(struct view word)
{
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++) {
        if (starts_like(word, fillers[i]) && word.len == strlen(fillers[i])) {
            return true;
        }
    }
    return false;
}

static bool is_weekday(struct view word)
{
    word = bare(word);
    for (size_t i = 0; word.len >= 2 && word.len <= 14 && i < sizeof weekdays / sizeof weekdays[0];
         i++) {
        if (starts_like(word, weekdays[i]) && dayscan_month(word) == 0) {
            return true;
        }
    }
    return starts_like(word, "mardi") || starts_like(word, "martes") || starts_like(word, "marted");
}

// Reads up to `most` digits at `*at`; -1 when there is none.
static int read_digits(struct view text, size_t *at, int most)
{
    int value = 0, count = 0;
    while (*at < text.len && is_digit(text.at[*at]) && count < most) {
        value = value * 10 + (text.at[(*at)++] - '0');
        count++;
    }
    return count > 0 ? value : -1;
}

// 2020-08-19, 19.08.2020, 19/08/2020, 8/19/2020, 2020/08/19, 19.8.20
static bool read_numeric(struct view word, struct day *day)
{
    size_t at = 0;
    int parts[3];
    char mark = '\0';
    for (int i = 0; i < 3; i++) {
        size_t start = at;
        parts[i] = read_digits(word, &at, 4);
        bool sized = i == 1 ? at - start <= 2 : i == 0 || at - start != 1 || parts[0] > 31;
        if (parts[i] < 0 || !sized) {
            return false;
        }
        if (i < 2) {
            if (at >= word.len || !strchr("-./", word.at[at]) || (mark && word.at[at] != mark)) {
                return false;
            }
            mark = word.at[at++];
        }
    }
    bool ends = at == word.len || !is_digit(word.at[at]);
    int year = parts[2], month = parts[1], date = parts[0];
    if (parts[0] > 31) {
        year = parts[0];
        date = parts[2];
    } else if (year < 100) {
        year += 2000;
        ends = ends && mark == '.';
    }
    if (mark == '/' && parts[0] <= 12 && parts[1] > 12) {
        month = parts[0];
        date = parts[1];
    }
    *day = (struct day){.year = year, .month = month, .day = date, .hour = -1};
    if (at + 5 < word.len && word.at[at] == 'T') {
        at++;
        day->hour = read_digits(word, &at, 2);
        at++;
        day->minute = read_digits(word, &at, 2);
    }
    return ends && dayscan_is_day(year, month, date);
}

// "19", "19.", "19th", "1er"
static int read_day_number(struct view word)
{
    size_t at = 0;
    word = bare(word);
    int value = read_digits(word, &at, 2);
    struct view rest = view_slice(word, at, word.len);
    bool ordinal = rest.len == 0 || view_equal_nocase(rest, VIEW("th")) ||
                   view_equal_nocase(rest, VIEW("st")) || view_equal_nocase(rest, VIEW("nd")) ||
                   view_equal_nocase(rest, VIEW("rd")) || view_equal(rest, VIEW("er")) ||
                   view_equal(rest, VIEW("\xc2\xba"));
    return ordinal && value >= 1 && value <= 31 ? value : 0;
}

static int read_year(struct view word)
{
    size_t at = 0;
    word = bare(word);
    int value = read_digits(word, &at, 4);
    return at == 4 && at == word.len && value >= 1990 && value <= 2099 ? value : 0;
}

static bool read_time(struct view word, struct day *day)
{
    size_t at = 0;
    word = bare(word);
    int hour = read_digits(word, &at, 2);
    if (hour < 0 || hour > 23 || at >= word.len || !strchr(":.hH", word.at[at])) {
        return false;
    }
    at++;
    int minute = read_digits(word, &at, 2);
    struct view rest = view_slice(word, at, word.len);
    bool afternoon = view_starts_nocase(rest, VIEW("pm"));
    if (minute < 0 || minute > 59 || (rest.len > 3)) {
        return false;
    }
    day->hour = afternoon && hour < 12 ? hour + 12 : hour;
    day->minute = minute;
    return true;
}

struct words {
    struct view at[WORD_LIMIT];
    size_t len;
};

static void cut_words(struct view text, struct words *words)
{
    struct view rest = text, word;
    words->len = 0;
    while (words->len < WORD_LIMIT && view_next_word(&rest, &word)) {
        words->at[words->len++] = word;
    }
}

// The next word at or after `i` that is no filler; words->len when there is none near.
static size_t skip_fillers(const struct words *words, size_t i)
{
    for (int steps = 0; steps < 2 && i < words->len && is_filler(bare(words->at[i])); steps++) {
        i++;
    }
    return i;
}

// Tries to read a day that begins at word `i`. Returns how many words it took, 0 for none.
static size_t read_day(const struct words *words, size_t i, struct day *day)
{
    size_t second = skip_fillers(words, i + 1);
    size_t third = second < words->len ? skip_fillers(words, second + 1) : words->len;
    if (read_numeric(bare(words->at[i]), day)) {
        return 1;
    }
    if (second >= words->len) {
        return 0;
    }
    int month = dayscan_month(words->at[i]);
    int number = read_day_number(words->at[i]);
    *day = (struct day){.hour = -1};
    if (month && (day->day = read_day_number(words->at[second])) > 0) {
        day->month = month;
    } else if (number && (day->month = dayscan_month(words->at[second])) > 0) {
        day->day = number;
    } else {
        return 0;
    }
    day->year = third < words->len ? read_year(words->at[third]) : 0;
    if (day->year && !dayscan_is_day(day->year, day->month, day->day)) {
        return 0;
    }
    return (day->year ? third : second) - i + 1;
}

bool dayscan_find(struct view text, struct day *out, size_t *other_words)
{
    struct words words;
    cut_words(text, &words);
    for (size_t i = 0; i < words.len; i++) {
        size_t taken = read_day(&words, i, out);
        if (taken == 0) {
            continue;
        }
        size_t used = taken;
        size_t after = i + taken;
        out->start = (size_t)(words.at[i].at - text.at);
        out->end = (size_t)(words.at[after - 1].at - text.at) + words.at[after - 1].len;
        for (size_t k = after; k < words.len && k < after + 4 && out->hour < 0; k++) {
            if (read_time(words.at[k], out)) {
                used++;
                bool afternoon =
                    k + 1 < words.len && (view_starts_nocase(words.at[k + 1], VIEW("pm")) ||
                                          view_starts_nocase(words.at[k + 1], VIEW("p.m")));
                out->hour = afternoon && out->hour < 12 ? out->hour + 12 : out->hour;
            }
        }
        out->weekday = i > 0 && is_weekday(words.at[i - 1]);
        for (size_t k = 0; k < words.len; k++) {
            bool inside = k >= i && k < after;
            used += !inside && (is_filler(bare(words.at[k])) || bare(words.at[k]).len == 0 ||
                                (k + 3 >= i && k < i && is_weekday(words.at[k])));
        }
        *other_words = words.len > used ? words.len - used : 0;
        return true;
    }
    return false;
}

// dd-mm-yyyy at `i`.
static bool read_day_first(struct view url, size_t i, struct day *out)
{
    size_t at = i;
    int day = read_digits(url, &at, 2);
    char mark = at < url.len ? url.at[at] : '\0';
    if (at != i + 2 || !mark || !strchr("-_.", mark)) {
        return false;
    }
    size_t month_at = ++at;
    int month = read_digits(url, &at, 2);
    if (at != month_at + 2 || at >= url.len || url.at[at] != mark) {
        return false;
    }
    size_t year_at = ++at;
    int year = read_digits(url, &at, 4);
    bool ends = at >= url.len || !is_digit(url.at[at]);
    *out =
        (struct day){.year = year, .month = month, .day = day, .hour = -1, .start = i, .end = at};
    return at == year_at + 4 && ends && dayscan_is_day(year, month, day);
}

bool dayscan_url(struct view url, struct day *out)
{
    for (size_t i = 1; i + 8 <= url.len; i++) {
        size_t at = i;
        if (is_digit(url.at[i - 1]) || !is_digit(url.at[i])) {
            continue;
        }
        if (read_day_first(url, i, out)) {
            return true;
        }
        int year = read_digits(url, &at, 4);
        bool marked = at < url.len && strchr("/-_.", url.at[at]);
        char mark = marked ? url.at[at] : '\0';
        if (at - i != 4) {
            continue;
        }
        at += marked;
        int month = read_digits(url, &at, 2);
        if (marked && (at >= url.len || url.at[at] != mark)) {
            continue;
        }
        at += marked;
        int day = read_digits(url, &at, 2);
        bool ends = at >= url.len || !is_digit(url.at[at]);
        if ((ends || !marked) && dayscan_is_day(year, month, day) && (ends || year >= 2000)) {
            *out = (struct day){
                .year = year, .month = month, .day = day, .hour = -1, .start = i, .end = at};
            if (ends) {
                return true;
            }
        }
    }
    return false;
}
