#include "common/charset.h"

#include "common/utf8.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

enum { DECLARATION_WINDOW = 4096 };

static const char utf8_name[] = "UTF-8";
static const char latin_name[] = "windows-1252";

// Labels of the WHATWG Encoding Standard (facts of the standard), sorted by bytes, with the charset as iconv
// calls it.
static const struct label {
    const char *label;
    const char *charset;
} labels[] = {
    {"866", "CP866"},
    {"ansi_x3.4-1968", latin_name},
    {"arabic", "ISO-8859-6"},
    {"ascii", latin_name},
    {"asmo-708", "ISO-8859-6"},
    {"big5", "BIG5-HKSCS"},
    {"big5-hkscs", "BIG5-HKSCS"},
    {"chinese", "GB18030"},
    {"cn-big5", "BIG5-HKSCS"},
    {"cp1250", "windows-1250"},
    {"cp1251", "windows-1251"},
    {"cp1252", latin_name},
    {"cp1253", "windows-1253"},
    {"cp1254", "windows-1254"},
    {"cp1255", "windows-1255"},
    {"cp1256", "windows-1256"},
    {"cp1257", "windows-1257"},
    {"cp1258", "windows-1258"},
    {"cp819", latin_name},
    {"cp866", "CP866"},
    {"csbig5", "BIG5-HKSCS"},
    {"cseuckr", "CP949"},
    {"cseucpkdfmtjapanese", "EUC-JP"},
    {"csgb2312", "GB18030"},
    {"csibm866", "CP866"},
    {"csiso2022jp", "ISO-2022-JP"},
    {"csisolatin1", latin_name},
    {"csisolatin2", "ISO-8859-2"},
    {"csisolatin3", "ISO-8859-3"},
    {"csisolatin4", "ISO-8859-4"},
    {"csisolatin5", "windows-1254"},
    {"csisolatin6", "ISO-8859-10"},
    {"csisolatin9", "ISO-8859-15"},
    {"csisolatinarabic", "ISO-8859-6"},
    {"csisolatincyrillic", "ISO-8859-5"},
    {"csisolatingreek", "ISO-8859-7"},
    {"csisolatinhebrew", "ISO-8859-8"},
    {"cskoi8r", "KOI8-R"},
    {"csksc56011987", "CP949"},
    {"csmacintosh", "MACINTOSH"},
    {"csshiftjis", "CP932"},
    {"cyrillic", "ISO-8859-5"},
    {"dos-874", "CP874"},
    {"ecma-114", "ISO-8859-6"},
    {"ecma-118", "ISO-8859-7"},
    {"elot_928", "ISO-8859-7"},
    {"euc-jp", "EUC-JP"},
    {"euc-kr", "CP949"},
    {"gb18030", "GB18030"},
    {"gb2312", "GB18030"},
    {"gb_2312", "GB18030"},
    {"gb_2312-80", "GB18030"},
    {"gbk", "GB18030"},
    {"greek", "ISO-8859-7"},
    {"greek8", "ISO-8859-7"},
    {"hebrew", "ISO-8859-8"},
    {"ibm819", latin_name},
    {"ibm866", "CP866"},
    {"iso-2022-jp", "ISO-2022-JP"},
    {"iso-8859-1", latin_name},
    {"iso-8859-10", "ISO-8859-10"},
    {"iso-8859-11", "CP874"},
    {"iso-8859-13", "ISO-8859-13"},
    {"iso-8859-14", "ISO-8859-14"},
    {"iso-8859-15", "ISO-8859-15"},
    {"iso-8859-16", "ISO-8859-16"},
    {"iso-8859-2", "ISO-8859-2"},
    {"iso-8859-3", "ISO-8859-3"},
    {"iso-8859-4", "ISO-8859-4"},
    {"iso-8859-5", "ISO-8859-5"},
    {"iso-8859-6", "ISO-8859-6"},
    {"iso-8859-7", "ISO-8859-7"},
    {"iso-8859-8", "ISO-8859-8"},
    {"iso-8859-8-i", "ISO-8859-8"},
    {"iso-8859-9", "windows-1254"},
    {"iso-ir-100", latin_name},
    {"iso-ir-101", "ISO-8859-2"},
    {"iso-ir-58", "GB18030"},
    {"iso8859-1", latin_name},
    {"iso8859-15", "ISO-8859-15"},
    {"iso8859-2", "ISO-8859-2"},
    {"iso88591", latin_name},
    {"iso885915", "ISO-8859-15"},
    {"iso88592", "ISO-8859-2"},
    {"iso_8859-1", latin_name},
    {"iso_8859-15", "ISO-8859-15"},
    {"iso_8859-1:1987", latin_name},
    {"iso_8859-2", "ISO-8859-2"},
    {"iso_8859-5", "ISO-8859-5"},
    {"iso_8859-7", "ISO-8859-7"},
    {"koi", "KOI8-R"},
    {"koi8", "KOI8-R"},
    {"koi8-r", "KOI8-R"},
    {"koi8-ru", "KOI8-U"},
    {"koi8-u", "KOI8-U"},
    {"koi8_r", "KOI8-R"},
    {"korean", "CP949"},
    {"ks_c_5601-1987", "CP949"},
    {"ks_c_5601-1989", "CP949"},
    {"ksc5601", "CP949"},
    {"ksc_5601", "CP949"},
    {"l1", latin_name},
    {"l2", "ISO-8859-2"},
    {"l5", "windows-1254"},
    {"l9", "ISO-8859-15"},
    {"latin1", latin_name},
    {"latin2", "ISO-8859-2"},
    {"latin5", "windows-1254"},
    {"latin9", "ISO-8859-15"},
    {"mac", "MACINTOSH"},
    {"macintosh", "MACINTOSH"},
    {"ms932", "CP932"},
    {"ms_kanji", "CP932"},
    {"shift-jis", "CP932"},
    {"shift_jis", "CP932"},
    {"sjis", "CP932"},
    {"sun_eu_greek", "ISO-8859-7"},
    {"tis-620", "CP874"},
    {"unicode-1-1-utf-8", utf8_name},
    {"us-ascii", latin_name},
    {"utf-16", utf8_name},
    {"utf-16be", utf8_name},
    {"utf-16le", utf8_name},
    {"utf-8", utf8_name},
    {"utf8", utf8_name},
    {"windows-1250", "windows-1250"},
    {"windows-1251", "windows-1251"},
    {"windows-1252", latin_name},
    {"windows-1253", "windows-1253"},
    {"windows-1254", "windows-1254"},
    {"windows-1255", "windows-1255"},
    {"windows-1256", "windows-1256"},
    {"windows-1257", "windows-1257"},
    {"windows-1258", "windows-1258"},
    {"windows-31j", "CP932"},
    {"windows-874", "CP874"},
    {"windows-949", "CP949"},
    {"x-cp1250", "windows-1250"},
    {"x-cp1251", "windows-1251"},
    {"x-cp1252", latin_name},
    {"x-cp1253", "windows-1253"},
    {"x-cp1254", "windows-1254"},
    {"x-cp1255", "windows-1255"},
    {"x-cp1256", "windows-1256"},
    {"x-cp1257", "windows-1257"},
    {"x-cp1258", "windows-1258"},
    {"x-euc-jp", "EUC-JP"},
    {"x-gbk", "GB18030"},
    {"x-mac-cyrillic", "MAC-CYRILLIC"},
    {"x-mac-roman", "MACINTOSH"},
    {"x-mac-ukrainian", "MAC-CYRILLIC"},
    {"x-sjis", "CP932"},
    {"x-x-big5", "BIG5-HKSCS"},
};

enum { LABEL_COUNT = sizeof labels / sizeof labels[0], LABEL_LENGTH = 32 };

static int compare_label(const void *key, const void *entry)
{
    return strcmp(key, ((const struct label *)entry)->label);
}

const char *charset_find(struct view label)
{
    char lower[LABEL_LENGTH];
    label = view_trim(label);
    if (label.len == 0 || label.len >= sizeof lower) {
        return NULL;
    }
    for (size_t i = 0; i < label.len; i++) {
        char c = label.at[i];
        lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
    }
    lower[label.len] = '\0';
    const struct label *found =
        bsearch(lower, labels, LABEL_COUNT, sizeof labels[0], compare_label);
    return found ? found->charset : NULL;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

// Position behind the first `word` at or after `from`, any case; tag.len when there is none.
static size_t behind(struct view tag, struct view word, size_t from)
{
    for (size_t i = from; i + word.len <= tag.len; i++) {
        if (view_starts_nocase(view_slice(tag, i, tag.len), word)) {
            return i + word.len;
        }
    }
    return tag.len;
}

// The value behind `name` and '=' in a tag: charset=utf-8, charset = "utf-8", content='...; charset=utf-8'.
static struct view value_of(struct view tag, struct view name)
{
    for (size_t at = behind(tag, name, 0); at < tag.len; at = behind(tag, name, at)) {
        while (at < tag.len && is_space(tag.at[at])) {
            at++;
        }
        if (at >= tag.len || tag.at[at] != '=') {
            continue;
        }
        at++;
        while (at < tag.len && (is_space(tag.at[at]) || tag.at[at] == '"' || tag.at[at] == '\'')) {
            at++;
        }
        size_t end = at;
        while (end < tag.len && !is_space(tag.at[end]) && !strchr("\"';/>?", tag.at[end])) {
            end++;
        }
        return view_slice(tag, at, end);
    }
    return (struct view){"", 0};
}

struct view charset_declared(struct view page)
{
    struct view window = view_slice(page, 0, DECLARATION_WINDOW);
    if (view_starts(view_trim(window), VIEW("<?xml"))) {
        size_t end = view_find(window, VIEW("?>"), 0);
        struct view found = value_of(view_slice(window, 0, end), VIEW("encoding"));
        if (found.len > 0) {
            return found;
        }
    }
    for (size_t at = behind(window, VIEW("<meta"), 0); at < window.len;
         at = behind(window, VIEW("<meta"), at)) {
        size_t end = view_find(window, VIEW(">"), at);
        struct view found = value_of(view_slice(window, at, end), VIEW("charset"));
        if (found.len > 0) {
            return found;
        }
    }
    return (struct view){"", 0};
}

// Bytes 0x80 to 0x9f of windows-1252; the five that it leaves open are control characters (WHATWG).
static uint32_t latin_code_point(unsigned char byte)
{
    static const uint16_t high[32] = {
        0x20ac, 0x81,   0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021, 0x2c6,  0x2030, 0x160,
        0x2039, 0x152,  0x8d,   0x17d,  0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0x9d,   0x17e,  0x178};
    return byte >= 0x80 && byte < 0xa0 ? high[byte - 0x80] : byte;
}

static void add_code_point(struct buf *out, uint32_t code_point)
{
    char bytes[4];
    buf_add(out, (struct view){bytes, utf8_encode(code_point, bytes)});
}

// Valid sequences stay; every other byte is read as windows-1252. On a page that is windows-1252 as a whole
// there are no valid sequences to keep but by rare accident, so this serves both.
static size_t decode_mixed(struct view bytes, struct buf *out)
{
    size_t strays = 0;
    while (bytes.len > 0) {
        size_t valid = utf8_invalid_at(bytes);
        buf_add(out, view_slice(bytes, 0, valid));
        if (valid < bytes.len) {
            add_code_point(out, latin_code_point((unsigned char)bytes.at[valid]));
            strays++;
            valid++;
        }
        bytes = view_slice(bytes, valid, bytes.len);
    }
    return strays;
}

static size_t decode_utf16(struct view bytes, bool big, struct buf *out)
{
    size_t strays = bytes.len % 2;
    uint32_t high = 0; // a first surrogate that waits for its second
    for (size_t i = 0; i + 2 <= bytes.len; i += 2) {
        uint32_t first = (unsigned char)bytes.at[i];
        uint32_t second = (unsigned char)bytes.at[i + 1];
        uint32_t unit = big ? first << 8 | second : second << 8 | first;
        bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (high && is_low) {
            add_code_point(out, 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00));
            high = 0;
            continue;
        }
        if (high) {
            add_code_point(out, UTF8_REPLACEMENT);
            strays++;
        }
        high = unit >= 0xd800 && unit < 0xdc00 ? unit : 0;
        if (!high) {
            strays += is_low;
            add_code_point(out, is_low ? UTF8_REPLACEMENT : unit);
        }
    }
    if (high || bytes.len % 2) {
        add_code_point(out, UTF8_REPLACEMENT);
        strays += high != 0;
    }
    return strays;
}

// False when the system does not know the charset; nothing was appended then.
static bool decode_iconv(struct view bytes, const char *charset, struct buf *out, size_t *strays)
{
    iconv_t converter = iconv_open(utf8_name, charset);
    if (converter == (iconv_t)-1) {
        return false;
    }
    char *from = (char *)bytes.at; // iconv only reads it
    size_t left = bytes.len;
    while (left > 0 && !out->full) {
        char room[4096];
        char *to = room;
        size_t to_left = sizeof room;
        size_t result = iconv(converter, &from, &left, &to, &to_left);
        int reason = errno;
        buf_add(out, (struct view){room, (size_t)(to - room)});
        if (result == (size_t)-1 && reason != E2BIG) {
            add_code_point(out, UTF8_REPLACEMENT);
            (*strays)++;
            from++;
            left--;
        }
    }
    iconv_close(converter);
    return true;
}

// Sequences of two to four bytes that are valid UTF-8, and bytes that belong to none.
static void count_sequences(struct view bytes, size_t *valid, size_t *invalid)
{
    *valid = *invalid = 0;
    for (size_t at = 0; at < bytes.len;) {
        if ((unsigned char)bytes.at[at] < 0x80) {
            at++;
            continue;
        }
        size_t len = utf8_sequence(bytes, at);
        *valid += len > 0;
        *invalid += len == 0;
        at += len ? len : 1;
    }
}

// UTF-16 without a mark: Latin text has a zero at every second byte.
enum { UTF16_WINDOW = 512, UTF16_LEAST = 8 };

static bool looks_utf16(struct view bytes, bool *big)
{
    size_t zeros[2] = {0, 0};
    struct view window = view_slice(bytes, 0, UTF16_WINDOW);
    for (size_t i = 0; i < window.len; i++) {
        zeros[i % 2] += window.at[i] == '\0';
    }
    size_t half = window.len / 2;
    *big = zeros[0] > zeros[1];
    return half >= UTF16_LEAST && zeros[*big ? 0 : 1] * 10 >= half * 7 &&
           zeros[*big ? 1 : 0] * 10 <= half;
}

static bool is_utf16(struct view *bytes, bool *big)
{
    if (view_starts(*bytes, VIEW("\xff\xfe")) || view_starts(*bytes, VIEW("\xfe\xff"))) {
        *big = bytes->at[0] == '\xfe';
        *bytes = view_slice(*bytes, 2, bytes->len);
        return true;
    }
    return looks_utf16(*bytes, big);
}

bool charset_is_wide(struct view bytes)
{
    bool big;
    return is_utf16(&bytes, &big);
}

static bool is_escaped_japanese(struct view bytes, const char *charset)
{
    return charset && strcmp(charset, "ISO-2022-JP") == 0 && memchr(bytes.at, '\x1b', bytes.len);
}

bool charset_is_plain(struct view bytes, struct view declared)
{
    return bytes.len == 0 ||
           (!view_starts(bytes, VIEW("\xef\xbb\xbf")) && utf8_invalid_at(bytes) == bytes.len &&
            !charset_is_wide(bytes) && !is_escaped_japanese(bytes, charset_find(declared)));
}

static void decode_declared(struct view bytes, const char *declared, struct buf *out,
                            struct decoding *how)
{
    size_t valid, invalid;
    bool is_latin = !declared || declared == utf8_name || declared == latin_name;
    count_sequences(bytes, &valid, &invalid);
    bool mostly_utf8 = valid > 3 * invalid || (declared == utf8_name && valid >= invalid);
    if (mostly_utf8 || is_latin || !decode_iconv(bytes, declared, out, &how->strays)) {
        size_t strays = decode_mixed(bytes, out);
        how->charset = mostly_utf8 ? utf8_name : latin_name;
        how->strays = mostly_utf8 ? strays : 0;
        return;
    }
    how->charset = declared;
}

enum status charset_decode(struct view bytes, struct view declared, struct buf *out,
                           struct decoding *how)
{
    bool big;
    const char *charset = charset_find(declared);
    *how = (struct decoding){.charset = utf8_name, .invalid_at = utf8_invalid_at(bytes)};
    if (view_starts(bytes, VIEW("\xef\xbb\xbf"))) {
        bytes = view_slice(bytes, 3, bytes.len);
        charset = utf8_name;
    }
    if (is_utf16(&bytes, &big)) {
        how->charset = big ? "UTF-16BE" : "UTF-16LE";
        how->strays = decode_utf16(bytes, big, out);
    } else if (utf8_invalid_at(bytes) < bytes.len || is_escaped_japanese(bytes, charset)) {
        decode_declared(bytes, charset, out, how);
    } else {
        buf_add(out, bytes);
    }
    return out->full ? ERR_LIMIT : OK;
}
