// What core.c and answer.c share: the core's state. Nobody else looks inside.
#ifndef COPYDESK_CORE_STATE_H
#define COPYDESK_CORE_STATE_H

#include "services/broker/core.h"
#include "services/broker/holding.h"
#include "services/broker/index.h"

enum { CORE_WORKER_LIMIT = 1024 };

// Someone who said HELLO over a connection.
struct peer {
    uint64_t number;
    uint8_t role;             // enum wire_role
    uint32_t stage;           // a worker's
    uint32_t credit_articles; // a worker: may be sent so many more
    int64_t credit_bytes;     // below zero by what the last article overdrew
    int64_t heard_ms, sent_ms, joined_ms;
    uint64_t messages; // sent to it
    uint64_t done;     // articles it completed
    char name[64];
    char stage_version[32];
};

// An acknowledgement that waits for the journal.
struct ack {
    uint64_t peer;
    uint64_t reference; // the client's number of the article
    uint64_t version;
    uint64_t handle; // ours, when it was accepted
    size_t bytes;    // credit to give back
    uint64_t safe_at;
    uint8_t outcome;
};

// A leased task that waits for its document to be read.
struct load {
    uint64_t handle;
    uint32_t attempt;
    uint32_t stage;
    uint64_t peer;
};

// First in, first out.
struct list {
    void *at;
    size_t first, end, room;
};

struct core {
    struct graph graph;
    struct core_config config;
    struct queue *queue;
    struct journal *journal;
    struct message message; // being built; one at a time
    struct index peers;
    struct peer *workers[CORE_WORKER_LIMIT];
    uint32_t worker_count;
    uint32_t turn; // where dispatch starts next
    uint64_t next_handle;
    struct list actions; // struct action
    struct list acks;    // struct ack
    struct list loads;   // struct load
    size_t document_bytes, section_bytes;
    uint64_t dropping; // segment that goes when the journal is durable up to `drop_at`; 0: none
    uint64_t drop_at;
    uint64_t moving; // segment whose stragglers are being written again
    int64_t gather_since_ms;
    int64_t retry_at_ms;
    bool disk_full, draining;
    uint64_t kills;               // accepted
    uint64_t unreadable;          // messages
    uint64_t outcomes[WIRE_DONE]; // of PUT, by enum wire_outcome
    struct {
        uint64_t complete, superseded, dead;
    } ended;
};

#endif
