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

static void rivals_tell(struct core *core, struct bytes uid, const char *verdict)
{
    const struct bytes fields[] = {bytes_str("probed"), uid, bytes_str(verdict)};
    const struct effect effect = {fields, sizeof fields / sizeof fields[0]};
    if (core->options.bus_address[0] != '\0') {
        core->options.bus.send(core->options.bus.ctx, bytes_str("*"), &effect);
    }
    rivals_on_probed(core, &effect);
}

static void rivals_judge(struct core *core, struct client *client, const char *verdict)
{
    client->probe_ms = 0;
    core->probe_count--;
    rivals_tell(core, bytes_of(client->uid, sizeof client->uid), verdict);
}

/* A crashed process' kernel has closed its connections. One that was made since its last datagram
 * may be to another process. */
static bool rivals_was_lost(const struct client *client, const struct push_health *health)
{
    return health->lost_count != client->heard_lost_count;
}

/* NULL: not to be told yet. */
static const char *rivals_verdict(const struct core *core, const struct client *client,
                                  int64_t now_ms)
{
    if (client->push == NULL || client->leaving) {
        return "unknown";
    }
    struct push_health health = core->options.push.health(client->push);
    bool is_dead = rivals_was_lost(client, &health) || (!health.is_up && health.failing_ms != 0);
    if (is_dead || now_ms < client->probe_ms) {
        return is_dead ? "dead" : NULL;
    }
    /* Nothing is owed: Redis did not give what was to be sent. */
    return health.is_up && health.failing_ms == 0 ? "unknown" : "dead";
}

static void rivals_look(struct core *core, struct client *client)
{
    const char *verdict = rivals_verdict(core, client, core_now_ms(core));
    if (verdict != NULL) {
        rivals_judge(core, client, verdict);
    }
}

void rivals_on_probe(struct core *core, const struct effect *effect)
{
    struct client *client = roster_client(&core->roster, effect->fields[1]);
    if (client == NULL || client->push == NULL || client->leaving) {
        rivals_tell(core, effect->fields[1], "unknown");
        return;
    }
    if (client->probe_ms != 0) {
        return; /* all are told */
    }
    client->probe_ms = core_now_ms(core) + RIVALS_PROBE_MS;
    core->probe_count++;
    deliver_give(core, client, LIST_USERS, 0, false);
    rivals_look(core, client);
}

void rivals_on_confirmed(struct core *core, struct client *client)
{
    if (client->probe_ms != 0) {
        struct push_health health = core->options.push.health(client->push);
        rivals_judge(core, client, rivals_was_lost(client, &health) ? "dead" : "alive");
    }
}

void rivals_on_gone(struct core *core, struct client *client)
{
    if (client->probe_ms != 0) {
        rivals_judge(core, client, "unknown");
    }
}

/* The node where the client registers ------------------------------------------------------------
 */

static void rivals_resume(struct rivals_wait *wait, const char *verdict)
{
    wait->request->core->rival_count--;
    request_rival_seen(wait->request, bytes_of(wait->uid, sizeof wait->uid), verdict);
    free(wait);
}

void rivals_ask(struct core *core, struct request *request, struct bytes uid, struct bytes node)
{
    struct rivals_wait *wait = core->rival_count < RIVALS_MAX && uid.len == sizeof wait->uid
                                   ? calloc(1, sizeof *wait)
                                   : NULL;
    if (wait == NULL) {
        request_refuse(request, ERR_BUSY);
        request_end(request);
        return;
    }
    wait->request = request;
    memcpy(wait->uid, uid.ptr, uid.len);
    wait->until_ms = core_now_ms(core) + RIVALS_WAIT_MS;
    wait->next = core->rivals;
    core->rivals = wait;
    core->rival_count++;
    uint8_t asked[HGTP_USER_ID_BYTES]; /* the word may come from inside, and end the wait */
    memcpy(asked, uid.ptr, sizeof asked);
    const struct bytes fields[] = {bytes_str("probe"), bytes_of(asked, sizeof asked),
                                   bytes_str(core->options.node)};
    const struct effect effect = {fields, sizeof fields / sizeof fields[0]};
    if (bytes_equal(node, bytes_str(core->options.node))) {
        rivals_on_probe(core, &effect);
    } else if (core->options.bus_address[0] != '\0') {
        core->options.bus.send(core->options.bus.ctx, node, &effect);
    } /* else its time runs out */
}

void rivals_on_probed(struct core *core, const struct effect *effect)
{
    const char *verdict = bytes_equal(effect->fields[2], bytes_str("dead"))    ? "dead"
                          : bytes_equal(effect->fields[2], bytes_str("alive")) ? "alive"
                                                                               : "unknown";
    struct rivals_wait **at = &core->rivals, *found = NULL;
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

void rivals_tick(struct core *core, int64_t now_ms)
{
    struct client *client, *next;
    if (core->probe_count > 0) {
        HASH_ITER(hh, core->roster.clients, client, next)
        {
            if (client->probe_ms != 0) {
                rivals_look(core, client);
            }
        }
    }
    struct rivals_wait **at = &core->rivals;
    while (*at != NULL) {
        struct rivals_wait *wait = *at;
        if (now_ms >= wait->until_ms) {
            *at = wait->next;
            rivals_resume(wait, "unknown");
            at = &core->rivals; /* it may have changed */
        } else {
            at = &wait->next;
        }
    }
}

void rivals_fini(struct core *core)
{
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        client->probe_ms = 0;
    }
    while (core->rivals != NULL) {
        struct rivals_wait *wait = core->rivals;
        core->rivals = wait->next;
        request_end(wait->request);
        free(wait);
    }
}
