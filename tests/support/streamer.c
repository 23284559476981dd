/* SPDX-License-Identifier: MIT */
/*
 * streamer: puts a stream of events, POSTs and a record together to one user. The stream itself is
 * sse_client.c's.
 */
#include "streamer.h"

#include <stdlib.h>

/* An entry's event has the id EPOCH:NUMBER, or Last-Event-ID would be wrong; nothing else has one.
 */
static void streamer_on_event(const struct sse_client_event *event, void *arg)
{
    struct streamer *streamer = arg;
    struct talk_record *record = &streamer->record;
    if (strcmp(event->event, "message") != 0) {
        return;
    }
    char number[24] = "";
    size_t had = record->count;
    talk_record_take(record, event->json);
    if (record->count > had) {
        snprintf(number, sizeof number, "%lld", (long long)record->entries[had]->to);
    }
    const char *colon = event->id != NULL ? strrchr(event->id, ':') : NULL;
    const char *told = colon != NULL && colon > event->id ? colon + 1 : "";
    if (record->broken[0] == '\0' && strcmp(told, number) != 0) {
        snprintf(record->broken, sizeof record->broken, "the event [%.100s] has the id [%s]",
                 event->data, event->id != NULL ? event->id : "");
    }
}

static void streamer_print(const void *guest, FILE *out)
{
    const struct streamer *streamer = guest;
    fprintf(out, "--- streamer %s %s\n", streamer->record.user, streamer->record.broken);
}

static const char *streamer_broken(const void *guest)
{
    const struct streamer *streamer = guest;
    return streamer->record.broken[0] != '\0' ? streamer->record.broken : NULL;
}

static void streamer_free(void *guest)
{
    struct streamer *streamer = guest;
    talk_record_fini(&streamer->record);
    if (streamer->sse != NULL) {
        streamer->sse->options.on_event = NULL;
    }
    free(streamer);
}

/* Requests ------------------------------------------------------------------------------------- */

static struct talker_reply streamer_post(struct streamer *streamer, const struct sink *message)
{
    return e2e_post_hgtp(streamer->port, streamer->token[0] != '\0' ? streamer->token : NULL,
                         sink_bytes(message), NULL);
}

struct talker_reply streamer_create(struct streamer *streamer, const char *room)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_room_id(streamer->room_id);
    talk_request_room(&streamer->speaker, HGTP_CREATE_ROOM, streamer->room_id, room, &out);
    return streamer_post(streamer, &out);
}

struct talker_reply streamer_ask_name(struct streamer *streamer, enum hgtp_type type,
                                      const char *room)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_name(&streamer->speaker, type, room, &out);
    return streamer_post(streamer, &out);
}

struct talker_reply streamer_ask(struct streamer *streamer, enum hgtp_type type)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    talk_request_plain(&streamer->speaker, type, &out);
    return streamer_post(streamer, &out);
}

int64_t streamer_say(struct streamer *streamer, const char *text, const char *id)
{
    json_t *object = json_pack("{s:s, s:s}", "type", "message", "message", text);
    json_t *answer = NULL;
    assert_non_null(object);
    if (id != NULL) {
        json_object_set_new(object, "id", json_string(id));
    }
    int status = e2e_post_message(streamer->port, streamer->token, object, &answer);
    int64_t seq = -status;
    if (status == 200) {
        const char *found = json_string_value(json_object_get(answer, "id"));
        assert_string_equal(json_string_value(json_object_get(answer, "type")), "ack");
        assert_string_equal(found != NULL ? found : "", id != NULL ? id : "");
        seq = json_integer_value(json_object_get(answer, "seq"));
    }
    json_decref(answer);
    return seq;
}

/* Life ----------------------------------------------------------------------------------------- */

struct streamer *streamer_register(struct e2e *e, uint16_t port, const char *name)
{
    uint8_t storage[HGTP_DATAGRAM_MAX];
    struct bytes token;
    struct streamer *streamer = calloc(1, sizeof *streamer);
    assert_non_null(streamer);
    const struct e2e_guest guest = {streamer, streamer_print, streamer_broken, streamer_free};
    e2e_adopt(e, &guest);
    streamer->port = port;
    talk_request_init(&streamer->speaker);
    struct sink out = sink_into(storage, sizeof storage);
    int32_t seq = talk_request_register(&streamer->speaker, name, &out);
    struct talker_reply reply = streamer_post(streamer, &out);
    e2e_talk_refused(reply, HGTP_UNAUTHORIZED, ERR_NONE);
    assert_int_equal(reply.msg.header.seq, seq + 1);
    out = sink_into(storage, sizeof storage);
    seq = talk_request_proof(&streamer->speaker, reply.msg.challenge.realm, TALKER_KEY, &out);
    reply = streamer_post(streamer, &out);
    e2e_talk_ok(reply);
    assert_int_equal(reply.msg.header.seq, seq + 1);
    assert_true(hgtp_token_decode(reply.msg.body, &token) && token.len < sizeof streamer->token);
    memcpy(streamer->token, token.ptr, token.len);
    return streamer;
}

void streamer_attach(struct e2e *e, struct streamer *streamer, const char *query,
                     const char *last_id)
{
    char target[512];
    snprintf(target, sizeof target, "/events?token=%s%s", streamer->token, query);
    const struct sse_client_options options = {.port = streamer->port,
                                               .target = target,
                                               .last_id = last_id,
                                               .on_event = streamer_on_event,
                                               .arg = streamer};
    if (streamer->sse != NULL) {
        streamer->sse->options.on_event = NULL;
    }
    streamer->sse = e2e_sse(e, &options);
    assert_int_equal(streamer->sse->status, 200);
}

struct streamer *streamer_open(struct e2e *e, uint16_t port, const char *name)
{
    struct streamer *streamer = streamer_register(e, port, name);
    streamer_attach(e, streamer, "", NULL);
    e2e_told(sse_client_wait_type(streamer->sse, "session"));
    return streamer;
}

void streamer_reattach(struct e2e *e, struct streamer *streamer, uint16_t port)
{
    char last_id[64];
    strcpy(last_id, streamer->sse->last_id);
    sse_client_drop(streamer->sse);
    streamer->port = port;
    streamer_attach(e, streamer, "", last_id);
}

/* Waits ---------------------------------------------------------------------------------------- */

struct streamer_until {
    const struct streamer *streamer;
    int64_t seq;
};

static bool streamer_has_number(void *arg)
{
    const struct streamer_until *until = arg;
    return talk_record_last(&until->streamer->record) >= until->seq;
}

bool streamer_has(struct streamer *streamer, int64_t seq)
{
    struct streamer_until until = {streamer, seq};
    return pump_until(streamer_has_number, &until, TALKER_WAIT_MS);
}

void streamer_whole(struct streamer *streamer, int64_t last)
{
    (void)streamer_has(streamer, last);
    struct talk_account account = talk_record_account(&streamer->record);
    if (streamer_broken(streamer) != NULL || account.to != last || account.gaps != 0) {
        fail_msg("%s has up to %lld, not %lld, and %lld gaps; %s", streamer->record.user,
                 (long long)account.to, (long long)last, (long long)account.gaps,
                 streamer->record.broken);
    }
}
