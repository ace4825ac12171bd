#include "proto/record.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEGMENT = 7, ROOM = 512 };

static struct record article_record(void)
{
    struct record record = {
        .type = RECORD_ARTICLE, .lane = 1, .pubstatus = 2, .flags = 3, .count = 4, .handle = 99};
    record.is.article = (struct record_article){.key = {0x1111, 0x2222},
                                                .version = 3,
                                                .content_hash = 0x3333,
                                                .accepted_ms = 1597824000000,
                                                .deadline_ms = -5,
                                                .embargo_ms = 1597900000000,
                                                .trace_id = "0123456789abcde",
                                                .span_id = "spanspa",
                                                .trace_flags = 1,
                                                .id = (const uint8_t *)"story-1",
                                                .id_bytes = 7,
                                                .document = (const uint8_t *)"{\"id\":\"story-1\"}",
                                                .document_bytes = 16};
    return record;
}

static struct record done_record(void)
{
    static const uint8_t handles[24] = {1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0,
                                        0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0};
    struct record record = {.type = RECORD_DONE, .count = 3};
    record.is.payload.at = handles;
    record.is.payload.bytes = sizeof handles;
    return record;
}

static struct record dead_record(void)
{
    struct record record = {.type = RECORD_DEAD, .count = 2, .handle = 12};
    record.is.dead = (struct record_dead){.at_ms = 1597824000001,
                                          .attempts = 5,
                                          .code = 6,
                                          .worker = (const uint8_t *)"w1",
                                          .worker_bytes = 2,
                                          .reason = (const uint8_t *)"no text",
                                          .reason_bytes = 7};
    return record;
}

static struct record seen_record(void)
{
    struct record record = {.type = RECORD_SEEN};
    record.is.seen = (struct record_seen){{5, 6}, 7, 8};
    return record;
}

static size_t write_record(uint8_t *room, const struct record *record)
{
    size_t size = record_size(record);
    assert_true(size <= ROOM);
    assert_int_equal(size % 8, 0);
    memset(room, 0xee, ROOM);
    record_write(room, record, SEGMENT);
    assert_true(size == ROOM || room[size] == 0xee); // not a byte beyond
    return size;
}

static struct record read_back(const uint8_t *room, size_t size)
{
    struct record back;
    size_t took;
    assert_int_equal(record_read(&back, room, size, SEGMENT, &took), RECORD_OK);
    assert_int_equal(took, size);
    return back;
}

static void an_article_is_read_back(void **state)
{
    (void)state;
    uint8_t room[ROOM];
    struct record record = article_record();
    struct record back = read_back(room, write_record(room, &record));
    const struct record_article *article = &back.is.article;
    assert_int_equal(back.type, RECORD_ARTICLE);
    assert_int_equal(back.lane, 1);
    assert_int_equal(back.pubstatus, 2);
    assert_int_equal(back.flags, 3);
    assert_int_equal(back.count, 4);
    assert_int_equal(back.handle, 99);
    assert_int_equal(article->key[0], 0x1111);
    assert_int_equal(article->key[1], 0x2222);
    assert_int_equal(article->version, 3);
    assert_int_equal(article->content_hash, 0x3333);
    assert_true(article->accepted_ms == 1597824000000 && article->deadline_ms == -5 &&
                article->embargo_ms == 1597900000000);
    assert_memory_equal(article->trace_id, "0123456789abcde", 16);
    assert_memory_equal(article->span_id, "spanspa", 8);
    assert_int_equal(article->trace_flags, 1);
    assert_int_equal(article->id_bytes, 7);
    assert_memory_equal(article->id, "story-1", 7);
    assert_int_equal(article->document_bytes, 16);
    assert_memory_equal(article->document, "{\"id\":\"story-1\"}", 16);
}

static void the_other_records_are_read_back(void **state)
{
    (void)state;
    uint8_t room[ROOM];
    struct record record = done_record();
    struct record back = read_back(room, write_record(room, &record));
    assert_int_equal(back.count, 3);
    assert_int_equal(back.is.payload.bytes, 24);
    assert_int_equal(back.is.payload.at[16], 3);

    record = dead_record();
    back = read_back(room, write_record(room, &record));
    assert_int_equal(back.count, 2);
    assert_int_equal(back.handle, 12);
    assert_int_equal(back.is.dead.attempts, 5);
    assert_int_equal(back.is.dead.code, 6);
    assert_memory_equal(back.is.dead.worker, "w1", 2);
    assert_memory_equal(back.is.dead.reason, "no text", 7);

    record = seen_record();
    back = read_back(room, write_record(room, &record));
    assert_int_equal(back.is.seen.key[1], 6);
    assert_int_equal(back.is.seen.version, 7);
    assert_int_equal(back.is.seen.content_hash, 8);

    record = (struct record){.type = RECORD_REVIVED, .count = 1, .handle = 44};
    back = read_back(room, write_record(room, &record));
    assert_int_equal(back.handle, 44);
}

// A DONE of one handle, byte by byte as record.h describes it. The checksum covers segment number 7 and the bytes from 8 on.
static void the_bytes_are_those_of_the_format(void **state)
{
    (void)state;
    static const uint8_t handle[8] = {0x2a};
    static const uint8_t expected[32] = {
        32,          0, 0, 0, 0x86, 0x9b, 0x92, 0xa1, // bytes, checksum
        RECORD_DONE, 0, 0, 0, 1,    0,    0,    0,    // type, lane, pubstatus, flags, count
        0,           0, 0, 0, 0,    0,    0,    0,    // handle
        0x2a,        0, 0, 0, 0,    0,    0,    0,
    };
    uint8_t room[ROOM];
    struct record record = {.type = RECORD_DONE, .count = 1};
    record.is.payload.at = handle;
    record.is.payload.bytes = 8;
    assert_int_equal(write_record(room, &record), 32);
    assert_memory_equal(room, expected, sizeof expected);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    const struct record records[] = {article_record(), done_record(), dead_record(), seen_record()};
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        uint8_t room[ROOM];
        size_t size = write_record(room, &records[i]);
        for (size_t bit = 0; bit < size * 8; bit++) { // the padding counts too
            struct record back;
            size_t took;
            room[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (record_read(&back, room, size, SEGMENT, &took) == RECORD_OK) {
                fail_msg("record %zu: bit %zu of byte %zu went unnoticed", i, bit % 8, bit / 8);
            }
            room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        read_back(room, size);
    }
}

static void every_cut_is_noticed_and_nothing_is_read_beyond(void **state)
{
    (void)state;
    uint8_t room[ROOM];
    struct record record = article_record();
    size_t size = write_record(room, &record);
    for (size_t len = 0; len < size; len++) {
        struct record back;
        size_t took;
        uint8_t *cut = malloc(len ? len : 1); // ends where the file ends, for the sanitizer
        assert_non_null(cut);
        memcpy(cut, room, len);
        enum record_fault fault = record_read(&back, cut, len, SEGMENT, &took);
        assert_int_equal(fault, len < RECORD_HEAD_BYTES ? RECORD_END : RECORD_TORN);
        free(cut);
    }
}

static void a_record_of_another_segment_does_not_pass(void **state)
{
    (void)state;
    uint8_t room[ROOM];
    struct record record = dead_record(), back;
    size_t took;
    size_t size = write_record(room, &record);
    assert_int_equal(record_read(&back, room, size, SEGMENT + 1, &took), RECORD_TORN);
}

static void zeros_are_the_end(void **state)
{
    (void)state;
    uint8_t room[ROOM] = {0};
    struct record back;
    size_t took;
    assert_int_equal(record_read(&back, room, sizeof room, SEGMENT, &took), RECORD_END);
}

static void a_record_of_a_later_version_can_be_skipped(void **state)
{
    (void)state;
    uint8_t room[ROOM];
    struct record record = {.type = RECORD_TYPE_END}, back;
    size_t took;
    record.is.payload.at = (const uint8_t *)"later";
    record.is.payload.bytes = 5;
    size_t size = write_record(room, &record);
    assert_int_equal(record_read(&back, room, size, SEGMENT, &took), RECORD_UNKNOWN);
    assert_int_equal(took, size);
}

static void a_segment_header_is_read_back_and_its_damage_noticed(void **state)
{
    (void)state;
    uint8_t room[SEGMENT_HEADER_BYTES];
    const struct segment_header header = {.version = RECORD_VERSION,
                                          .number = 12,
                                          .created_ms = 1597824000000,
                                          .hash_key = {3, 4},
                                          .first_batch = 77};
    struct segment_header back;
    segment_header_write(room, &header);
    assert_memory_equal(room, "CDSKJRNL", 8);
    assert_true(segment_header_read(&back, room, sizeof room));
    assert_int_equal(back.version, RECORD_VERSION);
    assert_int_equal(back.number, 12);
    assert_true(back.created_ms == 1597824000000);
    assert_int_equal(back.hash_key[1], 4);
    assert_int_equal(back.first_batch, 77);
    for (size_t bit = 0; bit < sizeof room * 8; bit++) {
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_false(segment_header_read(&back, room, sizeof room));
        room[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len < sizeof room; len++) {
        assert_false(segment_header_read(&back, room, len));
    }
}

static void every_type_has_a_name(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 300; type++) {
        assert_non_null(record_type_name(type));
    }
    assert_string_equal(record_type_name(RECORD_DONE), "DONE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_article_is_read_back),
        cmocka_unit_test(the_other_records_are_read_back),
        cmocka_unit_test(the_bytes_are_those_of_the_format),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(every_cut_is_noticed_and_nothing_is_read_beyond),
        cmocka_unit_test(a_record_of_another_segment_does_not_pass),
        cmocka_unit_test(zeros_are_the_end),
        cmocka_unit_test(a_record_of_a_later_version_can_be_skipped),
        cmocka_unit_test(a_segment_header_is_read_back_and_its_damage_noticed),
        cmocka_unit_test(every_type_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
