#include "common/buf.h"

#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_holds(const struct buf *buf, struct view expected)
{
    assert_int_equal(buf->len, expected.len);
    assert_memory_equal(buf_view(buf).at, expected.at, expected.len);
}

static void pieces_stand_one_behind_the_other(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_add(&buf, VIEW("queue "));
    buf_add_u64(&buf, UINT64_MAX);
    buf_add_char(&buf, ' ');
    buf_add_u64(&buf, 0);
    buf_printf(&buf, " %s %d", "dates", -3);
    buf_add(&buf, (struct view){NULL, 0});
    assert_holds(&buf, VIEW("queue 18446744073709551615 0 dates -3"));
    assert_false(buf.full);
    buf_clear(&buf);
    assert_holds(&buf, VIEW(""));
}

static void what_does_not_fit_is_dropped_whole_and_remembered(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    buf_add(&buf, VIEW("0123456"));
    buf_add(&buf, VIEW("789abc"));
    assert_true(buf.full);
    buf_add(&buf, VIEW("7"));
    assert_holds(&buf, VIEW("0123456"));
    buf_reset(&buf);
    assert_false(buf.full);
    buf_add(&buf, VIEW("0123456789"));
    assert_false(buf.full);
    assert_holds(&buf, VIEW("0123456789"));
    assert_null(buf_reserve(&buf, SIZE_MAX));
    buf_clear(&buf);
}

static void long_formatted_text_is_not_cut(void **state)
{
    (void)state;
    for (int len = 500; len < 530; len++) {
        struct buf buf;
        buf_init(&buf, 4096);
        buf_printf(&buf, "%0*d", len, 7);
        assert_int_equal(buf.len, len);
        assert_int_equal(buf.at[len - 1], '7');
        buf_clear(&buf);
    }
}

static void json_strings_are_escaped(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    buf_add_json(&buf, VIEW("a\"b\\c\n\t\r\b\f\x01\x7f/\xc3\xa9\xf0\x9f\x98\x80"));
    assert_holds(&buf,
                 VIEW("\"a\\\"b\\\\c\\n\\t\\r\\b\\f\\u0001\\u007f/\xc3\xa9\xf0\x9f\x98\x80\""));
    buf_clear(&buf);
}

static void json_strings_are_valid_whatever_the_bytes(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            const char bytes[] = {(char)first, (char)second};
            struct buf buf;
            buf_init(&buf, 100);
            buf_add_json(&buf, (struct view){bytes, 2});
            struct view out = buf_view(&buf);
            assert_int_equal(utf8_invalid_at(out), out.len);
            assert_int_equal(out.at[0], '"');
            assert_int_equal(out.at[out.len - 1], '"');
            for (size_t i = 1; i + 1 < out.len; i++) {
                assert_true((unsigned char)out.at[i] >= 0x20);
                assert_true(out.at[i] != '"' || out.at[i - 1] == '\\');
            }
            buf_clear(&buf);
        }
    }
}

static void bytes_can_be_given_away(void **state)
{
    (void)state;
    struct buf buf;
    size_t len;
    buf_init(&buf, 100);
    buf_add(&buf, VIEW("kept"));
    char *bytes = buf_take(&buf, &len);
    assert_int_equal(len, 4);
    assert_memory_equal(bytes, "kept", 4);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.limit_bytes, 100);
    free(bytes);
    assert_null(buf_take(&buf, &len));
}

static void memory_never_exceeds_the_limit(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 300);
    for (int i = 0; i < 400; i++) {
        buf_add_char(&buf, 'x');
        assert_true(buf.cap <= 300);
    }
    assert_int_equal(buf.len, 300);
    assert_true(buf.full);
    buf_clear(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_stand_one_behind_the_other),
        cmocka_unit_test(what_does_not_fit_is_dropped_whole_and_remembered),
        cmocka_unit_test(long_formatted_text_is_not_cut),
        cmocka_unit_test(json_strings_are_escaped),
        cmocka_unit_test(json_strings_are_valid_whatever_the_bytes),
        cmocka_unit_test(bytes_can_be_given_away),
        cmocka_unit_test(memory_never_exceeds_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
