#include "common/fault.h"

#include "common/view.h"

#include <stdio.h>

#define X(name, text) text,
static const char *const points[FAULT_POINT_COUNT] = {FAULT_POINTS};
#undef X

// See fault.h for why this is here and not in a struct.
struct fault {
    _Atomic uint64_t count;
    _Atomic uint64_t fails_at; // 0: never
    atomic_bool and_after;
};

atomic_bool fault_armed;
static struct fault faults[FAULT_POINT_COUNT];

bool fault_hit_armed(enum fault_point point)
{
    struct fault *fault = &faults[point];
    uint64_t call = atomic_fetch_add(&fault->count, 1) + 1;
    uint64_t fails_at = atomic_load(&fault->fails_at);
    return fails_at != 0 &&
           (call == fails_at || (call > fails_at && atomic_load(&fault->and_after)));
}

void fault_set(enum fault_point point, uint64_t n, bool and_after)
{
    atomic_store(&faults[point].count, 0);
    atomic_store(&faults[point].and_after, and_after);
    atomic_store(&faults[point].fails_at, n);
    bool any = false;
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        any |= atomic_load(&faults[i].fails_at) != 0;
    }
    atomic_store(&fault_armed, any);
}

void fault_clear(void)
{
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        fault_set((enum fault_point)i, 0, false);
    }
}

uint64_t fault_count(enum fault_point point)
{
    return atomic_load(&faults[point].count);
}

static enum status unknown_point(struct view item, struct error *why)
{
    char known[160] = "";
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        size_t used = strlen(known);
        snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", points[i]);
    }
    return error_set(why, ERR_USAGE,
                     "COPYDESK_FAULT: '%.*s' is not POINT:N or POINT:N+ with a point of: %s",
                     VIEW_ARGS(view_slice(item, 0, 40)), known);
}

static bool open_one(struct view item)
{
    uint64_t n;
    size_t colon = view_find(item, VIEW(":"), 0);
    struct view name = view_slice(item, 0, colon);
    struct view number = view_slice(item, colon + 1, item.len);
    bool and_after = view_ends(number, VIEW("+"));
    number.len -= and_after;
    if (!view_parse_u64(number, &n) || n == 0) {
        return false;
    }
    for (int i = 0; i < FAULT_POINT_COUNT; i++) {
        if (view_equal(name, view_of(points[i]))) {
            fault_set((enum fault_point)i, n, and_after);
            return true;
        }
    }
    return false;
}

enum status fault_open(const char *list, struct error *why)
{
    struct view rest = view_of(list);
    fault_clear();
    while (rest.len > 0) {
        size_t comma = view_find(rest, VIEW(","), 0);
        struct view item = view_slice(rest, 0, comma);
        rest = view_slice(rest, comma + 1, rest.len);
        if (!open_one(item)) {
            fault_clear();
            return unknown_point(item, why);
        }
    }
    return OK;
}

size_t fault_torture(enum fault_point point, size_t limit, void (*run)(void *user), void *user)
{
    for (size_t n = 1; n <= limit + 1; n++) {
        fault_set(point, n, false);
        run(user);
        bool met = fault_count(point) >= n;
        fault_set(point, 0, false);
        if (!met) {
            return n - 1;
        }
    }
    return 0;
}
