// The stages this program is built with, in the order they run in one process.
#ifndef COPYDESK_STAGES_H
#define COPYDESK_STAGES_H

#include "common/stage.h"

enum { STAGE_LIMIT = 32 };

extern const struct stage *const stages[];
extern const size_t stage_count;

// The stage called `name`, or NULL.
const struct stage *stage_find(struct view name);

// True when `list` ("clean entities", separated by white space) holds `name`.
bool stage_list_has(const char *list, struct view name);

#endif
