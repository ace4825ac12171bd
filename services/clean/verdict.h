// Decides for every block whether it is body, and why it is cut when it is not.
#ifndef COPYDESK_CLEAN_VERDICT_H
#define COPYDESK_CLEAN_VERDICT_H

#include "services/clean/forest.h"
#include "services/clean/reading.h"

enum { VERDICT_REASON_LIMIT = 16 };

struct verdict {
    bool keep;
    bool heading;       // a kept subhead
    float score;        // log-odds of the model
    const char *reason; // why it is cut: a reason of proto/article.schema.json; NULL when kept
    const char *rule;   // what decided: "model" or the name of a rule, for --explain
};

// Cuts block `i` by a rule that knows better than the model. Reason and rule are literals.
void verdict_cut(struct verdict *verdicts, size_t i, const char *reason, const char *rule);

// Marks subheads anew after blocks were cut or kept by rules.
void verdict_settle(const struct reading *reading, struct verdict *verdicts);

// Mixes the log-odds of blocks that stand in the same kind of place (tag and classes, three levels) with their mean:
// what the page repeats is kept or cut as one. `scores` has `count` entries, as have `signatures`.
void verdict_pool(struct arena *arena, float *scores, const uint32_t *signatures, size_t count);

// One verdict per block, in the page's arena; NULL when it is full.
// A page that has sentences never loses all of them: then the likeliest blocks stay.
struct verdict *verdict_all(const struct reading *reading, const struct forest *forest,
                            const struct table_list *phrases);

#endif
