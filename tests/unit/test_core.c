#include "common/fault.h"
#include "services/broker/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// One core, messages made by hand, and the actions it answers with. Loss and recovery are the simulator's
// business (tests/sim); here stands what each message must lead to.

enum { CLIENT = 1, WORKER = 2, SINK = 3, DATES = 4, STRANGER = 9 };

struct desk {
    struct graph graph;
    struct core *core;
    struct message message;
    uint64_t number;
    bool committing;
    char disk[8192];         // the one segment; what was committed
    uint64_t fails_at;       // of the allocations for the next message, this one fails; 0: none
    struct frames inbox[32]; // what was sent to anyone, in order
    uint64_t to[32];
    size_t inbox_count;
};

static void perform(struct desk *desk, int64_t now_ms);

static void keep_on_disk(struct desk *desk, const struct journal_commit *commit)
{
    if (commit->segment == 1 && commit->offset + commit->bytes.len <= sizeof desk->disk) {
        memcpy(desk->disk + commit->offset, commit->bytes.at, commit->bytes.len);
    }
}

static void read_back(struct desk *desk, const struct action *action, int64_t now_ms)
{
    struct view record = {desk->disk + action->place.offset, action->place.bytes};
    assert_true(action->place.offset + action->place.bytes <= sizeof desk->disk);
    core_read(desk->core, action->handle, action->place, record, now_ms);
    perform(desk, now_ms);
}

static void perform(struct desk *desk, int64_t now_ms)
{
    struct action action;
    core_turn(desk->core, now_ms);
    while (core_take_action(desk->core, &action)) {
        if (action.kind == ACTION_SEND) {
            assert_true(desk->inbox_count < 32);
            desk->to[desk->inbox_count] = action.peer;
            desk->inbox[desk->inbox_count++] = action.frames;
        } else if (action.kind == ACTION_COMMIT) {
            desk->committing = true;
            keep_on_disk(desk, &action.commit);
        } else if (action.kind == ACTION_READ) {
            read_back(desk, &action, now_ms);
        } else {
            fail_msg("unexpected action %d", action.kind);
        }
    }
}

static void commit(struct desk *desk, int64_t now_ms)
{
    assert_true(desk->committing);
    desk->committing = false;
    core_committed(desk->core, now_ms);
    perform(desk, now_ms);
}

// Takes the first message to `peer` out of the inbox and reads it; false when there is none.
static bool receive(struct desk *desk, uint64_t peer, struct frames *frames,
                    struct wire_message *parsed)
{
    for (size_t i = 0; i < desk->inbox_count; i++) {
        if (desk->to[i] != peer) {
            continue;
        }
        *frames = desk->inbox[i];
        desk->inbox_count--;
        memmove(desk->inbox + i, desk->inbox + i + 1,
                (desk->inbox_count - i) * sizeof *desk->inbox);
        memmove(desk->to + i, desk->to + i + 1, (desk->inbox_count - i) * sizeof *desk->to);
        assert_int_equal(wire_parse(parsed, frames->envelope, frames->envelope_len, frames->body,
                                    frames->body_len),
                         WIRE_OK);
        return true;
    }
    return false;
}

static uint8_t receive_type(struct desk *desk, uint64_t peer)
{
    struct frames frames = {0};
    struct wire_message parsed;
    uint8_t type = receive(desk, peer, &frames, &parsed) ? parsed.header.type : 0;
    frames_clear(&frames);
    return type;
}

static void send(struct desk *desk, uint64_t peer, int64_t now_ms)
{
    struct frames frames;
    assert_true(message_finish(&desk->message, ++desk->number, &frames));
    fault_set(FAULT_MEMORY, desk->fails_at, false);
    core_message(desk->core, peer, (struct view){frames.envelope, frames.envelope_len},
                 (struct view){frames.body, frames.body_len}, now_ms);
    fault_clear();
    desk->fails_at = 0;
    frames_clear(&frames);
    perform(desk, now_ms);
}

static void hello(struct desk *desk, uint64_t peer, enum wire_role role, const char *stage,
                  uint32_t credit)
{
    message_begin(&desk->message, WIRE_HELLO, WIRE_NO_STAGE);
    desk->message.header.role = (uint8_t)role;
    desk->message.header.credit_count = credit;
    desk->message.header.credit_bytes = 1 << 20;
    message_field(&desk->message, WIRE_TAG_NAME, VIEW("somebody"));
    if (stage) {
        message_field(&desk->message, WIRE_TAG_STAGE, view_of(stage));
    }
    send(desk, peer, 0);
}

static void put(struct desk *desk, const char *id, uint64_t version, int64_t now_ms)
{
    struct wire_item item = {
        .handle = 77, .version = version, .lane = WIRE_ROUTINE, .trace_flags = 1};
    memcpy(item.trace_id, "0123456789abcdef", sizeof item.trace_id);
    memcpy(item.span_id, "fedcba98", sizeof item.span_id);
    message_begin(&desk->message, WIRE_PUT, WIRE_NO_STAGE);
    message_item(&desk->message, &item, view_of(id));
    message_section(&desk->message, WIRE_DOCUMENT, VIEW("{\"id\":\"a\"}"));
    send(desk, CLIENT, now_ms);
}

// The outcome of the one article in the next ACK to the client, or 0 when there is no ACK.
static uint8_t acked(struct desk *desk)
{
    struct frames frames = {0};
    struct wire_message parsed;
    uint8_t outcome = 0;
    if (receive(desk, CLIENT, &frames, &parsed) && parsed.header.type == WIRE_ACK) {
        struct wire_walk walk = {.message = &parsed};
        assert_true(wire_next_item(&walk));
        assert_int_equal(walk.item.handle, 77);
        assert_int_equal(parsed.header.credit_count, 1);
        outcome = walk.item.outcome;
    }
    frames_clear(&frames);
    return outcome;
}

static void welcome_client(struct desk *desk)
{
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    assert_int_equal(receive_type(desk, CLIENT), WIRE_WELCOME);
}

// An article comes, and the first stage has it.
static void hand_out(struct desk *desk, const char *id)
{
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    put(desk, id, 1, 0);
}

static void result(struct desk *desk, uint64_t peer, uint16_t stage, uint32_t attempt,
                   enum wire_outcome outcome, const char *section)
{
    struct wire_item item = {.handle = 1, .attempt = attempt, .outcome = (uint8_t)outcome};
    message_begin(&desk->message, WIRE_RESULT, stage);
    desk->message.header.credit_count = 1;
    message_item(&desk->message, &item, VIEW(""));
    if (section) {
        message_section(&desk->message, stage, view_of(section));
    }
    send(desk, peer, 1);
}

static int open_with(void **state, struct view pipeline, struct core_config config)
{
    struct desk *desk = calloc(1, sizeof *desk);
    config.queue = queue_defaults;
    config.journal = journal_defaults;
    config.session = 5;
    assert_int_equal(graph_parse(&desk->graph, pipeline, NULL), OK);
    desk->core = core_new(&desk->graph, &config);
    assert_non_null(desk->core);
    message_init(&desk->message);
    *state = desk;
    return 0;
}

static int open_desk(void **state)
{
    return open_with(state, VIEW("clean = article\ndates = clean\nexport = *\n"), core_defaults);
}

// It keeps no document that it need not.
static int open_cold_desk(void **state)
{
    struct core_config config = core_defaults;
    config.document_bytes = 0;
    return open_with(state, VIEW("clean = article\ndates = clean\nexport = *\n"), config);
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    core_check(desk->core);
    for (size_t i = 0; i < desk->inbox_count; i++) {
        frames_clear(&desk->inbox[i]);
    }
    core_free(desk->core);
    message_clear(&desk->message);
    free(desk);
    return 0;
}

static void an_article_is_acknowledged_when_it_is_on_disk_and_not_before(void **state)
{
    struct desk *desk = *state;
    welcome_client(desk);
    put(desk, "a", 1, 0);
    assert_int_equal(acked(desk), 0);
    commit(desk, 1);
    assert_int_equal(acked(desk), WIRE_ACCEPTED);
}

static void hello_patient(struct desk *desk)
{
    message_begin(&desk->message, WIRE_HELLO, WIRE_NO_STAGE);
    desk->message.header.role = WIRE_CLIENT;
    message_field_u32(&desk->message, WIRE_TAG_PATIENCE, 5);
    send(desk, CLIENT, 1);
    assert_int_equal(receive_type(desk, CLIENT), WIRE_WELCOME);
}

// How many outcomes the next message to the client tells; 0 when there is none.
static uint16_t outcomes_told(struct desk *desk)
{
    struct frames frames = {0};
    struct wire_message parsed;
    uint16_t count = 0;
    if (receive(desk, CLIENT, &frames, &parsed)) {
        assert_int_equal(parsed.header.type, WIRE_ACK);
        assert_int_equal(parsed.header.credit_count, parsed.header.item_count);
        count = parsed.header.item_count;
    }
    frames_clear(&frames);
    return count;
}

static void a_patient_client_is_told_of_several_articles_at_once(void **state)
{
    struct desk *desk = *state;
    hello_patient(desk);
    put(desk, "a", 1, 1);
    commit(desk, 2);
    assert_int_equal(outcomes_told(desk), 0);
    assert_int_equal(core_next_ms(desk->core), 2 + 10); // when nothing else happens
    put(desk, "b", 1, 5);
    commit(desk, 6);
    assert_int_equal(outcomes_told(desk), 0);
    perform(desk, 7);
    assert_int_equal(outcomes_told(desk), 2);
    put(desk, "c", 1, 20);
    commit(desk, 21);
    assert_int_equal(outcomes_told(desk), 0);
    assert_int_equal(core_next_ms(desk->core), 21 + 10);
}

static void what_is_not_accepted_is_told_at_once(void **state)
{
    struct desk *desk = *state;
    hello_patient(desk);
    put(desk, "a", 2, 1);
    commit(desk, 2);
    assert_int_equal(outcomes_told(desk), 0);
    put(desk, "a", 1, 3); // a newer version was accepted before
    assert_int_equal(outcomes_told(desk), 2);
}

static void a_patient_client_is_told_before_its_broker_leaves(void **state)
{
    struct desk *desk = *state;
    hello_patient(desk);
    put(desk, "a", 1, 1);
    commit(desk, 2);
    assert_int_equal(outcomes_told(desk), 0);
    core_drain(desk->core, 3);
    perform(desk, 3);
    assert_int_equal(outcomes_told(desk), 1);
}

static void a_client_in_want_of_its_credit_is_told_however_patient(void **state)
{
    struct desk *desk = *state;
    char id[16];
    hello_patient(desk);
    for (int i = 0; i < 32; i++) {
        snprintf(id, sizeof id, "a%d", i);
        put(desk, id, 1, 1);
    }
    commit(desk, 2);
    if (desk->committing) { // the first was alone in its batch
        commit(desk, 2);
    }
    assert_int_equal(outcomes_told(desk), 32);
}

static void a_duplicate_waits_for_the_first_one(void **state)
{
    struct desk *desk = *state;
    welcome_client(desk);
    put(desk, "a", 1, 0);
    put(desk, "a", 1, 0);
    assert_int_equal(acked(desk), 0);
    commit(desk, 1);
    struct frames frames;
    struct wire_message parsed;
    assert_true(receive(desk, CLIENT, &frames, &parsed));
    struct wire_walk walk = {.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.outcome, WIRE_ACCEPTED);
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.outcome, WIRE_DUPLICATE);
    frames_clear(&frames);
}

static void an_article_that_cannot_be_answered_is_not_taken_and_comes_again(void **state)
{
    struct desk *desk = *state;
    welcome_client(desk);
    desk->fails_at = 1; // the room for its acknowledgement
    put(desk, "a", 1, 0);
    assert_int_equal(queue_counts(core_queue(desk->core))->live, 0);
    core_tick(desk->core, 1);
    message_begin(&desk->message, WIRE_HEARTBEAT, WIRE_NO_STAGE);
    send(desk, CLIENT, 1);
    assert_int_equal(receive_type(desk, CLIENT), WIRE_ERROR); // so it says HELLO, and sends again
    welcome_client(desk);
    put(desk, "a", 1, 2);
    commit(desk, 3);
    assert_int_equal(acked(desk), WIRE_ACCEPTED);
}

// Whichever allocation fails when an article comes: it is busy, or taken and answered, or its sender learns that it is lost.
static void without_memory_nobody_waits_for_an_answer(void **state)
{
    struct desk *desk = *state;
    uint8_t outcome = 0;
    for (uint64_t n = 1; outcome != WIRE_DUPLICATE; n++) {
        hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
        while (receive_type(desk, CLIENT)) {
        }
        desk->fails_at = n;
        put(desk, "a", 1, 0);
        if (desk->committing) {
            commit(desk, 1);
        }
        outcome = acked(desk);
        core_tick(desk->core, 1);
        message_begin(&desk->message, WIRE_HEARTBEAT, WIRE_NO_STAGE);
        send(desk, CLIENT, 1);
        assert_true(outcome != 0 || receive_type(desk, CLIENT) == WIRE_ERROR);
        assert_true(n < 30);
    }
}

static void a_full_disk_closes_the_door_and_opens_it_again(void **state)
{
    struct desk *desk = *state;
    welcome_client(desk);
    put(desk, "a", 1, 0);
    desk->committing = false;
    core_commit_failed(desk->core, true, "no room", 0);
    put(desk, "b", 1, 10);
    assert_int_equal(acked(desk), 0); // answers keep their order: b's stands behind a's
    perform(desk, 999);
    assert_false(desk->committing);
    perform(desk, 1000);
    commit(desk, 1001);
    struct frames frames;
    struct wire_message parsed;
    assert_true(receive(desk, CLIENT, &frames, &parsed));
    struct wire_walk walk = {.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.outcome, WIRE_ACCEPTED);
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.outcome, WIRE_BUSY);
    frames_clear(&frames);
    put(desk, "b", 1, 1002);
    commit(desk, 1003);
    assert_int_equal(acked(desk), WIRE_ACCEPTED);
}

static void a_sync_that_fails_stops_the_broker(void **state)
{
    struct desk *desk = *state;
    struct action action;
    core_commit_failed(desk->core, false, "EIO", 0);
    assert_true(core_take_action(desk->core, &action));
    assert_int_equal(action.kind, ACTION_STOP);
}

static void a_worker_gets_no_more_than_its_credit(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 2);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WELCOME);
    put(desk, "a", 1, 0);
    put(desk, "b", 1, 0);
    put(desk, "c", 1, 0);
    size_t handed = 0;
    while (receive(desk, WORKER, &frames, &parsed)) {
        assert_int_equal(parsed.header.type, WIRE_WORK);
        handed += parsed.header.item_count;
        frames_clear(&frames);
    }
    assert_int_equal(handed, 2);
    result(desk, WORKER, 1, 1, WIRE_DONE, "{}");
    assert_true(receive(desk, WORKER, &frames, &parsed));
    assert_int_equal(parsed.header.item_count, 1);
    frames_clear(&frames);
}

static void a_stage_gets_the_sections_it_needs_and_a_sink_gets_all(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    struct wire_section section;
    const uint8_t *bytes;
    hand_out(desk, "a");
    commit(desk, 0);
    result(desk, WORKER, 1, 1, WIRE_DONE, "{\"text\":\"t\"}");
    hello(desk, 4, WIRE_WORKER, "dates", 8);
    assert_int_equal(receive_type(desk, 4), WIRE_WELCOME);
    assert_true(receive(desk, 4, &frames, &parsed));
    struct wire_walk walk = {.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.section_count, 1);
    assert_true(wire_next_section(&walk, &section, &bytes));
    assert_int_equal(section.stage, 1);
    assert_memory_equal(bytes, "{\"text\":\"t\"}", section.bytes);
    frames_clear(&frames);
    result(desk, 4, 2, 1, WIRE_DONE, "{\"dates\":[]}");
    hello(desk, SINK, WIRE_WORKER, "export", 8);
    assert_int_equal(receive_type(desk, SINK), WIRE_WELCOME);
    assert_true(receive(desk, SINK, &frames, &parsed));
    walk = (struct wire_walk){.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.section_count, 3);
    for (uint16_t stage = 0; stage < 3; stage++) {
        assert_true(wire_next_section(&walk, &section, &bytes));
        assert_int_equal(section.stage, stage);
    }
    frames_clear(&frames);
    result(desk, SINK, 3, 1, WIRE_DONE, NULL);
    assert_int_equal(queue_counts(core_queue(desk->core))->live, 0);
}

static void hello_along(struct desk *desk, uint64_t peer, const char *stage, const char *along)
{
    message_begin(&desk->message, WIRE_HELLO, WIRE_NO_STAGE);
    desk->message.header.role = WIRE_WORKER;
    desk->message.header.credit_count = 8;
    desk->message.header.credit_bytes = 1 << 20;
    message_field(&desk->message, WIRE_TAG_NAME, VIEW("somebody"));
    message_field(&desk->message, WIRE_TAG_STAGE, view_of(stage));
    message_field(&desk->message, WIRE_TAG_ALONG, view_of(along));
    send(desk, peer, 0);
}

// What the WELCOME that waits for the peer lets it run along.
static void expect_along(struct desk *desk, uint64_t peer, const char *names)
{
    struct frames frames;
    struct wire_message parsed;
    assert_true(receive(desk, peer, &frames, &parsed));
    assert_int_equal(parsed.header.type, WIRE_WELCOME);
    assert_true(view_equal(message_text(&parsed, WIRE_TAG_ALONG), view_of(names)));
    frames_clear(&frames);
}

// A result of clean with the section of a further stage.
static void result_along(struct desk *desk, uint64_t peer, uint16_t stage, const char *section)
{
    struct wire_item item = {.handle = 1, .attempt = 1, .outcome = WIRE_DONE};
    message_begin(&desk->message, WIRE_RESULT, 1);
    message_item(&desk->message, &item, VIEW(""));
    message_section(&desk->message, 1, VIEW("{\"text\":\"t\"}"));
    message_section(&desk->message, stage, view_of(section));
    send(desk, peer, 1);
}

static void a_section_that_comes_along_is_not_asked_for_again(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    struct wire_section section = {0};
    const uint8_t *bytes = NULL;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello_along(desk, WORKER, "clean", "summary dates");
    expect_along(desk, WORKER, "dates");
    hello(desk, 4, WIRE_WORKER, "dates", 8);
    hello(desk, SINK, WIRE_WORKER, "export", 8);
    assert_int_equal(receive_type(desk, 4), WIRE_WELCOME);
    assert_int_equal(receive_type(desk, SINK), WIRE_WELCOME);
    put(desk, "a", 1, 0);
    commit(desk, 0);
    result_along(desk, WORKER, 2, "{\"dates\":[]}");
    assert_int_equal(receive_type(desk, 4), 0);
    assert_int_equal(queue_counts(core_queue(desk->core))->stages[1].done, 1);
    assert_true(receive(desk, SINK, &frames, &parsed));
    struct wire_walk walk = {.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.section_count, 3);
    while (wire_next_section(&walk, &section, &bytes)) {
    }
    assert_int_equal(section.stage, 2);
    assert_memory_equal(bytes, "{\"dates\":[]}", section.bytes);
    frames_clear(&frames);
}

static void a_section_that_nobody_agreed_on_is_made_by_its_own_stage(void **state)
{
    struct desk *desk = *state;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    hello(desk, 4, WIRE_WORKER, "dates", 8);
    assert_int_equal(receive_type(desk, 4), WIRE_WELCOME);
    put(desk, "a", 1, 0);
    commit(desk, 0);
    result_along(desk, WORKER, 2, "{\"dates\":[]}");
    assert_int_equal(receive_type(desk, 4), WIRE_WORK);
}

static void sections_come_along_with_a_result_that_counts_alone(void **state)
{
    struct desk *desk = *state;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello_along(desk, WORKER, "clean", "dates");
    put(desk, "a", 1, 0);
    commit(desk, 0);
    hello_along(desk, WORKER, "clean", "dates"); // begins anew: attempt 2 is out now
    result_along(desk, WORKER, 2, "{\"dates\":[]}");
    assert_int_equal(queue_counts(core_queue(desk->core))->refused, 1);
    assert_int_equal(queue_counts(core_queue(desk->core))->stages[1].done, 0);
}

static void whoever_runs_stages_along_is_told_when_the_pipeline_changes(void **state)
{
    struct desk *desk = *state;
    struct core_config config = core_defaults;
    struct graph wanted;
    config.queue = queue_defaults;
    hello_along(desk, WORKER, "clean", "dates");
    expect_along(desk, WORKER, "dates");
    hello(desk, 4, WIRE_WORKER, "clean", 8);
    assert_int_equal(receive_type(desk, 4), WIRE_WELCOME);
    assert_int_equal(graph_parse(&wanted, VIEW("clean = article\nexport = *"), NULL), OK);
    assert_int_equal(core_reload(desk->core, &wanted, &config, 1, NULL), OK);
    perform(desk, 1);
    assert_int_equal(receive_type(desk, WORKER), WIRE_ERROR);
    assert_int_equal(receive_type(desk, 4), 0);
    hello_along(desk, WORKER, "clean", "dates");
    expect_along(desk, WORKER, "");
}

static void what_was_given_up_for_memory_comes_back_whole(void **state)
{
    struct desk *desk = *state;
    struct frames frames = {0};
    struct wire_message parsed;
    struct wire_section section;
    const uint8_t *bytes;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    put(desk, "a", 1, 0);
    commit(desk, 1);
    assert_int_equal(core_numbers(desk->core).document_bytes, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 1);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WELCOME);
    assert_true(receive(desk, WORKER, &frames, &parsed));
    struct wire_walk walk = {.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.id_bytes, 1);
    assert_memory_equal(walk.id, "a", 1);
    assert_int_equal(walk.item.trace_flags, 1);
    assert_memory_equal(walk.item.trace_id, "0123456789abcdef", sizeof walk.item.trace_id);
    assert_memory_equal(walk.item.span_id, "fedcba98", sizeof walk.item.span_id);
    assert_true(wire_next_section(&walk, &section, &bytes));
    assert_int_equal(section.bytes, 10);
    assert_memory_equal(bytes, "{\"id\":\"a\"}", 10);
    frames_clear(&frames);
}

// Room for sections of four articles; one sink is there and one is not.
static int open_tight_desk(void **state)
{
    struct core_config config = core_defaults;
    config.section_bytes = 400;
    return open_with(state, VIEW("clean = article\nexport = *\narchive = *\n"), config);
}

// Answers everything that was handed to a worker of `stage`, with a section of 100 bytes unless it is a sink. How many
// articles that were.
static size_t work_off(struct desk *desk, uint64_t peer, uint16_t stage, bool is_sink)
{
    static const char section[] =
        "0123456789012345678901234567890123456789012345678901234567890123456789"
        "012345678901234567890123456789";
    struct frames frames = {0};
    struct wire_message work;
    size_t count = 0;
    while (receive(desk, peer, &frames, &work)) {
        struct wire_walk walk = {.message = &work};
        while (work.header.type == WIRE_WORK && wire_next_item(&walk)) {
            struct wire_item item = {
                .handle = walk.item.handle, .attempt = walk.item.attempt, .outcome = WIRE_DONE};
            message_begin(&desk->message, WIRE_RESULT, stage);
            desk->message.header.credit_count = 1;
            message_item(&desk->message, &item, VIEW(""));
            if (!is_sink) {
                message_section(&desk->message, stage, view_of(section));
            }
            send(desk, peer, 1);
            count++;
        }
        frames_clear(&frames);
    }
    return count;
}

// Everybody does what there is, and a while passes.
static void go_on(struct desk *desk, size_t *exported, size_t *archived, int64_t *now_ms)
{
    enum { ARCHIVE = 4 };
    work_off(desk, WORKER, 1, false);
    *exported += work_off(desk, SINK, 2, true);
    *archived += work_off(desk, ARCHIVE, 3, true);
    *now_ms += 300;
    core_tick(desk->core, *now_ms);
    perform(desk, *now_ms);
    while (desk->committing) {
        commit(desk, *now_ms);
    }
    while (receive_type(desk, CLIENT)) {
    }
}

static void a_sink_that_is_away_delays_nobody_and_gets_everything_when_it_is_back(void **state)
{
    enum { ARTICLES = 20, ARCHIVE = 4 };
    struct desk *desk = *state;
    size_t exported = 0;
    size_t archived = 0;
    int64_t now_ms = 300;
    char id[16];
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 1);
    hello(desk, SINK, WIRE_WORKER, "export", 1);
    for (int i = 0; i < ARTICLES; i++) {
        snprintf(id, sizeof id, "a%d", i);
        put(desk, id, 1, now_ms);
        go_on(desk, &exported, &archived, &now_ms);
    }
    go_on(desk, &exported, &archived, &now_ms);
    assert_int_equal(exported, ARTICLES);
    assert_in_range(core_numbers(desk->core).section_bytes, 0, 400);
    hello(desk, ARCHIVE, WIRE_WORKER, "archive", 1);
    for (int i = 0; i < 4 * ARTICLES && archived < ARTICLES; i++) {
        go_on(desk, &exported, &archived, &now_ms);
    }
    assert_int_equal(archived, ARTICLES);
    assert_int_equal(exported, ARTICLES);
    assert_int_equal(queue_counts(core_queue(desk->core))->live, 0);
}

static void put_kill(struct desk *desk, const char *id, uint64_t version)
{
    struct wire_item item = {.handle = 77, .version = version, .pubstatus = WIRE_CANCELED};
    message_begin(&desk->message, WIRE_PUT, WIRE_NO_STAGE);
    message_item(&desk->message, &item, view_of(id));
    message_section(&desk->message, WIRE_DOCUMENT, VIEW("{\"pubstatus\":\"canceled\"}"));
    send(desk, CLIENT, 0);
}

// Or a crash could take back what they have seen, and an older version or a killed story come after it.
static void sinks_get_nothing_that_is_not_on_disk(void **state)
{
    struct desk *desk = *state;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 4);
    hello(desk, SINK, WIRE_WORKER, "export", 4);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WELCOME);
    assert_int_equal(receive_type(desk, SINK), WIRE_WELCOME);
    put_kill(desk, "a", 2);
    assert_int_equal(receive_type(desk, SINK), 0);
    commit(desk, 1);
    assert_int_equal(receive_type(desk, SINK), WIRE_WORK);
    put(desk, "b", 1, 2);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WORK); // a stage need not wait
}

static void a_silent_worker_loses_its_articles_to_another(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    hand_out(desk, "a");
    core_tick(desk->core, 10000);
    perform(desk, 10000);
    hello(desk, 4, WIRE_WORKER, "clean", 8);
    assert_int_equal(receive_type(desk, 4), WIRE_WELCOME);
    assert_true(receive(desk, 4, &frames, &parsed));
    struct wire_walk walk = {.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.attempt, 2);
    frames_clear(&frames);
}

static void a_clock_that_is_set_neither_loses_a_worker_nor_keeps_a_dead_one(void **state)
{
    struct desk *desk = *state;
    const int64_t hour_ms = 3600000;
    hand_out(desk, "a");
    core_jump(desk->core, hour_ms, hour_ms + 5000);
    core_tick(desk->core, hour_ms + 5000);
    assert_int_equal(queue_counts(core_queue(desk->core))->expired_leases, 0);
    core_jump(desk->core, -hour_ms, 9000);
    core_tick(desk->core, 9000);
    assert_int_equal(queue_counts(core_queue(desk->core))->expired_leases, 0);
    core_tick(desk->core, 10000);
    assert_int_equal(queue_counts(core_queue(desk->core))->expired_leases, 1);
}

static void whoever_said_no_hello_is_told_to(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    message_begin(&desk->message, WIRE_HEARTBEAT, WIRE_NO_STAGE);
    send(desk, STRANGER, 0);
    assert_true(receive(desk, STRANGER, &frames, &parsed));
    assert_int_equal(parsed.header.type, WIRE_ERROR);
    assert_int_equal(wire_field_u32(&parsed, WIRE_TAG_CODE, 0), WIRE_ERROR_UNKNOWN);
    frames_clear(&frames);
}

static void rubbish_and_other_versions_are_answered_with_a_sentence(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    core_message(desk->core, STRANGER, VIEW("hello"), VIEW(""), 0);
    core_message(desk->core, STRANGER, VIEW("CDSK\x02\0\0\0"), VIEW(""), 0);
    perform(desk, 0);
    assert_true(receive(desk, STRANGER, &frames, &parsed));
    assert_int_equal(wire_field_u32(&parsed, WIRE_TAG_CODE, 0), WIRE_ERROR_FORMAT);
    frames_clear(&frames);
    assert_true(receive(desk, STRANGER, &frames, &parsed));
    assert_int_equal(wire_field_u32(&parsed, WIRE_TAG_CODE, 0), WIRE_ERROR_VERSION);
    frames_clear(&frames);
}

static void an_unknown_stage_is_refused_by_name(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    hello(desk, WORKER, WIRE_WORKER, "quotes", 8);
    assert_true(receive(desk, WORKER, &frames, &parsed));
    assert_int_equal(wire_field_u32(&parsed, WIRE_TAG_CODE, 0), WIRE_ERROR_STAGE);
    struct view sentence = message_text(&parsed, WIRE_TAG_SENTENCE);
    assert_true(view_find(sentence, VIEW("quotes"), 0) < sentence.len);
    frames_clear(&frames);
}

enum { OPERATOR = 5, OTHER = 6 };

// Asks as an operator; true when `part` is in the answer.
static bool answers(struct desk *desk, const char *command, const char *part, int64_t now_ms)
{
    struct frames frames;
    struct wire_message parsed;
    hello(desk, OPERATOR, WIRE_OPERATOR, NULL, 0);
    assert_int_equal(receive_type(desk, OPERATOR), WIRE_WELCOME);
    message_begin(&desk->message, WIRE_ASK, WIRE_NO_STAGE);
    message_field(&desk->message, WIRE_TAG_COMMAND, view_of(command));
    send(desk, OPERATOR, now_ms);
    assert_true(receive(desk, OPERATOR, &frames, &parsed));
    assert_int_equal(parsed.header.type, WIRE_ANSWER);
    struct view body = {(const char *)parsed.body, parsed.body_len};
    bool is_there = view_find(body, view_of(part), 0) < body.len;
    if (!is_there) {
        print_message("%s\n  no %s\n  in %.*s\n", command, part, VIEW_ARGS(body));
    }
    frames_clear(&frames);
    return is_there;
}

static void what_came_along_is_told_by_trace_and_status(void **state)
{
    struct desk *desk = *state;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello_along(desk, WORKER, "clean", "dates");
    put(desk, "a", 1, 0);
    commit(desk, 0);
    result_along(desk, WORKER, 2, "{\"dates\":[]}");
    assert_true(answers(desk, "trace a", "\"stage\":\"dates\",\"attempt\":0,", 2));
    assert_true(answers(desk, "trace a", "\"end\":\"done along\"", 2));
    assert_true(answers(desk, "status", "\"along\":\"dates\"", 2));
}

// Three articles: 1 waits, 2 and 3 are dead.
static void bury_two(struct desk *desk)
{
    static const char *const ids[] = {"a", "b", "c"};
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    for (int i = 0; i < 3; i++) {
        put(desk, ids[i], 1, 0);
    }
    for (uint64_t handle = 2; handle <= 3; handle++) {
        struct wire_item item = {.handle = handle, .attempt = 1, .outcome = WIRE_REJECT};
        message_begin(&desk->message, WIRE_RESULT, 1);
        message_item(&desk->message, &item, VIEW(""));
        message_section(&desk->message, 1, handle == 2 ? VIEW("Not an article") : VIEW("empty"));
        send(desk, WORKER, 1);
    }
    assert_int_equal(queue_counts(core_queue(desk->core))->dead, 2);
}

static void the_operator_lists_the_dead_by_stage_and_reason(void **state)
{
    struct desk *desk = *state;
    bury_two(desk);
    assert_true(answers(desk, "dlq list", "\"matching\":2,\"total\":2", 2));
    assert_true(answers(desk, "dlq list stage=clean", "\"matching\":2", 2));
    assert_true(answers(desk, "dlq list stage=dates", "\"matching\":0", 2));
    assert_true(answers(desk, "dlq list stage=quotes", "{\"error\":", 2));
    assert_true(answers(desk, "dlq list reason=not an ART", "\"matching\":1,\"total\":2", 2));
    assert_true(answers(desk, "dlq list stage=clean reason=empty", "\"id\":\"c\"", 2));
    assert_true(answers(desk, "dlq list 3", "\"matching\":1", 2));
    assert_true(answers(desk, "dlq list 1", "\"matching\":0", 2));
    assert_true(answers(desk, "dlq bake all", "{\"error\":", 2));
}

static void the_operator_sees_the_document_of_a_dead_letter(void **state)
{
    struct desk *desk = *state;
    bury_two(desk);
    assert_true(answers(desk, "dlq show b", "\"document\":\"{\\\"id\\\":\\\"a\\\"}\"", 2));
    assert_true(answers(desk, "dlq show 3", "\"reason\":\"empty\"", 2));
    assert_true(answers(desk, "dlq show a", "{\"error\":", 2));
    core_check(desk->core);
}

static void the_operator_retries_and_discards_those_that_are_meant(void **state)
{
    struct desk *desk = *state;
    bury_two(desk);
    assert_true(answers(desk, "dlq retry", "{\"error\":", 2));
    assert_true(answers(desk, "dlq retry stage=clean reason=EMPTY", "{\"retried\":1}", 2));
    assert_true(answers(desk, "dlq retry 3", "{\"retried\":0}", 2));
    assert_true(answers(desk, "trace c", "\"state\":\"under way\"", 2));
    assert_true(answers(desk, "trace c", "\"end\":\"retried by operator\"", 2));
    assert_true(answers(desk, "dlq discard all", "{\"discarded\":1}", 3));
    assert_int_equal(queue_counts(core_queue(desk->core))->dead, 0);
    assert_true(answers(desk, "trace b", "\"state\":\"discarded\"", 4));
}

// Asks with a document, and does not wait for the answer.
static void ask_edit(struct desk *desk, const char *command, struct view document, int64_t now_ms)
{
    hello(desk, OPERATOR, WIRE_OPERATOR, NULL, 0);
    assert_int_equal(receive_type(desk, OPERATOR), WIRE_WELCOME);
    message_begin(&desk->message, WIRE_ASK, WIRE_NO_STAGE);
    message_field(&desk->message, WIRE_TAG_COMMAND, view_of(command));
    message_item(&desk->message, &(struct wire_item){0}, VIEW(""));
    message_section(&desk->message, WIRE_DOCUMENT, document);
    send(desk, OPERATOR, now_ms);
}

// True when the next message to the operator is an answer with `part`.
static bool answered(struct desk *desk, const char *part)
{
    struct frames frames = {0};
    struct wire_message parsed;
    if (!receive(desk, OPERATOR, &frames, &parsed)) {
        return false;
    }
    struct view body = {(const char *)parsed.body, parsed.body_len};
    bool is_there =
        parsed.header.type == WIRE_ANSWER && view_find(body, view_of(part), 0) < body.len;
    frames_clear(&frames);
    return is_there;
}

static void an_edited_dead_letter_goes_on_with_the_new_document_once_that_is_on_disk(void **state)
{
    struct desk *desk = *state;
    struct frames frames;
    struct wire_message parsed;
    struct wire_section section;
    const uint8_t *bytes;
    bury_two(desk);
    commit(desk, 2);
    commit(desk, 2);
    while (receive(desk, WORKER, &frames, &parsed)) {
        frames_clear(&frames);
    }
    ask_edit(desk, "dlq edit b", VIEW("{\"id\":\"b\",\"text\":\"mended\"}"), 3);
    assert_false(answered(desk, ""));
    assert_true(receive(desk, WORKER, &frames, &parsed));
    struct wire_walk walk = {.message = &parsed};
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.handle, 2);
    assert_int_equal(walk.item.version, 1);
    assert_true(wire_next_section(&walk, &section, &bytes));
    assert_int_equal(section.bytes, strlen("{\"id\":\"b\",\"text\":\"mended\"}"));
    assert_memory_equal(bytes, "{\"id\":\"b\",\"text\":\"mended\"}", section.bytes);
    frames_clear(&frames);
    commit(desk, 4);
    assert_true(answered(desk, "{\"edited\":2}"));
    assert_int_equal(queue_counts(core_queue(desk->core))->dead, 1);
    assert_true(answers(desk, "trace b", "\"end\":\"edited by operator\"", 5));
}

// The article 1 of bury_one goes through the stages again; true when the sink has got it.
static bool is_delivered(struct desk *desk)
{
    result(desk, WORKER, 1, 1, WIRE_DONE, "{}");
    result(desk, DATES, 2, 1, WIRE_DONE, "{}");
    return receive_type(desk, SINK) == WIRE_WORK;
}

static void bury_one(struct desk *desk)
{
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    hello(desk, DATES, WIRE_WORKER, "dates", 8);
    hello(desk, SINK, WIRE_WORKER, "export", 8);
    assert_int_equal(receive_type(desk, SINK), WIRE_WELCOME);
    put(desk, "a", 1, 0);
    commit(desk, 1);
    result(desk, WORKER, 1, 1, WIRE_REJECT, "no");
    commit(desk, 1);
}

static void sinks_get_an_edited_article_when_its_new_document_is_on_disk(void **state)
{
    struct desk *desk = *state;
    bury_one(desk);
    ask_edit(desk, "dlq edit a", VIEW("{\"id\":\"a\",\"text\":\"mended\"}"), 3);
    assert_false(is_delivered(desk));
    commit(desk, 4);
    assert_int_equal(receive_type(desk, SINK), WIRE_WORK);
}

static void sinks_get_a_retried_article_when_that_is_on_disk(void **state)
{
    struct desk *desk = *state;
    bury_one(desk);
    assert_true(answers(desk, "dlq retry all", "{\"retried\":1}", 3));
    assert_false(is_delivered(desk));
    commit(desk, 4);
    assert_int_equal(receive_type(desk, SINK), WIRE_WORK);
}

static void an_edit_that_cannot_be_taken_leaves_the_dead_letter_as_it_was(void **state)
{
    struct desk *desk = *state;
    bury_two(desk);
    ask_edit(desk, "dlq edit b", VIEW(""), 2);
    assert_true(answered(desk, "{\"error\":"));
    ask_edit(desk, "dlq edit a", VIEW("{}"), 2);
    assert_true(answered(desk, "no dead letter"));
    core_drain(desk->core, 0);
    ask_edit(desk, "dlq edit b", VIEW("{}"), 2);
    assert_true(answered(desk, "nothing new is written now"));
    assert_int_equal(queue_counts(core_queue(desk->core))->dead, 2);
    assert_true(answers(desk, "dlq show b", "\"document\":\"{\\\"id\\\":\\\"a\\\"}\"", 3));
}

static void a_broker_that_leaves_takes_what_is_out_and_serves_the_sinks(void **state)
{
    struct desk *desk = *state;
    hand_out(desk, "a");
    commit(desk, 1);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WELCOME);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WORK);
    result(desk, WORKER, 1, 1, WIRE_DONE, "{}");
    hello(desk, WORKER, WIRE_WORKER, "dates", 8);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WELCOME);
    assert_int_equal(receive_type(desk, WORKER), WIRE_WORK);
    hello(desk, SINK, WIRE_WORKER, "export", 8);
    assert_int_equal(receive_type(desk, SINK), WIRE_WELCOME);

    core_drain(desk->core, 1);
    perform(desk, 1);
    assert_int_equal(receive_type(desk, WORKER), WIRE_GOODBYE);
    assert_int_equal(receive_type(desk, SINK), 0);
    hello(desk, STRANGER, WIRE_WORKER, "clean", 8);
    assert_int_equal(receive_type(desk, STRANGER), WIRE_GOODBYE);
    assert_false(core_is_idle(desk->core));
    result(desk, WORKER, 2, 1, WIRE_DONE, "{}");
    assert_int_equal(receive_type(desk, SINK), WIRE_WORK);
    assert_false(core_is_idle(desk->core));
    result(desk, SINK, 3, 1, WIRE_DONE, NULL);
    commit(desk, 2);
    assert_true(core_is_idle(desk->core));
    assert_int_equal(core_numbers(desk->core).complete, 1);

    while (receive_type(desk, CLIENT)) {
    }
    core_leave(desk->core, 3);
    perform(desk, 3);
    assert_int_equal(receive_type(desk, CLIENT), WIRE_GOODBYE);
    assert_int_equal(receive_type(desk, SINK), WIRE_GOODBYE);
}

static void what_a_lost_connection_brought_counts_before_its_end(void **state)
{
    struct desk *desk = *state;
    hand_out(desk, "a");
    core_unreachable(desk->core, WORKER);
    assert_true(core_next_ms(desk->core) <= 1);
    message_begin(&desk->message, WIRE_GOODBYE, 1);
    send(desk, WORKER, 1);
    core_tick(desk->core, 1);
    assert_int_equal(queue_counts(core_queue(desk->core))->expired_leases, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    core_unreachable(desk->core, WORKER);
    core_tick(desk->core, 2);
    assert_int_equal(queue_counts(core_queue(desk->core))->expired_leases, 1);
    assert_int_equal(core_numbers(desk->core).workers[0], 0);
}

static void a_trace_tells_where_an_article_is_and_who_had_it(void **state)
{
    struct desk *desk = *state;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    put(desk, "a", 1, 0);
    assert_true(answers(desk, "trace a", "\"name\":\"clean\",\"state\":\"ready\"", 5));
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    assert_true(answers(desk, "trace a", "\"state\":\"leased\",\"attempt\":1", 30));
    assert_true(answers(desk, "trace a", "\"worker\":\"somebody\"", 30));
    assert_true(answers(desk, "trace a", "\"end\":\"has it\"", 30));
    result(desk, WORKER, 1, 1, WIRE_RETRY, "no model");
    assert_true(answers(desk, "trace 1", "\"state\":\"delayed\",\"attempt\":1,\"failures\":1", 30));
    assert_true(answers(desk, "trace 1", "\"took_ms\":1,\"end\":\"failed\"", 30));
    assert_true(answers(desk, "trace nobody", "{\"error\":", 30));
}

static void a_trace_tells_how_an_article_ended(void **state)
{
    struct desk *desk = *state;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    put(desk, "a", 1, 0);
    put(desk, "a", 2, 3);
    assert_true(answers(desk, "trace 1", "\"state\":\"superseded\"", 4));
    assert_true(answers(desk, "trace 1", "\"superseded_by\":2", 4));
    assert_true(answers(desk, "trace a", "\"version\":2", 4));
    assert_true(answers(desk, "trace a", "\"others\":[{\"version\":1,\"handle\":1", 4));
}

static void a_delivered_article_is_traced_to_its_sink(void **state)
{
    struct desk *desk = *state;
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    hello(desk, OTHER, WIRE_WORKER, "dates", 8);
    hello(desk, SINK, WIRE_WORKER, "export", 8);
    put(desk, "a", 1, 0);
    commit(desk, 0);
    result(desk, WORKER, 1, 1, WIRE_DONE, "{}");
    result(desk, OTHER, 2, 1, WIRE_DONE, "{}");
    result(desk, SINK, 3, 1, WIRE_DONE, NULL);
    assert_true(answers(desk, "trace a", "\"state\":\"complete\"", 9));
    assert_true(answers(desk, "trace a", "\"delivered_at_ms\":1", 9));
    assert_true(answers(desk, "trace a", "\"stage\":\"export\",\"attempt\":1", 9));
}

static void hear(void *user, const char *sentence)
{
    snprintf(user, 200, "%s", sentence);
}

static void a_stage_whose_articles_nobody_fetches_is_told_once_and_when_it_is_over(void **state)
{
    char heard[200] = "";
    struct desk *desk = *state;
    struct core_config config = core_defaults;
    config.queue = queue_defaults;
    config.queue.lease_ms = 100000;
    config.journal = journal_defaults;
    config.log = config.warn = hear;
    config.user = heard;
    core_free(desk->core);
    desk->core = core_new(&desk->graph, &config);
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    put(desk, "a", 1, 0);
    core_tick(desk->core, 1000);
    assert_true(answers(desk, "status", "\"note\":\"no workers\"", 1000));
    core_tick(desk->core, 10999);
    assert_string_equal(heard, "");
    core_tick(desk->core, 12000);
    assert_string_equal(heard, "stage clean: no workers for 10 s, 1 waiting; `copydesk worker "
                               "clean` starts one");
    assert_string_equal(core_numbers(desk->core).starving, "stage clean: no workers, 1 waiting");
    heard[0] = '\0';
    core_tick(desk->core, 14000);
    assert_string_equal(heard, "");
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    core_tick(desk->core, 15000);
    assert_string_equal(heard, "stage clean: has a worker again, 0 waiting");
    assert_null(core_numbers(desk->core).starving);
}

// --- group commit

static void clear_inbox(struct desk *desk)
{
    while (desk->inbox_count > 0) {
        frames_clear(&desk->inbox[--desk->inbox_count]);
    }
}

// How many commits `articles` make that come one every `every_us` while a sync takes `sync_us`.
static size_t commits_for(struct desk *desk, int64_t articles, int64_t every_us, int64_t sync_us)
{
    size_t commits = 0;
    int64_t synced_us = INT64_MAX;
    int64_t arrived = 0;
    while (arrived < articles || desk->committing) {
        char id[32];
        int64_t next_us = arrived < articles ? arrived * every_us : INT64_MAX;
        int64_t now_us = next_us < synced_us ? next_us : synced_us;
        bool was_committing = desk->committing;
        if (now_us == next_us) {
            snprintf(id, sizeof id, "a%lld", (long long)arrived++);
            put(desk, id, 1, now_us / 1000);
        } else {
            commit(desk, now_us / 1000);
            was_committing = false;
        }
        if (desk->committing && !was_committing) {
            commits++;
            synced_us = now_us + sync_us;
        }
        synced_us = desk->committing ? synced_us : INT64_MAX;
        clear_inbox(desk);
    }
    return commits;
}

static void articles_far_apart_are_committed_each_at_once(void **state)
{
    hello(*state, CLIENT, WIRE_CLIENT, NULL, 0);
    assert_int_equal(commits_for(*state, 200, 2000, 500), 200); // 500 a second
}

static void articles_closer_than_a_sync_share_one(void **state)
{
    hello(*state, CLIENT, WIRE_CLIENT, NULL, 0);
    assert_int_equal(commits_for(*state, 200, 2000, 10000), 41); // a lone one, then five by five
}

static void a_flood_is_committed_with_the_second_sync(void **state)
{
    hello(*state, CLIENT, WIRE_CLIENT, NULL, 0);
    assert_int_equal(commits_for(*state, 200, 0, 500), 2);
}

// One article is on disk and complete; its DONE waits since millisecond 1.
static void complete_one(struct desk *desk)
{
    hello(desk, CLIENT, WIRE_CLIENT, NULL, 0);
    hello(desk, WORKER, WIRE_WORKER, "clean", 8);
    hello(desk, OTHER, WIRE_WORKER, "dates", 8);
    hello(desk, SINK, WIRE_WORKER, "export", 8);
    put(desk, "a", 1, 0);
    commit(desk, 1);
    result(desk, WORKER, 1, 1, WIRE_DONE, "{}");
    result(desk, OTHER, 2, 1, WIRE_DONE, "{}");
    result(desk, SINK, 3, 1, WIRE_DONE, NULL);
}

static void a_completion_waits_for_company_and_not_longer(void **state)
{
    struct desk *desk = *state;
    complete_one(desk);
    assert_false(desk->committing);
    perform(desk, core_defaults.gather_ms);
    assert_false(desk->committing);
    assert_int_equal(core_next_ms(desk->core), 1 + core_defaults.gather_ms);
    perform(desk, 1 + core_defaults.gather_ms);
    commit(desk, 2 + core_defaults.gather_ms);
    assert_false(desk->committing);
}

static void an_article_does_not_wait_for_company_and_takes_completions_along(void **state)
{
    struct desk *desk = *state;
    complete_one(desk);
    put(desk, "b", 1, 2);
    commit(desk, 3); // begun at once
    perform(desk, 100);
    assert_false(desk->committing); // nothing is left to write
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        TEST(an_article_is_acknowledged_when_it_is_on_disk_and_not_before),
        TEST(a_patient_client_is_told_of_several_articles_at_once),
        TEST(what_is_not_accepted_is_told_at_once),
        TEST(a_patient_client_is_told_before_its_broker_leaves),
        TEST(a_client_in_want_of_its_credit_is_told_however_patient),
        TEST(a_duplicate_waits_for_the_first_one),
        TEST(an_article_that_cannot_be_answered_is_not_taken_and_comes_again),
        TEST(without_memory_nobody_waits_for_an_answer),
        TEST(a_full_disk_closes_the_door_and_opens_it_again),
        TEST(a_sync_that_fails_stops_the_broker),
        TEST(articles_far_apart_are_committed_each_at_once),
        TEST(articles_closer_than_a_sync_share_one),
        TEST(a_flood_is_committed_with_the_second_sync),
        TEST(a_completion_waits_for_company_and_not_longer),
        TEST(an_article_does_not_wait_for_company_and_takes_completions_along),
        TEST(a_worker_gets_no_more_than_its_credit),
        TEST(a_stage_gets_the_sections_it_needs_and_a_sink_gets_all),
        TEST(a_section_that_comes_along_is_not_asked_for_again),
        TEST(what_came_along_is_told_by_trace_and_status),
        TEST(a_section_that_nobody_agreed_on_is_made_by_its_own_stage),
        TEST(sections_come_along_with_a_result_that_counts_alone),
        TEST(whoever_runs_stages_along_is_told_when_the_pipeline_changes),
        cmocka_unit_test_setup_teardown(what_was_given_up_for_memory_comes_back_whole,
                                        open_cold_desk, close_desk),
        cmocka_unit_test_setup_teardown(
            a_sink_that_is_away_delays_nobody_and_gets_everything_when_it_is_back, open_tight_desk,
            close_desk),
        TEST(sinks_get_nothing_that_is_not_on_disk),
        TEST(a_silent_worker_loses_its_articles_to_another),
        TEST(a_clock_that_is_set_neither_loses_a_worker_nor_keeps_a_dead_one),
        TEST(whoever_said_no_hello_is_told_to),
        TEST(rubbish_and_other_versions_are_answered_with_a_sentence),
        TEST(an_unknown_stage_is_refused_by_name),
        TEST(the_operator_lists_the_dead_by_stage_and_reason),
        TEST(the_operator_sees_the_document_of_a_dead_letter),
        TEST(the_operator_retries_and_discards_those_that_are_meant),
        TEST(an_edited_dead_letter_goes_on_with_the_new_document_once_that_is_on_disk),
        TEST(sinks_get_an_edited_article_when_its_new_document_is_on_disk),
        TEST(sinks_get_a_retried_article_when_that_is_on_disk),
        TEST(an_edit_that_cannot_be_taken_leaves_the_dead_letter_as_it_was),
        TEST(a_broker_that_leaves_takes_what_is_out_and_serves_the_sinks),
        TEST(what_a_lost_connection_brought_counts_before_its_end),
        TEST(a_trace_tells_where_an_article_is_and_who_had_it),
        TEST(a_trace_tells_how_an_article_ended),
        TEST(a_delivered_article_is_traced_to_its_sink),
        TEST(a_stage_whose_articles_nobody_fetches_is_told_once_and_when_it_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
