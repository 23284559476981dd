/* SPDX-License-Identifier: MIT */
/*
 * scripts_fixture: a private Redis, one store, one plain link; calls that wait for their result.
 * What the scripts must do is in the tests.
 */
#include "scripts_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/core/script_args.h"
#include "node/store/private_redis.h"
#include "node/store/redis_link.h"
#include "node/store/store.h"

#define WAIT_MS 10000

static uv_loop_t loop;
static uv_timer_t deadline;
static char folder[] = "/tmp/hgtp-scripts-XXXXXX";
static struct private_redis *redis;
static struct store *store;
static struct redis_link *link_raw;
static bool store_is_connected, link_is_connected;

struct scripts_last last;

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("Redis did not answer within %d ms", WAIT_MS);
}

static void run_until(const bool *flag)
{
    uv_timer_start(&deadline, on_deadline, WAIT_MS, 0);
    while (!*flag) {
        uv_run(&loop, UV_RUN_ONCE);
    }
    uv_timer_stop(&deadline);
}

static void on_result(const struct result *result, void *arg)
{
    (void)arg;
    last.is_over = true;
    last.code = result != NULL ? (int)result->code : -1;
    if (result == NULL) {
        return;
    }
    snprintf(last.extra, sizeof last.extra, "%.*s", (int)result->extra.len,
             (const char *)result->extra.ptr);
    size_t at = 0;
    for (size_t i = 0; i < result->effect_count; i++) {
        for (size_t f = 0; f < result->effects[i].count; f++) {
            struct bytes field = result->effects[i].fields[f];
            at += (size_t)snprintf(last.effects + at, sizeof last.effects - at, "%s%.*s",
                                   f > 0 ? " " : "", (int)field.len, (const char *)field.ptr);
        }
        at += (size_t)snprintf(last.effects + at, sizeof last.effects - at, "\n");
        assert_true(at < sizeof last.effects);
    }
}

static bool is_name(const char *argument)
{
    static const char *const names[] = {"name", "peer", "room", "user"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(argument, names[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Runs a script with the usual arguments, then name, value pairs that win; returns the code. */
int call(enum script script, const char *uid, ...)
{
    static const char *const usual[][2] = {{"node", "n1@1"},
                                           {"history", "100"},
                                           {"dedupe_ms", "30000"},
                                           {"lists_max", "100"},
                                           {"coalesce_ms", "100"},
                                           {"away_s", "300"},
                                           {"src", "127.0.0.1:5"},
                                           {"ip", "127.0.0.1"},
                                           {"client_ip", "127.0.0.1"},
                                           {"token", ""},
                                           {"seq", "1"},
                                           {"timestamp", "1"},
                                           {"users_max", "100"},
                                           {"begun_max", "100"},
                                           {"name_max", "64"},
                                           {"rooms_max", "100"},
                                           {"members_max", "100"},
                                           {"answer_ms", "60000"},
                                           {"invites", "200"},
                                           {"invites_to_one", "10"},
                                           {"challenge_ms", "30000"},
                                           {"name_err", "11"},
                                           {"udp", "127.0.0.1:9"},
                                           {"http", ""},
                                           {"line", ""},
                                           {"after", ""},
                                           {"epoch", ""},
                                           {"trusted", "0"},
                                           {"expires", "3600"},
                                           {"auth", "md5"},
                                           {"batch", "100"},
                                           {"dead_ms", "3000"},
                                           {"hgtp", "127.0.0.1:9"},
                                           {"bus", "tcp://127.0.0.1:9"}};
    struct script_args args = {.count = 0};
    if (uid != NULL) {
        script_args_str(&args, "uid", uid);
    }
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++) {
        script_args_str(&args, usual[i][0], usual[i][1]);
    }
    static int64_t call_count; /* makes every request a new one, unless the caller says otherwise */
    script_args_int(&args, "print", ++call_count);
    va_list list;
    va_start(list, uid);
    const char *name;
    while ((name = va_arg(list, const char *)) != NULL) {
        const char *value = va_arg(list, const char *);
        if (is_name(name)) {
            script_args_name(&args, name, bytes_str(value));
        } else {
            script_args_str(&args, name, value);
        }
        if (strcmp(name, "name") == 0) {
            script_args_str(&args, "spelling", value);
        }
    }
    va_end(list);
    last.is_over = false;
    last.extra[0] = last.effects[0] = '\0';
    struct store_port port = store_port(store);
    port.call(port.ctx, script, &args, on_result, NULL);
    run_until(&last.is_over);
    return last.code;
}

bool has_effect(const char *text)
{
    return strstr(last.effects, text) != NULL;
}

/* Plain commands ---------------------------------------------------------------------------------
 */

static char raw_text[4096];
static bool raw_is_over;

static void on_raw(const redisReply *reply, void *arg)
{
    (void)arg;
    assert_non_null(reply);
    if (reply->type == REDIS_REPLY_INTEGER) {
        snprintf(raw_text, sizeof raw_text, "%lld", reply->integer);
    } else {
        snprintf(raw_text, sizeof raw_text, "%s", reply->str != NULL ? reply->str : "");
    }
    raw_is_over = true;
}

const char *raw(size_t count, const struct bytes *words)
{
    raw_is_over = false;
    redis_link_command(link_raw, words, count, on_raw, NULL);
    run_until(&raw_is_over);
    return raw_text;
}

/* A command of words divided by blanks. */
const char *command(const char *text)
{
    struct bytes words[16];
    size_t count = 0;
    char copy[512];
    snprintf(copy, sizeof copy, "%s", text);
    char *rest = copy, *word;
    while ((word = strsep(&rest, " ")) != NULL) {
        words[count++] = bytes_str(word);
    }
    return raw(count, words);
}

void empty_realm(void)
{
    command("FLUSHALL");
    assert_int_equal(CALL(token, "nobody++", "opens", "1"), ERR_NONE);
}

/* The world: alice manages "hall" with bob in it, carol is free, dave is invited, erin is to leave.
 */
void registered(const char *uid, const char *name)
{
    assert_int_equal(CALL(register, uid, "name", name, "challenge", "c"), ERR_CHALLENGED);
    assert_int_equal(CALL(prove, uid, "challenge", "c", "new_token", "t", "seq", "3"), ERR_NONE);
}

void registered_original(const char *uid, const char *name)
{
    assert_int_equal(CALL(register, uid, "name", name, "challenge", "c"), ERR_CHALLENGED);
    char http[32];
    unsigned port = 1024;
    for (const char *at = uid; *at != '\0'; at++) {
        port = (port * 31 + (unsigned char)*at) % 60000;
    }
    snprintf(http, sizeof http, "127.0.0.1:%u", port + 1);
    assert_int_equal(CALL(prove, uid, "challenge", "c", "new_token", "t", "seq", "3", "auth", "md5",
                          "http", http),
                     ERR_NONE);
}

void world(void)
{
    empty_realm();
    registered("alice+++", "alice");
    registered("bob+++++", "bob");
    registered("carol+++", "carol");
    registered("dave++++", "dave");
    registered("erin++++", "erin");
    assert_int_equal(CALL(create, "alice+++", "room_id", "hallhallhall", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(join, "bob+++++", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(join, "erin++++", "room", "hall"), ERR_NONE);
    assert_int_equal(CALL(invite, "alice+++", "room", "hall", "peer", "dave", "print", "i1"),
                     ERR_WAITING);
    assert_int_equal(CALL(remove, "alice+++", "room", "hall", "peer", "erin", "print", "i2"),
                     ERR_WAITING);
}

const char *state_of(const char *uid)
{
    char text[64];
    snprintf(text, sizeof text, "HGET hgtp:{T}:u:%s state", uid);
    return command(text);
}

static void on_store(bool connected, const char *why, void *arg)
{
    (void)why;
    *(bool *)arg = connected;
}

int scripts_set_up(void **state)
{
    (void)state;
    uv_loop_init(&loop);
    uv_timer_init(&loop, &deadline);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(private_redis_open(&loop, folder, &redis), 0);
    const struct store_options options = {.loop = &loop,
                                          .url = private_redis_url(redis),
                                          .realm = "T",
                                          .deadline_ms = WAIT_MS,
                                          .on_state = on_store,
                                          .arg = &store_is_connected};
    store = store_open(&options);
    const struct redis_link_options link = {.loop = &loop,
                                            .url = private_redis_url(redis),
                                            .deadline_ms = WAIT_MS,
                                            .on_state = on_store,
                                            .arg = &link_is_connected};
    link_raw = redis_link_open(&link);
    run_until(&store_is_connected);
    run_until(&link_is_connected);
    return 0;
}

static void on_closed(void *arg)
{
    *(bool *)arg = true;
}

int scripts_tear_down(void **state)
{
    (void)state;
    bool store_closed = false, link_closed = false, redis_closed = false;
    store_close(store, on_closed, &store_closed);
    redis_link_close(link_raw, on_closed, &link_closed);
    private_redis_close(redis, on_closed, &redis_closed);
    run_until(&store_closed);
    run_until(&link_closed);
    run_until(&redis_closed);
    uv_close((uv_handle_t *)&deadline, NULL);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
    return rmdir(folder);
}
