/* SPDX-License-Identifier: MIT */
/*
 * Users with a key of their own: added at one node, let in at another by that key and no other, of
 * the original's kind and of today's; nothing of the key is to be found anywhere.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

static void add_account(const struct e2e *e, const char *user, char key[64])
{
    TOOL(at(e, 0), 0, "-o", "json", "account", "add", user);
    json_t *added = tool_json();
    assert_string_equal(tool_text(added, "user"), user);
    snprintf(key, 64, "%s", tool_text(added, "key"));
    assert_int_equal(strlen(key), 32);
    json_decref(added);
}

/* REGISTER by that key at the second node; NULL: it was let in. */
static const struct original_event *refusal(struct e2e *e, const char *name, const char *key,
                                            enum original_auth auth)
{
    const struct original_options options = {.name = name, .is_manual = true, .auth = auth};
    struct original *client = e2e_client_at(e, 1, &options);
    original_send_register(client);
    e2e_came(original_wait_response(client, HGTP_REGISTER));
    original_send_proof(client, 3, client->realm, key);
    const struct original_event *answer = e2e_came(original_wait_response(client, HGTP_REGISTER));
    bool is_in = answer->msg.header.type == HGTP_OK;
    if (is_in) {
        original_send_plain(client, HGTP_UNREGISTER);
        e2e_ok(original_wait_response(client, HGTP_UNREGISTER));
    }
    return is_in ? NULL : answer;
}

E2E_SCENARIO(account_is_let_in_by_its_key_and_no_other)
{
    char key[64], other[64];
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    add_account(e, "bob", key);
    add_account(e, "소피아", other);
    assert_string_not_equal(key, other);
    static const enum original_auth auths[] = {ORIGINAL_MD5, ORIGINAL_HMAC};
    for (size_t i = 0; i < 2; i++) {
        assert_null(refusal(e, "bob", key, auths[i]));
        assert_null(refusal(e, "소피아", other, auths[i]));
        e2e_refused(refusal(e, "bob", ORIGINAL_KEY, auths[i]), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
        e2e_refused(refusal(e, "bob", other, auths[i]), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
        e2e_refused(refusal(e, "carol", key, auths[i]), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
        assert_null(refusal(e, "carol", ORIGINAL_KEY, auths[i]));
    }
    struct talker *bob = e2e_talker_with(
        e, &(struct talker_options){.name = "bob", .key = key, .port = at(e, 1)->http_port});
    e2e_talk_open_room(bob, "den");
    TOOL(at(e, 1), 1, "account", "add", "bob");
    TOOL(at(e, 1), 0, "account", "list");
    assert_non_null(strstr(tool.out, "bob"));
    assert_non_null(strstr(tool.out, "소피아"));
    assert_null(strstr(tool.out, key));

    /* Removed: the session ends, and the shared key counts again. */
    TOOL(at(e, 0), 2, "account", "remove", "bob");
    TOOL(at(e, 0), 0, "account", "remove", "bob", "--dry-run");
    assert_false(bob->ws->ended);
    TOOL(at(e, 0), 0, "account", "remove", "bob", "--yes");
    assert_int_equal(ws_client_wait_close(bob->ws, WS_CLIENT_WAIT_MS), 4002);
    TOOL(at(e, 0), 4, "account", "remove", "bob", "--yes");
    e2e_refused(refusal(e, "bob", key, ORIGINAL_HMAC), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    assert_null(refusal(e, "bob", ORIGINAL_KEY, ORIGINAL_HMAC));
}

E2E_SCENARIO(where_only_accounts_count_the_shared_key_lets_nobody_in)
{
    char key[64];
    E2E_CLUSTER(e, 2, "auth.accounts=only");
    e2e_cluster_meshed(e);
    add_account(e, "bob", key);
    assert_null(refusal(e, "bob", key, ORIGINAL_MD5));
    e2e_refused(refusal(e, "carol", ORIGINAL_KEY, ORIGINAL_MD5), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
}

/* Everything that Redis holds, as one text. */
static char *dump(const struct e2e *e)
{
    static const char script[] =
        "local all = {} for _, k in ipairs(redis.call('KEYS', '*')) do "
        "local t = redis.call('TYPE', k).ok "
        "if t == 'hash' then all[#all + 1] = cjson.encode(redis.call('HGETALL', k)) "
        "elseif t == 'stream' then all[#all + 1] = cjson.encode(redis.call('XRANGE', k, '-', '+')) "
        "elseif t == 'string' then all[#all + 1] = redis.call('GET', k) end end "
        "return table.concat(all, '\\n')";
    redisReply *reply = redis_server_command(e->redis, "EVAL %s 0", script);
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    char *text = strdup(reply->str);
    freeReplyObject(reply);
    return text;
}

E2E_SCENARIO(key_is_in_nothing_that_others_can_read)
{
    char key[64];
    E2E_CLUSTER(e, 2, "bus.key=a secret of the nodes", "log.level=debug");
    e2e_cluster_meshed(e);
    add_account(e, "bob", key);
    assert_null(refusal(e, "bob", key, ORIGINAL_HMAC));
    char *text = dump(e);
    assert_non_null(strstr(text, "bob"));
    assert_null(strstr(text, key));
    free(text);
    TOOL(at(e, 1), 0, "-o", "json", "events", "--after", "0");
    assert_non_null(strstr(tool.out, "account_add"));
    assert_null(strstr(tool.out, key));
    for (size_t node = 0; node < 2; node++) {
        assert_null(strstr(process_stderr(at(e, node)->process), key));
    }
}

/* The shared key, which seals where there is no bus.key, is replaced: both count for a while. */
E2E_SCENARIO(account_outlives_the_secret_that_seals_it)
{
    char key[64], path[] = "/tmp/hgtp-keys-XXXXXX", set[64];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "950817\n", 7), 7);
    snprintf(set, sizeof set, "auth.key_file=%s", path);
    E2E_CLUSTER(e, 2, "auth.key=", "bus.key=", set);
    e2e_cluster_meshed(e);
    add_account(e, "bob", key);
    assert_int_equal(pwrite(fd, "newkey\n950817\n", 14, 0), 14);
    for (size_t node = 0; node < 2; node++) {
        process_signal(at(e, node)->process, SIGHUP);
        assert_true(process_wait_output(at(e, node)->process, "event=reloaded", 10000));
    }
    TOOL(at(e, 0), 0, "-o", "json", "account", "list");

    assert_non_null(strstr(tool.out, "\"old\""));
    assert_null(refusal(e, "bob", key, ORIGINAL_HMAC));
    TOOL(at(e, 0), 0, "-o", "json", "account", "list");
    assert_non_null(strstr(tool.out, "\"sealed\""));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_int_equal(pwrite(fd, "newkey\n", 7, 0), 7);
    process_signal(at(e, 1)->process, SIGHUP);
    TOOL(at(e, 1), 0, "-o", "json", "account", "list");
    assert_non_null(strstr(tool.out, "\"sealed\""));
    assert_null(refusal(e, "bob", key, ORIGINAL_HMAC));
    close(fd);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(account_is_let_in_by_its_key_and_no_other),
        E2E_TEST(where_only_accounts_count_the_shared_key_lets_nobody_in),
        E2E_TEST(key_is_in_nothing_that_others_can_read),
        E2E_TEST(account_outlives_the_secret_that_seals_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
