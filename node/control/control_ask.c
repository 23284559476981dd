/* SPDX-License-Identifier: MIT */
/*
 * control_ask: questions from node to node, over the bus: "ask", the asking node, number, method,
 * request; and "told", number, code, message, reply. What is asked for and what becomes of the
 * answers is control_nodes.c's, what a node answers control_here.c's.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "control_state.h"

#define CONTROL_ASK_MS 1500 /* a node that takes longer is shown as silent */

/* What a node does here, packed; NULL when there is no reply to send. */
static uint8_t *control_ask_do(struct control *control, const struct control_method *method,
                               struct bytes request, struct control_here *here, size_t *ret_len)
{
    const ProtobufCMethodDescriptor *types = control_method_types(method);
    ProtobufCMessage *asked =
        protobuf_c_message_unpack(types->input, NULL, request.len, request.ptr);
    *here = (struct control_here){.request = asked, .reply = control_rows_new(types->output)};
    uint8_t *packed = NULL;
    *ret_len = 0;
    if (asked == NULL || here->reply == NULL) {
        here->code = HGTP__RPC__CODE__INVALID_ARGUMENT;
        snprintf(here->message, sizeof here->message, "the request is malformed");
    } else {
        method->here(control, here);
        *ret_len = protobuf_c_message_get_packed_size(here->reply);
        packed = malloc(*ret_len + 1);
    }
    if (packed != NULL) {
        (void)protobuf_c_message_pack(here->reply, packed);
    }
    if (asked != NULL) {
        protobuf_c_message_free_unpacked(asked, NULL);
    }
    if (here->reply != NULL) {
        protobuf_c_message_free_unpacked(here->reply, NULL);
    }
    return packed;
}

static void control_ask_on_asked(struct control *control, const struct effect *effect)
{
    char name[64];
    const struct bytes *f = effect->fields;
    snprintf(name, sizeof name, "%.*s", (int)f[3].len, (const char *)f[3].ptr);
    const struct control_method *method = control_method_find(name);
    struct control_here here = {.code = HGTP__RPC__CODE__UNIMPLEMENTED,
                                .message = "this node is of another version, and knows no such "
                                           "method"};
    size_t len = 0;
    uint8_t *packed = NULL;
    if (method != NULL && method->here != NULL) {
        packed = control_ask_do(control, method, f[4], &here, &len);
    }
    char code[16];
    snprintf(code, sizeof code, "%d", (int)here.code);
    const struct bytes fields[] = {bytes_str("told"), f[2], bytes_str(code),
                                   bytes_str(here.message), bytes_of(packed, len)};
    const struct effect told = {fields, sizeof fields / sizeof fields[0]};
    control->options.bus.send(control->options.bus.ctx, f[1], &told);
    free(packed);
}

static size_t control_ask_open_count(const struct control_call *call)
{
    size_t count = 0;
    for (size_t i = 0; i < call->part_count; i++) {
        count += call->parts[i].id != 0;
    }
    return count;
}

static void control_ask_fail(struct control_part *part, Hgtp__Rpc__Code code, const char *message)
{
    part->id = 0;
    part->code = code;
    snprintf(part->message, sizeof part->message, "%s", message);
}

static void control_ask_take(struct control_call *call, struct control_part *part,
                             Hgtp__Rpc__Code code, const char *message, struct bytes reply)
{
    if (code != HGTP__RPC__CODE__OK) {
        control_ask_fail(part, code, message);
        return;
    }
    part->reply = protobuf_c_message_unpack(control_method_types(call->part_method)->output, NULL,
                                            reply.len, reply.ptr);
    part->id = 0;
    if (part->reply == NULL) {
        control_ask_fail(part, HGTP__RPC__CODE__INTERNAL, "its answer cannot be read");
    }
}

static void control_ask_on_told(struct control *control, const struct effect *effect)
{
    char digits[24], message[CONFIG_ERROR_BYTES];
    const struct bytes *f = effect->fields;
    snprintf(digits, sizeof digits, "%.*s", (int)f[1].len, (const char *)f[1].ptr);
    uint64_t id = strtoull(digits, NULL, 10);
    snprintf(digits, sizeof digits, "%.*s", (int)f[2].len, (const char *)f[2].ptr);
    snprintf(message, sizeof message, "%.*s", (int)f[3].len, (const char *)f[3].ptr);
    struct control_call *call, *next;
    for (call = control->calls; id != 0 && call != NULL; call = next) {
        next = call->next;
        for (size_t i = 0; i < call->part_count; i++) {
            if (call->parts[i].id == id) {
                control_ask_take(call, &call->parts[i], (Hgtp__Rpc__Code)strtol(digits, NULL, 10),
                                 message, f[4]);
                if (control_ask_open_count(call) == 0) {
                    call->on_parts(call);
                }
                return;
            }
        }
    }
}

bool control_on_bus_effect(struct control *control, const struct effect *effect)
{
    bool is_asked = effect->count == 5 && bytes_equal(effect->fields[0], bytes_str("ask"));
    bool is_told = effect->count == 5 && bytes_equal(effect->fields[0], bytes_str("told"));
    if (is_asked) {
        control_ask_on_asked(control, effect);
    } else if (is_told) {
        control_ask_on_told(control, effect);
    }
    return is_asked || is_told;
}

static void control_ask_part(struct control_call *call, struct control_part *part,
                             struct bytes request)
{
    struct control *control = call->control;
    part->id = ++control->last_question;
    if (strcmp(part->node, control->options.node) == 0) {
        struct control_here here;
        size_t len;
        uint8_t *packed = control_ask_do(control, call->part_method, request, &here, &len);
        control_ask_take(call, part, here.code, here.message, bytes_of(packed, len));
        free(packed);
        return;
    }
    char id[24];
    snprintf(id, sizeof id, "%" PRIu64, part->id);
    const struct bytes fields[] = {bytes_str("ask"), bytes_str(control->options.node),
                                   bytes_str(id), bytes_str(call->part_method->name), request};
    const struct effect ask = {fields, sizeof fields / sizeof fields[0]};
    control->options.bus.send(control->options.bus.ctx, bytes_str(part->node), &ask);
}

void control_ask(struct control_call *call)
{
    int64_t until_ms = (int64_t)uv_now(call->control->options.loop) + CONTROL_ASK_MS;
    call->parts_until_ms = until_ms < call->until_ms ? until_ms : call->until_ms - 1;
    size_t len = protobuf_c_message_get_packed_size(call->part_request);
    uint8_t *packed = malloc(len + 1);
    if (packed != NULL) {
        (void)protobuf_c_message_pack(call->part_request, packed);
    }
    for (size_t i = 0; i < call->part_count; i++) {
        if (packed == NULL) {
            control_ask_fail(&call->parts[i], HGTP__RPC__CODE__RESOURCE_EXHAUSTED, "out of memory");
        } else {
            control_ask_part(call, &call->parts[i], bytes_of(packed, len));
        }
    }
    free(packed);
    if (control_ask_open_count(call) == 0) {
        call->on_parts(call);
    }
}

void control_ask_tick(struct control_call *call, int64_t now_ms)
{
    if (control_ask_open_count(call) == 0 || now_ms < call->parts_until_ms) {
        return;
    }
    for (size_t i = 0; i < call->part_count; i++) {
        if (call->parts[i].id != 0) {
            control_ask_fail(&call->parts[i], HGTP__RPC__CODE__UNAVAILABLE,
                             "it does not answer in time");
        }
    }
    call->on_parts(call);
}

void control_ask_free(struct control_call *call)
{
    for (size_t i = 0; i < call->part_count; i++) {
        if (call->parts[i].reply != NULL) {
            protobuf_c_message_free_unpacked(call->parts[i].reply, NULL);
        }
    }
    free(call->parts);
}
