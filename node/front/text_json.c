/* SPDX-License-Identifier: MIT */
/*
 * text_json: reads clients' texts with jansson and checks their form. What they may say is decided
 * by talk; what nodes send is written by proto/talk_text.
 */
#include "text_json.h"

#include <jansson.h>
#include <string.h>

#include "node/talk/talk.h"

#define TEXT_HISTORY_COUNT 50

static struct bytes text_json_string(const json_t *value)
{
    return json_is_string(value) ? bytes_of(json_string_value(value), json_string_length(value))
                                 : bytes_of(NULL, 0);
}

/* A message, or the name of the next manager, with an id or without. */
static enum err text_json_said(const json_t *root, enum text_kind kind, struct text_json *text)
{
    const json_t *id = json_object_get(root, "id");
    const json_t *message = json_object_get(root, kind == TEXT_MANAGER ? "user" : "message");
    text->kind = kind;
    text->message = text_json_string(message);
    bool is_id = id == NULL ||
                 (json_is_string(id) && text->id.len >= 1 && text->id.len <= TALK_MESSAGE_ID_MAX);
    return json_is_string(message) && is_id ? ERR_NONE : ERR_MALFORMED;
}

static enum err text_json_history(const json_t *root, struct text_json *text)
{
    const json_t *before = json_object_get(root, "before");
    const json_t *count = json_object_get(root, "count");
    json_int_t wanted = count != NULL ? json_integer_value(count) : TEXT_HISTORY_COUNT;
    bool is_before = before == NULL || json_is_null(before) || json_integer_value(before) > 0;
    if (!is_before || wanted < 1 || wanted > TALK_HISTORY_MAX) {
        return ERR_MALFORMED;
    }
    text->kind = TEXT_HISTORY;
    text->before = (uint64_t)json_integer_value(before);
    text->count = (size_t)wanted;
    return ERR_NONE;
}

enum err text_json_decode(struct bytes json, struct text_json *ret_text)
{
    json_t *root = json_loadb((const char *)json.ptr, json.len, JSON_ALLOW_NUL, NULL);
    *ret_text =
        (struct text_json){.root = root, .id = text_json_string(json_object_get(root, "id"))};
    struct bytes type = text_json_string(json_object_get(root, "type"));
    if (bytes_equal(type, bytes_str("message"))) {
        return text_json_said(root, TEXT_MESSAGE, ret_text);
    }
    if (bytes_equal(type, bytes_str("manager"))) {
        return text_json_said(root, TEXT_MANAGER, ret_text);
    }
    if (bytes_equal(type, bytes_str("history"))) {
        return text_json_history(root, ret_text);
    }
    return ERR_MALFORMED;
}

void text_json_free(struct text_json *text)
{
    json_decref(text->root);
}
