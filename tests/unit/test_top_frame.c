#include "services/top_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// An answer of a broker with one stage and one worker; `up` in ms, `done` by both.
#define ANSWER(up, done)                                                                           \
    "{\"session\":\"1a\",\"up_ms\":" up ",\"articles\":{\"live\":7,\"dead\":0,\"complete\":" done  \
    "},\"memory\":{\"documents\":0,\"sections\":1048576},\"journal\":{\"bytes\":2097152,"          \
    "\"sync_p50_us\":250,\"sync_p99_us\":1500},\"door\":{\"state\":\"open\",\"accepted\":20},"     \
    "\"stages\":[{\"name\":\"clean\",\"workers\":1,\"ready\":{\"flash\":1,\"urgent\":2,"           \
    "\"routine\":123456,\"backfill\":0},\"delayed\":3,\"leased\":4,\"oldest_ms\":1200,"            \
    "\"done\":" done ",\"failed\":5,\"dead\":6}],\"peers\":[{\"name\":\"w\\u001b\xc2\x9b"          \
    "1\",\"role\":\"worker\",\"stage\":\"clean\",\"credit\":64,\"done\":" done                     \
    ",\"heard_ms\":100}]}"

struct desk {
    struct arena arena;
    struct buf out;
};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    arena_init(&desk->arena, 1 << 20);
    buf_init(&desk->out, 1 << 20);
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    arena_clear(&desk->arena);
    buf_clear(&desk->out);
    free(desk);
    return 0;
}

static const struct node *read_answer(struct desk *desk, const char *json)
{
    const struct node *root;
    assert_int_equal(node_read(view_of(json), &desk->arena, &root, NULL), OK);
    return root;
}

static const char *print(struct desk *desk, const struct top_frame *frame)
{
    buf_reset(&desk->out);
    top_frame_print(frame, &desk->out);
    buf_add_char(&desk->out, '\0');
    return desk->out.at;
}

static void rates_come_from_two_answers(void **state)
{
    struct desk *desk = *state;
    struct top_frame frame = {.broker = "tcp://b:1",
                              .now = read_answer(desk, ANSWER("3000", "300")),
                              .before = read_answer(desk, ANSWER("1000", "100")),
                              .width = 80,
                              .rows = 24};
    assert_string_equal(
        print(desk, &frame),
        "copydesk at tcp://b:1   session 1a   up 3.0s\n"
        "door open   accepted 20   complete 300 (100.0/s)   live 7   dead 0\n"
        "journal 2.0 MiB   articles in memory 1.0 MiB   sync p50 0.2 ms p99 1.5 ms\n"
        "\n"
        "STAGE        WRK FLASH   URG  ROUT  BACK DELAY LEASE  OLDEST  RATE/S  FAIL  DEAD\n"
        "clean          1     1     2  123k     0     3     4    1.2s   100.0     5     6\n"
        "\n"
        "WORKER                           STAGE       CREDIT    DONE  RATE/S   HEARD\n"
        "w\\u001b?1                        clean           64     300   100.0   100ms\n");
}

static void without_an_earlier_answer_there_are_no_rates(void **state)
{
    struct desk *desk = *state;
    struct top_frame frame = {.broker = "tcp://b:1",
                              .now = read_answer(desk, ANSWER("3000", "300")),
                              .width = 80,
                              .rows = 24};
    assert_non_null(strstr(print(desk, &frame), "complete 300 (-/s)"));
}

static void a_broker_that_is_away_is_told_above_the_last_answer(void **state)
{
    struct desk *desk = *state;
    struct top_frame frame = {.broker = "tcp://b:1",
                              .now = read_answer(desk, ANSWER("3000", "300")),
                              .away = "no answer",
                              .away_ms = 12000,
                              .width = 80,
                              .rows = 24};
    const char *text = print(desk, &frame);
    assert_memory_equal(text, "the broker is away for 12.0s; trying again\nno answer\ncopydesk",
                        60);
    frame.now = NULL;
    assert_string_equal(print(desk, &frame),
                        "the broker is away for 12.0s; trying again\nno answer\n");
}

static void a_frame_is_no_larger_than_the_terminal(void **state)
{
    struct desk *desk = *state;
    struct top_frame frame = {.broker = "tcp://b:1",
                              .now = read_answer(desk, ANSWER("3000", "300")),
                              .width = 10,
                              .rows = 3};
    assert_string_equal(print(desk, &frame), "copydesk a\ndoor open \njournal 2.\n");
    frame.width = 80;
    frame.rows = 9;
    assert_non_null(strstr(print(desk, &frame), "and 1 more; copydesk status lists all\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        TEST(rates_come_from_two_answers),
        TEST(without_an_earlier_answer_there_are_no_rates),
        TEST(a_broker_that_is_away_is_told_above_the_last_answer),
        TEST(a_frame_is_no_larger_than_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
