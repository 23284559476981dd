/* SPDX-License-Identifier: MIT */
/* top_scene: what one frame is drawn from, besides where the person has scrolled to (top_look.h).
 */
#ifndef ADMIN_TOP_TOP_SCENE_H
#define ADMIN_TOP_TOP_SCENE_H

#include "admin/top/top_look.h"

struct top_scene {
    const Hgtp__Tool__TopReply *reading; /* NULL: there is none yet */
    int64_t interval_ms;
    const char *trouble; /* with reading, in words; "": there is none */
    bool has_colour;
    size_t columns, rows; /* of the terminal */
};

#endif
