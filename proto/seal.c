/* SPDX-License-Identifier: MIT */
/*
 * seal: authenticated encryption by libcrypto. Which secret to use, and for what, is the caller's
 * affair. As in digest.c, a failure of libcrypto that no input can cause ends the program.
 */
#include "proto/seal.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#define SEAL_KEY_BYTES 32
#define SEAL_TAG_BYTES 16

static const char seal_label[] = "hgtp sealed key 1";

static void seal_key(struct bytes secret, uint8_t ret_key[SEAL_KEY_BYTES])
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t) "SHA256", 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)secret.ptr,
                                          secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)seal_label,
                                          sizeof seal_label - 1),
        OSSL_PARAM_construct_end()};
    bool is_made = ctx != NULL && EVP_KDF_derive(ctx, ret_key, SEAL_KEY_BYTES, params) == 1;
    assert(is_made);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static EVP_CIPHER_CTX *seal_begin(struct bytes secret, struct bytes bound, const uint8_t *nonce,
                                  int is_closing)
{
    uint8_t key[SEAL_KEY_BYTES];
    int len;
    seal_key(secret, key);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool is_made = ctx != NULL &&
                   EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, nonce, is_closing) == 1 &&
                   EVP_CipherUpdate(ctx, NULL, &len, bound.ptr, (int)bound.len) == 1;
    assert(is_made);
    OPENSSL_cleanse(key, sizeof key);
    return ctx;
}

void seal_close(struct bytes secret, struct bytes bound, const uint8_t nonce[SEAL_NONCE_BYTES],
                struct bytes plain, struct sink *out)
{
    uint8_t text[SEAL_PLAIN_MAX], tag[SEAL_TAG_BYTES];
    int len, rest;
    assert(plain.len <= sizeof text);
    EVP_CIPHER_CTX *ctx = seal_begin(secret, bound, nonce, 1);
    bool is_made = EVP_CipherUpdate(ctx, text, &len, plain.ptr, (int)plain.len) == 1 &&
                   EVP_CipherFinal_ex(ctx, text + len, &rest) == 1 &&
                   EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag) == 1;
    assert(is_made);
    EVP_CIPHER_CTX_free(ctx);
    sink_put(out, bytes_of(nonce, SEAL_NONCE_BYTES));
    sink_put(out, bytes_of(text, plain.len));
    sink_put(out, bytes_of(tag, sizeof tag));
}

bool seal_open(struct bytes secret, struct bytes bound, struct bytes sealed, struct sink *out)
{
    uint8_t plain[SEAL_PLAIN_MAX];
    int len = 0, rest = 0;
    if (sealed.len < SEAL_EXTRA_BYTES || sealed.len - SEAL_EXTRA_BYTES > sizeof plain) {
        return false;
    }
    size_t plain_bytes = sealed.len - SEAL_EXTRA_BYTES;
    uint8_t tag[SEAL_TAG_BYTES];
    memcpy(tag, sealed.ptr + sealed.len - SEAL_TAG_BYTES, sizeof tag);
    EVP_CIPHER_CTX *ctx = seal_begin(secret, bound, sealed.ptr, 0);
    bool is_genuine =
        EVP_CipherUpdate(ctx, plain, &len, sealed.ptr + SEAL_NONCE_BYTES, (int)plain_bytes) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, sizeof tag, tag) == 1 &&
        EVP_CipherFinal_ex(ctx, plain + len, &rest) == 1;
    EVP_CIPHER_CTX_free(ctx);
    if (is_genuine && out->cap - out->len >= plain_bytes) {
        sink_put(out, bytes_of(plain, plain_bytes));
    } else {
        is_genuine = false;
    }
    OPENSSL_cleanse(plain, sizeof plain);
    return is_genuine;
}
