/* SPDX-License-Identifier: MIT */
/*
 * talk_names: who and what is there, for /rooms, /users and completion. Names are kept as they
 * came; whoever shows them makes them safe.
 */
#include "admin/talk/talk_names.h"

#include <stdlib.h>
#include <string.h>

char *talk_names_copy(const char *text)
{
    char *copy = strdup(text);
    if (copy == NULL) {
        abort();
    }
    return copy;
}

static void talk_names_cut(struct talk_names *names, size_t count)
{
    while (names->count > count) {
        free(names->names[--names->count].name);
    }
}

void talk_names_fini(struct talk_names *names)
{
    talk_names_cut(names, 0);
    free(names->names);
    *names = (struct talk_names){0};
}

bool talk_names_has(const struct talk_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++) {
        if (strcmp(names->names[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool talk_names_is_in(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *one = json_string_value(json_array_get(names, i));
        if (one != NULL && strcmp(one, name) == 0) {
            return true;
        }
    }
    return false;
}

void talk_names_take(struct talk_names *list, const json_t *text, const json_t *names,
                     const json_t *counts)
{
    json_int_t first = json_integer_value(json_object_get(text, "first"));
    talk_names_cut(list, first > 0 ? (size_t)first : 0);
    size_t more = json_array_size(names);
    struct talk_name *grown = realloc(list->names, (list->count + more + 1) * sizeof *grown);
    if (grown == NULL) {
        abort();
    }
    list->names = grown;
    for (size_t i = 0; i < more; i++) {
        const char *name = json_string_value(json_array_get(names, i));
        if (name != NULL) {
            list->names[list->count++] = (struct talk_name){
                .name = talk_names_copy(name),
                .members = (long)json_integer_value(json_array_get(counts, i)),
                .is_away = talk_names_is_in(json_object_get(text, "away"), name)};
        }
    }
    json_int_t total = json_integer_value(json_object_get(text, "total"));
    list->total = total > (json_int_t)list->count ? (size_t)total : list->count;
}
