// Finds the sentences that cannot stand in a summary, and why.
#ifndef COPYDESK_SUMMARY_FAULTS_H
#define COPYDESK_SUMMARY_FAULTS_H

#include "services/summary/story.h"

// Sets `fault`, `dangling` and `place` of every sentence, and story->usable. Linear in the text.
//
// Columns are written in the first person, some reports in endless sentences: where hardly anything else is left
// these are usable, for they are better than nothing.
void faults_mark(struct story *story);

#endif
