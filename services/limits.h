// What the system shall not let a service exceed.
#ifndef COPYDESK_LIMITS_H
#define COPYDESK_LIMITS_H

#include "common/status.h"

#include <stdbool.h>
#include <stdint.h>

// The process may hold at most `bytes` of memory of its own (RLIMIT_DATA: heap and stacks; files it maps read-only do not
// count); beyond, allocations fail. 0: no limit. A lower limit that is already set stays. Built with a
// sanitizer: no limit. ERR_CONFIG when the system refuses.
MUST_CHECK enum status limits_memory(uint64_t bytes, struct error *why);

// Whether a crash may leave a core file: when not, none is written; when so, as large as the system allows.
void limits_core(bool keep);

// As many open files and connections as the system allows without asking.
void limits_files(void);

#endif
