#include "common/fault.h"
#include "services/broker/queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

// The rules case by case are in tests/spec/queue. Here: many random commands, and the accounts must balance.

enum { IDS = 40, HOLDERS = 6, STEPS = 60000 };

static void free_nothing(void *holding)
{
    (void)holding;
}

struct accounts {
    struct queue *queue;
    struct graph graph;
    int64_t now_ms;
    uint64_t next_handle;
    size_t accepted, complete, superseded, dead, discarded;
};

static uint32_t any(uint32_t limit)
{
    return (uint32_t)rand() % limit;
}

static void settle(struct accounts *accounts)
{
    struct queued_article *article;
    while ((article = queue_take_ended(accounts->queue))) {
        accounts->complete += article->ending == ENDED_COMPLETE;
        accounts->superseded += article->ending == ENDED_SUPERSEDED;
        accounts->dead += article->ending == ENDED_DEAD;
        // a dead letter that was discarded, or that a newer version took the place of
        accounts->dead -= article->ending != ENDED_DEAD && queue_extra(article)->dead;
        if (article->ending != ENDED_DEAD) {
            queue_forget(accounts->queue, article);
        }
    }
}

static void put(struct accounts *accounts)
{
    struct queued_article *article;
    struct queue_put put = {.handle = accounts->next_handle++,
                            .key = {any(IDS), 7},
                            .version = 1 + any(50),
                            .content_hash = any(2),
                            .lane = (uint8_t)any(WIRE_LANE_COUNT),
                            .pubstatus = any(200) == 0 ? WIRE_CANCELED : WIRE_USABLE};
    put.key[0] = put.key[0] * 1000 + put.handle / 100; // fresh ids as time goes on
    put.deadline_ms = any(10) == 0 ? accounts->now_ms + any(5000) : 0;
    put.embargo_ms = any(10) == 0 ? accounts->now_ms + any(5000) : 0;
    accounts->accepted +=
        queue_put(accounts->queue, &put, accounts->now_ms, &article) == WIRE_ACCEPTED;
}

static bool answer_with(struct accounts *accounts, struct queue_claim claim,
                        enum wire_outcome outcome)
{
    const struct queue_blame blame = {VIEW(""), VIEW("")};
    return queue_answer(accounts->queue, &claim, outcome, &blame, accounts->now_ms);
}

// Some task that is out, or a made-up one.
static void answer(struct accounts *accounts)
{
    static const enum wire_outcome outcomes[] = {WIRE_RETRY, WIRE_CRASHED, WIRE_RETURN, WIRE_DONE,
                                                 WIRE_DONE,  WIRE_DONE,    WIRE_DONE};
    struct queue_claim claim = {
        .handle = accounts->next_handle, .stage = 1 + any(accounts->graph.count), .attempt = 1};
    claim.holder = 1 + any(HOLDERS);
    const struct article_task *task =
        queue_lease(accounts->queue, claim.stage, claim.holder, accounts->now_ms);
    if (!task) {
        assert_false(answer_with(accounts, claim, WIRE_DONE));
        return;
    }
    claim.handle = task->article->handle;
    claim.attempt = task->attempt + 1;
    assert_false(answer_with(accounts, claim, WIRE_DONE));
    claim.attempt--;
    claim.holder += 100;
    assert_false(answer_with(accounts, claim, WIRE_DONE));
    claim.holder -= 100;
    uint32_t choice = any(9); // 8: keeps it for a while
    if (choice == 7 && any(20) == 0) {
        assert_true(answer_with(accounts, claim, WIRE_REJECT));
    } else if (choice < 7) {
        assert_true(answer_with(accounts, claim, outcomes[choice]));
        assert_false(answer_with(accounts, claim, WIRE_DONE));
    }
}

static void handle_dead(struct accounts *accounts)
{
    size_t at = 0;
    struct queued_article *article;
    while ((article = queue_next(accounts->queue, &at))) {
        if (article->state == ARTICLE_DEAD) {
            if (any(2) == 0) {
                assert_true(
                    queue_revive(accounts->queue, article->handle, false, accounts->now_ms));
                accounts->dead--;
            } else {
                assert_true(queue_discard(accounts->queue, article->handle));
            }
            return;
        }
    }
}

// Somebody sets the clock, forward or back.
static void jump(struct accounts *accounts)
{
    int64_t by_ms = (int64_t)any(7200001) - 3600000;
    accounts->now_ms += by_ms;
    queue_jump(accounts->queue, by_ms, accounts->now_ms);
}

static void step(struct accounts *accounts)
{
    accounts->now_ms += any(50);
    if (any(300) == 0) {
        jump(accounts);
    }
    switch (any(20)) {
    case 0:
        queue_lose(accounts->queue, 1 + any(HOLDERS), any(2) == 0, accounts->now_ms, VIEW("w"));
        break;
    case 1:
        queue_renew(accounts->queue, 1 + any(HOLDERS), accounts->now_ms);
        break;
    case 2:
    case 3:
        queue_tick(accounts->queue, accounts->now_ms);
        break;
    case 4:
        handle_dead(accounts);
        break;
    case 5:
    case 6:
    case 7:
        put(accounts);
        break;
    default:
        answer(accounts);
        break;
    }
    settle(accounts);
}

static void every_accepted_article_is_in_exactly_one_place(void **state)
{
    struct accounts accounts = {.next_handle = 1};
    (void)state;
    srand(2);
    assert_int_equal(graph_parse(&accounts.graph,
                                 VIEW("clean = article\nentities = clean\ndates = clean\n"
                                      "summary = clean entities\ndesk = *\nexport = *\n"),
                                 NULL),
                     OK);
    struct queue_config config = queue_defaults;
    config.remembered = 100;
    accounts.queue = queue_new(&accounts.graph, &config);
    for (int i = 0; i < STEPS; i++) {
        step(&accounts);
        queue_check(accounts.queue);
        const struct queue_counts *counts = queue_counts(accounts.queue);
        assert_int_equal(accounts.accepted,
                         counts->live + counts->dead + accounts.complete + accounts.superseded);
        assert_int_equal(accounts.dead, counts->dead);
        assert_true(counts->remembered <= config.remembered);
    }
    assert_true(accounts.complete > 500);
    queue_free(accounts.queue, free_nothing);
}

// Drains one lane after another: flash nearly always first, backfill never starved.
static void lanes_share_by_weight(void **state)
{
    struct graph graph;
    struct queued_article *article;
    size_t handed[WIRE_LANE_COUNT] = {0};
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("clean = article\nexport = *\n"), NULL), OK);
    struct queue *queue = queue_new(&graph, &queue_defaults);
    for (uint64_t i = 0; i < 4000; i++) {
        struct queue_put put = {
            .handle = i + 1, .key = {i, 0}, .version = 1, .lane = (uint8_t)(i % WIRE_LANE_COUNT)};
        assert_int_equal(queue_put(queue, &put, 0, &article), WIRE_ACCEPTED);
    }
    for (int i = 0; i < 850; i++) {
        handed[queue_lease(queue, 1, 1, 0)->article->lane]++;
    }
    assert_int_equal(handed[WIRE_FLASH], 640);
    assert_int_equal(handed[WIRE_URGENT], 160);
    assert_int_equal(handed[WIRE_ROUTINE], 40);
    assert_int_equal(handed[WIRE_BACKFILL], 10);
    queue_free(queue, free_nothing);
}

static void a_full_queue_says_busy_and_takes_again_later(void **state)
{
    struct graph graph;
    struct queued_article *article;
    struct queue_config config = queue_defaults;
    (void)state;
    config.max_articles = 1;
    assert_int_equal(graph_parse(&graph, VIEW("export = *\n"), NULL), OK);
    struct queue *queue = queue_new(&graph, &config);
    struct queue_put first = {.handle = 1, .key = {1, 1}, .version = 1};
    struct queue_put second = {.handle = 2, .key = {2, 2}, .version = 1};
    assert_int_equal(queue_put(queue, &first, 0, &article), WIRE_ACCEPTED);
    assert_int_equal(queue_put(queue, &second, 0, &article), WIRE_BUSY);
    queue_lease(queue, 1, 1, 0);
    assert_true(queue_answer(queue, &(struct queue_claim){1, 1, 1, 1}, WIRE_DONE, NULL, 0));
    queue_forget(queue, queue_take_ended(queue));
    assert_int_equal(queue_put(queue, &second, 0, &article), WIRE_ACCEPTED);
    queue_free(queue, free_nothing);
}

static void a_stage_is_supplied_once_and_only_while_nobody_has_it(void **state)
{
    struct graph graph;
    struct queued_article *article;
    (void)state;
    assert_int_equal(graph_parse(&graph,
                                 VIEW("clean = article\ndates = clean\nentities = clean\n"
                                      "summary = clean entities\nexport = *\n"),
                                 NULL),
                     OK);
    struct queue *queue = queue_new(&graph, &queue_defaults);
    struct queue_put put = {.handle = 1, .key = {1, 1}, .version = 1};
    assert_int_equal(queue_put(queue, &put, 0, &article), WIRE_ACCEPTED);
    queue_lease(queue, 1, 1, 0);
    assert_false(queue_supply(queue, 1, 1, 0)); // clean is out
    assert_false(queue_supply(queue, 1, 2, 0)); // dates needs it
    assert_true(queue_answer(queue, &(struct queue_claim){1, 1, 1, 1}, WIRE_DONE, NULL, 0));
    assert_false(queue_supply(queue, 1, 4, 0)); // summary needs entities
    assert_true(queue_supply(queue, 1, 3, 0));
    assert_false(queue_supply(queue, 1, 3, 0));
    assert_true(queue_supply(queue, 1, 4, 0));
    assert_non_null(queue_lease(queue, 2, 2, 0));
    assert_false(queue_supply(queue, 1, 2, 0));
    assert_true(queue_answer(queue, &(struct queue_claim){2, 1, 2, 1}, WIRE_DONE, NULL, 0));
    queue_check(queue);
    assert_int_equal(queue_counts(queue)->stages[3].done, 1);
    assert_int_equal(queue_ready(queue, 5), 1);
    queue_free(queue, free_nothing);
}

static void what_was_put_asleep_is_handed_out_in_its_order_once_the_queue_wakes(void **state)
{
    enum { ARTICLES = 1000 }; // more than the list of those asleep holds at first, twice over
    struct graph graph;
    struct queued_article *article;
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("export = *\n"), NULL), OK);
    struct queue *queue = queue_new(&graph, &queue_defaults);
    for (uint64_t i = 1; i <= ARTICLES; i++) {
        struct queue_put put = {.handle = i, .key = {i, 0}, .version = 1, .asleep = true};
        assert_int_equal(queue_put(queue, &put, 0, &article), WIRE_ACCEPTED);
        if (i % 2 == 1) { // ends before the queue wakes, as most of a journal does
            assert_true(queue_discard(queue, i));
            queue_forget(queue, queue_take_ended(queue));
        }
    }
    assert_null(queue_lease(queue, 1, 1, 0));
    assert_true(queue_wake(queue, 0));
    queue_check(queue);
    for (uint64_t i = 2; i <= ARTICLES; i += 2) {
        assert_int_equal(queue_lease(queue, 1, 1, 0)->article->handle, i);
    }
    assert_null(queue_lease(queue, 1, 1, 0));
    queue_free(queue, free_nothing);
}

static void a_lease_that_was_renewed_ends_on_time_though_the_queue_looked_too_early(void **state)
{
    struct graph graph;
    struct queued_article *article;
    const int64_t lease_ms = queue_defaults.lease_ms;
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("export = *\n"), NULL), OK);
    struct queue *queue = queue_new(&graph, &queue_defaults);
    struct queue_put put = {.handle = 1, .key = {1, 1}, .version = 1};
    assert_int_equal(queue_put(queue, &put, 0, &article), WIRE_ACCEPTED);
    assert_non_null(queue_lease(queue, 1, 1, 0));
    assert_int_equal(queue_next_ms(queue), lease_ms);
    queue_renew(queue, 1, 500);
    assert_true(queue_next_ms(queue) <= lease_ms + 500);
    assert_int_equal(queue_tick(queue, lease_ms), 0);
    assert_int_equal(queue_next_ms(queue), lease_ms + 500);
    assert_int_equal(queue_tick(queue, lease_ms + 499), 0);
    assert_int_equal(queue_tick(queue, lease_ms + 500), 1);
    queue_free(queue, free_nothing);
}

// --- embargoes when memory runs out

enum { WAVE = 64 }; // alarms that fit before the queue needs memory for more

static enum wire_outcome put_embargoed(struct queue *queue, uint64_t handle, int64_t embargo_ms)
{
    struct queued_article *article;
    struct queue_put put = {.handle = handle,
                            .key = {handle, 7},
                            .version = 1,
                            .embargo_ms = embargo_ms,
                            .lane = WIRE_ROUTINE};
    return queue_put(queue, &put, 0, &article);
}

static size_t lease_all(struct queue *queue, int64_t now_ms)
{
    size_t count = 0;
    queue_tick(queue, now_ms);
    while (queue_lease(queue, 1, 9, now_ms)) {
        count++;
    }
    return count;
}

static void an_embargo_holds_when_there_is_no_memory_for_its_alarm(void **state)
{
    struct graph graph;
    size_t refused = 0;
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("export = *\n"), NULL), OK);
    for (uint64_t n = 1; n <= 8; n++) {
        struct queue *queue = queue_new(&graph, &queue_defaults);
        for (uint64_t i = 1; i <= WAVE; i++) {
            assert_int_equal(put_embargoed(queue, i, 1000), WIRE_ACCEPTED);
        }
        fault_set(FAULT_MEMORY, n, false);
        bool accepted = put_embargoed(queue, WAVE + 1, 1000) == WIRE_ACCEPTED;
        fault_clear();
        refused += !accepted;
        assert_int_equal(lease_all(queue, 999), 0);
        assert_int_equal(lease_all(queue, 1000), WAVE + accepted);
        queue_check(queue);
        queue_free(queue, free_nothing);
    }
    assert_true(refused < 8);
}

static void an_embargo_that_is_ahead_again_holds_without_memory(void **state)
{
    struct graph graph;
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("export = *\n"), NULL), OK);
    struct queue *queue = queue_new(&graph, &queue_defaults);
    for (uint64_t i = 1; i <= 2 * (uint64_t)WAVE; i++) {
        assert_int_equal(put_embargoed(queue, i, 1000), WIRE_ACCEPTED);
        if (i == WAVE) {
            queue_tick(queue, 1000);
        }
    }
    queue_tick(queue, 1000);
    fault_set(FAULT_MEMORY, 1, true);
    queue_jump(queue, -500, 500);
    assert_int_equal(fault_count(FAULT_MEMORY) > 0, true);
    fault_clear();
    assert_int_equal(lease_all(queue, 999), 0);
    assert_int_equal(lease_all(queue, 1000), 2 * WAVE);
    queue_check(queue);
    queue_free(queue, free_nothing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_accepted_article_is_in_exactly_one_place),
        cmocka_unit_test(lanes_share_by_weight),
        cmocka_unit_test(a_full_queue_says_busy_and_takes_again_later),
        cmocka_unit_test(a_stage_is_supplied_once_and_only_while_nobody_has_it),
        cmocka_unit_test(what_was_put_asleep_is_handed_out_in_its_order_once_the_queue_wakes),
        cmocka_unit_test(a_lease_that_was_renewed_ends_on_time_though_the_queue_looked_too_early),
        cmocka_unit_test(an_embargo_holds_when_there_is_no_memory_for_its_alarm),
        cmocka_unit_test(an_embargo_that_is_ahead_again_holds_without_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
