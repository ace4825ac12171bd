#include "services/worker_core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// The worker's end of a line, with this test as the broker.
struct line {
    struct worker_core core;
    struct message out; // the broker's next message
    uint64_t number;
    int64_t now_ms;
    // the last message the worker sent
    struct frames sent;
    struct wire_message said;
};

static void open_line(struct line *line, uint32_t slots, uint32_t credit)
{
    const struct worker_config config = {.name = "w1",
                                         .stage = "dates",
                                         .stage_version = "7",
                                         .slots = slots,
                                         .credit_count = credit,
                                         .credit_bytes = 1000,
                                         .seed = 11};
    *line = (struct line){.now_ms = 1000};
    message_init(&line->out);
    worker_core_init(&line->core, &config, line->now_ms);
}

static void close_line(struct line *line)
{
    frames_clear(&line->sent);
    message_clear(&line->out);
    worker_core_clear(&line->core);
}

// Hands the message built in `out` to the worker.
static void deliver(struct line *line)
{
    struct frames frames;
    assert_true(message_finish(&line->out, ++line->number, &frames));
    worker_core_message(&line->core, line->now_ms,
                        (struct view){frames.envelope, frames.envelope_len},
                        (struct view){frames.body, frames.body_len});
    frames_clear(&frames);
}

static void begin(struct line *line, enum wire_type type)
{
    message_begin(&line->out, type, 3);
}

static void add_work(struct line *line, uint64_t handle, enum wire_lane lane, const char *document)
{
    const struct wire_item item = {.handle = handle, .attempt = 1, .lane = (uint8_t)lane};
    message_item(&line->out, &item, VIEW("id"));
    message_section(&line->out, WIRE_DOCUMENT, view_of(document));
}

static void send_work(struct line *line, uint64_t handle)
{
    begin(line, WIRE_WORK);
    add_work(line, handle, WIRE_ROUTINE, "{}");
    deliver(line);
}

static void welcome(struct line *line)
{
    begin(line, WIRE_WELCOME);
    message_field_u64(&line->out, WIRE_TAG_SESSION, 42);
    message_field(&line->out, WIRE_TAG_STAGES, VIEW("clean entities dates"));
    message_field_u32(&line->out, WIRE_TAG_HEARTBEAT, 1000);
    message_field_u32(&line->out, WIRE_TAG_LEASE, 10000);
    deliver(line);
}

static void send_error(struct line *line, enum wire_error code, const char *sentence)
{
    begin(line, WIRE_ERROR);
    message_field_u32(&line->out, WIRE_TAG_CODE, (uint32_t)code);
    message_field(&line->out, WIRE_TAG_SENTENCE, view_of(sentence));
    deliver(line);
}

static enum worker_action_type next(struct line *line, struct worker_action *action)
{
    enum worker_action_type type = worker_core_next(&line->core, line->now_ms, action);
    if (type == WORKER_SEND) {
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
    struct worker_action action;
    assert_int_equal(next(line, &action), WORKER_SEND);
    assert_string_equal(wire_type_name(line->said.header.type), wire_type_name(type));
}

static void expect_wait(struct line *line)
{
    struct worker_action action;
    assert_int_equal(next(line, &action), WORKER_WAIT);
}

static struct worker_article *expect_run(struct line *line, uint64_t handle)
{
    struct worker_action action;
    assert_int_equal(next(line, &action), WORKER_RUN);
    assert_int_equal(action.article->item.handle, handle);
    return action.article;
}

static void finish(struct line *line, struct worker_article *article, const char *section)
{
    article->outcome = WIRE_DONE;
    article->result = strdup(section);
    article->result_len = strlen(section);
    worker_core_finished(&line->core, line->now_ms, article);
}

// Item `n` of the message that was sent last.
static struct wire_walk said_item(struct line *line, int n)
{
    struct wire_walk walk = {.message = &line->said};
    for (int i = 0; i <= n; i++) {
        assert_true(wire_next_item(&walk));
    }
    return walk;
}

static void come_up(struct line *line)
{
    worker_core_link(&line->core, line->now_ms, true);
    expect_send(line, WIRE_HELLO);
    welcome(line);
    expect_wait(line);
}

// A worker of one slot that was welcomed, for most tests.
static int open_up(void **state)
{
    struct line *line = malloc(sizeof *line);
    assert_non_null(line);
    open_line(line, 1, 8);
    come_up(line);
    *state = line;
    return 0;
}

static int close_up(void **state)
{
    close_line(*state);
    free(*state);
    return 0;
}

static void it_says_who_it_is_and_grants_credit(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 1, 8);
    expect_wait(&line);
    worker_core_link(&line.core, line.now_ms, true);
    expect_send(&line, WIRE_HELLO);
    assert_int_equal(line.said.header.role, WIRE_WORKER);
    assert_int_equal(line.said.header.credit_count, 8);
    assert_int_equal(line.said.header.credit_bytes, 1000);
    assert_true(view_equal(message_text(&line.said, WIRE_TAG_STAGE), VIEW("dates")));
    assert_true(view_equal(message_text(&line.said, WIRE_TAG_STAGE_VERSION), VIEW("7")));
    assert_true(view_equal(message_text(&line.said, WIRE_TAG_NAME), VIEW("w1")));
    welcome(&line);
    assert_int_equal(line.core.session.stage, 3);
    assert_int_equal(line.core.session.run, 42);
    expect_wait(&line);
    close_line(&line);
}

static void an_article_is_run_and_answered_with_its_credit(void **state)
{
    struct line *line = *state;
    struct wire_section section;
    const uint8_t *bytes;
    begin(line, WIRE_WORK);
    add_work(line, 7, WIRE_ROUTINE, "{\"a\":1}");
    message_section(&line->out, 1, VIEW("{\"b\":2}"));
    deliver(line);
    struct worker_article *article = expect_run(line, 7);
    assert_int_equal(article->section_count, 2);
    assert_int_equal(article->sections[1].stage, 1);
    assert_true(view_equal(article->sections[1].bytes, VIEW("{\"b\":2}")));
    expect_wait(line);
    finish(line, article, "{\"c\":3}");
    expect_send(line, WIRE_RESULT);
    assert_int_equal(line->said.header.stage, 3);
    assert_int_equal(line->said.header.credit_count, 1);
    assert_int_equal(line->said.header.credit_bytes, 2 + 7 + 7);
    struct wire_walk walk = said_item(line, 0);
    assert_int_equal(walk.item.handle, 7);
    assert_int_equal(walk.item.attempt, 1);
    assert_int_equal(walk.item.outcome, WIRE_DONE);
    assert_true(wire_next_section(&walk, &section, &bytes));
    assert_int_equal(section.stage, 3);
    assert_memory_equal(bytes, "{\"c\":3}", 7);
    expect_wait(line);
}

// A worker of clean that could run entities and dates along; the broker wants the second only.
static void open_along(struct line *line)
{
    const struct worker_config config = {.name = "w1",
                                         .stage = "clean",
                                         .stage_version = "7",
                                         .along = {"entities", "dates"},
                                         .slots = 1,
                                         .credit_count = 8,
                                         .credit_bytes = 1000,
                                         .seed = 11};
    *line = (struct line){.now_ms = 1000};
    message_init(&line->out);
    worker_core_init(&line->core, &config, line->now_ms);
    worker_core_link(&line->core, line->now_ms, true);
    expect_send(line, WIRE_HELLO);
    assert_true(view_equal(message_text(&line->said, WIRE_TAG_ALONG), VIEW("entities dates")));
    message_begin(&line->out, WIRE_WELCOME, 1);
    message_field(&line->out, WIRE_TAG_STAGES, VIEW("clean entities dates"));
    message_field(&line->out, WIRE_TAG_ALONG, VIEW("dates"));
    deliver(line);
}

static void what_ran_along_is_told_with_the_result(void **state)
{
    (void)state;
    struct line line;
    struct wire_section section;
    const uint8_t *bytes;
    open_along(&line);
    send_work(&line, 7);
    struct worker_article *article = expect_run(&line, 7);
    assert_int_equal(article->along, 1u << 1);
    article->along_len[1] = strlen("{\"d\":4}");
    article->outcome = WIRE_DONE;
    article->result = strdup("{\"c\":3}{\"d\":4}");
    article->result_len = strlen("{\"c\":3}");
    worker_core_finished(&line.core, line.now_ms, article);
    expect_send(&line, WIRE_RESULT);
    struct wire_walk walk = said_item(&line, 0);
    assert_int_equal(walk.item.section_count, 2);
    assert_true(wire_next_section(&walk, &section, &bytes));
    assert_int_equal(section.stage, 1);
    assert_memory_equal(bytes, "{\"c\":3}", section.bytes);
    assert_true(wire_next_section(&walk, &section, &bytes));
    assert_int_equal(section.stage, 3);
    assert_memory_equal(bytes, "{\"d\":4}", section.bytes);
    close_line(&line);
}

static void a_second_attempt_goes_step_by_step(void **state)
{
    (void)state;
    struct line line;
    const struct wire_item item = {.handle = 7, .attempt = 2};
    open_along(&line);
    begin(&line, WIRE_WORK);
    message_item(&line.out, &item, VIEW("id"));
    message_section(&line.out, WIRE_DOCUMENT, VIEW("{}"));
    deliver(&line);
    struct worker_article *article = expect_run(&line, 7);
    assert_int_equal(article->along, 0);
    finish(&line, article, "{}");
    close_line(&line);
}

static void nothing_runs_along_for_a_broker_that_does_not_know_of_it(void **state)
{
    (void)state;
    struct line line;
    open_along(&line);
    send_error(&line, WIRE_ERROR_UNKNOWN, "who are you?");
    expect_send(&line, WIRE_HELLO);
    welcome(&line);
    send_work(&line, 7);
    struct worker_article *article = expect_run(&line, 7);
    assert_int_equal(article->along, 0);
    finish(&line, article, "{}");
    close_line(&line);
}

static void the_most_urgent_runs_first_and_never_more_than_there_are_slots(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 2, 8);
    come_up(&line);
    begin(&line, WIRE_WORK);
    add_work(&line, 1, WIRE_BACKFILL, "{}");
    add_work(&line, 2, WIRE_ROUTINE, "{}");
    add_work(&line, 3, WIRE_FLASH, "{}");
    deliver(&line);
    struct worker_article *first = expect_run(&line, 3);
    struct worker_article *second = expect_run(&line, 2);
    expect_wait(&line);
    finish(&line, first, "{}");
    finish(&line, second, "{}");
    struct worker_article *last = expect_run(&line, 1);
    expect_send(&line, WIRE_RESULT); // both in one message
    assert_int_equal(line.said.header.item_count, 2);
    finish(&line, last, "{}");
    expect_send(&line, WIRE_RESULT);
    close_line(&line);
}

// A stage that is done at once must not send a message for each article; nor may a result lie while others are run.
static void results_wait_for_company_while_more_can_be_run_but_not_long(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 1, 200);
    come_up(&line);
    for (uint64_t handle = 1; handle <= 70; handle++) {
        send_work(&line, handle);
    }
    for (uint64_t handle = 1; handle <= 64; handle++) {
        finish(&line, expect_run(&line, handle), "{}");
    }
    expect_send(&line, WIRE_RESULT); // a full message goes
    assert_int_equal(line.said.header.item_count, 64);
    finish(&line, expect_run(&line, 65), "{}");
    struct worker_article *running = expect_run(&line, 66);
    expect_wait(&line);
    assert_int_equal(worker_core_deadline(&line.core), line.now_ms + WORKER_HOLD_MS);
    finish(&line, running, "{}");
    line.now_ms += WORKER_HOLD_MS;
    expect_send(&line, WIRE_RESULT); // and what has waited so long
    assert_int_equal(line.said.header.item_count, 2);
    for (uint64_t handle = 67; handle <= 70; handle++) {
        finish(&line, expect_run(&line, handle), "{}");
    }
    expect_send(&line, WIRE_RESULT); // and all that there is when nothing is left to run
    assert_int_equal(line.said.header.item_count, 4);
    close_line(&line);
}

static void run_and_finish(struct line *line, uint64_t handle)
{
    send_work(line, handle);
    finish(line, expect_run(line, handle), "{}");
}

// Nothing waits behind a sink but the broker's count: at a steady rate one message serves several articles.
static void a_sinks_results_wait_for_company_for_some_milliseconds(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 1, 200);
    line.core.config.gather_ms = 5;
    come_up(&line);
    run_and_finish(&line, 1);
    expect_wait(&line);
    int64_t begun_ms = line.now_ms;
    assert_int_equal(worker_core_deadline(&line.core), begun_ms + 10);
    line.now_ms = begun_ms + 4;
    run_and_finish(&line, 2);
    expect_wait(&line);
    line.now_ms = begun_ms + 6;
    send_work(&line, 3); // wakes the process: they go with that
    expect_send(&line, WIRE_RESULT);
    assert_int_equal(line.said.header.item_count, 2);
    assert_int_equal(line.said.header.credit_count, 2);
    finish(&line, expect_run(&line, 3), "{}");
    expect_wait(&line);
    assert_int_equal(worker_core_deadline(&line.core), line.now_ms + 10);
    line.now_ms += 10;
    expect_send(&line, WIRE_RESULT);
    close_line(&line);
}

static void a_sinks_results_do_not_wait_when_half_of_the_grant_is_here(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 1, 4);
    line.core.config.gather_ms = 5;
    come_up(&line);
    run_and_finish(&line, 1);
    expect_wait(&line);
    run_and_finish(&line, 2);
    expect_send(&line, WIRE_RESULT);
    assert_int_equal(line.said.header.item_count, 2);
    close_line(&line);
}

static void a_sink_that_leaves_answers_at_once(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 1, 200);
    line.core.config.gather_ms = 5;
    come_up(&line);
    run_and_finish(&line, 1);
    expect_wait(&line);
    worker_core_drain(&line.core, line.now_ms);
    expect_send(&line, WIRE_RESULT);
    expect_send(&line, WIRE_GOODBYE);
    close_line(&line);
}

static void the_result_of_an_urgent_article_does_not_wait_for_company(void **state)
{
    struct line *line = *state;
    begin(line, WIRE_WORK);
    add_work(line, 1, WIRE_URGENT, "{}");
    add_work(line, 2, WIRE_ROUTINE, "{}");
    add_work(line, 3, WIRE_ROUTINE, "{}");
    deliver(line);
    finish(line, expect_run(line, 1), "{}");
    finish(line, expect_run(line, 2), "{}");
    line->now_ms++;
    expect_send(line, WIRE_RESULT);
    assert_int_equal(line->said.header.item_count, 2);
    finish(line, expect_run(line, 3), "{}");
}

static void work_beyond_the_grant_is_returned(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 1, 2);
    come_up(&line);
    for (uint64_t handle = 1; handle <= 3; handle++) {
        send_work(&line, handle);
    }
    expect_send(&line, WIRE_RESULT);
    assert_int_equal(line.said.header.item_count, 1);
    assert_int_equal(said_item(&line, 0).item.handle, 3);
    assert_int_equal(said_item(&line, 0).item.outcome, WIRE_RETURN);
    struct worker_article *running = expect_run(&line, 1);
    finish(&line, running, "{}");
    finish(&line, expect_run(&line, 2), "{}");
    expect_send(&line, WIRE_RESULT);
    assert_int_equal(line.said.header.item_count, 2);
    close_line(&line);
}

static void expect_pace(uint32_t threads, int64_t article_us, uint32_t slots, uint32_t credit)
{
    struct worker_pace pace = worker_pace_for(threads, article_us);
    assert_int_equal(pace.slots, slots);
    assert_int_equal(pace.credit, credit);
}

static void quick_articles_are_held_by_the_batch_and_slow_ones_by_the_few(void **state)
{
    (void)state;
    expect_pace(1, 3, 64, 128);
    expect_pace(4, 3, 4 * 64, 4 * 128);
    expect_pace(1, 100, 64, 128);
    expect_pace(1, 1000, 20, 50);
    expect_pace(2, 5000, 2 * 4, 2 * 10);
    expect_pace(1, 60000000, 2, 3);
    expect_pace(1, 0, 10, 25); // not known yet: as if 2 ms
}

// Receives, runs and answers one article; what the answer granted.
static uint32_t serve_one(struct line *line, uint64_t handle)
{
    send_work(line, handle);
    finish(line, expect_run(line, handle), "{}");
    expect_send(line, WIRE_RESULT);
    return line->said.header.credit_count;
}

static void the_grant_follows_the_pace_with_the_results(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 2, 4);
    come_up(&line);
    assert_int_equal(serve_one(&line, 1), 1);
    worker_core_pace(&line.core, (struct worker_pace){.slots = 2, .credit = 6});
    assert_int_equal(serve_one(&line, 2), 2);
    assert_int_equal(serve_one(&line, 3), 2);
    assert_int_equal(serve_one(&line, 4), 1);
    worker_core_pace(&line.core, (struct worker_pace){.slots = 1, .credit = 4});
    assert_int_equal(serve_one(&line, 5), 0);
    assert_int_equal(serve_one(&line, 6), 0);
    assert_int_equal(serve_one(&line, 7), 1);
    close_line(&line);
}

static void a_new_session_begins_with_the_first_grant(void **state)
{
    (void)state;
    struct line line;
    open_line(&line, 2, 4);
    come_up(&line);
    worker_core_pace(&line.core, (struct worker_pace){.slots = 1, .credit = 2});
    assert_int_equal(serve_one(&line, 1), 0);
    worker_core_link(&line.core, line.now_ms, false);
    come_up(&line);
    for (uint64_t handle = 2; handle <= 5; handle++) { // four were granted anew: none is returned
        send_work(&line, handle);
    }
    finish(&line, expect_run(&line, 2), "{}");
    finish(&line, expect_run(&line, 3), "{}");
    assert_int_equal(line.core.counts.returned, 0);
    close_line(&line);
}

static void a_silent_worker_sends_heartbeats_and_a_busy_one_need_not(void **state)
{
    struct line *line = *state;
    line->now_ms += 999;
    expect_wait(line);
    assert_int_equal(worker_core_deadline(&line->core), line->now_ms + 1);
    line->now_ms += 1;
    expect_send(line, WIRE_HEARTBEAT);
    line->now_ms += 900;
    send_work(line, 1);
    finish(line, expect_run(line, 1), "{}");
    expect_send(line, WIRE_RESULT);
    line->now_ms += 900;
    expect_wait(line);
}

static void a_silent_broker_is_given_up_and_greeted_anew(void **state)
{
    struct line *line = *state;
    struct worker_action action;
    for (int second = 0; second < 9; second++) {
        line->now_ms += 1000;
        expect_send(line, WIRE_HEARTBEAT);
    }
    line->now_ms += 1000;
    expect_wait(line);
    assert_int_equal(line->core.session.state, SESSION_PAUSING);
    assert_non_null(strstr(line->core.session.why.text, "no word from the broker for 10.0 s"));
    line->now_ms = worker_core_deadline(&line->core);
    assert_int_equal(next(line, &action), WORKER_RECONNECT);
    expect_wait(line);
    come_up(line);
}

static void work_of_a_lost_session_is_dropped_running_or_not(void **state)
{
    struct line *line = *state;
    send_work(line, 1);
    send_work(line, 2);
    struct worker_article *running = expect_run(line, 1);
    worker_core_link(&line->core, line->now_ms, false);
    come_up(line);
    finish(line, running, "{}");
    expect_wait(line); // no result: the broker has given it to somebody else
    assert_int_equal(line->core.counts.fenced, 2);
    send_work(line, 3);
    finish(line, expect_run(line, 3), "{}");
    expect_send(line, WIRE_RESULT);
}

static void results_not_sent_yet_go_with_their_session(void **state)
{
    struct line *line = *state;
    send_work(line, 1);
    finish(line, expect_run(line, 1), "{}");
    worker_core_link(&line->core, line->now_ms, false);
    come_up(line);
}

static void a_broker_that_does_not_know_us_is_greeted_once_for_all_its_errors(void **state)
{
    struct line *line = *state;
    send_work(line, 1);
    for (int i = 0; i < 3; i++) {
        send_error(line, WIRE_ERROR_UNKNOWN, "say HELLO first");
    }
    expect_send(line, WIRE_HELLO);
    send_error(line, WIRE_ERROR_UNKNOWN, "say HELLO first"); // was under way
    expect_wait(line);
    welcome(line);
    expect_wait(line); // article 1 is not run
    assert_int_equal(line->core.session.state, SESSION_UP);
}

static void a_refused_worker_stops_with_the_brokers_sentence(void **state)
{
    (void)state;
    struct line line;
    struct worker_action action;
    open_line(&line, 1, 8);
    worker_core_link(&line.core, line.now_ms, true);
    expect_send(&line, WIRE_HELLO);
    send_error(&line, WIRE_ERROR_STAGE, "the pipeline has no stage 'dates'");
    assert_int_equal(next(&line, &action), WORKER_STOPPED);
    assert_string_equal(line.core.session.why.text, "the pipeline has no stage 'dates'");
    close_line(&line);
}

static void a_canceled_article_is_returned_unless_it_has_begun(void **state)
{
    (void)state;
    struct line line;
    const struct wire_item items[] = {
        {.handle = 1, .attempt = 1}, {.handle = 2, .attempt = 9}, {.handle = 3, .attempt = 1}};
    open_line(&line, 1, 8);
    come_up(&line);
    for (uint64_t handle = 1; handle <= 4; handle++) {
        send_work(&line, handle);
    }
    struct worker_article *running = expect_run(&line, 1);
    begin(&line, WIRE_CANCEL);
    for (int i = 0; i < 3; i++) {
        message_item(&line.out, &items[i], VIEW(""));
    }
    deliver(&line);
    expect_send(&line, WIRE_RESULT);
    assert_int_equal(line.said.header.item_count, 1); // 1 runs, 2 has another attempt
    assert_int_equal(said_item(&line, 0).item.handle, 3);
    finish(&line, running, "{}");
    finish(&line, expect_run(&line, 2), "{}");
    finish(&line, expect_run(&line, 4), "{}");
    close_line(&line);
}

static void draining_returns_what_has_not_begun_and_finishes_the_rest(void **state)
{
    struct line *line = *state;
    struct worker_action action;
    send_work(line, 1);
    send_work(line, 2);
    struct worker_article *running = expect_run(line, 1);
    worker_core_drain(&line->core, line->now_ms);
    expect_send(line, WIRE_RESULT);
    assert_int_equal(said_item(line, 0).item.handle, 2);
    assert_int_equal(said_item(line, 0).item.outcome, WIRE_RETURN);
    assert_int_equal(line->said.header.credit_count, 0);
    send_work(line, 3); // was under way
    expect_send(line, WIRE_RESULT);
    assert_int_equal(said_item(line, 0).item.outcome, WIRE_RETURN);
    expect_wait(line);
    finish(line, running, "{}");
    expect_send(line, WIRE_RESULT);
    assert_int_equal(said_item(line, 0).item.outcome, WIRE_DONE);
    expect_send(line, WIRE_GOODBYE);
    assert_int_equal(next(line, &action), WORKER_STOPPED);
}

static void a_leaving_broker_is_left_and_looked_for_again(void **state)
{
    struct line *line = *state;
    struct worker_action action;
    begin(line, WIRE_GOODBYE);
    deliver(line);
    expect_send(line, WIRE_GOODBYE);
    expect_wait(line);
    line->now_ms = worker_core_deadline(&line->core);
    assert_int_equal(next(line, &action), WORKER_RECONNECT);
}

static void a_leaving_broker_gets_what_was_begun_and_the_rest_unread(void **state)
{
    struct line *line = *state;
    struct worker_action action;
    send_work(line, 1);
    send_work(line, 2);
    struct worker_article *running = expect_run(line, 1);
    begin(line, WIRE_GOODBYE);
    deliver(line);
    expect_send(line, WIRE_RESULT);
    assert_int_equal(said_item(line, 0).item.handle, 2);
    assert_int_equal(said_item(line, 0).item.outcome, WIRE_RETURN);
    assert_int_equal(line->said.header.credit_count, 0);
    expect_wait(line);
    finish(line, running, "{}");
    expect_send(line, WIRE_RESULT);
    assert_int_equal(said_item(line, 0).item.outcome, WIRE_DONE);
    expect_send(line, WIRE_GOODBYE);
    expect_wait(line);
    line->now_ms = worker_core_deadline(&line->core);
    assert_int_equal(next(line, &action), WORKER_RECONNECT);
    assert_int_equal(line->core.counts.fenced, 0);
    assert_false(line->core.dismissed);
}

static void pauses_grow_and_stay_bounded(void **state)
{
    (void)state;
    struct line line;
    int64_t longest_ms = 0;
    open_line(&line, 1, 8);
    for (uint32_t tries = 0; tries < 40; tries++) {
        int64_t pause_ms = session_backoff_ms(&line.core.session, tries);
        int64_t most_ms = tries < 6 ? 100 << tries : 5000;
        assert_in_range(pause_ms, (most_ms > 5000 ? 5000 : most_ms) / 2, most_ms);
        longest_ms = pause_ms > longest_ms ? pause_ms : longest_ms;
    }
    assert_true(longest_ms > 4000);
    close_line(&line);
}

static void what_cannot_be_read_ends_the_session(void **state)
{
    struct line *line = *state;
    worker_core_message(&line->core, line->now_ms, VIEW("nonsense"), VIEW(""));
    expect_wait(line);
    assert_int_equal(line->core.session.state, SESSION_PAUSING);
    assert_non_null(strstr(line->core.session.why.text, "could not be read"));
}

int main(void)
{
#define UP(name) cmocka_unit_test_setup_teardown(name, open_up, close_up)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_says_who_it_is_and_grants_credit),
        UP(an_article_is_run_and_answered_with_its_credit),
        cmocka_unit_test(what_ran_along_is_told_with_the_result),
        cmocka_unit_test(a_second_attempt_goes_step_by_step),
        cmocka_unit_test(nothing_runs_along_for_a_broker_that_does_not_know_of_it),
        cmocka_unit_test(the_most_urgent_runs_first_and_never_more_than_there_are_slots),
        cmocka_unit_test(results_wait_for_company_while_more_can_be_run_but_not_long),
        cmocka_unit_test(a_sinks_results_wait_for_company_for_some_milliseconds),
        cmocka_unit_test(a_sinks_results_do_not_wait_when_half_of_the_grant_is_here),
        cmocka_unit_test(a_sink_that_leaves_answers_at_once),
        UP(the_result_of_an_urgent_article_does_not_wait_for_company),
        cmocka_unit_test(work_beyond_the_grant_is_returned),
        cmocka_unit_test(quick_articles_are_held_by_the_batch_and_slow_ones_by_the_few),
        cmocka_unit_test(the_grant_follows_the_pace_with_the_results),
        cmocka_unit_test(a_new_session_begins_with_the_first_grant),
        UP(a_silent_worker_sends_heartbeats_and_a_busy_one_need_not),
        UP(a_silent_broker_is_given_up_and_greeted_anew),
        UP(work_of_a_lost_session_is_dropped_running_or_not),
        UP(results_not_sent_yet_go_with_their_session),
        UP(a_broker_that_does_not_know_us_is_greeted_once_for_all_its_errors),
        cmocka_unit_test(a_refused_worker_stops_with_the_brokers_sentence),
        cmocka_unit_test(a_canceled_article_is_returned_unless_it_has_begun),
        UP(draining_returns_what_has_not_begun_and_finishes_the_rest),
        UP(a_leaving_broker_is_left_and_looked_for_again),
        UP(a_leaving_broker_gets_what_was_begun_and_the_rest_unread),
        cmocka_unit_test(pauses_grow_and_stay_bounded),
        UP(what_cannot_be_read_ends_the_session),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
