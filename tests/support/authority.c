/* SPDX-License-Identifier: MIT */
/* authority: X.509 by OpenSSL. Whether a program believes them is for the tests to say. */
#include "authority.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define AUTHORITY_DAY_S 86400

struct authority {
    EVP_PKEY *key;
    X509 *cert;
    long serial;
};

static void authority_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    assert(extension != NULL);
    assert(X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* Without its signature. */
static X509 *authority_draft(struct authority *authority, EVP_PKEY *key, const char *name,
                             int64_t from_s, int64_t until_s)
{
    X509 *cert = X509_new();
    assert(cert != NULL && X509_set_version(cert, 2) == 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++authority->serial);
    X509_gmtime_adj(X509_getm_notBefore(cert), (long)from_s);
    X509_gmtime_adj(X509_getm_notAfter(cert), (long)until_s);
    X509_set_pubkey(cert, key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)name, -1, -1, 0);
    return cert;
}

struct authority *authority_new(void)
{
    struct authority *authority = calloc(1, sizeof *authority);
    assert(authority != NULL);
    authority->key = EVP_EC_gen("P-256");
    assert(authority->key != NULL);
    X509 *cert = authority_draft(authority, authority->key, "an authority of the tests",
                                 -AUTHORITY_DAY_S, AUTHORITY_DAY_S);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    authority_extend(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    assert(X509_sign(cert, authority->key, EVP_sha256()) > 0);
    authority->cert = cert;
    return authority;
}

void authority_free(struct authority *authority)
{
    X509_free(authority->cert);
    EVP_PKEY_free(authority->key);
    free(authority);
}

void authority_write(const struct authority *authority, const char *path)
{
    FILE *file = fopen(path, "we");
    assert(file != NULL && PEM_write_X509(file, authority->cert) == 1);
    assert(fclose(file) == 0);
}

void authority_issue(struct authority *authority, const char *path, const char *dns_name,
                     int64_t from_s, int64_t until_s)
{
    char names[300];
    snprintf(names, sizeof names, "DNS:%s", dns_name);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    assert(key != NULL);
    X509 *cert = authority_draft(authority, key, dns_name, from_s, until_s);
    X509_set_issuer_name(cert, X509_get_subject_name(authority->cert));
    authority_extend(cert, authority->cert, NID_subject_alt_name, names);
    assert(X509_sign(cert, authority->key, EVP_sha256()) > 0);
    FILE *file = fopen(path, "we");
    assert(file != NULL && fchmod(fileno(file), 0600) == 0 && PEM_write_X509(file, cert) == 1);
    assert(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    assert(fclose(file) == 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}
