#include "common/ops.h"
#include "services/health.h"

#include "common/clock.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct desk {
    struct metrics *metrics;
    struct ops *ops;
    char address[32];
    char answer[1 << 16];
};

static int open_desk(void **state)
{
    struct desk *desk = calloc(1, sizeof *desk);
    assert_non_null(desk);
    desk->metrics = metrics_new();
    assert_non_null(desk->metrics);
    assert_int_equal(ops_open(&desk->ops, "127.0.0.1:0", desk->metrics, NULL), OK);
    snprintf(desk->address, sizeof desk->address, "127.0.0.1:%u", ops_port(desk->ops));
    *state = desk;
    return 0;
}

static int close_desk(void **state)
{
    struct desk *desk = *state;
    ops_close(desk->ops);
    metrics_free(desk->metrics);
    free(desk);
    return 0;
}

static int connect_to(const struct desk *desk)
{
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(ops_port(desk->ops)),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int file = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(file >= 0);
    assert_int_equal(connect(file, (const struct sockaddr *)&to, sizeof to), 0);
    return file;
}

// The whole answer to a request.
static const char *ask(struct desk *desk, const char *request)
{
    size_t used = 0;
    ssize_t got;
    int file = connect_to(desk);
    assert_int_equal(send(file, request, strlen(request), MSG_NOSIGNAL), strlen(request));
    while ((got = recv(file, desk->answer + used, sizeof desk->answer - 1 - used, 0)) > 0) {
        used += (size_t)got;
    }
    desk->answer[used] = '\0';
    close(file);
    return desk->answer;
}

static const char *get(struct desk *desk, const char *path)
{
    char request[200];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
             path);
    return ask(desk, request);
}

static void assert_answer(const char *answer, const char *code, const char *part)
{
    if (strncmp(answer + strlen("HTTP/1.1 "), code, 3) != 0 || !strstr(answer, part)) {
        fail_msg("expected %s with '%s', got: %s", code, part, answer);
    }
}

static void a_service_that_ticks_is_healthy(void **state)
{
    struct desk *desk = *state;
    assert_answer(get(desk, "/healthz"), "200", "\r\n\r\nok\n");
    char *argv[] = {"health", desk->address};
    assert_int_equal(health_main(2, argv), 0);
}

static void a_loop_that_stands_still_is_reported(void **state)
{
    struct desk *desk = *state;
    int64_t end_us = clock_monotonic_us() + (OPS_STALL_MS + 20) * 1000;
    while (clock_monotonic_us() < end_us) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
    }
    char *argv[] = {"health", desk->address};
    assert_answer(get(desk, "/healthz"), "503", "the loop has not ticked for 2");
    assert_int_equal(health_main(2, argv), 1);
    ops_tick(desk->ops);
    assert_answer(get(desk, "/healthz"), "200", "ok");
}

static void readiness_gives_every_reason(void **state)
{
    struct desk *desk = *state;
    char *argv[] = {"health", "--ready", desk->address};
    ops_condition(desk->ops, "model", NULL);
    ops_condition(desk->ops, "journal", "disk \"full\"");
    assert_answer(
        get(desk, "/readyz"), "503",
        "{\"ready\":false,\"conditions\":{\"model\":\"ok\",\"journal\":\"disk \\\"full\\\"\"}}");
    assert_int_equal(health_main(3, argv), 1);
    ops_condition(desk->ops, "journal", "");
    assert_answer(get(desk, "/readyz"), "200", "{\"ready\":true");
    assert_int_equal(health_main(3, argv), 0);
    ops_note(desk->ops, "workers", "stage clean: no workers");
    assert_answer(get(desk, "/readyz"), "200",
                  "\"journal\":\"ok\",\"workers\":\"stage clean: no workers\"");
}

static void metrics_and_version_are_given_out(void **state)
{
    struct desk *desk = *state;
    series_add(metrics_series(desk->metrics, METRIC_KILLS, NULL, NULL), 3);
    assert_answer(get(desk, "/metrics"), "200", "copydesk_kills_total 3\n");
    assert_answer(get(desk, "/metrics"), "200", "text/plain; version=0.0.4");
    assert_answer(get(desk, "/version"), "200", "\"version\":\"" COPYDESK_VERSION "\"");
}

static void fixed_pages_can_be_replaced(void **state)
{
    struct desk *desk = *state;
    ops_page(desk->ops, "/api/config", "application/json", VIEW("{\"a\":1}"));
    assert_answer(get(desk, "/api/config"), "200", "{\"a\":1}");
    ops_page(desk->ops, "/api/config", "application/json", VIEW("{}"));
    assert_answer(get(desk, "/api/config"), "200", "\r\n\r\n{}");
    assert_answer(get(desk, "/nothing"), "404", "there are /healthz");
}

static void only_reading_is_allowed(void **state)
{
    struct desk *desk = *state;
    assert_answer(ask(desk, "POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                            "Content-Length: 5\r\n\r\nhello"),
                  "405", "");
}

static void clients_that_stay_silent_hold_nobody_up(void **state)
{
    struct desk *desk = *state;
    int silent[20];
    for (size_t i = 0; i < 20; i++) {
        silent[i] = connect_to(desk);
        assert_int_equal(send(silent[i], "GET /hea", 8, MSG_NOSIGNAL), 8);
    }
    assert_answer(get(desk, "/healthz"), "200", "ok");
    for (size_t i = 0; i < 20; i++) {
        close(silent[i]);
    }
}

static void a_taken_port_is_explained(void **state)
{
    struct desk *desk = *state;
    struct ops *second;
    struct error why = {""};
    assert_int_equal(ops_open(&second, desk->address, NULL, &why), ERR_UNREACHABLE);
    assert_null(second);
    assert_non_null(strstr(why.text, desk->address));
    assert_non_null(strstr(why.text, "is taken by another program"));
    assert_int_equal(ops_open(&second, "nonsense", NULL, &why), ERR_USAGE);
    assert_non_null(strstr(why.text, "expected host:port"));
}

static void nobody_listening_is_unhealthy(void **state)
{
    struct desk *desk = *state;
    char *nobody[] = {"health", "127.0.0.1:1"};
    char *with_scheme[] = {"health", (char[40]){0}};
    char *wrong[] = {"health", "nonsense"};
    snprintf(with_scheme[1], 40, "http://%s/", desk->address);
    assert_int_equal(health_main(2, nobody), 1);
    assert_int_equal(health_main(2, with_scheme), 0);
    assert_int_equal(health_main(2, wrong), 2);
}

int main(void)
{
#define AT_DESK(test) cmocka_unit_test_setup_teardown(test, open_desk, close_desk)
    const struct CMUnitTest tests[] = {
        AT_DESK(a_service_that_ticks_is_healthy),
        AT_DESK(a_loop_that_stands_still_is_reported),
        AT_DESK(readiness_gives_every_reason),
        AT_DESK(metrics_and_version_are_given_out),
        AT_DESK(fixed_pages_can_be_replaced),
        AT_DESK(only_reading_is_allowed),
        AT_DESK(clients_that_stay_silent_hold_nobody_up),
        AT_DESK(a_taken_port_is_explained),
        AT_DESK(nobody_listening_is_unhealthy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
