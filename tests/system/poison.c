// A worker for tests whose stage "poison" does what the text of an article says: so that what contains a bad stage can be
// tested without a bad stage in the program. Started as `copydesk worker` is: poison worker poison --broker ADDRESS. The stage
// "calm" does nothing; poison can run along with it.
//
//     SEGFAULT ABORT RECURSE   crashes          HANG   never ends
//     LEAK                     loses 16 MB      SLOW   takes 5 ms of CPU time
#include "common/clock.h"
#include "services/stages.h"
#include "services/worker.h"

#include <stdlib.h>

enum { LEAK_BYTES = 16 << 20, SLOW_US = 5000 };

static bool says(const struct article *article, struct view word)
{
    return view_find(article->text, word, 0) < article->text.len;
}

static enum status load(struct model **model, const char *folder, struct error *why)
{
    (void)folder;
    (void)why;
    *model = NULL;
    return OK;
}

static void unload(struct model *model)
{
    (void)model;
}

// Until the stack ends.
static int recurse(const volatile bool *ever)
{
    volatile char room[1024];
    room[0] = *ever;
    return *ever ? recurse(ever) + room[0] : 0;
}

static bool leak(void)
{
    char *lost = malloc(LEAK_BYTES);
    if (lost) {
        memset(lost, 1, LEAK_BYTES);
    }
    return lost != NULL;
}

static void burn(void)
{
    int64_t end_us = clock_thread_cpu_us() + SLOW_US;
    while (clock_thread_cpu_us() < end_us) {
    }
}

static enum status run(const struct model *model, const struct article *article,
                       struct notes *notes, struct explain *explain)
{
    volatile int *volatile nowhere =
        (volatile int *)16; // and not NULL: of that a sanitizer would tell in its own way
    volatile bool ever = true;
    (void)model;
    (void)notes;
    (void)explain;
    if (says(article, VIEW("SEGFAULT"))) {
        *nowhere = 1;
    } else if (says(article, VIEW("ABORT"))) {
        abort();
    } else if (says(article, VIEW("RECURSE"))) {
        return recurse(&ever) ? OK : ERR_FORMAT;
    } else if (says(article, VIEW("LEAK"))) {
        return leak() ? OK : ERR_MEMORY;
    } else if (says(article, VIEW("SLOW"))) {
        burn();
    }
    while (ever && says(article, VIEW("HANG"))) {
    }
    return OK;
}

static enum status run_calm(const struct model *model, const struct article *article,
                            struct notes *notes, struct explain *explain)
{
    (void)model;
    (void)article;
    (void)notes;
    (void)explain;
    return OK;
}

static const struct stage calm_stage = {.name = "calm",
                                        .version = "1",
                                        .needs = "article",
                                        .load = load,
                                        .run = run_calm,
                                        .unload = unload};

static const struct stage poison_stage = {.name = "poison",
                                          .version = "1",
                                          .needs = "article",
                                          .load = load,
                                          .run = run,
                                          .unload = unload};

// In place of services/stages.c.
const struct stage *const stages[] = {&calm_stage, &poison_stage};
const size_t stage_count = 2;

const struct stage *stage_find(struct view name)
{
    return view_equal(name, VIEW("poison")) ? &poison_stage
           : view_equal(name, VIEW("calm")) ? &calm_stage
                                            : NULL;
}

bool stage_list_has(const char *list, struct view name)
{
    return view_equal(view_of(list), name);
}

int main(int argc, char **argv)
{
    return worker_main(argc - 1, argv + 1);
}
