#include "services/export/ndjson.h"

#include "common/article.h"
#include "common/buf.h"
#include "common/fault.h"
#include "common/folder.h"
#include "services/broker/index.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define CURRENT "current.ndjson"

// What gathers between two flushes; the broker's credit keeps it far below.
enum { BATCH_LIMIT = 512 << 20, PATH_BYTES = PATH_MAX + 64 };

// An article added since the last flush.
struct fresh {
    uint64_t key;
    uint64_t before; // what `known` said of it: 0 nothing
};

struct ndjson {
    char folder[PATH_MAX];
    int lock;
    int file;
    uint64_t bytes; // of the file, all of it durable
    uint64_t rotate_bytes;
    uint64_t next_number;
    struct buf batch;
    struct index known; // by key; an item is the rerun plus 1 of the line that holds
    struct fresh *fresh;
    size_t fresh_count, fresh_room;
    uint64_t replaced; // lines met that a later run has replaced
};

// Keys of different articles differ: 64 bits over id and version; two of ten million collide with odds of one in
// three hundred thousand.
static uint64_t key_of(struct view id, uint64_t version)
{
    uint64_t key = view_hash(id) ^ (version * 0x9e3779b97f4a7c15u);
    key ^= key >> 29;
    key *= 0xbf58476d1ce4e5b9u;
    return key ^ key >> 32;
}

// What is known of a key: the rerun of the line that holds, plus 1; 0 when there is none.
static uint64_t known_of(const struct ndjson *file, uint64_t key)
{
    return (uint64_t)(uintptr_t)index_find(&file->known, key);
}

// Without memory, which only a new key needs, nothing is known of it.
static bool set_known(struct ndjson *file, uint64_t key, uint64_t known)
{
    index_remove(&file->known, key);
    return known == 0 || index_add(&file->known, key, (void *)(uintptr_t)known);
}

static void path_of(const struct ndjson *file, const char *name, char out[PATH_BYTES])
{
    snprintf(out, PATH_BYTES, "%s/%s", file->folder, name);
}

static enum status failed(const struct ndjson *file, const char *what, struct error *why)
{
    bool no_room = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
    return error_set(why, no_room ? ERR_FULL : ERR_IO, "cannot %s the export in %s: %s", what,
                     file->folder, strerror(errno));
}

// --- reading what is there

// Learns the article of one line. A line that is no article is somebody else's and left alone.
static enum status learn_line(struct ndjson *file, struct arena *arena, struct view line)
{
    struct article article;
    enum status status = OK;
    arena_reset(arena);
    article_init(&article, arena);
    if (article_merge(&article, line, NULL) == OK && article.id.len > 0) {
        uint64_t key = key_of(article.id, (uint64_t)article.version);
        uint64_t known = known_of(file, key);
        uint64_t here = (uint64_t)article.rerun + 1;
        file->replaced += known != 0 && known != here;
        if (here > known && !set_known(file, key, here)) {
            status = ERR_MEMORY;
        }
    }
    article_clear(&article);
    return status;
}

// Reads all lines of a file; `*whole` is where the last complete one ends.
static enum status learn_file(struct ndjson *file, const char *name, uint64_t *whole,
                              struct error *why)
{
    char path[PATH_BYTES];
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    struct arena arena;
    enum status status = OK;
    *whole = 0;
    path_of(file, name, path);
    FILE *in = fopen(path, "re");
    if (!in) {
        return errno == ENOENT ? OK : failed(file, "read", why);
    }
    arena_init(&arena, ARTICLE_SIZE_LIMIT * 4);
    while (status == OK && (len = getline(&line, &room, in)) > 0) {
        if (line[len - 1] != '\n') {
            break;
        }
        status = learn_line(file, &arena, (struct view){line, (size_t)len - 1});
        *whole += (uint64_t)len;
    }
    arena_clear(&arena);
    free(line);
    fclose(in);
    return status == OK ? OK : error_set(why, status, "no memory to read %s", path);
}

static void name_of(uint64_t number, char out[64])
{
    snprintf(out, 64, "articles-%06" PRIu64 ".ndjson", number);
}

static bool parse_number(const char *name, uint64_t *number)
{
    struct view text = view_of(name);
    struct view before = VIEW("articles-");
    struct view after = VIEW(".ndjson");
    return view_starts(text, before) && view_ends(text, after) &&
           text.len > before.len + after.len &&
           view_parse_u64(view_slice(text, before.len, text.len - after.len), number);
}

static enum status learn_folder(struct ndjson *file, struct error *why)
{
    struct dirent *entry;
    enum status status = OK;
    DIR *folder = opendir(file->folder);
    if (!folder) {
        return failed(file, "list", why);
    }
    while (status == OK && (entry = readdir(folder))) {
        uint64_t number;
        uint64_t whole;
        if (parse_number(entry->d_name, &number)) {
            file->next_number = number >= file->next_number ? number + 1 : file->next_number;
            status = learn_file(file, entry->d_name, &whole, why);
        }
    }
    closedir(folder);
    return status;
}

// --- taking out what later runs replaced

// True when a later run of the same article is known.
static bool is_replaced(const struct ndjson *file, struct arena *arena, struct view line)
{
    struct article article;
    arena_reset(arena);
    article_init(&article, arena);
    bool replaced =
        article_merge(&article, line, NULL) == OK && article.id.len > 0 &&
        known_of(file, key_of(article.id, (uint64_t)article.version)) > (uint64_t)article.rerun + 1;
    article_clear(&article);
    return replaced;
}

// Copies the lines that hold; `*dropped` counts the others. False when one could not be written.
static bool copy_lines(const struct ndjson *file, FILE *in, FILE *out, uint64_t *dropped)
{
    char *line = NULL;
    size_t room = 0;
    ssize_t len;
    struct arena arena;
    bool written = true;
    arena_init(&arena, ARTICLE_SIZE_LIMIT * 4);
    while (written && (len = getline(&line, &room, in)) > 0 && line[len - 1] == '\n') {
        if (is_replaced(file, &arena, (struct view){line, (size_t)len - 1})) {
            ++*dropped;
        } else {
            written = fwrite(line, 1, (size_t)len, out) == (size_t)len;
        }
    }
    arena_clear(&arena);
    free(line);
    return written && fflush(out) == 0 && fdatasync(fileno(out)) == 0;
}

// A copy takes the file's place in one step, so that whatever happens each line is there.
static enum status tidy_file(const struct ndjson *file, const char *name, struct error *why)
{
    char path[PATH_BYTES];
    char copy[PATH_BYTES];
    uint64_t dropped = 0;
    path_of(file, name, path);
    path_of(file, "tidy.tmp", copy);
    FILE *in = fopen(path, "re");
    if (!in) {
        return errno == ENOENT ? OK : failed(file, "read", why);
    }
    FILE *out = fopen(copy, "we");
    bool copied = out && copy_lines(file, in, out, &dropped);
    fclose(in);
    bool closed = out && fclose(out) == 0;
    if (!copied || !closed || (dropped > 0 && rename(copy, path) != 0)) {
        enum status status = failed(file, "tidy", why);
        unlink(copy);
        return status;
    }
    if (dropped == 0) {
        unlink(copy);
    }
    return OK;
}

static enum status tidy_folder(struct ndjson *file, struct error *why)
{
    char name[64];
    enum status status = tidy_file(file, CURRENT, why);
    for (uint64_t number = 1; status == OK && number < file->next_number; number++) {
        name_of(number, name);
        status = tidy_file(file, name, why);
    }
    return status;
}

// --- opening

static enum status lock_folder(struct ndjson *file, struct error *why)
{
    char path[PATH_BYTES];
    path_of(file, "lock", path);
    file->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file->lock < 0) {
        return failed(file, "lock", why);
    }
    if (flock(file->lock, LOCK_EX | LOCK_NB) != 0) {
        return error_set(why, ERR_UNREACHABLE,
                         "another export writes to %s; stop it or choose another folder with "
                         "--folder",
                         file->folder);
    }
    return OK;
}

// Makes new names in the folder survive a power cut. A folder that cannot be opened was told of before.
static void sync_folder(const struct ndjson *file)
{
    int folder = open(file->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        fsync(folder);
        close(folder);
    }
}

static enum status open_current(struct ndjson *file, uint64_t whole, struct error *why)
{
    char path[PATH_BYTES];
    path_of(file, CURRENT, path);
    file->file = fault_hit(FAULT_OPEN) ? -1 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (file->file < 0 || ftruncate(file->file, (off_t)whole) != 0 ||
        lseek(file->file, (off_t)whole, SEEK_SET) < 0) {
        return failed(file, "open", why);
    }
    file->bytes = whole;
    return OK;
}

enum status ndjson_open(struct ndjson **out, const char *folder, uint64_t rotate_bytes,
                        struct error *why)
{
    uint64_t whole = 0;
    struct ndjson *file = calloc(1, sizeof *file);
    if (!file) {
        return error_set(why, ERR_MEMORY, "no memory to open the export %s", folder);
    }
    file->lock = file->file = -1;
    file->rotate_bytes = rotate_bytes;
    file->next_number = 1;
    buf_init(&file->batch, BATCH_LIMIT);
    snprintf(file->folder, sizeof file->folder, "%s", folder);
    enum status status = folder_make(folder, why);
    if (status == OK) {
        status = lock_folder(file, why);
    }
    if (status == OK) {
        status = learn_folder(file, why);
    }
    if (status == OK) {
        status = learn_file(file, CURRENT, &whole, why);
    }
    if (status == OK && file->replaced > 0) {
        status = tidy_folder(file, why);
    }
    if (status == OK && file->replaced > 0) {
        status = learn_file(file, CURRENT, &whole, why);
    }
    if (status == OK) {
        status = open_current(file, whole, why);
        sync_folder(file);
    }
    if (status != OK) {
        ndjson_close(file);
        return status;
    }
    *out = file;
    return OK;
}

void ndjson_close(struct ndjson *file)
{
    if (!file) {
        return;
    }
    if (file->file >= 0) {
        close(file->file);
    }
    if (file->lock >= 0) {
        close(file->lock);
    }
    buf_clear(&file->batch);
    index_clear(&file->known);
    free(file->fresh);
    free(file);
}

// --- writing

static bool note_fresh(struct ndjson *file, uint64_t key, uint64_t before)
{
    if (file->fresh_count == file->fresh_room) {
        size_t room = file->fresh_room ? file->fresh_room * 2 : 64;
        struct fresh *grown = realloc(file->fresh, room * sizeof *grown);
        if (!grown) {
            return false;
        }
        file->fresh = grown;
        file->fresh_room = room;
    }
    file->fresh[file->fresh_count++] = (struct fresh){key, before};
    return true;
}

enum status ndjson_add(struct ndjson *file, const struct ndjson_article *article, bool *added,
                       struct error *why)
{
    uint64_t key = key_of(article->id, article->version);
    uint64_t known = known_of(file, key);
    *added = false;
    if (known > article->rerun) {
        return OK;
    }
    if (memchr(article->line.at, '\n', article->line.len)) {
        return error_set(why, ERR_FORMAT, "the article is not one line of JSON");
    }
    size_t before = file->batch.len;
    buf_add(&file->batch, article->line);
    buf_add_char(&file->batch, '\n');
    if (file->batch.full || !note_fresh(file, key, known) ||
        !set_known(file, key, article->rerun + 1)) {
        file->batch.len = before;
        file->batch.full = false;
        return error_set(why, ERR_MEMORY, "no memory to export the article");
    }
    *added = true;
    return OK;
}

// What was added since the last flush is forgotten, and the file is as it was. The latest goes first, as an article may be
// among them twice.
static void take_back(struct ndjson *file)
{
    for (size_t i = file->fresh_count; i-- > 0;) {
        (void)set_known(file, file->fresh[i].key, file->fresh[i].before);
    }
    file->fresh_count = 0;
    buf_reset(&file->batch);
    // A cut that fails leaves half a line, which the next flush writes over from the same place.
    if (file->file >= 0 && ftruncate(file->file, (off_t)file->bytes) != 0) {
        return;
    }
}

static enum status write_batch(struct ndjson *file, struct error *why)
{
    size_t done = 0;
    while (done < file->batch.len) {
        ssize_t wrote = -1;
        if (fault_hit(FAULT_WRITE)) {
            errno = ENOSPC;
        } else {
            wrote = pwrite(file->file, file->batch.at + done, file->batch.len - done,
                           (off_t)(file->bytes + done));
        }
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            return failed(file, "write", why);
        }
        done += (size_t)wrote;
    }
    if (fault_hit(FAULT_SYNC) || fdatasync(file->file) != 0) {
        return failed(file, "sync", why);
    }
    return OK;
}

// The full file gets its number; the next one begins empty. The folder is synced so that the name stays.
static enum status rotate(struct ndjson *file, struct error *why)
{
    char from[PATH_BYTES];
    char to[PATH_BYTES];
    char name[64];
    name_of(file->next_number, name);
    path_of(file, CURRENT, from);
    path_of(file, name, to);
    if (fault_hit(FAULT_RENAME) || rename(from, to) != 0) {
        return failed(file, "rotate", why);
    }
    file->next_number++;
    close(file->file);
    enum status status = open_current(file, 0, why);
    sync_folder(file);
    return status;
}

enum status ndjson_flush(struct ndjson *file, struct error *why)
{
    if (file->batch.len == 0) {
        return OK;
    }
    if (file->file < 0) { // an earlier rotation could not open the next file
        enum status status = open_current(file, 0, why);
        if (status != OK) {
            take_back(file);
            return status;
        }
    }
    enum status status = write_batch(file, why);
    if (status != OK) {
        take_back(file);
        return status;
    }
    file->bytes += file->batch.len;
    file->fresh_count = 0;
    buf_reset(&file->batch);
    if (file->bytes >= file->rotate_bytes) {
        struct error ignored; // the lines are safe; rotation is tried again at the next flush
        (void)rotate(file, &ignored);
    }
    return OK;
}

uint64_t ndjson_count(const struct ndjson *file)
{
    return file->known.count;
}
