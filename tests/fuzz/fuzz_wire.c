// Feeds arbitrary envelopes and bodies to wire_parse, and walks over whatever passes.
#include "proto/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// Reads every byte, so that the sanitizer sees each.
static unsigned touch(const uint8_t *at, size_t len)
{
    unsigned sum = 0;
    for (size_t i = 0; i < len; i++) {
        sum += at[i];
    }
    return sum;
}

static unsigned touch_message(const struct wire_message *message)
{
    struct wire_walk walk = {.message = message};
    struct wire_section section;
    const uint8_t *bytes;
    unsigned sum = 0;
    while (wire_next_item(&walk)) {
        sum += touch(walk.id, walk.item.id_bytes);
        if (walk.next_item % 2) { // every other item's sections are left to wire_next_item
            continue;
        }
        while (wire_next_section(&walk, &section, &bytes)) {
            sum += touch(bytes, section.bytes);
        }
    }
    if (walk.body_at != message->body_len) {
        abort(); // what was parsed covers the body exactly
    }
    for (unsigned tag = 0; tag < 16; tag++) {
        size_t len;
        const uint8_t *at = wire_field(message, (enum wire_tag)tag, &len);
        sum += touch(at, at ? len : 0);
    }
    return sum;
}

// The first two bytes of the input say where the envelope ends and the body begins.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wire_message message;
    if (size < 2) {
        return 0;
    }
    size_t envelope_len = (size_t)data[0] | (size_t)data[1] << 8;
    envelope_len = envelope_len < size - 2 ? envelope_len : size - 2;
    size_t body_len = size - 2 - envelope_len;
    uint8_t *envelope = malloc(envelope_len + 1), *body = malloc(body_len + 1);
    if (envelope && body) {
        memcpy(envelope, data + 2, envelope_len);
        memcpy(body, data + 2 + envelope_len, body_len);
        if (wire_parse(&message, envelope, envelope_len, body, body_len) == WIRE_OK) {
            volatile unsigned sum = touch_message(&message);
            (void)sum;
        }
    }
    free(envelope);
    free(body);
    return 0;
}
