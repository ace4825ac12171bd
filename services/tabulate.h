// Prints a broker's answer, one JSON object, as tables for people.
//
//     session   1a2b3c4d5e6f7081
//     articles  live 3   dead 0   complete 20301
//
//     STAGES
//     name      workers  ready flash/urgent/routine/backfill  oldest
//     clean           1                            0/0/12/0    1.2 s
//
// Nothing here knows what a broker answers: a member of an answer that is new needs no new line of code.
// Members whose name ends in _ms are shown as durations, those in _bytes and "bytes" as sizes, at_ms and
// those in _at_ms as a time of day. A text too long for a line is printed whole at the end, under its name.
#ifndef COPYDESK_TABULATE_H
#define COPYDESK_TABULATE_H

#include "common/buf.h"
#include "common/status.h"

// Appends the tables to `out`. ERR_FORMAT when `json` is not one JSON object, ERR_LIMIT when it is too large.
MUST_CHECK enum status tabulate(struct view json, struct buf *out, struct error *why);

#endif
