// The memory of the simulator in a release build: malloc and its family for one thread that lives a short day again and
// again. A life takes and gives back some thirty pieces, which was a sixth of its time with the system's malloc.
//
// Each piece has a head of 16 bytes that names its size class; what is given back waits in the list of its class and is the
// next to go out. Nothing is joined, split or returned to the system: the days are alike, so the lists soon fit. Other builds, and
// with them the sanitizers, keep their own malloc: that is where mistakes with memory are looked for.
#include <assert.h>
#include <errno.h>
#include <malloc.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    HEAD_BYTES = 16,
    STEP_BYTES = 16,
    STEP_CLASSES = 64, // one for each step up to 1 KB, then four for each doubling
    STEP_BITS = 10,
    CLASS_COUNT = STEP_CLASSES + 4 * (48 - STEP_BITS),
    MOVED = CLASS_COUNT, // in the place of a class: an aligned piece inside of another one
};
#define LAND_BYTES ((size_t)64 << 20)

struct head {
    uint32_t class;
    uint32_t moved; // from the other one's bytes
    struct head *next;
};

static_assert(sizeof(struct head) == HEAD_BYTES, "pieces stay aligned");

static struct head *lists[CLASS_COUNT];
static char *land, *land_end; // never given out yet

// Of a piece that takes `bytes`, head included.
static uint32_t class_of(size_t bytes)
{
    if (bytes <= (size_t)STEP_CLASSES * STEP_BYTES) {
        return (uint32_t)((bytes - 1) / STEP_BYTES);
    }
    uint32_t bits = 63 - (uint32_t)__builtin_clzl(bytes - 1);
    return STEP_CLASSES + (bits - STEP_BITS) * 4 + ((bytes - 1) >> (bits - 2) & 3);
}

static size_t class_bytes(uint32_t class)
{
    if (class < STEP_CLASSES) {
        return (size_t)(class + 1) * STEP_BYTES;
    }
    uint32_t above = class - STEP_CLASSES;
    return (size_t)(5 + above % 4) << (STEP_BITS + above / 4 - 2);
}

static void *take_land(size_t bytes)
{
    if ((size_t)(land_end - land) < bytes) {
        size_t more = bytes > LAND_BYTES ? bytes : LAND_BYTES;
        void *at = mmap(NULL, more, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (at == MAP_FAILED) {
            errno = ENOMEM;
            return NULL;
        }
        madvise(at, more, MADV_HUGEPAGE); // fewer pages to look up; without them all is well
        land = at;
        land_end = land + more;
    }
    void *piece = land;
    land += bytes;
    return piece;
}

void *malloc(size_t bytes)
{
    if (bytes > PTRDIFF_MAX / 4) {
        errno = ENOMEM;
        return NULL;
    }
    uint32_t class = class_of(bytes + HEAD_BYTES);
    struct head *head = lists[class];
    if (head) {
        lists[class] = head->next;
    } else {
        head = take_land(class_bytes(class));
        if (!head) {
            return NULL;
        }
        head->class = class;
    }
    return head + 1;
}

void free(void *piece)
{
    if (!piece) {
        return;
    }
    struct head *head = (struct head *)piece - 1;
    if (head->class == MOVED) {
        head = (struct head *)((char *)head - head->moved);
    }
    head->next = lists[head->class];
    lists[head->class] = head;
}

void *calloc(size_t count, size_t bytes)
{
    size_t all;
    if (__builtin_mul_overflow(count, bytes, &all)) {
        errno = ENOMEM;
        return NULL;
    }
    void *piece = malloc(all);
    return piece ? memset(piece, 0, all) : NULL;
}

size_t malloc_usable_size(void *piece)
{
    const struct head *head = (struct head *)piece - 1;
    if (!piece) {
        return 0;
    }
    size_t moved = head->class == MOVED ? head->moved : 0;
    head = (const struct head *)((const char *)head - moved);
    return class_bytes(head->class) - HEAD_BYTES - moved;
}

void *realloc(void *piece, size_t bytes)
{
    size_t room = malloc_usable_size(piece);
    if (piece && bytes <= room) {
        return piece;
    }
    void *grown = malloc(bytes);
    if (grown && piece) {
        memcpy(grown, piece, room);
        free(piece);
    }
    return grown;
}

void *memalign(size_t alignment, size_t bytes)
{
    char *piece = malloc(bytes + alignment);
    if (!piece || alignment <= HEAD_BYTES) {
        return piece;
    }
    size_t moved = (size_t)(-(uintptr_t)piece) & (alignment - 1);
    if (moved > 0) {
        ((struct head *)(piece + moved))[-1] =
            (struct head){.class = MOVED, .moved = (uint32_t)moved};
    }
    return piece + moved;
}

void *aligned_alloc(size_t alignment, size_t bytes)
{
    return memalign(alignment, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t bytes)
{
    void *piece = memalign(alignment, bytes);
    *out = piece ? piece : *out;
    return piece ? 0 : ENOMEM;
}
