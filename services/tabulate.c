#include "services/tabulate.h"

#include "common/calendar.h"
#include "services/node.h"

#include <stdio.h>
#include <stdlib.h>

enum { COLUMN_LIMIT = 24, CELL_BYTES = 96, GAP = 2 };
#define ARENA_LIMIT ((size_t)256 << 20)

// ---- Cells

static void write_duration(double ms, char *cell)
{
    if (ms < 1000) {
        snprintf(cell, CELL_BYTES, "%.0f ms", ms);
    } else if (ms < 120000) {
        snprintf(cell, CELL_BYTES, "%.1f s", ms / 1000);
    } else if (ms < 7200000) {
        snprintf(cell, CELL_BYTES, "%.0f min", ms / 60000);
    } else {
        snprintf(cell, CELL_BYTES, "%.1f h", ms / 3600000);
    }
}

static void write_size(double bytes, char *cell)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    snprintf(cell, CELL_BYTES, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void write_time(double unix_ms, char *cell)
{
    char text[CALENDAR_TEXT_SIZE];
    struct instant instant = calendar_from_unix_ms((int64_t)unix_ms / 1000 * 1000);
    calendar_format(&instant, text);
    snprintf(cell, CELL_BYTES, "%s", text);
}

// Control characters must not reach the terminal; the escapes of JSON stay visible instead.
static void write_text(struct view text, char *cell)
{
    size_t len = text.len < CELL_BYTES - 4 ? text.len : CELL_BYTES - 4;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text.at[i];
        cell[i] = c < 0x20 || c == 0x7f ? ' ' : (char)c;
    }
    snprintf(cell + len, CELL_BYTES - len, "%s", len < text.len ? "..." : "");
}

// true, false and null as people say them.
static struct view word(struct view text)
{
    return view_equal(text, VIEW("true"))    ? VIEW("yes")
           : view_equal(text, VIEW("false")) ? VIEW("no")
           : view_equal(text, VIEW("null"))  ? VIEW("-")
                                             : text;
}

static void write_scalar(const struct node *node, char *cell)
{
    char number[40];
    snprintf(number, sizeof number, "%.*s", VIEW_ARGS(node->text));
    double value = strtod(number, NULL);
    bool is_number = node->kind == NODE_OTHER && node->text.len > 0 && !strchr("tfn", number[0]);
    if (is_number &&
        (view_equal(node->key, VIEW("at_ms")) || view_ends(node->key, VIEW("_at_ms")))) {
        write_time(value, cell);
    } else if (is_number && view_ends(node->key, VIEW("_ms"))) {
        write_duration(value, cell);
    } else if (is_number && view_ends(node->key, VIEW("bytes"))) {
        write_size(value, cell);
    } else {
        write_text(node->kind == NODE_OTHER ? word(node->text) : node->text, cell);
    }
}

// An object within a row becomes one cell: its values with slashes between.
static void write_cell(const struct node *node, char *cell)
{
    cell[0] = '\0';
    if (node->kind == NODE_STRING || node->kind == NODE_OTHER) {
        write_scalar(node, cell);
        return;
    }
    size_t used = 0;
    for (const struct node *part = node->child; part && used < CELL_BYTES; part = part->next) {
        char text[CELL_BYTES];
        write_scalar(part, text);
        used += (size_t)snprintf(cell + used, CELL_BYTES - used, "%s%s", used ? "/" : "", text);
    }
}

// The heading of a column: the name without its unit; for an object its members too.
static void write_heading(const struct node *node, char *cell)
{
    struct view name = node->key;
    if (view_ends(name, VIEW("_ms"))) {
        name.len -= 3;
    }
    write_text(name, cell);
    if (node->kind == NODE_OBJECT) {
        size_t used = strlen(cell);
        for (const struct node *part = node->child; part && used < CELL_BYTES; part = part->next) {
            used += (size_t)snprintf(cell + used, CELL_BYTES - used, "%s%.*s",
                                     part == node->child ? " " : "/", VIEW_ARGS(part->key));
        }
    }
}

// ---- Tables

struct columns {
    struct view keys[COLUMN_LIMIT];
    char headings[COLUMN_LIMIT][CELL_BYTES];
    size_t widths[COLUMN_LIMIT];
    bool right[COLUMN_LIMIT]; // numbers
    size_t len;
};

static size_t columns_of(struct view text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.at[i] & 0xc0) != 0x80;
    }
    return count;
}

static size_t column_of(struct columns *columns, const struct node *node)
{
    size_t i = 0;
    while (i < columns->len && !view_equal(columns->keys[i], node->key)) {
        i++;
    }
    if (i == columns->len && columns->len < COLUMN_LIMIT) {
        columns->keys[i] = node->key;
        write_heading(node, columns->headings[i]);
        columns->widths[i] = strlen(columns->headings[i]);
        columns->right[i] = node->kind != NODE_STRING;
        columns->len++;
    }
    return i;
}

static void measure(struct columns *columns, const struct node *rows)
{
    char cell[CELL_BYTES];
    for (const struct node *row = rows; row; row = row->next) {
        for (const struct node *node = row->child; node; node = node->next) {
            size_t i = column_of(columns, node);
            write_cell(node, cell);
            size_t width = columns_of(view_of(cell));
            if (i < columns->len && width > columns->widths[i]) {
                columns->widths[i] = width;
            }
        }
    }
}

static void pad(struct buf *out, size_t count)
{
    while (count-- > 0) {
        buf_add_char(out, ' ');
    }
}

static void print_cell(struct buf *out, const struct columns *columns, size_t i, const char *cell)
{
    size_t missing = columns->widths[i] - columns_of(view_of(cell));
    bool last = i + 1 == columns->len;
    if (columns->right[i]) {
        pad(out, missing);
    }
    buf_add(out, view_of(cell));
    if (!columns->right[i] && !last) {
        pad(out, missing);
    }
    if (last) {
        buf_add_char(out, '\n');
    } else {
        pad(out, GAP);
    }
}

static void print_table(struct buf *out, const struct node *array)
{
    struct columns columns = {.len = 0};
    char cell[CELL_BYTES];
    measure(&columns, array->child);
    buf_printf(out, "\n%.*s\n", VIEW_ARGS(array->key));
    if (columns.len == 0) {
        buf_add(out, VIEW("none\n"));
        return;
    }
    for (size_t i = 0; i < columns.len; i++) {
        print_cell(out, &columns, i, columns.headings[i]);
    }
    for (const struct node *row = array->child; row; row = row->next) {
        for (size_t i = 0; i < columns.len; i++) {
            const struct node *node = node_member(row, columns.keys[i]);
            if (node) {
                write_cell(node, cell);
            }
            print_cell(out, &columns, i, node ? cell : "");
        }
    }
}

// A text that a cell would cut.
static bool is_long(const struct node *node)
{
    return node->kind == NODE_STRING && node->text.len > CELL_BYTES - 4;
}

// Prints all of a text: its line ends, tabs and quotes as they were, other control characters as JSON writes them.
static void print_long(struct buf *out, const struct node *node)
{
    static const char escapes[] = "n\nt\t\"\"\\\\//";
    struct view text = node->text;
    buf_printf(out, "\n%.*s\n", VIEW_ARGS(node->key));
    for (size_t i = 0; i < text.len; i++) {
        const char *escape = text.at[i] == '\\' && i + 1 < text.len
                                 ? memchr(escapes, text.at[i + 1], sizeof escapes - 1)
                                 : NULL;
        bool is_known = escape && (escape - escapes) % 2 == 0;
        unsigned char c = (unsigned char)(is_known ? escape[1] : text.at[i]);
        buf_add_char(out, !is_known && (c < 0x20 || c == 0x7f) ? ' ' : (char)c);
        i += is_known;
    }
    buf_add_char(out, '\n');
}

static void print_line(struct buf *out, const struct node *node, size_t width)
{
    char cell[CELL_BYTES];
    write_heading(&(struct node){.kind = NODE_STRING, .key = node->key}, cell);
    buf_add(out, view_of(cell));
    pad(out, width - strlen(cell) + GAP);
    if (node->kind != NODE_OBJECT) {
        write_cell(node, cell);
        buf_printf(out, "%s\n", cell);
        return;
    }
    for (const struct node *part = node->child; part; part = part->next) {
        char heading[CELL_BYTES];
        write_heading(&(struct node){.kind = NODE_STRING, .key = part->key}, heading);
        write_cell(part, cell);
        buf_printf(out, "%s%s %s", part == node->child ? "" : "   ", heading, cell);
    }
    buf_add_char(out, '\n');
}

static void print_tree(struct buf *out, const struct node *root)
{
    size_t width = 0;
    for (const struct node *node = root->child; node; node = node->next) {
        if (node->kind != NODE_ARRAY && !is_long(node)) {
            width = node->key.len > width ? node->key.len : width;
        }
    }
    width = width < CELL_BYTES ? width : CELL_BYTES;
    for (const struct node *node = root->child; node; node = node->next) {
        if (node->kind != NODE_ARRAY && !is_long(node)) {
            print_line(out, node, width);
        }
    }
    for (const struct node *node = root->child; node; node = node->next) {
        if (node->kind == NODE_ARRAY) {
            print_table(out, node);
        }
    }
    for (const struct node *node = root->child; node; node = node->next) {
        if (is_long(node)) {
            print_long(out, node);
        }
    }
}

enum status tabulate(struct view json, struct buf *out, struct error *why)
{
    struct arena arena;
    const struct node *root;
    arena_init(&arena, ARENA_LIMIT);
    enum status status = node_read(json, &arena, &root, why);
    if (status == OK) {
        print_tree(out, root);
    }
    arena_clear(&arena);
    return status;
}
