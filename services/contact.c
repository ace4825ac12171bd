#include "services/contact.h"

#include "services/door.h"

#include <stdio.h>

enum { FIRST_MS = 2000, AGAIN_MS = 10000, LOOK_MS = 200 };

void contact_explain(const char *broker, const struct session *session, struct error *why)
{
    struct error found = {""};
    bool unconnected = session->state == SESSION_DOWN || session->state == SESSION_PAUSING;
    if (!unconnected || !door_explain(broker, LOOK_MS, &found)) {
        found = session->why;
    }
    error_set(why, ERR_UNREACHABLE, "%.200s: %.280s", broker, found.text);
}

static void tell_away(struct contact *contact, const struct session *session, int64_t now_ms)
{
    struct error why;
    int64_t away_ms = now_ms - session->since_ms;
    int64_t since_told_ms = now_ms - contact->told_ms;
    if (away_ms < FIRST_MS || (contact->told_away && since_told_ms < AGAIN_MS)) {
        return;
    }
    contact_explain(contact->broker, session, &why);
    log_warning(contact->log, "waiting for the broker for %.0f s: %s", (double)away_ms / 1000,
                why.text);
    ops_condition(contact->ops, "broker", why.text);
    contact->told_away = true;
    contact->told_ms = now_ms;
}

void contact_tell(struct contact *contact, const struct session *session, int64_t now_ms)
{
    if (session->state == SESSION_REFUSED) {
        return;
    }
    if (session->state != SESSION_UP) {
        if (contact->told_up) {
            log_warning(contact->log, "lost the broker at %s: %s", contact->broker,
                        session->why.text);
            ops_condition(contact->ops, "broker", session->why.text);
            contact->told_up = false;
        }
        tell_away(contact, session, now_ms);
        return;
    }
    if (!contact->told_up) {
        log_info(contact->log, "%s, broker %s", contact->purpose, contact->broker);
        ops_condition(contact->ops, "broker", NULL);
    }
    contact->told_up = true;
    contact->told_away = false;
}
