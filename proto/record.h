// Records of the broker's journal, byte by byte. No allocation, no I/O.
//
// The journal is a row of segment files. A segment starts with a header of 64 bytes:
//
//      0  u8[8] "CDSKJRNL"
//      8  u16   version of the format (RECORD_VERSION)
//     10  u16   bytes of this header (64)
//     12  u32   zero
//     16  u64   number of the segment, counting from 1
//     24  i64   created, Unix milliseconds
//     32  u64[2] key of the hash that makes article keys out of ids; the same in every segment
//     48  u64   number of its first batch; 0 in version 1
//     56  u32   zero
//     60  u32   CRC-32C of the 60 bytes before
//
// Then records, each padded with zeros to a multiple of 8 bytes:
//
//      0  u32   bytes of the record, this head included, padding not
//      4  u32   CRC-32C of the bytes from 8 on, started from the segment's number, so that a stale
//               record of a reused file does not pass
//      8  u8    type; 9 u8 lane; 10 u8 pubstatus; 11 u8 flags: of an ARTICLE enum record_flag, else 0
//     12  u32   count or stage number, by type
//     16  u64   handle: the article's number, unique and rising over the journal's life
//     24        payload, by type (see below)
//
// Records are written and synced in batches. A batch opens with a COMMIT and never crosses segments; batch
// n + 1 is written only after batch n is on disk, and the numbers have no gaps over the whole
// journal. So an incomplete batch with none after it is a torn tail, normal after a crash: it was never
// acknowledged and is cut off. An incomplete batch with a sound one after it is damage, and recovery says so.
//
// Changing the layout? Raise RECORD_VERSION, keep the old reader, add a segment of the old version
// to the tests.
#ifndef COPYDESK_RECORD_H
#define COPYDESK_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECORD_VERSION = 2,
    SEGMENT_HEADER_BYTES = 64,
    RECORD_HEAD_BYTES = 24,
    RECORD_ARTICLE_BYTES = 88, // fixed part of an ARTICLE's payload
    RECORD_DEAD_BYTES = 24,    // fixed part of a DEAD's payload
    RECORD_SEEN_BYTES = 32,
};

// The largest record: an article with its document. Larger ones are refused at the door.
#define RECORD_BYTES_LIMIT ((uint32_t)80 << 20)

enum record_type {
    RECORD_ARTICLE = 1, // an article was accepted: its data and its document
    RECORD_DONE = 2,    // these articles are complete; payload: `count` handles
    RECORD_DEAD = 3,    // shelved: to the dead letters, with the reason
    RECORD_REVIVED = 4, // taken out of the dead letters to be tried again
    RECORD_SEEN = 5,    // an id and version known from dropped segments, for dedupe
    RECORD_PIPELINE =
        6, // payload: names of the stages by number, spaces between; before DEAD and PROGRESS
    RECORD_PROGRESS = 7, // the sink with the number `count` has these articles; payload: handles
    RECORD_COMMIT =
        8, // opens every batch: `handle` is its number, `count` its bytes, itself included
    RECORD_TYPE_END
};

enum record_flag {
    RECORD_AGAIN = 1, // the same id and version was accepted before and had ended: it runs again
};

struct segment_header {
    uint16_t version;
    uint64_t number;
    int64_t created_ms;
    uint64_t hash_key[2];
    uint64_t first_batch; // 0: not known
};

// Payload of an ARTICLE: the members in this order from offset 24, then the id, then the document.
//
//     24 u64[2] key   40 u64 version   48 u64 content_hash   56 i64 accepted_ms   64 i64 deadline_ms
//     72 i64 embargo_ms   80 u8[16] trace_id   96 u8[8] span_id   104 u16 id_bytes   106 u8 trace_flags
//     107 u8 zero   108 u32 document_bytes
struct record_article {
    uint64_t key[2];
    uint64_t version;
    uint64_t content_hash;
    int64_t accepted_ms, deadline_ms, embargo_ms;
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t trace_flags;
    const uint8_t *id, *document;
    uint16_t id_bytes;
    uint32_t document_bytes;
};

// Payload of a DEAD: 24 i64 at_ms   32 u32 attempts   36 u16 worker_bytes   38 u16 reason_bytes
// 40 u32 code   44 u32 zero, then the worker's name, then the reason in words. `count` is the stage's number.
struct record_dead {
    int64_t at_ms;
    uint32_t attempts;
    uint32_t code;
    const uint8_t *worker, *reason;
    uint16_t worker_bytes, reason_bytes;
};

// Payload of a SEEN: 24 u64[2] key   40 u64 version   48 u64 content_hash.
struct record_seen {
    uint64_t key[2];
    uint64_t version;
    uint64_t content_hash;
};

struct record {
    uint8_t type, lane, pubstatus, flags;
    uint32_t count; // DONE: handles; DEAD, PROGRESS: stage number; COMMIT: bytes
    uint64_t handle;
    union {
        struct record_article article;
        struct record_dead dead;
        struct record_seen seen;
        struct {
            const uint8_t *at; // DONE, PROGRESS: handles, little-endian; PIPELINE: text
            uint32_t bytes;
        } payload;
    } is;
};

// How many bytes the record takes in the segment, padding included.
size_t record_size(const struct record *record);

// Writes the record of segment `number` to `at`, which has room for record_size bytes.
void record_write(uint8_t *at, const struct record *record, uint64_t number);

enum record_fault {
    RECORD_OK = 0,
    RECORD_END,     // nothing here: zeros, or fewer bytes than a head
    RECORD_TORN,    // longer than what is there, checksum wrong, or a size that cannot be
    RECORD_UNKNOWN, // sound, but of a type this version does not know; `*size` tells how to skip it
};

// Reads the record at the start of `len` bytes of segment `number`. Borrows; `*size` is what it takes.
enum record_fault record_read(struct record *out, const uint8_t *at, size_t len, uint64_t number,
                              size_t *size);

// The same for a record in which record_read found no fault but, perhaps, its type: its checksum, which is most of the
// work, is not computed again.
enum record_fault record_read_again(struct record *out, const uint8_t *at, size_t *size);

// Writes the header with its checksum.
void segment_header_write(uint8_t at[SEGMENT_HEADER_BYTES], const struct segment_header *header);

// False when the bytes are no sound header; a header of a later version is read and left to the
// caller to refuse.
bool segment_header_read(struct segment_header *out, const uint8_t *at, size_t len);

// "ARTICLE", "DONE", ... for dumps; never NULL.
const char *record_type_name(unsigned type);

#endif
