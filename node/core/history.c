/* SPDX-License-Identifier: MIT */
/*
 * history: entries of a room's log to who asks for them: from the room's feed where it still has
 * them, else read from the log, once for all of the room who ask for the same at the same time. Who
 * may see them is the script's to say, of whom this node does not know it.
 */
#include <utlist.h>

#include "lines.h"
#include "node/base/metrics.h"
#include "proto/talk_text.h"
#include "request.h"

/* Redis has told within this time who is where; else it is asked. */
#define HISTORY_FRESH_MS 1000

/* One who asks. */
struct history {
    struct core *core;
    struct cost cost;
    uint8_t token[ROSTER_TOKEN_MAX];
    size_t token_bytes;
    uint32_t ip;
    uint64_t before;
    size_t count;
    core_on_history_fn *on_history;
    void *arg;
    /* While it reads for others as well: */
    bool is_shared;
    char epoch[ROSTER_EPOCH_MAX]; /* of the room */
    struct history *sharers;      /* who asked later */
    struct history *next, *prev;
};

/* What is shown: the oldest first. */
struct history_page {
    struct bytes room;
    struct entry *entries[CORE_HISTORY_MAX];
    size_t count;
    bool has_more;
};

static void history_write(const struct history_page *page, enum notice_language language,
                          struct sink *out)
{
    const char *comma = "";
    talk_text_history_begin(page->room, out);
    for (size_t i = 0; i < page->count; i++) {
        if (entry_is_shown(page->entries[i])) {
            sink_text(out, comma);
            entry_text(page->entries[i], page->room, language, out);
            comma = ",";
        }
    }
    talk_text_history_end(page->has_more, out);
}

/* Its text, in memory of the caller's; empty: there is none for it. */
static struct bytes history_text(const struct core *core, const struct history_page *page)
{
    enum notice_language language = (enum notice_language)core->options.config->notices_language;
    struct sink text = sink_into(NULL, 0);
    history_write(page, language, &text);
    uint8_t *storage = malloc(text.len);
    if (storage == NULL) {
        return bytes_of(NULL, 0);
    }
    text = sink_into(storage, text.len);
    history_write(page, language, &text);
    return sink_bytes(&text);
}

static void history_answer(struct history *history, enum err err, struct bytes text)
{
    err = err == ERR_NONE && text.len == 0 ? ERR_BUSY : err;
    history->on_history(err, err == ERR_NONE ? text : bytes_of(NULL, 0), history->arg);
    free(history);
}

/* From memory ---------------------------------------------------------------------------------- */

/* A member at home here, whose place in the room is as Redis has lately said. */
static struct client *history_member(struct core *core, const struct history *history)
{
    struct bytes uid = bytes_of(history->cost.uid, sizeof history->cost.uid);
    struct client *client = history->cost.is_own ? roster_client(&core->roster, uid) : NULL;
    bool is_fresh = core->store_connected && core_now_ms(core) - core->beat_ms <= HISTORY_FRESH_MS;
    bool is_member =
        client != NULL && client->room != NULL && is_fresh && !homes_is_closed(core, client);
    return is_member ? client : NULL;
}

/* False: not all of it is among the room's recent entries. */
static bool history_recent(const struct room *room, uint64_t before, size_t count,
                           struct history_page *ret_page)
{
    const struct room_feed *feed = &room->feed;
    uint64_t end = before == 0 || before > feed->next ? feed->next : before;
    uint64_t first = end > count ? end - count : 1;
    uint64_t least = first > 1 ? first - 1 : 1; /* that there are more is seen by the one before */
    if (end <= least || room_feed_recent(feed, least) == NULL) {
        return false;
    }
    *ret_page = (struct history_page){.room = room->name, .has_more = first > 1};
    for (uint64_t seq = first; seq < end; seq++) {
        ret_page->entries[ret_page->count++] = room_feed_recent(feed, seq);
    }
    return true;
}

/* From the log --------------------------------------------------------------------------------- */

static void history_read(struct history *history);

/* The newest come first, and one more than was asked for. */
static void history_page_of(const struct result *result, size_t count, struct history_page *page)
{
    *page = (struct history_page){.room = result->extra};
    for (size_t i = 0; i < result->effect_count && !page->has_more; i++) {
        const struct effect *effect = &result->effects[i];
        struct entry *entry =
            effect_is(effect, "entry") && effect->count > 10 ? effects_entry(effect) : NULL;
        if (entry != NULL && page->count == count) {
            page->has_more = true;
            entry_unref(entry);
        } else if (entry != NULL) {
            page->entries[page->count++] = entry;
        }
    }
    for (size_t i = 0; i < page->count / 2; i++) {
        struct entry *entry = page->entries[i];
        page->entries[i] = page->entries[page->count - 1 - i];
        page->entries[page->count - 1 - i] = entry;
    }
}

static struct bytes history_text_of(const struct core *core, const struct result *result,
                                    size_t count)
{
    struct history_page page;
    history_page_of(result, count, &page);
    struct bytes text = history_text(core, &page);
    for (size_t i = 0; i < page.count; i++) {
        entry_unref(page.entries[i]);
    }
    return text;
}

static void history_on_read(const struct result *result, void *arg)
{
    struct history *history = arg, *sharer, *next;
    struct core *core = history->core;
    core_call_over(core);
    enum err err = core_outcome(core, result);
    struct bytes text =
        err == ERR_NONE ? history_text_of(core, result, history->count) : bytes_of(NULL, 0);
    metric_add(METRIC_HISTORY_LOG, err == ERR_NONE ? 1 : 0);
    if (history->is_shared) {
        DL_DELETE(core->history_reads, history);
    }
    LL_FOREACH_SAFE(history->sharers, sharer, next)
    {
        if (result != NULL && err != ERR_NONE) {
            history_read(sharer); /* it was about the one who asked first */
        } else {
            cost_charge(core, &sharer->cost, text.len, 0);
            metric_add(METRIC_HISTORY_SHARED, 1);
            history_answer(sharer, err, text);
        }
    }
    history_answer(history, err, text);
    free((void *)text.ptr);
}

static void history_read(struct history *history)
{
    struct core *core = history->core;
    struct bytes uid = bytes_of(history->cost.uid, sizeof history->cost.uid);
    struct bytes token = bytes_of(history->token, history->token_bytes);
    char from[32] = "+";
    if (history->before != 0) {
        snprintf(from, sizeof from, "(0-%" PRIu64, history->before);
    }
    struct script_args args;
    core_args_init(core, &args, uid);
    script_args_bytes(&args, "token", token);
    script_args_ip(&args, "ip", history->ip);
    script_args_str(&args, "before", from);
    script_args_int(&args, "count", (int64_t)history->count + 1);
    const struct stranger stranger = {.uid = uid,
                                      .token = token,
                                      .cost = &history->cost,
                                      .kind = COST_LARGE,
                                      .ip = history->cost.client_ip,
                                      .is_proof = true};
    enum err err = strangers_call(core, &stranger, SCRIPT_history, &args, history_on_read, history);
    if (err != ERR_NONE) {
        history_answer(history, err, bytes_of(NULL, 0));
    }
}

/* The same session has asked already: its reads take turns. */
static bool history_is_in(const struct history *read, const struct history *history)
{
    const struct history *sharer;
    LL_FOREACH(read->sharers, sharer)
    {
        if (sharer->cost.key == history->cost.key) {
            return true;
        }
    }
    return read->cost.key == history->cost.key;
}

/* True: somebody else is reading the same already, and this one gets it as well. */
static bool history_joins(struct history *history, const struct room *room)
{
    struct history *read;
    DL_FOREACH(history->core->history_reads, read)
    {
        if (strcmp(read->epoch, room->epoch) == 0 && read->before == history->before &&
            read->count == history->count) {
            bool is_in = history_is_in(read, history);
            if (!is_in) {
                LL_PREPEND(read->sharers, history);
            }
            return !is_in;
        }
    }
    history->is_shared = true;
    snprintf(history->epoch, sizeof history->epoch, "%s", room->epoch);
    DL_APPEND(history->core->history_reads, history);
    return false;
}

static void history_begin(struct history *history)
{
    struct core *core = history->core;
    struct client *client = history_member(core, history);
    struct history_page page;
    if (client != NULL && history_recent(client->room, history->before, history->count, &page)) {
        struct bytes text = history_text(core, &page);
        cost_charge(core, &history->cost, text.len, 0);
        metric_add(METRIC_HISTORY_MEMORY, 1);
        history_answer(history, ERR_NONE, text);
        free((void *)text.ptr);
    } else if (client == NULL || !history_joins(history, client->room)) {
        history_read(history);
    }
}

void core_history(struct core *core, const struct core_asker *asker, uint64_t before, size_t count,
                  core_on_history_fn *on_history, void *arg)
{
    uint8_t uid[HGTP_USER_ID_BYTES] = {0};
    struct bytes token = lines_token(asker);
    enum err err = !say_token_uid(token, uid) || token.len > ROSTER_TOKEN_MAX ? ERR_NOT_REGISTERED
                   : core_is_busy(core)                                       ? ERR_BUSY
                                                                              : ERR_NONE;
    const struct cost cost = cost_of(
        core, &(struct cost_asker){bytes_of(uid, sizeof uid), token, asker->ip, asker->client_ip});
    err = err == ERR_NONE ? cost_take(core, &cost, 0) : err;
    struct history *history = err == ERR_NONE ? calloc(1, sizeof *history) : NULL;
    if (history == NULL) {
        on_history(err == ERR_NONE ? ERR_BUSY : err, bytes_of(NULL, 0), arg);
        return;
    }
    *history = (struct history){.core = core,
                                .cost = cost,
                                .token_bytes = token.len,
                                .ip = asker->ip,
                                .before = before,
                                .count = count,
                                .on_history = on_history,
                                .arg = arg};
    memcpy(history->token, token.ptr, token.len);
    history_begin(history);
}
