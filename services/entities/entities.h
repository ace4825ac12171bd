// The stage `entities`: persons, organisations, places and the like, each with every place that names it.
#ifndef COPYDESK_ENTITIES_H
#define COPYDESK_ENTITIES_H

#include "common/stage.h"

extern const struct stage entities_stage;

#endif
