#include "services/clean/byline.h"

#include "common/utf8.h"
#include "services/clean/dayscan.h"
#include "services/clean/plain.h"

enum { NAME_BYTES = 80, NAME_WORDS = 6, REACH = 16 };

static const char *const openings[] = {"by ",
                                       "by: ",
                                       "words by ",
                                       "written by ",
                                       "written by: ",
                                       "posted by ",
                                       "von ",
                                       "von: ",
                                       "par ",
                                       "por ",
                                       "door ",
                                       "author: ",
                                       "author ",
                                       "authors: ",
                                       "autor: ",
                                       "text: ",
                                       "text by ",
                                       "story by ",
                                       "published by ",
                                       "reported by ",
                                       "af ",
                                       "av ",
                                       "autorin: ",
                                       "di ",
                                       "από ",
                                       "auteur : ",
                                       "par : ",
                                       "redaktion: ",
                                       "\xe4\xbd\x9c\xe8\x80\x85\xef\xbc\x9a",
                                       "\xe6\x96\x87\xef\xbc\x9a"};

// Where one name ends and the next begins; also what ends the names.
static const char *const joints[] = {" and ", " und ", " et ",   " y ",         " & ",
                                     ", ",    "; ",    " / ",    " | ",         " e ",
                                     " og ",  " och ", " with ", "\xe3\x80\x81"};
static const char *const stops[] = {" | ",
                                    " \xe2\x80\xa2 ",
                                    " \xc2\xb7 ",
                                    " \xe2\x80\x93 ",
                                    " \xe2\x80\x94 ",
                                    " - ",
                                    " on ",
                                    " for ",
                                    " in ",
                                    " at ",
                                    " updated",
                                    " published",
                                    " posted",
                                    " am ",
                                    " vom ",
                                    " le ",
                                    "(",
                                    " @",
                                    ", updated",
                                    ", published",
                                    " last updated",
                                    " // "};

// Words that make a text no name of a person or desk.
static const char *const no_names[] = {"more about",
                                       "show all",
                                       "all articles",
                                       "alle beitr",
                                       "alle artikel",
                                       "no author",
                                       "mins",
                                       "twitter",
                                       "facebook",
                                       "linkedin",
                                       "instagram",
                                       "website",
                                       "http",
                                       "www.",
                                       "@",
                                       "comment",
                                       "share",
                                       "minutes",
                                       "min read",
                                       "subscribe",
                                       "read more",
                                       "click",
                                       "view all",
                                       "all posts",
                                       "more from",
                                       "admin",
                                       "posts by",
                                       "see all",
                                       "follow",
                                       "contact",
                                       "published",
                                       "updated",
                                       "newsletter",
                                       "about the author",
                                       "contributed content",
                                       "unknown",
                                       "{",
                                       "<",
                                       "null",
                                       "undefined",
                                       "anonymous",
                                       "profile",
                                       "biography",
                                       "editorial policy",
                                       "reviewed",
                                       "fact checked",
                                       "author bio",
                                       "written by"};

static struct view strip(struct view name)
{
    static const char marks[] = ",.;:|-/*\"'()[]~";
    bool changed = true;
    while (changed) {
        name = view_trim(name);
        changed = false;
        if (name.len > 0 && strchr(marks, name.at[0])) {
            name = view_slice(name, 1, name.len);
            changed = true;
        }
        bool initial = name.len > 2 && name.at[name.len - 1] == '.' &&
                       (name.at[name.len - 2] < 'a' || view_ends(name, VIEW("Jr.")) ||
                        view_ends(name, VIEW("Sr.")));
        bool bracket = name.len > 0 && name.at[name.len - 1] == ')' &&
                       view_find(name, VIEW("("), 1) < name.len;
        if (name.len > 0 && !initial && !bracket && strchr(marks, name.at[name.len - 1])) {
            name.len--;
            changed = true;
        }
    }
    return name;
}

static bool skip_opening(struct view *text)
{
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        if (view_starts_nocase(*text, view_of(openings[i]))) {
            *text = view_trim(view_slice(*text, strlen(openings[i]), text->len));
            return true;
        }
    }
    return false;
}

static bool contains_nocase(struct view text, const char *needle)
{
    for (size_t i = 0; i < text.len; i++) {
        if (view_starts_nocase(view_slice(text, i, text.len), view_of(needle))) {
            return true;
        }
    }
    return false;
}

static bool is_opening_word(struct view name)
{
    for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++) {
        struct view opening = view_of(openings[i]);
        size_t end = view_find(opening, VIEW(" "), 0);
        if (view_equal_nocase(name, view_slice(opening, 0, end))) {
            return true;
        }
    }
    return false;
}

static bool is_name(struct view name)
{
    struct view rest = name, word;
    size_t words = 0, digits = 0;
    struct day day;
    size_t others;
    if (name.len < 2 || name.len > NAME_BYTES || is_opening_word(name)) {
        return false;
    }
    for (size_t i = 0; i < sizeof no_names / sizeof no_names[0]; i++) {
        if (contains_nocase(name, no_names[i])) {
            return false;
        }
    }
    while (view_next_word(&rest, &word)) {
        words++;
    }
    for (size_t i = 0; i < name.len; i++) {
        digits += name.at[i] >= '0' && name.at[i] <= '9';
    }
    return words <= NAME_WORDS && digits < 3 && !dayscan_find(name, &day, &others);
}

static bool is_site_name(const struct facts *facts, struct view name)
{
    return facts->site_name.len > 0 && view_equal_nocase(view_trim(facts->site_name), name);
}

static void add_name(struct byline *out, struct view name)
{
    name = strip(name);
    if (!is_name(name) || out->len == BYLINE_NAMES) {
        return;
    }
    for (size_t i = 0; i < out->len; i++) {
        if (view_equal_nocase(out->names[i], name)) {
            return;
        }
    }
    out->names[out->len++] = name;
}

// Adds every name of "Jane Porter, Li Wei and Carlos Diaz".
static void add_names(struct byline *out, struct view text)
{
    while (text.len > 0) {
        size_t cut = text.len, size = 0;
        for (size_t i = 0; i < sizeof joints / sizeof joints[0]; i++) {
            size_t hit = view_find(text, view_of(joints[i]), 0);
            if (hit < cut) {
                cut = hit;
                size = strlen(joints[i]);
            }
        }
        struct view name = view_trim(view_slice(text, 0, cut));
        skip_opening(&name);
        add_name(out, name);
        text = view_slice(text, cut + size, text.len);
    }
}

static struct view before_stop(struct view text)
{
    for (size_t i = 1; i < text.len; i++) {
        for (size_t k = 0; k < sizeof stops / sizeof stops[0]; k++) {
            if (view_starts_nocase(view_slice(text, i, text.len), view_of(stops[k]))) {
                return view_slice(text, 0, i);
            }
        }
    }
    return text;
}

// "By 2060 only two of the 61 glaciers will remain." is a sentence and names nobody.
static bool is_sentence(struct view line)
{
    enum { BYLINE_WORDS = 6 };
    size_t words = 0;
    struct view rest = line, word;
    while (view_next_word(&rest, &word)) {
        words++;
    }
    return words > BYLINE_WORDS && (view_ends(line, VIEW(".")) || view_ends(line, VIEW(".\"")) ||
                                    view_ends(line, VIEW("?")) || view_ends(line, VIEW("!")));
}

bool byline_of_line(struct byline *out, struct view line)
{
    struct view text = view_trim(line);
    size_t before = out->len;
    if (line.len > 300 || is_sentence(text) || !skip_opening(&text)) {
        return false;
    }
    text = before_stop(text);
    size_t at = 0;
    uint32_t first = text.len ? utf8_next(text, &at) : 0;
    if (text.len > 120 || utf8_is_lower(first) || utf8_is_digit(first)) {
        return false;
    }
    add_names(out, text);
    return out->len > before;
}

static const struct jsonld_node *resolve(const struct jsonld *nodes, const struct jsonld_node *node)
{
    for (size_t i = 0; node->name.len == 0 && node->id.len > 0 && i < nodes->len; i++) {
        if (nodes->at[i].name.len > 0 && view_equal(nodes->at[i].id, node->id)) {
            return &nodes->at[i];
        }
    }
    return node;
}

// The authors that JSON-LD names for the article: persons, or else organisations other than the site.
static void from_jsonld(struct byline *out, const struct reading *reading, bool people)
{
    const struct facts *facts = &reading->facts;
    for (size_t i = 0; i < facts->jsonld.len; i++) {
        const struct jsonld_node *node = &facts->jsonld.at[i];
        bool author =
            view_equal(node->key, VIEW("author")) || view_equal(node->key, VIEW("creator"));
        if (!author || node->parent == JSONLD_NO_PARENT) {
            continue;
        }
        const struct jsonld_node *owner = &facts->jsonld.at[node->parent];
        const struct jsonld_node *known = resolve(&facts->jsonld, node);
        struct view name = view_trim(known->name);
        bool article =
            owner == facts->article || (!facts->article && jsonld_is_article(owner->type));
        bool person = view_equal(known->type, VIEW("Person"));
        bool organisation = view_ends(known->type, VIEW("Organization"));
        bool wanted = people ? !organisation : organisation;
        if (article && wanted && (person || !is_site_name(facts, name))) {
            add_names(out, name);
        }
    }
    out->source = "jsonld";
}

static void from_meta(struct byline *out, const struct reading *reading)
{
    const struct facts *facts = &reading->facts;
    for (size_t i = 0; i < facts->meta_authors.len && out->len == 0; i++) {
        const struct fact *fact = &facts->meta_authors.at[i];
        if (!is_site_name(facts, fact->value)) {
            add_names(out, fact->value);
        }
    }
    out->source = "meta";
}

static bool is_near_title(const struct reading *reading, uint32_t node)
{
    size_t title = reading->marks.title;
    const struct page *page = &reading->page;
    if (title >= page->blocks.len) {
        return true;
    }
    size_t low = title > 6 ? title - 6 : 0;
    size_t high = title + REACH < page->blocks.len ? title + REACH : page->blocks.len - 1;
    return node + 12 >= page->blocks.at[low].node &&
           node <= page->html.nodes.at[page->blocks.at[high].node].end;
}

static bool is_comment(const struct reading *reading, uint32_t node)
{
    return reading->page.elements[node].hints & (HINT(comment) | HINT(related) | HINT(nav));
}

enum marks { MARKS_REL, MARKS_NEAR, MARKS_ANYWHERE };

static void from_marks(struct byline *out, const struct reading *reading, enum marks which)
{
    const struct fact_list *list = &reading->facts.marked_authors;
    for (size_t i = 0; i < list->len && out->len < 4; i++) {
        const struct fact *fact = &list->at[i];
        struct view text = fact->value;
        bool rel = view_equal_nocase(fact->label, VIEW("author"));
        bool placed = which == MARKS_ANYWHERE || is_near_title(reading, fact->node);
        if (is_comment(reading, fact->node) || !placed || rel != (which == MARKS_REL) ||
            (out->len > 0 && !rel)) {
            continue;
        }
        skip_opening(&text);
        text = before_stop(text);
        if (!is_site_name(&reading->facts, text) && text.len < 120) {
            add_names(out, text);
        }
    }
    out->source = "marked";
}

// "Jane Porter" or "LI WEI" alone on the line below the headline of a page of plain text.
static bool is_bare_name(const struct block *block)
{
    struct view rest = block->text, word;
    while (view_next_word(&rest, &word)) {
        size_t at = 0;
        if (!utf8_is_upper(utf8_next(word, &at))) {
            return false;
        }
    }
    return block->words >= 2 && block->words <= 3 && block->digits == 0 && !block->ends_sentence &&
           block->commas == 0 && block->code_points <= 40;
}

static void from_lines(struct byline *out, const struct reading *reading)
{
    const struct page *page = &reading->page;
    size_t title = reading->marks.title < page->blocks.len ? reading->marks.title : 0;
    size_t low = title > 4 ? title - 4 : 0;
    for (size_t i = low; i < page->blocks.len && i < title + REACH && out->len == 0; i++) {
        struct view line = page->blocks.at[i].text;
        if (is_comment(reading, page->blocks.at[i].node) || page->blocks.at[i].words > 25) {
            continue;
        }
        if (byline_of_line(out, line)) {
            out->block = i;
        } else if (i + 1 < page->blocks.len && line.len < 14 &&
                   (view_equal_nocase(line, VIEW("by")) || view_equal_nocase(line, VIEW("von")) ||
                    view_equal_nocase(line, VIEW("by:")) || view_equal_nocase(line, VIEW("par")) ||
                    view_equal_nocase(line, VIEW("por")) ||
                    view_equal_nocase(line, VIEW("written by")))) {
            add_names(out, before_stop(page->blocks.at[i + 1].text));
            out->block = i;
        }
    }
    out->source = "text";
    if (out->len == 0 && page->html.nodes.len == 0 && title + 1 < page->blocks.len &&
        reading->about.title.len > 0 && is_bare_name(&page->blocks.at[title + 1])) {
        add_name(out, page->blocks.at[title + 1].text);
        out->block = title + 1;
        out->source = "bare name";
    }
}

void byline_choose(struct byline *out, const struct reading *reading)
{
    bool html = reading->page.html.nodes.len > 0;
    *out = (struct byline){.source = "none", .block = reading->page.blocks.len};
    for (int step = 0; step < 7 && out->len == 0; step++) {
        switch (html ? step : 5) {
        case 0:
            from_jsonld(out, reading, true);
            break;
        case 1:
            from_marks(out, reading, MARKS_REL);
            break;
        case 2:
            from_jsonld(out, reading, false);
            break;
        case 3:
            from_meta(out, reading);
            break;
        case 4:
            from_marks(out, reading, MARKS_NEAR);
            break;
        case 5:
            from_lines(out, reading);
            break;
        default:
            from_marks(out, reading, MARKS_ANYWHERE);
        }
    }
    if (out->len == 0) {
        out->source = "none";
    }
}

struct view byline_join(const struct byline *byline, struct arena *arena)
{
    size_t room = 1, len = 0;
    for (size_t i = 0; i < byline->len; i++) {
        room += byline->names[i].len + 2;
    }
    char *out = arena_alloc(arena, room);
    for (size_t i = 0; out && i < byline->len; i++) {
        if (i > 0) {
            memcpy(out + len, ", ", 2);
            len += 2;
        }
        memcpy(out + len, byline->names[i].at, byline->names[i].len);
        len += byline->names[i].len;
    }
    return (struct view){out ? out : "", len};
}
