#include "services/stages.h"

#include "services/clean/clean.h"
#include "services/dates/dates.h"
#include "services/entities/entities.h"
#include "services/summary/summary.h"

#include <assert.h>

// A new stage is one line here; its needs must stand above it.
#define STAGES                                                                                     \
    X(clean)                                                                                       \
    X(entities)                                                                                    \
    X(dates)                                                                                       \
    X(summary)

#define X(name) &name##_stage,
const struct stage *const stages[] = {STAGES};
#undef X

const size_t stage_count = sizeof stages / sizeof stages[0];
static_assert(sizeof stages / sizeof stages[0] <= STAGE_LIMIT, "stage sets are 32-bit masks");

const struct stage *stage_find(struct view name)
{
    for (size_t i = 0; i < stage_count; i++) {
        if (view_equal(name, view_of(stages[i]->name))) {
            return stages[i];
        }
    }
    return NULL;
}

bool stage_list_has(const char *list, struct view name)
{
    struct view rest = view_of(list);
    struct view word;
    while (view_next_word(&rest, &word)) {
        if (view_equal(word, name)) {
            return true;
        }
    }
    return false;
}
