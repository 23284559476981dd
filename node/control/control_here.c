/* SPDX-License-Identifier: MIT */
/*
 * control_here: what this node tells of itself and does to itself, whether the call came to it or
 * to another node. Who may ask was decided where the call came in.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "control_state.h"
#include "node/base/metrics.h"

static void control_here_id(const struct control *control, char id[CONTROL_NODE_MAX])
{
    const char *node = control->options.node;
    snprintf(id, CONTROL_NODE_MAX, "%.*s", (int)strcspn(node, "@"), node);
}

static void control_here_fail(struct control_here *here, Hgtp__Rpc__Code code, const char *message)
{
    here->code = code;
    snprintf(here->message, sizeof here->message, "%s", message);
}

/* Showing -------------------------------------------------------------------------------------- */

static void control_here_names(const struct control *control, ProtobufCMessage *node)
{
    const struct control_options *options = &control->options;
    const char *incarnation = strchr(options->node, '@');
    char id[CONTROL_NODE_MAX];
    control_here_id(control, id);
    const char *fields[][2] = {{"id", id},
                               {"incarnation", incarnation != NULL ? incarnation + 1 : ""},
                               {"state", options->act.state(options->act.ctx)},
                               {"version", options->version},
                               {"hgtp", options->hgtp_address},
                               {"http", options->http_address},
                               {"bus", options->bus_address}};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        (void)control_rows_str(node, fields[i][0], fields[i][1]);
    }
}

static void control_here_figures(const struct control *control, Hgtp__Control__Node *node)
{
    struct core_census census = core_census(control->options.core);
    struct control_rates rates = control_figures_rates(&control->figures);
    node->since_ms = control->options.since_unix_ms;
    node->beat_age_ms = census.beat_age_ms;
    node->sessions = census.sessions;
    node->lines = census.lines;
    node->rooms = census.rooms;
    node->store_ms = (uint64_t)census.store_ms;
    node->messages_per_s = rates.messages_per_s;
    node->deliveries_per_s = rates.deliveries_per_s;
    node->cpu_percent = rates.cpu_percent;
    node->queued_bytes = (uint64_t)metrics_values[METRIC_QUEUED_BYTES];
    node->memory_bytes = control_figures_memory();
}

static void control_here_metric(const char *name, const char *labels, const char *help,
                                int64_t value, void *arg)
{
    Hgtp__Control__Metric *metric =
        (Hgtp__Control__Metric *)control_rows_add(arg, bytes_str("Metric"));
    if (metric != NULL) {
        (void)control_rows_str(&metric->base, "name", name);
        (void)control_rows_str(&metric->base, "labels", labels);
        (void)control_rows_str(&metric->base, "help", help);
        metric->value = (double)value;
    }
}

void control_here_show(struct control *control, struct control_here *here)
{
    Hgtp__Control__NodeShowReply *reply = (Hgtp__Control__NodeShowReply *)here->reply;
    reply->node = (Hgtp__Control__Node *)control_rows_new(&hgtp__control__node__descriptor);
    if (reply->node != NULL) {
        control_here_names(control, &reply->node->base);
        control_here_figures(control, reply->node);
    }
    metrics_each(control_here_metric, here->reply);
}

/* Draining -------------------------------------------------------------------------------------
 */

void control_here_drain(struct control *control, struct control_here *here)
{
    const Hgtp__Control__NodeName *request = (const Hgtp__Control__NodeName *)here->request;
    Hgtp__Control__Done *done = (Hgtp__Control__Done *)here->reply;
    size_t others = core_others(control->options.core);
    char id[CONTROL_NODE_MAX], what[CONTROL_NODE_MAX + 128];
    control_here_id(control, id);
    done->dry_run = request->dry_run;
    done->users = core_census(control->options.core).sessions;
    snprintf(what, sizeof what, "%s %s%s: %" PRIu64 " session%s to %zu other node%s%s",
             request->dry_run ? "would drain" : "draining", id, request->ends ? ", to end it" : "",
             done->users, done->users == 1 ? " goes" : "s go", others, others == 1 ? "" : "s",
             others == 0 ? "; nobody serves until it does again" : "");
    (void)control_rows_str(here->reply, "what", what);
    if (!request->dry_run) {
        (void)control_rows_str(here->reply, "state", "draining");
        control->options.act.drain(control->options.act.ctx, request->ends);
    }
}

void control_here_resume(struct control *control, struct control_here *here)
{
    const Hgtp__Control__NodeName *request = (const Hgtp__Control__NodeName *)here->request;
    Hgtp__Control__Done *done = (Hgtp__Control__Done *)here->reply;
    const struct control_node *act = &control->options.act;
    bool is_draining = strcmp(act->state(act->ctx), "draining") == 0;
    char id[CONTROL_NODE_MAX], what[CONTROL_NODE_MAX + 64];
    control_here_id(control, id);
    done->dry_run = request->dry_run;
    snprintf(what, sizeof what, "%s %s",
             !is_draining       ? "in service already:"
             : request->dry_run ? "would resume"
                                : "resumed",
             id);
    (void)control_rows_str(here->reply, "what", what);
    if (!request->dry_run && !act->resume(act->ctx)) {
        control_here_fail(here, HGTP__RPC__CODE__FAILED_PRECONDITION,
                          "it is about to end; it serves when it is started again");
    }
    (void)control_rows_str(here->reply, "state", act->state(act->ctx));
}

/* Settings ---------------------------------------------------------------------------------------
 */

static void control_here_setting(const struct config_setting *setting, void *arg)
{
    Hgtp__Control__Setting *row =
        (Hgtp__Control__Setting *)control_rows_add(arg, bytes_str("Setting"));
    if (row != NULL) {
        (void)control_rows_str(&row->base, "key", setting->key);
        (void)control_rows_str(&row->base, "value", setting->value);
        (void)control_rows_str(&row->base, "default_value", setting->fallback);
        (void)control_rows_str(&row->base, "help", setting->help);
        row->restart = !setting->reloads;
    }
}

void control_here_config(struct control *control, struct control_here *here)
{
    char id[CONTROL_NODE_MAX];
    control_here_id(control, id);
    (void)control_rows_str(here->reply, "node", id);
    config_each(control->options.config, control_here_setting, here->reply);
}

/* What becomes of a changed setting; `ret` is left alone where no key differs. */
struct control_here_outcome {
    bool is_changed, is_applied;
};

static void control_here_on_change(const char *key, bool applied, void *arg)
{
    (void)key;
    *(struct control_here_outcome *)arg = (struct control_here_outcome){true, applied};
}

void control_here_set(struct control *control, struct control_here *here)
{
    const Hgtp__Control__ConfigSetRequest *request =
        (const Hgtp__Control__ConfigSetRequest *)here->request;
    const struct control_node *act = &control->options.act;
    struct control_here_outcome outcome = {false, false};
    struct config changed;
    char id[CONTROL_NODE_MAX];
    if (!config_change(control->options.config, request->key, request->value, &changed,
                       here->message)) {
        here->code = HGTP__RPC__CODE__INVALID_ARGUMENT;
        return;
    }
    bool is_taken = act->configure(act->ctx, &changed, request->dry_run, control_here_on_change,
                                   &outcome, here->message);
    config_fini(&changed);
    if (!is_taken) {
        here->code = HGTP__RPC__CODE__INVALID_ARGUMENT;
        return;
    }
    Hgtp__Control__NodeResult *row =
        (Hgtp__Control__NodeResult *)control_rows_add(here->reply, bytes_str("NodeResult"));
    control_here_id(control, id);
    if (row != NULL) {
        (void)control_rows_str(&row->base, "node", id);
        (void)control_rows_str(&row->base, "result",
                               !outcome.is_changed   ? "unchanged"
                               : !outcome.is_applied ? "needs a restart: change it in the node's "
                                                       "configuration"
                               : request->dry_run    ? "would change"
                                                     : "changed");
        row->ok = !outcome.is_changed || outcome.is_applied;
    }
}
