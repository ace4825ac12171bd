#include "services/clean/wire.h"

#include "services/clean/dayscan.h"
#include "services/clean/features.h"

#include <stdio.h>

enum { PLACE_LIMIT = 60, AGENCY_LIMIT = 60, HEAD_LINES = 10, EMBARGO_BYTES = 32 };

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

// Length of a dash with its spaces at `at`, or 0: " - ", " -- ", " – ", " — ".
static size_t dash_at(struct view text, size_t at)
{
    static const char *const dashes[] = {"--", "\xe2\x80\x94", "\xe2\x80\x93", "-"};
    size_t start = at;
    while (at < text.len && text.at[at] == ' ') {
        at++;
    }
    for (size_t i = 0; i < sizeof dashes / sizeof dashes[0]; i++) {
        struct view dash = view_of(dashes[i]);
        struct view rest = view_slice(text, at, text.len);
        bool spaced = at > start || dash.len > 1;
        bool behind = rest.len == dash.len || (rest.len > dash.len && rest.at[dash.len] == ' ');
        if (view_starts(rest, dash) && spaced && (behind || dash.len > 1)) {
            return at + dash.len - start;
        }
    }
    return 0;
}

// Bytes of a place in capitals at the start: "LISBON", "NEW YORK", "ST. PETERSBURG, Fla.", "Washington" when brackets follow.
static size_t place_length(struct view text, bool *capitals)
{
    size_t at = 0, last = 0;
    size_t upper = 0, lower = 0;
    while (at < text.len && at < PLACE_LIMIT) {
        char c = text.at[at];
        if (c == '(' || c == ',' || c == '\n' || dash_at(text, at) > 0 || strchr("\"!?:;", c)) {
            break;
        }
        upper += is_upper(c);
        lower += is_lower(c);
        at++;
        last = c == ' ' ? last : at;
    }
    *capitals = lower == 0 && upper >= 3;
    return upper > 0 && is_upper(text.at[0]) ? last : 0;
}

// A date behind the place: ", March 4" or ", 4 March 2025".
static size_t date_length(struct view text, size_t at, struct view *date)
{
    struct day day;
    size_t others;
    size_t start = at + 2;
    size_t end = start;
    if (at + 2 >= text.len || text.at[at] != ',' || text.at[at + 1] != ' ') {
        return 0;
    }
    while (end < text.len && end < start + 24 && text.at[end] != '(' && dash_at(text, end) == 0 &&
           text.at[end] != '\n') {
        end++;
    }
    struct view words = view_trim(view_slice(text, start, end));
    if (!dayscan_find(words, &day, &others) || others > 0) {
        return 0;
    }
    *date = words;
    return (size_t)(words.at + words.len - text.at) - at;
}

static size_t agency_length(struct view text, size_t at, struct view *agency)
{
    size_t start = at;
    while (at < text.len && text.at[at] == ' ') {
        at++;
    }
    if (at >= text.len || text.at[at] != '(') {
        return 0;
    }
    size_t end = view_find(text, VIEW(")"), at);
    if (end == text.len || end - at > AGENCY_LIMIT || end - at < 3) {
        return 0;
    }
    *agency = view_trim(view_slice(text, at + 1, end));
    return is_upper(agency->at[0]) || view_equal(*agency, VIEW("dpa")) ? end + 1 - start : 0;
}

// ---- Head lines

static const struct {
    const char *opening;
    const char *signal;
    int urgency;
    bool alone; // the whole line, else only its start
} signals[] = {
    {"FLASH", "flash", 1, true},
    {"BULLETIN", "bulletin", 1, true},
    {"URGENT", "urgent", 2, true},
    {"ATTENTION EDITORS - KILL", "kill", 0, false},
    {"KILL", "kill", 0, false},
    {"MANDATORY KILL", "kill", 0, false},
    {"CORRECTION", "correction", 0, false},
    {"CORRECTED", "correction", 0, false},
    {"REFILE", "correction", 0, false},
    {"ADVISORY", "advisory", 0, false},
    {"UPDATE ", "update", 0, false},
    {"URGENT -", "urgent", 2, false},
    {"URGENT:", "urgent", 2, false},
    {"FLASH -", "flash", 1, false},
    {"FLASH:", "flash", 1, false},
};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

// Index of the signal that `line` begins with, or SIGNALS.
static size_t find_signal(struct view line)
{
    for (size_t i = 0; i < SIGNALS; i++) {
        struct view opening = view_of(signals[i].opening);
        struct view rest = view_slice(line, opening.len, line.len);
        bool numbered = opening.len == 7 && opening.at[6] == ' '; // "UPDATE 2-"
        if (!view_starts(line, opening) || (signals[i].alone && view_trim(rest).len > 0) ||
            (rest.len > 0 && is_lower(rest.at[0]))) {
            continue;
        }
        if (!numbered ||
            (rest.len > 1 && rest.at[0] >= '1' && rest.at[0] <= '9' && strchr("-: ", rest.at[1]))) {
            return i;
        }
    }
    return SIGNALS;
}

static bool read_signal(struct view line, struct wire *wire)
{
    size_t i = find_signal(line);
    if (i == SIGNALS) {
        return false;
    }
    wire->signal = signals[i].signal;
    wire->urgency = signals[i].urgency;
    wire->killed = strcmp(signals[i].signal, "kill") == 0;
    return true;
}

// ---- The dateline as a whole

bool wire_dateline(struct view text, struct dateline *out)
{
    bool capitals;
    *out = (struct dateline){0};
    if (find_signal(text) < SIGNALS) {
        return false;
    }
    size_t at = place_length(text, &capitals);
    size_t region = at, date;
    if (at == 0) {
        return false;
    }
    out->place = view_slice(text, 0, at);
    date = date_length(text, at, &out->date);
    if (date == 0 && at < text.len && text.at[at] == ',') { // a country or state
        region = at + 1;
        while (region < text.len && region < at + 24 && text.at[region] != ',' &&
               text.at[region] != '(' && text.at[region] != '\n' && dash_at(text, region) == 0) {
            region++;
        }
        out->place = view_trim(view_slice(text, 0, region));
        at = region;
        date = date_length(text, at, &out->date);
    }
    at += date;
    size_t agency = agency_length(text, at, &out->agency);
    at += agency;
    size_t dash = dash_at(text, at);
    bool whole =
        capitals && date > 0 && agency > 0 && view_trim(view_slice(text, at, text.len)).len == 0;
    bool long_dash = dash > 0 && text.at[at + dash - 1] != '-';
    long_dash |= dash > 1 && text.at[at + dash - 2] == '-';
    bool bare = agency == 0 && date == 0;
    bool marked = agency > 0 ? (capitals || date > 0 || region > 0) : capitals;
    if ((dash == 0 && !whole) || !marked || (bare && !long_dash)) {
        return false;
    }
    out->span = (struct span){0, (uint32_t)(at + dash)};
    return true;
}

// "Portugal-ports-strike" or the same with ", 2nd Lead, WRITETHRU" behind it.
static bool read_slugline(struct view line, struct wire *wire)
{
    size_t end = 0, hyphens = 0;
    while (end < line.len &&
           (is_lower(line.at[end]) || is_upper(line.at[end]) || line.at[end] == '-' ||
            (line.at[end] >= '0' && line.at[end] <= '9') || line.at[end] == '/')) {
        hyphens += line.at[end] == '-' || line.at[end] == '/';
        end++;
    }
    struct view rest = view_slice(line, end, line.len);
    bool lead = rest.len == 0 ||
                (rest.at[0] == ',' && rest.len < 60 && view_find(rest, VIEW("."), 0) == rest.len);
    if (hyphens == 0 || end < 5 || !is_upper(line.at[0]) || !lead) {
        return false;
    }
    wire->slugline = view_slice(line, 0, end);
    return true;
}

static bool read_ednote(struct view line, struct wire *wire)
{
    static const char *const openings[] = {
        "(Adds",   "(Updates", "(Corrects", "(Recasts", "(Refiles", "(Eds",    "Eds:",
        "(Writes", "(Fixes",   "(Repeats",  "(Changes", "EDITORS:", "Editors:"};
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        if (view_starts(line, view_of(openings[i]))) {
            wire->ednote = line;
            return true;
        }
    }
    return view_starts_nocase(line, VIEW("A corrected version follows")) ||
           view_starts_nocase(line, VIEW("A corrected story follows"));
}

// "EMBARGOED UNTIL 00:01 GMT, THURSDAY 6 MARCH 2025": the time only counts when it is in UTC.
static bool read_embargo(const struct page *page, struct view line, struct wire *wire)
{
    struct day day;
    size_t others;
    int hour = -1, minute = 0, used = 0;
    if (!view_starts_nocase(line, VIEW("EMBARGO")) &&
        !view_starts_nocase(line, VIEW("NOT FOR PUBLICATION BEFORE"))) {
        return false;
    }
    wire->ednote = line;
    for (size_t i = 0; i < line.len && hour < 0; i++) {
        char part[8] = "";
        struct view rest = view_slice(line, i, line.len);
        memcpy(part, rest.at, rest.len < 7 ? rest.len : 7);
        if (sscanf(part, "%2d:%2d%n", &hour, &minute, &used) != 2 || hour > 23 || minute > 59) {
            hour = -1;
        }
    }
    bool utc =
        view_find(line, VIEW("GMT"), 0) < line.len || view_find(line, VIEW("UTC"), 0) < line.len;
    char *out = arena_alloc(page->arena, EMBARGO_BYTES);
    if (out && utc && hour >= 0 && dayscan_find(line, &day, &others) && day.year) {
        int len = snprintf(out, EMBARGO_BYTES, "%04d-%02d-%02dT%02d:%02d:00Z", day.year, day.month,
                           day.day, hour, minute);
        wire->embargo = (struct view){out, (size_t)len};
    }
    return true;
}

// Lines of menus and advertising are no part of a wire item.
static bool has_chrome(const struct page *page, const struct table_list *phrases)
{
    static const char *const chrome[] = {"nav", "promo", "related_link", "comment"};
    for (size_t i = 0; i < page->blocks.len; i++) {
        struct view kind = features_phrase(page->blocks.at[i].text, phrases);
        for (size_t k = 0; page->blocks.at[i].words < 12 && k < sizeof chrome / sizeof chrome[0];
             k++) {
            if (view_equal(kind, view_of(chrome[k]))) {
                return true;
            }
        }
    }
    return false;
}

// Reads lines from the top as long as they are for editors; then a dateline must come soon, or there was a signal.
static void read_head(const struct page *page, struct wire *out)
{
    bool head = true;
    for (size_t i = 0; i < page->blocks.len && i < HEAD_LINES && !out->found; i++) {
        struct view line = page->blocks.at[i].text;
        struct dateline dateline;
        head = head &&
               (read_embargo(page, line, out) || (!out->signal && read_signal(line, out)) ||
                (out->slugline.len == 0 && read_slugline(line, out)) || read_ednote(line, out));
        out->body = head ? i + 1 : out->body;
        out->found = !head && i <= out->body + 2 && wire_dateline(line, &dateline);
    }
    out->found |= out->signal != NULL;
}

void wire_head(const struct page *page, const struct table_list *phrases, struct wire *out)
{
    *out = (struct wire){0};
    read_head(page, out);
    if (!out->found || has_chrome(page, phrases)) {
        *out = (struct wire){0};
        return;
    }
    bool note = out->signal && (out->killed || strcmp(out->signal, "advisory") == 0 ||
                                strcmp(out->signal, "correction") == 0);
    if (note && out->ednote.len == 0) {
        out->ednote = page->blocks.at[0].text;
    }
}
