// Any bytes are refused with a sentence or read; what was read prints, and its print reads and prints the same. What
// article_unite makes of them, if it takes them, is the same bytes.
#include "common/article.h"

#include "common/buf.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct view added = VIEW("{\"stages\":{\"dates\":{\"status\":\"ok\"},\"a\":{}}}");

static void unite_as_well(struct view json, const struct buf *printed)
{
    struct arena arena;
    struct buf out;
    const struct view sections[] = {json, added};
    buf_init(&out, 64 << 20);
    arena_init(&arena, 64 << 20);
    bool united = article_unite(sections, 2, false, &arena, &out);
    assert(!united || view_equal(buf_view(&out), buf_view(printed)));
    buf_clear(&out);
    arena_clear(&arena);
}

// Prints the article in `json` to `out`; false when it is refused.
static bool read_and_print(struct view json, struct buf *out)
{
    struct arena arena;
    struct article article;
    struct error why = {""};
    arena_init(&arena, 64 << 20);
    article_init(&article, &arena);
    enum status status = article_merge(&article, json, &why);
    assert((status == OK) == (why.text[0] == '\0'));
    if (status == OK) {
        enum status merged = article_merge(&article, added, &why);
        assert(merged == OK);
        article_segment(&article);
        status = article_print(&article, false, out);
        unite_as_well(json, out);
    }
    article_clear(&article);
    arena_clear(&arena);
    return status == OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf first, second;
    buf_init(&first, 64 << 20);
    buf_init(&second, 64 << 20);
    if (read_and_print((struct view){(const char *)data, size}, &first)) {
        bool again = read_and_print(buf_view(&first), &second);
        assert(again);
        assert(view_equal(buf_view(&first), buf_view(&second)));
    }
    buf_clear(&first);
    buf_clear(&second);
    return 0;
}
