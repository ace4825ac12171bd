#include "services/clean/clean.h"

static enum status load(struct model **model, const char *folder, struct error *why)
{
    (void)folder;
    (void)why;
    *model = NULL;
    return OK;
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    (void)model;
    (void)article;
    (void)notes;
    (void)explain;
    return OK;
}

static void unload(struct model *model)
{
    (void)model;
}

const struct stage clean_stage = {
    .name = "clean",
    .version = "0.1.0",
    .needs = "article",
    .load = load,
    .run = run,
    .unload = unload,
};
