/* SPDX-License-Identifier: MIT */
/* keys: reads or makes the shared keys. They are never logged; what they prove is checked in talk/.
 */
#include "keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#include "node/base/secret_file.h"
#include "proto/utf8.h"

#define KEYS_RANDOM_BYTES 16

static bool keys_on_loopback(const char *listen)
{
    uint32_t ip;
    uint16_t port;
    return config_ipv4_port(listen, &ip, &port) && ip >> 24 == 127;
}

bool keys_may_be_made(const struct config *config)
{
    return keys_on_loopback(config->hgtp_listen) && keys_on_loopback(config->http_listen);
}

static bool keys_add(struct keys_set *keys, const char *text, size_t len)
{
    if (len > sizeof keys->text[0] || keys->valid.count == CORE_KEYS_MAX) {
        return false;
    }
    size_t at = keys->valid.count++;
    memcpy(keys->text[at], text, len);
    keys->valid.keys[at] = bytes_of(keys->text[at], len);
    return true;
}

/* Where keys are configured: "auth" or "bus", and the two settings of that section. */
struct keys_source {
    const char *section;
    const char *key, *file;
};

static bool keys_read_lines(FILE *file, const struct keys_source *source, struct keys_set *keys,
                            char *ret_error)
{
    char line[2048];
    bool is_first = true;
    while (fgets(line, sizeof line, file) != NULL) {
        const char *key = is_first ? utf8_past_mark(line) : line;
        size_t len = strcspn(key, "\r\n");
        is_first = false;
        if (len > 0 && !keys_add(keys, key, len)) {
            snprintf(ret_error, KEYS_ERROR_BYTES,
                     "%s.key_file: %s holds more than %d keys, or one of over %zu bytes",
                     source->section, source->file, CORE_KEYS_MAX, sizeof keys->text[0]);
            return false;
        }
    }
    if (keys->valid.count == 0) {
        snprintf(ret_error, KEYS_ERROR_BYTES, "%s.key_file: %s is empty; its first line is the key",
                 source->section, source->file);
        return false;
    }
    return true;
}

static bool keys_load_set(const struct keys_source *source, struct keys_set *ret_keys,
                          char *ret_error)
{
    memset(ret_keys, 0, sizeof *ret_keys);
    if (source->key[0] != '\0' && !keys_add(ret_keys, source->key, strlen(source->key))) {
        snprintf(ret_error, KEYS_ERROR_BYTES, "%s.key: longer than %zu bytes", source->section,
                 sizeof ret_keys->text[0]);
        return false;
    }
    /* A key that is set for a trial, by the environment, say, is the only one. */
    if (source->key[0] != '\0' || source->file[0] == '\0') {
        return true;
    }
    char setting[32];
    (void)snprintf(setting, sizeof setting, "%s.key_file", source->section);
    FILE *file = secret_file_open(setting, source->file, ret_error, KEYS_ERROR_BYTES);
    if (file == NULL) {
        return false;
    }
    bool is_read = keys_read_lines(file, source, ret_keys, ret_error);
    fclose(file);
    return is_read;
}

bool keys_load(const struct config *config, struct keys *ret_keys, char *ret_error)
{
    const struct keys_source clients = {"auth", config->auth_key, config->auth_key_file};
    const struct keys_source bus = {"bus", config->bus_key, config->bus_key_file};
    return keys_load_set(&clients, &ret_keys->clients, ret_error) &&
           keys_load_set(&bus, &ret_keys->bus, ret_error);
}

void keys_copy(struct keys_set *to, const struct keys_set *from)
{
    memset(to, 0, sizeof *to);
    for (size_t i = 0; i < from->valid.count; i++) {
        keys_add(to, (const char *)from->valid.keys[i].ptr, from->valid.keys[i].len);
    }
}

bool keys_make(const char *path, struct keys_set *ret_keys)
{
    uint8_t noise[KEYS_RANDOM_BYTES];
    char text[2 * KEYS_RANDOM_BYTES + 2];
    if (RAND_bytes(noise, sizeof noise) != 1) {
        errno = EIO;
        return false;
    }
    for (size_t i = 0; i < sizeof noise; i++) {
        snprintf(text + 2 * i, 3, "%02x", noise[i]);
    }
    size_t len = 2 * sizeof noise;
    memset(ret_keys, 0, sizeof *ret_keys);
    keys_add(ret_keys, text, len);
    text[len++] = '\n';
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return false;
    }
    bool is_written = write(fd, text, len) == (ssize_t)len;
    return close(fd) == 0 && is_written;
}
