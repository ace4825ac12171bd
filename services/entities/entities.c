// The entities stage: names of people, organisations, places, facilities, groups, products and other
// things, and amounts of money.
//
//     words.c       what each token is, how its word is used in the article (lists: lexicon.c)
//     money.c       amounts, by rules
//     candidates.c  where names can stand
//     clusters.c    which words are used alike
//     features.c    what there is to say about a candidate; weights.c: what that is worth (trained)
//     lattice.c     decides a run; tagger.c decides the article
//     consistency.c one name, one type
//     foreign.c     what remains of that in other languages
//     groups.c      which mentions name the same thing (aliases.c)
#include "services/entities/entities.h"

#include "services/entities/consistency.h"
#include "services/entities/foreign.h"
#include "services/entities/groups.h"
#include "services/entities/lexicon.h"
#include "services/entities/money.h"
#include "services/entities/tagger.h"

#include <stdlib.h>

struct model {
    struct lexicon *lexicon;
    struct clusters clusters;
    struct weights weights;
};

static void unload(struct model *model)
{
    if (model) {
        weights_close(&model->weights);
        clusters_close(&model->clusters);
        lexicon_free(model->lexicon);
        free(model);
    }
}

static enum status load(struct model **out, const char *folder, struct error *why)
{
    struct model *model = calloc(1, sizeof *model);
    enum status status = model ? lexicon_open(&model->lexicon, folder, why)
                               : error_set(why, ERR_MEMORY, "no memory for the entities model");
    if (status == OK) {
        status = clusters_open(&model->clusters, folder, why);
    }
    if (status == OK) {
        status = weights_open(&model->weights, folder, why);
    }
    if (status != OK) {
        unload(model);
        model = NULL;
    }
    *out = model;
    return status;
}

static void note_group(struct notes *notes, const struct article *article,
                       const struct group *group)
{
    notes_object(notes, NULL);
    notes_string(notes, "type", view_of(entity_type_name(group->type)));
    notes_string(notes, "name", view_at(article->text, group->name));
    notes_array(notes, "mentions");
    for (size_t i = 0; i < group->mentions.len; i++) {
        notes_object(notes, NULL);
        notes_span(notes, group->mentions.at[i]);
        notes_end(notes);
    }
    notes_end(notes);
    notes_decimal(notes, "confidence", group->confidence, 2);
    notes_decimal(notes, "relevance", group->relevance, 2);
    notes_string(notes, "rel", group->about ? VIEW("about") : VIEW("mentions"));
    notes_end(notes);
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    const struct knowledge knowledge = {model->lexicon, &model->clusters};
    struct words words;
    struct spans amounts = {0};
    struct mentions mentions = {0};
    struct groups groups = {0};

    if (!words_read(&words, knowledge, article)) {
        return ERR_LIMIT;
    }
    money_find(&words, article->arena, &amounts);
    tagger_find(&model->weights, &words, article->arena, explain, &mentions);
    consistency_settle(&words, article->arena, &mentions, explain);
    if (foreign_is(&words, article->lang)) {
        foreign_keep_listed(&words, &mentions, explain);
    }
    groups_make(&groups, &words, article, &amounts, &mentions, explain);
    notes_array(notes, "entities");
    for (size_t i = 0; i < groups.len; i++) {
        note_group(notes, article, &groups.at[i]);
    }
    notes_end(notes);
    return arena_is_full(article->arena) ? ERR_LIMIT : OK;
}

const struct stage entities_stage = {
    .name = "entities",
    .version = "0.3.0",
    .needs = "clean",
    .load = load,
    .run = run,
    .unload = unload,
};
