/* SPDX-License-Identifier: MIT */
/*
 * INVITE as a weapon: who is asked by the thousand is asked a few times, and by others all the same
 * (issue 13, item 8).
 */
#include <string.h>

#include "proto/base64.h"
#include "tests/support/e2e_talk.h"

#define FLOOD_ROUNDS 30
#define FLOOD_BURST  100
#define TO_ONE       10

static void put_name(struct sink *out, const char *name)
{
    uint8_t text[64];
    struct sink base64 = sink_into(text, sizeof text);
    base64_encode(bytes_str(name), &base64);
    sink_be32(out, (uint32_t)base64.len);
    sink_put(out, sink_bytes(&base64));
}

/* Each is another request, as its number is; all have been answered, or not, when this returns. */
static void flood(struct original *from, const char *room, const char *peer)
{
    static int32_t seq = 1;
    uint8_t storage[256];
    struct sink body = sink_into(storage, sizeof storage);
    put_name(&body, room);
    put_name(&body, peer);
    for (int round = 0; round < FLOOD_ROUNDS; round++) {
        for (int i = 0; i < FLOOD_BURST; i++) {
            original_send(from, HGTP_INVITE_USER_FROM_ROOM, HGTP_INVITE_USER_FROM_ROOM, ++seq,
                          sink_bytes(&body));
        }
        assert_true(original_fence(from));
    }
}

static size_t times_asked(const struct original *user)
{
    uint8_t type = HGTP_INVITE_USER_FROM_ROOM;
    return original_count(user, 0, original_is_relay, &type);
}

E2E_SCENARIO(who_is_invited_by_the_thousand_hears_of_a_few_and_of_others)
{
    /* However long the flood takes here, it is within that time. */
    E2E_CLUSTER(e, 2, "history.dedupe_s=3600");
    struct original *mallory = e2e_user_at(e, 0, "mallory");
    struct original *victim = e2e_user_at(e, 1, "victim");
    struct original *carol = e2e_user_at(e, 1, "carol");
    victim->relay = ORIGINAL_RELAY_DECLINE;
    e2e_ok(original_create(mallory, "den"));
    e2e_ok(original_create(carol, "hall"));
    flood(mallory, "den", "victim");
    assert_true(original_fence(victim));
    assert_in_range(times_asked(victim), 1, TO_ONE);
    e2e_refused(original_invite(carol, "victim"), HGTP_DECLINE, ERR_PEER_DECLINED);
    assert_in_range(times_asked(victim), 2, TO_ONE + 1);
    /* Nor by way of the other node, nor under the name in another writing. */
    e2e_rebind(e, mallory, 1);
    flood(mallory, "DEN", "Victim ");
    assert_true(original_fence(victim));
    assert_in_range(times_asked(victim), 2, TO_ONE + 1);
    victim->relay = ORIGINAL_RELAY_ANSWER;
    e2e_ok(original_invite(carol, "victim"));
    assert_true(victim->in_room);
    assert_true(e2e_metric_at(e, 0, "hgtp_rate_limited_total") > FLOOD_BURST);
}

/* One that is never answered keeps another one waiting, and not out. */
E2E_SCENARIO(unanswered_invitation_keeps_nobody_uninvitable)
{
    E2E_NODE(e, "hgtp.answer_ms=2000");
    struct original *mallory = e2e_user(e, "mallory");
    struct original *victim = e2e_user(e, "victim");
    struct original *carol = e2e_user(e, "carol");
    victim->relay = ORIGINAL_RELAY_SILENT;
    e2e_ok(original_create(mallory, "den"));
    e2e_ok(original_create(carol, "hall"));
    original_send_peer(mallory, HGTP_INVITE_USER_FROM_ROOM, "den", "victim");
    e2e_came(original_wait_relay(victim, HGTP_INVITE_USER_FROM_ROOM));
    victim->relay = ORIGINAL_RELAY_ANSWER;
    flood(mallory, "den", "victim");
    e2e_ok(original_invite(carol, "victim"));
    assert_true(victim->in_room);
    assert_string_equal(victim->room_name, "hall");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(who_is_invited_by_the_thousand_hears_of_a_few_and_of_others),
        E2E_TEST(unanswered_invitation_keeps_nobody_uninvitable),
    };
    return cmocka_run_group_tests_name("invites", tests, NULL, NULL);
}
