/* SPDX-License-Identifier: MIT */
/*
 * inbox: reads this node's inbox in Redis: which of its sessions were changed by what was asked at
 * other nodes. The bus tells that there is something to read, and every beat how far the inbox is,
 * so that nothing stays unread because a word was lost.
 */
#include "talk_state.h"

#define INBOX_READ_COUNT 200

static void inbox_read(struct talk *talk);

/* "last top cut" */
static void inbox_take(struct talk *talk, struct bytes extra)
{
    char text[64];
    unsigned long long last, top;
    int is_cut;
    if (extra.len >= sizeof text) {
        return;
    }
    memcpy(text, extra.ptr, extra.len);
    text[extra.len] = '\0';
    if (sscanf(text, "%llu %llu %d", &last, &top, &is_cut) != 3) {
        return;
    }
    talk->inbox_seen = last;
    talk->inbox_top = top > talk->inbox_top ? top : talk->inbox_top;
    if (is_cut) {
        homes_walk(talk, bytes_str(talk->options.node));
    }
    if (last < top) {
        inbox_read(talk);
    }
}

static void inbox_on_read(const struct result *result, void *arg)
{
    struct talk *talk = arg;
    talk_call_over(talk);
    talk->inbox_reading = false;
    if (result != NULL && result->code == ERR_NONE) {
        effects_apply(talk, result, NULL, NULL);
        inbox_take(talk, result->extra);
    } /* else the next beat tells again */
}

static void inbox_read(struct talk *talk)
{
    if (talk->inbox_reading || talk->inbox_top <= talk->inbox_seen) {
        return;
    }
    talk->inbox_reading = true;
    struct script_args args;
    talk_args_init(talk, &args, bytes_of(NULL, 0));
    script_args_int(&args, "after", (int64_t)talk->inbox_seen);
    script_args_int(&args, "count", INBOX_READ_COUNT);
    talk_call(talk, SCRIPT_inbox, &args, inbox_on_read, talk);
}

void inbox_reached(struct talk *talk, uint64_t number)
{
    if (number > talk->inbox_top) {
        talk->inbox_top = number;
    }
    inbox_read(talk);
}

void inbox_is_at(struct talk *talk, uint64_t top)
{
    if (top < talk->inbox_seen) {
        /* Redis has lost it, and what was in it. */
        talk->inbox_seen = talk->inbox_top = top;
        homes_walk(talk, bytes_str(talk->options.node));
    }
    inbox_reached(talk, top);
}

void inbox_begin_anew(struct talk *talk)
{
    talk->inbox_seen = talk->inbox_top = 0;
}
