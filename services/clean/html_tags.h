// The element and attribute names that matter, as small numbers.
#ifndef COPYDESK_CLEAN_HTML_TAGS_H
#define COPYDESK_CLEAN_HTML_TAGS_H

#include "common/view.h"

// X(name, flags). Sorted by name: html_tag_find searches by halves.
// Flags: B starts and ends a block of text, V has no content, R raw text until its end tag, E as R but with entities,
// P closes an open paragraph, S stops the search for an open element ("special" in HTML), F formatting.
#define HTML_TAGS(X)                                                                               \
    X(a, F)                                                                                        \
    X(abbr, 0)                                                                                     \
    X(address, B | P | S)                                                                          \
    X(area, V)                                                                                     \
    X(article, B | P | S)                                                                          \
    X(aside, B | P | S)                                                                            \
    X(audio, B)                                                                                    \
    X(b, F)                                                                                        \
    X(base, V)                                                                                     \
    X(bdi, 0)                                                                                      \
    X(bdo, 0)                                                                                      \
    X(big, F)                                                                                      \
    X(blockquote, B | P | S)                                                                       \
    X(body, B | S)                                                                                 \
    X(br, V)                                                                                       \
    X(button, B | S)                                                                               \
    X(canvas, B)                                                                                   \
    X(caption, B | S)                                                                              \
    X(center, B | P | S)                                                                           \
    X(cite, 0)                                                                                     \
    X(code, F)                                                                                     \
    X(col, V)                                                                                      \
    X(colgroup, B | S)                                                                             \
    X(data, 0)                                                                                     \
    X(dd, B | P | S)                                                                               \
    X(del, 0)                                                                                      \
    X(details, B | P | S)                                                                          \
    X(dfn, 0)                                                                                      \
    X(dialog, B | P | S)                                                                           \
    X(div, B | P | S)                                                                              \
    X(dl, B | P | S)                                                                               \
    X(dt, B | P | S)                                                                               \
    X(em, F)                                                                                       \
    X(embed, V)                                                                                    \
    X(fieldset, B | P | S)                                                                         \
    X(figcaption, B | P | S)                                                                       \
    X(figure, B | P | S)                                                                           \
    X(font, F)                                                                                     \
    X(footer, B | P | S)                                                                           \
    X(form, B | P | S)                                                                             \
    X(frame, V)                                                                                    \
    X(h1, B | P | S)                                                                               \
    X(h2, B | P | S)                                                                               \
    X(h3, B | P | S)                                                                               \
    X(h4, B | P | S)                                                                               \
    X(h5, B | P | S)                                                                               \
    X(h6, B | P | S)                                                                               \
    X(head, B | S)                                                                                 \
    X(header, B | P | S)                                                                           \
    X(hgroup, B | P | S)                                                                           \
    X(hr, B | V | P)                                                                               \
    X(html, B | S)                                                                                 \
    X(i, F)                                                                                        \
    X(iframe, B | R)                                                                               \
    X(img, V)                                                                                      \
    X(input, V)                                                                                    \
    X(ins, 0)                                                                                      \
    X(kbd, 0)                                                                                      \
    X(label, 0)                                                                                    \
    X(legend, B)                                                                                   \
    X(li, B | P | S)                                                                               \
    X(link, V)                                                                                     \
    X(main, B | P | S)                                                                             \
    X(map, 0)                                                                                      \
    X(mark, 0)                                                                                     \
    X(math, 0)                                                                                     \
    X(menu, B | P | S)                                                                             \
    X(meta, V)                                                                                     \
    X(nav, B | P | S)                                                                              \
    X(nobr, F)                                                                                     \
    X(noembed, R)                                                                                  \
    X(noframes, R)                                                                                 \
    X(noscript, B)                                                                                 \
    X(object, B | S)                                                                               \
    X(ol, B | P | S)                                                                               \
    X(optgroup, B)                                                                                 \
    X(option, B)                                                                                   \
    X(p, B | P | S)                                                                                \
    X(param, V)                                                                                    \
    X(picture, 0)                                                                                  \
    X(pre, B | P | S)                                                                              \
    X(q, 0)                                                                                        \
    X(rp, 0)                                                                                       \
    X(rt, 0)                                                                                       \
    X(ruby, 0)                                                                                     \
    X(s, F)                                                                                        \
    X(samp, 0)                                                                                     \
    X(script, R)                                                                                   \
    X(search, B | P | S)                                                                           \
    X(section, B | P | S)                                                                          \
    X(select, B | S)                                                                               \
    X(small, F)                                                                                    \
    X(source, V)                                                                                   \
    X(span, 0)                                                                                     \
    X(strike, F)                                                                                   \
    X(strong, F)                                                                                   \
    X(style, R)                                                                                    \
    X(sub, 0)                                                                                      \
    X(summary, B | P | S)                                                                          \
    X(sup, 0)                                                                                      \
    X(svg, B)                                                                                      \
    X(table, B | S)                                                                                \
    X(tbody, B | S)                                                                                \
    X(td, B | S)                                                                                   \
    X(template, B | S)                                                                             \
    X(textarea, B | E)                                                                             \
    X(tfoot, B | S)                                                                                \
    X(th, B | S)                                                                                   \
    X(thead, B | S)                                                                                \
    X(time, 0)                                                                                     \
    X(title, E)                                                                                    \
    X(tr, B | S)                                                                                   \
    X(track, V)                                                                                    \
    X(tt, F)                                                                                       \
    X(u, F)                                                                                        \
    X(ul, B | P | S)                                                                               \
    X(var, 0)                                                                                      \
    X(video, B)                                                                                    \
    X(wbr, V)                                                                                      \
    X(xmp, R)

#define HTML_TAG_ID(name, flags) TAG_##name,
enum html_tag {
    TAG_text, // a run of text, no element
    HTML_TAGS(HTML_TAG_ID) TAG_unknown,
    TAG_COUNT
};
#undef HTML_TAG_ID

enum html_tag_flags {
    HTML_BLOCK = 1,
    HTML_VOID = 2,
    HTML_RAW = 4,
    HTML_ESCAPABLE = 8, // raw text with entities
    HTML_CLOSES_P = 16,
    HTML_SPECIAL = 32,
    HTML_FORMATTING = 64,
};

// The attributes that features or metadata read; all others are dropped while parsing.
enum html_attribute_name {
    ATTR_CLASS,
    ATTR_ID,
    ATTR_ITEMPROP,
    ATTR_ROLE,
    ATTR_HREF,
    ATTR_CONTENT,
    ATTR_NAME,
    ATTR_PROPERTY,
    ATTR_REL,
    ATTR_DATETIME,
    ATTR_STYLE,
    ATTR_HIDDEN,
    ATTR_TYPE,
    ATTR_LANG,
    ATTR_TESTID,
    ATTR_ARIA_HIDDEN,
    ATTR_VALUE,
    ATTR_TITLE,
    ATTR_COUNT
};

// The number of an element name in lower case; TAG_unknown when it is none of the list.
enum html_tag html_tag_find(struct view name);

// Flags of enum html_tag_flags. An unknown element cuts the text like a block, as a custom element does.
unsigned html_tag_flags(enum html_tag tag);

// The name of an element in lower case; never NULL.
const char *html_tag_name(enum html_tag tag);

// The number of an attribute name in lower case, or ATTR_COUNT.
enum html_attribute_name html_attribute_find(struct view name);

#endif
