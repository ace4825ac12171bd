// Turns bytes of any charset a news page may come in into UTF-8.
//
// What a page says about itself is often wrong, so the bytes have the first word:
//
//     byte order mark        UTF-8, UTF-16LE, UTF-16BE
//     zeros at every second  UTF-16 without a mark
//     all valid UTF-8        UTF-8, whatever is declared (except ISO-2022-JP, which looks like ASCII)
//     mostly valid UTF-8     UTF-8; the stray bytes are read as windows-1252, one by one
//     else                   the declared charset, else windows-1252
//
// Stray bytes come from pages pasted together out of two systems; switching the whole page to windows-1252
// because of one of them would ruin every other accent. Labels mean what the WHATWG Encoding Standard says:
// "latin1", "iso-8859-1" and "ascii" are windows-1252, "gb2312" is GB18030, "shift_jis" is windows-31J.
#ifndef COPYDESK_CHARSET_H
#define COPYDESK_CHARSET_H

#include "common/buf.h"
#include "common/status.h"

// How bytes were read.
struct decoding {
    const char *charset; // static name, e.g. "UTF-8", "windows-1252"
    size_t invalid_at;   // offset of the first byte that is not UTF-8; the length when all of it is
    size_t strays; // bytes that were read as windows-1252 inside UTF-8, or could not be read at all
};

// The charset that a page declares in its first 4 KB: <meta charset>, <meta http-equiv content>, or the
// XML declaration. Empty when it declares none. Borrows from `page`.
struct view charset_declared(struct view page);

// The name of the charset that `label` stands for, or NULL when there is no such label.
// Case and outer white space do not matter. Never "UTF-16" for what a page says of itself: the bytes of its
// declaration could be read, so it is not (WHATWG).
const char *charset_find(struct view label);

// Appends `bytes` to `out` as valid UTF-8 without a byte order mark and tells how in `*how`. `declared` may be
// empty or unknown. What cannot be read becomes U+FFFD. ERR_LIMIT when `out` is full. Linear.
MUST_CHECK enum status charset_decode(struct view bytes, struct view declared, struct buf *out,
                                      struct decoding *how);

// True for UTF-16, by its byte order mark or by the zeros of Latin text in it. Looks at the first 512 bytes.
bool charset_is_wide(struct view bytes);

// True when the bytes can be used as they are: valid UTF-8, no mark, nothing to decode. Linear, no copy.
bool charset_is_plain(struct view bytes, struct view declared);

#endif
