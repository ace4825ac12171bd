#include "tests/spec/spec.h"

#include <stdio.h>
#include <stdlib.h>

// One file being read, and the case being gathered from it.
struct reader {
    const struct spec_kind *kind;
    void *context;
    struct spec_case one;
    struct spec_setting file_settings[SPEC_SETTINGS_LIMIT];
    size_t file_setting_count;
    struct buf input, expected, actual;
    size_t line, input_line,
        expected_line; // of the present line, the first input and expected line
    size_t cases, failures;
    bool has_prose, has_input, has_expected;
};

struct view spec_setting(const struct spec_case *one, const char *key)
{
    for (size_t i = one->setting_count; i-- > 0;) {
        if (view_equal(one->settings[i].key, view_of(key))) {
            return one->settings[i].value;
        }
    }
    return VIEW("");
}

static void complain(struct reader *reader, size_t line, const char *what, struct view about)
{
    fprintf(stderr, "%s:%zu: %s%.*s\n", reader->one.file, line, what, VIEW_ARGS(about));
    reader->failures++;
}

// The next line of `rest` with its white space squeezed, built in `out`. False when there is none.
static bool next_squeezed(struct view *rest, struct buf *out)
{
    struct view line;
    struct view word;
    buf_reset(out);
    if (!view_next_line(rest, &line)) {
        return false;
    }
    while (view_next_word(&line, &word)) {
        if (out->len > 0) {
            buf_add_char(out, ' ');
        }
        buf_add(out, word);
    }
    return true;
}

// Reports every line in which the two texts differ; true when there was none.
static bool compare(struct reader *reader)
{
    struct buf expected;
    struct buf actual;
    struct view expected_rest = buf_view(&reader->expected);
    struct view actual_rest = buf_view(&reader->actual);
    bool same = true;
    buf_init(&expected, SPEC_FILE_LIMIT);
    buf_init(&actual, SPEC_FILE_LIMIT);
    for (size_t i = 0;; i++) {
        bool more_expected = next_squeezed(&expected_rest, &expected);
        bool more_actual = next_squeezed(&actual_rest, &actual);
        if (!more_expected && !more_actual) {
            break;
        }
        if (more_expected != more_actual || !view_equal(buf_view(&expected), buf_view(&actual))) {
            fprintf(stderr, "%s:%zu: expected %s%.*s%s, got %s%.*s%s\n", reader->one.file,
                    reader->expected_line ? reader->expected_line + i : reader->input_line,
                    more_expected ? "'" : "", VIEW_ARGS(buf_view(&expected)),
                    more_expected ? "'" : "nothing more", more_actual ? "'" : "",
                    VIEW_ARGS(buf_view(&actual)), more_actual ? "'" : "nothing");
            same = false;
        }
    }
    buf_clear(&actual);
    buf_clear(&expected);
    return same;
}

static void run_case(struct reader *reader)
{
    struct error why = {""};
    reader->one.input = buf_view(&reader->input);
    buf_reset(&reader->actual);
    reader->cases++;
    enum status status =
        reader->kind->produce(reader->context, &reader->one, &reader->actual, &why);
    if (status != OK) {
        complain(reader, reader->one.line, status_name(status), view_of(why.text));
    } else if (!compare(reader)) {
        complain(reader, reader->one.line, "  in: ", reader->one.title);
    }
}

static void begin_paragraph(struct reader *reader)
{
    buf_reset(&reader->input);
    buf_reset(&reader->expected);
    reader->has_prose = reader->has_input = reader->has_expected = false;
    reader->one.line = 0;
    reader->one.title = VIEW("");
    reader->expected_line = reader->input_line = 0;
    memcpy(reader->one.settings, reader->file_settings, sizeof reader->one.settings);
    reader->one.setting_count = reader->file_setting_count;
}

static void end_paragraph(struct reader *reader)
{
    if (reader->has_input) {
        run_case(reader);
    } else if (reader->has_prose) {
        complain(reader, reader->one.line, "a case without input: ", reader->one.title);
    } else {
        memcpy(reader->file_settings, reader->one.settings, sizeof reader->file_settings);
        reader->file_setting_count = reader->one.setting_count;
    }
    begin_paragraph(reader);
}

static bool is_key(const struct spec_kind *kind, struct view word)
{
    for (const char *const *key = kind->keys; *key; key++) {
        if (view_equal(word, view_of(*key))) {
            return true;
        }
    }
    return false;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *hit = c ? strchr(digits, c) : NULL;
    return hit ? (int)(hit - digits) : -1;
}

static void add_input(struct reader *reader, struct view line)
{
    if (reader->has_expected) {
        complain(reader, reader->line, "input after an expected line: ", line);
    }
    if (reader->has_input) {
        buf_add_char(&reader->input, '\n');
    } else {
        reader->input_line = reader->line;
    }
    reader->has_input = true;
    line = view_slice(line, 2, line.len);
    for (size_t i = 0; i < line.len; i++) {
        bool coded = i + 3 < line.len && line.at[i] == '\\' && line.at[i + 1] == 'x' &&
                     hex_digit(line.at[i + 2]) >= 0 && hex_digit(line.at[i + 3]) >= 0;
        if (coded) {
            buf_add_char(&reader->input,
                         (char)(hex_digit(line.at[i + 2]) * 16 + hex_digit(line.at[i + 3])));
            i += 3;
        } else {
            buf_add_char(&reader->input, line.at[i]);
        }
    }
}

static void add_heading(struct reader *reader, struct view line)
{
    struct view rest = line;
    struct view word;
    (void)view_next_word(&rest, &word);
    if (!is_key(reader->kind, word)) {
        reader->one.title = reader->has_prose ? reader->one.title : line;
        reader->has_prose = true;
        return;
    }
    if (reader->one.setting_count == SPEC_SETTINGS_LIMIT) {
        complain(reader, reader->line, "too many settings: ", line);
        return;
    }
    reader->one.settings[reader->one.setting_count++] =
        (struct spec_setting){word, view_trim(rest)};
}

static void read_line(struct reader *reader, struct view line)
{
    if (line.len > 0 && line.at[0] == '#') {
        return;
    }
    if (view_trim(line).len == 0) {
        end_paragraph(reader);
        return;
    }
    if (reader->one.line == 0) {
        reader->one.line = reader->line;
    }
    if (view_equal(line, VIEW(">")) || view_starts(line, VIEW("> "))) {
        add_input(reader, line);
    } else if (reader->has_input) {
        reader->expected_line = reader->has_expected ? reader->expected_line : reader->line;
        reader->has_expected = true;
        buf_add(&reader->expected, line);
        buf_add_char(&reader->expected, '\n');
    } else {
        add_heading(reader, line);
    }
}

// Reads a whole file; NULL when it cannot be read or is too large. The caller frees.
static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    struct buf bytes;
    buf_init(&bytes, SPEC_FILE_LIMIT);
    while (file) {
        char *room = buf_reserve(&bytes, 4096);
        size_t got = room ? fread(room, 1, 4096, file) : 0;
        bytes.len += got;
        if (got == 0) {
            break;
        }
    }
    bool good = file && !bytes.full && !ferror(file);
    if (file) {
        fclose(file);
    }
    if (!good || bytes.len == 0) {
        buf_clear(&bytes);
        return NULL;
    }
    return buf_take(&bytes, len);
}

static void run_file(struct reader *reader, const char *path)
{
    size_t len = 0;
    char *text = read_file(path, &len);
    struct view rest = {text, len};
    struct view line;
    reader->one.file = path;
    if (!text) {
        complain(reader, 0, "cannot be read", VIEW(""));
        return;
    }
    reader->file_setting_count = 0;
    reader->line = 0;
    begin_paragraph(reader);
    while (view_next_line(&rest, &line)) {
        reader->line++;
        read_line(reader, line);
    }
    end_paragraph(reader);
    free(text);
}

int spec_main(int argc, char **argv, const struct spec_kind *kind)
{
    struct reader reader = {.kind = kind};
    struct error why = {""};
    if (argc < 2) {
        fprintf(stderr, "usage: spec_%s DATA_FOLDER FILE...\n", kind->name);
        return 2;
    }
    if (kind->open && kind->open(&reader.context, kind->user, argv[1], &why) != OK) {
        fprintf(stderr, "spec_%s: %s\n", kind->name, why.text);
        return 1;
    }
    buf_init(&reader.input, SPEC_FILE_LIMIT);
    buf_init(&reader.expected, SPEC_FILE_LIMIT);
    buf_init(&reader.actual, SPEC_FILE_LIMIT);
    for (int i = 2; i < argc; i++) {
        run_file(&reader, argv[i]);
    }
    buf_clear(&reader.actual);
    buf_clear(&reader.expected);
    buf_clear(&reader.input);
    if (kind->close) {
        kind->close(reader.context);
    }
    printf("spec.%s: %zu cases, %zu complaints\n", kind->name, reader.cases, reader.failures);
    return reader.cases > 0 && reader.failures == 0 ? 0 : 1;
}
