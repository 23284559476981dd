/* SPDX-License-Identifier: MIT */
/*
 * request: the life of an HGTP request: its arguments for the script, the check of its signature,
 * and its reply. Who may do what is decided by the scripts; only what needs no state is checked
 * here.
 */
#include "request.h"

#include "lines.h"
#include "node/base/log.h"
#include "node/base/metrics.h"
#include "proto/base64.h"
#include "proto/utf8.h"

struct bytes request_uid(const struct request *request)
{
    return bytes_of(request->msg.header.user_id, HGTP_USER_ID_BYTES);
}

/* Enough of the hash to tell it from every other. */
static struct bytes request_print(const struct request *request)
{
    return bytes_of(request->print, UNDECIDED_PRINT_BYTES);
}

void request_end(struct request *request)
{
    datagrams_no_reply(&request->origin);
    if (request->origin.line != NULL) {
        request->core->options.line.let_go(request->origin.line);
    }
    free(request);
}

void request_refuse(struct request *request, enum err err)
{
    if (!hgtp_type_is_request(request->msg.header.type)) {
        return;
    }
    datagrams_refuse(request->core, &request->origin, &request->msg.header, request->reply_steps,
                     err);
    metric_add(err_is_fault(err) ? METRIC_REQUESTS_FAILED : METRIC_REQUESTS_REFUSED, 1);
}

bool request_realm(const struct core *core, struct bytes challenge, struct sink *out)
{
    sink_text(out, core->options.config->node_realm);
    sink_text(out, ":");
    sink_put(out, challenge);
    return challenge.len > 0 && sink_fits(out);
}

static void request_reply_challenge(struct request *request, struct bytes challenge)
{
    struct core *core = request->core;
    uint8_t realm[REQUEST_REALM_MAX];
    struct sink out = sink_into(realm, sizeof realm);
    if (!request_realm(core, challenge, &out)) {
        request_refuse(request, ERR_INTERNAL);
        return;
    }
    struct hgtp_message msg = {
        .header = datagrams_header(
            core, HGTP_UNAUTHORIZED, request->msg.header.request_type, request->msg.header.user_id,
            datagrams_seq_after(request->msg.header.seq, request->reply_steps + request->ahead)),
        .challenge = {core->options.http_port, sink_bytes(&out)}};
    datagrams_reply(core, &request->origin, &msg);
}

/* The session may be another one than that of the request's user id: the token says whose it is. */
static void request_opened(struct request *request, struct bytes token)
{
    struct core *core = request->core;
    void *line = request->origin.line;
    uint8_t uid[HGTP_USER_ID_BYTES];
    if (!say_token_uid(token, uid)) {
        return;
    }
    if (!request->is_repeated) {
        lines_on_registered(core, bytes_of(uid, sizeof uid), line, request->line_name, token);
    } else if (line != NULL) {
        const struct core_asker asker = {.client_ip = request->origin.client_ip, .token = token};
        lines_attach_again(core, line, &asker);
    }
}

static void request_reply_ok(struct request *request, struct bytes token)
{
    uint8_t body[128];
    struct sink out = sink_into(body, sizeof body);
    if (token.len > 0) {
        hgtp_token_encode(token, &out);
    }
    if (!sink_fits(&out)) {
        request_refuse(request, ERR_INTERNAL);
        return;
    }
    struct hgtp_message msg = {
        .header = datagrams_header(
            request->core, HGTP_OK, request->msg.header.request_type, request->msg.header.user_id,
            datagrams_seq_after(request->msg.header.seq, request->reply_steps)),
        .body = sink_bytes(&out)};
    datagrams_reply(request->core, &request->origin, &msg);
    uint8_t type = request->msg.header.type;
    if (type == HGTP_EXIT_ROOM || type == HGTP_DELETE_ROOM || type == HGTP_UNREGISTER) {
        originals_is_out(request->core, request_uid(request));
    }
    if (type == HGTP_REGISTER) {
        undecided_forget(request->core, request_uid(request), request_print(request));
        strangers_registered(request->core, request_uid(request), request->origin.client_ip);
        request_opened(request, token);
    } else if (type == HGTP_UNREGISTER) {
        lines_on_unregistered(request->core, request_uid(request), request->origin.line);
    }
}

static void request_on_reply(const struct result *result, void *arg)
{
    struct request *request = arg;
    switch (result->code) {
    case ERR_WAITING:
    case ERR_IGNORED:
        return;
    case ERR_CHALLENGED:
        request_reply_challenge(request, result->extra);
        break;
    case ERR_NONE:
        request_reply_ok(request, result->extra);
        break;
    default:
        metric_add(METRIC_RATE_LIMITED, result->code == ERR_RATE_LIMITED ? 1 : 0);
        request_refuse(request, result->code);
        return;
    }
    metric_add(METRIC_REQUESTS_OK, 1);
}

/* A stored reply may be a late one: then it is further off. */
static void request_note_repetition(struct request *request, const struct result *result)
{
    if (effects_are_repeated(result)) {
        const struct effect *repeated = &result->effects[result->effect_count - 1];
        metric_add(METRIC_REQUESTS_REPEATED, 1);
        request->is_repeated = true;
        request->reply_steps =
            repeated->count > 1 ? (int32_t)effects_number(repeated->fields[1], 1) : 1;
    }
}

/* One that opens a session, which would keep its name; or that takes an original client into a room
 * or out of it: such a client believes what it is told, and has no other way to find out. */
static bool request_is_to_undo(const struct request *request)
{
    uint8_t type = request->msg.header.type;
    return type == HGTP_REGISTER ||
           (request->origin.port != 0 && (type == HGTP_CREATE_ROOM || type == HGTP_DELETE_ROOM ||
                                          type == HGTP_JOIN_ROOM || type == HGTP_EXIT_ROOM));
}

/* Ends a request whose script has answered; `result` NULL: it did not. */
void request_finish(struct request *request, const struct result *result)
{
    if (result == NULL) {
        enum err err = core_outcome(request->core, NULL);
        LOG_LIMITED(LOG_WARN, "request_failed",
                    log_str("request", hgtp_type_name(request->msg.header.type)),
                    log_str("why", err_text(err)));
        request_refuse(request, err);
        if (request->line_name[0] != '\0') {
            lines_forget(request->core, request_uid(request), request->line_name);
        }
        if (request_is_to_undo(request)) {
            undecided_note(request->core, request_uid(request), request_print(request));
        }
    } else {
        request_note_repetition(request, result);
        effects_apply(request->core, result, request_on_reply, request);
    }
    if (result != NULL) {
        originals_heard(request->core, request, result->code);
    }
    metric_observe(HISTOGRAM_REQUEST, metrics_now_us() - request->since_us);
    request_end(request);
}

void request_on_result(const struct result *result, void *arg)
{
    struct request *request = arg;
    core_call_over(request->core);
    request_finish(request, result);
}

/* Decodes a base64 name into the request; it stays empty when it can be the name of nobody. */
bool request_name(struct bytes base64, uint8_t *storage, size_t *ret_bytes)
{
    struct sink out = sink_into(storage, REQUEST_NAME_MAX);
    bool is_base64 = base64_decode(base64, &out);
    bool is_usable =
        is_base64 && sink_fits(&out) && utf8_name_valid(sink_bytes(&out), REQUEST_NAME_MAX);
    *ret_bytes = is_usable ? out.len : 0;
    return is_base64;
}

void request_args(struct request *request, struct script_args *args)
{
    struct core *core = request->core;
    core_args_init(core, args, request_uid(request));
    script_args_bytes(args, "print", request_print(request));
    script_args_str(args, "src", request->src);
    script_args_ip(args, "ip", request->origin.ip);
    script_args_bytes(args, "token", bytes_of(request->token, request->token_bytes));
    script_args_int(args, "seq", request->msg.header.seq);
    script_args_int(args, "stamp", request->msg.header.timestamp_ms);
    bool is_signed = request->msg.trailer.len == HGTP_SIGNATURE_BYTES || request->token_bytes > 0;
    script_args_str(args, "is_bare", !is_signed && request->origin.line == NULL ? "1" : "");
    if (request->is_signed || request->msg.header.type == HGTP_REGISTER) {
        script_args_int(args, "timestamp", request->msg.header.timestamp_ms);
    }
}

bool request_is_leaving(uint8_t type)
{
    return type == HGTP_EXIT_ROOM || type == HGTP_DELETE_ROOM || type == HGTP_UNREGISTER ||
           type == HGTP_OK || type == HGTP_DECLINE;
}

/* Who gives lists has read them. */
static enum cost_kind request_cost_kind(uint8_t type)
{
    bool is_large = type == HGTP_REFRESH || type == HGTP_JOIN_ROOM || type == HGTP_REGISTER;
    return request_is_leaving(type) ? COST_LEAVING : is_large ? COST_LARGE : COST_SMALL;
}

bool request_pay(struct request *request)
{
    struct core *core = request->core;
    const struct cost_asker asker = {.uid = request_uid(request),
                                     .token = bytes_of(request->token, request->token_bytes),
                                     .ip = request->origin.ip,
                                     .client_ip = request->origin.client_ip};
    request->cost = cost_of(core, &asker);
    if (request_is_leaving(request->msg.header.type) ||
        cost_take(core, &request->cost, 0) == ERR_NONE) {
        return true;
    }
    request_refuse(request, ERR_RATE_LIMITED);
    request_end(request);
    return false;
}

void request_call(struct request *request, enum script script, const struct script_args *args,
                  store_on_result_fn *on_result)
{
    uint8_t type = request->msg.header.type;
    bool is_unproved = request->msg.trailer.len == HGTP_SIGNATURE_BYTES && !request->is_signed;
    const struct stranger stranger = {.uid = request_uid(request),
                                      .token = bytes_of(request->token, request->token_bytes),
                                      .cost = &request->cost,
                                      .kind = request_cost_kind(type),
                                      .ip = request->origin.client_ip,
                                      .is_datagram = request->origin.port != 0,
                                      .is_opening = type == HGTP_REGISTER,
                                      .is_leaving = request_is_leaving(type),
                                      .is_unproved = is_unproved,
                                      .is_proof = !is_unproved && type != HGTP_REGISTER &&
                                                  !request_is_leaving(type)};
    enum err err = ERR_NONE;
    if (request->is_signed || script == SCRIPT_prove) {
        cost_call(request->core, &request->cost, stranger.kind, script, args, on_result, request);
    } else {
        err = strangers_call(request->core, &stranger, script, args, on_result, request);
    }
    if (err != ERR_NONE) {
        request_refuse(request, err);
        request_end(request);
    }
}

static void request_room_names(struct request *request, struct script_args *args)
{
    const struct hgtp_message *msg = &request->msg;
    switch (msg->header.type) {
    case HGTP_CREATE_ROOM:
    case HGTP_DELETE_ROOM:
        request_name(msg->room.name, request->name, &request->name_bytes);
        script_args_bytes(args, "room_id",
                          hgtp_room_id_valid(msg->room.room_id) ? msg->room.room_id
                                                                : bytes_str(""));
        break;
    case HGTP_JOIN_ROOM:
    case HGTP_EXIT_ROOM:
        request_name(msg->room_name, request->name, &request->name_bytes);
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
    case HGTP_REMOVE_USER_FROM_ROOM:
        request_name(msg->peer.room_name, request->name, &request->name_bytes);
        request_name(msg->peer.peer_name, request->peer, &request->peer_bytes);
        script_args_name(args, "peer", bytes_of(request->peer, request->peer_bytes));
        break;
    default:
        return;
    }
    script_args_name(args, "room", bytes_of(request->name, request->name_bytes));
}

static enum script request_script(uint8_t type)
{
    switch (type) {
    case HGTP_UNREGISTER:
        return SCRIPT_unregister;
    case HGTP_CREATE_ROOM:
        return SCRIPT_create;
    case HGTP_DELETE_ROOM:
        return SCRIPT_delete;
    case HGTP_JOIN_ROOM:
        return SCRIPT_join;
    case HGTP_EXIT_ROOM:
        return SCRIPT_exit;
    case HGTP_INVITE_USER_FROM_ROOM:
        return SCRIPT_invite;
    case HGTP_REMOVE_USER_FROM_ROOM:
        return SCRIPT_remove;
    case HGTP_REFRESH:
        return SCRIPT_refresh;
    default:
        return SCRIPT_answer;
    }
}

/* Whose signature, if there is one, is settled: have the script decide. */
static void request_ask(struct request *request)
{
    if (request->msg.header.type == HGTP_REGISTER) {
        request_register_ask(request);
        return;
    }
    if (!request_pay(request)) {
        return;
    }
    const struct config *config = request->core->options.config;
    const struct hgtp_header *header = &request->msg.header;
    struct script_args args;
    request_args(request, &args);
    enum script script = request_script(header->type);
    if (script == SCRIPT_answer) {
        script_args_str(&args, "kind",
                        header->request_type == HGTP_INVITE_USER_FROM_ROOM ? "INVITE" : "REMOVE");
        script_args_str(&args, "accepted", header->type == HGTP_OK ? "1" : "0");
    } else if (script == SCRIPT_create) {
        script_args_int(&args, "name_max", config->limits_name_bytes);
        script_args_int(&args, "rooms_max", config->limits_rooms);
        script_args_int(&args, "members_max", config->limits_room_members);
    } else if (script == SCRIPT_invite || script == SCRIPT_remove) {
        script_args_int(&args, "answer_ms", config->hgtp_answer_ms);
        script_args_int(&args, "invites", config->limits_invites);
        script_args_int(&args, "invites_to_one", config->limits_invites_to_one);
    } else if (script == SCRIPT_refresh || script == SCRIPT_join) {
        lists_args(request->core, &args, request_uid(request));
    }
    request_room_names(request, &args);
    request_call(request, script, &args, request_on_result);
}

static void request_on_token(const struct result *result, void *arg)
{
    struct request *request = arg;
    struct core *core = request->core;
    core_call_over(core);
    if (result == NULL || result->code != ERR_NONE || effects_are_repeated(result)) {
        request_finish(request, result);
        return;
    }
    struct bytes token = result->extra;
    struct bytes datagram = bytes_of(request->datagram, request->datagram_bytes);
    if (token.len > 0 && token.len <= ROSTER_TOKEN_MAX && digest_signature_valid(token, datagram)) {
        memcpy(request->token, token.ptr, token.len);
        request->token_bytes = token.len;
        request->is_signed = true;
        struct client *client = roster_client(&core->roster, request_uid(request));
        if (client != NULL) {
            memcpy(client->token, token.ptr, token.len);
            client->token_bytes = token.len;
        }
    }
    request_ask(request);
}

/* Finds out whether the datagram is signed: by the token last seen, else by the one in Redis. */
void request_check_signature(struct request *request)
{
    struct core *core = request->core;
    if (request->token_bytes > 0 || request->msg.trailer.len != HGTP_SIGNATURE_BYTES) {
        request_ask(request);
        return;
    }
    struct client *client = roster_client(&core->roster, request_uid(request));
    struct bytes datagram = bytes_of(request->datagram, request->datagram_bytes);
    if (client != NULL && client->token_bytes > 0 &&
        digest_signature_valid(bytes_of(client->token, client->token_bytes), datagram)) {
        memcpy(request->token, client->token, client->token_bytes);
        request->token_bytes = client->token_bytes;
        request->is_signed = true;
        request_ask(request);
        return;
    }
    if (!request_pay(request)) {
        return;
    }
    struct script_args args;
    core_args_init(core, &args, request_uid(request));
    script_args_bytes(&args, "print", request_print(request));
    script_args_str(&args, "opens", request->msg.header.type == HGTP_REGISTER ? "1" : "");
    request_call(request, SCRIPT_token, &args, request_on_token);
}
