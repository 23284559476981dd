/* SPDX-License-Identifier: MIT */
/* edit_distance: restricted Damerau-Levenshtein by a table. Which distance is near enough is the
 * caller's to say. */
#include "proto/edit_distance.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { EDIT_DISTANCE_MAX = 40 };

static size_t edit_distance_least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t edit_distance(const char *word, const char *known)
{
    size_t cost[EDIT_DISTANCE_MAX + 1][EDIT_DISTANCE_MAX + 1];
    size_t rows = strlen(word), columns = strlen(known);
    if (rows > EDIT_DISTANCE_MAX || columns > EDIT_DISTANCE_MAX) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i <= rows; i++) {
        for (size_t k = 0; k <= columns; k++) {
            if (i == 0 || k == 0) {
                cost[i][k] = i + k;
                continue;
            }
            int here = tolower((unsigned char)word[i - 1]);
            size_t best = cost[i - 1][k - 1] + (here != known[k - 1]);
            best = edit_distance_least(best, cost[i - 1][k] + 1);
            best = edit_distance_least(best, cost[i][k - 1] + 1);
            bool is_swapped = i > 1 && k > 1 && here == known[k - 2] &&
                              tolower((unsigned char)word[i - 2]) == known[k - 1];
            cost[i][k] = is_swapped ? edit_distance_least(best, cost[i - 2][k - 2] + 1) : best;
        }
    }
    return cost[rows][columns];
}
