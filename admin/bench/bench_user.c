/* SPDX-License-Identifier: MIT */
/*
 * bench_user: requests, connection, messages. What comes over the connection is bench_hear.c's;
 * when to do what bench_run.c's. A message keeps its id until it is acknowledged, so that what is
 * sent again is stored once.
 */
#include "admin/bench/bench_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "admin/talk/talk_body.h"
#include "admin/tick.h"
#include "proto/base64.h"

#define BENCH_EXPIRES_S    60 /* a bench that is killed leaves its users behind so long */
#define BENCH_ACK_MS       10000
#define BENCH_PAUSE_MS     100
#define BENCH_PAUSE_MAX_MS 3000
#define BENCH_ENDED        "its session has ended before all were there"
#define BENCH_FIRST_TRIES  3
#define BENCH_BUSY_TRIES   10 /* of a service that answers, and cannot do it just now */

int64_t bench_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Failures ------------------------------------------------------------------------------------- */

static void bench_user_fail(struct bench_user *user, const char *what, const char *why,
                            bool is_unreachable)
{
    struct bench_crew *crew = user->crew;
    if (!crew->has_failed && !crew->is_leaving) {
        snprintf(crew->words, sizeof crew->words, "%s: %.80s: %.100s", user->name, what, why);
        crew->has_failed = true;
        crew->is_unreachable = is_unreachable;
    }
}

/* Waits before the next attempt; a user that was never attached is given up after `tries`. */
static void bench_user_later(struct bench_user *user, const char *what, const char *why,
                             unsigned tries)
{
    uint32_t noise;
    if (!user->was_attached && user->failures + 1 >= tries) {
        bench_user_fail(user, what, why, true);
        user->due_ms = TICK_NEVER;
        return;
    }
    unsigned doublings = user->failures < 5 ? user->failures : 5;
    int64_t pause_ms = (int64_t)BENCH_PAUSE_MS << doublings;
    pause_ms = pause_ms < BENCH_PAUSE_MAX_MS ? pause_ms : BENCH_PAUSE_MAX_MS;
    talk_net_random(&noise, sizeof noise);
    user->failures++;
    user->due_ms = tick_ms() + pause_ms / 2 + (int64_t)(noise % (uint32_t)pause_ms);
}

void bench_user_arrive(struct bench_user *user, enum bench_stage stage)
{
    struct bench_crew *crew = user->crew;
    if (stage == BENCH_GONE && user->stage != BENCH_GONE) {
        talk_ws_close(&user->ws);
        user->due_ms = TICK_NEVER;
        crew->gone_count++;
    }
    crew->attached_count += stage == BENCH_ATTACHED && !user->was_attached ? 1 : 0;
    crew->in_room_count += stage == BENCH_IN_ROOM ? 1 : 0;
    crew->in_room_count -= user->stage == BENCH_IN_ROOM ? 1 : 0;
    user->was_attached |= stage == BENCH_ATTACHED;
    user->stage = stage;
}

/* Session and connection ----------------------------------------------------------------------- */

static void bench_user_connect(struct bench_user *user)
{
    struct talk_upgrade upgrade = {.token = user->ask.token,
                                   .has_after = user->epoch[0] != '\0',
                                   .after = user->seen,
                                   .epoch = user->epoch};
    talk_ws_close(&user->ws);
    user->due_ms = TICK_NEVER;
    talk_ws_connect(&user->ws, &user->crew->target->http, user->failures, &upgrade, tick_ms());
}

void bench_user_away(struct bench_user *user, int64_t pause_ms)
{
    talk_ws_close(&user->ws);
    for (size_t i = 0; i < user->said_count; i++) {
        user->said[i].is_under_way = false;
        user->said[i].sent_ms = TICK_NEVER; /* until it is attached again */
    }
    if (user->stage != BENCH_GONE) {
        bench_user_later(user, "the connection", "it does not come back", BENCH_FIRST_TRIES);
        int64_t least_ms = tick_ms() + pause_ms;
        user->due_ms = user->due_ms < least_ms ? least_ms : user->due_ms;
        user->crew->reconnects += user->was_attached ? 1 : 0;
    }
}

static void bench_user_on_registered(void *ctx, enum talk_registered what,
                                     const struct talk_answer *answer)
{
    struct bench_user *user = ctx;
    switch (what) {
    case TALK_REGISTERED:
        user->must_register = false;
        bench_user_connect(user);
        break;
    case TALK_REGISTER_UNANSWERED:
        bench_user_later(user, "REGISTER", "no answer", BENCH_FIRST_TRIES);
        break;
    case TALK_REGISTER_LATER:
        bench_user_later(user, "REGISTER", answer->text, BENCH_BUSY_TRIES);
        break;
    default:
        bench_user_fail(user, "REGISTER", answer != NULL ? answer->text : "no usable token", false);
        break;
    }
}

void bench_user_register(struct bench_user *user)
{
    user->stage = BENCH_BUSY;
    user->must_register = true;
    user->due_ms = TICK_NEVER;
    (void)talk_register_begin(&user->registering); /* the name is short */
}

static void bench_user_on_open(void *ctx)
{
    (void)ctx; /* the session is told next */
}

static void bench_user_on_message(void *ctx, bool is_text, struct bytes message)
{
    if (is_text) {
        bench_hear_text(ctx, message);
    } else {
        bench_hear_hgtp(ctx, message);
    }
}

static void bench_user_on_end(void *ctx, const struct talk_ws_end *end)
{
    struct bench_user *user = ctx;
    bool is_dead = end->http_status == 401 || end->close_code == WS_CLOSE_ENDED ||
                   end->close_code == WS_CLOSE_REPLACED;
    if (user->crew->is_leaving && (is_dead || end->close_code == WS_CLOSE_NORMAL)) {
        bench_user_arrive(user, BENCH_GONE);
    } else if (is_dead && user->was_attached && !user->crew->is_talking) {
        bench_user_fail(user, BENCH_ENDED, end->why, false);
    } else if (is_dead && user->was_attached) {
        user->crew->sessions_lost++;
        bench_user_arrive(user, BENCH_GONE);
    } else if (!user->was_attached) {
        user->must_register = is_dead;
        bench_user_later(user, "the WebSocket", end->why,
                         end->http_status == 503 ? BENCH_BUSY_TRIES : BENCH_FIRST_TRIES);
    } else {
        bench_user_away(user, 0);
    }
}

/* Requests ------------------------------------------------------------------------------------- */

static bool bench_user_send(void *ctx, unsigned attempt, struct bytes message)
{
    struct bench_user *user = ctx;
    if (attempt < TALK_ASK_TRIES) {
        talk_udp_send(&user->udp, attempt, message);
        return true;
    }
    if (user->ws.state == TALK_WS_OPEN) {
        talk_ws_send(&user->ws, WS_BINARY, message);
    }
    return user->ws.state == TALK_WS_OPEN;
}

/* What it leads to is told over the connection. */
static void bench_user_on_answer(const struct talk_answer *answer, void *arg)
{
    struct bench_user *user = arg;
    if (answer == NULL) {
        return;
    }
    bool is_entering = user->stage == BENCH_BUSY;
    if (answer->msg != NULL && answer->msg->header.type == HGTP_SERVER_UNAVAILABLE) {
        user->enter_ms = is_entering ? tick_ms() + BENCH_PAUSE_MAX_MS : TICK_NEVER; /* it passes */
    } else if (answer->reason == ERR_NOT_REGISTERED) { /* the connection's end is on its way, too */
        bench_user_fail(user, BENCH_ENDED, answer->text, false);
    } else if (answer->msg == NULL || answer->msg->header.type != HGTP_OK) {
        bench_user_fail(user, is_entering ? "the way into the room" : "a request", answer->text,
                        answer->msg == NULL);
    }
}

static void bench_user_on_left(const struct talk_answer *answer, void *arg)
{
    if (answer != NULL) {
        bench_user_arrive(arg, BENCH_GONE);
    }
}

static void bench_user_ask(struct bench_user *user, enum hgtp_type type, struct bytes body,
                           talk_ask_on_answer_fn *on_answer)
{
    talk_ask_put(&user->ask, type, body, TALK_ASK_STEP, on_answer, user);
}

void bench_user_refresh(struct bench_user *user)
{
    bench_user_ask(user, HGTP_REFRESH, bytes_of(NULL, 0), bench_user_on_answer);
}

void bench_user_enter(struct bench_user *user)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    bool is_first = user->number < user->crew->room_count;
    user->stage = BENCH_BUSY;
    if (is_first) {
        talk_body_put_new_room_id(&body);
    }
    talk_body_put_name(&body, user->room);
    bench_user_ask(user, is_first ? HGTP_CREATE_ROOM : HGTP_JOIN_ROOM, sink_bytes(&body),
                   bench_user_on_answer);
}

void bench_user_close_room(struct bench_user *user)
{
    uint8_t storage[HGTP_BODY_MAX];
    struct sink body = sink_into(storage, sizeof storage);
    if (user->number < user->crew->room_count && user->room_id[0] != '\0') {
        sink_text(&body, user->room_id);
        talk_body_put_name(&body, user->room);
        bench_user_ask(user, HGTP_DELETE_ROOM, sink_bytes(&body), bench_user_on_answer);
    }
}

void bench_user_leave(struct bench_user *user)
{
    if (user->ask.token[0] == '\0') {
        bench_user_arrive(user, BENCH_GONE);
    } else if (user->stage != BENCH_GONE) {
        bench_user_ask(user, HGTP_UNREGISTER, bytes_of(NULL, 0), bench_user_on_left);
    }
}

/* Messages ------------------------------------------------------------------------------------- */

bool bench_user_may_say(const struct bench_user *user, size_t window)
{
    return user->stage == BENCH_IN_ROOM && user->ws.state == TALK_WS_OPEN &&
           user->due_ms == TICK_NEVER && user->said_count < window;
}

static void bench_user_write(struct bench_user *user, struct bench_said *said)
{
    struct bench_crew *crew = user->crew;
    char head[BENCH_NAME_MAX + 64];
    int head_len = snprintf(head, sizeof head, "%s %zu ", crew->tag, said->index);
    size_t fill =
        crew->message_bytes > (size_t)head_len ? crew->message_bytes - (size_t)head_len : 0;
    size_t cap = (size_t)head_len + fill + BENCH_NAME_MAX + 128;
    char *text = malloc(cap);
    if (text == NULL) {
        abort();
    }
    int len = snprintf(text, cap, "{\"type\":\"message\",\"id\":\"%s-%zu\",\"message\":\"%s",
                       crew->tag, said->index, head);
    memset(text + len, '.', fill);
    memcpy(text + (size_t)len + fill, "\"}", 2);
    talk_ws_send(&user->ws, WS_TEXT, bytes_of(text, (size_t)len + fill + 2));
    free(text);
    said->is_under_way = true;
    said->sent_ms = tick_ms();
}

void bench_user_say(struct bench_user *user, int64_t due_us)
{
    struct bench_said *said = &user->said[user->said_count++];
    *said = (struct bench_said){.index = bench_tally_say(user->crew->tally, user->number, due_us)};
    bench_user_write(user, said);
}

void bench_user_say_again(struct bench_user *user)
{
    for (size_t i = 0; i < user->said_count; i++) {
        bench_user_write(user, &user->said[i]);
    }
}

/* When the next of them is late, or may be sent again. */
static int64_t bench_user_said_turn(struct bench_user *user, int64_t now_ms)
{
    int64_t due_ms = TICK_NEVER;
    for (size_t i = 0; i < user->said_count; i++) {
        struct bench_said *said = &user->said[i];
        if (said->is_under_way && now_ms >= said->sent_ms + BENCH_ACK_MS) {
            bench_user_away(user, 0);
            return user->due_ms;
        }
        if (!said->is_under_way && said->sent_ms <= now_ms) {
            bench_user_write(user, said);
        }
        int64_t next_ms = said->is_under_way ? said->sent_ms + BENCH_ACK_MS : said->sent_ms;
        due_ms = next_ms < due_ms ? next_ms : due_ms;
    }
    return due_ms;
}

/* Life ----------------------------------------------------------------------------------------- */

void bench_user_init(struct bench_user *user, struct bench_crew *crew, size_t number)
{
    const struct talk_ws_events events = {user, bench_user_on_open, bench_user_on_message,
                                          bench_user_on_end};
    *user = (struct bench_user){
        .crew = crew, .number = number, .due_ms = TICK_NEVER, .enter_ms = TICK_NEVER};
    snprintf(user->name, sizeof user->name, "%.32s-%zu", crew->tag, number);
    snprintf(user->room, sizeof user->room, "%.32s-room%zu", crew->tag, number % crew->room_count);
    talk_udp_init(&user->udp, &crew->target->hgtp);
    talk_ask_init(&user->ask, bench_user_send, user);
    talk_ws_init(&user->ws, &events);
    user->registering = (struct talk_register){.ask = &user->ask,
                                               .name = user->name,
                                               .key = crew->target->key,
                                               .expires_s = BENCH_EXPIRES_S,
                                               .ctx = user,
                                               .on_end = bench_user_on_registered};
}

void bench_user_fini(struct bench_user *user)
{
    talk_ask_fini(&user->ask);
    talk_ws_fini(&user->ws);
    talk_udp_fini(&user->udp);
}

size_t bench_user_watch(const struct bench_user *user, struct pollfd *ret_fds)
{
    ret_fds[0] = talk_ws_watch(&user->ws);
    return 1 + (talk_ask_is_busy(&user->ask, true) ? talk_udp_watch(&user->udp, ret_fds + 1) : 0);
}

void bench_user_ready(struct bench_user *user, const struct pollfd *fds, size_t count)
{
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    size_t len;
    bool has_datagrams = false;
    for (size_t i = 1; i < count; i++) {
        has_datagrams |= fds[i].revents != 0;
    }
    if (fds[0].revents != 0) {
        talk_ws_ready(&user->ws, fds[0].revents, tick_ms());
    }
    while (has_datagrams && talk_udp_receive(&user->udp, datagram, sizeof datagram, &len)) {
        (void)talk_ask_take(&user->ask, bytes_of(datagram, len));
    }
}

int64_t bench_user_turn(struct bench_user *user)
{
    int64_t now_ms = tick_ms();
    talk_ws_turn(&user->ws, now_ms);
    if (user->stage != BENCH_GONE && user->due_ms <= now_ms) {
        if (user->must_register) {
            bench_user_register(user);
        } else {
            bench_user_connect(user);
        }
    }
    if (user->enter_ms <= now_ms) {
        user->enter_ms = TICK_NEVER;
        bench_user_enter(user);
    }
    talk_ask_turn(&user->ask, now_ms, tick_unix_ms());
    int64_t due_ms = talk_ask_due_ms(&user->ask);
    int64_t others_ms[] = {talk_ws_due_ms(&user->ws), user->due_ms, user->enter_ms,
                           user->ws.state == TALK_WS_OPEN ? bench_user_said_turn(user, now_ms)
                                                          : TICK_NEVER};
    for (size_t i = 0; i < sizeof others_ms / sizeof others_ms[0]; i++) {
        due_ms = others_ms[i] < due_ms ? others_ms[i] : due_ms;
    }
    return due_ms;
}
