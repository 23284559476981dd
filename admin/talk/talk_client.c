/* SPDX-License-Identifier: MIT */
/*
 * talk_client: the session's life: REGISTER over UDP, then a WebSocket by its token, and again
 * after every end of it, by token while the session lives, by a new REGISTER when it does not. What
 * comes over the connection is talk_hear.c's, what is asked talk_deed.c's.
 */
#include "admin/talk/talk_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "admin/tick.h"

#define TALK_CLIENT_FIRST_TRIES 4 /* to attach at all */
#define TALK_CLIENT_PAUSE_MS    200
#define TALK_CLIENT_PAUSE_MAX   10000

/* Words ---------------------------------------------------------------------------------------- */

void talk_client_say(struct talk_client *client, enum talk_mark mark, const char *format, ...)
{
    char words[2048], safe[VISIBLE_FACTOR * sizeof words];
    char line[sizeof safe + 64];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    struct sink safe_out = sink_into(safe, sizeof safe - 1);
    struct sink line_out = sink_into(line, sizeof line - 1);
    visible_put(bytes_str(words), &safe_out);
    safe[safe_out.len] = '\0';
    if (mark == TALK_ERROR) {
        client->has_failed = true;
        talk_show_error(&client->style, safe, &line_out);
    } else if (mark == TALK_ANSWER) {
        sink_text(&line_out, safe);
    } else if (mark == TALK_STATUS && client->style.is_plain) {
        sink_text(&line_out, "hgtpctl talk: ");
        sink_text(&line_out, safe);
    } else {
        talk_show_status(&client->style, safe, &line_out);
    }
    line[line_out.len] = '\0';
    client->view.show(client->view.ctx, mark, line);
}

void talk_client_changed(struct talk_client *client)
{
    client->view.changed(client->view.ctx);
}

void talk_client_over(struct talk_client *client, int exit_code)
{
    if (client->stage != TALK_OVER) {
        client->stage = TALK_OVER;
        client->exit_code = exit_code;
        talk_ws_close(&client->ws);
    }
}

/* Registering ---------------------------------------------------------------------------------- */

void talk_client_connect(struct talk_client *client)
{
    uint64_t now_ms = (uint64_t)tick_unix_ms();
    client->attempts = now_ms > client->attempts ? now_ms : client->attempts + 1;
    struct talk_upgrade upgrade = {.token = client->ask.token,
                                   .attempt = client->attempts,
                                   .has_after = client->room.epoch[0] != '\0',
                                   .after = client->room.seen,
                                   .epoch = client->room.epoch};
    client->stage = TALK_CONNECTING;
    talk_ws_close(&client->ws);
    talk_outbox_disconnected(&client->outbox);
    client->room.lost_to = 0;
    talk_ws_connect(&client->ws, &client->http, client->failures, &upgrade, tick_ms());
}

/* Nobody is there, or nobody can help now. */
static void talk_client_no_luck(struct talk_client *client, const struct talk_address *where,
                                const char *why)
{
    if (!client->was_attached && client->failures == 0) {
        talk_client_say(client, TALK_STATUS, "%s:%s: %s; trying again", where->host, where->port,
                        why);
    }
    if (!client->was_attached && client->failures + 1 >= TALK_CLIENT_FIRST_TRIES) {
        talk_client_say(client, TALK_ERROR, "cannot reach %s:%s: %s", where->host, where->port,
                        why);
        client->stage = TALK_AWAY;
        client->due_ms = TICK_NEVER;
        talk_client_leave(client, TALK_UNREACHABLE);
        return;
    }
    talk_client_away(client, 0);
}

/* Once more from the beginning, by and by. */
static void talk_client_register_later(struct talk_client *client, const char *why)
{
    client->must_register = true;
    talk_client_no_luck(client, &client->udp.server, why);
}

static void talk_client_refused(struct talk_client *client, const char *why)
{
    talk_client_say(client, TALK_ERROR, "cannot register as %s: %s", client->options->name, why);
    talk_client_over(client, TALK_REFUSED);
}

/* Whether to take it over is the person's to say. */
static void talk_client_elsewhere(struct talk_client *client)
{
    char question[512];
    if (client->style.is_plain || client->was_attached) {
        talk_client_refused(client, "this name is signed in elsewhere; --take-over continues here");
        return;
    }
    snprintf(question, sizeof question, "%s is signed in elsewhere. Continue here? [y/N] ",
             client->options->name);
    client->stage = TALK_ASKING;
    client->view.ask(client->view.ctx, question);
}

void talk_client_decide(struct talk_client *client, bool is_yes)
{
    if (is_yes) {
        client->registering.takes_over = true;
        talk_client_register(client);
    } else {
        talk_client_refused(client, "this name is signed in elsewhere");
    }
}

static void talk_client_on_registered(void *ctx, enum talk_registered what,
                                      const struct talk_answer *answer)
{
    struct talk_client *client = ctx;
    if (client->stage == TALK_OVER) {
        return;
    }
    switch (what) {
    case TALK_REGISTERED:
        client->registering.takes_over = false; /* nobody has agreed to that for a later time */
        client->must_rejoin = client->wanted != NULL;
        talk_client_connect(client);
        break;
    case TALK_REGISTER_UNANSWERED:
        talk_client_register_later(
            client, "no answer to REGISTER by HGTP over UDP (--hgtp names another address)");
        break;
    case TALK_REGISTER_LATER:
        talk_client_register_later(client, answer->text);
        break;
    case TALK_REGISTER_REFUSED:
        talk_client_refused(client, answer->text[0] != '\0' ? answer->text : "refused");
        break;
    case TALK_REGISTER_ELSEWHERE:
        talk_client_elsewhere(client);
        break;
    case TALK_REGISTER_NO_TOKEN:
        talk_client_say(client, TALK_ERROR, "the server gives no session token");
        talk_client_over(client, TALK_REFUSED);
        break;
    }
}

void talk_client_register(struct talk_client *client)
{
    client->stage = TALK_REGISTERING;
    client->must_register = false;
    if (!talk_register_begin(&client->registering)) {
        talk_client_say(client, TALK_ERROR, "the name is too long");
        talk_client_over(client, TALK_REFUSED);
    }
}

/* As talk_ask_send_fn. By the connection only when nothing else helps: it may be the one to a node
 * that has just died, where datagrams find another. */
static bool talk_client_send(void *ctx, unsigned attempt, struct bytes message)
{
    struct talk_client *client = ctx;
    if (attempt < TALK_ASK_TRIES) {
        talk_udp_send(&client->udp, attempt, message);
        return true;
    }
    if (client->ws.state == TALK_WS_OPEN) {
        talk_ws_send(&client->ws, WS_BINARY, message);
    }
    return client->ws.state == TALK_WS_OPEN;
}

/* Connections ---------------------------------------------------------------------------------- */

static int64_t talk_client_pause(unsigned failures)
{
    uint32_t noise;
    int64_t pause_ms = TALK_CLIENT_PAUSE_MAX;
    if (failures < 6) {
        pause_ms = TALK_CLIENT_PAUSE_MS << failures;
    }
    talk_net_random(&noise, sizeof noise);
    return pause_ms / 2 + (int64_t)(noise % (uint32_t)pause_ms);
}

void talk_client_away(struct talk_client *client, int64_t pause_ms)
{
    int64_t backoff_ms = talk_client_pause(client->failures);
    talk_ws_close(&client->ws);
    client->stage = TALK_AWAY;
    client->failures++;
    client->due_ms = tick_ms() + (pause_ms > backoff_ms ? pause_ms : backoff_ms);
    talk_client_changed(client);
}

static void talk_client_on_open(void *ctx)
{
    (void)ctx; /* the session is told next, and only then is it attached */
}

static void talk_client_on_message(void *ctx, bool is_text, struct bytes message)
{
    if (is_text) {
        talk_hear_text(ctx, message);
    } else {
        talk_hear_hgtp(ctx, message);
    }
}

static void talk_client_on_end(void *ctx, const struct talk_ws_end *end)
{
    struct talk_client *client = ctx;
    bool was_attached = client->stage == TALK_ATTACHED;
    if (client->stage == TALK_OVER) {
        return;
    }
    if (client->leave_by_ms > 0) {
        client->stage = TALK_AWAY; /* the answer to UNREGISTER ends it */
        client->due_ms = TICK_NEVER;
        return;
    }
    if (end->close_code == WS_CLOSE_REPLACED) {
        talk_client_say(client, TALK_ERROR, "another program has taken over this session");
        talk_client_over(client, TALK_REFUSED);
        return;
    }
    client->must_register |= end->http_status == 401 || end->close_code == WS_CLOSE_ENDED;
    if (was_attached) {
        talk_client_say(client, TALK_STATUS, "%s; connecting again", end->why);
        talk_client_away(client, 0);
    } else if (end->http_status == 401 && client->failures == 0) {
        client->failures++;
        talk_client_register(client);
    } else {
        talk_client_no_luck(client, &client->http, end->why);
    }
}

/* Life ----------------------------------------------------------------------------------------- */

void talk_client_init(struct talk_client *client, const struct talk_options *options,
                      const struct talk_address *http, const struct talk_address *hgtp,
                      const struct talk_view *view, const struct talk_show *style)
{
    const struct talk_ws_events events = {client, talk_client_on_open, talk_client_on_message,
                                          talk_client_on_end};
    *client =
        (struct talk_client){.options = options, .view = *view, .style = *style, .http = *http};
    talk_udp_init(&client->udp, hgtp);
    talk_ask_init(&client->ask, talk_client_send, client);
    client->registering = (struct talk_register){.ask = &client->ask,
                                                 .name = options->name,
                                                 .key = options->key,
                                                 .expires_s = TALK_CLIENT_EXPIRES_S,
                                                 .takes_over = options->take_over,
                                                 .ctx = client,
                                                 .on_end = talk_client_on_registered};
    talk_ws_init(&client->ws, &events);
    talk_outbox_init(&client->outbox);
    client->room.name = talk_names_copy("");
    client->room.id = talk_names_copy("");
    client->room.epoch = talk_names_copy("");
    client->lost.epoch = talk_names_copy("");
    client->name = talk_names_copy(options->name);
    client->wanted = options->room != NULL ? talk_names_copy(options->room) : NULL;
    talk_client_register(client);
}

void talk_client_fini(struct talk_client *client)
{
    talk_ask_fini(&client->ask);
    talk_ws_fini(&client->ws);
    talk_udp_fini(&client->udp);
    talk_outbox_fini(&client->outbox);
    talk_hear_fini(client);
    free(client->name);
    free(client->wanted);
}

void talk_client_watch(const struct talk_client *client, struct pollfd *ret_fds)
{
    for (size_t i = 0; i < TALK_CLIENT_FDS; i++) {
        ret_fds[i] = (struct pollfd){.fd = -1};
    }
    ret_fds[0] = talk_ws_watch(&client->ws);
    (void)talk_udp_watch(&client->udp, ret_fds + 1);
}

void talk_client_ready(struct talk_client *client, const struct pollfd *fds)
{
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    size_t len;
    talk_ws_ready(&client->ws, fds[0].revents, tick_ms());
    while (talk_udp_receive(&client->udp, datagram, sizeof datagram, &len)) {
        (void)talk_ask_take(&client->ask, bytes_of(datagram, len));
    }
}

static void talk_client_send_said(struct talk_client *client, int64_t now_ms)
{
    size_t cap = talk_outbox_frame_bytes(&client->outbox);
    uint8_t *frame = cap > 0 ? malloc(cap) : NULL;
    struct sink out = sink_into(frame, cap);
    if (frame != NULL && talk_outbox_next(&client->outbox, now_ms, &out) && sink_fits(&out)) {
        talk_ws_send(&client->ws, WS_TEXT, sink_bytes(&out));
    }
    free(frame);
}

/* Nothing is said again before all is heard that was said until then: it may be among it. */
static bool talk_client_may_say(const struct talk_client *client)
{
    return client->stage == TALK_ATTACHED && !client->must_rejoin && client->moves == 0 &&
           client->room_until_ms == 0 && client->room.seen >= client->room.last;
}

static void talk_client_outbox_turn(struct talk_client *client, int64_t now_ms)
{
    char *lost;
    if (!talk_client_may_say(client)) {
        return;
    }
    while ((lost = talk_outbox_drop_other(&client->outbox, client->room.epoch)) != NULL) {
        talk_client_say(client, TALK_ERROR, "not said, the room is gone: %s", lost);
        free(lost);
    }
    if (talk_outbox_is_stuck(&client->outbox, now_ms)) {
        talk_client_say(client, TALK_STATUS, "no answer; connecting again");
        talk_client_away(client, 0);
        return;
    }
    talk_client_send_said(client, now_ms);
}

bool talk_client_is_settled(const struct talk_client *client)
{
    bool is_moving = client->moves > 0 || client->room_until_ms > 0 || client->must_rejoin;
    return client->was_attached && !is_moving &&
           !(client->style.is_plain &&
             (talk_ask_is_busy(&client->ask, true) || client->successor != NULL));
}

static bool talk_client_is_done(const struct talk_client *client)
{
    return client->stage == TALK_ATTACHED && talk_client_is_settled(client) &&
           !talk_ask_is_busy(&client->ask, false) && client->outbox.count == 0 &&
           client->room.seen >= client->outbox.acked_seq;
}

static void talk_client_end_turn(struct talk_client *client, int64_t now_ms)
{
    if (client->leave_by_ms > 0) {
        if (now_ms >= client->leave_by_ms) {
            talk_client_left(client);
        }
        return;
    }
    if (client->drain_by_ms == 0) {
        return;
    }
    if (talk_client_is_done(client)) {
        talk_client_leave(client, TALK_DONE);
    } else if (now_ms >= client->drain_by_ms) {
        talk_client_say(client, TALK_ERROR, "gave up: not everything was acknowledged");
        talk_client_over(client, TALK_UNREACHABLE);
    }
}

void talk_client_turn(struct talk_client *client)
{
    int64_t now_ms = tick_ms();
    talk_ws_turn(&client->ws, now_ms);
    talk_ask_turn(&client->ask, now_ms, tick_unix_ms());
    if (client->stage == TALK_AWAY && now_ms >= client->due_ms) {
        if (client->must_register) {
            talk_client_register(client);
        } else {
            talk_client_connect(client);
        }
    }
    if (client->room_until_ms > 0 && now_ms >= client->room_until_ms) {
        client->room_until_ms = 0;
        talk_client_changed(client);
    }
    talk_client_outbox_turn(client, now_ms);
    if (client->stage != TALK_OVER) {
        talk_client_end_turn(client, now_ms);
    }
    talk_ask_turn(&client->ask, now_ms, tick_unix_ms()); /* what was asked just now */
}

/* A time of 0 is none. */
static int64_t talk_client_earlier(int64_t a_ms, int64_t b_ms)
{
    return b_ms > 0 && b_ms < a_ms ? b_ms : a_ms;
}

/* A time of 0 is now. */
static int64_t talk_client_from_now(int64_t due_ms, int64_t now_ms)
{
    return due_ms > 0 ? due_ms : now_ms;
}

int talk_client_timeout(const struct talk_client *client)
{
    int64_t now_ms = tick_ms();
    int64_t due_ms = talk_client_from_now(talk_ask_due_ms(&client->ask), now_ms);
    due_ms = talk_client_earlier(due_ms, talk_ws_due_ms(&client->ws));
    due_ms = talk_client_earlier(due_ms, client->stage == TALK_AWAY ? client->due_ms : 0);
    due_ms = talk_client_earlier(due_ms, client->room_until_ms);
    due_ms = talk_client_earlier(due_ms, client->leave_by_ms);
    due_ms = talk_client_earlier(due_ms, client->drain_by_ms);
    if (talk_client_may_say(client)) {
        due_ms = talk_client_earlier(
            due_ms, talk_client_from_now(talk_outbox_due_ms(&client->outbox), now_ms));
    }
    int64_t left_ms = due_ms > now_ms ? due_ms - now_ms : 0;
    return (int)(left_ms < TALK_CLIENT_DRAIN_MS ? left_ms : TALK_CLIENT_DRAIN_MS);
}

void talk_client_drain(struct talk_client *client)
{
    if (client->drain_by_ms == 0) {
        client->drain_by_ms =
            tick_ms() + (client->style.is_plain ? TALK_CLIENT_DRAIN_MS : TALK_CLIENT_QUIT_MS);
    }
}

void talk_client_leave(struct talk_client *client, int exit_code)
{
    if (client->leave_by_ms > 0 || client->stage == TALK_OVER) {
        return;
    }
    client->exit_code = exit_code;
    if (client->ask.token[0] == '\0') {
        talk_client_left(client);
    } else {
        client->leave_by_ms = tick_ms() + TALK_CLIENT_LEAVE_MS;
        talk_deed_leave(client);
    }
}

void talk_client_left(struct talk_client *client)
{
    bool has_failed = client->exit_code == TALK_DONE && client->has_failed;
    talk_client_over(client, has_failed ? TALK_REFUSED : client->exit_code);
}
