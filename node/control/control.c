/* SPDX-License-Identifier: MIT */
/*
 * control: calls of the control service: the envelope is opened, the token looked up, the method
 * found in control_method.def and done, the reply sent back, in time or not at all. What methods
 * mean is in the scripts and control_own.c.
 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <utlist.h>

#include "control_form.h"
#include "control_state.h"
#include "node/base/log.h"
#include "node/base/metrics.h"
#include "proto/utf8.h"

#define CONTROL_TIMEOUT_MS     10000 /* for a caller that names none */
#define CONTROL_TIMEOUT_MAX_MS 120000
#define CONTROL_STEP_MS        50
#define CONTROL_SERVICE        "/hgtp.control.Control/"
#define CONTROL_PAGES_MAX      10000 /* calls of a script for one list */

static const struct control_method control_methods[] = {
#define SCRIPT_OF(name)               NULL, SCRIPT_##name
#define OWN(function)                 function, SCRIPT_COUNT
#define METHOD(name, role, how, here) {#name, CONTROL_ROLE_##role, how, here},
#include "control_method.def"
};

/* Answers ---------------------------------------------------------------------------------------
 */

static void control_send(struct control_call *call, Hgtp__Rpc__Code code, const char *message,
                         struct bytes payload)
{
    Hgtp__Rpc__Response response = HGTP__RPC__RESPONSE__INIT;
    response.id = call->id;
    response.code = code;
    response.message = (char *)(uintptr_t)message;
    response.payload = (ProtobufCBinaryData){payload.len, (uint8_t *)(uintptr_t)payload.ptr};
    size_t len = hgtp__rpc__response__get_packed_size(&response);
    uint8_t *packed = malloc(len);
    if (packed != NULL) {
        (void)hgtp__rpc__response__pack(&response, packed);
    }
    call->slot->answer(call->slot, bytes_of(packed, packed != NULL ? len : 0));
    call->slot = NULL;
    free(packed);
    metric_add(code == HGTP__RPC__CODE__OK ? METRIC_CONTROL_OK : METRIC_CONTROL_REFUSED, 1);
}

static void control_call_free(struct control_call *call)
{
    if (call->request != NULL) {
        protobuf_c_message_free_unpacked(call->request, NULL);
    }
    if (call->reply != NULL) {
        protobuf_c_message_free_unpacked(call->reply, NULL);
    }
    if (call->nodes != NULL) {
        protobuf_c_message_free_unpacked(call->nodes, NULL);
    }
    control_ask_free(call);
    free(call);
}

void control_fail(struct control_call *call, Hgtp__Rpc__Code code, const char *message)
{
    if (call->slot != NULL) {
        control_send(call, code, message, bytes_of(NULL, 0));
    }
}

void control_refuse(struct control_call *call, enum err err)
{
    /* Clients are told no more than that they may try again; operators want to know of what. */
    control_fail(call, (Hgtp__Rpc__Code)err_control_status(err),
                 err == ERR_STORE_AWAY ? "the node's Redis does not answer" : err_text(err));
}

void control_reply(struct control_call *call)
{
    if (call->slot == NULL) {
        return; /* it came too late */
    }
    size_t len = protobuf_c_message_get_packed_size(call->reply);
    uint8_t *packed = malloc(len + 1);
    if (packed == NULL || len > CONTROL_REPLY_MAX) {
        control_fail(call, HGTP__RPC__CODE__RESOURCE_EXHAUSTED,
                     "the answer is too long; ask for less");
    } else {
        (void)protobuf_c_message_pack(call->reply, packed);
        control_send(call, HGTP__RPC__CODE__OK, "", bytes_of(packed, len));
    }
    free(packed);
}

void control_end(struct control_call *call)
{
    control_fail(call, HGTP__RPC__CODE__INTERNAL, "nothing came of it: see the node's log");
    DL_DELETE(call->control->calls, call);
    control_call_free(call);
}

/* Scripts ---------------------------------------------------------------------------------------
 */

static void control_run_on(struct control_call *call, struct bytes cursor);

static void control_on_result(const struct result *result, void *arg)
{
    struct control_call *call = arg;
    if (result == NULL || result->code != ERR_NONE) {
        control_refuse(call, core_outcome(call->control->options.core, result));
        control_end(call);
        return;
    }
    bool is_whole = true;
    for (size_t i = 0; i < result->effect_count; i++) {
        const struct effect *effect = &result->effects[i];
        if (effect->count > 0 && bytes_equal(effect->fields[0], bytes_str("row"))) {
            is_whole = control_rows_put(call->rows, effect) && is_whole;
        }
    }
    if (!is_whole) {
        LOG_LIMITED(LOG_ERROR, "control_row_unfit", log_str("method", call->method->name),
                    log_str("hint", "are all nodes of the same version?"));
    }
    bool has_more = result->extra.len > 0 && !bytes_equal(result->extra, bytes_str("0"));
    if (has_more && call->slot != NULL && ++call->page_count < CONTROL_PAGES_MAX) {
        control_run_on(call, result->extra);
        return;
    }
    if (call->on_rows != NULL && call->slot != NULL) {
        call->on_rows(call);
        return;
    }
    /* What was said not to be done in time must not be begun now. */
    control_reply(call);
    control_end(call);
}

/* `cursor`: where the script is to go on, in its own words, of any length. */
static void control_run_on(struct control_call *call, struct bytes cursor)
{
    struct script_args args;
    core_control_args(call->control->options.core, &args);
    script_args_str(&args, "actor", call->actor);
    script_args_bytes(&args, "cursor", cursor);
    if (call->rows == call->reply) {
        control_rows_args(call->request, &args); /* else it is asked for something on the way */
    }
    if (call->sealed[0] != '\0') {
        script_args_str(&args, "sealed", call->sealed);
    }
    core_control(call->control->options.core, call->script, &args, control_on_result, call);
}

void control_run(struct control_call *call, enum script script)
{
    call->script = script;
    call->page_count = 0;
    control_run_on(call, bytes_of(NULL, 0));
}

/* Requests --------------------------------------------------------------------------------------
 */

const struct control_method *control_method_find(const char *name)
{
    size_t prefix = strlen(CONTROL_SERVICE);
    const char *bare = strncmp(name, CONTROL_SERVICE, prefix) == 0 ? name + prefix : name;
    for (size_t i = 0; i < sizeof control_methods / sizeof control_methods[0]; i++) {
        if (strcmp(bare, control_methods[i].name) == 0) {
            return &control_methods[i];
        }
    }
    return NULL;
}

const ProtobufCMethodDescriptor *control_method_types(const struct control_method *method)
{
    return protobuf_c_service_descriptor_get_method_by_name(&hgtp__control__control__descriptor,
                                                            method->name);
}

/* Who owns the node's socket needs no token. */
static enum control_role control_role_of(const struct control_call *call, const char *token,
                                         const struct control_token **ret_token)
{
    *ret_token = control_tokens_find(&call->control->tokens, token);
    if (*ret_token != NULL) {
        return (*ret_token)->role;
    }
    return call->slot->is_owner && token[0] == '\0' ? CONTROL_ROLE_ADMINISTER : CONTROL_ROLE_NONE;
}

/* A repair changes what a look does not. */
static enum control_role control_needed(const struct control_call *call)
{
    bool is_repair = call->request->descriptor == &hgtp__control__doctor_request__descriptor &&
                     ((const Hgtp__Control__DoctorRequest *)call->request)->fix;
    return is_repair ? CONTROL_ROLE_ADMINISTER : call->method->role;
}

static bool control_is_known(struct control_call *call, const Hgtp__Rpc__Request *envelope)
{
    const struct control_token *token;
    call->role = control_role_of(call, envelope->token, &token);
    snprintf(call->actor, sizeof call->actor, "%s%s%s", token != NULL ? token->name : "",
             token != NULL && token->name[0] != '\0' ? " " : "", envelope->actor);
    if (call->role == CONTROL_ROLE_NONE) {
        control_fail(call, HGTP__RPC__CODE__UNAUTHENTICATED,
                     envelope->token[0] == '\0'
                         ? "a token is needed: a line of the node's control.token_file"
                         : "this token is in no line of the node's control.token_file");
    }
    return call->role != CONTROL_ROLE_NONE;
}

static bool control_may(struct control_call *call)
{
    enum control_role needed = control_needed(call);
    if (call->role >= needed) {
        return true;
    }
    char message[160];
    snprintf(message, sizeof message, "%s needs the role %s; this token has %s", call->method->name,
             control_role_name(needed), control_role_name(call->role));
    control_fail(call, HGTP__RPC__CODE__PERMISSION_DENIED, message);
    return false;
}

static bool control_unpack(struct control_call *call, const Hgtp__Rpc__Request *envelope)
{
    const ProtobufCMethodDescriptor *types = control_method_types(call->method);
    call->request = protobuf_c_message_unpack(types->input, NULL, envelope->payload.len,
                                              envelope->payload.data);
    call->reply = call->rows = control_rows_new(types->output);
    if (call->request != NULL && call->reply != NULL) {
        return true;
    }
    metric_add(METRIC_CONTROL_MALFORMED, 1);
    control_fail(call, HGTP__RPC__CODE__INVALID_ARGUMENT, "the request is malformed");
    return false;
}

/* False: it is answered. */
static bool control_open_call(struct control_call *call, const Hgtp__Rpc__Request *envelope)
{
    char error[CONTROL_ERROR_BYTES];
    call->id = envelope->id;
    call->method = control_method_find(envelope->method);
    if (call->method == NULL) {
        control_fail(call, HGTP__RPC__CODE__UNIMPLEMENTED, "this node knows no such method");
        return false;
    }
    if (!control_is_known(call, envelope) || !control_unpack(call, envelope) ||
        !control_may(call)) {
        return false;
    }
    if (!control_form_good(call->request, call->control->options.config, error) ||
        !utf8_valid(bytes_str(call->actor))) {
        metric_add(METRIC_CONTROL_MALFORMED, 1);
        control_fail(call, HGTP__RPC__CODE__INVALID_ARGUMENT, error);
        return false;
    }
    int64_t timeout_ms = envelope->timeout_ms != 0 ? envelope->timeout_ms : CONTROL_TIMEOUT_MS;
    timeout_ms = timeout_ms < CONTROL_TIMEOUT_MAX_MS ? timeout_ms : CONTROL_TIMEOUT_MAX_MS;
    call->until_ms = (int64_t)uv_now(call->control->options.loop) + timeout_ms;
    return true;
}

void control_on_request(struct control_slot *slot, struct bytes bytes, void *arg)
{
    struct control *control = arg;
    struct control_call *call = calloc(1, sizeof *call);
    bool is_too_long = bytes.len > CONTROL_REQUEST_MAX;
    Hgtp__Rpc__Request *envelope =
        is_too_long ? NULL : hgtp__rpc__request__unpack(NULL, bytes.len, bytes.ptr);
    if (call == NULL) {
        slot->answer(slot, bytes_of(NULL, 0));
    } else {
        call->control = control;
        call->slot = slot;
        DL_APPEND(control->calls, call);
    }
    if (call != NULL && envelope == NULL) {
        metric_add(METRIC_CONTROL_MALFORMED, 1);
        control_fail(call, HGTP__RPC__CODE__INVALID_ARGUMENT,
                     is_too_long ? "the envelope is longer than 1 MiB"
                                 : "the envelope is malformed");
        control_end(call);
    } else if (call != NULL && !control_open_call(call, envelope)) {
        control_end(call);
    } else if (call != NULL && call->method->own != NULL) {
        call->method->own(call);
    } else if (call != NULL) {
        control_run(call, call->method->script);
    }
    if (envelope != NULL) {
        hgtp__rpc__request__free_unpacked(envelope, NULL);
    }
}

static void control_on_timer(uv_timer_t *timer)
{
    struct control *control = timer->data;
    struct control_call *call, *next;
    int64_t now_ms = (int64_t)uv_now(control->options.loop);
    control_figures_tick(&control->figures, now_ms);
    DL_FOREACH_SAFE(control->calls, call, next)
    {
        if (now_ms >= call->until_ms) {
            control_fail(call, HGTP__RPC__CODE__DEADLINE_EXCEEDED, "not done in time");
        }
        control_ask_tick(call, now_ms);
    }
}

/* Life ------------------------------------------------------------------------------------------
 */

bool control_reload(struct control *control, char *ret_error)
{
    const char *file = control->options.config->control_token_file;
    if (file[0] == '\0') {
        control->tokens.count = 0;
        return true;
    }
    return control_tokens_load(file, &control->tokens, ret_error);
}

struct control *control_new(const struct control_options *options)
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL) {
        return NULL;
    }
    control->options = *options;
    uv_timer_init(options->loop, &control->timer);
    control->timer.data = control;
    uv_timer_start(&control->timer, control_on_timer, 0, CONTROL_STEP_MS);
    return control;
}

void control_close(struct control *control)
{
    if (control->socket != NULL) {
        control_socket_close(control->socket);
    }
    if (control->local != NULL) {
        control_local_close(control->local);
        control->local = NULL;
    }
    uv_close((uv_handle_t *)&control->timer, NULL);
}

void control_free(struct control *control)
{
    struct control_call *call, *next;
    if (control == NULL) {
        return;
    }
    DL_FOREACH_SAFE(control->calls, call, next)
    {
        control_call_free(call);
    }
    free(control);
}
