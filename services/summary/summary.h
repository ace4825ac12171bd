#ifndef COPYDESK_SUMMARY_H
#define COPYDESK_SUMMARY_H

#include "common/stage.h"

extern const struct stage summary_stage;

#endif
