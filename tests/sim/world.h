// A newsroom in one process: clients, broker, workers, sinks, their disks, network and clock, all from one seed.
//
// The broker's core, its journal and recovery, the worker runtime and the client are the code that runs in production;
// only what they stand on is simulated. Time jumps from event to event, so that a day passes in a moment. The same
// seed gives the same day, to the last message.
//
// Faults
//   - processes: the broker, workers and sinks die at any moment and come back, some in silence, so that nobody learns
//     it from the connection; nodes freeze and move again; an article kills whoever works on it
//   - network: connections are cut with what is on them, an acknowledgement among it (the client sends again);
//     messages of a node are late
//   - the broker's disk: full for a while, slow, fails to sync, cannot be read, is torn when the machine stops, loses a
//     bit at rest (recovery must refuse and name the segment, which then comes from a copy)
//   - the sinks' disks: full, slow, and without what was not synced after a crash
//   - the broker's clock is set, and its memory runs short
//
// What is checked, most of it as the day goes
//   - an article the client was told is accepted is in every sink, or a later version of it is, or it is a dead
//     letter (lost = 0); a sink has one line of it (doubled = 0)
//   - what a sink gets is the document put under that id and version, with a section of every stage that was made for
//     this article (mixed = 0) and not by an attempt that another one had replaced (stale = 0)
//   - what one sink had, and another had not, for some seconds when the broker was killed, it does not get again (repeated = 0)
//   - no sink got an article before its embargo (leaked = 0)
//   - once a kill is accepted, no sink writes a later version of the story (revived = 0), and once it has a newer
//     version that was accepted, it writes no older one (overtaken = 0)
//   - the broker's memory and disk keep their limits (over_limit = 0)
//   - when the faults have stopped everything drains within an hour, and the invariants of queue and core hold
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

// What is counted: a name for the summary, and whether a day with any of it is a failure.
//   lives      accepted, through every stage and in every sink
//   kills      accepted kills in every sink
//   resent     articles that clients sent again without an answer; duplicates: those the broker had
//   again      deliveries that a sink knew already and did not write
#define SIM_COUNTS(X)                                                                              \
    X(LOST, lost, true)                                                                            \
    X(DOUBLED, doubled, true)                                                                      \
    X(OVERTAKEN, overtaken, true)                                                                  \
    X(LEAKED, leaked, true)                                                                        \
    X(REVIVED, revived, true)                                                                      \
    X(MIXED, mixed, true)                                                                          \
    X(STALE, stale, true)                                                                          \
    X(REPEATED, repeated, true)                                                                    \
    X(OVER_LIMIT, over_limit, true)                                                                \
    X(UNNOTICED, damage_unnoticed, true)                                                           \
    X(STUCK, stuck, true)                                                                          \
    X(LIVES, lives, false)                                                                         \
    X(ACCEPTED, accepted, false)                                                                   \
    X(KILLS, kills, false)                                                                         \
    X(SUPERSEDED, superseded, false)                                                               \
    X(REFUSED, refused, false)                                                                     \
    X(DEAD_LETTERS, dead_letters, false)                                                           \
    X(SINK_LINES, sink_lines, false)                                                               \
    X(AGAIN, delivered_again, false)                                                               \
    X(RESENT, resent, false)                                                                       \
    X(DUPLICATES, duplicates, false)                                                               \
    X(EVENTS, events, false)                                                                       \
    X(MESSAGES, messages, false)                                                                   \
    X(BROKER_DEATHS, fault_broker_death, false)                                                    \
    X(WORKER_DEATHS, fault_worker_death, false)                                                    \
    X(SINK_DEATHS, fault_sink_death, false)                                                        \
    X(VANISHED, fault_peer_vanished, false)                                                        \
    X(POISON, fault_poison, false)                                                                 \
    X(FREEZES, fault_freeze, false)                                                                \
    X(CUTS, fault_cut, false)                                                                      \
    X(LOST_ACKS, fault_ack_lost, false)                                                            \
    X(DELAYS, fault_delay, false)                                                                  \
    X(FULL_DISKS, fault_disk_full, false)                                                          \
    X(SLOW_DISKS, fault_slow_sync, false)                                                          \
    X(FAILED_SYNCS, fault_sync_failed, false)                                                      \
    X(FAILED_READS, fault_read_failed, false)                                                      \
    X(TORN_TAILS, fault_torn_tail, false)                                                          \
    X(FLIPS, fault_bit_flip, false)                                                                \
    X(RESTORED, segments_restored, false)                                                          \
    X(SINK_FAILURES, fault_sink_disk, false)                                                       \
    X(CLOCK_JUMPS, fault_clock_jump, false)                                                        \
    X(SHORTAGES, fault_memory, false)

#define SIM_COUNT_ENUM(upper, lower, bad) SIM_##upper,
enum sim_count { SIM_COUNTS(SIM_COUNT_ENUM) SIM_COUNT };
#undef SIM_COUNT_ENUM

struct sim_report {
    uint64_t counts[SIM_COUNT];
    int64_t simulated_ms;
};

// The name of a count in summaries, and whether a day with any of it has failed.
const char *sim_count_name(enum sim_count count);
bool sim_count_is_bad(enum sim_count count);

// Runs one day. False when a promise was broken.
bool sim_run(const struct sim_options *options, struct sim_report *report);

#endif
