// The dates stage: time expressions of the body with their TIMEX3 values.
//
//   text -> scan.c     pieces: words, numbers and marks, each looked up once
//        -> grammar.c  islands of time words, reduced by the rules of rules.c to expressions
//        -> resolve.c  each expression gets its value from the anchor, the clause (cues.c) or what was said before
//        -> filter.c   what only looks like a time is dropped
#include "services/dates/dates.h"

#include "services/dates/conflict.h"
#include "services/dates/filter.h"
#include "services/dates/narrative.h"
#include "services/dates/resolve.h"

#include <stdio.h>
#include <stdlib.h>

// The languages with a list tables/words_LANG.txt. The first is taken when the article names none or another one.
static const char *const languages[] = {"en", "de", "es", "fr", "it", "nl", "pt"};

enum { LANGUAGE_COUNT = sizeof languages / sizeof languages[0] };

struct model {
    struct table *table;
    struct lexicon words[LANGUAGE_COUNT];
    struct grammar *grammar;
};

static void unload(struct model *model)
{
    if (model) {
        grammar_free(model->grammar);
        for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
            lexicon_clear(&model->words[i]);
        }
        table_close(model->table);
        free(model);
    }
}

static enum status load_words(struct model *model, struct error *why)
{
    enum status status = OK;
    for (size_t i = 0; i < LANGUAGE_COUNT && status == OK; i++) {
        struct table_list list;
        char name[16];
        (void)snprintf(name, sizeof name, "words_%s", languages[i]);
        status = table_find_list(model->table, name, &list, why);
        if (status == OK) {
            status = lexicon_load(&model->words[i], &list, why);
        }
    }
    return status;
}

static enum status load(struct model **out, const char *folder, struct error *why)
{
    struct model *model = calloc(1, sizeof *model);
    *out = NULL;
    if (!model) {
        return error_set(why, ERR_MEMORY, "no memory for the dates stage");
    }
    enum status status = table_open(&model->table, folder, "dates", why);
    if (status == OK) {
        status = load_words(model, why);
    }
    if (status == OK) {
        status = grammar_new(&model->grammar, why);
    }
    if (status != OK) {
        unload(model);
        return status;
    }
    *out = model;
    return OK;
}

static struct view span_text(const struct resolver *resolver, const struct frame *frame,
                             struct span *span)
{
    *span = (struct span){resolver->pieces->at[frame->first].start,
                          resolver->pieces->at[frame->last].end};
    return view_at(resolver->text, *span);
}

static const char *mod_name(enum mod mod)
{
    static const char *const names[MOD_COUNT] = {
        [MOD_START] = "START",
        [MOD_MID] = "MID",
        [MOD_END] = "END",
        [MOD_APPROX] = "APPROX",
        [MOD_BEFORE] = "BEFORE",
        [MOD_AFTER] = "AFTER",
        [MOD_LESS_THAN] = "LESS_THAN",
        [MOD_MORE_THAN] = "MORE_THAN",
        [MOD_EQUAL_OR_LESS] = "EQUAL_OR_LESS",
        [MOD_EQUAL_OR_MORE] = "EQUAL_OR_MORE",
        [MOD_ON_OR_BEFORE] = "ON_OR_BEFORE",
        [MOD_ON_OR_AFTER] = "ON_OR_AFTER",
    };
    return names[mod];
}

static void note_string(struct notes *notes, const char *key, const char *value)
{
    if (value && *value) {
        notes_string(notes, key, view_of(value));
    }
}

static void note_date(struct notes *notes, const struct resolver *resolver, struct span span,
                      const struct result *result)
{
    char anchor[CALENDAR_TEXT_SIZE] = "";
    if (resolver->has_anchor && strcmp(result->anchored_on, "published") == 0) {
        struct instant day = {.date = calendar_civil(resolver->anchor)};
        (void)calendar_format(&day, anchor);
    }
    notes_object(notes, NULL);
    notes_span(notes, span);
    notes_string(notes, "text", view_at(resolver->text, span));
    notes_string(notes, "type", view_of(result->type));
    notes_string(notes, "value", view_of(result->value));
    note_string(notes, "mod", mod_name(result->mod));
    note_string(notes, "quant", result->quant);
    note_string(notes, "freq", result->freq);
    note_string(notes, "anchor", anchor);
    note_string(notes, "rel", result->relation);
    notes_decimal(notes, "confidence", result->confidence, 2);
    notes_end(notes);
}

// The spans that speak against the day of publication, or for another one.
static void note_spans(struct notes *notes, const struct resolver *resolver, const char *key,
                       const struct span *spans, size_t count)
{
    notes_array(notes, key);
    for (size_t i = 0; i < count; i++) {
        notes_object(notes, NULL);
        notes_span(notes, spans[i]);
        notes_string(notes, "text", view_at(resolver->text, spans[i]));
        notes_end(notes);
    }
    notes_end(notes);
}

static void note_civil(struct notes *notes, const char *key, struct civil date)
{
    char text[32];
    int len = date.year
                  ? snprintf(text, sizeof text, "%04d-%02d-%02d", date.year, date.month, date.day)
                  : snprintf(text, sizeof text, "XXXX-%02d-%02d", date.month, date.day);
    notes_string(notes, key, (struct view){text, (size_t)len});
}

static void note_conflict(struct notes *notes, const struct resolver *resolver,
                          const struct tells *tells, struct explain *explain)
{
    struct span spans[8];
    size_t count = conflict_find(tells, resolver->anchor, spans, sizeof spans / sizeof spans[0]);
    for (size_t i = 0; i < count; i++) {
        explain_add(explain, "dates", "conflict", view_at(resolver->text, spans[i]),
                    "cannot be said on the day of publication");
    }
    if (count > 0) {
        notes_bool(notes, "date_conflict", true);
        note_spans(notes, resolver, "date_conflict_reasons", spans, count);
    }
}

static void note_inferred(struct notes *notes, const struct resolver *resolver,
                          const struct tells *tells, bool has_bound, int32_t not_after)
{
    struct inferred inferred;
    if (!conflict_infer(tells, has_bound, not_after, &inferred)) {
        return;
    }
    notes_object(notes, "published_at_inferred");
    note_civil(notes, "earliest", inferred.earliest);
    note_civil(notes, "latest", inferred.latest);
    if (inferred.candidate_count > 0) {
        notes_array(notes, "candidates");
        for (size_t i = 0; i < inferred.candidate_count; i++) {
            note_civil(notes, NULL, inferred.candidates[i]);
        }
        notes_end(notes);
    }
    note_spans(notes, resolver, "reasons", inferred.reasons, inferred.reason_count);
    notes_end(notes);
}

// Resolves the expressions of an island in reading order and notes those that pass the filter.
static void judge_island(struct resolver *resolver, const struct island *island,
                         struct tells *tells, struct notes *notes, struct explain *explain)
{
    for (size_t i = 0; i < island->len; i++) {
        const struct sense *sense = &island->items[i].senses[0];
        bool expression = island->items[i].count == 1 && sense->class >= CLASS_DATED &&
                          sense->class <= CLASS_REFFED;
        if (!expression) {
            continue;
        }
        const struct frame *frame = &island->frames[sense->value];
        struct result result;
        struct span span;
        struct view about = span_text(resolver, frame, &span);
        const char *rule = dates_rules[frame->rule - 1].pattern;
        resolve_frame(resolver, island, (size_t)sense->value, &result);
        const char *refusal = filter_refuses(resolver, frame, &result);
        if (refusal) {
            explain_add(explain, "dates", rule, about, "dropped: %s", refusal);
            continue;
        }
        explain_add(explain, "dates", rule, about, "%s %s anchored on %s%s", result.type,
                    result.value, result.anchored_on,
                    result.cue == CUE_FUTURE ? ", future clause" : "");
        note_date(notes, resolver, span, &result);
        conflict_tell(tells, resolver, frame, span);
        bool told = !resolver->narrative || strcmp(result.anchored_on, "published") != 0;
        if (result.is_point && told) {
            resolver->last = result.moment;
            resolver->has_last = true;
            if (frame->op == OP_YEARPART && result.moment.grain == GRAIN_QUARTER) {
                resolver->quarter = result.moment;
                resolver->has_quarter = true;
            }
        }
    }
}

static bool is_history(const struct resolver *resolver, struct explain *explain)
{
    int32_t year = resolver->has_anchor ? calendar_civil(resolver->anchor).year : MOMENT_UNKNOWN;
    struct tempo tempo = narrative_tempo(resolver->lexicon, resolver->pieces, resolver->text, year);
    bool history = narrative_is_history(tempo);
    if (history) {
        explain_add(explain, "dates", "narrative", VIEW(""),
                    "%u far years, %u near: months hang on the year last spoken of", tempo.far,
                    tempo.near);
    }
    return history;
}

static size_t language_of(struct view lang)
{
    for (size_t i = 0; i < LANGUAGE_COUNT; i++) {
        if (view_starts_nocase(lang, view_of(languages[i])) &&
            (lang.len == 2 || lang.at[2] == '-')) {
            return i;
        }
    }
    return 0;
}

// 4/5/2020 is April in the United States and where an English text does not say; elsewhere it is May.
static bool is_day_first(struct view lang)
{
    return lang.len > 0 && !view_equal_nocase(lang, VIEW("en")) &&
           !view_equal_nocase(lang, VIEW("en-us"));
}

// The day the page was rendered, from the line that clean cut out: no story is written after that.
static bool rendered_on(const struct model *model, const struct article *article, int32_t *day)
{
    for (size_t i = 0; i < article->removed_count; i++) {
        const struct removed *removed = &article->removed[i];
        struct pieces pieces = {0};
        struct island *island = arena_alloc(article->arena, sizeof *island);
        size_t at = 0;
        if (!island || !view_equal(removed->reason, VIEW("render_date"))) {
            continue;
        }
        scan_text(&pieces, article->arena, &model->words[0], removed->text);
        struct resolver resolver = {
            .lexicon = &model->words[0], .pieces = &pieces, .text = removed->text};
        while (island_next(&model->words[0], &pieces, removed->text, false, &at, island)) {
            grammar_reduce(model->grammar, island);
            for (size_t k = 1; k < island->frame_count; k++) {
                struct result result;
                resolve_frame(&resolver, island, k, &result);
                if (result.is_point && result.moment.grain == GRAIN_DAY &&
                    moment_first_day(&result.moment, day)) {
                    return true;
                }
            }
        }
    }
    return false;
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    struct pieces pieces = {0};
    struct instant published;
    const struct lexicon *lexicon = &model->words[language_of(article->lang)];
    bool day_first = is_day_first(article->lang);
    struct resolver resolver = {.lexicon = lexicon,
                                .pieces = &pieces,
                                .text = article->text,
                                .is_english = language_of(article->lang) == 0};
    struct island *island = arena_alloc(article->arena, sizeof *island);
    size_t at = 0;
    struct tells tells = {arena_zalloc(article->arena, TELL_LIMIT, sizeof *tells.at), 0};
    if (!island || !tells.at) {
        return ERR_LIMIT;
    }
    if (calendar_parse(article->published_at, &published)) {
        resolver.has_anchor = true;
        resolver.anchor = calendar_day(published.date);
    }
    scan_text(&pieces, article->arena, lexicon, article->text);
    resolver.narrative = is_history(&resolver, explain);
    notes_array(notes, "dates");
    while (island_next(lexicon, &pieces, article->text, day_first, &at, island)) {
        grammar_reduce(model->grammar, island);
        judge_island(&resolver, island, &tells, notes, explain);
    }
    notes_end(notes);
    if (resolver.has_anchor) {
        note_conflict(notes, &resolver, &tells, explain);
    } else {
        int32_t rendered = 0;
        bool has_bound = rendered_on(model, article, &rendered);
        note_inferred(notes, &resolver, &tells, has_bound, rendered);
    }
    return OK;
}

const struct stage dates_stage = {
    .name = "dates",
    .version = "1.0.0",
    .needs = "clean",
    .load = load,
    .run = run,
    .unload = unload,
};
