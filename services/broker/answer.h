// Commands of the operator, answered in JSON.
#ifndef COPYDESK_ANSWER_H
#define COPYDESK_ANSWER_H

#include "services/broker/core.h"

struct peer;

// The largest answer; a longer one is empty.
#define ANSWER_LIMIT ((size_t)64 << 20)

// Carries out the `command` of an operator and writes one JSON object to `out`:
//     status      state of queues, workers, journal
//     trace ID    what became of an article: trail.h
//     dlq ...     the dead letters: dlq.h
// Anything else gives {"error": "..."} that names what there is.
// False when the answer follows later by itself: a document has to be read first.
bool answer_command(struct core *core, uint64_t peer, struct view command, int64_t now_ms,
                    struct buf *out);

// Sends an answer.
void answer_send(struct core *core, struct peer *peer, struct view answer, int64_t now_ms);

#endif
