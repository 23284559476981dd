/* SPDX-License-Identifier: MIT */
/*
 * lines: which client lives by which line. A line is attached by its session's token, or by the
 * REGISTER that came over it; it ends when the client goes, or when another connection of the same
 * session takes its place. What goes over it is channel.c's, the socket behind it the front's.
 */
#include "lines.h"

#include <utlist.h>

#include "node/base/metrics.h"
#include "proto/talk_text.h"
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
    uint8_t uid[HGTP_USER_ID_BYTES];
    struct bytes token = attach->asker.token;
    enum err err = talk->draining ? ERR_DRAINING : talk_is_busy(talk) ? ERR_BUSY : ERR_NONE;
    if (err == ERR_NONE && (!say_token_uid(token, uid) || token.len > ROSTER_TOKEN_MAX)) {
        err = ERR_NOT_REGISTERED;
    }
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

/* History ----------------------------------------------------------------------------------------
 */

struct lines_history {
    struct talk *talk;
    size_t count;
    talk_on_history_fn *on_history;
    void *arg;
};

/* The newest come first, and one more than was asked for. */
static void lines_write_history(const struct result *result, const struct lines_history *history,
                                struct sink *out)
{
    enum notice_language language =
        (enum notice_language)history->talk->options.config->notices_language;
    const char *comma = "";
    size_t entry_count = 0, at = result->effect_count;
    for (size_t i = 0; i < result->effect_count; i++) {
        entry_count += effect_is(&result->effects[i], "entry") ? 1 : 0;
    }
    bool has_more = entry_count > history->count;
    talk_text_history_begin(result->extra, out);
    while (at > 0) {
        const struct effect *effect = &result->effects[--at];
        bool is_entry = effect_is(effect, "entry") && effect->count > 10;
        if (!is_entry || entry_count-- > history->count) {
            continue;
        }
        struct entry *entry = effects_entry(effect);
        if (entry != NULL && entry_is_shown(entry)) {
            sink_text(out, comma);
            entry_text(entry, result->extra, language, out);
            comma = ",";
        }
        entry_unref(entry);
    }
    talk_text_history_end(has_more, out);
}

static void lines_on_history(const struct result *result, void *arg)
{
    struct lines_history *history = arg;
    talk_call_over(history->talk);
    enum err err = talk_outcome(history->talk, result);
    struct sink text = sink_into(NULL, 0);
    uint8_t *storage = NULL;
    if (err == ERR_NONE) {
        lines_write_history(result, history, &text);
        storage = malloc(text.len);
        err = storage != NULL ? ERR_NONE : ERR_BUSY;
    }
    if (err == ERR_NONE) {
        text = sink_into(storage, text.len);
        lines_write_history(result, history, &text);
    }
    history->on_history(err, err == ERR_NONE ? sink_bytes(&text) : bytes_of(NULL, 0), history->arg);
    free(storage);
    free(history);
}

void talk_history(struct talk *talk, const struct talk_asker *asker, uint64_t before, size_t count,
                  talk_on_history_fn *on_history, void *arg)
{
    uint8_t uid[HGTP_USER_ID_BYTES];
    struct bytes token = lines_token(asker);
    enum err err = !say_token_uid(token, uid) ? ERR_NOT_REGISTERED
                   : talk_is_busy(talk)       ? ERR_BUSY
                                              : ERR_NONE;
    if (err == ERR_NONE && !say_in_time(talk, bytes_of(uid, sizeof uid))) {
        err = ERR_RATE_LIMITED;
    }
    struct lines_history *history = err == ERR_NONE ? calloc(1, sizeof *history) : NULL;
    if (history == NULL) {
        on_history(err == ERR_NONE ? ERR_BUSY : err, bytes_of(NULL, 0), arg);
        return;
    }
    *history = (struct lines_history){talk, count, on_history, arg};
    char from[32] = "+";
    if (before != 0) {
        snprintf(from, sizeof from, "(0-%" PRIu64, before);
    }
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(uid, sizeof uid));
    script_args_bytes(&args, "token", token);
    script_args_ip(&args, "ip", asker->ip);
    script_args_str(&args, "before", from);
    script_args_int(&args, "count", (int64_t)count + 1);
    const struct stranger stranger = {
        .uid = bytes_of(uid, sizeof uid), .token = token, .ip = asker->client_ip, .is_proof = true};
    err = strangers_call(talk, &stranger, SCRIPT_history, &args, lines_on_history, history);
    if (err != ERR_NONE) {
        free(history);
        on_history(err, bytes_of(NULL, 0), arg);
    }
}
