#include "services/broker/core.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// What an editor is promised, on one core with a disk in memory, two stages, a sink, and a clock that the test turns: the
// core may be restarted from what was synced. The workers finish one article a millisecond, urgent lanes first.

enum {
    CLIENT = 100,
    CLEAN = 0,
    DATES = 1,
    EXPORT = 2,
    DESK = 3, // another sink, in a room that has one
    WORKERS = 4,
    SEGMENTS = 64,
    HELD = 300,
    CREDIT = 32
};

struct piece {
    uint64_t handle, version;
    uint32_t attempt;
    uint8_t lane, pubstatus;
    char sections[200]; // all but the document, one behind the other
};

struct worker {
    bool idle; // takes articles and does nothing
    struct piece held[HELD];
    size_t count;
};

struct room {
    struct graph graph;
    struct core *core;
    struct message message;
    struct buf segments[SEGMENTS + 1]; // by number
    int64_t now_ms;
    uint64_t number;
    struct worker workers[WORKERS];
    uint8_t outcome; // the client's last
    struct piece delivered[HELD];
    size_t delivered_count;
    bool only_flashes;                                    // `delivered` leaves out the rest
    size_t filed;                                         // articles that the second sink has
    size_t document_bytes, section_bytes, ahead_articles; // limits, 0: as usual
    uint32_t segment_bytes; // of the journal, which keeps no more than it must; 0: as usual
};

// --- the disk

static enum status disk_range(void *user, uint64_t *first, uint64_t *last, struct error *why)
{
    struct room *room = user;
    (void)why;
    *first = *last = 0;
    for (uint64_t i = 1; i <= SEGMENTS; i++) {
        if (room->segments[i].len > 0) {
            *first = *first ? *first : i;
            *last = i;
        }
    }
    return OK;
}

static enum status disk_size(void *user, uint64_t segment, uint64_t *bytes, struct error *why)
{
    struct room *room = user;
    (void)why;
    *bytes = room->segments[segment].len;
    return OK;
}

static enum status disk_read(void *user, uint64_t segment, uint64_t offset, void *to, size_t len,
                             struct error *why)
{
    struct room *room = user;
    (void)why;
    assert_true(offset + len <= room->segments[segment].len);
    memcpy(to, room->segments[segment].at + offset, len);
    return OK;
}

static enum status disk_cut(void *user, uint64_t segment, uint64_t bytes, struct error *why)
{
    struct room *room = user;
    (void)why;
    room->segments[segment].len = bytes;
    return OK;
}

static void write_batch(struct room *room, const struct journal_commit *commit)
{
    struct buf *segment = &room->segments[commit->segment];
    assert_true(commit->segment <= SEGMENTS);
    assert_int_equal(segment->len, commit->offset);
    buf_add(segment, commit->bytes);
    core_committed(room->core, room->now_ms);
}

// --- messages

static void take_work(struct worker *worker, const struct wire_message *message)
{
    struct wire_walk walk = {.message = message};
    while (wire_next_item(&walk)) {
        struct wire_section section;
        const uint8_t *bytes;
        assert_true(worker->count < HELD);
        struct piece *piece = &worker->held[worker->count++];
        *piece = (struct piece){walk.item.handle, walk.item.version,   walk.item.attempt,
                                walk.item.lane,   walk.item.pubstatus, ""};
        while (wire_next_section(&walk, &section, &bytes)) {
            size_t used = strlen(piece->sections);
            if (section.stage != WIRE_DOCUMENT) {
                snprintf(piece->sections + used, sizeof piece->sections - used, "%.*s",
                         (int)section.bytes, (const char *)bytes);
            }
        }
    }
}

static void take_frames(struct room *room, uint64_t peer, struct frames *frames)
{
    struct wire_message message;
    assert_int_equal(wire_parse(&message, frames->envelope, frames->envelope_len, frames->body,
                                frames->body_len),
                     WIRE_OK);
    if (message.header.type == WIRE_WORK) {
        take_work(&room->workers[peer - 1], &message);
    } else if (message.header.type == WIRE_ACK) {
        struct wire_walk walk = {.message = &message};
        while (wire_next_item(&walk)) {
            room->outcome = walk.item.outcome;
        }
    }
    frames_clear(frames);
}

static void read_record(struct room *room, const struct action *action)
{
    const struct buf *segment = &room->segments[action->place.segment];
    core_read(room->core, action->handle, action->place,
              (struct view){segment->at + action->place.offset, action->place.bytes}, room->now_ms);
}

static void perform(struct room *room)
{
    struct action action;
    core_turn(room->core, room->now_ms);
    while (core_take_action(room->core, &action)) {
        if (action.kind == ACTION_SEND) {
            take_frames(room, action.peer, &action.frames);
        } else if (action.kind == ACTION_COMMIT) {
            write_batch(room, &action.commit);
        } else if (action.kind == ACTION_READ) {
            read_record(room, &action);
        } else if (action.kind == ACTION_DROP) {
            buf_clear(&room->segments[action.segment]);
        }
        core_turn(room->core, room->now_ms);
    }
}

static void send(struct room *room, uint64_t peer)
{
    struct frames frames;
    assert_true(message_finish(&room->message, ++room->number, &frames));
    core_message(room->core, peer, (struct view){frames.envelope, frames.envelope_len},
                 (struct view){frames.body, frames.body_len}, room->now_ms);
    frames_clear(&frames);
    perform(room);
}

static void hello(struct room *room, uint64_t peer, const char *stage)
{
    message_begin(&room->message, WIRE_HELLO, WIRE_NO_STAGE);
    room->message.header.role = stage ? WIRE_WORKER : WIRE_CLIENT;
    room->message.header.credit_count = CREDIT;
    room->message.header.credit_bytes = 1 << 30;
    if (stage) {
        message_field(&room->message, WIRE_TAG_STAGE, view_of(stage));
    }
    send(room, peer);
}

static void everybody_joins(struct room *room)
{
    hello(room, CLIENT, NULL);
    hello(room, CLEAN + 1, "clean");
    hello(room, DATES + 1, "dates");
    hello(room, EXPORT + 1, "export");
}

static void add_to_put(struct room *room, const char *id, struct wire_item item)
{
    item.handle = 1;
    message_item(&room->message, &item, view_of(id));
    message_section(&room->message, WIRE_DOCUMENT, VIEW("{\"id\":\"x\",\"text\":\"y\"}"));
}

// The outcome.
static uint8_t put(struct room *room, const char *id, struct wire_item item)
{
    room->outcome = 0;
    message_begin(&room->message, WIRE_PUT, WIRE_NO_STAGE);
    add_to_put(room, id, item);
    send(room, CLIENT);
    return room->outcome;
}

// The most urgent article that the worker holds is done.
static void work(struct room *room, int number)
{
    struct worker *worker = &room->workers[number];
    size_t best = 0;
    if (worker->count == 0 || worker->idle) {
        return;
    }
    for (size_t i = 1; i < worker->count; i++) {
        best = worker->held[i].lane < worker->held[best].lane ? i : best;
    }
    struct piece piece = worker->held[best];
    memmove(&worker->held[best], &worker->held[best + 1],
            (worker->count - best - 1) * sizeof piece);
    worker->count--;
    room->filed += number == DESK;
    if (number == EXPORT && (!room->only_flashes || piece.lane == WIRE_FLASH)) {
        assert_true(room->delivered_count < HELD);
        room->delivered[room->delivered_count++] = piece;
    }
    struct wire_item item = {
        .handle = piece.handle, .attempt = piece.attempt, .outcome = WIRE_DONE};
    message_begin(&room->message, WIRE_RESULT, (uint16_t)(number + 1));
    room->message.header.credit_count = 1;
    message_item(&room->message, &item, VIEW(""));
    if (number == CLEAN || number == DATES) {
        message_section(&room->message, (uint16_t)(number + 1),
                        number == CLEAN ? VIEW("{clean}") : VIEW("{dates}"));
    }
    send(room, (uint64_t)number + 1);
}

static void let_pass(struct room *room, int64_t ms)
{
    for (int64_t i = 0; i < ms; i++) {
        room->now_ms++;
        core_tick(room->core, room->now_ms);
        perform(room);
        for (int number = 0; number < WORKERS; number++) {
            work(room, number);
        }
    }
}

static void start(struct room *room)
{
    struct core_config config = core_defaults;
    const struct disk disk = {room, disk_range, disk_size, disk_read, disk_cut};
    struct journal_report report;
    config.queue = queue_defaults;
    config.journal = journal_defaults;
    config.session = 5;
    config.document_bytes = room->document_bytes ? room->document_bytes : config.document_bytes;
    config.section_bytes = room->section_bytes ? room->section_bytes : config.section_bytes;
    config.ahead_articles = room->ahead_articles ? room->ahead_articles : config.ahead_articles;
    if (room->segment_bytes) {
        config.journal.segment_bytes = room->segment_bytes;
        config.journal.retain_segments = 1;
        config.queue.remembered = 1;
    }
    room->core = core_new(&room->graph, &config);
    assert_non_null(room->core);
    for (int i = 0; i < WORKERS; i++) {
        room->workers[i].count = 0;
    }
    assert_int_equal(core_recover(room->core, &disk, room->now_ms, &report, NULL), OK);
}

// As after kill -9: what was not synced is gone, and so is everybody's session.
static void restart_alone(struct room *room)
{
    core_check(room->core);
    core_free(room->core);
    start(room);
}

static void restart(struct room *room)
{
    restart_alone(room);
    everybody_joins(room);
}

static int open_with(void **state, struct view pipeline)
{
    struct room *room = calloc(1, sizeof *room);
    room->now_ms = 1000;
    message_init(&room->message);
    for (int i = 0; i <= SEGMENTS; i++) {
        buf_init(&room->segments[i], (size_t)1 << 30);
    }
    assert_int_equal(graph_parse(&room->graph, pipeline, NULL), OK);
    start(room);
    everybody_joins(room);
    *state = room;
    return 0;
}

static int open_room(void **state)
{
    return open_with(state, VIEW("clean = article\ndates = clean\nexport = *\n"));
}

static int open_room_with_desk(void **state)
{
    return open_with(state, VIEW("clean = article\ndates = clean\nexport = *\ndesk = *\n"));
}

static int close_room(void **state)
{
    struct room *room = *state;
    core_check(room->core);
    core_free(room->core);
    message_clear(&room->message);
    for (int i = 0; i <= SEGMENTS; i++) {
        buf_clear(&room->segments[i]);
    }
    free(room);
    return 0;
}

// --- promises

static void a_backfill_of_a_hundred_thousand_delays_no_flash_by_fifty_milliseconds(void **state)
{
    struct room *room = *state;
    char id[32];
    const struct wire_item backfill = {.version = 1, .lane = WIRE_BACKFILL};
    const struct wire_item flash = {.version = 1, .lane = WIRE_FLASH};
    for (int i = 0; i < 100000;) {
        message_begin(&room->message, WIRE_PUT, WIRE_NO_STAGE);
        for (int j = 0; j < 250; j++) {
            snprintf(id, sizeof id, "old%d", i++);
            add_to_put(room, id, backfill);
        }
        send(room, CLIENT);
    }
    let_pass(room, 100);
    assert_true(queue_counts(core_queue(room->core))->live > 99000);
    room->only_flashes = true;
    room->delivered_count = 0;
    for (size_t i = 1; i <= 5; i++) {
        snprintf(id, sizeof id, "flash%zu", i);
        assert_int_equal(put(room, id, flash), WIRE_ACCEPTED);
        let_pass(room, 50);
        assert_int_equal(room->delivered_count, i);
    }
}

static void
a_stage_past_its_deadline_is_told_as_timeout_and_the_article_is_there_in_time(void **state)
{
    struct room *room = *state;
    room->workers[DATES].idle = true;
    const struct wire_item item = {
        .version = 1, .lane = WIRE_ROUTINE, .deadline_ms = room->now_ms + 200};
    assert_int_equal(put(room, "a", item), WIRE_ACCEPTED);
    let_pass(room, 199);
    assert_int_equal(room->workers[DATES].count, 1);
    assert_int_equal(room->delivered_count, 0);
    let_pass(room, 2);
    assert_int_equal(room->delivered_count, 1);
    assert_string_equal(room->delivered[0].sections,
                        "{clean}{\"stages\":{\"dates\":{\"status\":\"timeout\"}}}");
    room->workers[DATES].idle = false; // its answer comes after all, and is refused
    let_pass(room, 2);
    assert_int_equal(queue_counts(core_queue(room->core))->refused, 1);
    assert_int_equal(room->delivered_count, 1);
}

static void a_kill_reaches_the_sink_of_a_story_it_has_already(void **state)
{
    struct room *room = *state;
    assert_int_equal(put(room, "a", (struct wire_item){.version = 1, .lane = WIRE_ROUTINE}),
                     WIRE_ACCEPTED);
    assert_int_equal(put(room, "b", (struct wire_item){.version = 1, .lane = WIRE_ROUTINE}),
                     WIRE_ACCEPTED);
    let_pass(room, 20);
    assert_int_equal(room->delivered_count, 2);
    const struct wire_item kill = {.version = 2, .lane = WIRE_ROUTINE, .pubstatus = WIRE_CANCELED};
    assert_int_equal(put(room, "a", kill), WIRE_ACCEPTED);
    let_pass(room, 20 + core_defaults.gather_ms); // its completion is on disk
    assert_int_equal(room->delivered_count, 3);
    assert_int_equal(room->delivered[2].pubstatus, WIRE_CANCELED);
    restart(room);
    assert_int_equal(put(room, "b", kill), WIRE_ACCEPTED);
    room->workers[EXPORT].idle = true;
    let_pass(room, 20);
    restart(room); // while the sink has not answered
    room->workers[EXPORT].idle = false;
    let_pass(room, 20);
    assert_int_equal(room->delivered_count, 4);
    assert_int_equal(room->delivered[3].pubstatus, WIRE_CANCELED);
    assert_int_equal(put(room, "b", (struct wire_item){.version = 3}), WIRE_STALE);
}

static void an_older_version_that_comes_after_a_restart_is_stale(void **state)
{
    struct room *room = *state;
    const struct wire_item older = {.version = 1, .lane = WIRE_ROUTINE};
    const struct wire_item newer = {.version = 2, .lane = WIRE_ROUTINE};
    assert_int_equal(put(room, "done", newer), WIRE_ACCEPTED);
    let_pass(room, 20);
    room->workers[CLEAN].idle = true;
    assert_int_equal(put(room, "open", newer), WIRE_ACCEPTED);
    restart(room);
    assert_int_equal(put(room, "done", older), WIRE_STALE);
    assert_int_equal(put(room, "open", older), WIRE_STALE);
    room->workers[CLEAN].idle = false;
    let_pass(room, 20);
    assert_int_equal(room->delivered_count, 2);
    assert_int_equal(room->delivered[1].version, 2);
}

static void a_second_run_survives_a_restart_that_lost_the_end_of_the_first(void **state)
{
    struct room *room = *state;
    struct wire_item item = {.version = 1, .lane = WIRE_ROUTINE};
    assert_int_equal(put(room, "a", item), WIRE_ACCEPTED);
    let_pass(room, 3);
    assert_int_equal(room->delivered_count, 1);
    item.flags = WIRE_AGAIN;
    assert_int_equal(put(room, "a", item),
                     WIRE_ACCEPTED); // its record stands before the DONE of the first
    room->workers[CLEAN].idle = true;
    restart(room);
    assert_int_equal(queue_counts(core_queue(room->core))->live, 1);
    room->workers[CLEAN].idle = false;
    let_pass(room, 20);
    assert_int_equal(room->delivered_count, 2);
    assert_true(room->delivered[1].handle > room->delivered[0].handle);
}

// --- memory

static void put_many(struct room *room, int count)
{
    char id[32];
    for (int i = 0; i < count; i++) {
        snprintf(id, sizeof id, "many%d", i);
        put(room, id, (struct wire_item){.version = 1, .lane = WIRE_ROUTINE});
    }
}

static uint64_t cleaned(const struct room *room)
{
    return queue_counts(core_queue(room->core))->stages[CLEAN].done;
}

static void no_more_is_begun_than_the_sink_will_get_to_soon_but_for_what_cannot_wait(void **state)
{
    struct room *room = *state;
    room->ahead_articles = 10;
    restart(room);
    room->workers[EXPORT].idle = true;
    put_many(room, 200);
    let_pass(room, 300);
    // in the sink's hands, in its line, and what two workers held when the line had become so long
    assert_in_range(cleaned(room), CREDIT + 10, CREDIT + 10 + 2 * CREDIT);
    size_t before = cleaned(room);
    assert_int_equal(put(room, "f", (struct wire_item){.version = 1, .lane = WIRE_FLASH}),
                     WIRE_ACCEPTED);
    let_pass(room, 3);
    assert_true(cleaned(room) > before);
    assert_int_equal(queue_counts(core_queue(room->core))->stages[EXPORT].ready[WIRE_FLASH], 1);
    const struct wire_item timed = {
        .version = 1, .lane = WIRE_ROUTINE, .deadline_ms = room->now_ms + 1000};
    assert_int_equal(put(room, "t", timed), WIRE_ACCEPTED);
    let_pass(room, 999);
    room->workers[EXPORT].idle = false;
    let_pass(room, 1250);
    assert_int_equal(room->delivered_count, 202);
    for (size_t i = 0; i < room->delivered_count; i++) {
        assert_string_equal(room->delivered[i].sections, "{clean}{dates}");
    }
}

static void a_sink_that_does_not_answer_holds_up_no_other(void **state)
{
    struct room *room = *state;
    room->ahead_articles = 10;
    restart(room);
    hello(room, DESK + 1, "desk");
    room->workers[EXPORT].idle = true;
    put_many(room, 200);
    let_pass(room, 250);
    assert_int_equal(room->filed, 200);
    room->workers[EXPORT].idle = false;
    let_pass(room, 250);
    assert_int_equal(room->delivered_count, 200);
}

static void without_any_sink_nothing_is_made_that_would_have_to_be_given_up_again(void **state)
{
    struct room *room = *state;
    size_t sections = strlen("{clean}{dates}");
    room->section_bytes = 400 * sections;
    restart_alone(room);
    hello(room, CLIENT, NULL);
    hello(room, CLEAN + 1, "clean");
    hello(room, DATES + 1, "dates");
    put_many(room, 290);
    let_pass(room, 600);
    assert_in_range(cleaned(room), 200, 200 + 2 * CREDIT);
    hello(room, EXPORT + 1, "export");
    let_pass(room, 400);
    assert_int_equal(room->delivered_count, 290);
    assert_int_equal(cleaned(room), 290); // each was made once
}

static void documents_beyond_their_limit_are_left_to_the_journal(void **state)
{
    struct room *room = *state;
    size_t document = strlen("{\"id\":\"x\",\"text\":\"y\"}");
    room->document_bytes = 3 * document + 1;
    restart(room);
    room->workers[CLEAN].idle = room->workers[EXPORT].idle = true;
    put_many(room, CREDIT + 20);
    assert_true(core_numbers(room->core).document_bytes <= 4 * document);
    room->workers[CLEAN].idle = false;
    let_pass(room, 2 * CREDIT); // now sinks alone want them
    assert_int_equal(cleaned(room), CREDIT + 20);
    assert_true(core_numbers(room->core).document_bytes <= room->document_bytes);
    room->workers[EXPORT].idle = false;
    let_pass(room, 2 * CREDIT);
    assert_int_equal(room->delivered_count, CREDIT + 20);
}

// Both sinks come; the desk gets what it lacks, and the export nothing again.
static void expect_the_rest_for_the_desk_alone(struct room *room)
{
    restart(room);
    hello(room, DESK + 1, "desk");
    let_pass(room, 20);
    assert_int_equal(room->filed, 1);
    assert_int_equal(room->delivered_count, 1);
    assert_int_equal(queue_counts(core_queue(room->core))->live, 0);
}

static void after_a_restart_only_the_sink_that_was_away_gets_an_article(void **state)
{
    struct room *room = *state;
    assert_int_equal(put(room, "a", (struct wire_item){.version = 1, .lane = WIRE_ROUTINE}),
                     WIRE_ACCEPTED);
    let_pass(room, 1100);
    assert_int_equal(room->delivered_count, 1);
    restart(room);
    let_pass(room, 20);
    assert_int_equal(room->delivered_count, 1);
    expect_the_rest_for_the_desk_alone(room);
}

static void which_sinks_have_an_article_is_known_when_the_segment_that_says_so_is_gone(void **state)
{
    struct room *room = *state;
    const struct wire_item item = {.version = 1, .lane = WIRE_ROUTINE};
    room->segment_bytes = 1500;
    restart(room);
    hello(room, DESK + 1, "desk");
    room->workers[DESK].idle = true;
    assert_int_equal(put(room, "a", item), WIRE_ACCEPTED);
    let_pass(room, 1100);
    uint64_t handle = room->delivered[0].handle;
    uint64_t said = core_numbers(room->core).journal_bytes / room->segment_bytes + 1;
    room->workers[DESK].count = 0; // it never answers for this one
    room->workers[DESK].idle = false;
    char id[16];
    for (int i = 0; i < 250 && room->segments[said].len > 0; i++) {
        snprintf(id, sizeof id, "b%d", i);
        assert_int_equal(put(room, id, item), WIRE_ACCEPTED);
        let_pass(room, 5);
    }
    assert_int_equal(room->segments[said].len, 0);
    room->delivered_count = 0;
    restart(room);
    let_pass(room, 50);
    for (size_t i = 0; i < room->delivered_count; i++) {
        assert_true(room->delivered[i].handle != handle);
    }
    assert_non_null(queue_find(core_queue(room->core), handle)); // it waits for the desk
}

static void a_broker_that_leaves_writes_at_once_which_sinks_have_what(void **state)
{
    struct room *room = *state;
    assert_int_equal(put(room, "a", (struct wire_item){.version = 1, .lane = WIRE_ROUTINE}),
                     WIRE_ACCEPTED);
    let_pass(room, 20);
    assert_int_equal(room->delivered_count, 1);
    assert_false(core_is_idle(room->core));
    core_drain(room->core, room->now_ms);
    let_pass(room, 1);
    assert_true(core_is_idle(room->core));
    expect_the_rest_for_the_desk_alone(room);
}

static void a_dead_letter_that_is_retried_after_a_restart_goes_to_all_sinks(void **state)
{
    struct room *room = *state;
    uint64_t handle = 1;
    hello(room, DESK + 1, "desk");
    room->workers[DESK].idle = true;
    assert_int_equal(put(room, "a", (struct wire_item){.version = 1, .lane = WIRE_ROUTINE}),
                     WIRE_ACCEPTED);
    let_pass(room, 1100);
    message_begin(&room->message, WIRE_RESULT, DESK + 1);
    message_item(&room->message,
                 &(struct wire_item){.handle = handle, .attempt = 1, .outcome = WIRE_REJECT},
                 VIEW(""));
    send(room, DESK + 1);
    let_pass(room, 20);
    restart(room);
    message_begin(&room->message, WIRE_HELLO, WIRE_NO_STAGE);
    room->message.header.role = WIRE_OPERATOR;
    send(room, CLIENT + 1);
    message_begin(&room->message, WIRE_ASK, WIRE_NO_STAGE);
    message_field(&room->message, WIRE_TAG_COMMAND, VIEW("dlq retry all"));
    send(room, CLIENT + 1);
    room->workers[DESK].idle = false;
    hello(room, DESK + 1, "desk");
    let_pass(room, 20);
    assert_int_equal(room->filed, 1);
    assert_int_equal(room->delivered_count, 2);
}

int main(void)
{
#define TEST(name)      cmocka_unit_test_setup_teardown(name, open_room, close_room)
#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, open_room_with_desk, close_room)
    const struct CMUnitTest tests[] = {
        TEST(a_backfill_of_a_hundred_thousand_delays_no_flash_by_fifty_milliseconds),
        TEST(a_stage_past_its_deadline_is_told_as_timeout_and_the_article_is_there_in_time),
        TEST(a_kill_reaches_the_sink_of_a_story_it_has_already),
        TEST(an_older_version_that_comes_after_a_restart_is_stale),
        TEST(a_second_run_survives_a_restart_that_lost_the_end_of_the_first),
        TEST(no_more_is_begun_than_the_sink_will_get_to_soon_but_for_what_cannot_wait),
        DESK_TEST(a_sink_that_does_not_answer_holds_up_no_other),
        TEST(without_any_sink_nothing_is_made_that_would_have_to_be_given_up_again),
        TEST(documents_beyond_their_limit_are_left_to_the_journal),
        DESK_TEST(after_a_restart_only_the_sink_that_was_away_gets_an_article),
        DESK_TEST(which_sinks_have_an_article_is_known_when_the_segment_that_says_so_is_gone),
        DESK_TEST(a_broker_that_leaves_writes_at_once_which_sinks_have_what),
        DESK_TEST(a_dead_letter_that_is_retried_after_a_restart_goes_to_all_sinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
