#include "services/clean/pubdate.h"

#include "services/clean/dayscan.h"
#include "services/clean/plain.h"

#include <stdio.h>

enum { CANDIDATES = 64, ABOVE_TITLE = 5, BELOW_TITLE = 14, STAMP_BYTES = 40 };

// Kinds of candidates: how much each is trusted, and what it is called outside.
enum kind {
    BY_JSONLD,
    BY_JSONLD_PAGE,
    BY_META,
    BY_META_VAGUE,
    BY_MARK,
    BY_TIME_MARKED,
    BY_TIME_NEAR,
    BY_TIME,
    BY_URL,
    BY_LINE_SAID,
    BY_LINE_NEAR,
    BY_LINE_HINT,
    BY_LINE_FAR,
    BY_CREATED,
    BY_STATE,
    BY_MODIFIED,
    KIND_COUNT
};

static const struct {
    const char *rule;
    const char *source;
    double weight;
} kinds[KIND_COUNT] = {
    [BY_JSONLD] = {"JSON-LD of the article", "jsonld", 3.0},
    [BY_JSONLD_PAGE] = {"JSON-LD of the page", "jsonld", 2.4},
    [BY_META] = {"meta tag of the publication time", "meta", 2.9},
    [BY_META_VAGUE] = {"meta tag of some date", "meta", 2.0},
    [BY_MARK] = {"marked datePublished", "meta", 2.6},
    [BY_TIME_MARKED] = {"time element marked published", "text", 2.2},
    [BY_TIME_NEAR] = {"time element near the headline", "text", 1.9},
    [BY_TIME] = {"time element", "text", 0.9},
    [BY_URL] = {"address", "url", 2.5},
    [BY_LINE_SAID] = {"line that says published", "text", 2.0},
    [BY_LINE_NEAR] = {"line near the headline", "text", 1.5},
    [BY_LINE_HINT] = {"line in a date element", "text", 1.7},
    [BY_LINE_FAR] = {"line elsewhere", "text", 0.5},
    [BY_CREATED] = {"JSON-LD dateCreated", "jsonld", 1.0},
    [BY_STATE] = {"publication time in a script", "meta", 1.4},
    [BY_MODIFIED] = {"time of the last change", "meta", 0.5},
};

struct candidate {
    enum kind kind;
    struct day day;
    bool utc;          // written with Z or +00:00
    struct view stamp; // ISO text of day and time, or empty
};

struct ballot {
    const struct reading *reading;
    struct candidate at[CANDIDATES];
    size_t len;
};

// ---- Stamps

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int two_digits(struct view text, size_t at)
{
    return at + 1 < text.len && is_digit(text.at[at]) && is_digit(text.at[at + 1])
               ? (text.at[at] - '0') * 10 + text.at[at + 1] - '0'
               : -1;
}

// The zone at `at`: "Z", "+02:00", "+0200", "+02". Writes it with colon to `out`; empty for none.
static void read_zone(struct view text, size_t at, char out[8])
{
    while (at < text.len && text.at[at] == ' ') {
        at++;
    }
    out[0] = '\0';
    if (at < text.len && (text.at[at] == 'Z' || text.at[at] == 'z')) {
        memcpy(out, "Z", 2);
    } else if (at < text.len && (text.at[at] == '+' || text.at[at] == '-')) {
        int hours = two_digits(text, at + 1);
        size_t next = at + 3 < text.len && text.at[at + 3] == ':' ? at + 4 : at + 3;
        int minutes = two_digits(text, next);
        if (hours >= 0 && hours <= 14) {
            snprintf(out, 8, "%c%02d:%02d", text.at[at], hours,
                     minutes > 0 && minutes < 60 ? minutes : 0);
        }
    } else if (view_starts(view_slice(text, at, text.len), VIEW("GMT")) ||
               view_starts(view_slice(text, at, text.len), VIEW("UTC"))) {
        memcpy(out, "Z", 2);
    }
}

// Reads "2020-02-25T02:25:54+01:00" and its many relatives, else a day in words.
static bool read_stamp(struct arena *arena, struct view text, struct candidate *out)
{
    struct day day = {.hour = -1};
    size_t others;
    char zone[8] = "";
    text = view_trim(text);
    *out = (struct candidate){0};
    bool iso = text.len >= 10 && two_digits(text, 0) >= 19 && two_digits(text, 2) >= 0 &&
               text.at[4] == '-' && text.at[7] == '-';
    if (iso) {
        day.year = two_digits(text, 0) * 100 + two_digits(text, 2);
        day.month = two_digits(text, 5);
        day.day = two_digits(text, 8);
        iso = dayscan_is_day(day.year, day.month, day.day);
    }
    if (!iso) {
        if (text.len > 120 || !dayscan_find(text, &day, &others) || day.year == 0) {
            return false;
        }
        out->day = day;
        return true;
    }
    out->day = day;
    size_t at = 11;
    int hour = two_digits(text, at), minute = two_digits(text, at + 3);
    if (text.len < 16 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || text.at[13] != ':') {
        return true;
    }
    at = 16;
    int second = at < text.len && text.at[at] == ':' ? two_digits(text, at + 1) : -1;
    at += second >= 0 ? 3 : 0;
    while (second >= 0 && at < text.len && (text.at[at] == '.' || is_digit(text.at[at]))) {
        at++;
    }
    read_zone(text, at, zone);
    char *stamp = arena_alloc(arena, STAMP_BYTES);
    if (stamp) {
        int len =
            snprintf(stamp, STAMP_BYTES, "%04d-%02d-%02dT%02d:%02d:%02d%s", day.year, day.month,
                     day.day, hour, minute, second >= 0 && second < 60 ? second : 0, zone);
        out->stamp = (struct view){stamp, (size_t)len};
    }
    out->day.hour = hour;
    out->day.minute = minute;
    out->utc = strcmp(zone, "Z") == 0 || strcmp(zone, "+00:00") == 0;
    return true;
}

// ---- Gathering

static void add(struct ballot *ballot, enum kind kind, struct view text)
{
    struct candidate candidate;
    if (ballot->len < CANDIDATES && read_stamp(ballot->reading->page.arena, text, &candidate)) {
        candidate.kind = kind;
        ballot->at[ballot->len++] = candidate;
    }
}

static void add_jsonld(struct ballot *ballot)
{
    const struct facts *facts = &ballot->reading->facts;
    for (size_t i = 0; i < facts->jsonld.len; i++) {
        const struct jsonld_node *node = &facts->jsonld.at[i];
        bool article = node == facts->article;
        bool part = view_equal(node->key, VIEW("itemListElement")) ||
                    view_equal(node->key, VIEW("item")) || view_equal(node->key, VIEW("comment")) ||
                    view_equal(node->key, VIEW("review")) || view_equal(node->key, VIEW("video")) ||
                    view_equal(node->key, VIEW("image"));
        bool page = view_equal(node->type, VIEW("WebPage")) || jsonld_is_article(node->type);
        if (article || (page && !part)) {
            add(ballot, article && jsonld_is_article(node->type) ? BY_JSONLD : BY_JSONLD_PAGE,
                node->published);
            add(ballot, BY_CREATED, node->created);
            add(ballot, BY_MODIFIED, node->modified);
        }
    }
}

static bool contains(struct view text, const char *needle)
{
    for (size_t i = 0; i + strlen(needle) <= text.len; i++) {
        if (view_starts_nocase(view_slice(text, i, text.len), view_of(needle))) {
            return true;
        }
    }
    return false;
}

static bool says_published(struct view text)
{
    static const char *const words[] = {
        "publish",        "posted",       "ver\xc3\xb6\x66\x66\x65ntlich",
        "publi\xc3\xa9",  "publicad",     "pubblicat",
        "erstellt",       "opublikow",    "erschienen",
        "pubdate",        "entry-date",   "post-date",
        "date-published", "gepubliceerd", "publicerad",
        "julkaistu"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (contains(text, words[i])) {
            return true;
        }
    }
    return false;
}

static bool says_changed(struct view text)
{
    static const char *const words[] = {
        "update",          "modif",  "aktualisiert", "mis \xc3\xa0 jour", "actualiz",  "aggiorn",
        "ge\xc3\xa4ndert", "stand:", "reviewed",     "retrieved",         "abgerufen", "copyright",
        "\xc2\xa9",        "event",  "joined"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (contains(text, words[i])) {
            return true;
        }
    }
    return false;
}

static bool is_foreign(const struct reading *reading, uint32_t node)
{
    const struct element *element = &reading->page.elements[node];
    return (element->hints &
            (HINT(comment) | HINT(related) | HINT(nav) | HINT(sidebar) | HINT(footer))) ||
           (element->tags & (IN_NAV | IN_FOOTER | IN_ASIDE));
}

static bool is_near(const struct reading *reading, uint32_t node)
{
    const struct page *page = &reading->page;
    size_t title = reading->marks.title;
    if (title >= page->blocks.len) {
        return false;
    }
    size_t low = title > ABOVE_TITLE ? title - ABOVE_TITLE : 0;
    size_t high =
        title + BELOW_TITLE < page->blocks.len ? title + BELOW_TITLE : page->blocks.len - 1;
    return node + 4 >= page->blocks.at[low].node && node <= page->blocks.at[high].node + 4;
}

static void add_elements(struct ballot *ballot)
{
    const struct reading *reading = ballot->reading;
    const struct facts *facts = &reading->facts;
    for (size_t i = 0; i < facts->meta_published.len; i++) {
        const struct fact *fact = &facts->meta_published.at[i];
        add(ballot,
            contains(fact->label, "publish") || contains(fact->label, "pubdate") ? BY_META
                                                                                 : BY_META_VAGUE,
            fact->value);
    }
    for (size_t i = 0; i < facts->marked_published.len; i++) {
        bool foreign = is_foreign(reading, facts->marked_published.at[i].node);
        add(ballot, foreign ? BY_TIME : BY_MARK, facts->marked_published.at[i].value);
    }
    for (size_t i = 0; i < facts->times.len; i++) {
        const struct fact *fact = &facts->times.at[i];
        const struct element *element = &reading->page.elements[fact->node];
        bool foreign = is_foreign(reading, fact->node), near = is_near(reading, fact->node);
        bool changed = says_changed(fact->label);
        bool marked = says_published(fact->label) || (element->near & HINT(date));
        add(ballot,
            changed          ? BY_MODIFIED
            : foreign        ? (near ? BY_TIME : BY_LINE_FAR)
            : near && marked ? BY_TIME_MARKED
            : near           ? BY_TIME_NEAR
                             : BY_TIME,
            fact->value);
    }
    for (size_t i = 0; i < facts->state.len; i++) {
        add(ballot, BY_STATE, facts->state.at[i].value);
    }
    for (size_t i = 0; i < facts->meta_modified.len; i++) {
        add(ballot, BY_MODIFIED, facts->meta_modified.at[i].value);
    }
}

// The date a page was rendered: a date alone above the headline; on web pages only with its weekday, and not when the
// element says that it belongs to the article.
static bool is_render_date(const struct reading *reading, size_t i, const struct day *day,
                           size_t others)
{
    const struct element *element = &reading->page.elements[reading->page.blocks.at[i].node];
    bool html = reading->page.html.nodes.len > 0;
    bool above = i < reading->marks.title || reading->marks.title >= reading->page.blocks.len;
    bool of_article = (element->near & HINT(date)) && !(element->tags & IN_NAV) &&
                      (i + 3 >= reading->marks.title || (element->hints & HINT(content)));
    return above && others == 0 && day->hour < 0 && (!html || (day->weekday && !of_article));
}

static void add_lines(struct ballot *ballot)
{
    const struct reading *reading = ballot->reading;
    const struct page *page = &reading->page;
    size_t title = reading->marks.title;
    for (size_t i = reading->wire.body; i < page->blocks.len && ballot->len < CANDIDATES; i++) {
        const struct block *block = &page->blocks.at[i];
        struct day day;
        size_t others;
        bool near =
            title < page->blocks.len && i + ABOVE_TITLE >= title && i <= title + BELOW_TITLE;
        if ((block->text.len > 250 && !(near && block->digits > 3)) || block->digits < 3 ||
            (!near && !(block->words < 16)) || !dayscan_find(block->text, &day, &others) ||
            day.year == 0) {
            continue;
        }
        bool said = says_published(block->text) || (i > 0 && page->blocks.at[i - 1].words < 4 &&
                                                    says_published(page->blocks.at[i - 1].text));
        bool changed = says_changed(block->text) && !said;
        bool hinted = page->elements[block->node].near & HINT(date);
        if (is_render_date(reading, i, &day, others) ||
            (others > 12 && !(near && day.start == 0))) {
            continue;
        }
        enum kind kind = changed                                     ? BY_MODIFIED
                         : is_foreign(reading, block->node) && !near ? BY_LINE_FAR
                         : said                                      ? BY_LINE_SAID
                         : near && hinted                            ? BY_LINE_HINT
                         : near && (others < 8 || day.start == 0)    ? BY_LINE_NEAR
                                                                     : BY_LINE_FAR;
        ballot->at[ballot->len++] = (struct candidate){.kind = kind, .day = day};
    }
}

// ---- Choosing

static long day_number(const struct day *day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    long year = day->year - 1;
    bool leap = day->year % 4 == 0 && (day->year % 100 != 0 || day->year % 400 == 0);
    return year * 365 + year / 4 - year / 100 + year / 400 + before[day->month - 1] + day->day +
           (leap && day->month > 2);
}

static bool same_day(const struct day *a, const struct day *b)
{
    return a->year == b->year && a->month == b->month && a->day == b->day;
}

// Weight of the day of candidate `i`: its strongest source, and a part of one vote for each other kind that agrees.
static double weight_of(const struct ballot *ballot, size_t i)
{
    bool counted[KIND_COUNT] = {false};
    double best = 0, sum = 0;
    for (size_t k = 0; k < ballot->len; k++) {
        double weight = kinds[ballot->at[k].kind].weight;
        if (!same_day(&ballot->at[k].day, &ballot->at[i].day) || counted[ballot->at[k].kind]) {
            continue;
        }
        counted[ballot->at[k].kind] = true;
        sum += weight;
        best = weight > best ? weight : best;
    }
    return best + 0.35 * (sum - best);
}

// A candidate without zone that names the day beside the UTC stamp `i`.
static bool is_local(const struct candidate *candidate)
{
    return candidate->kind == BY_URL || candidate->kind == BY_LINE_SAID ||
           candidate->kind == BY_LINE_NEAR || candidate->kind == BY_LINE_HINT;
}

static size_t neighbour_of(const struct ballot *ballot, size_t i)
{
    const struct candidate *stamp = &ballot->at[i];
    for (size_t k = 0; k < ballot->len; k++) {
        if (is_local(&ballot->at[k]) && same_day(&ballot->at[k].day, &stamp->day)) {
            return i;
        }
    }
    for (size_t k = 0; k < ballot->len && stamp->utc; k++) {
        const struct candidate *other = &ballot->at[k];
        long apart = day_number(&other->day) - day_number(&stamp->day);
        bool local =
            is_local(other) || (other->stamp.len > 0 && !other->utc && other->kind != BY_MODIFIED);
        bool fits = (apart == -1 && stamp->day.hour < 12) || (apart == 1 && stamp->day.hour >= 12);
        if (local && fits) {
            return k;
        }
    }
    return i;
}

static struct view day_text(struct arena *arena, const struct day *day)
{
    char *out = arena_alloc(arena, STAMP_BYTES);
    int len =
        out ? snprintf(out, STAMP_BYTES, "%04d-%02d-%02d", day->year, day->month, day->day) : 0;
    return (struct view){out ? out : "", (size_t)len};
}

// The best stamp with a time of day for the day of candidate `i`.
static const struct candidate *best_stamp(const struct ballot *ballot, size_t i)
{
    const struct candidate *best = &ballot->at[i];
    for (size_t k = 0; k < ballot->len; k++) {
        const struct candidate *other = &ballot->at[k];
        bool better = other->stamp.len > 0 &&
                      (best->stamp.len == 0 || (other->stamp.len > 19 && best->stamp.len <= 19));
        if (better && other->kind != BY_MODIFIED && same_day(&other->day, &ballot->at[i].day)) {
            best = other;
        }
    }
    return best;
}

void pubdate_choose(struct pubdate *out, const struct reading *reading, struct view url)
{
    struct ballot ballot = {.reading = reading};
    struct day day;
    size_t best = 0;
    *out = (struct pubdate){.source = "none", .rule = "none"};
    add_jsonld(&ballot);
    add_elements(&ballot);
    if (ballot.len < CANDIDATES &&
        (dayscan_url(url, &day) || dayscan_url(reading->facts.canonical, &day))) {
        ballot.at[ballot.len++] = (struct candidate){.kind = BY_URL, .day = day};
    }
    add_lines(&ballot);
    for (size_t i = 1; i < ballot.len; i++) {
        best = weight_of(&ballot, i) > weight_of(&ballot, best) + 1e-9 ? i : best;
    }
    if (ballot.len == 0) {
        return;
    }
    double weight = weight_of(&ballot, best);
    size_t local = neighbour_of(&ballot, best);
    const struct candidate *chosen = best_stamp(&ballot, local);
    out->value = chosen->stamp.len > 0 && same_day(&chosen->day, &ballot.at[local].day)
                     ? chosen->stamp
                     : day_text(reading->page.arena, &ballot.at[local].day);
    out->source = kinds[ballot.at[best].kind].source;
    out->rule = kinds[ballot.at[best].kind].rule;
    out->confidence = weight >= 3.4   ? 0.97
                      : weight >= 2.4 ? 0.93
                      : weight >= 1.4 ? 0.8
                      : weight >= 0.9 ? 0.5
                                      : 0.3;
}
