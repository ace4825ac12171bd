// Where results go: standard output, or a file that appears only when it is complete.
#ifndef COPYDESK_OUTPUT_H
#define COPYDESK_OUTPUT_H

#include "common/status.h"
#include "common/view.h"

struct output;

// Opens `path`, or standard output when it is NULL. A file is written beside its place under a temporary name; what
// stood at `path` stays until output_commit, and until then a signal that ends the program leaves nothing behind. Links are
// followed; a device or pipe is written in place. ERR_IO names the cause and what to do.
MUST_CHECK enum status output_open(struct output **out, const char *path, struct error *why);

// Appends. Buffered: see output_flush. ERR_IO when the disk is full, the reader has gone, ...; every later
// call fails in the same way.
MUST_CHECK enum status output_write(struct output *output, struct view bytes, struct error *why);
MUST_CHECK enum status output_flush(struct output *output, struct error *why);

// Flushes; a file is synced to disk and renamed to its place in one step.
MUST_CHECK enum status output_commit(struct output *output, struct error *why);

// Closes. A file that was not committed is deleted. NULL is fine.
void output_close(struct output *output);

#endif
