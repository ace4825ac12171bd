#include "common/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    int exit_code;
} table[STATUS_COUNT] = {
    [OK] = {"ok", 0},
    [ERR_MEMORY] = {"memory", 70},
    [ERR_LIMIT] = {"limit", 65},
    [ERR_IO] = {"io", 73},
    [ERR_FORMAT] = {"format", 65},
    [ERR_VERSION] = {"version", 78},
    [ERR_USAGE] = {"usage", 2},
    [ERR_CONFIG] = {"config", 78},
    [ERR_NOT_FOUND] = {"not_found", 66},
    [ERR_UNREACHABLE] = {"unreachable", 69},
    [ERR_FULL] = {"full", 73},
};

enum status error_set(struct error *why, enum status status, const char *format, ...)
{
    if (why) {
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(why->text, sizeof why->text, format, arguments);
        va_end(arguments);
    }
    return status;
}

void error_prefix(struct error *why, const char *prefix)
{
    if (!why) {
        return;
    }
    struct error old = *why;
    snprintf(why->text, sizeof why->text, "%.200s: %.300s", prefix, old.text);
}

const char *status_name(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? table[status].name : "unknown";
}

int status_exit_code(enum status status)
{
    return (unsigned)status < STATUS_COUNT ? table[status].exit_code : 70;
}
