#include "common/log.h"

#include "common/article.h"
#include "common/buf.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

// 2020-08-19T07:05:30.250Z
static int64_t fixed_now(void)
{
    return 1597820730250;
}

struct ends {
    int read, write;
    char text[1 << 16];
};

static int open_pipe(void **state)
{
    int files[2];
    struct ends *ends = calloc(1, sizeof *ends);
    assert_non_null(ends);
    assert_int_equal(pipe(files), 0);
    assert_int_equal(fcntl(files[0], F_SETFL, O_NONBLOCK), 0);
    ends->read = files[0];
    ends->write = files[1];
    *state = ends;
    return 0;
}

static int close_pipe(void **state)
{
    struct ends *ends = *state;
    close(ends->read);
    close(ends->write);
    free(ends);
    return 0;
}

static struct log log_to(const struct ends *ends, bool json)
{
    return (struct log){.file = ends->write,
                        .level = LEVEL_INFO,
                        .json = json,
                        .service = "broker",
                        .now_ms = fixed_now};
}

// What was written since the last call, terminated.
static const char *heard(struct ends *ends)
{
    ssize_t len = read(ends->read, ends->text, sizeof ends->text - 1);
    ends->text[len > 0 ? len : 0] = '\0';
    return ends->text;
}

static void people_get_text(void **state)
{
    struct ends *ends = *state;
    struct log log = log_to(ends, false);
    const struct log_about about = {
        .stage = "clean", .id = VIEW("a1"), .version = 2, .error = "no"};
    log_write(&log, LEVEL_WARNING, &about, "lease ran out after %d s", 30);
    assert_string_equal(heard(ends),
                        "2020-08-19T07:05:30.250Z warning broker: lease ran out after 30 s"
                        " stage=clean id=a1 version=2 err=no\n");
}

static void machines_get_json(void **state)
{
    struct ends *ends = *state;
    struct log log = log_to(ends, true);
    const struct log_about about = {.stage = "clean", .id = VIEW("a1"), .version = 2};
    log_write(&log, LEVEL_ERROR, &about, "cannot write %s", "x");
    assert_string_equal(
        heard(ends),
        "{\"ts\":\"2020-08-19T07:05:30.250Z\",\"level\":\"error\",\"svc\":\"broker\","
        "\"stage\":\"clean\",\"id\":\"a1\",\"version\":2,\"msg\":\"cannot write x\"}\n");
}

static void what_is_below_the_level_is_not_said(void **state)
{
    struct ends *ends = *state;
    struct log log = log_to(ends, false);
    log_debug(&log, "not this");
    log_error(NULL, "nor this");
    assert_string_equal(heard(ends), "");
}

static void text_from_outside_cannot_forge_a_line(void **state)
{
    struct ends *ends = *state;
    for (int json = 0; json < 2; json++) {
        struct log log = log_to(ends, json != 0);
        log_info(&log, "id %s", "a\n2020 error x\r\x1b[31m\"\\\xff\xc3\xa9");
        const char *line = heard(ends);
        assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
        assert_non_null(
            strstr(line, "a\\n2020 error x\\u000d\\u001b[31m\\\"\\\\\xef\xbf\xbd\xc3\xa9"));
    }
}

static void every_json_line_can_be_read_back(void **state)
{
    struct ends *ends = *state;
    struct log log = log_to(ends, true);
    for (int c = 1; c < 256; c++) {
        const char text[] = {'x', (char)c, 'y', (char)c, '\0'};
        const struct log_about about = {.id = {text, 4}, .error = text};
        struct arena arena;
        struct article article;
        struct error why = {""};
        log_write(&log, LEVEL_INFO, &about, "%s", text);
        arena_init(&arena, 1 << 20);
        article_init(&article, &arena);
        if (article_merge(&article, view_trim(view_of(heard(ends))), &why) != OK) {
            fail_msg("%s: %s", why.text, ends->text);
        }
        article_clear(&article);
        arena_clear(&arena);
    }
}

static void a_long_line_is_cut_and_still_closed(void **state)
{
    struct ends *ends = *state;
    struct log log = log_to(ends, true);
    char text[6000];
    memset(text, '\x01', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    const struct log_about about = {.id = view_of(text)};
    log_write(&log, LEVEL_INFO, &about, "%s", text);
    const char *line = heard(ends);
    assert_true(strlen(line) <= LOG_LINE_LIMIT);
    assert_string_equal(line + strlen(line) - 3, "\"}\n");
}

static void *say_many(void *user)
{
    const struct log *log = user;
    for (int i = 0; i < 100; i++) {
        log_info(log, "a line that must not be torn apart by another thread");
    }
    return NULL;
}

static void lines_of_threads_never_mix(void **state)
{
    struct ends *ends = *state;
    struct log log = log_to(ends, false);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, say_many, &log), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    struct view rest = view_of(heard(ends));
    struct view line;
    size_t count = 0;
    for (; view_next_line(&rest, &line); count++) {
        assert_true(view_starts(line, VIEW("2020-08-19T07:05:30.250Z info broker: a line")));
        assert_true(view_ends(line, VIEW("by another thread")));
    }
    assert_int_equal(count, 400);
}

static void names_of_levels_and_formats_are_read(void **state)
{
    (void)state;
    enum log_level level;
    enum log_format format;
    assert_true(log_level_parse(VIEW("debug"), &level) && level == LEVEL_DEBUG);
    assert_false(log_level_parse(VIEW("loud"), &level));
    assert_true(log_format_parse(VIEW("json"), &format) && format == LOG_JSON);
    assert_false(log_format_parse(VIEW(""), &format));
}

int main(void)
{
#define PIPED(test) cmocka_unit_test_setup_teardown(test, open_pipe, close_pipe)
    const struct CMUnitTest tests[] = {
        PIPED(people_get_text),
        PIPED(machines_get_json),
        PIPED(what_is_below_the_level_is_not_said),
        PIPED(text_from_outside_cannot_forge_a_line),
        PIPED(every_json_line_can_be_read_back),
        PIPED(a_long_line_is_cut_and_still_closed),
        PIPED(lines_of_threads_never_mix),
        cmocka_unit_test(names_of_levels_and_formats_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
