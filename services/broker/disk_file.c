#include "services/broker/disk_file.h"

#include "common/fault.h"
#include "common/folder.h"
#include "common/trace.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

struct disk_file {
    int folder;
    int lock;
    int writing; // descriptor of the segment being written
    uint64_t writing_segment;
    uint64_t end;   // of the last batch there; 0: not known
    uint64_t room;  // so far bytes were written before, by zeros or an earlier life
    uint8_t *zeros; // ZERO_BYTES of them
    int reading;    // of the segment read last
    uint64_t reading_segment;
    uint64_t drop_from; // the oldest segment whose file still has to go; 0 when there is none
    char path[PATH_MAX];
    struct tracer tracer; // COPYDESK_TRACE=journal
};

enum {
    NAME_BYTES = 64,
    ZERO_BYTES = 64 << 10,
    AHEAD =
        16, // so many times as much is written ahead of a small batch: metadata once for 256 articles of 4 KB
    SMALL_BATCH_BYTES = 64 << 10, // a larger one costs more than its metadata
};

static const char spare_name[] = "journal-spare.cdj"; // no number, so recovery does not see it

static void name_of(char out[NAME_BYTES], uint64_t segment)
{
    snprintf(out, NAME_BYTES, "journal-%012" PRIu64 ".cdj", segment);
}

static bool parse_name(const char *name, uint64_t *segment)
{
    struct view text = view_of(name);
    struct view before = VIEW("journal-");
    struct view after = VIEW(".cdj");
    return view_starts(text, before) && view_ends(text, after) &&
           text.len > before.len + after.len &&
           view_parse_u64(view_slice(text, before.len, text.len - after.len), segment);
}

static enum status lock_folder(struct disk_file *disk, struct error *why)
{
    disk->lock = openat(disk->folder, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (disk->lock < 0) {
        struct stat owner;
        int reason = errno;
        if (reason == EACCES && fstat(disk->folder, &owner) == 0) {
            return error_set(why, ERR_IO,
                             "the journal folder %s belongs to user %u, this is user %u; run: "
                             "chown -R %u %s",
                             disk->path, owner.st_uid, geteuid(), geteuid(), disk->path);
        }
        return error_set(why, ERR_IO, "cannot write to the journal folder %s: %s", disk->path,
                         strerror(reason));
    }
    if (flock(disk->lock, LOCK_EX | LOCK_NB) != 0) {
        return error_set(why, ERR_UNREACHABLE,
                         "another broker has the journal %s open; stop it or choose another folder "
                         "with --journal",
                         disk->path);
    }
    return OK;
}

enum status disk_file_open(struct disk_file **out, const char *folder, bool read_only,
                           struct error *why)
{
    enum status status = OK;
    struct disk_file *disk = calloc(1, sizeof *disk);
    if (!disk) {
        return error_set(why, ERR_MEMORY, "no memory to open the journal %s", folder);
    }
    disk->folder = disk->lock = disk->writing = disk->reading = -1;
    disk->zeros = calloc(1, ZERO_BYTES); // without it no zeros are written ahead
    snprintf(disk->path, sizeof disk->path, "%s", folder);
    status = trace_open(&disk->tracer, getenv("COPYDESK_TRACE"), why);
    if (status == OK && !read_only) {
        status = folder_make(folder, why);
    }
    if (status == OK) {
        disk->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (disk->folder < 0) {
            status = error_set(why, ERR_NOT_FOUND, "cannot open the journal folder %s: %s", folder,
                               strerror(errno));
        }
    }
    if (status == OK && !read_only) {
        status = lock_folder(disk, why);
    }
    if (status == OK && !read_only) {
        // It may be of a journal whose other files were taken away, where numbers now begin again.
        unlinkat(disk->folder, spare_name, 0);
    }
    if (status != OK) {
        disk_file_close(disk);
        return status;
    }
    *out = disk;
    return OK;
}

static void close_file(int *file)
{
    if (*file >= 0) {
        close(*file);
    }
    *file = -1;
}

void disk_file_close(struct disk_file *disk)
{
    if (disk) {
        // What lies behind the last batch is no use to anybody. Should this fail, recovery cuts it.
        if (disk->writing >= 0 && disk->end > 0 &&
            ftruncate(disk->writing, (off_t)disk->end) != 0) {
            trace_line(&disk->tracer, TRACE_JOURNAL, "segment %" PRIu64 " keeps its tail",
                       disk->writing_segment);
        }
        free(disk->zeros);
        close_file(&disk->writing);
        close_file(&disk->reading);
        close_file(&disk->lock);
        close_file(&disk->folder);
        free(disk);
    }
}

// --- recovery

static enum status range(void *user, uint64_t *first, uint64_t *last, struct error *why)
{
    struct disk_file *disk = user;
    uint64_t segment;
    struct dirent *entry;
    *first = *last = 0;
    DIR *folder = opendir(disk->path);
    if (!folder) {
        return error_set(why, ERR_IO, "cannot list %s: %s", disk->path, strerror(errno));
    }
    while ((entry = readdir(folder))) {
        if (parse_name(entry->d_name, &segment) && segment > 0) {
            *first = *first == 0 || segment < *first ? segment : *first;
            *last = segment > *last ? segment : *last;
        }
    }
    closedir(folder);
    return OK;
}

static enum status open_reading(struct disk_file *disk, uint64_t segment, struct error *why)
{
    char name[NAME_BYTES];
    if (disk->reading >= 0 && disk->reading_segment == segment) {
        return OK;
    }
    close_file(&disk->reading);
    name_of(name, segment);
    disk->reading = fault_hit(FAULT_OPEN) ? -1 : openat(disk->folder, name, O_RDONLY | O_CLOEXEC);
    disk->reading_segment = segment;
    if (disk->reading < 0) {
        return error_set(why, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot open %s/%s: %s",
                         disk->path, name, strerror(errno));
    }
    return OK;
}

static enum status size(void *user, uint64_t segment, uint64_t *bytes, struct error *why)
{
    struct disk_file *disk = user;
    struct stat info;
    enum status status = open_reading(disk, segment, why);
    if (status == OK && fstat(disk->reading, &info) != 0) {
        status = error_set(why, ERR_IO, "cannot stat a journal segment: %s", strerror(errno));
    }
    *bytes = status == OK ? (uint64_t)info.st_size : 0;
    return status;
}

static enum status read_bytes(void *user, uint64_t segment, uint64_t offset, void *to, size_t len,
                              struct error *why)
{
    struct disk_file *disk = user;
    size_t done = 0;
    enum status status = open_reading(disk, segment, why);
    while (status == OK && done < len) {
        ssize_t got = fault_hit(FAULT_READ) ? -1
                                            : pread(disk->reading, (char *)to + done, len - done,
                                                    (off_t)(offset + done));
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return error_set(
                why, ERR_IO, "cannot read journal segment %" PRIu64 " at byte %" PRIu64 ": %s",
                segment, offset + done, got == 0 ? "the file ends there" : strerror(errno));
        }
        done += (size_t)got;
    }
    return status;
}

static enum status cut(void *user, uint64_t segment, uint64_t bytes, struct error *why)
{
    struct disk_file *disk = user;
    char name[NAME_BYTES];
    name_of(name, segment);
    int file = openat(disk->folder, name, O_WRONLY | O_CLOEXEC);
    bool done = file >= 0 && !fault_hit(FAULT_WRITE) && ftruncate(file, (off_t)bytes) == 0 &&
                !fault_hit(FAULT_SYNC) && fsync(file) == 0;
    if (!done) {
        error_set(why, ERR_IO, "cannot cut the torn tail off %s/%s: %s", disk->path, name,
                  strerror(errno));
    }
    close_file(&file);
    return done ? OK : ERR_IO;
}

struct disk disk_file_calls(struct disk_file *disk)
{
    return (struct disk){
        .user = disk, .range = range, .size = size, .read = read_bytes, .cut = cut};
}

// --- writing

static enum status write_failed(const struct disk_file *disk, const char *what, struct error *why)
{
    bool no_room = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return error_set(why, no_room ? ERR_FULL : ERR_IO, "cannot %s the journal in %s: %s", what,
                     disk->path, strerror(errno));
}

static enum status sync_failed(const struct disk_file *disk, struct error *why)
{
    // Whatever the reason, also no room: the pages may be gone, and the next sync would not say so.
    return error_set(why, ERR_IO, "cannot sync the journal in %s: %s", disk->path, strerror(errno));
}

static enum status open_writing(struct disk_file *disk, const struct journal_commit *commit,
                                struct error *why)
{
    char name[NAME_BYTES];
    if (disk->writing >= 0 && disk->writing_segment == commit->segment) {
        return OK;
    }
    close_file(&disk->writing);
    name_of(name, commit->segment);
    if (commit->fresh && !fault_hit(FAULT_RENAME)) {
        renameat(disk->folder, spare_name, disk->folder, name); // without a spare the file is made
    }
    int flags = O_WRONLY | O_CLOEXEC | (commit->fresh ? O_CREAT : 0);
    if (fault_hit(FAULT_OPEN)) {
        errno = ENOSPC;
    } else {
        disk->writing = openat(disk->folder, name, flags, 0644);
    }
    disk->writing_segment = commit->segment;
    if (disk->writing < 0) {
        return write_failed(disk, "open", why);
    }
    struct stat info;
    disk->room = fstat(disk->writing, &info) == 0 ? (uint64_t)info.st_size : 0;
    // Before the first byte: a dropped segment's name must never come back with a later one's bytes in the file.
    bool named = !commit->fresh || (!fault_hit(FAULT_SYNC) && fsync(disk->folder) == 0);
    return named ? OK : sync_failed(disk, why);
}

static ssize_t write_some(int file, const char *at, size_t len, uint64_t offset)
{
    if (fault_hit(FAULT_WRITE)) {
        errno = ENOSPC;
        return -1;
    }
    if (fault_hit(FAULT_EIO)) {
        errno = EIO;
        return -1;
    }
    if (fault_hit(FAULT_INTERRUPT)) {
        errno = EINTR;
        return -1;
    }
    return pwrite(file, at, fault_hit(FAULT_HALF) ? (len + 1) / 2 : len, (off_t)offset);
}

// Makes room for the next batches with the sync of this one. No room for zeros is no failure: it may do for the batch.
static void write_ahead(struct disk_file *disk, const struct journal_commit *commit)
{
    struct iovec zeros[AHEAD];
    uint64_t end = commit->offset + commit->bytes.len;
    if (end <= disk->room) {
        return;
    }
    disk->room = end;
    if (!disk->zeros || commit->bytes.len > SMALL_BATCH_BYTES || fault_hit(FAULT_WRITE)) {
        return;
    }
    for (int i = 0; i < AHEAD; i++) {
        zeros[i] = (struct iovec){.iov_base = disk->zeros, .iov_len = ZERO_BYTES};
    }
    ssize_t wrote = pwritev(disk->writing, zeros, AHEAD, (off_t)end);
    disk->room += wrote > 0 ? (uint64_t)wrote : 0;
}

enum status disk_file_write(struct disk_file *disk, const struct journal_commit *commit,
                            struct error *why)
{
    size_t done = 0;
    enum status status = open_writing(disk, commit, why);
    disk->end = 0;
    while (status == OK && done < commit->bytes.len) {
        ssize_t wrote = write_some(disk->writing, commit->bytes.at + done, commit->bytes.len - done,
                                   commit->offset + done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return write_failed(disk, "write", why);
        }
        done += (size_t)wrote;
    }
    if (status != OK) {
        return status;
    }
    write_ahead(disk, commit);
    if (fault_hit(FAULT_SYNC) || fdatasync(disk->writing) != 0) {
        return sync_failed(disk, why);
    }
    disk->end = commit->offset + commit->bytes.len;
    trace_line(&disk->tracer, TRACE_JOURNAL,
               "durable segment %" PRIu64 " at %" PRIu64 ": %zu bytes", commit->segment,
               commit->offset, commit->bytes.len);
    return OK;
}

enum status disk_file_read(struct disk_file *disk, struct journal_place place, void *to,
                           struct error *why)
{
    return read_bytes(disk, place.segment, place.offset, to, place.bytes, why);
}

// Takes the file's name away: it becomes the spare, or is deleted when there is one. False when the name is still there.
static bool take_away(const struct disk_file *disk, uint64_t segment)
{
    char name[NAME_BYTES];
    name_of(name, segment);
    if (fault_hit(FAULT_RENAME)) {
        return false;
    }
    bool has_spare = faccessat(disk->folder, spare_name, F_OK, 0) == 0;
    int failed = has_spare ? unlinkat(disk->folder, name, 0)
                           : renameat(disk->folder, name, disk->folder, spare_name);
    return failed == 0 || errno == ENOENT;
}

void disk_file_drop(struct disk_file *disk, uint64_t segment)
{
    if (disk->reading_segment <= segment) {
        close_file(&disk->reading);
    }
    if (disk->drop_from == 0) {
        disk->drop_from = segment;
    }
    while (disk->drop_from <= segment && take_away(disk, disk->drop_from)) {
        trace_line(&disk->tracer, TRACE_JOURNAL, "drop segment %" PRIu64, disk->drop_from);
        disk->drop_from++;
    }
    if (disk->drop_from > segment) {
        disk->drop_from = 0;
    }
}
