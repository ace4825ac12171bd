// A last word when the work on an article ends the process: which article it was, and what happened.
//
// A thread that works on an article says so. When a crash signal comes to it meanwhile (SIGSEGV, SIGBUS, SIGFPE, SIGILL,
// SIGABRT; deep recursion too, for the handler has a stack of its own), the call given to crash_catch is told and the thread
// stands still for good: whoever is left may tell the broker, and must then end the process with crash_end.
// To a thread that works on nothing a crash signal means what it always means.
//
// CRASH_STOP sent to a thread that works is treated likewise: so one that hangs is made to stand still.
#ifndef COPYDESK_CRASH_H
#define COPYDESK_CRASH_H

#include "common/status.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

enum { CRASH_STOP = SIGXCPU, CRASH_STACK_BYTES = 64 * 1024, CRASH_END_S = 3 };

// Called in a signal handler, in the thread that crashed: may only do what is safe there.
typedef void (*crash_call)(void *user, size_t desk, int signal);

// Catches crash signals in the whole process, until crash_release.
void crash_catch(crash_call call, void *user);
void crash_release(void);

// Gives this thread the stack of CRASH_STACK_BYTES on which the handler runs; NULL takes it away, before it is freed.
void crash_use_stack(void *stack);

// This thread works at `desk` from now on; crash_leave: no longer.
void crash_enter(size_t desk);
void crash_leave(void);

// Sees to it that the process ends within CRASH_END_S, whatever happens: the heap may be damaged or locked. Safe in a handler.
void crash_soon_ends(void);

// Ends the process as `signal` would have, so that its parent sees it.
_Noreturn void crash_end(int signal);

// "Segmentation fault (SIGSEGV)", into `out`.
void crash_name(int signal, char *out, size_t size);

#endif
