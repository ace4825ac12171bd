#include "proto/crc32c.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void the_check_value_of_the_standard_comes_out(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c_portable(0, "123456789", 9), 0xe3069283);
}

static void both_ways_agree_on_every_length_and_split(void **state)
{
    (void)state;
    unsigned char bytes[200];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i * 167 + 13);
    }
    for (size_t len = 0; len <= sizeof bytes; len++) {
        uint32_t whole = crc32c(0, bytes, len);
        assert_int_equal(whole, crc32c_portable(0, bytes, len));
        assert_int_equal(whole, crc32c(crc32c(0, bytes, len / 3), bytes + len / 3, len - len / 3));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_check_value_of_the_standard_comes_out),
        cmocka_unit_test(both_ways_agree_on_every_length_and_split),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
