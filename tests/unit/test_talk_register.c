/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/talk_register: which session comes of it, whose it is, and when there is one
 * elsewhere that the person may want to go on with. Time is made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/talk/talk_register.h"



static struct fixture {
    struct talk_ask ask;
    struct talk_register reg;
    int64_t now_ms;
    size_t sent_count, ended_count;
    enum talk_registered what;
    uint8_t sent[HGTP_DATAGRAM_MAX];
    size_t sent_len;
} f;

static bool on_send(void *ctx, unsigned attempt, struct bytes message)
{
    (void)ctx;
    if (attempt == TALK_ASK_TRIES) {
        return false;
    }
    memcpy(f.sent, message.ptr, message.len);
    f.sent_len = message.len;
    f.sent_count++;
    return true;
}

static void on_end(void *ctx, enum talk_registered what, const struct talk_answer *answer)
{
    assert_ptr_equal(ctx, &f);
    assert_true(answer != NULL || what == TALK_REGISTER_UNANSWERED ||
                what == TALK_REGISTER_NO_TOKEN);
    f.what = what;
    f.ended_count++;
}

static int set_up(void **state)
{
    (void)state;
    f = (struct fixture){.now_ms = 1000};
    talk_ask_init(&f.ask, on_send, &f);
    f.reg = (struct talk_register){.ask = &f.ask,
                                   .name = "alice",
                                   .key = "950817",
                                   .expires_s = 60,
                                   .ctx = &f,
                                   .on_end = on_end};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    talk_ask_fini(&f.ask);
    return 0;
}

static void turn(void)
{
    talk_ask_turn(&f.ask, f.now_ms, 1795418258706 + f.now_ms);
}

static struct hgtp_message sent(void)
{
    struct hgtp_message msg;
    assert_int_equal(hgtp_decode(bytes_of(f.sent, f.sent_len), &msg), HGTP_DECODED);
    assert_int_equal(msg.header.type, HGTP_REGISTER);
    return msg;
}

static void begin(void)
{
    assert_true(talk_register_begin(&f.reg));
    turn();
}

/* The answer to what was sent last; whatever is asked then goes out. */
static void respond(struct hgtp_message msg, enum hgtp_type type)
{
    uint8_t storage[512];
    struct sink out = sink_into(storage, sizeof storage);
    msg.header = sent().header;
    msg.header.type = (uint8_t)type;
    msg.header.seq++;
    hgtp_encode(&msg, &out);
    assert_true(talk_ask_take(&f.ask, sink_bytes(&out)));
    turn();
}

static void challenge(void)
{
    const struct hgtp_message msg = {
        .challenge = {.http_port = 8080, .realm = bytes_str("hgtp:challenge")}};
    respond(msg, HGTP_UNAUTHORIZED);
}

static void accept_with(const char *token)
{
    uint8_t body[160];
    struct sink out = sink_into(body, sizeof body);
    sink_be32(&out, (uint32_t)strlen(token));
    sink_text(&out, token);
    const struct hgtp_message msg = {.body = sink_bytes(&out)};
    respond(msg, HGTP_OK);
}

static void refuse(enum hgtp_type type, enum err reason)
{
    uint8_t body[64];
    struct sink out = sink_into(body, sizeof body);
    const struct hgtp_reason why = {reason, bytes_str("why")};
    hgtp_reason_encode(&why, &out);
    const struct hgtp_message msg = {.body = sink_bytes(&out)};
    respond(msg, type);
}

static void session_is_the_one_that_the_token_names(void **state)
{
    (void)state;
    begin();
    challenge();
    assert_int_equal(sent().reg.nonce.len, 32);
    accept_with("aB-_+/zZrandom");
    assert_int_equal(f.what, TALK_REGISTERED);
    assert_memory_equal(f.ask.user_id, "aB+/+/zZ", HGTP_USER_ID_BYTES);
    assert_string_equal(f.ask.token, "aB-_+/zZrandom");
}

static void token_that_names_nobody_is_none(void **state)
{
    (void)state;
    begin();
    challenge();
    accept_with("short");
    assert_int_equal(f.what, TALK_REGISTER_NO_TOKEN);
    assert_string_equal(f.ask.token, "");
}

/* Who has not proved the key is told no more than that the name is taken. */
static void name_is_elsewhere_only_for_who_has_proved_the_key(void **state)
{
    (void)state;
    begin();
    assert_int_equal(sent().reg.flags, 0);
    refuse(HGTP_DECLINE, ERR_NAME_TAKEN);
    assert_int_equal(f.what, TALK_REGISTER_REFUSED);
    begin();
    challenge();
    refuse(HGTP_DECLINE, ERR_NAME_TAKEN);
    assert_int_equal(f.what, TALK_REGISTER_ELSEWHERE);
    f.reg.takes_over = true;
    begin();
    challenge();
    assert_int_equal(sent().reg.flags, HGTP_REGISTER_TAKE_OVER);
    refuse(HGTP_DECLINE, ERR_NAME_TAKEN); /* a name without an account: asking again is of no use */
    assert_int_equal(f.what, TALK_REGISTER_REFUSED);
    assert_int_equal(f.ended_count, 3);
}

static void proof_without_answer_is_repeated_and_else_the_user_id_is_a_new_one(void **state)
{
    (void)state;
    uint8_t proof[HGTP_DATAGRAM_MAX], user_id[HGTP_USER_ID_BYTES];
    begin();
    challenge();
    size_t len = f.sent_len;
    memcpy(proof, f.sent, len);
    memcpy(user_id, f.ask.user_id, sizeof user_id);
    while (f.ended_count == 0) {
        f.now_ms = talk_ask_due_ms(&f.ask);
        turn();
    }
    assert_int_equal(f.what, TALK_REGISTER_UNANSWERED);
    f.sent_len = 0;
    begin();
    assert_int_equal(f.sent_len, len);
    assert_memory_equal(f.sent, proof, len);
    refuse(HGTP_BAD_REQUEST, ERR_NOT_CHALLENGED);
    assert_int_equal(f.what, TALK_REGISTER_LATER);
    begin();
    assert_memory_not_equal(sent().header.user_id, user_id, sizeof user_id);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(session_is_the_one_that_the_token_names),
        CASE(token_that_names_nobody_is_none),
        CASE(name_is_elsewhere_only_for_who_has_proved_the_key),
        CASE(proof_without_answer_is_repeated_and_else_the_user_id_is_a_new_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
