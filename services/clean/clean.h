// The stage `clean`: the text of an article out of its page, what was cut and why, and its metadata.
#ifndef COPYDESK_CLEAN_H
#define COPYDESK_CLEAN_H

#include "common/stage.h"

extern const struct stage clean_stage;

#endif
