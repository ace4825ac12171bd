// Any bytes as a traceparent: what is taken is written back as it was, up to the version.
#include "common/trace.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_context context;
    char out[TRACEPARENT_SIZE];
    struct view header = {(const char *)data, size};
    if (trace_parse(header, &context)) {
        trace_format(&context, out);
        if (!view_equal(view_slice(header, 2, 55), view_slice(view_of(out), 2, 55))) {
            abort();
        }
    }
    return 0;
}
