#ifndef COPYDESK_ENTITIES_H
#define COPYDESK_ENTITIES_H

#include "common/stage.h"

extern const struct stage entities_stage;

#endif
