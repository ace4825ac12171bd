#include "common/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t count_up(void *user)
{
    return ++*(uint64_t *)user;
}

static void a_traceparent_is_read_and_written_back(void **state)
{
    (void)state;
    const char *header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    struct trace_context context;
    char out[TRACEPARENT_SIZE];
    assert_true(trace_parse(view_of(header), &context));
    assert_int_equal(context.trace_id[0], 0x4b);
    assert_int_equal(context.span_id[7], 0xb7);
    assert_int_equal(context.flags, 1);
    trace_format(&context, out);
    assert_string_equal(out, header);
}

static void what_is_no_traceparent_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
        "00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct trace_context context;
        if (trace_parse(view_of(wrong[i]), &context)) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
}

static void a_later_version_is_read_by_its_first_fields(void **state)
{
    (void)state;
    struct trace_context context;
    assert_true(trace_parse(
        VIEW("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later"),
        &context));
}

static void a_child_keeps_the_trace_and_gets_a_span_of_its_own(void **state)
{
    (void)state;
    uint64_t seed = 0;
    struct trace_random random = {count_up, &seed};
    struct trace_context parent = trace_start(random);
    struct trace_context child = trace_child(&parent, random);
    assert_memory_equal(parent.trace_id, child.trace_id, 16);
    assert_memory_not_equal(parent.span_id, child.span_id, 8);
    assert_int_equal(child.flags, 1);
}

static void ids_are_never_all_zeros(void **state)
{
    (void)state;
    uint64_t seed = UINT64_MAX; // the next three numbers are 0, 1, 2
    struct trace_random random = {count_up, &seed};
    struct trace_context context = trace_start(random);
    struct trace_context again;
    char text[TRACEPARENT_SIZE];
    trace_format(&context, text);
    assert_true(trace_parse(view_of(text), &again));
}

static void only_the_parts_asked_for_write_lines(void **state)
{
    (void)state;
    int files[2];
    char text[256] = "";
    struct tracer tracer;
    assert_int_equal(pipe(files), 0);
    assert_int_equal(trace_open(&tracer, " journal, ", NULL), OK);
    tracer.file = files[1];
    assert_true(trace_is_on(&tracer, TRACE_JOURNAL));
    assert_false(trace_is_on(&tracer, TRACE_WIRE));
    assert_false(trace_is_on(NULL, TRACE_WIRE));
    trace_line(&tracer, TRACE_WIRE, "not %d", 1);
    trace_line(&tracer, TRACE_JOURNAL, "took %s\n", "Thursday");
    assert_true(read(files[0], text, sizeof text - 1) > 0);
    assert_true(view_starts(view_of(text), VIEW("trace journal 0.")));
    assert_true(view_ends(view_of(text), VIEW(" took Thursday\\n\n")));
    close(files[0]);
    close(files[1]);
}

static void a_part_that_does_not_exist_is_named(void **state)
{
    (void)state;
    struct tracer tracer;
    struct error why = {""};
    assert_int_equal(trace_open(&tracer, "wire,quue", &why), ERR_USAGE);
    assert_non_null(strstr(why.text, "no part 'quue'; there are: all, wire, journal"));
    assert_int_equal(trace_open(&tracer, NULL, &why), OK);
    assert_int_equal(tracer.on, 0);
    assert_int_equal(trace_open(&tracer, "all", &why), OK);
    assert_true(trace_is_on(&tracer, TRACE_WIRE) && trace_is_on(&tracer, TRACE_JOURNAL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_traceparent_is_read_and_written_back),
        cmocka_unit_test(what_is_no_traceparent_is_refused),
        cmocka_unit_test(a_later_version_is_read_by_its_first_fields),
        cmocka_unit_test(a_child_keeps_the_trace_and_gets_a_span_of_its_own),
        cmocka_unit_test(ids_are_never_all_zeros),
        cmocka_unit_test(only_the_parts_asked_for_write_lines),
        cmocka_unit_test(a_part_that_does_not_exist_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
