/* SPDX-License-Identifier: MIT */
/*
 * yaml: files of YAML as JSON values, so that tests look at both in one way. Every scalar is a
 * string, as it stands in the file.
 */
#ifndef SUPPORT_YAML_H
#define SUPPORT_YAML_H

#include <jansson.h>

/** The documents of a file, an array; fails the test when it is no YAML, holds a key twice, or an
 * alias. Freed by the caller. */
json_t *yaml_load(const char *path);

/** The value at "a/b/0/c": members by name, elements by number; NULL when there is none. Borrowed.
 */
const json_t *yaml_at(const json_t *value, const char *path);
/** The same where a text has to be; "" when there is none. */
const char *yaml_text(const json_t *value, const char *path);

#endif
