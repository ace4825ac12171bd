#include "services/crew.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SLOTS = 8, JOBS = 5000 };

struct bench {
    uint64_t values[SLOTS];
    bool idle[SLOTS];
    size_t done;
    bool in_order;
    bool in_done; // done() is running
};

// Takes a time that differs from job to job, so that later jobs end before earlier ones.
static void work(void *context, size_t worker, size_t slot)
{
    struct bench *bench = context;
    (void)worker;
    uint64_t value = bench->values[slot];
    volatile uint64_t spin = value * 2654435761u % 3000;
    while (spin > 0) {
        spin--;
    }
    bench->values[slot] = value * 2;
}

static void done(void *context, size_t slot, bool more)
{
    struct bench *bench = context;
    (void)more;
    bench->in_order &= !bench->in_done;
    bench->in_done = true;
    uint64_t wanted = bench->idle[slot] ? bench->done : bench->done * 2;
    bench->in_order &= bench->values[slot] == wanted;
    bench->done++;
    bench->in_done = false;
}

static void run_jobs(size_t workers, size_t count)
{
    struct bench bench = {.in_order = true};
    struct crew *crew = NULL;
    struct crew_plan plan = {
        .workers = workers, .slots = SLOTS, .context = &bench, .work = work, .done = done};
    assert_int_equal(crew_open(&crew, &plan, NULL), OK);
    for (size_t i = 0; i < count; i++) {
        size_t slot = crew_slot(crew);
        bench.values[slot] = i;
        bench.idle[slot] = i % 5 == 3;
        crew_submit(crew, !bench.idle[slot]);
    }
    crew_close(crew);
    assert_int_equal(bench.done, count);
    assert_true(bench.in_order);
}

static void results_come_back_in_the_order_of_the_jobs(void **state)
{
    (void)state;
    run_jobs(1, JOBS);
    run_jobs(2, JOBS);
    run_jobs(SLOTS, JOBS);
}

static void few_jobs_need_no_threads(void **state)
{
    (void)state;
    run_jobs(4, 0);
    run_jobs(4, 1);
    run_jobs(4, CREW_INLINE);
    run_jobs(4, CREW_INLINE + 1);
}

static void closing_nothing_is_fine(void **state)
{
    (void)state;
    crew_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_come_back_in_the_order_of_the_jobs),
        cmocka_unit_test(few_jobs_need_no_threads),
        cmocka_unit_test(closing_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
