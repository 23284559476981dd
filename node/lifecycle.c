/* SPDX-License-Identifier: MIT */
/*
 * lifecycle: assembles a node from its parts in the order in which they need each other, and takes
 * it apart again: STARTING (listening, waiting for Redis), SERVING, DRAINING (what is under way is
 * finished), CLOSING. The rules of talk and the protocols are elsewhere.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "checks.h"
#include "lifecycle.h"
#include "lifecycle_state.h"
#include "node/base/log.h"
#include "node/base/metrics.h"
#include "proto/build_info.h"

#define LIFECYCLE_SEND_OFF_MS   1500 /* who talks over HTTP has come to another node by then */
#define LIFECYCLE_SETTLE_MS     1000 /* clients may take so long to confirm what they were sent */
#define LIFECYCLE_LEAVE_MS      1000 /* Redis may take so long for the good-bye */
#define LIFECYCLE_LINGER_MS     100  /* who took a client over before that still has a question */
#define LIFECYCLE_ID_WAIT_MS    4000 /* another node with this id that is alive beats before */
#define LIFECYCLE_DRAIN_STEP_MS 20

/* Serving ----------------------------------------------------------------------------------------
 */

static void lifecycle_refuse_id(struct node *node)
{
    LOG(LOG_ERROR, "node_id_taken", log_str("node", node->id),
        log_str("hint", "another living node of this realm has the same id; give each its own "
                        "node.id, or end the other one"));
    lifecycle_fail(node);
}

/* What the supervisor is told of it. */
static void lifecycle_tell(const struct node *node)
{
    char status[320];
    snprintf(status, sizeof status, "serves HGTP at %s, HTTP at %s, as %s", node->hgtp_address,
             node->http_address, node->id);
    if (node->is_ending) {
        supervise_stopping("drains, and ends then");
    } else if (node->phase == PHASE_DRAINING) {
        supervise_ready("drains; hgtpctl node resume takes it into service again");
    } else if (node->phase == PHASE_SERVING) {
        supervise_ready(status);
    }
}

static void lifecycle_on_wake(void *arg)
{
    struct node *node = arg;
    if (node->phase >= PHASE_LEAVING) {
        return;
    }
    struct clock_port clock = clock_port(&node->clock);
    clock.wake_in(clock.ctx, core_tick(node->core));
    int64_t taken_ms = core_id_taken_ms(node->core);
    if (taken_ms != 0 && clock_now_ms() - taken_ms >= LIFECYCLE_ID_WAIT_MS) {
        lifecycle_refuse_id(node);
    }
    const char *why;
    bool is_ready = core_ready(node->core, &why);
    metric_set(METRIC_READY, is_ready);
    metric_set(METRIC_DRAINING, node->phase == PHASE_DRAINING || node->phase == PHASE_STOPPING);
    metric_set(METRIC_KEYS_CLIENTS, (int64_t)node->keys.clients.valid.count);
    metric_set(METRIC_KEYS_BUS, (int64_t)node->keys.bus.valid.count);
    if (node->phase == PHASE_STARTING && is_ready) {
        node->phase = PHASE_SERVING;
        node->was_ready = true;
        LOG(LOG_INFO, "ready", log_str("hgtp", node->hgtp_address),
            log_str("http", node->http_address), log_str("realm", node->config->node_realm),
            log_str("node", node->id));
        lifecycle_tell(node);
    }
}

/* Reload -----------------------------------------------------------------------------------------
 */

static void lifecycle_on_change(const char *key, bool applied, void *arg)
{
    (void)arg;
    if (applied) {
        LOG(LOG_INFO, "config_changed", log_str("key", key));
    } else {
        LOG(LOG_WARN, "config_needs_restart", log_str("key", key));
    }
}

void lifecycle_take_settings(struct node *node, const struct config *fresh, const struct keys *keys,
                             void (*on_change)(const char *key, bool applied, void *arg), void *arg)
{
    config_reload(node->config, fresh, on_change, arg);
    if (keys->clients.valid.count > 0) {
        keys_copy(&node->keys.clients, &keys->clients);
    }
    keys_copy(&node->keys.bus, &keys->bus);
    log_configure((enum log_level)node->config->log_level,
                  (enum log_format)node->config->log_format);
    node->push.queue_max_bytes = (size_t)node->config->limits_queue_bytes;
    lifecycle_line_settings(node);
    http_server_limits(node->http, lifecycle_body_max(node->config),
                       node->config->http_idle_s * 1000);
    char control_error[CONTROL_ERROR_BYTES];
    if (node->control != NULL && !control_reload(node->control, control_error)) {
        LOG(LOG_ERROR, "reload_refused", log_str("error", control_error),
            log_str("hint", "the operators' tokens stay as they were"));
    }
    store_deadline(node->store, node->config->redis_deadline_ms);
}

static void lifecycle_reload(struct node *node)
{
    struct config fresh;
    char error[CHECKS_ERROR_BYTES];
    struct keys keys;
    memset(&fresh, 0, sizeof fresh);
    bool is_good = config_load(node->sources, &fresh, error) && checks_pass(&fresh, error) &&
                   keys_load(&fresh, &keys, error);
    if (!is_good) {
        LOG(LOG_ERROR, "reload_refused", log_str("error", error),
            log_str("hint", "the settings stay as they were"));
        config_fini(&fresh);
        return;
    }
    lifecycle_take_settings(node, &fresh, &keys, lifecycle_on_change, NULL);
    config_fini(&fresh);
    LOG(LOG_INFO, "reloaded");
}

/* End --------------------------------------------------------------------------------------------
 */

static void lifecycle_on_redis_closed(void *arg)
{
    lifecycle_remove_folder(arg);
}

/* The last part: nothing asks the store any more. */
static void lifecycle_on_store_closed(void *arg)
{
    struct node *node = arg;
    core_free(node->core);
    node->core = NULL;
    udp_close(node->udp);
    if (node->redis != NULL) {
        private_redis_close(node->redis, lifecycle_on_redis_closed, node);
    } else {
        lifecycle_remove_folder(node);
    }
}

static void lifecycle_close(struct node *node)
{
    node->phase = PHASE_CLOSING;
    http_server_close(node->http);
    lines_close(node->lines);
    if (node->control != NULL) {
        control_close(node->control);
    }
    clock_close(&node->clock);
    loop_lag_close(&node->loop_lag);
    supervise_close(&node->supervise);
    uv_close((uv_handle_t *)&node->drain, NULL);
    for (size_t i = 0; i < sizeof node->signals / sizeof node->signals[0]; i++) {
        uv_close((uv_handle_t *)&node->signals[i], NULL);
    }
    if (node->bus != NULL) {
        bus_close(node->bus);
    }
    core_end_waiting(node->core);
    store_close(node->store, lifecycle_on_store_closed, node);
}

/* Where no other node serves, nobody can take the clients over. Else a balancer needs time to see
 * it, and those that talk over HTTP to find their way, whose sessions may be at home elsewhere. */
static bool lifecycle_has_drained(const struct node *node, int64_t left_ms)
{
    if (core_others(node->core) == 0 || left_ms <= 0) {
        return true;
    }
    bool is_seen = clock_now_ms() - node->phase_since_ms >= LIFECYCLE_SEND_OFF_MS;
    return core_census(node->core).sessions == 0 &&
           (is_seen || http_server_is_deserted(node->http));
}

static void lifecycle_enter(struct node *node, enum phase phase, int64_t within_ms)
{
    node->phase = phase;
    node->phase_since_ms = clock_now_ms();
    node->phase_until_ms = node->phase_since_ms + within_ms;
}

static void lifecycle_on_drained(struct node *node)
{
    if (node->is_ending) {
        lifecycle_enter(node, PHASE_STOPPING, LIFECYCLE_SETTLE_MS);
        http_server_drain(node->http);
        return;
    }
    uv_timer_stop(&node->drain);
    size_t line_count = core_census(node->core).lines;
    core_send_off(node->core);
    LOG(LOG_INFO, "drained", log_int("lines_closed", (int64_t)line_count),
        log_str("hint", "end it, or take it into service again by hgtpctl node resume"));
}

/* What was asked before the end is answered, and what was acknowledged is delivered: where no other
 * node serves, nobody else would do it. Else the others go on where push clients end here, and what
 * these have confirmed becomes final sooner. */
static void lifecycle_stop_pushes(struct node *node, bool is_quiet, int64_t left_ms)
{
    bool is_done = is_quiet && (core_others(node->core) > 0 || core_settled(node->core));
    if (is_done || left_ms <= 0) {
        core_stop(node->core);
    }
}

/* Nobody asks any more where a client of this node has ended. */
static bool lifecycle_has_left(const struct node *node, int64_t left_ms)
{
    return node->bus == NULL || core_census(node->core).sessions == 0 ||
           left_ms <= LIFECYCLE_LEAVE_MS - LIFECYCLE_LINGER_MS;
}

/* First the clients go to other nodes, then those who can't get what is on its way to them, then
 * the others are told, then it ends. */
static void lifecycle_on_drain_step(uv_timer_t *timer)
{
    struct node *node = timer->data;
    int64_t left_ms = node->phase_until_ms - clock_now_ms();
    bool is_quiet =
        core_in_flight(node->core) == 0 && (node->bus == NULL || !bus_is_waiting(node->bus));
    if (node->phase == PHASE_STOPPING) {
        lifecycle_stop_pushes(node, is_quiet, left_ms);
    }
    if (node->phase == PHASE_DRAINING && lifecycle_has_drained(node, left_ms)) {
        lifecycle_on_drained(node);
    } else if (node->phase == PHASE_STOPPING &&
               ((is_quiet && core_settled(node->core)) || left_ms <= 0)) {
        lifecycle_enter(node, PHASE_LEAVING, LIFECYCLE_LEAVE_MS);
        clock_stop(&node->clock);
        /* Who is heard here now would move to a node that is no more. */
        udp_stop_hearing(node->udp);
        core_leave(node->core);
    } else if (node->phase == PHASE_LEAVING &&
               ((is_quiet && lifecycle_has_left(node, left_ms)) || left_ms <= 0)) {
        lifecycle_close(node);
    }
}

void lifecycle_drain(struct node *node, bool is_ending)
{
    node->is_ending = node->is_ending || is_ending;
    if (node->phase > PHASE_DRAINING) {
        return;
    }
    if (node->phase == PHASE_DRAINING) {
        lifecycle_tell(node);
        uv_timer_start(&node->drain, lifecycle_on_drain_step, 0, LIFECYCLE_DRAIN_STEP_MS);
        return;
    }
    int64_t within_ms = node->config->node_drain_s * 1000;
    bool is_alone = core_others(node->core) == 0;
    LOG(LOG_INFO, "draining", log_int("deadline_ms", within_ms),
        log_int("sessions", (int64_t)core_census(node->core).sessions),
        log_str("then", node->is_ending ? "end" : "wait"));
    lifecycle_enter(node, PHASE_DRAINING, within_ms);
    lifecycle_tell(node);
    http_server_send_off(node->http, !is_alone);
    core_drain(node->core, is_alone ? LIFECYCLE_SETTLE_MS / 2 : within_ms / 2);
    uv_timer_start(&node->drain, lifecycle_on_drain_step, LIFECYCLE_DRAIN_STEP_MS,
                   LIFECYCLE_DRAIN_STEP_MS);
}

bool lifecycle_resume(struct node *node)
{
    if (node->phase > PHASE_DRAINING || node->is_ending) {
        return false;
    }
    if (node->phase == PHASE_DRAINING) {
        uv_timer_stop(&node->drain);
        node->phase = node->was_ready ? PHASE_SERVING : PHASE_STARTING;
        http_server_send_off(node->http, false);
        core_resume(node->core);
        lifecycle_tell(node);
        LOG(LOG_INFO, "resumed");
    }
    return true;
}

static void lifecycle_end_at_once(struct node *node)
{
    LOG(LOG_WARN, "ended_at_once",
        log_str("hint", "a second signal came before the drain was over"));
    lifecycle_fail(node);
}

static void lifecycle_on_signal(uv_signal_t *handle, int number)
{
    struct node *node = handle->data;
    if (number == SIGHUP) {
        supervise_reloading();
        lifecycle_reload(node);
        lifecycle_tell(node);
        return;
    }
    if (node->was_signalled) {
        lifecycle_end_at_once(node);
    }
    node->was_signalled = true; /* an operator may have had it end before that */
    lifecycle_drain(node, true);
}

/* Run --------------------------------------------------------------------------------------------
 */

static void lifecycle_start_signals(struct node *node)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
    static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2};
    for (size_t i = 0; i < sizeof ignored / sizeof ignored[0]; i++) {
        (void)signal(ignored[i], SIG_IGN);
    }
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        uv_signal_init(&node->loop, &node->signals[i]);
        node->signals[i].data = node;
        uv_signal_start(&node->signals[i], lifecycle_on_signal, numbers[i]);
    }
    clock_init(&node->clock, &node->loop, lifecycle_on_wake, node);
    supervise_open(&node->supervise, &node->loop);
    loop_lag_open(&node->loop_lag, &node->loop);
    uv_timer_init(&node->loop, &node->drain);
    node->drain.data = node;
}

static bool lifecycle_start(struct node *node)
{
    if (!lifecycle_start_keys(node) || !lifecycle_start_tls(node) ||
        !lifecycle_start_listeners(node)) {
        return false;
    }
    lifecycle_start_signals(node);
    lifecycle_name(node);
    if (!lifecycle_start_bus(node) || !lifecycle_start_store(node) || !lifecycle_start_talk(node) ||
        !lifecycle_start_control(node)) {
        return false;
    }
    LOG(LOG_INFO, "listening", log_str("hgtp", node->hgtp_address),
        log_str("http", node->http_address),
        log_str("bus", node->bus != NULL ? bus_address(node->bus) : ""),
        log_str("control", node->control != NULL ? control_address(node->control) : ""),
        log_int("pid", getpid()));
    struct clock_port clock = clock_port(&node->clock);
    clock.wake_in(clock.ctx, 0);
    return true;
}

/* A connection for each client: as many as the system lets this process have. */
static void lifecycle_raise_files(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

int lifecycle_run(struct config *config, const struct config_sources *sources)
{
    struct node *node = calloc(1, sizeof *node);
    if (node == NULL) {
        return 1;
    }
    node->config = config;
    node->sources = sources;
    metrics_set_version(build_info_version);
    log_configure((enum log_level)config->log_level, (enum log_format)config->log_format);
    log_start();
    lifecycle_raise_files();
    uv_loop_init(&node->loop);
    if (!lifecycle_start(node)) {
        lifecycle_fail(node);
    }
    uv_run(&node->loop, UV_RUN_DEFAULT);
    uv_loop_close(&node->loop);
    LOG(LOG_INFO, "ended");
    log_flush();
    control_free(node->control);
    connections_fini(&node->connections);
    int exit_code = node->exit_code;
    config_fini(config);
    free(node);
    return exit_code;
}
