/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target for clients' JSON texts: whatever comes, what is taken is UTF-8 and within its
 * bounds, and what is refused leaves an id that can be answered with.
 */
#include <assert.h>

#include "node/core/core.h"
#include "node/front/text_json.h"
#include "proto/talk_text.h"
#include "proto/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text_json text;
    enum err err = text_json_decode(bytes_of(data, size), &text);
    if (err == ERR_NONE && text.kind != TEXT_HISTORY) {
        assert(utf8_valid(text.message) && text.id.len <= CORE_MESSAGE_ID_MAX);
    } else if (err == ERR_NONE) {
        assert(text.count >= 1 && text.count <= CORE_HISTORY_MAX);
    } else {
        assert(err == ERR_MALFORMED);
    }
    if (text.id.len > 0 && text.id.len <= CORE_MESSAGE_ID_MAX) {
        uint8_t answer[1024];
        struct sink out = sink_into(answer, sizeof answer);
        talk_text_ack(text.id, 1, &out);
        assert(sink_fits(&out) && utf8_valid(sink_bytes(&out)));
    }
    text_json_free(&text);
    return 0;
}
