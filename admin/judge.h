/* SPDX-License-Identifier: MIT */
/* judge: exit codes for replies that came, and tell of what did not go well. */
#ifndef ADMIN_JUDGE_H
#define ADMIN_JUDGE_H

#include <protobuf-c/protobuf-c.h>

int judge_nodes(const ProtobufCMessage *reply);   /* a node of the list did not answer */
int judge_node(const ProtobufCMessage *reply);    /* the node did not answer */
int judge_results(const ProtobufCMessage *reply); /* a node did not take a setting */
int judge_stats(const ProtobufCMessage *reply);   /* nodes did not answer */
int judge_doctor(const ProtobufCMessage *reply);  /* an error is left */

#endif
