#include "services/clean/html_tags.h"

#define B HTML_BLOCK
#define V HTML_VOID
#define R HTML_RAW
#define E HTML_ESCAPABLE
#define P HTML_CLOSES_P
#define S HTML_SPECIAL
#define F HTML_FORMATTING

struct tag {
    const char *name;
    uint8_t len;
    uint8_t flags;
};

#define TAG_ROW(name, flags) {#name, sizeof #name - 1, (flags)},

static const struct tag tags[TAG_COUNT] = {
    {"#text", 5, 0},
    HTML_TAGS(TAG_ROW){"#unknown", 8, B},
};

static const char *const attributes[ATTR_COUNT] = {
    [ATTR_CLASS] = "class",
    [ATTR_ID] = "id",
    [ATTR_ITEMPROP] = "itemprop",
    [ATTR_ROLE] = "role",
    [ATTR_HREF] = "href",
    [ATTR_CONTENT] = "content",
    [ATTR_NAME] = "name",
    [ATTR_PROPERTY] = "property",
    [ATTR_REL] = "rel",
    [ATTR_DATETIME] = "datetime",
    [ATTR_STYLE] = "style",
    [ATTR_HIDDEN] = "hidden",
    [ATTR_TYPE] = "type",
    [ATTR_LANG] = "lang",
    [ATTR_TESTID] = "data-testid",
    [ATTR_ARIA_HIDDEN] = "aria-hidden",
    [ATTR_VALUE] = "value",
    [ATTR_TITLE] = "title",
};

enum html_tag html_tag_find(struct view name)
{
    size_t low = TAG_text + 1, high = TAG_unknown;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = view_compare((struct view){tags[middle].name, tags[middle].len}, name);
        if (order == 0) {
            return (enum html_tag)middle;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return TAG_unknown;
}

unsigned html_tag_flags(enum html_tag tag)
{
    return tags[tag].flags;
}

const char *html_tag_name(enum html_tag tag)
{
    return tags[tag].name;
}

enum html_attribute_name html_attribute_find(struct view name)
{
    if (name.len < 2 || name.len > 11) {
        return ATTR_COUNT;
    }
    for (int i = 0; i < ATTR_COUNT; i++) {
        if (attributes[i][0] == name.at[0] && view_equal(name, view_of(attributes[i]))) {
            return (enum html_attribute_name)i;
        }
    }
    return ATTR_COUNT;
}
