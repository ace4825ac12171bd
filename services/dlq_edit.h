// `copydesk dlq edit HANDLE|ID`: a dead letter's document, mended by hand, goes through the stages again.
#ifndef COPYDESK_DLQ_EDIT_H
#define COPYDESK_DLQ_EDIT_H

#include "common/config.h"

// Fetches the document of the dead letter `which` and has it edited: by $VISUAL, $EDITOR or vi on a readable copy in
// $TMPDIR, or, when the setting dlq.file names one, by taking that file's content (`-`: standard input). Then hands it back to
// the broker. Id, version, pubstatus, embargo and urgency must stay, for the broker acts on those it took at the door. What is refused
// leaves the dead letter as it was, and an editor's copy where it is. Returns the exit code: 0 when the edited document is on the
// broker's disk, 1 when there is no such dead letter, or nothing was changed, 65 for a document that cannot be taken.
int dlq_edit(const struct config *config, const char *which);

#endif
