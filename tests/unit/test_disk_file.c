#include "services/broker/disk_file.h"

#include "common/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { MIB = 1 << 20 };

struct place {
    char folder[64];
    struct disk_file *disk;
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    snprintf(place->folder, sizeof place->folder, "/tmp/copydesk-disk-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    assert_int_equal(disk_file_open(&place->disk, place->folder, false, NULL), OK);
    *state = place;
    return 0;
}

static int clear_place(void **state)
{
    struct place *place = *state;
    char path[128];
    fault_clear();
    for (uint64_t segment = 1; segment <= 3; segment++) {
        disk_file_drop(place->disk, segment);
    }
    disk_file_close(place->disk);
    snprintf(path, sizeof path, "%s/lock", place->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/journal-spare.cdj", place->folder);
    unlink(path);
    assert_int_equal(rmdir(place->folder), 0); // nothing else was left behind
    free(place);
    return 0;
}

static struct journal_commit batch(uint64_t segment, uint64_t offset, const char *bytes)
{
    return (struct journal_commit){
        .segment = segment, .offset = offset, .bytes = view_of(bytes), .fresh = offset == 0};
}

static void write_batch(struct place *place, uint64_t segment, uint64_t offset, const char *bytes)
{
    struct journal_commit commit = batch(segment, offset, bytes);
    assert_int_equal(disk_file_write(place->disk, &commit, NULL), OK);
}

static void what_was_written_is_read_back(void **state)
{
    struct place *place = *state;
    char bytes[8] = "";
    write_batch(place, 1, 0, "first");
    write_batch(place, 1, 5, "second");
    write_batch(place, 2, 0, "third");
    struct journal_place at = {1, 5, 6};
    assert_int_equal(disk_file_read(place->disk, at, bytes, NULL), OK);
    assert_memory_equal(bytes, "second", 6);
}

static void segments_are_found_measured_and_cut(void **state)
{
    struct place *place = *state;
    struct disk calls = disk_file_calls(place->disk);
    uint64_t first, last, size;
    assert_int_equal(calls.range(calls.user, &first, &last, NULL), OK);
    assert_int_equal(last, 0);
    write_batch(place, 2, 0, "0123456789");
    write_batch(place, 3, 0, "x");
    assert_int_equal(calls.range(calls.user, &first, &last, NULL), OK);
    assert_int_equal(first, 2);
    assert_int_equal(last, 3);
    assert_int_equal(calls.cut(calls.user, 2, 4, NULL), OK);
    assert_int_equal(calls.size(calls.user, 2, &size, NULL), OK);
    assert_int_equal(size, 4);
    assert_int_equal(calls.size(calls.user, 1, &size, NULL), ERR_NOT_FOUND);
}

static void a_full_disk_may_be_tried_again_and_a_failed_sync_may_not(void **state)
{
    struct place *place = *state;
    struct error why = {""};
    struct journal_commit commit = batch(1, 0, "article");
    fault_set(FAULT_WRITE, 1, false);
    assert_int_equal(disk_file_write(place->disk, &commit, &why), ERR_FULL);
    assert_int_equal(disk_file_write(place->disk, &commit, &why), OK);
    commit = batch(1, 7, "more");
    fault_set(FAULT_SYNC, 1, false);
    assert_int_equal(disk_file_write(place->disk, &commit, &why), ERR_IO);
    assert_non_null(strstr(why.text, "sync"));
}

static void reading_past_the_end_is_an_error(void **state)
{
    struct place *place = *state;
    struct error why = {""};
    char bytes[16];
    write_batch(place, 1, 0, "short");
    struct journal_place at = {1, (1 << 20), 9};
    assert_int_equal(disk_file_read(place->disk, at, bytes, &why), ERR_IO);
    assert_non_null(strstr(why.text, "the file ends there"));
}

static bool has_spare(const struct place *place)
{
    char path[128];
    snprintf(path, sizeof path, "%s/journal-spare.cdj", place->folder);
    return access(path, F_OK) == 0;
}

static ino_t inode_of(const struct place *place, unsigned segment)
{
    char path[128];
    struct stat info;
    snprintf(path, sizeof path, "%s/journal-%012u.cdj", place->folder, segment);
    return stat(path, &info) == 0 ? info.st_ino : 0;
}

static void the_file_of_a_dropped_segment_becomes_the_next_one(void **state)
{
    struct place *place = *state;
    struct disk calls = disk_file_calls(place->disk);
    uint64_t first, last, size;
    char bytes[8] = "";
    write_batch(place, 1, 0, "first life");
    struct journal_place at = {1, 0, 5};
    assert_int_equal(disk_file_read(place->disk, at, bytes, NULL), OK); // keeps the file open
    ino_t file = inode_of(place, 1);
    write_batch(place, 2, 0, "second");
    disk_file_drop(place->disk, 1);
    assert_true(has_spare(place));
    assert_int_equal(disk_file_read(place->disk, at, bytes, NULL), ERR_NOT_FOUND);
    assert_int_equal(calls.range(calls.user, &first, &last, NULL), OK);
    assert_int_equal(first, 2); // the spare is no segment
    write_batch(place, 3, 0, "third");
    assert_false(has_spare(place));
    assert_true(inode_of(place, 3) == file);
    assert_int_equal(calls.size(calls.user, 3, &size, NULL), OK);
    assert_int_equal(size,
                     MIB + strlen("first life")); // not truncated: that would give its blocks back
}

static void a_small_batch_makes_room_for_the_next_ones_and_closing_takes_it_back(void **state)
{
    struct place *place = *state;
    struct disk calls = disk_file_calls(place->disk);
    uint64_t size;
    write_batch(place, 1, 0, "first");
    assert_int_equal(calls.size(calls.user, 1, &size, NULL), OK);
    assert_int_equal(size, 5 + MIB);
    write_batch(place, 1, 5, "second");
    assert_int_equal(calls.size(calls.user, 1, &size, NULL), OK);
    assert_int_equal(size, 5 + MIB); // it did not grow
    disk_file_close(place->disk);
    assert_int_equal(disk_file_open(&place->disk, place->folder, false, NULL), OK);
    calls = disk_file_calls(place->disk);
    assert_int_equal(calls.size(calls.user, 1, &size, NULL), OK);
    assert_int_equal(size, strlen("firstsecond"));
}

static void a_batch_that_failed_is_not_taken_for_the_end(void **state)
{
    struct place *place = *state;
    struct disk calls = disk_file_calls(place->disk);
    struct journal_commit commit = batch(1, 5, "second");
    uint64_t size;
    write_batch(place, 1, 0, "first");
    fault_set(FAULT_SYNC, 1, false);
    assert_int_equal(disk_file_write(place->disk, &commit, NULL), ERR_IO);
    fault_clear();
    disk_file_close(place->disk);
    assert_int_equal(disk_file_open(&place->disk, place->folder, false, NULL), OK);
    calls = disk_file_calls(place->disk);
    assert_int_equal(calls.size(calls.user, 1, &size, NULL), OK);
    assert_int_equal(size, 5 + MIB); // what is on disk is unknown, so nothing is cut
}

static void one_spare_is_kept_until_the_next_start(void **state)
{
    struct place *place = *state;
    write_batch(place, 1, 0, "first");
    write_batch(place, 2, 0, "second");
    write_batch(place, 3, 0, "third");
    disk_file_drop(place->disk, 1);
    disk_file_drop(place->disk, 2);
    assert_true(has_spare(place));
    assert_true(inode_of(place, 2) == 0);
    disk_file_close(place->disk);
    assert_int_equal(disk_file_open(&place->disk, place->folder, false, NULL), OK);
    assert_false(has_spare(place));
}

// Recovery refuses a gap, so a segment that would not go keeps the later ones.
static void what_would_not_go_keeps_the_later_ones_and_is_tried_again(void **state)
{
    struct place *place = *state;
    write_batch(place, 1, 0, "first");
    write_batch(place, 2, 0, "second");
    write_batch(place, 3, 0, "third");
    fault_set(FAULT_RENAME, 1, true);
    disk_file_drop(place->disk, 1);
    disk_file_drop(place->disk, 2);
    assert_true(inode_of(place, 1) != 0 && inode_of(place, 2) != 0);
    fault_clear();
    disk_file_drop(place->disk, 3);
    assert_true(inode_of(place, 1) == 0 && inode_of(place, 2) == 0 && inode_of(place, 3) == 0);
}

static void a_broken_disk_is_not_a_full_one(void **state)
{
    struct place *place = *state;
    struct error why = {""};
    struct journal_commit commit = batch(1, 0, "article");
    fault_set(FAULT_EIO, 1, false);
    assert_int_equal(disk_file_write(place->disk, &commit, &why), ERR_IO);
}

static void a_new_name_that_cannot_be_synced_ends_the_writing(void **state)
{
    struct place *place = *state;
    struct error why = {""};
    uint64_t size;
    struct disk calls = disk_file_calls(place->disk);
    struct journal_commit commit = batch(1, 0, "article");
    fault_set(FAULT_SYNC, 1, false);
    assert_int_equal(disk_file_write(place->disk, &commit, &why), ERR_IO);
    assert_int_equal(calls.size(calls.user, 1, &size, NULL), OK);
    assert_int_equal(size, 0); // no byte before the name is durable
}

static void a_second_broker_is_kept_out(void **state)
{
    struct place *place = *state;
    struct disk_file *second = NULL;
    struct error why = {""};
    assert_int_equal(disk_file_open(&second, place->folder, false, &why), ERR_UNREACHABLE);
    assert_non_null(strstr(why.text, "--journal"));
    assert_int_equal(disk_file_open(&second, place->folder, true, &why), OK); // looking is allowed
    disk_file_close(second);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, clear_place)
    const struct CMUnitTest tests[] = {
        TEST(what_was_written_is_read_back),
        TEST(segments_are_found_measured_and_cut),
        TEST(a_full_disk_may_be_tried_again_and_a_failed_sync_may_not),
        TEST(reading_past_the_end_is_an_error),
        TEST(the_file_of_a_dropped_segment_becomes_the_next_one),
        TEST(a_small_batch_makes_room_for_the_next_ones_and_closing_takes_it_back),
        TEST(a_batch_that_failed_is_not_taken_for_the_end),
        TEST(one_spare_is_kept_until_the_next_start),
        TEST(what_would_not_go_keeps_the_later_ones_and_is_tried_again),
        TEST(a_broken_disk_is_not_a_full_one),
        TEST(a_new_name_that_cannot_be_synced_ends_the_writing),
        TEST(a_second_broker_is_kept_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
