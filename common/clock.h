// The only place that asks the system for the time. Everything below a command's loop takes the time
// as an argument, so that tests let an hour pass in a millisecond.
#ifndef COPYDESK_CLOCK_H
#define COPYDESK_CLOCK_H

#include "common/status.h"

#include <stdint.h>

// Milliseconds since 1970-01-01T00:00:00Z. May jump when the system's clock is set.
int64_t clock_wall_ms(void);

// For tests: lets the wall clock of this process jump without touching the system's. COPYDESK_CLOCK names a file of
// 8 bytes, a little-endian count of milliseconds that clock_wall_ms adds from then on; whoever writes other bytes
// there makes the clock jump. The monotonic clock stays. Called once, before there are threads; the file stays
// mapped to the end. NULL or "": no file, and reading the clock costs one branch more. ERR_USAGE names the file and
// what is wrong with it.
MUST_CHECK enum status clock_open(const char *path, struct error *why);

// Microseconds since some fixed moment; never goes back. For durations and timers.
int64_t clock_monotonic_us(void);

// CPU time used by the calling thread so far, in microseconds.
int64_t clock_thread_cpu_us(void);

#endif
