/* SPDX-License-Identifier: MIT */
/*
 * inbox: reads this node's inbox in Redis: which of its sessions were changed by what was asked at
 * other nodes. The bus tells that there is something to read, and every beat how far the inbox is,
 * so that nothing stays unread because a word was lost.
 */
#include "core_state.h"

#define INBOX_READ_COUNT 200

static void inbox_read(struct core *core);

/* "last top cut" */
static void inbox_take(struct core *core, struct bytes extra)
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
    core->inbox_seen = last;
    core->inbox_top = top > core->inbox_top ? top : core->inbox_top;
    if (is_cut) {
        homes_walk(core, bytes_str(core->options.node));
    }
    if (last < top) {
        inbox_read(core);
    }
}

static void inbox_on_read(const struct result *result, void *arg)
{
    struct core *core = arg;
    core_call_over(core);
    core->inbox_reading = false;
    if (result != NULL && result->code == ERR_NONE) {
        effects_apply(core, result, NULL, NULL);
        inbox_take(core, result->extra);
    } /* else the next beat tells again */
}

static void inbox_read(struct core *core)
{
    if (core->inbox_reading || core->inbox_top <= core->inbox_seen) {
        return;
    }
    core->inbox_reading = true;
    struct script_args args;
    core_args_init(core, &args, bytes_of(NULL, 0));
    script_args_int(&args, "after", (int64_t)core->inbox_seen);
    script_args_int(&args, "count", INBOX_READ_COUNT);
    core_call(core, SCRIPT_inbox, &args, inbox_on_read, core);
}

void inbox_reached(struct core *core, uint64_t number)
{
    if (number > core->inbox_top) {
        core->inbox_top = number;
    }
    inbox_read(core);
}

void inbox_is_at(struct core *core, uint64_t top)
{
    if (top < core->inbox_seen) {
        /* Redis has lost it, and what was in it. */
        core->inbox_seen = core->inbox_top = top;
        homes_walk(core, bytes_str(core->options.node));
    }
    inbox_reached(core, top);
}

void inbox_begin_anew(struct core *core)
{
    core->inbox_seen = core->inbox_top = 0;
}
