/* SPDX-License-Identifier: MIT */
/* edit_distance: how far a typed word is from a known one, for "did you mean". */
#ifndef PROTO_EDIT_DISTANCE_H
#define PROTO_EDIT_DISTANCE_H

#include <stddef.h>

/**
 * How many slips (a letter too many, missing or wrong, two that have changed places) lie between
 * `word`, whose capitals don't matter, and `known`. Words of more than 40 bytes are far from all:
 * SIZE_MAX.
 */
size_t edit_distance(const char *word, const char *known);

#endif
