/* SPDX-License-Identifier: MIT */
/*
 * Tests of admin/talk_ask: repetition with the same bytes, giving up, order, signatures, numbers,
 * and which response answers what. Time is made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/talk/talk_ask.h"
#include "proto/digest.h"

#define TOKEN   "token-of-alice"
#define UNIX_MS 1795418258706

static struct fixture {
    struct talk_ask ask;
    int64_t now_ms;
    bool has_other_way;
    size_t sent_count, answered_count, dropped_count;
    unsigned attempts[64];
    struct {
        uint8_t bytes[HGTP_DATAGRAM_MAX];
        size_t len;
    } sent[64];
    enum err reason;
    uint8_t answer_type; /* 0: none came */
    char text[256];
} f;

static bool on_send(void *ctx, unsigned attempt, struct bytes message)
{
    assert_ptr_equal(ctx, &f);
    if (attempt == TALK_ASK_TRIES && !f.has_other_way) {
        return false;
    }
    assert_true(f.sent_count < 64);
    memcpy(f.sent[f.sent_count].bytes, message.ptr, message.len);
    f.sent[f.sent_count].len = message.len;
    f.attempts[f.sent_count++] = attempt;
    return true;
}

static void on_answer(const struct talk_answer *answer, void *arg)
{
    assert_ptr_equal(arg, &f);
    if (answer == NULL) {
        f.dropped_count++;
        return;
    }
    f.answered_count++;
    f.reason = answer->reason;
    f.answer_type = answer->msg != NULL ? answer->msg->header.type : 0;
    memcpy(f.text, answer->text, sizeof f.text);
}

static int set_up(void **state)
{
    (void)state;
    f = (struct fixture){.now_ms = 1000};
    talk_ask_init(&f.ask, on_send, &f);
    memcpy(f.ask.user_id, "AliceUid", HGTP_USER_ID_BYTES);
    memcpy(f.ask.token, TOKEN, sizeof TOKEN);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    talk_ask_fini(&f.ask);
    return 0;
}

static void ask(enum hgtp_type type)
{
    static const uint8_t no_name[4];
    talk_ask_put(&f.ask, type, bytes_of(no_name, sizeof no_name), TALK_ASK_STEP, on_answer, &f);
}

static void turn_at(int64_t now_ms)
{
    f.now_ms = now_ms;
    talk_ask_turn(&f.ask, now_ms, UNIX_MS + now_ms);
}

static struct hgtp_message sent_message(size_t at)
{
    struct hgtp_message msg;
    assert_true(at < f.sent_count);
    assert_int_equal(hgtp_decode(bytes_of(f.sent[at].bytes, f.sent[at].len), &msg), HGTP_DECODED);
    return msg;
}

/* A response to what was sent as number `at`. */
static bool respond(size_t at, enum hgtp_type type, int32_t distance, struct bytes body)
{
    uint8_t storage[512];
    struct sink out = sink_into(storage, sizeof storage);
    struct hgtp_message msg = {.header = sent_message(at).header, .body = body};
    msg.header.type = (uint8_t)type;
    msg.header.seq += distance;
    hgtp_encode(&msg, &out);
    return talk_ask_take(&f.ask, sink_bytes(&out));
}

static const struct bytes nothing = {NULL, 0};

/* Repetition ----------------------------------------------------------------------------------- */

static void request_without_answer_is_sent_three_times_with_the_same_bytes(void **state)
{
    (void)state;
    ask(HGTP_REFRESH);
    assert_int_equal(talk_ask_due_ms(&f.ask), 0);
    turn_at(1000);
    for (int i = 0; i < 10; i++) {
        turn_at(talk_ask_due_ms(&f.ask) - 1); /* too early */
        turn_at(talk_ask_due_ms(&f.ask));
        if (f.answered_count > 0) {
            break;
        }
    }
    assert_int_equal(f.sent_count, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(f.attempts[i], i);
        assert_int_equal(f.sent[i].len, f.sent[0].len);
        assert_memory_equal(f.sent[i].bytes, f.sent[0].bytes, f.sent[0].len);
    }
    assert_int_equal(f.answered_count, 1);
    assert_int_equal(f.answer_type, 0);
    assert_string_equal(f.text, "no answer");
    assert_true(f.now_ms >= 3000 && f.now_ms <= 10000);
    assert_int_equal(talk_ask_due_ms(&f.ask), INT64_MAX);
}

static void request_goes_by_another_way_when_datagrams_do_not_get_through(void **state)
{
    (void)state;
    f.has_other_way = true;
    ask(HGTP_REFRESH);
    turn_at(1000);
    while (f.sent_count < 4) {
        turn_at(talk_ask_due_ms(&f.ask));
    }
    assert_int_equal(f.attempts[3], TALK_ASK_TRIES);
    assert_memory_equal(f.sent[3].bytes, f.sent[0].bytes, f.sent[0].len);
    assert_int_equal(f.answered_count, 0);
    assert_true(respond(3, HGTP_OK, 1, nothing));
    assert_int_equal(f.answer_type, HGTP_OK);
}

static void request_that_is_answered_is_not_sent_again(void **state)
{
    (void)state;
    ask(HGTP_REFRESH);
    turn_at(1000);
    assert_true(respond(0, HGTP_OK, 1, nothing));
    assert_false(respond(0, HGTP_OK, 1, nothing)); /* a repeated answer */
    turn_at(100000);
    assert_int_equal(f.sent_count, 1);
    assert_int_equal(f.answered_count, 1);
    assert_false(talk_ask_is_busy(&f.ask, true));
}

/* What is lost may be the OK, and the session stands: only the same bytes get its token. */
static void register_that_nobody_has_answered_can_be_asked_again_with_the_same_bytes(void **state)
{
    (void)state;
    assert_false(talk_ask_put_again(&f.ask));
    ask(HGTP_REGISTER);
    for (turn_at(1000); f.answered_count == 0; turn_at(talk_ask_due_ms(&f.ask))) {
    }
    assert_int_equal(f.sent_count, 3);
    assert_int_equal(f.answer_type, 0);
    assert_true(talk_ask_put_again(&f.ask));
    assert_false(talk_ask_put_again(&f.ask));
    turn_at(60000);
    assert_int_equal(f.sent_count, 4);
    assert_int_equal(f.attempts[3], 0);
    assert_int_equal(f.sent[3].len, f.sent[0].len);
    assert_memory_equal(f.sent[3].bytes, f.sent[0].bytes, f.sent[0].len);
    assert_true(respond(3, HGTP_OK, 1, nothing));
    assert_int_equal(f.answered_count, 2);
    assert_false(talk_ask_put_again(&f.ask));
    ask(HGTP_REFRESH);
    while (f.answered_count < 3) {
        turn_at(talk_ask_due_ms(&f.ask));
    }
    assert_false(talk_ask_put_again(&f.ask)); /* no REGISTER */
}

/* Order ---------------------------------------------------------------------------------------- */

static void request_waits_for_the_answer_to_the_one_before(void **state)
{
    (void)state;
    ask(HGTP_JOIN_ROOM);
    ask(HGTP_EXIT_ROOM);
    turn_at(1000);
    turn_at(1001);
    assert_int_equal(f.sent_count, 1);
    assert_true(respond(0, HGTP_OK, 1, nothing));
    turn_at(1001);
    assert_int_equal(f.sent_count, 2);
    assert_int_equal(sent_message(1).header.type, HGTP_EXIT_ROOM);
    assert_int_equal(sent_message(1).header.seq, sent_message(0).header.seq + TALK_ASK_STEP);
}

static void timestamps_rise_even_when_the_clock_stands_or_goes_back(void **state)
{
    (void)state;
    uint32_t last = 0;
    for (size_t i = 0; i < 5; i++) {
        ask(HGTP_REFRESH);
        talk_ask_turn(&f.ask, 1000, UNIX_MS - 1000 * (int64_t)i);
        uint32_t timestamp = sent_message(i).header.timestamp_ms;
        assert_true(i == 0 || (int32_t)(timestamp - last) > 0);
        last = timestamp;
        assert_true(respond(i, HGTP_OK, 1, nothing));
    }
}

static void register_goes_first_and_is_all_that_goes_without_a_token(void **state)
{
    (void)state;
    f.ask.token[0] = '\0';
    ask(HGTP_REFRESH);
    assert_int_equal(talk_ask_due_ms(&f.ask), INT64_MAX);
    turn_at(1000);
    assert_int_equal(f.sent_count, 0);
    ask(HGTP_REGISTER);
    turn_at(1000);
    assert_int_equal(sent_message(0).header.type, HGTP_REGISTER);
    assert_int_equal(f.sent[0].len, HGTP_HEADER_BYTES + 4); /* unsigned */
    assert_true(respond(0, HGTP_FORBIDDEN, 1, nothing));
    talk_ask_put(&f.ask, HGTP_REGISTER, nothing, TALK_ASK_PROOF_STEP, on_answer, &f);
    turn_at(1000);
    assert_int_equal(sent_message(1).header.seq, sent_message(0).header.seq + 2);
    assert_true(respond(1, HGTP_OK, 1, nothing));
    memcpy(f.ask.token, TOKEN, sizeof TOKEN);
    turn_at(1000);
    assert_int_equal(sent_message(2).header.type, HGTP_REFRESH);
}

static void request_is_signed_with_the_token(void **state)
{
    (void)state;
    ask(HGTP_JOIN_ROOM);
    turn_at(1000);
    struct bytes datagram = bytes_of(f.sent[0].bytes, f.sent[0].len);
    assert_int_equal(datagram.len, HGTP_HEADER_BYTES + 4 + HGTP_SIGNATURE_BYTES);
    assert_true(digest_signature_valid(bytes_str(TOKEN), datagram));
    assert_memory_equal(sent_message(0).header.user_id, "AliceUid", 8);
}

static void body_that_fits_no_datagram_is_refused_unsent(void **state)
{
    (void)state;
    static const uint8_t body[HGTP_BODY_MAX];
    talk_ask_put(&f.ask, HGTP_JOIN_ROOM, bytes_of(body, sizeof body), TALK_ASK_STEP, on_answer, &f);
    turn_at(1000);
    assert_int_equal(f.sent_count, 0);
    assert_int_equal(f.answered_count, 1);
    assert_string_equal(f.text, "the name is too long");
}

/* Answers -------------------------------------------------------------------------------------- */

static void refusal_brings_reason_and_words(void **state)
{
    (void)state;
    uint8_t body[128];
    struct sink out = sink_into(body, sizeof body);
    const struct hgtp_reason reason = {ERR_ROOM_UNKNOWN, bytes_str("no such room")};
    hgtp_reason_encode(&reason, &out);
    ask(HGTP_JOIN_ROOM);
    turn_at(1000);
    assert_true(respond(0, HGTP_BAD_REQUEST, 1, sink_bytes(&out)));
    assert_int_equal(f.answer_type, HGTP_BAD_REQUEST);
    assert_int_equal(f.reason, ERR_ROOM_UNKNOWN);
    assert_string_equal(f.text, "no such room");
}

static void response_to_something_else_answers_nothing(void **state)
{
    (void)state;
    ask(HGTP_JOIN_ROOM);
    turn_at(1000);
    assert_false(respond(0, HGTP_OK, 0, nothing));
    assert_false(respond(0, HGTP_OK, 2, nothing));
    assert_false(respond(0, HGTP_OK, 3, nothing)); /* only a relayed request is answered so */
    assert_false(respond(0, HGTP_REFRESH, 1, nothing));
    assert_false(talk_ask_take(&f.ask, bytes_str("HS")));
    f.sent[0].bytes[4] ^= 1; /* another user */
    assert_false(respond(0, HGTP_OK, 1, nothing));
    assert_int_equal(f.answered_count, 0);
}

static void invitation_waits_for_a_person_and_holds_up_nobody(void **state)
{
    (void)state;
    ask(HGTP_INVITE_USER_FROM_ROOM);
    ask(HGTP_REFRESH);
    turn_at(1000);
    while (f.sent_count < 4) {
        turn_at(talk_ask_due_ms(&f.ask));
    }
    assert_int_equal(sent_message(3).header.type, HGTP_REFRESH);
    assert_int_equal(f.answered_count, 0);
    assert_true(respond(3, HGTP_OK, 1, nothing));
    assert_false(talk_ask_is_busy(&f.ask, false));
    assert_true(talk_ask_is_busy(&f.ask, true));
    turn_at(f.now_ms + TALK_ASK_PEER_MS / 2);
    assert_true(respond(0, HGTP_DECLINE, 3, nothing));
    assert_int_equal(f.answer_type, HGTP_DECLINE);
    assert_int_equal(f.answered_count, 2);
    assert_int_equal(f.sent_count, 4);
}

static void invitation_that_nobody_answers_ends(void **state)
{
    (void)state;
    ask(HGTP_INVITE_USER_FROM_ROOM);
    for (turn_at(1000); f.answered_count == 0; turn_at(talk_ask_due_ms(&f.ask))) {
        assert_true(talk_ask_due_ms(&f.ask) < 1000 + 2 * TALK_ASK_PEER_MS);
    }
    assert_int_equal(f.answer_type, 0);
    assert_int_equal(f.sent_count, 3);
}

static void answer_to_a_relay_carries_its_number_and_one(void **state)
{
    (void)state;
    uint8_t storage[64];
    struct hgtp_message msg;
    struct sink out = sink_into(storage, sizeof storage);
    const struct hgtp_header relay = {.type = HGTP_INVITE_USER_FROM_ROOM, .seq = INT32_MAX};
    talk_ask_answer(&f.ask, &relay, HGTP_OK, UNIX_MS, &out);
    assert_int_equal(hgtp_decode(sink_bytes(&out), &msg), HGTP_DECODED);
    assert_int_equal(msg.header.type, HGTP_OK);
    assert_int_equal(msg.header.request_type, HGTP_INVITE_USER_FROM_ROOM);
    assert_int_equal(msg.header.seq, INT32_MIN);
}

static void end_drops_what_is_not_answered_and_says_so(void **state)
{
    (void)state;
    ask(HGTP_JOIN_ROOM);
    ask(HGTP_REFRESH);
    turn_at(1000);
    talk_ask_fini(&f.ask);
    assert_int_equal(f.dropped_count, 2);
    assert_int_equal(f.answered_count, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(request_without_answer_is_sent_three_times_with_the_same_bytes),
        CASE(request_goes_by_another_way_when_datagrams_do_not_get_through),
        CASE(request_that_is_answered_is_not_sent_again),
        CASE(register_that_nobody_has_answered_can_be_asked_again_with_the_same_bytes),
        CASE(request_waits_for_the_answer_to_the_one_before),
        CASE(timestamps_rise_even_when_the_clock_stands_or_goes_back),
        CASE(register_goes_first_and_is_all_that_goes_without_a_token),
        CASE(request_is_signed_with_the_token),
        CASE(body_that_fits_no_datagram_is_refused_unsent),
        CASE(refusal_brings_reason_and_words),
        CASE(response_to_something_else_answers_nothing),
        CASE(invitation_waits_for_a_person_and_holds_up_nobody),
        CASE(invitation_that_nobody_answers_ends),
        CASE(answer_to_a_relay_carries_its_number_and_one),
        CASE(end_drops_what_is_not_answered_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
