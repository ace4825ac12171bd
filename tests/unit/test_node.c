#include "services/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void decodes_to(const char *text, struct view wanted)
{
    struct buf out;
    buf_init(&out, 1000);
    node_decode(view_of(text), &out);
    assert_int_equal(out.len, wanted.len);
    assert_memory_equal(out.at, wanted.at, wanted.len);
    buf_clear(&out);
}

static void escapes_become_what_they_stand_for(void **state)
{
    (void)state;
    decodes_to("plain", VIEW("plain"));
    decodes_to("a\\\"b\\\\c\\/d\\n\\t\\r\\b\\f", VIEW("a\"b\\c/d\n\t\r\b\f"));
    decodes_to("\\u0041\\u00e9\\u20AC", VIEW("A\xc3\xa9\xe2\x82\xac"));
    decodes_to("\\ud83d\\ude00!", VIEW("\xf0\x9f\x98\x80!"));
}

static void an_escape_that_stands_for_no_character_is_replaced(void **state)
{
    (void)state;
    decodes_to("\\u0000", VIEW("\xef\xbf\xbd"));
    decodes_to("\\ud83d.", VIEW("\xef\xbf\xbd."));
    decodes_to("\\ud83d\\u0041", VIEW("\xef\xbf\xbd"
                                      "A"));
    decodes_to("\\ude00", VIEW("\xef\xbf\xbd"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes_become_what_they_stand_for),
        cmocka_unit_test(an_escape_that_stands_for_no_character_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
