// The files of the export sink: finished articles, one JSON object a line, each id and version once.
//
// A version that was run again has a number, its `rerun`, in its line: the line with the highest one holds. It is added behind the
// older one, which the next ndjson_open takes out.
//
// `current.ndjson` grows line by line; when it is large enough it is renamed to articles-NUMBER.ndjson and never touched
// again, but for that. A line is whole or absent: what a crash left of a last line is cut off at the next start. Every id and
// version already in the folder is known again after a restart, so a second delivery writes nothing.
#ifndef COPYDESK_NDJSON_H
#define COPYDESK_NDJSON_H

#include "common/status.h"
#include "common/view.h"

struct ndjson;

// Opens the folder, makes it when it is missing, locks it, and reads which articles are there: about a second a
// gigabyte, twice as long when lines of earlier runs are to be taken out. ERR_IO with cause and next step; ERR_UNREACHABLE when another export writes there.
MUST_CHECK enum status ndjson_open(struct ndjson **out, const char *folder, uint64_t rotate_bytes,
                                   struct error *why);

// Syncs nothing that was not flushed; NULL is fine.
void ndjson_close(struct ndjson *file);

// An article to be added.
struct ndjson_article {
    struct view id;
    uint64_t version;
    uint64_t rerun;   // 0: the first run of this version
    struct view line; // one JSON object, no newline; it says `rerun` itself when there is one
};

// Adds the line unless this id and version is there from the same or a later run. It is durable after ndjson_flush.
// `*added` tells whether it was new. ERR_FORMAT when the line holds a newline, ERR_MEMORY.
MUST_CHECK enum status ndjson_add(struct ndjson *file, const struct ndjson_article *article,
                                  bool *added, struct error *why);

// Writes what was added and makes it durable, then rotates when it is time. When it fails nothing that was added
// since the last flush counts, and it may be added again. ERR_FULL: no room; ERR_IO: anything else.
MUST_CHECK enum status ndjson_flush(struct ndjson *file, struct error *why);

// Articles known in the folder.
uint64_t ndjson_count(const struct ndjson *file);

#endif
