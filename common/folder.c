#include "common/folder.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static bool make_one(const char *path)
{
    return mkdir(path, 0750) == 0 || errno == EEXIST;
}

enum status folder_make(const char *path, struct error *why)
{
    char part[PATH_MAX];
    if (strlen(path) == 0 || strlen(path) >= sizeof part) {
        return error_set(why, ERR_LIMIT, "'%.60s' is no name for a folder", path);
    }
    snprintf(part, sizeof part, "%s", path);
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (!make_one(part)) {
            break; // the last part tells
        }
        *slash = '/';
    }
    if (!make_one(part)) {
        return error_set(why, ERR_IO, "cannot make the folder %s: %s", part, strerror(errno));
    }
    return OK;
}
