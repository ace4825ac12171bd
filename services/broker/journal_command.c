// `copydesk journal dump|verify FOLDER`: reads a journal without changing it.
#include "proto/wire.h"
#include "services/broker/broker.h"
#include "services/broker/disk_file.h"

#include <inttypes.h>
#include <stdio.h>

struct reading {
    bool dump;
    uint64_t by_type[RECORD_TYPE_END];
};

static void print_done(const struct record *record)
{
    for (uint32_t i = 0; i < record->count; i++) {
        uint64_t handle;
        memcpy(&handle, record->is.payload.at + (size_t)i * 8, sizeof handle);
        printf(" %" PRIu64, handle);
    }
}

static enum status print_record(void *user, const struct record *record, struct journal_place place,
                                struct error *why)
{
    struct reading *reading = user;
    (void)why;
    reading->by_type[record->type]++;
    if (!reading->dump) {
        return OK;
    }
    printf("%" PRIu64 ":%u %s", place.segment, place.offset, record_type_name(record->type));
    switch (record->type) {
    case RECORD_ARTICLE:
        printf(" %" PRIu64 " id=%.*s version=%" PRIu64 " lane=%s bytes=%u", record->handle,
               (int)record->is.article.id_bytes, (const char *)record->is.article.id,
               record->is.article.version, wire_lane_name(record->lane),
               record->is.article.document_bytes);
        break;
    case RECORD_DONE:
        print_done(record);
        break;
    case RECORD_PROGRESS:
        printf(" stage=%u articles=%u", record->count, record->is.payload.bytes / 8);
        break;
    case RECORD_DEAD:
        printf(" %" PRIu64 " stage=%u attempts=%u reason=%.*s", record->handle, record->count,
               record->is.dead.attempts, (int)record->is.dead.reason_bytes,
               (const char *)record->is.dead.reason);
        break;
    case RECORD_PIPELINE:
        printf(" %.*s", (int)record->is.payload.bytes, (const char *)record->is.payload.at);
        break;
    default:
        printf(" %" PRIu64, record->handle);
        break;
    }
    putchar('\n');
    return OK;
}

// A torn tail is told, not cut: this command only looks.
static enum status leave(void *user, uint64_t segment, uint64_t bytes, struct error *why)
{
    (void)user;
    (void)segment;
    (void)bytes;
    (void)why;
    return OK;
}

static enum status read_journal(struct reading *reading, const char *folder, struct error *why)
{
    struct disk_file *file = NULL;
    struct journal_report report;
    struct journal *journal = journal_new(&journal_defaults);
    enum status status = disk_file_open(&file, folder, true, why);
    if (status == OK && journal) {
        struct disk disk = disk_file_calls(file);
        disk.cut = leave;
        status = journal_recover(journal, &disk, print_record, reading, &report, why);
    }
    if (status == OK && report.segments == 0) {
        status = error_set(why, ERR_NOT_FOUND, "there is no journal in %s", folder);
    }
    if (status == OK && report.cut_bytes > 0) {
        printf("tail: %" PRIu64 " bytes of segment %" PRIu64
               " will be cut off at the next start: room for later batches, or one that was "
               "never acknowledged\n",
               report.cut_bytes, report.cut_segment);
    }
    if (status == OK) {
        printf("sound: %" PRIu64 " segments, %" PRIu64 " batches, %" PRIu64 " bytes",
               report.segments, report.batches, report.bytes);
        for (unsigned type = 1; type < RECORD_TYPE_END; type++) {
            if (reading->by_type[type] > 0) {
                printf(", %" PRIu64 " %s", reading->by_type[type], record_type_name(type));
            }
        }
        putchar('\n');
    }
    journal_free(journal);
    disk_file_close(file);
    return status;
}

int journal_main(int argc, char **argv)
{
    struct error why = {""};
    struct reading reading = {0};
    bool known = argc == 3 && (strcmp(argv[1], "dump") == 0 || strcmp(argv[1], "verify") == 0);
    if (!known) {
        fprintf(stderr, "usage: copydesk journal dump|verify FOLDER\n");
        return argc == 2 && strcmp(argv[1], "--help") == 0 ? 0 : 2;
    }
    reading.dump = strcmp(argv[1], "dump") == 0;
    enum status status = read_journal(&reading, argv[2], &why);
    if (status != OK) {
        fprintf(stderr, "copydesk journal: %s\n", why.text);
    }
    return status_exit_code(status);
}
