// A document made ready for the broker: checked, with what the envelope must say about it.
//
// The broker never looks into documents. What it acts on (version, urgency, kill, embargo, trace) is read here once, by whoever
// lets the document in.
#ifndef COPYDESK_PARCEL_H
#define COPYDESK_PARCEL_H

#include "common/article.h"
#include "common/buf.h"
#include "common/trace.h"
#include "services/client_core.h"

// Fills `out` from the document `json`, which becomes an article in `article` (article_init was called; article_clear remains to be).
// Views in `out` borrow from `json`, the article and `printed`, which receives the document anew when it had no id and `default_id` was
// taken. An article without a traceparent begins a trace of its own. `out->tag` is left to the caller.
// ERR_FORMAT and ERR_LIMIT as article_accept; also for a pubstatus or an embargo that cannot be read, which must not be guessed.
MUST_CHECK enum status parcel_make(struct client_article *out, struct article *article,
                                   struct view json, struct view default_id,
                                   struct trace_random random, struct buf *printed,
                                   struct error *why);

#endif
