/* SPDX-License-Identifier: MIT */
/*
 * bus: two or three of them in one process and on one loop, over nng on loopback, and a socket of
 * the test's own that sends what a stranger would. Batches of a node to itself, which show that its
 * bus works, are counted like others.
 */
#include "node/bus/bus.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>

#include "node/base/metrics.h"
#include "proto/bus_batch.h"

enum { PATIENCE_MS = 20000, NODES_MAX = 3, KEPT_MAX = 4096, SENT_AT_ONCE = 1000 };

static const char *const bus_key = "a key that all nodes share";

struct node {
    const char *name;
    struct bus *bus;
    struct bus_port port;
    int effect_count;
    char last[64]; /* second field of the last effect */
    int numbers[KEPT_MAX];
    int gap_count; /* but for those of new connections */
    int pipe_count;
    int stranger_count;
    int echo_count;
    int stuck_count;
    bool closes_on_effect;
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t patience;
    bool expired;
    struct node nodes[NODES_MAX];
    int64_t before[METRIC_COUNT];
    nng_socket raw; /* the stranger */
    nng_dialer raw_dialer;
    struct bus_arena arena;
    struct core_keys keys; /* of all its nodes */
};

/* ---- Helpers ---- */

static void on_patience(uv_timer_t *timer)
{
    struct fixture *f = timer->data;
    f->expired = true;
}

#define WAIT_UNTIL(f, condition)                                                                   \
    do {                                                                                           \
        (f)->expired = false;                                                                      \
        uv_timer_start(&(f)->patience, on_patience, PATIENCE_MS, 0);                               \
        while (!(condition)) {                                                                     \
            assert_false((f)->expired);                                                            \
            uv_run(&(f)->loop, UV_RUN_ONCE);                                                       \
        }                                                                                          \
        uv_timer_stop(&(f)->patience);                                                             \
    } while (0)

static void on_effect(const struct effect *effect, void *arg)
{
    struct node *node = arg;
    assert_int_equal(effect->count, 2);
    assert_true(effect->fields[1].len < sizeof node->last || effect->fields[1].len > 1000);
    if (effect->fields[1].len < sizeof node->last) {
        (void)snprintf(node->last, sizeof node->last, "%.*s", (int)effect->fields[1].len,
                       (const char *)effect->fields[1].ptr);
    }
    if (node->effect_count < KEPT_MAX) {
        node->numbers[node->effect_count] = atoi(node->last);
    }
    node->effect_count++;
    if (node->closes_on_effect) {
        bus_close(node->bus);
        node->bus = NULL;
    }
}

static void on_gap(const char *why, void *arg)
{
    struct node *node = arg;
    *(strcmp(why, "a new connection") == 0 ? &node->pipe_count : &node->gap_count) += 1;
}

static void on_stranger(void *arg)
{
    ((struct node *)arg)->stranger_count++;
}

static void on_echo(void *arg)
{
    ((struct node *)arg)->echo_count++;
}

static void on_stuck(void *arg)
{
    ((struct node *)arg)->stuck_count++;
}

static struct bus_options options_for(struct fixture *f, struct node *node, const char *listen)
{
    return (struct bus_options){.loop = &f->loop,
                                .listen = listen,
                                .advertise = "",
                                .keys = &f->keys,
                                .events = {on_effect, on_gap, on_stranger, on_echo, on_stuck},
                                .arg = node};
}

static void open_at(struct fixture *f, struct node *node, const char *name, const char *listen)
{
    char error[BUS_ERROR_BYTES] = "";
    const struct bus_options options = options_for(f, node, listen);
    node->name = name;
    node->bus = bus_open(&options, error);
    assert_string_equal(error, "");
    assert_non_null(node->bus);
    bus_start(node->bus, name);
    node->port = bus_port(node->bus);
}

static void name_peer(const struct node *to, const struct node *peer)
{
    to->port.peer(to->port.ctx, bytes_str(peer->name), bytes_str(bus_address(peer->bus)));
}

static void send_text(const struct node *from, const char *to, const char *text)
{
    const struct bytes fields[] = {bytes_str("top"), bytes_str(text)};
    const struct effect effect = {fields, 2};
    from->port.send(from->port.ctx, bytes_str(to), &effect);
}

static void beat(const struct node *node)
{
    node->port.beat(node->port.ctx);
}

static int64_t counted(const struct fixture *f, enum metric metric)
{
    return metrics_values[metric] - f->before[metric];
}

static void count_anew(struct fixture *f)
{
    memcpy(f->before, metrics_values, sizeof f->before);
}

/* An effect that `from` sends reaches `to`: they are connected. Sends until one does. */
static void wait_connected(struct fixture *f, struct node *from, struct node *to)
{
    int before = to->effect_count;
    while (to->effect_count == before) {
        name_peer(from, to);
        send_text(from, to->name, "0");
        uv_timer_start(&f->patience, on_patience, 20, 0);
        uv_run(&f->loop, UV_RUN_ONCE);
    }
    /* Until the last of these has come. */
    send_text(from, to->name, "connected");
    WAIT_UNTIL(f, strcmp(to->last, "connected") == 0);
    to->effect_count = 0;
}

static void open_nodes(struct fixture *f, int count)
{
    static const char *const names[] = {"a@1", "b@2", "c@3"};
    for (int i = 0; i < count; i++) {
        open_at(f, &f->nodes[i], names[i], "tcp://127.0.0.1:0");
    }
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < count; k++) {
            if (i != k) {
                name_peer(&f->nodes[i], &f->nodes[k]);
            }
        }
    }
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < count; k++) {
            if (i != k) {
                wait_connected(f, &f->nodes[i], &f->nodes[k]);
            }
        }
    }
    for (int i = 0; i < count; i++) {
        f->nodes[i].gap_count = 0;
    }
    count_anew(f);
}

/* Batches sent before nng has connected are lost, so it beats until one comes back. */
static void wait_echo(struct fixture *f, struct node *node)
{
    while (node->echo_count == 0) {
        beat(node);
        uv_timer_start(&f->patience, on_patience, 200, 0);
        uv_run(&f->loop, UV_RUN_ONCE);
    }
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    uv_loop_init(&f->loop);
    uv_timer_init(&f->loop, &f->patience);
    f->patience.data = f;
    f->arena = (struct bus_arena){malloc(BUS_ARENA_PACK_BYTES), BUS_ARENA_PACK_BYTES, 0};
    f->keys = (struct core_keys){{bytes_str(bus_key)}, 1};
    count_anew(f);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    if (f->raw.id != 0) {
        nng_close(f->raw);
    }
    for (int i = 0; i < NODES_MAX; i++) {
        if (f->nodes[i].bus != NULL) {
            bus_close(f->nodes[i].bus);
        }
        assert_int_equal(f->nodes[i].stuck_count, 0);
    }
    uv_close((uv_handle_t *)&f->patience, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    free(f->arena.ptr);
    free(f);
    return 0;
}

/* ---- A stranger ---- */

static void dial_raw(struct fixture *f, const struct node *to)
{
    assert_int_equal(nng_pub0_open(&f->raw), 0);
    assert_int_equal(nng_dial(f->raw, bus_address(to->bus), &f->raw_dialer, 0), 0);
}

static void send_raw(struct fixture *f, struct bytes message)
{
    nng_msg *msg;
    assert_int_equal(nng_msg_alloc(&msg, 0), 0);
    assert_int_equal(nng_msg_append(msg, message.ptr, message.len), 0);
    assert_int_equal(nng_sendmsg(f->raw, msg, 0), 0);
}

/* A batch of the node "raw@1" with one effect. */
static void send_batch(struct fixture *f, const char *receiver, uint64_t number, const char *key)
{
    static uint8_t storage[1024];
    struct sink out = sink_into(storage, sizeof storage);
    char text[24];
    (void)snprintf(text, sizeof text, "%d", (int)number);
    const struct bytes fields[] = {bytes_str("top"), bytes_str(text)};
    assert_true(bus_batch_add(fields, 2, &f->arena, &out));
    const struct bus_batch_head head = {
        .sender = bytes_str("raw@1"), .receiver = bytes_str(receiver), .number = number};
    bus_batch_seal(&head, bytes_str(key), &out);
    assert_true(sink_fits(&out));
    send_raw(f, sink_bytes(&out));
}

/* ---- Between nodes ---- */

static void bus_effects_arrive_in_order_and_once(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_nodes(f, 2);
    for (int i = 0; i < SENT_AT_ONCE; i++) {
        char text[24];
        (void)snprintf(text, sizeof text, "%d", i);
        send_text(a, b->name, text);
        if (i % 100 == 99) {
            uv_run(&f->loop, UV_RUN_NOWAIT);
        }
    }
    send_text(a, b->name, "end");
    WAIT_UNTIL(f, strcmp(b->last, "end") == 0);
    assert_int_equal(b->effect_count, SENT_AT_ONCE + 1);
    for (int i = 0; i < SENT_AT_ONCE; i++) {
        assert_int_equal(b->numbers[i], i);
    }
    assert_int_equal(counted(f, METRIC_BUS_MISSING), 0);
    assert_int_equal(counted(f, METRIC_BUS_DROPPED), 0);
    assert_int_equal(a->effect_count, 0);
}

static void bus_effects_of_one_turn_are_one_batch(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_nodes(f, 2);
    for (int i = 0; i < SENT_AT_ONCE; i++) {
        send_text(a, b->name, "1");
    }
    WAIT_UNTIL(f, b->effect_count == SENT_AT_ONCE);
    assert_int_equal(counted(f, METRIC_BUS_BATCHES_SENT), 1);
    assert_int_equal(counted(f, METRIC_BUS_BATCHES_RECEIVED), 1);
    assert_int_equal(counted(f, METRIC_BUS_BYTES_SENT), counted(f, METRIC_BUS_BYTES_RECEIVED));
}

static void bus_much_in_one_turn_arrives_in_several_batches(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    static uint8_t big[100000];
    open_nodes(f, 2);
    const struct bytes fields[] = {bytes_str("entry"), bytes_of(big, sizeof big)};
    const struct effect effect = {fields, 2};
    for (int i = 0; i < 9; i++) {
        a->port.send(a->port.ctx, bytes_str(b->name), &effect);
    }
    assert_int_equal(counted(f, METRIC_BUS_BATCHES_SENT), 3);
    WAIT_UNTIL(f, b->effect_count == 9);
    assert_int_equal(counted(f, METRIC_BUS_BATCHES_SENT), 3);
}

static void bus_star_reaches_all_others(void **state)
{
    struct fixture *f = *state;
    struct node *n = f->nodes;
    open_nodes(f, 3);
    send_text(&n[0], "*", "7");
    WAIT_UNTIL(f, n[1].effect_count == 1 && n[2].effect_count == 1);
    assert_int_equal(n[1].numbers[0], 7);
    assert_int_equal(n[2].numbers[0], 7);
    wait_echo(f, &n[0]); /* time enough for it to reach oneself */
    assert_int_equal(n[0].effect_count, 0);
}

static void bus_effect_for_a_node_just_named_waits_for_the_connection(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_at(f, a, "a@1", "tcp://127.0.0.1:0");
    open_at(f, b, "b@2", "tcp://127.0.0.1:0");
    name_peer(a, b);
    send_text(a, b->name, "1");
    WAIT_UNTIL(f, b->effect_count == 1);
    assert_int_equal(b->gap_count, 0);
    /* It has heard a, and gets its address only now. */
    send_text(b, a->name, "2");
    uv_run(&f->loop, UV_RUN_NOWAIT);
    name_peer(b, a);
    WAIT_UNTIL(f, a->effect_count == 1);
    assert_int_equal(a->numbers[0], 2);
}

static void bus_effect_for_a_node_that_is_never_named_is_given_up(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    open_nodes(f, 1);
    dial_raw(f, a);
    send_batch(f, a->name, 1, bus_key);
    WAIT_UNTIL(f, a->stranger_count == 1);
    send_text(a, "raw@1", "1");
    assert_int_equal(counted(f, METRIC_BUS_DROPPED), 0);
    WAIT_UNTIL(f, counted(f, METRIC_BUS_DROPPED) == 1);
}

static void bus_effect_for_an_unknown_node_is_counted(void **state)
{
    struct fixture *f = *state;
    open_nodes(f, 1);
    send_text(&f->nodes[0], "z@9", "1");
    assert_int_equal(f->nodes[0].stranger_count, 1);
    send_text(&f->nodes[0], "", "1");
    WAIT_UNTIL(f, counted(f, METRIC_BUS_DROPPED) == 2); /* nobody has named it in time */
    send_text(&f->nodes[0], "z@9", "1");
    assert_int_equal(counted(f, METRIC_BUS_DROPPED), 3);
    count_anew(f);
    send_text(&f->nodes[0], "*", "1"); /* there is no other: nothing is lost */
    assert_int_equal(counted(f, METRIC_BUS_DROPPED), 0);
}

static void bus_effect_that_is_too_large_is_counted(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    static uint8_t big[BUS_EFFECT_BYTES_MAX];
    open_nodes(f, 2);
    struct bytes fields[] = {bytes_str("entry"), bytes_of(big, sizeof big)};
    const struct effect effect = {fields, 2};
    a->port.send(a->port.ctx, bytes_str(b->name), &effect);
    assert_int_equal(counted(f, METRIC_BUS_DROPPED), 1);
    fields[1].len -= 100;
    a->port.send(a->port.ctx, bytes_str(b->name), &effect);
    WAIT_UNTIL(f, b->effect_count == 1);
    assert_int_equal(counted(f, METRIC_BUS_DROPPED), 1);
}

static void bus_new_connection_is_a_gap(void **state)
{
    struct fixture *f = *state;
    open_nodes(f, 2);
    int before = f->nodes[0].pipe_count;
    dial_raw(f, &f->nodes[0]);
    WAIT_UNTIL(f, f->nodes[0].pipe_count > before);
}

static void bus_beat_comes_back(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_nodes(f, 2);
    wait_echo(f, a);
    count_anew(f);
    for (int i = 1; i <= 3; i++) {
        int before = a->echo_count;
        beat(a);
        WAIT_UNTIL(f, a->echo_count > before);
    }
    /* Two batches each time, as b gets those that are empty, too. */
    assert_int_equal(counted(f, METRIC_BUS_BATCHES_SENT), 6);
    WAIT_UNTIL(f, counted(f, METRIC_BUS_BATCHES_RECEIVED) >= 6);
    assert_int_equal(b->gap_count, 0);
    assert_int_equal(b->echo_count + b->effect_count, 0);
}

/* ---- Losses ---- */

static void bus_missing_number_is_a_gap_after_what_came(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    open_nodes(f, 1);
    dial_raw(f, a);
    send_batch(f, a->name, 1, bus_key);
    WAIT_UNTIL(f, a->effect_count == 1);
    assert_int_equal(a->gap_count, 0);
    send_batch(f, a->name, 5, bus_key);
    WAIT_UNTIL(f, a->effect_count == 2);
    WAIT_UNTIL(f, a->gap_count == 1);
    assert_int_equal(counted(f, METRIC_BUS_MISSING), 3);
    send_batch(f, a->name, 6, bus_key);
    WAIT_UNTIL(f, a->effect_count == 3);
    assert_int_equal(a->gap_count, 1);
}

static void bus_first_batch_with_a_later_number_is_a_gap(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    open_nodes(f, 1);
    dial_raw(f, a);
    send_batch(f, a->name, 40, bus_key);
    WAIT_UNTIL(f, a->gap_count == 1);
    assert_int_equal(a->effect_count, 1);
    assert_int_equal(counted(f, METRIC_BUS_MISSING), 0);
}

static void bus_connection_that_was_lost_comes_back_and_the_loss_is_seen(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    char folder[] = "/tmp/test_bus.XXXXXX";
    assert_non_null(mkdtemp(folder));
    char url[80], path[64];
    (void)snprintf(path, sizeof path, "%s/bus", folder);
    (void)snprintf(url, sizeof url, "ipc://%s", path);
    open_nodes(f, 1);
    b->name = "b@2";
    /* Nobody listens there for longer than it is waited for: what is sent is lost. */
    a->port.peer(a->port.ctx, bytes_str(b->name), bytes_str(url));
    send_text(a, b->name, "lost");
    WAIT_UNTIL(f, counted(f, METRIC_BUS_BATCHES_SENT) > 0);
    open_at(f, b, "b@2", url);
    assert_string_equal(bus_address(b->bus), url);
    wait_connected(f, a, b);
    assert_true(b->gap_count > 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void bus_peer_that_moved_is_dialled_anew_and_goes_on_counting(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_nodes(f, 2);
    bus_close(b->bus);
    struct node *moved = &f->nodes[2];
    open_at(f, moved, b->name, "tcp://127.0.0.1:0");
    b->bus = NULL;
    wait_connected(f, a, moved);
    assert_true(moved->gap_count > 0); /* its numbers go on where they were */
    assert_int_equal(counted(f, METRIC_BUS_REPLAYED), 0);
}

/* ---- Strangers ---- */

static void bus_batch_of_a_node_not_named_is_taken_and_told(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    open_nodes(f, 1);
    dial_raw(f, a);
    send_batch(f, a->name, 1, bus_key);
    WAIT_UNTIL(f, a->stranger_count == 1);
    assert_int_equal(a->effect_count, 1);
    a->port.peer(a->port.ctx, bytes_str("raw@1"), bytes_str("tcp://127.0.0.1:1"));
    send_batch(f, a->name, 2, bus_key);
    WAIT_UNTIL(f, a->effect_count == 2);
    assert_int_equal(a->stranger_count, 1);
}

/* While keys are rotated, the second one is still, or already, taken; what is sent is by the first.
 */
static void bus_takes_batches_by_either_key_and_seals_with_the_first(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    open_nodes(f, 1);
    wait_echo(f, a);
    dial_raw(f, a);
    send_batch(f, a->name, 1, "the next key");
    send_batch(f, a->name, 2, bus_key);
    WAIT_UNTIL(f, a->effect_count == 1);
    assert_int_equal(counted(f, METRIC_BUS_FORGED), 1);
    f->keys = (struct core_keys){{bytes_str("the next key"), bytes_str(bus_key)}, 2};
    send_batch(f, a->name, 3, bus_key);
    send_batch(f, a->name, 4, "the next key");
    send_batch(f, a->name, 5, "another key");
    send_batch(f, a->name, 5, "the next key");
    WAIT_UNTIL(f, a->effect_count == 4);
    assert_int_equal(counted(f, METRIC_BUS_FORGED), 2);
    assert_true(counted(f, METRIC_SECOND_KEY_BUS) >= 1); /* a beat of its own may come late, too */
    f->keys = (struct core_keys){{bytes_str("the next key")}, 1};
    int echoes = a->echo_count;
    WAIT_UNTIL(f, (beat(a), a->echo_count > echoes)); /* its own is sealed with it as well */
    send_batch(f, a->name, 6, bus_key);
    WAIT_UNTIL(f, counted(f, METRIC_BUS_FORGED) == 3);
}

static void bus_refuses_what_is_not_right_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    static uint8_t zeros[BUS_BATCH_BYTES_MAX + 1];
    open_nodes(f, 1);
    dial_raw(f, a);
    send_batch(f, a->name, 1, bus_key);
    send_batch(f, a->name, 2, "another key");
    send_batch(f, a->name, 2, "");
    send_batch(f, a->name, 1, bus_key);
    send_batch(f, "somebody@else", 2, bus_key);
    send_raw(f, bytes_of(zeros, sizeof zeros));
    send_raw(f, bytes_of(zeros, 0));
    send_batch(f, a->name, 2, bus_key);
    WAIT_UNTIL(f, a->effect_count == 2);
    assert_int_equal(a->numbers[1], 2);
    assert_int_equal(a->gap_count, 0);
    assert_int_equal(counted(f, METRIC_BUS_FORGED), 3); /* no bytes at all are no proof either */
    assert_int_equal(counted(f, METRIC_BUS_REPLAYED), 1);
    assert_int_equal(counted(f, METRIC_BUS_FOREIGN), 1);
    assert_int_equal(counted(f, METRIC_BUS_MALFORMED), 1);
}

/* By hand, because nng 1.5 can hang for good where a message that it sends is cut: this process has
 * both ends. */
static int dial_by_hand(const struct node *to)
{
    static const uint8_t hello[] = {0, 'S', 'P', 0, 0, 0x20, 0, 0}; /* of a PUB socket */
    uint8_t answer[sizeof hello];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    address.sin_port = htons((uint16_t)atoi(strrchr(bus_address(to->bus), ':') + 1));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(write(fd, hello, sizeof hello), sizeof hello);
    assert_int_equal(recv(fd, answer, sizeof answer, MSG_WAITALL), sizeof answer);
    return fd;
}

static void bus_cuts_the_connection_for_a_huge_message_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    static const uint8_t huge[] = {0, 0, 0, 0, 0, 0x50, 0, 0}; /* a message of 5 MiB will follow */
    open_nodes(f, 1);
    int fd = dial_by_hand(a);
    assert_int_equal(write(fd, huge, sizeof huge), sizeof huge);
    uint8_t byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_WAITALL), 0); /* nng's threads have closed it */
    close(fd);
    dial_raw(f, a);
    send_batch(f, a->name, 1, bus_key);
    WAIT_UNTIL(f, a->effect_count == 1);
    assert_int_equal(counted(f, METRIC_BUS_BATCHES_RECEIVED), 1);
}

static void bus_own_batch_repeated_is_no_echo(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    static uint8_t storage[1024];
    struct sink out = sink_into(storage, sizeof storage);
    open_nodes(f, 1);
    wait_echo(f, a);
    int before = a->echo_count;
    dial_raw(f, a);
    const struct bus_batch_head head = {
        .sender = bytes_str(a->name), .receiver = bytes_str(a->name), .number = 1};
    bus_batch_seal(&head, bytes_str(bus_key), &out);
    send_raw(f, sink_bytes(&out));
    WAIT_UNTIL(f, counted(f, METRIC_BUS_REPLAYED) == 1);
    assert_int_equal(a->echo_count, before);
}

static void bus_remembers_no_more_nodes_than_it_should(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0];
    static uint8_t storage[1024];
    enum { SENDERS = 1100 };
    open_nodes(f, 1);
    dial_raw(f, a);
    for (int i = 0; i < SENDERS; i++) {
        char name[32];
        struct sink out = sink_into(storage, sizeof storage);
        (void)snprintf(name, sizeof name, "n%d@1", i);
        const struct bus_batch_head head = {
            .sender = bytes_str(name), .receiver = bytes_str(a->name), .number = 1};
        bus_batch_seal(&head, bytes_str(bus_key), &out);
        send_raw(f, sink_bytes(&out));
        WAIT_UNTIL(f, a->stranger_count == i + 1);
    }
    assert_int_equal(counted(f, METRIC_BUS_REPLAYED), 0);
}

/* ---- Peers that go ---- */

static void bus_peer_not_named_any_more_is_dropped(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1], *c = &f->nodes[2];
    open_nodes(f, 3);
    /* All three count in the one gauge; from here on only a is told of peers, and beats. */
    beat(a);
    WAIT_UNTIL(f, (beat(a), metrics_values[METRIC_BUS_PEERS] == 2));
    uint64_t start_ms = uv_now(&f->loop);
    while (metrics_values[METRIC_BUS_PEERS] == 2) {
        name_peer(a, b);
        beat(a);
        uv_timer_start(&f->patience, on_patience, 50, 0);
        uv_run(&f->loop, UV_RUN_ONCE);
        assert_true(uv_now(&f->loop) - start_ms < PATIENCE_MS);
    }
    assert_true(uv_now(&f->loop) - start_ms > 2500);
    assert_int_equal(metrics_values[METRIC_BUS_PEERS], 1);
    count_anew(f);
    send_text(a, c->name, "1");
    assert_int_equal(counted(f, METRIC_BUS_DROPPED), 1);
    send_text(a, b->name, "2");
    WAIT_UNTIL(f, b->effect_count == 1);
    /* Named again, it is taken on again, and its numbers go on. */
    wait_connected(f, a, c);
    assert_int_equal(counted(f, METRIC_BUS_REPLAYED), 0);
}

static void bus_dead_addresses_do_not_hold_up_the_loop(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_nodes(f, 2);
    static const char *const dead[] = {
        "tcp://127.0.0.1:1",      "tcp://192.0.2.1:9200", "tcp://no-such-host.invalid:9200",
        "ipc:///nonexistent/bus", "what is this",         ""};
    uint64_t start_ns = uv_hrtime();
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof dead / sizeof *dead; i++) {
            /* One name after another gets each address, so each connection is given up, too. */
            a->port.peer(a->port.ctx, bytes_str("z@9"), bytes_str(dead[i]));
            send_text(a, "z@9", "1");
            uv_run(&f->loop, UV_RUN_NOWAIT);
        }
    }
    assert_true(uv_hrtime() - start_ns < 1000000000u);
    send_text(a, b->name, "1");
    WAIT_UNTIL(f, b->effect_count == 1);
    start_ns = uv_hrtime();
    bus_close(a->bus);
    a->bus = NULL;
    assert_true(uv_hrtime() - start_ns < 1000000000u);
}

/* ---- Life ---- */

static void bus_open_says_why_it_cannot(void **state)
{
    struct fixture *f = *state;
    char error[BUS_ERROR_BYTES] = "";
    open_nodes(f, 1);
    const char *taken = bus_address(f->nodes[0].bus);
    struct bus_options options = options_for(f, &f->nodes[1], taken);
    assert_null(bus_open(&options, error));
    assert_non_null(strstr(error, taken));
    assert_non_null(strstr(error, "in use"));
    options.listen = "nonsense";
    assert_null(bus_open(&options, error));
    assert_non_null(strstr(error, "nonsense"));
}

static void bus_address_is_one_that_others_can_dial(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_at(f, a, "a@1", "tcp://0.0.0.0:0");
    assert_null(strstr(bus_address(a->bus), "0.0.0.0"));
    assert_null(strstr(bus_address(a->bus) + strlen("tcp://"), ":0"));
    beat(a);
    open_at(f, b, "b@2", "tcp://127.0.0.1:0");
    wait_connected(f, b, a);
}

static void bus_address_is_the_one_to_advertise_if_set(void **state)
{
    struct fixture *f = *state;
    char error[BUS_ERROR_BYTES] = "";
    struct bus_options options = options_for(f, &f->nodes[0], "tcp://127.0.0.1:0");
    options.advertise = "tcp://bus.example:9200";
    f->nodes[0].bus = bus_open(&options, error); /* and is closed without having been started */
    assert_string_equal(bus_address(f->nodes[0].bus), "tcp://bus.example:9200");
}

static void bus_close_sends_what_waits(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_nodes(f, 2);
    wait_echo(f, a); /* nothing is under way any more */
    send_text(a, b->name, "farewell");
    bus_close(a->bus);
    a->bus = NULL;
    WAIT_UNTIL(f, strcmp(b->last, "farewell") == 0);
}

static void bus_close_from_inside_a_callback_is_the_last_call(void **state)
{
    struct fixture *f = *state;
    struct node *a = &f->nodes[0], *b = &f->nodes[1];
    open_nodes(f, 2);
    b->closes_on_effect = true;
    send_text(a, b->name, "1");
    send_text(a, b->name, "2");
    WAIT_UNTIL(f, b->bus == NULL);
    beat(b); /* its port is still there, and does nothing */
    send_text(b, a->name, "3");
    send_text(a, b->name, "4");
    wait_echo(f, a);
    assert_int_equal(b->effect_count, 1);
    assert_int_equal(a->effect_count, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(bus_effects_arrive_in_order_and_once),
        CASE(bus_effects_of_one_turn_are_one_batch),
        CASE(bus_much_in_one_turn_arrives_in_several_batches),
        CASE(bus_star_reaches_all_others),
        CASE(bus_effect_for_a_node_just_named_waits_for_the_connection),
        CASE(bus_effect_for_a_node_that_is_never_named_is_given_up),
        CASE(bus_effect_for_an_unknown_node_is_counted),
        CASE(bus_effect_that_is_too_large_is_counted),
        CASE(bus_new_connection_is_a_gap),
        CASE(bus_beat_comes_back),
        CASE(bus_missing_number_is_a_gap_after_what_came),
        CASE(bus_first_batch_with_a_later_number_is_a_gap),
        CASE(bus_connection_that_was_lost_comes_back_and_the_loss_is_seen),
        CASE(bus_peer_that_moved_is_dialled_anew_and_goes_on_counting),
        CASE(bus_batch_of_a_node_not_named_is_taken_and_told),
        CASE(bus_takes_batches_by_either_key_and_seals_with_the_first),
        CASE(bus_refuses_what_is_not_right_and_goes_on),
        CASE(bus_cuts_the_connection_for_a_huge_message_and_goes_on),
        CASE(bus_own_batch_repeated_is_no_echo),
        CASE(bus_remembers_no_more_nodes_than_it_should),
        CASE(bus_peer_not_named_any_more_is_dropped),
        CASE(bus_dead_addresses_do_not_hold_up_the_loop),
        CASE(bus_open_says_why_it_cannot),
        CASE(bus_address_is_one_that_others_can_dial),
        CASE(bus_address_is_the_one_to_advertise_if_set),
        CASE(bus_close_sends_what_waits),
        CASE(bus_close_from_inside_a_callback_is_the_last_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
