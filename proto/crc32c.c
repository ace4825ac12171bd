#include "proto/crc32c.h"

#include <string.h>

// One step of the polynomial 0x1edc6f41, bits reflected.
#define BIT(c)   ((c) >> 1 ^ (0x82f63b78u & (0u - ((c)&1u))))
#define BYTE(c)  BIT(BIT(BIT(BIT(BIT(BIT(BIT(BIT((uint32_t)(c)))))))))
#define ROW4(c)  BYTE(c), BYTE((c) + 1), BYTE((c) + 2), BYTE((c) + 3)
#define ROW16(c) ROW4(c), ROW4((c) + 4), ROW4((c) + 8), ROW4((c) + 12)
#define ROW64(c) ROW16(c), ROW16((c) + 16), ROW16((c) + 32), ROW16((c) + 48)

static const uint32_t table[256] = {ROW64(0), ROW64(64), ROW64(128), ROW64(192)};

uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len)
{
    const unsigned char *at = bytes;
    crc = ~crc;
    for (size_t i = 0; i < len; i++) {
        crc = table[(crc ^ at[i]) & 0xff] ^ crc >> 8;
    }
    return ~crc;
}

#if defined(__x86_64__)

__attribute__((target("sse4.2"))) static uint32_t crc32c_hardware(uint32_t crc, const void *bytes,
                                                                  size_t len)
{
    const unsigned char *at = bytes;
    uint64_t value = ~crc;
    for (; len >= 8; len -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        value = __builtin_ia32_crc32di(value, word);
    }
    crc = (uint32_t)value;
    if (len & 4) {
        uint32_t word;
        memcpy(&word, at, 4);
        crc = __builtin_ia32_crc32si(crc, word);
        at += 4;
    }
    for (len &= 3; len > 0; len--, at++) {
        crc = __builtin_ia32_crc32qi(crc, *at);
    }
    return ~crc;
}

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    return __builtin_cpu_supports("sse4.2") ? crc32c_hardware(crc, bytes, len)
                                            : crc32c_portable(crc, bytes, len);
}

#else

uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
    return crc32c_portable(crc, bytes, len);
}

#endif
