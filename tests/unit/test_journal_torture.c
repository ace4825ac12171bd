// The journal over real files, while the n-th call of each kind fails: opening, writing (no room, broken disk, half of the
// bytes, a signal), syncing a file or the folder, renaming and deleting, reading. A run is two sessions with a torn tail
// between them. Whatever fails: the run goes on or stops as disk_file.h promises, and a start without the fault finds every
// article that was acknowledged and not completed.
#include "services/broker/disk_file.h"

#include "common/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

enum { ARTICLES = 12, ROOM = 2 * ARTICLES + 4, DOCUMENT_BYTES = 1800, RUNS_LIMIT = 500 };

struct run {
    char folder[64];
    struct disk_file *disk;
    struct journal *journal;
    uint64_t first;          // handle of the session's first article
    uint64_t next;           // handle of the next article
    bool acknowledged[ROOM]; // its batch was durable
    bool done[ROOM];         // may be gone: its DONE was handed over
    bool live[ROOM];         // as recovery told
    struct journal_place places[ROOM];
    uint64_t newest_segment, newest_end;
    bool stopped; // a session ended early
};

static enum status tell(void *user, const struct record *record, struct journal_place place,
                        struct error *why)
{
    struct run *run = user;
    (void)why;
    if (record->type == RECORD_ARTICLE) {
        run->live[record->handle] = true;
        run->places[record->handle] = place;
    }
    for (uint32_t i = 0; record->type == RECORD_DONE && i < record->count; i++) {
        uint64_t handle;
        memcpy(&handle, record->is.payload.at + (size_t)i * 8, sizeof handle);
        if (run->live[handle]) {
            journal_release(run->journal, run->places[handle]);
        }
        run->live[handle] = false;
    }
    return OK;
}

static void close_session(struct run *run)
{
    journal_free(run->journal);
    disk_file_close(run->disk);
    run->journal = NULL;
    run->disk = NULL;
}

static enum status open_session(struct run *run, struct error *why)
{
    struct journal_config config = {.segment_bytes = 4096, .retain_segments = 1};
    struct journal_report report;
    memset(run->live, 0, sizeof run->live);
    run->first = run->next;
    run->journal = journal_new(&config);
    assert_non_null(run->journal);
    enum status status = disk_file_open(&run->disk, run->folder, false, why);
    if (status == OK) {
        struct disk calls = disk_file_calls(run->disk);
        status = journal_recover(run->journal, &calls, tell, run, &report, why);
    }
    return status;
}

// Writes what waits. A disk without room is tried again; what else fails ends the session.
static enum status commit_next(struct run *run)
{
    struct journal_commit commit;
    struct error why = {""};
    assert_true(journal_next_commit(run->journal, 0, &commit));
    enum status status = disk_file_write(run->disk, &commit, &why);
    for (int tries = 0; status == ERR_FULL && tries < 3; tries++) {
        assert_true(journal_retry(run->journal, &commit));
        status = disk_file_write(run->disk, &commit, &why);
    }
    if (status == OK) {
        journal_committed(run->journal);
        run->newest_segment = commit.segment;
        run->newest_end = commit.offset + commit.bytes.len;
    } else {
        assert_true(strlen(why.text) > 0);
    }
    return status;
}

static enum status accept_one(struct run *run)
{
    static const uint8_t document[DOCUMENT_BYTES];
    struct record record = {.type = RECORD_ARTICLE, .handle = run->next};
    record.is.article = (struct record_article){.id = (const uint8_t *)"id",
                                                .id_bytes = 2,
                                                .document = document,
                                                .document_bytes = sizeof document};
    uint64_t handle = run->next++;
    assert_true(handle < ROOM);
    assert_true(journal_append(run->journal, &record, 0, &run->places[handle]));
    enum status status = commit_next(run);
    run->acknowledged[handle] = status == OK;
    // Every article is completed three later, but each eighth stays and so keeps its segment and those after it a while.
    uint64_t older = handle - 3;
    if (status == OK && handle >= run->first + 3 && older % 8 != 0) {
        run->done[older] = journal_done(run->journal, older, run->places[older]);
    }
    return status;
}

static void drop_what_may_go(struct run *run)
{
    uint64_t segment;
    while (journal_next_drop(run->journal, 0, &segment)) {
        disk_file_drop(run->disk, segment);
    }
}

static void session(struct run *run)
{
    struct error why = {""};
    enum status status = open_session(run, &why);
    assert_true(status == OK || strlen(why.text) > 0);
    for (int i = 0; i < ARTICLES && status == OK; i++) {
        status = accept_one(run);
        drop_what_may_go(run);
    }
    run->stopped |= status != OK;
    close_session(run);
}

static void tear_the_tail(const struct run *run)
{
    char path[128];
    snprintf(path, sizeof path, "%s/journal-%012llu.cdj", run->folder,
             (unsigned long long)run->newest_segment);
    FILE *file = run->newest_segment > 0 ? fopen(path, "r+b") : NULL;
    if (file) {
        fseek(file, (long)run->newest_end, SEEK_SET);
        fputs("half a batch", file);
        fclose(file);
    }
}

static void expect_all(const struct run *run)
{
    for (uint64_t handle = 1; handle < ROOM; handle++) {
        if (run->acknowledged[handle] && !run->done[handle]) {
            assert_true(run->live[handle]);
        }
    }
}

// Without the fault everything is there, the journal goes on, and is there again.
static void expect_recovery(struct run *run)
{
    for (int round = 0; round < 2; round++) {
        struct error why = {""};
        enum status status = open_session(run, &why);
        if (status != OK) {
            fail_msg("%s", why.text);
        }
        expect_all(run);
        assert_int_equal(accept_one(run), OK);
        close_session(run);
    }
}

static void remove_folder(const struct run *run)
{
    char path[128];
    for (unsigned segment = 1; segment < 200; segment++) {
        snprintf(path, sizeof path, "%s/journal-%012u.cdj", run->folder, segment);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/journal-spare.cdj", run->folder);
    unlink(path);
    snprintf(path, sizeof path, "%s/lock", run->folder);
    unlink(path);
    assert_int_equal(rmdir(run->folder), 0);
}

// What a fault that comes once does to a run.
enum effect { GOES_ON, STOPS, EITHER };

// One run with the fault; false when it did not get as far as the fault.
static bool run_with(enum fault_point point, uint64_t n, bool and_after, enum effect effect)
{
    struct run run = {.next = 1};
    bool memory_backed = access("/dev/shm", W_OK) == 0; // a sync costs nothing there
    snprintf(run.folder, sizeof run.folder, "%s/copydesk-torture-XXXXXX",
             memory_backed ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(run.folder));
    fault_set(point, n, and_after);
    session(&run);
    tear_the_tail(&run);
    session(&run);
    bool met = fault_count(point) >= n;
    fault_clear();
    if (met && !and_after && effect != EITHER) {
        assert_int_equal(run.stopped, effect == STOPS);
    }
    expect_recovery(&run);
    remove_folder(&run);
    return met;
}

static void torture(enum fault_point point, uint64_t at_least, enum effect effect)
{
    for (int and_after = 0; and_after <= 1; and_after++) {
        uint64_t n = 1;
        while (n < RUNS_LIMIT && run_with(point, n, and_after, effect)) {
            n++;
        }
        assert_in_range(n, at_least, RUNS_LIMIT - 1);
    }
}

// Reading a file at the start or making one: the first ends the session, the second is tried again.
static void no_file_can_be_opened(void **state)
{
    (void)state;
    torture(FAULT_OPEN, 12, EITHER);
}

// The write of a batch is tried again; the cut of a torn tail at the start is not.
static void no_room_is_left(void **state)
{
    (void)state;
    torture(FAULT_WRITE, 2 * ARTICLES, EITHER);
}

static void the_disk_breaks(void **state)
{
    (void)state;
    torture(FAULT_EIO, 2 * ARTICLES, STOPS);
}

static void a_sync_fails(void **state)
{
    (void)state;
    torture(FAULT_SYNC, 3 * ARTICLES,
            STOPS); // a file holds two articles, and its name is synced too
}

static void a_write_takes_half(void **state)
{
    (void)state;
    torture(FAULT_HALF, 2 * ARTICLES, GOES_ON);
}

static void a_signal_comes(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2 * ARTICLES; n++) {
        assert_true(run_with(FAULT_INTERRUPT, n, false, GOES_ON));
    }
}

static void a_file_cannot_be_renamed_or_deleted(void **state)
{
    (void)state;
    torture(FAULT_RENAME, 12, GOES_ON);
}

static void a_read_fails(void **state)
{
    (void)state;
    torture(FAULT_READ, 12, STOPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_file_can_be_opened),
        cmocka_unit_test(no_room_is_left),
        cmocka_unit_test(the_disk_breaks),
        cmocka_unit_test(a_sync_fails),
        cmocka_unit_test(a_write_takes_half),
        cmocka_unit_test(a_signal_comes),
        cmocka_unit_test(a_file_cannot_be_renamed_or_deleted),
        cmocka_unit_test(a_read_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
