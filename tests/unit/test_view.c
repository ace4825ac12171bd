#include "common/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_number_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    uint64_t value = 0;
    assert_true(view_parse_u64(VIEW("18446744073709551615"), &value));
    assert_int_equal(value, UINT64_MAX);
    assert_false(view_parse_u64(VIEW("18446744073709551616"), &value));
    assert_false(view_parse_u64(VIEW("12a"), &value));
    assert_false(view_parse_u64(VIEW(""), &value));
}

static void trimming_takes_hard_spaces_too(void **state)
{
    (void)state;
    struct view trimmed = view_trim(VIEW(" \xc2\xa0 Read more \t\xc2\xa0"));
    assert_true(view_equal(trimmed, VIEW("Read more")));
}

static void lines_end_with_or_without_carriage_return(void **state)
{
    (void)state;
    struct view rest = VIEW("one\r\n\ntwo");
    struct view line;
    assert_true(view_next_line(&rest, &line));
    assert_true(view_equal(line, VIEW("one")));
    assert_true(view_next_line(&rest, &line));
    assert_int_equal(line.len, 0);
    assert_true(view_next_line(&rest, &line));
    assert_true(view_equal(line, VIEW("two")));
    assert_false(view_next_line(&rest, &line));
}

static void a_slice_never_leaves_its_view(void **state)
{
    (void)state;
    struct view text = VIEW("article");
    assert_true(view_equal(view_slice(text, 3, 5), VIEW("ic")));
    assert_true(view_equal(view_slice(text, 3, 99), VIEW("icle")));
    assert_int_equal(view_slice(text, 9, 12).len, 0);
    assert_int_equal(view_slice(text, 5, 3).len, 0);
    assert_int_equal(view_slice((struct view){NULL, 0}, 1, 2).len, 0);
}

static void order_is_by_bytes_and_the_shorter_first(void **state)
{
    (void)state;
    static const char *const sorted[] = {"", "Z", "a", "a b", "ab", "\xc3\xa9"};
    for (size_t i = 0; i < 6; i++) {
        for (size_t j = 0; j < 6; j++) {
            int order = view_compare(view_of(sorted[i]), view_of(sorted[j]));
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
}

static void case_is_ignored_for_ascii_letters_only(void **state)
{
    (void)state;
    assert_true(view_equal_nocase(VIEW("DOCTYPE"), VIEW("doctype")));
    assert_false(view_equal_nocase(VIEW("@["), VIEW("`{")));
    assert_false(view_equal_nocase(VIEW("\xc3\x89"), VIEW("\xc3\xa9")));
    assert_true(view_starts_nocase(VIEW("<Script src"), VIEW("<sCRIPT")));
    assert_false(view_starts_nocase(VIEW("<s"), VIEW("<script")));
}

static void searching_finds_what_a_plain_loop_finds(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int round = 0; round < 3000; round++) {
        char bytes[24];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            bytes[i] = (char)('a' + (seed >> 60) % 2);
        }
        struct view text = {bytes, 20};
        struct view needle = {bytes + (seed >> 40) % 20, (seed >> 50) % 5};
        size_t from = (seed >> 30) % 24;
        size_t expected = from;
        while (expected + needle.len <= text.len &&
               !view_equal(view_slice(text, expected, expected + needle.len), needle)) {
            expected++;
        }
        expected = expected + needle.len <= text.len ? expected : text.len;
        assert_int_equal(view_find(text, needle, from), expected);
    }
}

static void words_are_cut_off_one_by_one(void **state)
{
    (void)state;
    struct view rest = VIEW("  clean\tentities \n");
    struct view word;
    assert_true(view_next_word(&rest, &word) && view_equal(word, VIEW("clean")));
    assert_true(view_next_word(&rest, &word) && view_equal(word, VIEW("entities")));
    assert_false(view_next_word(&rest, &word));
}

static void a_hash_is_the_same_on_every_machine(void **state)
{
    (void)state;
    assert_true(view_hash(VIEW("")) == 0xfdbdf6ac4fc52e7fu);
    assert_true(view_hash(VIEW("copydesk")) == 0x83bf16e5eb4f2c6fu);
    assert_true(view_hash(VIEW("copydesk")) != view_hash(VIEW("copydesl")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slice_never_leaves_its_view),
        cmocka_unit_test(order_is_by_bytes_and_the_shorter_first),
        cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
        cmocka_unit_test(searching_finds_what_a_plain_loop_finds),
        cmocka_unit_test(words_are_cut_off_one_by_one),
        cmocka_unit_test(a_hash_is_the_same_on_every_machine),
        cmocka_unit_test(a_number_is_read_whole_or_not_at_all),
        cmocka_unit_test(trimming_takes_hard_spaces_too),
        cmocka_unit_test(lines_end_with_or_without_carriage_return),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
