/* SPDX-License-Identifier: MIT */
/*
 * originals: what a node does for the clients of the original's kind that are at home here, which
 * cannot look after themselves: it keeps where their datagrams go, tells one whose session is no
 * more that it is in no room, and gives up those whose HTTP port is dead. What a session is, and
 * how it ends, is decided by the scripts.
 */
#include "node/base/log.h"
#include "node/base/metrics.h"
#include "request.h"

#define ORIGINALS_LOOK_MS 500
#define ORIGINALS_BATCH   100 /* sessions that are ended by one call */
/* One dead port says nothing about the others; two may. */
#define ORIGINALS_FEW 1

void originals_reach(struct client *client, struct bytes address)
{
    client->reach_port = 0;
    (void)effects_address(address, &client->reach_ip, &client->reach_port);
}

void originals_is_out(struct core *core, struct bytes uid)
{
    struct client *client = roster_client(&core->roster, uid);
    if (client != NULL) {
        client->believes_in_room = false;
    }
}

void originals_tell_out(struct core *core, const struct client *client)
{
    if (!client->believes_in_room || client->reach_port == 0 || client->line != NULL) {
        return;
    }
    char address[24];
    datagrams_address(client->reach_ip, client->reach_port, address);
    const struct bytes fields[] = {bytes_str("relay"),
                                   bytes_str("REMOVE"),
                                   bytes_of(client->uid, sizeof client->uid),
                                   bytes_str(address),
                                   bytes_str("1"),
                                   bytes_str(""),
                                   bytes_str(client->name != NULL ? client->name : "")};
    const struct effect effect = {fields, sizeof fields / sizeof fields[0]};
    datagrams_relay(core, &effect);
}

/* Signs of life ----------------------------------------------------------------------------------
 */

/* What the scripts have said to it: it was none of this session's. */
static bool originals_is_strangers(enum err err)
{
    return err == ERR_NOT_REGISTERED || err == ERR_ADDRESS_MISMATCH ||
           err == ERR_SIGNATURE_REQUIRED || err == ERR_REPLAYED || err == ERR_WRONG_DIGEST ||
           err == ERR_CHALLENGE_USED || err == ERR_TOKEN_REQUIRED;
}

void originals_heard(struct core *core, const struct request *request, enum err err)
{
    struct client *client = roster_client(&core->roster, request_uid(request));
    if (client == NULL || request->origin.port == 0 || originals_is_strangers(err)) {
        return;
    }
    /* Answers get no word of the scripts. */
    bool is_request = hgtp_type_is_request(request->msg.header.type);
    if (is_request || (client->reach_port != 0 && request->origin.ip == client->reach_ip)) {
        client->heard_ms = core_now_ms(core);
        client->heard_lost_count =
            client->push != NULL ? core->options.push.health(client->push).lost_count : 0;
    }
}

/* Dead ports -------------------------------------------------------------------------------------
 */

static void originals_on_given_up(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    core->giving_up = false;
    if (result != NULL) {
        metric_add(METRIC_PUSH_GIVEN_UP, effects_number(result->extra, 0));
        effects_apply(core, result, NULL, NULL);
    }
}

static void originals_give_up(struct core *core, struct bytes uids)
{
    core->giving_up = true;
    struct script_args args;
    core_args_init(core, &args, bytes_of(NULL, 0));
    script_args_bytes(&args, "uids", uids);
    core_call(core, SCRIPT_give_up, &args, originals_on_given_up, core);
}

/* Since when its port has been dead, as far as that counts; 0: it is not. */
static int64_t originals_dead_since(const struct core *core, const struct client *client,
                                    int64_t now_ms)
{
    struct push_health health = {0};
    if (client->push != NULL && !client->leaving) {
        health = core->options.push.health(client->push);
    }
    if (health.failing_ms == 0) {
        return 0;
    }
    int64_t since_ms = now_ms - health.failing_ms;
    since_ms = client->heard_ms > since_ms ? client->heard_ms : since_ms;
    return core->ports_doubted_ms > since_ms ? core->ports_doubted_ms : since_ms;
}

/* When most connections fail, it is this node's network that is broken: their time begins anew
 * when it is not any more. */
static bool originals_doubt(struct core *core, int64_t now_ms)
{
    size_t push_count = 0, failing_count = 0;
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        if (client->push != NULL && !client->leaving) {
            push_count++;
            failing_count += core->options.push.health(client->push).failing_ms != 0 ? 1 : 0;
        }
    }
    metric_set(METRIC_PUSH_FAILING, (int64_t)failing_count);
    if (failing_count <= ORIGINALS_FEW || 2 * failing_count <= push_count) {
        return false;
    }
    core->ports_doubted_ms = now_ms;
    LOG_LIMITED(LOG_WARN, "push_ports_doubted", log_int("failing", (int64_t)failing_count),
                log_int("of", (int64_t)push_count),
                log_str("hint", "more than half of this node's push connections fail: its own "
                                "network may be broken, so no session is given up"));
    return true;
}

void originals_tick(struct core *core, int64_t now_ms)
{
    if (now_ms < core->next_ports_ms || core->giving_up) {
        return;
    }
    core->next_ports_ms = now_ms + ORIGINALS_LOOK_MS;
    if (originals_doubt(core, now_ms)) {
        return;
    }
    int64_t longest_ms = core->options.config->http_push_give_up_s * 1000;
    uint8_t uids[ORIGINALS_BATCH * HGTP_USER_ID_BYTES];
    struct sink out = sink_into(uids, sizeof uids);
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        int64_t since_ms = originals_dead_since(core, client, now_ms);
        if (since_ms != 0 && now_ms - since_ms >= longest_ms && out.len < sizeof uids) {
            sink_put(&out, bytes_of(client->uid, sizeof client->uid));
        }
    }
    if (out.len > 0) {
        originals_give_up(core, sink_bytes(&out));
    }
}
