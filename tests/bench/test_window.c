#include "tests/bench/window.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// A process that delivers an article each millisecond.
struct source {
    _Atomic uint64_t *delivered;
    pid_t pid;
};

static int start_source(void **state)
{
    static struct source source;
    source.delivered = mmap(NULL, sizeof *source.delivered, PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(source.delivered, MAP_FAILED);
    source.pid = fork();
    if (source.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
            usleep(1000);
            ++*source.delivered;
        }
    }
    *state = &source;
    return source.pid < 0 ? -1 : 0;
}

static int end_source(void **state)
{
    struct source *source = *state;
    kill(source->pid, SIGKILL);
    waitpid(source->pid, NULL, 0);
    return munmap((void *)source->delivered, sizeof *source->delivered);
}

static struct window_config config_of(const struct source *source)
{
    return (struct window_config){.prefix = "test",
                                  .limit_ms = 10000,
                                  .broker = source->pid,
                                  .clients = &source->pid,
                                  .client_count = 1,
                                  .delivered = source->delivered};
}

static uint64_t length_ms(const struct window *window)
{
    return (uint64_t)(window->closed.us - window->opened.us) / 1000;
}

static void stays_open_until_the_articles_are_there(void **state)
{
    struct window window;
    struct window_config config = config_of(*state);
    config.articles = 50;
    assert_true(window_measure(&window, &config));
    assert_in_range(window.closed.delivered - window.opened.delivered, 50, UINT64_MAX);
}

static void stays_open_until_the_time_has_passed(void **state)
{
    struct window window;
    struct window_config config = config_of(*state);
    config.articles = 1;
    config.full_ms = 120;
    assert_true(window_measure(&window, &config));
    assert_in_range(length_ms(&window), 120, UINT64_MAX);
}

static void sees_what_else_the_machine_does(void **state)
{
    struct window window;
    struct window_config config = config_of(*state);
    pid_t busy = fork();
    if (busy == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;) {
        }
    }
    config.full_ms = 300;
    assert_true(window_measure(&window, &config));
    kill(busy, SIGKILL);
    waitpid(busy, NULL, 0);
    double used_s = window.closed.machine_cpu_s - window.opened.machine_cpu_s;
    double own_s = window.closed.broker_cpu_s - window.opened.broker_cpu_s;
    assert_true(used_s - own_s > 0.05);
}

static void leaves_the_warm_up_out(void **state)
{
    struct window window;
    struct source *source = *state;
    struct window_config config = config_of(source);
    config.articles = 1;
    config.warm_ms = 100;
    uint64_t before = *source->delivered;
    assert_true(window_measure(&window, &config));
    assert_in_range(window.opened.delivered - before, 1, UINT64_MAX);
}

static void closes_at_the_limit_with_what_there_is(void **state)
{
    struct window window;
    struct window_config config = config_of(*state);
    config.articles = UINT64_MAX;
    config.limit_ms = 60;
    assert_true(window_measure(&window, &config));
    assert_in_range(length_ms(&window), 60, 5000);
}

static void refuses_when_nothing_was_delivered(void **state)
{
    struct window window;
    struct source *source = *state;
    struct window_config config = config_of(source);
    config.articles = 1;
    config.limit_ms = 20;
    kill(source->pid, SIGSTOP);
    assert_false(window_measure(&window, &config));
    kill(source->pid, SIGCONT);
}

static void refuses_when_a_process_is_gone(void **state)
{
    struct window window;
    struct source *source = *state;
    struct window_config config = config_of(source);
    pid_t gone = fork();
    if (gone == 0) {
        _exit(0);
    }
    waitpid(gone, NULL, 0);
    config.articles = 1;
    config.clients = &gone;
    assert_false(window_measure(&window, &config));
}

static void waiting_ends_at_its_limit(void **state)
{
    const struct source *source = *state;
    assert_true(window_wait(source->delivered, 1, 10000));
    assert_false(window_wait(source->delivered, UINT64_MAX, 10));
}

static void options_are_read_in_pairs(void **state)
{
    const char *name = "";
    uint64_t number = 0;
    const struct window_option table[] = {{"--name", &name, NULL}, {"--n", NULL, &number}};
    char *good[] = {"program", "--n", "7", "--name", "x"};
    char *unknown[] = {"program", "--m", "7"};
    char *not_a_number[] = {"program", "--n", "seven"};
    char *half[] = {"program", "--n"};
    (void)state;
    assert_true(window_read_options(table, 2, 5, good));
    assert_int_equal(number, 7);
    assert_string_equal(name, "x");
    assert_false(window_read_options(table, 2, 3, unknown));
    assert_false(window_read_options(table, 2, 3, not_a_number));
    assert_false(window_read_options(table, 2, 2, half));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stays_open_until_the_articles_are_there),
        cmocka_unit_test(stays_open_until_the_time_has_passed),
        cmocka_unit_test(sees_what_else_the_machine_does),
        cmocka_unit_test(leaves_the_warm_up_out),
        cmocka_unit_test(closes_at_the_limit_with_what_there_is),
        cmocka_unit_test(refuses_when_nothing_was_delivered),
        cmocka_unit_test(refuses_when_a_process_is_gone),
        cmocka_unit_test(waiting_ends_at_its_limit),
        cmocka_unit_test(options_are_read_in_pairs),
    };
    return cmocka_run_group_tests(tests, start_source, end_source);
}
