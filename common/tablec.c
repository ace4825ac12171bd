// Compiles the tables/*.txt of a stage to one file for common/table.c: tablec OUT LIST.txt...
//
// Refuses what a person got wrong, with file and line: no header comment, keys out of order or twice, empty
// lines, white space at the end, bytes that are not UTF-8. common/table_layout.h tells how OUT lies.
// A tool of the build that runs for a moment: what it reads is kept in one arena until it ends.
#include "common/buf.h"
#include "common/table_layout.h"
#include "common/utf8.h"
#include "common/vec.h"
#include "proto/crc32c.h"

#include "common/status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_LIMIT ((size_t)1 << 30)

struct line {
    struct view key, value;
};

struct list {
    const char *path;
    struct view name;
    struct {
        struct line *at;
        size_t len, cap;
    } lines;
};

static enum status read_file(struct arena *arena, const char *path, struct view *text,
                             struct error *why)
{
    enum status status = OK;
    char *bytes = NULL;
    FILE *file = fopen(path, "rb");
    if (!file) {
        return error_set(why, ERR_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    }
    long size = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (size < 0 || fseek(file, 0, SEEK_SET) != 0) {
        status = error_set(why, ERR_IO, "cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    bytes = arena_alloc(arena, (size_t)size + 1);
    if (!bytes) {
        status = error_set(why, ERR_LIMIT, "%s is larger than the limit", path);
        goto done;
    }
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        status = error_set(why, ERR_IO, "cannot read %s", path);
        goto done;
    }
    *text = (struct view){bytes, (size_t)size};
done:
    fclose(file);
    return status;
}

// What is wrong with the line, or NULL.
static const char *fault_of(struct view line, struct view key)
{
    if (line.len == 0) {
        return "empty line";
    }
    if (key.len == 0) {
        return "no key before the tab";
    }
    if (utf8_invalid_at(line) < line.len) {
        return "not UTF-8";
    }
    char last = line.at[line.len - 1];
    if (last == ' ' || last == '\r' || last == '\t' || key.at[key.len - 1] == ' ') {
        return "white space at the end of the line or of the key";
    }
    return NULL;
}

static enum status add_line(struct arena *arena, struct list *list, size_t number, struct view text,
                            struct error *why)
{
    size_t tab = view_find(text, VIEW("\t"), 0);
    struct view key = view_slice(text, 0, tab);
    const char *fault = fault_of(text, key);
    if (fault) {
        return error_set(why, ERR_FORMAT, "%s:%zu: %s", list->path, number, fault);
    }
    if (list->lines.len > 0) {
        struct view before = list->lines.at[list->lines.len - 1].key;
        int order = view_compare(before, key);
        if (order >= 0) {
            return error_set(why, ERR_FORMAT, "%s:%zu: '%.*s' %s '%.*s'; use LC_ALL=C sort",
                             list->path, number, VIEW_ARGS(key),
                             order == 0 ? "stands twice, after" : "must stand before",
                             VIEW_ARGS(before));
        }
    }
    struct line line = {key, view_slice(text, tab + 1, text.len)};
    return vec_push(arena, &list->lines, line) ? OK : ERR_LIMIT;
}

static struct view base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    struct view name = view_of(slash ? slash + 1 : path);
    return view_ends(name, VIEW(".txt")) ? view_slice(name, 0, name.len - 4) : name;
}

static enum status read_list(struct arena *arena, struct list *list, const char *path,
                             struct error *why)
{
    struct view rest = {0};
    *list = (struct list){.path = path, .name = base_name(path)};
    enum status status = read_file(arena, path, &rest, why);
    if (status == OK && !view_starts(rest, VIEW("#"))) {
        status = error_set(why, ERR_FORMAT,
                           "%s:1: the first line must be a comment: '# source and licence'", path);
    }
    for (size_t number = 1; status == OK && rest.len > 0; number++) {
        size_t end = view_find(rest, VIEW("\n"), 0);
        struct view text = view_slice(rest, 0, end);
        rest = view_slice(rest, end + 1, rest.len);
        if (!view_starts(text, VIEW("#"))) {
            status = add_line(arena, list, number, text, why);
        }
    }
    return status;
}

static void add_u32(struct buf *out, uint32_t value)
{
    unsigned char bytes[4];
    table_put_u32(bytes, value);
    buf_add(out, (struct view){(const char *)bytes, sizeof bytes});
}

static void put_u32(struct buf *out, size_t at, size_t value)
{
    if (!out->full) {
        table_put_u32((unsigned char *)out->at + at, (uint32_t)value);
    }
}

static void add_zeros(struct buf *out, size_t count)
{
    char *room = buf_reserve(out, count);
    if (room) {
        memset(room, 0, count);
        out->len += count;
    }
}

// At most half of the slots are taken.
static uint32_t slots_for(size_t entries)
{
    uint32_t slots = 2;
    while (slots < entries * 2) {
        slots *= 2;
    }
    return slots;
}

static void fill_slots(struct buf *out, const struct list *list, size_t slots_at, uint32_t mask)
{
    for (size_t n = 0; n < list->lines.len && !out->full; n++) {
        uint64_t hash = view_hash(list->lines.at[n].key);
        uint32_t slot = (uint32_t)hash & mask;
        unsigned char *at = (unsigned char *)out->at + slots_at;
        while (table_get_u32(at + (size_t)slot * TABLE_SLOT_SIZE + 4) != 0) {
            slot = (slot + 1) & mask;
        }
        put_u32(out, slots_at + (size_t)slot * TABLE_SLOT_SIZE, (uint32_t)(hash >> 32));
        put_u32(out, slots_at + (size_t)slot * TABLE_SLOT_SIZE + 4, n + 1);
    }
}

static void add_list(struct buf *out, const struct list *list, size_t record_at)
{
    uint32_t slots = slots_for(list->lines.len);
    size_t name_at = out->len;
    buf_add(out, list->name);
    size_t text_at = out->len;
    for (size_t n = 0; n < list->lines.len; n++) {
        buf_add(out, list->lines.at[n].key);
        buf_add(out, list->lines.at[n].value);
    }
    add_zeros(out, -out->len & 7);
    size_t entries_at = out->len;
    for (size_t n = 0; n < list->lines.len; n++) {
        struct line line = list->lines.at[n];
        add_u32(out, (uint32_t)text_at);
        add_u32(out, (uint32_t)line.key.len);
        add_u32(out, (uint32_t)line.value.len);
        text_at += line.key.len + line.value.len;
    }
    add_zeros(out, -out->len & 7);
    size_t slots_at = out->len;
    add_zeros(out, (size_t)slots * TABLE_SLOT_SIZE);
    fill_slots(out, list, slots_at, slots - 1);

    const size_t record[] = {name_at,         list->name.len, entries_at,
                             list->lines.len, slots_at,       slots - 1};
    for (size_t i = 0; i < sizeof record / sizeof record[0]; i++) {
        put_u32(out, record_at + i * 4, record[i]);
    }
}

static void compile(struct buf *out, const struct list *lists, size_t count)
{
    buf_add(out, VIEW(TABLE_MAGIC));
    add_zeros(out, TABLE_HEADER_SIZE - out->len + count * TABLE_LIST_SIZE);
    for (size_t n = 0; n < count; n++) {
        add_list(out, &lists[n], TABLE_HEADER_SIZE + n * TABLE_LIST_SIZE);
    }
    put_u32(out, 8, TABLE_VERSION);
    put_u32(out, 16, out->len);
    put_u32(out, 20, count);
    put_u32(out, 24, TABLE_HEADER_SIZE);
    if (!out->full) {
        put_u32(out, 12, crc32c(0, out->at + TABLE_CHECKED_FROM, out->len - TABLE_CHECKED_FROM));
    }
}

// Writes beside the target first, so that an interrupted build leaves no half table.
static enum status write_file(const char *path, struct view bytes, struct error *why)
{
    char beside[1024];
    int len = snprintf(beside, sizeof beside, "%s.new", path);
    if (len < 0 || (size_t)len >= sizeof beside) {
        return error_set(why, ERR_USAGE, "%s: too long a name", path);
    }
    FILE *file = fopen(beside, "wb");
    if (!file) {
        return error_set(why, ERR_IO, "cannot write %s: %s", beside, strerror(errno));
    }
    bool written = fwrite(bytes.at, 1, bytes.len, file) == bytes.len;
    written = fclose(file) == 0 && written;
    if (!written || rename(beside, path) != 0) {
        return error_set(why, ERR_IO, "cannot write %s: %s", path, strerror(errno));
    }
    return OK;
}

static enum status run(struct arena *arena, struct buf *out, int argc, char **argv,
                       struct error *why)
{
    if (argc < 3) {
        return error_set(why, ERR_USAGE, "usage: tablec OUT LIST.txt...");
    }
    size_t count = (size_t)argc - 2;
    struct list *lists = arena_zalloc(arena, count, sizeof *lists);
    if (!lists) {
        return error_set(why, ERR_MEMORY, "no memory");
    }
    for (size_t n = 0; n < count; n++) {
        enum status status = read_list(arena, &lists[n], argv[n + 2], why);
        if (status != OK) {
            return status;
        }
    }
    compile(out, lists, count);
    if (out->full) {
        return error_set(why, ERR_LIMIT, "%s would be larger than the limit", argv[1]);
    }
    return write_file(argv[1], buf_view(out), why);
}

int main(int argc, char **argv)
{
    struct arena arena;
    struct buf out;
    struct error why = {"no memory"};
    arena_init(&arena, MEMORY_LIMIT);
    buf_init(&out, MEMORY_LIMIT);
    enum status status = run(&arena, &out, argc, argv, &why);
    if (status != OK) {
        fprintf(stderr, "%s\n", why.text);
    }
    buf_clear(&out);
    arena_clear(&arena);
    return status_exit_code(status);
}
