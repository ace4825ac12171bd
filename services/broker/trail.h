// What became of one article: where it is now, and who had it.
#ifndef COPYDESK_TRAIL_H
#define COPYDESK_TRAIL_H

#include "common/notes.h"

struct core;

// Writes what is known of the latest version of the article with this id, or else of the one with this handle:
//
//     "id" "version" "handle" "state" "lane" "accepted_at_ms" ...
//     "stages":  [{"name", "state", "attempt", "worker", "for_ms", "due_in_ms"}]
//     "history": [{"at_ms", "stage", "attempt", "worker", "took_ms", "end"}]
//     "others":  earlier versions that ended
//
// "error" when nothing is known. Linear in the archive of what ended (history.h).
void trail_write(const struct core *core, struct view id, int64_t now_ms, struct notes *json);

#endif
