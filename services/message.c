#include "services/message.h"

#include "common/fault.h"
#include "proto/bytes.h"

#include <assert.h>
#include <stdlib.h>

void frames_clear(struct frames *frames)
{
    free(frames->envelope);
    free(frames->body);
    *frames = (struct frames){0};
}

void message_init(struct message *message)
{
    *message = (struct message){0};
    buf_init(&message->items, (size_t)WIRE_ITEM_LIMIT * WIRE_ITEM_BYTES);
    buf_init(&message->sections, (size_t)UINT16_MAX * WIRE_SECTION_BYTES);
    buf_init(&message->fields, 1 << 20);
    buf_init(&message->body, MESSAGE_BYTES_LIMIT);
}

void message_clear(struct message *message)
{
    buf_clear(&message->items);
    buf_clear(&message->sections);
    buf_clear(&message->fields);
    buf_clear(&message->body);
}

void message_begin(struct message *message, enum wire_type type, uint16_t stage)
{
    message->header = (struct wire_header){.type = (uint8_t)type, .stage = stage};
    buf_reset(&message->items);
    buf_reset(&message->sections);
    buf_reset(&message->fields);
    buf_reset(&message->body);
}

void message_reserve(struct message *message, size_t bytes)
{
    if (bytes > 0) {
        buf_reserve(&message->body, bytes);
    }
}

void message_item(struct message *message, const struct wire_item *item, struct view id)
{
    assert(id.len <= UINT16_MAX);
    char *room = buf_reserve(&message->items, WIRE_ITEM_BYTES);
    if (room) {
        wire_write_item((uint8_t *)room, item);
        wire_write_counts((uint8_t *)room, (uint16_t)id.len, 0);
        message->items.len += WIRE_ITEM_BYTES;
        message->header.item_count++;
    }
    if (room && id.len > 0) { // most messages have no ids, and many no body
        buf_add(&message->body, id);
    }
}

void message_section(struct message *message, uint16_t stage, struct view bytes)
{
    assert(message->header.item_count > 0 || message->items.full);
    struct wire_section section = {.stage = stage, .bytes = (uint32_t)bytes.len};
    char *room = message->items.full ? NULL : buf_reserve(&message->sections, WIRE_SECTION_BYTES);
    if (!room) { // message_finish says so
        return;
    }
    wire_write_section((uint8_t *)room, &section);
    message->sections.len += WIRE_SECTION_BYTES;
    message->header.section_count++;
    buf_add(&message->body, bytes);
    wire_count_section((uint8_t *)message->items.at + message->items.len - WIRE_ITEM_BYTES);
}

void message_field(struct message *message, enum wire_tag tag, struct view bytes)
{
    char *room = buf_reserve(&message->fields, WIRE_FIELD_BYTES);
    if (room) {
        wire_write_field_head((uint8_t *)room, tag, (uint32_t)bytes.len);
        message->fields.len += WIRE_FIELD_BYTES;
        buf_add(&message->fields, bytes);
    }
}

void message_field_u32(struct message *message, enum wire_tag tag, uint32_t value)
{
    char bytes[4];
    set_u32(bytes, value);
    message_field(message, tag, (struct view){bytes, sizeof bytes});
}

void message_field_u64(struct message *message, enum wire_tag tag, uint64_t value)
{
    char bytes[8];
    set_u64(bytes, value);
    message_field(message, tag, (struct view){bytes, sizeof bytes});
}

bool message_finish(struct message *message, uint64_t number, struct frames *frames)
{
    *frames = (struct frames){0};
    message->header.number = number;
    size_t len =
        WIRE_HEADER_BYTES + message->items.len + message->sections.len + message->fields.len;
    char *envelope = fault_hit(FAULT_MEMORY) ? NULL : malloc(len);
    if (!envelope || message->items.full || message->sections.full || message->fields.full ||
        message->body.full) {
        free(envelope);
        return false;
    }
    wire_write_header((uint8_t *)envelope, &message->header);
    char *at = envelope + WIRE_HEADER_BYTES;
    const struct buf *parts[] = {&message->items, &message->sections, &message->fields};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (parts[i]->len > 0) {
            memcpy(at, parts[i]->at, parts[i]->len);
            at += parts[i]->len;
        }
    }
    frames->envelope = envelope;
    frames->envelope_len = len;
    frames->body = buf_take(&message->body, &frames->body_len);
    return true;
}

bool message_error(struct message *message, enum wire_error code, const char *sentence,
                   uint64_t number, struct frames *frames)
{
    message_begin(message, WIRE_ERROR, WIRE_NO_STAGE);
    message_field_u32(message, WIRE_TAG_CODE, (uint32_t)code);
    message_field(message, WIRE_TAG_SENTENCE, view_of(sentence));
    return message_finish(message, number, frames);
}

struct view message_text(const struct wire_message *message, enum wire_tag tag)
{
    size_t len;
    const uint8_t *at = wire_field(message, tag, &len);
    return (struct view){at ? (const char *)at : "", len};
}
