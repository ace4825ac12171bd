// Specs of a stage: the case becomes a document, the stage runs over it, and lines tell what it made.
#ifndef COPYDESK_STAGE_SPEC_H
#define COPYDESK_STAGE_SPEC_H

#include "common/article.h"
#include "common/stage.h"
#include "tests/spec/spec.h"

struct stage_spec {
    const struct stage *stage;
    const char *const *keys; // as in struct spec_kind

    // Adds members to the document of a case, each with a comma before it. Its id and what `input` names stand there already.
    void (*add_members)(const struct spec_case *one, struct buf *json);
    const char *input; // the member that holds the case's input: "text", say

    // Appends the lines that tell of the section the stage made of the article.
    enum status (*tell)(struct article *article, struct view section, struct buf *out,
                        struct error *why);
};

// Adds the settings that are given: `members` are pairs of a setting and the member it becomes, and end with NULL.
void stage_spec_settings(const struct spec_case *one, const char *const (*members)[2],
                         struct buf *json);

// As spec_main.
int stage_spec_main(int argc, char **argv, const struct stage_spec *spec);

#endif
