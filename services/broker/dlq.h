// The dead letters, as the operator sees and moves them.
#ifndef COPYDESK_DLQ_H
#define COPYDESK_DLQ_H

#include "common/notes.h"
#include "services/broker/queue.h"

struct core;
struct question;

// Carries out a command that begins with "dlq ":
//
//     list [WHICH]       {"dead": [{"handle", "id", "version", "stage", "reason", ...}], "matching", "total"}
//     show HANDLE|ID     one of them with its document, as a string
//     retry WHICH        {"retried": n}; they begin again before the first stage
//     discard WHICH      {"discarded": n}
//     edit HANDLE|ID     {"edited": handle}: the document that came with the command takes the place of its own, and it
//                        begins again before the first stage, for the sections were made of the old document. Same id,
//                        version and content hash: whoever sends the old document again is told DUPLICATE. Answered when
//                        the new document is on disk; an `error` when it is empty or too large, or nothing can be written
//
// WHICH is a handle, `all`, or `stage=NAME`, `reason=TEXT` or both in this order; TEXT goes to the end of the command and
// is looked for anywhere in the reason, in either case. The list has the newest 1,000, newest first.
// False when the answer follows later, by dlq_shown or dlq_send_edited. n log n in the dead letters, whatever is done to
// them.
bool dlq_command(struct core *core, const struct question *question, struct notes *json);

// The document of a dead letter was read: answers those who wait for it. `document.at` is NULL when it could not be read.
void dlq_shown(struct core *core, const struct queued_article *article, struct view document,
               int64_t now_ms);

// Answers the edits whose documents are on disk.
void dlq_send_edited(struct core *core, int64_t now_ms);

#endif
