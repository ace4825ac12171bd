// Read-only tables that people edit as text and the program maps as one file.
//
// Source: tables/LIST.txt in a stage's folder, UTF-8, lines "key" or "key<TAB>value", sorted by the bytes of the
// key, no doubles; lines that begin with '#' are comments, and the first ones name source and licence.
// The build compiles all lists of a stage into one file NAME.tables: versioned, checksummed, position independent.
#ifndef COPYDESK_TABLE_H
#define COPYDESK_TABLE_H

#include "common/status.h"
#include "common/view.h"

struct table; // one mapped file

// One list of a table. A plain value that borrows from its table.
struct table_list {
    const struct table *table;
    uint32_t entries_at, slots_at; // offsets into the file
    uint32_t count, slot_mask;
};

// Maps `folder`/`name`.tables read-only and checks size, version and checksum.
// ERR_CONFIG when it cannot be read (says which path and what builds it), ERR_VERSION, ERR_FORMAT.
MUST_CHECK enum status table_open(struct table **out, const char *folder, const char *name,
                                  struct error *why);

// Unmaps; NULL is fine.
void table_close(struct table *table);

// The list compiled from tables/`list`.txt. ERR_CONFIG when the table has none of that name.
MUST_CHECK enum status table_find_list(const struct table *table, const char *list,
                                       struct table_list *out, struct error *why);

// Looks `key` up; its value (empty when the line had none) goes to `*value`, which may be NULL.
// Constant time, one hash, bytes compared exactly.
bool table_find(const struct table_list *list, struct view key, struct view *value);

// The n-th line in key order, n below list->count.
void table_entry(const struct table_list *list, size_t n, struct view *key, struct view *value);

#endif
