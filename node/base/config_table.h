/* SPDX-License-Identifier: MIT */
/*
 * config_table: config.def as rows, and what can be asked about a row. Shared by the parts of
 * config only; everybody else uses config.h.
 */
#ifndef BASE_CONFIG_TABLE_H
#define BASE_CONFIG_TABLE_H

#include <stddef.h>
#include <string.h>

#include "node/base/config.h"

/** Longest value of a string setting. */
#define CONFIG_VALUE_MAX_BYTES 1024

/** Room for "section.key", and for what config_print_allowed says. */
#define CONFIG_NAME_BYTES    64
#define CONFIG_ALLOWED_BYTES 256

enum config_kind { CONFIG_KIND_STR, CONFIG_KIND_INT, CONFIG_KIND_ENUM };

struct config_row {
    enum config_kind kind;
    const char *section;
    const char *key;
    const char *fallback;
    bool reloads;
    size_t offset;                   /* of the field in struct config */
    int64_t min;                     /* INT */
    int64_t max;                     /* INT */
    const char *unit;                /* INT */
    const char *choices;             /* ENUM: "a|b" */
    bool (*check)(const char *text); /* STR; NULL: any text */
    const char *allowed;             /* STR with a check: what it accepts, in words */
    const char *help;
};

/** As many as CONFIG_ROW_COUNT, in the order of config.def; sections stand together. */
extern const struct config_row config_rows[];

enum {
#define CONFIG_STR(section, key, fallback, reload, help)            CONFIG_ROW_##section##_##key,
#define CONFIG_CHECKED(section, key, fallback, check, reload, help) CONFIG_ROW_##section##_##key,
#define CONFIG_INT(section, key, fallback, min, max, unit, reload, help)                           \
    CONFIG_ROW_##section##_##key,
#define CONFIG_ENUM(section, key, fallback, choices, reload, help) CONFIG_ROW_##section##_##key,
#include "node/base/config.def"
    CONFIG_ROW_COUNT
};

enum config_taken { CONFIG_TAKEN, CONFIG_REFUSED, CONFIG_NO_MEMORY };

/** Judge `text` and store it in the row's field, which keeps its value if that is not taken. */
enum config_taken config_check_take(const struct config_row *row, const char *text,
                                    struct config *config);

/** True when `value` must not be shown anywhere. Says it for every setting. */
bool config_check_is_secret(const struct config_row *row, const char *value);

/** Choice number `index` of an ENUM row, for "%.*s"; false when there are not as many. */
bool config_check_choice(const struct config_row *row, int index, const char **ret_text,
                         int *ret_len);

/** The row of a key; NULL: there is none. Names are compared to the letter. */
const struct config_row *config_names_find(const char *section, const char *key);
bool config_names_section(const char *section);

/** The key of `section` (NULL: the section) that `word` may have been meant to be; NULL: none. */
const char *config_names_nearest(const char *section, const char *word);

/** "a, b, c": the keys of `section` (NULL: the sections); cut to `cap`. */
void config_names_list(const char *section, char *out, size_t cap);

/** What the row accepts, in words that go on "must be ..."; `out` has CONFIG_ALLOWED_BYTES. */
void config_print_allowed(const struct config_row *row, char *out);

/** True for a row that begins a section. */
static inline bool config_row_begins(const struct config_row *row)
{
    return row == config_rows || strcmp(row->section, row[-1].section) != 0;
}

static inline void *config_field(struct config *config, const struct config_row *row)
{
    return (char *)config + row->offset;
}

static inline const void *config_field_const(const struct config *config,
                                             const struct config_row *row)
{
    return (const char *)config + row->offset;
}

#endif
