#include "common/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

struct sheet {
    struct arena arena;
    struct json_facts facts;
    struct error why;
};

static int set_up(void **state)
{
    struct sheet *sheet = calloc(1, sizeof *sheet);
    if (!sheet) {
        return -1;
    }
    arena_init(&sheet->arena, 1 << 26);
    *state = sheet;
    return 0;
}

static int tear_down(void **state)
{
    struct sheet *sheet = *state;
    arena_clear(&sheet->arena);
    free(sheet);
    return 0;
}

static enum status check(struct sheet *sheet, struct view json)
{
    sheet->why.text[0] = '\0';
    return json_check(json, &sheet->arena, &sheet->facts, &sheet->why);
}

static void expect_error(struct sheet *sheet, struct view json, const char *sentence)
{
    assert_int_equal(check(sheet, json), ERR_FORMAT);
    assert_string_equal(sheet->why.text, sentence);
}

static void every_kind_of_value_passes(void **state)
{
    assert_int_equal(
        check(*state, VIEW(" {\"a\":[1,-2.5e+3,true,false,null,{}],\"b\":\"\\u00e9\\n\"}\r\n")),
        OK);
    assert_int_equal(check(*state, VIEW("{}")), OK);
}

static void mistakes_are_named_with_their_place(void **state)
{
    expect_error(*state, VIEW(""), "1:1: expected one JSON object: '{', but the JSON ends here");
    expect_error(*state, VIEW("[1]"), "1:1: expected one JSON object: '{', found '['");
    expect_error(*state, VIEW("{\"a\":1 \"b\":2}"),
                 "1:8: expected ',' or '}' after the value, found '\"'");
    expect_error(*state, VIEW("{\"a\" 1}"), "1:6: expected ':' after the name, found '1'");
    expect_error(*state, VIEW("{\"a\":[1 2]}"),
                 "1:9: expected ',' or ']' after the value, found '2'");
    expect_error(*state, VIEW("{\"a\":1} {}"),
                 "1:9: expected nothing behind the JSON object, found '{'");
    expect_error(*state, VIEW("{\n\"\xc3\xa9\": x}"), "2:6: expected a value, found 'x'");
    expect_error(*state, VIEW("{\"a\":\"b"), "1:6: the string that begins here is not closed");
    expect_error(*state, VIEW("{\"a\":1"),
                 "1:7: expected ',' or '}' after the value, but the JSON ends here");
}

static void habits_of_other_languages_get_advice(void **state)
{
    expect_error(*state, VIEW("{'a':1}"),
                 "1:2: expected a name in quotes or '}', found ''' (JSON quotes with \")");
    expect_error(*state, VIEW("{\"a\":True}"),
                 "1:6: expected a value, found 'T' (JSON writes true and false)");
    expect_error(*state, VIEW("{\"a\":NaN}"),
                 "1:6: expected a value, found 'N' (JSON writes null, and knows no NaN or None)");
    expect_error(*state, VIEW("{\"a\":1,}"),
                 "1:8: expected a name in quotes, found '}' (is there a "
                 "comma too many before it?)");
    expect_error(*state, VIEW("{\"zip\":01067}"),
                 "1:8: a number cannot begin with a zero; is it text that needs quotes?");
}

static void bytes_that_are_not_utf8_are_refused(void **state)
{
    expect_error(*state, VIEW("{\"a\":\"caf\xe9\"}"), "1:10: not UTF-8 (byte 0xe9)");
}

static void nesting_ends_at_its_limit(void **state)
{
    char json[2 * JSON_DEPTH_LIMIT + 16] = "{\"a\":";
    size_t len = 5;
    for (int i = 0; i < JSON_DEPTH_LIMIT - 1; i++) {
        json[len++] = '[';
    }
    for (int i = 0; i < JSON_DEPTH_LIMIT - 1; i++) {
        json[len++] = ']';
    }
    json[len++] = '}';
    assert_int_equal(check(*state, (struct view){json, len}), OK);
    memmove(json + 6, json + 5, len - 5);
    json[5] = '[';
    assert_int_equal(check(*state, (struct view){json, len + 1}), ERR_LIMIT);
}

static void values_are_counted_against_their_limit(void **state)
{
    struct sheet *sheet = *state;
    size_t size = 2 * (size_t)JSON_VALUE_LIMIT + 16;
    char *json = arena_alloc(&sheet->arena, size);
    size_t len = 0;
    memcpy(json, "{\"a\":[", 6);
    for (len = 6; len + 4 < size; len += 2) {
        json[len] = '1';
        json[len + 1] = ',';
    }
    assert_int_equal(check(sheet, (struct view){json, len}), ERR_LIMIT);
    assert_non_null(strstr(sheet->why.text, "more than 1048576 values"));
}

static void numbers_a_double_would_change_are_noted(void **state)
{
    struct sheet *sheet = *state;
    struct view json =
        VIEW("{\"a\":[1,9007199254740993,999999999999999],\"b\":{\"c\":0.10},\"d\":-0,\"e\":7}");
    assert_int_equal(check(sheet, json), OK);
    const struct json_numbers *numbers = &sheet->facts.numbers;
    assert_int_equal(numbers->len, 3);
    assert_int_equal(numbers->at[0].ordinal, 1);
    assert_true(view_equal(view_slice(json, numbers->at[0].at, numbers->at[0].at + 16),
                           VIEW("9007199254740993")));
    assert_int_equal(numbers->at[1].ordinal, 3);
    assert_int_equal(numbers->at[2].ordinal, 4);
}

static void escapes_without_a_character_are_noted(void **state)
{
    struct sheet *sheet = *state;
    assert_int_equal(
        check(sheet, VIEW("{\"a\":\"\\u0000 \\ud800 \\ud83d\\ude00 \\udc00\\ud83dx\"}")), OK);
    assert_int_equal(sheet->facts.unfit.len, 4);
}

static void members_of_the_outermost_object_have_places(void **state)
{
    struct sheet *sheet = *state;
    assert_int_equal(check(sheet, VIEW("{\"a\":{\"x\":[1,2]}, \"b\" : 2 }")), OK);
    const struct json_members *members = &sheet->facts.members;
    assert_int_equal(members->len, 2);
    assert_int_equal(members->at[0].name, 1);
    assert_int_equal(members->at[0].at, 5);
    assert_int_equal(members->at[0].end, 16);
    assert_int_equal(members->at[1].name, 18);
    assert_int_equal(members->at[1].at, 24);
    assert_int_equal(members->at[1].end, 25);
}

static void a_value_is_tight_when_a_printer_would_write_the_same(void **state)
{
    struct sheet *sheet = *state;
    static const struct {
        const char *json;
        bool tight;
    } values[] = {
        {"{ \"a\" : [1,{\"b\":\"c d\\n\\\"\\\\\"},true] }", true},
        {"{\"a\":[1, 2]}", false},
        {"{\"a\":{\"b\" :1}}", false},
        {"{\"a\":[1\n]}", false},
        {"{\"a\":\"\\u00e9\"}", false},
        {"{\"a\":\"1\\/2\"}", false},
        {"{\"a\":\"with a tab\t\"}", false},
        {"{\"a\":[\"longer than eight bytes \\/\"]}", false},
    };
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_int_equal(check(sheet, view_of(values[i].json)), OK);
        assert_int_equal(sheet->facts.members.at[0].tight, values[i].tight);
    }
}

static void plain_bytes_are_passed_over_wherever_a_special_one_stands(void **state)
{
    char text[40];
    (void)state;
    for (size_t at = 0; at < sizeof text; at++) {
        for (size_t i = 0; i < 4; i++) {
            memset(text, at % 2 ? '\xff' : ' ', sizeof text);
            text[at] = "\"\\\x1f\0"[i];
            assert_int_equal(json_skip_plain((struct view){text, sizeof text}, 0), at);
            assert_int_equal(json_skip_plain((struct view){text, sizeof text}, at / 2), at);
        }
    }
    memset(text, '!', sizeof text);
    assert_int_equal(json_skip_plain((struct view){text, sizeof text}, 3), sizeof text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_value_passes),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(habits_of_other_languages_get_advice),
        cmocka_unit_test(bytes_that_are_not_utf8_are_refused),
        cmocka_unit_test(nesting_ends_at_its_limit),
        cmocka_unit_test(values_are_counted_against_their_limit),
        cmocka_unit_test(numbers_a_double_would_change_are_noted),
        cmocka_unit_test(escapes_without_a_character_are_noted),
        cmocka_unit_test(members_of_the_outermost_object_have_places),
        cmocka_unit_test(a_value_is_tight_when_a_printer_would_write_the_same),
        cmocka_unit_test(plain_bytes_are_passed_over_wherever_a_special_one_stands),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
