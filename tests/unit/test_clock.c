#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HOUR_MS INT64_C(3600000)

// Makes a file of `len` bytes of `bytes`; its name in `path`, which ends in XXXXXX before.
static int make_file(char *path, const void *bytes, size_t len)
{
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, len), len);
    return file;
}

static void expect_refused(const char *path, const char *part)
{
    struct error why = {""};
    assert_int_equal(clock_open(path, &why), ERR_USAGE);
    if (!strstr(why.text, part)) {
        fail_msg("not found: %s\n  in %s", part, why.text);
    }
}

static void without_a_file_the_clock_is_the_systems(void **state)
{
    (void)state;
    int64_t before_ms = clock_wall_ms();
    assert_int_equal(clock_open(NULL, NULL), OK);
    assert_int_equal(clock_open("", NULL), OK);
    assert_in_range(clock_wall_ms() - before_ms, 0, 60000);
}

static void a_file_that_is_missing_or_has_another_length_is_named(void **state)
{
    (void)state;
    char path[] = "/tmp/copydesk-clock-XXXXXX";
    expect_refused("/nowhere/clock", "cannot open /nowhere/clock: No such file");
    close(make_file(path, "1234", 4));
    expect_refused(path, "does not hold 8 bytes");
    unlink(path);
}

static void what_is_written_to_the_file_moves_the_wall_clock_alone(void **state)
{
    (void)state;
    char path[] = "/tmp/copydesk-clock-XXXXXX";
    int64_t jump_ms = HOUR_MS, back_ms = -HOUR_MS;
    int64_t wall_ms = clock_wall_ms(), monotonic_us = clock_monotonic_us();
    int file = make_file(path, &jump_ms, sizeof jump_ms);
    assert_int_equal(clock_open(path, NULL), OK);
    assert_in_range(clock_wall_ms() - wall_ms, HOUR_MS, HOUR_MS + 60000);
    assert_int_equal(pwrite(file, &back_ms, sizeof back_ms, 0), sizeof back_ms);
    assert_in_range(wall_ms - clock_wall_ms(), HOUR_MS - 60000, HOUR_MS);
    assert_in_range(clock_monotonic_us() - monotonic_us, 0, 60000000);
    close(file);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_the_clock_is_the_systems),
        cmocka_unit_test(a_file_that_is_missing_or_has_another_length_is_named),
        cmocka_unit_test(what_is_written_to_the_file_moves_the_wall_clock_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
