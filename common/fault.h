// Faults on purpose: makes the n-th allocation, write or send fail, so that tests walk every way out.
//
//     COPYDESK_FAULT=write:3          the third write fails
//     COPYDESK_FAULT=sync:2+,memory:9 every sync from the second on, and the ninth allocation
//
// Points are compiled in always. When no fault is set, each costs one load and one branch:
//
//     if (fault_hit(FAULT_WRITE) || write(...) < 0) { ... }
//
// With the jump of clock.c this is the one piece of mutable state that belongs to the whole process: a point deep in the code has no way to
// be handed a parameter without handing it to everybody. Counting is atomic; setting is for one thread.
#ifndef COPYDESK_FAULT_H
#define COPYDESK_FAULT_H

#include "common/status.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A new point is one line here and one fault_hit where it belongs.
#define FAULT_POINTS                                                                               \
    X(MEMORY, "memory") /* chunks of arenas, bytes of bufs, what the broker's core keeps */        \
    X(OPEN, "open")     /* opening or making a file */                                             \
    X(WRITE, "write")   /* a write to a file: no room where the caller tells reasons apart */      \
    X(EIO, "eio")       /* a write to a file: the disk is broken */                                \
    X(HALF, "half")     /* a write to a file takes half of the bytes */                            \
    X(INTERRUPT, "interrupt") /* a signal comes during a write to a file */                        \
    X(SYNC, "sync")           /* making a file durable */                                          \
    X(READ, "read")           /* a read from a file */                                             \
    X(SEND, "send")           /* handing a message to a socket */                                  \
    X(RENAME, "rename")       /* renaming or removing a file */

#define X(name, text) FAULT_##name,
enum fault_point { FAULT_POINTS FAULT_POINT_COUNT };
#undef X

// Sets faults from a list as above; NULL or "" sets none. ERR_USAGE names what is wrong.
MUST_CHECK enum status fault_open(const char *list, struct error *why);

// The call number `n` from now on (1 is the next) fails; with `and_after` all later ones too. 0 sets none.
// Starts counting anew.
void fault_set(enum fault_point point, uint64_t n, bool and_after);

// No fault at any point.
void fault_clear(void);

// How often `point` was reached since it was set; not counted while no fault is set anywhere.
uint64_t fault_count(enum fault_point point);

// What fault_hit asks first, and then: count the call and tell whether it fails. Use fault_hit.
extern atomic_bool fault_armed;
bool fault_hit_armed(enum fault_point point);

// True when this call shall fail.
static inline bool fault_hit(enum fault_point point)
{
    return atomic_load_explicit(&fault_armed, memory_order_relaxed) && fault_hit_armed(point);
}

// The torture loop: runs `run(user)` with its first call at `point` failing, then its second, and so on until a run
// does not get that far. Returns how many runs met a fault; stops with 0 when that is more than `limit`.
size_t fault_torture(enum fault_point point, size_t limit, void (*run)(void *user), void *user);

#endif
