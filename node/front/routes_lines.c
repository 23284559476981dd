/* SPDX-License-Identifier: MIT */
/*
 * routes_lines: `GET /ws` and `GET /events`: the request is checked, the session that its token
 * names is asked for, and the connection becomes a line. What goes over it is line.c's and talk's.
 */
#include "routes_lines.h"

#include <stdlib.h>

#include "proto/ws.h"
#include "routes_talk.h"

#define ROUTES_HEAD_MAX   1024
#define ROUTES_ASKED_MAX  1024 /* the values of all parameters */
#define ROUTES_NUMBER_MAX 15   /* digits; more than a room will ever say */

/* A connection that waits for its session. */
struct routes_attaching {
    struct routes *routes;
    struct http_exchange *exchange;
    struct line_peer peer;
    bool is_ws;
    size_t head_len;
    char head[ROUTES_HEAD_MAX];
};

/* Query strings --------------------------------------------------------------------------------
 */

/* What a request to attach says; the views of `attach` point to its bytes, or into the request. */
struct routes_asked {
    struct core_attach attach;
    uint8_t storage[ROUTES_ASKED_MAX];
};

static int routes_hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Decodes %41 and the like; what is no such thing stays as it is. */
static void routes_decode(struct bytes value, struct sink *out)
{
    for (size_t i = 0; i < value.len; i++) {
        int high = value.ptr[i] == '%' && i + 2 < value.len ? routes_hex(value.ptr[i + 1]) : -1;
        int low = high >= 0 ? routes_hex(value.ptr[i + 2]) : -1;
        unsigned byte = low >= 0 ? (unsigned)(high * 16 + low) : value.ptr[i];
        sink_u8(out, (uint8_t)byte);
        i += low >= 0 ? 2 : 0;
    }
}

/* Value of a parameter, decoded behind what is in `out`; empty when it is missing. */
static struct bytes routes_query(struct bytes target, const char *name, struct sink *out)
{
    const uint8_t *mark = target.len > 0 ? memchr(target.ptr, '?', target.len) : NULL;
    struct bytes rest =
        mark != NULL ? bytes_from(target, (size_t)(mark - target.ptr) + 1) : bytes_of(NULL, 0);
    size_t name_len = strlen(name);
    while (rest.len > 0) {
        const uint8_t *end = memchr(rest.ptr, '&', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.ptr) : rest.len;
        if (len > name_len && rest.ptr[name_len] == '=' && memcmp(rest.ptr, name, name_len) == 0) {
            size_t start = out->len;
            routes_decode(bytes_of(rest.ptr + name_len + 1, len - name_len - 1), out);
            return sink_fits(out) ? bytes_from(sink_bytes(out), start) : bytes_of(NULL, 0);
        }
        rest = bytes_from(rest, len + 1);
    }
    return bytes_of(NULL, 0);
}

/* A number, if there is one; false: this is none. */
static bool routes_number(struct bytes digits, bool *ret_has, uint64_t *ret_number)
{
    uint64_t number = 0;
    for (size_t i = 0; i < digits.len; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9' || digits.len > ROUTES_NUMBER_MAX) {
            return false;
        }
        number = number * 10 + (uint64_t)(digits.ptr[i] - '0');
    }
    *ret_has = digits.len > 0;
    *ret_number = number;
    return true;
}

/* The id of the last event that an EventSource got, EPOCH:SEQ, counts before what the address says:
 * that was written when it came for the first time. Not if the id is none of ours. */
static void routes_last_event(const struct http1_request *req, struct core_attach *attach)
{
    const struct http1_header *last = http1_header_find(req, "last-event-id");
    struct bytes id = last != NULL ? last->value : bytes_of(NULL, 0);
    const uint8_t *colon = id.len > 0 ? memrchr(id.ptr, ':', id.len) : NULL;
    size_t epoch_len = colon != NULL ? (size_t)(colon - id.ptr) : 0;
    bool has_seq = false;
    uint64_t seq;
    if (epoch_len > 0 && routes_number(bytes_from(id, epoch_len + 1), &has_seq, &seq) && has_seq) {
        attach->epoch = bytes_of(id.ptr, epoch_len);
        attach->has_after = true;
        attach->after = seq;
    }
}

/* False: the request makes no sense. */
static bool routes_attach_of(const struct http1_request *req, uint32_t peer_ip,
                             const struct routes *routes, struct routes_asked *ret_asked)
{
    struct sink out = sink_into(ret_asked->storage, sizeof ret_asked->storage);
    struct core_attach *attach = &ret_asked->attach;
    *attach = (struct core_attach){.asker = routes_asker(req, peer_ip, routes)};
    struct bytes token = routes_query(req->target, "token", &out);
    attach->epoch = routes_query(req->target, "epoch", &out);
    struct bytes after = routes_query(req->target, "after", &out);
    struct bytes attempt = routes_query(req->target, "try", &out);
    attach->asker.token = token.len > 0 ? token : attach->asker.token;
    bool is_good = routes_number(after, &attach->has_after, &attach->after) &&
                   routes_number(attempt, &attach->has_try, &attach->try_number);
    routes_last_event(req, attach);
    return is_good && sink_fits(&out);
}

/* Attaching ------------------------------------------------------------------------------------
 */

/* A connection through a proxy counts for the proxy; once it is one client's alone, for that one.
 */
static bool routes_count(const struct routes_attaching *attaching)
{
    const struct line_peer *peer = &attaching->peer;
    return peer->client_ip == peer->ip ||
           connections_take_share(attaching->routes->connections, peer->client_ip);
}

/* It counts in two shares, and is to count in one: not in that of `ip` any more. */
static void routes_count_once(const struct routes_attaching *attaching, uint32_t ip)
{
    if (attaching->peer.client_ip != attaching->peer.ip) {
        connections_give_share(attaching->routes->connections, ip);
    }
}

/* The connection becomes a line; NULL: the client has gone. */
static struct line *routes_open_line(struct routes_attaching *attaching)
{
    const struct line_peer *peer = &attaching->peer;
    uv_tcp_t *tcp = http_exchange_take(attaching->exchange);
    struct bytes head = bytes_of(attaching->head, attaching->head_len);
    routes_count_once(attaching, tcp != NULL ? peer->ip : peer->client_ip);
    if (tcp == NULL) {
        return NULL;
    }
    return attaching->is_ws ? line_open_ws(attaching->routes->lines, tcp, peer, head)
                            : line_open_sse(attaching->routes->lines, tcp, peer, head);
}

static void *routes_on_attach(enum err err, void *arg)
{
    struct routes_attaching *attaching = arg;
    struct line *line = NULL;
    if (err == ERR_NONE) {
        line = routes_open_line(attaching);
    } else {
        routes_count_once(attaching, attaching->peer.client_ip);
        routes_refuse(attaching->exchange, err);
    }
    free(attaching);
    return line;
}

static void routes_attach(struct http_exchange *exchange, struct routes *routes, const char *head,
                          struct core_attach *attach, bool is_ws)
{
    struct routes_attaching *attaching = calloc(1, sizeof *attaching);
    if (attaching == NULL) {
        routes_refuse(exchange, ERR_BUSY);
        return;
    }
    *attaching = (struct routes_attaching){
        .routes = routes,
        .exchange = exchange,
        .peer = {attach->asker.ip, attach->asker.client_ip},
        .is_ws = is_ws,
    };
    enum err err = !http_exchange_reserve(exchange) ? ERR_MALFORMED
                   : !routes_count(attaching)       ? ERR_CONNECTIONS_FULL
                                                    : ERR_NONE;
    if (err != ERR_NONE) {
        free(attaching);
        routes_refuse(exchange, err);
        return;
    }
    int len = snprintf(attaching->head, sizeof attaching->head, "%s%s\r\n", head,
                       http_exchange_added(exchange));
    attaching->head_len = (size_t)len < sizeof attaching->head ? (size_t)len : 0;
    attach->format = is_ws ? FORMAT_WS : FORMAT_SSE;
    if (attach->asker.token.len > 0) {
        core_attach(routes->core, attach, routes_on_attach, attaching);
    } else if (is_ws) {
        (void)routes_on_attach(ERR_NONE, attaching); /* registers over the line itself */
    } else {
        (void)routes_on_attach(ERR_NOT_REGISTERED, attaching);
    }
}

/* WebSocket ------------------------------------------------------------------------------------
 */

/* A header's comma separated list has this word, in any case. */
static bool routes_has_word(const struct http1_request *req, const char *name, const char *word)
{
    size_t word_len = strlen(word);
    for (size_t i = 0; i < req->header_count; i++) {
        const struct http1_header *header = &req->headers[i];
        if (header->name.len != strlen(name) ||
            strncasecmp((const char *)header->name.ptr, name, header->name.len) != 0) {
            continue;
        }
        for (size_t at = 0; at + word_len <= header->value.len; at++) {
            const char *text = (const char *)header->value.ptr;
            size_t end = at + word_len;
            bool begins = at == 0 || strchr(", \t", text[at - 1]) != NULL;
            bool ends = end == header->value.len || strchr(", \t", text[end]) != NULL;
            if (begins && ends && strncasecmp(text + at, word, word_len) == 0) {
                return true;
            }
        }
    }
    return false;
}

static void routes_ask_for_upgrade(struct http_exchange *exchange)
{
    http_refuse(exchange, 426, NULL, "this is a WebSocket, version 13",
                "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n");
}

void routes_ws(struct http_exchange *exchange, const struct http1_request *req, struct bytes body,
               struct routes *routes)
{
    (void)body;
    const struct http1_header *version = http1_header_find(req, "sec-websocket-version");
    const struct http1_header *key = http1_header_find(req, "sec-websocket-key");
    struct routes_asked asked;
    uint8_t accept[WS_ACCEPT_BYTES];
    if (!bytes_equal(req->method, bytes_str("GET"))) {
        http_refuse(exchange, 405, NULL, "GET only", "Allow: GET\r\n");
    } else if (req->minor < 1 || !routes_has_word(req, "upgrade", "websocket") ||
               !routes_has_word(req, "connection", "upgrade") || version == NULL ||
               !bytes_equal(version->value, bytes_str("13"))) {
        routes_ask_for_upgrade(exchange);
    } else if (key == NULL || !ws_accept(key->value, accept) ||
               !routes_attach_of(req, http_exchange_peer_ip(exchange), routes, &asked)) {
        routes_refuse(exchange, ERR_MALFORMED);
    } else {
        char head[ROUTES_HEAD_MAX / 2];
        bool is_offered = routes_has_word(req, "sec-websocket-protocol", "hgtp");
        snprintf(head, sizeof head,
                 "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Sec-WebSocket-Accept: %.*s\r\n%s",
                 WS_ACCEPT_BYTES, (const char *)accept,
                 is_offered ? "Sec-WebSocket-Protocol: hgtp\r\n" : "");
        routes_attach(exchange, routes, head, &asked.attach, true);
    }
}

/* Event streams --------------------------------------------------------------------------------
 */

void routes_events(struct http_exchange *exchange, const struct http1_request *req,
                   struct bytes body, struct routes *routes)
{
    (void)body;
    struct routes_asked asked;
    if (!bytes_equal(req->method, bytes_str("GET"))) {
        http_refuse(exchange, 405, NULL, "GET only", "Allow: GET\r\n");
        return;
    }
    if (!routes_attach_of(req, http_exchange_peer_ip(exchange), routes, &asked)) {
        routes_refuse(exchange, ERR_MALFORMED);
        return;
    }
    char head[ROUTES_HEAD_MAX / 2];
    snprintf(head, sizeof head,
             "HTTP/1.1 200 OK\r\nDate: %s\r\nContent-Type: text/event-stream\r\n"
             "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\nConnection: close\r\n",
             http_exchange_date(exchange));
    routes_attach(exchange, routes, head, &asked.attach, false);
}
