/* SPDX-License-Identifier: MIT */
/*
 * json_members: reads those members of a JSON object that somebody asks for. What stands beside
 * them is passed over whatever it holds, huge numbers and deep nesting included, and a member that
 * cannot be read does not take the others with it.
 */
#ifndef FRONT_JSON_MEMBERS_H
#define FRONT_JSON_MEMBERS_H

#include <jansson.h>

#include "proto/bytes.h"

/**
 * Read `count` members by their names; of one that comes twice the last counts.
 *
 * ret_values  one for each name, to be freed by json_members_free also on false: NULL where there
 *             is none, or none that could be read
 * returns     false: it is no object, ends early or goes wrong (the members before that place are
 *             read), or one of those asked for cannot be read
 */
bool json_members_read(struct bytes json, const char *const *names, size_t count,
                       json_t **ret_values);
void json_members_free(json_t **values, size_t count);

/** The bytes of a string; empty for everything else. Borrowed from it. */
struct bytes json_members_string(const json_t *value);

#endif
