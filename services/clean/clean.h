#ifndef COPYDESK_CLEAN_H
#define COPYDESK_CLEAN_H

#include "common/stage.h"

extern const struct stage clean_stage;

#endif
