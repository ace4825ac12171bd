// The text is checked by common/json first, so reading it into nodes cannot fail but for memory.
#include "services/node.h"

#include "common/json.h"
#include "common/utf8.h"

#include <stdio.h>
#include <stdlib.h>

struct reader {
    struct view json;
    size_t at;
    struct arena *arena;
    struct node *open[JSON_DEPTH_LIMIT + 1];
    size_t depth;
};

static char peek(const struct reader *reader)
{
    return reader->at < reader->json.len ? reader->json.at[reader->at] : '\0';
}

static void skip_to_token(struct reader *reader)
{
    while (peek(reader) && strchr(" \t\r\n,:", peek(reader))) {
        reader->at++;
    }
}

static struct view read_string(struct reader *reader)
{
    size_t start = ++reader->at;
    while (peek(reader) != '"' && reader->at < reader->json.len) {
        reader->at += peek(reader) == '\\' ? 2 : 1;
    }
    return view_slice(reader->json, start, reader->at++);
}

static struct view read_word(struct reader *reader)
{
    size_t start = reader->at;
    while (peek(reader) && !strchr(" \t\r\n,:]}", peek(reader))) {
        reader->at++;
    }
    return view_slice(reader->json, start, reader->at);
}

static struct node *add_node(struct reader *reader, enum node_kind kind, struct view key)
{
    struct node *parent = reader->depth > 0 ? reader->open[reader->depth - 1] : NULL;
    struct node *node = arena_zalloc(reader->arena, 1, sizeof *node);
    if (node) {
        node->kind = kind;
        node->key = key;
        node->last = &node->child;
        if (parent) {
            *parent->last = node;
            parent->last = &node->next;
        }
    }
    return node;
}

static bool in_object(const struct reader *reader)
{
    return reader->depth > 0 && reader->open[reader->depth - 1]->kind == NODE_OBJECT;
}

// Reads one value, or one end of an object or array. False without memory.
static bool read_value(struct reader *reader)
{
    struct view key = VIEW("");
    if (peek(reader) == '}' || peek(reader) == ']') {
        reader->at++;
        reader->depth--;
        return true;
    }
    if (in_object(reader)) {
        key = read_string(reader);
        skip_to_token(reader);
    }
    char c = peek(reader);
    enum node_kind kind = c == '{'   ? NODE_OBJECT
                          : c == '[' ? NODE_ARRAY
                          : c == '"' ? NODE_STRING
                                     : NODE_OTHER;
    struct node *node = add_node(reader, kind, key);
    if (!node) {
        return false;
    }
    if (kind == NODE_OBJECT || kind == NODE_ARRAY) {
        reader->open[reader->depth++] = node;
        reader->at++;
    } else {
        node->text = kind == NODE_STRING ? read_string(reader) : read_word(reader);
    }
    return true;
}

enum status node_read(struct view json, struct arena *arena, const struct node **root,
                      struct error *why)
{
    struct json_facts facts;
    struct reader reader = {.json = json, .arena = arena};
    enum status status = json_check(json, arena, &facts, why);
    if (status != OK) {
        return status;
    }
    *root = NULL;
    skip_to_token(&reader);
    do {
        if (!read_value(&reader)) {
            return error_set(why, ERR_LIMIT, "the answer is too large to be shown; see --json");
        }
        *root = *root ? *root : reader.open[0];
        skip_to_token(&reader);
    } while (reader.depth > 0);
    return OK;
}

const struct node *node_member(const struct node *object, struct view key)
{
    const struct node *node = object ? object->child : NULL;
    while (node && !view_equal(node->key, key)) {
        node = node->next;
    }
    return node;
}

struct view node_text(const struct node *object, struct view key)
{
    const struct node *node = node_member(object, key);
    return node ? node->text : VIEW("");
}

double node_number(const struct node *object, struct view key)
{
    char number[40];
    snprintf(number, sizeof number, "%.*s", VIEW_ARGS(node_text(object, key)));
    return strtod(number, NULL);
}

// The code unit of the four digits behind \\u at `at`; they are there, as the text was checked.
static uint32_t unit_at(struct view text, size_t at)
{
    uint32_t unit = 0;
    for (size_t i = at + 2; i < at + 6 && i < text.len; i++) {
        char c = text.at[i];
        unit = unit * 16 + (uint32_t)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    return unit;
}

// Decodes the \\u escape at `at`, or two that make one character; returns how many bytes of the text it took.
static size_t decode_unit(struct view text, size_t at, struct buf *out)
{
    char bytes[4];
    uint32_t c = unit_at(text, at);
    size_t len = 6;
    if (c >= 0xd800 && c < 0xdc00 && view_starts(view_slice(text, at + 6, text.len), VIEW("\\u"))) {
        uint32_t low = unit_at(text, at + 6);
        if (low >= 0xdc00 && low < 0xe000) {
            c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
            len = 12;
        }
    }
    if (c == 0 || (c >= 0xd800 && c < 0xe000)) {
        c = UTF8_REPLACEMENT;
    }
    buf_add(out, (struct view){bytes, utf8_encode(c, bytes)});
    return len;
}

void node_decode(struct view text, struct buf *out)
{
    static const char letters[] = "bfnrt";
    static const char meanings[] = "\b\f\n\r\t";
    size_t plain = 0;
    size_t at = 0;
    while (at + 1 < text.len) {
        if (text.at[at] != '\\') {
            at++;
            continue;
        }
        const char *letter = strchr(letters, text.at[at + 1]);
        buf_add(out, view_slice(text, plain, at));
        if (text.at[at + 1] == 'u') {
            at += decode_unit(text, at, out);
        } else {
            buf_add_char(out, letter ? meanings[letter - letters] : text.at[at + 1]);
            at += 2;
        }
        plain = at;
    }
    buf_add(out, view_slice(text, plain, text.len));
}
