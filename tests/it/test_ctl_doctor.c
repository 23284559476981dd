/* SPDX-License-Identifier: MIT */
/*
 * Tests of the script that compares the state with its own rules, on a real Redis: each fault is
 * planted by plain commands, found, repaired, and found no more; a healthy world, in the middle of
 * whatever it does, has none.
 */
#include <stdlib.h>

#include "ctl_fixture.h"

#define U "hgtp:{T}:u:"

/* A whole examination; what it found, as the effects of all its calls. */
static char findings[1 << 19];

static void examined(const char *fix)
{
    char cursor[256] = "";
    findings[0] = '\0';
    do {
        assert_int_equal(CTL(ctl_doctor, "fix", fix, "cursor", cursor), ERR_NONE);
        size_t len = strlen(findings);
        snprintf(findings + len, sizeof findings - len, "%s", last.effects);
        snprintf(cursor, sizeof cursor, "%.250s", last.extra);
    } while (strcmp(cursor, "0") != 0);
    assert_non_null(strstr(findings, "row DoctorReply checked "));
}

static bool has_finding(const char *check)
{
    char text[64];
    snprintf(text, sizeof text, "row Finding check %s what ", check);
    return strstr(findings, text) != NULL;
}

static void is_healthy(const char *after)
{
    examined("");
    const char *finding = strstr(findings, "row Finding");
    if (finding != NULL) {
        fail_msg("after %s: %.*s", after, (int)strcspn(finding, "\n"), finding);
    }
}

static void beating_world(void)
{
    world();
    assert_int_equal(CALL(beat, NULL, "node", "n1@1"), ERR_NONE);
    assert_int_equal(CALL(beat, NULL, "node", "n2@1", "bus", "tcp://127.0.0.1:8"), ERR_NONE);
}

/* Faults -----------------------------------------------------------------------------------------
 */

static const struct fault {
    const char *check;
    const char *plant; /* commands, divided by ';' */
} faults[] = {
    {"ghost-member", "ZADD hgtp:{T}:m:hallhallhall 1 nobody++"},
    {"ghost-member", "ZADD hgtp:{T}:m:hallhallhall 1 carol+++"},
    {"ghost-member", "DEL " U "bob+++++"},
    {"lost-member", "ZREM hgtp:{T}:m:hallhallhall bob+++++"},
    {"lost-member", "ZREM hgtp:{T}:m:hallhallhall alice+++"},
    {"lost-member", "HSET " U "carol+++ room nonenonenone state TALK"},
    {"lost-member", "DEL hgtp:{T}:r:hallhallhall"},
    {"member-count", "HSET hgtp:{T}:rh:hallhallhall n1@1 5"},
    {"member-count", "HSET hgtp:{T}:rh:hallhallhall n9@1 1"},
    {"member-count", "DEL hgtp:{T}:rh:hallhallhall"},
    {"lost-account", "HSET hgtp:{T}:accounts Zoe "
                     "{\"user\":\"Zoe\",\"name_key\":\"zoe\",\"sealed\":\"x\"}"},
    {"orphan-name", "SET hgtp:{T}:un:ghost nobody++"},
    {"orphan-name", "SET hgtp:{T}:un:ghost bob+++++"},
    {"orphan-name", "SET hgtp:{T}:rn:ghost nonenonenone"},
    {"lost-name", "DEL hgtp:{T}:un:carol"},
    {"lost-name", "SET hgtp:{T}:un:carol bob+++++"},
    {"lost-name", "DEL hgtp:{T}:rn:hall"},
    {"orphan-log", "XADD hgtp:{T}:log:nonenonenone 0-1 k v"},
    {"orphan-members", "ZADD hgtp:{T}:m:nonenonenone 1 nobody++"},
    {"orphan-members", "HSET hgtp:{T}:rh:nonenonenone n1@1 1"},
    {"orphan-members", "ZADD hgtp:{T}:i:nonenonenone 1 nobody++"},
    {"missing-log", "DEL hgtp:{T}:log:hallhallhall"},
    {"orphan-invite", "ZADD hgtp:{T}:i:hallhallhall 1 carol+++"},
    {"orphan-invite", "ZADD hgtp:{T}:i:hallhallhall 1 nobody++"},
    {"orphan-wait", "ZADD hgtp:{T}:waits 9999999999999 carol+++"},
    {"orphan-wait", "ZADD hgtp:{T}:waits 9999999999999 nobody++"},
    {"stuck-transition", "ZREM hgtp:{T}:waits dave++++"},
    {"stuck-transition", "HDEL " U "dave++++ wait"},
    {"stuck-transition", "HDEL " U "erin++++ wait"},
    {"stuck-transition", "HSET " U "dave++++ state REGISTER_OK"},
    {"stuck-transition", "HSET " U "carol+++ state TALK"},
    {"stuck-transition", "HSET " U "carol+++ state CREATE"},
    {"stuck-transition", "HSET " U "bob+++++ state REGISTER_OK"},
    {"orphan-session", "ZADD hgtp:{T}:sessions 9999999999999 nobody++"},
    {"immortal-session", "ZREM hgtp:{T}:sessions carol+++"},
    {"broken-session", "HDEL " U "carol+++ name"},
    {"broken-session", "HDEL " U "carol+++ name_key"},
    {"broken-session", "HDEL " U "bob+++++ state"},
    {"broken-session", "HDEL " U "alice+++ room"},
    {"dead-home", "HSET " U "bob+++++ home n9@1"},
    {"dead-home", "HSET hgtp:{T}:home:n9@1 bob+++++ x"},
    {"dead-home", "HDEL hgtp:{T}:nodes n1@1"},
    {"missing-home", "HDEL hgtp:{T}:home:n1@1 carol+++"},
    {"stray-home", "HSET hgtp:{T}:home:n1@1 nobody++ x"},
    {"stray-home", "HSET hgtp:{T}:home:n2@1 bob+++++ x"},
    {"dead-line", "HSET " U "carol+++ line w1 home "},
    {"dead-line", "HSET " U "carol+++ line w1 home n9@1"},
    {"orphan-room", "ZADD hgtp:{T}:rooms 1 nonenonenone"},
    {"orphan-room", "DEL hgtp:{T}:r:hallhallhall"},
    {"unlisted-room", "ZREM hgtp:{T}:rooms hallhallhall"},
    {"broken-room", "HDEL hgtp:{T}:r:hallhallhall name"},
    {"broken-room", "HDEL hgtp:{T}:r:hallhallhall name_key"},
    {"broken-room", "HDEL hgtp:{T}:r:hallhallhall epoch"},
    {"broken-room", "HDEL hgtp:{T}:r:hallhallhall limit"},
    {"broken-room", "HDEL hgtp:{T}:r:hallhallhall kind"},
    {"broken-room", "HDEL hgtp:{T}:r:hallhallhall manager kind"},
    {"absent-manager", "HSET hgtp:{T}:r:hallhallhall manager nobody++"},
    {"absent-manager", "HSET hgtp:{T}:r:hallhallhall manager carol+++"},
    {"empty-room", "DEL " U "alice+++;DEL " U "bob+++++;DEL " U "erin++++"},
    {"empty-room", "DEL hgtp:{T}:m:hallhallhall;HSET " U "alice+++ room ;HSET " U
                   "bob+++++ room ;HSET " U "erin++++ room "},
    {"no-expiry", "HSET hgtp:{T}:p:zoe+++++:1.2.3.4 name zoe"},
};

static void plant(const struct fault *fault)
{
    char text[512];
    snprintf(text, sizeof text, "%s", fault->plant);
    char *rest = text, *one;
    while ((one = strsep(&rest, ";")) != NULL) {
        command(one);
    }
}

static void doctor_finds_each_fault_changes_nothing_and_repairs_it_when_told_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        char before[64], after[64];
        beating_world();
        is_healthy("the beginning");
        plant(&faults[i]);
        digest(before);
        examined("");
        if (!has_finding(faults[i].check)) {
            fail_msg("%s is not found after %s, but %s", faults[i].check, faults[i].plant,
                     findings);
        }
        assert_non_null(strstr(findings, " fixed no severity "));
        assert_null(strstr(findings, " fixed yes "));
        digest(after);
        assert_string_equal(after, before);
        examined("1");
        assert_true(has_finding(faults[i].check));
        assert_null(strstr(findings, " fixed no"));
        is_healthy(faults[i].plant);
        CTL(ctl_events, "after", "0", "since_ms", "0", "count", "0", "kind", "ctl_doctor", "user",
            "", "room", "");
        assert_true(has_effect(" actor root@ops args {\"fix\":\"1\"} result repaired "));
    }
}

static void doctor_repairs_many_faults_in_one_go(void **state)
{
    (void)state;
    beating_world();
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++) {
        plant(&faults[i]);
    }
    examined("1");
    is_healthy("everything at once");
}

static void doctor_gives_a_record_that_is_too_long_its_length_again(void **state)
{
    (void)state;
    beating_world();
    eval("for i = 1, 11500 do redis.call('XADD', 'hgtp:{T}:events', '*', 'event', 'x') end");
    examined("");
    assert_true(has_finding("long-events"));
    examined("1");
    is_healthy("trimming");
    assert_true(atoi(command("XLEN hgtp:{T}:events")) < 10200);
}

/* Types (issue 13, item 15)
 * ------------------------------------------------------------------------
 */

/* A key of that kind, as docs/operations.md writes it, in the world of these tests. */
static void key_of(const char *kind, char ret_key[64])
{
    static const struct {
        const char *kind, *id;
    } ids[] = {{"m:", "hallhallhall"},  {"i:", "hallhallhall"},   {"r:", "hallhallhall"},
               {"rh:", "hallhallhall"}, {"log:", "hallhallhall"}, {"rn:", "hall"},
               {"u:", "carol+++"},      {"un:", "carol"},         {"p:", "zoe+++++:1.2.3.4"},
               {"home:", "n1@1"},       {"inbox:", "n1@1"},       {"memory:", "1"}};
    const char *id = "";
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        id = strcmp(kind, ids[i].kind) == 0 ? ids[i].id : id;
    }
    assert_true(kind[strlen(kind) - 1] != ':' || id[0] != '\0');
    snprintf(ret_key, 64, "hgtp:{T}:%s%s", kind, id);
}

static void spoil(const char *key, const char *type)
{
    char text[128];
    snprintf(text, sizeof text, "DEL %s", key);
    command(text);
    snprintf(text, sizeof text, strcmp(type, "string") == 0 ? "HSET %s x y" : "SET %s x", key);
    command(text);
}

/* Found and named, with nothing else broken by it; repaired, where it can be. */
static void expect_type_looked_at(const char *kind, const char *type)
{
    char key[64], text[160];
    bool is_kept =
        strcmp(kind, "realm") == 0 || strcmp(kind, "schema") == 0 || strcmp(kind, "accounts") == 0;
    beating_world();
    key_of(kind, key);
    spoil(key, type);
    examined("");
    snprintf(text, sizeof text, "row Finding check wrong-type what %s is of type %s and not %s ",
             key, strcmp(type, "string") == 0 ? "hash" : "string", type);
    if (strstr(findings, text) == NULL || strstr(findings, "WRONGTYPE") != NULL) {
        fail_msg("%s: %s", key, findings);
    }
    examined("1");
    assert_non_null(strstr(findings, is_kept ? " fixed no: " : " fixed yes "));
    if (is_kept) {
        return;
    }
    for (int i = 0; i < 3; i++) {
        CALL(beat, NULL, "node", "n1@1");
        CALL(beat, NULL, "node", "n2@1", "bus", "tcp://127.0.0.1:8");
        examined("1");
    }
    is_healthy(key);
}

/* Each kind that operations.md lists: "TYPE: `kind`, `kind`; ". */
static void doctor_sees_every_documented_key_of_a_wrong_type(void **state)
{
    static const char *const types[] = {"zset", "hash", "stream", "string", "set"};
    static char text[8192];
    size_t count = 0;
    (void)state;
    FILE *file = fopen(TEST_SOURCE_DIR "/docs/operations.md", "r");
    assert_non_null(file);
    while (fgets(text, sizeof text, file) != NULL && strstr(text, "- *wrong-type*:") == NULL) {
    }
    assert_int_equal(fclose(file), 0);
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        char heading[16], kind[32];
        snprintf(heading, sizeof heading, " %s: ", types[i]);
        const char *at = strstr(text, heading);
        assert_non_null(at);
        at += strlen(heading);
        while (sscanf(at, "`%31[^`]`", kind) == 1) {
            expect_type_looked_at(kind, types[i]);
            count++;
            at += strlen(kind) + 2;
            at += *at == ',' ? 2 : 0;
        }
        assert_true(*at == ';' || *at == '.');
    }
    assert_int_equal(count, 24); /* as many as ctl_doctor.lua has types */
}

static void doctor_warns_of_an_eviction_policy(void **state)
{
    (void)state;
    beating_world();
    command("CONFIG SET maxmemory-policy allkeys-lru");
    examined("");
    CALL(beat, NULL, "node", "n1@1");
    bool is_told = has_effect("evicting\n");
    command("CONFIG SET maxmemory-policy noeviction");
    assert_true(has_finding("eviction"));
    assert_true(is_told);
    CALL(beat, NULL, "node", "n1@1");
    assert_false(has_effect("evicting\n"));
    is_healthy("noeviction");
}

static void doctor_leaves_two_sessions_with_one_name_to_people(void **state)
{
    (void)state;
    beating_world();
    command("HSET " U "carol+++ name bob name_key bob");
    examined("1");
    assert_non_null(strstr(findings, "check lost-name what un:bob leads to bob+++++ and not to "));
    assert_non_null(strstr(findings, " fixed no: two have this name"));
}

/* The older one stands where the name leads to. */
static void doctor_leaves_two_accounts_with_one_name_to_people(void **state)
{
    (void)state;
    beating_world();
    command("HSET hgtp:{T}:accounts zoe {\"user\":\"zoe\",\"name_key\":\"zoe\",\"sealed\":\"x\"}"
            " Zoe {\"user\":\"Zoe\",\"name_key\":\"zoe\",\"sealed\":\"y\"}"
            " bob {\"sealed\":\"x\"}");
    examined("1");
    assert_non_null(strstr(findings, "check lost-account what the account Zoe has the same name as "
                                     "zoe, which counts "));
    assert_non_null(strstr(findings, " fixed no: two have this name; remove one of them"));
    assert_non_null(strstr(findings, "the account bob lacks its name or the key of it"));
    assert_null(strstr(findings, "account zoe"));
    command("DEL hgtp:{T}:accounts");
}

/* What is repaired is told to those whom it concerns. */
static void doctor_tells_who_is_concerned(void **state)
{
    (void)state;
    beating_world();
    command("HSET " U "carol+++ room nonenonenone state TALK");
    examined("1");
    assert_non_null(strstr(findings, "relay REMOVE carol+++ 127.0.0.1:9 1 nonenonenone carol\n"));
    assert_non_null(strstr(findings, "inbox 1\n"));
    beating_world();
    command("HSET hgtp:{T}:r:hallhallhall manager nobody++");
    examined("1");
    CTL(ctl_room_show, "room", "hall");
    assert_true(has_effect(" manager alice members 3 "));
    assert_non_null(strstr(findings, " 4 manager alice "));
    beating_world();
    command("HSET " U "carol+++ home n9@1");
    examined("1");
    assert_string_equal(command("SISMEMBER hgtp:{T}:lost n9@1"), "1");
    CALL(adopt, NULL, "node", "n1@1", "from", "n9@1", "cursor", "0", "count", "100");
    assert_string_equal(command("HGET " U "carol+++ home"), "");
    is_healthy("adopting");
}

/* Health -----------------------------------------------------------------------------------------
 */

#define USERS 8
static const char *const rooms[] = {"tea", "coffee", "milk"};
static const char *const room_ids[] = {"teateateatea", "coffeecoffee", "milkmilkmilk"};
static const char *const nodes[] = {"n1@1", "n2@1"};

static const char *user_id(int user)
{
    static char uids[USERS][12];
    snprintf(uids[user], sizeof uids[user], "user+++%d", user);
    return uids[user];
}

static const char *user_name(int user)
{
    static char names[USERS][12];
    snprintf(names[user], sizeof names[user], "name%d", user);
    return names[user];
}

/* What an operator does now and then. */
static void operate(int what, int user, int room)
{
    switch (what) {
    case 0:
        CTL(ctl_room_create, "room", rooms[room], "limit", "4");
        break;
    case 1:
        CTL(ctl_room_delete, "room", rooms[room]);
        break;
    case 2:
        CTL(ctl_room_kick, "room", rooms[room], "user", user_name(user));
        break;
    case 3:
        CTL(ctl_session_kick, "user", user_name(user));
        break;
    default:
        CTL(ctl_room_invite, "room", rooms[room], "user", user_name(user));
    }
}

/* What befalls nodes and sessions. */
static void befall(int what, int user, const char *node)
{
    char text[128];
    switch (what) {
    case 0:
        CALL(beat, NULL, "node", node, "bye", "1");
        break;
    case 1:
        snprintf(text, sizeof text, "ZADD hgtp:{T}:sessions XX 1 %s", user_id(user));
        command(text);
        CALL(sweep, NULL, "node", node);
        break;
    case 2:
        eval("for _, uid in ipairs(redis.call('ZRANGE', 'hgtp:{T}:waits', 0, -1)) do"
             " redis.call('ZADD', 'hgtp:{T}:waits', 1, uid) end");
        CALL(sweep, NULL, "node", node);
        break;
    default:
        CALL(adopt, NULL, "node", node, "from", node == nodes[0] ? nodes[1] : nodes[0], "cursor",
             "0", "count", "100");
    }
}

/* What users do. */
static void act(int what, int user, int other, int room, const char *node)
{
    const char *uid = user_id(user);
    switch (what) {
    case 0:
        CALL(create, uid, "node", node, "room", rooms[room], "room_id", room_ids[room]);
        break;
    case 1:
        CALL(exit, uid, "node", node, "room", rooms[room]);
        break;
    case 2:
        CALL(invite, uid, "node", node, "room", rooms[room], "peer", user_name(other));
        break;
    case 3:
        CALL(remove, uid, "node", node, "room", rooms[room], "peer", user_name(other));
        break;
    case 4:
        CALL(answer, uid, "node", node, "kind", other % 2 ? "INVITE" : "REMOVE", "accepted",
             room > 0 ? "1" : "0");
        break;
    case 5:
        CALL(delete, uid, "node", node, "room_id", room_ids[room]);
        break;
    case 6:
        CALL(attach, uid, "node", node, "token", "t", "line", "w1");
        break;
    case 7:
        CALL(detach, uid, "node", node, "line", "w1");
        break;
    case 8:
        CALL(unregister, uid, "node", node);
        break;
    case 9:
        CALL(say, uid, "node", node, "text", "x", "sent", "1");
        break;
    case 10:
    case 11:
        CALL(register, uid, "node", node, "name", user_name(user), "challenge", "c");
        CALL(prove, uid, "node", node, "challenge", "c", "new_token", "t", "seq", "3", "http",
             other % 2 ? "127.0.0.1:77" : "");
        break;
    default:
        CALL(join, uid, "node", node, "room", rooms[room]);
    }
}

static void doctor_finds_nothing_in_a_busy_world_whatever_it_does(void **state)
{
    (void)state;
    empty_realm();
    unsigned seed = 7;
    for (int i = 0; i < 1200; i++) {
        int user = rand_r(&seed) % USERS, other = rand_r(&seed) % USERS;
        int room = rand_r(&seed) % 3, what = rand_r(&seed) % 30;
        const char *node = nodes[rand_r(&seed) % 2];
        CALL(beat, NULL, "node", node, "bus", node);
        assert_int_equal(last.code, ERR_NONE);
        if (what < 5) {
            operate(what, user, room);
        } else if (what < 9) {
            befall(what - 5, user, node);
        } else {
            act(what - 9, user, other, room, node);
        }
        assert_int_not_equal(last.code, ERR_INTERNAL);
        assert_int_not_equal(last.code, -1);
        char step[64];
        snprintf(step, sizeof step, "step %d: %d of user %d", i, what, user);
        is_healthy(step);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(doctor_finds_each_fault_changes_nothing_and_repairs_it_when_told_to),
        cmocka_unit_test(doctor_repairs_many_faults_in_one_go),
        cmocka_unit_test(doctor_gives_a_record_that_is_too_long_its_length_again),
        cmocka_unit_test(doctor_sees_every_documented_key_of_a_wrong_type),
        cmocka_unit_test(doctor_warns_of_an_eviction_policy),
        cmocka_unit_test(doctor_leaves_two_sessions_with_one_name_to_people),
        cmocka_unit_test(doctor_leaves_two_accounts_with_one_name_to_people),
        cmocka_unit_test(doctor_tells_who_is_concerned),
        cmocka_unit_test(doctor_finds_nothing_in_a_busy_world_whatever_it_does),
    };
    return cmocka_run_group_tests(tests, scripts_set_up, scripts_tear_down);
}
