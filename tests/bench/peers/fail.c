#include "tests/bench/peers/peers.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void peer_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    _exit(1);
}

void *peer_memory(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory) {
        peer_fail("no memory");
    }
    return memory;
}
