#include "services/enrich.h"

#include "services/pipeline.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARENA_LIMIT = 512 << 20, SECTION_LIMIT = 256 << 20 };

int enrich_main(int argc, char **argv)
{
    struct error why = {""};
    struct pipeline pipeline;
    struct arena arena;
    struct notes notes;
    struct buf out;
    char folder[4096];
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;
    const char *only = argc > 2 && strcmp(argv[1], "--only") == 0 ? argv[2] : "";

    pipeline_data_folder(folder, sizeof folder);
    if (pipeline_open(&pipeline, view_of(only), folder, &why) != OK) {
        fprintf(stderr, "copydesk: %s\n", why.text);
        return 78;
    }
    arena_init(&arena, ARENA_LIMIT);
    notes_init(&notes, SECTION_LIMIT);
    buf_init(&out, SECTION_LIMIT);
    while ((len = getline(&line, &cap, stdin)) > 0) {
        struct article article;
        int failed;
        arena_reset(&arena);
        article_init(&article, &arena);
        buf_reset(&out);
        if (article_accept(&article, (struct view){line, (size_t)len}, VIEW(""), &why) != OK ||
            pipeline_run(&pipeline, &article, &notes, NULL, &failed, &why) != OK ||
            article_print(&article, true, &out) != OK) {
            fprintf(stderr, "copydesk: %s\n", why.text);
        } else {
            printf("%.*s\n", VIEW_ARGS(buf_view(&out)));
        }
        article_clear(&article);
    }
    free(line);
    buf_clear(&out);
    notes_clear(&notes);
    arena_clear(&arena);
    pipeline_close(&pipeline);
    return 0;
}
