#include "common/utf8.h"

// One count is kept for each block of this many bytes: 1/16 of the text's size for the index, and at
// most 64 bytes to walk per question.
enum { BLOCK = 64 };

static unsigned byte_at(struct view text, size_t at)
{
    return (unsigned char)text.at[at];
}

static bool is_continuation(unsigned byte)
{
    return (byte & 0xc0) == 0x80;
}

// The table of well-formed sequences of the Unicode standard (3.9, table 3-7).
size_t utf8_sequence(struct view text, size_t at)
{
    size_t left = text.len - at;
    unsigned first = byte_at(text, at);
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4 || left < 2) {
        return 0;
    }
    unsigned second = byte_at(text, at + 1);
    if (!is_continuation(second)) {
        return 0;
    }
    if (first < 0xe0) {
        return 2;
    }
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
        return 0;
    }
    if (left < 3 || !is_continuation(byte_at(text, at + 2))) {
        return 0;
    }
    if (first < 0xf0) {
        return 3;
    }
    return left >= 4 && is_continuation(byte_at(text, at + 3)) ? 4 : 0;
}

uint32_t utf8_next(struct view text, size_t *at)
{
    size_t i = *at;
    size_t len = utf8_sequence(text, i);
    *at += len ? len : 1;
    switch (len) {
    case 1:
        return byte_at(text, i);
    case 2:
        return (byte_at(text, i) & 0x1f) << 6 | (byte_at(text, i + 1) & 0x3f);
    case 3:
        return (byte_at(text, i) & 0x0f) << 12 | (byte_at(text, i + 1) & 0x3f) << 6 |
               (byte_at(text, i + 2) & 0x3f);
    case 4:
        return (byte_at(text, i) & 0x07) << 18 | (byte_at(text, i + 1) & 0x3f) << 12 |
               (byte_at(text, i + 2) & 0x3f) << 6 | (byte_at(text, i + 3) & 0x3f);
    default:
        return UTF8_REPLACEMENT;
    }
}

uint32_t utf8_previous(struct view text, size_t *at)
{
    size_t end = *at;
    for (size_t back = 1; back <= 4 && back <= end; back++) {
        size_t start = end - back;
        if (is_continuation(byte_at(text, start))) {
            continue;
        }
        if (utf8_sequence(text, start) == back) {
            *at = start;
            return utf8_next(text, &start);
        }
        break;
    }
    *at = end - 1;
    return UTF8_REPLACEMENT;
}

// Skips eight ASCII bytes at a time; news text is mostly that.
static size_t skip_ascii(struct view text, size_t at)
{
    while (at + 8 <= text.len) {
        uint64_t word;
        memcpy(&word, text.at + at, 8);
        if (word & 0x8080808080808080u) {
            break;
        }
        at += 8;
    }
    while (at < text.len && byte_at(text, at) < 0x80) {
        at++;
    }
    return at;
}

size_t utf8_invalid_at(struct view text)
{
    size_t at = 0;
    while ((at = skip_ascii(text, at)) < text.len) {
        size_t len = utf8_sequence(text, at);
        if (len == 0) {
            return at;
        }
        at += len;
    }
    return at;
}

size_t utf8_encode(uint32_t code_point, char out[4])
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point < 0x800) {
        out[0] = (char)(0xc0 | code_point >> 6);
        out[1] = (char)(0x80 | (code_point & 0x3f));
        return 2;
    }
    if (code_point < 0x10000) {
        out[0] = (char)(0xe0 | code_point >> 12);
        out[1] = (char)(0x80 | (code_point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code_point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code_point >> 18);
    out[1] = (char)(0x80 | (code_point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code_point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code_point & 0x3f));
    return 4;
}

size_t utf8_length(struct view text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; count++) {
        size_t plain = skip_ascii(text, at);
        if (plain > at) {
            count += plain - at - 1;
            at = plain;
            continue;
        }
        utf8_next(text, &at);
    }
    return count;
}

// Latin-1, Latin Extended-A/B and Additional, Greek, Cyrillic. In the alternating blocks upper case
// is the even code point, except the stretches listed.
static bool odd_is_upper(uint32_t c)
{
    return (c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e) || (c >= 0x1cd && c <= 0x1dc);
}

static bool is_alternating(uint32_t c)
{
    return (c >= 0x100 && c <= 0x137) || (c >= 0x139 && c <= 0x148) || (c >= 0x14a && c <= 0x177) ||
           (c >= 0x179 && c <= 0x17e) || (c >= 0x1cd && c <= 0x1dc) || (c >= 0x1de && c <= 0x1ef) ||
           (c >= 0x1f8 && c <= 0x21f) || (c >= 0x222 && c <= 0x233) || (c >= 0x460 && c <= 0x481) ||
           (c >= 0x48a && c <= 0x4bf) || (c >= 0x4d0 && c <= 0x52f) ||
           (c >= 0x1e00 && c <= 0x1e95) || (c >= 0x1ea0 && c <= 0x1eff);
}

bool utf8_is_upper(uint32_t c)
{
    if (c < 0x80) {
        return c >= 'A' && c <= 'Z';
    }
    if (is_alternating(c)) {
        return ((c & 1) == 0) != odd_is_upper(c);
    }
    return (c >= 0xc0 && c <= 0xde && c != 0xd7) || c == 0x178 || (c >= 0x386 && c <= 0x38f) ||
           (c >= 0x391 && c <= 0x3ab) || (c >= 0x400 && c <= 0x42f);
}

bool utf8_is_lower(uint32_t c)
{
    if (c < 0x80) {
        return c >= 'a' && c <= 'z';
    }
    if (is_alternating(c)) {
        return !utf8_is_upper(c);
    }
    return (c >= 0xdf && c <= 0xff && c != 0xf7) || c == 0x138 || c == 0x149 || c == 0x17f ||
           (c >= 0x3ac && c <= 0x3ce) || c == 0x390 || (c >= 0x430 && c <= 0x45f);
}

// Scripts are taken whole: what is not a letter inside these ranges is rare in news text.
bool utf8_is_letter(uint32_t c)
{
    if (c < 0x80) {
        return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
    }
    if (c < 0xc0) {
        return c == 0xaa || c == 0xb5 || c == 0xba;
    }
    return (c <= 0x2ff && c != 0xd7 && c != 0xf7) || (c >= 0x370 && c <= 0x1fff) ||
           (c >= 0x2c00 && c <= 0x2dff) || (c >= 0x3040 && c <= 0xd7ff) ||
           (c >= 0xf900 && c <= 0xfaff) || (c >= 0x20000 && c <= 0x3ffff);
}

bool utf8_is_digit(uint32_t c)
{
    return (c >= '0' && c <= '9') || (c >= 0x660 && c <= 0x669) || (c >= 0x966 && c <= 0x96f);
}

uint32_t utf8_to_lower(uint32_t c)
{
    if (!utf8_is_upper(c)) {
        return c;
    }
    if (c < 0x100) {
        return c + 0x20;
    }
    if (c == 0x130) {
        return 'i'; // Istanbul as Turks write it
    }
    if (is_alternating(c)) {
        return c + 1;
    }
    if (c == 0x178) {
        return 0xff;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return c + 0x50;
    }
    if (c >= 0x386 && c <= 0x38f) {
        static const uint16_t accented[] = {0x3ac, 0x387, 0x3ad, 0x3ae, 0x3af,
                                            0x38b, 0x3cc, 0x38d, 0x3cd, 0x3ce};
        return accented[c - 0x386];
    }
    return c + 0x20;
}

bool utf8_is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 || c == 0x1680 ||
           (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f ||
           c == 0x205f || c == 0x3000;
}

void utf8_index_init(struct utf8_index *index, struct arena *arena, struct view text)
{
    *index = (struct utf8_index){.text = text, .code_points = text.len};
    if (skip_ascii(text, 0) == text.len) {
        return;
    }
    uint32_t *before = arena_alloc(arena, (text.len / BLOCK + 1) * sizeof *before);
    index->before = before;
    if (!before) {
        index->code_points = utf8_length(text);
        return;
    }
    size_t count = 0;
    size_t filled = 0;
    for (size_t at = 0; at < text.len; count++) {
        // A sequence that begins before a block's first byte is counted before that block.
        for (; filled * BLOCK <= at; filled++) {
            before[filled] = (uint32_t)count;
        }
        utf8_next(text, &at);
    }
    for (; filled <= text.len / BLOCK; filled++) {
        before[filled] = (uint32_t)count;
    }
    index->code_points = count;
}

// The start of the sequence that covers `block * BLOCK`, so that walking begins on a boundary.
static size_t block_start(struct view text, size_t block)
{
    size_t at = block * BLOCK;
    for (size_t back = 1; back <= 3 && back <= at && at < text.len; back++) {
        size_t len = utf8_sequence(text, at - back);
        if (len > back) {
            return at - back + len;
        }
    }
    return at;
}

static bool is_ascii_text(const struct utf8_index *index)
{
    return !index->before && index->code_points == index->text.len;
}

size_t utf8_to_code_points(const struct utf8_index *index, size_t byte)
{
    byte = byte > index->text.len ? index->text.len : byte;
    if (is_ascii_text(index)) {
        return byte;
    }
    size_t at = 0;
    size_t count = 0;
    if (index->before) {
        size_t block = byte / BLOCK;
        size_t start = block_start(index->text, block);
        if (start > byte) {
            return index->before[block] - 1;
        }
        at = start;
        count = index->before[block];
    }
    while (at < byte) {
        size_t next = at;
        utf8_next(index->text, &next);
        if (next > byte) {
            break;
        }
        at = next;
        count++;
    }
    return count;
}

size_t utf8_to_bytes(const struct utf8_index *index, size_t code_point)
{
    if (code_point >= index->code_points) {
        return index->text.len;
    }
    if (is_ascii_text(index)) {
        return code_point;
    }
    size_t at = 0;
    size_t count = 0;
    if (index->before) {
        size_t low = 0;
        size_t high = index->text.len / BLOCK;
        while (low < high) {
            size_t middle = (low + high + 1) / 2;
            if (index->before[middle] <= code_point) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        at = block_start(index->text, low);
        count = index->before[low];
    }
    while (count < code_point) {
        utf8_next(index->text, &at);
        count++;
    }
    return at;
}
