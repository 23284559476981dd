/* SPDX-License-Identifier: MIT */
/*
 * Names that differ only in width, case, blanks or invisible characters are one, over the whole
 * way: original and modern clients, operators' verbs, accounts, at any node (issue 13, item 4).
 */
#include <stdlib.h>
#include <string.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define FAMILY                                                                                     \
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7" /* by U+200D */

static const char *const alices[] = {"alice ", "Alice", "\xef\xbd\x81lice",
                                     "ali\xe2\x80\x8b"
                                     "ce",
                                     " \xc2\xa0"
                                     "ALICE\xe3\x80\x80"};
#define ALICES (sizeof alices / sizeof alices[0])

/* U+3164, U+2800 and U+200B alone, and what no Unicode has. */
static const char *const no_names[] = {"\xe3\x85\xa4", "\xe2\xa0\x80", "\xe2\x80\x8b", "a\xcd\xb8"};
#define NO_NAMES (sizeof no_names / sizeof no_names[0])

static struct daemon *at(const struct e2e *e, size_t node)
{
    return e->nodes[node].daemon;
}

/* The answer to a REGISTER at the second node, first or second. */
static const struct original_event *answer_to(struct e2e *e, const char *name, const char *key)
{
    const struct original_options options = {.name = name, .is_manual = true};
    struct original *client = e2e_client_at(e, 1, &options);
    original_send_register(client);
    const struct original_event *first = e2e_came(original_wait_response(client, HGTP_REGISTER));
    if (first->msg.header.type != HGTP_UNAUTHORIZED) {
        return first;
    }
    original_send_proof(client, 3, client->realm, key);
    return e2e_came(original_wait_response(client, HGTP_REGISTER));
}

E2E_SCENARIO(name_in_use_is_taken_in_every_writing)
{
    E2E_CLUSTER(e, 2);
    e2e_user_at(e, 0, "alice");
    for (size_t i = 0; i < ALICES; i++) {
        e2e_refused(answer_to(e, alices[i], ORIGINAL_KEY), HGTP_DECLINE, ERR_NAME_TAKEN);
    }
    for (size_t i = 0; i < NO_NAMES; i++) {
        e2e_refused(answer_to(e, no_names[i], ORIGINAL_KEY), HGTP_BAD_REQUEST, ERR_NAME_INVALID);
    }
}

E2E_SCENARIO(name_in_use_is_taken_for_modern_clients_too)
{
    E2E_NODE(e);
    e2e_talker(e, "alice");
    for (size_t i = 0; i < ALICES; i++) {
        e2e_talk_refused(talker_prove(e2e_visitor(e, alices[i])), HGTP_DECLINE, ERR_NAME_TAKEN);
    }
    static const char *const names[] = {"민아", "José", "O'Neil", FAMILY, "\xd0\xb0lice"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        e2e_talker(e, names[i]);
    }
    TOOL(e->daemon, 0, "session", "list");
    assert_non_null(strstr(tool.out, "José"));
}

/* The original takes a request only under its own name, to the byte. */
E2E_SCENARIO(original_is_invited_and_removed_under_the_name_that_it_has)
{
    E2E_CLUSTER(e, 2);
    struct original *alice = e2e_user_at(e, 0, "alice");
    struct original *bob = e2e_client_at(e, 1, &(struct original_options){.name = " Bob "});
    assert_true(original_register(bob));
    e2e_came(original_wait_list(alice, PUSH_USER_LIST, "alice,Bob"));
    e2e_ok(original_create(alice, " Tea "));
    e2e_ok(original_invite(alice, "bob"));
    assert_true(bob->in_room);
    e2e_came(original_wait_list(alice, PUSH_ROOM_USER_LIST, "alice,Bob"));
    e2e_ok(original_remove(alice, "BOB"));
    assert_false(bob->in_room);
    e2e_ok(original_join(bob, "tea"));
    e2e_ok(original_exit(bob, "TEA"));
    struct talker *carol = e2e_talker_at(e, 1, "carol");
    e2e_talk_refused(talker_create(carol, "\xef\xbd\x94"
                                          "ea"),
                     HGTP_DECLINE, ERR_ROOM_NAME_TAKEN);
}

E2E_SCENARIO(operators_name_rooms_and_users_as_they_like)
{
    E2E_CLUSTER(e, 2);
    struct original *alice = e2e_user_at(e, 0, "alice");
    e2e_user_at(e, 0, "bob");
    e2e_ok(original_create(alice, "Tea"));
    TOOL(at(e, 1), 0, "room", "show", "tea");
    assert_non_null(strstr(tool.out, "Tea"));
    TOOL(at(e, 1), 0, "session", "show", " ALICE");
    assert_non_null(strstr(tool.out, "alice"));
    TOOL(at(e, 1), 0, "room", "members", "TEA");
    TOOL(at(e, 1), 0, "room", "invite", "tea", "Bob");
    TOOL(at(e, 1), 1, "room", "create", " TEA ");
    assert_non_null(strstr(tool.err, "taken"));
    TOOL(at(e, 1), 1, "room", "create", no_names[0]);
    assert_non_null(strstr(tool.err, "room is no name"));
    TOOL(at(e, 1), 0, "-o", "json", "events", "--after", "0", "--user", "Alice", "--kind",
         "session_registered");
    assert_non_null(strstr(tool.out, "\"alice\""));
    TOOL(at(e, 1), 0, "session", "kick", "BOB", "--yes");
    TOOL(at(e, 1), 0, "room", "delete", "tEA", "--yes");
    TOOL(at(e, 1), 0, "doctor");
}

/* Its key stays sealed for the name as the operator wrote it. */
E2E_SCENARIO(account_is_its_users_in_every_writing)
{
    char key[64];
    E2E_CLUSTER(e, 2);
    e2e_cluster_meshed(e);
    TOOL(at(e, 0), 0, "-o", "json", "account", "add", " Alice ");
    json_t *added = tool_json();
    assert_string_equal(tool_text(added, "user"), "Alice");
    snprintf(key, sizeof key, "%s", tool_text(added, "key"));
    json_decref(added);
    for (size_t i = 0; i < ALICES; i++) {
        TOOL(at(e, 1), 1, "account", "add", alices[i]);
        e2e_refused(answer_to(e, alices[i], ORIGINAL_KEY), HGTP_FORBIDDEN, ERR_WRONG_DIGEST);
    }
    const struct talker_options options = {
        .name = "alice", .key = key, .port = at(e, 1)->http_port};
    e2e_talk_open_room(e2e_talker_with(e, &options), "den");
    TOOL(at(e, 1), 0, "account", "remove", "ALICE", "--yes");
    assert_non_null(strstr(tool.out, "Alice"));
    TOOL(at(e, 1), 0, "doctor");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(name_in_use_is_taken_in_every_writing),
        E2E_TEST(name_in_use_is_taken_for_modern_clients_too),
        E2E_TEST(original_is_invited_and_removed_under_the_name_that_it_has),
        E2E_TEST(operators_name_rooms_and_users_as_they_like),
        E2E_TEST(account_is_its_users_in_every_writing),
    };
    return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
