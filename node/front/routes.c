/* SPDX-License-Identifier: MIT */
/*
 * routes: from an HTTP request to its answer: the table of what a node answers, the page, health,
 * readiness, metrics, and which web pages may ask. What is said in the talk is routes_talk.c's, how
 * requests are framed http_server's, who may speak the scripts'.
 */
#include "routes.h"

#include <strings.h>

#include "node/base/metrics.h"
#include "node/base/origins.h"
#include "routes_lines.h"
#include "routes_talk.h"
#include "web_assets.h"

#define ROUTES_METRICS_BYTES (64 * 1024)
#define ROUTES_ORIGIN_MAX    256

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
    if (core_ready(routes->core, &why)) {
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

/* Who may ask ------------------------------------------------------------------------------------
 */

struct route {
    const char *path; /* without the leading slash, which the original does not send */
    const char *method;
    bool is_for_pages;      /* of this node's origin or http.allowed_origins */
    bool is_without_origin; /* ... which may not say so */
    bool is_for_operators;  /* also over a connection that is one too many */
    routes_answer_fn *answer;
};

/* A foreign web page must not use its reader's place in the network to speak here. False: refused.
 */
static enum err routes_check_origin(struct http_exchange *exchange, const struct http1_request *req,
                                    const struct routes *routes)
{
    const struct http1_header *origin = http1_header_find(req, "origin");
    const struct http1_header *host = http1_header_find(req, "host");
    if (origin == NULL || (host != NULL && origins_same(origin->value, host->value))) {
        return ERR_NONE;
    }
    if (!origins_contain(routes->config->http_allowed_origins, origin->value) ||
        origin->value.len > ROUTES_ORIGIN_MAX) {
        return ERR_ORIGIN_FOREIGN;
    }
    char allow[ROUTES_ORIGIN_MAX + 64];
    snprintf(allow, sizeof allow, "Access-Control-Allow-Origin: %.*s\r\nVary: Origin\r\n",
             (int)origin->value.len, (const char *)origin->value.ptr);
    http_exchange_add_headers(exchange, allow);
    return ERR_NONE;
}

/* Behind a name that somebody else points at this node, a page of his would be of this node's own
 * origin. Browsers send no Origin with an event stream of the same origin. */
static enum err routes_check_host(const struct http1_request *req, const struct routes *routes,
                                  const struct route *route)
{
    const struct http1_header *host = http1_header_find(req, "host");
    const struct config *config = routes->config;
    bool is_asked = route->is_without_origin || http1_header_find(req, "origin") != NULL;
    bool is_known = host == NULL || origins_host_known(config->http_names,
                                                       config->http_allowed_origins, host->value);
    return is_asked && !is_known ? ERR_HOST_UNKNOWN : ERR_NONE;
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
                         const struct web_asset *asset, const struct routes *routes)
{
    (void)routes_check_origin(exchange, req,
                              routes); /* pages elsewhere may take hgtp.js from here */
    char headers[sizeof ROUTES_PAGE_HEADERS + 128];
    bool has_vary = strstr(http_exchange_added(exchange), "Vary:") != NULL;
    snprintf(headers, sizeof headers, "%sETag: %s\r\n%s", ROUTES_PAGE_HEADERS, asset->etag,
             has_vary ? "" : "Vary: Origin\r\n");
    const struct http1_header *known = http1_header_find(req, "if-none-match");
    if (known != NULL && bytes_equal(known->value, bytes_str(asset->etag))) {
        http_respond(exchange, 304, NULL, headers, bytes_of(NULL, 0));
        return;
    }
    http_respond(exchange, 200, asset->content_type, headers, bytes_of(asset->bytes, asset->len));
}

/* The table --------------------------------------------------------------------------------------
 */

static const struct route routes_table[] = {
    {"message", "POST", true, false, false, routes_message},
    {"hgtp", "POST", true, false, false, routes_hgtp},
    {"ws", "GET", true, false, false, routes_ws},
    {"events", "GET", true, true, false, routes_events},
    {"healthz", "GET", false, false, true, routes_healthz},
    {"readyz", "GET", false, false, true, routes_readyz},
    {"metrics", "GET", false, false, true, routes_metrics},
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
    http_refuse(exchange, 405, NULL, NULL, allow);
}

static void routes_take(struct http_exchange *exchange, const struct http1_request *req,
                        struct bytes body, struct routes *routes, const struct route *route)
{
    enum err err = http_exchange_is_spare(exchange) && !route->is_for_operators
                       ? ERR_CONNECTIONS_FULL
                       : ERR_NONE;
    if (err == ERR_NONE && route->is_for_pages) {
        err = routes_check_origin(exchange, req, routes);
        err = err == ERR_NONE ? routes_check_host(req, routes, route) : err;
    }
    if (err != ERR_NONE) {
        routes_refuse(exchange, err);
    } else if (route->is_for_pages && bytes_equal(req->method, bytes_str("OPTIONS"))) {
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

/* Where the target is a whole address (http://host/path) it tells the host, and the Host header
 * does not count; *ret_plain is the same request with the path alone. */
static bool routes_is_whole_address(const struct http1_request *req,
                                    struct http1_request *ret_plain)
{
    struct bytes target = req->target;
    size_t scheme = 0;
    while (scheme < target.len && target.ptr[scheme] >= 'A' &&
           strchr("/?", target.ptr[scheme]) == NULL) {
        scheme++;
    }
    if (scheme == 0 || scheme + 3 > target.len || memcmp(target.ptr + scheme, "://", 3) != 0) {
        return false;
    }
    struct bytes host = bytes_from(target, scheme + 3);
    size_t len = 0;
    while (len < host.len && strchr("/?", host.ptr[len]) == NULL) {
        len++;
    }
    *ret_plain = *req;
    ret_plain->target = len < host.len ? bytes_from(host, len) : bytes_str("/");
    host.len = len;
    for (size_t i = 0; i < ret_plain->header_count; i++) {
        struct http1_header *header = &ret_plain->headers[i];
        if (header->name.len == 4 && strncasecmp((const char *)header->name.ptr, "host", 4) == 0) {
            header->value = host;
        }
    }
    return true;
}

void routes_on_request(struct http_exchange *exchange, const struct http1_request *req,
                       struct bytes body, void *arg)
{
    struct http1_request plain;
    req = routes_is_whole_address(req, &plain) ? &plain : req;
    struct bytes path = routes_path(req->target);
    for (size_t i = 0; i < sizeof routes_table / sizeof routes_table[0]; i++) {
        if (bytes_equal(path, bytes_str(routes_table[i].path))) {
            routes_take(exchange, req, body, arg, &routes_table[i]);
            return;
        }
    }
    const struct web_asset *asset = web_asset_find(path);
    if (http_exchange_is_spare(exchange)) {
        routes_refuse(exchange, ERR_CONNECTIONS_FULL);
    } else if (asset == NULL) {
        http_refuse(exchange, 404, NULL, NULL, NULL);
    } else if (routes_method_fits("GET", req->method)) {
        routes_asset(exchange, req, asset, arg);
    } else {
        routes_refuse_method(exchange, "GET");
    }
}
