// Little-endian numbers in bytes, on any machine and at any address.
#ifndef COPYDESK_BYTES_H
#define COPYDESK_BYTES_H

#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the formats are little-endian and read with memcpy: add byte swaps here for this machine"
#endif

static inline uint16_t get_u16(const void *at)
{
    uint16_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint32_t get_u32(const void *at)
{
    uint32_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline uint64_t get_u64(const void *at)
{
    uint64_t value;
    memcpy(&value, at, sizeof value);
    return value;
}

static inline void set_u16(void *at, uint16_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void set_u32(void *at, uint32_t value)
{
    memcpy(at, &value, sizeof value);
}

static inline void set_u64(void *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
}

#endif
