/* SPDX-License-Identifier: MIT */
/*
 * judge: a cluster that answers in part is shown as far as it answers, and the exit code says that
 * the rest is missing.
 */
#include "admin/judge.h"

#include <string.h>

#include "admin/cli.h"
#include "control.pb-c.h"

static int judge_one(const Hgtp__Control__Node *node)
{
    bool is_there = node == NULL || (node->error[0] == '\0' && strcmp(node->state, "silent") != 0);
    return is_there ? EXIT_DONE : EXIT_UNREACHABLE;
}

int judge_nodes(const ProtobufCMessage *reply)
{
    const Hgtp__Control__NodeListReply *list = (const Hgtp__Control__NodeListReply *)reply;
    for (size_t i = 0; i < list->n_nodes; i++) {
        if (judge_one(list->nodes[i]) != EXIT_DONE) {
            return EXIT_UNREACHABLE;
        }
    }
    return EXIT_DONE;
}

int judge_node(const ProtobufCMessage *reply)
{
    return judge_one(((const Hgtp__Control__NodeShowReply *)reply)->node);
}

int judge_results(const ProtobufCMessage *reply)
{
    const Hgtp__Control__ConfigSetReply *set = (const Hgtp__Control__ConfigSetReply *)reply;
    for (size_t i = 0; i < set->n_nodes; i++) {
        if (!set->nodes[i]->ok) {
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}

int judge_stats(const ProtobufCMessage *reply)
{
    return ((const Hgtp__Control__StatsReply *)reply)->silent > 0 ? EXIT_UNREACHABLE : EXIT_DONE;
}

int judge_doctor(const ProtobufCMessage *reply)
{
    const Hgtp__Control__DoctorReply *doctor = (const Hgtp__Control__DoctorReply *)reply;
    for (size_t i = 0; i < doctor->n_findings; i++) {
        const Hgtp__Control__Finding *finding = doctor->findings[i];
        if (strcmp(finding->severity, "error") == 0 && strcmp(finding->fixed, "yes") != 0) {
            return EXIT_FAILED;
        }
    }
    return EXIT_DONE;
}
