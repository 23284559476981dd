/* SPDX-License-Identifier: MIT */
/*
 * Strangers at the control service: what is no envelope, no request, too long or not UTF-8 is
 * answered as such and counted; many calls at once are each answered; calls that Redis keeps
 * waiting end in time; and the node serves on.
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "control.pb-c.h"
#include "rpc.pb-c.h"
#include "tests/support/e2e.h"
#include "tests/support/tool.h"

#define ANSWER_MS 15000

/* One exchange of raw bytes; the answer's code, or -1 when none came in `timeout_ms`. */
static int exchange(const char *url, const void *bytes, size_t len, int timeout_ms)
{
    nng_socket socket;
    nng_msg *msg, *answer = NULL;
    int code = -1;
    assert_int_equal(nng_req0_open(&socket), 0);
    (void)nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, timeout_ms);
    (void)nng_socket_set_ms(socket, NNG_OPT_SENDTIMEO, timeout_ms);
    assert_int_equal(nng_dial(socket, url, NULL, 0), 0);
    assert_int_equal(nng_msg_alloc(&msg, 0), 0);
    assert_int_equal(nng_msg_append(msg, bytes, len), 0);
    assert_int_equal(nng_sendmsg(socket, msg, 0), 0);
    if (nng_recvmsg(socket, &answer, 0) == 0) {
        Hgtp__Rpc__Response *response =
            hgtp__rpc__response__unpack(NULL, nng_msg_len(answer), nng_msg_body(answer));
        assert_non_null(response);
        code = (int)response->code;
        hgtp__rpc__response__free_unpacked(response, NULL);
        nng_msg_free(answer);
    }
    (void)nng_close(socket);
    return code;
}

static int call(const char *url, const char *method, const void *payload, size_t len,
                uint32_t timeout_ms)
{
    uint8_t packed[65536];
    Hgtp__Rpc__Request envelope = HGTP__RPC__REQUEST__INIT;
    envelope.method = (char *)(uintptr_t)method;
    envelope.id = 7;
    envelope.timeout_ms = timeout_ms;
    envelope.actor = (char *)(uintptr_t) "a test";
    envelope.payload = (ProtobufCBinaryData){len, (uint8_t *)(uintptr_t)payload};
    assert_true(hgtp__rpc__request__get_packed_size(&envelope) <= sizeof packed);
    return exchange(url, packed, hgtp__rpc__request__pack(&envelope, packed), ANSWER_MS);
}

#define SHOW "/hgtp.control.Control/RoomShow"

E2E_SCENARIO(garbage_is_refused_and_counted_and_the_node_serves_on)
{
    E2E_NODE(e);
    char url[TOOL_URL_BYTES];
    tool_url(e->daemon, url);
    int64_t before = e2e_metric(e, "hgtp_control_malformed_total");
    static const uint8_t endless[] = {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    assert_int_equal(exchange(url, endless, sizeof endless, ANSWER_MS),
                     HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_int_equal(exchange(url, "no envelope at all", 18, ANSWER_MS),
                     HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_int_equal(exchange(url, "", 0, ANSWER_MS), HGTP__RPC__CODE__UNIMPLEMENTED);
    assert_int_equal(call(url, "/hgtp.control.Control/Nothing", "", 0, 0),
                     HGTP__RPC__CODE__UNIMPLEMENTED);
    assert_int_equal(call(url, SHOW, "\x0a\x20te", 4, 0), HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_int_equal(call(url, SHOW, "\x0a\x02\xff\xfe", 4, 0), HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_int_equal(call(url, SHOW,
                          "\x0a\x03"
                          "a\nb",
                          5, 0),
                     HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_int_equal(call(url, SHOW, "\x0a\x03tea", 5, 0), HGTP__RPC__CODE__NOT_FOUND);
    assert_int_equal(call(url, SHOW, "", 0, 0), HGTP__RPC__CODE__NOT_FOUND);
    assert_int_equal(e2e_metric(e, "hgtp_control_malformed_total") - before, 5);

    /* Longer than any envelope may be. One so long that nng cuts its sender off is not sent:
     * closing a socket of nng 1.5 that has just been cut can hang for good. */
    size_t huge_bytes = ((size_t)1 << 20) + 1;
    char *huge = calloc(1, huge_bytes);
    assert_int_equal(exchange(url, huge, huge_bytes, ANSWER_MS), HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_int_equal(e2e_metric(e, "hgtp_control_malformed_total") - before, 6);
    free(huge);
    TOOL(e->daemon, 0, "version");
}

E2E_SCENARIO(random_bytes_never_end_the_node)
{
    E2E_NODE(e);
    char url[TOOL_URL_BYTES];
    tool_url(e->daemon, url);
    uint64_t seed = 1;
    for (int round = 0; round < 300; round++) {
        uint8_t noise[255];
        for (size_t i = 0; i < sizeof noise; i++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            noise[i] = (uint8_t)(seed >> 56);
        }
        /* Half of them in a good envelope. */
        int code = round % 2 == 0 ? exchange(url, noise, noise[0], ANSWER_MS)
                                  : call(url,
                                         round % 4 == 1 ? "/hgtp.control.Control/RoomList"
                                                        : "/hgtp.control.Control/SessionList",
                                         noise, noise[0], 0);
        assert_true(code > 0 || round % 2 == 1);
    }
    TOOL(e->daemon, 0, "version");
}

E2E_SCENARIO(many_calls_at_once_are_all_answered)
{
    enum { CALLS = 50 };
    E2E_NODE(e);
    char url[TOOL_URL_BYTES];
    tool_url(e->daemon, url);
    struct process *runs[CALLS];
    const char *const argv[] = {HGTPCTL_PATH, "--url", url, "-o", "json", "stats", NULL};
    for (size_t i = 0; i < CALLS; i++) {
        runs[i] = process_start(argv, e->daemon->folder);
    }
    for (size_t i = 0; i < CALLS; i++) {
        int code = process_wait_exit(runs[i], 60000);
        if (code != 0) {
            fail_msg("%d: %s", code, process_stderr(runs[i]));
        }
        assert_non_null(strstr(process_stdout(runs[i]), "\"silent\":0"));
        process_free(runs[i]);
    }
}

E2E_SCENARIO(call_that_redis_keeps_waiting_ends_at_its_deadline)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char set[160], url[TOOL_URL_BYTES];
    snprintf(set, sizeof set, "redis.url=%s", e->redis->url);
    E2E_NODE(e, set, "redis.deadline_ms=20000");
    tool_url(e->daemon, url);
    process_signal(e->redis->process, SIGSTOP);
    int64_t begin_ms = pump_now_ms();
    assert_int_equal(call(url, "/hgtp.control.Control/RoomList", "", 0, 500),
                     HGTP__RPC__CODE__DEADLINE_EXCEEDED);
    assert_true(pump_now_ms() - begin_ms >= 450);
    TOOL(e->daemon, 3, "--timeout", "500ms", "room", "list");
    TOOL(e->daemon, 0, "version"); /* what needs no Redis is answered */
    TOOL(e->daemon, 0, "node", "show");
    process_signal(e->redis->process, SIGCONT);
    TOOL(e->daemon, 0, "--timeout", "20", "room", "list");
}

E2E_SCENARIO(socket_is_its_owners_and_tcp_wants_tokens)
{
    E2E_NODE(e);
    char url[TOOL_URL_BYTES];
    struct stat info;
    tool_url(e->daemon, url);
    assert_int_equal(stat(url + strlen("ipc://"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    struct daemon *other =
        daemon_start((const char *const[]){"control.listen=tcp://127.0.0.1:0", NULL});
    assert_int_equal(process_wait_exit(other->process, 10000), 1);
    assert_non_null(strstr(process_stderr(other->process), "control.token_file"));
    daemon_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(garbage_is_refused_and_counted_and_the_node_serves_on),
        E2E_TEST(random_bytes_never_end_the_node),
        E2E_TEST(many_calls_at_once_are_all_answered),
        E2E_TEST(call_that_redis_keeps_waiting_ends_at_its_deadline),
        E2E_TEST(socket_is_its_owners_and_tcp_wants_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
