// Builds messages of the wire protocol (proto/wire.h), item by item, and hands them out as two frames.
//
//     message_begin(&out, WIRE_WORK, stage);
//     message_item(&out, &item, id);
//     message_section(&out, WIRE_DOCUMENT, document);
//     message_finish(&out, &frames);              // the caller frees, or gives them to the socket
//
// Shared by the broker, the workers and the clients. No I/O.
#ifndef COPYDESK_MESSAGE_H
#define COPYDESK_MESSAGE_H

#include "common/buf.h"
#include "proto/wire.h"

// The two frames of a message; each on the heap, owned by whoever holds the struct.
struct frames {
    char *envelope, *body;
    size_t envelope_len, body_len;
};

// Frees both frames; the struct is empty after.
void frames_clear(struct frames *frames);

// A message being built; reused for the next one.
struct message {
    struct wire_header header;
    struct buf items, sections, fields, body;
};

// Nothing may be larger than a frame that the other side accepts.
#define MESSAGE_BYTES_LIMIT ((size_t)128 << 20)

// Starts empty; frees all.
void message_init(struct message *message);
void message_clear(struct message *message);

// Starts a message of `type`; `stage` is the number it concerns or WIRE_NO_STAGE.
void message_begin(struct message *message, enum wire_type type, uint16_t stage);

// Makes room for `bytes` of ids and sections at once: a body that grows piece by piece is copied several times.
void message_reserve(struct message *message, size_t bytes);

// Adds an article. `item->id_bytes` and `item->section_count` are taken from what is added.
void message_item(struct message *message, const struct wire_item *item, struct view id);

// Adds a section to the item added last.
void message_section(struct message *message, uint16_t stage, struct view bytes);

// Adds a field of bytes or of a number.
void message_field(struct message *message, enum wire_tag tag, struct view bytes);
void message_field_u32(struct message *message, enum wire_tag tag, uint32_t value);
void message_field_u64(struct message *message, enum wire_tag tag, uint64_t value);

// Bytes of body so far, to decide when a batch is large enough.
static inline size_t message_body_bytes(const struct message *message)
{
    return message->body.len;
}

static inline uint32_t message_item_count(const struct message *message)
{
    return message->header.item_count;
}

// Ends the message and gives its frames away. `number` counts the sender's messages.
// False when memory or a limit ran out: `*frames` is empty then.
bool message_finish(struct message *message, uint64_t number, struct frames *frames);

// An ERROR with its sentence.
bool message_error(struct message *message, enum wire_error code, const char *sentence,
                   uint64_t number, struct frames *frames);

// A field as text; empty when absent.
struct view message_text(const struct wire_message *message, enum wire_tag tag);

#endif
