// One name, one type: what is written the same means the same within an article.
#ifndef COPYDESK_ENTITIES_CONSISTENCY_H
#define COPYDESK_ENTITIES_CONSISTENCY_H

#include "services/entities/tagger.h"

// Gives all mentions with the same words, compared without case, the type that most of their chance is for.
// In news 99 names in 100 that are repeated keep their type. Near linear; memory from `arena`.
void consistency_settle(const struct words *words, struct arena *arena, struct mentions *mentions,
                        struct explain *explain);

#endif
