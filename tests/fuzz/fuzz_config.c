// Any bytes as copydesk.ini: a sentence or a configuration, never a crash.
#include "common/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const struct config_key keys[] = {
    {.section = "a", .key = "text", .kind = CONFIG_TEXT},
    {.section = "a", .key = "count", .kind = CONFIG_INTEGER, .low = -5, .high = 5},
    {.section = "a", .key = "wait", .kind = CONFIG_DURATION},
    {.section = "a", .key = "room", .kind = CONFIG_BYTES},
    {.section = "a", .key = "on", .kind = CONFIG_BOOL},
    {.section = "b", .key = "list", .kind = CONFIG_LIST},
    {.section = "b", .key = "*", .kind = CONFIG_TEXT},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    char *argv[] = {"a"};
    struct config *config;
    struct error why = {""};
    struct buf out;
    snprintf(path, sizeof path, "/dev/shm/fuzz_config_%d.ini", (int)getpid());
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(data, 1, size, file) != size || fclose(file) != 0) {
        abort();
    }
    buf_init(&out, 1 << 22);
    if (config_load(&config, keys, sizeof keys / sizeof keys[0], path, 1, argv, &why) == OK) {
        config_print(config, &out);
        config_print_json(config, &out);
    } else if (!why.text[0]) {
        abort();
    }
    config_free(config);
    buf_clear(&out);
    return 0;
}
