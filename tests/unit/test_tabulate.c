#include "services/tabulate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void expect(const char *json, const char *tables)
{
    struct buf out;
    struct error why = {""};
    buf_init(&out, 1 << 20);
    assert_int_equal(tabulate(view_of(json), &out, &why), OK);
    buf_add_char(&out, '\0');
    assert_string_equal(out.at, tables);
    buf_clear(&out);
}

static void scalars_and_objects_become_lines(void **state)
{
    (void)state;
    expect("{\"session\": \"1a\", \"articles\": {\"live\": 3, \"dead\": 0}, \"full\": true, \"x\": "
           "null}",
           "session   1a\n"
           "articles  live 3   dead 0\n"
           "full      yes\n"
           "x         -\n");
}

static void arrays_become_tables_with_numbers_to_the_right(void **state)
{
    (void)state;
    expect("{\"stages\": [{\"name\": \"clean\", \"ready\": {\"flash\": 1, \"urgent\": 0}, "
           "\"oldest_ms\": 1200},"
           "{\"name\": \"entities\", \"workers\": 12}], \"dead\": []}",
           "\nstages\n"
           "name      ready flash/urgent  oldest  workers\n"
           "clean                    1/0   1.2 s         \n"
           "entities                                   12\n"
           "\ndead\nnone\n");
}

static void units_follow_from_the_name(void **state)
{
    (void)state;
    expect("{\"a_ms\": 15, \"b_ms\": 150000, \"c_ms\": 36000000, \"bytes\": 1536, "
           "\"pending_bytes\": 12, "
           "\"at_ms\": 1597824030123}",
           "a              15 ms\n"
           "b              2 min\n"
           "c              10.0 h\n"
           "bytes          1.5 KiB\n"
           "pending_bytes  12 B\n"
           "at             2020-08-19T08:00:30Z\n");
}

static void a_long_text_is_printed_whole_at_the_end(void **state)
{
    (void)state;
    expect("{\"document\": \"0123456789012345678901234567890123456789012345678901234567890123456789"
           "012345678901234567890123456789 \\\"x\\\" \\n\\u001b[\", \"sent_at_ms\": 1597824030123}",
           "sent_at     2020-08-19T08:00:30Z\n"
           "\ndocument\n0123456789012345678901234567890123456789012345678901234567890123456789"
           "012345678901234567890123456789 \"x\" \n\\u001b[\n");
}

static void control_characters_do_not_reach_the_terminal(void **state)
{
    (void)state;
    expect("{\"name\": \"a\\u001b[31mb\"}", "name  a\\u001b[31mb\n");
}

static void what_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "[]", "{", "{\"a\": }", "{\"a\": 1}}"};
    struct buf out;
    struct error why;
    buf_init(&out, 1 << 20);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_not_equal(tabulate(view_of(bad[i]), &out, &why), OK);
    }
    buf_clear(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_and_objects_become_lines),
        cmocka_unit_test(arrays_become_tables_with_numbers_to_the_right),
        cmocka_unit_test(units_follow_from_the_name),
        cmocka_unit_test(a_long_text_is_printed_whole_at_the_end),
        cmocka_unit_test(control_characters_do_not_reach_the_terminal),
        cmocka_unit_test(what_is_no_object_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
