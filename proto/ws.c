/* SPDX-License-Identifier: MIT */
/*
 * ws: the handshake's key, heads of frames, close frames. Reading is ws_reader.c's.
 */
#include "ws.h"

#include "base64.h"
#include "digest.h"

#define WS_KEY_BYTES 16

bool ws_accept(struct bytes key, uint8_t ret_accept[WS_ACCEPT_BYTES])
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    uint8_t nonce[WS_KEY_BYTES + 2];
    struct sink decoded = sink_into(nonce, sizeof nonce);
    if (key.len != base64_encoded_bytes(WS_KEY_BYTES) || !base64_decode(key, &decoded) ||
        decoded.len != WS_KEY_BYTES) {
        return false;
    }
    uint8_t hash[DIGEST_SHA1_BYTES];
    digest_sha1(key, bytes_str(guid), hash);
    struct sink out = sink_into(ret_accept, WS_ACCEPT_BYTES);
    base64_encode(bytes_of(hash, sizeof hash), &out);
    return sink_fits(&out);
}

void ws_head(enum ws_opcode opcode, uint64_t payload_bytes, struct sink *out)
{
    sink_u8(out, (uint8_t)(0x80 | opcode));
    if (payload_bytes < 126) {
        sink_u8(out, (uint8_t)payload_bytes);
    } else if (payload_bytes <= UINT16_MAX) {
        sink_u8(out, 126);
        sink_be16(out, (uint16_t)payload_bytes);
    } else {
        sink_u8(out, 127);
        sink_be64(out, payload_bytes);
    }
}

void ws_close_frame(enum ws_close code, const char *reason, struct sink *out)
{
    struct bytes text = bytes_str(reason);
    if (text.len > WS_CONTROL_MAX - 2) {
        text.len = WS_CONTROL_MAX - 2;
        while (text.len > 0 && (text.ptr[text.len] & 0xc0) == 0x80) {
            text.len--;
        }
    }
    ws_head(WS_CLOSE, text.len + 2, out);
    sink_be16(out, (uint16_t)code);
    sink_put(out, text);
}
