// Folders that a service keeps its files in.
#ifndef COPYDESK_FOLDER_H
#define COPYDESK_FOLDER_H

#include "common/status.h"

// Makes the folder at `path` and those above it that are missing, readable by the owner's group and nobody else; one that
// is there already is fine. ERR_IO with the part that could not be made and why; ERR_LIMIT when the path is too long.
MUST_CHECK enum status folder_make(const char *path, struct error *why);

#endif
