#include "common/notes.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>

void notes_init(struct notes *notes, size_t limit_bytes)
{
    *notes = (struct notes){0};
    buf_init(&notes->json, limit_bytes);
}

void notes_clear(struct notes *notes)
{
    buf_clear(&notes->json);
}

static void open(struct notes *notes, char opening, char closing)
{
    assert(notes->depth < NOTES_DEPTH);
    buf_add_char(&notes->json, opening);
    notes->closing[notes->depth] = closing;
    notes->first[notes->depth] = true;
    notes->depth++;
}

void notes_begin(struct notes *notes, const struct utf8_index *index)
{
    buf_reset(&notes->json);
    notes->index = index ? *index : (struct utf8_index){0};
    notes->depth = 0;
    open(notes, '{', '}');
}

void notes_text(struct notes *notes, struct arena *arena, struct view text)
{
    utf8_index_init(&notes->index, arena, text);
}

struct view notes_finish(struct notes *notes)
{
    assert(notes->depth == 1);
    notes_end(notes);
    return notes->json.full ? (struct view){"", 0} : buf_view(&notes->json);
}

// The comma and the name in front of a value.
static void begin_value(struct notes *notes, const char *key)
{
    assert(notes->depth > 0);
    int level = notes->depth - 1;
    assert((notes->closing[level] == '}') == (key != NULL));
    if (!notes->first[level]) {
        buf_add_char(&notes->json, ',');
    }
    notes->first[level] = false;
    if (key) {
        buf_add_json(&notes->json, view_of(key));
        buf_add_char(&notes->json, ':');
    }
}

void notes_object(struct notes *notes, const char *key)
{
    begin_value(notes, key);
    open(notes, '{', '}');
}

void notes_array(struct notes *notes, const char *key)
{
    begin_value(notes, key);
    open(notes, '[', ']');
}

void notes_end(struct notes *notes)
{
    assert(notes->depth > 0);
    notes->depth--;
    buf_add_char(&notes->json, notes->closing[notes->depth]);
}

void notes_string(struct notes *notes, const char *key, struct view value)
{
    begin_value(notes, key);
    buf_add_json(&notes->json, value);
}

void notes_integer(struct notes *notes, const char *key, int64_t value)
{
    begin_value(notes, key);
    if (value < 0) {
        buf_add_char(&notes->json, '-');
    }
    buf_add_u64(&notes->json, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
}

void notes_decimal(struct notes *notes, const char *key, double value, int decimals)
{
    char text[400]; // the largest double has 309 digits
    int len = snprintf(text, sizeof text, "%.*f", decimals, value);
    struct view number = {text, (size_t)len};
    begin_value(notes, key);
    if (!isfinite(value)) {
        number = VIEW("null");
    } else if (text[0] == '-' && strspn(text + 1, "0.") + 1 == number.len) {
        number = view_slice(number, 1, number.len); // no minus before zeros
    }
    buf_add(&notes->json, number);
}

void notes_bool(struct notes *notes, const char *key, bool value)
{
    begin_value(notes, key);
    buf_add(&notes->json, value ? VIEW("true") : VIEW("false"));
}

void notes_null(struct notes *notes, const char *key)
{
    begin_value(notes, key);
    buf_add(&notes->json, VIEW("null"));
}

void notes_span(struct notes *notes, struct span span)
{
    notes_integer(notes, "start", (int64_t)utf8_to_code_points(&notes->index, span.start));
    notes_integer(notes, "end", (int64_t)utf8_to_code_points(&notes->index, span.end));
}
