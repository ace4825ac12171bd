// Says when a session with the broker comes and goes, and while it is away how long it has been waiting and why.
//
// For the people who run it: the first line after two seconds, then one every ten, so that a restart of the
// broker is quiet and a wrong address is not.
#ifndef COPYDESK_CONTACT_H
#define COPYDESK_CONTACT_H

#include "common/log.h"
#include "common/ops.h"
#include "services/session.h"

struct contact {
    const struct log *log;
    struct ops *ops;     // its condition "broker" is kept up to date; NULL is fine
    const char *broker;  // address
    const char *purpose; // "serving dates": the line when it is up
    bool told_up, told_away;
    int64_t told_ms;
};

// To be called about once a second and whenever the session may have changed. May look for the reason with a connection of
// its own, for at most 0.2 s and only while there is none.
void contact_tell(struct contact *contact, const struct session *session, int64_t now_ms);

// Why the session is not up, in one sentence with the address. `why` is always written.
void contact_explain(const char *broker, const struct session *session, struct error *why);

#endif
