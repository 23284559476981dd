/* SPDX-License-Identifier: MIT */
/*
 * original_push: the client's HTTP listener: takes pushes on any number of connections and answers
 * them as the original does. What a push says is parsed by original_log.c.
 */
#include "original_parts.h"

#include <assert.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct original_push_connection {
    struct original *original;
    struct pump_watch watch;
    struct queue in;
    struct original_push_connection *next;
};

static void original_push_end(struct original_push_connection *connection)
{
    struct original_push_connection **at = &connection->original->push_connections;
    while (*at != connection) {
        at = &(*at)->next;
    }
    *at = connection->next;
    pump_remove(&connection->watch);
    close(connection->watch.fd);
    queue_fini(&connection->in);
    free(connection);
}

/* Requests ------------------------------------------------------------------------------------- */

/* Value of a header as a copy, or NULL. `head` ends in an empty line. */
static char *original_push_header(const char *head, const char *name)
{
    size_t len = strlen(name);
    for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            const char *value = line + len + 1;
            value += strspn(value, " ");
            return strndup(value, strcspn(value, "\r"));
        }
    }
    return NULL;
}

static size_t original_push_content_bytes(const char *head)
{
    char *value = original_push_header(head, "content-length");
    size_t count = value != NULL ? strtoul(value, NULL, 10) : 0;
    free(value);
    return count;
}

/* Method, target and message-type as the original routes them; 200 or what it answers instead. */
static int original_push_route(struct original_event *event)
{
    char *type = original_push_header(event->head, "message-type");
    char *host = original_push_header(event->head, "host");
    int status = type == NULL || host == NULL ? 500 : 404;
    for (int i = 0; status == 404 && i < PUSH_TYPE_COUNT; i++) {
        char line[64];
        event->push = (enum push_type)i;
        snprintf(line, sizeof line, "POST %s HTTP/1.1\r\n", original_event_name(event));
        if (strncmp(event->head, line, strlen(line)) == 0) {
            status = strcmp(type, original_event_name(event)) == 0 ? 200 : 500;
            break;
        }
    }
    free(type);
    free(host);
    return status;
}

/* Whether the head is, to the byte, what the original sends to the client of that user id over this
 * connection. */
static bool original_push_is_to(const char *user_id, int fd, const struct original_event *event)
{
    char expected[512], host[INET_ADDRSTRLEN];
    struct sockaddr_in server = {.sin_family = AF_INET};
    socklen_t len = sizeof server;
    (void)getpeername(fd, (struct sockaddr *)&server, &len);
    inet_ntop(AF_INET, &server.sin_addr, host, sizeof host);
    const char *type = original_event_name(event);
    snprintf(expected, sizeof expected,
             "POST %s HTTP/1.1\r\nhost: %s\r\nuser-agent: %s\r\ncontent-type: application/json\r\n"
             "message-type: %s\r\ncontent-length: %zu\r\n\r\n",
             type, host, user_id, type, event->raw.len);
    return strcmp(event->head, expected) == 0;
}

/* One that was started again may get what is for its predecessor, until the server knows, and a
 * process that hangs what is for its successor. */
static bool original_push_is_exact(const struct original *original, int fd,
                                   const struct original_event *event)
{
    return original_push_is_to(original->user_id, fd, event) ||
           (original->former_id[0] != '\0' && original_push_is_to(original->former_id, fd, event));
}

static void original_push_respond(int fd, int status)
{
    char date[64], text[256];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%a, %-d %b %Y %H:%M:%S GMT", gmtime_r(&now, &utc));
    const char *phrase = status == 200   ? "OK"
                         : status == 404 ? "Not Found"
                                         : "Internal Server Error";
    const char *body = status == 200 ? "" : phrase;
    int len = snprintf(text, sizeof text,
                       "HTTP/1.1 %d %s\r\nserver: http-grouptalk-server\r\ndate: %s\r\n"
                       "content-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
                       status, phrase, date, strlen(body), body);
    (void)!send(fd, text, (size_t)len, MSG_NOSIGNAL);
}

/* One request of the given sizes stands at the front. False when the connection has ended. */
static bool original_push_take(struct original_push_connection *connection, size_t head_bytes,
                               size_t content_bytes)
{
    struct original *original = connection->original;
    struct bytes body = bytes_of(connection->in.ptr + head_bytes, content_bytes);
    struct original_event *event = original_log_add(&original->log, ORIGINAL_PUSH, body);
    event->head = strndup((const char *)connection->in.ptr, head_bytes);
    assert(event->head != NULL);
    event->status = original_push_route(event);
    if (event->status == 200) {
        event->head_exact = original_push_is_exact(original, connection->watch.fd, event);
        event->status = original_log_parse_push(event) ? 200 : 500;
    } else {
        event->push = PUSH_TYPE_COUNT;
    }
    queue_take(&connection->in, head_bytes + content_bytes);
    if (original->pushes != ORIGINAL_PUSHES_SILENT) {
        original_push_respond(connection->watch.fd, event->status);
    }
    bool ends = original->pushes == ORIGINAL_PUSHES_CLOSE;
    if (ends) {
        original_push_end(connection);
    }
    original_tell(original, event);
    return !ends;
}

static void original_push_parse(struct original_push_connection *connection)
{
    for (;;) {
        struct queue *in = &connection->in;
        const uint8_t *end = in->len > 0 ? memmem(in->ptr, in->len, "\r\n\r\n", 4) : NULL;
        if (end == NULL) {
            return;
        }
        size_t head_bytes = (size_t)(end - in->ptr) + 4;
        char *head = strndup((const char *)in->ptr, head_bytes);
        assert(head != NULL);
        size_t content_bytes = original_push_content_bytes(head);
        free(head);
        if (in->len - head_bytes < content_bytes ||
            !original_push_take(connection, head_bytes, content_bytes)) {
            return;
        }
    }
}

static void original_push_on_readable(short revents, void *arg)
{
    (void)revents;
    struct original_push_connection *connection = arg;
    uint8_t storage[65536];
    ssize_t len = recv(connection->watch.fd, storage, sizeof storage, 0);
    if (len <= 0) {
        original_push_end(connection);
        return;
    }
    queue_put(&connection->in, bytes_of(storage, (size_t)len));
    original_push_parse(connection);
}

/* Listener ------------------------------------------------------------------------------------- */

static void original_push_on_connection(short revents, void *arg)
{
    (void)revents;
    struct original *original = arg;
    int fd = accept4(original->http_listener.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        return;
    }
    struct original_push_connection *connection = calloc(1, sizeof *connection);
    assert(connection != NULL);
    connection->original = original;
    connection->watch = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = original_push_on_readable, .arg = connection};
    connection->next = original->push_connections;
    original->push_connections = connection;
    pump_add(&connection->watch);
}

bool original_push_open(struct original *original)
{
    int fd = sockets_listen(original->options.own_ip, original->options.http_port);
    if (fd < 0) {
        return false;
    }
    original->options.http_port = sockets_port(fd);
    original->http_listener = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = original_push_on_connection, .arg = original};
    pump_add(&original->http_listener);
    return true;
}

void original_push_close(struct original *original)
{
    while (original->push_connections != NULL) {
        original_push_end(original->push_connections);
    }
    pump_remove(&original->http_listener);
    if (original->http_listener.fd >= 0) {
        close(original->http_listener.fd);
        original->http_listener.fd = -1;
    }
}

void original_set_pushes(struct original *original, enum original_pushes pushes)
{
    original->pushes = pushes;
    if (pushes == ORIGINAL_PUSHES_REFUSE) {
        original_push_close(original);
    } else if (original->http_listener.fd < 0) {
        bool is_open = original_push_open(original);
        assert(is_open);
    }
}
