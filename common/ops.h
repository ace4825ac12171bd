// The small HTTP endpoint of every service, for whoever operates it; in a thread of its own.
//
//     /healthz   200 while the service's loop ticks (at least every OPS_STALL_MS), else 503: restart it
//     /readyz    200 when every condition holds, else 503 with the reasons:
//                {"ready":false,"conditions":{"broker":"no answer from tcp://...","model":"ok"}}
//     /metrics   Prometheus text
//     /version   {"name":"copydesk","version":"0.1.0"}
//     and fixed pages of the service, such as /api/config
#ifndef COPYDESK_OPS_H
#define COPYDESK_OPS_H

#include "common/metrics.h"
#include "common/status.h"

#define OPS_DEFAULT_LISTEN "127.0.0.1:9750"

enum {
    OPS_STALL_MS = 2000,
    OPS_CONDITION_LIMIT = 16,
    OPS_PAGE_LIMIT = 8,
    OPS_REASON_SIZE = 200,
};

struct ops;

// Starts listening on "host:port" ("[::1]:9750", "127.0.0.1:0" for any free port) and counts a first tick.
// `metrics` is borrowed and must outlive it; NULL leaves /metrics empty.
// ERR_UNREACHABLE when the port is taken, ERR_USAGE when the address cannot be read.
MUST_CHECK enum status ops_open(struct ops **out, const char *listen, struct metrics *metrics,
                                struct error *why);

// Stops the thread and frees everything; NULL is fine.
void ops_close(struct ops *ops);

// The port it listens on.
uint16_t ops_port(const struct ops *ops);

// Called by the service's loop at least once a second. One atomic store; NULL is fine.
void ops_tick(struct ops *ops);

// Sets a condition of /readyz: `reason` says why it does not hold, NULL or "" that it does. A service names all
// its conditions before it starts to work. Names are literals and live on. NULL `ops` is fine.
void ops_condition(struct ops *ops, const char *name, const char *reason);

// The same for what a person should know and the service cannot help: it is told, and /readyz stays 200. A broker
// that turned 503 for want of workers would hide from the workers that look for it.
void ops_note(struct ops *ops, const char *name, const char *reason);

// Gives out a copy of `body` under `path`. Later calls with the same path replace it. NULL `ops` is fine.
void ops_page(struct ops *ops, const char *path, const char *content_type, struct view body);

#endif
