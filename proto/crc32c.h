// CRC-32C (Castagnoli, RFC 3720 appendix B.4): the checksum of journal records and compiled tables.
#ifndef COPYDESK_CRC32C_H
#define COPYDESK_CRC32C_H

#include <stddef.h>
#include <stdint.h>

// The checksum of `len` bytes, continuing from `crc` (0 to start). Uses the processor's instruction where
// there is one, else a table, a byte at a time; same result.
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

// The table version alone, for tests.
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
