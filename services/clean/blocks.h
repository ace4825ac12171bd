// Cuts a page into blocks: the pieces of text between block boundaries, which are kept or cut whole.
//
// A block of a web page is the text between two starts or ends of block elements or line breaks; a block of plain
// text is a line. White space is folded to single spaces, invisible characters are dropped. Each block knows
// its element and what the elements around it say about it. Linear in the page.
#ifndef COPYDESK_CLEAN_BLOCKS_H
#define COPYDESK_CLEAN_BLOCKS_H

#include "common/table.h"
#include "services/clean/html.h"

enum { BLOCK_LIMIT = 1 << 16 }; // of one page; later text is ignored

// What class and id names, tags and roles say about an element and all that is in it.
// X(name): the names stand in tables/class_tokens.txt.
#define HINTS(X)                                                                                   \
    X(nav)                                                                                         \
    X(footer)                                                                                      \
    X(header)                                                                                      \
    X(sidebar)                                                                                     \
    X(comment)                                                                                     \
    X(share)                                                                                       \
    X(related)                                                                                     \
    X(promo)                                                                                       \
    X(ad)                                                                                          \
    X(author)                                                                                      \
    X(date)                                                                                        \
    X(tags)                                                                                        \
    X(caption)                                                                                     \
    X(bio)                                                                                         \
    X(hidden)                                                                                      \
    X(body)                                                                                        \
    X(content)                                                                                     \
    X(title)                                                                                       \
    X(lead)                                                                                        \
    X(quote)                                                                                       \
    X(toc)                                                                                         \
    X(box)                                                                                         \
    X(form)                                                                                        \
    X(embed)                                                                                       \
    X(tools)                                                                                       \
    X(live)

#define HINT_ID(name) HINT_##name,
enum hint { HINTS(HINT_ID) HINT_COUNT };
#undef HINT_ID
#define HINT(name) (1u << HINT_##name)

// Kinds of ancestors by tag.
enum { // clang-format off
    IN_ARTICLE = 1, IN_MAIN = 2, IN_NAV = 4, IN_FOOTER = 8, IN_HEADER = 16, IN_ASIDE = 32, IN_FORM = 64, IN_FIGURE = 128,
    IN_LIST = 256, IN_TABLE = 512, IN_QUOTE = 1024, IN_SECTION = 2048, IN_LINK = 4096, IN_BUTTON = 8192, IN_NOSCRIPT = 16384,
    IN_SELECT = 32768, IN_DETAILS = 65536, IN_HIDDEN = 131072, IN_DIALOG = 262144, IN_PARAGRAPH = 524288,
}; // clang-format on

// What is known of an element; index as in html->nodes. Text nodes have one too, unused.
struct element {
    uint32_t own;       // hints of its own class, id, role, itemprop
    uint32_t hints;     // with those of all ancestors below body
    uint32_t near;      // with those of two ancestors
    uint32_t tags;      // IN_...
    uint32_t words;     // below it
    uint32_t links;     // words below it that are in links
    uint32_t prose;     // words below it in blocks that read like sentences
    uint32_t images;    // below it
    uint32_t signature; // hash of tag and class, and of the two ancestors
    float score;        // as Readability gives to containers
};

struct block {
    struct view text;
    uint32_t node; // the innermost block element; 0 in plain text
    uint32_t words;
    uint32_t link_words;
    uint32_t short_words; // lower-case words of up to three letters: and, the, und, les
    uint32_t capitals;    // words that begin in upper case
    uint32_t commas;
    uint32_t stops; // sentence marks
    uint32_t digits;
    uint32_t letters;
    uint32_t code_points;
    uint16_t tag; // of `node`
    bool all_capitals;
    bool ends_sentence;
    bool after_break; // begins behind a <br> or single newline
    bool is_prose;    // reads like sentences: words enough, few links
    uint32_t gap;     // plain text: empty lines before it
    uint64_t hash;    // of its text
};

struct page {
    struct arena *arena;
    struct html html;         // empty for plain text
    struct element *elements; // html.nodes.len of them
    struct {
        struct block *at;
        size_t len, cap;
    } blocks;
    size_t words, prose; // of all blocks
};

// Parses and cuts a web page. `entities` and `classes` are lists of the stage's table.
void blocks_of_html(struct page *page, struct arena *arena, struct view content,
                    const struct table_list *entities, const struct table_list *classes);

// Cuts plain text: a line is a block; lines of text that was wrapped at a fixed width are joined first.
void blocks_of_text(struct page *page, struct arena *arena, struct view content);

// Sums words, prose and scores up the tree again, after blocks were taken out (training does).
void blocks_measure(struct page *page);

// The class of hints that `names` (a class or id attribute) gives. Names are cut at hyphens, underscores and humps;
// two neighbours are also tried as one (entry-content).
uint32_t blocks_hints(struct view names, const struct table_list *classes);

#endif
