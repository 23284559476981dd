/* SPDX-License-Identifier: MIT */
/*
 * routes: from an HTTP request to its answer: the table of what a node answers, the page, health,
 * readiness, metrics, and which web pages may ask. What is said in the talk is routes_talk.c's, how
 * requests are framed http_server's, who may speak the scripts'.
 */
#include "node/base/metrics.h"
#include "node/base/origins.h"
#include "routes_state.h"
#include "web_assets.h"

#define ROUTES_METRICS_BYTES (64 * 1024)
#define ROUTES_ORIGIN_MAX    256

/* {"code":"NAME","reason":"text"}: both come from the catalogue and need no escaping. */
void routes_refuse(struct http_exchange *exchange, enum err err)
{
    char text[256];
    int len = snprintf(text, sizeof text, "{\"code\":\"%s\",\"reason\":\"%s\"}\n", err_name(err),
                       err_text(err));
    const char *retry = err_is_worth_repeating(err) ? "Retry-After: 1\r\n" : NULL;
    http_respond(exchange, err_http_status(err), "application/json", retry,
                 bytes_of(text, (size_t)len));
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

/* The page ---------------------------------------------------------------------------------------
 */

/* Nothing but what this node serves itself runs in the page, and nobody may put it into a frame. */
#define ROUTES_PAGE_HEADERS                                                                        \
    "Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "           \
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "                    \
    "frame-ancestors 'none'\r\n"                                                                   \
    "X-Content-Type-Options: nosniff\r\n"                                                          \
    "Referrer-Policy: no-referrer\r\n"                                                             \
    "Cache-Control: no-cache\r\n"

static void routes_asset(struct http_exchange *exchange, const struct http1_request *req,
                         const struct web_asset *asset)
{
    char headers[sizeof ROUTES_PAGE_HEADERS + 128];
    snprintf(headers, sizeof headers, "%sETag: %s\r\n", ROUTES_PAGE_HEADERS, asset->etag);
    const struct http1_header *known = http1_header_find(req, "if-none-match");
    if (known != NULL && bytes_equal(known->value, bytes_str(asset->etag))) {
        http_respond(exchange, 304, NULL, headers, bytes_of(NULL, 0));
        return;
    }
    http_respond(exchange, 200, asset->content_type, headers, bytes_of(asset->bytes, asset->len));
}

/* Who may ask ------------------------------------------------------------------------------------
 */

/* A foreign web page must not use its reader's place in the network to speak here. False: refused.
 */
static bool routes_check_origin(struct http_exchange *exchange, const struct http1_request *req,
                                const struct routes *routes)
{
    const struct http1_header *origin = http1_header_find(req, "origin");
    const struct http1_header *host = http1_header_find(req, "host");
    if (origin == NULL || (host != NULL && origins_same(origin->value, host->value))) {
        return true;
    }
    if (!origins_contain(routes->config->http_allowed_origins, origin->value) ||
        origin->value.len > ROUTES_ORIGIN_MAX) {
        routes_refuse(exchange, ERR_ORIGIN_FOREIGN);
        return false;
    }
    char allow[ROUTES_ORIGIN_MAX + 64];
    snprintf(allow, sizeof allow, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n",
             (int)origin->value.len, (const char *)origin->value.ptr);
    http_exchange_add_headers(exchange, allow);
    return true;
}

/* A browser asks whether a page from elsewhere may send what it wants to. */
static void routes_preflight(struct http_exchange *exchange)
{
    http_respond(exchange, 204, NULL,
                 "Access-Control-Allow-Methods: GET, POST\r\n"
                 "Access-Control-Allow-Headers: authorization, content-type, last-event-id\r\n"
                 "Access-Control-Max-Age: 600\r\n",
                 bytes_of(NULL, 0));
}

/* The table --------------------------------------------------------------------------------------
 */

static const struct route {
    const char *path; /* without the leading slash, which the original does not send */
    const char *method;
    bool is_for_pages; /* of this node's origin or http.allowed_origins */
    routes_answer_fn *answer;
} routes_table[] = {
    {"message", "POST", true, routes_message},
    {"hgtp", "POST", true, routes_hgtp},
    {"ws", "GET", true, routes_ws},
    {"events", "GET", true, routes_events},
    {"healthz", "GET", false, routes_healthz},
    {"readyz", "GET", false, routes_readyz},
    {"metrics", "GET", false, routes_metrics},
};

static struct bytes routes_path(struct bytes target)
{
    const uint8_t *query = target.len > 0 ? memchr(target.ptr, '?', target.len) : NULL;
    struct bytes path =
        bytes_of(target.ptr, query != NULL ? (size_t)(query - target.ptr) : target.len);
    return path.len > 0 && path.ptr[0] == '/' ? bytes_from(path, 1) : path;
}

static bool routes_method_fits(const char *method, struct bytes asked)
{
    bool is_head_of_get = strcmp(method, "GET") == 0 && bytes_equal(asked, bytes_str("HEAD"));
    return is_head_of_get || bytes_equal(asked, bytes_str(method));
}

static void routes_refuse_method(struct http_exchange *exchange, const char *method)
{
    const char *allow = strcmp(method, "GET") == 0 ? "Allow: GET, HEAD\r\n" : "Allow: POST\r\n";
    http_respond(exchange, 405, "text/plain", allow, bytes_str("method not allowed\n"));
}

static void routes_take(struct http_exchange *exchange, const struct http1_request *req,
                        struct bytes body, struct routes *routes, const struct route *route)
{
    if (route->is_for_pages && !routes_check_origin(exchange, req, routes)) {
        return;
    }
    if (route->is_for_pages && bytes_equal(req->method, bytes_str("OPTIONS"))) {
        routes_preflight(exchange);
    } else if (routes_method_fits(route->method, req->method)) {
        route->answer(exchange, req, body, routes);
    } else {
        routes_refuse_method(exchange, route->method);
    }
}

void routes_on_too_large(const struct http1_request *req, uint32_t peer_ip, void *arg)
{
    if (bytes_equal(routes_path(req->target), bytes_str("message"))) {
        routes_message_too_large(req, peer_ip, arg);
    }
}

void routes_on_request(struct http_exchange *exchange, const struct http1_request *req,
                       struct bytes body, void *arg)
{
    struct bytes path = routes_path(req->target);
    for (size_t i = 0; i < sizeof routes_table / sizeof routes_table[0]; i++) {
        if (bytes_equal(path, bytes_str(routes_table[i].path))) {
            routes_take(exchange, req, body, arg, &routes_table[i]);
            return;
        }
    }
    const struct web_asset *asset = web_asset_find(path);
    if (asset == NULL) {
        http_respond(exchange, 404, "text/plain", NULL, bytes_str("not found\n"));
    } else if (routes_method_fits("GET", req->method)) {
        routes_asset(exchange, req, asset);
    } else {
        routes_refuse_method(exchange, "GET");
    }
}
