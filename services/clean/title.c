#include "services/clean/title.h"

#include "common/utf8.h"

enum { TITLE_LIMIT = 400, KEY_LIMIT = 64 };

// White space folded to single spaces.
static struct view fold(struct arena *arena, struct view text)
{
    char *out = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t at = 0; out && at < text.len;) {
        size_t start = at;
        uint32_t c = utf8_next(text, &at);
        if (utf8_is_space(c)) {
            if (len > 0 && out[len - 1] != ' ') {
                out[len++] = ' ';
            }
        } else if (c != 0xad && c != 0x200b && c != 0xfeff) {
            memcpy(out + len, text.at + start, at - start);
            len += at - start;
        }
    }
    return out ? view_trim((struct view){out, len}) : text;
}

static size_t word_count(struct view text)
{
    struct view word;
    size_t count = 0;
    while (view_next_word(&text, &word)) {
        count++;
    }
    return count;
}

// Letters and digits alone, in lower case: what is left of a name when it is compared with an address.
static size_t squeeze(struct view text, char *out, size_t room)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len && len < room; i++) {
        unsigned char c = (unsigned char)text.at[i];
        c = c >= 'A' && c <= 'Z' ? (unsigned char)(c + 32) : c;
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c >= 0x80) {
            out[len++] = (char)c;
        }
    }
    return len;
}

static bool is_site(const struct facts *facts, struct view part)
{
    char name[KEY_LIMIT], site[KEY_LIMIT], address[KEY_LIMIT];
    struct view key = {name, squeeze(part, name, sizeof name)};
    struct view known = {site, squeeze(facts->site_name, site, sizeof site)};
    struct view url = facts->canonical;
    size_t host = view_find(url, VIEW("://"), 0);
    size_t end = view_find(url, VIEW("/"), host + 3);
    struct view domain = {address,
                          squeeze(view_slice(url, host + 3, end), address, sizeof address)};
    if (key.len < 2) {
        return true;
    }
    return (known.len > 0 &&
            (view_equal(key, known) || (known.len > 4 && view_starts(key, known)) ||
             (key.len > 4 && view_starts(known, key)))) ||
           (key.len > 3 && view_find(domain, key, 0) < domain.len);
}

static const char *const separators[] = {" | ",
                                         " - ",
                                         " \xe2\x80\x93 ",
                                         " \xe2\x80\x94 ",
                                         " :: ",
                                         " \xc2\xb7 ",
                                         " \xc2\xbb ",
                                         " \xe2\x80\xa2 ",
                                         " > ",
                                         " \xe2\x80\xba ",
                                         " / ",
                                         " \xe2\x80\xb9 "};

// Position and length of the last separator at or before `end`.
static size_t last_separator(struct view text, size_t *size)
{
    size_t best = 0;
    for (size_t k = 0; k < sizeof separators / sizeof separators[0]; k++) {
        struct view mark = view_of(separators[k]);
        size_t hit = view_find(text, mark, 0);
        while (hit < text.len) {
            if (hit >= best) {
                best = hit;
                *size = mark.len;
            }
            hit = view_find(text, mark, hit + 1);
        }
    }
    return best;
}

// Cuts the name of the site off the end (or the front). `bold` also cuts a short last part that is not known as the site.
static struct view without_site(const struct facts *facts, struct view title, bool bold)
{
    for (int round = 0; round < 3; round++) {
        size_t size = 0;
        size_t at = last_separator(title, &size);
        if (at == 0) {
            break;
        }
        struct view head = view_slice(title, 0, at);
        struct view tail = view_slice(title, at + size, title.len);
        bool bar = title.at[at + 1] == '|';
        bool guess = bold && word_count(tail) <= (bar ? 5 : 3) && word_count(head) >= 3;
        if (is_site(facts, tail) || guess) {
            title = head;
        } else if (is_site(facts, head) && word_count(tail) >= 3) {
            title = tail;
        } else {
            break;
        }
    }
    return title;
}

static bool same_word(struct view a, struct view b)
{
    char left[KEY_LIMIT], right[KEY_LIMIT];
    struct view x = {left, squeeze(a, left, sizeof left)};
    struct view y = {right, squeeze(b, right, sizeof right)};
    return view_equal(x, y);
}

// Share of the words of the shorter text that the other has too; titles have few words. 0 for an empty one.
static double overlap(struct view a, struct view b)
{
    size_t hits = 0, count = 0;
    struct view word, other;
    if (word_count(a) > word_count(b)) {
        struct view swap = a;
        a = b;
        b = swap;
    }
    while (count < 40 && view_next_word(&a, &word)) {
        struct view rest = b;
        count++;
        for (int i = 0; i < 60 && view_next_word(&rest, &other); i++) {
            if (same_word(word, other)) {
                hits++;
                break;
            }
        }
    }
    return count > 0 ? (double)hits / (double)count : 0.0;
}

struct candidate {
    struct view text;
    const char *source;
    double votes;
};

static bool is_chrome(const struct page *page, uint32_t node)
{
    const struct element *element = &page->elements[node];
    return (element->tags & (IN_NAV | IN_FOOTER | IN_HIDDEN | IN_ASIDE)) ||
           (element->near & (HINT(nav) | HINT(promo) | HINT(footer) | HINT(hidden)));
}

static size_t gather(const struct facts *facts, const struct page *page, struct candidate *out)
{
    size_t count = 0;
    struct arena *arena = page->arena;
    for (size_t i = 0; i < facts->h1.len && count < 8; i++) {
        struct view text = fold(arena, facts->h1.at[i].value);
        double base = is_chrome(page, facts->h1.at[i].node) ? 0.0 : 0.9;
        if (text.len > 0 && !(is_site(facts, text) && word_count(text) < 4)) {
            out[count++] = (struct candidate){text, "h1", base - 0.05 * (double)i};
        }
    }
    if (facts->article && facts->article->headline.len > 0) {
        struct view text = without_site(facts, fold(arena, facts->article->headline), false);
        out[count++] = (struct candidate){text, "jsonld", 0.6};
    }
    if (facts->og_title.len > 0) {
        struct view text = without_site(facts, fold(arena, facts->og_title), false);
        out[count++] = (struct candidate){text, "og:title", 0.55};
    }
    if (facts->page_title.len > 0) {
        struct view text = without_site(facts, fold(arena, facts->page_title), true);
        out[count++] = (struct candidate){text, "title", 0.3};
    }
    if (facts->meta_title.len > 0) {
        struct view text = without_site(facts, fold(arena, facts->meta_title), false);
        out[count++] = (struct candidate){text, "meta", 0.3};
    }
    return count;
}

struct view title_choose(const struct facts *facts, const struct page *page, const char **source)
{
    struct candidate all[16];
    size_t count = gather(facts, page, all);
    size_t best = 0;
    *source = "none";
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < count; k++) {
            bool other = k != i && all[k].source != all[i].source;
            all[i].votes += other ? overlap(all[i].text, all[k].text) * 0.5 : 0.0;
        }
        all[i].votes -= word_count(all[i].text) < 2 ? 1.0 : 0.0;
        best = all[i].votes > all[best].votes ? i : best;
    }
    if (count == 0) {
        return (struct view){"", 0};
    }
    *source = all[best].source;
    return view_slice(all[best].text, 0, TITLE_LIMIT);
}
