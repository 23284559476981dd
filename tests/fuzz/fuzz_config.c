/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for config: any file either loads to values within their bounds, which printed and
 * loaded again are the same, or leaves nothing but an error in one printable line.
 */
#include "node/base/config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define VALUE_MAX_BYTES 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_text(const char *text, size_t max)
{
    assert(text != NULL && strlen(text) <= max);
    for (; *text != '\0'; text++) {
        assert((unsigned char)*text >= ' ' && *text != 0x7f);
    }
}

static int count_choices(const char *choices)
{
    int count = 1;
    for (; *choices != '\0'; choices++) {
        count += *choices == '|';
    }
    return count;
}

static void assert_within_bounds(const struct config *config)
{
#define CONFIG_STR(section, key, fallback, reload, help)                                           \
    assert_text(config->section##_##key, VALUE_MAX_BYTES);
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)                                \
    assert_text(config->section##_##key, VALUE_MAX_BYTES);                                         \
    assert(config->section##_##key[0] != '\0' || fallback[0] == '\0');
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    assert(config->section##_##key >= (min) && config->section##_##key <= (max));
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)                                 \
    assert(config->section##_##key >= 0 && config->section##_##key < count_choices(choices));
#include "node/base/config.def"
    uint32_t ip;
    uint16_t port;
    assert(config_ipv4_port(config->hgtp_listen, &ip, &port));
    assert(config_ipv4_port(config->http_listen, &ip, &port));
    (void)config_networks_contain(config->hgtp_trusted_networks, ip);
}

/* A file in memory, with a name for as long as it is open. */
static FILE *open_memory(char name[32])
{
    int fd = memfd_create("config", MFD_CLOEXEC);
    assert(fd >= 0);
    (void)snprintf(name, 32, "/proc/self/fd/%d", fd);
    FILE *file = fdopen(fd, "w");
    assert(file != NULL);
    return file;
}

static bool is_secret(const char *key, const char *value)
{
    return strcmp(key, "auth_key") == 0 || strcmp(key, "bus_key") == 0 ||
           (strcmp(key, "redis_url") == 0 && strchr(value, '@') != NULL);
}

static void assert_str_again(const char *key, const char *value, const char *again)
{
    assert(is_secret(key, value) ? again[0] == '\0' : strcmp(value, again) == 0);
}

static void assert_prints_and_loads_again(const struct config *config)
{
    char name[32];
    char error[CONFIG_ERROR_BYTES];
    struct config again;
    FILE *file = open_memory(name);
    config_print(config, file);
    assert(fflush(file) == 0);
    const struct config_sources sources = {.file = name};
    assert(config_load(&sources, &again, error));
#define CONFIG_STR(section, key, fallback, reload, help)                                           \
    assert_str_again(#section "_" #key, config->section##_##key, again.section##_##key);
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)                                \
    assert_str_again(#section "_" #key, config->section##_##key, again.section##_##key);
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    assert(config->section##_##key == again.section##_##key);
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)                                 \
    assert(config->section##_##key == again.section##_##key);
#include "node/base/config.def"
    config_fini(&again);
    (void)fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char name[32];
    char error[CONFIG_ERROR_BYTES];
    struct config config;
    FILE *file = open_memory(name);
    assert(fwrite(data, 1, size, file) == size && fflush(file) == 0);
    const struct config_sources sources = {.file = name};
    memset(error, 0x7f, sizeof error);
    if (config_load(&sources, &config, error)) {
        assert_within_bounds(&config);
        assert_prints_and_loads_again(&config);
    } else {
        static const struct config none;
        assert(memcmp(&config, &none, sizeof none) == 0);
        assert(strncmp(error, name, strlen(name)) == 0 && strlen(error) > strlen(name) + 2);
        assert_text(error, sizeof error - 1);
    }
    config_fini(&config);
    (void)fclose(file);
    return 0;
}
