// Trains a forest of boosted trees on rows of numbers (histogram method, leaf by leaf).
#ifndef COPYDESK_CLEAN_TRAIN_BOOST_H
#define COPYDESK_CLEAN_TRAIN_BOOST_H

#include "common/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct boost_data {
    size_t rows, columns;
    const float *values;  // row by row
    const bool *wanted;   // per row
    const float *weights; // per row
};

struct boost_options {
    int trees, leaves;
    float rate;
    float row_share, column_share; // drawn anew for each tree
    float least_hessian;           // of a leaf
    float ridge;
    uint64_t seed;
};

// Trains on `data` and writes the forest (see services/clean/forest.h) to `path`.
MUST_CHECK enum status boost_train(const struct boost_data *data,
                                   const struct boost_options *options, uint32_t version,
                                   const char *path, struct error *why);

#endif
