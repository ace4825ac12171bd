// A simulated disk for the journal: what was synced survives a crash, what was not may survive in part. At rest a bit
// may flip; whoever keeps copies can bring the segment back.
#ifndef COPYDESK_SIM_DISK_H
#define COPYDESK_SIM_DISK_H

#include "services/broker/journal.h"

// Segments that there may be at one time; they are numbered without gaps.
enum { SIM_SEGMENTS = 1024 };

struct sim_segment {
    uint64_t number; // 0: not there
    uint8_t *bytes;
    size_t len, room;
    size_t last_batch; // where the last one that was synced begins
    size_t end;        // where it ends
    size_t batches;    // synced
    size_t flipped_at;
    uint8_t flipped; // the bit that is wrong there; 0: the segment is sound
};

struct sim_disk {
    struct sim_segment segments[SIM_SEGMENTS]; // by number
    uint64_t first, last;                      // numbers; both 0: empty
    struct sim_segment spare; // the file dropped last, which becomes the next segment
    uint64_t cuts;            // torn tails that recovery cut off
    bool unreadable;          // every read fails
};

void sim_disk_clear(struct sim_disk *disk);

// The calls recovery needs.
struct disk sim_disk_calls(struct sim_disk *disk);

// The batch is written and synced: all of it is there from now on.
void sim_disk_write(struct sim_disk *disk, const struct journal_commit *commit);

// The machine stops while the batch is being written. `luck` picks what is left of it: nothing, a beginning,
// all of it, or all but a hole in the middle, where zeros stand or what the file held before.
void sim_disk_crash(struct sim_disk *disk, const struct journal_commit *commit, uint64_t luck);

// Reads a record; the view borrows from the disk, and is empty when it cannot be read.
struct view sim_disk_read(const struct sim_disk *disk, struct journal_place place);

void sim_disk_drop(struct sim_disk *disk, uint64_t segment);

// Flips a bit of a batch that is not the last one: a damaged last batch cannot be told from a torn one. False when
// there is no such batch in the segment `luck` picks, or it is damaged already. Tells where the bit is.
bool sim_disk_flip(struct sim_disk *disk, uint64_t luck, uint64_t *number, size_t *at);

// True when some segment is damaged.
bool sim_disk_is_damaged(const struct sim_disk *disk);

// Brings back a damaged segment as it was before; false when it is sound.
bool sim_disk_restore(struct sim_disk *disk, uint64_t segment);

#endif
