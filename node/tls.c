/* SPDX-License-Identifier: MIT */
/*
 * tls: reads certificate, key and authorities. OpenSSL looks at them first, because nng's own TLS
 * (mbed TLS) says no more than that something is wrong with them. Handshakes are nng's.
 */
#include "tls.h"

#include <errno.h>
#include <nng/supplemental/tls/tls.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "node/base/metrics.h"
#include "node/base/secret_file.h"
#include "proto/utf8.h"

#define TLS_FILE_MAX ((size_t)1 << 20)

/* The files' texts and what is in them, while they are looked at. */
struct tls_files {
    const struct config *config;
    char *error;
    char *cert_text, *key_text, *ca_text; /* ca_text NULL: not configured */
    X509 *cert;
    EVP_PKEY *key;
    STACK_OF(X509) * between; /* of the certificate and the authority */
    X509_STORE *authorities;
};

__attribute__((format(printf, 2, 3))) static bool tls_fail(struct tls_files *files,
                                                           const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(files->error, TLS_ERROR_BYTES, format, args);
    va_end(args);
    return false;
}

/* Reading -------------------------------------------------------------------------------------- */

/* The whole file; `is_secret`: only if it is private. */
static bool tls_read(struct tls_files *files, const char *setting, const char *path, bool is_secret,
                     char **ret_text)
{
    char name[32];
    (void)snprintf(name, sizeof name, "tls.%s", setting);
    FILE *file =
        is_secret ? secret_file_open(name, path, files->error, TLS_ERROR_BYTES) : fopen(path, "re");
    if (file == NULL) {
        return !is_secret && tls_fail(files, "%s: cannot read %s: %s", name, path, strerror(errno));
    }
    char *text = malloc(TLS_FILE_MAX);
    size_t len = text != NULL ? fread(text, 1, TLS_FILE_MAX, file) : TLS_FILE_MAX;
    bool is_whole = len < TLS_FILE_MAX && ferror(file) == 0;
    fclose(file);
    if (!is_whole) {
        free(text);
        return tls_fail(files, "%s: cannot read %s, or it has more than 1 MiB", name, path);
    }
    text[len] = '\0';
    const char *past = utf8_past_mark(text);
    memmove(text, past, strlen(past) + 1);
    *ret_text = text;
    return true;
}

/* Nobody is there to be asked. */
static int tls_no_password(char *text, int size, int is_writing, void *arg)
{
    (void)text;
    (void)size;
    (void)is_writing;
    (void)arg;
    return -1;
}

static bool tls_parse_cert(struct tls_files *files)
{
    BIO *bio = BIO_new_mem_buf(files->cert_text, -1);
    files->cert = PEM_read_bio_X509(bio, NULL, tls_no_password, NULL);
    files->between = sk_X509_new_null();
    for (X509 *next; (next = PEM_read_bio_X509(bio, NULL, tls_no_password, NULL)) != NULL;) {
        sk_X509_push(files->between, next);
    }
    BIO_free(bio);
    return files->cert != NULL || tls_fail(files, "tls.cert_file: %s holds no certificate in PEM",
                                           files->config->tls_cert_file);
}

static bool tls_parse_key(struct tls_files *files, const char *setting, const char *path)
{
    BIO *bio = BIO_new_mem_buf(files->key_text, -1);
    files->key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_password, NULL);
    BIO_free(bio);
    if (files->key == NULL) {
        return tls_fail(files, "tls.%s: %s holds no private key in PEM, or one under a password",
                        setting, path);
    }
    int kind = EVP_PKEY_base_id(files->key);
    if (kind != EVP_PKEY_RSA && kind != EVP_PKEY_EC) {
        return tls_fail(files,
                        "tls.%s: the key in %s is neither RSA nor EC; no other kind is "
                        "understood",
                        setting, path);
    }
    return true;
}

static bool tls_parse_authorities(struct tls_files *files)
{
    const char *path = files->config->tls_ca_file;
    files->authorities = X509_STORE_new();
    if (X509_STORE_load_file(files->authorities, path) != 1) {
        return tls_fail(files, "tls.ca_file: %s holds no certificate in PEM", path);
    }
    return true;
}

static bool tls_read_files(struct tls_files *files)
{
    const struct config *config = files->config;
    bool is_apart = config->tls_key_file[0] != '\0';
    const char *key_setting = is_apart ? "key_file" : "cert_file";
    const char *key_path = is_apart ? config->tls_key_file : config->tls_cert_file;
    return tls_read(files, "cert_file", config->tls_cert_file, false, &files->cert_text) &&
           tls_read(files, key_setting, key_path, true, &files->key_text) &&
           tls_parse_cert(files) && tls_parse_key(files, key_setting, key_path) &&
           (config->tls_ca_file[0] == '\0' ||
            (tls_read(files, "ca_file", config->tls_ca_file, false, &files->ca_text) &&
             tls_parse_authorities(files)));
}

/* Checking ------------------------------------------------------------------------------------- */

static int64_t tls_unix_s(const ASN1_TIME *time)
{
    struct tm parts;
    return ASN1_TIME_to_tm(time, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

static bool tls_check_times(struct tls_files *files)
{
    const char *path = files->config->tls_cert_file;
    int64_t now_s = (int64_t)time(NULL), until_s = tls_unix_s(X509_get0_notAfter(files->cert));
    char text[32] = "";
    struct tm parts;
    time_t when = (time_t)until_s;
    (void)strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&when, &parts));
    if (until_s <= now_s) {
        return tls_fail(files, "tls.cert_file: the certificate in %s expired at %s", path, text);
    }
    if (tls_unix_s(X509_get0_notBefore(files->cert)) > now_s) {
        return tls_fail(files,
                        "tls.cert_file: the certificate in %s is not valid yet; is the "
                        "clock right?",
                        path);
    }
    metric_set(METRIC_TLS_EXPIRES, until_s);
    return true;
}

static bool tls_check_chain(struct tls_files *files)
{
    const struct config *config = files->config;
    X509_STORE_CTX *chain = X509_STORE_CTX_new();
    bool is_good =
        X509_STORE_CTX_init(chain, files->authorities, files->cert, files->between) == 1 &&
        X509_verify_cert(chain) == 1;
    const char *why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(chain));
    if (!is_good) {
        (void)tls_fail(files, "tls.cert_file: %s does not come from the authorities in %s: %s",
                       config->tls_cert_file, config->tls_ca_file, why);
    }
    X509_STORE_CTX_free(chain);
    return is_good;
}

static bool tls_check(struct tls_files *files)
{
    const struct config *config = files->config;
    if (X509_check_private_key(files->cert, files->key) != 1) {
        return tls_fail(files, "tls.key_file: the key is not that of the certificate in %s",
                        config->tls_cert_file);
    }
    if (!tls_check_times(files)) {
        return false;
    }
    if (files->authorities == NULL) {
        return true;
    }
    if (X509_check_host(files->cert, config->tls_name, 0, 0, NULL) != 1) {
        return tls_fail(files,
                        "tls.name: the certificate in %s does not carry the DNS name %s, by "
                        "which nodes know each other",
                        config->tls_cert_file, config->tls_name);
    }
    return tls_check_chain(files);
}

/* Handing over --------------------------------------------------------------------------------- */

static int tls_make(const struct tls_files *files, nng_tls_mode mode, bool asks,
                    struct nng_tls_config **ret_made)
{
    nng_tls_config *made = NULL;
    int rc = nng_tls_config_alloc(&made, mode);
    if (rc == 0) {
        *ret_made = made;
        rc = nng_tls_config_version(made, NNG_TLS_1_2, NNG_TLS_1_2);
    }
    if (rc == 0) {
        rc = nng_tls_config_own_cert(made, files->cert_text, files->key_text, NULL);
    }
    if (rc == 0 && asks) {
        rc = nng_tls_config_ca_chain(made, files->ca_text, NULL);
    }
    if (rc == 0) {
        rc = nng_tls_config_auth_mode(made,
                                      asks ? NNG_TLS_AUTH_MODE_REQUIRED : NNG_TLS_AUTH_MODE_NONE);
    }
    if (rc == 0 && mode == NNG_TLS_MODE_CLIENT) {
        rc = nng_tls_config_server_name(made, files->config->tls_name);
    }
    return rc;
}

static bool tls_make_all(struct tls_files *files, struct tls *tls)
{
    int rc = tls_make(files, NNG_TLS_MODE_SERVER, false, &tls->operators);
    if (rc == 0 && files->ca_text != NULL) {
        rc = tls_make(files, NNG_TLS_MODE_SERVER, true, &tls->nodes_in);
    }
    if (rc == 0 && files->ca_text != NULL) {
        rc = tls_make(files, NNG_TLS_MODE_CLIENT, true, &tls->nodes_out);
    }
    return rc == 0 || tls_fail(files,
                               "tls.cert_file: %s, its key or tls.ca_file is not understood: "
                               "%s",
                               files->config->tls_cert_file, nng_strerror(rc));
}

/* There may be a key in it. */
static void tls_forget(char *text)
{
    if (text != NULL) {
        OPENSSL_cleanse(text, strlen(text));
    }
    free(text);
}

static void tls_files_fini(struct tls_files *files)
{
    tls_forget(files->cert_text);
    tls_forget(files->key_text);
    free(files->ca_text);
    X509_free(files->cert);
    EVP_PKEY_free(files->key);
    sk_X509_pop_free(files->between, X509_free);
    X509_STORE_free(files->authorities);
    ERR_clear_error();
}

bool tls_load(const struct config *config, struct tls *ret_tls, char *ret_error)
{
    *ret_tls = (struct tls){0};
    if (config->tls_cert_file[0] == '\0') {
        return true;
    }
    struct tls_files files = {.config = config, .error = ret_error};
    bool is_good = tls_read_files(&files) && tls_check(&files) && tls_make_all(&files, ret_tls);
    if (!is_good) {
        tls_free(ret_tls);
    }
    tls_files_fini(&files);
    return is_good;
}

void tls_free(struct tls *tls)
{
    struct nng_tls_config *all[] = {tls->operators, tls->nodes_in, tls->nodes_out};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i] != NULL) {
            nng_tls_config_free(all[i]);
        }
    }
    *tls = (struct tls){0};
}
