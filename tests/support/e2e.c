/* SPDX-License-Identifier: MIT */
/*
 * e2e: set-up, teardown and shared assertions of the scenarios in tests/e2e. It knows the catalogue
 * of errors (proto/err.def) as the promise about reasons; everything else of the node is
 * unknown here.
 */
#include "e2e.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "relay.h"

static const struct e2e_reason {
    enum err err;
    const char *text;
} e2e_reasons[] = {
#define ERR(name, code, hgtp, http, control, retry, text) {ERR_##name, text},
#include "proto/err.def"
};

/* Life ----------------------------------------------------------------------------------------- */

int e2e_setup(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    *state = calloc(1, sizeof(struct e2e));
    return *state != NULL ? 0 : -1;
}

static void e2e_print(const struct e2e *e)
{
    for (size_t i = 0; i < e->client_count; i++) {
        if (e->clients[i] != NULL) {
            fprintf(stderr, "--- client %s %s\n", e->clients[i]->options.name,
                    e->clients[i]->user_id);
            original_log_print(&e->clients[i]->log, stderr);
        }
    }
    for (size_t i = 0; i < e->guest_count; i++) {
        if (e->guests[i].print != NULL) {
            e->guests[i].print(e->guests[i].guest, stderr);
        }
    }
    if (e->daemon != NULL) {
        daemon_print_log(e->daemon);
    }
    for (size_t i = 0; i < e->ended_count; i++) {
        daemon_print_log(e->ended[i]);
    }
    for (size_t i = 0; i < e->node_count; i++) {
        if (e->nodes[i].daemon != NULL) {
            daemon_print_log(e->nodes[i].daemon);
        }
    }
    if (e->balancer != NULL) {
        balancer_print_log(e->balancer);
    }
}

static void e2e_free_nodes(struct e2e *e)
{
    daemon_free(e->daemon);
    for (size_t i = 0; i < e->node_count; i++) {
        daemon_free(e->nodes[i].daemon);
        relay_close(e->nodes[i].bus_relay);
    }
    for (size_t i = 0; i < e->ended_count; i++) {
        daemon_free(e->ended[i]);
    }
    for (size_t i = 0; e->cluster_sets != NULL && e->cluster_sets[i] != NULL; i++) {
        free(e->cluster_sets[i]);
    }
    free(e->cluster_sets);
}

int e2e_teardown(void **state)
{
    struct e2e *e = *state;
    if (!e->has_passed) {
        e2e_print(e);
    }
    for (size_t i = 0; i < e->client_count; i++) {
        original_close(e->clients[i]);
    }
    for (size_t i = 0; i < e->guest_count; i++) {
        e->guests[i].free(e->guests[i].guest);
    }
    balancer_free(e->balancer);
    e2e_free_nodes(e);
    redis_server_free(e->redis);
    free(e);
    return 0;
}

static bool e2e_is_server(const struct e2e *e, uint16_t port)
{
    bool is_server = (e->daemon != NULL && port == e->daemon->hgtp_port) ||
                     (e->balancer != NULL && port == e->balancer->hgtp_port);
    for (size_t i = 0; i < e->node_count; i++) {
        is_server = is_server || port == e->nodes[i].hgtp_port;
    }
    return is_server;
}

static void e2e_check_event(const struct e2e *e, const struct original *client,
                            const struct original_event *event)
{
    bool is_good = true;
    if (event->kind == ORIGINAL_PUSH) {
        is_good = event->status == 200 && event->head_exact;
    } else if (event->kind == ORIGINAL_DATAGRAM) {
        is_good = event->decoded == HGTP_DECODED && e2e_is_server(e, event->from_port);
    }
    if (!is_good) {
        fail_msg("event %zu of %s is not what the original takes: %s", event->index,
                 client->options.name, event->head != NULL ? event->head : "a datagram");
    }
}

static void e2e_check_clients(const struct e2e *e)
{
    for (size_t i = 0; i < e->client_count; i++) {
        const struct original *client = e->clients[i];
        if (client == NULL) {
            continue;
        }
        if (!original_is_healthy(client)) {
            fail_msg("%s: lost workers %d, stuck %d, dirty %d", client->options.name,
                     client->workers_lost, client->is_stuck, client->is_dirty);
        }
        if (client->empty_datagrams > 0 && e->balancer == NULL) {
            fail_msg("%s: %zu empty datagrams", client->options.name, client->empty_datagrams);
        }
        for (size_t j = 0; j < client->log.count; j++) {
            e2e_check_event(e, client, client->log.events[j]);
        }
    }
}

static void e2e_check_guests(const struct e2e *e)
{
    for (size_t i = 0; i < e->guest_count; i++) {
        const struct e2e_guest *guest = &e->guests[i];
        const char *broken = guest->broken != NULL ? guest->broken(guest->guest) : NULL;
        if (broken != NULL) {
            fail_msg("guest %zu: %s", i, broken);
        }
    }
}

void e2e_check_end(struct daemon *daemon)
{
    pid_t children[8];
    size_t count = process_children(daemon->process, children, 8);
    assert_int_equal(daemon_stop(daemon), 0);
    for (size_t i = 0; i < count && i < 8; i++) {
        assert_true(process_gone(children[i], 5000));
    }
    assert_int_equal(process_folder_count(daemon->folder), 0);
}

void e2e_passed(struct e2e *e)
{
    if (e->daemon != NULL || e->node_count > 0) {
        e2e_check_clients(e);
    }
    e2e_check_guests(e);
    /* A scenario may have ended it itself, and checked how. */
    if (e->daemon != NULL && process_wait_exit(e->daemon->process, 0) < 0) {
        e2e_check_end(e->daemon);
    }
    for (size_t i = 0; i < e->node_count; i++) {
        if (e->nodes[i].daemon != NULL) {
            e2e_check_end(e->nodes[i].daemon);
        }
    }
    e2e_check_guests(e);
    e->has_passed = true;
}

/* Actors --------------------------------------------------------------------------------------- */

void e2e_node(struct e2e *e, const char *const *sets)
{
    assert_null(e->daemon);
    e->daemon = daemon_start(sets);
    assert_true(daemon_wait_ready(e->daemon));
}

struct original *e2e_client_with(struct e2e *e, const struct original_options *options)
{
    struct original_options complete = *options;
    complete.server_ip = SOCKETS_LOOPBACK;
    if (complete.server_port == 0) {
        complete.server_port = e->balancer != NULL ? e->balancer->hgtp_port : e->daemon->hgtp_port;
    }
    if (complete.own_ip == 0) {
        complete.own_ip = SOCKETS_LOOPBACK;
    }
    assert_true(e->client_count < E2E_CLIENTS_MAX);
    struct original *client = original_open(&complete);
    assert_non_null(client);
    e->clients[e->client_count++] = client;
    return client;
}

struct original *e2e_client(struct e2e *e, const char *name)
{
    const struct original_options options = {.name = name};
    return e2e_client_with(e, &options);
}

static bool e2e_list_has(const struct original_event *event, const void *name)
{
    for (size_t i = 0; i < event->name_count; i++) {
        if (strcmp(event->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

struct original *e2e_user_with(struct e2e *e, const struct original_options *options)
{
    struct original *user = e2e_client_with(e, options);
    assert_true(original_register(user));
    if (user->http_listener.fd >= 0 && user->declared_port == user->options.http_port) {
        e2e_came(original_wait_push(user, PUSH_ROOM_LIST, NULL, NULL));
        e2e_came(original_wait_push(user, PUSH_USER_LIST, e2e_list_has, user->options.name));
    }
    return user;
}

struct original *e2e_user(struct e2e *e, const char *name)
{
    const struct original_options options = {.name = name};
    return e2e_user_with(e, &options);
}

void e2e_adopt(struct e2e *e, const struct e2e_guest *guest)
{
    assert_true(e->guest_count < E2E_GUESTS_MAX);
    e->guests[e->guest_count++] = *guest;
}

void e2e_vanish(struct e2e *e, struct original *client)
{
    for (size_t i = 0; i < e->client_count; i++) {
        if (e->clients[i] == client) {
            original_close(client);
            e->clients[i] = NULL;
            return;
        }
    }
    fail_msg("no such client");
}

void e2e_open_room(struct original *manager, const char *room)
{
    e2e_ok(original_create(manager, room));
    e2e_came(original_wait_list(manager, PUSH_ROOM_USER_LIST, manager->options.name));
    e2e_came(original_wait_push(manager, PUSH_NOTICE, NULL, NULL));
}

void e2e_join_room(struct original *user, const char *room)
{
    e2e_ok(original_join(user, room));
    e2e_came(original_wait_push(user, PUSH_ROOM_USER_LIST, e2e_list_has, user->options.name));
    e2e_came(original_wait_push(user, PUSH_NOTICE, NULL, NULL));
}

static bool e2e_clock_passed(void *arg)
{
    return pump_now_unix_ms() > *(const int64_t *)arg;
}

void e2e_pass_coalescing(void)
{
    int64_t past_ms = pump_now_unix_ms() + 1;
    (void)pump_within(e2e_clock_passed, &past_ms, 3);
}

void e2e_retry_pause(void)
{
    pump_pause(20);
}

/* Assertions ----------------------------------------------------------------------------------- */

const struct original_event *e2e_came_at(const struct original_event *event, const char *what,
                                         const char *file, int line)
{
    if (event == NULL) {
        print_error("did not come: %s\n", what);
        _fail(file, line);
    }
    return event;
}

const char *e2e_reason_text(enum err err)
{
    for (size_t i = 0; i < sizeof e2e_reasons / sizeof e2e_reasons[0]; i++) {
        if (e2e_reasons[i].err == err) {
            return e2e_reasons[i].text;
        }
    }
    return "";
}

static bool e2e_reason_fits(const struct original_event *event, enum err err)
{
    struct hgtp_reason reason;
    return hgtp_reason_decode(event->msg.body, &reason) && reason.code == (int16_t)err &&
           bytes_equal(reason.text, bytes_str(e2e_reason_text(err)));
}

void e2e_response_at(const struct original_event *event, enum hgtp_type type, enum err err,
                     const char *file, int line)
{
    (void)e2e_came_at(event, "a response", file, line);
    bool is_right =
        event->msg.header.type == type && (err == ERR_NONE || e2e_reason_fits(event, err));
    if (is_right) {
        return;
    }
    struct hgtp_reason got = {0};
    if (event->msg.header.type != HGTP_OK && event->msg.header.type != HGTP_UNAUTHORIZED) {
        (void)hgtp_reason_decode(event->msg.body, &got);
    }
    print_error("expected %s (%d %s), got %s (%d %.*s)\n", hgtp_type_name((uint8_t)type), (int)err,
                e2e_reason_text(err), original_event_name(event), got.code, (int)got.text.len,
                (const char *)got.text.ptr);
    _fail(file, line);
}

int e2e_get(const struct e2e *e, const char *target, char *ret_body, size_t body_cap)
{
    return http_client_get(SOCKETS_LOOPBACK, e->daemon->http_port, target, ret_body, body_cap);
}

int64_t e2e_metric(const struct e2e *e, const char *name)
{
    return e2e_metric_of(e->daemon->http_port, name);
}

int64_t e2e_metric_of(uint16_t http_port, const char *name)
{
    static char text[65536];
    char line[128];
    assert_int_equal(http_client_get(SOCKETS_LOOPBACK, http_port, "/metrics", text, sizeof text),
                     200);
    snprintf(line, sizeof line, "\n%s ", name);
    const char *at = strstr(text, line);
    return at != NULL ? strtoll(at + strlen(line), NULL, 10) : -1;
}
