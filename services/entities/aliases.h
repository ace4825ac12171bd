// Links the names of one article that mean the same: surname and full name, initialism and long name,
// company with and without its legal form, country and its other names.
//
// The rules are the safe half of what is possible: a link needs a shared word and nothing that speaks against
// it. Two people with different given names are never linked.
#ifndef COPYDESK_ENTITIES_ALIASES_H
#define COPYDESK_ENTITIES_ALIASES_H

#include "common/explain.h"
#include "services/entities/words.h"

// One distinct name of the article: a type and the words it is written with.
struct name {
    enum entity_type type;
    uint32_t first, end; // tokens of the occurrence that stands for it
    uint32_t into;       // index of the name it means; its own index when it stands for itself
};

struct names {
    struct name *at;
    size_t len, cap;
};

// The key under which spellings of one name fall together: without case, periods, plural s of groups, and by
// the common name of a country.
uint64_t aliases_key(const struct words *words, enum entity_type type, uint32_t first,
                     uint32_t end);

// Sets `into` of every name. On entry all names stand for themselves and have different keys. Memory from
// `arena`; near linear. `explain` may be NULL.
void aliases_link(struct names *names, const struct words *words, struct arena *arena,
                  struct explain *explain);

// The name at the end of the chain of `into`.
uint32_t aliases_root(struct names *names, uint32_t name);

#endif
