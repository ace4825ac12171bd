#include "common/clock.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

// Set once by clock_open, then read only; the count itself is written by another process. It belongs to the whole
// process for the reason that fault.h gives.
static const _Atomic int64_t *jump_ms;

static_assert(sizeof *jump_ms == 8, "the file holds 8 bytes");

static enum status map_jump(int file, const char *path, struct error *why)
{
    struct stat stat;
    if (fstat(file, &stat) < 0 || stat.st_size != (off_t)sizeof *jump_ms) {
        return error_set(why, ERR_USAGE, "COPYDESK_CLOCK: %s does not hold 8 bytes", path);
    }
    void *mapped = mmap(NULL, sizeof *jump_ms, PROT_READ, MAP_SHARED, file, 0);
    if (mapped == MAP_FAILED) {
        return error_set(why, ERR_USAGE, "COPYDESK_CLOCK: cannot map %s: %s", path,
                         strerror(errno));
    }
    jump_ms = mapped;
    return OK;
}

enum status clock_open(const char *path, struct error *why)
{
    if (!path || !path[0]) {
        return OK;
    }
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return error_set(why, ERR_USAGE, "COPYDESK_CLOCK: cannot open %s: %s", path,
                         strerror(errno));
    }
    enum status status = map_jump(file, path, why);
    close(file);
    return status;
}

static int64_t read_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_wall_ms(void)
{
    int64_t now_ms = read_us(CLOCK_REALTIME) / 1000;
    return jump_ms ? now_ms + atomic_load_explicit(jump_ms, memory_order_relaxed) : now_ms;
}

int64_t clock_monotonic_us(void)
{
    return read_us(CLOCK_MONOTONIC);
}

int64_t clock_thread_cpu_us(void)
{
    return read_us(CLOCK_THREAD_CPUTIME_ID);
}
