// Finds the sentences that cannot stand in a summary, and why.
#ifndef COPYDESK_SUMMARY_FAULTS_H
#define COPYDESK_SUMMARY_FAULTS_H

#include "services/summary/story.h"

// Sets `fault`, `dangling` and `place` of every sentence, and story->usable. Linear in the text.
void faults_mark(struct story *story);

// Counts places anew, taking sentences with `forgiven` for usable too.
void faults_forgive(struct story *story, enum fault forgiven);

#endif
