/* SPDX-License-Identifier: MIT */
/*
 * cmd_rolling: node restart-rolling: drains one node after the other and waits until each is back
 * under a new incarnation and serves. Starting a drained node again is its supervisor's task. The
 * first one that is not back in time ends it, so that never more than one node is missing.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "admin/call.h"
#include "admin/cmd.h"
#include "admin/tick.h"
#include "admin/units.h"
#include "admin/visible_print.h"
#include "control.pb-c.h"
#include "tool.pb-c.h"

#define ROLLING_WAIT_MS 120000
#define ROLLING_STEP_MS 250

struct rolling {
    struct cli *cli;
    int64_t wait_ms;
    int code; /* of what went wrong */
    Hgtp__Control__NodeListReply *before;
    Hgtp__Tool__RestartReply reply;
    Hgtp__Tool__Restart *rows;
    char (*texts)[256]; /* an error for each row */
};

/* How it goes on, for people: beside a table on the same stream, beside JSON on the other. */
static void rolling_tell(const struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void rolling_tell(const struct cli *cli, const char *format, ...)
{
    FILE *out = cli->is_json ? cli->err : cli->out;
    va_list list;
    va_start(list, format);
    visible_vprintf(out, format, list);
    va_end(list);
    fputc('\n', out);
    (void)fflush(out);
}

static Hgtp__Control__NodeListReply *rolling_list(const struct rolling *rolling,
                                                  struct rpc_status *ret_status)
{
    const Hgtp__Control__Empty nothing = HGTP__CONTROL__EMPTY__INIT;
    ProtobufCMessage *reply = NULL;
    bool is_ok =
        rpc_client_call(rolling->cli->client, "NodeList", &nothing.base, &reply, ret_status);
    return is_ok ? (Hgtp__Control__NodeListReply *)reply : NULL;
}

static bool rolling_serves(const Hgtp__Control__Node *node)
{
    return node->error[0] == '\0' && strcmp(node->state, "serving") == 0;
}

static void rolling_fail(const struct rolling *rolling, size_t i, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void rolling_fail(const struct rolling *rolling, size_t i, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    vsnprintf(rolling->texts[i], sizeof rolling->texts[i], format, list);
    va_end(list);
    rolling->rows[i].error = rolling->texts[i];
    rolling->rows[i].result = (char *)(uintptr_t) "failed";
}

/* The node with this id in the list, that one of its incarnations which lives; NULL: it is not
 * there. */
static const Hgtp__Control__Node *rolling_find(const Hgtp__Control__NodeListReply *list,
                                               const char *id)
{
    const Hgtp__Control__Node *found = NULL;
    for (size_t i = 0; i < list->n_nodes; i++) {
        bool is_it = strcmp(list->nodes[i]->id, id) == 0;
        if (is_it && (found == NULL || list->nodes[i]->error[0] == '\0')) {
            found = list->nodes[i];
        }
    }
    return found;
}

/* True when all nodes that there were serve now. Else `state` says which one does not. */
static bool rolling_all_serve(const struct rolling *rolling, char *state, size_t cap)
{
    struct rpc_status status;
    Hgtp__Control__NodeListReply *now = rolling_list(rolling, &status);
    if (now == NULL) {
        snprintf(state, cap, "%.200s", status.message);
        return false;
    }
    bool is_whole = true;
    for (size_t i = 0; is_whole && i < rolling->before->n_nodes; i++) {
        const char *id = rolling->before->nodes[i]->id;
        const Hgtp__Control__Node *node = rolling_find(now, id);
        is_whole = node != NULL && rolling_serves(node);
        snprintf(state, cap, "%.100s is %.40s", id, node != NULL ? node->state : "gone");
    }
    hgtp__control__node_list_reply__free_unpacked(now, NULL);
    return is_whole;
}

/* Looks once. True: it is back. What it is like else goes to `state`. */
static bool rolling_look(struct rolling *rolling, size_t i, char *state, size_t cap)
{
    struct rpc_status status;
    const Hgtp__Control__Node *old = rolling->before->nodes[i];
    Hgtp__Control__NodeListReply *now = rolling_list(rolling, &status);
    if (now == NULL) {
        snprintf(state, cap, "%.200s", status.message);
        return false;
    }
    const Hgtp__Control__Node *node = rolling_find(now, old->id);
    bool is_new = node != NULL && strcmp(node->incarnation, old->incarnation) != 0;
    bool is_back = is_new && rolling_serves(node);
    if (is_back) {
        rolling->rows[i].incarnation = strdup(node->incarnation);
    } else if (node == NULL) {
        snprintf(state, cap, "it has ended, and nothing has started it again");
    } else {
        snprintf(state, cap, "it is %.40s, %s%.100s", node->state,
                 is_new ? "started again" : "still the one it was", node->error);
    }
    hgtp__control__node_list_reply__free_unpacked(now, NULL);
    return is_back;
}

static bool rolling_await(struct rolling *rolling, size_t i)
{
    int64_t begin_ms = tick_ms(), until_ms = begin_ms + rolling->wait_ms;
    char state[256] = "", waited[24];
    while (!rolling_look(rolling, i, state, sizeof state)) {
        if (tick_ms() >= until_ms) {
            units_age(rolling->wait_ms, waited, sizeof waited);
            rolling_fail(rolling, i, "not back after %s: %s", waited, state);
            return false;
        }
        tick_sleep(ROLLING_STEP_MS);
    }
    rolling->rows[i].took_ms = tick_ms() - begin_ms;
    rolling->rows[i].result = (char *)(uintptr_t) "restarted";
    return true;
}

/* Never is more than one node missing: one that is lost meanwhile is waited for. */
static bool rolling_may_go_on(struct rolling *rolling, size_t i)
{
    char state[256] = "", waited[24];
    int64_t until_ms = tick_ms() + rolling->wait_ms;
    while (!rolling_all_serve(rolling, state, sizeof state)) {
        if (tick_ms() >= until_ms) {
            units_age(rolling->wait_ms, waited, sizeof waited);
            rolling_fail(rolling, i, "it is not drained: after %s %s", waited, state);
            return false;
        }
        tick_sleep(ROLLING_STEP_MS);
    }
    return true;
}

static bool rolling_restart(struct rolling *rolling, size_t i)
{
    char took[24];
    if (i > 0 && !rolling_may_go_on(rolling, i)) {
        return false;
    }
    struct rpc_status status;
    ProtobufCMessage *reply = NULL;
    const Hgtp__Control__Node *node = rolling->before->nodes[i];
    Hgtp__Control__NodeName request = HGTP__CONTROL__NODE_NAME__INIT;
    request.node = node->id;
    request.ends = true;
    rolling_tell(rolling->cli, "%s: draining, with %" PRIu64 " sessions (%zu of %zu)", node->id,
                 node->sessions, i + 1, rolling->before->n_nodes);
    if (!rpc_client_call(rolling->cli->client, "NodeDrain", &request.base, &reply, &status)) {
        rolling_fail(rolling, i, "it is not drained: %s", status.message);
        bool is_denied = call_exit_code(status.code) == EXIT_DENIED;
        rolling->code = is_denied ? EXIT_DENIED : EXIT_FAILED;
        return false;
    }
    protobuf_c_message_free_unpacked(reply, NULL);
    rolling->rows[i].result = (char *)(uintptr_t) "waiting";
    if (!rolling_await(rolling, i)) {
        return false;
    }
    units_age(rolling->rows[i].took_ms, took, sizeof took);
    rolling_tell(rolling->cli, "%s: back after %s, incarnation %s", node->id, took,
                 rolling->rows[i].incarnation);
    return true;
}

/* What is there before the first one is touched; all have to serve. */
static int rolling_begin(struct rolling *rolling)
{
    struct cli *cli = rolling->cli;
    struct rpc_status status;
    int code;
    if (call_client(cli, &code) == NULL) {
        return code;
    }
    rolling->before = rolling_list(rolling, &status);
    if (rolling->before == NULL) {
        call_explain(cli, &status);
        return call_exit_code(status.code);
    }
    call_tell_where(cli);
    size_t count = rolling->before->n_nodes;
    rolling->rows = calloc(count + 1, sizeof *rolling->rows);
    rolling->texts = calloc(count + 1, sizeof *rolling->texts);
    rolling->reply.nodes = calloc(count + 1, sizeof *rolling->reply.nodes);
    if (rolling->rows == NULL || rolling->texts == NULL || rolling->reply.nodes == NULL) {
        cli_say(cli, "out of memory");
        return EXIT_FAILED;
    }
    rolling->reply.n_nodes = count;
    for (size_t i = 0; i < count; i++) {
        const Hgtp__Control__Node *node = rolling->before->nodes[i];
        hgtp__tool__restart__init(&rolling->rows[i]);
        rolling->rows[i].node = node->id;
        rolling->rows[i].sessions = node->sessions;
        rolling->rows[i].result = (char *)(uintptr_t) "untried";
        rolling->reply.nodes[i] = &rolling->rows[i];
        if (!rolling_serves(node)) {
            cli_say(cli,
                    "%s is %s%s%s: no node is restarted while another one is missing\n"
                    "hgtpctl node list shows them all",
                    node->id, node->state, node->error[0] != '\0' ? ", " : "", node->error);
            code = EXIT_FAILED;
        }
    }
    return code;
}

static void rolling_fini(struct rolling *rolling)
{
    for (size_t i = 0; i < rolling->reply.n_nodes; i++) {
        if (rolling->rows[i].took_ms > 0) {
            free(rolling->rows[i].incarnation); /* else it is protobuf-c's empty string */
        }
    }
    free(rolling->rows);
    free(rolling->texts);
    free(rolling->reply.nodes);
    if (rolling->before != NULL) {
        hgtp__control__node_list_reply__free_unpacked(rolling->before, NULL);
    }
}

static int rolling_run(struct rolling *rolling)
{
    struct cli *cli = rolling->cli;
    enum call_care care = call_care(cli);
    int code = care == CALL_STOP ? EXIT_USAGE : rolling_begin(rolling);
    if (code != EXIT_DONE) {
        return code;
    }
    if (care == CALL_DRY || care == CALL_ASK) {
        rolling->reply.dry_run = care == CALL_DRY;
        FILE *out = care == CALL_DRY ? cli->out : cli->err;
        fprintf(cli->is_json ? cli->err : out, "would restart %zu nodes, one after the other:\n",
                rolling->reply.n_nodes);
        if (care == CALL_DRY) {
            cli_print(cli, &rolling->reply.base);
            return EXIT_DONE;
        }
        const struct output_style style = output_style_of(cli->err);
        output_people(&rolling->reply.base, &cli->verb->view, &style, cli->err);
        if (!call_confirmed(cli)) {
            return EXIT_FAILED;
        }
    }
    for (size_t i = 0; code == EXIT_DONE && i < rolling->reply.n_nodes; i++) {
        if (!rolling_restart(rolling, i)) {
            cli_say(cli, "%s: %s; the nodes behind it were not touched", rolling->rows[i].node,
                    rolling->rows[i].error);
            code = rolling->code;
        }
    }
    cli_print(cli, &rolling->reply.base);
    return code;
}

int cmd_rolling(struct cli *cli)
{
    struct rolling rolling = {.cli = cli,
                              .wait_ms = ROLLING_WAIT_MS,
                              .code = EXIT_FAILED,
                              .reply = HGTP__TOOL__RESTART_REPLY__INIT};
    const char *wait = cli_option(cli, "wait");
    if (wait != NULL) {
        (void)units_duration(wait, &rolling.wait_ms);
    }
    int code = rolling_run(&rolling);
    rolling_fini(&rolling);
    return code;
}
