/* SPDX-License-Identifier: MIT */
/*
 * talk_frame: what a WebSocket client writes, and the head of the answer to its upgrade. Pure:
 * randomness is passed in, connections are talk_ws.c's.
 */
#include "admin/talk/talk_frame.h"

#include <stdio.h>
#include <strings.h>

#include "proto/base64.h"

#define TALK_FRAME_ANSWER_MAX 16384

void talk_frame_put(enum ws_opcode opcode, const uint8_t mask[4], struct bytes payload,
                    struct sink *out)
{
    uint8_t head[TALK_FRAME_HEAD_MAX];
    struct sink head_out = sink_into(head, sizeof head);
    ws_head(opcode, payload.len, &head_out);
    head[1] |= 0x80;
    sink_put(&head_out, bytes_of(mask, 4));
    sink_put(out, sink_bytes(&head_out));
    for (size_t i = 0; i < payload.len; i++) {
        sink_u8(out, payload.ptr[i] ^ mask[i % 4]);
    }
}

void talk_frame_key(const uint8_t noise[16], char ret_key[TALK_FRAME_KEY_BYTES + 1])
{
    struct sink out = sink_into(ret_key, TALK_FRAME_KEY_BYTES);
    base64_encode(bytes_of(noise, 16), &out);
    ret_key[TALK_FRAME_KEY_BYTES] = '\0';
}

/* A value of a query string: everything that could mean something there is written as %XX. */
static void talk_frame_query_value(const char *value, struct sink *out)
{
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~";
    for (; *value != '\0'; value++) {
        if (strchr(plain, *value) != NULL) {
            sink_u8(out, (uint8_t)*value);
        } else {
            char text[4];
            snprintf(text, sizeof text, "%%%02X", (uint8_t)*value);
            sink_text(out, text);
        }
    }
}

void talk_frame_request(const struct talk_upgrade *upgrade, struct sink *out)
{
    sink_text(out, "GET /ws?token=");
    talk_frame_query_value(upgrade->token, out);
    if (upgrade->has_after) {
        char after[32];
        snprintf(after, sizeof after, "&after=%llu", (unsigned long long)upgrade->after);
        sink_text(out, after);
        sink_text(out, "&epoch=");
        talk_frame_query_value(upgrade->epoch, out);
    }
    if (upgrade->attempt > 0) {
        char attempt[32];
        snprintf(attempt, sizeof attempt, "&try=%llu", (unsigned long long)upgrade->attempt);
        sink_text(out, attempt);
    }
    sink_text(out, " HTTP/1.1\r\nHost: ");
    sink_text(out, upgrade->host);
    sink_text(out, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Protocol: hgtp\r\nSec-WebSocket-Key: ");
    sink_text(out, upgrade->key);
    sink_text(out, "\r\n\r\n");
}

/* Value of a header of the head, without blanks around it; empty when it is missing. */
static struct bytes talk_frame_header(struct bytes head, const char *name)
{
    size_t name_len = strlen(name);
    const uint8_t *end = head.ptr + head.len;
    const uint8_t *line = memmem(head.ptr, head.len, "\r\n", 2);
    while (line != NULL && end - (line + 2) > (ptrdiff_t)name_len) {
        line += 2;
        const uint8_t *line_end = memmem(line, (size_t)(end - line), "\r\n", 2);
        if (line_end == NULL) {
            break;
        }
        if (strncasecmp((const char *)line, name, name_len) == 0 && line[name_len] == ':') {
            const uint8_t *value = line + name_len + 1;
            while (value < line_end && (*value == ' ' || *value == '\t')) {
                value++;
            }
            while (line_end > value && (line_end[-1] == ' ' || line_end[-1] == '\t')) {
                line_end--;
            }
            return bytes_of(value, (size_t)(line_end - value));
        }
        line = line_end;
    }
    return bytes_of(NULL, 0);
}

enum talk_upgraded talk_frame_answer(struct bytes in, const char *key, int *ret_status,
                                     size_t *ret_used)
{
    static const char version[] = "HTTP/1.";
    size_t seen = in.len < sizeof version - 1 ? in.len : sizeof version - 1;
    if (seen > 0 && memcmp(in.ptr, version, seen) != 0) {
        return TALK_UPGRADE_BAD;
    }
    const uint8_t *end = in.len > 0 ? memmem(in.ptr, in.len, "\r\n\r\n", 4) : NULL;
    if (end == NULL) {
        return in.len > TALK_FRAME_ANSWER_MAX ? TALK_UPGRADE_BAD : TALK_UPGRADE_MORE;
    }
    struct bytes head = bytes_of(in.ptr, (size_t)(end - in.ptr) + 2);
    char line[16] = "";
    memcpy(line, head.ptr, head.len < sizeof line - 1 ? head.len : sizeof line - 1);
    int status = 0;
    if (sscanf(line, "HTTP/1.%*1d %3d", &status) != 1 || status < 100) {
        return TALK_UPGRADE_BAD;
    }
    if (status != 101) {
        *ret_status = status;
        return TALK_UPGRADE_REFUSED;
    }
    uint8_t accept[WS_ACCEPT_BYTES];
    bool is_ours = ws_accept(bytes_str(key), accept) &&
                   bytes_equal(talk_frame_header(head, "sec-websocket-accept"),
                               bytes_of(accept, sizeof accept));
    *ret_used = head.len + 2;
    return is_ours ? TALK_UPGRADED : TALK_UPGRADE_BAD;
}
