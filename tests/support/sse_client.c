/* SPDX-License-Identifier: MIT */
/*
 * sse_client: one GET whose answer does not end; lines are put together to events as the HTML
 * standard's section 9.2 says. What the events mean is for the tests.
 */
#include "sse_client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

static void sse_client_break(struct sse_client *client, const char *rule)
{
    if (client->broken == NULL) {
        client->broken = rule;
    }
}

/* Events --------------------------------------------------------------------------------------- */

static void sse_client_dispatch(struct sse_client *client)
{
    if (client->id != NULL) {
        snprintf(client->last_id, sizeof client->last_id, "%s", client->id);
    }
    if (!client->has_data) {
        free(client->event);
        free(client->id);
        client->event = client->id = NULL;
        return;
    }
    if ((client->count & (client->count - 1)) == 0) {
        size_t cap = client->count == 0 ? 1 : 2 * client->count;
        client->events = realloc(client->events, cap * sizeof(struct sse_client_event *));
        assert(client->events != NULL);
    }
    struct sse_client_event *event = calloc(1, sizeof *event);
    assert(event != NULL);
    event->index = client->count;
    event->event = client->event != NULL ? client->event : strdup("message");
    event->id = client->id;
    event->data = strndup((const char *)client->data.ptr, client->data.len);
    event->json = json_loads(event->data, 0, NULL);
    client->event = client->id = NULL;
    client->has_data = false;
    queue_take(&client->data, client->data.len);
    client->events[client->count++] = event;
    if (client->options.on_event != NULL) {
        client->options.on_event(event, client->options.arg);
    }
}

static void sse_client_on_field(struct sse_client *client, const char *name, const char *value)
{
    if (strcmp(name, "data") == 0) {
        if (client->has_data) {
            queue_put(&client->data, bytes_str("\n"));
        }
        queue_put(&client->data, bytes_str(value));
        client->has_data = true;
    } else if (strcmp(name, "event") == 0) {
        free(client->event);
        client->event = strdup(value);
    } else if (strcmp(name, "id") == 0) {
        free(client->id);
        client->id = strdup(value);
    } else if (strcmp(name, "retry") == 0) {
        if (value[0] == '\0' || value[strspn(value, "0123456789")] != '\0') {
            sse_client_break(client, "retry is not a number");
        }
    } else {
        sse_client_break(client, "a field is unknown");
    }
}

static void sse_client_on_line(struct sse_client *client, char *line)
{
    if (line[0] == '\0') {
        sse_client_dispatch(client);
        return;
    }
    if (line[0] == ':') {
        client->comments++;
        return;
    }
    char *value = strchr(line, ':');
    if (value == NULL) {
        sse_client_on_field(client, line, "");
        return;
    }
    *value++ = '\0';
    sse_client_on_field(client, line, value + (*value == ' '));
}

static void sse_client_read_lines(struct sse_client *client)
{
    struct queue *text = &client->text;
    size_t done = 0;
    while (done < text->len) {
        const uint8_t *start = text->ptr + done;
        const uint8_t *end = memchr(start, '\n', text->len - done);
        if (end == NULL) {
            break;
        }
        size_t len = (size_t)(end - start);
        done += len + 1;
        if (memchr(start, '\0', len) != NULL) {
            sse_client_break(client, "a line has a NUL");
        }
        char *line = strndup((const char *)start, len - (len > 0 && start[len - 1] == '\r'));
        assert(line != NULL);
        sse_client_on_line(client, line);
        free(line);
    }
    queue_take(text, done);
}

/* HTTP ----------------------------------------------------------------------------------------- */

bool sse_client_has_header(const struct sse_client *client, const char *name, const char *value)
{
    size_t len = strlen(name);
    for (const char *line = strstr(client->head, "\r\n"); line != NULL;
         line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            line += len + 1;
            line += strspn(line, " \t");
            return strcspn(line, "\r") == strlen(value) &&
                   strncasecmp(line, value, strlen(value)) == 0;
        }
    }
    return false;
}

/* Moves the content of complete chunks from `in` to `text`. */
static void sse_client_read_chunks(struct sse_client *client)
{
    struct queue *in = &client->in;
    for (;;) {
        const uint8_t *end = in->len > 0 ? memmem(in->ptr, in->len, "\r\n", 2) : NULL;
        if (end == NULL) {
            return;
        }
        char *stop = NULL;
        char *line = strndup((const char *)in->ptr, (size_t)(end - in->ptr));
        assert(line != NULL);
        size_t len = strtoul(line, &stop, 16), head_bytes = strlen(line) + 2;
        bool is_number = stop != line && (*stop == '\0' || *stop == ';');
        free(line);
        if (!is_number) {
            sse_client_break(client, "a chunk has no length");
            return;
        }
        if (in->len < head_bytes + len + 2) {
            return;
        }
        queue_put(&client->text, bytes_of(in->ptr + head_bytes, len));
        queue_take(in, head_bytes + len + 2);
    }
}

static void sse_client_read_body(struct sse_client *client)
{
    if (client->status != 200) {
        free(client->body);
        client->body = strndup((const char *)client->in.ptr, client->in.len);
        return;
    }
    if (client->is_chunked) {
        sse_client_read_chunks(client);
    } else {
        queue_put(&client->text, bytes_of(client->in.ptr, client->in.len));
        queue_take(&client->in, client->in.len);
    }
    sse_client_read_lines(client);
}

static void sse_client_read_head(struct sse_client *client)
{
    const uint8_t *end = memmem(client->in.ptr, client->in.len, "\r\n\r\n", 4);
    if (end == NULL) {
        return;
    }
    size_t head_bytes = (size_t)(end - client->in.ptr) + 4;
    client->head = strndup((const char *)client->in.ptr, head_bytes);
    assert(client->head != NULL);
    if (sscanf(client->head, "HTTP/1.%*d %d ", &client->status) != 1) {
        client->status = -1;
    }
    client->is_chunked = sse_client_has_header(client, "transfer-encoding", "chunked");
    queue_take(&client->in, head_bytes);
}

static void sse_client_on_ready(short revents, void *arg)
{
    struct sse_client *client = arg;
    uint8_t storage[65536];
    (void)revents;
    ssize_t len = recv(client->watch.fd, storage, sizeof storage, MSG_DONTWAIT);
    if (len < 0 && errno == EAGAIN) {
        return;
    }
    if (len <= 0) {
        sse_client_drop(client);
        return;
    }
    queue_put(&client->in, bytes_of(storage, (size_t)len));
    if (client->status == 0) {
        sse_client_read_head(client);
    }
    if (client->status != 0) {
        sse_client_read_body(client);
    }
}

/* Life ----------------------------------------------------------------------------------------- */

static bool sse_client_is_answered(void *arg)
{
    const struct sse_client *client = arg;
    return client->status != 0 || client->ended;
}

static void sse_client_ask(struct sse_client *client)
{
    const struct sse_client_options *options = &client->options;
    char request[2048], last[128] = "";
    if (options->last_id != NULL) {
        snprintf(last, sizeof last, "Last-Event-ID: %s\r\n", options->last_id);
        snprintf(client->last_id, sizeof client->last_id, "%s", options->last_id);
    }
    int len = snprintf(request, sizeof request,
                       "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nAccept: text/event-stream\r\n"
                       "%s%s\r\n",
                       options->target, options->port, last,
                       options->headers != NULL ? options->headers : "");
    assert(len > 0 && (size_t)len < sizeof request);
    (void)!send(client->watch.fd, request, (size_t)len, MSG_NOSIGNAL);
}

struct sse_client *sse_client_open(const struct sse_client_options *options)
{
    struct sse_client *client = calloc(1, sizeof *client);
    assert(client != NULL);
    client->options = *options;
    int fd = sockets_connect(0, SOCKETS_LOOPBACK, options->port, SSE_CLIENT_WAIT_MS);
    client->watch = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = sse_client_on_ready, .arg = client};
    if (fd < 0) {
        client->ended = true;
        return client;
    }
    pump_add(&client->watch);
    sse_client_ask(client);
    (void)pump_until(sse_client_is_answered, client, SSE_CLIENT_WAIT_MS);
    return client;
}

void sse_client_drop(struct sse_client *client)
{
    pump_remove(&client->watch);
    if (client->watch.fd >= 0) {
        close(client->watch.fd);
        client->watch.fd = -1;
    }
    client->ended = true;
}

void sse_client_free(struct sse_client *client)
{
    if (client == NULL) {
        return;
    }
    sse_client_drop(client);
    for (size_t i = 0; i < client->count; i++) {
        struct sse_client_event *event = client->events[i];
        json_decref(event->json);
        free(event->event);
        free(event->data);
        free(event->id);
        free(event);
    }
    free(client->events);
    free(client->head);
    free(client->body);
    free(client->event);
    free(client->id);
    queue_fini(&client->in);
    queue_fini(&client->text);
    queue_fini(&client->data);
    free(client);
}

void sse_client_print(const struct sse_client *client, FILE *out)
{
    fprintf(out, "  status %d, %zu comments, %s%s%s\n", client->status, client->comments,
            client->ended ? "ended" : "open", client->broken != NULL ? ", BROKEN: " : "",
            client->broken != NULL ? client->broken : "");
    for (size_t i = 0; i < client->count; i++) {
        const struct sse_client_event *event = client->events[i];
        fprintf(out, "  %4zu %s %s %s\n", i, event->event, event->id != NULL ? event->id : "-",
                event->data);
    }
}

/* Waits ---------------------------------------------------------------------------------------- */

struct sse_client_wait {
    struct sse_client *client;
    sse_client_fits_fn *fits;
    const void *arg;
    size_t next;
    struct sse_client_event *found;
};

static bool sse_client_wait_done(void *arg)
{
    struct sse_client_wait *wait = arg;
    struct sse_client *client = wait->client;
    for (; wait->next < client->count; wait->next++) {
        struct sse_client_event *event = client->events[wait->next];
        if (!event->taken && wait->fits(event, wait->arg)) {
            wait->found = event;
            return true;
        }
    }
    return client->ended;
}

const struct sse_client_event *sse_client_wait(struct sse_client *client, sse_client_fits_fn *fits,
                                               const void *arg, int64_t timeout_ms)
{
    struct sse_client_wait wait = {client, fits, arg, 0, NULL};
    (void)pump_until(sse_client_wait_done, &wait, timeout_ms);
    if (wait.found != NULL) {
        wait.found->taken = true;
    }
    return wait.found;
}

static bool sse_client_is_type(const struct sse_client_event *event, const void *type)
{
    const char *found = json_string_value(json_object_get(event->json, "type"));
    return found != NULL && strcmp(found, type) == 0;
}

const json_t *sse_client_wait_type(struct sse_client *client, const char *type)
{
    const struct sse_client_event *event =
        sse_client_wait(client, sse_client_is_type, type, SSE_CLIENT_WAIT_MS);
    return event != NULL ? event->json : NULL;
}

static bool sse_client_is_named(const struct sse_client_event *event, const void *name)
{
    return strcmp(event->event, name) == 0;
}

const struct sse_client_event *sse_client_wait_event(struct sse_client *client, const char *event)
{
    return sse_client_wait(client, sse_client_is_named, event, SSE_CLIENT_WAIT_MS);
}

struct sse_client_comments {
    const struct sse_client *client;
    size_t count;
};

static bool sse_client_has_comments(void *arg)
{
    const struct sse_client_comments *wanted = arg;
    return wanted->client->comments >= wanted->count || wanted->client->ended;
}

bool sse_client_wait_comments(struct sse_client *client, size_t count, int64_t timeout_ms)
{
    struct sse_client_comments wanted = {client, count};
    (void)pump_until(sse_client_has_comments, &wanted, timeout_ms);
    return client->comments >= count;
}

static bool sse_client_has_ended(void *arg)
{
    const struct sse_client *client = arg;
    return client->ended;
}

bool sse_client_wait_end(struct sse_client *client, int64_t timeout_ms)
{
    return pump_until(sse_client_has_ended, client, timeout_ms);
}
