// Documents are cut off the front of a reel's window (reel.h), in one of three ways:
//
//     lines    up to the next newline
//     values   from a brace to the brace that closes it, found by counting outside of strings
//     whole    everything up to the end of the file
//
// Only whole files are limited in size; for the others the limit holds per document.
#include "services/input.h"

#include "common/buf.h"
#include "common/charset.h"
#include "services/input_kind.h"
#include "services/reel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

// Decoding and JSON escapes can make a document larger: at most three bytes for one, six in quotes.
enum { GROWTH = 8 };

enum mode { CLOSED, LINES, VALUES, WHOLE };

struct input {
    const char *const *files;
    size_t file_count;
    size_t next_file;
    size_t limit_bytes;

    // The file being read.
    struct reel reel;
    const char *name;
    enum mode mode;
    enum content content;
    size_t documents; // cut from this file
    bool decode_noted;
    bool in_array;

    struct buf decoded;
    struct buf json;
    struct buf id;
    uint64_t total_bytes; // 0 when one of the files is no regular one
};

static uint64_t size_of_all(const char *const *files, size_t count)
{
    uint64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct stat facts;
        bool is_standard = strcmp(files[i], "-") == 0;
        int failed = is_standard ? fstat(STDIN_FILENO, &facts) : stat(files[i], &facts);
        if (failed || !S_ISREG(facts.st_mode)) {
            return 0;
        }
        total += (uint64_t)facts.st_size;
    }
    return total;
}

enum status input_open(struct input **out, const char *const *files, size_t count,
                       size_t limit_bytes, struct error *why)
{
    static const char *const standard[] = {"-"};
    struct input *input = calloc(1, sizeof *input);
    if (!input) {
        return error_set(why, ERR_MEMORY, "no memory to read files");
    }
    input->files = count > 0 ? files : standard;
    input->file_count = count > 0 ? count : 1;
    input->total_bytes = size_of_all(input->files, input->file_count);
    input->limit_bytes = limit_bytes;
    reel_init(&input->reel, limit_bytes);
    buf_init(&input->decoded, limit_bytes * GROWTH);
    buf_init(&input->json, limit_bytes * GROWTH);
    buf_init(&input->id, 4096 + 64);
    *out = input;
    return OK;
}

static void close_file(struct input *input)
{
    reel_close(&input->reel);
    input->mode = CLOSED;
}

void input_close(struct input *input)
{
    if (!input) {
        return;
    }
    reel_clear(&input->reel);
    buf_clear(&input->decoded);
    buf_clear(&input->json);
    buf_clear(&input->id);
    free(input);
}

uint64_t input_bytes(const struct input *input)
{
    return atomic_load(&input->reel.read_bytes);
}

uint64_t input_total_bytes(const struct input *input)
{
    return input->total_bytes;
}

static struct view window(const struct input *input)
{
    return reel_window(&input->reel);
}

static bool fail(struct input_event *event, enum status status)
{
    event->kind = INPUT_FAILURE;
    event->status = status;
    return true;
}

static bool note(struct input_event *event)
{
    event->kind = INPUT_NOTE;
    event->status = OK;
    return true;
}

// The end of a document that is too large: what was read of it is dropped up to the end of its line, and in the
// other modes the file ends there.
static bool fail_limit(struct input *input, struct input_event *event)
{
    error_set(&event->why, ERR_LIMIT, "%s:%zu: larger than %zu bytes; --limit SIZE allows more",
              input->name, input->reel.line, input->limit_bytes);
    event->line = input->reel.line;
    if (input->mode != LINES) {
        close_file(input);
        return fail(event, ERR_LIMIT);
    }
    for (;;) {
        struct view rest = window(input);
        const char *newline = memchr(rest.at, '\n', rest.len);
        reel_advance(&input->reel, newline ? (size_t)(newline - rest.at) + 1 : rest.len);
        if (newline || !reel_fill(&input->reel)) {
            return fail(event, ERR_LIMIT);
        }
    }
}

static bool describe_file(struct input *input, struct input_event *event)
{
    struct stat facts;
    if (fstat(input->reel.fd, &facts) == 0 && S_ISDIR(facts.st_mode)) {
        error_set(&event->why, ERR_NOT_FOUND, "%s is a folder; name its files: %s/*", input->name,
                  input->name);
        return fail(event, ERR_NOT_FOUND);
    }
    return false;
}

// Reads enough to judge the content.
static void fill_first(struct input *input)
{
    while (window(input).len < CONTENT_WINDOW && !content_is_clear(window(input)) &&
           reel_fill(&input->reel)) {
    }
}

// Reads the rest of the file. False when it is larger than the limit.
static bool fill_all(struct input *input)
{
    while (window(input).len <= input->limit_bytes && reel_fill(&input->reel)) {
    }
    return window(input).len <= input->limit_bytes;
}

// UTF-16 is rare and turned into UTF-8 as a whole, so that the rest needs to know nothing of it.
static bool decode_wide(struct input *input, struct input_event *event)
{
    struct decoding how;
    if (!fill_all(input)) {
        return fail_limit(input, event);
    }
    buf_reset(&input->decoded);
    if (charset_decode(window(input), VIEW(""), &input->decoded, &how) != OK) {
        return fail_limit(input, event);
    }
    reel_replace(&input->reel, buf_view(&input->decoded));
    input->decode_noted = true;
    error_set(&event->why, OK, "%s: decoded as %s", input->name, how.charset);
    return note(event);
}

static enum mode mode_of(enum content content)
{
    return content == CONTENT_NDJSON ? LINES : content == CONTENT_JSON ? VALUES : WHOLE;
}

// Decides what the file is and how it will be read. True when that alone is an event.
static bool judge_file(struct input *input, struct input_event *event)
{
    fill_first(input);
    bool said = charset_is_wide(window(input)) && decode_wide(input, event);
    if (said && event->kind == INPUT_FAILURE) {
        return true;
    }
    if (view_starts(window(input), VIEW("\xef\xbb\xbf"))) {
        input->reel.start += 3; // columns count from behind it
    }
    if (view_trim(window(input)).len == 0) {
        error_set(&event->why, OK, "%s is empty", input->name);
        close_file(input);
        return note(event);
    }
    input->content = content_find(window(input));
    input->mode = mode_of(input->content);
    if (input->content == CONTENT_REFUSED) {
        content_refuse(window(input), input->name, &event->why);
        return fail(event, ERR_FORMAT);
    }
    return said;
}

// Opens the next file. True when that alone is an event.
static bool open_file(struct input *input, struct input_event *event)
{
    const char *name = input->files[input->next_file++];
    bool is_standard = strcmp(name, "-") == 0;
    input->name = event->file = is_standard ? "standard input" : name;
    int fd = is_standard ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        error_set(&event->why, ERR_NOT_FOUND, "cannot open %s: %s", name, strerror(errno));
        return fail(event, ERR_NOT_FOUND);
    }
    reel_open(&input->reel, fd);
    input->documents = 0;
    input->decode_noted = input->in_array = false;
    bool said = describe_file(input, event) || judge_file(input, event);
    if (said && event->kind == INPUT_FAILURE) {
        close_file(input);
    }
    return said;
}

static void set_id(struct input *input, struct input_event *event)
{
    const char *slash = strrchr(input->name, '/');
    buf_reset(&input->id);
    buf_add(&input->id, view_of(slash && slash[1] ? slash + 1 : input->name));
    if (input->mode != WHOLE) {
        buf_printf(&input->id, ":%zu", event->line);
    }
    event->default_id = buf_view(&input->id);
}

// Makes the document of `event` valid UTF-8. True when that is worth a note, which then goes first: the document
// stays in the window.
static bool decode(struct input *input, struct view *document, struct input_event *event)
{
    struct decoding how;
    size_t len = document->len;
    struct view declared =
        input->content == CONTENT_HTML ? charset_declared(*document) : (struct view){"", 0};
    if (charset_is_plain(*document, declared)) {
        return false;
    }
    buf_reset(&input->decoded);
    if (charset_decode(*document, declared, &input->decoded, &how) != OK) {
        fail_limit(input, event);
        return true;
    }
    *document = buf_view(&input->decoded);
    if (input->decode_noted || how.invalid_at >= len) {
        return false;
    }
    input->decode_noted = true;
    if (how.strays > 0 && strcmp(how.charset, "UTF-8") == 0) {
        error_set(&event->why, OK,
                  "%s: %zu stray byte%s read as windows-1252 (not UTF-8 at byte %zu)", input->name,
                  how.strays, how.strays == 1 ? "" : "s", how.invalid_at);
    } else {
        error_set(&event->why, OK, "%s: decoded as %s (not UTF-8 at byte %zu)", input->name,
                  how.charset, how.invalid_at);
    }
    return note(event);
}

static bool deliver(struct input *input, struct view document, size_t used,
                    struct input_event *event)
{
    event->kind = INPUT_DOCUMENT;
    event->line = input->reel.line;
    event->column = input->reel.column + (size_t)(document.at - window(input).at);
    if (decode(input, &document, event)) {
        return true;
    }
    event->json = document;
    set_id(input, event);
    input->documents++;
    reel_advance(&input->reel, used);
    return true;
}

// The next line that is not empty. False at the end of the file.
static bool next_line(struct input *input, struct input_event *event)
{
    size_t searched = 0;
    for (;;) {
        struct view rest = window(input);
        const char *newline =
            rest.len > searched ? memchr(rest.at + searched, '\n', rest.len - searched) : NULL;
        size_t len = newline ? (size_t)(newline - rest.at) : rest.len;
        if (len > input->limit_bytes) {
            return fail_limit(input, event);
        }
        if (newline || input->reel.ended) {
            struct view line = view_trim(view_slice(rest, 0, len));
            if (line.len > 0) {
                return deliver(input, line, newline ? len + 1 : len, event);
            }
            reel_advance(&input->reel, newline ? len + 1 : len);
            searched = 0;
            if (!newline) {
                return false;
            }
            continue;
        }
        searched = rest.len;
        reel_fill(&input->reel);
    }
}

// Skips white space, and in an array its brackets and commas, up to the next value.
static bool skip_to_value(struct input *input)
{
    for (;;) {
        struct view rest = window(input);
        size_t at = 0;
        for (; at < rest.len; at++) {
            char c = rest.at[at];
            bool opens = c == '[' && !input->in_array;
            bool closes = c == ']' && input->in_array;
            if (opens || closes) {
                input->in_array = opens;
            } else if (!strchr(" \t\r\n", c) && !(c == ',' && input->in_array)) {
                reel_advance(&input->reel, at);
                return true;
            }
        }
        reel_advance(&input->reel, at);
        if (!reel_fill(&input->reel)) {
            return false;
        }
    }
}

// The next object of a pretty-printed file.
static bool next_value(struct input *input, struct input_event *event)
{
    struct json_cut cut = {0};
    if (!skip_to_value(input)) {
        if (input->documents == 1 || input->in_array) {
            bool cut_off = input->in_array;
            error_set(&event->why, OK, "%s: %s %zu JSON document%s", input->name,
                      cut_off ? "the array ends too early; read" : "read", input->documents,
                      input->documents == 1 ? "" : "s");
            close_file(input);
            return cut_off ? fail(event, ERR_FORMAT) : note(event);
        }
        return false;
    }
    if (window(input).at[0] != '{') {
        error_set(&event->why, ERR_FORMAT,
                  "%s:%zu:%zu: expected '{', found '%.1s'; the rest of the file is not read",
                  input->name, input->reel.line, input->reel.column, window(input).at);
        close_file(input);
        return fail(event, ERR_FORMAT);
    }
    for (;;) {
        bool whole = json_cut_value(&cut, window(input));
        if (cut.len > input->limit_bytes) {
            return fail_limit(input, event);
        }
        if (whole || !reel_fill(&input->reel)) {
            return deliver(input, view_slice(window(input), 0, cut.len), cut.len, event);
        }
    }
}

// A page or a text as a JSON document of its own.
static bool next_whole(struct input *input, struct input_event *event)
{
    if (window(input).len == 0) {
        return false;
    }
    if (!fill_all(input)) {
        return fail_limit(input, event);
    }
    struct view content = window(input);
    bool is_standard = input->reel.fd == STDIN_FILENO;
    if (!deliver(input, content, content.len, event) || event->kind != INPUT_DOCUMENT) {
        return true;
    }
    content = event->json;
    event->line = event->column = 0;
    if (is_standard) {
        buf_reset(&input->id);
        buf_printf(&input->id, "text-%016llx", (unsigned long long)view_hash(content));
        event->default_id = buf_view(&input->id);
    }
    buf_reset(&input->json);
    buf_add(&input->json, VIEW("{\"id\":"));
    buf_add_json(&input->json, event->default_id);
    buf_add(&input->json, VIEW(",\"content\":"));
    buf_add_json(&input->json, content);
    buf_printf(&input->json, ",\"content_type\":\"%s\"}",
               input->content == CONTENT_HTML ? "text/html" : "text/plain");
    event->json = buf_view(&input->json);
    return input->json.full ? fail_limit(input, event) : true;
}

static bool next_document(struct input *input, struct input_event *event)
{
    switch (input->mode) {
    case LINES:
        return next_line(input, event);
    case VALUES:
        return next_value(input, event);
    case WHOLE:
        return next_whole(input, event);
    case CLOSED:
        break;
    }
    return false;
}

// What was cut from a file that could not be read to its end is not delivered: it may be half a document.
static bool fail_reading(struct input *input, struct input_event *event)
{
    error_set(&event->why, ERR_NOT_FOUND, "cannot read %s: %s", input->name,
              strerror(input->reel.failed));
    close_file(input);
    input->reel.failed = 0;
    return fail(event, ERR_NOT_FOUND);
}

bool input_next(struct input *input, struct input_event *event)
{
    for (;;) {
        *event = (struct input_event){.file = input->name};
        if (input->mode == CLOSED && input->next_file == input->file_count) {
            return false;
        }
        bool was_closed = input->mode == CLOSED;
        bool said = was_closed ? open_file(input, event) : next_document(input, event);
        if (input->reel.failed) {
            return fail_reading(input, event);
        }
        if (said) {
            return true;
        }
        if (!was_closed) {
            close_file(input);
        }
    }
}

void input_locate(const struct input_event *event, struct error *why)
{
    unsigned long long line, column;
    int used = 0;
    struct error old = *why;
    if (event->line == 0) {
        error_prefix(why, event->file);
    } else if (sscanf(old.text, "%llu:%llu: %n", &line, &column, &used) == 2 && used > 0) {
        error_set(why, OK, "%.200s:%llu:%llu: %.280s", event->file, event->line + line - 1,
                  line == 1 ? event->column + column - 1 : column, old.text + used);
    } else {
        error_set(why, OK, "%.200s:%zu: %.300s", event->file, event->line, old.text);
    }
}
