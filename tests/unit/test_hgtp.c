/* SPDX-License-Identifier: MIT */
/*
 * hgtp against the original: every message of the vectors both ways and cut at every byte, what the
 * original made of bad datagrams (array "decode"), and the padding of relayed requests. All inputs
 * are decoded from heap copies of exactly their size. Limits are in test_hgtp_limits.c.
 */
#include "proto/hgtp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/base64.h"
#include "proto/utf8.h"

#define TEST_DATAGRAM_MAX 4096

/* A message and the storage behind its views. */
struct sample {
    struct hgtp_message msg;
    uint8_t strings[2][512];
};

static json_t *vectors;

static int vectors_load(void **state)
{
    (void)state;
    vectors = json_load_file(TEST_DATA_DIR "/hgtp_vectors.json", JSON_ALLOW_NUL, NULL);
    return vectors == NULL;
}

static int vectors_free(void **state)
{
    (void)state;
    json_decref(vectors);
    return 0;
}

static json_t *vectors_array(const char *name, size_t count_min)
{
    json_t *array = json_object_get(vectors, name);
    assert_true(json_array_size(array) >= count_min);
    return array;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    assert_non_null(text);
    return text;
}

static json_int_t number_of(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    assert_true(json_is_integer(number));
    return json_integer_value(number);
}

/* A heap copy without a byte to spare; give it back with heap_free. */
static struct bytes heap_copy(struct bytes in)
{
    uint8_t *copy = malloc(in.len == 0 ? 1 : in.len);
    assert_non_null(copy);
    if (in.len > 0) {
        memcpy(copy, in.ptr, in.len);
    }
    return bytes_of(copy, in.len);
}

static void heap_free(struct bytes copy)
{
    free((void *)(uintptr_t)copy.ptr);
}

static struct bytes heap_from_hex(const char *hex)
{
    uint8_t storage[TEST_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    for (size_t i = 0; hex[i] != '\0'; i += 2) {
        char digits[3] = {hex[i], hex[i + 1], '\0'};
        sink_u8(&out, (uint8_t)strtoul(digits, NULL, 16));
    }
    assert_true(sink_fits(&out));
    return heap_copy(sink_bytes(&out));
}

static struct bytes vector_datagram(const char *array_name, const char *name)
{
    size_t index;
    json_t *vector;
    json_array_foreach(vectors_array(array_name, 1), index, vector)
    {
        if (strcmp(text_of(vector, "name"), name) == 0) {
            return heap_from_hex(text_of(vector, "hex"));
        }
    }
    fail_msg("no vector %s", name);
    return bytes_of(NULL, 0);
}

static bool contents_equal(const struct hgtp_message *a, const struct hgtp_message *b)
{
    switch (a->header.type) {
    case HGTP_REGISTER:
        return a->reg.expires_s == b->reg.expires_s && a->reg.listen_ip == b->reg.listen_ip &&
               a->reg.listen_port == b->reg.listen_port &&
               bytes_equal(a->reg.nonce, b->reg.nonce) && a->reg.flags == b->reg.flags;
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        return bytes_equal(a->room.room_id, b->room.room_id) &&
               bytes_equal(a->room.name, b->room.name);
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        return bytes_equal(a->room_name, b->room_name);
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        return bytes_equal(a->peer.room_name, b->peer.room_name) &&
               bytes_equal(a->peer.peer_name, b->peer.peer_name);
    case HGTP_UNAUTHORIZED:
        return a->challenge.http_port == b->challenge.http_port &&
               bytes_equal(a->challenge.realm, b->challenge.realm);
    default:
        return bytes_equal(a->body, b->body);
    }
}

static bool headers_equal(const struct hgtp_header *a, const struct hgtp_header *b)
{
    return a->type == b->type && a->request_type == b->request_type &&
           memcmp(a->user_id, b->user_id, HGTP_USER_ID_BYTES) == 0 && a->seq == b->seq &&
           a->timestamp_ms == b->timestamp_ms && a->body_bytes == b->body_bytes;
}

static struct bytes sample_name(const json_t *fields, const char *key, uint8_t storage[512])
{
    struct sink out = sink_into(storage, 512);
    base64_encode(bytes_str(text_of(fields, key)), &out);
    assert_true(sink_fits(&out));
    return sink_bytes(&out);
}

static struct bytes sample_nonce(const json_t *fields, uint8_t storage[512])
{
    if (json_object_get(fields, "nonceFieldHex") == NULL) {
        return bytes_str(text_of(fields, "nonceField"));
    }
    struct bytes nonce = heap_from_hex(text_of(fields, "nonceFieldHex"));
    memcpy(storage, nonce.ptr, nonce.len);
    heap_free(nonce);
    return bytes_of(storage, nonce.len);
}

static uint32_t ip_of(const json_t *fields)
{
    unsigned a, b, c, d;
    assert_int_equal(sscanf(text_of(fields, "listenIp"), "%u.%u.%u.%u", &a, &b, &c, &d), 4);
    return a << 24 | b << 16 | c << 8 | d;
}

static void sample_header(const json_t *fields, struct hgtp_header *ret_header)
{
    ret_header->type = (uint8_t)number_of(fields, "messageType");
    ret_header->request_type = (uint8_t)number_of(fields, "requestType");
    ret_header->seq = (int32_t)number_of(fields, "seq");
    ret_header->timestamp_ms = (uint32_t)number_of(fields, "timestampOnWire");
    ret_header->body_bytes = (int32_t)number_of(fields, "bodyLength");
}

static void sample_from_fields(const json_t *fields, struct sample *ret_sample)
{
    struct hgtp_message *msg = &ret_sample->msg;
    memset(msg, 0, sizeof *msg);
    sample_header(fields, &msg->header);
    memcpy(msg->header.user_id, text_of(fields, "userId"), HGTP_USER_ID_BYTES);
    switch (msg->header.type) {
    case HGTP_REGISTER:
        msg->reg.expires_s = number_of(fields, "expires");
        msg->reg.listen_ip = ip_of(fields);
        msg->reg.listen_port = (uint16_t)number_of(fields, "listenPort");
        msg->reg.nonce = sample_nonce(fields, ret_sample->strings[0]);
        break;
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        msg->room.room_id = bytes_str(text_of(fields, "roomId"));
        msg->room.name = sample_name(fields, "roomName", ret_sample->strings[0]);
        break;
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        msg->room_name = sample_name(fields, "roomName", ret_sample->strings[0]);
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        msg->peer.room_name = sample_name(fields, "roomName", ret_sample->strings[0]);
        msg->peer.peer_name = sample_name(fields, "peerHostName", ret_sample->strings[1]);
        break;
    case HGTP_UNAUTHORIZED:
        msg->challenge.http_port = (uint16_t)number_of(fields, "listenPort");
        msg->challenge.realm = bytes_str(text_of(fields, "realm"));
        break;
    default:
        break;
    }
}

static void assert_encodes_to(const struct hgtp_message *msg, struct bytes datagram,
                              const char *name)
{
    uint8_t storage[TEST_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    hgtp_encode(msg, &out);
    if (!sink_fits(&out) || !bytes_equal(sink_bytes(&out), datagram)) {
        fail_msg("%s encodes to other bytes", name);
    }
}

static void hgtp_each_vector_decodes_to_its_fields_and_encodes_again(void **state)
{
    (void)state;
    size_t index;
    json_t *vector;
    json_array_foreach(vectors_array("hgtp", 113), index, vector)
    {
        const char *name = text_of(vector, "name");
        struct bytes datagram = heap_from_hex(text_of(vector, "hex"));
        struct sample sample;
        struct hgtp_message msg;
        sample_from_fields(json_object_get(vector, "fields"), &sample);
        if (hgtp_decode(datagram, &msg) != HGTP_DECODED ||
            !headers_equal(&msg.header, &sample.msg.header) || !contents_equal(&msg, &sample.msg)) {
            fail_msg("%s decodes to other fields", name);
        }
        assert_string_equal(hgtp_type_name(msg.header.type),
                            text_of(json_object_get(vector, "fields"), "message"));
        assert_int_equal(msg.trailer.len, 0);
        assert_encodes_to(&msg, datagram, name);
        heap_free(datagram);
    }
}

static void hgtp_fields_of_each_vector_encode_to_its_bytes(void **state)
{
    (void)state;
    size_t index;
    json_t *vector;
    json_array_foreach(vectors_array("hgtp", 113), index, vector)
    {
        struct bytes datagram = heap_from_hex(text_of(vector, "hex"));
        struct sample sample;
        sample_from_fields(json_object_get(vector, "fields"), &sample);
        sample.msg.header.body_bytes = -1; /* encode computes it */
        assert_encodes_to(&sample.msg, datagram, text_of(vector, "name"));
        heap_free(datagram);
    }
}

static enum hgtp_result result_expected(const json_t *result, size_t size)
{
    const char *kind = text_of(result, "kind");
    if (strcmp(kind, "ok") == 0) {
        return HGTP_DECODED;
    }
    if (strcmp(kind, "unknown-type") == 0) {
        return HGTP_BAD_TYPE;
    }
    if (strcmp(kind, "exception") == 0) {
        bool is_header = strcmp(text_of(result, "class"), "HgtpException") == 0;
        return is_header ? HGTP_BAD_HEADER : HGTP_BAD_BODY;
    }
    /* Dropped by the original for an outdated minimum size; for us only a whole body counts. */
    assert_string_equal(kind, "null");
    json_int_t body_bytes = number_of(json_object_get(result, "header"), "bodyLength");
    return (json_int_t)size >= HGTP_HEADER_BYTES + body_bytes ? HGTP_DECODED : HGTP_BAD_BODY;
}

static bool header_is(const struct hgtp_header *actual, const json_t *header)
{
    struct hgtp_header expected;
    uint8_t text[3 * HGTP_USER_ID_BYTES];
    struct sink out = sink_into(text, sizeof text);
    struct bytes user_id = heap_from_hex(text_of(header, "userIdUtf8Hex"));
    utf8_replace(bytes_of(actual->user_id, HGTP_USER_ID_BYTES), &out);
    bool is_same_user = bytes_equal(sink_bytes(&out), user_id);
    heap_free(user_id);
    sample_header(header, &expected);
    memcpy(expected.user_id, actual->user_id, sizeof expected.user_id);
    return is_same_user && headers_equal(actual, &expected);
}

/* `name` is base64 of the text under `key`, or not base64 where the original threw. */
static bool name_is(struct bytes name, const json_t *content, const char *key)
{
    uint8_t storage[512];
    struct sink out = sink_into(storage, sizeof storage);
    const json_t *expected = json_object_get(content, key);
    bool is_base64 = base64_decode(name, &out);
    if (json_is_object(expected)) {
        return !is_base64;
    }
    return is_base64 && bytes_equal(sink_bytes(&out), bytes_str(json_string_value(expected)));
}

static bool content_is(const struct hgtp_message *msg, const json_t *content)
{
    switch (msg->header.type) {
    case HGTP_REGISTER:
        return msg->reg.expires_s == number_of(content, "expires") &&
               msg->reg.listen_ip == ip_of(content) &&
               msg->reg.listen_port == number_of(content, "listenPort") &&
               bytes_equal(msg->reg.nonce, bytes_str(text_of(content, "nonceField"))) &&
               name_is(msg->reg.nonce, content, "hostName");
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        return bytes_equal(msg->room.room_id, bytes_str(text_of(content, "roomId"))) &&
               name_is(msg->room.name, content, "roomName");
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        return name_is(msg->room_name, content, "roomName");
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        return name_is(msg->peer.room_name, content, "roomName") &&
               name_is(msg->peer.peer_name, content, "peerHostName");
    case HGTP_UNAUTHORIZED:
        return msg->challenge.http_port == number_of(content, "listenPort") &&
               bytes_equal(msg->challenge.realm, bytes_str(text_of(content, "realm")));
    default:
        return content == NULL && msg->body.len == 0;
    }
}

static void hgtp_decode_vectors_give_what_the_original_gave(void **state)
{
    (void)state;
    size_t index;
    json_t *vector;
    json_array_foreach(vectors_array("decode", 66), index, vector)
    {
        const char *name = text_of(vector, "name");
        const json_t *result = json_object_get(vector, "result");
        const json_t *header = json_object_get(result, "header");
        struct bytes datagram = heap_from_hex(text_of(vector, "hex"));
        struct hgtp_message msg;
        enum hgtp_result actual = hgtp_decode(datagram, &msg);
        if (actual != result_expected(result, datagram.len)) {
            fail_msg("%s: result %d", name, actual);
        }
        if (header != NULL && !header_is(&msg.header, header)) {
            fail_msg("%s: header", name);
        }
        bool is_ok = strcmp(text_of(result, "kind"), "ok") == 0;
        if (is_ok && !content_is(&msg, json_object_get(result, "content"))) {
            fail_msg("%s: content", name);
        }
        heap_free(datagram);
    }
}

static void hgtp_short_names_that_the_original_drops_are_decoded(void **state)
{
    (void)state;
    struct hgtp_message msg;
    struct bytes datagram = vector_datagram("decode", "join-32-bytes-total");
    assert_int_equal(hgtp_decode(datagram, &msg), HGTP_DECODED);
    assert_true(bytes_equal(msg.room_name, bytes_str("YWJj")));
    heap_free(datagram);
    datagram = vector_datagram("decode", "remove-empty-room-40-bytes");
    assert_int_equal(hgtp_decode(datagram, &msg), HGTP_DECODED);
    assert_int_equal(msg.peer.room_name.len, 0);
    assert_true(bytes_equal(msg.peer.peer_name, bytes_str("YWxpY2U=")));
    heap_free(datagram);
}

static void hgtp_every_truncation_of_every_vector_is_refused(void **state)
{
    (void)state;
    size_t index;
    json_t *vector;
    json_array_foreach(vectors_array("hgtp", 113), index, vector)
    {
        struct bytes whole = heap_from_hex(text_of(vector, "hex"));
        for (size_t len = 0; len < whole.len; len++) {
            struct bytes cut = heap_copy(bytes_of(whole.ptr, len));
            struct hgtp_message msg;
            enum hgtp_result expected = len < HGTP_HEADER_BYTES ? HGTP_BAD_HEADER : HGTP_BAD_BODY;
            if (hgtp_decode(cut, &msg) != expected) {
                fail_msg("%s cut to %zu", text_of(vector, "name"), len);
            }
            heap_free(cut);
        }
        heap_free(whole);
    }
}

static void hgtp_every_truncation_of_a_decode_vector_keeps_views_inside(void **state)
{
    (void)state;
    size_t index;
    json_t *vector;
    json_array_foreach(vectors_array("decode", 66), index, vector)
    {
        struct bytes whole = heap_from_hex(text_of(vector, "hex"));
        for (size_t len = 0; len < whole.len; len++) {
            struct bytes cut = heap_copy(bytes_of(whole.ptr, len));
            struct hgtp_message msg;
            enum hgtp_result result = hgtp_decode(cut, &msg);
            assert_int_equal(result == HGTP_BAD_HEADER,
                             len < HGTP_HEADER_BYTES || memcmp(cut.ptr, "HS", 2) != 0);
            if (result == HGTP_DECODED) {
                uint8_t storage[TEST_DATAGRAM_MAX];
                struct sink out = sink_into(storage, sizeof storage);
                hgtp_encode(&msg, &out); /* reads every view, so a stray one is seen */
                sink_put(&out, msg.trailer);
                assert_true(sink_fits(&out));
            }
            heap_free(cut);
        }
        heap_free(whole);
    }
}

static void hgtp_padded_relay_is_the_datagram_that_the_original_takes(void **state)
{
    (void)state;
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    struct bytes bare = vector_datagram("decode", "invite-40-bytes-total");
    struct bytes padded = vector_datagram("decode", "invite-40-bytes-padded-to-44");
    struct hgtp_message msg;
    assert_int_equal(hgtp_decode(bare, &msg), HGTP_DECODED);
    hgtp_encode(&msg, &out);
    assert_true(bytes_equal(sink_bytes(&out), bare));
    hgtp_pad_relay(&out);
    assert_true(bytes_equal(sink_bytes(&out), padded));
    assert_int_equal(hgtp_decode(padded, &msg), HGTP_DECODED);
    assert_int_equal(msg.header.body_bytes, 16);
    assert_true(bytes_equal(msg.trailer, bytes_of("\0\0\0\0", 4)));
    heap_free(bare);
    heap_free(padded);
}

static void hgtp_relay_of_44_bytes_and_more_is_not_padded(void **state)
{
    (void)state;
    uint8_t storage[64];
    for (size_t len = 0; len <= sizeof storage; len++) {
        struct sink out = sink_into(storage, sizeof storage);
        out.len = len;
        hgtp_pad_relay(&out);
        assert_int_equal(out.len, len < HGTP_RELAY_MIN_BYTES ? HGTP_RELAY_MIN_BYTES : len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hgtp_each_vector_decodes_to_its_fields_and_encodes_again),
        cmocka_unit_test(hgtp_fields_of_each_vector_encode_to_its_bytes),
        cmocka_unit_test(hgtp_decode_vectors_give_what_the_original_gave),
        cmocka_unit_test(hgtp_short_names_that_the_original_drops_are_decoded),
        cmocka_unit_test(hgtp_every_truncation_of_every_vector_is_refused),
        cmocka_unit_test(hgtp_every_truncation_of_a_decode_vector_keeps_views_inside),
        cmocka_unit_test(hgtp_padded_relay_is_the_datagram_that_the_original_takes),
        cmocka_unit_test(hgtp_relay_of_44_bytes_and_more_is_not_padded),
    };
    return cmocka_run_group_tests(tests, vectors_load, vectors_free);
}
