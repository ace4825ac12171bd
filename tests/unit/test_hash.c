#include "services/broker/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// The first vectors of the reference implementation: key 00 01 .. 0f, input empty, then 00.
static void the_reference_vectors_come_out(void **state)
{
    static const uint64_t key[2] = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    static const unsigned char empty[16] = {0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6,
                                            0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93};
    static const unsigned char zero[16] = {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44,
                                           0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45};
    uint64_t out[2];
    (void)state;
    hash128(key, VIEW(""), out);
    assert_memory_equal(out, empty, sizeof empty);
    hash128(key, (struct view){"\0", 1}, out);
    assert_memory_equal(out, zero, sizeof zero);
}

static void another_key_gives_another_hash(void **state)
{
    uint64_t a[2], b[2];
    (void)state;
    hash128((const uint64_t[]){1, 2}, VIEW("article-1"), a);
    hash128((const uint64_t[]){1, 3}, VIEW("article-1"), b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reference_vectors_come_out),
        cmocka_unit_test(another_key_gives_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
