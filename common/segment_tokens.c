// Lines into tokens: one pass, a table of classes for ASCII, Unicode ranges for the rest.
//
// A word that is followed by a period is looked up once; only then, and for single letters, does the
// period belong to the word. The lists were compiled for copydesk (CC0) from the abbreviations of
// news style: titles and ranks, company forms, months and weekdays, states as newspapers write them.
#include "common/segment_tokens.h"

#include "common/utf8.h"

#include <stdlib.h>

// What a byte may be part of. O: symbols and controls, H: above ASCII, decided by code point.
enum class { O, SPACE, LOWER, UPPER, DIGIT, MARK, HIGH };

// clang-format off
enum { S = SPACE, L = LOWER, U = UPPER, D = DIGIT, M = MARK, H = HIGH };
static const uint8_t classes[256] = {
    O, O, O, O, O, O, O, O, O, S, S, S, S, S, O, O,
    O, O, O, O, O, O, O, O, O, O, O, O, O, O, O, O,
    S, M, M, O, O, O, O, M, M, M, O, O, M, M, M, M,
    D, D, D, D, D, D, D, D, D, D, M, M, O, O, O, M,
    O, U, U, U, U, U, U, U, U, U, U, U, U, U, U, U,
    U, U, U, U, U, U, U, U, U, U, U, M, O, M, O, O,
    M, L, L, L, L, L, L, L, L, L, L, L, L, L, L, L,
    L, L, L, L, L, L, L, L, L, L, L, M, O, M, O, O,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
    H, H, H, H, H, H, H, H, H, H, H, H, H, H, H, H,
};
// clang-format on

struct word_class {
    const char *word;
    enum abbreviation kind;
};
// Sorted by bytes. Case counts: "Miss." is a state, "miss." ends a sentence.
static const struct word_class abbreviations[] = {
    {"Adm", ABBREVIATION_TITLE},     {"Ala", ABBREVIATION_NAME},
    {"Ald", ABBREVIATION_TITLE},     {"Amb", ABBREVIATION_TITLE},
    {"Apr", ABBREVIATION_NAME},      {"Ariz", ABBREVIATION_NAME},
    {"Ark", ABBREVIATION_NAME},      {"Art", ABBREVIATION_NUMBERED},
    {"Assn", ABBREVIATION_COMPANY},  {"Assoc", ABBREVIATION_TITLE},
    {"Asst", ABBREVIATION_TITLE},    {"Atty", ABBREVIATION_TITLE},
    {"Aug", ABBREVIATION_NAME},      {"Ave", ABBREVIATION_NAME},
    {"Bldg", ABBREVIATION_NAME},     {"Blvd", ABBREVIATION_NAME},
    {"Brig", ABBREVIATION_TITLE},    {"Bros", ABBREVIATION_COMPANY},
    {"Cal", ABBREVIATION_STATE},     {"Calif", ABBREVIATION_NAME},
    {"Capt", ABBREVIATION_TITLE},    {"Capts", ABBREVIATION_TITLE},
    {"Cdr", ABBREVIATION_TITLE},     {"Ch", ABBREVIATION_NUMBERED},
    {"Chap", ABBREVIATION_NUMBERED}, {"Cmdr", ABBREVIATION_TITLE},
    {"Co", ABBREVIATION_COMPANY},    {"Col", ABBREVIATION_TITLE},
    {"Colo", ABBREVIATION_NAME},     {"Cols", ABBREVIATION_TITLE},
    {"Conn", ABBREVIATION_NAME},     {"Const", ABBREVIATION_TITLE},
    {"Corp", ABBREVIATION_COMPANY},  {"Cos", ABBREVIATION_COMPANY},
    {"Cpl", ABBREVIATION_TITLE},     {"Cpls", ABBREVIATION_TITLE},
    {"Cpt", ABBREVIATION_TITLE},     {"Ct", ABBREVIATION_NAME},
    {"Dec", ABBREVIATION_NAME},      {"Del", ABBREVIATION_STATE},
    {"Dep", ABBREVIATION_TITLE},     {"Dept", ABBREVIATION_NAME},
    {"Det", ABBREVIATION_TITLE},     {"Dist", ABBREVIATION_NAME},
    {"Dr", ABBREVIATION_TITLE},      {"Drs", ABBREVIATION_TITLE},
    {"Ens", ABBREVIATION_TITLE},     {"Eq", ABBREVIATION_NUMBERED},
    {"Esq", ABBREVIATION_COMPANY},   {"Est", ABBREVIATION_NAME},
    {"Ex", ABBREVIATION_NUMBERED},   {"Feb", ABBREVIATION_NAME},
    {"Fig", ABBREVIATION_NUMBERED},  {"Figs", ABBREVIATION_NUMBERED},
    {"Fla", ABBREVIATION_NAME},      {"Fr", ABBREVIATION_TITLE},
    {"Fri", ABBREVIATION_NAME},      {"Ft", ABBREVIATION_TITLE},
    {"Ga", ABBREVIATION_NAME},       {"Gen", ABBREVIATION_TITLE},
    {"Gens", ABBREVIATION_TITLE},    {"Gov", ABBREVIATION_TITLE},
    {"Gov't", ABBREVIATION_NAME},    {"Govs", ABBREVIATION_TITLE},
    {"Hon", ABBREVIATION_TITLE},     {"Hwy", ABBREVIATION_NAME},
    {"Ill", ABBREVIATION_STATE},     {"Inc", ABBREVIATION_COMPANY},
    {"Ind", ABBREVIATION_STATE},     {"Insp", ABBREVIATION_TITLE},
    {"Int'l", ABBREVIATION_NAME},    {"Intl", ABBREVIATION_NAME},
    {"Jan", ABBREVIATION_NAME},      {"Jr", ABBREVIATION_COMPANY},
    {"Jul", ABBREVIATION_NUMBERED},  {"Jun", ABBREVIATION_NUMBERED},
    {"Kan", ABBREVIATION_NAME},      {"Ky", ABBREVIATION_NAME},
    {"LLC", ABBREVIATION_COMPANY},   {"LLP", ABBREVIATION_COMPANY},
    {"La", ABBREVIATION_STATE},      {"Lt", ABBREVIATION_TITLE},
    {"Ltd", ABBREVIATION_COMPANY},   {"Lts", ABBREVIATION_TITLE},
    {"Maj", ABBREVIATION_TITLE},     {"Majs", ABBREVIATION_TITLE},
    {"Mar", ABBREVIATION_NUMBERED},  {"Mass", ABBREVIATION_STATE},
    {"Md", ABBREVIATION_NAME},       {"Me", ABBREVIATION_STATE},
    {"Messrs", ABBREVIATION_TITLE},  {"Mfg", ABBREVIATION_COMPANY},
    {"Mgr", ABBREVIATION_TITLE},     {"Mich", ABBREVIATION_NAME},
    {"Minn", ABBREVIATION_NAME},     {"Miss", ABBREVIATION_STATE},
    {"Mlle", ABBREVIATION_TITLE},    {"Mme", ABBREVIATION_TITLE},
    {"Mo", ABBREVIATION_STATE},      {"Mon", ABBREVIATION_NAME},
    {"Mont", ABBREVIATION_NAME},     {"Mr", ABBREVIATION_TITLE},
    {"Mrs", ABBREVIATION_TITLE},     {"Ms", ABBREVIATION_TITLE},
    {"Msgr", ABBREVIATION_TITLE},    {"Mt", ABBREVIATION_TITLE},
    {"Mts", ABBREVIATION_NAME},      {"Mx", ABBREVIATION_TITLE},
    {"Nat'l", ABBREVIATION_NAME},    {"Natl", ABBREVIATION_NAME},
    {"Neb", ABBREVIATION_NAME},      {"Nev", ABBREVIATION_NAME},
    {"No", ABBREVIATION_NUMBERED},   {"Nos", ABBREVIATION_NUMBERED},
    {"Nov", ABBREVIATION_NAME},      {"Oct", ABBREVIATION_NAME},
    {"Okla", ABBREVIATION_NAME},     {"Ont", ABBREVIATION_NAME},
    {"Op", ABBREVIATION_NUMBERED},   {"Ore", ABBREVIATION_STATE},
    {"Pa", ABBREVIATION_STATE},      {"Para", ABBREVIATION_NUMBERED},
    {"Penn", ABBREVIATION_NAME},     {"Pfc", ABBREVIATION_TITLE},
    {"Ph", ABBREVIATION_NAME},       {"Pl", ABBREVIATION_NAME},
    {"Plc", ABBREVIATION_COMPANY},   {"Pres", ABBREVIATION_TITLE},
    {"Prof", ABBREVIATION_TITLE},    {"Profs", ABBREVIATION_TITLE},
    {"Pt", ABBREVIATION_NUMBERED},   {"Pte", ABBREVIATION_TITLE},
    {"Pty", ABBREVIATION_NAME},      {"Pvt", ABBREVIATION_TITLE},
    {"Que", ABBREVIATION_NAME},      {"Rd", ABBREVIATION_NAME},
    {"Rep", ABBREVIATION_TITLE},     {"Reps", ABBREVIATION_TITLE},
    {"Rev", ABBREVIATION_TITLE},     {"Revs", ABBREVIATION_TITLE},
    {"Sat", ABBREVIATION_NUMBERED},  {"Sec", ABBREVIATION_NUMBERED},
    {"Sec-Gen", ABBREVIATION_TITLE}, {"Sen", ABBREVIATION_TITLE},
    {"Sens", ABBREVIATION_TITLE},    {"Sep", ABBREVIATION_NAME},
    {"Sept", ABBREVIATION_NAME},     {"Sgt", ABBREVIATION_TITLE},
    {"Sgts", ABBREVIATION_TITLE},    {"Spc", ABBREVIATION_TITLE},
    {"Spec", ABBREVIATION_TITLE},    {"Sq", ABBREVIATION_NAME},
    {"Sr", ABBREVIATION_COMPANY},    {"St", ABBREVIATION_NAME},
    {"Sta", ABBREVIATION_TITLE},     {"Ste", ABBREVIATION_TITLE},
    {"Sun", ABBREVIATION_NUMBERED},  {"Supt", ABBREVIATION_TITLE},
    {"Tenn", ABBREVIATION_NAME},     {"Tex", ABBREVIATION_NAME},
    {"Thu", ABBREVIATION_NAME},      {"Thur", ABBREVIATION_NAME},
    {"Thurs", ABBREVIATION_NAME},    {"Treas", ABBREVIATION_TITLE},
    {"Tue", ABBREVIATION_NAME},      {"Tues", ABBREVIATION_NAME},
    {"Univ", ABBREVIATION_NAME},     {"Va", ABBREVIATION_NAME},
    {"Vol", ABBREVIATION_NUMBERED},  {"Vt", ABBREVIATION_NAME},
    {"Wash", ABBREVIATION_STATE},    {"Wed", ABBREVIATION_NAME},
    {"Wis", ABBREVIATION_NAME},      {"Wyo", ABBREVIATION_NAME},
    {"al", ABBREVIATION_TITLE},      {"approx", ABBREVIATION_TITLE},
    {"art", ABBREVIATION_NUMBERED},  {"c", ABBREVIATION_TITLE},
    {"ca", ABBREVIATION_TITLE},      {"cf", ABBREVIATION_TITLE},
    {"ch", ABBREVIATION_NUMBERED},   {"dept", ABBREVIATION_NAME},
    {"ed", ABBREVIATION_NAME},       {"eds", ABBREVIATION_NAME},
    {"eg", ABBREVIATION_TITLE},      {"est", ABBREVIATION_NAME},
    {"etc", ABBREVIATION_COMPANY},   {"ext", ABBREVIATION_NUMBERED},
    {"fig", ABBREVIATION_NUMBERED},  {"figs", ABBREVIATION_NUMBERED},
    {"ie", ABBREVIATION_TITLE},      {"mph", ABBREVIATION_NAME},
    {"no", ABBREVIATION_NUMBERED},   {"nos", ABBREVIATION_NUMBERED},
    {"op", ABBREVIATION_NUMBERED},   {"p", ABBREVIATION_NUMBERED},
    {"para", ABBREVIATION_NUMBERED}, {"plc", ABBREVIATION_COMPANY},
    {"pp", ABBREVIATION_NUMBERED},   {"pt", ABBREVIATION_NUMBERED},
    {"sec", ABBREVIATION_NUMBERED},  {"trans", ABBREVIATION_NAME},
    {"v", ABBREVIATION_TITLE},       {"viz", ABBREVIATION_TITLE},
    {"vol", ABBREVIATION_NUMBERED},  {"vs", ABBREVIATION_TITLE},
};

// Articles, pronouns, prepositions and connectives that begin sentences, and quantities.
static const char *const first_words[] = {
    "A",         "About",    "According", "After",        "All",
    "Also",      "Although", "Among",     "An",           "Analysts",
    "And",       "Another",  "Any",       "Anyone",       "Are",
    "As",        "At",       "Because",   "Before",       "Both",
    "But",       "By",       "Can",       "Could",        "Critics",
    "Despite",   "Did",      "Do",        "Does",         "Dozens",
    "During",    "Each",     "Earlier",   "Either",       "Even",
    "Every",     "Everyone", "Few",       "Finally",      "First",
    "For",       "Former",   "From",      "Further",      "Furthermore",
    "Given",     "Had",      "Has",       "Have",         "Having",
    "He",        "Her",      "Here",      "His",          "How",
    "However",   "Hundreds", "I",         "If",           "In",
    "Indeed",    "Instead",  "Investors", "Is",           "It",
    "Its",       "Last",     "Later",     "Like",         "Many",
    "Meanwhile", "Millions", "More",      "Moreover",     "Most",
    "Much",      "My",       "Neither",   "Nevertheless", "Next",
    "Nobody",    "None",     "Nor",       "Not",          "Nothing",
    "Now",       "Of",       "Officials", "On",           "Once",
    "One",       "Only",     "Or",        "Other",        "Others",
    "Our",       "Out",      "Over",      "People",       "Perhaps",
    "Please",    "Police",   "Several",   "Shares",       "She",
    "Shortly",   "Since",    "So",        "Some",         "Still",
    "Such",      "Thanks",   "That",      "The",          "Their",
    "Them",      "Then",     "There",     "These",        "They",
    "This",      "Those",    "Though",    "Thousands",    "Three",
    "Through",   "Thus",     "To",        "Today",        "Tomorrow",
    "Two",       "Under",    "Unless",    "Unlike",       "Until",
    "Up",        "Was",      "We",        "Were",         "What",
    "When",      "Where",    "Whether",   "Which",        "While",
    "Who",       "Why",      "Will",      "With",         "Within",
    "Without",   "Would",    "Yesterday", "Yet",          "You",
    "Your",
};

// What follows a company or an hour within a sentence: offices, weekdays, months, zones.
static const char *const followers[] = {
    "AEDT",       "AEST",     "April",      "Atlantic", "August",    "BST",     "CEO",
    "CET",        "CFO",      "COO",        "CST",      "CT",        "Central", "Chairman",
    "Chairwoman", "Chief",    "Co-founder", "December", "Director",  "EDT",     "EST",
    "ET",         "Eastern",  "Executive",  "February", "Friday",    "GMT",     "Group",
    "HKT",        "Holdings", "IST",        "JST",      "January",   "July",    "June",
    "MDT",        "MST",      "MT",         "Managing", "March",     "May",     "Monday",
    "Mountain",   "November", "October",    "PDT",      "PST",       "PT",      "Pacific",
    "President",  "SGT",      "Saturday",   "Senior",   "September", "Sunday",  "Thursday",
    "Tuesday",    "UTC",      "Vice",       "WAT",      "Wednesday",
};

// Verbs of saying in news and fiction.
static const char *const sayings[] = {
    "added",    "adds",    "announced", "answered",  "argued",    "argues",   "asked",
    "asks",     "cried",   "declared",  "exclaimed", "explained", "explains", "insisted",
    "joked",    "laughed", "recalled",  "replied",   "replies",   "said",     "say",
    "says",     "shouted", "shouts",    "told",      "tweeted",   "warned",   "whispered",
    "wondered", "wonders", "writes",    "wrote",     "yelled",
};

// German writes ordinals with a period; these follow them. English ones that are spelt alike do no harm.
static const char *const after_ordinals[] = {
    "April",     "August",      "Dezember",     "Etage",     "Februar",  "Geburtstag",
    "Jahrestag", "Jahrhundert", "Jahrhunderts", "Januar",    "Juli",     "Juni",
    "Klasse",    "Lebensjahr",  "Mai",          "Minute",    "März",     "November",
    "Oktober",   "Platz",       "Runde",        "September", "Spieltag", "Stock",
    "Weltkrieg", "Weltkriegs",
};

enum { ABBREVIATION_COUNT = sizeof abbreviations / sizeof abbreviations[0] };
#define COUNT(list) (sizeof(list) / sizeof(list)[0])

// The lists are looked up only at possible ends of sentences, so a binary search is cheap enough.
static bool is_listed(const char *const *list, size_t count, struct view word)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = view_compare(view_of(list[middle]), word);
        if (order == 0) {
            return true;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return false;
}

static enum abbreviation find_abbreviation(struct view word)
{
    size_t low = 0;
    size_t high = ABBREVIATION_COUNT;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = view_compare(view_of(abbreviations[middle].word), word);
        if (order == 0) {
            return abbreviations[middle].kind;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return ABBREVIATION_NONE;
}

bool segment_is_first_word(struct view word)
{
    return is_listed(first_words, COUNT(first_words), word);
}

bool segment_is_follower(struct view word)
{
    return is_listed(followers, COUNT(followers), word);
}

bool segment_is_after_ordinal(struct view word)
{
    return is_listed(after_ordinals, COUNT(after_ordinals), word);
}

bool segment_is_saying(struct view word)
{
    return is_listed(sayings, COUNT(sayings), word);
}

static enum class class_at(struct view text, size_t at) {
    return (enum class)classes[(unsigned char)text.at[at]];
}

static bool is_hour(struct view token)
{
    return view_equal_nocase(token, VIEW("a.m.")) || view_equal_nocase(token, VIEW("p.m."));
}

enum abbreviation segment_abbreviation(struct view token)
{
    if (token.len < 2 || token.at[token.len - 1] != '.') {
        return ABBREVIATION_NONE;
    }
    struct view word = view_slice(token, 0, token.len - 1);
    if (view_equal_nocase(token, VIEW("e.g.")) || view_equal_nocase(token, VIEW("i.e.")) ||
        view_equal(token, VIEW("P.S."))) {
        return ABBREVIATION_TITLE;
    }
    if (is_hour(token)) {
        return ABBREVIATION_HOUR;
    }
    if (memchr(word.at, '.', word.len)) {
        return ABBREVIATION_INITIALS;
    }
    enum abbreviation kind = find_abbreviation(word);
    if (kind == ABBREVIATION_NONE &&
        (word.len == 1 || classes[(unsigned char)word.at[0]] == HIGH)) {
        return ABBREVIATION_INITIAL;
    }
    return kind;
}

// One line being cut.
struct cutter {
    struct view text;
    size_t at, end; // end of the line
    struct tokens *tokens;
    struct arena *arena;
    bool space;
    bool room; // false once the arena is full
};

static void add_token(struct cutter *cutter, size_t end, enum token_kind kind,
                      enum token_case letters)
{
    struct token token = {
        .span = {(uint32_t)cutter->at, (uint32_t)end},
        .kind = (uint8_t)kind,
        .letters = (uint8_t)letters,
        .space_before = cutter->space,
    };
    cutter->room = vec_push(cutter->arena, cutter->tokens, token);
    cutter->at = end;
    cutter->space = false;
}

// How a run of letters is written.
struct letters {
    bool first_upper;
    size_t upper, lower;
};

static enum token_case case_of(const struct letters *letters)
{
    if (letters->upper + letters->lower == 0) {
        return CASE_NONE;
    }
    if (letters->upper == 0) {
        return CASE_LOWER;
    }
    if (letters->upper == 1 && letters->first_upper) {
        return CASE_CAPITAL;
    }
    return letters->lower == 0 ? CASE_UPPER : CASE_MIXED;
}

// Marks that attach to the character before: combining accents, soft hyphen, joiners, variation selectors.
static bool is_attached(uint32_t c)
{
    return (c >= 0x300 && c <= 0x36f) || c == 0xad || c == 0x200c || c == 0x200d ||
           (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0x1f3fb && c <= 0x1f3ff);
}

static bool is_separator(uint32_t c)
{
    return utf8_is_space(c) || c == 0x200b || c == 0x2060 || c == 0xfeff || c == 0x200e ||
           c == 0x200f;
}

static bool is_mark(uint32_t c)
{
    return c == 0xa1 || c == 0xab || c == 0xb7 || c == 0xbb || c == 0xbf ||
           (c >= 0x2010 && c <= 0x2027) || (c >= 0x2030 && c <= 0x205e && c != 0x2044) ||
           (c >= 0x3001 && c <= 0x3003) || (c >= 0x3008 && c <= 0x3011) || c == 0xff01 ||
           c == 0xff08 || c == 0xff09 || c == 0xff0c || c == 0xff0e || c == 0xff1a || c == 0xff1b ||
           c == 0xff1f;
}

// Behind the run of a..z at `at`. Eight bytes a step, the high bit of each byte telling whether it is one: words end
// where no branch predictor can foresee, so one jump a word is what counts.
static size_t skip_lower(struct view text, size_t at, size_t end)
{
    const uint64_t ones = 0x0101010101010101U;
    const uint64_t highs = 0x80U * ones;
    while (at + 8 <= end) {
        uint64_t bytes;
        memcpy(&bytes, text.at + at, 8);
        uint64_t low = bytes & ~highs;
        uint64_t from_a = low + (0x80U - 'a') * ones;
        uint64_t after_z = low + (0x80U - 'z' - 1) * ones;
        uint64_t others = ~(from_a & ~after_z & ~bytes) & highs;
        if (others && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__) {
            return at + (size_t)__builtin_ctzll(others) / 8;
        }
        if (others) {
            break;
        }
        at += 8;
    }
    while (at < end && class_at(text, at) == LOWER) {
        at++;
    }
    return at;
}

// Moves `at` over letters and digits; counts how the letters are written.
static size_t skip_word(const struct cutter *cutter, size_t at, struct letters *letters)
{
    struct view text = cutter->text;
    while (at < cutter->end) {
        enum class class = class_at(text, at);
        if (class == LOWER) {
            size_t start = at;
            at = skip_lower(text, at, cutter->end);
            letters->lower += at - start;
        } else if (class == UPPER) {
            letters->first_upper |= letters->upper + letters->lower == 0;
            letters->upper++;
            at++;
        } else if (class == DIGIT) {
            at++;
        } else if (class == HIGH) {
            size_t next = at;
            uint32_t c = utf8_next(text, &next);
            if (!utf8_is_letter(c) && !utf8_is_digit(c) && !is_attached(c)) {
                break;
            }
            letters->first_upper |= letters->upper + letters->lower == 0 && utf8_is_upper(c);
            letters->upper += utf8_is_upper(c);
            letters->lower += utf8_is_lower(c);
            at = next;
        } else {
            break;
        }
    }
    return at;
}

// Length of the apostrophe at `at`, straight or typographic; 0 when there is none.
static size_t apostrophe(const struct cutter *cutter, size_t at)
{
    if (at >= cutter->end || cutter->text.at[at] == ' ') {
        return 0;
    }
    if (cutter->text.at[at] == '\'') {
        return 1;
    }
    return at + 3 <= cutter->end && memcmp(cutter->text.at + at, "\xe2\x80\x99", 3) == 0 ? 3 : 0;
}

static bool is_word_at(const struct cutter *cutter, size_t at)
{
    if (at >= cutter->end) {
        return false;
    }
    enum class class = class_at(cutter->text, at);
    if (class == HIGH) {
        uint32_t c = utf8_next(cutter->text, &at);
        return utf8_is_letter(c) || utf8_is_digit(c);
    }
    return class == LOWER || class == UPPER || class == DIGIT;
}

// End of the possessive 's that begins at `at`, or 0.
static size_t possessive(const struct cutter *cutter, size_t at)
{
    size_t len = apostrophe(cutter, at);
    size_t letter = at + len;
    if (len == 0 || letter >= cutter->end || (cutter->text.at[letter] | 0x20) != 's' ||
        is_word_at(cutter, letter + 1)) {
        return 0;
    }
    return letter + 1;
}

static bool is_digit_at(const struct cutter *cutter, size_t at)
{
    return at < cutter->end && class_at(cutter->text, at) == DIGIT;
}

static bool is_letter_at(const struct cutter *cutter, size_t at)
{
    return is_word_at(cutter, at) && class_at(cutter->text, at) != DIGIT;
}

// End of initials such as U.S. or a.m. whose first letter ends at `at`; 0 when there are none.
static size_t initials_end(const struct cutter *cutter, size_t at, struct letters *letters)
{
    const char *text = cutter->text.at;
    size_t end = at;
    size_t count = 1;
    while (end + 1 < cutter->end && text[end] == '.' && is_letter_at(cutter, end + 1)) {
        size_t next = end + 1;
        uint32_t c = utf8_next(cutter->text, &next);
        if (is_word_at(cutter, next)) {
            break;
        }
        letters->upper += utf8_is_upper(c);
        letters->lower += utf8_is_lower(c);
        end = next;
        count++;
    }
    if (count < 2) {
        return 0;
    }
    return end < cutter->end && text[end] == '.' ? end + 1 : end;
}

static size_t skip_spaces(const struct cutter *cutter, size_t at)
{
    while (at < cutter->end && class_at(cutter->text, at) == SPACE) {
        at++;
    }
    return at;
}

// Whether the period at `at` belongs to the word before it, which begins at cutter->at.
static bool keeps_period(const struct cutter *cutter, size_t at, bool single)
{
    struct view word = view_slice(cutter->text, cutter->at, at);
    size_t next = skip_spaces(cutter, at + 1);
    if (single) {
        enum class first = class_at(cutter->text, cutter->at);
        bool follows = next < cutter->end && is_letter_at(cutter, next) &&
                       class_at(cutter->text, next) != LOWER;
        if (first == UPPER || first == HIGH) {
            return follows;
        }
    }
    switch (find_abbreviation(word)) {
    case ABBREVIATION_NONE:
        return false;
    case ABBREVIATION_NUMBERED:
        return is_digit_at(cutter, next);
    case ABBREVIATION_STATE: {
        size_t count = cutter->tokens->len;
        struct view text = cutter->text;
        return count > 0 && text.at[cutter->tokens->at[count - 1].span.start] == ',';
    }
    default:
        return true;
    }
}

static void cut_word(struct cutter *cutter)
{
    struct letters letters = {0};
    size_t end = skip_word(cutter, cutter->at, &letters);
    size_t plain_end = end;
    bool single = letters.upper + letters.lower == 1 &&
                  end - cutter->at == utf8_sequence(cutter->text, cutter->at);
    if (end < cutter->end && cutter->text.at[end] == '.') {
        size_t initials = single ? initials_end(cutter, end, &letters) : 0;
        if (initials) {
            end = initials;
        } else if (end - cutter->at <= 6 && keeps_period(cutter, end, single)) {
            end++;
        }
    }
    // O'Neill, don't: an apostrophe between letters stays, unless it makes a possessive.
    size_t len = end == plain_end ? apostrophe(cutter, end) : 0;
    while (len && is_letter_at(cutter, end + len) && !possessive(cutter, end)) {
        end = skip_word(cutter, end + len, &letters);
        len = apostrophe(cutter, end);
    }
    add_token(cutter, end, TOKEN_WORD, case_of(&letters));
    size_t owner = cutter->room ? possessive(cutter, end) : 0;
    if (owner) {
        add_token(cutter, owner, TOKEN_WORD, CASE_LOWER);
    }
}

static void cut_number(struct cutter *cutter)
{
    struct letters letters = {0};
    const char *text = cutter->text.at;
    size_t at = cutter->at;
    while (is_digit_at(cutter, at) || (at < cutter->end && (text[at] == ',' || text[at] == '.') &&
                                       is_digit_at(cutter, at + 1))) {
        at++;
    }
    add_token(cutter, skip_word(cutter, at, &letters), TOKEN_NUMBER, case_of(&letters));
    size_t owner = cutter->room ? possessive(cutter, cutter->at) : 0;
    if (owner) {
        add_token(cutter, owner, TOKEN_WORD, CASE_LOWER);
    }
}

// A mark of one byte; points in a row are one ellipsis.
static void cut_mark(struct cutter *cutter)
{
    size_t end = cutter->at + 1;
    while (cutter->text.at[cutter->at] == '.' && end < cutter->end && cutter->text.at[end] == '.') {
        end++;
    }
    add_token(cutter, end, TOKEN_PUNCTUATION, CASE_NONE);
}

// A symbol with everything that attaches to it: skin tones, joined emoji.
static void cut_symbol(struct cutter *cutter, size_t end)
{
    bool joined = false;
    while (end < cutter->end && class_at(cutter->text, end) == HIGH) {
        size_t next = end;
        uint32_t c = utf8_next(cutter->text, &next);
        if (!is_attached(c) && !(joined && !is_separator(c))) {
            break;
        }
        joined = c == 0x200d;
        end = next;
    }
    add_token(cutter, end, TOKEN_SYMBOL, CASE_NONE);
}

static void cut_high(struct cutter *cutter)
{
    size_t next = cutter->at;
    uint32_t c = utf8_next(cutter->text, &next);
    if (is_separator(c)) {
        cutter->at = next;
        cutter->space = true;
    } else if (utf8_is_letter(c)) {
        cut_word(cutter);
    } else if (utf8_is_digit(c)) {
        struct letters letters = {0};
        add_token(cutter, skip_word(cutter, next, &letters), TOKEN_NUMBER, case_of(&letters));
    } else if (is_mark(c)) {
        add_token(cutter, next, TOKEN_PUNCTUATION, CASE_NONE);
    } else {
        cut_symbol(cutter, next);
    }
}

bool segment_tokens_add(struct tokens *tokens, struct arena *arena, struct view text, size_t start,
                        size_t end)
{
    struct cutter cutter = {text, start, end, tokens, arena, true, true};
    while (cutter.room && cutter.at < end) {
        switch (class_at(text, cutter.at)) {
        case SPACE:
            cutter.at++;
            cutter.space = true;
            break;
        case LOWER:
        case UPPER:
            cut_word(&cutter);
            break;
        case DIGIT:
            cut_number(&cutter);
            break;
        case MARK:
            cut_mark(&cutter);
            break;
        case HIGH:
            cut_high(&cutter);
            break;
        default:
            cut_symbol(&cutter, cutter.at + 1);
        }
    }
    return cutter.room;
}
