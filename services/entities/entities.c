#include "services/entities/entities.h"

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

const struct stage entities_stage = {
    .name = "entities",
    .version = "0.1.0",
    .needs = "clean",
    .load = load,
    .run = run,
    .unload = unload,
};
