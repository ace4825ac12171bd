#include "common/charset.h"

#include "common/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect_decoded(struct view bytes, const char *declared, const char *text,
                           const char *charset, size_t strays)
{
    struct buf out;
    struct decoding how;
    buf_init(&out, 1 << 20);
    assert_int_equal(charset_decode(bytes, view_of(declared), &out, &how), OK);
    buf_add_char(&out, '\0');
    assert_string_equal(out.at, text);
    assert_string_equal(how.charset, charset);
    assert_int_equal(how.strays, strays);
    buf_clear(&out);
}

static void valid_utf8_stays_whatever_is_declared(void **state)
{
    (void)state;
    expect_decoded(VIEW("caf\xc3\xa9"), "iso-8859-1", "caf\xc3\xa9", "UTF-8", 0);
    assert_true(charset_is_plain(VIEW("caf\xc3\xa9"), VIEW("iso-8859-1")));
    assert_false(charset_is_plain(VIEW("caf\xe9"), VIEW("")));
}

static void byte_order_marks_decide_and_go(void **state)
{
    (void)state;
    expect_decoded(VIEW("\xef\xbb\xbf"
                        "a"),
                   "", "a", "UTF-8", 0);
    expect_decoded(VIEW("\xff\xfe"
                        "a\0\xac\x20\x3d\xd8\x00\xde"),
                   "utf-8", "a\xe2\x82\xac\xf0\x9f\x98\x80", "UTF-16LE", 0);
    expect_decoded(VIEW("\xfe\xff\0a\x20\xac"), "", "a\xe2\x82\xac", "UTF-16BE", 0);
}

static void utf16_is_known_by_its_zeros(void **state)
{
    (void)state;
    expect_decoded(VIEW("h\0e\0l\0l\0o\0 \0y\0o\0u\0"), "", "hello you", "UTF-16LE", 0);
    expect_decoded(VIEW("\0h\0e\0l\0l\0o\0 \0y\0o\0u"), "", "hello you", "UTF-16BE", 0);
}

static void half_a_surrogate_pair_is_no_character(void **state)
{
    (void)state;
    expect_decoded(VIEW("\xff\xfe\x3d\xd8"
                        "a\0\x00\xde"),
                   "",
                   "\xef\xbf\xbd"
                   "a\xef\xbf\xbd",
                   "UTF-16LE", 2);
}

static void what_is_not_utf8_and_declares_nothing_is_windows_1252(void **state)
{
    (void)state;
    expect_decoded(VIEW("\x93"
                        "caf\xe9\x94 \x80"),
                   "",
                   "\xe2\x80\x9c"
                   "caf\xc3\xa9\xe2\x80\x9d \xe2\x82\xac",
                   "windows-1252", 0);
}

static void latin1_means_windows_1252(void **state)
{
    (void)state;
    assert_string_equal(charset_find(VIEW("latin1")), "windows-1252");
    assert_string_equal(charset_find(VIEW(" ISO-8859-1 ")), "windows-1252");
    assert_string_equal(charset_find(VIEW("us-ascii")), "windows-1252");
    assert_string_equal(charset_find(VIEW("GB2312")), "GB18030");
    assert_string_equal(charset_find(VIEW("Shift_JIS")), "CP932");
    assert_string_equal(charset_find(VIEW("utf-16")), "UTF-8");
    assert_null(charset_find(VIEW("klingon")));
    assert_null(charset_find(VIEW("")));
}

static void a_stray_byte_does_not_switch_the_whole_page(void **state)
{
    (void)state;
    expect_decoded(VIEW("Z\xc3\xbcrich \xc3\xb6\xc3\xa4 \xe2\x80\x93 \x92s"), "utf-8",
                   "Z\xc3\xbcrich \xc3\xb6\xc3\xa4 \xe2\x80\x93 \xe2\x80\x99s", "UTF-8", 1);
}

static void declared_charsets_are_decoded(void **state)
{
    (void)state;
    expect_decoded(VIEW("\xcf\xf0\xe8\xe2\xe5\xf2"), "windows-1251",
                   "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82", "windows-1251", 0);
    expect_decoded(VIEW("\x93\xfa\x96\x7b"), "shift_jis", "\xe6\x97\xa5\xe6\x9c\xac", "CP932", 0);
    expect_decoded(VIEW("\xc4\xe3\xba\xc3"), "gb2312", "\xe4\xbd\xa0\xe5\xa5\xbd", "GB18030", 0);
    expect_decoded(VIEW("\x1b$BF|K\\\x1b(B"), "iso-2022-jp", "\xe6\x97\xa5\xe6\x9c\xac",
                   "ISO-2022-JP", 0);
}

static void a_false_declaration_loses_against_the_bytes(void **state)
{
    (void)state;
    expect_decoded(VIEW("\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xff"), "windows-1251",
                   "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82 \xc3\xbf", "UTF-8", 1);
}

static void what_a_declared_charset_cannot_read_is_replaced(void **state)
{
    (void)state;
    expect_decoded(VIEW("\x93\xfa\xff!"), "shift_jis", "\xe6\x97\xa5\xef\xbf\xbd!", "CP932", 1);
}

static void declarations_are_found_where_pages_put_them(void **state)
{
    (void)state;
    static const struct {
        const char *page, *label;
    } cases[] = {
        {"<meta charset=utf-8>", "utf-8"},
        {"<META CHARSET = 'Windows-1251' />", "Windows-1251"},
        {"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=euc-jp\">", "euc-jp"},
        {"<meta content='text/html;charset=big5' http-equiv=content-type>", "big5"},
        {"<?xml version=\"1.0\" encoding=\"iso-8859-2\"?><html>", "iso-8859-2"},
        {"<meta name=charset content=x><meta charset=\"gbk\">", "gbk"},
        {"<p>charset=utf-8", ""},
        {"<meta charset", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct view found = charset_declared(view_of(cases[i].page));
        char label[64] = "";
        memcpy(label, found.at, found.len);
        assert_string_equal(label, cases[i].label);
    }
}

static void a_declaration_behind_four_kilobytes_does_not_count(void **state)
{
    (void)state;
    char page[5000];
    memset(page, ' ', sizeof page);
    memcpy(page + 4200, "<meta charset=gbk>", 18);
    assert_int_equal(charset_declared((struct view){page, sizeof page}).len, 0);
}

static void every_single_byte_becomes_valid_utf8(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        char one = (char)byte;
        struct buf out;
        struct decoding how;
        buf_init(&out, 64);
        assert_int_equal(charset_decode((struct view){&one, 1}, VIEW(""), &out, &how), OK);
        assert_int_equal(utf8_invalid_at(buf_view(&out)), out.len);
        assert_int_equal(utf8_length(buf_view(&out)), 1);
        buf_clear(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_utf8_stays_whatever_is_declared),
        cmocka_unit_test(byte_order_marks_decide_and_go),
        cmocka_unit_test(utf16_is_known_by_its_zeros),
        cmocka_unit_test(half_a_surrogate_pair_is_no_character),
        cmocka_unit_test(what_is_not_utf8_and_declares_nothing_is_windows_1252),
        cmocka_unit_test(latin1_means_windows_1252),
        cmocka_unit_test(a_stray_byte_does_not_switch_the_whole_page),
        cmocka_unit_test(declared_charsets_are_decoded),
        cmocka_unit_test(a_false_declaration_loses_against_the_bytes),
        cmocka_unit_test(what_a_declared_charset_cannot_read_is_replaced),
        cmocka_unit_test(declarations_are_found_where_pages_put_them),
        cmocka_unit_test(a_declaration_behind_four_kilobytes_does_not_count),
        cmocka_unit_test(every_single_byte_becomes_valid_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
