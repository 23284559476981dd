/* SPDX-License-Identifier: MIT */
/*
 * control_nodes: calls about one node, and changes at one or all: which there are is read from
 * Redis, those concerned are asked, and the answers are handed on. One that does not answer is
 * shown as such.
 */
#include <stdlib.h>

#include "control_state.h"
#include "node/base/log.h"

/* Which nodes ------------------------------------------------------------------------------------
 */

const Hgtp__Control__NodeListReply *control_nodes_of(const struct control_call *call)
{
    return (const Hgtp__Control__NodeListReply *)call->nodes;
}

/* One that has come since this node's last beat can be asked at once. */
static void control_nodes_connect(const struct control_call *call)
{
    const Hgtp__Control__NodeListReply *list = control_nodes_of(call);
    const struct control_options *options = &call->control->options;
    char name[CONTROL_NODE_MAX];
    for (size_t i = 0; i < list->n_nodes && options->bus_address[0] != '\0'; i++) {
        const Hgtp__Control__Node *node = list->nodes[i];
        snprintf(name, sizeof name, "%s@%s", node->id, node->incarnation);
        if (node->error[0] == '\0' && strcmp(node->state, "silent") != 0) {
            options->bus.peer(options->bus.ctx, bytes_str(name), bytes_str(node->bus));
        }
    }
}

static void control_nodes_on_read(struct control_call *call)
{
    control_nodes_connect(call);
    call->on_nodes(call);
}

/* Reads the nodes from Redis; `then` finds them in call->nodes. */
void control_nodes_read(struct control_call *call, void (*then)(struct control_call *call))
{
    call->nodes = call->rows = control_rows_new(&hgtp__control__node_list_reply__descriptor);
    call->on_rows = control_nodes_on_read;
    call->on_nodes = then;
    if (call->nodes == NULL) {
        control_end(call);
        return;
    }
    control_run(call, SCRIPT_ctl_nodes);
}

/* The field `node` of the request. */
static const char *control_nodes_wanted(const struct control_call *call)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(call->request->descriptor, "node");
    return *(char *const *)((const uint8_t *)call->request + field->offset);
}

static bool control_nodes_is_own(const struct control_call *call, const char *id)
{
    const char *own = call->control->options.node;
    size_t len = strcspn(own, "@");
    return strlen(id) == len && strncmp(own, id, len) == 0;
}

/* `node`: its name, or, if `incarnation` is not NULL, its id. */
static bool control_nodes_add(struct control_call *call, const char *node, const char *incarnation)
{
    struct control_part *parts = realloc(call->parts, (call->part_count + 1) * sizeof *parts);
    if (parts == NULL) {
        return false;
    }
    call->parts = parts;
    struct control_part *part = &parts[call->part_count++];
    *part = (struct control_part){.id = 0};
    snprintf(part->node, sizeof part->node, "%s%s%s", node, incarnation != NULL ? "@" : "",
             incarnation != NULL ? incarnation : "");
    return true;
}

/* All that beat, or beat until a moment ago. */
void control_nodes_add_all(struct control_call *call)
{
    const Hgtp__Control__NodeListReply *list = control_nodes_of(call);
    for (size_t i = 0; i < list->n_nodes; i++) {
        if (list->nodes[i]->error[0] == '\0') {
            (void)control_nodes_add(call, list->nodes[i]->id, list->nodes[i]->incarnation);
        }
    }
}

/* This one, without Redis. */
static void control_nodes_add_own(struct control_call *call)
{
    (void)control_nodes_add(call, call->control->options.node, NULL);
}

static void control_nodes_ask(struct control_call *call, void (*then)(struct control_call *call))
{
    call->part_method = call->method;
    call->part_request = call->request;
    call->on_parts = then;
    control_ask(call);
}

/* One node ---------------------------------------------------------------------------------------
 */

static void control_nodes_unknown(struct control_call *call, const char *id)
{
    const Hgtp__Control__NodeListReply *list = control_nodes_of(call);
    char message[CONFIG_ERROR_BYTES];
    int used = snprintf(message, sizeof message, "there is no node %.100s; there %s", id,
                        list->n_nodes == 1 ? "is" : "are");
    for (size_t i = 0; i < list->n_nodes && (size_t)used < sizeof message; i++) {
        used += snprintf(message + used, sizeof message - (size_t)used, "%s %s", i > 0 ? "," : "",
                         list->nodes[i]->id);
    }
    control_fail(call, HGTP__RPC__CODE__NOT_FOUND, message);
    control_end(call);
}

/* What Redis knows of the node that is wanted, one that lives if there is any; NULL: nothing. */
static Hgtp__Control__Node *control_nodes_find(const struct control_call *call)
{
    const Hgtp__Control__NodeListReply *list = control_nodes_of(call);
    Hgtp__Control__Node *found = NULL;
    for (size_t i = 0; list != NULL && i < list->n_nodes; i++) {
        bool is_it = strcmp(list->nodes[i]->id, control_nodes_wanted(call)) == 0;
        if (is_it && (found == NULL || list->nodes[i]->error[0] == '\0')) {
            found = list->nodes[i];
        }
    }
    return found;
}

static void control_nodes_on_picked(struct control_call *call)
{
    const Hgtp__Control__Node *node = control_nodes_find(call);
    if (node == NULL) {
        control_nodes_unknown(call, control_nodes_wanted(call));
        return;
    }
    (void)control_nodes_add(call, node->id, node->incarnation);
    control_ask(call);
}

/* Asks the node that the request names, or this one; Redis is needed only for another one. */
static void control_nodes_pick(struct control_call *call, void (*then)(struct control_call *call))
{
    const char *id = control_nodes_wanted(call);
    call->part_method = call->method;
    call->part_request = call->request;
    call->on_parts = then;
    if (id[0] == '\0' || control_nodes_is_own(call, id)) {
        control_nodes_add_own(call);
        control_ask(call);
    } else {
        control_nodes_read(call, control_nodes_on_picked);
    }
}

static void control_nodes_take_reply(struct control_call *call)
{
    protobuf_c_message_free_unpacked(call->reply, NULL);
    call->reply = call->parts[0].reply;
    call->parts[0].reply = NULL;
}

/* Answers with what the node has said against it. */
static void control_nodes_refuse(struct control_call *call)
{
    const struct control_part *part = &call->parts[0];
    char message[CONFIG_ERROR_BYTES + CONTROL_NODE_MAX];
    snprintf(message, sizeof message, "%.*s: %s", (int)strcspn(part->node, "@"), part->node,
             part->message);
    control_fail(call, part->code, message);
}

/* False: it is answered, and over. */
static bool control_nodes_has_answered(struct control_call *call)
{
    if (call->part_count > 0 && call->parts[0].code == HGTP__RPC__CODE__OK) {
        return true;
    }
    if (call->part_count > 0) {
        control_nodes_refuse(call);
    }
    control_end(call);
    return false;
}

static void control_nodes_on_one(struct control_call *call)
{
    if (control_nodes_has_answered(call)) {
        control_nodes_take_reply(call);
        control_reply(call);
        control_end(call);
    }
}

void control_nodes_one(struct control_call *call)
{
    control_nodes_pick(call, control_nodes_on_one);
}

/* One that does not answer is shown as Redis knows it. */
static void control_nodes_on_shown(struct control_call *call)
{
    Hgtp__Control__Node *known = control_nodes_find(call);
    if (known == NULL || call->part_count == 0 || call->parts[0].reply != NULL) {
        control_nodes_on_one(call);
        return;
    }
    (void)control_rows_str(&known->base, "state", "silent");
    if (known->error[0] == '\0') {
        (void)control_rows_str(&known->base, "error", call->parts[0].message);
    }
    Hgtp__Control__NodeShowReply *reply = (Hgtp__Control__NodeShowReply *)call->reply;
    reply->node = known;
    control_reply(call);
    reply->node = NULL;
    control_end(call);
}

void control_nodes_show(struct control_call *call)
{
    control_nodes_pick(call, control_nodes_on_shown);
}

/* Changes ----------------------------------------------------------------------------------------
 */

static void control_nodes_on_recorded(struct control_call *call)
{
    control_reply(call);
    control_end(call);
}

/* Whether a value may be written down is the setting's to say. */
static const char *control_nodes_recordable(const struct control_call *call, const char *field,
                                            const char *value)
{
    const ProtobufCMessageDescriptor *type = call->request->descriptor;
    if (type != &hgtp__control__config_set_request__descriptor || strcmp(field, "value") != 0) {
        return value;
    }
    const Hgtp__Control__ConfigSetRequest *set =
        (const Hgtp__Control__ConfigSetRequest *)call->request;
    return config_is_secret(set->key, set->value) ? "(set)" : value;
}

static void control_nodes_on_record(const struct result *result, void *arg)
{
    struct control_call *call = arg;
    if (result == NULL || result->code != ERR_NONE) {
        LOG(LOG_WARN, "change_unrecorded", log_str("method", call->method->name),
            log_str("actor", call->actor),
            log_str("hint", "the change was made; Redis did not take its event"));
    }
    control_nodes_on_recorded(call);
}

/* Nodes make these changes themselves, so no script has written them down. */
static void control_nodes_record(struct control_call *call, struct bytes what)
{
    struct script_args args;
    char names[4][40];
    char asked[160] = "";
    size_t count = 0;
    core_control_args(call->control->options.core, &args);
    script_args_str(&args, "actor", call->actor);
    script_args_str(&args, "method", call->method->name);
    script_args_bytes(&args, "what", what);
    for (unsigned i = 0; i < call->request->descriptor->n_fields && count < 4; i++) {
        const ProtobufCFieldDescriptor *field = &call->request->descriptor->fields[i];
        if (field->type != PROTOBUF_C_TYPE_STRING) {
            continue;
        }
        const char *value = *(char *const *)((const uint8_t *)call->request + field->offset);
        size_t used = strlen(asked);
        snprintf(asked + used, sizeof asked - used, "%s ", field->name);
        snprintf(names[count], sizeof names[count], "arg_%s", field->name);
        script_args_str(&args, names[count++], control_nodes_recordable(call, field->name, value));
    }
    script_args_str(&args, "asked", asked);
    script_args_str(&args, "target", control_nodes_wanted(call));
    core_control(call->control->options.core, SCRIPT_ctl_record, &args, control_nodes_on_record,
                 call);
}

/* It may have done it, and it may still do so. */
static bool control_nodes_may_have_changed(const struct control_call *call)
{
    const ProtobufCFieldDescriptor *dry_run =
        protobuf_c_message_descriptor_get_field_by_name(call->request->descriptor, "dry_run");
    return call->part_count > 0 && call->parts[0].code == HGTP__RPC__CODE__UNAVAILABLE &&
           !*(const protobuf_c_boolean *)((const uint8_t *)call->request + dry_run->offset);
}

static void control_nodes_on_changed(struct control_call *call)
{
    if (control_nodes_may_have_changed(call)) {
        control_nodes_refuse(call);
        control_nodes_record(call, bytes_str(call->parts[0].message));
        return;
    }
    if (!control_nodes_has_answered(call)) {
        return;
    }
    control_nodes_take_reply(call);
    const Hgtp__Control__Done *done = (const Hgtp__Control__Done *)call->reply;
    if (done->dry_run) {
        control_nodes_on_recorded(call);
    } else {
        control_nodes_record(call, bytes_of(done->what.data, done->what.len));
    }
}

void control_nodes_change(struct control_call *call)
{
    control_nodes_pick(call, control_nodes_on_changed);
}

/* Settings of several nodes ----------------------------------------------------------------------
 */

static void control_nodes_put_result(struct control_call *call, const struct control_part *part)
{
    const Hgtp__Control__ConfigSetReply *set = (const Hgtp__Control__ConfigSetReply *)part->reply;
    bool has_row = set != NULL && set->n_nodes > 0;
    char id[CONTROL_NODE_MAX];
    snprintf(id, sizeof id, "%.*s", (int)strcspn(part->node, "@"), part->node);
    Hgtp__Control__NodeResult *row =
        (Hgtp__Control__NodeResult *)control_rows_add(call->reply, bytes_str("NodeResult"));
    if (row != NULL) {
        (void)control_rows_str(&row->base, "node", id);
        (void)control_rows_str(&row->base, "result",
                               has_row ? set->nodes[0]->result : part->message);
        row->ok = has_row && set->nodes[0]->ok;
    }
}

/* What no node takes is wrong in itself. */
static bool control_nodes_all_refuse(const struct control_call *call)
{
    for (size_t i = 0; i < call->part_count; i++) {
        if (call->parts[i].code != HGTP__RPC__CODE__INVALID_ARGUMENT) {
            return false;
        }
    }
    return call->part_count > 0;
}

static void control_nodes_on_set(struct control_call *call)
{
    const Hgtp__Control__ConfigSetRequest *request =
        (const Hgtp__Control__ConfigSetRequest *)call->request;
    if (control_nodes_all_refuse(call)) {
        control_fail(call, HGTP__RPC__CODE__INVALID_ARGUMENT, call->parts[0].message);
        control_end(call);
        return;
    }
    char what[CONFIG_ERROR_BYTES] = "";
    for (size_t i = 0; i < call->part_count; i++) {
        control_nodes_put_result(call, &call->parts[i]);
        const Hgtp__Control__ConfigSetReply *reply =
            (const Hgtp__Control__ConfigSetReply *)call->reply;
        const Hgtp__Control__NodeResult *row = reply->nodes[reply->n_nodes - 1];
        size_t used = strlen(what);
        snprintf(what + used, sizeof what - used, "%s%s: %s", i > 0 ? ", " : "", row->node,
                 row->result);
    }
    if (request->dry_run) {
        control_nodes_on_recorded(call);
    } else {
        control_nodes_record(call, bytes_str(what));
    }
}

static void control_nodes_on_all_to_set(struct control_call *call)
{
    control_nodes_add_all(call);
    control_nodes_ask(call, control_nodes_on_set);
}

void control_nodes_set(struct control_call *call)
{
    if (control_nodes_wanted(call)[0] != '\0') {
        control_nodes_pick(call, control_nodes_on_set);
    } else {
        control_nodes_read(call, control_nodes_on_all_to_set);
    }
}
