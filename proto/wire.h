// Messages between the broker and everyone else: the envelope frame. PROTOCOL.md is the contract;
// this file is its C form. No allocation, no I/O; every length is checked before it is used.
//
// A message is two ZeroMQ frames, [envelope][body] (the broker's ROUTER sees a routing id in front).
// The envelope, all numbers little-endian:
//
//     header    40 bytes, see struct wire_header
//     items     item_count records of item_bytes each: one per article
//     sections  section_count records of section_bytes each: the items' sections, in item order
//     fields    until the end: u16 tag, u16 zero, u32 length, then the bytes
//
// The body frame holds, for each item in order, its id and then its sections. Its length is exactly
// the sum of what the records say. Readers skip what a later minor version adds: longer headers and
// records, unknown fields. They refuse another major version.
//
// Changing the layout? New things go to the end of a record or into a field and raise
// WIRE_MINOR; anything else raises WIRE_MAJOR. tests/unit/test_wire.c holds the golden bytes.
#ifndef COPYDESK_WIRE_H
#define COPYDESK_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAGIC 0x4b534443u // "CDSK"

enum {
    WIRE_MAJOR = 1,
    WIRE_MINOR = 2,
    WIRE_HEADER_BYTES = 40,
    WIRE_ITEM_BYTES = 96,
    WIRE_SECTION_BYTES = 8,
    WIRE_FIELD_BYTES = 8,  // before the bytes of a field
    WIRE_ITEM_LIMIT = 256, // articles in one message
    WIRE_STAGE_LIMIT = 32, // stages of one pipeline
    WIRE_DOCUMENT = 0,     // section number of the article as it was accepted; stages count from 1
    WIRE_NO_STAGE = 0xffff,
};

enum wire_type {
    WIRE_HELLO = 1,     // anyone -> broker: who I am
    WIRE_WELCOME = 2,   // broker -> anyone: accepted; the pipeline, the times
    WIRE_PUT = 3,       // client -> broker: articles
    WIRE_ACK = 4,       // broker -> client: what became of them
    WIRE_WORK = 5,      // broker -> worker: articles with the sections it needs
    WIRE_RESULT = 6,    // worker -> broker: one outcome per article
    WIRE_CREDIT = 7,    // either way: so many more may be sent
    WIRE_HEARTBEAT = 8, // either way: alive; from a worker it renews its leases
    WIRE_GOODBYE = 9,   // either way: leaving; a worker's unfinished articles go back unpunished
    WIRE_ERROR = 10,    // either way: a sentence; the receiver's last message was not accepted
    WIRE_ASK = 11,      // operator -> broker: a command
    WIRE_ANSWER = 12,   // broker -> operator: its answer
    WIRE_CANCEL = 13,   // broker -> worker: drop these articles if they have not begun
    WIRE_TYPE_END
};

enum wire_role { WIRE_CLIENT = 1, WIRE_WORKER = 2, WIRE_OPERATOR = 3 };

// The outcome in an item.
enum wire_outcome {
    WIRE_NONE = 0,
    // in an ACK
    WIRE_ACCEPTED = 1,  // on disk
    WIRE_DUPLICATE = 2, // this id, version and content was accepted before
    WIRE_STALE = 3,     // a newer version, or a kill, was accepted before
    WIRE_CONFLICT = 4,  // this id and version was accepted before with other content
    WIRE_BUSY = 5,      // no room now: disk, memory or queue limit; send again later
    WIRE_REFUSED = 6,   // never acceptable: see the sentence
    // in a RESULT
    WIRE_DONE = 16,    // the section follows (a sink has none)
    WIRE_RETRY = 17,   // could not be done now; the section is a sentence
    WIRE_REJECT = 18,  // can never be done: to the dead letters; the section is a sentence
    WIRE_RETURN = 19,  // not begun: back to the queue, no attempt counted
    WIRE_CRASHED = 20, // it ends the worker; the section is a sentence
};

// Urgency 1 (highest) to 9 as lanes.
enum wire_lane { WIRE_FLASH, WIRE_URGENT, WIRE_ROUTINE, WIRE_BACKFILL, WIRE_LANE_COUNT };

enum wire_pubstatus { WIRE_USABLE = 0, WIRE_WITHHELD = 1, WIRE_CANCELED = 2 };

// Bits of an item's flags.
enum wire_flag {
    WIRE_AGAIN = 1, // since 1.1: this id and version is run again, though it was accepted before
};

enum wire_tag {
    WIRE_TAG_NAME = 1,  // of a worker or client, for people
    WIRE_TAG_STAGE = 2, // name of the stage a worker serves
    WIRE_TAG_STAGE_VERSION = 3,
    WIRE_TAG_SENTENCE = 4,  // of an ERROR, in words for people
    WIRE_TAG_STAGES = 5,    // names of all stages, separated by spaces; the first has number 1
    WIRE_TAG_SOFTWARE = 6,  // name and version of the program
    WIRE_TAG_SESSION = 7,   // u64: this run of the broker
    WIRE_TAG_HEARTBEAT = 8, // u32: milliseconds between heartbeats
    WIRE_TAG_LEASE = 9,     // u32: milliseconds of silence after which a worker is given up
    WIRE_TAG_COMMAND = 10,  // of an ASK
    WIRE_TAG_CODE = 11,     // u32: enum wire_error
    WIRE_TAG_TRACE = 12,    // W3C tracestate, passed on
    WIRE_TAG_ALONG =
        13, // since 1.2: names of stages whose sections a worker sends along with its own
    WIRE_TAG_PATIENCE =
        14, // since 1.2: u32: milliseconds a client lets its outcomes wait for company
};

enum wire_error {
    WIRE_ERROR_VERSION = 1, // other major version
    WIRE_ERROR_FORMAT = 2,  // the message could not be read
    WIRE_ERROR_UNKNOWN = 3, // no HELLO came from this peer in this run of the broker
    WIRE_ERROR_STAGE = 4,   // the pipeline has no stage of that name
    WIRE_ERROR_LIMIT = 5,   // more than was granted, or too large
    WIRE_ERROR_ROLE = 6,    // this message does not belong to this role
};

struct wire_header {
    uint8_t minor; // filled in when reading; writing always writes WIRE_MINOR
    uint8_t type;  // enum wire_type
    uint8_t role;  // enum wire_role in a HELLO, else 0
    uint16_t item_count;
    uint16_t section_count;
    uint16_t stage; // number of the stage a WORK, RESULT or CREDIT is about, or WIRE_NO_STAGE
    uint32_t credit_count; // this many more articles may be sent to the writer of this message
    uint64_t credit_bytes; // and this many more bytes of body
    uint64_t number;       // counts the sender's messages, from 1
};

struct wire_item {
    uint64_t handle; // the broker's number of the article; in PUT and ACK the client's own
    uint64_t key[2]; // hash of the id, given by the broker; 0 in a PUT
    uint64_t version;
    int64_t deadline_ms; // Unix time; partially enriched by then beats late; 0: none
    int64_t embargo_ms;  // Unix time; no sink gets it before; 0: none
    uint32_t attempt;    // fencing token: goes up with every hand-out of this article to this stage
    uint8_t lane;        // enum wire_lane
    uint8_t outcome;     // enum wire_outcome
    uint8_t pubstatus;   // enum wire_pubstatus
    uint8_t trace_flags; // of the W3C traceparent
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint32_t waited_ms; // in this stage's queue, for stages.NAME.queue_ms
    uint8_t flags;      // enum wire_flag
    uint16_t id_bytes;
    uint16_t section_count; // how many of the section records are this item's
};

struct wire_section {
    uint16_t stage; // WIRE_DOCUMENT, or the number of the stage that made it
    uint32_t bytes;
};

// A message that was read and found sound. Borrows from both frames.
struct wire_message {
    struct wire_header header;
    const uint8_t *items, *sections, *fields, *body;
    uint16_t item_bytes, section_bytes;
    size_t fields_len, body_len;
};

enum wire_fault {
    WIRE_OK = 0,
    WIRE_FAULT_MAGIC,  // not one of our messages
    WIRE_FAULT_MAJOR,  // another major version: message->header.minor holds the peer's major
    WIRE_FAULT_TYPE,   // unknown type
    WIRE_FAULT_SHORT,  // an envelope that ends too early
    WIRE_FAULT_RECORD, // record sizes below ours, or too many records
    WIRE_FAULT_FIELD,  // a field that leaves the envelope
    WIRE_FAULT_BODY,   // body length and records disagree
};

// Reads an envelope and checks it against its body. Nothing is copied. Linear in the records.
enum wire_fault wire_parse(struct wire_message *out, const void *envelope, size_t envelope_len,
                           const void *body, size_t body_len);

// What a fault means, in words.
const char *wire_fault_text(enum wire_fault fault);

// Walks over the items of a message. Start with `{.message = &message}`.
struct wire_walk {
    const struct wire_message *message;
    uint32_t next_item, next_section;
    size_t body_at;
    // of the present item
    struct wire_item item;
    const uint8_t *id;
    const uint8_t *section_at; // bytes of the next section
    uint32_t sections_left;
};

// Moves to the next item (and over sections not read); false at the end.
bool wire_next_item(struct wire_walk *walk);

// The next section of the present item; false when there is none left.
bool wire_next_section(struct wire_walk *walk, struct wire_section *out, const uint8_t **bytes);

// Finds a field; NULL when the message has none of that tag. `*len` is its length.
const uint8_t *wire_field(const struct wire_message *message, enum wire_tag tag, size_t *len);

// A field of a fixed size as a number, or `otherwise` when it is absent or of another size.
uint32_t wire_field_u32(const struct wire_message *message, enum wire_tag tag, uint32_t otherwise);
uint64_t wire_field_u64(const struct wire_message *message, enum wire_tag tag, uint64_t otherwise);

// Write one record each; `at` has room for WIRE_..._BYTES. A field's bytes follow its head.
void wire_write_header(uint8_t *at, const struct wire_header *header);
void wire_write_item(uint8_t *at, const struct wire_item *item);

// Changes the last two members of an item that was written to `at`; counts one section more.
void wire_write_counts(uint8_t *at, uint16_t id_bytes, uint16_t section_count);
void wire_count_section(uint8_t *at);
void wire_write_section(uint8_t *at, const struct wire_section *section);
void wire_write_field_head(uint8_t *at, enum wire_tag tag, uint32_t len);

// The lane of an IPTC urgency, 1 to 9; 0 (not given) is routine.
enum wire_lane wire_lane_of_urgency(int urgency);

// Names for logs: "WORK", "accepted", "flash"; never NULL.
const char *wire_type_name(unsigned type);
const char *wire_outcome_name(unsigned outcome);
const char *wire_lane_name(unsigned lane);

#endif
