/* SPDX-License-Identifier: MIT */
/*
 * json_members: finds where each member's value begins and ends without reading it, in one pass and
 * without recursion, so that nothing a stranger sends costs stack. What a value is, is jansson's.
 */
#include "json_members.h"

#include <string.h>

static void json_members_blanks(struct bytes json, size_t *at)
{
    while (*at < json.len && strchr(" \t\r\n", json.ptr[*at]) != NULL && json.ptr[*at] != '\0') {
        (*at)++;
    }
}

static bool json_members_take(struct bytes json, size_t *at, uint8_t wanted)
{
    json_members_blanks(json, at);
    if (*at == json.len || json.ptr[*at] != wanted) {
        return false;
    }
    (*at)++;
    return true;
}

/* Behind a string's closing quote; false: it has none. */
static bool json_members_skip_string(struct bytes json, size_t *at)
{
    for ((*at)++; *at < json.len; (*at)++) {
        if (json.ptr[*at] == '"') {
            (*at)++;
            return true;
        }
        *at += json.ptr[*at] == '\\' ? 1 : 0;
    }
    return false;
}

/* Behind a word: true, null, a number of any size. */
static bool json_members_skip_word(struct bytes json, size_t *at)
{
    static const char chars[] = "abcdefghijklmnopqrstuvwxyzE0123456789+-.";
    size_t from = *at;
    while (*at < json.len && json.ptr[*at] != '\0' && strchr(chars, json.ptr[*at]) != NULL) {
        (*at)++;
    }
    return *at > from;
}

/* Behind an object or array, or a value of any other kind. */
static bool json_members_skip(struct bytes json, size_t *at)
{
    size_t depth = 0;
    do {
        json_members_blanks(json, at);
        uint8_t c = *at < json.len ? json.ptr[*at] : '\0';
        if (c == '"') {
            if (!json_members_skip_string(json, at)) {
                return false;
            }
        } else if (c == '{' || c == '[') {
            depth++;
            (*at)++;
        } else if (depth > 0 && (c == '}' || c == ']')) {
            depth--;
            (*at)++;
        } else if (depth > 0 && (c == ',' || c == ':')) {
            (*at)++;
        } else if (!json_members_skip_word(json, at)) {
            return false;
        }
    } while (depth > 0);
    return true;
}

static json_t *json_members_value(struct bytes json, size_t from, size_t to)
{
    return json_loadb((const char *)json.ptr + from, to - from, JSON_ALLOW_NUL | JSON_DECODE_ANY,
                      NULL);
}

/* Whose name stands between `from` and `to`; `count`: nobody's who is asked for. */
static size_t json_members_find(struct bytes json, size_t from, size_t to, const char *const *names,
                                size_t count)
{
    json_t *name = json_members_value(json, from, to);
    size_t i = 0;
    while (i < count &&
           (name == NULL || !bytes_equal(json_members_string(name), bytes_str(names[i])))) {
        i++;
    }
    json_decref(name);
    return i;
}

/* One member; false: it goes wrong here. */
static bool json_members_member(struct bytes json, size_t *at, const char *const *names,
                                size_t count, json_t **values, bool *is_good)
{
    json_members_blanks(json, at);
    size_t from = *at;
    if (from == json.len || json.ptr[from] != '"' || !json_members_skip_string(json, at)) {
        return false;
    }
    size_t which = json_members_find(json, from, *at, names, count);
    if (!json_members_take(json, at, ':')) {
        return false;
    }
    json_members_blanks(json, at);
    from = *at;
    if (!json_members_skip(json, at)) {
        return false;
    }
    if (which < count) {
        json_decref(values[which]);
        values[which] = json_members_value(json, from, *at);
        *is_good = *is_good && values[which] != NULL;
    }
    return true;
}

bool json_members_read(struct bytes json, const char *const *names, size_t count,
                       json_t **ret_values)
{
    size_t at = 0;
    bool is_good = true;
    memset(ret_values, 0, count * sizeof *ret_values);
    if (!json_members_take(json, &at, '{')) {
        return false;
    }
    if (!json_members_take(json, &at, '}')) {
        do {
            if (!json_members_member(json, &at, names, count, ret_values, &is_good)) {
                return false;
            }
        } while (json_members_take(json, &at, ','));
        if (!json_members_take(json, &at, '}')) {
            return false;
        }
    }
    json_members_blanks(json, &at);
    return is_good && at == json.len;
}

void json_members_free(json_t **values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(values[i]);
        values[i] = NULL;
    }
}

struct bytes json_members_string(const json_t *value)
{
    return json_is_string(value) ? bytes_of(json_string_value(value), json_string_length(value))
                                 : bytes_of(NULL, 0);
}
