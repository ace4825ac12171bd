#include "services/input_kind.h"

#include "common/charset.h"

// Files that are not read, by the bytes at their start. The hint is what to do about it.
static const struct format {
    const char *name;
    size_t at; // where the bytes stand
    struct view magic;
    const char *hint;
} formats[] = {
    {"a PDF", 0, {"%PDF-", 5}, "convert it first: pdftotext FILE - | copydesk enrich"},
    {"a gzip file", 0, {"\x1f\x8b", 2}, "unpack it first: zcat FILE | copydesk enrich"},
    {"a bzip2 file", 0, {"BZh", 3}, "unpack it first: bzcat FILE | copydesk enrich"},
    {"an xz file",
     0,
     {"\xfd"
      "7zXZ",
      5},
     "unpack it first: xzcat FILE | copydesk enrich"},
    {"a zstd file", 0, {"\x28\xb5\x2f\xfd", 4}, "unpack it first: zstdcat FILE | copydesk enrich"},
    {"a zip file (or docx, odt, epub)", 0, {"PK\x03\x04", 4}, "unpack it or save it as HTML first"},
    {"a tar file", 257, {"ustar", 5}, "unpack it first: tar xf FILE"},
    {"a Word or Office file", 0, {"\xd0\xcf\x11\xe0", 4}, "save it as HTML or text first"},
    {"an RTF file", 0, {"{\\rtf", 5}, "save it as HTML or text first"},
    {"a WARC archive", 0, {"WARC/", 5}, "take the pages out of it first"},
    {"a PNG image", 0, {"\x89PNG", 4}, "there is no text to read in it"},
    {"a JPEG image", 0, {"\xff\xd8\xff", 3}, "there is no text to read in it"},
    {"a GIF image", 0, {"GIF8", 4}, "there is no text to read in it"},
    {"a WebP or sound file", 0, {"RIFF", 4}, "there is no text to read in it"},
    {"an SQLite database", 0, {"SQLite format 3", 15}, "export its rows as NDJSON first"},
    {"a program",
     0,
     {"\x7f"
      "ELF",
      4},
     "there is no text to read in it"},
};

enum { FORMAT_COUNT = sizeof formats / sizeof formats[0] };

static const struct format binary = {"binary data", 0, {"", 0}, "there is no text to read in it"};

// XML that is not a page. What stands for its root element.
static const struct format feeds[] = {
    {"an RSS feed", 0, {"<rss", 4}, "give the pages it links to"},
    {"an RSS feed", 0, {"<rdf:RDF", 8}, "give the pages it links to"},
    {"an Atom feed", 0, {"<feed", 5}, "give the pages it links to"},
    {"a sitemap", 0, {"<urlset", 7}, "give the pages it links to"},
    {"a sitemap", 0, {"<sitemapindex", 13}, "give the pages it links to"},
    {"NewsML-G2", 0, {"<newsItem", 9}, "give its text or HTML"},
    {"NewsML-G2", 0, {"<newsMessage", 12}, "give its text or HTML"},
    {"NewsML", 0, {"<NewsML", 7}, "give its text or HTML"},
    {"NITF", 0, {"<nitf", 5}, "give its text or HTML"},
};

enum { FEED_COUNT = sizeof feeds / sizeof feeds[0] };

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct view skip_space(struct view text)
{
    size_t at = 0;
    while (at < text.len && is_space(text.at[at])) {
        at++;
    }
    return view_slice(text, at, text.len);
}

// The root element of an XML document: behind its declaration, comments and doctype.
static struct view skip_prologue(struct view text)
{
    text = skip_space(text);
    while (view_starts(text, VIEW("<?")) || view_starts(text, VIEW("<!"))) {
        struct view close = view_starts(text, VIEW("<!--")) ? VIEW("-->") : VIEW(">");
        size_t end = view_find(text, close, 0);
        text = skip_space(view_slice(text, end + close.len, text.len));
    }
    return text;
}

static const struct format *find_feed(struct view first)
{
    struct view root = skip_prologue(first);
    for (size_t i = 0; i < FEED_COUNT; i++) {
        if (view_starts(root, feeds[i].magic)) {
            return &feeds[i];
        }
    }
    return NULL;
}

static const struct format *find_refused(struct view first)
{
    for (size_t i = 0; i < FORMAT_COUNT; i++) {
        struct view there = view_slice(first, formats[i].at, first.len);
        if (view_starts(there, formats[i].magic)) {
            return &formats[i];
        }
    }
    if (memchr(first.at, '\0', first.len) && !charset_is_wide(first)) {
        return &binary;
    }
    return find_feed(first);
}

enum status content_refuse(struct view first, const char *file, struct error *why)
{
    const struct format *format = find_refused(first);
    format = format ? format : &binary;
    return error_set(why, ERR_FORMAT,
                     "%s looks like %s; read are NDJSON, JSON, HTML and plain text; %s", file,
                     format->name, format->hint);
}

bool json_cut_value(struct json_cut *cut, struct view text)
{
    for (size_t i = cut->len; i < text.len; i++) {
        char c = text.at[i];
        if (cut->in_string) {
            cut->in_string = c != '"' || cut->escaped;
            cut->escaped = c == '\\' && !cut->escaped;
        } else if (c == '"') {
            cut->in_string = true;
        } else if (c == '{' || c == '[') {
            cut->depth++;
        } else if ((c == '}' || c == ']') && --cut->depth == 0) {
            cut->len = i + 1;
            return true;
        }
    }
    cut->len = text.len;
    return false;
}

// The next line that is not empty, trimmed.
static struct view next_line(struct view *rest)
{
    struct view line;
    while (view_next_line(rest, &line)) {
        line = view_trim(line);
        if (line.len > 0) {
            return line;
        }
    }
    return (struct view){"", 0};
}

static bool starts_object(struct view line)
{
    struct view rest = skip_space(view_slice(line, 1, line.len));
    return line.len > 0 && line.at[0] == '{' && (rest.len == 0 || strchr("\"}", rest.at[0]));
}

// A line that holds a whole object, or a broken one that the next line does not continue: lines. A pretty-printed
// object goes on with a name in quotes, so a line that begins a new object cannot belong to it, unless
// the line before ends in the middle of something.
static enum content lines_or_values(struct view first)
{
    struct view rest = first;
    struct view line = next_line(&rest);
    struct view second = next_line(&rest);
    struct json_cut cut = {0};
    if (json_cut_value(&cut, line) || second.len == 0) {
        return CONTENT_NDJSON;
    }
    bool goes_on = strchr("[{:,", line.at[line.len - 1]) != NULL;
    return starts_object(second) && !goes_on ? CONTENT_NDJSON : CONTENT_JSON;
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

// Tags that make text a page wherever they stand near its start.
static bool has_page_tags(struct view first)
{
    static const struct view tags[] = {{"<!doctype html", 14}, {"<html", 5}, {"<head", 5},
                                       {"<body", 5},           {"</p>", 4},  {"<div", 4}};
    struct view near = view_slice(first, 0, 1024);
    for (size_t at = 0; at < near.len; at++) {
        for (size_t i = 0; near.at[at] == '<' && i < sizeof tags / sizeof tags[0]; i++) {
            if (view_starts_nocase(view_slice(near, at, near.len), tags[i])) {
                return true;
            }
        }
    }
    return false;
}

static bool is_page(struct view start, struct view first)
{
    bool tag = start.len > 1 && start.at[0] == '<' &&
               (is_letter(start.at[1]) || start.at[1] == '!' || start.at[1] == '?');
    return tag || has_page_tags(first);
}

// A text whose second line is a JSON object is NDJSON with a broken first line.
static bool is_broken_ndjson(struct view first)
{
    struct view rest = first;
    next_line(&rest);
    struct view second = next_line(&rest);
    return second.len > 2 && starts_object(second);
}

enum content content_find(struct view first)
{
    struct view start = skip_space(first);
    char c = start.len > 0 ? start.at[0] : '\0';
    if (find_refused(first)) {
        return CONTENT_REFUSED;
    }
    if (c == '{') {
        return lines_or_values(start);
    }
    if (c == '[') {
        struct view inner = skip_space(view_slice(start, 1, start.len));
        if (inner.len == 0 || strchr("{]", inner.at[0])) {
            return CONTENT_JSON;
        }
    }
    if (is_page(start, first)) {
        return CONTENT_HTML;
    }
    return is_broken_ndjson(first) ? CONTENT_NDJSON : CONTENT_TEXT;
}

// One whole line that holds a whole object is NDJSON whatever follows.
bool content_is_clear(struct view first)
{
    struct json_cut cut = {0};
    size_t end = view_find(first, VIEW("\n"), 0);
    return end < first.len && view_starts(first, VIEW("{\"")) &&
           json_cut_value(&cut, view_slice(first, 0, end));
}
