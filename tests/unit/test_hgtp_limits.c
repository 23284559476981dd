/* SPDX-License-Identifier: MIT */
/*
 * hgtp at its limits: every length field at its extremes, the largest body, bodies that nobody
 * reads, trailers, the bodies of our own responses, storage that is too small, and the checks of
 * types and ids. All inputs are decoded from heap copies of exactly their size.
 */
#include "proto/hgtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEST_DATAGRAM_MAX 4096

/* Stands for the smallest length that does not fit. */
#define TEST_ONE_BEYOND INT64_MAX

static const char register_body[] = "\0\0\0\0\0\0\x0e\x10\0\0\0\0\x7f\0\0\1\x23\x8c\0\0\0\x08"
                                    "YWxpY2U=";
static const char room_body[] = "sx5yl92hNmQV\0\0\0\x0c"
                                "67Cp7ZWY64KY";
static const char name_body[] = "\0\0\0\x08"
                                "cm9vbTEy";
static const char peer_body[] = "\0\0\0\x08"
                                "cm9vbTEy\0\0\0\x08"
                                "YWxpY2U=";
static const char challenge_body[] = "\x27\x10\0\0\0\x0c"
                                     "HGTP_SERVICE";

static const uint8_t plain_types[] = {
    HGTP_OK,      HGTP_BAD_REQUEST, HGTP_FORBIDDEN, HGTP_SERVER_UNAVAILABLE,
    HGTP_DECLINE, HGTP_UNREGISTER,  HGTP_REFRESH};

/* One length field inside a body, and what 0 and negative values make of the datagram. */
struct length_field {
    uint8_t type;
    struct bytes body;
    size_t offset;
    enum hgtp_result at_zero;
    enum hgtp_result at_negative;
};

#define TEST_BODY(body)                                                                            \
    {                                                                                              \
        (const uint8_t *)(body), sizeof(body) - 1                                                  \
    }

static const struct length_field length_fields[] = {
    {HGTP_REGISTER, TEST_BODY(register_body), 18, HGTP_DECODED, HGTP_DECODED},
    {HGTP_CREATE_ROOM, TEST_BODY(room_body), 12, HGTP_DECODED, HGTP_BAD_BODY},
    {HGTP_DELETE_ROOM, TEST_BODY(room_body), 12, HGTP_DECODED, HGTP_BAD_BODY},
    {HGTP_JOIN_ROOM, TEST_BODY(name_body), 0, HGTP_DECODED, HGTP_BAD_BODY},
    {HGTP_EXIT_ROOM, TEST_BODY(name_body), 0, HGTP_DECODED, HGTP_BAD_BODY},
    /* Without its first string, that string's text stands where the second length should. */
    {HGTP_INVITE_USER_FROM_ROOM, TEST_BODY(peer_body), 0, HGTP_BAD_BODY, HGTP_BAD_BODY},
    {HGTP_INVITE_USER_FROM_ROOM, TEST_BODY(peer_body), 12, HGTP_DECODED, HGTP_BAD_BODY},
    {HGTP_REMOVE_USER_FROM_ROOM, TEST_BODY(peer_body), 0, HGTP_BAD_BODY, HGTP_BAD_BODY},
    {HGTP_REMOVE_USER_FROM_ROOM, TEST_BODY(peer_body), 12, HGTP_DECODED, HGTP_BAD_BODY},
    {HGTP_UNAUTHORIZED, TEST_BODY(challenge_body), 2, HGTP_DECODED, HGTP_BAD_BODY},
};

/* A datagram with any declared length, on the heap without a byte to spare. */
static struct bytes datagram_new(uint8_t type, struct bytes body, int64_t declared)
{
    uint8_t storage[TEST_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    sink_text(&out, "HS");
    sink_u8(&out, type);
    sink_u8(&out, HGTP_REGISTER);
    sink_text(&out, "tYn5VRHk");
    sink_be64(&out, 0x1234567889abcdef);
    sink_be32(&out, (uint32_t)declared);
    sink_put(&out, body);
    assert_true(sink_fits(&out));
    uint8_t *copy = malloc(out.len);
    assert_non_null(copy);
    memcpy(copy, storage, out.len);
    return bytes_of(copy, out.len);
}

static void datagram_free(struct bytes datagram)
{
    free((void *)(uintptr_t)datagram.ptr);
}

static enum hgtp_result decode_declared(uint8_t type, struct bytes body, int64_t declared)
{
    struct hgtp_message msg;
    struct bytes datagram = datagram_new(type, body, declared);
    enum hgtp_result result = hgtp_decode(datagram, &msg);
    datagram_free(datagram);
    return result;
}

static enum hgtp_result decode_with_length(const struct length_field *field, int64_t length)
{
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    if (length == TEST_ONE_BEYOND) {
        length = (int64_t)(field->body.len - field->offset) - 4 + 1;
    }
    sink_put(&out, bytes_of(field->body.ptr, field->offset));
    sink_be32(&out, (uint32_t)length);
    sink_put(&out, bytes_from(field->body, field->offset + 4));
    return decode_declared(field->type, sink_bytes(&out), (int64_t)out.len);
}

static void hgtp_inner_length_at_its_extremes_decodes_or_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof length_fields / sizeof length_fields[0]; i++) {
        const struct length_field *field = &length_fields[i];
        assert_int_equal(decode_with_length(field, 0), field->at_zero);
        assert_int_equal(decode_with_length(field, -1), field->at_negative);
        assert_int_equal(decode_with_length(field, INT32_MIN), field->at_negative);
        assert_int_equal(decode_with_length(field, INT32_MAX), HGTP_BAD_BODY);
        assert_int_equal(decode_with_length(field, TEST_ONE_BEYOND), HGTP_BAD_BODY);
    }
}

static void hgtp_body_length_at_its_extremes_is_refused_where_fields_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof length_fields / sizeof length_fields[0]; i++) {
        const struct length_field *field = &length_fields[i];
        int64_t whole = (int64_t)field->body.len;
        assert_int_equal(decode_declared(field->type, field->body, whole), HGTP_DECODED);
        assert_int_equal(decode_declared(field->type, field->body, whole - 1), HGTP_BAD_BODY);
        assert_int_equal(decode_declared(field->type, field->body, whole + 1), HGTP_BAD_BODY);
        assert_int_equal(decode_declared(field->type, field->body, -1), HGTP_BAD_BODY);
        assert_int_equal(decode_declared(field->type, field->body, INT32_MIN), HGTP_BAD_BODY);
        assert_int_equal(decode_declared(field->type, field->body, INT32_MAX), HGTP_BAD_BODY);
    }
}

static void hgtp_body_below_its_fixed_part_decodes_to_empty_fields(void **state)
{
    (void)state;
    static const struct {
        uint8_t type;
        struct bytes body;
        size_t fixed_bytes;
    } rows[] = {
        {HGTP_REGISTER, TEST_BODY(register_body), 22},
        {HGTP_CREATE_ROOM, TEST_BODY(room_body), 16},
        {HGTP_DELETE_ROOM, TEST_BODY(room_body), 16},
        {HGTP_JOIN_ROOM, TEST_BODY(name_body), 4},
        {HGTP_EXIT_ROOM, TEST_BODY(name_body), 4},
        {HGTP_INVITE_USER_FROM_ROOM, TEST_BODY(peer_body), 8},
        {HGTP_REMOVE_USER_FROM_ROOM, TEST_BODY(peer_body), 8},
    };
    static const struct hgtp_register zero;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t declared = 0; declared < rows[i].fixed_bytes; declared++) {
            struct hgtp_message msg;
            struct bytes datagram = datagram_new(rows[i].type, rows[i].body, (int64_t)declared);
            memset(&msg, 0x5a, sizeof msg);
            assert_int_equal(hgtp_decode(datagram, &msg), HGTP_DECODED);
            assert_memory_equal(&msg.reg, &zero, sizeof zero);
            assert_int_equal(msg.trailer.len, rows[i].body.len - declared);
            datagram_free(datagram);
        }
        int64_t declared = (int64_t)rows[i].fixed_bytes;
        assert_int_equal(decode_declared(rows[i].type, rows[i].body, declared), HGTP_BAD_BODY);
    }
}

/* What no original sends stands behind what it does send. */
static const char flagged_body[] = "\0\0\0\0\0\0\x0e\x10\0\0\0\0\x7f\0\0\1\x23\x8c\0\0\0\x08"
                                   "YWxpY2U=\0\1";

static void hgtp_flags_stand_behind_the_nonce_and_zero_is_written_as_nothing(void **state)
{
    (void)state;
    struct hgtp_message msg, back;
    struct bytes body = bytes_of(flagged_body, sizeof flagged_body - 1);
    struct bytes datagram = datagram_new(HGTP_REGISTER, body, (int64_t)body.len);
    assert_int_equal(hgtp_decode(datagram, &msg), HGTP_DECODED);
    assert_int_equal(msg.reg.flags, HGTP_REGISTER_TAKE_OVER);
    assert_true(bytes_equal(msg.reg.nonce, bytes_str("YWxpY2U=")));

    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    hgtp_encode(&msg, &out);
    assert_true(bytes_equal(sink_bytes(&out), datagram));
    static const uint16_t flags[] = {0, 1, 2, 0x100, 0x7fff, 0x8000, UINT16_MAX};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        out = sink_into(storage, sizeof storage);
        msg.reg.flags = flags[i];
        hgtp_encode(&msg, &out);
        assert_int_equal(out.len, datagram.len - (flags[i] == 0 ? 2 : 0));
        assert_int_equal(hgtp_decode(sink_bytes(&out), &back), HGTP_DECODED);
        assert_int_equal(back.reg.flags, flags[i]);
    }
    datagram_free(datagram);
}

static void hgtp_flags_that_are_cut_or_belong_to_no_body_are_none(void **state)
{
    (void)state;
    struct bytes body = bytes_of(flagged_body, sizeof flagged_body - 1);
    for (size_t cut = 1; cut <= 2; cut++) {
        struct hgtp_message msg;
        struct bytes datagram = datagram_new(HGTP_REGISTER, body, (int64_t)(body.len - cut));
        assert_int_equal(hgtp_decode(datagram, &msg), HGTP_DECODED);
        assert_int_equal(msg.reg.flags, 0);
        assert_int_equal(msg.trailer.len, cut);
        datagram_free(datagram);
    }
    for (size_t declared = 22; declared < body.len - 2; declared++) {
        assert_int_equal(decode_declared(HGTP_REGISTER, body, (int64_t)declared), HGTP_BAD_BODY);
    }
}

static void hgtp_challenge_below_its_fixed_part_is_refused(void **state)
{
    (void)state;
    for (int64_t declared = 0; declared < 6; declared++) {
        struct bytes body = bytes_of(challenge_body, sizeof challenge_body - 1);
        assert_int_equal(decode_declared(HGTP_UNAUTHORIZED, body, declared), HGTP_BAD_BODY);
    }
}

static void hgtp_body_may_have_the_maximum_but_no_byte_more(void **state)
{
    (void)state;
    uint8_t body[HGTP_BODY_MAX + 1] = {0};
    static const uint8_t types[] = {
        HGTP_REGISTER,  HGTP_CREATE_ROOM,           HGTP_JOIN_ROOM,    HGTP_INVITE_USER_FROM_ROOM,
        HGTP_EXIT_ROOM, HGTP_REMOVE_USER_FROM_ROOM, HGTP_UNAUTHORIZED, HGTP_DELETE_ROOM};
    for (size_t i = 0; i < sizeof types; i++) {
        struct bytes in = bytes_of(body, sizeof body);
        assert_int_equal(decode_declared(types[i], in, HGTP_BODY_MAX), HGTP_DECODED);
        assert_int_equal(decode_declared(types[i], in, HGTP_BODY_MAX + 1), HGTP_BAD_BODY);
    }
}

static void hgtp_name_that_fills_the_largest_body_round_trips(void **state)
{
    (void)state;
    uint8_t name[HGTP_BODY_MAX - 4];
    uint8_t storage[HGTP_DATAGRAM_MAX];
    memset(name, 'A', sizeof name);
    struct hgtp_message msg = {.header = {.type = HGTP_JOIN_ROOM},
                               .room_name = bytes_of(name, sizeof name)};
    struct hgtp_message back;
    struct sink out = sink_into(storage, sizeof storage);
    hgtp_encode(&msg, &out);
    assert_int_equal(out.len, HGTP_DATAGRAM_MAX);
    assert_int_equal(hgtp_decode(sink_bytes(&out), &back), HGTP_DECODED);
    assert_true(bytes_equal(back.room_name, msg.room_name));
    assert_int_equal(back.header.body_bytes, HGTP_BODY_MAX);
}

static void hgtp_body_that_nobody_reads_takes_any_length(void **state)
{
    (void)state;
    static const struct {
        int64_t declared;
        size_t body_bytes;
        size_t trailer_bytes;
    } rows[] = {
        {0, 0, 20}, {5, 5, 15},        {20, 20, 0},        {21, 20, 0},
        {-1, 0, 0}, {INT32_MIN, 0, 0}, {INT32_MAX, 20, 0}, {HGTP_BODY_MAX + 1, 20, 0},
    };
    struct bytes body = bytes_str("20 bytes of anything");
    for (size_t i = 0; i < sizeof plain_types; i++) {
        for (size_t row = 0; row < sizeof rows / sizeof rows[0]; row++) {
            struct hgtp_message msg;
            struct bytes datagram = datagram_new(plain_types[i], body, rows[row].declared);
            assert_int_equal(hgtp_decode(datagram, &msg), HGTP_DECODED);
            assert_int_equal(msg.header.body_bytes, rows[row].declared);
            assert_true(bytes_equal(msg.body, bytes_of(body.ptr, rows[row].body_bytes)));
            assert_int_equal(msg.trailer.len, rows[row].trailer_bytes);
            if (msg.trailer.len > 0) {
                assert_ptr_equal(msg.trailer.ptr,
                                 datagram.ptr + datagram.len - rows[row].trailer_bytes);
            }
            datagram_free(datagram);
        }
    }
}

static void hgtp_views_point_into_the_datagram(void **state)
{
    (void)state;
    struct hgtp_message msg;
    struct bytes datagram =
        datagram_new(HGTP_INVITE_USER_FROM_ROOM, bytes_of(peer_body, sizeof peer_body - 1), 24);
    assert_int_equal(hgtp_decode(datagram, &msg), HGTP_DECODED);
    assert_ptr_equal(msg.peer.room_name.ptr, datagram.ptr + 28);
    assert_ptr_equal(msg.peer.peer_name.ptr, datagram.ptr + 40);
    datagram_free(datagram);
}

static void hgtp_encode_without_storage_measures(void **state)
{
    (void)state;
    uint8_t storage[64];
    struct hgtp_message msg = {.header = {.type = HGTP_UNAUTHORIZED},
                               .challenge = {10000, bytes_str("HGTP_SERVICE")}};
    for (size_t cap = 0; cap < 42; cap++) {
        struct sink out = sink_into(storage, cap);
        memset(storage, 0xaa, sizeof storage);
        hgtp_encode(&msg, &out);
        assert_int_equal(out.len, 42);
        for (size_t i = cap; i < sizeof storage; i++) {
            assert_int_equal(storage[i], 0xaa);
        }
    }
}

static void hgtp_reason_round_trips_and_is_refused_when_cut(void **state)
{
    (void)state;
    static const int16_t codes[] = {0, 1, -1, INT16_MIN, INT16_MAX};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        uint8_t storage[64];
        struct sink out = sink_into(storage, sizeof storage);
        struct hgtp_reason reason = {codes[i], bytes_str("not registered")};
        struct hgtp_reason back;
        hgtp_reason_encode(&reason, &out);
        assert_int_equal(out.len, 20);
        assert_true(hgtp_reason_decode(sink_bytes(&out), &back));
        assert_int_equal(back.code, codes[i]);
        assert_true(bytes_equal(back.text, reason.text));
        for (size_t len = 0; len < out.len; len++) {
            assert_false(hgtp_reason_decode(bytes_of(storage, len), &back));
        }
    }
    struct hgtp_reason reason;
    assert_true(hgtp_reason_decode(bytes_of("\1\2\0\0\0\0", 6), &reason));
    assert_int_equal(reason.code, 0x102);
    assert_int_equal(reason.text.len, 0);
    assert_false(hgtp_reason_decode(bytes_of("\1\2\xff\xff\xff\xff", 6), &reason));
    assert_false(hgtp_reason_decode(bytes_of("\1\2\x7f\xff\xff\xff", 6), &reason));
}

static void hgtp_token_round_trips_and_is_refused_when_cut(void **state)
{
    (void)state;
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    struct bytes token;
    hgtp_token_encode(bytes_str("c2Vzc2lvbg"), &out);
    assert_true(hgtp_token_decode(sink_bytes(&out), &token));
    assert_true(bytes_equal(token, bytes_str("c2Vzc2lvbg")));
    assert_ptr_equal(token.ptr, storage + 4);
    for (size_t len = 0; len < out.len; len++) {
        assert_false(hgtp_token_decode(bytes_of(storage, len), &token));
    }
    assert_false(hgtp_token_decode(bytes_of("\x80\0\0\0", 4), &token));
    assert_false(hgtp_token_decode(bytes_of(NULL, 0), &token));
}

static void hgtp_token_travels_in_the_body_of_an_ok(void **state)
{
    (void)state;
    uint8_t body[32], storage[64];
    struct sink body_out = sink_into(body, sizeof body);
    struct sink out = sink_into(storage, sizeof storage);
    struct bytes token;
    hgtp_token_encode(bytes_str("secret"), &body_out);
    struct hgtp_message msg = {.header = {.type = HGTP_OK, .request_type = HGTP_REGISTER},
                               .body = sink_bytes(&body_out)};
    hgtp_encode(&msg, &out);
    assert_int_equal(hgtp_decode(sink_bytes(&out), &msg), HGTP_DECODED);
    assert_true(hgtp_token_decode(msg.body, &token));
    assert_true(bytes_equal(token, bytes_str("secret")));
}

static void hgtp_types_are_the_fifteen_of_the_table(void **state)
{
    (void)state;
    size_t known_count = 0;
    size_t request_count = 0;
    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        uint8_t type = (uint8_t)byte;
        known_count += hgtp_type_name(type) != NULL;
        request_count += hgtp_type_is_request(type);
        assert_int_equal(decode_declared(type, bytes_of(challenge_body, 6), 6) == HGTP_BAD_TYPE,
                         hgtp_type_name(type) == NULL);
    }
    assert_int_equal(known_count, 15);
    assert_int_equal(request_count, 9);
    assert_true(hgtp_type_is_request(HGTP_REFRESH));
    assert_false(hgtp_type_is_request(HGTP_OK));
    assert_string_equal(hgtp_type_name(HGTP_JOIN_ROOM), "JOIN_ROOM");
}

static void hgtp_user_id_of_eight_base64_characters_is_valid(void **state)
{
    (void)state;
    static const char *const bad[] = {"tYn5VRH=",
                                      "tYn5VR==",
                                      "========",
                                      "tYn5VR k",
                                      "tYn5VR-k",
                                      "tYn5VR_k",
                                      "\xff\xff\xff\xff\xff\xff\xff\xff"};
    uint8_t user_id[HGTP_USER_ID_BYTES];
    assert_true(hgtp_user_id_valid(memcpy(user_id, "tYn5VRHk", sizeof user_id)));
    assert_true(hgtp_user_id_valid(memcpy(user_id, "g+/AaZz9", sizeof user_id)));
    assert_false(hgtp_user_id_valid(memset(user_id, 0, sizeof user_id)));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(hgtp_user_id_valid(memcpy(user_id, bad[i], sizeof user_id)));
    }
}

static void hgtp_room_id_of_twelve_base64_characters_is_valid(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "sx5yl92hNmQ",
                                      "sx5yl92hNmQ=",
                                      "sx5yl92hNm==",
                                      "sx5yl92hNmQVx",
                                      "sx5yl92hNmQVAAAA",
                                      "sx5yl92hNmQ\n",
                                      "sx5y-92hNmQV"};
    assert_true(hgtp_room_id_valid(bytes_str("sx5yl92hNmQV")));
    assert_true(hgtp_room_id_valid(bytes_str("vgR3dG/UW3s+")));
    assert_false(hgtp_room_id_valid(bytes_of(NULL, 0)));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(hgtp_room_id_valid(bytes_str(bad[i])));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hgtp_inner_length_at_its_extremes_decodes_or_is_refused),
        cmocka_unit_test(hgtp_body_length_at_its_extremes_is_refused_where_fields_are_read),
        cmocka_unit_test(hgtp_body_below_its_fixed_part_decodes_to_empty_fields),
        cmocka_unit_test(hgtp_flags_stand_behind_the_nonce_and_zero_is_written_as_nothing),
        cmocka_unit_test(hgtp_flags_that_are_cut_or_belong_to_no_body_are_none),
        cmocka_unit_test(hgtp_challenge_below_its_fixed_part_is_refused),
        cmocka_unit_test(hgtp_body_may_have_the_maximum_but_no_byte_more),
        cmocka_unit_test(hgtp_name_that_fills_the_largest_body_round_trips),
        cmocka_unit_test(hgtp_body_that_nobody_reads_takes_any_length),
        cmocka_unit_test(hgtp_views_point_into_the_datagram),
        cmocka_unit_test(hgtp_encode_without_storage_measures),
        cmocka_unit_test(hgtp_reason_round_trips_and_is_refused_when_cut),
        cmocka_unit_test(hgtp_token_round_trips_and_is_refused_when_cut),
        cmocka_unit_test(hgtp_token_travels_in_the_body_of_an_ok),
        cmocka_unit_test(hgtp_types_are_the_fifteen_of_the_table),
        cmocka_unit_test(hgtp_user_id_of_eight_base64_characters_is_valid),
        cmocka_unit_test(hgtp_room_id_of_twelve_base64_characters_is_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
