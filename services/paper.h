// Sets text for a terminal: wraps it at the width, indents, marks up, and lets nothing hostile through.
//
// Articles come from strangers, and a terminal obeys control characters: none of them, no escape sequence and no
// direction override is ever passed on.
#ifndef COPYDESK_PAPER_H
#define COPYDESK_PAPER_H

#include "common/buf.h"

enum { PAPER_NARROWEST = 40, PAPER_USUAL = 80, PAPER_WIDEST = 110 };

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_LABEL, INK_WARN };

struct paper {
    struct buf *out;
    size_t width;  // columns
    size_t indent; // of lines that wrapping begins
    size_t column; // present one, from 0
    bool color;
};

// The width to set for: $COLUMNS, else that of the terminal `fd`, else 80; kept between the limits above.
size_t paper_width(int fd);

// Columns that `text` takes: none for combining marks, two for wide East Asian characters and emoji.
size_t paper_columns(struct view text);

// Flows `text` word by word: a space before each word but the first of a line, a new line where it does not fit.
void paper_text(struct paper *paper, enum ink ink, struct view text);

// One entry of a list. Kept together when it fits on a line by itself.
struct entry {
    struct view name;
    struct view detail; // dimmed behind the name; may be empty
};

// Flows an entry; `glue` follows without a space before it, such as " \u00b7" between entries.
void paper_entry(struct paper *paper, struct entry entry, const char *glue);

// Starts a line at the margin, and moves to `column` with spaces.
void paper_line(struct paper *paper);
void paper_tab(struct paper *paper, size_t column);

#endif
