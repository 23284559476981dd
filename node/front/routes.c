/* SPDX-License-Identifier: MIT */
/*
 * routes: from an HTTP request to its answer: the talk's messages, health, readiness, metrics. How
 * requests are framed is http_server's, who may speak is the scripts'.
 */
#include "routes.h"

#include "message_json.h"
#include "node/base/metrics.h"

#define ROUTES_METRICS_BYTES (64 * 1024)

struct route {
    const char *path; /* without the leading slash, which the original does not send */
    const char *method;
    void (*answer)(struct http_exchange *exchange, const struct http1_request *req,
                   struct bytes body, struct routes *routes);
};

/* {"code":"NAME","reason":"text"}: both come from the catalogue and need no escaping. */
static void routes_refuse(struct http_exchange *exchange, enum err err)
{
    char text[256];
    int len = snprintf(text, sizeof text, "{\"code\":\"%s\",\"reason\":\"%s\"}\n", err_name(err),
                       err_text(err));
    const char *retry = err_is_worth_repeating(err) ? "Retry-After: 1\r\n" : NULL;
    http_respond(exchange, err_http_status(err), "application/json", retry,
                 bytes_of(text, (size_t)len));
}

/* Messages ---------------------------------------------------------------------------------------
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

static struct bytes routes_bearer(const struct http1_request *req)
{
    static const char scheme[] = "bearer ";
    const size_t scheme_len = sizeof scheme - 1;
    const struct http1_header *header = http1_header_find(req, "authorization");
    if (header == NULL || header->value.len <= scheme_len ||
        strncasecmp((const char *)header->value.ptr, scheme, scheme_len) != 0) {
        return bytes_of(NULL, 0);
    }
    return bytes_from(header->value, scheme_len);
}

static void routes_message(struct http_exchange *exchange, const struct http1_request *req,
                           struct bytes body, struct routes *routes)
{
    uint8_t *storage = malloc(body.len + 1);
    struct message_json message;
    enum err err = storage != NULL ? message_json_decode(body, storage, &message) : ERR_BUSY;
    if (err == ERR_NONE) {
        const struct http1_header *agent = http1_header_find(req, "user-agent");
        const struct talk_message said = {.token = routes_bearer(req),
                                          .user_id =
                                              agent != NULL ? agent->value : bytes_of(NULL, 0),
                                          .ip = http_exchange_peer_ip(exchange),
                                          .text = message.text,
                                          .sent_unix_ms = message.time_unix_ms};
        talk_say(routes->talk, &said, routes_on_said, exchange);
    } else {
        routes_refuse(exchange, err);
    }
    free(storage);
}

/* Operation --------------------------------------------------------------------------------------
 */

static void routes_healthz(struct http_exchange *exchange, const struct http1_request *req,
                           struct bytes body, struct routes *routes)
{
    (void)req;
    (void)body;
    (void)routes;
    http_respond(exchange, 200, "text/plain", NULL, bytes_str("alive\n"));
}

static void routes_readyz(struct http_exchange *exchange, const struct http1_request *req,
                          struct bytes body, struct routes *routes)
{
    (void)req;
    (void)body;
    const char *why;
    if (talk_ready(routes->talk, &why)) {
        http_respond(exchange, 200, "application/json", NULL, bytes_str("{\"ready\":true}\n"));
        return;
    }
    char text[160];
    int len = snprintf(text, sizeof text, "{\"ready\":false,\"reason\":\"%s\"}\n", why);
    http_respond(exchange, 503, "application/json", "Retry-After: 1\r\n",
                 bytes_of(text, (size_t)len));
}

static void routes_metrics(struct http_exchange *exchange, const struct http1_request *req,
                           struct bytes body, struct routes *routes)
{
    (void)req;
    (void)body;
    (void)routes;
    static uint8_t text[ROUTES_METRICS_BYTES];
    struct sink out = sink_into(text, sizeof text);
    metrics_render(&out);
    if (sink_fits(&out)) {
        http_respond(exchange, 200, "text/plain; version=0.0.4", NULL, sink_bytes(&out));
    } else {
        routes_refuse(exchange, ERR_INTERNAL);
    }
}

/* The table --------------------------------------------------------------------------------------
 */

static const struct route routes_table[] = {
    {"message", "POST", routes_message},
    {"healthz", "GET", routes_healthz},
    {"readyz", "GET", routes_readyz},
    {"metrics", "GET", routes_metrics},
};

static struct bytes routes_path(struct bytes target)
{
    const uint8_t *query = target.len > 0 ? memchr(target.ptr, '?', target.len) : NULL;
    struct bytes path =
        bytes_of(target.ptr, query != NULL ? (size_t)(query - target.ptr) : target.len);
    return path.len > 0 && path.ptr[0] == '/' ? bytes_from(path, 1) : path;
}

static bool routes_method_fits(const struct route *route, struct bytes method)
{
    bool is_head_of_get =
        strcmp(route->method, "GET") == 0 && bytes_equal(method, bytes_str("HEAD"));
    return is_head_of_get || bytes_equal(method, bytes_str(route->method));
}

static void routes_refuse_method(struct http_exchange *exchange, const struct route *route)
{
    const char *allow =
        strcmp(route->method, "GET") == 0 ? "Allow: GET, HEAD\r\n" : "Allow: POST\r\n";
    http_respond(exchange, 405, "text/plain", allow, bytes_str("method not allowed\n"));
}

void routes_on_request(struct http_exchange *exchange, const struct http1_request *req,
                       struct bytes body, void *arg)
{
    struct bytes path = routes_path(req->target);
    for (size_t i = 0; i < sizeof routes_table / sizeof routes_table[0]; i++) {
        const struct route *route = &routes_table[i];
        if (!bytes_equal(path, bytes_str(route->path))) {
            continue;
        }
        if (routes_method_fits(route, req->method)) {
            route->answer(exchange, req, body, arg);
        } else {
            routes_refuse_method(exchange, route);
        }
        return;
    }
    http_respond(exchange, 404, "text/plain", NULL, bytes_str("not found\n"));
}
