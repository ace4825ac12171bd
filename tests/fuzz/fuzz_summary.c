// Any valid UTF-8 gives a summary of sentences that are whole and in order, twice the same, or a reason.
#include "services/summary/summary.h"

#include "common/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_LIMIT = 64 << 20, SECTION_LIMIT = 16 << 20 };

// libFuzzer gives no context, so the model lies here.
struct model *fuzzed_model;

// The tables are read from $COPYDESK_DATA.
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    struct error why = {""};
    const char *folder = getenv("COPYDESK_DATA");
    (void)argc;
    (void)argv;
    if (summary_stage.load(&fuzzed_model, folder ? folder : ".", &why) != OK) {
        fprintf(stderr, "%s\n", why.text);
        exit(1);
    }
    return 0;
}

static void summarize(struct view text, struct notes *notes)
{
    struct arena arena;
    struct article article;
    arena_init(&arena, ARENA_LIMIT);
    article_init(&article, &arena);
    struct view line = text;
    article.has_text = true;
    article.text = text;
    view_next_line(&line, &article.title);
    utf8_index_init(&article.index, &arena, text);
    article_segment(&article);
    notes_begin(notes, &article.index);
    enum status status = summary_stage.run(fuzzed_model, &article, notes, NULL);
    assert(status == OK || status == ERR_LIMIT);
    arena_clear(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct view text = {(const char *)data, size};
    struct notes first, second;
    text.len = utf8_invalid_at(text);
    notes_init(&first, SECTION_LIMIT);
    notes_init(&second, SECTION_LIMIT);
    summarize(text, &first);
    summarize(text, &second);
    struct view section = notes_finish(&first);
    assert(view_equal(section, notes_finish(&second)));
    assert(view_find(section, VIEW("\"method\":\"extractive\""), 0) < section.len);
    notes_clear(&first);
    notes_clear(&second);
    return 0;
}
