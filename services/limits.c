#include "services/limits.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>

// A sanitizer reserves terabytes at the start, which the system counts as the process's own.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum status limits_memory(uint64_t bytes, struct error *why)
{
    struct rlimit limit;
    if (bytes == 0 || SANITIZED) {
        return OK;
    }
    if (getrlimit(RLIMIT_DATA, &limit) == 0 && bytes < limit.rlim_cur) {
        limit.rlim_cur = bytes;
        if (setrlimit(RLIMIT_DATA, &limit) != 0) {
            return error_set(why, ERR_CONFIG, "cannot limit memory to %" PRIu64 " bytes: %s", bytes,
                             strerror(errno));
        }
    }
    return OK;
}

static void set_soft(__rlimit_resource_t which, bool most)
{
    struct rlimit limit;
    if (getrlimit(which, &limit) == 0) {
        limit.rlim_cur = most ? limit.rlim_max : 0;
        setrlimit(which, &limit); // refused: it stays as it was
    }
}

void limits_core(bool keep)
{
    set_soft(RLIMIT_CORE, keep);
}

void limits_files(void)
{
    set_soft(RLIMIT_NOFILE, true);
}
