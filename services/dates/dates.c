// The dates stage: time expressions of the body with their TIMEX3 values.
//
//   text -> scan.c     pieces: words, numbers and marks, each looked up once
//        -> grammar.c  islands of time words, reduced by the rules of rules.c to expressions
//        -> resolve.c  each expression gets its value from the anchor, the clause (cues.c) or what was said before
//        -> filter.c   what only looks like a time is dropped
#include "services/dates/dates.h"

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
    notes_end(notes);
}

// Resolves the expressions of an island in reading order and notes those that pass the filter.
static void judge_island(struct resolver *resolver, const struct island *island,
                         struct notes *notes, struct explain *explain)
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
        const char *refusal = filter_refuses(resolver, island, i, &result);
        if (refusal) {
            explain_add(explain, "dates", rule, about, "dropped: %s", refusal);
            continue;
        }
        explain_add(explain, "dates", rule, about, "%s %s anchored on %s%s", result.type,
                    result.value, result.anchored_on,
                    result.cue == CUE_FUTURE ? ", future clause" : "");
        note_date(notes, resolver, span, &result);
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
    if (!island) {
        return ERR_LIMIT;
    }
    if (calendar_parse(article->published_at, &published)) {
        resolver.has_anchor = true;
        resolver.anchor = calendar_day(published.date);
    }
    scan_text(&pieces, article->arena, lexicon, article->text);
    resolver.narrative = is_history(&resolver, explain);
    notes_array(notes, "dates");
    while (grammar_next_island(lexicon, &pieces, article->text, day_first, &at, island)) {
        grammar_reduce(model->grammar, island);
        judge_island(&resolver, island, notes, explain);
    }
    notes_end(notes);
    return OK;
}

const struct stage dates_stage = {
    .name = "dates",
    .version = "0.1.0",
    .needs = "clean",
    .load = load,
    .run = run,
    .unload = unload,
};
