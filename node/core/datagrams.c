/* SPDX-License-Identifier: MIT */
/*
 * datagrams: HGTP messages at the node's edge, as datagrams, over lines and by HTTP: what arrives
 * is checked for its form and becomes a request; what the server itself has to say (relayed
 * requests, late answers, refusals) is built and sent. No rule about sessions and rooms stands
 * here.
 */
#include "lines.h"
#include "node/base/metrics.h"
#include "proto/base64.h"
#include "request.h"

void datagrams_address(uint32_t ip, uint16_t port, char text[24])
{
    snprintf(text, 24, "%u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255, port);
}

static struct bytes datagrams_encode(const struct hgtp_message *msg, struct sink *out)
{
    hgtp_encode(msg, out);
    if (msg->header.type == HGTP_INVITE_USER_FROM_ROOM ||
        msg->header.type == HGTP_REMOVE_USER_FROM_ROOM) {
        hgtp_pad_relay(out);
    }
    assert(sink_fits(out));
    return sink_bytes(out);
}

void datagrams_reply(struct core *core, struct origin *origin, const struct hgtp_message *msg)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    struct bytes message = datagrams_encode(msg, &out);
    if (origin->on_reply != NULL) {
        core_on_reply_fn *on_reply = origin->on_reply;
        origin->on_reply = NULL;
        on_reply(message, origin->arg);
    } else if (origin->port != 0) {
        core->options.datagram.send(core->options.datagram.ctx, origin->ip, origin->port, message);
    }
}

void datagrams_no_reply(struct origin *origin)
{
    if (origin->on_reply != NULL) {
        core_on_reply_fn *on_reply = origin->on_reply;
        origin->on_reply = NULL;
        on_reply(bytes_of(NULL, 0), origin->arg);
    }
}

/* What the server has to say itself goes over the client's line if it has one. */
static void datagrams_tell(struct core *core, struct bytes uid, struct bytes address,
                           const struct hgtp_message *msg)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    struct bytes message = datagrams_encode(msg, &out);
    const struct client *client = roster_client(&core->roster, uid);
    uint32_t ip;
    uint16_t port;
    if (client != NULL && channel_hgtp(core, client, message)) {
        return;
    }
    if (effects_address(address, &ip, &port)) {
        core->options.datagram.send(core->options.datagram.ctx, ip, port, message);
    }
}

struct hgtp_header datagrams_header(struct core *core, uint8_t type, uint8_t request_type,
                                    const uint8_t *user_id, int32_t seq)
{
    struct hgtp_header header = {.type = type, .request_type = request_type, .seq = seq};
    header.timestamp_ms = (uint32_t)core->options.clock.now_unix_ms(core->options.clock.ctx);
    memcpy(header.user_id, user_id, HGTP_USER_ID_BYTES);
    return header;
}

static void datagrams_refusal_body(enum err err, struct sink *out)
{
    const struct hgtp_reason reason = {(int16_t)err, bytes_str(err_text(err))};
    hgtp_reason_encode(&reason, out);
}

/* The response to a request that needs no script or whose script failed. */
void datagrams_refuse(struct core *core, struct origin *origin, const struct hgtp_header *to,
                      int32_t steps, enum err err)
{
    uint8_t body[256];
    struct sink out = sink_into(body, sizeof body);
    datagrams_refusal_body(err, &out);
    struct hgtp_message msg = {
        .header = datagrams_header(core, (uint8_t)err_hgtp_type(err, to->type), to->request_type,
                                   to->user_id, datagrams_seq_after(to->seq, steps)),
        .body = sink_bytes(&out)};
    datagrams_reply(core, origin, &msg);
}

void datagrams_relay(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    uint8_t type = bytes_equal(f[1], bytes_str("INVITE")) ? HGTP_INVITE_USER_FROM_ROOM
                                                          : HGTP_REMOVE_USER_FROM_ROOM;
    uint8_t room[1024], peer[1024];
    struct sink room_out = sink_into(room, sizeof room);
    struct sink peer_out = sink_into(peer, sizeof peer);
    base64_encode(f[5], &room_out);
    base64_encode(f[6], &peer_out);
    if (f[2].len != HGTP_USER_ID_BYTES || !sink_fits(&room_out) || !sink_fits(&peer_out)) {
        return;
    }
    if (type == HGTP_REMOVE_USER_FROM_ROOM) {
        originals_is_out(core, f[2]);
    }
    int32_t seq = (int32_t)(uint32_t)effects_number(f[4], 1);
    struct hgtp_message msg = {.header = datagrams_header(core, type, type, f[2].ptr, seq),
                               .peer = {sink_bytes(&room_out), sink_bytes(&peer_out)}};
    datagrams_tell(core, f[2], f[3], &msg);
}

void datagrams_answer(struct core *core, const struct effect *effect)
{
    const struct bytes *f = effect->fields;
    uint8_t type = bytes_equal(f[1], bytes_str("INVITE")) ? HGTP_INVITE_USER_FROM_ROOM
                                                          : HGTP_REMOVE_USER_FROM_ROOM;
    enum err err = (enum err)effects_number(f[5], ERR_INTERNAL);
    if (f[2].len != HGTP_USER_ID_BYTES) {
        return;
    }
    uint8_t body[256];
    struct sink out = sink_into(body, sizeof body);
    if (err != ERR_NONE) {
        datagrams_refusal_body(err, &out);
    }
    int32_t seq = (int32_t)(uint32_t)effects_number(f[4], 1);
    struct hgtp_message msg = {
        .header = datagrams_header(core, (uint8_t)err_hgtp_type(err, type), type, f[2].ptr, seq),
        .body = sink_bytes(&out)};
    datagrams_tell(core, f[2], f[3], &msg);
}

/*
 * What makes a repetition a repetition: every byte, and the address it comes from, so that nobody
 * else gets the stored reply.
 */
static void request_fingerprint(struct request *request)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t hash[DIGEST_SHA256_BYTES];
    uint32_t from = request->origin.ip;
    const uint8_t ip[4] = {(uint8_t)(from >> 24), (uint8_t)(from >> 16), (uint8_t)(from >> 8),
                           (uint8_t)from};
    digest_sha256(bytes_of(request->datagram, request->datagram_bytes), bytes_of(ip, sizeof ip),
                  hash);
    for (size_t i = 0; i < sizeof hash; i++) {
        request->print[2 * i] = (uint8_t)hex[hash[i] >> 4];
        request->print[2 * i + 1] = (uint8_t)hex[hash[i] & 15];
    }
}

static struct request *datagrams_request_new(struct core *core, struct origin *origin,
                                             struct bytes datagram)
{
    struct request *request = calloc(1, sizeof *request + datagram.len);
    if (request == NULL) {
        return NULL;
    }
    request->core = core;
    request->since_us = metrics_now_us();
    request->reply_steps = 1;
    request->origin = *origin;
    origin->on_reply = NULL; /* the request's from now on */
    if (origin->line != NULL) {
        core->options.line.hold(origin->line);
    }
    request->token_bytes =
        origin->token.len <= ROSTER_TOKEN_MAX ? origin->token.len : ROSTER_TOKEN_MAX;
    sink_put(&(struct sink){request->token, sizeof request->token, 0},
             bytes_of(origin->token.ptr, request->token_bytes));
    request->datagram_bytes = datagram.len;
    memcpy(request->datagram, datagram.ptr, datagram.len);
    datagrams_address(origin->ip, origin->port, request->src);
    if (origin->port == 0) {
        request->src[0] = '\0';
    }
    return request;
}

static void datagrams_on_request(struct core *core, struct origin *origin, struct bytes datagram,
                                 const struct hgtp_header *header)
{
    struct request *request =
        core_is_busy(core) ? NULL : datagrams_request_new(core, origin, datagram);
    if (request == NULL) {
        metric_add(METRIC_REQUESTS_FAILED, 1);
        if (hgtp_type_is_request(header->type)) {
            datagrams_refuse(core, origin, header, 1, ERR_BUSY);
        }
        return;
    }
    (void)hgtp_decode(bytes_of(request->datagram, datagram.len), &request->msg);
    request_fingerprint(request);
    if (request->msg.header.type == HGTP_REGISTER) {
        request_register(request);
    } else {
        request_check_signature(request);
    }
}

/* A response that reached the server: only a peer's answer to INVITE or REMOVE means something. */
static void datagrams_on_response(struct core *core, struct origin *origin, struct bytes datagram,
                                  const struct hgtp_header *header)
{
    bool is_answer = header->type == HGTP_OK || header->type == HGTP_DECLINE;
    bool is_to_relay = header->request_type == HGTP_INVITE_USER_FROM_ROOM ||
                       header->request_type == HGTP_REMOVE_USER_FROM_ROOM;
    if (is_answer && is_to_relay && hgtp_user_id_valid(header->user_id)) {
        datagrams_on_request(core, origin, datagram, header);
    } else if (header->type == HGTP_UNAUTHORIZED) {
        datagrams_refuse(core, origin, header, 1, ERR_UNEXPECTED);
    } else {
        metric_add(METRIC_ANSWERS_IGNORED, 1);
    }
}

/* `err`: why it is refused whatever it says, or ERR_NONE. */
static void datagrams_take(struct core *core, struct origin *origin, struct bytes datagram,
                           enum err err)
{
    struct hgtp_message msg;
    enum hgtp_result decoded = hgtp_decode(datagram, &msg);
    if (decoded == HGTP_BAD_HEADER) {
        metric_add(METRIC_HGTP_MALFORMED, 1);
        return;
    }
    if (decoded == HGTP_DECODED && !hgtp_type_is_request(msg.header.type) && err == ERR_NONE) {
        datagrams_on_response(core, origin, datagram, &msg.header);
        return;
    }
    if (decoded == HGTP_BAD_TYPE) {
        err = ERR_TYPE_UNKNOWN;
    } else if (decoded == HGTP_BAD_BODY) {
        err = ERR_MALFORMED;
    } else if (!hgtp_user_id_valid(msg.header.user_id)) {
        err = ERR_USER_ID_INVALID;
    }
    if (err == ERR_NONE) {
        datagrams_on_request(core, origin, datagram, &msg.header);
        return;
    }
    metric_add(err == ERR_RATE_LIMITED ? METRIC_RATE_LIMITED : METRIC_HGTP_MALFORMED, 1);
    /* What is below 0x80 would be a response: answering it could set two servers on each other. */
    if (msg.header.type >= 0x80) {
        datagrams_refuse(core, origin, &msg.header, 1, err);
    }
}

/* Byte 2 of the header. */
static uint8_t datagrams_type(struct bytes datagram)
{
    return datagram.len >= HGTP_HEADER_BYTES ? datagram.ptr[2] : 0;
}

/* Takes its part of the address' rate. */
static bool datagrams_in_time(struct core *core, uint32_t ip, uint8_t type)
{
    bool is_in_time = core_address_in_time(core, &core->requests, ip,
                                           core->options.config->limits_requests_per_s);
    return is_in_time || request_is_leaving(type);
}

void core_on_datagram(struct core *core, uint32_t ip, uint16_t port, struct bytes datagram)
{
    metric_add(METRIC_HGTP_RECEIVED, 1);
    struct origin origin = {.ip = ip, .client_ip = ip, .port = port};
    uint8_t type = datagrams_type(datagram);
    bool is_in_time = datagrams_in_time(core, ip, type);
    if (!is_in_time && type != HGTP_CREATE_ROOM && type != HGTP_JOIN_ROOM) {
        metric_add(METRIC_RATE_LIMITED, 1);
    } else if (port != 0) {
        /* The original's client does not recover from silence to CREATE and JOIN. */
        datagrams_take(core, &origin, datagram, is_in_time ? ERR_NONE : ERR_RATE_LIMITED);
    } else {
        metric_add(METRIC_HGTP_MALFORMED, 1);
    }
}

void core_ask(struct core *core, const struct core_asker *asker, struct bytes message,
              core_on_reply_fn *on_reply, void *arg)
{
    struct origin origin = {.ip = asker->ip,
                            .client_ip = asker->client_ip,
                            .on_reply = on_reply,
                            .arg = arg,
                            .line = asker->line,
                            .token = lines_token(asker)};
    bool is_in_time = datagrams_in_time(core, asker->client_ip, datagrams_type(message));
    datagrams_take(core, &origin, message, is_in_time ? ERR_NONE : ERR_RATE_LIMITED);
    datagrams_no_reply(&origin);
}
