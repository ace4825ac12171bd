// The journal's files: one folder, one file a segment, one writer.
//
// Files are named journal-NUMBER.cdj with twelve digits. A lock file keeps a second broker out.
//
// The file of a dropped segment becomes the next one (journal-spare.cdj in between, one at most, gone at the next
// start). Syncing bytes that replace others writes no metadata, syncing a file that grows does, and waits for what
// others changed on the same file system. On ext4, CPU seconds per 1000 syncs: one 4 KB article each, .036 instead of
// .057-.084; 64 articles each, .07 instead of .14-.17. While others write, p50 of a lone article's sync at 400/s .25-.3 ms
// instead of .4-1.9. Before there is a spare, a small batch that makes the file grow writes 1 MiB of zeros behind itself,
// for the next ones: as good for small batches, .050-.080 where plain appending cost .106-.123 in the same rounds. Closing
// cuts what is behind the last batch.
//
// Left out: fallocate (.050-.070: its extents are unwritten, which is metadata as well) and whole files of zeros (.014-.03
// CPU seconds for 64 MiB: all that is saved in a flood, and a long write that the next commits wait for).
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

// Writes a batch and makes it durable: for a fresh segment its name in the folder, then the data. One thread at a
// time; another may read and drop meanwhile. ERR_FULL: no room, and nothing of the batch counts; it may be tried again at the same place. ERR_IO: a
// write or sync failed otherwise: what is on disk is unknown, and a second sync would lie.
MUST_CHECK enum status disk_file_write(struct disk_file *disk, const struct journal_commit *commit,
                                       struct error *why);

// Reads the bytes at `place` into `to`, which has room for them.
MUST_CHECK enum status disk_file_read(struct disk_file *disk, struct journal_place place, void *to,
                                      struct error *why);

// Takes a segment away, or keeps its file as the spare. Segments are dropped in order. A failure only leaves the file:
// it is tried again with the next drop, and until then the later ones stay too, for recovery refuses a gap.
void disk_file_drop(struct disk_file *disk, uint64_t segment);

#endif
