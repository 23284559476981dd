/* SPDX-License-Identifier: MIT */
/*
 * lifecycle_control: what operators can have a node do: drain, serve again, other settings. How it
 * is done is lifecycle.c's, who may ask for it the control service's.
 */
#include <string.h>
#include <time.h>

#include "checks.h"
#include "control/control_tokens.h"
#include "lifecycle_state.h"
#include "node/base/log.h"
#include "proto/build_info.h"

static void lifecycle_control_drain(void *ctx, bool is_ending)
{
    lifecycle_drain(ctx, is_ending);
}

static bool lifecycle_control_resume(void *ctx)
{
    return lifecycle_resume(ctx);
}

static const char *lifecycle_control_state(void *ctx)
{
    const struct node *node = ctx;
    return node->phase == PHASE_STARTING  ? "starting"
           : node->phase == PHASE_SERVING ? "serving"
                                          : "draining";
}

/* Another file of tokens has to be a good one. */
static bool lifecycle_tokens_good(const struct node *node, const struct config *changed,
                                  char *ret_error)
{
    struct control_tokens tokens;
    const char *file = changed->control_token_file;
    return file[0] == '\0' || strcmp(file, node->config->control_token_file) == 0 ||
           control_tokens_load(file, &tokens, ret_error);
}

static bool lifecycle_control_configure(void *ctx, struct config *changed, bool is_dry,
                                        void (*on_change)(const char *key, bool applied, void *arg),
                                        void *arg, char *ret_error)
{
    struct node *node = ctx;
    struct keys keys;
    if (!checks_pass(changed, ret_error) || !keys_load(changed, &keys, ret_error) ||
        !lifecycle_tokens_good(node, changed, ret_error)) {
        return false;
    }
    if (is_dry) {
        config_reload(changed, node->config, on_change, arg);
    } else {
        lifecycle_take_settings(node, changed, &keys, on_change, arg);
    }
    return true;
}

bool lifecycle_start_control(struct node *node)
{
    char error[CONTROL_ERROR_BYTES];
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    const struct control_options options = {
        .loop = &node->loop,
        .config = node->config,
        .core = node->core,
        .node = node->id,
        .hgtp_address = node->hgtp_address,
        .http_address = node->http_address,
        .bus_address = node->bus != NULL ? bus_address(node->bus) : "",
        .bus = bus_port(node->bus),
        .act = {.ctx = node,
                .drain = lifecycle_control_drain,
                .state = lifecycle_control_state,
                .resume = lifecycle_control_resume,
                .configure = lifecycle_control_configure},
        .tls = node->tls.operators,
        .version = build_info_version,
        .http_port = http_server_port(node->http),
        .since_unix_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000};
    node->control = control_new(&options);
    bool is_wanted = !config_is_default("control", "listen", node->config->control_listen);
    if (node->control == NULL || control_listen(node->control, error)) {
        return node->control != NULL;
    }
    LOG(is_wanted ? LOG_ERROR : LOG_WARN, "control_failed", log_str("error", error),
        log_str("hint", "operators' tools cannot reach this node; choose another address by "
                        "control.listen"));
    return !is_wanted;
}
