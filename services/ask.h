// Asks the broker one question and waits for the answer.
#ifndef COPYDESK_ASK_H
#define COPYDESK_ASK_H

#include "common/buf.h"
#include "common/status.h"

enum { ASK_WAIT_MS = 5000 };

// Sends the command ("status", "dlq list", ...) to the broker at `address` and puts its answer, a JSON object, into `out`.
// ERR_UNREACHABLE after ASK_WAIT_MS without an answer; `why` then has the reason and the next step.
MUST_CHECK enum status ask_broker(const char *address, struct view command, struct buf *out,
                                  struct error *why);

// The same with a document that belongs to the command.
MUST_CHECK enum status ask_broker_about(const char *address, struct view command,
                                        struct view document, struct buf *out, struct error *why);

// As ask_broker with another time to wait.
MUST_CHECK enum status ask_broker_within(const char *address, struct view command, int64_t wait_ms,
                                         struct buf *out, struct error *why);

#endif
