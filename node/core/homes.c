/* SPDX-License-Identifier: MIT */
/*
 * homes: sessions that come to this node and go from it. One that moves while both nodes live is
 * handed over: the old home stops, waits a moment for what is under way to be confirmed, and tells
 * the new one where to go on. What clients have confirmed is kept in Redis at short intervals for
 * the case that a node dies. Who is at home where is decided by the scripts.
 */
#include "channel.h"
#include "node/base/log.h"
#include "node/base/metrics.h"

#define HOMES_LEAVE_MS 250  /* what is under way to a client that leaves has so long to arrive */
#define HOMES_AGAIN_MS 1000 /* Redis did not say whether it has left: asked again */
#define HOMES_HOLD_MS  500  /* the old home is waited for so long */
#define HOMES_SEEN_MS  250  /* confirmed numbers of a client are reported so often */
#define HOMES_BATCH    500
#define HOMES_SEEN_MAX (HGTP_USER_ID_BYTES + 20 + ROSTER_EPOCH_MAX + 3) /* bytes of one report */

/* Without a beat for so long the others take this node for dead and go on with its sessions. */
static bool homes_is_given_up(const struct core *core)
{
    return core->options.bus_address[0] != '\0' && core->beat_ms != 0 &&
           core_now_ms(core) - core->beat_ms > CORE_DEAD_MS;
}

bool homes_is_closed(const struct core *core, const struct client *client)
{
    return (core->stopped && client->line == NULL) || client->leaving || homes_is_given_up(core) ||
           (client->held_ms != 0 && core_now_ms(core) < client->held_ms);
}

/* Walks ------------------------------------------------------------------------------------------
 */

static void homes_walk_on(struct core *core);

static void homes_walk_next(struct homes_walks *walks)
{
    walks->count--;
    memmove(walks->nodes[0], walks->nodes[1], walks->count * sizeof walks->nodes[0]);
    walks->cursor[0] = '\0';
}

static void homes_on_walked(const struct result *result, void *arg)
{
    struct core *core = arg;
    struct homes_walks *walks = &core->walks;
    core_call_over(core);
    walks->under_way = false;
    if (result == NULL || result->code != ERR_NONE) {
        return; /* goes on by the clock */
    }
    effects_apply(core, result, NULL, NULL);
    if (bytes_equal(result->extra, bytes_str("0")) || result->extra.len >= sizeof walks->cursor) {
        homes_walk_next(walks);
    } else {
        snprintf(walks->cursor, sizeof walks->cursor, "%.*s", (int)result->extra.len,
                 (const char *)result->extra.ptr);
    }
    homes_walk_on(core);
}

static void homes_walk_on(struct core *core)
{
    struct homes_walks *walks = &core->walks;
    /* One that drains takes nobody over, but is shown its own sessions. */
    while (core->draining && !walks->under_way && walks->count > 0 &&
           strcmp(walks->nodes[0], core->options.node) != 0) {
        homes_walk_next(walks); /* those that are lost are named again with every beat */
    }
    if (walks->count == 0 || walks->under_way) {
        return;
    }
    walks->under_way = true;
    struct script_args args;
    core_args_init(core, &args, bytes_of(NULL, 0));
    script_args_str(&args, "from", walks->nodes[0]);
    script_args_str(&args, "cursor", walks->cursor[0] != '\0' ? walks->cursor : "0");
    script_args_int(&args, "count", HOMES_BATCH);
    core_call(core, SCRIPT_adopt, &args, homes_on_walked, core);
}

void homes_walk(struct core *core, struct bytes node)
{
    struct homes_walks *walks = &core->walks;
    for (size_t i = 0; i < walks->count; i++) {
        if (bytes_equal(node, bytes_str(walks->nodes[i]))) {
            return;
        }
    }
    if (node.len >= ROSTER_NODE_MAX) {
        return;
    }
    if (walks->count == HOMES_WALKS_MAX) {
        walks->count--; /* those that are lost are named again with every beat */
    }
    snprintf(walks->nodes[walks->count++], ROSTER_NODE_MAX, "%.*s", (int)node.len,
             (const char *)node.ptr);
    homes_walk_on(core);
}

/* What this node should have ---------------------------------------------------------------------
 */

static void homes_on_answer(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
    }
}

static void homes_call_look(struct core *core, struct bytes uid, store_on_result_fn *on_result,
                            void *arg)
{
    struct script_args args;
    core_args_init(core, &args, uid);
    const struct client *client = roster_client(&core->roster, uid);
    script_args_str(&args, "line", client != NULL && client->line != NULL ? client->line_name : "");
    core_call(core, SCRIPT_look, &args, on_result, arg);
}

/* Whom an unanswered question was about is not kept: all are asked about, until Redis answers. */
static void homes_on_looked(const struct result *result, void *arg)
{
    struct core *core = arg;
    homes_on_answer(result, core);
    if (result == NULL || result->code != ERR_NONE) {
        homes_walk(core, bytes_str(core->options.node));
    }
}

void homes_look(struct core *core, struct bytes uid)
{
    homes_call_look(core, uid, homes_on_looked, core);
}

/* Going ------------------------------------------------------------------------------------------
 */

static void homes_tell(struct core *core, const struct homes_move *move, const char *epoch,
                       uint64_t next)
{
    char digits[24], number[24];
    snprintf(digits, sizeof digits, "%" PRIu64, next);
    snprintf(number, sizeof number, "%" PRId64, move->number);
    const struct bytes fields[] = {bytes_str("released"), move->uid, bytes_str(epoch),
                                   bytes_str(digits), bytes_str(number)};
    const struct effect effect = {fields, sizeof fields / sizeof fields[0]};
    core->options.bus.send(core->options.bus.ctx, move->node, &effect);
}

/* The last entry of its room that the client has: what came before its first one it got elsewhere,
 * or it is not for it. */
static uint64_t homes_confirmed(const struct core *core, const struct client *client)
{
    uint64_t mark = channel_confirmed(core, client);
    uint64_t number = mark & (((uint64_t)1 << DELIVER_MARK_BITS) - 1);
    bool is_of_stay = mark >> DELIVER_MARK_BITS == client->turn && number >= client->first;
    return is_of_stay ? number : client->first - 1;
}

/* The first entry of its room that the client may not have. */
static uint64_t homes_next(const struct core *core, const struct client *client)
{
    return channel_is_idle(core, client) ? roster_next(client) : homes_confirmed(core, client) + 1;
}

/* Tells the new home where the client has ended; one that is held still does not know. */
static void homes_give_word(struct core *core, struct client *client)
{
    const struct homes_move move = {bytes_of(client->uid, sizeof client->uid),
                                    bytes_str(client->leaving_to), client->leaving_move};
    bool is_in_room = client->room != NULL;
    if (client->held_ms == 0) {
        homes_tell(core, &move, is_in_room ? client->room->epoch : "",
                   is_in_room ? homes_next(core, client) : 0);
    }
    free(client->leaving_to);
    client->leaving_to = NULL;
}

/* Lets go of a client that leaves, once nothing is under way to it or the time is over. */
/* What was under way when it moved may come twice: nobody knows whether it has arrived. */
static void homes_is_late(const char *why)
{
    metric_add(METRIC_MOVES_LATE, 1);
    LOG_LIMITED(LOG_INFO, "move_late", log_str("why", why),
                log_str("effect", "some of the last talk may come twice to that client"));
}

static void homes_let_go(struct core *core, struct client *client)
{
    int64_t now_ms = core_now_ms(core);
    /* One that is held has yet to hear where it stands itself, and waits for that to the end. */
    int64_t until_ms = client->held_ms > client->leave_ms ? client->held_ms : client->leave_ms;
    bool is_done =
        client->leaving_to != NULL && client->held_ms == 0 && channel_is_idle(core, client);
    if (!client->leaving || (!is_done && now_ms < until_ms)) {
        return;
    }
    if (client->leaving_to != NULL) {
        if (!is_done) {
            homes_is_late("it has not confirmed what it was sent in time");
        }
        homes_give_word(core, client);
    }
    client->leave_ms = now_ms + HOMES_AGAIN_MS;
    homes_look(core, bytes_of(client->uid, sizeof client->uid));
}

void homes_keep(struct client *client)
{
    client->leaving = false;
    free(client->leaving_to);
    client->leaving_to = NULL;
}

/* One that has come back by another line before this word was here stays. */
static void homes_release_line(struct core *core, struct client *client, struct bytes line)
{
    if (bytes_equal(line, bytes_str(client->line_name))) {
        channel_close(core, client, WS_CLOSE_REPLACED);
    }
    homes_look(core, bytes_of(client->uid, sizeof client->uid));
}

/* A node waits for the word about one who is not here. */
struct homes_question {
    struct core *core;
    uint8_t uid[HGTP_USER_ID_BYTES];
    char node[ROSTER_NODE_MAX];
    int64_t number;
};

/* What Redis answered before that is here now. */
static void homes_on_question(const struct result *result, void *arg)
{
    struct homes_question *question = arg;
    struct core *core = question->core;
    const struct homes_move move = {bytes_of(question->uid, sizeof question->uid),
                                    bytes_str(question->node), question->number};
    bool is_here = roster_client(&core->roster, move.uid) != NULL;
    core_call_over(core);
    if (is_here) {
        homes_release(core, &move, bytes_of(NULL, 0));
    }
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
    }
    if (!is_here) {
        homes_tell(core, &move, "", 0);
    }
    free(question);
}

/* Redis' answer that it has come may still be on its way. */
static void homes_ask_about(struct core *core, const struct homes_move *move)
{
    struct homes_question *question = calloc(1, sizeof *question);
    if (question == NULL || move->uid.len != sizeof question->uid) {
        free(question);
        return;
    }
    question->core = core;
    question->number = move->number;
    memcpy(question->uid, move->uid.ptr, move->uid.len);
    snprintf(question->node, sizeof question->node, "%.*s", (int)move->node.len,
             (const char *)move->node.ptr);
    homes_call_look(core, move->uid, homes_on_question, question);
}

/* It goes back to where it came from without a word from there: nothing was sent from here. */
static bool homes_goes_back(const struct client *client, const struct homes_move *move)
{
    return client->held_ms != 0 && client->held_move == client->move && client->held_from != NULL &&
           bytes_equal(move->node, bytes_str(client->held_from));
}

void homes_release(struct core *core, const struct homes_move *move, struct bytes line)
{
    struct client *client = roster_client(&core->roster, move->uid);
    bool is_asked = move->node.len > 0 && move->node.len < ROSTER_NODE_MAX;
    if (client == NULL && is_asked) {
        homes_ask_about(core, move);
    }
    /* One that is here again by a later move has not left. */
    if (client == NULL || (move->number != 0 && move->number <= client->move)) {
        return;
    }
    if (client->line != NULL) {
        homes_release_line(core, client, line);
        return;
    }
    if (!client->leaving) {
        client->leaving = true;
        client->leave_ms = core_now_ms(core) + HOMES_LEAVE_MS;
    }
    if (homes_goes_back(client, move)) {
        client->held_ms = 0;
        homes_look(core, move->uid);
    } else if (is_asked) {
        free(client->leaving_to);
        client->leaving_to = strndup((const char *)move->node.ptr, move->node.len);
        client->leaving_move = move->number;
        homes_let_go(core, client);
    }
}

void homes_doubt_if_given_up(struct core *core)
{
    if (homes_is_given_up(core)) {
        homes_doubt(core);
    }
}

void homes_doubt(struct core *core)
{
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        homes_keep(client);
        client->leaving = true;
        client->leave_ms = core_now_ms(core);
        homes_let_go(core, client);
    }
}

void core_on_confirmed(void *owner)
{
    struct client *client = owner;
    rivals_on_confirmed(client->core, client);
    homes_let_go(client->core, client);
}

/* Coming -----------------------------------------------------------------------------------------
 */

void homes_arrived(struct core *core, struct client *client, const struct homes_move *move,
                   bool is_held)
{
    metric_add(METRIC_SESSIONS_ARRIVED, 1);
    client->held_ms = is_held ? core_now_ms(core) + HOMES_HOLD_MS : 0;
    client->held_move = move->number;
    free(client->held_from);
    client->held_from = strndup((const char *)move->node.ptr, move->node.len);
    deliver_give_all(core, client);
}

bool homes_has_stayed(struct core *core, struct client *client, bool is_held)
{
    if (client->leaving && client->leaving_to == NULL) {
        return false; /* the word was given */
    }
    if (client->held_ms != 0 && is_held) {
        client->held_ms = core_now_ms(core) + HOMES_HOLD_MS;
    }
    return true;
}

/* The word about the move that it is held for; or about a later one, when it has been away and back
 * meanwhile, if there is something in it. */
static bool homes_is_awaited(const struct client *client, int64_t number, bool says_something)
{
    bool is_later = number > client->held_move && number <= client->move;
    return number == 0 || number == client->held_move || (is_later && says_something);
}

void homes_released(struct core *core, const struct homes_move *move, struct bytes epoch,
                    uint64_t next)
{
    struct client *client = roster_client(&core->roster, move->uid);
    if (client == NULL || client->held_ms == 0) {
        return;
    }
    bool is_of_room = client->room != NULL && bytes_equal(epoch, bytes_str(client->room->epoch));
    if (!homes_is_awaited(client, move->number, is_of_room)) {
        return;
    }
    client->held_ms = 0;
    if (is_of_room && next > client->first) {
        /* The old home may have been ahead of the room's feed here. */
        client->first = next;
        client->behind_at = next > client->behind_at ? next : client->behind_at;
    }
    homes_let_go(core, client);
    deliver_catch_up(core, client);
}

/* Confirmed numbers ------------------------------------------------------------------------------
 */

static void homes_report(struct core *core, int64_t now_ms, int64_t every_ms);

static void homes_on_reported(const struct result *result, void *arg)
{
    struct core *core = arg;
    core->seeing = false;
    homes_on_answer(result, arg);
    if (result != NULL && core->seen_was_full) {
        homes_report(core, core_now_ms(core), HOMES_SEEN_MS);
    }
}

static void homes_put_seen(struct core *core, struct client *client, struct sink *out)
{
    char text[32 + ROSTER_EPOCH_MAX];
    uint64_t confirmed = homes_confirmed(core, client);
    snprintf(text, sizeof text, " %llu %s ", (unsigned long long)confirmed, client->room->epoch);
    sink_put(out, bytes_of(client->uid, sizeof client->uid));
    sink_text(out, text);
    client->seen = confirmed;
}

/* Those whose number has changed, and was not reported within the last `every_ms`. */
static void homes_report(struct core *core, int64_t now_ms, int64_t every_ms)
{
    uint8_t storage[HOMES_BATCH * HOMES_SEEN_MAX];
    struct sink out = sink_into(storage, sizeof storage);
    struct client *client, *next;
    core->seen_was_full = false;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        if (client->room == NULL || client->push == NULL || now_ms - client->seen_ms < every_ms ||
            homes_confirmed(core, client) == client->seen) {
            continue;
        }
        if (out.cap - out.len < HOMES_SEEN_MAX) {
            core->seen_was_full = true;
            break;
        }
        client->seen_ms = now_ms;
        homes_put_seen(core, client, &out);
    }
    if (out.len > 0) {
        core->seeing = true;
        struct script_args args;
        core_args_init(core, &args, bytes_of(NULL, 0));
        script_args_bytes(&args, "seen", sink_bytes(&out));
        core_call(core, SCRIPT_seen, &args, homes_on_reported, core);
    }
}

void homes_report_all(struct core *core)
{
    do {
        homes_report(core, core_now_ms(core), 0);
    } while (core->seen_was_full);
}

void homes_tick(struct core *core, int64_t now_ms)
{
    homes_walk_on(core);
    struct client *client, *next;
    HASH_ITER(hh, core->roster.clients, client, next)
    {
        homes_let_go(core, client);
        if (client->held_ms != 0 && now_ms >= client->held_ms) {
            homes_is_late("the node that it left has not said in time where it stands");
            client->held_ms = 0;
            deliver_catch_up(core, client);
        }
    }
    if (!core->seeing) {
        homes_report(core, now_ms, HOMES_SEEN_MS);
    }
}
