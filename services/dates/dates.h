#ifndef COPYDESK_DATES_H
#define COPYDESK_DATES_H

#include "common/stage.h"

extern const struct stage dates_stage;

#endif
