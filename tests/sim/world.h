// A newsroom in one process: clients, broker, workers, sinks, disk, network and clock, all from one seed.
//
// The broker's core, its journal and recovery, the worker runtime and the client are the code that runs in production;
// only what they stand on is simulated. Time jumps from event to event, so that a day passes in a moment. The same
// seed gives the same day, to the last message.
//
// Faults: the broker, workers and sinks die at any moment and come back; connections are cut and messages on them
// lost; nodes freeze and move again; the broker's clock is set; the disk is full for a while, fails to sync, or is torn when
// the machine stops; an article kills whoever works on it.
//
// What is checked at the end of the day, after the faults have stopped and everything had time to drain
//   - an article the client was told is accepted is in every sink, or a later version of it is, or it is a dead
//     letter (lost = 0)
//   - what a sink gets is the document put under that id and version, with a section of every stage
//   - no sink got an article before its embargo
//   - once a kill is accepted, no sink writes a later version of the story, and once it has a newer version that was
//     accepted, it gets no older one
//   - nothing is under way any more, and the invariants of queue and core hold all the time
#ifndef COPYDESK_SIM_WORLD_H
#define COPYDESK_SIM_WORLD_H

#include <stdbool.h>
#include <stdint.h>

struct sim_options {
    uint64_t seed;
    bool trace;        // print what happens, a line an event
    uint32_t articles; // versions that each client hands over
    uint32_t faults;   // how many things go wrong
    bool check;        // assert the invariants after every event
};

struct sim_report {
    uint64_t accepted;  // versions the clients were told are safe
    uint64_t delivered; // writes of sinks
    uint64_t dead, superseded, refused;
    uint64_t lost, leaked, revived, mixed, overtaken;
    uint64_t
        again; // deliveries a sink knew already by id and version; that it does not write them is tested
               // on the real export (tests/unit/test_ndjson.c, tests/system/chaos), not here
    uint64_t events, messages;
    uint64_t broker_deaths, worker_deaths, sink_deaths, cuts, full_disks, torn_tails, poison;
    uint64_t clock_jumps, freezes, failed_syncs, slow_disks;
    int64_t simulated_ms;
    bool drained;
};

// Runs one day. False when something was lost, leaked, revived or did not drain.
bool sim_run(const struct sim_options *options, struct sim_report *report);

#endif
