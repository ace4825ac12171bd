#include "services/broker/graph.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <stdio.h>

#include <cmocka.h>

static void refuse(const char *text, const char *reason)
{
    struct graph graph;
    struct error why = {""};
    assert_int_equal(graph_parse(&graph, view_of(text), &why), ERR_CONFIG);
    if (!strstr(why.text, reason)) {
        fail_msg("expected '%s' in '%s'", reason, why.text);
    }
}

static void mistakes_are_named_with_their_line(void **state)
{
    (void)state;
    refuse("clean = article\n", "no sink");
    refuse("clean = article\nclean = article\nexport = *\n", "line 2: 'clean' is defined twice");
    refuse("summary = clean\nexport = *\n", "line 1: 'summary' needs 'clean'");
    refuse("clean article\n", "line 1: expected");
    refuse("clean =\nexport = *\n", "line 1: 'clean' needs nothing");
    refuse("export = *\nlate = export\n", "line 2: 'late' needs 'export', which is a sink");
    refuse(" = article\n", "line 1: a stage's name");
}

static void a_sink_needs_every_inner_stage(void **state)
{
    struct graph graph;
    (void)state;
    assert_int_equal(graph_parse(&graph,
                                 VIEW("# the usual\n\nclean = article\nexport = *\n"
                                      "dates = clean\n"),
                                 NULL),
                     OK);
    uint32_t clean = graph_bit(1), export = graph_bit(2), dates = graph_bit(3);
    assert_int_equal(graph.inner, clean | dates);
    assert_int_equal(graph.terminal, export);
    assert_int_equal(graph_ready(&graph, 0, 0), clean);
    assert_int_equal(graph_ready(&graph, 0, clean), 0);
    assert_int_equal(graph_ready(&graph, clean, 0), dates);
    assert_int_equal(graph_ready(&graph, clean | dates, 0), export);
}

static void names_and_numbers_agree(void **state)
{
    struct graph graph;
    char names[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("clean = article\nexport = *"), NULL), OK);
    assert_int_equal(graph_find(&graph, VIEW("clean")), 1);
    assert_int_equal(graph_find(&graph, VIEW("export")), 2);
    assert_int_equal(graph_find(&graph, VIEW("exp")), 0);
    assert_true(view_equal(graph_names(&graph, names), VIEW("clean export")));
}

static void there_is_room_for_32_stages_and_no_more(void **state)
{
    char text[2048] = "";
    struct graph graph;
    (void)state;
    for (int i = 0; i < WIRE_STAGE_LIMIT; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "s%d = *\n", i);
    }
    assert_int_equal(graph_parse(&graph, view_of(text), NULL), OK);
    size_t used = strlen(text);
    snprintf(text + used, sizeof text - used, "more = *\n");
    refuse(text, "at most 32");
}

static void reload(struct graph *graph, const char *text, enum status status)
{
    struct graph wanted;
    assert_int_equal(graph_parse(&wanted, view_of(text), NULL), OK);
    assert_int_equal(graph_reload(graph, &wanted, NULL), status);
}

static void stages_keep_their_numbers_when_the_pipeline_changes(void **state)
{
    struct graph graph;
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("clean = article\ndates = clean\nexport = *"), NULL),
                     OK);
    reload(&graph, "first = article\nclean = first\nexport = *\narchive = *", OK);
    uint32_t clean = graph_bit(1), dates = graph_bit(2), export = graph_bit(3),
             first = graph_bit(4), archive = graph_bit(5);
    assert_int_equal(graph.count, 5);
    assert_int_equal(graph.inner, clean | first);
    assert_int_equal(graph.terminal, export | archive);
    assert_false(graph_in_use(&graph, 2));
    assert_string_equal(graph_name_of(&graph, 2), "dates");
    assert_int_equal(graph_ready(&graph, 0, 0), first);
    assert_int_equal(graph_ready(&graph, first, 0), clean);
    assert_int_equal(graph_ready(&graph, first | clean | dates, 0), export | archive);
    reload(&graph, "clean = article\ndates = clean\nexport = *", OK);
    assert_int_equal(graph.count, 5);
    assert_int_equal(graph.inner, clean | dates);
    assert_int_equal(graph_ready(&graph, 0, 0), clean);
}

static void a_reload_that_cannot_be_changes_nothing(void **state)
{
    struct graph graph, before;
    char text[64];
    (void)state;
    assert_int_equal(graph_parse(&graph, VIEW("clean = article\nexport = *"), NULL), OK);
    before = graph;
    reload(&graph, "export = article\nsink = *", ERR_CONFIG);
    assert_memory_equal(&graph, &before, sizeof graph);
    for (int i = 0; i < WIRE_STAGE_LIMIT - 2; i++) { // each takes a number
        snprintf(text, sizeof text, "stage%d = article\nexport = *", i);
        reload(&graph, text, OK);
    }
    before = graph;
    reload(&graph, "another = article\nexport = *", ERR_CONFIG);
    assert_memory_equal(&graph, &before, sizeof graph);
}

static void a_stage_goes_along_when_all_it_needs_is_made_with_it(void **state)
{
    struct graph graph;
    char names[WIRE_STAGE_LIMIT * GRAPH_NAME_BYTES];
    (void)state;
    assert_int_equal(graph_parse(&graph,
                                 VIEW("clean = article\nother = article\nentities = clean\n"
                                      "mixed = clean other\nsummary = clean entities\n"
                                      "page = article entities\nexport = *"),
                                 NULL),
                     OK);
    uint32_t entities = graph_bit(3), summary = graph_bit(5), page = graph_bit(6);
    // not another stage of the document, which may run elsewhere; not a sink
    assert_int_equal(graph_along(&graph, 1, UINT32_MAX), entities | summary | page);
    assert_int_equal(graph_along(&graph, 1, summary), 0);
    assert_int_equal(graph_along(&graph, 1, entities | summary), entities | summary);
    // clean's section is at hand with entities, but made elsewhere; the document is not even at hand
    assert_int_equal(graph_along(&graph, 3, UINT32_MAX), 0);
    struct view list = graph_names_of(&graph, summary | entities, names);
    assert_true(view_equal(list, VIEW("entities summary")));
    assert_int_equal(graph_set(&graph, VIEW("summary nobody entities")), entities | summary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named_with_their_line),
        cmocka_unit_test(a_sink_needs_every_inner_stage),
        cmocka_unit_test(names_and_numbers_agree),
        cmocka_unit_test(there_is_room_for_32_stages_and_no_more),
        cmocka_unit_test(stages_keep_their_numbers_when_the_pipeline_changes),
        cmocka_unit_test(a_reload_that_cannot_be_changes_nothing),
        cmocka_unit_test(a_stage_goes_along_when_all_it_needs_is_made_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
