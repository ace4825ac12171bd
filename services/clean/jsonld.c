#include "services/clean/jsonld.h"

#include "common/utf8.h"

struct level {
    bool object;
    uint16_t node;   // innermost object at or around this level
    struct view key; // member being read; in an array the member that holds the array
};

struct reader {
    struct jsonld *out;
    struct arena *arena;
    struct view text;
    size_t at;
    struct level levels[JSONLD_DEPTH];
    size_t depth;
    bool broken;
};

static void skip_space(struct reader *reader)
{
    while (reader->at < reader->text.len && (unsigned char)reader->text.at[reader->at] <= ' ') {
        reader->at++;
    }
}

static uint32_t hex4(struct view text, size_t at)
{
    uint32_t value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = i < text.len ? text.at[i] : '0';
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 0;
        value = value * 16 + digit;
    }
    return value;
}

// Decodes the escape at raw.at[*i] == '\\' to `out`; returns the bytes written. Six bytes of escape never give more.
static size_t unescape(struct view raw, size_t *i, char *out)
{
    static const char plain[] = "b\bf\fn\nr\rt\t";
    char c = *i + 1 < raw.len ? raw.at[*i + 1] : '\\';
    if (c != 'u') {
        *i += 2;
        out[0] = c;
        for (size_t k = 0; k < 10; k += 2) {
            out[0] = plain[k] == c ? plain[k + 1] : out[0];
        }
        return 1;
    }
    uint32_t code_point = hex4(raw, *i + 2);
    *i += 6;
    if (code_point >= 0xd800 && code_point < 0xdc00 && *i + 1 < raw.len && raw.at[*i] == '\\' &&
        raw.at[*i + 1] == 'u') {
        uint32_t low = hex4(raw, *i + 2);
        if (low >= 0xdc00 && low < 0xe000) {
            code_point = 0x10000 + ((code_point - 0xd800) << 10) + (low - 0xdc00);
            *i += 6;
        }
    }
    bool invalid = code_point == 0 || (code_point >= 0xd800 && code_point < 0xe000);
    return utf8_encode(invalid ? UTF8_REPLACEMENT : code_point, out);
}

// At the opening quote. The string without quotes; decoded into the arena when it has escapes.
static struct view read_string(struct reader *reader)
{
    size_t start = ++reader->at;
    bool escaped = false;
    while (reader->at < reader->text.len && reader->text.at[reader->at] != '"') {
        if (reader->text.at[reader->at] == '\\') {
            escaped = true;
            reader->at++;
        }
        reader->at++;
    }
    struct view raw = view_slice(reader->text, start, reader->at);
    reader->broken |= reader->at >= reader->text.len;
    reader->at++;
    char *out = escaped ? arena_alloc(reader->arena, raw.len + 4) : NULL;
    if (!out) {
        return raw;
    }
    size_t len = 0;
    for (size_t i = 0; i < raw.len;) {
        if (raw.at[i] == '\\') {
            len += unescape(raw, &i, out + len);
        } else {
            out[len++] = raw.at[i++];
        }
    }
    return (struct view){out, len};
}

static struct view *field_of(struct jsonld_node *node, struct view key)
{
    const struct {
        const char *key;
        struct view *field;
    } fields[] = {
        {"@type", &node->type},
        {"@id", &node->id},
        {"name", &node->name},
        {"headline", &node->headline},
        {"description", &node->description},
        {"articleBody", &node->body},
        {"datePublished", &node->published},
        {"dateModified", &node->modified},
        {"dateCreated", &node->created},
    };
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (view_equal(key, view_of(fields[i].key))) {
            return fields[i].field;
        }
    }
    return NULL;
}

static uint16_t add_node(struct reader *reader, uint16_t parent, struct view key)
{
    struct jsonld_node node = {.parent = parent, .key = key};
    if (reader->out->len >= JSONLD_NODES || !vec_push(reader->arena, reader->out, node)) {
        reader->broken = true;
        return parent;
    }
    return (uint16_t)(reader->out->len - 1);
}

static bool names_people(struct view key)
{
    return view_equal(key, VIEW("author")) || view_equal(key, VIEW("creator"));
}

static void take_string(struct reader *reader, struct view value)
{
    if (reader->depth == 0) {
        return;
    }
    const struct level *level = &reader->levels[reader->depth - 1];
    if (level->node == JSONLD_NO_PARENT) {
        return;
    }
    if (names_people(level->key)) {
        uint16_t node = add_node(reader, level->node, level->key);
        reader->out->at[node].name = value;
        return;
    }
    struct view *field = field_of(&reader->out->at[level->node], level->key);
    bool better_type = field && level->key.len == 5 && jsonld_is_article(value);
    if (field && (field->len == 0 || better_type)) {
        *field = value;
    }
}

static void open_level(struct reader *reader, bool object)
{
    if (reader->depth == JSONLD_DEPTH) {
        reader->broken = true;
        return;
    }
    struct level outer = reader->depth ? reader->levels[reader->depth - 1]
                                       : (struct level){false, JSONLD_NO_PARENT, {"", 0}};
    struct level inner = {object, outer.node, outer.key};
    if (object) {
        inner.node = add_node(reader, outer.node, outer.key);
        inner.key = (struct view){"", 0};
    }
    reader->levels[reader->depth++] = inner;
}

static void read_token(struct reader *reader)
{
    char c = reader->text.at[reader->at];
    if (c == '"') {
        struct view value = read_string(reader);
        skip_space(reader);
        bool key = reader->depth > 0 && reader->levels[reader->depth - 1].object &&
                   reader->at < reader->text.len && reader->text.at[reader->at] == ':';
        if (key) {
            reader->levels[reader->depth - 1].key = value;
            reader->at++;
        } else {
            take_string(reader, value);
        }
        return;
    }
    if (c == '{' || c == '[') {
        open_level(reader, c == '{');
    } else if (c == '}' || c == ']') {
        reader->depth -= reader->depth > 0;
    }
    reader->at++; // commas, numbers, true, false, null: nothing to keep
}

void jsonld_read(struct jsonld *out, struct arena *arena, struct view text)
{
    struct reader reader = {.out = out, .arena = arena, .text = text};
    skip_space(&reader);
    while (reader.at < text.len && !reader.broken) {
        read_token(&reader);
        skip_space(&reader);
    }
}

bool jsonld_is_article(struct view type)
{
    static const char *const endings[] = {"Article", "Posting", "Report", "ReportageNewsArticle"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        if (view_ends(type, view_of(endings[i]))) {
            return true;
        }
    }
    return false;
}

const struct jsonld_node *jsonld_article(const struct jsonld *nodes)
{
    const struct jsonld_node *page = NULL;
    const struct jsonld_node *bare = NULL;
    for (size_t i = 0; i < nodes->len; i++) {
        const struct jsonld_node *node = &nodes->at[i];
        bool is_part = view_equal(node->key, VIEW("itemListElement")) ||
                       view_equal(node->key, VIEW("item")) ||
                       view_equal(node->key, VIEW("isPartOf"));
        if (jsonld_is_article(node->type) && !is_part) {
            if (node->headline.len || node->published.len || node->body.len) {
                return node;
            }
            bare = bare ? bare : node;
        } else if (!page && node->published.len > 0 && !is_part) {
            page = node;
        }
    }
    return bare && !page ? bare : page;
}
