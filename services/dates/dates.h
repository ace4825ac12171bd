// The stage `dates`: the time expressions of a text, resolved against the date of the article.
#ifndef COPYDESK_DATES_H
#define COPYDESK_DATES_H

#include "common/stage.h"

extern const struct stage dates_stage;

#endif
