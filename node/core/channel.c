/* SPDX-License-Identifier: MIT */
/*
 * channel: hands entries, lists and what else there is to tell to a client's push connection or
 * line, in the form it takes. What is told when is decided elsewhere.
 */
#include "channel.h"

#include "node/base/metrics.h"
#include "proto/talk_text.h"

bool channel_is_open(const struct client *client)
{
    return client->push != NULL || client->line != NULL;
}

bool channel_is_alive(const struct core *core, const struct client *client)
{
    return client->line != NULL || (client->push != NULL && core->options.push.alive(client->push));
}

bool channel_is_idle(const struct core *core, const struct client *client)
{
    return client->push == NULL || core->options.push.idle(client->push);
}

uint64_t channel_confirmed(const struct core *core, const struct client *client)
{
    return client->push != NULL ? core->options.push.confirmed(client->push) : 0;
}

static enum format channel_format(const struct core *core, const struct client *client)
{
    return client->line != NULL ? core->options.line.format(client->line) : FORMAT_PUSH;
}

/* What is refused is not offered again before the connection says that it has space. */
static bool channel_send(struct core *core, struct client *client, enum push_type type,
                         struct frame *frame, uint64_t mark)
{
    bool is_taken = client->line != NULL ? core->options.line.send(client->line, frame, false)
                                         : core->options.push.send(client->push, type, frame, mark);
    client->is_full = client->is_full || !is_taken;
    return is_taken;
}

bool channel_entry(struct core *core, struct client *client, struct entry *entry)
{
    if (!channel_is_open(client) || !entry_is_shown(entry)) {
        return true;
    }
    struct frame *frame =
        entry_frame(entry, channel_format(core, client), client->room->name, client->room->epoch,
                    (enum notice_language)core->options.config->notices_language);
    uint64_t mark = (uint64_t)client->turn << DELIVER_MARK_BITS | entry->seq;
    if (frame == NULL) {
        return false;
    }
    bool is_taken = channel_send(core, client, entry_push_type(entry), frame, mark);
    metric_add(METRIC_DELIVERIES, is_taken ? 1 : 0);
    return is_taken;
}

void channel_announce(struct core *core, const struct client *client, struct entry *notice)
{
    enum notice_language language = (enum notice_language)core->options.config->notices_language;
    struct frame *frame =
        channel_is_open(client)
            ? entry_frame(notice, channel_format(core, client), bytes_of(NULL, 0), "", language)
            : NULL;
    if (frame == NULL) {
        return;
    }
    if (client->line != NULL) {
        (void)core->options.line.send(client->line, frame, false);
    } else {
        (void)core->options.push.send(client->push, PUSH_NOTICE, frame, 0);
    }
}

bool channel_takes(const struct client *client, enum listing_kind list)
{
    return list != (client->line != NULL ? LIST_ROOMS : LIST_COUNTS);
}

bool channel_listing(struct core *core, struct client *client, struct listing *listing)
{
    if (!channel_is_open(client)) {
        return true;
    }
    struct frame *frame = listing_frame(listing, channel_format(core, client));
    return frame != NULL && channel_send(core, client, listing_push_type(listing), frame, 0);
}

/* A text for one client alone, that cannot wait. */
static void channel_urgent(struct core *core, const struct client *client, frames_write_fn *write,
                           const void *what)
{
    if (client->line == NULL) {
        return;
    }
    struct frame *frame = frames_text(channel_format(core, client), NULL, write, what);
    if (frame != NULL) {
        (void)core->options.line.send(client->line, frame, true);
    }
    frame_unref(frame);
}

struct channel_gap {
    struct bytes room;
    uint64_t from, to;
};

static void channel_write_gap(const void *what, struct sink *out)
{
    const struct channel_gap *gap = what;
    talk_text_gap(gap->room, gap->from, gap->to, out);
}

bool channel_gap(struct core *core, struct client *client, uint64_t from, uint64_t to)
{
    if (client->line == NULL) {
        return true;
    }
    const struct channel_gap gap = {client->room->name, from, to};
    const struct frame_place place = {client->room->epoch, to};
    struct frame *frame =
        frames_text(channel_format(core, client), &place, channel_write_gap, &gap);
    bool is_taken = frame != NULL && channel_send(core, client, PUSH_NOTICE, frame, 0);
    frame_unref(frame);
    return is_taken;
}

static void channel_write_session(const void *what, struct sink *out)
{
    talk_text_session(what, out);
}

static void channel_tell_session(struct core *core, const struct client *client,
                                 const uint64_t *kept)
{
    const struct room *room = client->room;
    struct talk_text_session session = {.user = bytes_str(client->name != NULL ? client->name : ""),
                                        .kept = kept};
    if (room != NULL) {
        session.room = room->name;
        session.room_id = bytes_of(room->id, sizeof room->id);
        session.manager = room->manager;
        session.epoch = bytes_str(room->epoch);
        session.last = room->feed.top;
    }
    channel_urgent(core, client, channel_write_session, &session);
}

void channel_session(struct core *core, const struct client *client)
{
    channel_tell_session(core, client, NULL);
}

void channel_epoch(struct core *core, const struct client *client, uint64_t kept)
{
    channel_tell_session(core, client, &kept);
}

static void channel_write_reconnect(const void *what, struct sink *out)
{
    talk_text_reconnect(*(const int64_t *)what, out);
}

void channel_reconnect(struct core *core, const struct client *client, int64_t after_ms)
{
    channel_urgent(core, client, channel_write_reconnect, &after_ms);
}

bool channel_hgtp(struct core *core, const struct client *client, struct bytes message)
{
    if (client->line == NULL) {
        return false;
    }
    struct frame *frame = frames_hgtp(channel_format(core, client), message);
    if (frame != NULL) {
        (void)core->options.line.send(client->line, frame, true);
    }
    frame_unref(frame);
    return true;
}

void channel_counted(struct core *core, int by)
{
    core->line_count += (size_t)by;
    metric_add(METRIC_LINES, by);
}

void channel_close(struct core *core, struct client *client, enum ws_close why)
{
    client->is_full = false;
    if (client->push != NULL) {
        core->options.push.close(client->push);
        client->push = NULL;
    }
    if (client->line != NULL) {
        core->options.line.close(client->line, why);
        client->line = NULL;
        channel_counted(core, -1);
        client->has_unregistered = false;
    }
}
