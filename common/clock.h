// The only place that asks the system for the time. Everything below a command's loop takes the time
// as an argument, so that tests let an hour pass in a millisecond.
#ifndef COPYDESK_CLOCK_H
#define COPYDESK_CLOCK_H

#include <stdint.h>

// Milliseconds since 1970-01-01T00:00:00Z. May jump when the system's clock is set.
int64_t clock_wall_ms(void);

// Microseconds since some fixed moment; never goes back. For durations and timers.
int64_t clock_monotonic_us(void);

// CPU time used by the calling thread so far, in microseconds.
int64_t clock_thread_cpu_us(void);

#endif
