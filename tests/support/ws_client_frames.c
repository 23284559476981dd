/* SPDX-License-Identifier: MIT */
/*
 * ws_client_frames: frames that the server sends, held against RFC 6455 section 5 and 7. Pings and
 * a close are answered as a browser does; what a text says is not looked at.
 */
#include "ws_client_parts.h"

#include <assert.h>
#include <stdlib.h>

struct ws_client_frame {
    uint8_t first;
    struct bytes payload;
    size_t frame_bytes;
};

static bool ws_client_is_control(uint8_t first)
{
    return (first & 0x08) != 0;
}

/* False when it is not complete. */
static bool ws_client_take_frame(struct ws_client *client, struct bytes in,
                                 struct ws_client_frame *ret_frame)
{
    if (in.len < 2) {
        return false;
    }
    uint8_t short_length = in.ptr[1] & 0x7f;
    size_t head_bytes = short_length < 126 ? 2 : short_length == 126 ? 4 : 10;
    if (in.len < head_bytes) {
        return false;
    }
    uint64_t len = short_length;
    if (short_length == 126) {
        len = be16_at(in.ptr + 2);
    } else if (short_length == 127) {
        len = be64_at(in.ptr + 2);
    }
    if (in.len - head_bytes < len) {
        return false;
    }
    if ((in.ptr[1] & 0x80) != 0) {
        ws_client_break(client, "the server masks");
    }
    if ((head_bytes == 4 && len < 126) || (head_bytes == 10 && len <= UINT16_MAX)) {
        ws_client_break(client, "a length is not in its shortest form");
    }
    *ret_frame = (struct ws_client_frame){in.ptr[0], bytes_of(in.ptr + head_bytes, (size_t)len),
                                          head_bytes + (size_t)len};
    return true;
}

static void ws_client_check_first(struct ws_client *client, const struct ws_client_frame *frame)
{
    uint8_t opcode = frame->first & 0x0f;
    bool is_final = (frame->first & WS_CLIENT_FIN) != 0;
    if ((frame->first & (WS_CLIENT_RSV1 | WS_CLIENT_RSV2 | WS_CLIENT_RSV3)) != 0) {
        ws_client_break(client, "a reserved bit is set");
    }
    if (opcode > WS_CLIENT_PONG || (opcode > WS_CLIENT_BINARY && opcode < WS_CLIENT_CLOSE)) {
        ws_client_break(client, "an opcode is reserved");
    }
    if (ws_client_is_control(frame->first) && (!is_final || frame->payload.len > 125)) {
        ws_client_break(client, "a control frame is fragmented or too long");
    }
    if (client->close_code != 0) {
        ws_client_break(client, "something follows the close frame");
    }
}

static struct ws_client_message *ws_client_add(struct ws_client *client, enum ws_client_opcode kind,
                                               struct bytes payload)
{
    if ((client->count & (client->count - 1)) == 0) {
        size_t cap = client->count == 0 ? 1 : 2 * client->count;
        client->messages = realloc(client->messages, cap * sizeof(struct ws_client_message *));
        assert(client->messages != NULL);
    }
    struct ws_client_message *message = calloc(1, sizeof *message);
    assert(message != NULL);
    *message =
        (struct ws_client_message){.index = client->count, .kind = kind, .at_ms = pump_now_ms()};
    if (kind == WS_CLIENT_TEXT) {
        /* Which also refuses what is not UTF-8. */
        message->json = json_loadb((const char *)payload.ptr, payload.len, 0, NULL);
    } else {
        uint8_t *copy = calloc(1, payload.len + 1);
        assert(copy != NULL);
        if (payload.len > 0) {
            memcpy(copy, payload.ptr, payload.len);
        }
        message->payload = bytes_of(copy, payload.len);
    }
    client->messages[client->count++] = message;
    return message;
}

/* Codes that may be on the wire: RFC 6455 section 7.4. */
static bool ws_client_code_is_legal(int code)
{
    return (code >= 1000 && code <= 1014 && code != 1004 && code != WS_CLIENT_NO_CODE &&
            code != WS_CLIENT_NO_CLOSE) ||
           (code >= 3000 && code <= 4999);
}

static void ws_client_on_close(struct ws_client *client, struct bytes payload)
{
    client->close_code = payload.len >= 2 ? be16_at(payload.ptr) : WS_CLIENT_NO_CODE;
    if (payload.len == 1 || (payload.len >= 2 && !ws_client_code_is_legal(client->close_code))) {
        ws_client_break(client, "the close code is not legal");
    }
    json_t *reason = payload.len > 2 ? json_stringn((const char *)payload.ptr + 2, payload.len - 2)
                                     : json_null();
    if (reason == NULL) {
        ws_client_break(client, "the close reason is not UTF-8");
    }
    json_decref(reason);
    if (!client->close_sent && !client->options.answers_nothing) {
        ws_client_send_close(client,
                             client->close_code == WS_CLIENT_NO_CODE ? 0 : client->close_code, "");
    }
}

static void ws_client_on_whole(struct ws_client *client, enum ws_client_opcode kind,
                               struct bytes payload)
{
    const struct ws_client_message *message = ws_client_add(client, kind, payload);
    if (kind == WS_CLIENT_TEXT && !json_is_object(message->json)) {
        ws_client_break(client, "a text is not one JSON object in UTF-8");
    } else if (kind == WS_CLIENT_PING && !client->options.answers_nothing) {
        ws_client_send_frame(client, WS_CLIENT_FIN | WS_CLIENT_PONG, payload);
    } else if (kind == WS_CLIENT_CLOSE) {
        ws_client_on_close(client, payload);
    }
    if (client->options.on_message != NULL) {
        client->options.on_message(message, client->options.arg);
    }
}

static void ws_client_on_data(struct ws_client *client, const struct ws_client_frame *frame)
{
    enum ws_client_opcode opcode = frame->first & 0x0f;
    bool is_first = opcode != WS_CLIENT_CONTINUATION;
    if (is_first == (client->fragments_kind != WS_CLIENT_CONTINUATION)) {
        ws_client_break(client, "fragments do not follow each other");
        return;
    }
    if (is_first) {
        client->fragments_kind = opcode;
    }
    queue_put(&client->fragments, frame->payload);
    if ((frame->first & WS_CLIENT_FIN) != 0) {
        opcode = client->fragments_kind;
        client->fragments_kind = WS_CLIENT_CONTINUATION;
        ws_client_on_whole(client, opcode, bytes_of(client->fragments.ptr, client->fragments.len));
        queue_take(&client->fragments, client->fragments.len);
    }
}

void ws_client_read_frames(struct ws_client *client)
{
    struct ws_client_frame frame;
    size_t done = 0;
    while (client->broken == NULL &&
           ws_client_take_frame(client, bytes_of(client->in.ptr + done, client->in.len - done),
                                &frame)) {
        ws_client_check_first(client, &frame);
        if (ws_client_is_control(frame.first)) {
            ws_client_on_whole(client, frame.first & 0x0f, frame.payload);
        } else {
            ws_client_on_data(client, &frame);
        }
        done += frame.frame_bytes;
    }
    queue_take(&client->in, done);
}
