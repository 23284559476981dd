/* SPDX-License-Identifier: MIT */
/*
 * Certificates: nodes that hear each other over TLS only and let nobody else in, operators who
 * check whom they talk to, and certificates that are of no use, which are found out at the start.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/authority.h"
#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define DAY_S     86400
#define STARTS_MS 10000

/* The certificates of a scenario: whatever a file is called for. */
static struct {
    char *folder;
    struct authority *ours, *theirs;
    char ca[160], theirs_ca[160], node[160], stranger[160], misnamed[160], expired[160], early[160],
        readable[160], tokens[160];
} pki;

static void pki_issue(struct authority *authority, char path[160], const char *file,
                      const char *name, int64_t from_s, int64_t until_s)
{
    snprintf(path, 160, "%s/%s", pki.folder, file);
    authority_issue(authority, path, name, from_s, until_s);
}

static int pki_make(void **state)
{
    (void)state;
    pki.folder = process_folder_make();
    pki.ours = authority_new();
    pki.theirs = authority_new();
    snprintf(pki.ca, sizeof pki.ca, "%s/ca.pem", pki.folder);
    authority_write(pki.ours, pki.ca);
    snprintf(pki.theirs_ca, sizeof pki.theirs_ca, "%s/theirs.pem", pki.folder);
    authority_write(pki.theirs, pki.theirs_ca);
    pki_issue(pki.ours, pki.node, "node.pem", "hgtp", -DAY_S, DAY_S);
    pki_issue(pki.theirs, pki.stranger, "stranger.pem", "hgtp", -DAY_S, DAY_S);
    pki_issue(pki.ours, pki.misnamed, "misnamed.pem", "mail", -DAY_S, DAY_S);
    pki_issue(pki.ours, pki.expired, "expired.pem", "hgtp", -2 * DAY_S, -60);
    pki_issue(pki.ours, pki.early, "early.pem", "hgtp", DAY_S / 2, DAY_S);
    pki_issue(pki.ours, pki.readable, "readable.pem", "hgtp", -DAY_S, DAY_S);
    assert_int_equal(chmod(pki.readable, 0644), 0);
    snprintf(pki.tokens, sizeof pki.tokens, "%s/tokens", pki.folder);
    FILE *file = fopen(pki.tokens, "we");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    fputs("administer the-token-of-this-test me\n", file);
    return fclose(file);
}

static int pki_remove(void **state)
{
    (void)state;
    authority_free(pki.ours);
    authority_free(pki.theirs);
    process_folder_remove(pki.folder);
    free(pki.folder);
    return 0;
}

/* "tls.key=PATH" in storage of its own. */
static const char *set(char ret_set[200], const char *key, const char *path)
{
    snprintf(ret_set, 200, "tls.%s=%s", key, path);
    return ret_set;
}

/* Nodes ---------------------------------------------------------------------------------------- */

static const char words[] = "nobody else's affair";

/* Two users at two nodes have talked; how much of it somebody on the way has understood. */
static int talk_overheard(struct e2e *e)
{
    e2e_cluster_meshed(e);
    for (size_t i = 0; i < 2; i++) {
        relay_tap(e->nodes[i].bus_relay, words);
    }
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    for (int i = 0; i < 20; i++) {
        assert_true(talker_say_acked(i % 2 == 0 ? alice : bob, words, NULL) > 0);
    }
    assert_true(talker_has(alice, 22, TALKER_WAIT_MS) && talker_has(bob, 22, TALKER_WAIT_MS));
    return relay_overheard(e->nodes[0].bus_relay) + relay_overheard(e->nodes[1].bus_relay);
}

E2E_SCENARIO(talk_between_nodes_can_be_overheard_without_tls)
{
    E2E_CLUSTER_RELAYED(e, 2);
    assert_true(talk_overheard(e) > 0);
}

E2E_SCENARIO(talk_between_nodes_cannot_be_overheard_with_tls)
{
    char cert[200], ca[200];
    e->bus_scheme = "tls+tcp";
    E2E_CLUSTER_RELAYED(e, 2, set(cert, "cert_file", pki.node), set(ca, "ca_file", pki.ca));
    assert_int_equal(talk_overheard(e), 0);
    assert_true(e2e_metric_at(e, 0, "hgtp_tls_certificate_expiry_timestamp_seconds") >
                (int64_t)time(NULL));
}

E2E_SCENARIO(nodes_that_are_killed_and_come_back_find_each_other_over_tls)
{
    char cert[200], ca[200];
    e->bus_scheme = "tls+tcp";
    E2E_CLUSTER(e, 3, set(cert, "cert_file", pki.node), set(ca, "ca_file", pki.ca));
    e2e_cluster_meshed(e);
    struct talker *alice = e2e_talker_at(e, 0, "alice"), *bob = e2e_talker_at(e, 1, "bob");
    e2e_talk_open_room(alice, "den");
    e2e_talk_join_room(bob, "den");
    talker_pour(alice, 400, 10);
    for (int i = 0; i < 3; i++) {
        e2e_cluster_kill(e, 2);
        e2e_cluster_start(e, 2);
        e2e_cluster_meshed(e);
    }
    assert_true(talker_poured(alice, TALKER_WAIT_MS));
    assert_true(talker_has(bob, 402, TALKER_WAIT_MS));
    e2e_talk_whole(bob, 402);
}

/* n1 is started anew with these settings instead; both know of each other, and are not connected.
 */
static void expect_strangers(struct e2e *e, const char *const *sets)
{
    char id[64], url[160];
    const char *all[16] = {id, url, "bus.key=shared by the scenario's nodes", NULL};
    for (size_t i = 0; sets[i] != NULL; i++) {
        all[3 + i] = sets[i];
    }
    snprintf(id, sizeof id, "node.id=n1");
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    e->daemon = daemon_start(all);
    assert_true(daemon_wait_ready(e->daemon));
    assert_true(process_wait_output(e->nodes[0].daemon->process, "event=bus_peer_unreachable",
                                    E2E_CLUSTER_MESH_MS));
    assert_true(
        process_wait_output(e->daemon->process, "event=bus_peer_unreachable", E2E_CLUSTER_MESH_MS));
    assert_int_equal(e2e_metric_at(e, 0, "hgtp_bus_peers"), 0);
    assert_int_equal(e2e_metric(e, "hgtp_bus_peers"), 0);
}

E2E_SCENARIO(node_with_a_certificate_of_others_is_not_let_in)
{
    char cert[200], ca[200], stranger[200], theirs[200];
    e->bus_scheme = "tls+tcp";
    E2E_CLUSTER(e, 1, set(cert, "cert_file", pki.node), set(ca, "ca_file", pki.ca));
    /* It would believe us; its own certificate is another authority's. */
    const char *const sets[] = {"bus.listen=tls+tcp://127.0.0.1:0",
                                set(stranger, "cert_file", pki.stranger),
                                set(theirs, "ca_file", pki.theirs_ca), NULL};
    expect_strangers(e, sets);
}

E2E_SCENARIO(node_with_a_certificate_for_something_else_is_not_believed)
{
    char cert[200], ca[200], misnamed[200];
    e->bus_scheme = "tls+tcp";
    E2E_CLUSTER(e, 1, set(cert, "cert_file", pki.node), set(ca, "ca_file", pki.ca));
    const char *const sets[] = {"bus.listen=tls+tcp://127.0.0.1:0",
                                set(misnamed, "cert_file", pki.misnamed), ca, "tls.name=mail",
                                NULL};
    expect_strangers(e, sets);
}

/* While certificates are brought in, some nodes speak TLS and some do not yet. */
E2E_SCENARIO(nodes_with_and_without_tls_hear_each_other_while_it_is_brought_in)
{
    char cert[200], ca[200], id[64], url[160];
    E2E_CLUSTER(e, 1, set(cert, "cert_file", pki.node), set(ca, "ca_file", pki.ca));
    snprintf(id, sizeof id, "node.id=n1");
    snprintf(url, sizeof url, "redis.url=%s", e->redis->url);
    const char *const sets[] = {
        id, url, "bus.key=shared by the scenario's nodes", "bus.listen=tls+tcp://127.0.0.1:0", cert,
        ca, NULL};
    e->daemon = daemon_start(sets);
    assert_true(daemon_wait_ready(e->daemon));
    assert_true(e2e_metric_becomes(e, 0, "hgtp_bus_peers", 1, E2E_CLUSTER_MESH_MS));
}

/* Operators ------------------------------------------------------------------------------------ */

/* The control address that the node's log tells. */
static void control_url(const struct daemon *daemon, const char *host, char ret_url[128])
{
    unsigned port = 0;
    const char *at = strstr(process_stderr(daemon->process), "control=tls+tcp://127.0.0.1:");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "control=tls+tcp://127.0.0.1:%u", &port), 1);
    snprintf(ret_url, 128, "tls+tcp://%s:%u", host, port);
}

E2E_SCENARIO(operators_check_whom_they_talk_to)
{
    char cert[200], tokens[200], url[128], by_name[128], plain[128];
    snprintf(tokens, sizeof tokens, "control.token_file=%s", pki.tokens);
    E2E_NODE(e, set(cert, "cert_file", pki.node), tokens, "control.listen=tls+tcp://127.0.0.1:0");
    control_url(e->daemon, "127.0.0.1", url);
    control_url(e->daemon, "localhost", by_name);
    snprintf(plain, sizeof plain, "%s", url + strlen("tls+"));
#define LIST "--token-file", pki.tokens, "node", "list", NULL
    const struct {
        const char *url, *args[10];
        int code;
        const char *said;
    } cases[] = {
        {url, {"--ca-file", pki.ca, "--tls-name", "hgtp", LIST}, 0, ""},
        {url, {"--ca-file", pki.ca, LIST}, 3, "--tls-name"},
        {by_name, {"--ca-file", pki.ca, LIST}, 3, "--tls-name"},
        {url, {"--ca-file", pki.theirs_ca, "--tls-name", "hgtp", LIST}, 3, "--ca-file"},
        {url, {"--ca-file", pki.tokens, "--tls-name", "hgtp", LIST}, 3, "--ca-file"},
        {url, {"--ca-file", "/nowhere", "--tls-name", "hgtp", LIST}, 2, "/nowhere"},
        {url, {"--tls-name", "hgtp", LIST}, 3, "--ca-file"},
        {plain, {LIST}, 3, "tls+tcp://"},
        {url, {"--ca-file", pki.ca, "--tls-name", "hgtp", "node", "list", NULL}, 5, "token"},
    };
#undef LIST
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tool_run(cases[i].url, cases[i].args);
        if (tool.code != cases[i].code || strstr(tool.err, cases[i].said) == NULL) {
            fail_msg("case %zu: %d, %s", i, tool.code, tool.err);
        }
    }
}

E2E_SCENARIO(context_keeps_whom_to_believe)
{
    char cert[200], tokens[200], url[128], home[200];
    snprintf(tokens, sizeof tokens, "control.token_file=%s", pki.tokens);
    E2E_NODE(e, set(cert, "cert_file", pki.node), tokens, "control.listen=tls+tcp://127.0.0.1:0");
    control_url(e->daemon, "127.0.0.1", url);
    snprintf(home, sizeof home, "%s/config", pki.folder);
    assert_int_equal(setenv("XDG_CONFIG_HOME", home, 1), 0);
    const char *const add[] = {"context",      "add",      "secure",     url,
                               "--ca-file",    pki.ca,     "--tls-name", "hgtp",
                               "--token-file", pki.tokens, NULL};
    tool_run(NULL, add);
    assert_int_equal(tool.code, 0);
    tool_run(NULL, (const char *const[]){"--context", "secure", "node", "list", NULL});
    if (tool.code != 0) {
        fail_msg("%d, %s", tool.code, tool.err);
    }
    tool_run(NULL, (const char *const[]){"context", "list", NULL});
    assert_non_null(strstr(tool.out, "hgtp"));
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
}

/* Open for as long as the scenario goes on, and says nothing that TLS knows. */
static void pester(uint16_t port, int fds[], size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint8_t noise[512];
        for (size_t j = 0; j < sizeof noise; j++) {
            noise[j] = (uint8_t)(j * 131 + i * 29);
        }
        noise[0] = i % 3 == 0 ? 0x16 : noise[0]; /* as a handshake begins */
        fds[i] = sockets_connect(0, SOCKETS_LOOPBACK, port, STARTS_MS);
        assert_true(fds[i] >= 0);
        (void)send(fds[i], noise, i % 4 == 0 ? 0 : sizeof noise, MSG_NOSIGNAL);
    }
}

E2E_SCENARIO(garbage_and_silence_keep_nobody_else_away)
{
    char cert[200], ca[200], tokens[200], url[128];
    int fds[2][40];
    snprintf(tokens, sizeof tokens, "control.token_file=%s", pki.tokens);
    e->bus_scheme = "tls+tcp";
    E2E_CLUSTER(e, 2, set(cert, "cert_file", pki.node), set(ca, "ca_file", pki.ca), tokens,
                "control.listen=tls+tcp://127.0.0.1:0");
    control_url(e->nodes[0].daemon, "127.0.0.1", url);
    pester(e->nodes[0].bus_port, fds[0], 40);
    pester((uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10), fds[1], 40);
    e2e_cluster_kill(e, 1);
    e2e_cluster_start(e, 1);
    e2e_cluster_meshed(e);
    tool_run(url, (const char *const[]){"--ca-file", pki.ca, "--tls-name", "hgtp", "--token-file",
                                        pki.tokens, "node", "list", NULL});
    if (tool.code != 0) {
        fail_msg("%d, %s", tool.code, tool.err);
    }
    for (size_t i = 0; i < 80; i++) {
        close(fds[i / 40][i % 40]);
    }
}

/* Of no use ------------------------------------------------------------------------------------ */

E2E_SCENARIO(certificates_of_no_use_are_found_out_at_the_start)
{
    (void)e;
    char node[200], stranger[200], misnamed[200], expired[200], early[200], ca[200], other_key[200],
        readable[200], readable_key[200], no_cert[200], nowhere[200];
    set(node, "cert_file", pki.node);
    set(ca, "ca_file", pki.ca);
    static const char tls[] = "bus.listen=tls+tcp://127.0.0.1:0";
    const struct {
        const char *sets[5], *said;
    } cases[] = {
        {{tls}, "tls.cert_file: required when bus.listen"},
        {{tls, node}, "tls.ca_file: required when bus.listen"},
        {{"control.listen=tls+tcp://127.0.0.1:0", "control.token_file=/x"},
         "tls.cert_file: required when control.listen"},
        {{tls, ca, set(stranger, "cert_file", pki.stranger)}, "does not come from the authorities"},
        {{tls, ca, set(misnamed, "cert_file", pki.misnamed)}, "does not carry the DNS name hgtp"},
        {{tls, ca, set(expired, "cert_file", pki.expired)}, "expired at 2"},
        {{tls, ca, set(early, "cert_file", pki.early)}, "is not valid yet"},
        {{tls, ca, node, set(other_key, "key_file", pki.stranger)}, "the key is not that of"},
        {{tls, ca, set(readable, "cert_file", pki.readable)}, "readable.pem may be read by others"},
        {{tls, ca, node, set(readable_key, "key_file", pki.readable)}, "tls.key_file: /"},
        {{tls, ca, set(no_cert, "cert_file", pki.tokens)}, "holds no certificate"},
        {{tls, ca, set(nowhere, "cert_file", "/nowhere")}, "cannot read /nowhere"},
        {{tls, node, "tls.ca_file=/dev/null"}, "/dev/null holds no certificate"},
        {{tls, ca, node, "tls.name=not a name"}, "tls.name"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *args[16] = {"--check-config", "--set", "hgtp.listen=127.0.0.1:0", "--set",
                                "http.listen=127.0.0.1:0"};
        size_t count = 5;
        for (size_t j = 0; j < 5 && cases[i].sets[j] != NULL; j++) {
            args[count++] = "--set";
            args[count++] = cases[i].sets[j];
        }
        struct daemon *daemon = daemon_run(args);
        int code = process_wait_exit(daemon->process, STARTS_MS);
        if (code != 1 || strstr(process_stderr(daemon->process), cases[i].said) == NULL) {
            fail_msg("case %zu: %d, %s", i, code, process_stderr(daemon->process));
        }
        daemon_free(daemon);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(talk_between_nodes_can_be_overheard_without_tls),
        E2E_TEST(talk_between_nodes_cannot_be_overheard_with_tls),
        E2E_TEST(nodes_that_are_killed_and_come_back_find_each_other_over_tls),
        E2E_TEST(node_with_a_certificate_of_others_is_not_let_in),
        E2E_TEST(node_with_a_certificate_for_something_else_is_not_believed),
        E2E_TEST(nodes_with_and_without_tls_hear_each_other_while_it_is_brought_in),
        E2E_TEST(operators_check_whom_they_talk_to),
        E2E_TEST(context_keeps_whom_to_believe),
        E2E_TEST(garbage_and_silence_keep_nobody_else_away),
        E2E_TEST(certificates_of_no_use_are_found_out_at_the_start),
    };
    return cmocka_run_group_tests(tests, pki_make, pki_remove);
}
