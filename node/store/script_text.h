/* SPDX-License-Identifier: MIT */
/* script_text: the text of each script, embedded at build: the parts from scripts/lib that it
 * names, then the script. */
#ifndef STORE_SCRIPT_TEXT_H
#define STORE_SCRIPT_TEXT_H

#include "node/core/ports.h"

struct script_text {
    const char *name;
    const unsigned char *text;
    size_t len;
};

extern const struct script_text script_texts[SCRIPT_COUNT];

#endif
