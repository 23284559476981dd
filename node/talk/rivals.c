/* SPDX-License-Identifier: MIT */
/*
 * rivals: a client of the original's kind registers from an address at which another one's session
 * stands. Either it is the same client, started again after a crash, and the session is dead, or
 * the address is not its own. The push connection of that session tells: the node that has it
 * looks, and the one where the client registers waits for its word. Nothing is sent to the address
 * but a push, as a response with the old user id would do harm to the new process.
 */
#include "channel.h"
#include "request.h"

#define RIVALS_PROBE_MS 2000 /* a push has to be answered within this time */
#define RIVALS_WAIT_MS  3000 /* the other node's word is waited for so long */
#define RIVALS_MAX      1000

/* A REGISTER that waits for the word about the session of `uid`. */
struct rivals_wait {
    struct rivals_wait *next;
    struct request *request;
    uint8_t uid[HGTP_USER_ID_BYTES];
    int64_t until_ms;
};

/* The node that has the connection ---------------------------------------------------------------
 */

static void rivals_tell(struct talk *talk, struct bytes uid, const char *verdict)
{
    const struct bytes fields[] = {bytes_str("probed"), uid, bytes_str(verdict)};
    const struct effect effect = {fields, sizeof fields / sizeof fields[0]};
    if (talk->options.bus_address[0] != '\0') {
        talk->options.bus.send(talk->options.bus.ctx, bytes_str("*"), &effect);
    }
    rivals_on_probed(talk, &effect);
}

static void rivals_judge(struct talk *talk, struct client *client, const char *verdict)
{
    client->probe_ms = 0;
    talk->probe_count--;
    rivals_tell(talk, bytes_of(client->uid, sizeof client->uid), verdict);
}

/* A crashed process' kernel has closed its connections. One that was made since its last datagram
 * may be to another process. */
static bool rivals_was_lost(const struct client *client, const struct push_health *health)
{
    return health->lost_count != client->heard_lost_count;
}

/* NULL: not to be told yet. */
static const char *rivals_verdict(const struct talk *talk, const struct client *client,
                                  int64_t now_ms)
{
    if (client->push == NULL || client->leaving) {
        return "unknown";
    }
    struct push_health health = talk->options.push.health(client->push);
    bool is_dead = rivals_was_lost(client, &health) || (!health.is_up && health.failing_ms != 0);
    if (is_dead || now_ms < client->probe_ms) {
        return is_dead ? "dead" : NULL;
    }
    /* Nothing is owed: Redis did not give what was to be sent. */
    return health.is_up && health.failing_ms == 0 ? "unknown" : "dead";
}

static void rivals_look(struct talk *talk, struct client *client)
{
    const char *verdict = rivals_verdict(talk, client, talk_now_ms(talk));
    if (verdict != NULL) {
        rivals_judge(talk, client, verdict);
    }
}

void rivals_on_probe(struct talk *talk, const struct effect *effect)
{
    struct client *client = roster_client(&talk->roster, effect->fields[1]);
    if (client == NULL || client->push == NULL || client->leaving) {
        rivals_tell(talk, effect->fields[1], "unknown");
        return;
    }
    if (client->probe_ms != 0) {
        return; /* all are told */
    }
    client->probe_ms = talk_now_ms(talk) + RIVALS_PROBE_MS;
    talk->probe_count++;
    deliver_give(talk, client, LIST_USERS, 0, false);
    rivals_look(talk, client);
}

void rivals_on_confirmed(struct talk *talk, struct client *client)
{
    if (client->probe_ms != 0) {
        struct push_health health = talk->options.push.health(client->push);
        rivals_judge(talk, client, rivals_was_lost(client, &health) ? "dead" : "alive");
    }
}

void rivals_on_gone(struct talk *talk, struct client *client)
{
    if (client->probe_ms != 0) {
        rivals_judge(talk, client, "unknown");
    }
}

/* The node where the client registers ------------------------------------------------------------
 */

static void rivals_resume(struct rivals_wait *wait, const char *verdict)
{
    wait->request->talk->rival_count--;
    request_rival_seen(wait->request, bytes_of(wait->uid, sizeof wait->uid), verdict);
    free(wait);
}

void rivals_ask(struct talk *talk, struct request *request, struct bytes uid, struct bytes node)
{
    struct rivals_wait *wait = talk->rival_count < RIVALS_MAX && uid.len == sizeof wait->uid
                                   ? calloc(1, sizeof *wait)
                                   : NULL;
    if (wait == NULL) {
        request_refuse(request, ERR_BUSY);
        request_end(request);
        return;
    }
    wait->request = request;
    memcpy(wait->uid, uid.ptr, uid.len);
    wait->until_ms = talk_now_ms(talk) + RIVALS_WAIT_MS;
    wait->next = talk->rivals;
    talk->rivals = wait;
    talk->rival_count++;
    uint8_t asked[HGTP_USER_ID_BYTES]; /* the word may come from inside, and end the wait */
    memcpy(asked, uid.ptr, sizeof asked);
    const struct bytes fields[] = {bytes_str("probe"), bytes_of(asked, sizeof asked),
                                   bytes_str(talk->options.node)};
    const struct effect effect = {fields, sizeof fields / sizeof fields[0]};
    if (bytes_equal(node, bytes_str(talk->options.node))) {
        rivals_on_probe(talk, &effect);
    } else if (talk->options.bus_address[0] != '\0') {
        talk->options.bus.send(talk->options.bus.ctx, node, &effect);
    } /* else its time runs out */
}

void rivals_on_probed(struct talk *talk, const struct effect *effect)
{
    const char *verdict = bytes_equal(effect->fields[2], bytes_str("dead"))    ? "dead"
                          : bytes_equal(effect->fields[2], bytes_str("alive")) ? "alive"
                                                                               : "unknown";
    struct rivals_wait **at = &talk->rivals, *found = NULL;
    while (*at != NULL) {
        struct rivals_wait *wait = *at;
        if (bytes_equal(effect->fields[1], bytes_of(wait->uid, sizeof wait->uid))) {
            *at = wait->next;
            wait->next = found;
            found = wait;
        } else {
            at = &wait->next;
        }
    }
    while (found != NULL) {
        struct rivals_wait *wait = found;
        found = wait->next;
        rivals_resume(wait, verdict);
    }
}

/* The clock --------------------------------------------------------------------------------------
 */

void rivals_tick(struct talk *talk, int64_t now_ms)
{
    struct client *client, *next;
    if (talk->probe_count > 0) {
        HASH_ITER(hh, talk->roster.clients, client, next)
        {
            if (client->probe_ms != 0) {
                rivals_look(talk, client);
            }
        }
    }
    struct rivals_wait **at = &talk->rivals;
    while (*at != NULL) {
        struct rivals_wait *wait = *at;
        if (now_ms >= wait->until_ms) {
            *at = wait->next;
            rivals_resume(wait, "unknown");
            at = &talk->rivals; /* it may have changed */
        } else {
            at = &wait->next;
        }
    }
}

void rivals_fini(struct talk *talk)
{
    struct client *client, *next;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        client->probe_ms = 0;
    }
    while (talk->rivals != NULL) {
        struct rivals_wait *wait = talk->rivals;
        talk->rivals = wait->next;
        request_end(wait->request);
        free(wait);
    }
}
