/* SPDX-License-Identifier: MIT */
/*
 * config_names: finds settings by name, and for a name that is none the one that may have been
 * meant. It neither reads nor words anything.
 */
#include <ctype.h>

#include "node/base/config_table.h"

#include <assert.h>

/* How many slips (a letter too many, missing or wrong, two swapped) lie between `word` and `meant`;
 * capitals don't matter. Long words are far from everything. */
static int config_names_distance(const char *word, const char *meant)
{
    enum { WORD_MAX = 40 };
    int cost[WORD_MAX + 1][WORD_MAX + 1];
    size_t rows = strlen(word);
    size_t columns = strlen(meant);
    if (rows > WORD_MAX || columns > WORD_MAX) {
        return WORD_MAX;
    }
    for (size_t i = 0; i <= rows; i++) {
        for (size_t k = 0; k <= columns; k++) {
            if (i == 0 || k == 0) {
                cost[i][k] = (int)(i + k);
                continue;
            }
            int here = tolower((unsigned char)word[i - 1]);
            int best = cost[i - 1][k - 1] + (here != meant[k - 1]);
            best = cost[i - 1][k] + 1 < best ? cost[i - 1][k] + 1 : best;
            best = cost[i][k - 1] + 1 < best ? cost[i][k - 1] + 1 : best;
            if (i > 1 && k > 1 && here == meant[k - 2] &&
                tolower((unsigned char)word[i - 2]) == meant[k - 1] &&
                cost[i - 2][k - 2] + 1 < best) {
                best = cost[i - 2][k - 2] + 1;
            }
            cost[i][k] = best;
        }
    }
    return cost[rows][columns];
}

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
    int least = 3;
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        const char *meant = section == NULL ? row->section : row->key;
        if (section != NULL && strcmp(row->section, section) != 0) {
            continue;
        }
        int distance = config_names_distance(word, meant);
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
