// Any valid text is cleaned: the section merges, and twice gives the same bytes. The first byte
// chooses the media type; set COPYDESK_DATA to the folder with clean.tables and the models.
#include "services/clean/clean.h"

#include <assert.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 256 << 20, SECTION_LIMIT = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct model *load_once(void)
{
    static struct model *model; // libFuzzer calls one function; this is its only state
    const char *folder = getenv("COPYDESK_DATA");
    struct error why = {""};
    if (!model && clean_stage.load(&model, folder ? folder : "share/copydesk", &why) != OK) {
        abort();
    }
    return model;
}

static void clean_once(struct view json, struct notes *notes)
{
    struct arena arena;
    struct article article;
    struct error why = {""};
    arena_init(&arena, ARENA_LIMIT);
    article_init(&article, &arena);
    if (article_merge(&article, json, &why) == OK) {
        notes_begin(notes, NULL);
        enum status status = clean_stage.run(load_once(), &article, notes, NULL);
        assert(status == OK);
        status = article_merge(&article, notes_finish(notes), &why);
        assert(status == OK);
    }
    article_clear(&article);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = {"text/html", "text/plain", ""};
    struct notes first, second;
    struct buf json;
    if (size < 2) {
        return 0;
    }
    notes_init(&first, SECTION_LIMIT);
    notes_init(&second, SECTION_LIMIT);
    buf_init(&json, SECTION_LIMIT);
    buf_printf(&json,
               "{\"id\":\"a\",\"url\":\"https://example.org/2020/08/19/"
               "a\",\"content_type\":\"%s\",\"content\":",
               types[data[0] % 3]);
    buf_add_json(&json, (struct view){(const char *)data + 1, size - 1});
    buf_add_char(&json, '}');
    clean_once(buf_view(&json), &first);
    clean_once(buf_view(&json), &second);
    assert(view_equal(buf_view(&first.json), buf_view(&second.json)));
    notes_clear(&first);
    notes_clear(&second);
    buf_clear(&json);
    return 0;
}
