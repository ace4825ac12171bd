// What the probe and its clients say to each other over ZeroMQ: [struct probe_head][bodies, one after the other].
#ifndef COPYDESK_PROBE_H
#define COPYDESK_PROBE_H

#include <stdint.h>

enum { PROBE_BATCH = 16, PROBE_CREDIT = 64 };

enum probe_type {
    PROBE_READY,  // worker: PROBE_CREDIT messages may come
    PROBE_PUT,    // ingest: new articles
    PROBE_STORED, // to the ingest: so many of them are on disk
    PROBE_WORK,   // to a worker
    PROBE_RESULT, // worker: the same articles, done
};

struct probe_head {
    uint32_t type;
    uint32_t queue; // 1.., the queue the articles come from
    uint32_t count; // articles
    uint32_t body_bytes;
};

#endif
