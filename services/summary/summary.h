// The stage `summary`: a few sentences of the story, word for word, in their order.
//
// It notes `summary`: {"text", "sentences": [{"start", "end"}, ...], "method": "extractive"}; the text is the
// sentences joined by a space. "standfirst": {"text", "start", "end"} is the one sentence that says most by itself,
// where there is one. When there is nothing to choose from, the text is empty and "reason" says why.
// MODEL.md tells how the weights came about and how good the result is.
#ifndef COPYDESK_SUMMARY_H
#define COPYDESK_SUMMARY_H

#include "common/stage.h"

extern const struct stage summary_stage;

#endif
