#include "services/broker/journal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

// A disk in memory: segment numbers are indexes.
enum { SEGMENTS = 64, SEGMENT_ROOM = 1 << 16, ARTICLES = 1024 };

struct memory_disk {
    uint8_t bytes[SEGMENTS][SEGMENT_ROOM];
    size_t len[SEGMENTS];
    bool there[SEGMENTS];
};

static enum status range(void *user, uint64_t *first, uint64_t *last, struct error *why)
{
    const struct memory_disk *disk = user;
    (void)why;
    *first = *last = 0;
    for (uint64_t i = 1; i < SEGMENTS; i++) {
        if (disk->there[i]) {
            *first = *first ? *first : i;
            *last = i;
        }
    }
    return OK;
}

static enum status size(void *user, uint64_t segment, uint64_t *bytes, struct error *why)
{
    const struct memory_disk *disk = user;
    *bytes = disk->len[segment];
    return disk->there[segment] ? OK : error_set(why, ERR_NOT_FOUND, "gone");
}

static enum status read(void *user, uint64_t segment, uint64_t offset, void *to, size_t len,
                        struct error *why)
{
    const struct memory_disk *disk = user;
    (void)why;
    assert_true(offset + len <= disk->len[segment]);
    memcpy(to, disk->bytes[segment] + offset, len);
    return OK;
}

static enum status cut(void *user, uint64_t segment, uint64_t bytes, struct error *why)
{
    struct memory_disk *disk = user;
    (void)why;
    disk->len[segment] = (size_t)bytes;
    return OK;
}

static void write_batch(struct memory_disk *disk, const struct journal_commit *commit)
{
    assert_true(commit->segment < SEGMENTS);
    assert_int_equal(commit->offset, disk->len[commit->segment]);
    memcpy(disk->bytes[commit->segment] + commit->offset, commit->bytes.at, commit->bytes.len);
    disk->len[commit->segment] += commit->bytes.len;
    disk->there[commit->segment] = true;
}

static struct record article_record(uint64_t handle, const char *document)
{
    struct record record = {.type = RECORD_ARTICLE, .lane = 2, .handle = handle};
    record.is.article = (struct record_article){.key = {handle, ~handle},
                                                .version = 1,
                                                .id = (const uint8_t *)"id",
                                                .id_bytes = 2,
                                                .document = (const uint8_t *)document,
                                                .document_bytes = (uint32_t)strlen(document)};
    return record;
}

static struct journal_place append(struct journal *journal, uint64_t handle)
{
    struct journal_place place;
    char document[64];
    snprintf(document, sizeof document, "document %llu", (unsigned long long)handle);
    struct record record = article_record(handle, document);
    assert_true(journal_append(journal, &record, 0, &place));
    return place;
}

static void commit_all(struct journal *journal, struct memory_disk *disk)
{
    struct journal_commit commit;
    while (journal_next_commit(journal, 0, &commit)) {
        write_batch(disk, &commit);
        journal_committed(journal);
    }
}

// What recovery told: which articles live at the end.
struct told {
    struct journal *journal;
    bool live[ARTICLES];
    struct journal_place places[ARTICLES];
    size_t records;
};

static enum status tell(void *user, const struct record *record, struct journal_place place,
                        struct error *why)
{
    struct told *told = user;
    (void)why;
    told->records++;
    if (record->type == RECORD_ARTICLE) {
        told->live[record->handle] = true;
        told->places[record->handle] = place;
    }
    for (uint32_t i = 0; record->type == RECORD_DONE && i < record->count; i++) {
        uint64_t handle;
        memcpy(&handle, record->is.payload.at + i * 8, sizeof handle);
        told->live[handle] = false;
        journal_release(told->journal, told->places[handle]);
    }
    return OK;
}

static enum status recover(struct memory_disk *disk, struct told *told,
                           struct journal_report *report, struct error *why)
{
    struct journal_config config = journal_defaults;
    config.segment_bytes = 4096;
    struct disk calls = {.user = disk, .range = range, .size = size, .read = read, .cut = cut};
    *told = (struct told){.journal = journal_new(&config)};
    return journal_recover(told->journal, &calls, tell, told, report, why);
}

static struct journal *small_journal(void)
{
    struct journal_config config = journal_defaults;
    config.segment_bytes = 4096;
    config.retain_segments = 1;
    config.hash_key[0] = 42;
    return journal_new(&config);
}

static struct memory_disk *new_disk(void)
{
    struct memory_disk *disk = calloc(1, sizeof *disk);
    assert_non_null(disk);
    return disk;
}

static void what_was_committed_comes_back(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_report report;
    struct told told;
    (void)state;
    for (uint64_t handle = 1; handle <= 100; handle++) {
        struct journal_place place = append(journal, handle);
        if (handle % 2 == 0) {
            assert_true(journal_done(journal, handle, place));
        }
        if (handle % 7 == 0) {
            commit_all(journal, disk);
        }
    }
    commit_all(journal, disk);
    assert_int_equal(journal_durable(journal), journal_end(journal));
    assert_int_equal(recover(disk, &told, &report, NULL), OK);
    for (uint64_t handle = 1; handle <= 100; handle++) {
        assert_int_equal(told.live[handle], handle % 2 == 1);
    }
    assert_true(report.segments > 2);
    assert_int_equal(journal_hash_key(told.journal)[0], 42);
    journal_free(told.journal);
    journal_free(journal);
    free(disk);
}

static void nothing_is_durable_before_its_batch_is(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_commit commit;
    (void)state;
    append(journal, 1);
    uint64_t first = journal_end(journal);
    assert_true(journal_next_commit(journal, 0, &commit));
    append(journal, 2); // gathers while the first batch is under way
    assert_true(journal_durable(journal) < first);
    assert_false(journal_next_commit(journal, 0, &commit));
    write_batch(disk, &commit);
    journal_committed(journal);
    assert_int_equal(journal_durable(journal), first);
    assert_true(journal_durable(journal) < journal_end(journal));
    journal_free(journal);
    free(disk);
}

// Three batches, the last of them cut at every byte: the first two always come back, the third whole or not at all.
static void a_tail_torn_at_any_byte_is_cut_off(void **state)
{
    struct memory_disk *disk = new_disk();
    struct memory_disk *torn = new_disk();
    struct journal *journal = small_journal();
    struct journal_report report;
    struct told told;
    (void)state;
    append(journal, 1);
    commit_all(journal, disk);
    append(journal, 2);
    commit_all(journal, disk);
    size_t before = disk->len[1];
    append(journal, 3);
    append(journal, 4);
    commit_all(journal, disk);
    for (size_t len = before; len <= disk->len[1]; len++) {
        bool whole = len == disk->len[1];
        memcpy(torn, disk, sizeof *torn);
        torn->len[1] = len;
        assert_int_equal(recover(torn, &told, &report, NULL), OK);
        assert_true(told.live[1] && told.live[2]);
        assert_int_equal(told.live[3], whole);
        assert_int_equal(told.live[4], whole);
        assert_int_equal(report.cut_bytes, whole ? 0 : len - before);
        assert_int_equal(torn->len[1], whole ? len : before);
        journal_free(told.journal);
    }
    journal_free(journal);
    free(torn);
    free(disk);
}

// A flipped bit in a batch that others follow is damage: recovery refuses, it does not skip.
static void a_flipped_bit_before_the_last_batch_is_refused(void **state)
{
    struct memory_disk *disk = new_disk();
    struct memory_disk *flipped = new_disk();
    struct journal *journal = small_journal();
    struct journal_report report;
    struct told told;
    (void)state;
    append(journal, 1);
    commit_all(journal, disk);
    size_t first_end = disk->len[1];
    append(journal, 2);
    commit_all(journal, disk);
    for (size_t at = 0; at < first_end; at++) {
        struct error why = {""};
        memcpy(flipped, disk, sizeof *flipped);
        flipped->bytes[1][at] ^= (uint8_t)(1u << at % 8);
        enum status status = recover(flipped, &told, &report, &why);
        assert_true(status == ERR_FORMAT || status == ERR_VERSION);
        assert_non_null(strstr(why.text, "segment 1"));
        assert_int_equal(flipped->len[1], disk->len[1]);
        journal_free(told.journal);
    }
    journal_free(journal);
    free(flipped);
    free(disk);
}

// In the very last batch a flipped bit cannot be told from a torn write, and cuts it off; what came before stays.
static void a_flipped_bit_in_the_last_batch_cuts_it_off(void **state)
{
    struct memory_disk *disk = new_disk();
    struct memory_disk *flipped = new_disk();
    struct journal *journal = small_journal();
    struct journal_report report;
    struct told told;
    (void)state;
    append(journal, 1);
    commit_all(journal, disk);
    size_t first_end = disk->len[1];
    append(journal, 2);
    commit_all(journal, disk);
    for (size_t at = first_end; at < disk->len[1]; at++) {
        memcpy(flipped, disk, sizeof *flipped);
        flipped->bytes[1][at] ^= (uint8_t)(1u << at % 8);
        assert_int_equal(recover(flipped, &told, &report, NULL), OK);
        assert_true(told.live[1]);
        assert_false(told.live[2]);
        assert_true(report.cut_bytes > 0);
        journal_free(told.journal);
    }
    journal_free(journal);
    free(flipped);
    free(disk);
}

// The last batch of a segment that another one follows was whole once. No batch before it tells what number the
// next segment should begin with when it is the only one there is.
static void a_flipped_bit_in_an_earlier_segment_is_refused_and_named(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_report report;
    struct told told;
    (void)state;
    for (uint64_t handle = 1; handle <= 100; handle++) {
        append(journal, handle);
    }
    commit_all(journal, disk);
    assert_true(disk->there[3]);
    for (uint64_t segment = 1; segment <= 2; segment++) {
        struct error why = {""};
        char name[32];
        snprintf(name, sizeof name, "segment %d,", (int)segment);
        disk->bytes[segment][disk->len[segment] - 9] ^= 1;
        assert_int_equal(recover(disk, &told, &report, &why), ERR_FORMAT);
        assert_non_null(strstr(why.text, name));
        disk->bytes[segment][disk->len[segment] - 9] ^= 1;
        journal_free(told.journal);
    }
    journal_free(journal);
    free(disk);
}

static void a_missing_segment_is_named(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_report report;
    struct told told;
    struct error why = {""};
    (void)state;
    for (uint64_t handle = 1; handle <= 100; handle++) {
        append(journal, handle);
    }
    commit_all(journal, disk);
    assert_true(disk->there[3]);
    disk->there[2] = false;
    assert_int_equal(recover(disk, &told, &report, &why), ERR_FORMAT);
    assert_non_null(strstr(why.text, "segment 2"));
    journal_free(told.journal);
    disk->there[2] = true;
    disk->len[2] = 0; // the file is there, its batches are not
    assert_int_equal(recover(disk, &told, &report, &why), ERR_FORMAT);
    assert_non_null(strstr(why.text, "missing"));
    journal_free(told.journal);
    journal_free(journal);
    free(disk);
}

static void a_later_format_asks_for_an_upgrade(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal_report report;
    struct told told;
    struct error why = {""};
    (void)state;
    struct segment_header header = {.version = RECORD_VERSION + 1, .number = 1};
    segment_header_write(disk->bytes[1], &header);
    disk->len[1] = SEGMENT_HEADER_BYTES;
    disk->there[1] = true;
    assert_int_equal(recover(disk, &told, &report, &why), ERR_VERSION);
    assert_non_null(strstr(why.text, "upgrade"));
    journal_free(told.journal);
    free(disk);
}

static void a_segment_goes_when_all_its_articles_are_done(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_place places[ARTICLES];
    uint64_t dropped;
    (void)state;
    for (uint64_t handle = 1; handle <= 200; handle++) {
        places[handle] = append(journal, handle);
    }
    commit_all(journal, disk);
    assert_false(journal_next_drop(journal, 0, &dropped));
    for (uint64_t handle = 2; handle <= 200; handle++) {
        assert_true(journal_done(journal, handle, places[handle]));
    }
    commit_all(journal, disk);
    assert_false(journal_next_drop(journal, 0, &dropped)); // article 1 holds the oldest segment
    assert_int_equal(journal_straggling(journal, 1), 1);
    assert_true(journal_done(journal, 1, places[1]));
    assert_false(journal_next_drop(journal, 0, &dropped)); // its DONE is not on disk yet
    commit_all(journal, disk);
    assert_true(journal_next_drop(journal, 0, &dropped));
    assert_int_equal(dropped, 1);
    assert_false(journal_next_drop(journal, UINT64_MAX, &dropped));
    journal_free(journal);
    free(disk);
}

static void a_write_without_room_is_tried_again_at_the_same_place(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_commit first, again;
    (void)state;
    append(journal, 1);
    assert_true(journal_next_commit(journal, 0, &first));
    append(journal, 2);
    assert_true(journal_retry(journal, &again));
    assert_int_equal(first.segment, again.segment);
    assert_int_equal(first.offset, again.offset);
    assert_ptr_equal(first.bytes.at, again.bytes.at);
    write_batch(disk, &again);
    journal_committed(journal);
    assert_false(journal_retry(journal, &again));
    journal_free(journal);
    free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_committed_comes_back),
        cmocka_unit_test(nothing_is_durable_before_its_batch_is),
        cmocka_unit_test(a_tail_torn_at_any_byte_is_cut_off),
        cmocka_unit_test(a_flipped_bit_before_the_last_batch_is_refused),
        cmocka_unit_test(a_flipped_bit_in_the_last_batch_cuts_it_off),
        cmocka_unit_test(a_flipped_bit_in_an_earlier_segment_is_refused_and_named),
        cmocka_unit_test(a_missing_segment_is_named),
        cmocka_unit_test(a_later_format_asks_for_an_upgrade),
        cmocka_unit_test(a_segment_goes_when_all_its_articles_are_done),
        cmocka_unit_test(a_write_without_room_is_tried_again_at_the_same_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
