#include "services/desks.h"

#include "services/crash.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BEATS_LIMIT = 2000, SLOW_TURNS = 10000000 }; // some 10 ms

// A loop with desks on it. A beat every millisecond shows that the loop goes on.
struct office {
    uv_loop_t loop;
    uv_async_t async;
    uv_timer_t beat;
    struct desks *desks;
    void (*on_beat)(struct office *office); // hands in what the test wants
    uint64_t beats, slow_since;
    size_t sent, wanted, done;
    uint8_t lane;             // of the first
    size_t early;             // so many were done before the hold ended
    uint64_t spin;            // turns an article takes, unless its handle says more
    atomic_bool hold;         // articles with handle 1 wait until it is false
    atomic_int at_once, most; // articles under way
    atomic_size_t in_loop;    // articles told by the thread that had the loop
    uint64_t to_be_lost;      // handle of the article
    int lost_by;              // signal
    uint64_t order[8];
    atomic_size_t ordered;
};

static void spin(uint64_t turns)
{
    volatile uint64_t left = turns;
    while (left > 0) {
        left--;
    }
}

static void work(void *user, size_t desk, struct worker_article *article)
{
    struct office *office = user;
    (void)desk;
    int now = atomic_fetch_add(&office->at_once, 1) + 1;
    if (now > atomic_load(&office->most)) {
        atomic_store(&office->most, now);
    }
    size_t place = atomic_fetch_add(&office->ordered, 1);
    if (place < 8) {
        office->order[place] = article->item.handle;
    }
    if (article->item.handle == 5) {
        raise(SIGSEGV);
    }
    while (article->item.handle == 1 && atomic_load(&office->hold)) {
        spin(100);
    }
    spin(office->spin);
    atomic_fetch_sub(&office->at_once, 1);
}

static void ready(void *user, bool in_loop)
{
    struct office *office = user;
    if (in_loop) {
        atomic_fetch_add(&office->in_loop, 1);
    }
    uv_async_send(&office->async);
}

static void lost(void *user, struct worker_article *article, int number)
{
    struct office *office = user;
    assert_int_equal(article->item.handle, office->to_be_lost);
    office->lost_by = number;
}

static void on_async(uv_async_t *async)
{
    struct office *office = async->data;
    struct worker_article *article = desks_take_ready(office->desks);
    while (article) {
        struct worker_article *next = article->next;
        free(article);
        article = next;
        office->done++;
    }
}

static void on_beat(uv_timer_t *beat)
{
    struct office *office = beat->data;
    office->beats++;
    office->on_beat(office);
    if (office->done == office->wanted || office->beats == BEATS_LIMIT) {
        uv_close((uv_handle_t *)&office->beat, NULL);
        uv_close((uv_handle_t *)&office->async, NULL);
    }
}

static void hand_in(struct office *office, uint64_t handle, uint8_t lane)
{
    struct worker_article *article = calloc(1, sizeof *article);
    assert_non_null(article);
    article->item.handle = handle;
    article->item.lane = lane;
    office->sent++;
    desks_add(office->desks, article);
}

static void run(struct office *office, size_t count, int64_t limit_us)
{
    const struct desks_plan plan = {.count = count,
                                    .loop = &office->loop,
                                    .user = office,
                                    .work = work,
                                    .ready = ready,
                                    .limit_us = limit_us,
                                    .lost = lost};
    uv_loop_init(&office->loop);
    uv_async_init(&office->loop, &office->async, on_async);
    uv_timer_init(&office->loop, &office->beat);
    office->async.data = office->beat.data = office;
    uv_timer_start(&office->beat, on_beat, 1, 1);
    assert_int_equal(desks_open(&office->desks, &plan, NULL), OK);
    desks_run(office->desks);
    desks_close(office->desks);
    assert_int_equal(uv_loop_close(&office->loop), 0);
    assert_int_equal(office->done, office->wanted);
}

static void send_one_a_beat(struct office *office)
{
    if (office->sent < office->wanted) {
        hand_in(office, 2, WIRE_ROUTINE);
    }
}

static void quick_articles_wake_no_other_thread(void **state)
{
    struct office office = {.on_beat = send_one_a_beat, .wanted = 100};
    (void)state;
    run(&office, 2, 60000000);
    // The first ones teach how quick they are.
    assert_in_range(atomic_load(&office.in_loop), 80, 100);
}

static void send_many(struct office *office)
{
    for (int i = 0; i < 64 && office->sent < office->wanted; i++) {
        hand_in(office, 2, (uint8_t)(i % WIRE_LANE_COUNT));
    }
}

// One that is soon done, and five behind it that wait until the loop has heard of it, or for fifty beats.
static void send_one_before_five(struct office *office)
{
    if (office->sent == 0) {
        atomic_store(&office->hold, true);
        hand_in(office, 2, office->lane);
        for (int i = 0; i < 5; i++) {
            hand_in(office, 1, WIRE_ROUTINE);
        }
    } else if (atomic_load(&office->hold) && (office->done > 0 || office->beats > 50)) {
        office->early = office->done;
        atomic_store(&office->hold, false);
    }
}

static void the_loop_is_not_woken_while_there_is_enough_to_do_but_for_urgent_articles(void **state)
{
    (void)state;
    struct office office = {
        .on_beat = send_one_before_five, .wanted = 6, .lane = WIRE_ROUTINE, .spin = SLOW_TURNS};
    run(&office, 1, 60000000);
    assert_int_equal(office.early, 0);
    struct office quick = {.on_beat = send_one_before_five, .wanted = 6, .lane = WIRE_ROUTINE};
    run(&quick, 1, 60000000); // five of them are done before the loop may get a processor
    assert_int_equal(quick.early, 1);
    struct office urgent = {.on_beat = send_one_before_five, .wanted = 6, .lane = WIRE_URGENT};
    run(&urgent, 1, 60000000);
    assert_int_equal(urgent.early, 1);
}

static void never_more_are_under_way_than_there_are_desks(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 3; count++) {
        struct office office = {.on_beat = send_many, .wanted = 2000, .spin = 5000};
        run(&office, count, 60000000);
        assert_in_range(atomic_load(&office.most), 1, count);
    }
}

// A hundred quick articles, then one that looks like them and goes on until the loop has beaten fifty times more.
static void send_a_slow_one_at_the_end(struct office *office)
{
    if (office->sent < office->wanted - 1) {
        send_one_a_beat(office);
    } else if (office->sent < office->wanted) {
        hand_in(office, 1, WIRE_ROUTINE);
        office->slow_since = office->beats;
    } else if (office->beats > office->slow_since + 50) {
        atomic_store(&office->hold, false);
    }
}

static void the_loop_goes_on_when_a_quick_looking_article_is_not(void **state)
{
    struct office office = {.on_beat = send_a_slow_one_at_the_end, .wanted = 101, .hold = true};
    (void)state;
    run(&office, 1, 60000000);
    assert_false(atomic_load(&office.hold));
    assert_int_equal(office.lost_by, 0);
}

static void send_one_to_be_lost(struct office *office)
{
    if (office->sent == 0) {
        hand_in(office, office->to_be_lost, WIRE_ROUTINE);
    } else if (office->sent < office->wanted && office->done > 0) {
        hand_in(office, 2, WIRE_ROUTINE);
    }
}

// With a second desk, for the one where it happened stays taken.
static void an_article_that_hangs_or_crashes_comes_back_and_others_go_on(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct office *office = calloc(1, sizeof *office); // the lost thread goes on using it
        assert_non_null(office);
        office->on_beat = send_one_to_be_lost;
        office->wanted = 20;
        office->to_be_lost = i == 0 ? 1 : 5;
        atomic_store(&office->hold, true);
        run(office, 2, 20000);
        assert_int_equal(office->lost_by, i == 0 ? CRASH_STOP : SIGSEGV);
    }
}

static void send_in_the_wrong_order(struct office *office)
{
    if (office->sent == 0) {
        hand_in(office, 4, WIRE_BACKFILL);
        hand_in(office, 3, WIRE_ROUTINE);
        hand_in(office, 2, WIRE_FLASH);
    }
}

static void the_most_urgent_is_begun_first(void **state)
{
    struct office office = {.on_beat = send_in_the_wrong_order, .wanted = 3};
    (void)state;
    run(&office, 1, 60000000);
    for (uint64_t i = 0; i < 3; i++) {
        assert_int_equal(office.order[i], 2 + i);
    }
}

static void take_back_what_has_not_begun(struct office *office)
{
    if (office->sent == 0) {
        hand_in(office, 2, WIRE_ROUTINE);
        hand_in(office, 3, WIRE_FLASH);
        struct worker_article *article = desks_take_back(office->desks);
        assert_int_equal(article->item.handle, 3);
        free(article);
    }
}

static void what_has_not_begun_can_be_taken_back(void **state)
{
    struct office office = {.on_beat = take_back_what_has_not_begun, .wanted = 1};
    (void)state;
    run(&office, 1, 60000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quick_articles_wake_no_other_thread),
        cmocka_unit_test(the_loop_is_not_woken_while_there_is_enough_to_do_but_for_urgent_articles),
        cmocka_unit_test(never_more_are_under_way_than_there_are_desks),
        cmocka_unit_test(the_loop_goes_on_when_a_quick_looking_article_is_not),
        cmocka_unit_test(the_most_urgent_is_begun_first),
        cmocka_unit_test(what_has_not_begun_can_be_taken_back),
        cmocka_unit_test(an_article_that_hangs_or_crashes_comes_back_and_others_go_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
