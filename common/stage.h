// A stage is a function: an article goes in, notes come out.
//
// No files, clocks, environment, randomness or statics inside `run`; the model is loaded once and
// read-only after, shared by threads. So a stage runs the same in a test, in `copydesk enrich`, and in
// a hundred containers, and running it twice gives the same bytes.
//
// A new stage is services/NAME/NAME.[ch] exporting `const struct stage NAME_stage`, plus one line in
// services/stages.c.
#ifndef COPYDESK_STAGE_H
#define COPYDESK_STAGE_H

#include "common/article.h"
#include "common/explain.h"
#include "common/notes.h"

struct model; // each stage defines its own

struct stage {
    const char *name;    // "dates"; also the name of the queue it serves
    const char *version; // raised whenever the same input may give another output
    const char *needs;   // what must be merged before: "article", "clean", "clean entities"

    // Maps the stage's tables and models, found as `folder`/NAME.*. The caller unloads.
    // ERR_CONFIG when a file is missing, ERR_VERSION when it is of another version.
    enum status (*load)(struct model **model, const char *folder, struct error *why);

    // Reads `article` (see its fields in common/article.h; `segments` are made unless the stage needs only
    // "article") and writes its section into `notes`. Temporary memory comes from article->arena.
    // `explain` may be NULL. Linear in the article. Fails only when the article cannot be judged:
    // ERR_LIMIT, ERR_FORMAT; an article with nothing to note is OK with empty notes.
    enum status (*run)(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain);

    void (*unload)(struct model *model); // NULL is fine
};

#endif
