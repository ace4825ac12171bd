// One frame of `copydesk top`: text for a terminal out of two answers to `status`.
//
//     copydesk at tcp://127.0.0.1:5750   session 1a2b3c4d5e6f7081   up 2.1 h
//     door open   accepted 20301   complete 20290 (812/s)   live 11   dead 0
//     journal 12.0 MiB   sync p50 0.3 ms p99 1.2 ms
//
//     STAGE        WRK FLASH   URG  ROUT  BACK DELAY LEASE  OLDEST  RATE/S  FAIL  DEAD
//     clean          1     0     0    12     0     0    64    1.2s   812.0     0     0
#ifndef COPYDESK_TOP_FRAME_H
#define COPYDESK_TOP_FRAME_H

#include "common/buf.h"
#include "services/node.h"

struct top_frame {
    const char *broker;        // address
    const struct node *now;    // the last answer, or NULL
    const struct node *before; // the one before of the same session, or NULL: no rates
    const char *away;          // why there is no newer answer, or NULL
    int64_t away_ms;           // since when
    size_t width, rows;        // of the terminal
};

// Appends the frame: lines of at most `width` columns, at most `rows` of them, each with its line end. Names that would
// steer the terminal are made harmless.
void top_frame_print(const struct top_frame *frame, struct buf *out);

#endif
