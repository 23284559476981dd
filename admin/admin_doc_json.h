/* SPDX-License-Identifier: MIT */
/* admin_doc_json: what a verb prints with -o json, by an example made of its reply's fields. */
#ifndef ADMIN_ADMIN_DOC_JSON_H
#define ADMIN_ADMIN_DOC_JSON_H

#include <stdio.h>

#include "admin/verb.h"

/** One line of JSON; nothing for a verb that prints none. Returns whether there is one. */
bool admin_doc_json(const struct verb *verb, FILE *out);

#endif
