#include "services/summary/choose.h"
#include "services/summary/faults.h"
#include "services/summary/summary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// A text read as far as its faults.
struct read {
    struct lists lists;
    struct arena arena;
    struct article article;
    struct story story;
};

static void read_text(struct read *read, struct view text)
{
    struct error why = {""};
    assert_int_equal(lists_open(&read->lists, DATA_FOLDER, &why), OK);
    arena_init(&read->arena, 64 << 20);
    article_init(&read->article, &read->arena);
    read->article.has_text = true;
    read->article.text = text;
    article_segment(&read->article);
    assert_true(story_read(&read->story, &read->article, &read->lists));
    faults_mark(&read->story);
}

static void read_clear(struct read *read)
{
    arena_clear(&read->arena);
    lists_close(&read->lists);
}

static enum fault fault_of(struct view text)
{
    struct read read;
    read_text(&read, text);
    enum fault fault = read.story.sentences[0].fault;
    read_clear(&read);
    return fault;
}

static void every_fault_is_found(void **state)
{
    (void)state;
    assert_int_equal(fault_of(VIEW("The bridge opened to traffic on Tuesday.")), FAULT_NONE);
    assert_int_equal(fault_of(VIEW("It opened on Tuesday.")), FAULT_SHORT);
    assert_int_equal(fault_of(VIEW("By Jane Roe And John Doe In London.")), FAULT_NO_PROSE);
    assert_int_equal(fault_of(VIEW("The bridge opened to traffic on Tuesday")), FAULT_NO_END);
    assert_int_equal(fault_of(VIEW("Jane Roe contributed to this report.")), FAULT_BOILERPLATE);
    assert_int_equal(fault_of(VIEW("\"The bridge opened to traffic on Tuesday.")),
                     FAULT_OPEN_QUOTE);
}

static void the_first_person_is_a_fault_beside_other_sentences_only(void **state)
{
    (void)state;
    assert_int_equal(fault_of(VIEW("Then I saw the bridge open on Tuesday.\nThe mayor of the city "
                                   "came too.")),
                     FAULT_FIRST_PERSON);
    assert_int_equal(fault_of(VIEW("Then I saw the bridge open on Tuesday.")), FAULT_NONE);
}

static void the_united_states_are_no_first_person(void **state)
{
    (void)state;
    assert_int_equal(fault_of(VIEW("Some 5,000 US troops are in the country now.")), FAULT_NONE);
}

static void the_first_person_may_be_quoted(void **state)
{
    (void)state;
    assert_int_equal(fault_of(VIEW("\"I saw the bridge open on Tuesday,\" Roe said.")), FAULT_NONE);
    assert_int_equal(fault_of(VIEW("Roe said: 'I saw the bridge open on Tuesday.'")), FAULT_NONE);
}

static void places_count_usable_sentences_only(void **state)
{
    (void)state;
    struct read read;
    read_text(&read,
              VIEW("Bridge opens\nThe bridge opened to traffic on Tuesday.\nIt cost the city "
                   "340 million dollars."));
    assert_int_equal(read.story.count, 3);
    assert_int_equal(read.story.usable, 2);
    assert_int_equal(read.story.sentences[1].place, 0);
    assert_int_equal(read.story.sentences[2].place, 1);
    assert_true(read.story.sentences[2].dangling);
    read_clear(&read);
}

static void equal_sentences_have_likeness_one(void **state)
{
    (void)state;
    struct read read;
    read_text(&read, VIEW("The bridges opened in Northport.\nA bridge opens in Northport.\nNothing "
                          "else was said by anybody."));
    assert_true(story_likeness(&read.story, 0, 1) > 0.999);
    assert_true(story_likeness(&read.story, 0, 1) < 1.001);
    assert_true(story_likeness(&read.story, 0, 2) < 0.001);
    read_clear(&read);
}

static void a_long_text_is_read_as_far_as_the_limit(void **state)
{
    (void)state;
    static char text[40 * (SENTENCE_LIMIT + 50)];
    struct read read;
    size_t len = 0;
    for (int i = 0; i < SENTENCE_LIMIT + 50; i++) {
        memcpy(text + len, "The bridge opened to traffic today.\n", 36);
        len += 36;
    }
    read_text(&read, (struct view){text, len});
    assert_int_equal(read.story.count, SENTENCE_LIMIT);
    assert_int_equal(read.story.usable, SENTENCE_LIMIT);
    read_clear(&read);
}

static void logarithms_meet_at_powers_of_two(void **state)
{
    (void)state;
    assert_true(story_log2(0) == 0);
    assert_true(story_log2(1) == 1);
    assert_true(story_log2(7) == 3);
    assert_true(story_log2(2) == 1.5);
}

static void every_feature_has_a_weight(void **state)
{
    (void)state;
    struct lists lists;
    struct sentence_weights sentence_weights;
    struct summary_weights summary_weights;
    struct error why = {""};
    assert_int_equal(lists_open(&lists, DATA_FOLDER, &why), OK);
    assert_int_equal(rate_load(&sentence_weights, &lists, "sentence", &why), OK);
    assert_int_equal(choose_load(&summary_weights, &lists, &why), OK);
    double value;
    assert_int_equal(lists_weight(&lists, "sentence.no_such", &value, &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "sentence.no_such"));
    lists_close(&lists);
}

static void missing_tables_are_named(void **state)
{
    (void)state;
    struct model *model = NULL;
    struct error why = {""};
    assert_int_equal(summary_stage.load(&model, "/no/such/folder", &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "/no/such/folder"));
    assert_null(model);
}

static void explain_tells_choice_and_refusal(void **state)
{
    (void)state;
    struct model *model = NULL;
    struct error why = {""};
    struct arena arena;
    struct article article;
    struct notes notes;
    struct explain explain;
    assert_int_equal(summary_stage.load(&model, DATA_FOLDER, &why), OK);
    arena_init(&arena, 64 << 20);
    article_init(&article, &arena);
    notes_init(&notes, 1 << 20);
    explain_init(&explain);
    article.has_text = true;
    article.text = VIEW("Read more here\nThe bridge opened to traffic on Tuesday.");
    utf8_index_init(&article.index, &arena, article.text);
    article_segment(&article);
    notes_begin(&notes, &article.index);
    assert_int_equal(summary_stage.run(model, &article, &notes, &explain), OK);
    struct view lines = buf_view(&explain.lines);
    assert_true(view_find(lines, VIEW("summary: unusable: 'Read more here'"), 0) < lines.len);
    assert_true(view_find(lines, VIEW("summary: chosen: 'The bridge"), 0) < lines.len);
    assert_true(view_find(lines, VIEW("rank 1 of 1"), 0) < lines.len);
    explain_clear(&explain);
    notes_clear(&notes);
    arena_clear(&arena);
    summary_stage.unload(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fault_is_found),
        cmocka_unit_test(the_first_person_is_a_fault_beside_other_sentences_only),
        cmocka_unit_test(the_united_states_are_no_first_person),
        cmocka_unit_test(the_first_person_may_be_quoted),
        cmocka_unit_test(places_count_usable_sentences_only),
        cmocka_unit_test(equal_sentences_have_likeness_one),
        cmocka_unit_test(a_long_text_is_read_as_far_as_the_limit),
        cmocka_unit_test(logarithms_meet_at_powers_of_two),
        cmocka_unit_test(every_feature_has_a_weight),
        cmocka_unit_test(missing_tables_are_named),
        cmocka_unit_test(explain_tells_choice_and_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
