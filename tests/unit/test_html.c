// The parser: trees as people expect them, and hostile pages in bounded time.
#include "services/clean/html.h"

#include "common/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ROOM = 4096, HOSTILE_MS = 1000 };

struct bench {
    struct arena arena;
    struct html html;
};

static int setup(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);
    if (bench) {
        arena_init(&bench->arena, (size_t)512 << 20);
    }
    *state = bench;
    return bench ? 0 : -1;
}

static int teardown(void **state)
{
    struct bench *bench = *state;
    arena_clear(&bench->arena);
    free(bench);
    return 0;
}

// The tree in one line: p(one b(two) three).
static void print_tree(const struct html *html, char *out)
{
    uint32_t ends[HTML_DEPTH_LIMIT + 2];
    size_t depth = 0, len = 0;
    out[0] = '\0';
    for (uint32_t i = 1; i < html->nodes.len; i++) {
        const struct html_node *node = &html->nodes.at[i];
        while (depth > 0 && i >= ends[depth - 1]) {
            len += (size_t)snprintf(out + len, ROOM - len, ")");
            depth--;
        }
        const char *gap = len > 0 && out[len - 1] != '(' ? " " : "";
        if (node->tag == TAG_text) {
            len += (size_t)snprintf(out + len, ROOM - len, "%s%.*s", gap, VIEW_ARGS(node->text));
        } else if (node->end == i + 1) {
            len += (size_t)snprintf(out + len, ROOM - len, "%s%s", gap,
                                    html_tag_name((enum html_tag)node->tag));
        } else {
            len += (size_t)snprintf(out + len, ROOM - len, "%s%s(", gap,
                                    html_tag_name((enum html_tag)node->tag));
            ends[depth++] = node->end;
        }
    }
    while (depth-- > 0) {
        len += (size_t)snprintf(out + len, ROOM - len, ")");
    }
}

static void expect_tree(void **state, const char *page, const char *tree)
{
    struct bench *bench = *state;
    char actual[ROOM];
    arena_reset(&bench->arena);
    html_parse(&bench->html, &bench->arena, view_of(page), NULL);
    print_tree(&bench->html, actual);
    assert_string_equal(actual, tree);
}

static void a_block_closes_an_open_paragraph(void **state)
{
    expect_tree(state, "<p>one<p>two<div>three</div>", "p(one) p(two) div(three)");
}

static void list_items_close_each_other_but_not_across_lists(void **state)
{
    expect_tree(state, "<ul><li>a<ul><li>b</ul><li>c</ul>", "ul(li(a ul(li(b))) li(c))");
}

static void cells_and_rows_need_no_end_tags(void **state)
{
    expect_tree(state, "<table><tr><td>a<td>b<tr><td>c</table>d",
                "table(tr(td(a) td(b)) tr(td(c))) d");
}

static void an_end_tag_without_a_start_is_nothing(void **state)
{
    expect_tree(state, "a</div></span>b", "a b");
}

static void scripts_and_styles_are_not_parsed(void **state)
{
    expect_tree(state, "<script>if (a<b) '</p>'</script><p>x", "script(if (a<b) '</p>') p(x)");
}

static void comments_and_doctypes_vanish(void **state)
{
    expect_tree(state, "<!doctype html>a<!-- <p> -->b<!-->c", "a b c");
}

static void a_lone_less_than_sign_is_text(void **state)
{
    expect_tree(state, "<p>1 < 2 <3", "p(1 < 2 <3)");
}

static void an_unclosed_comment_takes_the_rest(void **state)
{
    expect_tree(state, "a<!-- b <p>c", "a");
}

static void entities_are_decoded_with_and_without_table(void **state)
{
    expect_tree(state, "<p>a &amp; b &lt;c&gt; &#8217;&#x41;&#150; &unknown;",
                "p(a & b <c> \xe2\x80\x99"
                "A\xe2\x80\x93 &unknown;)");
}

static void a_link_ends_at_its_end_tag_even_across_blocks(void **state)
{
    struct bench *bench = *state;
    html_parse(&bench->html, &bench->arena, VIEW("<a href=x><div>in</a>out</div>"), NULL);
    for (size_t i = 0; i < bench->html.nodes.len; i++) {
        const struct html_node *node = &bench->html.nodes.at[i];
        if (node->tag == TAG_text) {
            assert_int_equal(node->in_link, view_equal(node->text, VIEW("in")));
        }
    }
}

static void the_first_value_of_an_attribute_counts(void **state)
{
    struct bench *bench = *state;
    html_parse(&bench->html, &bench->arena, VIEW("<p class='a &amp; b' CLASS=c data-x=1 id=d>"),
               NULL);
    struct view class = html_attribute(&bench->html, 1, ATTR_CLASS);
    assert_true(view_equal(class, VIEW("a & b")));
    assert_true(view_equal(html_attribute(&bench->html, 1, ATTR_ID), VIEW("d")));
    assert_null(html_attribute(&bench->html, 1, ATTR_HREF).at);
}

// ---- Hostile pages

struct hostile {
    const char *start, *repeat, *end;
    size_t count;
};

static const struct hostile hostile_pages[] = {
    {"", "<div>", "text", 200000},
    {"", "<table>", "text", 20000},
    {"", "<table><tr><td>", "text", 60000},
    {"<p ", "a b=c ", ">text", 50000},
    {"<p ", "class=x ", ">text", 200000},
    {"<svg>", "<g>", "text", 200000},
    {"<math>", "<mi><svg>", "text", 100000},
    {"", "<font><i><b><u><s>", "<p>text", 20000},
    {"<font><i><b><u><s>", "<p>x", "text", 200000},
    {"", "<b><p></b>", "text", 100000},
    {"", "<a href=x>", "text", 100000},
    {"", "</div>", "text", 200000},
    {"<p><button>", "<span>", "text", 100000},
    {"", "<li><ul>", "text", 100000},
    {"", "<!--", "text", 200000},
    {"", "<script>", "text", 200000},
    {"", "&", "text", 500000},
    {"", "&ampampamp", "text", 200000},
    {"", "<", "text", 500000},
    {"", "<a \"", "text", 200000},
    {"<select>", "<option><optgroup>", "text", 100000},
};

static char *build(const struct hostile *page, size_t *len)
{
    size_t start = strlen(page->start), repeat = strlen(page->repeat), end = strlen(page->end);
    char *text = malloc(start + repeat * page->count + end + 1);
    assert_non_null(text);
    memcpy(text, page->start, start);
    for (size_t i = 0; i < page->count; i++) {
        memcpy(text + start + i * repeat, page->repeat, repeat);
    }
    memcpy(text + start + repeat * page->count, page->end, end + 1);
    *len = start + repeat * page->count + end;
    return text;
}

static void hostile_pages_take_bounded_time_and_depth(void **state)
{
    struct bench *bench = *state;
    for (size_t i = 0; i < sizeof hostile_pages / sizeof hostile_pages[0]; i++) {
        size_t len;
        char *page = build(&hostile_pages[i], &len);
        arena_reset(&bench->arena);
        int64_t start_us = clock_thread_cpu_us();
        html_parse(&bench->html, &bench->arena, (struct view){page, len}, NULL);
        int64_t ms = (clock_thread_cpu_us() - start_us) / 1000;
        if (ms >= HOSTILE_MS) {
            fail_msg("page %zu took %d ms", i, (int)ms);
        }
        for (size_t k = 0; k < bench->html.nodes.len; k++) {
            assert_true(bench->html.nodes.at[k].depth <= HTML_DEPTH_LIMIT);
            assert_true(k == 0 || bench->html.nodes.at[k].parent < k);
        }
        free(page);
    }
}

static void text_below_the_depth_limit_is_kept(void **state)
{
    struct bench *bench = *state;
    size_t len;
    char *page = build(&hostile_pages[0], &len);
    html_parse(&bench->html, &bench->arena, (struct view){page, len}, NULL);
    struct view last = bench->html.nodes.at[bench->html.nodes.len - 1].text;
    assert_true(view_equal(last, VIEW("text")));
    free(page);
}

static void a_small_arena_gives_a_shorter_tree(void **state)
{
    struct bench *bench = *state;
    struct arena small;
    arena_init(&small, 20000);
    size_t len;
    char *page = build(&(struct hostile){"", "<p>some text", "", 5000}, &len);
    html_parse(&bench->html, &small, (struct view){page, len}, NULL);
    assert_true(arena_is_full(&small));
    assert_true(bench->html.nodes.len > 0);
    arena_clear(&small);
    free(page);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_block_closes_an_open_paragraph),
        TEST(list_items_close_each_other_but_not_across_lists),
        TEST(cells_and_rows_need_no_end_tags),
        TEST(an_end_tag_without_a_start_is_nothing),
        TEST(scripts_and_styles_are_not_parsed),
        TEST(comments_and_doctypes_vanish),
        TEST(a_lone_less_than_sign_is_text),
        TEST(an_unclosed_comment_takes_the_rest),
        TEST(entities_are_decoded_with_and_without_table),
        TEST(a_link_ends_at_its_end_tag_even_across_blocks),
        TEST(the_first_value_of_an_attribute_counts),
        TEST(hostile_pages_take_bounded_time_and_depth),
        TEST(text_below_the_depth_limit_is_kept),
        TEST(a_small_arena_gives_a_shorter_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
