/* SPDX-License-Identifier: MIT */
/*
 * visible: text from outside, made fit for a terminal: nothing in it moves the cursor, rings,
 * changes colours, turns the direction of writing or begins another line.
 */
#ifndef PROTO_VISIBLE_H
#define PROTO_VISIBLE_H

#include "proto/bytes.h"

#define VISIBLE_FACTOR 3 /* a byte becomes at most three */

/**
 * Append `text` with a picture (U+2400...) for each control character, U+0000 included, U+FFFD for
 * what steers the direction and for bytes that are no UTF-8, and a blank for a tab.
 */
void visible_put(struct bytes text, struct sink *out);

#endif
