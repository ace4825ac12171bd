#include "services/client_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// The client's end of a line, with this test as the broker.
struct line {
    struct client_core core;
    struct message out;
    uint64_t number;
    int64_t now_ms;
    struct frames sent;
    struct wire_message said;
};

static void open_line(struct line *line, uint32_t articles, uint64_t bytes)
{
    const struct client_config config = {
        .name = "c1", .article_limit = articles, .bytes_limit = bytes, .seed = 5};
    *line = (struct line){.now_ms = 1000};
    message_init(&line->out);
    assert_int_equal(client_core_init(&line->core, &config, line->now_ms), OK);
}

static void close_line(struct line *line)
{
    frames_clear(&line->sent);
    message_clear(&line->out);
    client_core_clear(&line->core);
}

static void deliver(struct line *line)
{
    struct frames frames;
    assert_true(message_finish(&line->out, ++line->number, &frames));
    client_core_message(&line->core, line->now_ms,
                        (struct view){frames.envelope, frames.envelope_len},
                        (struct view){frames.body, frames.body_len});
    frames_clear(&frames);
}

static void begin(struct line *line, enum wire_type type, uint32_t credit, uint64_t credit_bytes)
{
    message_begin(&line->out, type, WIRE_NO_STAGE);
    line->out.header.credit_count = credit;
    line->out.header.credit_bytes = credit_bytes;
}

static void acknowledge(struct line *line, uint64_t handle, enum wire_outcome outcome)
{
    const struct wire_item item = {.handle = handle, .outcome = (uint8_t)outcome};
    begin(line, WIRE_ACK, 1, 10);
    message_item(&line->out, &item, VIEW(""));
    deliver(line);
}

static enum client_action_type next(struct line *line, struct client_action *action)
{
    enum client_action_type type = client_core_next(&line->core, line->now_ms, action);
    if (type == CLIENT_SEND) {
        frames_clear(&line->sent);
        line->sent = action->frames;
        assert_int_equal(wire_parse(&line->said, line->sent.envelope, line->sent.envelope_len,
                                    line->sent.body, line->sent.body_len),
                         WIRE_OK);
    }
    return type;
}

static void expect_send(struct line *line, enum wire_type type)
{
    struct client_action action;
    assert_int_equal(next(line, &action), CLIENT_SEND);
    assert_string_equal(wire_type_name(line->said.header.type), wire_type_name(type));
}

static void expect_wait(struct line *line)
{
    struct client_action action;
    assert_int_equal(next(line, &action), CLIENT_WAIT);
}

static void expect_outcome(struct line *line, uint64_t tag, enum wire_outcome outcome)
{
    struct client_action action;
    assert_int_equal(next(line, &action), CLIENT_OUTCOME);
    assert_int_equal(action.outcome.tag, tag);
    assert_string_equal(wire_outcome_name(action.outcome.outcome), wire_outcome_name(outcome));
}

static void come_up(struct line *line, uint32_t credit, uint64_t credit_bytes)
{
    client_core_link(&line->core, line->now_ms, true);
    expect_send(line, WIRE_HELLO);
    begin(line, WIRE_WELCOME, credit, credit_bytes);
    message_field_u32(&line->out, WIRE_TAG_HEARTBEAT, 1000);
    message_field_u32(&line->out, WIRE_TAG_LEASE, 10000);
    deliver(line);
}

static enum status try_put(struct line *line, uint64_t tag, enum wire_lane lane)
{
    struct error why = {""};
    const struct client_article article = {
        .id = VIEW("id"), .document = VIEW("{\"v\": 1}"), .version = 1, .lane = lane, .tag = tag};
    return client_core_put(&line->core, line->now_ms, &article, &why);
}

static void put(struct line *line, uint64_t tag)
{
    assert_int_equal(try_put(line, tag, WIRE_ROUTINE), OK);
}

static uint64_t said_handle(struct line *line, int n)
{
    struct wire_walk walk = {.message = &line->said};
    for (int i = 0; i <= n; i++) {
        assert_true(wire_next_item(&walk));
    }
    return walk.item.handle;
}

static void a_client_says_how_patient_it_is_and_nothing_when_it_is_not(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 16, 1000);
    client_core_link(&line.core, line.now_ms, true);
    expect_send(&line, WIRE_HELLO);
    assert_int_equal(wire_field_u32(&line.said, WIRE_TAG_PATIENCE, 99), 99);
    close_line(&line);
    open_line(&line, 16, 1000);
    line.core.session.config.patience_ms = 5;
    client_core_link(&line.core, line.now_ms, true);
    expect_send(&line, WIRE_HELLO);
    assert_int_equal(wire_field_u32(&line.said, WIRE_TAG_PATIENCE, 99), 5);
    close_line(&line);
}

static void articles_wait_for_the_welcome_and_go_in_one_message(void **state)
{
    (void)state;
    struct line line;
    struct wire_section section;
    const uint8_t *bytes;
    open_line(&line, 16, 1000);
    put(&line, 71);
    put(&line, 72);
    expect_wait(&line);
    come_up(&line, 10, 1000);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 2);
    struct wire_walk walk = {.message = &line.said};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.version, 1);
    assert_int_equal(walk.item.lane, WIRE_ROUTINE);
    assert_memory_equal(walk.id, "id", 2);
    assert_true(wire_next_section(&walk, &section, &bytes));
    assert_int_equal(section.stage, WIRE_DOCUMENT);
    assert_memory_equal(bytes, "{\"v\": 1}", 8);
    expect_wait(&line);
    acknowledge(&line, said_handle(&line, 1), WIRE_ACCEPTED);
    expect_outcome(&line, 72, WIRE_ACCEPTED);
    acknowledge(&line, said_handle(&line, 0), WIRE_STALE);
    expect_outcome(&line, 71, WIRE_STALE);
    expect_wait(&line);
    assert_int_equal(line.core.held, 0);
    close_line(&line);
}

static void never_more_is_sent_than_was_granted(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 16, 1000);
    for (uint64_t tag = 1; tag <= 5; tag++) {
        put(&line, tag);
    }
    come_up(&line, 2, 1000);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 2);
    expect_wait(&line);
    acknowledge(&line, 1, WIRE_ACCEPTED);
    expect_outcome(&line, 1, WIRE_ACCEPTED);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 1);
    expect_wait(&line);
    begin(&line, WIRE_CREDIT, 5, 0);
    deliver(&line);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 2);
    close_line(&line);
}

static void an_article_larger_than_the_bytes_left_goes_alone(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 16, 1000);
    put(&line, 1);
    put(&line, 2);
    come_up(&line, 10, 4); // each has 10
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 1);
    expect_wait(&line);
    acknowledge(&line, 1, WIRE_ACCEPTED); // gives back 10
    expect_outcome(&line, 1, WIRE_ACCEPTED);
    expect_send(&line, WIRE_PUT);
    close_line(&line);
}

static void after_a_lost_session_everything_unanswered_is_sent_again_in_order(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 16, 1000);
    for (uint64_t tag = 1; tag <= 3; tag++) {
        put(&line, tag);
    }
    come_up(&line, 10, 1000);
    expect_send(&line, WIRE_PUT);
    acknowledge(&line, 2, WIRE_ACCEPTED);
    client_core_link(&line.core, line.now_ms, false);
    expect_outcome(&line, 2, WIRE_ACCEPTED);
    put(&line, 4);
    come_up(&line, 10, 1000);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 3);
    assert_int_equal(said_handle(&line, 0), 1);
    assert_int_equal(said_handle(&line, 1), 3);
    assert_int_equal(said_handle(&line, 2), 4);
    acknowledge(&line, 1, WIRE_DUPLICATE);
    expect_outcome(&line, 1, WIRE_DUPLICATE);
    assert_int_equal(line.core.counts.resent, 2);
    close_line(&line);
}

static void busy_is_tried_again_later_each_time_later(void **state)
{
    (void)state;
    struct line line;
    int64_t least_ms[] = {50, 100, 200};
    open_line(&line, 16, 1000);
    put(&line, 1);
    come_up(&line, 10, 1000);
    expect_send(&line, WIRE_PUT);
    for (int i = 0; i < 3; i++) {
        acknowledge(&line, 1, WIRE_BUSY);
        expect_wait(&line);
        int64_t due_ms = client_core_deadline(&line.core);
        assert_in_range(due_ms - line.now_ms, least_ms[i], least_ms[i] * 2);
        line.now_ms = due_ms;
        expect_send(&line, WIRE_PUT);
    }
    acknowledge(&line, 1, WIRE_ACCEPTED);
    expect_outcome(&line, 1, WIRE_ACCEPTED);
    close_line(&line);
}

// Each waits a time of its own, yet they come due in steps: otherwise each would take a walk over all others.
static void those_that_were_busy_come_due_together(void **state)
{
    enum { ARTICLES = 64, STEPS = 4 };
    (void)state;
    struct line line;
    int steps = 0;
    open_line(&line, ARTICLES, 100000);
    for (uint64_t tag = 1; tag <= ARTICLES; tag++) {
        put(&line, tag);
    }
    come_up(&line, ARTICLES, 100000);
    expect_send(&line, WIRE_PUT);
    for (uint64_t handle = 1; handle <= ARTICLES; handle++) {
        acknowledge(&line, handle, WIRE_BUSY);
    }
    expect_wait(&line);
    for (int sent = 0; sent < ARTICLES; steps++) {
        line.now_ms = client_core_deadline(&line.core);
        expect_send(&line, WIRE_PUT);
        sent += line.said.header.item_count;
        expect_wait(&line);
    }
    assert_in_range(steps, 1, STEPS);
    close_line(&line);
}

static void the_flash_overtakes_what_is_waiting(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 16, 1000);
    assert_int_equal(try_put(&line, 1, WIRE_BACKFILL), OK);
    assert_int_equal(try_put(&line, 2, WIRE_FLASH), OK);
    come_up(&line, 10, 1000);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(said_handle(&line, 0), 2);
    assert_int_equal(said_handle(&line, 1), 1);
    close_line(&line);
}

static void it_holds_no_more_than_its_limits(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 4, 1000);
    for (uint64_t tag = 1; tag <= 4; tag++) {
        put(&line, tag);
    }
    assert_int_equal(try_put(&line, 5, WIRE_ROUTINE), ERR_FULL);
    close_line(&line);
    open_line(&line, 64, 25);
    put(&line, 1);
    put(&line, 2);
    assert_int_equal(try_put(&line, 3, WIRE_ROUTINE), ERR_FULL);
    close_line(&line);
}

static void answers_to_what_was_never_sent_change_nothing(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 4, 1000);
    put(&line, 1);
    come_up(&line, 0, 0); // no credit: nothing is sent
    acknowledge(&line, 1, WIRE_ACCEPTED);
    acknowledge(&line, 99, WIRE_ACCEPTED);
    expect_send(&line, WIRE_PUT);
    acknowledge(&line, 1, WIRE_ACCEPTED);
    expect_outcome(&line, 1, WIRE_ACCEPTED);
    acknowledge(&line, 1, WIRE_ACCEPTED);
    expect_wait(&line);
    close_line(&line);
}

static void a_refusal_brings_its_sentence(void **state)
{
    (void)state;
    struct line line;
    struct client_action action;
    const struct wire_item item = {.handle = 1, .outcome = WIRE_REFUSED};
    open_line(&line, 4, 1000);
    put(&line, 9);
    come_up(&line, 10, 1000);
    expect_send(&line, WIRE_PUT);
    begin(&line, WIRE_ACK, 1, 10);
    message_item(&line.out, &item, VIEW(""));
    message_field(&line.out, WIRE_TAG_SENTENCE, VIEW("too large"));
    deliver(&line);
    assert_int_equal(next(&line, &action), CLIENT_OUTCOME);
    assert_int_equal(action.outcome.outcome, WIRE_REFUSED);
    assert_true(view_equal(action.outcome.sentence, VIEW("too large")));
    close_line(&line);
}

static void it_leaves_when_everything_is_answered(void **state)
{
    (void)state;
    struct line line;
    struct client_action action;
    open_line(&line, 4, 1000);
    put(&line, 1);
    client_core_leave(&line.core);
    come_up(&line, 10, 1000);
    expect_send(&line, WIRE_PUT);
    expect_wait(&line);
    acknowledge(&line, 1, WIRE_ACCEPTED);
    expect_outcome(&line, 1, WIRE_ACCEPTED);
    expect_send(&line, WIRE_GOODBYE);
    assert_int_equal(next(&line, &action), CLIENT_STOPPED);
    close_line(&line);
}

static void large_batches_are_cut_at_64_articles(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 256, 100000);
    for (uint64_t tag = 1; tag <= 130; tag++) {
        put(&line, tag);
    }
    come_up(&line, 1000, 100000);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 64);
    expect_send(&line, WIRE_PUT);
    expect_send(&line, WIRE_PUT);
    assert_int_equal(line.said.header.item_count, 2);
    expect_wait(&line);
    close_line(&line);
}

// Random answers, losses and times: every article is told exactly once, and nothing is forgotten.
static void every_article_has_exactly_one_outcome_whatever_happens(void **state)
{
    (void)state;
    enum { ARTICLES = 2000 };
    static unsigned told[ARTICLES + 1];
    struct line line;
    uint64_t putted = 0, seed = 88172645463325252u;
    unsigned total = 0;
    memset(told, 0, sizeof told);
    open_line(&line, 64, 100000);
    while (total < ARTICLES) {
        struct client_action action;
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        while (putted < ARTICLES &&
               try_put(&line, putted + 1, (enum wire_lane)(putted % 4)) == OK) {
            putted++;
        }
        unsigned dice = (unsigned)(seed % 16);
        if (dice == 0) {
            client_core_link(&line.core, line.now_ms, false);
        } else if (line.core.session.state == SESSION_DOWN) {
            client_core_link(&line.core, line.now_ms, true);
        } else if (line.core.session.state == SESSION_GREETING && !line.core.session.hello_due) {
            begin(&line, WIRE_WELCOME, 8, 100);
            deliver(&line);
        } else if (line.core.next_handle > line.core.oldest) {
            uint64_t span = line.core.next_handle - line.core.oldest;
            acknowledge(&line, line.core.oldest + seed / 16 % span,
                        dice < 4 ? WIRE_BUSY : WIRE_ACCEPTED);
        }
        line.now_ms += dice * 10;
        enum client_action_type type;
        while ((type = next(&line, &action)) != CLIENT_WAIT) {
            if (type == CLIENT_OUTCOME) {
                assert_int_equal(told[action.outcome.tag]++, 0);
                total++;
            }
        }
    }
    assert_int_equal(line.core.held, 0);
    close_line(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_says_how_patient_it_is_and_nothing_when_it_is_not),
        cmocka_unit_test(articles_wait_for_the_welcome_and_go_in_one_message),
        cmocka_unit_test(never_more_is_sent_than_was_granted),
        cmocka_unit_test(an_article_larger_than_the_bytes_left_goes_alone),
        cmocka_unit_test(after_a_lost_session_everything_unanswered_is_sent_again_in_order),
        cmocka_unit_test(busy_is_tried_again_later_each_time_later),
        cmocka_unit_test(those_that_were_busy_come_due_together),
        cmocka_unit_test(the_flash_overtakes_what_is_waiting),
        cmocka_unit_test(it_holds_no_more_than_its_limits),
        cmocka_unit_test(answers_to_what_was_never_sent_change_nothing),
        cmocka_unit_test(a_refusal_brings_its_sentence),
        cmocka_unit_test(it_leaves_when_everything_is_answered),
        cmocka_unit_test(large_batches_are_cut_at_64_articles),
        cmocka_unit_test(every_article_has_exactly_one_outcome_whatever_happens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
