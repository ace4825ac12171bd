#include "proto/wire.h"

#include "proto/bytes.h"

static enum wire_fault read_header(struct wire_message *out, const uint8_t *at, size_t len)
{
    struct wire_header *header = &out->header;
    if (len < 8 || get_u32(at) != WIRE_MAGIC) {
        return WIRE_FAULT_MAGIC;
    }
    if (at[4] != WIRE_MAJOR) {
        header->minor = at[4];
        return WIRE_FAULT_MAJOR;
    }
    if (len < WIRE_HEADER_BYTES) {
        return WIRE_FAULT_SHORT;
    }
    header->minor = at[5];
    header->type = at[6];
    header->role = at[7];
    out->item_bytes = get_u16(at + 10);
    out->section_bytes = get_u16(at + 12);
    header->item_count = get_u16(at + 14);
    header->section_count = get_u16(at + 16);
    header->stage = get_u16(at + 18);
    header->credit_count = get_u32(at + 20);
    header->credit_bytes = get_u64(at + 24);
    header->number = get_u64(at + 32);
    return header->type == 0 || header->type >= WIRE_TYPE_END ? WIRE_FAULT_TYPE : WIRE_OK;
}

// Every field lies inside the envelope.
static bool fields_are_whole(const uint8_t *at, size_t len)
{
    while (len > 0) {
        if (len < WIRE_FIELD_BYTES || get_u32(at + 4) > len - WIRE_FIELD_BYTES) {
            return false;
        }
        size_t whole = WIRE_FIELD_BYTES + (size_t)get_u32(at + 4);
        at += whole;
        len -= whole;
    }
    return true;
}

// The records' lengths add up to the body, and the items share out exactly the sections there are.
static bool body_fits(const struct wire_message *message)
{
    uint64_t bytes = 0;
    uint32_t sections = 0;
    for (uint32_t i = 0; i < message->header.item_count; i++) {
        const uint8_t *item = message->items + (size_t)i * message->item_bytes;
        bytes += get_u16(item + 92);
        sections += get_u16(item + 94);
    }
    for (uint32_t i = 0; i < message->header.section_count; i++) {
        bytes += get_u32(message->sections + (size_t)i * message->section_bytes + 4);
    }
    return bytes == message->body_len && sections == message->header.section_count;
}

enum wire_fault wire_parse(struct wire_message *out, const void *envelope, size_t envelope_len,
                           const void *body, size_t body_len)
{
    const uint8_t *at = envelope;
    *out = (struct wire_message){.body = body, .body_len = body_len};
    enum wire_fault fault = read_header(out, at, envelope_len);
    if (fault != WIRE_OK) {
        return fault;
    }
    size_t header_bytes = get_u16(at + 8);
    const struct wire_header *header = &out->header;
    if (header_bytes < WIRE_HEADER_BYTES || out->item_bytes < WIRE_ITEM_BYTES ||
        out->section_bytes < WIRE_SECTION_BYTES || header->item_count > WIRE_ITEM_LIMIT) {
        return WIRE_FAULT_RECORD;
    }
    size_t items_len = (size_t)header->item_count * out->item_bytes;
    size_t sections_len = (size_t)header->section_count * out->section_bytes;
    if (envelope_len < header_bytes || envelope_len - header_bytes < items_len + sections_len) {
        return WIRE_FAULT_SHORT;
    }
    out->items = at + header_bytes;
    out->sections = out->items + items_len;
    out->fields = out->sections + sections_len;
    out->fields_len = envelope_len - header_bytes - items_len - sections_len;
    if (!fields_are_whole(out->fields, out->fields_len)) {
        return WIRE_FAULT_FIELD;
    }
    return body_fits(out) ? WIRE_OK : WIRE_FAULT_BODY;
}

const char *wire_fault_text(enum wire_fault fault)
{
    static const char *const texts[] = {
        [WIRE_OK] = "sound",
        [WIRE_FAULT_MAGIC] = "not a copydesk message",
        [WIRE_FAULT_MAJOR] = "another protocol version",
        [WIRE_FAULT_TYPE] = "unknown message type",
        [WIRE_FAULT_SHORT] = "the envelope ends too early",
        [WIRE_FAULT_RECORD] = "record sizes or counts out of range",
        [WIRE_FAULT_FIELD] = "a field leaves the envelope",
        [WIRE_FAULT_BODY] = "the body's length differs from what the records say",
    };
    return (unsigned)fault < sizeof texts / sizeof texts[0] ? texts[fault] : "unknown fault";
}

static void read_item(struct wire_item *item, const uint8_t *at)
{
    item->handle = get_u64(at);
    item->key[0] = get_u64(at + 8);
    item->key[1] = get_u64(at + 16);
    item->version = get_u64(at + 24);
    item->deadline_ms = (int64_t)get_u64(at + 32);
    item->embargo_ms = (int64_t)get_u64(at + 40);
    item->attempt = get_u32(at + 48);
    item->lane = at[52];
    item->outcome = at[53];
    item->pubstatus = at[54];
    item->trace_flags = at[55];
    memcpy(item->trace_id, at + 56, sizeof item->trace_id);
    memcpy(item->span_id, at + 72, sizeof item->span_id);
    item->waited_ms = get_u32(at + 80);
    item->flags = at[84];
    // 85..91 are zero: room for a later minor version
    item->id_bytes = get_u16(at + 92);
    item->section_count = get_u16(at + 94);
}

bool wire_next_item(struct wire_walk *walk)
{
    const struct wire_message *message = walk->message;
    struct wire_section skipped;
    const uint8_t *bytes;
    while (wire_next_section(walk, &skipped, &bytes)) {
    }
    if (walk->next_item >= message->header.item_count) {
        return false;
    }
    read_item(&walk->item, message->items + (size_t)walk->next_item * message->item_bytes);
    walk->next_item++;
    walk->id = message->body + walk->body_at;
    walk->body_at += walk->item.id_bytes;
    walk->sections_left = walk->item.section_count;
    return true;
}

bool wire_next_section(struct wire_walk *walk, struct wire_section *out, const uint8_t **bytes)
{
    const struct wire_message *message = walk->message;
    if (walk->sections_left == 0) {
        return false;
    }
    const uint8_t *record = message->sections + (size_t)walk->next_section * message->section_bytes;
    out->stage = get_u16(record);
    out->bytes = get_u32(record + 4);
    *bytes = message->body + walk->body_at;
    walk->body_at += out->bytes;
    walk->next_section++;
    walk->sections_left--;
    return true;
}

const uint8_t *wire_field(const struct wire_message *message, enum wire_tag tag, size_t *len)
{
    const uint8_t *at = message->fields;
    const uint8_t *end = at + message->fields_len;
    while (at < end) {
        uint32_t bytes = get_u32(at + 4);
        if (get_u16(at) == tag) {
            *len = bytes;
            return at + WIRE_FIELD_BYTES;
        }
        at += WIRE_FIELD_BYTES + (size_t)bytes;
    }
    *len = 0;
    return NULL;
}

uint32_t wire_field_u32(const struct wire_message *message, enum wire_tag tag, uint32_t otherwise)
{
    size_t len;
    const uint8_t *at = wire_field(message, tag, &len);
    return at && len == 4 ? get_u32(at) : otherwise;
}

uint64_t wire_field_u64(const struct wire_message *message, enum wire_tag tag, uint64_t otherwise)
{
    size_t len;
    const uint8_t *at = wire_field(message, tag, &len);
    return at && len == 8 ? get_u64(at) : otherwise;
}

void wire_write_header(uint8_t *at, const struct wire_header *header)
{
    set_u32(at, WIRE_MAGIC);
    at[4] = WIRE_MAJOR;
    at[5] = WIRE_MINOR;
    at[6] = header->type;
    at[7] = header->role;
    set_u16(at + 8, WIRE_HEADER_BYTES);
    set_u16(at + 10, WIRE_ITEM_BYTES);
    set_u16(at + 12, WIRE_SECTION_BYTES);
    set_u16(at + 14, header->item_count);
    set_u16(at + 16, header->section_count);
    set_u16(at + 18, header->stage);
    set_u32(at + 20, header->credit_count);
    set_u64(at + 24, header->credit_bytes);
    set_u64(at + 32, header->number);
}

void wire_write_item(uint8_t *at, const struct wire_item *item)
{
    set_u64(at, item->handle);
    set_u64(at + 8, item->key[0]);
    set_u64(at + 16, item->key[1]);
    set_u64(at + 24, item->version);
    set_u64(at + 32, (uint64_t)item->deadline_ms);
    set_u64(at + 40, (uint64_t)item->embargo_ms);
    set_u32(at + 48, item->attempt);
    at[52] = item->lane;
    at[53] = item->outcome;
    at[54] = item->pubstatus;
    at[55] = item->trace_flags;
    memcpy(at + 56, item->trace_id, sizeof item->trace_id);
    memcpy(at + 72, item->span_id, sizeof item->span_id);
    set_u32(at + 80, item->waited_ms);
    at[84] = item->flags;
    memset(at + 85, 0, 7);
    set_u16(at + 92, item->id_bytes);
    set_u16(at + 94, item->section_count);
}

void wire_write_counts(uint8_t *at, uint16_t id_bytes, uint16_t section_count)
{
    set_u16(at + 92, id_bytes);
    set_u16(at + 94, section_count);
}

void wire_count_section(uint8_t *at)
{
    set_u16(at + 94, (uint16_t)(get_u16(at + 94) + 1));
}

void wire_write_section(uint8_t *at, const struct wire_section *section)
{
    set_u16(at, section->stage);
    set_u16(at + 2, 0);
    set_u32(at + 4, section->bytes);
}

void wire_write_field_head(uint8_t *at, enum wire_tag tag, uint32_t len)
{
    set_u16(at, (uint16_t)tag);
    set_u16(at + 2, 0);
    set_u32(at + 4, len);
}

enum wire_lane wire_lane_of_urgency(int urgency)
{
    static const uint8_t lanes[10] = {WIRE_ROUTINE,  WIRE_FLASH,   WIRE_URGENT,  WIRE_URGENT,
                                      WIRE_ROUTINE,  WIRE_ROUTINE, WIRE_ROUTINE, WIRE_BACKFILL,
                                      WIRE_BACKFILL, WIRE_BACKFILL};
    return urgency >= 0 && urgency <= 9 ? (enum wire_lane)lanes[urgency] : WIRE_ROUTINE;
}

const char *wire_type_name(unsigned type)
{
    static const char *const names[WIRE_TYPE_END] = {
        "?",      "HELLO",     "WELCOME", "PUT",   "ACK", "WORK",   "RESULT",
        "CREDIT", "HEARTBEAT", "GOODBYE", "ERROR", "ASK", "ANSWER", "CANCEL"};
    return type < WIRE_TYPE_END ? names[type] : "?";
}

const char *wire_outcome_name(unsigned outcome)
{
    switch (outcome) {
    case WIRE_ACCEPTED:
        return "accepted";
    case WIRE_DUPLICATE:
        return "duplicate";
    case WIRE_STALE:
        return "stale";
    case WIRE_CONFLICT:
        return "conflict";
    case WIRE_BUSY:
        return "busy";
    case WIRE_REFUSED:
        return "refused";
    case WIRE_DONE:
        return "done";
    case WIRE_RETRY:
        return "retry";
    case WIRE_REJECT:
        return "reject";
    case WIRE_RETURN:
        return "return";
    case WIRE_CRASHED:
        return "crashed";
    default:
        return "none";
    }
}

const char *wire_lane_name(unsigned lane)
{
    static const char *const names[WIRE_LANE_COUNT] = {"flash", "urgent", "routine", "backfill"};
    return lane < WIRE_LANE_COUNT ? names[lane] : "?";
}
