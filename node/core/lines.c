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

void lines_name(struct core *core, enum format format, char ret_name[ROSTER_LINE_MAX])
{
    uint64_t noise;
    core->options.clock.random(core->options.clock.ctx, (uint8_t *)&noise, sizeof noise);
    snprintf(ret_name, ROSTER_LINE_MAX, "%c%016" PRIx64, format == FORMAT_SSE ? 's' : 'w', noise);
}

struct bytes lines_token(const struct core_asker *asker)
{
    const struct client *client = asker->owner;
    return client != NULL ? bytes_of(client->token, client->token_bytes) : asker->token;
}

/* Coming and going -------------------------------------------------------------------------------
 */

/* A line that is none any more. Redis has to know: the session is away from then on. */
struct lines_ended {
    struct core *core;
    struct lines_ended *next, *prev;
    uint8_t uid[HGTP_USER_ID_BYTES];
    char name[ROSTER_LINE_MAX];
    bool is_told; /* the answer is under way */
};

static void lines_on_told(const struct result *result, void *arg)
{
    struct lines_ended *ended = arg;
    struct core *core = ended->core;
    core_call_over(core);
    ended->is_told = false;
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
        DL_DELETE(core->ended_lines, ended);
        free(ended);
    }
}

/* An earlier line of the session may still be there, if the one that was to replace it was none. */
static void lines_tell(struct core *core, struct lines_ended *ended)
{
    struct bytes uid = bytes_of(ended->uid, sizeof ended->uid);
    const struct client *client = roster_client(&core->roster, uid);
    ended->is_told = true;
    struct script_args args;
    core_args_init(core, &args, uid);
    script_args_str(&args, "line", ended->name);
    script_args_str(&args, "back", client != NULL && client->line != NULL ? client->line_name : "");
    core_call(core, SCRIPT_detach, &args, lines_on_told, ended);
}

void lines_forget(struct core *core, struct bytes uid, const char *name)
{
    struct lines_ended *ended = calloc(1, sizeof *ended);
    if (ended != NULL) {
        ended->core = core;
        memcpy(ended->uid, uid.ptr, sizeof ended->uid);
        snprintf(ended->name, sizeof ended->name, "%s", name);
        DL_APPEND(core->ended_lines, ended);
        lines_tell(core, ended);
    }
}

void lines_tick(struct core *core)
{
    struct lines_ended *ended, *next;
    DL_FOREACH_SAFE(core->ended_lines, ended, next)
    {
        if (!ended->is_told && core->store_connected && !core_is_busy(core)) {
            lines_tell(core, ended);
        }
    }
}

void lines_fini(struct core *core)
{
    struct lines_ended *ended, *next;
    DL_FOREACH_SAFE(core->ended_lines, ended, next)
    {
        DL_DELETE(core->ended_lines, ended);
        free(ended);
    }
}

/* `kept` as of effects_kept; NULL: it has nothing of an earlier epoch. */
static void lines_attach(struct core *core, struct client *client, void *line, const char *name,
                         struct bytes token, const uint64_t *kept)
{
    if (client->line != line) {
        channel_close(core, client, WS_CLOSE_REPLACED);
        client->line = line;
        channel_counted(core, 1);
    }
    core->options.line.own(line, client);
    snprintf(client->line_name, sizeof client->line_name, "%s", name);
    client->token_bytes = token.len <= sizeof client->token ? token.len : 0;
    memcpy(client->token, token.ptr, client->token_bytes);
    if (kept != NULL) {
        channel_epoch(core, client, *kept);
    } else {
        channel_session(core, client);
    }
    if (core->draining) {
        channel_reconnect(core, client, 0); /* it was under way when the others were told */
    }
}

void core_on_line_ended(void *owner)
{
    struct client *client = owner;
    struct core *core = client->core;
    client->line = NULL;
    client->is_full = false;
    client->has_unregistered = false;
    channel_counted(core, -1);
    lines_forget(core, bytes_of(client->uid, sizeof client->uid), client->line_name);
}

void lines_on_registered(struct core *core, struct bytes uid, void *line, const char *name,
                         struct bytes token)
{
    struct client *client = roster_client(&core->roster, uid);
    bool has_line = line != NULL && name[0] != '\0';
    bool is_there = has_line && client != NULL && core->options.line.is_open(line);
    if (!is_there && client != NULL && client->line != NULL) {
        channel_close(core, client, WS_CLOSE_REPLACED);
    }
    if (has_line && !is_there) {
        lines_forget(core, uid, name); /* it has gone before its answer came */
    }
    if (!is_there) {
        return;
    }
    struct client *earlier = core->options.line.owner(line);
    if (earlier != NULL && earlier != client) {
        core_on_line_ended(earlier); /* it has become another session's */
    }
    lines_attach(core, client, line, name, token, NULL);
}

void lines_on_unregistered(struct core *core, struct bytes uid, const void *line)
{
    struct client *client = roster_client(&core->roster, uid);
    if (client != NULL) {
        client->has_unregistered = line != NULL && client->line == line;
    }
}

void lines_send_away(struct core *core, int64_t within_ms)
{
    int64_t spread_ms = (int64_t)core->line_count * LINES_AWAY_PACE_MS;
    spread_ms = spread_ms < within_ms ? spread_ms : within_ms;
    struct client *client, *next;
    int64_t turn = 0;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        if (client->line != NULL) {
            channel_reconnect(core, client, spread_ms * turn / (int64_t)core->line_count);
            turn++;
        }
    }
}

/* Attaching by token -----------------------------------------------------------------------------
 */

struct lines_attaching {
    struct core *core;
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint8_t token[ROSTER_TOKEN_MAX];
    size_t token_bytes;
    char name[ROSTER_LINE_MAX];
    core_on_attach_fn *on_attach;
    void *arg;
};

static void lines_on_attach_reply(const struct result *result, void *arg)
{
    uint64_t kept;
    struct lines_attaching *attaching = arg;
    struct core *core = attaching->core;
    struct bytes uid = bytes_of(attaching->uid, sizeof attaching->uid);
    struct client *client = roster_client(&core->roster, uid);
    void *line = attaching->on_attach(ERR_NONE, attaching->arg);
    attaching->on_attach = NULL;
    if (client != NULL && line != NULL) {
        lines_attach(core, client, line, attaching->name,
                     bytes_of(attaching->token, attaching->token_bytes),
                     effects_kept(result, &kept) ? &kept : NULL);
        return;
    }
    lines_forget(core, uid, attaching->name);
    if (line != NULL) {
        core->options.line.close(line, WS_CLOSE_INTERNAL);
    }
}

static void lines_on_attach_result(const struct result *result, void *arg)
{
    struct lines_attaching *attaching = arg;
    struct core *core = attaching->core;
    core_call_over(core);
    if (result != NULL && result->code == ERR_NONE) {
        effects_apply(core, result, lines_on_attach_reply, attaching);
    } else {
        (void)attaching->on_attach(core_outcome(core, result), attaching->arg);
    }
    if (result == NULL) {
        /* It was told that it is none; Redis may have taken it for one. */
        lines_forget(core, bytes_of(attaching->uid, sizeof attaching->uid), attaching->name);
    }
    free(attaching);
}

void core_attach(struct core *core, const struct core_attach *attach, core_on_attach_fn *on_attach,
                 void *arg)
{
    uint8_t uid[HGTP_USER_ID_BYTES] = {0};
    struct bytes token = attach->asker.token;
    enum err err = core->draining ? ERR_DRAINING : core_is_busy(core) ? ERR_BUSY : ERR_NONE;
    if (err == ERR_NONE && (!say_token_uid(token, uid) || token.len > ROSTER_TOKEN_MAX)) {
        err = ERR_NOT_REGISTERED;
    }
    const struct cost cost =
        cost_of(core, &(struct cost_asker){bytes_of(uid, sizeof uid), token, attach->asker.ip,
                                           attach->asker.client_ip});
    err = err == ERR_NONE ? cost_take(core, &cost, 0) : err;
    struct lines_attaching *attaching = err == ERR_NONE ? calloc(1, sizeof *attaching) : NULL;
    if (attaching == NULL) {
        (void)on_attach(err == ERR_NONE ? ERR_BUSY : err, arg);
        return;
    }
    *attaching = (struct lines_attaching){.core = core, .on_attach = on_attach, .arg = arg};
    memcpy(attaching->uid, uid, sizeof uid);
    memcpy(attaching->token, token.ptr, token.len);
    attaching->token_bytes = token.len;
    lines_name(core, attach->format, attaching->name);
    struct script_args args;
    core_args_init(core, &args, bytes_of(attaching->uid, sizeof attaching->uid));
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
    lists_args(core, &args, bytes_of(attaching->uid, sizeof attaching->uid));
    const struct stranger stranger = {.uid = bytes_of(uid, sizeof uid),
                                      .token = token,
                                      .cost = &cost,
                                      .kind = COST_LARGE,
                                      .ip = attach->asker.client_ip,
                                      .is_proof = true};
    err = strangers_call(core, &stranger, SCRIPT_attach, &args, lines_on_attach_result, attaching);
    if (err != ERR_NONE) {
        free(attaching);
        (void)on_attach(err, arg);
    }
}

struct lines_again {
    struct core *core;
    void *line; /* held */
};

static void *lines_on_attach_again(enum err err, void *arg)
{
    struct lines_again *again = arg;
    const struct line_port *port = &again->core->options.line;
    void *line = err == ERR_NONE && port->is_open(again->line) ? again->line : NULL;
    port->let_go(again->line);
    free(again);
    return line;
}

void lines_attach_again(struct core *core, void *line, const struct core_asker *asker)
{
    const struct client *owner = core->options.line.owner(line);
    bool is_attached =
        owner != NULL && bytes_equal(asker->token, bytes_of(owner->token, owner->token_bytes));
    struct lines_again *again = is_attached ? NULL : calloc(1, sizeof *again);
    if (again != NULL) {
        *again = (struct lines_again){core, line};
        core->options.line.hold(line);
        const struct core_attach attach = {.asker = *asker,
                                           .format = core->options.line.format(line)};
        core_attach(core, &attach, lines_on_attach_again, again);
    }
}
