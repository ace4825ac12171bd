// Specs of the sentence splitter. No settings. One line per sentence, as it stands in the text.
#include "common/segment.h"
#include "tests/spec/spec.h"

enum { ARENA_LIMIT = 16 << 20 };

static enum status produce(void *context, const struct spec_case *one, struct buf *actual,
                           struct error *why)
{
    (void)context;
    (void)why;
    struct arena arena;
    struct segments segments = {0};
    arena_init(&arena, ARENA_LIMIT);
    segment_text(&segments, &arena, one->input);
    for (size_t i = 0; i < segments.sentences.len; i++) {
        buf_add(actual, view_at(one->input, segments.sentences.at[i]));
        buf_add_char(actual, '\n');
    }
    arena_clear(&arena);
    return OK;
}

int main(int argc, char **argv)
{
    static const char *const keys[] = {NULL};
    static const struct spec_kind kind = {.name = "segment", .keys = keys, .produce = produce};
    return spec_main(argc, argv, &kind);
}
