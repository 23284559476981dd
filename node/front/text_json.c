/* SPDX-License-Identifier: MIT */
/*
 * text_json: reads clients' texts with jansson and checks their form. What they may say is decided
 * by talk; what nodes send is written by proto/talk_text.
 */
#include "text_json.h"

#include "json_members.h"
#include "node/core/core.h"

#define TEXT_HISTORY_COUNT 50

enum { TEXT_TYPE, TEXT_ID, TEXT_SAID, TEXT_USER, TEXT_BEFORE, TEXT_COUNT };
static const char *const text_json_names[TEXT_JSON_MEMBERS] = {
    [TEXT_TYPE] = "type", [TEXT_ID] = "id",         [TEXT_SAID] = "message",
    [TEXT_USER] = "user", [TEXT_BEFORE] = "before", [TEXT_COUNT] = "count",
};

/* A message, or the name of the next manager. */
static enum err text_json_said(enum text_kind kind, struct text_json *text)
{
    const json_t *message = text->members[kind == TEXT_MANAGER ? TEXT_USER : TEXT_SAID];
    text->kind = kind;
    text->message = json_members_string(message);
    return json_is_string(message) ? ERR_NONE : ERR_MALFORMED;
}

static enum err text_json_history(struct text_json *text)
{
    const json_t *before = text->members[TEXT_BEFORE];
    const json_t *count = text->members[TEXT_COUNT];
    json_int_t wanted = count != NULL ? json_integer_value(count) : TEXT_HISTORY_COUNT;
    bool is_before = before == NULL || json_is_null(before) || json_integer_value(before) > 0;
    if (!is_before || wanted < 1 || wanted > CORE_HISTORY_MAX) {
        return ERR_MALFORMED;
    }
    text->kind = TEXT_HISTORY;
    text->before = (uint64_t)json_integer_value(before);
    text->count = (size_t)wanted;
    return ERR_NONE;
}

/* False: there is one that is none. */
static bool text_json_id(struct text_json *text)
{
    const json_t *id = text->members[TEXT_ID];
    struct bytes bytes = json_members_string(id);
    bool is_id = bytes.len >= 1 && bytes.len <= CORE_MESSAGE_ID_MAX;
    text->id = is_id ? bytes : bytes_of(NULL, 0);
    return is_id || id == NULL;
}

enum err text_json_decode(struct bytes json, struct text_json *ret_text)
{
    *ret_text = (struct text_json){.id = bytes_of(NULL, 0)};
    bool is_whole = json_members_read(json, text_json_names, TEXT_JSON_MEMBERS, ret_text->members);
    struct bytes type = json_members_string(ret_text->members[TEXT_TYPE]);
    if (!text_json_id(ret_text) || !is_whole) {
        return ERR_MALFORMED;
    }
    if (bytes_equal(type, bytes_str("message"))) {
        return text_json_said(TEXT_MESSAGE, ret_text);
    }
    if (bytes_equal(type, bytes_str("manager"))) {
        return text_json_said(TEXT_MANAGER, ret_text);
    }
    if (bytes_equal(type, bytes_str("history"))) {
        return text_json_history(ret_text);
    }
    return ERR_MALFORMED;
}

void text_json_free(struct text_json *text)
{
    json_members_free(text->members, TEXT_JSON_MEMBERS);
}
