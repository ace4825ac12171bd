// What only looks like a time expression.
#ifndef COPYDESK_DATES_FILTER_H
#define COPYDESK_DATES_FILTER_H

#include "services/dates/resolve.h"

// Why the expression, which has this result, is no time expression; NULL when it is one. The sentence is for --explain.
const char *filter_refuses(const struct resolver *resolver, const struct frame *frame,
                           const struct result *result);

#endif
