// A compiled table with a good checksum and anything behind it: opening refuses it, or all of it can be asked.
#include "common/table.h"

#include "common/table_layout.h"
#include "proto/crc32c.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void ask(const struct table *table)
{
    static const char *const names[] = {"a", "b", "words"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct table_list list;
        if (table_find_list(table, names[i], &list, NULL) != OK) {
            continue;
        }
        for (size_t n = 0; n < list.count && n < 1000; n++) {
            struct view key, value;
            table_entry(&list, n, &key, &value);
            table_find(&list, key, &value);
        }
        table_find(&list, VIEW("missing"), NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char bytes[4096] = TABLE_MAGIC;
    char path[64];
    struct table *table;
    size_t len = TABLE_CHECKED_FROM + size;
    if (len < TABLE_HEADER_SIZE || len > sizeof bytes) {
        return 0;
    }
    memcpy(bytes + TABLE_CHECKED_FROM, data, size);
    table_put_u32(bytes + 8, TABLE_VERSION);
    table_put_u32(bytes + 16, (uint32_t)len);
    table_put_u32(bytes + 12, crc32c(0, bytes + TABLE_CHECKED_FROM, len - TABLE_CHECKED_FROM));
    snprintf(path, sizeof path, "/dev/shm/fuzz_table_%d.tables", (int)getpid());
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(bytes, 1, len, file) != len || fclose(file) != 0) {
        abort();
    }
    snprintf(path, sizeof path, "fuzz_table_%d", (int)getpid());
    if (table_open(&table, "/dev/shm", path, NULL) == OK) {
        ask(table);
    }
    table_close(table);
    return 0;
}
