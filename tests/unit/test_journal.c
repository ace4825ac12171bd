#include "common/fault.h"
#include "tests/unit/memory_disk.h"

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
    uint64_t kept = 0;
    for (size_t i = 2; i < sizeof disk->len / sizeof disk->len[0]; i++) {
        kept += disk->len[i];
    }
    assert_int_equal(journal_bytes(journal), kept);
    assert_false(journal_next_drop(journal, UINT64_MAX, &dropped));
    journal_free(journal);
    free(disk);
}

static void a_completion_without_memory_does_not_keep_out_the_next(void **state)
{
    struct journal *journal = small_journal();
    struct journal_place place = append(journal, 1);
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        fault_set(FAULT_MEMORY, n, false);
        assert_false(journal_done(journal, 1, place));
        fault_clear();
    }
    assert_true(journal_done(journal, 1, place));
    assert_int_equal(journal_waiting_done(journal), 1);
    journal_free(journal);
}

static void what_is_left_of_a_segment_straggles_when_those_behind_it_are_worked_off(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_place places[ARTICLES];
    uint64_t last[8] = {0}; // article of each segment
    (void)state;
    for (uint64_t handle = 1; handle <= 200; handle++) {
        places[handle] = append(journal, handle);
        assert_true(places[handle].segment < 8);
        last[places[handle].segment] = handle;
    }
    commit_all(journal, disk);
    for (uint64_t handle = 1; handle < last[1]; handle++) {
        assert_true(journal_done(journal, handle, places[handle]));
    }
    commit_all(journal, disk);
    assert_int_equal(journal_straggling(journal, 1), 0); // a backlog, and it is the next one's turn
    for (uint64_t handle = last[1] + 1; handle <= last[2]; handle++) {
        assert_true(journal_done(journal, handle, places[handle]));
    }
    commit_all(journal, disk);
    assert_int_equal(journal_straggling(journal, 1), 1);
    assert_int_equal(journal_straggling(journal, 2), 0);
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

// An ARTICLE larger than a batch may otherwise be; the caller frees the document.
static struct record large_record(uint64_t handle, char **document)
{
    size_t len = (size_t)3 << 20;
    *document = malloc(len + 1);
    assert_non_null(*document);
    memset(*document, 'x', len);
    (*document)[len] = '\0';
    return article_record(handle, *document);
}

static void what_was_reserved_is_there_when_memory_is_not(void **state)
{
    (void)state;
    char *document;
    struct record large = large_record(2, &document);
    struct record revived = {.type = RECORD_REVIVED, .handle = 2};
    struct journal *journal = journal_new(&journal_defaults);
    struct journal_place place, second;
    struct journal_commit commit;
    append(journal, 1);
    assert_true(journal_reserve(journal, record_size(&large) + record_size(&revived), 0));
    fault_set(FAULT_MEMORY, 1, true);
    assert_true(journal_append(journal, &large, 0, &place));
    assert_true(journal_append(journal, &revived, 0, &second));
    fault_clear();
    assert_int_equal(second.offset, place.offset + place.bytes); // in one batch
    assert_true(journal_next_commit(journal, 0, &commit));
    journal_committed(journal);
    assert_int_equal(journal_durable(journal), 1);
    assert_true(journal_next_commit(journal, 0, &commit));
    journal_committed(journal);
    assert_int_equal(journal_durable(journal), 3);
    assert_false(journal_next_commit(journal, 0, &commit));
    journal_free(journal);
    free(document);
}

// Whichever allocation fails, the journal says so, or does it, and goes on.
static void without_memory_a_reservation_fails_and_leaves_a_sound_journal(void **state)
{
    (void)state;
    bool failed = true;
    char *document;
    struct record large = large_record(2, &document);
    for (uint64_t n = 1; failed; n++) {
        struct memory_disk *disk = new_disk();
        struct journal *journal = small_journal();
        struct told told;
        struct journal_report report;
        struct error why = {""};
        fault_set(FAULT_MEMORY, n, false);
        failed = !journal_reserve(journal, record_size(&large), 0);
        fault_clear();
        append(journal, 1);
        commit_all(journal, disk);
        assert_int_equal(recover(disk, &told, &report, &why), OK);
        assert_true(told.live[1]);
        assert_true(n < 10);
        journal_free(told.journal);
        journal_free(journal);
        free(disk);
    }
    free(document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_committed_comes_back),
        cmocka_unit_test(nothing_is_durable_before_its_batch_is),
        cmocka_unit_test(a_tail_torn_at_any_byte_is_cut_off),
        cmocka_unit_test(a_flipped_bit_in_an_earlier_segment_is_refused_and_named),
        cmocka_unit_test(a_missing_segment_is_named),
        cmocka_unit_test(a_segment_goes_when_all_its_articles_are_done),
        cmocka_unit_test(a_completion_without_memory_does_not_keep_out_the_next),
        cmocka_unit_test(what_is_left_of_a_segment_straggles_when_those_behind_it_are_worked_off),
        cmocka_unit_test(a_write_without_room_is_tried_again_at_the_same_place),
        cmocka_unit_test(what_was_reserved_is_there_when_memory_is_not),
        cmocka_unit_test(without_memory_a_reservation_fails_and_leaves_a_sound_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
