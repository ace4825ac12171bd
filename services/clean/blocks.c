#include "services/clean/blocks.h"

#include "common/utf8.h"

enum {
    HINT_TOKENS = 24,  // of one attribute that are looked at
    CACHE_SLOTS = 512, // attribute values whose hints are remembered
    PROSE_WORDS = 8,
    WRAP_SHORTEST = 50, // bytes of the longest line of wrapped text
    WRAP_LONGEST = 100,
};

struct cached {
    struct view names;
    uint32_t hints;
};

struct cutter {
    struct page *page;
    const struct table_list *classes;
    struct cached *cache;
    char *text; // of all blocks, one behind the other
    size_t len, cap;
    size_t start; // of the block being filled
    struct block block;
    bool in_word, word_in_link;
    uint32_t word_letters; // code points of the present word
    bool word_capital, word_lower;
    bool space_due;
};

// ---- Hints

static const char *const hint_names[HINT_COUNT] = {
#define HINT_NAME(name) [HINT_##name] = #name,
    HINTS(HINT_NAME)};

static uint32_t hints_of_words(struct view kinds)
{
    uint32_t hints = 0;
    struct view word;
    while (view_next_word(&kinds, &word)) {
        for (unsigned i = 0; i < HINT_COUNT; i++) {
            if (word.at[0] == hint_names[i][0] && view_equal(word, view_of(hint_names[i]))) {
                hints |= 1u << i;
            }
        }
    }
    return hints;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

// Cuts the next word of a class name off `*rest` into `out`, in lower case: "postTitle-main" gives post, title, main.
static struct view next_token(struct view *rest, char out[24])
{
    size_t at = 0, len = 0;
    while (at < rest->len && !is_lower(rest->at[at]) && !is_upper(rest->at[at])) {
        at++;
    }
    size_t start = at;
    while (at < rest->len && (is_lower(rest->at[at]) || is_upper(rest->at[at]))) {
        if (at > start && is_upper(rest->at[at]) && is_lower(rest->at[at - 1])) {
            break;
        }
        if (len < 24) {
            out[len++] = (char)(rest->at[at] | 32);
        }
        at++;
    }
    *rest = view_slice(*rest, at, rest->len);
    return (struct view){out, len};
}

uint32_t blocks_hints(struct view names, const struct table_list *classes)
{
    char words[2][24], joined[48];
    struct view before = {"", 0}, kinds;
    uint32_t hints = 0;
    for (int i = 0; i < HINT_TOKENS; i++) {
        struct view token = next_token(&names, words[i & 1]);
        if (token.len == 0) {
            break;
        }
        if (token.len > 1 && table_find(classes, token, &kinds)) {
            hints |= hints_of_words(kinds);
        }
        if (before.len > 0) {
            memcpy(joined, before.at, before.len);
            memcpy(joined + before.len, token.at, token.len);
            if (table_find(classes, (struct view){joined, before.len + token.len}, &kinds)) {
                hints |= hints_of_words(kinds);
            }
        }
        before = token;
    }
    return hints;
}

static uint32_t cached_hints(struct cutter *cutter, struct view names)
{
    if (names.len == 0) {
        return 0;
    }
    struct cached *slot = &cutter->cache[view_hash(names) % CACHE_SLOTS];
    if (!view_equal(slot->names, names)) {
        *slot = (struct cached){names, blocks_hints(names, cutter->classes)};
    }
    return slot->hints;
}

static const struct {
    const char *role;
    uint32_t hints;
} roles[] = {
    {"navigation", HINT(nav)},        {"banner", HINT(header)},   {"contentinfo", HINT(footer)},
    {"complementary", HINT(sidebar)}, {"search", HINT(form)},     {"dialog", HINT(promo)},
    {"alertdialog", HINT(promo)},     {"menu", HINT(nav)},        {"menubar", HINT(nav)},
    {"articleBody", HINT(body)},      {"headline", HINT(title)},  {"author", HINT(author)},
    {"datePublished", HINT(date)},    {"caption", HINT(caption)}, {"main", HINT(content)},
};

static uint32_t role_hints(struct view role)
{
    for (size_t i = 0; role.len > 0 && i < sizeof roles / sizeof roles[0]; i++) {
        if (role.at[0] == roles[i].role[0] && view_equal(role, view_of(roles[i].role))) {
            return roles[i].hints;
        }
    }
    return 0;
}

static const uint32_t tag_kinds[TAG_COUNT] = {
    [TAG_article] = IN_ARTICLE, [TAG_main] = IN_MAIN,        [TAG_nav] = IN_NAV,
    [TAG_footer] = IN_FOOTER,   [TAG_header] = IN_HEADER,    [TAG_aside] = IN_ASIDE,
    [TAG_form] = IN_FORM,       [TAG_figure] = IN_FIGURE,    [TAG_figcaption] = IN_FIGURE,
    [TAG_ul] = IN_LIST,         [TAG_ol] = IN_LIST,          [TAG_dl] = IN_LIST,
    [TAG_table] = IN_TABLE,     [TAG_blockquote] = IN_QUOTE, [TAG_section] = IN_SECTION,
    [TAG_a] = IN_LINK,          [TAG_button] = IN_BUTTON,    [TAG_noscript] = IN_NOSCRIPT,
    [TAG_select] = IN_SELECT,   [TAG_details] = IN_DETAILS,  [TAG_dialog] = IN_DIALOG,
    [TAG_p] = IN_PARAGRAPH,     [TAG_caption] = IN_FIGURE,
};

static bool is_hidden(const struct html *html, size_t i)
{
    struct view style = html_attribute(html, i, ATTR_STYLE);
    if (html_attribute(html, i, ATTR_HIDDEN).at ||
        view_equal(html_attribute(html, i, ATTR_ARIA_HIDDEN), VIEW("true"))) {
        return true;
    }
    size_t display = style.at ? view_find(style, VIEW("display"), 0) : 0;
    if (!style.at || display == style.len) {
        return false;
    }
    struct view rest = view_slice(style, display + 7, style.len);
    while (rest.len > 0 && (rest.at[0] == ' ' || rest.at[0] == ':')) {
        rest = view_slice(rest, 1, rest.len);
    }
    return view_starts(rest, VIEW("none"));
}

static void describe_element(struct cutter *cutter, size_t i)
{
    const struct html *html = &cutter->page->html;
    const struct html_node *node = &html->nodes.at[i];
    struct element *element = &cutter->page->elements[i];
    const struct element *parent = &cutter->page->elements[node->parent];
    struct view class = html_attribute(html, i, ATTR_CLASS);
    element->tags = parent->tags | tag_kinds[node->tag];
    if (node->tag != TAG_html && node->tag != TAG_body && node->attribute_count > 0) {
        element->own = cached_hints(cutter, class) |
                       cached_hints(cutter, html_attribute(html, i, ATTR_ID)) |
                       cached_hints(cutter, html_attribute(html, i, ATTR_TESTID)) |
                       role_hints(html_attribute(html, i, ATTR_ROLE)) |
                       role_hints(html_attribute(html, i, ATTR_ITEMPROP));
        element->tags |= is_hidden(html, i) ? IN_HIDDEN : 0;
    }
    const struct element *grandparent =
        &cutter->page->elements[html->nodes.at[node->parent].parent];
    element->hints = parent->hints | element->own;
    element->near = element->own | parent->own | grandparent->own;
    uint32_t name = (uint32_t)view_hash(class.at ? class : VIEW("-")) * 31u + node->tag;
    element->signature = name * 2654435761u + (parent->signature >> 7);
}

// ---- Blocks

static void end_word(struct cutter *cutter)
{
    struct block *block = &cutter->block;
    if (!cutter->in_word) {
        return;
    }
    cutter->in_word = false;
    block->words++;
    block->link_words += cutter->word_in_link;
    block->short_words += cutter->word_lower && cutter->word_letters <= 3;
    block->capitals += cutter->word_capital;
}

static bool is_sentence_mark(uint32_t c)
{
    return c == '.' || c == '!' || c == '?' || c == 0x2026 || c == 0x3002 || c == 0xff01 ||
           c == 0xff1f || c == 0x0964 || c == 0x061f || c == 0x06d4;
}

static bool is_closing(uint32_t c)
{
    return c == '"' || c == '\'' || c == ')' || c == ']' || (c >= 0x2018 && c <= 0x201f) ||
           c == 0xbb || c == 0xab || c == 0x203a || c == 0x2039 || c == 0x300d || c == 0x300f;
}

// Scripts without spaces: two characters count as a word.
static bool is_ideographic(uint32_t c)
{
    return (c >= 0x3040 && c <= 0x30ff) || (c >= 0x3400 && c <= 0x9fff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x0e00 && c <= 0x0e7f) ||
           (c >= 0x20000 && c <= 0x3ffff);
}

static bool is_invisible(uint32_t c)
{
    return c == 0xad || (c >= 0x200b && c <= 0x200f && c != 0x200c && c != 0x200d) || c == 0xfeff ||
           c == 0x2060 || (c >= 0x202a && c <= 0x202e) || c < 0x20;
}

static bool is_mark_inside_word(uint32_t c)
{
    return c == '\'' || c == 0x2019 || c == '-';
}

static void count(struct cutter *cutter, uint32_t c, bool in_link)
{
    struct block *block = &cutter->block;
    bool letter = c < 0x80
                      ? utf8_is_letter(c)
                      : (c >= 0xc0 && !is_closing(c) && c != 0xd7 && !(c >= 0x2000 && c < 0x2c00) &&
                         !(c >= 0x3000 && c <= 0x303f) && c < 0xff00);
    block->code_points++;
    if (letter || (c >= '0' && c <= '9')) {
        if (!cutter->in_word) {
            cutter->in_word = true;
            cutter->word_in_link = in_link;
            cutter->word_letters = 0;
            cutter->word_capital = utf8_is_upper(c);
            cutter->word_lower = letter && !cutter->word_capital;
        }
        cutter->word_letters++;
        block->letters += letter;
        block->digits += !letter;
        block->all_capitals &= !utf8_is_lower(c);
        if (is_ideographic(c) && cutter->word_letters == 2) {
            end_word(cutter);
        }
    } else if (!is_mark_inside_word(c)) {
        end_word(cutter);
    }
    block->commas += c == ',' || c == 0x3001 || c == 0xff0c || c == 0x060c || c == ';';
    block->stops += is_sentence_mark(c);
    block->ends_sentence = is_sentence_mark(c) || (block->ends_sentence && is_closing(c));
}

static bool make_room(struct cutter *cutter, size_t more)
{
    if (cutter->len + more + 2 <= cutter->cap) {
        return true;
    }
    return false;
}

static void add_run(struct cutter *cutter, struct view text, bool in_link)
{
    if (!make_room(cutter, text.len)) {
        return;
    }
    for (size_t at = 0; at < text.len;) {
        size_t start = at;
        uint32_t c = utf8_next(text, &at);
        if (utf8_is_space(c)) {
            cutter->space_due = cutter->len > cutter->start;
            end_word(cutter);
            continue;
        }
        if (is_invisible(c)) {
            continue;
        }
        if (cutter->space_due) {
            cutter->text[cutter->len++] = ' ';
            cutter->block.code_points++;
            cutter->space_due = false;
        }
        memcpy(cutter->text + cutter->len, text.at + start, at - start);
        cutter->len += at - start;
        count(cutter, c, in_link);
    }
}

static void start_block(struct cutter *cutter, uint32_t node, bool after_break)
{
    cutter->start = cutter->len;
    cutter->space_due = false;
    cutter->in_word = false;
    cutter->block = (struct block){.node = node, .after_break = after_break, .all_capitals = true};
}

// Closes the block being filled. False when it was empty: the next one goes on with its place.
static bool end_block(struct cutter *cutter)
{
    struct page *page = cutter->page;
    struct block *block = &cutter->block;
    end_word(cutter);
    if (cutter->len == cutter->start || page->blocks.len >= BLOCK_LIMIT) {
        return false;
    }
    block->text = (struct view){cutter->text + cutter->start, cutter->len - cutter->start};
    block->hash = view_hash(block->text);
    block->all_capitals &= block->letters > 3;
    block->is_prose = block->words >= PROSE_WORDS && block->link_words * 3 <= block->words &&
                      (block->stops > 0 || block->commas > 1) && block->letters > 0;
    vec_push(page->arena, &page->blocks, *block);
    return true;
}

static bool skips_content(enum html_tag tag)
{
    return tag == TAG_script || tag == TAG_style || tag == TAG_template || tag == TAG_head ||
           tag == TAG_iframe || tag == TAG_noembed || tag == TAG_noframes || tag == TAG_svg ||
           tag == TAG_math || tag == TAG_object || tag == TAG_audio || tag == TAG_video ||
           tag == TAG_canvas || tag == TAG_textarea || tag == TAG_select || tag == TAG_title ||
           tag == TAG_map;
}

static void cut_html(struct cutter *cutter)
{
    const struct html *html = &cutter->page->html;
    uint32_t ends[HTML_DEPTH_LIMIT + 2]; // where the open block elements end, innermost last
    uint32_t nodes[HTML_DEPTH_LIMIT + 2];
    size_t depth = 0;
    ends[0] = (uint32_t)html->nodes.len;
    nodes[0] = 0;
    start_block(cutter, 0, false);
    for (uint32_t i = 1; i < html->nodes.len; i++) {
        const struct html_node *node = &html->nodes.at[i];
        while (depth > 0 && i >= ends[depth]) {
            depth--;
            end_block(cutter);
            start_block(cutter, nodes[depth], false);
        }
        if (node->tag == TAG_text) {
            add_run(cutter, node->text, node->in_link);
            continue;
        }
        describe_element(cutter, i);
        cutter->page->elements[i].images += node->tag == TAG_img;
        if (skips_content((enum html_tag)node->tag)) {
            i = node->end - 1;
        } else if (node->tag == TAG_br) {
            end_block(cutter);
            start_block(cutter, nodes[depth], true);
        } else if (html_tag_flags((enum html_tag)node->tag) & HTML_BLOCK) {
            end_block(cutter);
            depth += depth < HTML_DEPTH_LIMIT;
            ends[depth] = node->end;
            nodes[depth] = i;
            start_block(cutter, i, false);
        }
    }
    end_block(cutter);
}

static void add_score(struct page *page, uint32_t node, const struct block *block, float share)
{
    float length = (float)block->code_points / 100.0f;
    float links = (float)block->link_words / (float)(block->words ? block->words : 1);
    float score = 1.0f + (float)block->commas + (length > 3.0f ? 3.0f : length);
    page->elements[node].score += score * (1.0f - links) * share;
}

// Adds what the blocks have to their elements, and the elements' to their parents.
static void sum_up(struct page *page)
{
    const struct html_node *nodes = page->html.nodes.at;
    page->words = 0;
    page->prose = 0;
    for (size_t i = 0; i < page->html.nodes.len; i++) {
        struct element *element = &page->elements[i];
        element->words = element->links = element->prose = 0;
        element->score = 0;
    }
    for (size_t i = 0; i < page->blocks.len; i++) {
        struct block *block = &page->blocks.at[i];
        struct element *element = &page->elements[block->node];
        block->tag = nodes[block->node].tag;
        page->words += block->words;
        page->prose += block->is_prose ? block->words : 0;
        element->words += block->words;
        element->links += block->link_words;
        if (block->is_prose) {
            uint32_t parent = nodes[block->node].parent;
            element->prose += block->words;
            add_score(page, block->node, block, 0.5f);
            add_score(page, parent, block, 1.0f);
            add_score(page, nodes[parent].parent, block, 0.5f);
        }
    }
    for (size_t i = page->html.nodes.len; i-- > 1;) {
        struct element *parent = &page->elements[nodes[i].parent];
        parent->words += page->elements[i].words;
        parent->links += page->elements[i].links;
        parent->prose += page->elements[i].prose;
    }
}

static void sum_images(struct page *page)
{
    for (size_t i = page->html.nodes.len; i-- > 1;) {
        page->elements[page->html.nodes.at[i].parent].images += page->elements[i].images;
    }
}

// An element that holds most of the prose is the frame of the article, whatever "sidebar" or "ad" is in its
// name: its hints are not handed down.
static void drop_frame_hints(struct page *page)
{
    const struct html_node *nodes = page->html.nodes.at;
    for (size_t i = 1; i < page->html.nodes.len; i++) {
        struct element *element = &page->elements[i];
        const struct element *parent = &page->elements[nodes[i].parent];
        bool frame = page->prose > 60 && element->prose * 2 > page->prose;
        uint32_t kept = frame ? element->own & (HINT(body) | HINT(content)) : element->own;
        element->own = kept;
        element->hints = parent->hints | kept;
        element->near = kept | parent->own | page->elements[nodes[nodes[i].parent].parent].own;
    }
}

void blocks_measure(struct page *page)
{
    if (page->html.nodes.len > 0) {
        sum_up(page);
        drop_frame_hints(page);
        return;
    }
    page->words = 0;
    page->prose = 0;
    for (size_t i = 0; i < page->blocks.len; i++) {
        page->words += page->blocks.at[i].words;
        page->prose += page->blocks.at[i].is_prose ? page->blocks.at[i].words : 0;
    }
}

static bool cutter_init(struct cutter *cutter, struct page *page, struct arena *arena,
                        size_t text_bytes)
{
    *page = (struct page){.arena = arena};
    *cutter = (struct cutter){.page = page, .cap = text_bytes + 8};
    cutter->text = arena_alloc(arena, cutter->cap);
    return cutter->text != NULL;
}

void blocks_of_html(struct page *page, struct arena *arena, struct view content,
                    const struct table_list *entities, const struct table_list *classes)
{
    struct cutter cutter;
    if (!cutter_init(&cutter, page, arena, content.len)) {
        return;
    }
    html_parse(&page->html, arena, content, entities);
    page->elements = arena_zalloc(arena, page->html.nodes.len + 1, sizeof *page->elements);
    cutter.cache = arena_zalloc(arena, CACHE_SLOTS, sizeof *cutter.cache);
    cutter.classes = classes;
    if (!page->elements || !cutter.cache || page->html.nodes.len == 0) {
        return;
    }
    cut_html(&cutter);
    sum_images(page);
    blocks_measure(page);
}

// How the lines of plain text are to be read.
struct wrapping {
    size_t join_from; // a line of as many bytes goes on in the next line; 0: no line does
};

// Text that was wrapped at a fixed width, as wires and mail are: no line is long, and most lines that have another one
// below are nearly as long as the longest.
static struct wrapping find_wrapping(struct view content)
{
    size_t longest = 0, inner = 0, full = 0, before = 0;
    struct view rest = content, line;
    while (view_next_line(&rest, &line)) {
        longest = line.len > longest ? line.len : longest;
    }
    if (longest < WRAP_SHORTEST || longest > WRAP_LONGEST) {
        return (struct wrapping){0};
    }
    size_t join_from = longest * 7 / 10;
    rest = content;
    while (view_next_line(&rest, &line)) {
        bool blank = view_trim(line).len == 0;
        inner += before > 0 && !blank;
        full += before >= join_from && !blank;
        before = blank ? 0 : line.len;
    }
    return (struct wrapping){inner >= 3 && full * 10 >= inner * 6 ? join_from : 0};
}

void blocks_of_text(struct page *page, struct arena *arena, struct view content)
{
    struct cutter cutter;
    struct view line;
    uint32_t gap = 0;
    bool goes_on = false;
    struct wrapping wrapping = find_wrapping(content);
    if (!cutter_init(&cutter, page, arena, content.len)) {
        return;
    }
    page->elements = arena_zalloc(arena, 1, sizeof *page->elements);
    start_block(&cutter, 0, false);
    while (view_next_line(&content, &line)) {
        if (goes_on && view_trim(line).len > 0) {
            add_run(&cutter, VIEW(" "), false);
        } else {
            gap = end_block(&cutter) ? 0 : gap + 1;
            start_block(&cutter, 0, gap == 0);
            cutter.block.gap = gap;
        }
        add_run(&cutter, line, false);
        goes_on = wrapping.join_from > 0 && line.len >= wrapping.join_from;
    }
    end_block(&cutter);
    blocks_measure(page);
}
