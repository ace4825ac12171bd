#include "proto/record.h"

#include "proto/bytes.h"
#include "proto/crc32c.h"

#include <assert.h>

static const char segment_magic[8] = {'C', 'D', 'S', 'K', 'J', 'R', 'N', 'L'};

static_assert(RECORD_HEAD_BYTES + RECORD_ARTICLE_BYTES == 112, "document_bytes ends at 112");

static size_t padded(size_t bytes)
{
    return (bytes + 7) & ~(size_t)7;
}

static size_t payload_bytes(const struct record *record)
{
    switch (record->type) {
    case RECORD_ARTICLE:
        return RECORD_ARTICLE_BYTES + (size_t)record->is.article.id_bytes +
               record->is.article.document_bytes;
    case RECORD_DEAD:
        return RECORD_DEAD_BYTES + (size_t)record->is.dead.worker_bytes +
               record->is.dead.reason_bytes;
    case RECORD_SEEN:
        return RECORD_SEEN_BYTES;
    case RECORD_REVIVED:
    case RECORD_COMMIT:
        return 0;
    default:
        return record->is.payload.bytes;
    }
}

size_t record_size(const struct record *record)
{
    return padded(RECORD_HEAD_BYTES + payload_bytes(record));
}

static uint32_t checksum(const uint8_t *at, size_t bytes, uint64_t number)
{
    uint8_t seed[8];
    set_u64(seed, number);
    return crc32c(crc32c(0, seed, sizeof seed), at + 8, bytes - 8);
}

static void copy(uint8_t *to, const uint8_t *from, size_t len)
{
    if (len > 0) {
        memcpy(to, from, len);
    }
}

static void write_article(uint8_t *at, const struct record_article *article)
{
    set_u64(at + 24, article->key[0]);
    set_u64(at + 32, article->key[1]);
    set_u64(at + 40, article->version);
    set_u64(at + 48, article->content_hash);
    set_u64(at + 56, (uint64_t)article->accepted_ms);
    set_u64(at + 64, (uint64_t)article->deadline_ms);
    set_u64(at + 72, (uint64_t)article->embargo_ms);
    memcpy(at + 80, article->trace_id, sizeof article->trace_id);
    memcpy(at + 96, article->span_id, sizeof article->span_id);
    set_u16(at + 104, article->id_bytes);
    at[106] = article->trace_flags;
    at[107] = 0;
    set_u32(at + 108, article->document_bytes);
    copy(at + 112, article->id, article->id_bytes);
    copy(at + 112 + article->id_bytes, article->document, article->document_bytes);
}

static bool read_article(struct record_article *out, const uint8_t *at, size_t bytes)
{
    if (bytes < RECORD_HEAD_BYTES + RECORD_ARTICLE_BYTES) {
        return false;
    }
    out->key[0] = get_u64(at + 24);
    out->key[1] = get_u64(at + 32);
    out->version = get_u64(at + 40);
    out->content_hash = get_u64(at + 48);
    out->accepted_ms = (int64_t)get_u64(at + 56);
    out->deadline_ms = (int64_t)get_u64(at + 64);
    out->embargo_ms = (int64_t)get_u64(at + 72);
    memcpy(out->trace_id, at + 80, sizeof out->trace_id);
    memcpy(out->span_id, at + 96, sizeof out->span_id);
    out->id_bytes = get_u16(at + 104);
    out->trace_flags = at[106];
    out->document_bytes = get_u32(at + 108);
    out->id = at + 112;
    out->document = at + 112 + out->id_bytes;
    return bytes == 112 + (size_t)out->id_bytes + out->document_bytes;
}

static void write_dead(uint8_t *at, const struct record_dead *dead)
{
    set_u64(at + 24, (uint64_t)dead->at_ms);
    set_u32(at + 32, dead->attempts);
    set_u16(at + 36, dead->worker_bytes);
    set_u16(at + 38, dead->reason_bytes);
    set_u32(at + 40, dead->code);
    set_u32(at + 44, 0);
    copy(at + 48, dead->worker, dead->worker_bytes);
    copy(at + 48 + dead->worker_bytes, dead->reason, dead->reason_bytes);
}

static bool read_dead(struct record_dead *out, const uint8_t *at, size_t bytes)
{
    if (bytes < RECORD_HEAD_BYTES + RECORD_DEAD_BYTES) {
        return false;
    }
    out->at_ms = (int64_t)get_u64(at + 24);
    out->attempts = get_u32(at + 32);
    out->worker_bytes = get_u16(at + 36);
    out->reason_bytes = get_u16(at + 38);
    out->code = get_u32(at + 40);
    out->worker = at + 48;
    out->reason = at + 48 + out->worker_bytes;
    return bytes == 48 + (size_t)out->worker_bytes + out->reason_bytes;
}

static void write_seen(uint8_t *at, const struct record_seen *seen)
{
    set_u64(at + 24, seen->key[0]);
    set_u64(at + 32, seen->key[1]);
    set_u64(at + 40, seen->version);
    set_u64(at + 48, seen->content_hash);
}

static bool read_seen(struct record_seen *out, const uint8_t *at, size_t bytes)
{
    if (bytes != RECORD_HEAD_BYTES + RECORD_SEEN_BYTES) {
        return false;
    }
    out->key[0] = get_u64(at + 24);
    out->key[1] = get_u64(at + 32);
    out->version = get_u64(at + 40);
    out->content_hash = get_u64(at + 48);
    return true;
}

void record_write(uint8_t *at, const struct record *record, uint64_t number)
{
    size_t bytes = RECORD_HEAD_BYTES + payload_bytes(record);
    assert(bytes <= RECORD_BYTES_LIMIT);
    set_u32(at, (uint32_t)bytes);
    at[8] = record->type;
    at[9] = record->lane;
    at[10] = record->pubstatus;
    at[11] = record->flags;
    set_u32(at + 12, record->count);
    set_u64(at + 16, record->handle);
    switch (record->type) {
    case RECORD_ARTICLE:
        write_article(at, &record->is.article);
        break;
    case RECORD_DEAD:
        write_dead(at, &record->is.dead);
        break;
    case RECORD_SEEN:
        write_seen(at, &record->is.seen);
        break;
    case RECORD_REVIVED:
    case RECORD_COMMIT:
        break;
    default:
        copy(at + RECORD_HEAD_BYTES, record->is.payload.at, record->is.payload.bytes);
        break;
    }
    memset(at + bytes, 0, padded(bytes) - bytes);
    set_u32(at + 4, checksum(at, bytes, number));
}

// The payload of a sound record; false when it contradicts its own lengths.
static bool read_payload(struct record *out, const uint8_t *at, size_t bytes)
{
    switch (out->type) {
    case RECORD_ARTICLE:
        return read_article(&out->is.article, at, bytes);
    case RECORD_DEAD:
        return read_dead(&out->is.dead, at, bytes);
    case RECORD_SEEN:
        return read_seen(&out->is.seen, at, bytes);
    case RECORD_REVIVED:
    case RECORD_COMMIT:
        return true;
    default:
        out->is.payload.at = at + RECORD_HEAD_BYTES;
        out->is.payload.bytes = (uint32_t)(bytes - RECORD_HEAD_BYTES);
        return (out->type != RECORD_DONE || out->is.payload.bytes == (uint64_t)out->count * 8) &&
               (out->type != RECORD_PROGRESS || out->is.payload.bytes % 8 == 0);
    }
}

// The zeros behind a record: no checksum covers them, and a bit that flipped there tells of a disk to distrust.
static bool is_padding(const uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (at[i] != 0) {
            return false;
        }
    }
    return true;
}

enum record_fault record_read(struct record *out, const uint8_t *at, size_t len, uint64_t number,
                              size_t *size)
{
    *size = 0;
    if (len < RECORD_HEAD_BYTES || get_u32(at) == 0) {
        return RECORD_END;
    }
    size_t bytes = get_u32(at);
    if (bytes < RECORD_HEAD_BYTES || bytes > RECORD_BYTES_LIMIT || padded(bytes) > len ||
        get_u32(at + 4) != checksum(at, bytes, number) ||
        !is_padding(at + bytes, padded(bytes) - bytes)) {
        return RECORD_TORN;
    }
    return record_read_again(out, at, size);
}

enum record_fault record_read_again(struct record *out, const uint8_t *at, size_t *size)
{
    size_t bytes = get_u32(at);
    *size = padded(bytes);
    *out = (struct record){.type = at[8],
                           .lane = at[9],
                           .pubstatus = at[10],
                           .flags = at[11],
                           .count = get_u32(at + 12),
                           .handle = get_u64(at + 16)};
    if (out->type == 0 || out->type >= RECORD_TYPE_END) {
        return RECORD_UNKNOWN;
    }
    return read_payload(out, at, bytes) ? RECORD_OK : RECORD_TORN;
}

void segment_header_write(uint8_t at[SEGMENT_HEADER_BYTES], const struct segment_header *header)
{
    memset(at, 0, SEGMENT_HEADER_BYTES);
    memcpy(at, segment_magic, sizeof segment_magic);
    set_u16(at + 8, header->version);
    set_u16(at + 10, SEGMENT_HEADER_BYTES);
    set_u64(at + 16, header->number);
    set_u64(at + 24, (uint64_t)header->created_ms);
    set_u64(at + 32, header->hash_key[0]);
    set_u64(at + 40, header->hash_key[1]);
    set_u64(at + 48, header->first_batch);
    set_u32(at + 60, crc32c(0, at, 60));
}

bool segment_header_read(struct segment_header *out, const uint8_t *at, size_t len)
{
    if (len < SEGMENT_HEADER_BYTES || memcmp(at, segment_magic, sizeof segment_magic) != 0 ||
        get_u32(at + 60) != crc32c(0, at, 60)) {
        return false;
    }
    out->version = get_u16(at + 8);
    out->number = get_u64(at + 16);
    out->created_ms = (int64_t)get_u64(at + 24);
    out->hash_key[0] = get_u64(at + 32);
    out->hash_key[1] = get_u64(at + 40);
    out->first_batch = get_u64(at + 48);
    return true;
}

const char *record_type_name(unsigned type)
{
    static const char *const names[RECORD_TYPE_END] = {
        "?", "ARTICLE", "DONE", "DEAD", "REVIVED", "SEEN", "PIPELINE", "PROGRESS", "COMMIT"};
    return type < RECORD_TYPE_END ? names[type] : "?";
}
