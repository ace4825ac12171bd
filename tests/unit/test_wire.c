#include "proto/wire.h"

#include "proto/bytes.h"
#include "services/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void expect_bytes(const char *got, size_t got_len, const char *hex)
{
    size_t len = 0;
    for (const char *at = hex; *at; at++) {
        unsigned value;
        if (*at == ' ') {
            continue;
        }
        assert_int_equal(sscanf(at, "%2x", &value), 1);
        assert_true(len < got_len);
        if ((unsigned char)got[len] != value) {
            fail_msg("byte %zu is %02x, expected %02x", len, (unsigned char)got[len], value);
        }
        len++;
        at++;
    }
    assert_int_equal(got_len, len);
}

// The bytes that proto/PROTOCOL.md shows in section 7.

static void the_hello_of_the_protocol_page_is_what_we_write(void **state)
{
    (void)state;
    struct message out;
    struct frames frames;
    message_init(&out);
    message_begin(&out, WIRE_HELLO, WIRE_NO_STAGE);
    out.header.role = WIRE_WORKER;
    out.header.credit_count = 64;
    out.header.credit_bytes = 1 << 20;
    message_field(&out, WIRE_TAG_NAME, VIEW("w1"));
    message_field(&out, WIRE_TAG_STAGE, VIEW("shout"));
    assert_true(message_finish(&out, 1, &frames));
    expect_bytes(frames.envelope, frames.envelope_len,
                 "43 44 53 4b 01 02 01 02 28 00 60 00 08 00 00 00"
                 "00 00 ff ff 40 00 00 00 00 00 10 00 00 00 00 00"
                 "01 00 00 00 00 00 00 00 01 00 00 00 02 00 00 00"
                 "77 31 02 00 00 00 05 00 00 00 73 68 6f 75 74");
    assert_int_equal(frames.body_len, 0);
    frames_clear(&frames);
    message_clear(&out);
}

static void the_work_of_the_protocol_page_is_what_we_write(void **state)
{
    (void)state;
    struct message out;
    struct frames frames;
    const struct wire_item item = {
        .handle = 7, .attempt = 1, .version = 1, .lane = WIRE_ROUTINE, .waited_ms = 3};
    message_init(&out);
    message_begin(&out, WIRE_WORK, 5);
    message_item(&out, &item, VIEW("a1"));
    message_section(&out, 1, VIEW("{\"text\":\"Hi.\"}"));
    assert_true(message_finish(&out, 2, &frames));
    expect_bytes(frames.envelope, frames.envelope_len,
                 "43 44 53 4b 01 02 05 00 28 00 60 00 08 00 01 00"
                 "01 00 05 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "02 00 00 00 00 00 00 00 07 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 00 00 01 00 00 00 02 00 00 00"
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 00 00 03 00 00 00 00 00 00 00"
                 "00 00 00 00 02 00 01 00 01 00 00 00 0e 00 00 00");
    assert_int_equal(frames.body_len, 16);
    assert_memory_equal(frames.body, "a1{\"text\":\"Hi.\"}", 16);
    frames_clear(&frames);
    message_clear(&out);
}

static void the_result_of_the_protocol_page_is_what_we_write(void **state)
{
    (void)state;
    struct message out;
    struct frames frames;
    const struct wire_item item = {.handle = 7, .attempt = 1, .outcome = WIRE_DONE};
    message_init(&out);
    message_begin(&out, WIRE_RESULT, 5);
    out.header.credit_count = 1;
    out.header.credit_bytes = 16;
    message_item(&out, &item, VIEW(""));
    message_section(&out, 5, VIEW("{\"shout\":\"HI.\"}"));
    assert_true(message_finish(&out, 2, &frames));
    expect_bytes(frames.envelope, frames.envelope_len,
                 "43 44 53 4b 01 02 06 00 28 00 60 00 08 00 01 00"
                 "01 00 05 00 01 00 00 00 10 00 00 00 00 00 00 00"
                 "02 00 00 00 00 00 00 00 07 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 00 00 01 00 00 00 00 10 00 00"
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00"
                 "00 00 00 00 00 00 01 00 05 00 00 00 0f 00 00 00");
    frames_clear(&frames);
    message_clear(&out);
}

// A message with random items, sections and fields, and what went into it.
enum { ITEMS = 12, SECTIONS = 4 };

struct sample {
    struct wire_item items[ITEMS];
    size_t item_count;
    uint16_t section_stages[ITEMS][SECTIONS];
    size_t section_bytes[ITEMS][SECTIONS];
    uint64_t session;
    struct frames frames;
};

static const char filler[64] =
    "{\"lorem\": \"ipsum dolor sit amet\", \"number\": 12345, \"x\": true}";

static void random_item(struct wire_item *item, uint64_t *seed)
{
    *item = (struct wire_item){.handle = random_next(seed),
                               .key = {random_next(seed), random_next(seed)},
                               .version = random_next(seed),
                               .deadline_ms = (int64_t)random_next(seed),
                               .embargo_ms = (int64_t)random_next(seed),
                               .attempt = (uint32_t)random_next(seed),
                               .lane = (uint8_t)random_next(seed),
                               .outcome = (uint8_t)random_next(seed),
                               .pubstatus = (uint8_t)random_next(seed),
                               .trace_flags = (uint8_t)random_next(seed),
                               .waited_ms = (uint32_t)random_next(seed)};
    memset(item->trace_id, (int)random_next(seed) & 0xff, sizeof item->trace_id);
    memset(item->span_id, (int)random_next(seed) & 0xff, sizeof item->span_id);
    item->id_bytes = (uint16_t)(random_next(seed) % 20);
    item->section_count = (uint16_t)(random_next(seed) % (SECTIONS + 1));
}

static void make_sample(struct sample *sample, uint64_t *seed)
{
    struct message out;
    message_init(&out);
    message_begin(&out, WIRE_WORK, (uint16_t)random_next(seed));
    sample->item_count = random_next(seed) % (ITEMS + 1);
    for (size_t i = 0; i < sample->item_count; i++) {
        random_item(&sample->items[i], seed);
        message_item(&out, &sample->items[i], (struct view){filler, sample->items[i].id_bytes});
        for (size_t j = 0; j < sample->items[i].section_count; j++) {
            sample->section_stages[i][j] = (uint16_t)random_next(seed);
            sample->section_bytes[i][j] = random_next(seed) % sizeof filler;
            message_section(&out, sample->section_stages[i][j],
                            (struct view){filler, sample->section_bytes[i][j]});
        }
    }
    sample->session = random_next(seed);
    message_field(&out, WIRE_TAG_NAME, (struct view){filler, random_next(seed) % 9});
    message_field_u64(&out, WIRE_TAG_SESSION, sample->session);
    assert_true(message_finish(&out, random_next(seed), &sample->frames));
    message_clear(&out);
}

static enum wire_fault parse(struct wire_message *out, const struct frames *frames)
{
    return wire_parse(out, frames->envelope, frames->envelope_len, frames->body, frames->body_len);
}

static void expect_item(const struct wire_item *got, const struct wire_item *wanted)
{
    assert_true(got->handle == wanted->handle);
    assert_true(got->key[0] == wanted->key[0] && got->key[1] == wanted->key[1]);
    assert_true(got->version == wanted->version);
    assert_true(got->deadline_ms == wanted->deadline_ms);
    assert_true(got->embargo_ms == wanted->embargo_ms);
    assert_int_equal(got->attempt, wanted->attempt);
    assert_int_equal(got->lane, wanted->lane);
    assert_int_equal(got->outcome, wanted->outcome);
    assert_int_equal(got->pubstatus, wanted->pubstatus);
    assert_int_equal(got->trace_flags, wanted->trace_flags);
    assert_int_equal(got->waited_ms, wanted->waited_ms);
    assert_int_equal(got->id_bytes, wanted->id_bytes);
    assert_int_equal(got->section_count, wanted->section_count);
    assert_memory_equal(got->trace_id, wanted->trace_id, sizeof got->trace_id);
    assert_memory_equal(got->span_id, wanted->span_id, sizeof got->span_id);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    uint64_t seed = 20200819;
    for (int round = 0; round < 2000; round++) {
        struct sample sample;
        struct wire_message message;
        make_sample(&sample, &seed);
        assert_int_equal(parse(&message, &sample.frames), WIRE_OK);
        assert_int_equal(message.header.item_count, sample.item_count);
        assert_true(wire_field_u64(&message, WIRE_TAG_SESSION, 0) == sample.session);
        assert_int_equal(wire_field_u32(&message, WIRE_TAG_SESSION, 5), 5); // of another size
        struct wire_walk walk = {.message = &message};
        for (size_t i = 0; i < sample.item_count; i++) {
            struct wire_section section;
            const uint8_t *bytes;
            assert_true(wire_next_item(&walk));
            expect_item(&walk.item, &sample.items[i]);
            assert_memory_equal(walk.id, filler, sample.items[i].id_bytes);
            bool all = round % 2 == 0; // else the second is not looked at
            for (size_t j = 0; j < (all ? sample.items[i].section_count : 0); j++) {
                assert_true(wire_next_section(&walk, &section, &bytes));
                assert_int_equal(section.stage, sample.section_stages[i][j]);
                assert_int_equal(section.bytes, sample.section_bytes[i][j]);
                assert_memory_equal(bytes, filler, section.bytes);
            }
        }
        assert_false(wire_next_item(&walk));
        frames_clear(&sample.frames);
    }
}

// Copies to the end of its own allocation, so that a sanitizer sees a read past it.
static enum wire_fault parse_cut(const struct frames *frames, size_t envelope_len, size_t body_len)
{
    struct wire_message message;
    char *envelope = malloc(envelope_len ? envelope_len : 1);
    char *body = malloc(body_len ? body_len : 1);
    assert_non_null(envelope);
    assert_non_null(body);
    memcpy(envelope, frames->envelope, envelope_len);
    if (body_len > 0) {
        memcpy(body, frames->body, body_len);
    }
    enum wire_fault fault = wire_parse(&message, envelope, envelope_len, body, body_len);
    free(envelope);
    free(body);
    return fault;
}

// The fields come last: an envelope that ends exactly behind one is a sound message with fewer fields.
static bool is_field_end(const struct frames *frames, size_t len)
{
    struct wire_message message;
    assert_int_equal(parse(&message, frames), WIRE_OK);
    size_t at = (size_t)(message.fields - (const uint8_t *)frames->envelope);
    while (at < frames->envelope_len && at < len) {
        at += WIRE_FIELD_BYTES + get_u32(frames->envelope + at + 4);
    }
    return at == len;
}

static void every_cut_is_refused(void **state)
{
    (void)state;
    uint64_t seed = 4711;
    for (int round = 0; round < 20; round++) {
        struct sample sample;
        make_sample(&sample, &seed);
        for (size_t len = 0; len < sample.frames.envelope_len; len++) {
            if (!is_field_end(&sample.frames, len)) {
                assert_int_not_equal(parse_cut(&sample.frames, len, sample.frames.body_len),
                                     WIRE_OK);
            }
        }
        for (size_t len = 0; len < sample.frames.body_len; len++) {
            assert_int_equal(parse_cut(&sample.frames, sample.frames.envelope_len, len),
                             WIRE_FAULT_BODY);
        }
        frames_clear(&sample.frames);
    }
}

// Walks over everything a reader would touch; a sanitizer watches.
static uint64_t touch_all(const struct wire_message *message)
{
    struct wire_walk walk = {.message = message};
    struct wire_section section;
    const uint8_t *bytes;
    uint64_t sum = 0;
    while (wire_next_item(&walk)) {
        for (size_t i = 0; i < walk.item.id_bytes; i++) {
            sum += walk.id[i];
        }
        while (wire_next_section(&walk, &section, &bytes)) {
            for (size_t i = 0; i < section.bytes; i++) {
                sum += bytes[i];
            }
        }
    }
    for (unsigned tag = 0; tag < 20; tag++) {
        size_t len;
        const uint8_t *at = wire_field(message, (enum wire_tag)tag, &len);
        for (size_t i = 0; at && i < len; i++) {
            sum += at[i];
        }
    }
    return sum;
}

static void a_damaged_message_is_refused_or_still_inside_its_frames(void **state)
{
    (void)state;
    uint64_t seed = 99, sum = 0;
    size_t sound = 0;
    for (int round = 0; round < 20000; round++) {
        struct sample sample;
        struct wire_message message;
        make_sample(&sample, &seed);
        for (unsigned i = 0; i <= random_next(&seed) % 3; i++) {
            size_t at = random_next(&seed) % sample.frames.envelope_len;
            sample.frames.envelope[at] ^= (char)(1u << random_next(&seed) % 8);
        }
        if (parse(&message, &sample.frames) == WIRE_OK) {
            sum += touch_all(&message);
            sound++;
        }
        frames_clear(&sample.frames);
    }
    assert_true(sound > 0 && sum > 0);
}

static void longer_headers_and_records_of_a_later_minor_version_are_skipped(void **state)
{
    (void)state;
    // header 48 bytes, items 100, sections 12: a minor version to come
    uint8_t envelope[48 + 100 + 12 + 8] = {0};
    const struct wire_header header = {
        .type = WIRE_WORK, .item_count = 1, .section_count = 1, .stage = 3};
    const struct wire_item item = {.handle = 5, .id_bytes = 2, .section_count = 1};
    const struct wire_section section = {.stage = 1, .bytes = 4};
    struct wire_message message;
    wire_write_header(envelope, &header);
    envelope[5] = 9;
    set_u16(envelope + 8, 48);
    set_u16(envelope + 10, 100);
    set_u16(envelope + 12, 12);
    wire_write_item(envelope + 48, &item);
    wire_write_section(envelope + 148, &section);
    wire_write_field_head(envelope + 160, (enum wire_tag)77, 0);
    assert_int_equal(wire_parse(&message, envelope, sizeof envelope, "a1text", 6), WIRE_OK);
    assert_int_equal(message.header.minor, 9);
    struct wire_walk walk = {.message = &message};
    struct wire_section found;
    const uint8_t *bytes;
    assert_true(wire_next_item(&walk));
    assert_int_equal(walk.item.handle, 5);
    assert_true(wire_next_section(&walk, &found, &bytes));
    assert_memory_equal(bytes, "text", 4);
}

static void another_major_version_is_named(void **state)
{
    (void)state;
    uint8_t envelope[WIRE_HEADER_BYTES];
    const struct wire_header header = {.type = WIRE_HELLO};
    struct wire_message message;
    wire_write_header(envelope, &header);
    envelope[4] = 2;
    assert_int_equal(wire_parse(&message, envelope, sizeof envelope, "", 0), WIRE_FAULT_MAJOR);
    assert_int_equal(message.header.minor, 2);
    // even when the rest of it is shorter than ours
    assert_int_equal(wire_parse(&message, envelope, 8, "", 0), WIRE_FAULT_MAJOR);
}

static void counts_beyond_the_limits_are_refused(void **state)
{
    (void)state;
    static uint8_t envelope[WIRE_HEADER_BYTES + 300 * WIRE_ITEM_BYTES];
    struct wire_header header = {.type = WIRE_ACK, .item_count = WIRE_ITEM_LIMIT};
    struct wire_message message;
    wire_write_header(envelope, &header);
    assert_int_equal(
        wire_parse(&message, envelope, WIRE_HEADER_BYTES + 256 * WIRE_ITEM_BYTES, "", 0), WIRE_OK);
    header.item_count = WIRE_ITEM_LIMIT + 1;
    wire_write_header(envelope, &header);
    assert_int_equal(
        wire_parse(&message, envelope, WIRE_HEADER_BYTES + 257 * WIRE_ITEM_BYTES, "", 0),
        WIRE_FAULT_RECORD);
    header = (struct wire_header){.type = WIRE_TYPE_END};
    wire_write_header(envelope, &header);
    assert_int_equal(wire_parse(&message, envelope, WIRE_HEADER_BYTES, "", 0), WIRE_FAULT_TYPE);
}

static void urgencies_map_to_lanes(void **state)
{
    (void)state;
    static const char lanes[] = "2011222333"; // urgency 0 to 9
    for (int urgency = 0; urgency <= 9; urgency++) {
        assert_int_equal(wire_lane_of_urgency(urgency), lanes[urgency] - '0');
    }
    assert_int_equal(wire_lane_of_urgency(-1), WIRE_ROUTINE);
    assert_int_equal(wire_lane_of_urgency(10), WIRE_ROUTINE);
}

static void every_number_has_a_name(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        assert_non_null(wire_type_name(i));
        assert_non_null(wire_outcome_name(i));
        assert_non_null(wire_lane_name(i));
        assert_non_null(wire_fault_text((enum wire_fault)i));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hello_of_the_protocol_page_is_what_we_write),
        cmocka_unit_test(the_work_of_the_protocol_page_is_what_we_write),
        cmocka_unit_test(the_result_of_the_protocol_page_is_what_we_write),
        cmocka_unit_test(what_is_written_is_read_back),
        cmocka_unit_test(every_cut_is_refused),
        cmocka_unit_test(a_damaged_message_is_refused_or_still_inside_its_frames),
        cmocka_unit_test(longer_headers_and_records_of_a_later_minor_version_are_skipped),
        cmocka_unit_test(another_major_version_is_named),
        cmocka_unit_test(counts_beyond_the_limits_are_refused),
        cmocka_unit_test(urgencies_map_to_lanes),
        cmocka_unit_test(every_number_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
