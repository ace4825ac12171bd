// Which stored articles run again through the stages, and what of them is handed in.
//
// `copydesk reprocess` takes finished articles as the export wrote them, leaves out what a later stage would say the same of, and
// hands the rest in as they were at the door: the same id and version, in the backfill lane.
#ifndef COPYDESK_REPROCESS_H
#define COPYDESK_REPROCESS_H

#include "common/article.h"
#include "services/client_core.h"

struct reprocess {
    const char *
        stage; // chosen are those this stage did not end ok in this program's version; NULL: no such choice
    const char *stage_version;
    struct view older_stage;   // likewise in `older_version` or a later one; empty: no such choice
    struct view older_version; //
};

// Reads the flags --stage NAME and --older-than STAGE=VERSION; empty ones are not given, and without any every article is
// chosen. Borrows both. ERR_USAGE with what is wrong.
MUST_CHECK enum status reprocess_read(struct reprocess *out, const char *stage,
                                      const char *older_than, struct error *why);

// True when the article is one of those to run again. A killed story never is.
bool reprocess_wants(const struct reprocess *which, const struct article *article);

// Makes `out`, which parcel_make filled from `article`, the article of a second run: without what stages said, which goes to
// `printed`, and with flag and lane. ERR_LIMIT when it does not fit there. Only article_clear may follow on the article.
MUST_CHECK enum status reprocess_make(struct client_article *out, struct article *article,
                                      struct buf *printed, struct error *why);

// Below, at or above 0 as version `a` ("1.10.2") is before, the same as or after `b`: number by number, what is
// no number by its bytes.
int reprocess_compare(struct view a, struct view b);

#endif
