/* SPDX-License-Identifier: MIT */
/*
 * lines: which client lives by which line. A line is attached by its session's token, or by the
 * REGISTER that came over it; it ends when the client goes, or when another connection of the same
 * session takes its place. What goes over it is channel.c's, the socket behind it the front's.
 */
#include "lines.h"

#include <utlist.h>

#include "node/base/metrics.h"
#include "request.h"

/* Clients that go away at once would all come at once to the other nodes. */
#define LINES_AWAY_PACE_MS 4

void lines_name(struct talk *talk, enum format format, char ret_name[ROSTER_LINE_MAX])
{
    uint64_t noise;
    talk->options.clock.random(talk->options.clock.ctx, (uint8_t *)&noise, sizeof noise);
    snprintf(ret_name, ROSTER_LINE_MAX, "%c%016" PRIx64, format == FORMAT_SSE ? 's' : 'w', noise);
}

struct bytes lines_token(const struct talk_asker *asker)
{
    const struct client *client = asker->owner;
    return client != NULL ? bytes_of(client->token, client->token_bytes) : asker->token;
}

/* Coming and going -------------------------------------------------------------------------------
 */

/* A line that is none any more. Redis has to know: the session is away from then on. */
struct lines_ended {
    struct talk *talk;
    struct lines_ended *next, *prev;
    uint8_t uid[HGTP_USER_ID_BYTES];
    char name[ROSTER_LINE_MAX];
    bool is_told; /* the answer is under way */
};

static void lines_on_told(const struct result *result, void *arg)
{
    struct lines_ended *ended = arg;
    struct talk *talk = ended->talk;
    talk_call_over(talk);
    ended->is_told = false;
    if (result != NULL) {
        effects_apply(talk, result, NULL, NULL);
        DL_DELETE(talk->ended_lines, ended);
        free(ended);
    }
}

/* An earlier line of the session may still be there, if the one that was to replace it was none. */
static void lines_tell(struct talk *talk, struct lines_ended *ended)
{
    struct bytes uid = bytes_of(ended->uid, sizeof ended->uid);
    const struct client *client = roster_client(&talk->roster, uid);
    ended->is_told = true;
    struct script_args args;
    talk_args_init(talk, &args, uid);
    script_args_str(&args, "line", ended->name);
    script_args_str(&args, "back", client != NULL && client->line != NULL ? client->line_name : "");
    talk_call(talk, SCRIPT_detach, &args, lines_on_told, ended);
}

void lines_forget(struct talk *talk, struct bytes uid, const char *name)
{
    struct lines_ended *ended = calloc(1, sizeof *ended);
    if (ended != NULL) {
        ended->talk = talk;
        memcpy(ended->uid, uid.ptr, sizeof ended->uid);
        snprintf(ended->name, sizeof ended->name, "%s", name);
        DL_APPEND(talk->ended_lines, ended);
        lines_tell(talk, ended);
    }
}

void lines_tick(struct talk *talk)
{
    struct lines_ended *ended, *next;
    DL_FOREACH_SAFE(talk->ended_lines, ended, next)
    {
        if (!ended->is_told && talk->store_connected && !talk_is_busy(talk)) {
            lines_tell(talk, ended);
        }
    }
}

void lines_fini(struct talk *talk)
{
    struct lines_ended *ended, *next;
    DL_FOREACH_SAFE(talk->ended_lines, ended, next)
    {
        DL_DELETE(talk->ended_lines, ended);
        free(ended);
    }
}

/* `kept` as of effects_kept; NULL: it has nothing of an earlier epoch. */
static void lines_attach(struct talk *talk, struct client *client, void *line, const char *name,
                         struct bytes token, const uint64_t *kept)
{
    if (client->line != line) {
        channel_close(talk, client, WS_CLOSE_REPLACED);
        client->line = line;
        channel_counted(talk, 1);
    }
    talk->options.line.own(line, client);
    snprintf(client->line_name, sizeof client->line_name, "%s", name);
    client->token_bytes = token.len <= sizeof client->token ? token.len : 0;
    memcpy(client->token, token.ptr, client->token_bytes);
    if (kept != NULL) {
        channel_epoch(talk, client, *kept);
    } else {
        channel_session(talk, client);
    }
    if (talk->draining) {
        channel_reconnect(talk, client, 0); /* it was under way when the others were told */
    }
}

void talk_on_line_ended(void *owner)
{
    struct client *client = owner;
    struct talk *talk = client->talk;
    client->line = NULL;
    client->is_full = false;
    client->has_unregistered = false;
    channel_counted(talk, -1);
    lines_forget(talk, bytes_of(client->uid, sizeof client->uid), client->line_name);
}

void lines_on_registered(struct talk *talk, struct bytes uid, void *line, const char *name,
                         struct bytes token)
{
    struct client *client = roster_client(&talk->roster, uid);
    bool has_line = line != NULL && name[0] != '\0';
    bool is_there = has_line && client != NULL && talk->options.line.is_open(line);
    if (!is_there && client != NULL && client->line != NULL) {
        channel_close(talk, client, WS_CLOSE_REPLACED);
    }
    if (has_line && !is_there) {
        lines_forget(talk, uid, name); /* it has gone before its answer came */
    }
    if (!is_there) {
        return;
    }
    struct client *earlier = talk->options.line.owner(line);
    if (earlier != NULL && earlier != client) {
        talk_on_line_ended(earlier); /* it has become another session's */
    }
    lines_attach(talk, client, line, name, token, NULL);
}

void lines_on_unregistered(struct talk *talk, struct bytes uid, const void *line)
{
    struct client *client = roster_client(&talk->roster, uid);
    if (client != NULL) {
        client->has_unregistered = line != NULL && client->line == line;
    }
}

void lines_send_away(struct talk *talk, int64_t within_ms)
{
    int64_t spread_ms = (int64_t)talk->line_count * LINES_AWAY_PACE_MS;
    spread_ms = spread_ms < within_ms ? spread_ms : within_ms;
    struct client *client, *next;
    int64_t turn = 0;
    HASH_ITER(hh, talk->roster.clients, client, next)
    {
        if (client->line != NULL) {
            channel_reconnect(talk, client, spread_ms * turn / (int64_t)talk->line_count);
            turn++;
        }
    }
}

/* Attaching by token -----------------------------------------------------------------------------
 */

struct lines_attaching {
    struct talk *talk;
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint8_t token[ROSTER_TOKEN_MAX];
    size_t token_bytes;
    char name[ROSTER_LINE_MAX];
    talk_on_attach_fn *on_attach;
    void *arg;
};

static void lines_on_attach_reply(const struct result *result, void *arg)
{
    uint64_t kept;
    struct lines_attaching *attaching = arg;
    struct talk *talk = attaching->talk;
    struct bytes uid = bytes_of(attaching->uid, sizeof attaching->uid);
    struct client *client = roster_client(&talk->roster, uid);
    void *line = attaching->on_attach(ERR_NONE, attaching->arg);
    attaching->on_attach = NULL;
    if (client != NULL && line != NULL) {
        lines_attach(talk, client, line, attaching->name,
                     bytes_of(attaching->token, attaching->token_bytes),
                     effects_kept(result, &kept) ? &kept : NULL);
        return;
    }
    lines_forget(talk, uid, attaching->name);
    if (line != NULL) {
        talk->options.line.close(line, WS_CLOSE_INTERNAL);
    }
}

static void lines_on_attach_result(const struct result *result, void *arg)
{
    struct lines_attaching *attaching = arg;
    struct talk *talk = attaching->talk;
    talk_call_over(talk);
    if (result != NULL && result->code == ERR_NONE) {
        effects_apply(talk, result, lines_on_attach_reply, attaching);
    } else {
        (void)attaching->on_attach(talk_outcome(talk, result), attaching->arg);
    }
    if (result == NULL) {
        /* It was told that it is none; Redis may have taken it for one. */
        lines_forget(talk, bytes_of(attaching->uid, sizeof attaching->uid), attaching->name);
    }
    free(attaching);
}

void talk_attach(struct talk *talk, const struct talk_attach *attach, talk_on_attach_fn *on_attach,
                 void *arg)
{
    uint8_t uid[HGTP_USER_ID_BYTES] = {0};
    struct bytes token = attach->asker.token;
    enum err err = talk->draining ? ERR_DRAINING : talk_is_busy(talk) ? ERR_BUSY : ERR_NONE;
    if (err == ERR_NONE && (!say_token_uid(token, uid) || token.len > ROSTER_TOKEN_MAX)) {
        err = ERR_NOT_REGISTERED;
    }
    const struct cost cost =
        cost_of(talk, &(struct cost_asker){bytes_of(uid, sizeof uid), token, attach->asker.ip,
                                           attach->asker.client_ip});
    err = err == ERR_NONE ? cost_take(talk, &cost, 0) : err;
    struct lines_attaching *attaching = err == ERR_NONE ? calloc(1, sizeof *attaching) : NULL;
    if (attaching == NULL) {
        (void)on_attach(err == ERR_NONE ? ERR_BUSY : err, arg);
        return;
    }
    *attaching = (struct lines_attaching){.talk = talk, .on_attach = on_attach, .arg = arg};
    memcpy(attaching->uid, uid, sizeof uid);
    memcpy(attaching->token, token.ptr, token.len);
    attaching->token_bytes = token.len;
    lines_name(talk, attach->format, attaching->name);
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(attaching->uid, sizeof attaching->uid));
    script_args_bytes(&args, "token", bytes_of(attaching->token, attaching->token_bytes));
    script_args_str(&args, "line", attaching->name);
    script_args_ip(&args, "client_ip", attach->asker.client_ip);
    script_args_str(&args, "after", "");
    if (attach->has_after) {
        args.count -= 2;
        script_args_int(&args, "after", (int64_t)attach->after);
    }
    script_args_bytes(&args, "epoch", attach->epoch);
    if (attach->has_try) {
        script_args_int(&args, "try", (int64_t)attach->try_number);
    }
    lists_args(talk, &args, bytes_of(attaching->uid, sizeof attaching->uid));
    const struct stranger stranger = {.uid = bytes_of(uid, sizeof uid),
                                      .token = token,
                                      .cost = &cost,
                                      .kind = COST_LARGE,
                                      .ip = attach->asker.client_ip,
                                      .is_proof = true};
    err = strangers_call(talk, &stranger, SCRIPT_attach, &args, lines_on_attach_result, attaching);
    if (err != ERR_NONE) {
        free(attaching);
        (void)on_attach(err, arg);
    }
}

struct lines_again {
    struct talk *talk;
    void *line; /* held */
};

static void *lines_on_attach_again(enum err err, void *arg)
{
    struct lines_again *again = arg;
    const struct line_port *port = &again->talk->options.line;
    void *line = err == ERR_NONE && port->is_open(again->line) ? again->line : NULL;
    port->let_go(again->line);
    free(again);
    return line;
}

void lines_attach_again(struct talk *talk, void *line, const struct talk_asker *asker)
{
    const struct client *owner = talk->options.line.owner(line);
    bool is_attached =
        owner != NULL && bytes_equal(asker->token, bytes_of(owner->token, owner->token_bytes));
    struct lines_again *again = is_attached ? NULL : calloc(1, sizeof *again);
    if (again != NULL) {
        *again = (struct lines_again){talk, line};
        talk->options.line.hold(line);
        const struct talk_attach attach = {.asker = *asker,
                                           .format = talk->options.line.format(line)};
        talk_attach(talk, &attach, lines_on_attach_again, again);
    }
}
