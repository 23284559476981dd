/* SPDX-License-Identifier: MIT */
/*
 * bench_tally: a message is owed to all members of its room as soon as it is acknowledged, or
 * heard by anyone: then it is in the log. One that is heard with another number than before stands
 * in the log twice, and counts as doubled with everybody who hears it.
 */
#include "admin/bench/bench_tally.h"

#include <stdlib.h>
#include <string.h>

struct bench_message {
    int64_t due_us;
    uint64_t seq;    /* 0: not known to be in the log */
    bool is_settled; /* acknowledged or refused */
};

static void *bench_tally_grow(void *old, size_t bytes)
{
    void *grown = realloc(old, bytes);
    if (grown == NULL) {
        abort();
    }
    return grown;
}

void bench_tally_init(struct bench_tally *tally, size_t room_count, size_t member_count)
{
    *tally = (struct bench_tally){.room_count = room_count, .member_count = member_count};
    tally->rooms = bench_tally_grow(NULL, room_count * sizeof *tally->rooms);
    tally->members = bench_tally_grow(NULL, member_count * sizeof *tally->members);
    memset(tally->rooms, 0, room_count * sizeof *tally->rooms);
    memset(tally->members, 0, member_count * sizeof *tally->members);
    for (size_t i = 0; i < member_count; i++) {
        tally->members[i].room = i % room_count;
        tally->rooms[i % room_count].member_count++;
    }
}

void bench_tally_fini(struct bench_tally *tally)
{
    for (size_t i = 0; i < tally->room_count; i++) {
        free(tally->rooms[i].messages);
    }
    for (size_t i = 0; i < tally->member_count; i++) {
        free(tally->members[i].heard);
    }
    free(tally->rooms);
    free(tally->members);
    *tally = (struct bench_tally){0};
}

size_t bench_tally_say(struct bench_tally *tally, size_t sender, int64_t due_us)
{
    struct bench_room *room = &tally->rooms[tally->members[sender].room];
    if (room->count == room->cap) {
        room->cap = 2 * room->cap + 1024;
        room->messages = bench_tally_grow(room->messages, room->cap * sizeof *room->messages);
    }
    room->messages[room->count] = (struct bench_message){.due_us = due_us};
    tally->first_us = tally->said == 0 ? due_us : tally->first_us;
    tally->said++;
    return room->count++;
}

static void bench_tally_owe(struct bench_tally *tally, struct bench_room *room,
                            struct bench_message *message, uint64_t seq)
{
    if (message->seq == 0) {
        message->seq = seq;
        tally->owed += room->member_count;
    }
}

void bench_tally_acked(struct bench_tally *tally, size_t sender, size_t index, uint64_t seq,
                       int64_t now_us)
{
    struct bench_room *room = &tally->rooms[tally->members[sender].room];
    if (index >= room->count || room->messages[index].is_settled || seq == 0) {
        tally->wrong++;
        return;
    }
    struct bench_message *message = &room->messages[index];
    bench_tally_owe(tally, room, message, seq);
    tally->wrong += message->seq != seq ? 1 : 0;
    message->is_settled = true;
    tally->acked++;
    tally->last_ack_us = now_us;
}

void bench_tally_refused(struct bench_tally *tally, size_t sender, size_t index)
{
    struct bench_room *room = &tally->rooms[tally->members[sender].room];
    if (index < room->count && !room->messages[index].is_settled) {
        room->messages[index].is_settled = true;
        tally->refused++;
    }
}

/* True when it was not marked before. */
static bool bench_tally_mark(struct bench_member *member, size_t index)
{
    size_t byte = index / 8;
    uint8_t bit = (uint8_t)(1u << (index % 8));
    if (byte >= member->heard_bytes) {
        size_t grown = 2 * byte + 64;
        member->heard = bench_tally_grow(member->heard, grown);
        memset(member->heard + member->heard_bytes, 0, grown - member->heard_bytes);
        member->heard_bytes = grown;
    }
    bool is_new = (member->heard[byte] & bit) == 0;
    member->heard[byte] |= bit;
    return is_new;
}

void bench_tally_heard(struct bench_tally *tally, size_t member, size_t index, uint64_t seq,
                       int64_t now_us)
{
    struct bench_member *who = &tally->members[member];
    struct bench_room *room = &tally->rooms[who->room];
    if (index >= room->count || seq == 0) {
        tally->wrong++;
        return;
    }
    struct bench_message *message = &room->messages[index];
    bench_tally_owe(tally, room, message, seq);
    if (message->seq != seq || !bench_tally_mark(who, index)) {
        tally->twice++;
        return;
    }
    tally->out_of_order += seq < who->last_seq ? 1 : 0;
    who->last_seq = seq > who->last_seq ? seq : who->last_seq;
    tally->heard++;
    tally->last_heard_us = now_us;
    bench_histogram_add(&tally->latency, now_us - message->due_us);
}

uint64_t bench_tally_unacked(const struct bench_tally *tally)
{
    return tally->said - tally->acked - tally->refused;
}

uint64_t bench_tally_missing(const struct bench_tally *tally)
{
    return tally->owed - tally->heard;
}

bool bench_tally_is_clean(const struct bench_tally *tally)
{
    return bench_tally_missing(tally) == 0 && bench_tally_unacked(tally) == 0 &&
           tally->refused == 0 && tally->twice == 0 && tally->out_of_order == 0 &&
           tally->wrong == 0;
}
