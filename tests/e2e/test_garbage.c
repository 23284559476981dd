/* SPDX-License-Identifier: MIT */
/*
 * Hostile and broken input by the thousand, reproducible from a seed, against a node that has users
 * in a room: it must answer what can be answered, and go on serving. The HTTP side of good manners
 * is in test_http_front.c.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/e2e.h"

#define SEED             20220210u
#define DATAGRAMS        6000
#define HTTP_CONNECTIONS 400

/* xorshift: good enough to be different, and the same on every run. */
static uint32_t noise(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

static json_t *load_vectors(void)
{
    json_error_t error;
    json_t *vectors = json_load_file(TEST_DATA_DIR "/hgtp_vectors.json", JSON_ALLOW_NUL, &error);
    assert_non_null(vectors);
    return vectors;
}

static size_t unhex(const json_t *vector, uint8_t *out, size_t cap)
{
    const char *hex = json_string_value(json_object_get(vector, "hex"));
    size_t len = strlen(hex) / 2;
    assert_true(len <= cap);
    for (size_t i = 0; i < len; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        out[i] = (uint8_t)byte;
    }
    return len;
}

/* Two who talk and one who only watches; the node serves when they still can. */
struct company {
    struct original *alice, *bob, *raw;
};

static struct company gather(struct e2e *e)
{
    struct company company = {e2e_user(e, "alice"), e2e_user(e, "bob"), NULL};
    e2e_open_room(company.alice, "den");
    e2e_join_room(company.bob, "den");
    const struct original_options manual = {.name = "raw", .is_manual = true};
    company.raw = e2e_client_with(e, &manual);
    return company;
}

static void expect_serving(struct e2e *e, const struct company *company)
{
    e2e_vanish(e, company->raw);
    assert_true(original_fence(company->alice) && original_fence(company->bob));
    assert_true(original_say(company->alice, "still serving"));
    e2e_came(original_wait_message(company->bob, "still serving"));
    struct original *late = e2e_client(e, "late");
    assert_true(original_register(late));
    assert_int_equal(e2e_get(e, "/readyz", NULL, 0), 200);
}

/* Responses to garbage carry garbage ids, which would harm only the client that sent it. */
static void forgive(struct original *raw)
{
    raw->workers_lost = 0;
    raw->is_stuck = raw->is_dirty = false;
    original_log_fini(&raw->log);
}

/* Vectors -------------------------------------------------------------------------------------- */

static bool is_response_to(const struct original_event *event, const void *seq)
{
    return event->kind == ORIGINAL_DATAGRAM && event->msg.header.seq == *(const int32_t *)seq;
}

static const char *outcome(const json_t *vector)
{
    return json_string_value(json_object_get(json_object_get(vector, "result"), "kind"));
}

/* One vector with a number of its own, so that its reply can be told. */
static void expect_vector(struct original *raw, const json_t *vector, int32_t seq)
{
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    size_t len = unhex(vector, datagram, sizeof datagram);
    bool is_addressable = len >= HGTP_HEADER_BYTES && datagram[0] == 'H' && datagram[1] == 'S';
    for (size_t i = 0; i < 4 && is_addressable; i++) {
        datagram[12 + i] = (uint8_t)((uint32_t)seq >> (24 - 8 * i));
    }
    original_send_raw(raw, bytes_of(datagram, len));
    if (!is_addressable || datagram[2] < 0x80) {
        return;
    }
    int32_t reply_seq = seq + 1;
    memcpy(raw->user_id, datagram + 4, HGTP_USER_ID_BYTES);
    const struct original_event *reply =
        original_wait(raw, is_response_to, &reply_seq, ORIGINAL_WAIT_MS);
    if (reply == NULL) {
        fail_msg("no reply to %s", json_string_value(json_object_get(vector, "name")));
        return;
    }
    assert_memory_equal(reply->raw.ptr + 3, datagram + 3, 9);
    assert_false(hgtp_type_is_request(reply->msg.header.type));
    /* From nobody whom it knows: OK for the two ways out of a room, which change nothing. */
    bool is_way_out = datagram[2] == HGTP_EXIT_ROOM || datagram[2] == HGTP_DELETE_ROOM;
    assert_true(is_way_out || reply->msg.header.type != HGTP_OK);
    if (strcmp(outcome(vector), "exception") == 0) {
        e2e_refused(reply, HGTP_BAD_REQUEST, ERR_MALFORMED);
    } else if (strcmp(outcome(vector), "unknown-type") == 0) {
        e2e_refused(reply, HGTP_BAD_REQUEST, ERR_TYPE_UNKNOWN);
    } else if (datagram[2] != HGTP_REGISTER && !is_way_out) {
        assert_int_equal(reply->msg.header.type, HGTP_BAD_REQUEST);
    }
}

E2E_SCENARIO(every_decode_vector_gets_its_refusal)
{
    E2E_NODE(e);
    struct company company = gather(e);
    json_t *vectors = load_vectors();
    const json_t *decode = json_object_get(vectors, "decode");
    assert_true(json_array_size(decode) > 50);
    for (size_t i = 0; i < json_array_size(decode); i++) {
        expect_vector(company.raw, json_array_get(decode, i), (int32_t)(1000 + 16 * i));
    }
    json_decref(vectors);
    expect_serving(e, &company);
}

E2E_SCENARIO(every_truncation_of_every_good_message_is_survived)
{
    E2E_NODE(e, "limits.registers_per_s=1000000");
    struct company company = gather(e);
    json_t *vectors = load_vectors();
    const json_t *good = json_object_get(vectors, "hgtp");
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    for (size_t i = 0; i < json_array_size(good); i++) {
        size_t len = unhex(json_array_get(good, i), datagram, sizeof datagram);
        for (size_t cut = 0; cut <= len; cut++) {
            original_send_raw(company.raw, bytes_of(datagram, cut));
        }
        assert_true(original_fence(company.alice));
        forgive(company.raw);
    }
    json_decref(vectors);
    expect_serving(e, &company);
}

/* Mutations ------------------------------------------------------------------------------------ */

static size_t mutate(uint8_t *datagram, size_t len, uint32_t *state)
{
    static const uint32_t extremes[] = {0,          1,          0x7f,       0x80,
                                        0x7fffffff, 0x80000000, 0xffffffff, 65536};
    for (uint32_t n = 1 + noise(state) % 4; n > 0; n--) {
        size_t at = noise(state) % len;
        switch (noise(state) % 4) {
        case 0:
            datagram[at] = (uint8_t)noise(state);
            break;
        case 1:
            datagram[at] ^= (uint8_t)(1u << noise(state) % 8);
            break;
        case 2:
            len = at + 1;
            break;
        default: {
            struct sink out = sink_into(datagram + at, len - at);
            sink_be32(&out, extremes[noise(state) % 8]);
            break;
        }
        }
    }
    return len;
}

E2E_SCENARIO(mutated_messages_by_the_thousand_are_survived)
{
    E2E_NODE(e, "limits.registers_per_s=1000000");
    struct company company = gather(e);
    json_t *vectors = load_vectors();
    const json_t *good = json_object_get(vectors, "hgtp");
    uint32_t state = SEED;
    uint8_t datagram[HGTP_DATAGRAM_MAX];
    for (int i = 0; i < DATAGRAMS; i++) {
        size_t len = unhex(json_array_get(good, noise(&state) % json_array_size(good)), datagram,
                           sizeof datagram);
        original_send_raw(company.raw, bytes_of(datagram, mutate(datagram, len, &state)));
        if (i % 200 == 0) {
            assert_true(original_fence(company.alice));
            forgive(company.raw);
        }
    }
    json_decref(vectors);
    assert_true(e2e_metric(e, "hgtp_datagrams_malformed_total") > 0);
    expect_serving(e, &company);
}

/* As a member of the room, so that it gets past the check of who speaks. */
E2E_SCENARIO(mutated_requests_of_a_registered_user_are_survived)
{
    E2E_NODE(e, "hgtp.answer_ms=100");
    struct company company = gather(e);
    struct original *mallory = e2e_user(e, "mallory");
    static const uint8_t types[] = {HGTP_CREATE_ROOM, HGTP_DELETE_ROOM, HGTP_JOIN_ROOM,
                                    HGTP_EXIT_ROOM,   HGTP_REFRESH,     HGTP_INVITE_USER_FROM_ROOM,
                                    HGTP_OK,          HGTP_DECLINE,     HGTP_REMOVE_USER_FROM_ROOM};
    uint32_t state = SEED;
    uint8_t body[96];
    for (int i = 0; i < DATAGRAMS / 4; i++) {
        size_t len = noise(&state) % sizeof body;
        struct sink out = sink_into(body, sizeof body);
        while (out.len < len) {
            sink_be32(&out, noise(&state) % 4 == 0 ? noise(&state) : 4);
            sink_text(&out, noise(&state) % 2 == 0 ? "ZGVu" : "Ym9i");
        }
        uint8_t type = types[noise(&state) % sizeof types];
        uint8_t request_type = type < 0x80 ? HGTP_INVITE_USER_FROM_ROOM : type;
        original_send(mallory, (enum hgtp_type)type, request_type, (int32_t)noise(&state),
                      bytes_of(body, len));
        if (i % 100 == 0) {
            assert_true(original_fence(company.alice));
        }
    }
    assert_true(original_fence(mallory));
    e2e_vanish(e, mallory);
    assert_true(original_say(company.bob, "still a member"));
    e2e_came(original_wait_message(company.alice, "still a member"));
    expect_serving(e, &company);
}

E2E_SCENARIO(pure_noise_of_every_size_is_survived)
{
    E2E_NODE(e);
    struct company company = gather(e);
    uint32_t state = SEED;
    uint8_t datagram[4096];
    for (size_t len = 0; len <= sizeof datagram; len += 1 + len / 64) {
        for (size_t i = 0; i < len; i++) {
            datagram[i] = (uint8_t)noise(&state);
        }
        original_send_raw(company.raw, bytes_of(datagram, len));
        memcpy(datagram, "HS\x80\x80", len < 4 ? len : 4);
        original_send_raw(company.raw, bytes_of(datagram, len));
    }
    assert_true(original_fence(company.alice));
    expect_serving(e, &company);
}

E2E_SCENARIO(user_id_that_is_no_base64_is_a_bad_request_with_that_id)
{
    E2E_NODE(e);
    const struct original_options manual = {.name = "raw", .is_manual = true};
    struct original *raw = e2e_client_with(e, &manual);
    static const char ids[][9] = {"\xff\xff\xff\xff\xff\xff\xff\xff", "       =", "a:b{c}\r\n"};
    for (size_t i = 0; i < 3; i++) {
        memcpy(raw->user_id, ids[i], 8);
        original_send_register(raw);
        const struct original_event *reply = e2e_came(original_wait_response(raw, HGTP_REGISTER));
        e2e_refused(reply, HGTP_BAD_REQUEST, ERR_USER_ID_INVALID);
        assert_memory_equal(reply->raw.ptr + 4, ids[i], 8);
    }
}

/* HTTP ----------------------------------------------------------------------------------------- */

static size_t http_garbage(const struct original *alice, uint8_t *out, size_t cap, uint32_t *state)
{
    char *json = original_message_json("alice", "mutated", 1);
    int len =
        snprintf((char *)out, cap,
                 "POST %smessage HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: %s\r\n"
                 "content-type: application/json\r\nmessage-type: message\r\n%s%zu\r\n\r\n%s",
                 noise(state) % 2 == 0 ? "" : "/", alice->user_id,
                 noise(state) % 8 == 0 ? "transfer-encoding: chunked\r\nx: " : "content-length: ",
                 strlen(json), json);
    free(json);
    return mutate(out, (size_t)len, state);
}

E2E_SCENARIO(mutated_http_by_the_hundred_is_survived)
{
    E2E_NODE(e);
    struct company company = gather(e);
    uint32_t state = SEED;
    uint8_t request[2048];
    for (int i = 0; i < HTTP_CONNECTIONS; i++) {
        struct http_client *client = http_client_open(0, SOCKETS_LOOPBACK, e->daemon->http_port);
        assert_non_null(client);
        for (uint32_t n = noise(&state) % 4 + 1; n > 0; n--) {
            size_t len = http_garbage(company.alice, request, sizeof request, &state);
            http_client_send(client, bytes_of(request, len));
        }
        if (i % 4 == 0) {
            /* Too little has come for an answer, perhaps; whoever closes first, nothing may leak.
             */
            http_client_send(client, bytes_str("\r\n\r\n"));
            (void)e2e_get(e, "/healthz", NULL, 0);
        }
        http_client_close(client);
    }
    expect_serving(e, &company);
}

E2E_SCENARIO(flood_from_one_address_is_dropped_and_counted_and_others_are_served)
{
    E2E_NODE(e, "limits.requests_per_s=50");
    const struct original_options options = {.name = "mallory", .own_ip = 0x7f000009};
    struct original *mallory = e2e_client_with(e, &options);
    uint8_t datagram[HGTP_HEADER_BYTES] = {'H', 'S', HGTP_REFRESH, HGTP_REFRESH};
    memcpy(datagram + 4, mallory->user_id, 8);
    for (int i = 0; i < 500; i++) {
        original_send_raw(mallory, bytes_of(datagram, sizeof datagram));
    }
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    assert_true(e2e_metric(e, "hgtp_rate_limited_total") > 100);
}

/* Issue 13, item 7: signed by nobody, again and again. */
E2E_SCENARIO(signed_datagrams_of_nobody_cost_few_scripts_and_are_all_refused)
{
    enum { COUNT = 300 };
    E2E_NODE(e);
    const struct original_options options = {
        .name = "mallory", .own_ip = 0x7f000009, .is_manual = true};
    struct original *mallory = e2e_client_with(e, &options);
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "den");
    int64_t before = e2e_metric(e, "hgtp_store_calls_total");
    uint8_t datagram[HGTP_HEADER_BYTES + HGTP_SIGNATURE_BYTES] = {'H', 'S', HGTP_REFRESH,
                                                                  HGTP_REFRESH};
    memcpy(datagram + 4, mallory->user_id, 8);
    for (uint8_t i = 0; i < COUNT / 3; i++) {
        datagram[HGTP_HEADER_BYTES] = i;
        original_send_raw(mallory, bytes_of(datagram, sizeof datagram));
        original_send_raw(mallory, bytes_of(datagram, sizeof datagram));
        original_send_raw(mallory, bytes_of(datagram, sizeof datagram));
    }
    int64_t deadline_ms = pump_deadline_ms(10000);
    while (e2e_metric(e, "hgtp_requests_total{outcome=\"refused\"}") < COUNT) {
        assert_true(pump_now_ms() < deadline_ms);
        e2e_retry_pause();
    }
    assert_true(e2e_metric(e, "hgtp_store_calls_total") - before < COUNT);
    assert_true(original_say(alice, "heard"));
    e2e_came(original_wait_message(alice, "heard"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(every_decode_vector_gets_its_refusal),
        E2E_TEST(every_truncation_of_every_good_message_is_survived),
        E2E_TEST(mutated_messages_by_the_thousand_are_survived),
        E2E_TEST(mutated_requests_of_a_registered_user_are_survived),
        E2E_TEST(pure_noise_of_every_size_is_survived),
        E2E_TEST(user_id_that_is_no_base64_is_a_bad_request_with_that_id),
        E2E_TEST(mutated_http_by_the_hundred_is_survived),
        E2E_TEST(signed_datagrams_of_nobody_cost_few_scripts_and_are_all_refused),
        E2E_TEST(flood_from_one_address_is_dropped_and_counted_and_others_are_served),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
