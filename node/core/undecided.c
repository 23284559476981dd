/* SPDX-License-Identifier: MIT */
/*
 * undecided: requests that a client was told could not be done, while it is not known whether Redis
 * has done them: the answer is late, or lost. The script `undo` makes true what was told, as soon
 * as Redis answers again. By then the request itself is past its deadline, and is not done any
 * more.
 */
#include "core_state.h"

#define UNDECIDED_MAX      1000
#define UNDECIDED_AGAIN_MS 1000

struct undecided {
    struct undecided *next;
    struct core *core;
    uint8_t uid[HGTP_USER_ID_BYTES];
    uint8_t print[UNDECIDED_PRINT_BYTES];
    bool is_under_way;
    int64_t again_ms;
};

static void undecided_ask(struct core *core, struct undecided *request);

static void undecided_remove(struct core *core, struct undecided *request)
{
    struct undecided **at = &core->undecided;
    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    core->undecided_count--;
    free(request);
}

static void undecided_on_result(const struct result *result, void *arg)
{
    struct undecided *request = arg;
    struct core *core = request->core;
    core_call_over(core);
    request->is_under_way = false;
    if (result != NULL) {
        effects_apply(core, result, NULL, NULL);
        undecided_remove(core, request);
    }
}

static void undecided_ask(struct core *core, struct undecided *request)
{
    request->is_under_way = true;
    request->again_ms = core_now_ms(core) + UNDECIDED_AGAIN_MS;
    struct script_args args;
    core_args_init(core, &args, bytes_of(request->uid, sizeof request->uid));
    script_args_bytes(&args, "print", bytes_of(request->print, sizeof request->print));
    core_call(core, SCRIPT_undo, &args, undecided_on_result, request);
}

void undecided_note(struct core *core, struct bytes uid, struct bytes print)
{
    struct undecided *request =
        core->undecided_count < UNDECIDED_MAX ? calloc(1, sizeof *request) : NULL;
    if (request == NULL) {
        return; /* its buttons help it out: see docs/protocol.md "Errors" */
    }
    request->core = core;
    memcpy(request->uid, uid.ptr, sizeof request->uid);
    memcpy(request->print, print.ptr, sizeof request->print);
    request->next = core->undecided;
    core->undecided = request;
    core->undecided_count++;
    undecided_ask(core, request);
}

void undecided_forget(struct core *core, struct bytes uid, struct bytes print)
{
    struct undecided *request = core->undecided;
    while (request != NULL && (memcmp(request->uid, uid.ptr, sizeof request->uid) != 0 ||
                               memcmp(request->print, print.ptr, sizeof request->print) != 0)) {
        request = request->next;
    }
    if (request != NULL && !request->is_under_way) {
        undecided_remove(core, request);
    }
}

void undecided_tick(struct core *core, int64_t now_ms)
{
    for (struct undecided *request = core->undecided; request != NULL; request = request->next) {
        if (!request->is_under_way && now_ms >= request->again_ms) {
            undecided_ask(core, request);
        }
    }
}

void undecided_free(struct core *core)
{
    while (core->undecided != NULL) {
        undecided_remove(core, core->undecided);
    }
}
