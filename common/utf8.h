// UTF-8: is it valid, what is the next code point, and how do byte offsets and code points relate.
//
// Inside, all offsets are bytes; in JSON they are Unicode code points. `struct utf8_index` converts
// between the two in near constant time.
#ifndef COPYDESK_UTF8_H
#define COPYDESK_UTF8_H

#include "common/arena.h"

enum { UTF8_REPLACEMENT = 0xfffd };

// Length in bytes (1 to 4) of the valid sequence at `at`, or 0 when there is none: bad lead or
// continuation byte, overlong form, surrogate, above U+10FFFF, cut off.
size_t utf8_sequence(struct view text, size_t at);

// The code point at `*at`, which is moved behind it. A byte that starts no valid sequence gives
// U+FFFD and moves by one. `*at` must be below text.len.
uint32_t utf8_next(struct view text, size_t *at);

// The code point that ends before `*at`, which is moved to its start. `*at` must be above 0.
uint32_t utf8_previous(struct view text, size_t *at);

// Offset of the first byte that is not valid UTF-8, or text.len when all of it is.
size_t utf8_invalid_at(struct view text);

// Writes `code_point` (a valid one) to `out` and returns how many bytes, 1 to 4.
size_t utf8_encode(uint32_t code_point, char out[4]);

// How many code points; every byte that belongs to no valid sequence counts as one.
size_t utf8_length(struct view text);

// Letter case for Latin, Greek and Cyrillic, which is where names and sentences in our languages
// start; other scripts have no case here.
bool utf8_is_upper(uint32_t code_point);
bool utf8_is_lower(uint32_t code_point);
bool utf8_is_letter(uint32_t code_point);
bool utf8_is_digit(uint32_t code_point);
uint32_t utf8_to_lower(uint32_t code_point);

// White space in the sense of Unicode: ASCII spaces, U+0085, U+00A0, U+1680, U+2000..200A, U+2028/9,
// U+202F, U+205F, U+3000. Not the zero-width ones.
bool utf8_is_space(uint32_t code_point);

// A map between bytes and code points of one text. Made once per text, then read only.
struct utf8_index {
    struct view text;
    const uint32_t *before; // code points before each block; NULL when the text is ASCII
    size_t code_points;
};

// Builds the index in `arena`; linear in the text. When the arena is full it still answers, in linear
// time per call.
void utf8_index_init(struct utf8_index *index, struct arena *arena, struct view text);

// Code point offset of a byte offset; offsets inside a sequence count as its start.
size_t utf8_to_code_points(const struct utf8_index *index, size_t byte);

// Byte offset of a code point offset; clipped to the text's length.
size_t utf8_to_bytes(const struct utf8_index *index, size_t code_point);

#endif
