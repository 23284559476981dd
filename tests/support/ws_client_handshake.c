/* SPDX-License-Identifier: MIT */
/*
 * ws_client_handshake: the upgrade request as a browser sends it, and what RFC 6455 section 4.1
 * demands of the answer.
 */
#include "ws_client_parts.h"

#include <assert.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/random.h>

#define WS_CLIENT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

static void ws_client_make_key(struct ws_client *client)
{
    uint8_t noise[16];
    ssize_t got = getrandom(noise, sizeof noise, 0);
    assert(got == sizeof noise);
    (void)EVP_EncodeBlock((uint8_t *)client->key, noise, sizeof noise);
}

static void ws_client_put_header(struct queue *out, const char *name, const char *value)
{
    if (value != NULL) {
        queue_put(out, bytes_str(name));
        queue_put(out, bytes_str(": "));
        queue_put(out, bytes_str(value));
        queue_put(out, bytes_str("\r\n"));
    }
}

void ws_client_send_handshake(struct ws_client *client)
{
    const struct ws_client_options *options = &client->options;
    struct queue out = {0};
    char host[32];
    snprintf(host, sizeof host, "127.0.0.1:%u", options->port);
    ws_client_make_key(client);
    queue_put(&out, bytes_str("GET "));
    queue_put(&out, bytes_str(options->target != NULL ? options->target : "/ws"));
    queue_put(&out, bytes_str(" HTTP/1.1\r\n"));
    ws_client_put_header(&out, "Host", host);
    ws_client_put_header(&out, "Upgrade", "websocket");
    ws_client_put_header(&out, "Connection", "Upgrade");
    ws_client_put_header(&out, "Sec-WebSocket-Key", client->key);
    ws_client_put_header(&out, "Sec-WebSocket-Version", "13");
    ws_client_put_header(&out, "Sec-WebSocket-Protocol", options->protocols);
    ws_client_put_header(&out, "Origin", options->origin);
    if (options->headers != NULL) {
        queue_put(&out, bytes_str(options->headers));
    }
    queue_put(&out, bytes_str("\r\n"));
    queue_put(&out, options->behind);
    ws_client_send_raw(client, bytes_of(out.ptr, out.len));
    queue_fini(&out);
}

/* Value of a header, to be freed; NULL when it is not there. */
static char *ws_client_header(const char *head, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            line += len + 1;
            line += strspn(line, " \t");
            return strndup(line, strcspn(line, "\r"));
        }
    }
    return NULL;
}

/* Takes the value. */
static bool ws_client_value_is(char *value, const char *wanted)
{
    bool is = value != NULL && strcasecmp(value, wanted) == 0;
    free(value);
    return is;
}

static bool ws_client_accept_is_right(const struct ws_client *client)
{
    char text[96];
    uint8_t hash[SHA_DIGEST_LENGTH], wanted[64];
    int len = snprintf(text, sizeof text, "%s" WS_CLIENT_GUID, client->key);
    SHA1((const uint8_t *)text, (size_t)len, hash);
    (void)EVP_EncodeBlock(wanted, hash, sizeof hash);
    char *value = ws_client_header(client->head, "sec-websocket-accept");
    bool is_right = value != NULL && strcmp(value, (const char *)wanted) == 0;
    free(value);
    return is_right;
}

/* One of those that were offered, or none. */
static bool ws_client_protocol_is_right(const struct ws_client *client)
{
    char *value = ws_client_header(client->head, "sec-websocket-protocol");
    const char *offered = client->options.protocols;
    bool is_right = value == NULL;
    while (!is_right && offered != NULL && *offered != '\0') {
        size_t len = strcspn(offered, ", ");
        is_right = len == strlen(value) && strncmp(offered, value, len) == 0;
        offered += len + strspn(offered + len, ", ");
    }
    free(value);
    return is_right;
}

static void ws_client_check_answer(struct ws_client *client)
{
    if (!ws_client_value_is(ws_client_header(client->head, "upgrade"), "websocket")) {
        ws_client_break(client, "the answer does not say upgrade: websocket");
    }
    if (!ws_client_value_is(ws_client_header(client->head, "connection"), "upgrade")) {
        ws_client_break(client, "the answer does not say connection: upgrade");
    }
    if (!ws_client_accept_is_right(client)) {
        ws_client_break(client, "sec-websocket-accept is wrong");
    }
    if (!ws_client_protocol_is_right(client)) {
        ws_client_break(client, "the subprotocol was not offered");
    }
    char *extensions = ws_client_header(client->head, "sec-websocket-extensions");
    if (extensions != NULL) {
        ws_client_break(client, "there is an extension");
    }
    free(extensions);
}

void ws_client_read_answer(struct ws_client *client)
{
    struct queue *in = &client->in;
    const uint8_t *end = memmem(in->ptr, in->len, "\r\n\r\n", 4);
    if (end == NULL) {
        return;
    }
    size_t head_bytes = (size_t)(end - in->ptr) + 4, body_bytes = 0;
    char *head = strndup((const char *)in->ptr, head_bytes);
    assert(head != NULL);
    int status = 0;
    if (sscanf(head, "HTTP/1.1 %d ", &status) != 1) {
        status = -1;
    }
    char *length = ws_client_header(head, "content-length");
    if (status != 101 && length != NULL) {
        body_bytes = strtoul(length, NULL, 10);
    }
    free(length);
    if (in->len - head_bytes < body_bytes) {
        free(head);
        return;
    }
    client->head = head;
    client->body = strndup((const char *)in->ptr + head_bytes, body_bytes);
    client->status = status;
    queue_take(in, head_bytes + body_bytes);
    if (status == 101) {
        ws_client_check_answer(client);
    }
}
