/* SPDX-License-Identifier: MIT */
/*
 * control_cluster: what all nodes together are: a list of them, and their sums. What Redis knows is
 * filled up with what each one tells of itself; one that does not answer is shown as such.
 */
#include "control_state.h"

static const Hgtp__Control__NodeName control_cluster_nobody = HGTP__CONTROL__NODE_NAME__INIT;

static void control_cluster_ask_figures(struct control_call *call,
                                        void (*then)(struct control_call *call))
{
    control_nodes_add_all(call);
    call->part_method = control_method_find("NodeShow");
    call->part_request = &control_cluster_nobody.base;
    call->on_parts = then;
    control_ask(call);
}

/* All nodes --------------------------------------------------------------------------------------
 */

/* What `part` has told of itself; NULL: nothing. */
static const Hgtp__Control__NodeShowReply *control_cluster_shown(const struct control_part *part)
{
    return (const Hgtp__Control__NodeShowReply *)part->reply;
}

static void control_cluster_merge(Hgtp__Control__Node *known, const Hgtp__Control__Node *told)
{
    (void)control_rows_str(&known->base, "version", told->version);
    (void)control_rows_str(&known->base, "state", told->state); /* it may beat and not serve yet */
    known->lines = told->lines;
    known->rooms = told->rooms;
    known->messages_per_s = told->messages_per_s;
    known->deliveries_per_s = told->deliveries_per_s;
    known->queued_bytes = told->queued_bytes;
    known->store_ms = told->store_ms;
    known->memory_bytes = told->memory_bytes;
    known->cpu_percent = told->cpu_percent;
}

static void control_cluster_on_listed(struct control_call *call)
{
    const Hgtp__Control__NodeListReply *list = control_nodes_of(call);
    size_t at = 0; /* parts are in the order of the list */
    for (size_t i = 0; i < list->n_nodes && at < call->part_count; i++) {
        Hgtp__Control__Node *node = list->nodes[i];
        if (node->error[0] != '\0') {
            continue;
        }
        const struct control_part *part = &call->parts[at++];
        if (part->reply != NULL && control_cluster_shown(part)->node != NULL) {
            control_cluster_merge(node, control_cluster_shown(part)->node);
        } else {
            (void)control_rows_str(&node->base, "state", "silent");
            (void)control_rows_str(&node->base, "error", part->message);
        }
    }
    ProtobufCMessage *empty = call->reply;
    call->reply = call->nodes;
    call->nodes = empty;
    control_reply(call);
    control_end(call);
}

static void control_cluster_on_all_to_list(struct control_call *call)
{
    control_cluster_ask_figures(call, control_cluster_on_listed);
}

void control_cluster_list(struct control_call *call)
{
    control_nodes_read(call, control_cluster_on_all_to_list);
}

/* Sums -------------------------------------------------------------------------------------------
 */

static Hgtp__Control__Metric *control_cluster_sum_of(Hgtp__Control__StatsReply *stats,
                                                     const Hgtp__Control__Metric *metric)
{
    for (size_t i = 0; i < stats->n_metrics; i++) {
        Hgtp__Control__Metric *sum = stats->metrics[i];
        if (strcmp(sum->name, metric->name) == 0 && strcmp(sum->labels, metric->labels) == 0) {
            return sum;
        }
    }
    Hgtp__Control__Metric *sum =
        (Hgtp__Control__Metric *)control_rows_add(&stats->base, bytes_str("Metric"));
    if (sum != NULL) {
        (void)control_rows_str(&sum->base, "name", metric->name);
        (void)control_rows_str(&sum->base, "labels", metric->labels);
        (void)control_rows_str(&sum->base, "help", metric->help);
    }
    return sum;
}

static void control_cluster_add_up(Hgtp__Control__StatsReply *stats,
                                   const Hgtp__Control__NodeShowReply *shown)
{
    if (shown->node != NULL) {
        stats->messages_per_s += shown->node->messages_per_s;
        stats->deliveries_per_s += shown->node->deliveries_per_s;
    }
    for (size_t i = 0; i < shown->n_metrics; i++) {
        Hgtp__Control__Metric *sum = control_cluster_sum_of(stats, shown->metrics[i]);
        if (sum != NULL) {
            sum->value += shown->metrics[i]->value;
        }
    }
}

static void control_cluster_on_summed(struct control_call *call)
{
    Hgtp__Control__StatsReply *stats = (Hgtp__Control__StatsReply *)call->reply;
    stats->nodes = call->part_count;
    for (size_t i = 0; i < call->part_count; i++) {
        if (call->parts[i].reply == NULL) {
            stats->silent++;
        } else {
            control_cluster_add_up(stats, control_cluster_shown(&call->parts[i]));
        }
    }
    control_reply(call);
    control_end(call);
}

static void control_cluster_on_all_to_sum(struct control_call *call)
{
    control_cluster_ask_figures(call, control_cluster_on_summed);
}

static void control_cluster_on_counted(struct control_call *call)
{
    control_nodes_read(call, control_cluster_on_all_to_sum);
}

void control_cluster_stats(struct control_call *call)
{
    call->on_rows = control_cluster_on_counted;
    control_run(call, SCRIPT_ctl_stats);
}
