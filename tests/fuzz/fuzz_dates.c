// Any bytes as an article: the dates stage must end, and every span must lie inside the text in order.
// The first byte chooses the anchor; set COPYDESK_DATA to the folder with dates.tables.
#include "common/calendar.h"
#include "services/dates/dates.h"

#include <assert.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 64 << 20, SECTION_LIMIT = 16 << 20 };

static struct model *load_once(void)
{
    static struct model *model; // libFuzzer calls one function; this is its only state
    const char *folder = getenv("COPYDESK_DATA");
    struct error why = {""};
    if (!model && dates_stage.load(&model, folder ? folder : "share/copydesk", &why) != OK) {
        abort();
    }
    return model;
}

static void check_parse(struct view bytes)
{
    struct instant instant;
    char out[CALENDAR_TEXT_SIZE];
    if (calendar_parse(bytes, &instant)) {
        struct instant again;
        size_t len = calendar_format(&instant, out);
        assert(calendar_parse((struct view){out, len}, &again));
        assert(calendar_unix_ms(&instant) == calendar_unix_ms(&again));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const anchors[] = {"", "2020-08-19", "1999-12-31T23:59:59Z", "0001-01-01",
                                          "9999-12-31"};
    struct model *model = load_once();
    struct view text = {(const char *)data, size};
    struct arena arena;
    struct article article;
    struct notes notes;
    struct explain explain;
    size_t choice = size > 0 ? data[0] % 5 : 0;
    check_parse(text);
    if (utf8_invalid_at(text) != size) {
        return 0;
    }
    arena_init(&arena, ARENA_LIMIT);
    notes_init(&notes, SECTION_LIMIT);
    explain_init(&explain);
    article_init(&article, &arena);
    article.text = text;
    article.published_at = view_of(anchors[choice]);
    utf8_index_init(&article.index, &arena, text);
    notes_begin(&notes, &article.index);
    assert(dates_stage.run(model, &article, &notes, &explain) == OK);
    assert(notes_finish(&notes).len > 0);
    article_clear(&article);
    explain_clear(&explain);
    notes_clear(&notes);
    arena_clear(&arena);
    return 0;
}
