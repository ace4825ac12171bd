// Raw page in, body text and metadata out.
//
// The page is cut into blocks (blocks.c), each block is described by a row of numbers (features.c), a forest of trees
// says whether it is body (forest.c, trained by train/), rules settle the edges and name why the rest was cut
// (verdict.c). Title, byline, date and the marks of news wires come from what the page declares and from the
// lines that were cut. What the input already says is never overwritten.
#include "services/clean/clean.h"

#include "services/clean/body.h"
#include "services/clean/byline.h"
#include "services/clean/credit.h"
#include "services/clean/lang.h"
#include "services/clean/pubdate.h"
#include "services/clean/wire.h"

#include <stdlib.h>

struct model {
    struct clean_tables tables;
    struct forest *html, *plain;
};

static void unload(struct model *model)
{
    if (model) {
        clean_tables_close(&model->tables);
        forest_close(model->html);
        forest_close(model->plain);
        free(model);
    }
}

static enum status load(struct model **model, const char *folder, struct error *why)
{
    struct model *fresh = calloc(1, sizeof *fresh);
    if (!fresh) {
        return error_set(why, ERR_MEMORY, "no memory for the tables of clean");
    }
    enum status status = clean_tables_open(&fresh->tables, folder, why);
    if (status == OK) {
        status =
            forest_open(&fresh->html, folder, "clean_html", FEATURES_VERSION, FEATURE_COUNT, why);
    }
    if (status == OK) {
        status =
            forest_open(&fresh->plain, folder, "clean_plain", FEATURES_VERSION, FEATURE_COUNT, why);
    }
    if (status != OK) {
        unload(fresh);
        return status;
    }
    *model = fresh;
    return OK;
}

// What is known when the blocks are judged.
struct work {
    const struct model *model;
    const struct article *article;
    struct reading reading;
    struct verdict *verdicts;
    struct body body;
    struct byline byline;
    struct credits credits;
};

enum { CREDIT_WORDS = 60, BYLINE_WORDS = 20, DATELINE_PARAGRAPHS = 3 };

// ---- Rules behind the model

static bool is_wire_story(const struct verdict *verdict)
{
    static const char *const foreign[] = {"credit", "legal", "byline", "title"};
    for (size_t i = 0; !verdict->keep && i < sizeof foreign / sizeof foreign[0]; i++) {
        if (strcmp(verdict->reason, foreign[i]) == 0) {
            return false;
        }
    }
    return true;
}

// A wire item has no chrome: all below its head lines is story, but for credits and the sign-off. One that is all
// head lines is a note to editors and stays whole.
static void judge_wire(struct work *work)
{
    const struct wire *wire = &work->reading.wire;
    size_t count = work->reading.page.blocks.len;
    bool whole_note = wire->body >= count || wire->killed;
    for (size_t i = 0; wire->found && i < count; i++) {
        struct verdict *verdict = &work->verdicts[i];
        if (i < wire->body && !whole_note) {
            verdict_cut(work->verdicts, i, "signal", "wire head line");
        } else if (whole_note || is_wire_story(verdict)) {
            *verdict =
                (struct verdict){.keep = true, .score = verdict->score, .rule = "wire story"};
        }
    }
}

// Credit lines stand at the end of the story or behind it.
static void cut_credits(struct work *work)
{
    const struct page *page = &work->reading.page;
    size_t last = 0;
    for (size_t i = 0; i < page->blocks.len; i++) {
        last = work->verdicts[i].keep ? i : last;
    }
    for (size_t i = last > 8 ? last - 8 : 0; i < page->blocks.len && i < last + 10; i++) {
        struct view line = page->blocks.at[i].text;
        bool story = i < work->reading.wire.body || page->blocks.at[i].words > CREDIT_WORDS;
        if (!story && (credit_is_signoff(line) ||
                       credit_of_line(&work->credits, line, &work->model->tables.agencies))) {
            verdict_cut(work->verdicts, i, "credit", "credit line");
        }
    }
}

static void cut_byline(struct work *work)
{
    size_t i = work->byline.block;
    bool guess = strcmp(work->byline.source, "bare name") == 0;
    if (guess && work->verdicts[i].keep) { // a subhead, then
        work->byline.len = 0;
    } else if (i < work->reading.page.blocks.len &&
               work->reading.page.blocks.at[i].words <= BYLINE_WORDS) {
        verdict_cut(work->verdicts, i, "byline", "byline line");
    }
}

// True when rules have cut all that the model kept.
static bool is_all_cut(const struct work *work)
{
    for (size_t i = 0; i < work->reading.page.blocks.len; i++) {
        if (work->verdicts[i].keep) {
            return false;
        }
    }
    return true;
}

static enum status judge(struct work *work, bool is_html)
{
    const struct model *model = work->model;
    const struct forest *forest = is_html ? model->html : model->plain;
    work->verdicts = verdict_all(&work->reading, forest, &model->tables.phrases);
    if (!work->verdicts) {
        return ERR_LIMIT;
    }
    byline_choose(&work->byline, &work->reading);
    if (!is_html) {
        judge_wire(work);
    }
    cut_credits(work);
    cut_byline(work);
    if (is_all_cut(work)) {
        work->verdicts = verdict_all(&work->reading, forest, &model->tables.phrases);
    }
    if (work->verdicts) {
        verdict_settle(&work->reading, work->verdicts);
    }
    return work->verdicts ? OK : ERR_LIMIT;
}

// ---- Notes

static void note_headings(struct notes *notes, const struct spans *headings)
{
    notes_array(notes, "headings");
    for (size_t i = 0; i < headings->len; i++) {
        notes_object(notes, NULL);
        notes_span(notes, headings->at[i]);
        notes_end(notes);
    }
    notes_end(notes);
}

static void note_text_member(struct notes *notes, const char *key, struct view value)
{
    if (value.len > 0) {
        notes_string(notes, key, value);
    }
}

// The dateline at the start of one of the first paragraphs.
static void note_dateline(struct notes *notes, struct view text, struct explain *explain)
{
    struct view rest = text, line;
    struct dateline dateline;
    for (int i = 0; i < DATELINE_PARAGRAPHS * 2 && view_next_line(&rest, &line); i++) {
        if (!wire_dateline(line, &dateline)) {
            continue;
        }
        uint32_t start = (uint32_t)(line.at - text.at);
        struct span span = {start, start + dateline.span.end};
        notes_object(notes, "dateline");
        notes_string(notes, "text", view_at(text, span));
        notes_string(notes, "place", dateline.place);
        note_text_member(notes, "date", dateline.date);
        note_text_member(notes, "agency", dateline.agency);
        notes_span(notes, span);
        notes_end(notes);
        explain_add(explain, "clean", "dateline", view_at(text, span), "place '%.*s'",
                    VIEW_ARGS(dateline.place));
        return;
    }
}

static void note_credits(struct work *work, struct notes *notes, struct explain *explain)
{
    struct byline *byline = &work->byline;
    struct credits all = {.len = 0};
    for (size_t i = 0; i < byline->len; i++) {
        bool agency = credit_is_agency(byline->names[i], &work->model->tables.agencies, NULL);
        credit_add(&all, byline->names[i], agency ? "agency" : "author", true);
    }
    bool from_credits = byline->len == 0;
    for (size_t i = 0; i < work->credits.len; i++) {
        const struct credit *credit = &work->credits.at[i];
        credit_add(&all, credit->name, credit->role, credit->in_byline);
        if (from_credits && credit->in_byline && byline->len < BYLINE_NAMES) {
            byline->names[byline->len++] = credit->name;
            byline->source = "credit line";
        }
    }
    if (work->article->byline.len == 0 && byline->len > 0) {
        struct view joined = byline_join(byline, work->article->arena);
        notes_string(notes, "byline", joined);
        explain_add(explain, "clean", "byline", joined, "from %s", byline->source);
    }
    notes_array(notes, "credits");
    for (size_t i = 0; i < all.len; i++) {
        notes_object(notes, NULL);
        notes_string(notes, "name", all.at[i].name);
        notes_string(notes, "role", view_of(all.at[i].role));
        notes_end(notes);
    }
    notes_end(notes);
}

static void note_published(struct work *work, struct notes *notes, struct explain *explain)
{
    struct pubdate published;
    if (work->article->published_at.len > 0) {
        notes_string(notes, "published_at_source", VIEW("input"));
        return;
    }
    pubdate_choose(&published, &work->reading, work->article->url);
    if (published.value.len > 0) {
        notes_string(notes, "published_at", published.value);
        notes_decimal(notes, "published_at_confidence", published.confidence, 2);
    } else {
        notes_null(notes, "published_at");
    }
    notes_string(notes, "published_at_source", view_of(published.source));
    explain_add(explain, "clean", "published", published.value, "from %s", published.rule);
}

static void note_wire(const struct work *work, struct notes *notes)
{
    const struct wire *wire = &work->reading.wire;
    if (wire->signal) {
        notes_string(notes, "signal", view_of(wire->signal));
    }
    if (wire->killed && work->article->pubstatus.len == 0) {
        notes_string(notes, "pubstatus", VIEW("canceled"));
    }
    if (wire->urgency > 0 && work->article->urgency == 0) {
        notes_integer(notes, "urgency", wire->urgency);
    }
    note_text_member(notes, "slugline", wire->slugline);
    note_text_member(notes, "ednote", wire->ednote);
    if (work->article->embargoed_until.len == 0) {
        note_text_member(notes, "embargoed_until", wire->embargo);
    }
}

static void note_language(const struct model *model, const struct article *article,
                          struct view text, struct view declared, struct notes *notes)
{
    if (article->lang.len == 0) {
        note_text_member(notes, "lang", lang_detect(text, declared, &model->tables.stop_words));
    }
}

static enum status clean_content(const struct model *model, const struct article *article,
                                 struct notes *notes, struct explain *explain)
{
    struct work work = {.model = model, .article = article};
    bool is_html = reading_is_html(article->content, article->content_type);
    reading_make(&work.reading, article->arena, article->content, is_html, article->title,
                 article->url, &model->tables);
    enum status status = judge(&work, is_html);
    if (status != OK) {
        return status;
    }
    body_join(&work.body, &work.reading, work.verdicts);
    notes_text(notes, article->arena, work.body.text);
    notes_string(notes, "text", work.body.text);
    note_headings(notes, &work.body.headings);
    if (article->title.len == 0 && work.reading.about.title.len > 0) {
        notes_string(notes, "title", work.reading.about.title);
        explain_add(explain, "clean", "title", work.reading.about.title, "from %s",
                    work.reading.title_source);
    }
    note_credits(&work, notes, explain);
    note_dateline(notes, work.body.text, explain);
    note_published(&work, notes, explain);
    note_language(model, article, work.body.text, work.reading.facts.html_lang, notes);
    note_wire(&work, notes);
    body_note_removed(&work.reading, work.verdicts, notes);
    body_explain(&work.reading, work.verdicts, explain);
    return OK;
}

// The text is frozen: only what can be read from it is added.
static enum status read_given_text(const struct model *model, const struct article *article,
                                   struct notes *notes, struct explain *explain)
{
    note_dateline(notes, article->text, explain);
    note_language(model, article, article->text, (struct view){"", 0}, notes);
    notes_string(notes, "published_at_source",
                 article->published_at.len > 0 ? VIEW("input") : VIEW("none"));
    return OK;
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    if (article->has_text) {
        return read_given_text(model, article, notes, explain);
    }
    return article->content.len > 0 ? clean_content(model, article, notes, explain) : OK;
}

const struct stage clean_stage = {
    .name = "clean",
    .version = "1.0.0",
    .needs = "article",
    .load = load,
    .run = run,
    .unload = unload,
};
