#include "common/segment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// A text cut in an arena of its own.
struct cut {
    struct arena arena;
    struct segments segments;
    struct view text;
};

static void cut_text(struct cut *cut, struct view text)
{
    arena_init(&cut->arena, 1 << 20);
    cut->segments = (struct segments){0};
    cut->text = text;
    segment_text(&cut->segments, &cut->arena, text);
}

static void assert_token(const struct cut *cut, size_t i, const char *expected)
{
    assert_true(i < cut->segments.tokens.len);
    struct view token = view_at(cut->text, cut->segments.tokens.at[i].span);
    assert_int_equal(token.len, strlen(expected));
    assert_memory_equal(token.at, expected, token.len);
}

static void a_possessive_is_a_token_of_its_own(void **state)
{
    (void)state;
    struct cut cut;
    cut_text(&cut, VIEW("Iraq\xe2\x80\x99s O'Neill don't"));
    assert_int_equal(cut.segments.tokens.len, 4);
    assert_token(&cut, 0, "Iraq");
    assert_token(&cut, 1, "\xe2\x80\x99s");
    assert_token(&cut, 2, "O'Neill");
    assert_token(&cut, 3, "don't");
    arena_clear(&cut.arena);
}

static void initialisms_titles_and_numbers_keep_their_marks(void **state)
{
    (void)state;
    struct cut cut;
    cut_text(&cut, VIEW("U.S. Mr. 5,000 3.5 1st 6 a.m. Dec. 5"));
    const char *const expected[] = {"U.S.", "Mr.", "5,000", "3.5", "1st", "6", "a.m.", "Dec.", "5"};
    assert_int_equal(cut.segments.tokens.len, 9);
    for (size_t i = 0; i < 9; i++) {
        assert_token(&cut, i, expected[i]);
    }
    assert_int_equal(cut.segments.tokens.at[0].letters, CASE_UPPER);
    assert_int_equal(cut.segments.tokens.at[1].letters, CASE_CAPITAL);
    assert_int_equal(cut.segments.tokens.at[4].kind, TOKEN_NUMBER);
    arena_clear(&cut.arena);
}

static void hyphens_and_slashes_split_words(void **state)
{
    (void)state;
    struct cut cut;
    cut_text(&cut, VIEW("U.S.-led and/or"));
    assert_int_equal(cut.segments.tokens.len, 6);
    assert_token(&cut, 1, "-");
    assert_token(&cut, 4, "/");
    assert_false(cut.segments.tokens.at[1].space_before);
    arena_clear(&cut.arena);
}

static void an_emoji_with_its_modifiers_is_one_symbol(void **state)
{
    (void)state;
    struct cut cut;
    cut_text(&cut, VIEW("ok \xf0\x9f\x91\x8d\xf0\x9f\x8f\xbd."));
    assert_int_equal(cut.segments.tokens.len, 3);
    assert_int_equal(cut.segments.tokens.at[1].kind, TOKEN_SYMBOL);
    arena_clear(&cut.arena);
}

static void first_tokens_mark_where_sentences_begin(void **state)
{
    (void)state;
    struct cut cut;
    cut_text(&cut, VIEW("One two.\n\nThree four. Five."));
    assert_int_equal(cut.segments.sentences.len, 3);
    assert_int_equal(cut.segments.paragraphs.len, 2);
    struct span second = segment_tokens(&cut.segments, 1);
    assert_int_equal(second.start, 3);
    assert_int_equal(second.end, 6);
    assert_true(cut.segments.tokens.at[3].starts_sentence);
    assert_int_equal(segment_tokens(&cut.segments, 2).end, cut.segments.tokens.len);
    arena_clear(&cut.arena);
}

static void an_empty_text_has_no_sentences(void **state)
{
    (void)state;
    struct cut cut;
    cut_text(&cut, VIEW(" \n\t\n"));
    assert_true(cut.segments.made);
    assert_int_equal(cut.segments.sentences.len, 0);
    assert_int_equal(cut.segments.first_token[0], 0);
    arena_clear(&cut.arena);
}

static void a_full_arena_leaves_whole_sentences(void **state)
{
    (void)state;
    static char text[1 << 16];
    struct cut cut;
    memset(text, 'a', sizeof text);
    for (size_t i = 1; i < sizeof text; i += 2) {
        text[i] = ' ';
    }
    arena_init(&cut.arena, 1 << 10);
    cut.segments = (struct segments){0};
    segment_text(&cut.segments, &cut.arena, (struct view){text, sizeof text});
    assert_true(arena_is_full(&cut.arena));
    assert_true(cut.segments.sentences.len == 0 || cut.segments.first_token);
    arena_clear(&cut.arena);
}

// Words are skipped eight bytes a step; every length and every byte behind must come out the same.
static void words_of_any_length_end_at_the_first_byte_that_is_no_letter(void **state)
{
    (void)state;
    static const char behind[] = " ,-/:;@[`{~_|+=<>$%&*#^\\!?)(";
    for (size_t len = 1; len < 40; len++) {
        for (size_t b = 0; b < sizeof behind - 1; b++) {
            char text[64];
            struct cut cut;
            memset(text, b % 2 ? 'a' : 'z', len);
            memcpy(text + len, behind + b, 1);
            memcpy(text + len + 1, "tail of it", 10);
            cut_text(&cut, (struct view){text, len + 11});
            assert_int_equal(cut.segments.tokens.at[0].span.end, len);
            assert_int_equal(cut.segments.tokens.at[0].letters, CASE_LOWER);
            arena_clear(&cut.arena);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_possessive_is_a_token_of_its_own),
        cmocka_unit_test(initialisms_titles_and_numbers_keep_their_marks),
        cmocka_unit_test(hyphens_and_slashes_split_words),
        cmocka_unit_test(an_emoji_with_its_modifiers_is_one_symbol),
        cmocka_unit_test(words_of_any_length_end_at_the_first_byte_that_is_no_letter),
        cmocka_unit_test(first_tokens_mark_where_sentences_begin),
        cmocka_unit_test(an_empty_text_has_no_sentences),
        cmocka_unit_test(a_full_arena_leaves_whole_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
