// The journal's files: one folder, one file a segment, one writer.
//
// Files are named journal-NUMBER.cdj with twelve digits. A lock file keeps a second broker out.
#ifndef COPYDESK_DISK_FILE_H
#define COPYDESK_DISK_FILE_H

#include "services/broker/journal.h"

struct disk_file;

// Opens the folder, makes it when it is missing, and locks it unless `read_only`.
// ERR_IO names what failed and the next step; ERR_UNREACHABLE when another broker holds the lock.
MUST_CHECK enum status disk_file_open(struct disk_file **out, const char *folder, bool read_only,
                                      struct error *why);
void disk_file_close(struct disk_file *disk); // NULL is fine

// The calls recovery needs. Borrows `disk`.
struct disk disk_file_calls(struct disk_file *disk);

// Writes a batch and makes it durable: data, and for a fresh segment its name in the folder. One thread at a
// time. ERR_FULL: no room, and nothing of the batch counts; it may be tried again at the same place. ERR_IO: a
// write or sync failed otherwise: what is on disk is unknown, and a second sync would lie.
MUST_CHECK enum status disk_file_write(struct disk_file *disk, const struct journal_commit *commit,
                                       struct error *why);

// Reads the bytes at `place` into `to`, which has room for them.
MUST_CHECK enum status disk_file_read(struct disk_file *disk, struct journal_place place, void *to,
                                      struct error *why);

// Deletes a segment. A failure only leaves the file: it is dropped again after the next start.
void disk_file_drop(struct disk_file *disk, uint64_t segment);

#endif
