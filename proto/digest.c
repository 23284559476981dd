/* SPDX-License-Identifier: MIT */
/*
 * digest: the original's double MD5, HMAC-SHA-256 and SHA-256 by libcrypto, and the signature at
 * the end of a datagram. Which key or token to use, and what follows from a wrong one, is the
 * caller's affair. A digest that could not be made must never be compared with one that a stranger
 * sent, so a failure of libcrypto, which for these algorithms means a broken installation, ends the
 * program.
 */
#include "proto/digest.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "proto/hgtp.h"
#include "proto/utf8.h"

#define DIGEST_MD5_BYTES 16

/* libcrypto takes a NULL key or message for "none set", not for an empty one. */
static const void *digest_ptr(struct bytes in)
{
    return in.len == 0 ? (const void *)"" : in.ptr;
}

/* The hash of `a` followed by `b`, in `hash_bytes` bytes. */
static void digest_hash(const EVP_MD *md, struct bytes a, struct bytes b, uint8_t *ret_hash,
                        size_t hash_bytes)
{
    assert((size_t)EVP_MD_get_size(md) == hash_bytes);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool is_made = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
                   EVP_DigestUpdate(ctx, digest_ptr(a), a.len) == 1 &&
                   EVP_DigestUpdate(ctx, digest_ptr(b), b.len) == 1 &&
                   EVP_DigestFinal_ex(ctx, ret_hash, NULL) == 1;
    assert(is_made);
    EVP_MD_CTX_free(ctx);
}

void digest_legacy(struct bytes realm, struct bytes key, struct sink *out)
{
    uint8_t inner[DIGEST_MD5_BYTES];
    uint8_t outer[DIGEST_MD5_BYTES];
    digest_hash(EVP_md5(), realm, key, inner, sizeof inner);
    digest_hash(EVP_md5(), bytes_of(inner, sizeof inner), bytes_of(NULL, 0), outer, sizeof outer);
    utf8_replace(bytes_of(outer, sizeof outer), out);
}

void digest_hmac_sha256(struct bytes key, struct bytes data, uint8_t ret_mac[DIGEST_SHA256_BYTES])
{
    size_t mac_bytes = 0;
    const unsigned char *mac =
        EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, digest_ptr(key), key.len, digest_ptr(data),
                  data.len, ret_mac, DIGEST_SHA256_BYTES, &mac_bytes);
    assert(mac != NULL && mac_bytes == DIGEST_SHA256_BYTES);
}

void digest_sha256(struct bytes a, struct bytes b, uint8_t ret_hash[DIGEST_SHA256_BYTES])
{
    digest_hash(EVP_sha256(), a, b, ret_hash, DIGEST_SHA256_BYTES);
}

void digest_sha1(struct bytes a, struct bytes b, uint8_t ret_hash[DIGEST_SHA1_BYTES])
{
    digest_hash(EVP_sha1(), a, b, ret_hash, DIGEST_SHA1_BYTES);
}

bool digest_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && CRYPTO_memcmp(digest_ptr(a), digest_ptr(b), a.len) == 0;
}

void digest_sign(struct bytes token, struct sink *datagram)
{
    uint8_t mac[DIGEST_SHA256_BYTES] = {0};
    if (sink_fits(datagram)) {
        digest_hmac_sha256(token, sink_bytes(datagram), mac);
    }
    /* What does not fit is not there to be signed; the signature is counted all the same. */
    sink_put(datagram, bytes_of(mac, HGTP_SIGNATURE_BYTES));
}

bool digest_signature_valid(struct bytes token, struct bytes datagram)
{
    /* Anyone can sign under an empty token, so it proves nothing. */
    if (token.len == 0 || datagram.len < HGTP_SIGNATURE_BYTES) {
        return false;
    }
    uint8_t mac[DIGEST_SHA256_BYTES];
    size_t signed_bytes = datagram.len - HGTP_SIGNATURE_BYTES;
    digest_hmac_sha256(token, bytes_of(datagram.ptr, signed_bytes), mac);
    return digest_equal(bytes_of(datagram.ptr + signed_bytes, HGTP_SIGNATURE_BYTES),
                        bytes_of(mac, HGTP_SIGNATURE_BYTES));
}
