#include "services/reel.h"

#include <errno.h>
#include <unistd.h>

enum { PIECE = 256 * 1024 };

void reel_init(struct reel *reel, size_t limit_bytes)
{
    *reel = (struct reel){.fd = -1};
    // Twice, for the window moves to the front only when it is the smaller half.
    buf_init(&reel->bytes, 2 * limit_bytes + 4 * PIECE);
}

void reel_clear(struct reel *reel)
{
    reel_close(reel);
    buf_clear(&reel->bytes);
}

void reel_open(struct reel *reel, int fd)
{
    buf_reset(&reel->bytes);
    reel->fd = fd;
    reel->ended = false;
    reel->failed = 0;
    reel->start = 0;
    reel->line = reel->column = 1;
}

void reel_close(struct reel *reel)
{
    if (reel->fd > STDIN_FILENO) {
        close(reel->fd);
    }
    reel->fd = -1;
}

struct view reel_window(const struct reel *reel)
{
    return view_slice(buf_view(&reel->bytes), reel->start, reel->bytes.len);
}

void reel_advance(struct reel *reel, size_t count)
{
    struct view passed = view_slice(reel_window(reel), 0, count);
    const char *newline;
    reel->start += passed.len;
    while ((newline = memchr(passed.at, '\n', passed.len))) {
        reel->line++;
        reel->column = 1;
        passed = view_slice(passed, (size_t)(newline - passed.at) + 1, passed.len);
    }
    reel->column += passed.len;
}

static void forget_used(struct reel *reel)
{
    struct buf *bytes = &reel->bytes;
    if (reel->start > 0 && reel->start >= bytes->len / 2) {
        memmove(bytes->at, bytes->at + reel->start, bytes->len - reel->start);
        bytes->len -= reel->start;
        reel->start = 0;
    }
}

bool reel_fill(struct reel *reel)
{
    ssize_t got;
    if (reel->ended) {
        return false;
    }
    forget_used(reel);
    char *room = buf_reserve(&reel->bytes, PIECE);
    if (!room) {
        reel->failed = ENOMEM;
        reel->ended = true;
        return false;
    }
    do {
        got = read(reel->fd, room, PIECE);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        reel->failed = got < 0 ? errno : 0;
        reel->ended = true;
        return false;
    }
    reel->bytes.len += (size_t)got;
    atomic_fetch_add(&reel->read_bytes, (uint64_t)got);
    return true;
}

void reel_replace(struct reel *reel, struct view text)
{
    buf_reset(&reel->bytes);
    buf_add(&reel->bytes, text);
    reel->start = 0;
    reel->ended = true;
    reel->failed = reel->bytes.full ? ENOMEM : reel->failed;
}
