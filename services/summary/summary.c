#include "services/summary/summary.h"

#include "services/summary/choose.h"
#include "services/summary/faults.h"

#include <stdio.h>
#include <stdlib.h>

enum { CONTRIBUTIONS = 3 };

struct model {
    struct lists lists;
    struct sentence_weights sentence_weights;
    struct sentence_weights standfirst_weights;
    struct summary_weights summary_weights;
};

static void unload(struct model *model)
{
    if (model) {
        lists_close(&model->lists);
        free(model);
    }
}

static enum status load(struct model **model, const char *folder, struct error *why)
{
    struct model *loaded = calloc(1, sizeof *loaded);
    if (!loaded) {
        return error_set(why, ERR_MEMORY, "no memory for the summary stage");
    }
    enum status status = lists_open(&loaded->lists, folder, why);
    if (status == OK) {
        status = rate_load(&loaded->sentence_weights, &loaded->lists, "sentence", why);
    }
    if (status == OK) {
        status = rate_load(&loaded->standfirst_weights, &loaded->lists, "standfirst", why);
    }
    if (status == OK) {
        status = choose_load(&loaded->summary_weights, &loaded->lists, why);
    }
    if (status != OK) {
        unload(loaded);
        return status;
    }
    *model = loaded;
    return OK;
}

// The weighted features that lifted a sentence most over the average one of its story.
static void explain_sentence(struct explain *explain, const struct model *model,
                             const struct story *story, const struct rating *ratings,
                             uint32_t chosen)
{
    double gains[SENTENCE_FEATURE_COUNT] = {0};
    char detail[300] = "";
    uint32_t rank = 1;
    for (uint32_t i = 0; i < story->usable; i++) {
        rank += ratings[i].score > ratings[chosen].score;
        for (int f = 0; f < SENTENCE_FEATURE_COUNT; f++) {
            gains[f] += model->sentence_weights.at[f] *
                        (ratings[chosen].features[f] - ratings[i].features[f]) / story->usable;
        }
    }
    for (int n = 0; n < CONTRIBUTIONS; n++) {
        int most = 0;
        for (int f = 1; f < SENTENCE_FEATURE_COUNT; f++) {
            most = gains[f] > gains[most] ? f : most;
        }
        if (gains[most] <= 0) {
            break;
        }
        size_t used = strlen(detail);
        snprintf(detail + used, sizeof detail - used, " %s %+.2f",
                 sentence_feature_name((enum sentence_feature)most), gains[most]);
        gains[most] = 0;
    }
    explain_add(explain, "summary", "chosen",
                view_at(story->article->text, story->sentences[ratings[chosen].sentence].span),
                "rank %u of %u, score %.2f%s%s", rank, story->usable, ratings[chosen].score,
                detail[0] ? ":" : "", detail);
}

static void explain_refused(struct explain *explain, const struct story *story,
                            const struct rating *ratings, const struct choice *choice)
{
    for (int gate = GATE_NONE + 1; gate < GATE_LIMIT; gate++) {
        const struct candidate *refused = choice->refused[gate];
        if (refused) {
            uint32_t first = ratings[refused->members[0]].sentence;
            explain_add(explain, "summary", "refused",
                        view_at(story->article->text, story->sentences[first].span),
                        "and %u more: %s; score %.2f against %.2f", refused->count - 1,
                        gate_name((enum gate)gate), refused->score, choice->best->score);
        }
    }
}

static void explain_faults(struct explain *explain, const struct story *story)
{
    for (uint32_t i = 0; i < story->count; i++) {
        const struct sentence *sentence = &story->sentences[i];
        if (sentence->fault != FAULT_NONE) {
            explain_add(explain, "summary", "unusable",
                        view_at(story->article->text, sentence->span), "%s",
                        fault_name(sentence->fault));
        }
    }
}

static void explain_choice(struct explain *explain, const struct model *model,
                           const struct story *story, const struct rating *ratings,
                           const struct choice *choice)
{
    if (!explain) {
        return;
    }
    for (uint32_t i = 0; i < choice->best->count; i++) {
        explain_sentence(explain, model, story, ratings, choice->best->members[i]);
    }
    explain_refused(explain, story, ratings, choice);
}

static void note_empty(struct notes *notes, const char *reason)
{
    notes_object(notes, "summary");
    notes_string(notes, "text", VIEW(""));
    notes_array(notes, "sentences");
    notes_end(notes);
    notes_string(notes, "method", VIEW("extractive"));
    notes_string(notes, "reason", view_of(reason));
    notes_end(notes);
}

// What run has found.
struct finding {
    const struct candidate *summary;
    const struct rating *standfirst; // may be NULL
};

static void note_standfirst(struct notes *notes, const struct story *story,
                            const struct rating *standfirst)
{
    if (standfirst) {
        struct span span = story->sentences[standfirst->sentence].span;
        notes_object(notes, "standfirst");
        notes_string(notes, "text", view_at(story->article->text, span));
        notes_span(notes, span);
        notes_end(notes);
    }
}

static bool note_finding(struct notes *notes, const struct story *story,
                         const struct rating *ratings, const struct finding *finding)
{
    struct view text = story->article->text;
    const struct candidate *best = finding->summary;
    struct buf joined;
    buf_init(&joined, text.len + CHOICE_SENTENCES);
    notes_object(notes, "summary");
    for (uint32_t i = 0; i < best->count; i++) {
        buf_add(&joined, i > 0 ? VIEW(" ") : VIEW(""));
        buf_add(&joined, view_at(text, story->sentences[ratings[best->members[i]].sentence].span));
    }
    notes_string(notes, "text", buf_view(&joined));
    bool whole = !joined.full;
    buf_clear(&joined);
    notes_array(notes, "sentences");
    for (uint32_t i = 0; i < best->count; i++) {
        notes_object(notes, NULL);
        notes_span(notes, story->sentences[ratings[best->members[i]].sentence].span);
        notes_end(notes);
    }
    notes_end(notes);
    note_standfirst(notes, story, finding->standfirst);
    notes_string(notes, "method", VIEW("extractive"));
    notes_end(notes);
    return whole;
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    struct story story;
    struct choice choice;
    if (!story_read(&story, article, &model->lists)) {
        return ERR_LIMIT;
    }
    if (story.count == 0) {
        note_empty(notes, "no text");
        return OK;
    }
    faults_mark(&story);
    explain_faults(explain, &story);
    if (story.usable == 0) {
        note_empty(notes, "no usable sentence");
        return OK;
    }
    struct rating *ratings = rate_sentences(&story, &model->sentence_weights);
    if (!ratings || !choose_summary(&choice, &story, ratings, &model->summary_weights)) {
        return ERR_LIMIT;
    }
    if (!choice.best) {
        note_empty(notes, "no usable sentence");
        return OK;
    }
    explain_choice(explain, model, &story, ratings, &choice);
    struct finding finding = {choice.best,
                              choose_standfirst(&story, ratings, &model->standfirst_weights)};
    return note_finding(notes, &story, ratings, &finding) ? OK : ERR_MEMORY;
}

const struct stage summary_stage = {
    .name = "summary",
    .version = "1.2.0",
    .needs = "clean entities",
    .load = load,
    .run = run,
    .unload = unload,
};
