// A simulated disk for the journal: what was synced survives a crash, what was not may survive in part.
#ifndef COPYDESK_SIM_DISK_H
#define COPYDESK_SIM_DISK_H

#include "services/broker/journal.h"

enum { SIM_SEGMENTS = 4096 };

struct sim_segment {
    uint64_t number; // 0: not there
    uint8_t *bytes;
    size_t len, room;
};

struct sim_disk {
    struct sim_segment segments[SIM_SEGMENTS];
    size_t count;
    uint64_t cuts; // torn tails that recovery cut off
};

void sim_disk_clear(struct sim_disk *disk);

// The calls recovery needs.
struct disk sim_disk_calls(struct sim_disk *disk);

// The batch is written and synced: all of it is there from now on.
void sim_disk_write(struct sim_disk *disk, const struct journal_commit *commit);

// The machine stops while the batch is being written. `luck` picks what is left of it: nothing, a beginning,
// all of it, or all but a hole of zeros in the middle.
void sim_disk_crash(struct sim_disk *disk, const struct journal_commit *commit, uint64_t luck);

// Reads a record; the view borrows from the disk.
struct view sim_disk_read(const struct sim_disk *disk, struct journal_place place);

void sim_disk_drop(struct sim_disk *disk, uint64_t segment);

#endif
