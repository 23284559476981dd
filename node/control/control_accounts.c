/* SPDX-License-Identifier: MIT */
/*
 * control_accounts: a user's own key is made here, goes to Redis sealed, and is shown once. Who has
 * an account, and what follows from it, is the scripts'.
 */
#include <stdlib.h>

#include "control_state.h"
#include "node/base/name_key.h"

void control_account_add(struct control_call *call)
{
    const Hgtp__Control__AccountName *request = (const Hgtp__Control__AccountName *)call->request;
    char key[CORE_ACCOUNT_KEY_CHARS + 1];
    if (!core_account_make(call->control->options.core,
                           name_shown(bytes_of(request->user.data, request->user.len)), key,
                           call->sealed)) {
        control_fail(call, HGTP__RPC__CODE__FAILED_PRECONDITION,
                     "there is no secret to seal a key with: set bus.key");
        control_end(call);
        return;
    }
    if (!request->dry_run) {
        (void)control_rows_str(call->reply, "key", key);
    }
    explicit_bzero(key, sizeof key);
    control_run(call, SCRIPT_ctl_account_add);
}

static void control_account_on_list(struct control_call *call)
{
    Hgtp__Control__AccountListReply *list = (Hgtp__Control__AccountListReply *)call->reply;
    for (size_t i = 0; i < list->n_accounts; i++) {
        Hgtp__Control__Account *account = list->accounts[i];
        (void)control_rows_str(&account->base, "key",
                               core_account_state(call->control->options.core,
                                                  bytes_of(account->user.data, account->user.len),
                                                  bytes_str(account->key)));
    }
    control_reply(call);
    control_end(call);
}

void control_account_list(struct control_call *call)
{
    call->on_rows = control_account_on_list;
    control_run(call, SCRIPT_ctl_account_list);
}
