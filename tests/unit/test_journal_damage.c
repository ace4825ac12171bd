// The journal with one bit wrong, cut short, or caught by a crash, at every byte. Either all that was committed comes back,
// or recovery refuses and names the place. Files are reused: behind the last batch of each stand sound batches of the
// segment before, at the very places where the next ones go.
#include "tests/unit/memory_disk.h"

enum { FIRST_HANDLE = 100, LAST_HANDLE = 199, BATCHES = 128 };

// Where each batch ends and which article is the last in it.
struct history {
    struct memory_disk *disk;
    struct journal *journal;
    struct {
        uint64_t segment;
        size_t start, end;
        uint64_t last_handle;
    } batches[BATCHES];
    size_t count;
};

static void commit_next(struct history *history, uint64_t last_handle)
{
    struct journal_commit commit;
    while (journal_next_commit(history->journal, 0, &commit)) {
        write_batch(history->disk, &commit);
        journal_committed(history->journal);
        assert_true(history->count < BATCHES);
        history->batches[history->count].segment = commit.segment;
        history->batches[history->count].start = (size_t)commit.offset;
        history->batches[history->count].end = (size_t)commit.offset + commit.bytes.len;
        history->batches[history->count++].last_handle = last_handle;
    }
}

// One article a batch, so that batches of all segments lie at the same places.
static int make_history(void **state)
{
    struct history *history = calloc(1, sizeof *history);
    assert_non_null(history);
    history->disk = new_disk();
    history->disk->reuses = true;
    history->journal = small_journal();
    for (uint64_t handle = FIRST_HANDLE; handle <= LAST_HANDLE; handle++) {
        append(history->journal, handle);
        commit_next(history, handle);
    }
    assert_true(history->disk->there[3] && history->disk->there[4]);
    *state = history;
    return 0;
}

static int clear_history(void **state)
{
    struct history *history = *state;
    journal_free(history->journal);
    free(history->disk);
    free(history);
    return 0;
}

// The last article that came back, when all before it did and none after; else 0.
static uint64_t last_told(const struct told *told)
{
    uint64_t last = FIRST_HANDLE - 1;
    while (last + 1 < ARTICLES && told->live[last + 1]) {
        last++;
    }
    for (uint64_t handle = last + 1; handle < ARTICLES; handle++) {
        if (told->live[handle]) {
            return 0;
        }
    }
    return last;
}

// The batch that `at` lies in, or `count` when it lies behind the last one of its segment.
static size_t batch_at(const struct history *history, uint64_t segment, size_t at)
{
    size_t i = 0;
    while (i < history->count &&
           (history->batches[i].segment != segment || history->batches[i].end <= at)) {
        i++;
    }
    return i;
}

static void names_the_segment(const struct error *why, uint64_t segment)
{
    char name[32];
    snprintf(name, sizeof name, "segment %llu, byte ", (unsigned long long)segment);
    assert_non_null(strstr(why->text, name));
}

// Recovers and restores what recovery cut. Gives the last article that came back, or 0 when it refused.
static uint64_t recovered(struct history *history, uint64_t segment)
{
    struct journal_report report;
    struct told told;
    struct error why = {""};
    size_t last_len[SEGMENTS];
    memcpy(last_len, history->disk->len, sizeof last_len);
    enum status status = recover(history->disk, &told, &report, &why);
    uint64_t last = last_told(&told);
    journal_free(told.journal);
    if (status == OK) {
        assert_true(last >= FIRST_HANDLE - 1);
        memcpy(history->disk->len, last_len, sizeof last_len);
        return last;
    }
    assert_int_equal(status, ERR_FORMAT);
    names_the_segment(&why, segment);
    assert_memory_equal(history->disk->len, last_len, sizeof last_len); // nothing was cut
    return 0;
}

static void a_flipped_bit_anywhere_loses_nothing_in_silence(void **state)
{
    struct history *history = *state;
    size_t refused = 0, cut = 0;
    for (uint64_t segment = 1; segment < SEGMENTS && history->disk->there[segment]; segment++) {
        for (size_t at = 0; at < history->disk->len[segment]; at++) {
            size_t batch = batch_at(history, segment, at);
            uint8_t *byte = &history->disk->bytes[segment][at];
            *byte ^= (uint8_t)(1u << at % 8);
            uint64_t last = recovered(history, segment);
            *byte ^= (uint8_t)(1u << at % 8);
            if (last == 0) {
                assert_true(batch < history->count - 1);
                refused++;
            } else if (last == LAST_HANDLE - 1) { // the very last batch looks torn
                assert_int_equal(batch, history->count - 1);
                cut++;
            } else { // behind the last batch
                assert_int_equal(last, LAST_HANDLE);
                assert_int_equal(batch, history->count);
            }
        }
    }
    assert_true(refused > 15000);
    assert_in_range(cut, 140, 160);
}

static void a_segment_cut_anywhere_loses_nothing_in_silence(void **state)
{
    struct history *history = *state;
    uint64_t newest = history->batches[history->count - 1].segment;
    for (uint64_t segment = 1; segment <= newest; segment++) {
        size_t whole = history->disk->len[segment];
        for (size_t len = 0; len < whole; len++) {
            size_t batch = batch_at(history, segment, len);
            history->disk->len[segment] = len;
            uint64_t last = recovered(history, segment);
            history->disk->len[segment] = whole;
            if (batch == history->count) {
                assert_int_equal(last, LAST_HANDLE);
            } else if (segment == newest) { // nothing stands behind it: a torn tail
                assert_int_equal(last, history->batches[batch].last_handle - 1);
            } else {
                assert_int_equal(last, 0);
            }
        }
    }
}

// The first segment held a single batch: no other one in it shows that it was there.
static void a_lonely_first_batch_is_missed(void **state)
{
    struct journal_report report;
    struct told told;
    struct memory_disk *disk = new_disk();
    struct journal *first = small_journal();
    (void)state;
    append(first, 1);
    commit_all(first, disk);
    assert_int_equal(recover(disk, &told, &report, NULL), OK);
    append(told.journal, 2); // a restart begins the second segment
    commit_all(told.journal, disk);
    journal_free(told.journal);
    assert_true(disk->there[2]);
    for (size_t at = 0; at < disk->len[1]; at++) {
        struct error why = {""};
        disk->bytes[1][at] ^= 1;
        enum status status = recover(disk, &told, &report, &why);
        assert_true(status == ERR_FORMAT || (told.live[1] && told.live[2]));
        assert_true(status == OK || strstr(why.text, "segment 1,"));
        journal_free(told.journal);
        disk->bytes[1][at] ^= 1;
    }
    for (size_t len = disk->len[1]; disk->len[1] > 0;) {
        disk->len[1] = --len;
        assert_int_equal(recover(disk, &told, &report, NULL), ERR_FORMAT);
        journal_free(told.journal);
    }
    journal_free(first);
    free(disk);
}

// Goes on after a crash and restarts once more: what was there and what came since is all there.
static void goes_on(struct history *history, struct journal *journal, uint64_t last)
{
    struct journal_report report;
    struct told told;
    append(journal, last + 1);
    commit_all(journal, history->disk);
    append(journal, last + 2);
    commit_all(journal, history->disk);
    assert_int_equal(recover(history->disk, &told, &report, NULL), OK);
    assert_int_equal(last_told(&told), last + 2);
    journal_free(told.journal);
}

// A batch of which only `len` bytes, or with `hole` all but these, got to disk.
static void crash(struct history *history, const struct journal_commit *commit, size_t len,
                  size_t hole)
{
    struct memory_disk *disk = history->disk;
    static uint8_t old[SEGMENT_ROOM];
    write_part(disk, commit, 0);
    memcpy(old, disk->bytes[commit->segment], SEGMENT_ROOM);
    write_part(disk, commit, hole ? commit->bytes.len : len);
    if (hole) {
        memcpy(disk->bytes[commit->segment] + commit->offset + len, old + commit->offset + len,
               hole);
    }
}

// Tries the crash at every byte of the batch that comes next.
static void crash_everywhere(struct history *history, size_t hole)
{
    struct journal_commit commit;
    static struct memory_disk before;
    append(history->journal, LAST_HANDLE + 1);
    assert_true(journal_next_commit(history->journal, 0, &commit));
    before = *history->disk;
    for (size_t len = 0; len + hole <= commit.bytes.len; len++) {
        struct journal_report report;
        struct told told;
        crash(history, &commit, len, hole);
        bool same = memcmp(history->disk->bytes[commit.segment] + commit.offset, commit.bytes.at,
                           commit.bytes.len) == 0;
        assert_int_equal(recover(history->disk, &told, &report, NULL), OK);
        uint64_t last = last_told(&told);
        assert_true(last == LAST_HANDLE || last == LAST_HANDLE + 1);
        assert_true(!same || last == LAST_HANDLE + 1);
        goes_on(history, told.journal, last);
        journal_free(told.journal);
        *history->disk = before;
    }
}

static void a_crash_in_a_reused_file_shows_nothing_of_its_earlier_life(void **state)
{
    crash_everywhere(*state, 0);
}

static void a_hole_in_a_batch_is_a_torn_batch(void **state)
{
    crash_everywhere(*state, 8);
}

// The same for the batch that begins a segment: header and batch in one write.
static void a_crash_in_the_first_batch_of_a_reused_file_begins_it_again(void **state)
{
    struct history *history = *state;
    struct journal_report report;
    struct told told;
    journal_free(history->journal);
    assert_int_equal(recover(history->disk, &told, &report, NULL), OK);
    history->journal = told.journal; // a restart begins a segment
    crash_everywhere(history, 0);
    journal_free(history->journal);
    assert_int_equal(recover(history->disk, &told, &report, NULL), OK);
    history->journal = told.journal;
    crash_everywhere(history, 8);
}

// Segment 2 was begun in vain. When segment 1 is gone, nothing but the batch numbers is left to tell what is missing.
static void a_segment_begun_in_vain_is_begun_again(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_commit commit;
    struct journal_report report;
    struct told told;
    (void)state;
    append(journal, 1);
    commit_all(journal, disk);
    journal_free(journal);
    assert_int_equal(recover(disk, &told, &report, NULL), OK);
    append(told.journal, 2);
    assert_true(journal_next_commit(told.journal, 0, &commit));
    write_part(disk, &commit, 100);
    journal_free(told.journal);
    for (uint64_t restart = 0; restart < 2; restart++) {
        assert_int_equal(recover(disk, &told, &report, NULL), OK);
        append(told.journal, 3 + restart);
        commit_all(told.journal, disk);
        journal_free(told.journal);
    }
    disk->there[1] = false; // dropped
    assert_int_equal(recover(disk, &told, &report, NULL), OK);
    assert_true(told.live[3] && told.live[4]);
    journal_free(told.journal);
    free(disk);
}

static void a_batch_in_another_ones_place_is_refused(void **state)
{
    struct history *history = *state;
    uint8_t *bytes = history->disk->bytes[1];
    size_t start = history->batches[1].start;
    size_t len = history->batches[1].end - start;
    memcpy(bytes + start, bytes + history->batches[2].start, len);
    assert_int_equal(recovered(history, 1), 0);
}

// --- versions

// One segment as version 1 wrote it: batch 1 holds the articles 1 and 2 ("first", "other"), batch 2 the DONE of 1.
// Written by the last program of that version through journal_append and journal_next_commit.
static const uint8_t version_1[] = {
    0x43, 0x44, 0x53, 0x4b, 0x4a, 0x52, 0x4e, 0x4c, 0x01, 0x00, 0x40, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x60, 0xbb, 0x05, 0x74, 0x01, 0x00, 0x00,
    0x2a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x2b, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xae, 0x4d, 0xcf, 0xa0,
    0x18, 0x00, 0x00, 0x00, 0xd0, 0x5c, 0x7e, 0xe7, 0x08, 0x00, 0x00, 0x00, 0x08, 0x01, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x77, 0x00, 0x00, 0x00, 0xaa, 0xfb, 0x41, 0x9b,
    0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00, 0x69, 0x64, 0x66, 0x69, 0x72, 0x73, 0x74, 0x00,
    0x77, 0x00, 0x00, 0x00, 0x05, 0x40, 0x5b, 0x60, 0x01, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0xfd, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x05, 0x00, 0x00, 0x00,
    0x69, 0x64, 0x6f, 0x74, 0x68, 0x65, 0x72, 0x00, 0x18, 0x00, 0x00, 0x00, 0x4d, 0x44, 0x31, 0x80,
    0x08, 0x00, 0x00, 0x00, 0x38, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x20, 0x00, 0x00, 0x00, 0x16, 0x9f, 0x3b, 0xb8, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
};

static void a_journal_of_version_1_is_read_and_gone_on_with(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal_report report;
    struct told told;
    (void)state;
    memcpy(disk->bytes[1], version_1, sizeof version_1);
    disk->len[1] = sizeof version_1;
    disk->there[1] = true;
    for (uint64_t round = 0; round < 2; round++) {
        assert_int_equal(recover(disk, &told, &report, NULL), OK);
        assert_int_equal(journal_hash_key(told.journal)[0], 42);
        assert_int_equal(report.cut_bytes, 0);
        assert_false(told.live[1]);
        assert_true(told.live[2]);
        assert_int_equal(told.live[3], round == 1);
        append(told.journal, 3);
        commit_all(told.journal, disk);
        journal_free(told.journal);
    }
    assert_memory_equal(disk->bytes[1], version_1, sizeof version_1);
    assert_int_equal(disk->bytes[2][8], RECORD_VERSION);
    free(disk);
}

static void a_later_version_is_refused_with_the_next_step(void **state)
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
    assert_non_null(strstr(why.text, "segment 1 has format 3, this program reads up to 2"));
    assert_non_null(strstr(why.text, "upgrade copydesk"));
    assert_int_equal(disk->len[1], SEGMENT_HEADER_BYTES);
    journal_free(told.journal);
    free(disk);
}

static void a_record_of_a_later_version_is_refused_with_the_next_step(void **state)
{
    struct memory_disk *disk = new_disk();
    struct journal *journal = small_journal();
    struct journal_report report;
    struct told told;
    struct journal_place place;
    struct error why = {""};
    struct record record = {.type = RECORD_TYPE_END, .handle = 1};
    (void)state;
    record.is.payload.at = (const uint8_t *)"";
    assert_true(journal_append(journal, &record, 0, &place));
    commit_all(journal, disk);
    assert_int_equal(recover(disk, &told, &report, &why), ERR_VERSION);
    assert_non_null(strstr(why.text, "upgrade copydesk"));
    journal_free(told.journal);
    journal_free(journal);
    free(disk);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_history, clear_history)
    const struct CMUnitTest tests[] = {
        TEST(a_flipped_bit_anywhere_loses_nothing_in_silence),
        TEST(a_segment_cut_anywhere_loses_nothing_in_silence),
        cmocka_unit_test(a_lonely_first_batch_is_missed),
        TEST(a_crash_in_a_reused_file_shows_nothing_of_its_earlier_life),
        TEST(a_hole_in_a_batch_is_a_torn_batch),
        TEST(a_crash_in_the_first_batch_of_a_reused_file_begins_it_again),
        cmocka_unit_test(a_segment_begun_in_vain_is_begun_again),
        TEST(a_batch_in_another_ones_place_is_refused),
        cmocka_unit_test(a_journal_of_version_1_is_read_and_gone_on_with),
        cmocka_unit_test(a_later_version_is_refused_with_the_next_step),
        cmocka_unit_test(a_record_of_a_later_version_is_refused_with_the_next_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
