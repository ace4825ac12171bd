// The dead letters, as the operator sees and moves them.
#ifndef COPYDESK_DLQ_H
#define COPYDESK_DLQ_H

#include "common/notes.h"
#include "services/broker/queue.h"

struct core;

// Carries out what stands behind "dlq ":
//
//     list [WHICH]       {"dead": [{"handle", "id", "version", "stage", "reason", ...}], "matching", "total"}
//     show HANDLE|ID     one of them with its document, as a string
//     retry WHICH        {"retried": n}; they begin again before the first stage
//     discard WHICH      {"discarded": n}
//
// WHICH is a handle, `all`, or `stage=NAME`, `reason=TEXT` or both in this order; TEXT goes to the end of the command and
// is looked for anywhere in the reason, in either case. The list has the newest 1,000, newest first.
// False when the answer follows later, by dlq_shown. n log n in the dead letters, whatever is done to them.
bool dlq_command(struct core *core, uint64_t peer, struct view command, int64_t now_ms,
                 struct notes *json);

// The document of a dead letter was read: answers those who wait for it. `document.at` is NULL when it could not be read.
void dlq_shown(struct core *core, const struct queued_article *article, struct view document,
               int64_t now_ms);

#endif
