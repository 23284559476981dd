/* SPDX-License-Identifier: MIT */
/*
 * digest: the original's digest against its own output (array "nonce" of the vectors), HMAC-SHA-256
 * against RFC 4231, SHA-256 against FIPS 180, and signatures of which not one byte may change.
 */
#include "proto/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/hgtp.h"

#define TEST_BYTES_MAX 256

struct hmac_vector {
    const char *key_hex;
    const char *data_hex;
    const char *mac_hex;
};

/* RFC 4231, cases 1 to 4, 6 and 7; case 5 is cut to 16 bytes and tested with the signature. */
static const struct hmac_vector hmac_vectors[] = {
    {"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
     "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
    {"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddddddddddddddddddddddddddddddd",
     "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
    {"0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
     "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d2048617368204b6"
     "5"
     "79204669727374",
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206"
     "b"
     "657920616e642061206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206"
     "e"
     "6565647320746f20626520686173686564206265666f7265206265696e6720757365642062792074686520484d414"
     "3"
     "20616c676f726974686d2e",
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
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

static struct bytes hex_bytes(const char *hex, uint8_t storage[TEST_BYTES_MAX])
{
    size_t count = strlen(hex) / 2;
    assert_true(count <= TEST_BYTES_MAX);
    for (size_t i = 0; i < count; i++) {
        char digits[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        storage[i] = (uint8_t)strtoul(digits, NULL, 16);
    }
    return bytes_of(storage, count);
}

static void assert_hex(const uint8_t *actual, size_t count, const char *expected_hex)
{
    uint8_t storage[TEST_BYTES_MAX];
    struct bytes expected = hex_bytes(expected_hex, storage);
    assert_int_equal(count, expected.len);
    assert_memory_equal(actual, expected.ptr, count);
}

static void digest_legacy_of_the_originals_constants_has_the_28_known_bytes(void **state)
{
    (void)state;
    uint8_t storage[DIGEST_LEGACY_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    digest_legacy(bytes_str("HGTP_SERVICE"), bytes_str("950817"), &out);
    assert_hex(storage, out.len, "c3bc04efbfbd7defbfbd654befbfbdee97bcefbfbdefbfbd65efbfbd");
}

static void digest_legacy_vectors_give_what_the_original_gave(void **state)
{
    (void)state;
    size_t index;
    json_t *vector;
    json_t *array = json_object_get(vectors, "nonce");
    assert_true(json_array_size(array) >= 15);
    json_array_foreach(array, index, vector)
    {
        const json_t *fields = json_object_get(vector, "fields");
        uint8_t storage[DIGEST_LEGACY_MAX];
        struct sink out = sink_into(storage, sizeof storage);
        digest_legacy(bytes_str(json_string_value(json_object_get(fields, "realm"))),
                      bytes_str(json_string_value(json_object_get(fields, "key"))), &out);
        assert_true(sink_fits(&out));
        assert_int_equal(out.len, json_integer_value(json_object_get(fields, "length")));
        assert_hex(storage, out.len, json_string_value(json_object_get(vector, "hex")));
    }
}

static void digest_legacy_joins_realm_and_key_with_nothing_between(void **state)
{
    (void)state;
    uint8_t split[DIGEST_LEGACY_MAX], joined[DIGEST_LEGACY_MAX];
    struct sink split_out = sink_into(split, sizeof split);
    struct sink joined_out = sink_into(joined, sizeof joined);
    digest_legacy(bytes_str("HGTP_"), bytes_str("SERVICE950817"), &split_out);
    digest_legacy(bytes_str("HGTP_SERVICE950817"), bytes_of(NULL, 0), &joined_out);
    assert_true(bytes_equal(sink_bytes(&split_out), sink_bytes(&joined_out)));
}

static void digest_hmac_sha256_gives_the_macs_of_rfc_4231(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof hmac_vectors / sizeof hmac_vectors[0]; i++) {
        uint8_t key[TEST_BYTES_MAX], data[TEST_BYTES_MAX], mac[DIGEST_SHA256_BYTES];
        digest_hmac_sha256(hex_bytes(hmac_vectors[i].key_hex, key),
                           hex_bytes(hmac_vectors[i].data_hex, data), mac);
        assert_hex(mac, sizeof mac, hmac_vectors[i].mac_hex);
    }
}

static void digest_hmac_sha256_takes_empty_key_and_data(void **state)
{
    (void)state;
    uint8_t mac[DIGEST_SHA256_BYTES];
    digest_hmac_sha256(bytes_of(NULL, 0), bytes_of(NULL, 0), mac);
    assert_hex(mac, sizeof mac, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void digest_sha256_gives_the_hashes_of_fips_180(void **state)
{
    (void)state;
    uint8_t hash[DIGEST_SHA256_BYTES];
    digest_sha256(bytes_of(NULL, 0), bytes_of(NULL, 0), hash);
    assert_hex(hash, sizeof hash,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    static const struct {
        const char *a;
        const char *b;
    } splits[] = {{"abc", ""}, {"a", "bc"}, {"", "abc"}};
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; i++) {
        digest_sha256(bytes_str(splits[i].a), bytes_str(splits[i].b), hash);
        assert_hex(hash, sizeof hash,
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}

static void digest_equal_tells_every_difference(void **state)
{
    (void)state;
    uint8_t a[DIGEST_SHA256_BYTES], b[DIGEST_SHA256_BYTES];
    memset(a, 0x5a, sizeof a);
    memcpy(b, a, sizeof b);
    assert_true(digest_equal(bytes_of(a, sizeof a), bytes_of(b, sizeof b)));
    assert_true(digest_equal(bytes_of(NULL, 0), bytes_of(a, 0)));
    assert_false(digest_equal(bytes_of(a, sizeof a), bytes_of(b, sizeof b - 1)));
    assert_false(digest_equal(bytes_of(a, sizeof a), bytes_of(NULL, 0)));
    for (size_t i = 0; i < sizeof b; i++) {
        b[i] ^= 1;
        assert_false(digest_equal(bytes_of(a, sizeof a), bytes_of(b, sizeof b)));
        b[i] ^= 1;
    }
}

/* Case 5 of RFC 4231 is the one whose MAC is cut to 16 bytes. */
static void digest_signature_is_the_mac_cut_to_16_bytes(void **state)
{
    (void)state;
    uint8_t token[TEST_BYTES_MAX];
    uint8_t storage[64];
    struct sink out = sink_into(storage, sizeof storage);
    sink_text(&out, "Test With Truncation");
    digest_sign(hex_bytes("0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", token), &out);
    assert_int_equal(out.len, 20 + HGTP_SIGNATURE_BYTES);
    assert_hex(storage + 20, HGTP_SIGNATURE_BYTES, "a3b6167473100ee06e0c796c2955552b");
}

static size_t signed_join(struct bytes token, uint8_t *storage, size_t cap)
{
    static const uint8_t user_id[HGTP_USER_ID_BYTES] = "tYn5VRHk";
    struct hgtp_message msg = {.header = {.type = HGTP_JOIN_ROOM, .request_type = HGTP_JOIN_ROOM},
                               .room_name = bytes_str("cm9vbTEy")};
    memcpy(msg.header.user_id, user_id, sizeof user_id);
    struct sink out = sink_into(storage, cap);
    hgtp_encode(&msg, &out);
    digest_sign(token, &out);
    assert_true(sink_fits(&out));
    return out.len;
}

static void digest_signed_datagram_is_valid_and_decodes_with_its_trailer(void **state)
{
    (void)state;
    uint8_t storage[128];
    size_t len = signed_join(bytes_str("token"), storage, sizeof storage);
    assert_true(digest_signature_valid(bytes_str("token"), bytes_of(storage, len)));
    struct hgtp_message msg;
    assert_int_equal(hgtp_decode(bytes_of(storage, len), &msg), HGTP_DECODED);
    assert_int_equal(msg.trailer.len, HGTP_SIGNATURE_BYTES);
    assert_ptr_equal(msg.trailer.ptr, storage + len - HGTP_SIGNATURE_BYTES);
    assert_true(bytes_equal(msg.room_name, bytes_str("cm9vbTEy")));
}

static void digest_signed_datagram_with_any_bit_changed_is_invalid(void **state)
{
    (void)state;
    uint8_t storage[128];
    size_t len = signed_join(bytes_str("token"), storage, sizeof storage);
    for (size_t bit = 0; bit < len * 8; bit++) {
        storage[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(digest_signature_valid(bytes_str("token"), bytes_of(storage, len)));
        storage[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_true(digest_signature_valid(bytes_str("token"), bytes_of(storage, len)));
}

static void digest_signature_of_another_length_or_token_is_invalid(void **state)
{
    (void)state;
    uint8_t storage[128] = {0};
    size_t len = signed_join(bytes_str("token"), storage, sizeof storage);
    for (size_t other = 0; other < sizeof storage; other++) {
        bool is_valid = digest_signature_valid(bytes_str("token"), bytes_of(storage, other));
        assert_int_equal(is_valid, other == len);
    }
    assert_false(digest_signature_valid(bytes_str("tokem"), bytes_of(storage, len)));
    assert_false(digest_signature_valid(bytes_str("toke"), bytes_of(storage, len)));
    assert_false(digest_signature_valid(bytes_of("token\1", 6), bytes_of(storage, len)));
}

static void digest_signature_under_an_empty_token_is_never_valid(void **state)
{
    (void)state;
    uint8_t storage[128];
    size_t len = signed_join(bytes_of(NULL, 0), storage, sizeof storage);
    assert_false(digest_signature_valid(bytes_of(NULL, 0), bytes_of(storage, len)));
}

static void digest_sign_without_room_counts_and_does_not_overrun(void **state)
{
    (void)state;
    uint8_t storage[20]; /* exactly the capacity, so that AddressSanitizer sees any overrun */
    struct sink out = sink_into(storage, sizeof storage);
    sink_text(&out, "12345");
    digest_sign(bytes_str("token"), &out);
    assert_int_equal(out.len, 5 + HGTP_SIGNATURE_BYTES);
    assert_false(sink_fits(&out));
    digest_sign(bytes_str("token"), &out);
    assert_int_equal(out.len, 5 + 2 * HGTP_SIGNATURE_BYTES);
    assert_memory_equal(storage, "12345", 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digest_legacy_of_the_originals_constants_has_the_28_known_bytes),
        cmocka_unit_test(digest_legacy_vectors_give_what_the_original_gave),
        cmocka_unit_test(digest_legacy_joins_realm_and_key_with_nothing_between),
        cmocka_unit_test(digest_hmac_sha256_gives_the_macs_of_rfc_4231),
        cmocka_unit_test(digest_hmac_sha256_takes_empty_key_and_data),
        cmocka_unit_test(digest_sha256_gives_the_hashes_of_fips_180),
        cmocka_unit_test(digest_equal_tells_every_difference),
        cmocka_unit_test(digest_signature_is_the_mac_cut_to_16_bytes),
        cmocka_unit_test(digest_signed_datagram_is_valid_and_decodes_with_its_trailer),
        cmocka_unit_test(digest_signed_datagram_with_any_bit_changed_is_invalid),
        cmocka_unit_test(digest_signature_of_another_length_or_token_is_invalid),
        cmocka_unit_test(digest_signature_under_an_empty_token_is_never_valid),
        cmocka_unit_test(digest_sign_without_room_counts_and_does_not_overrun),
    };
    return cmocka_run_group_tests(tests, vectors_load, vectors_free);
}
