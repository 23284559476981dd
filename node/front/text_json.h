/* SPDX-License-Identifier: MIT */
/* text_json: the JSON texts that clients send over a WebSocket or by `POST /message`. */
#ifndef FRONT_TEXT_JSON_H
#define FRONT_TEXT_JSON_H

#include "proto/err.h"

#define TEXT_JSON_MEMBERS 6 /* those that are known */

enum text_kind { TEXT_MESSAGE, TEXT_MANAGER, TEXT_HISTORY };

/** Views point into what text_json_free frees. */
struct text_json {
    enum text_kind kind;
    struct bytes id;      /* the client's, at most CORE_MESSAGE_ID_MAX bytes; empty: none */
    struct bytes message; /* UTF-8; may be empty. TEXT_MANAGER: the name of a user */
    uint64_t before;      /* of a request for history; 0: from the end */
    size_t count;
    struct json_t *members[TEXT_JSON_MEMBERS];
};

/**
 * Read one text.
 *
 * ret_text  filled as far as it can be read, also on error: the id belongs into the error's text,
 *           wherever in it the error stands. Always to be freed by text_json_free
 * returns   ERR_NONE | ERR_MALFORMED: no JSON object, or what it says is not understood. Members
 *           that are not known are not looked at
 */
enum err text_json_decode(struct bytes json, struct text_json *ret_text);
void text_json_free(struct text_json *text);

#endif
