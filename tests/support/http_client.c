/* SPDX-License-Identifier: MIT */
/*
 * http_client: sends what it is given and splits what comes back into answers by Content-Length. It
 * does not judge requests: most of its use is to send bad ones.
 */
#include "http_client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

struct http_client {
    struct pump_watch watch;
    struct queue in, out;
    bool ended;
    char *head;
    char *body;
};

static void http_client_flush(struct http_client *client)
{
    ssize_t len =
        send(client->watch.fd, client->out.ptr, client->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (len > 0) {
        queue_take(&client->out, (size_t)len);
    } else if (errno != EAGAIN) {
        /* The server may have answered and closed before it took everything. */
        queue_take(&client->out, client->out.len);
    }
    client->watch.events = client->out.len > 0 ? POLLIN | POLLOUT : POLLIN;
}

static void http_client_on_ready(short revents, void *arg)
{
    struct http_client *client = arg;
    uint8_t storage[16384];
    if ((revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
        ssize_t len = recv(client->watch.fd, storage, sizeof storage, 0);
        if (len > 0) {
            queue_put(&client->in, bytes_of(storage, (size_t)len));
        } else {
            client->ended = true;
            pump_remove(&client->watch);
            return;
        }
    }
    if ((revents & POLLOUT) != 0) {
        http_client_flush(client);
    }
}

struct http_client *http_client_open(uint32_t from_ip, uint32_t ip, uint16_t port)
{
    int fd = sockets_connect(from_ip, ip, port, HTTP_CLIENT_WAIT_MS);
    if (fd < 0) {
        return NULL;
    }
    struct http_client *client = calloc(1, sizeof *client);
    assert(client != NULL);
    client->watch = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = http_client_on_ready, .arg = client};
    pump_add(&client->watch);
    return client;
}

void http_client_close(struct http_client *client)
{
    if (client == NULL) {
        return;
    }
    pump_remove(&client->watch);
    close(client->watch.fd);
    queue_fini(&client->in);
    queue_fini(&client->out);
    free(client->head);
    free(client->body);
    free(client);
}

void http_client_send(struct http_client *client, struct bytes in)
{
    queue_put(&client->out, in);
    http_client_flush(client);
}

struct http_client_wait {
    struct http_client *client;
    bool has_body;
    size_t head_bytes, body_bytes; /* head_bytes 0: no complete answer yet */
};

static void http_client_measure(struct http_client_wait *wait)
{
    const struct queue *in = &wait->client->in;
    const uint8_t *end = in->len > 0 ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
    if (end == NULL) {
        return;
    }
    size_t head_bytes = (size_t)(end - in->ptr) + 4;
    char *head = strndup((const char *)in->ptr, head_bytes);
    assert(head != NULL);
    const char *length = strcasestr(head, "\r\ncontent-length:");
    wait->body_bytes =
        wait->has_body && length != NULL ? strtoul(strchr(length, ':') + 1, NULL, 10) : 0;
    wait->head_bytes = in->len - head_bytes >= wait->body_bytes ? head_bytes : 0;
    free(head);
}

static bool http_client_answered(void *arg)
{
    struct http_client_wait *wait = arg;
    http_client_measure(wait);
    return wait->head_bytes != 0 || wait->client->ended;
}

struct http_answer http_client_read(struct http_client *client, bool has_body)
{
    return http_client_read_within(client, has_body, HTTP_CLIENT_WAIT_MS);
}

struct http_answer http_client_read_within(struct http_client *client, bool has_body,
                                           int64_t timeout_ms)
{
    struct http_client_wait wait = {.client = client, .has_body = has_body};
    struct http_answer answer = {.head = "", .body = ""};
    (void)pump_until(http_client_answered, &wait, timeout_ms);
    if (wait.head_bytes == 0) {
        return answer;
    }
    free(client->head);
    free(client->body);
    client->head = strndup((const char *)client->in.ptr, wait.head_bytes);
    client->body = calloc(1, wait.body_bytes + 1);
    assert(client->head != NULL && client->body != NULL);
    memcpy(client->body, client->in.ptr + wait.head_bytes, wait.body_bytes);
    queue_take(&client->in, wait.head_bytes + wait.body_bytes);
    if (sscanf(client->head, "HTTP/1.1 %d ", &answer.status) != 1) {
        answer.status = -1;
    }
    answer.head = client->head;
    answer.body = client->body;
    answer.body_bytes = wait.body_bytes;
    return answer;
}

static bool http_client_has_ended(void *arg)
{
    const struct http_client *client = arg;
    return client->ended;
}

bool http_client_ended(struct http_client *client)
{
    return pump_until(http_client_has_ended, client, HTTP_CLIENT_WAIT_MS);
}

static int http_client_once(uint32_t ip, uint16_t port, const char *request, const char *body,
                            char *ret_body, size_t body_cap)
{
    struct http_client *client = http_client_open(0, ip, port);
    if (client == NULL) {
        return 0;
    }
    http_client_send(client, bytes_str(request));
    http_client_send(client, bytes_str(body));
    struct http_answer answer = http_client_read(client, true);
    if (body_cap > 0) {
        snprintf(ret_body, body_cap, "%s", answer.body);
    }
    http_client_close(client);
    return answer.status;
}

int http_client_get(uint32_t ip, uint16_t port, const char *target, char *ret_body, size_t body_cap)
{
    char request[512];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n", target);
    return http_client_once(ip, port, request, "", ret_body, body_cap);
}

int http_client_post(uint32_t ip, uint16_t port, const char *target, const char *extra_headers,
                     const char *body, char *ret_body, size_t body_cap)
{
    char request[1024];
    snprintf(request, sizeof request,
             "POST %s HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
             "content-length: %zu\r\n%s\r\n",
             target, strlen(body), extra_headers);
    return http_client_once(ip, port, request, body, ret_body, body_cap);
}
