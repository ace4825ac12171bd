// Any bytes under any declaration become valid UTF-8, and what is valid already stays as it is.
#include "common/charset.h"

#include "common/utf8.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct view bytes, struct view declared)
{
    struct buf out;
    struct decoding how;
    buf_init(&out, 64 << 20);
    enum status status = charset_decode(bytes, declared, &out, &how);
    assert(status == OK);
    assert(utf8_invalid_at(buf_view(&out)) == out.len);
    assert(how.charset && how.invalid_at <= bytes.len);
    if (charset_is_plain(bytes, declared)) {
        assert(view_equal(buf_view(&out), bytes));
    }
    buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct view labels[] = {
        {"", 0},    {"utf-8", 5},         {"shift_jis", 9}, {"iso-2022-jp", 11},
        {"gbk", 3}, {"windows-1251", 12}, {"euc-kr", 6},    {"big5", 4}};
    struct view bytes = {(const char *)data, size};
    check(bytes, charset_declared(bytes));
    if (size > 0) {
        check(view_slice(bytes, 1, size), labels[data[0] % (sizeof labels / sizeof labels[0])]);
    }
    return 0;
}
