// Raw page in, body text and metadata out.
//
// The page is cut into blocks (blocks.c), each block is described by a row of numbers (features.c), a forest of trees
// says whether it is body (forest.c, trained by train/), rules settle the edges and name why the rest was cut
// (verdict.c). Title, byline, date and the marks of news wires come from what the page declares and from the
// lines that were cut. What the input already says is never overwritten.
#include "services/clean/clean.h"

#include "services/clean/body.h"

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

static enum status clean_content(const struct model *model, const struct article *article,
                                 struct notes *notes, struct explain *explain)
{
    struct reading reading;
    struct body body;
    bool is_html = reading_is_html(article->content, article->content_type);
    reading_make(&reading, article->arena, article->content, is_html, article->title,
                 &model->tables);
    struct verdict *verdicts =
        verdict_all(&reading, is_html ? model->html : model->plain, &model->tables.phrases);
    if (!verdicts) {
        return ERR_LIMIT;
    }
    body_join(&body, &reading, verdicts);
    notes_text(notes, article->arena, body.text);
    notes_string(notes, "text", body.text);
    note_headings(notes, &body.headings);
    if (article->title.len == 0 && reading.about.title.len > 0) {
        notes_string(notes, "title", reading.about.title);
        explain_add(explain, "clean", "title", reading.about.title, "from %s",
                    reading.title_source);
    }
    body_note_removed(&reading, verdicts, notes);
    body_explain(&reading, verdicts, explain);
    return OK;
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    if (article->has_text || article->content.len == 0) {
        return OK;
    }
    return clean_content(model, article, notes, explain);
}

const struct stage clean_stage = {
    .name = "clean",
    .version = "1.0.0",
    .needs = "article",
    .load = load,
    .run = run,
    .unload = unload,
};
