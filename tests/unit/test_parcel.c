#include "services/parcel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct desk {
    struct arena arena;
    struct article article;
    struct buf printed;
    struct client_article out;
    struct error why;
};

static uint64_t always_seven(void *user)
{
    (void)user;
    return 7;
}

static enum status make(struct desk *desk, const char *json, struct view default_id)
{
    const struct trace_random random = {always_seven, NULL};
    *desk = (struct desk){.why = {""}};
    arena_init(&desk->arena, (size_t)64 << 20);
    buf_init(&desk->printed, 1 << 20);
    article_init(&desk->article, &desk->arena);
    return parcel_make(&desk->out, &desk->article, view_of(json), default_id, random,
                       &desk->printed, &desk->why);
}

static void clear(struct desk *desk)
{
    article_clear(&desk->article);
    buf_clear(&desk->printed);
    arena_clear(&desk->arena);
}

static void the_envelope_says_what_the_document_says(void **state)
{
    (void)state;
    static const uint8_t trace[16] = {0x4b, 0xf9, 0x2f, 0x35, 0x77, 0xb3, 0x4d, 0xa6,
                                      0xa3, 0xce, 0x92, 0x9d, 0x0e, 0x0e, 0x47, 0x36};
    struct desk desk;
    const char *json =
        "{\"id\":\"s\",\"version\":3,\"text\":\"t\",\"urgency\":1,\"pubstatus\":\"withheld\","
        "\"embargoed_until\":\"2020-08-20T06:00:00Z\","
        "\"trace\":{\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\"}}";
    assert_int_equal(make(&desk, json, VIEW("")), OK);
    assert_true(view_equal(desk.out.id, VIEW("s")));
    assert_int_equal(desk.out.version, 3);
    assert_int_equal(desk.out.lane, WIRE_FLASH);
    assert_int_equal(desk.out.pubstatus, WIRE_WITHHELD);
    assert_true(desk.out.embargo_ms == 1597903200000);
    assert_memory_equal(desk.out.trace_id, trace, sizeof trace);
    assert_int_equal(desk.out.trace_flags, 1);
    assert_ptr_equal(desk.out.document.at, json); // as it came, not printed anew
    clear(&desk);
}

static void what_is_not_said_has_its_usual_value(void **state)
{
    (void)state;
    struct desk desk;
    assert_int_equal(make(&desk, "{\"id\":\"s\",\"text\":\"t\"}", VIEW("in:1")), OK);
    assert_int_equal(desk.out.version, 1);
    assert_int_equal(desk.out.lane, WIRE_ROUTINE);
    assert_int_equal(desk.out.pubstatus, WIRE_USABLE);
    assert_true(desk.out.embargo_ms == 0);
    assert_int_not_equal(desk.out.trace_id[0], 0); // a trace of its own
    clear(&desk);
}

static void a_document_without_an_id_goes_with_the_one_it_was_given(void **state)
{
    (void)state;
    struct desk desk;
    assert_int_equal(make(&desk, "{\"text\":\"t\"}", VIEW("in.ndjson:7")), OK);
    assert_true(view_equal(desk.out.id, VIEW("in.ndjson:7")));
    assert_true(view_find(desk.out.document, VIEW("\"id\":\"in.ndjson:7\""), 0) <
                desk.out.document.len);
    clear(&desk);
    assert_int_equal(make(&desk, "{\"text\":\"t\"}", VIEW("")), ERR_FORMAT);
    clear(&desk);
}

static void a_kill_needs_no_text(void **state)
{
    (void)state;
    struct desk desk;
    assert_int_equal(make(&desk, "{\"id\":\"s\",\"pubstatus\":\"canceled\"}", VIEW("")), OK);
    assert_int_equal(desk.out.pubstatus, WIRE_CANCELED);
    clear(&desk);
}

static void what_the_broker_must_act_on_is_not_guessed(void **state)
{
    (void)state;
    struct desk desk;
    assert_int_equal(
        make(&desk, "{\"id\":\"s\",\"text\":\"t\",\"embargoed_until\":\"soon\"}", VIEW("")),
        ERR_FORMAT);
    assert_non_null(strstr(desk.why.text, "'embargoed_until' is 'soon'"));
    clear(&desk);
    assert_int_equal(
        make(&desk, "{\"id\":\"s\",\"text\":\"t\",\"pubstatus\":\"cancelled\"}", VIEW("")),
        ERR_FORMAT);
    clear(&desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_envelope_says_what_the_document_says),
        cmocka_unit_test(what_is_not_said_has_its_usual_value),
        cmocka_unit_test(a_document_without_an_id_goes_with_the_one_it_was_given),
        cmocka_unit_test(a_kill_needs_no_text),
        cmocka_unit_test(what_the_broker_must_act_on_is_not_guessed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
