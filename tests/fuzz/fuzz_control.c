/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes what a stranger's call goes through before anything is done for it: the envelope, the
 * request of each method, the form of its texts, the arguments made of it; and what a script's rows
 * become. The first byte chooses the method; what can be read is written again and reads the same.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "control.pb-c.h"
#include "node/control/control_form.h"
#include "node/control/control_rows.h"
#include "node/core/script_args.h"
#include "proto/utf8.h"
#include "rpc.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FIELDS_MAX 32

static const struct config limits = {.limits_name_bytes = 64, .limits_message_bytes = 200};

static void check_args(const ProtobufCMessage *request)
{
    struct script_args args = {.count = 0};
    control_rows_args(request, &args);
    assert(args.keys_used <= request->descriptor->n_fields);
    assert(args.count == 2 * (request->descriptor->n_fields + args.keys_used));
    for (size_t i = 0; i < args.count; i++) {
        assert(utf8_valid(args.items[i]));
    }
}

static void check_request(const ProtobufCMethodDescriptor *method, struct bytes in)
{
    char error[256];
    ProtobufCMessage *request = protobuf_c_message_unpack(method->input, NULL, in.len, in.ptr);
    if (request == NULL) {
        return;
    }
    if (control_form_good(request, &limits, error)) {
        check_args(request);
    } else {
        assert(error[0] != '\0' && strlen(error) < sizeof error);
    }
    protobuf_c_message_free_unpacked(request, NULL);
}

static void check_envelope(const ProtobufCMethodDescriptor *method, struct bytes in)
{
    Hgtp__Rpc__Request *envelope = hgtp__rpc__request__unpack(NULL, in.len, in.ptr);
    if (envelope == NULL) {
        return;
    }
    check_request(method, bytes_of(envelope->payload.data, envelope->payload.len));
    hgtp__rpc__request__free_unpacked(envelope, NULL);
}

/* The input, cut at every zero byte, as a row of a script. */
static void check_row(const ProtobufCMethodDescriptor *method, struct bytes in)
{
    struct bytes fields[FIELDS_MAX] = {bytes_str("row")};
    size_t count = 1;
    while (in.len > 0 && count < FIELDS_MAX) {
        const uint8_t *end = memchr(in.ptr, 0, in.len);
        size_t len = end != NULL ? (size_t)(end - in.ptr) : in.len;
        fields[count++] = bytes_of(in.ptr, len);
        in = end != NULL ? bytes_of(end + 1, in.len - len - 1) : bytes_of(NULL, 0);
    }
    const struct effect row = {fields, count};
    ProtobufCMessage *reply = control_rows_new(method->output);
    assert(reply != NULL);
    (void)control_rows_put(reply, &row);
    size_t len = protobuf_c_message_get_packed_size(reply);
    uint8_t *packed = malloc(len + 1), *again_packed = malloc(len + 1);
    assert(protobuf_c_message_pack(reply, packed) == len);
    ProtobufCMessage *again = protobuf_c_message_unpack(method->output, NULL, len, packed);
    assert(again != NULL);
    assert(protobuf_c_message_pack(again, again_packed) == len);
    assert(memcmp(packed, again_packed, len) == 0);
    protobuf_c_message_free_unpacked(again, NULL);
    protobuf_c_message_free_unpacked(reply, NULL);
    free(packed);
    free(again_packed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const ProtobufCServiceDescriptor *service = &hgtp__control__control__descriptor;
    if (size == 0) {
        return 0;
    }
    uint8_t *copy = malloc(size); /* so that reading beyond the input is seen */
    memcpy(copy, data + 1, size - 1);
    struct bytes in = bytes_of(copy, size - 1);
    const ProtobufCMethodDescriptor *method = &service->methods[data[0] % service->n_methods];
    check_envelope(method, in);
    check_request(method, in);
    check_row(method, in);
    free(copy);
    return 0;
}
