/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes node/front/message_json: what is accepted comes out again the same after it was written as
 * the original writes it.
 */
#include <assert.h>
#include <stdlib.h>

#include "node/front/message_json.h"
#include "proto/push_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *storage = malloc(size + 1);
    struct message_json message;
    if (message_json_decode(bytes_of(data, size), storage, &message) == ERR_NONE) {
        assert(message.text.len <= size);
        struct sink measure = sink_into(NULL, 0);
        push_message_body(bytes_str("u"), message.text, message.time_unix_ms, &measure);
        uint8_t *body = malloc(measure.len);
        uint8_t *again = malloc(measure.len);
        struct sink out = sink_into(body, measure.len);
        push_message_body(bytes_str("u"), message.text, message.time_unix_ms, &out);
        struct message_json second;
        assert(message_json_decode(sink_bytes(&out), again, &second) == ERR_NONE);
        assert(bytes_equal(second.text, message.text));
        assert(second.time_unix_ms == message.time_unix_ms);
        free(body);
        free(again);
    }
    free(storage);
    return 0;
}
