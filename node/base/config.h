/* SPDX-License-Identifier: MIT */
/*
 * config: the node's settings, from defaults, file, environment and --set, in this order; the
 * later one wins. The table is config.def. An error names source, line, key and what is allowed.
 */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* No name is ever longer, whatever limits.name_bytes is now: its upper bound. */
#define CONFIG_NAME_BYTES_MAX 512

/** One field per row of config.def, named section_key. Strings are owned by the structure. */
struct config {
#define CONFIG_STR(section, key, fallback, reload, help)                 char *section##_##key;
#define CONFIG_CHECKED(section, key, fallback, check, reload, help)      char *section##_##key;
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help) int64_t section##_##key;
#define CONFIG_ENUM(section, key, fallback, choices, reload, help)       int section##_##key;
#include "config.def"
};

/** Where settings come from; all borrowed for the call. */
struct config_sources {
    const char *file;         /* NULL: none */
    char *const *environment; /* NULL-terminated "NAME=value"; NULL: none */
    const char *const *sets;  /* "section.key=value" */
    size_t set_count;
};

/** Room for one message of config_load or config_reload. */
#define CONFIG_ERROR_BYTES 512

/**
 * Fill `ret_config` from all sources.
 *
 * ret_error  on failure: one sentence naming file and line (or variable, or --set), key, what was
 *            wrong and what is allowed, with "did you mean" for a misspelt key; CONFIG_ERROR_BYTES
 * returns    true; or false with ret_config as config_fini leaves it
 */
bool config_load(const struct config_sources *sources, struct config *ret_config, char *ret_error);

/**
 * Take over into `live` what `fresh` has for the keys that may change while running.
 *
 * on_change    called for each differing key; `applied` false: it needs a restart. Values are not
 *              passed: some are secret.
 */
void config_reload(struct config *live, const struct config *fresh,
                   void (*on_change)(const char *key, bool applied, void *arg), void *arg);

/** True when a text setting has its default, given or not. The key is of config.def. */
bool config_is_default(const char *section, const char *key, const char *value);

/** One setting as it is. What is secret has the value "(set)". Views are borrowed for the call. */
struct config_setting {
    const char *key; /* section.key */
    const char *value, *fallback, *help;
    bool is_secret, reloads;
};
void config_each(const struct config *config,
                 void (*on_setting)(const struct config_setting *setting, void *arg), void *arg);

/**
 * Fill `ret_changed` with what `live` has and one key changed, to be judged and given to
 * config_reload.
 *
 * key        section.key
 * ret_error  as of config_load
 * returns    true; or false with ret_changed as config_fini leaves it
 */
bool config_change(const struct config *live, const char *key, const char *value,
                   struct config *ret_changed, char *ret_error);
/** True when the value of this key, which may be none, must not be shown. */
bool config_is_secret(const char *key, const char *value);

/** Legal on zeroed storage. */
void config_fini(struct config *config);

/** Print as INI with default, unit, bounds and help as comments; secrets are shown as "(set)". */
void config_print(const struct config *config, FILE *out);

/** The example file (all keys commented out at their defaults), and docs/configuration.md. */
void config_print_example(FILE *out);
void config_print_markdown(FILE *out);

/** "a.b.c.d:port" as checked by ipv4_port, in host order. */
bool config_ipv4_port(const char *text, uint32_t *ret_ip, uint16_t *ret_port);

/** True when `ip` (host order) is inside one of `networks` ("10.0.0.0/8,192.168.1.7"). */
bool config_networks_contain(const char *networks, uint32_t ip);

#endif
