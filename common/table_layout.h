// How a compiled table lies in its file: shared by common/tablec.c, which writes it, and common/table.c.
//
// All numbers are 32-bit little-endian, all offsets count from the start of the file.
//
//     header   0  "CDTABLE\n"
//              8  version (TABLE_VERSION)
//             12  CRC-32C of everything from byte 16 on
//             16  size of the file
//             20  number of lists
//             24  where the list records are
//             28  0
//     list     0  where its name is, 4 length of the name
//              8  where its entries are, 12 how many
//             16  where its slots are, 20 number of slots - 1 (a power of two, more than entries)
//     entry    0  where its key is; the value follows the key
//              4  length of the key, 8 length of the value
//     slot     0  upper half of the key's view_hash, 4 number of the entry + 1, or 0: empty
//
// Entries stand in the order of their keys. A key is looked for from slot (lower half of its hash & mask) on,
// one by one, up to the first empty slot. The hash half in the slot spares nearly every useless comparison.
// Changing this layout? Raise TABLE_VERSION; tables are rebuilt with the program, so no old reader is kept.
#ifndef COPYDESK_TABLE_LAYOUT_H
#define COPYDESK_TABLE_LAYOUT_H

#include <stdint.h>
#include <string.h>

#define TABLE_MAGIC "CDTABLE\n"

enum {
    TABLE_VERSION = 1,
    TABLE_HEADER_SIZE = 32,
    TABLE_LIST_SIZE = 24,
    TABLE_ENTRY_SIZE = 12,
    TABLE_SLOT_SIZE = 8,
    TABLE_CHECKED_FROM = 16, // what the checksum covers
};

static inline uint32_t table_get_u32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline void table_put_u32(unsigned char *at, uint32_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
    at[2] = (unsigned char)(value >> 16);
    at[3] = (unsigned char)(value >> 24);
}

#endif
