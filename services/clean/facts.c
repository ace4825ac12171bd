#include "services/clean/facts.h"

enum { VALUE_LIMIT = 400, BODY_MINIMUM = 200 };

// Where the value of a meta tag goes: a single view or a list of facts.
struct meta_rule {
    const char *name; // of name, property or itemprop, in lower case
    size_t view_at;   // offset into struct facts, or 0
    size_t list_at;
};

#define INTO_VIEW(field) offsetof(struct facts, field), 0
#define INTO_LIST(field) 0, offsetof(struct facts, field)

static const struct meta_rule meta_rules[] = {
    {"og:title", INTO_VIEW(og_title)},
    {"twitter:title", INTO_VIEW(meta_title)},
    {"title", INTO_VIEW(meta_title)},
    {"dc.title", INTO_VIEW(meta_title)},
    {"og:site_name", INTO_VIEW(site_name)},
    {"description", INTO_VIEW(description)},
    {"og:description", INTO_VIEW(description)},
    {"og:url", INTO_VIEW(canonical)},
    {"author", INTO_LIST(meta_authors)},
    {"article:author", INTO_LIST(meta_authors)},
    {"article:author_name", INTO_LIST(meta_authors)},
    {"dc.creator", INTO_LIST(meta_authors)},
    {"dcterms.creator", INTO_LIST(meta_authors)},
    {"parsely-author", INTO_LIST(meta_authors)},
    {"sailthru.author", INTO_LIST(meta_authors)},
    {"byl", INTO_LIST(meta_authors)},
    {"twitter:data1", INTO_LIST(meta_authors)},
    {"article:published_time", INTO_LIST(meta_published)},
    {"article:published", INTO_LIST(meta_published)},
    {"og:published_time", INTO_LIST(meta_published)},
    {"og:article:published_time", INTO_LIST(meta_published)},
    {"datepublished", INTO_LIST(meta_published)},
    {"date", INTO_LIST(meta_published)},
    {"dc.date", INTO_LIST(meta_published)},
    {"dc.date.issued", INTO_LIST(meta_published)},
    {"dc.date.created", INTO_LIST(meta_published)},
    {"dcterms.date", INTO_LIST(meta_published)},
    {"dcterms.created", INTO_LIST(meta_published)},
    {"dcterms.issued", INTO_LIST(meta_published)},
    {"pubdate", INTO_LIST(meta_published)},
    {"publishdate", INTO_LIST(meta_published)},
    {"publish_date", INTO_LIST(meta_published)},
    {"publish-date", INTO_LIST(meta_published)},
    {"published-date", INTO_LIST(meta_published)},
    {"publication_date", INTO_LIST(meta_published)},
    {"publicationdate", INTO_LIST(meta_published)},
    {"parsely-pub-date", INTO_LIST(meta_published)},
    {"sailthru.date", INTO_LIST(meta_published)},
    {"cxenseparse:recs:publishtime", INTO_LIST(meta_published)},
    {"citation_date", INTO_LIST(meta_published)},
    {"citation_publication_date", INTO_LIST(meta_published)},
    {"displaydate", INTO_LIST(meta_published)},
    {"ptime", INTO_LIST(meta_published)},
    {"originalpublicationdate", INTO_LIST(meta_published)},
    {"date.created", INTO_LIST(meta_published)},
    {"article.published", INTO_LIST(meta_published)},
    {"article.created", INTO_LIST(meta_published)},
    {"article_date_original", INTO_LIST(meta_published)},
    {"publishedtime", INTO_LIST(meta_published)},
    {"publish_time", INTO_LIST(meta_published)},
    {"last-modified", INTO_LIST(meta_modified)},
    {"article:modified_time", INTO_LIST(meta_modified)},
    {"og:updated_time", INTO_LIST(meta_modified)},
    {"datemodified", INTO_LIST(meta_modified)},
    {"dc.date.modified", INTO_LIST(meta_modified)},
    {"dcterms.modified", INTO_LIST(meta_modified)},
    {"lastmod", INTO_LIST(meta_modified)},
    {"revised", INTO_LIST(meta_modified)},
};

static void add_fact(struct fact_list *list, uint32_t node, struct view value, struct view label)
{
    value = view_trim(value);
    if (value.len > 0 && value.len <= VALUE_LIMIT && list->len < FACT_LIMIT) {
        list->at[list->len++] = (struct fact){node, value, label};
    }
}

static void read_meta(struct facts *facts, const struct html *html, uint32_t i)
{
    static const enum html_attribute_name names[] = {ATTR_PROPERTY, ATTR_NAME, ATTR_ITEMPROP};
    struct view value = html_attribute(html, i, ATTR_CONTENT);
    value = value.at ? value : html_attribute(html, i, ATTR_VALUE);
    for (size_t k = 0; value.len > 0 && k < 3; k++) {
        struct view name = html_attribute(html, i, names[k]);
        for (size_t r = 0; name.len > 0 && r < sizeof meta_rules / sizeof meta_rules[0]; r++) {
            const struct meta_rule *rule = &meta_rules[r];
            if ((name.at[0] | 32) != rule->name[0] ||
                !view_equal_nocase(name, view_of(rule->name))) {
                continue;
            }
            struct view *view = (struct view *)(void *)((char *)facts + rule->view_at);
            if (rule->list_at) {
                add_fact((struct fact_list *)(void *)((char *)facts + rule->list_at), i, value,
                         name);
            } else if (view->len == 0) {
                *view = value;
            }
            return;
        }
    }
}

static bool is_author_mark(const struct html *html, uint32_t i, const struct element *element)
{
    struct view rel = html_attribute(html, i, ATTR_REL);
    return view_equal_nocase(rel, VIEW("author")) || (element->own & HINT(author));
}

// The text of an element that is marked as author; when it holds links, theirs alone: "Jane Porter, Li Wei".
static struct view author_text(const struct page *page, uint32_t i)
{
    const struct html *html = &page->html;
    char joined[160];
    size_t len = 0, links = 0;
    for (uint32_t k = i + 1; k < html->nodes.at[i].end && links < 5; k++) {
        if (html->nodes.at[k].tag != TAG_a) {
            continue;
        }
        struct view name = html_text_of(html, page->arena, k, 60);
        if (name.len > 2 && len + name.len + 2 < sizeof joined) {
            memcpy(joined + len, name.at, name.len);
            memcpy(joined + len + name.len, ", ", 2);
            len += name.len + 2;
            links++;
        }
    }
    return len > 2 ? arena_copy(page->arena, (struct view){joined, len - 2})
                   : html_text_of(html, page->arena, i, 160);
}

static void read_element(struct facts *facts, const struct page *page, uint32_t i)
{
    const struct html *html = &page->html;
    const struct html_node *node = &html->nodes.at[i];
    struct arena *arena = page->arena;
    struct view itemprop = html_attribute(html, i, ATTR_ITEMPROP);
    struct view label = html_attribute(html, i, ATTR_CLASS);
    struct view none = {"", 0};
    if (node->tag == TAG_h1) {
        add_fact(&facts->h1, i, html_text_of(html, arena, i, VALUE_LIMIT), label.at ? label : none);
    }
    bool published = view_equal(itemprop, VIEW("datePublished"));
    bool abbreviated = node->tag == TAG_abbr && (page->elements[i].own & HINT(date));
    if (node->tag == TAG_time || published || abbreviated) {
        struct view value = html_attribute(html, i, ATTR_DATETIME);
        value = value.len ? value : html_attribute(html, i, ATTR_CONTENT);
        value =
            value.len || !(abbreviated || published) ? value : html_attribute(html, i, ATTR_TITLE);
        value = value.len ? value : html_text_of(html, arena, i, 80);
        bool modified = view_equal(itemprop, VIEW("dateModified"));
        add_fact(published  ? &facts->marked_published
                 : modified ? &facts->meta_modified
                            : &facts->times,
                 i, value, label.at ? label : none);
    }
    if (node->tag != TAG_meta && facts->marked_authors.len < FACT_LIMIT &&
        is_author_mark(html, i, &page->elements[i])) {
        struct view name = author_text(page, i);
        add_fact(&facts->marked_authors, i, name, html_attribute(html, i, ATTR_REL));
    }
}

// Application state in scripts: "publishedAt":"2020-08-19T..." and the like; the first of each name.
static void read_state(struct facts *facts, uint32_t i, struct view script)
{
    static const char *const keys[] = {
        "\"datePublished\":\"",   "\"published_at\":\"", "\"publishedAt\":\"",
        "\"publishedDate\":\"",   "\"publishDate\":\"",  "\"publish_date\":\"",
        "\"publicationDate\":\"", "\"pubDate\":\"",      "\"firstPublished\":\"",
        "\"published_time\":\"",
    };
    for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
        size_t start = view_find(script, view_of(keys[k]), 0) + strlen(keys[k]);
        if (start < script.len) {
            struct view rest = view_slice(script, start, start + 40);
            struct view value = view_slice(rest, 0, view_find(rest, VIEW("\""), 0));
            add_fact(&facts->state, i, value, (struct view){"", 0});
        }
    }
}

static void read_script(struct facts *facts, const struct page *page, uint32_t i)
{
    const struct html_node *node = &page->html.nodes.at[i];
    struct view type = html_attribute(&page->html, i, ATTR_TYPE);
    if (node->end > i + 1 && view_starts_nocase(type, VIEW("application/ld+json"))) {
        jsonld_read(&facts->jsonld, page->arena, page->html.nodes.at[i + 1].text);
    } else if (node->end > i + 1) {
        read_state(facts, i, page->html.nodes.at[i + 1].text);
    }
}

static void read_jsonld(struct facts *facts, const struct page *page,
                        const struct table_list *entities)
{
    for (size_t i = 0; i < facts->jsonld.len; i++) {
        struct jsonld_node *node = &facts->jsonld.at[i];
        node->headline = html_decode(page->arena, node->headline, entities);
        node->name = html_decode(page->arena, node->name, entities);
    }
    facts->article = jsonld_article(&facts->jsonld);
    for (size_t i = 0; i < facts->jsonld.len && facts->site_name.len == 0; i++) {
        const struct jsonld_node *node = &facts->jsonld.at[i];
        bool site =
            view_equal(node->type, VIEW("WebSite")) || view_equal(node->key, VIEW("publisher"));
        facts->site_name = site ? view_trim(node->name) : facts->site_name;
    }
}

void facts_read(struct facts *facts, const struct page *page, const struct table_list *entities)
{
    const struct html *html = &page->html;
    *facts = (struct facts){0};
    for (uint32_t i = 1; i < html->nodes.len; i++) {
        const struct html_node *node = &html->nodes.at[i];
        struct view rel;
        switch (node->tag) {
        case TAG_text:
        case TAG_style:
            break;
        case TAG_script:
            read_script(facts, page, i);
            break;
        case TAG_html:
            facts->html_lang = html_attribute(html, i, ATTR_LANG);
            break;
        case TAG_title:
            if (facts->page_title.len == 0 && node->depth <= 4) {
                facts->page_title = html_text_of(html, page->arena, i, VALUE_LIMIT);
            }
            break;
        case TAG_meta:
            read_meta(facts, html, i);
            read_element(facts, page, i);
            break;
        case TAG_link:
            rel = html_attribute(html, i, ATTR_REL);
            if (view_equal_nocase(rel, VIEW("canonical"))) {
                facts->canonical = html_attribute(html, i, ATTR_HREF);
            }
            break;
        default:
            read_element(facts, page, i);
        }
    }
    read_jsonld(facts, page, entities);
}
