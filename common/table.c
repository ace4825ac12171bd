// Maps compiled tables and looks keys up in them. common/table_layout.h tells how the file lies.
//
// Everything is checked once when the file is opened: checksum, and that every offset stays inside the file, every
// slot names an entry and at least one slot is empty. After that a look-up needs no checks and always ends.
#include "common/table.h"

#include "common/table_layout.h"
#include "proto/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct table {
    const unsigned char *bytes;
    size_t size;
    char path[512]; // for messages
};

static const unsigned char *entry_of(const struct table_list *list, size_t n)
{
    return list->table->bytes + list->entries_at + n * TABLE_ENTRY_SIZE;
}

static const unsigned char *slot_of(const struct table_list *list, size_t n)
{
    return list->table->bytes + list->slots_at + n * TABLE_SLOT_SIZE;
}

static uint32_t list_count(const struct table *table)
{
    return table_get_u32(table->bytes + 20);
}

static const unsigned char *list_record(const struct table *table, uint32_t n)
{
    return table->bytes + table_get_u32(table->bytes + 24) + (size_t)n * TABLE_LIST_SIZE;
}

static struct table_list read_list(const struct table *table, uint32_t n)
{
    const unsigned char *record = list_record(table, n);
    return (struct table_list){
        .table = table,
        .entries_at = table_get_u32(record + 8),
        .count = table_get_u32(record + 12),
        .slots_at = table_get_u32(record + 16),
        .slot_mask = table_get_u32(record + 20),
    };
}

static struct view list_name(const struct table *table, uint32_t n)
{
    const unsigned char *record = list_record(table, n);
    return (struct view){(const char *)table->bytes + table_get_u32(record),
                         table_get_u32(record + 4)};
}

static bool inside(const struct table *table, uint64_t at, uint64_t count, uint64_t item_size)
{
    return at <= table->size && count * item_size <= table->size - at;
}

static bool entries_are_sound(const struct table *table, const struct table_list *list)
{
    for (uint32_t n = 0; n < list->count; n++) {
        const unsigned char *entry = entry_of(list, n);
        uint64_t len = (uint64_t)table_get_u32(entry + 4) + table_get_u32(entry + 8);
        if (!inside(table, table_get_u32(entry), len, 1)) {
            return false;
        }
    }
    return true;
}

// An empty slot must be left, else looking for a missing key would never end.
static bool slots_are_sound(const struct table_list *list)
{
    uint64_t used = 0;
    uint64_t slots = (uint64_t)list->slot_mask + 1;
    for (uint64_t n = 0; n < slots; n++) {
        uint32_t number = table_get_u32(slot_of(list, n) + 4);
        used += number != 0;
        if (number > list->count) {
            return false;
        }
    }
    return used == list->count && used < slots;
}

static bool list_is_sound(const struct table *table, uint32_t n)
{
    const unsigned char *record = list_record(table, n);
    struct table_list list = read_list(table, n);
    uint64_t slots = (uint64_t)list.slot_mask + 1;
    return inside(table, table_get_u32(record), table_get_u32(record + 4), 1) &&
           inside(table, list.entries_at, list.count, TABLE_ENTRY_SIZE) &&
           (slots & (slots - 1)) == 0 && inside(table, list.slots_at, slots, TABLE_SLOT_SIZE) &&
           entries_are_sound(table, &list) && slots_are_sound(&list);
}

static bool all_is_sound(const struct table *table)
{
    if (!inside(table, table_get_u32(table->bytes + 24), list_count(table), TABLE_LIST_SIZE)) {
        return false;
    }
    for (uint32_t n = 0; n < list_count(table); n++) {
        if (!list_is_sound(table, n)) {
            return false;
        }
    }
    return true;
}

static enum status check(const struct table *table, struct error *why)
{
    const unsigned char *bytes = table->bytes;
    if (table->size < TABLE_HEADER_SIZE || memcmp(bytes, TABLE_MAGIC, 8) != 0) {
        return error_set(why, ERR_FORMAT, "%s is not a compiled table", table->path);
    }
    uint32_t version = table_get_u32(bytes + 8);
    if (version != TABLE_VERSION) {
        return error_set(why, ERR_VERSION,
                         "%s is of version %u, this program reads version %d: build both together",
                         table->path, version, TABLE_VERSION);
    }
    uint32_t crc = crc32c(0, bytes + TABLE_CHECKED_FROM, table->size - TABLE_CHECKED_FROM);
    if (table_get_u32(bytes + 16) != table->size || table_get_u32(bytes + 12) != crc) {
        return error_set(why, ERR_FORMAT,
                         "%s is damaged (%zu bytes, checksum %08x): build it again", table->path,
                         table->size, crc);
    }
    if (!all_is_sound(table)) {
        return error_set(why, ERR_FORMAT, "%s has offsets outside the file: build it again",
                         table->path);
    }
    return OK;
}

static enum status map(struct table *table, struct error *why)
{
    enum status status = OK;
    struct stat stat;
    int file = open(table->path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return error_set(why, ERR_CONFIG,
                         "cannot read %s: %s; the build makes it, COPYDESK_DATA names its folder",
                         table->path, strerror(errno));
    }
    if (fstat(file, &stat) != 0 || stat.st_size <= 0 || stat.st_size > UINT32_MAX) {
        status = error_set(why, ERR_FORMAT, "%s is not a compiled table", table->path);
        goto done;
    }
    void *bytes = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    if (bytes == MAP_FAILED) {
        status = error_set(why, ERR_MEMORY, "cannot map %s: %s", table->path, strerror(errno));
        goto done;
    }
    table->bytes = bytes;
    table->size = (size_t)stat.st_size;
done:
    close(file);
    return status;
}

enum status table_open(struct table **out, const char *folder, const char *name, struct error *why)
{
    struct table *table = calloc(1, sizeof *table);
    *out = NULL;
    if (!table) {
        return error_set(why, ERR_MEMORY, "no memory for the table %s", name);
    }
    enum status status;
    int len = snprintf(table->path, sizeof table->path, "%s/%s.tables", folder, name);
    if (len < 0 || (size_t)len >= sizeof table->path) {
        status = error_set(why, ERR_CONFIG, "the folder of %s.tables has too long a name", name);
        goto done;
    }
    status = map(table, why);
    if (status != OK) {
        goto done;
    }
    status = check(table, why);
    if (status != OK) {
        goto done;
    }
    *out = table;
    table = NULL; // now the caller's
done:
    table_close(table);
    return status;
}

void table_close(struct table *table)
{
    if (!table) {
        return;
    }
    if (table->bytes) {
        munmap((void *)table->bytes, table->size);
    }
    free(table);
}

enum status table_find_list(const struct table *table, const char *list, struct table_list *out,
                            struct error *why)
{
    for (uint32_t n = 0; n < list_count(table); n++) {
        if (view_equal(list_name(table, n), view_of(list))) {
            *out = read_list(table, n);
            return OK;
        }
    }
    return error_set(why, ERR_CONFIG, "%s has no list '%s'; it is made from tables/%s.txt",
                     table->path, list, list);
}

void table_entry(const struct table_list *list, size_t n, struct view *key, struct view *value)
{
    const unsigned char *entry = entry_of(list, n);
    const char *text = (const char *)list->table->bytes + table_get_u32(entry);
    *key = (struct view){text, table_get_u32(entry + 4)};
    *value = (struct view){text + key->len, table_get_u32(entry + 8)};
}

bool table_find(const struct table_list *list, struct view key, struct view *value)
{
    uint64_t hash = view_hash(key);
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint32_t at = (uint32_t)hash & list->slot_mask;; at = (at + 1) & list->slot_mask) {
        const unsigned char *slot = slot_of(list, at);
        uint32_t number = table_get_u32(slot + 4);
        if (number == 0) {
            return false;
        }
        struct view found, found_value;
        if (table_get_u32(slot) != tag) {
            continue;
        }
        table_entry(list, number - 1, &found, &found_value);
        if (view_equal(found, key)) {
            if (value) {
                *value = found_value;
            }
            return true;
        }
    }
}
