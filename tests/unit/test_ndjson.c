#include "services/export/ndjson.h"

#include "common/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char folder[64];
    struct ndjson *file;
};

static void open_file(struct place *place, uint64_t rotate_bytes)
{
    struct error why = {""};
    assert_int_equal(ndjson_open(&place->file, place->folder, rotate_bytes, &why), OK);
}

static void close_file(struct place *place)
{
    ndjson_close(place->file);
    place->file = NULL;
}

static bool add_run(struct place *place, const char *id, uint64_t version, uint64_t rerun)
{
    char line[128];
    bool added;
    snprintf(line, sizeof line, "{\"id\":\"%s\",\"version\":%llu,\"rerun\":%llu}", id,
             (unsigned long long)version, (unsigned long long)rerun);
    struct ndjson_article article = {view_of(id), version, rerun, view_of(line)};
    assert_int_equal(ndjson_add(place->file, &article, &added, NULL), OK);
    return added;
}

static bool add(struct place *place, const char *id, uint64_t version)
{
    return add_run(place, id, version, 0);
}

static void path_of(const struct place *place, const char *name, char out[128])
{
    snprintf(out, 128, "%s/%s", place->folder, name);
}

static size_t lines_in(const struct place *place, const char *name)
{
    char path[128];
    size_t lines = 0;
    int c;
    path_of(place, name, path);
    FILE *in = fopen(path, "r");
    if (!in) {
        return 0;
    }
    while ((c = getc(in)) != EOF) {
        lines += c == '\n';
    }
    fclose(in);
    return lines;
}

static void append_text(const struct place *place, const char *name, const char *text)
{
    char path[128];
    path_of(place, name, path);
    FILE *out = fopen(path, "a");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/copydesk-ndjson-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    *state = place;
    return 0;
}

static int clear_place(void **state)
{
    static const char *const names[] = {"current.ndjson", "lock", "articles-000001.ndjson",
                                        "articles-000002.ndjson", "articles-000003.ndjson"};
    struct place *place = *state;
    char path[128];
    fault_clear();
    close_file(place);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        path_of(place, names[i], path);
        unlink(path);
    }
    rmdir(place->folder);
    free(place);
    return 0;
}

static void an_id_and_version_is_written_once(void **state)
{
    struct place *place = *state;
    open_file(place, 1 << 20);
    assert_true(add(place, "a", 1));
    assert_false(add(place, "a", 1));
    assert_true(add(place, "a", 2));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_false(add(place, "a", 2));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_int_equal(lines_in(place, "current.ndjson"), 2);
}

static void what_is_there_is_known_after_a_restart(void **state)
{
    struct place *place = *state;
    open_file(place, 40); // rotates after two lines
    for (uint64_t version = 1; version <= 5; version++) {
        assert_true(add(place, "a", version));
        assert_int_equal(ndjson_flush(place->file, NULL), OK);
    }
    close_file(place);
    open_file(place, 40);
    assert_int_equal(ndjson_count(place->file), 5);
    for (uint64_t version = 1; version <= 5; version++) {
        assert_false(add(place, "a", version));
    }
    assert_int_equal(
        lines_in(place, "articles-000001.ndjson") + lines_in(place, "articles-000002.ndjson") +
            lines_in(place, "articles-000003.ndjson") + lines_in(place, "current.ndjson"),
        5);
}

static void half_a_line_is_cut_off_and_written_again(void **state)
{
    struct place *place = *state;
    open_file(place, 1 << 20);
    assert_true(add(place, "a", 1));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    close_file(place);
    append_text(place, "current.ndjson", "{\"id\":\"b\",\"vers");
    open_file(place, 1 << 20);
    assert_int_equal(ndjson_count(place->file), 1);
    assert_true(add(place, "b", 1));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_int_equal(lines_in(place, "current.ndjson"), 2);
}

static void lines_of_others_are_left_alone(void **state)
{
    struct place *place = *state;
    append_text(place, "current.ndjson", "not an article\n{\"id\":\"a\"}\n");
    open_file(place, 1 << 20);
    assert_int_equal(ndjson_count(place->file), 1);
    assert_false(add(place, "a", 1));
    assert_int_equal(lines_in(place, "current.ndjson"), 2);
}

static void what_could_not_be_written_may_be_added_again(void **state)
{
    struct place *place = *state;
    struct error why = {""};
    static const enum fault_point points[] = {FAULT_WRITE, FAULT_SYNC};
    open_file(place, 1 << 20);
    for (size_t i = 0; i < 2; i++) {
        char id[8];
        snprintf(id, sizeof id, "a%zu", i);
        assert_true(add(place, id, 1));
        fault_set(points[i], 1, false);
        assert_int_not_equal(ndjson_flush(place->file, &why), OK);
        assert_true(strlen(why.text) > 0);
        fault_clear();
        assert_int_equal(lines_in(place, "current.ndjson"), i);
        assert_true(add(place, id, 1));
        assert_int_equal(ndjson_flush(place->file, &why), OK);
        assert_int_equal(lines_in(place, "current.ndjson"), i + 1);
    }
}

static void a_rotation_that_fails_loses_nothing(void **state)
{
    struct place *place = *state;
    open_file(place, 1);
    fault_set(FAULT_RENAME, 1, false);
    assert_true(add(place, "a", 1));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_int_equal(lines_in(place, "current.ndjson"), 1);
    assert_true(add(place, "a", 2));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_int_equal(lines_in(place, "articles-000001.ndjson"), 2);
}

static void two_exports_do_not_share_a_folder(void **state)
{
    struct place *place = *state;
    struct ndjson *second = NULL;
    struct error why = {""};
    open_file(place, 1 << 20);
    assert_int_equal(ndjson_open(&second, place->folder, 1 << 20, &why), ERR_UNREACHABLE);
    assert_non_null(strstr(why.text, "--folder"));
}

static void an_article_is_one_line(void **state)
{
    struct place *place = *state;
    bool added;
    open_file(place, 1 << 20);
    assert_int_equal(ndjson_add(place->file,
                                &(struct ndjson_article){VIEW("a"), 1, 0, VIEW("{\n}")}, &added,
                                NULL),
                     ERR_FORMAT);
    assert_false(added);
    assert_int_equal(ndjson_count(place->file), 0);
}

static void a_later_run_takes_the_place_of_the_line_of_an_earlier_one(void **state)
{
    struct place *place = *state;
    open_file(place, 1); // each flush rotates
    assert_true(add(place, "a", 1));
    assert_true(add(place, "b", 1));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_true(add_run(place, "a", 1, 7));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_false(add_run(place, "a", 1, 7));
    assert_false(add_run(place, "a", 1, 6));
    assert_false(add(place, "a", 1));
    assert_int_equal(ndjson_count(place->file), 2);
    close_file(place);
    open_file(place, 1);
    assert_int_equal(ndjson_count(place->file), 2);
    assert_int_equal(lines_in(place, "articles-000001.ndjson"), 1);
    assert_int_equal(lines_in(place, "articles-000002.ndjson"), 1);
    assert_false(add_run(place, "a", 1, 7));
    assert_false(add(place, "b", 1));
    assert_true(add_run(place, "a", 1, 8));
}

static void a_run_that_could_not_be_written_leaves_the_line_before_it(void **state)
{
    struct place *place = *state;
    open_file(place, 1 << 20);
    assert_true(add(place, "a", 1));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    assert_true(add_run(place, "a", 1, 7));
    assert_true(add_run(place, "a", 1, 9));
    fault_set(FAULT_SYNC, 1, false);
    assert_int_not_equal(ndjson_flush(place->file, NULL), OK);
    fault_clear();
    assert_false(add(place, "a", 1));
    assert_true(add_run(place, "a", 1, 7));
    assert_int_equal(ndjson_flush(place->file, NULL), OK);
    close_file(place);
    open_file(place, 1 << 20);
    assert_int_equal(lines_in(place, "current.ndjson"), 1);
    assert_false(add_run(place, "a", 1, 7));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
    const struct CMUnitTest tests[] = {
        TEST(an_id_and_version_is_written_once),
        TEST(what_is_there_is_known_after_a_restart),
        TEST(half_a_line_is_cut_off_and_written_again),
        TEST(lines_of_others_are_left_alone),
        TEST(what_could_not_be_written_may_be_added_again),
        TEST(a_rotation_that_fails_loses_nothing),
        TEST(two_exports_do_not_share_a_folder),
        TEST(an_article_is_one_line),
        TEST(a_later_run_takes_the_place_of_the_line_of_an_earlier_one),
        TEST(a_run_that_could_not_be_written_leaves_the_line_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
