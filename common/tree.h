// One JSON object as a tree that loses nothing of the text it was made from. Hides what cJSON does otherwise.
//
// cJSON keeps numbers as doubles, ends strings at \u0000, takes a member twice, and says of a mistake only that there is
// one. Here the text is checked first (common/json.h); numbers that a double would change keep their own text
// and print as they were written; of doubled members the text is refused.
#ifndef COPYDESK_TREE_H
#define COPYDESK_TREE_H

#include "common/buf.h"
#include "common/json.h"

#include <cjson/cJSON.h>

enum { TREE_MEMBER_LIMIT = 1024 }; // of the outermost object: to lay one over another is quadratic

// Parses `json` into `*out`, which the caller deletes (cJSON_Delete), and tells in `facts` where its members stand.
// `arena` takes the facts and, when something must be mended, a copy of the text. Errors as json_check, and
// ERR_FORMAT for a member that stands twice, ERR_LIMIT for too many members or a full arena, ERR_MEMORY.
MUST_CHECK enum status tree_parse(struct arena *arena, struct view json, cJSON **out,
                                  struct json_facts *facts, struct error *why);

// Moves the members of `from` over to `object`, where they replace those of the same name, and deletes `from`. The
// members of the member `sorted` are united one level deeper, in the order of their names: equal contents give equal bytes.
// ERR_MEMORY: `object` then lacks some members.
MUST_CHECK enum status tree_lay_over(cJSON *object, cJSON *from, const char *sorted);

// Puts the place of the member `name`, as "line:column: ", before what `why` says of it; returns `status`.
enum status tree_fail(struct view json, const struct json_facts *facts, const cJSON *object,
                      const char *name, enum status status, struct error *why);

// Numbers that kept their text are cJSON_Raw: ask here, not cJSON_IsNumber. `valuedouble` holds for both.
bool tree_is_number(const cJSON *item);

// The text of a string item, or of the member `name`; empty when it is none. Borrows from the tree.
struct view tree_text(const cJSON *item);
struct view tree_string(const cJSON *object, const char *name);

// The number in the member `name`, or 0.
double tree_number(const cJSON *object, const char *name);

// Appends the item as JSON without white space.
void tree_print(const cJSON *item, struct buf *out);

#endif
