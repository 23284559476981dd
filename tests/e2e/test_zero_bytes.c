/* SPDX-License-Identifier: MIT */
/*
 * U+0000 in texts: refused wherever one may come in, with words that say so; what is older and
 * contains it is shown whole (issue 13, item 3).
 */
#include <nng/nng.h>
#include <nng/protocol/reqrep0/req.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control.pb-c.h"
#include "rpc.pb-c.h"
#include "tests/support/e2e_talk.h"
#include "tests/support/tool.h"

#define ANSWER_MS 15000

static void expect_refused_post(struct talker *alice, const char *json)
{
    json_t *answer = NULL;
    json_t *message = json_loads(json, JSON_ALLOW_NUL, NULL);
    assert_non_null(message);
    assert_int_equal(e2e_post_message(alice->options.port, alice->token, message, &answer), 400);
    assert_string_equal(tool_text(answer, "name"), "MESSAGE_INVALID");
    assert_non_null(strstr(tool_text(answer, "reason"), "U+0000"));
    json_decref(answer);
}

E2E_SCENARIO(message_with_a_zero_byte_is_refused_by_every_way)
{
    E2E_NODE(e);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    ws_client_send_text(alice->ws,
                        "{\"type\":\"message\",\"id\":\"z\",\"message\":\"be\\u0000fore\"}");
    e2e_talk_error(alice, ERR_MESSAGE_INVALID, "z");
    expect_refused_post(alice, "{\"type\":\"message\",\"message\":\"be\\u0000fore\"}");
    expect_refused_post(alice, "{\"type\":\"message\",\"message\":\"\\u0000\"}");
    TOOL(e->daemon, 0, "-o", "json", "room", "history", "den");
    assert_null(strstr(tool.out, "fore"));
}

/* As original clients send it: base64. */
E2E_SCENARIO(original_message_with_a_zero_byte_is_refused)
{
    E2E_NODE(e);
    char body[512], headers[64];
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    snprintf(headers, sizeof headers, "user-agent: %s\r\n", alice->user_id);
    assert_int_equal(http_client_post(SOCKETS_LOOPBACK, e->daemon->http_port, "message", headers,
                                      "{\"hostName\":\"YWxpY2U=\",\"message\":\"YmUAZm9yZQ==\","
                                      "\"messageTime\":1}",
                                      body, sizeof body),
                     400);
    assert_non_null(strstr(body, "U+0000"));
    TOOL(e->daemon, 0, "-o", "json", "room", "history", "den");
    assert_null(strstr(tool.out, "fore"));
}

/* The code of an answer to a call of `method`. */
static int call(const char *url, const char *method, const ProtobufCMessage *request,
                char ret_message[256])
{
    uint8_t payload[512], packed[1024];
    nng_socket socket;
    nng_msg *msg, *answer;
    Hgtp__Rpc__Request envelope = HGTP__RPC__REQUEST__INIT;
    envelope.method = (char *)(uintptr_t)method;
    envelope.actor = (char *)(uintptr_t) "a test";
    envelope.payload = (ProtobufCBinaryData){protobuf_c_message_pack(request, payload), payload};
    size_t len = hgtp__rpc__request__pack(&envelope, packed);
    assert_int_equal(nng_req0_open(&socket), 0);
    assert_int_equal(nng_socket_set_ms(socket, NNG_OPT_RECVTIMEO, ANSWER_MS), 0);
    assert_int_equal(nng_dial(socket, url, NULL, 0), 0);
    assert_int_equal(nng_msg_alloc(&msg, 0), 0);
    assert_int_equal(nng_msg_append(msg, packed, len), 0);
    assert_int_equal(nng_sendmsg(socket, msg, 0), 0);
    assert_int_equal(nng_recvmsg(socket, &answer, 0), 0);
    Hgtp__Rpc__Response *response =
        hgtp__rpc__response__unpack(NULL, nng_msg_len(answer), nng_msg_body(answer));
    assert_non_null(response);
    int code = (int)response->code;
    snprintf(ret_message, 256, "%s", response->message);
    hgtp__rpc__response__free_unpacked(response, NULL);
    nng_msg_free(answer);
    (void)nng_close(socket);
    return code;
}

E2E_SCENARIO(control_service_takes_no_zero_byte_in_texts_and_names)
{
    E2E_NODE(e);
    char url[TOOL_URL_BYTES], message[256];
    const ProtobufCBinaryData zero = {3, (uint8_t *)(uintptr_t) "a\0b"};
    const ProtobufCBinaryData good = {3, (uint8_t *)(uintptr_t) "den"};
    tool_url(e->daemon, url);
    TOOL(e->daemon, 0, "room", "create", "a");
    TOOL(e->daemon, 0, "room", "create", "den");
    Hgtp__Control__NoticeRequest notice = HGTP__CONTROL__NOTICE_REQUEST__INIT;
    notice.text = zero;
    assert_int_equal(call(url, "Notice", &notice.base, message), HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_string_equal(message, "text contains U+0000, which no text may");
    Hgtp__Control__RoomNoticeRequest told = HGTP__CONTROL__ROOM_NOTICE_REQUEST__INIT;
    told.room = good;
    told.text = zero;
    assert_int_equal(call(url, "RoomNotice", &told.base, message),
                     HGTP__RPC__CODE__INVALID_ARGUMENT);
    Hgtp__Control__RoomName room = HGTP__CONTROL__ROOM_NAME__INIT;
    room.room = zero;
    assert_int_equal(call(url, "RoomShow", &room.base, message),
                     HGTP__RPC__CODE__INVALID_ARGUMENT); /* and not of the room `a` */
    assert_int_equal(call(url, "RoomDelete", &room.base, message),
                     HGTP__RPC__CODE__INVALID_ARGUMENT);
    Hgtp__Control__UserName user = HGTP__CONTROL__USER_NAME__INIT;
    user.user = zero;
    assert_int_equal(call(url, "SessionKick", &user.base, message),
                     HGTP__RPC__CODE__INVALID_ARGUMENT);
    assert_non_null(strstr(message, "U+0000"));
    TOOL(e->daemon, 0, "room", "show", "a");
}

E2E_SCENARIO(older_entry_with_a_zero_byte_is_shown_whole)
{
    e->redis = redis_server_new();
    assert_true(redis_server_start(e->redis));
    char set[160];
    snprintf(set, sizeof set, "redis.url=%s", e->redis->url);
    E2E_NODE(e, set);
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    redisReply *reply = redis_server_command(
        e->redis, "XADD hgtp:{HGTP_SERVICE}:log:%s 0-* kind message who alice text %b time %s",
        alice->room_id, "be\0fore", (size_t)7, "1795417219000");
    assert_non_null(reply);
    assert_int_equal(reply->type, REDIS_REPLY_STRING);
    freeReplyObject(reply);
    TOOL(e->daemon, 0, "room", "history", "den");
    assert_non_null(strstr(tool.out, "be␀fore"));
    TOOL(e->daemon, 0, "-o", "json", "room", "history", "den");
    assert_non_null(strstr(tool.out, "\"be\\u0000fore\""));
}

E2E_SCENARIO(talk_sends_no_line_with_a_zero_byte_and_says_so)
{
    E2E_NODE(e);
    char command[512];
    struct talker *alice = e2e_talker(e, "alice");
    e2e_talk_open_room(alice, "den");
    snprintf(command, sizeof command,
             "printf 'be\\000fore\\nhello\\n' | %s talk --name bob --key %s --hgtp 127.0.0.1:%u "
             "--room den 127.0.0.1:%u",
             HGTPCTL_PATH, TALKER_KEY, e->daemon->hgtp_port, e->daemon->http_port);
    struct process *cli =
        process_start((const char *const[]){"sh", "-c", command, NULL}, e->daemon->folder);
    assert_int_equal(process_wait_exit(cli, ANSWER_MS), 1);
    assert_true(strstr(process_stderr(cli), "U+0000") != NULL ||
                strstr(process_stdout(cli), "U+0000") != NULL);
    process_free(cli);
    TOOL(e->daemon, 0, "-o", "json", "room", "history", "den");
    assert_non_null(strstr(tool.out, "hello"));
    assert_null(strstr(tool.out, "\"text\":\"be"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(message_with_a_zero_byte_is_refused_by_every_way),
        E2E_TEST(original_message_with_a_zero_byte_is_refused),
        E2E_TEST(control_service_takes_no_zero_byte_in_texts_and_names),
        E2E_TEST(older_entry_with_a_zero_byte_is_shown_whole),
        E2E_TEST(talk_sends_no_line_with_a_zero_byte_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
