/* SPDX-License-Identifier: MIT */
/*
 * routes_talk: what clients have to say by POST: messages in the original's form and as texts, and
 * HGTP messages. Who may speak is the scripts'.
 */
#include "routes_talk.h"

#include <stdlib.h>

#include "client_address.h"
#include "message_json.h"
#include "proto/talk_text.h"
#include "text_json.h"

#define ROUTES_ANSWER_MAX 1024 /* an id, escaped, and what stands around it */

static struct bytes routes_bearer(const struct http1_request *req)
{
    static const char scheme[] = "bearer ";
    const size_t scheme_len = sizeof scheme - 1;
    const struct http1_header *header = http1_header_find(req, "authorization");
    if (header == NULL || header->value.len <= scheme_len ||
        strncasecmp((const char *)header->value.ptr, scheme, scheme_len) != 0) {
        return bytes_of(NULL, 0);
    }
    struct bytes token = bytes_from(header->value, scheme_len);
    while (token.len > 0 && token.ptr[0] == ' ') {
        token = bytes_from(token, 1);
    }
    return token;
}

struct core_asker routes_asker(const struct http1_request *req, uint32_t peer_ip,
                               const struct routes *routes)
{
    return (struct core_asker){
        .ip = peer_ip,
        .client_ip = client_address(req, peer_ip, routes->config->http_trusted_proxies),
        .token = routes_bearer(req)};
}

/* Texts ----------------------------------------------------------------------------------------
 */

/* A text that waits for its answer. */
struct routes_said {
    struct http_exchange *exchange;
    size_t id_len;
    uint8_t id[CORE_MESSAGE_ID_MAX];
};

static void routes_answer_text(struct http_exchange *exchange, enum err err, uint64_t seq,
                               struct bytes id)
{
    uint8_t storage[ROUTES_ANSWER_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    if (err == ERR_NONE) {
        talk_text_ack(id, seq, &out);
    } else {
        talk_text_error(hgtp_type_name((uint8_t)err_hgtp_type(err, 0)), err_text(err),
                        err_name(err), id, &out);
    }
    const char *retry = err_is_worth_repeating(err) ? "Retry-After: 1\r\n" : NULL;
    http_respond(exchange, err_http_status(err), "application/json", retry, sink_bytes(&out));
}

static void routes_on_history(enum err err, struct bytes text, void *arg)
{
    struct routes_said *said = arg;
    struct bytes id = bytes_of(said->id, said->id_len);
    struct sink out = sink_into(NULL, 0);
    talk_text_with_id(text, id, &out);
    uint8_t *storage = err == ERR_NONE ? malloc(out.len) : NULL;
    if (storage != NULL) {
        out = sink_into(storage, out.len);
        talk_text_with_id(text, id, &out);
        http_respond(said->exchange, 200, "application/json", NULL, sink_bytes(&out));
    } else {
        routes_answer_text(said->exchange, err == ERR_NONE ? ERR_BUSY : err, 0, id);
    }
    free(storage);
    free(said);
}

static void routes_on_text_said(enum err err, uint64_t seq, void *arg)
{
    struct routes_said *said = arg;
    routes_answer_text(said->exchange, err, seq, bytes_of(said->id, said->id_len));
    free(said);
}

/* `text` in the form that WebSockets carry. */
static void routes_text(struct http_exchange *exchange, const struct core_asker *asker,
                        struct bytes body, struct routes *routes)
{
    struct text_json text;
    enum err err = text_json_decode(body, &text);
    struct routes_said *said = err == ERR_NONE ? calloc(1, sizeof *said) : NULL;
    if (said != NULL) {
        said->exchange = exchange;
        said->id_len = text.id.len;
        sink_put(&(struct sink){said->id, sizeof said->id, 0}, bytes_of(text.id.ptr, said->id_len));
    }
    if (said != NULL && text.kind == TEXT_HISTORY) {
        core_history(routes->core, asker, text.before, text.count, routes_on_history, said);
    } else if (said != NULL) {
        const struct core_message message = {.asker = *asker,
                                             .id = text.id,
                                             .text = text.message,
                                             .is_manager = text.kind == TEXT_MANAGER};
        core_say(routes->core, &message, routes_on_text_said, said);
    } else {
        routes_answer_text(exchange, err == ERR_NONE ? ERR_BUSY : err, 0, text.id);
    }
    text_json_free(&text);
}

/* The original's messages ----------------------------------------------------------------------
 */

static void routes_on_said(enum err err, uint64_t seq, void *arg)
{
    (void)seq;
    struct http_exchange *exchange = arg;
    if (err == ERR_NONE) {
        http_respond(exchange, 200, "application/json", NULL, bytes_of(NULL, 0));
    } else {
        routes_refuse(exchange, err);
    }
}

static struct bytes routes_user_agent(const struct http1_request *req)
{
    const struct http1_header *agent = http1_header_find(req, "user-agent");
    return agent != NULL ? agent->value : bytes_of(NULL, 0);
}

void routes_message_too_large(const struct http1_request *req, uint32_t peer_ip,
                              struct routes *routes)
{
    const struct core_message unsaid = {.asker = routes_asker(req, peer_ip, routes),
                                        .user_id = routes_user_agent(req),
                                        .is_originals = true};
    core_unsaid(routes->core, &unsaid, ERR_MESSAGE_TOO_LARGE);
}

void routes_message(struct http_exchange *exchange, const struct http1_request *req,
                    struct bytes body, struct routes *routes)
{
    const struct core_asker asker = routes_asker(req, http_exchange_peer_ip(exchange), routes);
    uint8_t *storage = malloc(body.len + 1);
    struct message_json message;
    enum err err = storage != NULL ? message_json_decode(body, storage, &message) : ERR_BUSY;
    if (err == ERR_NONE && message.is_text) {
        routes_text(exchange, &asker, body, routes);
    } else if (err == ERR_NONE) {
        const struct core_message said = {.asker = asker,
                                          .user_id = routes_user_agent(req),
                                          .text = message.text,
                                          .is_originals = true,
                                          .sent_unix_ms = message.time_unix_ms};
        core_say(routes->core, &said, routes_on_said, exchange);
    } else {
        routes_refuse(exchange, err);
    }
    free(storage);
}

/* HGTP messages --------------------------------------------------------------------------------
 */

static void routes_on_reply(struct bytes reply, void *arg)
{
    struct http_exchange *exchange = arg;
    if (reply.len > 0) {
        http_respond(exchange, 200, "application/octet-stream", NULL, reply);
    } else {
        http_respond(exchange, 204, NULL, NULL, reply);
    }
}

void routes_hgtp(struct http_exchange *exchange, const struct http1_request *req, struct bytes body,
                 struct routes *routes)
{
    struct hgtp_message decoded;
    if (body.len > HGTP_DATAGRAM_MAX || hgtp_decode(body, &decoded) == HGTP_BAD_HEADER) {
        routes_refuse(exchange, ERR_MALFORMED);
        return;
    }
    const struct core_asker asker = routes_asker(req, http_exchange_peer_ip(exchange), routes);
    core_ask(routes->core, &asker, body, routes_on_reply, exchange);
}
