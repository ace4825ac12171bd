#include "common/utf8.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <wctype.h>

#include <cmocka.h>

// The obvious twin: decode by the bit pattern, then judge the number.
static size_t twin_sequence(const unsigned char *at, size_t left, uint32_t *out)
{
    static const struct {
        unsigned mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t len = 1; len <= 4; len++) {
        if ((at[0] & forms[len - 1].mask) != forms[len - 1].lead || left < len) {
            continue;
        }
        uint32_t value = at[0] & (~forms[len - 1].mask & 0xff);
        for (size_t i = 1; i < len; i++) {
            if ((at[i] & 0xc0) != 0x80) {
                return 0;
            }
            value = value << 6 | (at[i] & 0x3f);
        }
        bool is_surrogate = value >= 0xd800 && value <= 0xdfff;
        *out = value;
        return value >= forms[len - 1].least && value <= 0x10ffff && !is_surrogate ? len : 0;
    }
    return 0;
}

// Bytes that decide: the ends of every range in the standard's table, and a few in between.
static const unsigned char edges[] = {0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf,
                                      0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee,
                                      0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xfe, 0xff};

static void every_pair_of_bytes_and_every_edge_is_judged_as_the_twin_does(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            for (size_t i = 0; i < sizeof edges * sizeof edges; i++) {
                unsigned char bytes[4] = {(unsigned char)first, (unsigned char)second,
                                          edges[i / sizeof edges], edges[i % sizeof edges]};
                struct view text = {(const char *)bytes, 4};
                uint32_t value = 0;
                size_t len = twin_sequence(bytes, 4, &value);
                if (utf8_sequence(text, 0) != len) {
                    fail_msg("%02x %02x %02x %02x", first, second, bytes[2], bytes[3]);
                }
            }
        }
    }
}

static void a_sequence_that_is_cut_off_is_none(void **state)
{
    (void)state;
    const char text[] = "\xf0\x9f\x98\x80";
    for (size_t len = 1; len < 4; len++) {
        assert_int_equal(utf8_sequence((struct view){text, len}, 0), 0);
    }
}

static void every_code_point_comes_back(void **state)
{
    (void)state;
    for (uint32_t c = 0; c <= 0x10ffff; c++) {
        char bytes[4];
        if (c >= 0xd800 && c <= 0xdfff) {
            continue;
        }
        struct view text = {bytes, utf8_encode(c, bytes)};
        size_t at = 0;
        size_t back = text.len;
        uint32_t value = 0;
        bool same = utf8_next(text, &at) == c && at == text.len &&
                    utf8_previous(text, &back) == c && back == 0 &&
                    twin_sequence((const unsigned char *)bytes, text.len, &value) == text.len &&
                    value == c;
        if (!same) {
            fail_msg("U+%04X", c);
        }
    }
}

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

// Words, code points of all lengths, and bytes that are wrong.
static size_t random_text(uint64_t *seed, char *out, size_t size, bool may_be_wrong)
{
    size_t len = 0;
    while (len + 8 < size) {
        uint64_t draw = random_next(seed);
        if (draw % 4 == 0) {
            len += utf8_encode((uint32_t)(draw >> 8) % 0xd800, out + len);
        } else if (draw % 11 == 0) {
            len += utf8_encode(0x1f600 + (uint32_t)(draw >> 8) % 64, out + len);
        } else if (may_be_wrong && draw % 13 == 0) {
            out[len++] = (char)edges[(draw >> 8) % sizeof edges];
        } else {
            out[len++] = (char)('a' + (draw >> 8) % 26);
        }
    }
    return len;
}

static void walking_forth_and_back_meets_the_same_code_points(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int round = 0; round < 300; round++) {
        char bytes[200];
        uint32_t points[200];
        size_t starts[200];
        size_t count = 0;
        struct view text = {bytes, random_text(&seed, bytes, sizeof bytes, true)};
        for (size_t at = 0; at < text.len; count++) {
            starts[count] = at;
            points[count] = utf8_next(text, &at);
        }
        assert_int_equal(utf8_length(text), count);
        for (size_t at = text.len; at > 0;) {
            assert_true(count > 0);
            count--;
            assert_int_equal(utf8_previous(text, &at), points[count]);
            assert_int_equal(at, starts[count]);
        }
        assert_int_equal(count, 0);
    }
}

static void the_first_invalid_byte_is_found(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int round = 0; round < 500; round++) {
        char bytes[150];
        struct view text = {bytes, random_text(&seed, bytes, sizeof bytes, round % 2 == 0)};
        size_t expected = 0;
        uint32_t value;
        size_t len;
        while (expected < text.len && (len = twin_sequence((const unsigned char *)bytes + expected,
                                                           text.len - expected, &value)) > 0) {
            expected += len;
        }
        assert_int_equal(utf8_invalid_at(text), expected);
    }
}

// Counts from the start each time.
static size_t twin_to_code_points(struct view text, size_t byte)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len;) {
        size_t next = at;
        utf8_next(text, &next);
        if (next > byte) {
            break;
        }
        at = next;
        count++;
    }
    return count;
}

static void check_index(const struct utf8_index *index, struct view text)
{
    size_t bytes = 0;
    for (size_t byte = 0; byte <= text.len + 3; byte++) {
        assert_int_equal(utf8_to_code_points(index, byte), twin_to_code_points(text, byte));
    }
    for (size_t point = 0; point < index->code_points; point++) {
        assert_int_equal(utf8_to_bytes(index, point), bytes);
        utf8_next(text, &bytes);
    }
    assert_int_equal(bytes, text.len);
    assert_int_equal(utf8_to_bytes(index, index->code_points), text.len);
    assert_int_equal(utf8_to_bytes(index, index->code_points + 5), text.len);
}

static void bytes_and_code_points_convert_as_counting_does(void **state)
{
    (void)state;
    uint64_t seed = 8;
    for (int round = 0; round < 200; round++) {
        char bytes[600];
        struct arena arena;
        struct utf8_index index;
        size_t size = 8 + random_next(&seed) % 590;
        struct view text = {bytes, random_text(&seed, bytes, size, round % 3 == 0)};
        arena_init(&arena, round % 5 == 0 ? 8 : 1 << 20); // too small: slow, but right
        utf8_index_init(&index, &arena, text);
        check_index(&index, text);
        arena_clear(&arena);
    }
}

static void ascii_needs_no_index(void **state)
{
    (void)state;
    struct utf8_index index;
    struct arena arena;
    arena_init(&arena, 0);
    utf8_index_init(&index, &arena, VIEW("plain"));
    assert_int_equal(utf8_to_code_points(&index, 3), 3);
    assert_int_equal(utf8_to_code_points(&index, 9), 5);
    assert_int_equal(utf8_to_bytes(&index, 9), 5);
    utf8_index_init(&index, &arena, VIEW(""));
    assert_int_equal(utf8_to_bytes(&index, 0), 0);
    assert_false(arena_is_full(&arena));
}

// The C library knows Unicode. Where ours claims to know a script, both must agree.
static void letter_case_agrees_with_the_c_library(void **state)
{
    (void)state;
    static const uint32_t ranges[][2] = {{0x20, 0x17f},  {0x1cd, 0x1dc},   {0x1de, 0x1ef},
                                         {0x391, 0x3ce}, {0x400, 0x481},   {0x48a, 0x4bf},
                                         {0x4d0, 0x52f}, {0x1e00, 0x1e95}, {0x1ea0, 0x1eff}};
    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        skip();
    }
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        for (uint32_t c = ranges[i][0]; c <= ranges[i][1]; c++) {
            bool is_capital = iswupper((wint_t)c) && towlower((wint_t)c) != (wint_t)c;
            if (!iswalpha((wint_t)c)) {
                continue;
            }
            if (utf8_is_upper(c) != is_capital) {
                fail_msg("U+%04X: capital %d", c, is_capital);
            }
            if (utf8_to_lower(c) != (uint32_t)towlower((wint_t)c)) {
                fail_msg("U+%04X: small form is U+%04X, not U+%04X", c,
                         (unsigned)towlower((wint_t)c), utf8_to_lower(c));
            }
            assert_true(utf8_is_letter(c));
            assert_false(utf8_is_upper(c) && utf8_is_lower(c));
        }
    }
}

static void white_space_is_what_unicode_says(void **state)
{
    (void)state;
    static const uint32_t spaces[] = {0x09,   0x0a,   0x0b,   0x0c,   0x0d,   0x20,
                                      0x85,   0xa0,   0x1680, 0x2000, 0x200a, 0x2028,
                                      0x2029, 0x202f, 0x205f, 0x3000};
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++) {
        assert_true(utf8_is_space(spaces[i]));
    }
    assert_false(utf8_is_space(0x200b));
    assert_false(utf8_is_space(0xfeff));
    assert_false(utf8_is_space('x'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_pair_of_bytes_and_every_edge_is_judged_as_the_twin_does),
        cmocka_unit_test(a_sequence_that_is_cut_off_is_none),
        cmocka_unit_test(every_code_point_comes_back),
        cmocka_unit_test(walking_forth_and_back_meets_the_same_code_points),
        cmocka_unit_test(the_first_invalid_byte_is_found),
        cmocka_unit_test(bytes_and_code_points_convert_as_counting_does),
        cmocka_unit_test(ascii_needs_no_index),
        cmocka_unit_test(letter_case_agrees_with_the_c_library),
        cmocka_unit_test(white_space_is_what_unicode_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
