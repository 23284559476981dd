/* SPDX-License-Identifier: MIT */
/* http_client: raw HTTP/1.1 over one connection: send any bytes, read answers one by one. */
#ifndef SUPPORT_HTTP_CLIENT_H
#define SUPPORT_HTTP_CLIENT_H

#include "pump.h"
#include "sockets.h"

#define HTTP_CLIENT_WAIT_MS 5000

struct http_client;

/** `from_ip` 0: whatever the kernel takes. NULL when it cannot connect. */
struct http_client *http_client_open(uint32_t from_ip, uint32_t ip, uint16_t port);
/** NULL is legal. */
void http_client_close(struct http_client *client);

void http_client_send(struct http_client *client, struct bytes in);

/** Valid until the next read on this client. */
struct http_answer {
    int status; /* 0: none came before the deadline or the end of the connection */
    const char *head;
    const char *body; /* NUL-terminated */
    size_t body_bytes;
};

/** The next answer, 100 included. `has_body` false: it answers a HEAD. */
struct http_answer http_client_read(struct http_client *client, bool has_body);
/** The same with another deadline than HTTP_CLIENT_WAIT_MS. */
struct http_answer http_client_read_within(struct http_client *client, bool has_body,
                                           int64_t timeout_ms);

/** True when the server has closed the connection within the usual wait. */
bool http_client_ended(struct http_client *client);

/** One GET, or one POST of JSON, on a connection of its own; only the status and, if asked for, the
 * body. */
int http_client_get(uint32_t ip, uint16_t port, const char *target, char *ret_body,
                    size_t body_cap);
int http_client_post(uint32_t ip, uint16_t port, const char *target, const char *extra_headers,
                     const char *body, char *ret_body, size_t body_cap);

#endif
