#include "common/table.h"

#include "common/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MANY = 5000 };

struct room {
    char folder[64];
    char list[96], compiled[96];
};

static void write_file(const char *path, struct view bytes)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.at, 1, bytes.len, file), bytes.len);
    assert_int_equal(fclose(file), 0);
}

static struct buf read_file(const char *path)
{
    struct buf bytes;
    buf_init(&bytes, 1 << 24);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    for (int c; (c = getc(file)) != EOF;) {
        buf_add_char(&bytes, (char)c);
    }
    fclose(file);
    return bytes;
}

static int make_room(void **state)
{
    struct room *room = calloc(1, sizeof *room);
    assert_non_null(room);
    snprintf(room->folder, sizeof room->folder, "/tmp/test_table.XXXXXX");
    assert_non_null(mkdtemp(room->folder));
    snprintf(room->list, sizeof room->list, "%s/months.txt", room->folder);
    snprintf(room->compiled, sizeof room->compiled, "%s/dates.tables", room->folder);
    *state = room;
    return 0;
}

static int leave_room(void **state)
{
    struct room *room = *state;
    unlink(room->list);
    unlink(room->compiled);
    rmdir(room->folder);
    free(room);
    return 0;
}

// Compiles the list; the exit code, and what the compiler said in `said`.
static int compile(const struct room *room, struct view text, char *said, size_t size)
{
    char command[512];
    write_file(room->list, text);
    snprintf(command, sizeof command, "'%s' '%s' '%s' 2>&1", TABLEC, room->compiled, room->list);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    size_t len = fread(said, 1, size - 1, pipe);
    said[len] = '\0';
    int code = pclose(pipe);
    return WIFEXITED(code) ? WEXITSTATUS(code) : -1;
}

static struct table *open_list(const struct room *room, struct view text, struct table_list *list)
{
    struct error why = {""};
    struct table *table = NULL;
    char said[512];
    assert_int_equal(compile(room, text, said, sizeof said), 0);
    assert_int_equal(table_open(&table, room->folder, "dates", &why), OK);
    assert_int_equal(table_find_list(table, "months", list, &why), OK);
    return table;
}

static void assert_value(const struct table_list *list, struct view key, struct view expected)
{
    struct view value = {0};
    assert_true(table_find(list, key, &value));
    assert_int_equal(value.len, expected.len);
    assert_memory_equal(value.at, expected.at, expected.len);
}

static void a_key_finds_its_value_and_no_other_key_does(void **state)
{
    struct table_list list;
    struct table *table = open_list(
        *state, VIEW("# ours, CC0\njan\nmarch\t3\n# later\nmay\tfive\t5\n\xc3\xa9t\xc3\xa9\ts\n"),
        &list);
    assert_int_equal(list.count, 4);
    assert_value(&list, VIEW("jan"), VIEW(""));
    assert_value(&list, VIEW("march"), VIEW("3"));
    assert_value(&list, VIEW("may"), VIEW("five\t5"));
    assert_value(&list, VIEW("\xc3\xa9t\xc3\xa9"), VIEW("s"));
    assert_false(table_find(&list, VIEW("mar"), NULL));
    assert_false(table_find(&list, VIEW("# later"), NULL));
    assert_false(table_find(&list, VIEW(""), NULL));
    table_close(table);
}

static void entries_stand_in_the_order_of_their_keys(void **state)
{
    struct table_list list;
    struct table *table = open_list(*state, VIEW("#\na\t1\nb\nc\t3"), &list);
    struct view key, value;
    table_entry(&list, 2, &key, &value);
    assert_true(view_equal(key, VIEW("c")));
    assert_true(view_equal(value, VIEW("3")));
    table_close(table);
}

static void many_keys_are_all_found(void **state)
{
    struct table_list list;
    struct buf text;
    buf_init(&text, 1 << 20);
    buf_add(&text, VIEW("# numbers\n"));
    for (int i = 0; i < MANY; i++) {
        buf_printf(&text, "key %04d\t%d\n", i, i * 7);
    }
    struct table *table = open_list(*state, buf_view(&text), &list);
    for (int i = 0; i < MANY; i++) {
        char key[16], value[16];
        snprintf(key, sizeof key, "key %04d", i);
        snprintf(value, sizeof value, "%d", i * 7);
        assert_value(&list, view_of(key), view_of(value));
        snprintf(key, sizeof key, "key-%04d", i);
        assert_false(table_find(&list, view_of(key), NULL));
    }
    table_close(table);
    buf_clear(&text);
}

static void an_empty_list_finds_nothing(void **state)
{
    struct table_list list;
    struct table *table = open_list(*state, VIEW("# nothing yet\n"), &list);
    assert_int_equal(list.count, 0);
    assert_false(table_find(&list, VIEW("x"), NULL));
    table_close(table);
}

static void a_list_that_is_not_there_is_named(void **state)
{
    struct table_list list;
    struct error why = {""};
    struct table *table = open_list(*state, VIEW("#\na\n"), &list);
    assert_int_equal(table_find_list(table, "days", &list, &why), ERR_CONFIG);
    assert_non_null(strstr(why.text, "no list 'days'"));
    table_close(table);
}

static void a_missing_file_names_the_path(void **state)
{
    const struct room *room = *state;
    struct error why = {""};
    struct table *table = NULL;
    assert_int_equal(table_open(&table, room->folder, "nothing", &why), ERR_CONFIG);
    assert_null(table);
    assert_non_null(strstr(why.text, "nothing.tables"));
}

static void mistakes_in_a_list_are_reported_with_their_line(void **state)
{
    static const struct {
        struct view text;
        const char *said;
    } cases[] = {
        {{"a\nb\n", 4}, "months.txt:1: the first line must be a comment"},
        {{"", 0}, "months.txt:1: the first line must be a comment"},
        {{"#\nb\na\n", 6}, "months.txt:3: 'a' must stand before 'b'"},
        {{"#\na\t1\na\t2\n", 10}, "months.txt:3: 'a' stands twice"},
        {{"#\na\n\nb\n", 7}, "months.txt:3: empty line"},
        {{"#\n\tvalue\n", 9}, "months.txt:2: no key before the tab"},
        {{"#\na\xff\n", 5}, "months.txt:2: not UTF-8"},
        {{"#\na \n", 5}, "months.txt:2: white space at the end"},
        {{"#\na\r\n", 5}, "months.txt:2: white space at the end"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char said[512];
        assert_int_not_equal(compile(*state, cases[i].text, said, sizeof said), 0);
        if (!strstr(said, cases[i].said)) {
            fail_msg("case %zu: expected '%s', heard '%s'", i, cases[i].said, said);
        }
    }
}

static void any_changed_byte_is_refused(void **state)
{
    const struct room *room = *state;
    struct table_list list;
    struct table *table = open_list(room, VIEW("# ours\na\t1\nb\t2\n"), &list);
    table_close(table);
    struct buf bytes = read_file(room->compiled);
    for (size_t i = 0; i < bytes.len; i++) {
        struct error why = {""};
        bytes.at[i] ^= 0x40;
        write_file(room->compiled, buf_view(&bytes));
        assert_int_not_equal(table_open(&table, room->folder, "dates", &why), OK);
        assert_null(table);
        bytes.at[i] ^= 0x40;
    }
    buf_clear(&bytes);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    const struct room *room = *state;
    struct table_list list;
    struct table *table = open_list(room, VIEW("# ours\na\t1\nb\t2\n"), &list);
    table_close(table);
    struct buf bytes = read_file(room->compiled);
    for (size_t len = 0; len < bytes.len; len++) {
        write_file(room->compiled, view_slice(buf_view(&bytes), 0, len));
        assert_int_not_equal(table_open(&table, room->folder, "dates", NULL), OK);
    }
    buf_clear(&bytes);
}

int main(void)
{
#define IN_ROOM(test) cmocka_unit_test_setup_teardown(test, make_room, leave_room)
    const struct CMUnitTest tests[] = {
        IN_ROOM(a_key_finds_its_value_and_no_other_key_does),
        IN_ROOM(entries_stand_in_the_order_of_their_keys),
        IN_ROOM(many_keys_are_all_found),
        IN_ROOM(an_empty_list_finds_nothing),
        IN_ROOM(a_list_that_is_not_there_is_named),
        IN_ROOM(a_missing_file_names_the_path),
        IN_ROOM(mistakes_in_a_list_are_reported_with_their_line),
        IN_ROOM(any_changed_byte_is_refused),
        IN_ROOM(a_file_cut_anywhere_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
