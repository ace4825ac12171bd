// What COPYDESK_TRACE=wire shows: each message of the door in one line.
//
//     trace wire 0.004211 in peer 6b8b4567 WORK stage 2 number 17: 4 articles, 12 sections, 52113 bytes
#ifndef COPYDESK_WIRE_TRACE_H
#define COPYDESK_WIRE_TRACE_H

#include "common/trace.h"

// Writes the line when the part is on. `direction` is "in" or "out"; `peer` 0 is the broker. A message that
// cannot be read is shown with the reason.
void wire_trace(const struct tracer *tracer, const char *direction, uint64_t peer,
                struct view envelope, struct view body);

#endif
