// Commands of the operator, answered in JSON: status, dlq list, dlq retry, dlq discard.
#ifndef COPYDESK_ANSWER_H
#define COPYDESK_ANSWER_H

#include "services/broker/core.h"

// Carries out `command` and writes one JSON object to `out`:
//     status                   state of queues, workers, journal
//     dlq list                 {"dead": [{"handle", "id", "version", "stage", "reason", ...}]}
//     dlq retry HANDLE|all     {"retried": n}
//     dlq discard HANDLE|all   {"discarded": n}
// Anything else gives {"error": "..."} that names what there is.
void answer_command(struct core *core, struct view command, int64_t now_ms, struct buf *out);

#endif
