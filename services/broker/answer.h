// Commands of the operator, answered in JSON.
#ifndef COPYDESK_ANSWER_H
#define COPYDESK_ANSWER_H

#include "services/broker/core.h"

struct peer;

// What an operator asks. The views are borrowed for the call.
struct question {
    uint64_t peer; // who asks
    struct view command;
    struct view document; // that came with the command; empty when none did
    int64_t now_ms;
};

// The largest answer; a longer one is empty.
#define ANSWER_LIMIT ((size_t)64 << 20)

// Carries out the command of an operator and writes one JSON object to `out`:
//     status      state of queues, workers, journal
//     trace ID    what became of an article: trail.h
//     dlq ...     the dead letters: dlq.h
// Anything else gives {"error": "..."} that names what there is.
// False when the answer follows later by itself: a document has to be read or written first.
bool answer_command(struct core *core, const struct question *question, struct buf *out);

// Sends an answer.
void answer_send(struct core *core, struct peer *peer, struct view answer, int64_t now_ms);

#endif
