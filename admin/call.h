/* SPDX-License-Identifier: MIT */
/*
 * call: calls of the control service on behalf of a verb: with the confirmation that destructive
 * ones need, and with errors told to people.
 */
#ifndef ADMIN_CALL_H
#define ADMIN_CALL_H

#include "admin/cli.h"

/** What is to be done about a destructive verb. */
enum call_care {
    CALL_DO,
    CALL_DRY,  /* only say what would be hit */
    CALL_ASK,  /* say it, and ask */
    CALL_STOP, /* there is nobody to ask: it was said what to do */
};
enum call_care call_care(const struct cli *cli);
/** True: it was answered by yes. */
bool call_confirmed(const struct cli *cli);

/** The client, opened when it is first needed; NULL: why was said, `ret_code` is the exit code. */
struct rpc_client *call_client(struct cli *cli, int *ret_code);

/** A call; NULL: why was said, `ret_code` is the exit code. Freed by the caller. */
ProtobufCMessage *call_method(struct cli *cli, const char *method, const ProtobufCMessage *request,
                              int *ret_code);

/** Where nobody has said which node, and it is not the first one of this machine: say which. */
void call_tell_where(struct cli *cli);

int call_exit_code(Hgtp__Rpc__Code code);
/** Tell people why a call failed, and what they can do. */
void call_explain(const struct cli *cli, const struct rpc_status *status);

/** A verb that is one call. */
int call_verb(struct cli *cli);

#endif
