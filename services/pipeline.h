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
void pipeline_close(struct pipeline *pipeline);

// Runs stage `i` on the article and returns its section: what the stage noted, and its entry under `stages`
// with status, version and ms. A stage that fails gives a section with status "failed" and the
// reason; the article goes on without it. `*section` borrows from `notes` until its next use.
// Returns what the stage returned.
enum status pipeline_run_stage(const struct pipeline *pipeline, size_t i, struct article *article,
                               struct notes *notes, struct explain *explain, struct view *section,
                               struct error *why);

// Runs all chosen stages in order and merges their sections. A stage whose needs failed is
// noted as skipped. ERR_LIMIT or ERR_FORMAT when a section cannot be merged: the article is then unusable.
// `*failed` counts stages that did not end ok.
MUST_CHECK enum status pipeline_run(const struct pipeline *pipeline, struct article *article,
                                    struct notes *notes, struct explain *explain, int *failed,
                                    struct error *why);

#endif
