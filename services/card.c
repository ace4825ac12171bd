#include "services/card.h"

#include "services/paper.h"
#include "services/stages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { MARGIN = 2, LABEL = 9, NAMES_SHOWN = 12, DATES_SHOWN = 14, REASON_LIMIT = 32 };

static const char separator[] = " \xc2\xb7";

// A short formatted text in the article's arena.
__attribute__((format(printf, 2, 3))) static struct view format(const struct article *article,
                                                                const char *pattern, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, pattern);
    int len = vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    size_t kept = len < 0 ? 0 : (size_t)len < sizeof text ? (size_t)len : sizeof text - 1;
    return arena_copy(article->arena, (struct view){text, kept});
}

struct entries {
    struct entry *at;
    size_t len, cap;
};

static void add_entry(const struct article *article, struct entries *entries, struct view name,
                      struct view detail)
{
    vec_push(article->arena, entries, ((struct entry){name, detail}));
}

static void print_entries(struct paper *paper, const struct entries *entries)
{
    for (size_t i = 0; i < entries->len; i++) {
        paper_entry(paper, entries->at[i], i + 1 < entries->len ? separator : "");
    }
}

// Begins the line "  LABEL    " and leaves the paper indented behind it.
static void begin_row(struct paper *paper, const char *label)
{
    paper_line(paper);
    paper->indent = MARGIN;
    paper_text(paper, INK_LABEL, view_of(label));
    paper->indent = MARGIN + LABEL;
    paper_tab(paper, paper->indent);
}

static void print_row(struct paper *paper, const char *label, const struct entries *entries)
{
    if (entries->len > 0) {
        begin_row(paper, label);
        print_entries(paper, entries);
    }
}

// Cuts a long row and says how much was cut.
static void keep_first(const struct article *article, struct entries *entries, size_t shown)
{
    if (entries->len > shown) {
        size_t hidden = entries->len - shown;
        entries->len = shown;
        add_entry(article, entries, format(article, "%zu more", hidden), VIEW(""));
    }
}

static size_t count_words(const struct article *article)
{
    size_t words = 0;
    for (size_t i = 0; i < article->segments.tokens.len; i++) {
        int kind = article->segments.tokens.at[i].kind;
        words += kind == TOKEN_WORD || kind == TOKEN_NUMBER;
    }
    return words;
}

// A source as a reader understands it.
static struct view source_words(struct view source)
{
    static const struct {
        const char *source, *words;
    } table[] = {
        {"input", "as given"},     {"jsonld", "from its JSON-LD"},    {"meta", "from a meta tag"},
        {"feed", "from the feed"}, {"url", "from the address"},       {"none", ""},
        {"text", "from the page"}, {"dateline", "from the dateline"}, {"inferred", "inferred"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (view_equal(source, view_of(table[i].source))) {
            return view_of(table[i].words);
        }
    }
    return source;
}

// What clean cut out as the date of the page's rendering, or empty.
static struct view render_date(const struct article *article)
{
    for (size_t i = 0; i < article->removed_count; i++) {
        if (view_equal(article->removed[i].reason, VIEW("render_date"))) {
            return view_trim(view_slice(article->removed[i].text, 0, 80));
        }
    }
    return VIEW("");
}

static struct view published_words(const struct article *article)
{
    struct view page = render_date(article);
    if (article->published_at.len > 0) {
        return format(article, "published %.*s %.*s%s", VIEW_ARGS(article->published_at),
                      VIEW_ARGS(source_words(article->published_at_source)),
                      article->date_conflict ? ", but the text speaks of other days" : "");
    }
    if (page.len > 0) {
        return format(article, "published: unknown (%.*s is the page's date, not the article's)",
                      VIEW_ARGS(page));
    }
    return VIEW("published: unknown");
}

// XXXX-06-17 and XXXX-06-19 as "perhaps 06-17 to 06-19 of an unknown year".
static struct view inferred_words(const struct article *article)
{
    struct view from = article->inferred_earliest;
    struct view to = article->inferred_latest;
    const char *year = "";
    if (view_starts(from, VIEW("XXXX-")) && view_starts(to, VIEW("XXXX-"))) {
        from = view_slice(from, 5, from.len);
        to = view_slice(to, 5, to.len);
        year = " of an unknown year";
    }
    if (from.len == 0 || to.len == 0 || view_equal(from, to)) {
        from = from.len > 0 ? from : to;
        return format(article, "perhaps %.*s%s", VIEW_ARGS(from), year);
    }
    return format(article, "perhaps %.*s to %.*s%s", VIEW_ARGS(from), VIEW_ARGS(to), year);
}

static void print_heading(struct paper *paper, const struct article *article)
{
    struct entries facts = {0};
    size_t words = count_words(article);
    paper_text(paper, INK_BOLD, article->title.len > 0 ? article->title : article->id);
    paper_line(paper);
    if (article->byline.len > 0) {
        add_entry(article, &facts, article->byline, VIEW(""));
    }
    if (article->lang.len > 0) {
        add_entry(article, &facts, article->lang, VIEW(""));
    }
    if (words > 0) {
        add_entry(article, &facts, format(article, "%zu words", words), VIEW(""));
    }
    add_entry(article, &facts, published_words(article), VIEW(""));
    if (article->inferred_earliest.len + article->inferred_latest.len > 0) {
        add_entry(article, &facts, inferred_words(article), VIEW(""));
    }
    if (article->pubstatus.len > 0 && !view_equal(article->pubstatus, VIEW("usable"))) {
        add_entry(article, &facts, article->pubstatus, VIEW(""));
    }
    print_entries(paper, &facts);
    paper_line(paper);
}

// ---- Names

static int by_weight(const void *a, const void *b)
{
    const struct entity *first = *(const struct entity *const *)a;
    const struct entity *second = *(const struct entity *const *)b;
    if (first->mentions.len != second->mentions.len) {
        return first->mentions.len > second->mentions.len ? -1 : 1;
    }
    if (first->relevance != second->relevance) {
        return first->relevance > second->relevance ? -1 : 1;
    }
    return (first > second) - (first < second);
}

static void print_names(struct paper *paper, const struct article *article, const char *label,
                        unsigned types)
{
    struct entries row = {0};
    size_t count = 0;
    const struct entity **chosen =
        arena_alloc(article->arena, (article->entity_count + 1) * sizeof *chosen);
    if (!chosen) {
        return;
    }
    for (size_t i = 0; i < article->entity_count; i++) {
        if (types & 1u << article->entities[i].type) {
            chosen[count++] = &article->entities[i];
        }
    }
    qsort(chosen, count, sizeof *chosen, by_weight);
    for (size_t i = 0; i < count; i++) {
        size_t mentions = chosen[i]->mentions.len;
        add_entry(article, &row, chosen[i]->name,
                  mentions > 1 ? format(article, "\xc3\x97%zu", mentions) : VIEW(""));
    }
    keep_first(article, &row, NAMES_SHOWN);
    print_row(paper, label, &row);
}

static void print_all_names(struct paper *paper, const struct article *article)
{
    static const struct {
        const char *label;
        unsigned types;
    } rows[] = {
        {"PEOPLE", 1u << PER},  {"PLACES", 1u << LOC | 1u << FAC},     {"ORGS", 1u << ORG},
        {"GROUPS", 1u << NORP}, {"OTHER", 1u << PRODUCT | 1u << MISC}, {"MONEY", 1u << MONEY},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        print_names(paper, article, rows[i].label, rows[i].types);
    }
}

// ---- Dates

// Values such as XXXX-WXX-4: the calendar day is open.
static bool is_open(const struct date *date)
{
    return view_starts(date->value, VIEW("XXXX")) || date->value.len == 0;
}

static bool is_repeated(const struct article *article, size_t i)
{
    const struct date *date = &article->dates[i];
    for (size_t j = i > 64 ? i - 64 : 0; j < i; j++) {
        if (view_equal(article->dates[j].value, date->value) &&
            view_equal_nocase(view_at(article->text, article->dates[j].span),
                              view_at(article->text, date->span))) {
            return true;
        }
    }
    return false;
}

// PRESENT_REF, and "years" as PXY, say nothing a reader does not see.
static bool is_vague(const struct date *date)
{
    return view_ends(date->value, VIEW("_REF")) || view_starts(date->value, VIEW("PX")) ||
           view_starts(date->value, VIEW("PTX"));
}

// The values that are known; then the expressions that wait for the publication date.
static void print_dates(struct paper *paper, const struct article *article)
{
    struct entries known = {0};
    struct entries open = {0};
    for (size_t i = 0; i < article->date_count; i++) {
        const struct date *date = &article->dates[i];
        struct view words = view_at(article->text, date->span);
        if (is_vague(date) || is_repeated(article, i)) {
            continue;
        }
        if (is_open(date)) {
            add_entry(article, &open, words, VIEW(""));
        } else {
            bool plain = view_equal(words, date->value); // 1987
            add_entry(article, &known, words,
                      plain ? VIEW("")
                            : format(article, "\xe2\x86\x92 %.*s", VIEW_ARGS(date->value)));
        }
    }
    keep_first(article, &known, DATES_SHOWN);
    keep_first(article, &open, DATES_SHOWN);
    print_row(paper, "DATES", &known);
    print_row(paper, known.len > 0 ? "" : "DATES", &open);
    if (card_wants_date(article)) {
        paper_text(paper, INK_WARN, VIEW("\xe2\x86\x92 open until the article's date is known"));
    }
}

bool card_wants_date(const struct article *article)
{
    for (size_t i = 0; article->published_at.len == 0 && i < article->date_count; i++) {
        if (is_open(&article->dates[i])) {
            return true;
        }
    }
    return false;
}

// ---- Summary

// Which sentence of the text begins at `start`, from 1; 0 when none does.
static size_t sentence_number(const struct article *article, size_t start)
{
    const struct spans *sentences = &article->segments.sentences;
    size_t low = 0;
    size_t high = sentences->len;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (sentences->at[middle].start < start) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < sentences->len && sentences->at[low].start == start ? low + 1 : 0;
}

static void print_summary(struct paper *paper, const struct article *article)
{
    const struct spans *sentences = &article->summary_sentences;
    if (article->summary.len + article->summary_reason.len == 0) {
        return;
    }
    begin_row(paper, "SUMMARY");
    if (sentences->len == 0) {
        bool none = article->summary.len == 0;
        paper_text(paper, none ? INK_DIM : INK_PLAIN,
                   none ? format(article, "none: %.*s", VIEW_ARGS(article->summary_reason))
                        : article->summary);
    }
    for (size_t i = 0; i < sentences->len; i++) {
        size_t number = sentence_number(article, sentences->at[i].start);
        paper_text(paper, INK_PLAIN, view_at(article->text, sentences->at[i]));
        if (number > 0) {
            paper_text(paper, INK_DIM, format(article, "[%zu]", number));
        }
    }
}

// ---- What went wrong

static void print_failures(struct paper *paper, const struct article *article)
{
    for (size_t i = 0; i < stage_count; i++) {
        struct stage_outcome outcome;
        bool ran = article_stage(article, view_of(stages[i]->name), &outcome);
        if (ran && !view_equal(outcome.status, VIEW("ok"))) {
            begin_row(paper, "FAILED");
            paper_text(paper, INK_WARN,
                       format(article, "%s %.*s %.*s", stages[i]->name, VIEW_ARGS(outcome.status),
                              VIEW_ARGS(outcome.message)));
        }
    }
    if (article->has_text && article->text.len == 0) {
        begin_row(paper, "TEXT");
        paper_text(paper, INK_WARN, VIEW("none found; --explain says why"));
    }
}

// ---- What was removed, how long it took

struct reason {
    struct view name;
    size_t lines;
};

static size_t count_reasons(const struct article *article, struct reason *reasons)
{
    size_t count = 0;
    for (size_t i = 0; i < article->removed_count; i++) {
        size_t known = 0;
        while (known < count && !view_equal(reasons[known].name, article->removed[i].reason)) {
            known++;
        }
        if (known == count) {
            if (count == REASON_LIMIT) {
                continue;
            }
            reasons[count++] = (struct reason){.name = article->removed[i].reason};
        }
        reasons[known].lines++;
    }
    return count;
}

static struct view reason_words(const struct article *article, const struct reason *reason)
{
    struct view words =
        format(article, "%.*s %zu", VIEW_ARGS(view_slice(reason->name, 0, 40)), reason->lines);
    for (size_t i = 0; i < words.len; i++) {
        if (words.at[i] == '_') {
            ((char *)words.at)[i] = ' ';
        }
    }
    return words;
}

static void print_removed(struct paper *paper, const struct article *article)
{
    struct reason reasons[REASON_LIMIT];
    size_t count = count_reasons(article, reasons);
    if (count == 0) {
        return;
    }
    struct buf list;
    buf_init(&list, 4096);
    buf_printf(&list, "removed %zu line%s (", article->removed_count,
               article->removed_count == 1 ? "" : "s");
    for (size_t i = 0; i < count; i++) {
        buf_printf(&list, "%s%.*s", i ? ", " : "", VIEW_ARGS(reason_words(article, &reasons[i])));
    }
    buf_add_char(&list, ')');
    paper_text(paper, INK_DIM, buf_view(&list));
    buf_clear(&list);
}

static void print_foot(struct paper *paper, const struct article *article, double ms)
{
    paper_line(paper);
    if (article->removed_count == 0 && ms < 0) {
        return;
    }
    paper_line(paper);
    paper->indent = MARGIN;
    print_removed(paper, article);
    if (ms >= 0) {
        paper_text(paper, INK_DIM, format(article, "%.*f ms", ms < 10 ? 1 : 0, ms));
    }
    paper_line(paper);
}

// One decision a paragraph, its further lines indented.
static void print_explain(struct paper *paper, struct view lines)
{
    struct view line, first;
    if (lines.len == 0) {
        return;
    }
    begin_row(paper, "WHY");
    while (view_next_line(&lines, &line)) {
        paper_line(paper);
        paper->indent = MARGIN;
        if (view_next_word(&line, &first)) {
            paper_text(paper, INK_DIM, first);
        }
        paper->indent = 2 * MARGIN;
        paper_text(paper, INK_PLAIN, line);
    }
    paper_line(paper);
}

void card_print(const struct article *article, const struct card *card, struct buf *out)
{
    struct paper paper = {.out = out, .width = card->width, .color = card->color};
    print_heading(&paper, article);
    print_all_names(&paper, article);
    print_dates(&paper, article);
    print_summary(&paper, article);
    print_failures(&paper, article);
    print_foot(&paper, article, card->ms);
    print_explain(&paper, card->explain);
}
