#include "services/input.h"

#include "common/buf.h"
#include "services/input_kind.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { SMALL_LIMIT = 64 };

// Reads `bytes` as the file NAME in a folder of its own and tells every event on a line of its own:
// "document LINE:COLUMN ID JSON", "note ...", "failure STATUS ...". The folder's path is left out.
static void read_as(const char *name, struct view bytes, size_t limit, struct buf *told)
{
    char folder[] = "/tmp/copydesk-input-XXXXXX";
    char path[64];
    struct input *input = NULL;
    struct input_event event;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(write(fd, bytes.at, bytes.len) == (ssize_t)bytes.len);
    close(fd);
    const char *files[] = {path};
    assert_int_equal(input_open(&input, files, 1, limit, NULL), OK);
    while (input_next(input, &event)) {
        const char *why = event.why.text;
        size_t cut = strncmp(why, path, strlen(folder) + 1) == 0 ? strlen(folder) + 1 : 0;
        switch (event.kind) {
        case INPUT_DOCUMENT:
            buf_printf(told, "document %zu:%zu %.*s %.*s\n", event.line, event.column,
                       VIEW_ARGS(event.default_id), VIEW_ARGS(event.json));
            break;
        case INPUT_NOTE:
            buf_printf(told, "note %s\n", why + cut);
            break;
        case INPUT_FAILURE:
            buf_printf(told, "failure %s %s\n", status_name(event.status), why + cut);
            break;
        }
    }
    input_close(input);
    unlink(path);
    rmdir(folder);
}

static void expect_limited(const char *name, struct view bytes, size_t limit, const char *events)
{
    struct buf told;
    buf_init(&told, 1 << 20);
    read_as(name, bytes, limit, &told);
    buf_add_char(&told, '\0');
    assert_string_equal(told.at, events);
    buf_clear(&told);
}

static void expect(const char *name, struct view bytes, const char *events)
{
    expect_limited(name, bytes, INPUT_LIMIT, events);
}

static void lines_are_documents(void **state)
{
    (void)state;
    expect("in", VIEW("{\"a\":1}\n\r\n  {\"b\":2}\r\n{\"c\":3}"),
           "document 1:1 in:1 {\"a\":1}\n"
           "document 3:3 in:3 {\"b\":2}\n"
           "document 4:1 in:4 {\"c\":3}\n");
}

static void a_broken_line_does_not_change_what_the_file_is(void **state)
{
    (void)state;
    expect("in", VIEW("{\"a\":\"1}\n{\"b\":2}\n"),
           "document 1:1 in:1 {\"a\":\"1}\n"
           "document 2:1 in:2 {\"b\":2}\n");
    expect("in", VIEW("oops\n{\"b\":2}\n"),
           "document 1:1 in:1 oops\n"
           "document 2:1 in:2 {\"b\":2}\n");
}

static void a_pretty_printed_document_is_one(void **state)
{
    (void)state;
    expect("a.json", VIEW("{\n \"a\": \"}\\\"{\",\n \"b\": [{}]\n}\n"),
           "document 1:1 a.json:1 {\n \"a\": \"}\\\"{\",\n \"b\": [{}]\n}\n"
           "note a.json: read 1 JSON document\n");
}

static void pretty_printed_documents_may_follow_each_other(void **state)
{
    (void)state;
    expect("a", VIEW("{\n\"a\":1\n}\n{\n\"b\":2\n}"),
           "document 1:1 a:1 {\n\"a\":1\n}\n"
           "document 4:1 a:4 {\n\"b\":2\n}\n");
}

static void an_array_is_its_documents(void **state)
{
    (void)state;
    expect("a", VIEW("[{\"a\":1},\n {\"b\":2}\n]\n"),
           "document 1:2 a:1 {\"a\":1}\n"
           "document 2:2 a:2 {\"b\":2}\n");
    expect("a", VIEW("[{\"a\":1}"),
           "document 1:2 a:1 {\"a\":1}\n"
           "failure format a: the array ends too early; read 1 JSON document\n");
    expect("a", VIEW("[{\"a\":1}, 5]"),
           "document 1:2 a:1 {\"a\":1}\n"
           "failure format a:1:11: expected '{', found '5'; the rest of the file is not read\n");
}

static void a_page_becomes_a_document(void **state)
{
    (void)state;
    expect("a.txt", VIEW("  <!DOCTYPE html><p>\"x\""),
           "document 0:0 a.txt {\"id\":\"a.txt\",\"content\":\"  <!DOCTYPE html><p>\\\"x\\\"\","
           "\"content_type\":\"text/html\"}\n");
}

static void a_text_becomes_a_document(void **state)
{
    (void)state;
    expect("a.html", VIEW("[Editor's note] Plain.\n"),
           "document 0:0 a.html {\"id\":\"a.html\",\"content\":\"[Editor's note] Plain.\\n\","
           "\"content_type\":\"text/plain\"}\n");
}

static void other_charsets_are_converted_and_said_once(void **state)
{
    (void)state;
    expect("in", VIEW("{\"a\":\"\xe9\"}\n{\"b\":\"\xe9\"}\n"),
           "note in: decoded as windows-1252 (not UTF-8 at byte 6)\n"
           "document 1:1 in:1 {\"a\":\"\xc3\xa9\"}\n"
           "document 2:1 in:2 {\"b\":\"\xc3\xa9\"}\n");
    expect("in", VIEW("\xff\xfe{\0\"\0a\0\"\0:\0001\0}\0\n\0"),
           "note in: decoded as UTF-16LE\n"
           "document 1:1 in:1 {\"a\":1}\n");
    expect("in", VIEW("\xef\xbb\xbf{\"a\":1}\n"), "document 1:1 in:1 {\"a\":1}\n");
}

static void what_is_not_read_is_refused_by_name(void **state)
{
    (void)state;
    expect("a.txt", VIEW("%PDF-1.7\n%\xe2\xe3"),
           "failure format a.txt looks like a PDF; read are NDJSON, JSON, HTML and plain text; "
           "convert "
           "it first: pdftotext FILE - | copydesk enrich\n");
    expect(
        "a.json", VIEW("\x1f\x8b\x08"),
        "failure format a.json looks like a gzip file; read are NDJSON, JSON, HTML and plain text; "
        "unpack it first: zcat FILE | copydesk enrich\n");
    expect(
        "a", VIEW("<?xml version='1.0'?>\n<!-- x -->\n<rss version='2.0'>"),
        "failure format a looks like an RSS feed; read are NDJSON, JSON, HTML and plain text; give "
        "the pages it links to\n");
    expect("a", VIEW("ab\0\1\2c\0\3d"),
           "failure format a looks like binary data; read are NDJSON, JSON, HTML and plain text; "
           "there "
           "is no text to read in it\n");
}

static void an_empty_file_is_said(void **state)
{
    (void)state;
    expect("a", VIEW(""), "note a is empty\n");
    expect("a", VIEW("\n \n"), "note a is empty\n");
}

static void a_line_over_the_limit_is_skipped_alone(void **state)
{
    (void)state;
    expect_limited(
        "in",
        VIEW("{\"a\":1}\n{\"b\":\"0123456789012345678901234567890123456789012345678901234567"
             "8901234567890\"}\n{\"c\":3}\n"),
        SMALL_LIMIT,
        "document 1:1 in:1 {\"a\":1}\n"
        "failure limit in:2: larger than 64 bytes; --limit SIZE allows more\n"
        "document 3:1 in:3 {\"c\":3}\n");
}

static void a_page_over_the_limit_is_refused(void **state)
{
    (void)state;
    expect_limited(
        "a", VIEW("<p>0123456789012345678901234567890123456789012345678901234567890123456789"),
        SMALL_LIMIT, "failure limit a:1: larger than 64 bytes; --limit SIZE allows more\n");
}

static void a_missing_file_is_one_failure_and_the_next_is_read(void **state)
{
    (void)state;
    const char *files[] = {"/nowhere/a", "/tmp"};
    struct input *input = NULL;
    struct input_event event;
    assert_int_equal(input_open(&input, files, 2, INPUT_LIMIT, NULL), OK);
    assert_true(input_next(input, &event));
    assert_int_equal(event.kind, INPUT_FAILURE);
    assert_int_equal(event.status, ERR_NOT_FOUND);
    assert_string_equal(event.why.text, "cannot open /nowhere/a: No such file or directory");
    assert_true(input_next(input, &event));
    assert_string_equal(event.why.text, "/tmp is a folder; name its files: /tmp/*");
    assert_false(input_next(input, &event));
    input_close(input);
}

static void places_of_errors_count_from_the_file(void **state)
{
    (void)state;
    struct input_event event = {.file = "in", .line = 17, .column = 3};
    struct error why = {"1:203: expected ','"};
    input_locate(&event, &why);
    assert_string_equal(why.text, "in:17:205: expected ','");
    why = (struct error){"2:5: expected ','"};
    input_locate(&event, &why);
    assert_string_equal(why.text, "in:18:5: expected ','");
    why = (struct error){"too large"};
    input_locate(&event, &why);
    assert_string_equal(why.text, "in:17: too large");
    event.line = 0;
    input_locate(&event, &why);
    assert_string_equal(why.text, "in: in:17: too large");
}

static void long_files_are_read_piece_by_piece(void **state)
{
    (void)state;
    enum { LINES = 20000 };
    struct buf bytes, told;
    buf_init(&bytes, 8 << 20);
    buf_init(&told, 8 << 20);
    for (int i = 0; i < LINES; i++) {
        buf_printf(
            &bytes, "{\"n\":%d,\"text\":\"%.*s\"}\n", i, i % 97,
            "a line of some length that differs from line to line so that pieces end anywhere "
            "in it and not always at the same place");
    }
    read_as("in", buf_view(&bytes), INPUT_LIMIT, &told);
    struct view rest = buf_view(&told);
    struct view line;
    int count = 0;
    while (view_next_line(&rest, &line)) {
        char begin[80];
        count++;
        snprintf(begin, sizeof begin, "document %d:1 in:%d {\"n\":%d,", count, count, count - 1);
        assert_true(view_starts(line, view_of(begin)));
        assert_true(view_ends(line, VIEW("\"}")));
    }
    assert_int_equal(count, LINES);
    buf_clear(&bytes);
    buf_clear(&told);
}

static void a_value_is_cut_the_same_however_it_arrives(void **state)
{
    (void)state;
    struct view json = VIEW("{\"a\":\"}\\\\\",\"b\":[\"\\\"{\",{}]} {\"next\":1}");
    struct json_cut whole = {0};
    assert_true(json_cut_value(&whole, json));
    for (size_t first = 1; first < whole.len; first++) {
        struct json_cut cut = {0};
        assert_false(json_cut_value(&cut, view_slice(json, 0, first)));
        assert_true(json_cut_value(&cut, json));
        assert_int_equal(cut.len, whole.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_documents),
        cmocka_unit_test(a_broken_line_does_not_change_what_the_file_is),
        cmocka_unit_test(a_pretty_printed_document_is_one),
        cmocka_unit_test(pretty_printed_documents_may_follow_each_other),
        cmocka_unit_test(an_array_is_its_documents),
        cmocka_unit_test(a_page_becomes_a_document),
        cmocka_unit_test(a_text_becomes_a_document),
        cmocka_unit_test(other_charsets_are_converted_and_said_once),
        cmocka_unit_test(what_is_not_read_is_refused_by_name),
        cmocka_unit_test(an_empty_file_is_said),
        cmocka_unit_test(a_line_over_the_limit_is_skipped_alone),
        cmocka_unit_test(a_page_over_the_limit_is_refused),
        cmocka_unit_test(a_missing_file_is_one_failure_and_the_next_is_read),
        cmocka_unit_test(places_of_errors_count_from_the_file),
        cmocka_unit_test(long_files_are_read_piece_by_piece),
        cmocka_unit_test(a_value_is_cut_the_same_however_it_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
