// Runs stages in this process: all of them for `copydesk enrich`, one for a worker.
#ifndef COPYDESK_PIPELINE_H
#define COPYDESK_PIPELINE_H

#include "services/stages.h"

// The models of the chosen stages. Read-only once open; any number of threads may run it.
struct pipeline {
    uint32_t chosen; // bit i: stages[i]
    struct model *models[STAGE_LIMIT];
};

// The folder with tables and models: $COPYDESK_DATA, else ../share/copydesk beside the program.
// Never fails; opening the stages tells when nothing is there. Writes at most `size` bytes to `out`.
void pipeline_data_folder(char *out, size_t size);

// Loads the models of the stages in `list` (names separated by commas or white space; empty: all) and of the
// stages these need. ERR_USAGE names an unknown stage and suggests; ERR_CONFIG when a model is missing.
MUST_CHECK enum status pipeline_open(struct pipeline *pipeline, struct view list,
                                     const char *folder, struct error *why);

// The set of the stages in `list`, as above, without those they need.
MUST_CHECK enum status pipeline_choose(uint32_t *chosen, struct view list, struct error *why);

// Loads the models of the chosen stages alone, for pipeline_run_stage. ERR_CONFIG when one is missing.
MUST_CHECK enum status pipeline_open_chosen(struct pipeline *pipeline, uint32_t chosen,
                                            const char *folder, struct error *why);
void pipeline_close(struct pipeline *pipeline);

// How an article came to the stage, for the stage's entry under `stages`. In one process there is none: NULL.
struct delivery {
    uint32_t attempt;   // from 1
    uint32_t queue_ms;  // waited in the stage's queue
    const char *worker; // name of the process that ran the stage
};

// Runs stage `i` on the article and returns its section: what the stage noted, and its entry under `stages`
// with status, version, ms and what `delivery` tells. A stage that fails gives a section with status "failed" and the
// reason; the article goes on without it. A stage that needs the text of an article that has none is noted as
// skipped (ERR_NOT_FOUND). `*section` borrows from `notes` until its next use.
// Returns what the stage returned.
enum status pipeline_run_stage(const struct pipeline *pipeline, size_t i, struct article *article,
                               struct notes *notes, struct explain *explain,
                               const struct delivery *delivery, struct view *section,
                               struct error *why);

// Runs all chosen stages in order and merges their sections. A stage whose needs failed is
// noted as skipped. ERR_LIMIT or ERR_FORMAT when a section cannot be merged: the article is then unusable.
// `*failed` counts stages that did not end ok.
MUST_CHECK enum status pipeline_run(const struct pipeline *pipeline, struct article *article,
                                    struct notes *notes, struct explain *explain, int *failed,
                                    struct error *why);

#endif
