// Any bytes give a tree in document order within its limits; its text is valid UTF-8 when the page is.
#include "common/utf8.h"
#include "services/clean/html.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct html html;
    struct view page = {(const char *)data, size};
    bool valid = utf8_invalid_at(page) == size;
    arena_init(&arena, 64 << 20);
    html_parse(&html, &arena, page, NULL);
    for (size_t i = 1; i < html.nodes.len; i++) {
        const struct html_node *node = &html.nodes.at[i];
        assert(node->parent < i);
        assert(node->end > i);
        assert(node->end <= html.nodes.at[node->parent].end);
        assert(node->depth <= HTML_DEPTH_LIMIT);
        assert(!valid || utf8_invalid_at(node->text) == node->text.len);
    }
    html_text_of(&html, &arena, 0, 1000);
    arena_clear(&arena);
    return 0;
}
