#include "services/clean/html.h"

#include "common/table.h"
#include "common/utf8.h"
#include "services/clean/html_entity.h"

struct parser {
    struct html *html;
    struct arena *arena;
    struct view page;
    const struct table_list *entities;
    size_t at;
    uint32_t open[HTML_DEPTH_LIMIT]; // the open elements, root first
    size_t depth;
    size_t beyond;             // open elements that were too deep to be pushed
    uint32_t count[TAG_COUNT]; // of open elements
    uint32_t link;             // the open <a href>, or 0
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static enum html_tag tag_of(const struct parser *parser, size_t node)
{
    return (enum html_tag)parser->html->nodes.at[node].tag;
}

static enum html_tag top_tag(const struct parser *parser)
{
    return tag_of(parser, parser->open[parser->depth - 1]);
}

// ---- The tree

// Appends a node below the innermost open element; 0 when there is no room.
static uint32_t add_node(struct parser *parser, enum html_tag tag)
{
    size_t index = parser->html->nodes.len;
    uint32_t parent = parser->depth > 0 ? parser->open[parser->depth - 1] : 0;
    struct html_node node = {.parent = parent,
                             .end = (uint32_t)index + 1,
                             .tag = (uint16_t)tag,
                             .depth = (uint16_t)parser->depth};
    if (index >= HTML_NODE_LIMIT || !vec_push(parser->arena, &parser->html->nodes, node)) {
        return 0;
    }
    return (uint32_t)index;
}

static void push(struct parser *parser, uint32_t node)
{
    if (parser->depth == HTML_DEPTH_LIMIT) {
        parser->beyond++;
        return;
    }
    parser->open[parser->depth++] = node;
    parser->count[tag_of(parser, node)]++;
}

// Closes open elements until `depth` are left.
static void pop_to(struct parser *parser, size_t depth)
{
    while (parser->depth > depth) {
        uint32_t node = parser->open[--parser->depth];
        parser->html->nodes.at[node].end = (uint32_t)parser->html->nodes.len;
        parser->count[tag_of(parser, node)]--;
        if (node == parser->link) {
            parser->link = 0;
        }
    }
}

static bool is_scope_end(enum html_tag tag)
{
    return tag == TAG_table || tag == TAG_td || tag == TAG_th || tag == TAG_caption ||
           tag == TAG_template || tag == TAG_object || tag == TAG_button || tag == TAG_html;
}

// Depth at which an open `tag` stands, looking up to the next scope end; 0 when there is none.
static size_t find_in_scope(const struct parser *parser, enum html_tag tag)
{
    if (parser->count[tag] == 0) {
        return 0;
    }
    for (size_t i = parser->depth; i-- > 1;) {
        enum html_tag open = tag_of(parser, parser->open[i]);
        if (open == tag) {
            return i;
        }
        if (is_scope_end(open)) {
            return 0;
        }
    }
    return 0;
}

// What the start of a list item, cell, option ... ends: an open element of `first` or `second`, unless one of the
// containers stands between.
struct implied_end {
    enum html_tag start;
    enum html_tag first, second, third;
    enum html_tag container, other_container;
};

static const struct implied_end implied_ends[] = {
    {TAG_li, TAG_li, TAG_li, TAG_li, TAG_ul, TAG_ol},
    {TAG_dd, TAG_dd, TAG_dt, TAG_dt, TAG_dl, TAG_table},
    {TAG_dt, TAG_dd, TAG_dt, TAG_dt, TAG_dl, TAG_table},
    {TAG_option, TAG_option, TAG_option, TAG_option, TAG_select, TAG_select},
    {TAG_optgroup, TAG_option, TAG_optgroup, TAG_optgroup, TAG_select, TAG_select},
    {TAG_td, TAG_td, TAG_th, TAG_caption, TAG_table, TAG_table},
    {TAG_th, TAG_td, TAG_th, TAG_caption, TAG_table, TAG_table},
    {TAG_tr, TAG_tr, TAG_colgroup, TAG_caption, TAG_table, TAG_table},
    {TAG_tbody, TAG_tbody, TAG_thead, TAG_tfoot, TAG_table, TAG_table},
    {TAG_thead, TAG_tbody, TAG_thead, TAG_tfoot, TAG_table, TAG_table},
    {TAG_tfoot, TAG_tbody, TAG_thead, TAG_tfoot, TAG_table, TAG_table},
};

static void end_implied(struct parser *parser, const struct implied_end *rule)
{
    size_t outermost = 0;
    if (parser->count[rule->first] + parser->count[rule->second] + parser->count[rule->third] ==
        0) {
        return;
    }
    for (size_t i = parser->depth; i-- > 1;) {
        enum html_tag open = tag_of(parser, parser->open[i]);
        if (open == rule->container || open == rule->other_container) {
            break;
        }
        if (open == rule->first || open == rule->second || open == rule->third) {
            outermost = i;
            break;
        }
    }
    if (outermost > 0) {
        pop_to(parser, outermost);
    }
}

static bool is_heading(enum html_tag tag)
{
    return tag >= TAG_h1 && tag <= TAG_h6;
}

static bool belongs_in_head(enum html_tag tag)
{
    return tag == TAG_meta || tag == TAG_link || tag == TAG_script || tag == TAG_style ||
           tag == TAG_title || tag == TAG_base || tag == TAG_noscript || tag == TAG_template;
}

static void leave_head(struct parser *parser)
{
    size_t head = parser->count[TAG_head] ? find_in_scope(parser, TAG_head) : 0;
    if (head > 0) {
        pop_to(parser, head);
    }
}

// Closes what the start of `tag` closes.
static void prepare_start(struct parser *parser, enum html_tag tag)
{
    unsigned flags = html_tag_flags(tag);
    size_t paragraph;
    if (parser->count[TAG_head] && !belongs_in_head(tag)) {
        leave_head(parser);
    }
    if ((flags & HTML_CLOSES_P) && (paragraph = find_in_scope(parser, TAG_p)) > 0) {
        pop_to(parser, paragraph);
    }
    if (is_heading(tag) && is_heading(top_tag(parser))) {
        pop_to(parser, parser->depth - 1);
    }
    for (size_t i = 0; i < sizeof implied_ends / sizeof implied_ends[0]; i++) {
        if (implied_ends[i].start == tag) {
            end_implied(parser, &implied_ends[i]);
        }
    }
}

// ---- Start and end tags

static void add_text(struct parser *parser, struct view text, bool has_entities)
{
    if (text.len == 0) {
        return;
    }
    if (parser->count[TAG_head] && view_trim(text).len > 0 && !parser->count[TAG_noscript]) {
        leave_head(parser);
    }
    uint32_t node = add_node(parser, TAG_text);
    if (node) {
        parser->html->nodes.at[node].text =
            has_entities ? html_decode(parser->arena, text, parser->entities) : text;
        parser->html->nodes.at[node].in_link = parser->link != 0;
    }
}

// Copies a name in lower case into `out`; names longer than the room are none we know.
static struct view lower_name(struct view name, char out[16])
{
    if (name.len > 16) {
        return (struct view){"", 0};
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        out[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    return (struct view){out, name.len};
}

// Moves behind a value: quoted, or up to white space or '>'.
static struct view read_value(struct parser *parser)
{
    struct view page = parser->page;
    size_t start = parser->at;
    if (start < page.len && (page.at[start] == '"' || page.at[start] == '\'')) {
        const char *end = memchr(page.at + start + 1, page.at[start], page.len - start - 1);
        size_t stop = end ? (size_t)(end - page.at) : page.len;
        parser->at = end ? stop + 1 : stop;
        return view_slice(page, start + 1, stop);
    }
    while (parser->at < page.len && !is_space(page.at[parser->at]) && page.at[parser->at] != '>') {
        parser->at++;
    }
    return view_slice(page, start, parser->at);
}

static void skip_space(struct parser *parser)
{
    while (parser->at < parser->page.len && is_space(parser->page.at[parser->at])) {
        parser->at++;
    }
}

static void keep_attribute(struct parser *parser, uint32_t node, uint32_t *seen, struct view name,
                           struct view value)
{
    char lower[16];
    enum html_attribute_name known = html_attribute_find(lower_name(name, lower));
    if (node == 0 || known == ATTR_COUNT || *seen & 1u << known) {
        return;
    }
    struct html_attribute attribute = {known, html_decode(parser->arena, value, parser->entities)};
    if (vec_push(parser->arena, &parser->html->attributes, attribute)) {
        *seen |= 1u << known;
        parser->html->nodes.at[node].attribute_count++;
    }
}

// Reads attributes up to and including '>'. `node` 0 reads and drops them. True when the tag ends in "/>".
static bool read_attributes(struct parser *parser, uint32_t node)
{
    struct view page = parser->page;
    uint32_t seen = 0;
    bool slash = false;
    if (node) {
        parser->html->nodes.at[node].attributes = (uint32_t)parser->html->attributes.len;
    }
    while (parser->at < page.len && page.at[parser->at] != '>') {
        char c = page.at[parser->at];
        if (is_space(c) || c == '/') {
            slash = c == '/';
            parser->at++;
            continue;
        }
        slash = false;
        size_t start = parser->at++;
        while (parser->at < page.len && !is_space(page.at[parser->at]) &&
               !strchr("=>/", page.at[parser->at])) {
            parser->at++;
        }
        struct view name = view_slice(page, start, parser->at);
        struct view value = {"", 0};
        skip_space(parser);
        if (parser->at < page.len && page.at[parser->at] == '=') {
            parser->at++;
            skip_space(parser);
            value = read_value(parser);
        }
        keep_attribute(parser, node, &seen, name, value);
    }
    parser->at += parser->at < page.len;
    return slash;
}

// Position of "</name" followed by no letter, from `from`; page.len when it never comes.
static size_t find_raw_end(struct view page, size_t from, struct view name)
{
    while (from < page.len) {
        const char *hit = memchr(page.at + from, '<', page.len - from);
        if (!hit) {
            break;
        }
        from = (size_t)(hit - page.at);
        struct view rest = view_slice(page, from + 2, page.len);
        if (from + 1 < page.len && page.at[from + 1] == '/' && view_starts_nocase(rest, name) &&
            (rest.len == name.len || !is_letter(rest.at[name.len]))) {
            return from;
        }
        from++;
    }
    return page.len;
}

// The content of a raw text element becomes one text node; the element is not left open.
static void read_raw(struct parser *parser, uint32_t node, enum html_tag tag)
{
    size_t end = find_raw_end(parser->page, parser->at, view_of(html_tag_name(tag)));
    struct view text = view_slice(parser->page, parser->at, end);
    push(parser, node);
    uint32_t child = text.len ? add_node(parser, TAG_text) : 0;
    if (child) {
        bool escapable = html_tag_flags(tag) & HTML_ESCAPABLE;
        parser->html->nodes.at[child].text =
            escapable ? html_decode(parser->arena, text, parser->entities) : text;
    }
    if (parser->beyond > 0) {
        parser->beyond--;
    } else {
        pop_to(parser, parser->depth - 1);
    }
    parser->at = end;
    while (parser->at < parser->page.len && parser->page.at[parser->at] != '>') {
        parser->at++;
    }
    parser->at += parser->at < parser->page.len;
}

static struct view read_tag_name(struct parser *parser)
{
    size_t start = parser->at;
    while (parser->at < parser->page.len && !is_space(parser->page.at[parser->at]) &&
           parser->page.at[parser->at] != '>' && parser->page.at[parser->at] != '/') {
        parser->at++;
    }
    return view_slice(parser->page, start, parser->at);
}

static void start_link(struct parser *parser, uint32_t node)
{
    if (html_attribute(parser->html, node, ATTR_HREF).at) {
        parser->link = node;
    }
}

// Behind '<' stands a letter.
static void read_start_tag(struct parser *parser)
{
    char lower[16];
    struct view name = read_tag_name(parser);
    enum html_tag tag = html_tag_find(lower_name(name, lower));
    bool repeated = (tag == TAG_html || tag == TAG_body || tag == TAG_head) && parser->count[tag];
    if (!repeated) {
        prepare_start(parser, tag);
    }
    uint32_t node = repeated ? 0 : add_node(parser, tag);
    bool closed = read_attributes(parser, node);
    if (node == 0) {
        return;
    }
    if (tag == TAG_unknown) {
        parser->html->nodes.at[node].text = name;
    }
    unsigned flags = html_tag_flags(tag);
    if (flags & (HTML_RAW | HTML_ESCAPABLE)) {
        read_raw(parser, node, tag);
    } else if (!(flags & HTML_VOID) &&
               !(closed && parser->count[TAG_svg] + parser->count[TAG_math])) {
        push(parser, node);
        if (tag == TAG_a) {
            start_link(parser, node);
        }
    }
}

// Depth of the open element that an end tag closes; 0 when it closes none.
static size_t find_open(const struct parser *parser, enum html_tag tag, struct view name)
{
    bool special = html_tag_flags(tag) & HTML_SPECIAL;
    if (special || parser->count[tag] == 0) {
        return find_in_scope(parser, tag);
    }
    for (size_t i = parser->depth; i-- > 1;) {
        size_t node = parser->open[i];
        enum html_tag open = tag_of(parser, node);
        if (open == tag &&
            (tag != TAG_unknown || view_equal_nocase(parser->html->nodes.at[node].text, name))) {
            return i;
        }
        if (html_tag_flags(open) & HTML_SPECIAL) {
            return 0;
        }
    }
    return 0;
}

// Table parts and the like are closed across the scope ends that stand inside them.
static size_t find_table(const struct parser *parser, enum html_tag tag)
{
    for (size_t i = parser->count[tag] ? parser->depth : 0; i-- > 1;) {
        if (tag_of(parser, parser->open[i]) == tag) {
            return i;
        }
    }
    return 0;
}

// Behind "</" stands a letter.
static void read_end_tag(struct parser *parser)
{
    char lower[16];
    struct view name = read_tag_name(parser);
    enum html_tag tag = html_tag_find(lower_name(name, lower));
    read_attributes(parser, 0);
    if (tag == TAG_a) {
        parser->link = 0;
    }
    if (tag == TAG_html || tag == TAG_body) {
        return;
    }
    if (parser->beyond > 0 && !(html_tag_flags(tag) & HTML_VOID)) {
        parser->beyond--;
        return;
    }
    size_t depth = tag == TAG_table || tag == TAG_button || tag == TAG_td || tag == TAG_th
                       ? find_table(parser, tag)
                       : find_open(parser, tag, name);
    if (depth > 0) {
        pop_to(parser, depth);
    } else if (tag == TAG_br || tag == TAG_p) {
        add_node(parser, tag);
    }
}

// ---- The page

static void skip_past(struct parser *parser, struct view mark)
{
    size_t hit = view_find(parser->page, mark, parser->at);
    parser->at = hit + mark.len > parser->page.len ? parser->page.len : hit + mark.len;
}

// At "<!" or "<?": a comment, doctype, CDATA.
static void skip_declaration(struct parser *parser)
{
    struct view rest = view_slice(parser->page, parser->at, parser->page.len);
    if (view_starts(rest, VIEW("<!-->"))) {
        parser->at += 5;
    } else if (view_starts(rest, VIEW("<!--"))) {
        parser->at += 4;
        skip_past(parser, VIEW("-->"));
    } else {
        skip_past(parser, VIEW(">"));
    }
}

// Where the next markup begins at or after `from`, or page.len. A '<' before anything else is text.
static size_t find_markup(struct view page, size_t from)
{
    while (from < page.len) {
        const char *hit = memchr(page.at + from, '<', page.len - from);
        size_t at = hit ? (size_t)(hit - page.at) : page.len;
        char next = at + 1 < page.len ? page.at[at + 1] : '\0';
        if (!hit || is_letter(next) || next == '!' || next == '?' || next == '/') {
            return at;
        }
        from = at + 1;
    }
    return page.len;
}

static void read_markup(struct parser *parser)
{
    char next = parser->at + 1 < parser->page.len ? parser->page.at[parser->at + 1] : '\0';
    char second = parser->at + 2 < parser->page.len ? parser->page.at[parser->at + 2] : '\0';
    if (next == '!' || next == '?') {
        skip_declaration(parser);
    } else if (next == '/' && is_letter(second)) {
        parser->at += 2;
        read_end_tag(parser);
    } else if (next == '/') {
        skip_past(parser, VIEW(">"));
    } else {
        parser->at += 1;
        read_start_tag(parser);
    }
}

void html_parse(struct html *html, struct arena *arena, struct view page,
                const struct table_list *entities)
{
    struct parser parser = {.html = html,
                            .arena = arena,
                            .page = view_slice(page, 0, HTML_BYTE_LIMIT),
                            .entities = entities};
    *html = (struct html){0};
    if (!vec_push(arena, &html->nodes, ((struct html_node){.tag = TAG_html, .end = 1}))) {
        return;
    }
    parser.open[parser.depth++] = 0; // the root: a document around <html>
    while (parser.at < parser.page.len && html->nodes.len < HTML_NODE_LIMIT &&
           !arena_is_full(arena)) {
        size_t markup = find_markup(parser.page, parser.at);
        add_text(&parser, view_slice(parser.page, parser.at, markup), true);
        parser.at = markup;
        if (markup < parser.page.len) {
            read_markup(&parser);
        }
    }
    pop_to(&parser, 1);
    html->nodes.at[0].end = (uint32_t)html->nodes.len;
}

struct view html_attribute(const struct html *html, size_t i, enum html_attribute_name name)
{
    const struct html_node *node = &html->nodes.at[i];
    for (uint32_t k = 0; k < node->attribute_count; k++) {
        const struct html_attribute *attribute = &html->attributes.at[node->attributes + k];
        if (attribute->name == name) {
            return attribute->value;
        }
    }
    return (struct view){NULL, 0};
}

struct view html_decode(struct arena *arena, struct view text, const struct table_list *entities)
{
    const char *mark = text.len ? memchr(text.at, '&', text.len) : NULL;
    if (!mark) {
        return text;
    }
    char *out = arena_alloc(arena, text.len + 1); // no entity is shorter than its text
    size_t len = 0;
    size_t at = 0;
    if (!out) {
        return text;
    }
    while (at < text.len) {
        mark = memchr(text.at + at, '&', text.len - at);
        size_t stop = mark ? (size_t)(mark - text.at) : text.len;
        memcpy(out + len, text.at + at, stop - at);
        len += stop - at;
        at = stop;
        if (at < text.len) {
            at += html_entity(view_slice(text, at, text.len), entities, out, &len);
        }
    }
    return (struct view){out, len};
}

struct view html_text_of(const struct html *html, struct arena *arena, size_t i, size_t limit)
{
    char *out = arena_alloc(arena, limit + 1);
    size_t len = 0;
    for (size_t k = i; out && k < html->nodes.at[i].end; k++) {
        const struct html_node *node = &html->nodes.at[k];
        if (node->tag == TAG_script || node->tag == TAG_style) {
            k = node->end - 1;
            continue;
        }
        bool gap = node->tag != TAG_text && html_tag_flags((enum html_tag)node->tag) != 0 &&
                   !(html_tag_flags((enum html_tag)node->tag) & HTML_FORMATTING);
        if (gap && len > 0 && out[len - 1] != ' ' && len < limit) {
            out[len++] = ' ';
        }
        struct view text = node->tag == TAG_text ? node->text : (struct view){"", 0};
        for (size_t c = 0; c < text.len && len < limit;) {
            size_t start = c;
            uint32_t code_point = utf8_next(text, &c);
            if (!utf8_is_space(code_point) && len + (c - start) <= limit) {
                memcpy(out + len, text.at + start, c - start);
                len += c - start;
            } else if (len > 0 && out[len - 1] != ' ') {
                out[len++] = ' ';
            }
        }
    }
    return out ? view_trim((struct view){out, len}) : (struct view){"", 0};
}
