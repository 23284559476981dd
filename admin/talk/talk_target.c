/* SPDX-License-Identifier: MIT */
/* talk_target: addresses and key, checked before anything is sent. */
#include "admin/talk/talk_target.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "admin/secret_file.h"
#include "admin/visible_print.h"
#include "proto/utf8.h"

#define TALK_TARGET_HTTP_PORT "8080"
#define TALK_TARGET_HGTP_PORT "9000"

static bool talk_target_wrong(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static bool talk_target_wrong(const char *verb, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "hgtpctl %s: ", verb);
    visible_vprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return false;
}

/* The key is the first line. */
static bool talk_target_read_key(const char *verb, const char *path, char key[TALK_TARGET_KEY_MAX])
{
    FILE *file = secret_file_open(path);
    if (file == NULL) {
        return talk_target_wrong(verb, "cannot read the key file %s: %s", path, strerror(errno));
    }
    bool has_line = fgets(key, TALK_TARGET_KEY_MAX, file) != NULL;
    fclose(file);
    if (has_line) {
        const char *past = utf8_past_mark(key);
        memmove(key, past, strlen(past) + 1);
        key[strcspn(key, "\r\n")] = '\0';
    }
    return (has_line && key[0] != '\0') ||
           talk_target_wrong(verb, "the key file %s is empty; its first line is the key", path);
}

bool talk_target_find(const struct talk_target_words *words, struct talk_target *ret_target)
{
    if ((words->key == NULL) == (words->key_file == NULL)) {
        return talk_target_wrong(words->verb,
                                 words->key == NULL
                                     ? "a key is needed: --key-file F, --key KEY or HGTP_AUTH_KEY"
                                     : "--key and --key-file: one of them");
    }
    if (!talk_net_parse(words->http, TALK_TARGET_HTTP_PORT, &ret_target->http)) {
        return talk_target_wrong(words->verb, "%s is not HOST or HOST:PORT", words->http);
    }
    ret_target->hgtp = ret_target->http;
    snprintf(ret_target->hgtp.port, sizeof ret_target->hgtp.port, "%s", TALK_TARGET_HGTP_PORT);
    if (words->hgtp != NULL &&
        !talk_net_parse(words->hgtp, TALK_TARGET_HGTP_PORT, &ret_target->hgtp)) {
        return talk_target_wrong(words->verb, "%s is not HOST or HOST:PORT", words->hgtp);
    }
    if (words->key == NULL) {
        return talk_target_read_key(words->verb, words->key_file, ret_target->key);
    }
    int len = snprintf(ret_target->key, sizeof ret_target->key, "%s", words->key);
    return (size_t)len < sizeof ret_target->key ||
           talk_target_wrong(words->verb, "the key is too long");
}
