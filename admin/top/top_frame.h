/* SPDX-License-Identifier: MIT */
/*
 * top_frame: a reading as a screen full of text: what to send to a terminal, as plain ANSI. Every
 * cell of the table is put at its column by number, so that a terminal that takes a character for
 * wider or narrower than wcwidth does moves nothing.
 */
#ifndef ADMIN_TOP_TOP_FRAME_H
#define ADMIN_TOP_TOP_FRAME_H

#include "admin/top/top_scene.h"

/** Draw all of it, top left to bottom right. What the table has room for is noted in `look`. */
void top_frame(const struct top_scene *scene, struct top_look *look, FILE *out);

#endif
