#include "services/paper.h"

#include "common/utf8.h"

#include <stdlib.h>
#include <sys/ioctl.h>

struct range {
    uint32_t first, last;
};

// Marks that stand on the letter before, and characters without a shape.
static const struct range narrow[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},   {0x64b, 0x65f},
    {0x6d6, 0x6dc},   {0x93c, 0x93c},   {0x941, 0x948},   {0x94d, 0x94d},   {0xe31, 0xe31},
    {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x200b, 0x200f},
    {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff},
};

static const struct range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

// Obeyed by terminals instead of shown: C0, DEL, C1, direction marks and overrides.
static const struct range commands[] = {
    {0, 0x1f}, {0x7f, 0x9f}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x206f}, {0xfff9, 0xfffb},
};

static bool is_in(uint32_t c, const struct range *ranges, size_t count)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = (low + count) / 2;
        if (c > ranges[middle].last) {
            low = middle + 1;
        } else {
            count = middle;
        }
        if (c >= ranges[middle].first && c <= ranges[middle].last) {
            return true;
        }
    }
    return false;
}

#define IS_IN(c, ranges) is_in((c), (ranges), sizeof(ranges) / sizeof(ranges)[0])

static size_t columns_of(uint32_t c)
{
    if (c < 0x7f) {
        return c >= 0x20;
    }
    return IS_IN(c, commands) || IS_IN(c, narrow) ? 0 : IS_IN(c, wide) ? 2 : 1;
}

size_t paper_columns(struct view text)
{
    size_t columns = 0;
    for (size_t at = 0; at < text.len;) {
        columns += columns_of(utf8_next(text, &at));
    }
    return columns;
}

size_t paper_width(int fd)
{
    uint64_t width = 0;
    struct winsize size;
    const char *given = getenv("COLUMNS");
    if (!given || !view_parse_u64(view_of(given), &width) || width == 0) {
        width = ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : PAPER_USUAL;
    }
    return width < PAPER_NARROWEST ? PAPER_NARROWEST
           : width > PAPER_WIDEST  ? PAPER_WIDEST
                                   : (size_t)width;
}

static void begin_ink(struct paper *paper, enum ink ink)
{
    static const char *const codes[] = {"", "\x1b[1m", "\x1b[2m", "\x1b[1;36m", "\x1b[33m"};
    if (paper->color) {
        buf_add(paper->out, view_of(codes[ink]));
    }
}

static void end_ink(struct paper *paper, enum ink ink)
{
    if (paper->color && ink != INK_PLAIN) {
        buf_add(paper->out, VIEW("\x1b[0m"));
    }
}

void paper_line(struct paper *paper)
{
    buf_add_char(paper->out, '\n');
    paper->column = 0;
}

void paper_tab(struct paper *paper, size_t column)
{
    for (; paper->column < column; paper->column++) {
        buf_add_char(paper->out, ' ');
    }
}

static void add_character(struct paper *paper, struct view text, size_t *at)
{
    size_t start = *at;
    uint32_t c = utf8_next(text, at);
    if (IS_IN(c, commands)) {
        return;
    }
    if (c == UTF8_REPLACEMENT) {
        buf_add(paper->out, VIEW("\xef\xbf\xbd"));
    } else {
        buf_add(paper->out, view_slice(text, start, *at));
    }
    paper->column += columns_of(c);
}

// Puts the space before a word, or a new line when it does not fit.
static void make_room(struct paper *paper, size_t columns)
{
    bool at_start = paper->column <= paper->indent;
    if (!at_start && paper->column + 1 + columns > paper->width) {
        paper_line(paper);
        at_start = true;
    }
    paper_tab(paper, paper->indent);
    if (!at_start) {
        buf_add_char(paper->out, ' ');
        paper->column++;
    }
}

// A word longer than a line is broken where the line ends: addresses, and scripts that use no spaces.
static void add_word(struct paper *paper, struct view word)
{
    size_t columns = paper_columns(word);
    size_t room = paper->width - paper->indent;
    make_room(paper, columns > room ? 2 : columns);
    for (size_t at = 0; at < word.len;) {
        if (paper->column + 2 > paper->width && columns > room) {
            paper_line(paper);
            paper_tab(paper, paper->indent);
        }
        add_character(paper, word, &at);
    }
}

void paper_text(struct paper *paper, enum ink ink, struct view text)
{
    struct view word;
    begin_ink(paper, ink);
    while (view_next_word(&text, &word)) {
        add_word(paper, word);
    }
    end_ink(paper, ink);
}

// A line end inside a name is shown as the space it stands for.
static void add_unbroken(struct paper *paper, enum ink ink, struct view text)
{
    struct view word;
    bool first = true;
    begin_ink(paper, ink);
    while (view_next_word(&text, &word)) {
        if (!first) {
            buf_add_char(paper->out, ' ');
            paper->column++;
        }
        for (size_t at = 0; at < word.len;) {
            add_character(paper, word, &at);
        }
        first = false;
    }
    end_ink(paper, ink);
}

void paper_entry(struct paper *paper, struct entry entry, const char *glue)
{
    size_t columns = paper_columns(entry.name) + paper_columns(view_of(glue)) +
                     (entry.detail.len > 0 ? paper_columns(entry.detail) + 1 : 0);
    if (columns > paper->width - paper->indent) {
        paper_text(paper, INK_PLAIN, entry.name);
        paper_text(paper, INK_DIM, entry.detail);
    } else {
        make_room(paper, columns);
        add_unbroken(paper, INK_PLAIN, entry.name);
        if (entry.detail.len > 0) {
            buf_add_char(paper->out, ' ');
            paper->column++;
            add_unbroken(paper, INK_DIM, entry.detail);
        }
    }
    if (*glue && paper->column + paper_columns(view_of(glue)) <= paper->width) {
        begin_ink(paper, INK_DIM);
        buf_add(paper->out, view_of(glue));
        paper->column += paper_columns(view_of(glue));
        end_ink(paper, INK_DIM);
    }
}
