/* SPDX-License-Identifier: MIT */
/*
 * config_names: finds settings by name, and for a name that is none the one that may have been
 * meant. It neither reads nor words anything.
 */
#include <assert.h>

#include "node/base/config_table.h"
#include "proto/edit_distance.h"

const struct config_row *config_names_find(const char *section, const char *key)
{
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        if (strcmp(config_rows[i].section, section) == 0 && strcmp(config_rows[i].key, key) == 0) {
            return &config_rows[i];
        }
    }
    return NULL;
}

bool config_is_default(const char *section, const char *key, const char *value)
{
    const struct config_row *row = config_names_find(section, key);
    assert(row != NULL && row->kind == CONFIG_KIND_STR);
    return strcmp(row->fallback, value) == 0;
}

bool config_names_section(const char *section)
{
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        if (strcmp(config_rows[i].section, section) == 0) {
            return true;
        }
    }
    return false;
}

const char *config_names_nearest(const char *section, const char *word)
{
    const char *nearest = NULL;
    size_t least = 3;
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        const char *meant = section == NULL ? row->section : row->key;
        if (section != NULL && strcmp(row->section, section) != 0) {
            continue;
        }
        size_t distance = edit_distance(word, meant);
        bool is_near = distance < (strlen(meant) > 3 ? 3 : 2);
        if (is_near && distance < least) {
            least = distance;
            nearest = meant;
        }
    }
    return nearest;
}

void config_names_list(const char *section, char *out, size_t cap)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < CONFIG_ROW_COUNT && used < cap; i++) {
        const struct config_row *row = &config_rows[i];
        bool is_listed =
            section == NULL ? config_row_begins(row) : strcmp(row->section, section) == 0;
        if (is_listed) {
            used += (size_t)snprintf(out + used, cap - used, "%s%s", used > 0 ? ", " : "",
                                     section == NULL ? row->section : row->key);
        }
    }
}
