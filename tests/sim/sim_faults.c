/* SPDX-License-Identifier: MIT */
/* sim_faults: chooses a world's faults and has them happen, one after the other. */
#include "sim_faults.h"

#include <stdio.h>
#include <string.h>

#include "node/core/script_args.h"
#include "sim_check.h"
#include "sim_node.h"
#include "sim_redis.h"

static const struct {
    const char *name;
    uint32_t weight;
    bool is_default;
    const char *help;
} faults[FAULT_COUNT] = {
#define ON                            true
#define OFF                           false
#define FAULT(name, weight, on, help) {#name, weight, on, help},
#include "faults.def"
};

static struct {
    bool is_allowed[FAULT_COUNT], is_on[FAULT_COUNT], was_on[FAULT_COUNT];
    bool are_over;
    int64_t every_us; /* twice the mean between two */
    int64_t kept_us;  /* when Redis' state was kept */
    uint64_t count;
} now;

/* Choosing ---------------------------------------------------------------------------------------
 */

static bool faults_allow_word(const char *word, size_t len)
{
    for (int i = 0; i < FAULT_COUNT; i++) {
        if (strlen(faults[i].name) == len && memcmp(faults[i].name, word, len) == 0) {
            now.is_allowed[i] = true;
            return true;
        }
    }
    return len == 0;
}

bool sim_faults_allow(const char *names)
{
    for (int i = 0; i < FAULT_COUNT; i++) {
        now.is_allowed[i] =
            strcmp(names, "all") == 0 || (strcmp(names, "default") == 0 && faults[i].is_default);
    }
    if (strcmp(names, "all") == 0 || strcmp(names, "default") == 0 || strcmp(names, "none") == 0) {
        return true;
    }
    bool is_known = true;
    for (const char *at = names; at[0] != '\0';) {
        size_t len = strcspn(at, ",");
        is_known = faults_allow_word(at, len) && is_known;
        at += len + (at[len] == ',' ? 1 : 0);
    }
    return is_known;
}

void sim_faults_print(void)
{
    for (int i = 0; i < FAULT_COUNT; i++) {
        printf("  %-14s %s%s\n", faults[i].name, faults[i].help,
               faults[i].is_default ? "" : " (not by default)");
    }
}

bool sim_fault_is_on(enum sim_fault fault)
{
    return now.is_on[fault];
}

bool sim_fault_was_on(enum sim_fault fault)
{
    return now.was_on[fault];
}

uint64_t sim_faults_happened(void)
{
    return now.count;
}

/* What operators do ------------------------------------------------------------------------------
 */

struct operation {
    enum script script;
    struct sim_user *user;
};

static struct operation operation; /* one at a time */
static bool operation_is_open;

static void operator_on_result(const struct result *result, void *arg)
{
    (void)arg;
    operation_is_open = false;
    bool is_done = result != NULL && result->code == ERR_NONE;
    SIM_TELL(NULL, NULL, "the operator's change is %s", is_done ? "made" : "refused");
}

static void operator_on_call(void *arg, bool is_over)
{
    struct sim_node *node = arg;
    if (is_over) {
        operation_is_open = false;
        return;
    }
    static const enum script scripts[] = {SCRIPT_ctl_room_kick,    SCRIPT_ctl_room_kick,
                                          SCRIPT_ctl_session_kick, SCRIPT_ctl_room_delete,
                                          SCRIPT_ctl_notice,       SCRIPT_ctl_room_invite,
                                          SCRIPT_ctl_room_kick};
    operation.script = scripts[sim_below(sizeof scripts / sizeof scripts[0])];
    operation.user = &sim_users[sim_below((uint32_t)sim_user_count)];
    const struct sim_belief belief = sim_belief(operation.user);
    const char *room = belief.room[0] != '\0' ? belief.room : sim_room_name(0);
    SIM_TELL(NULL, NULL, "an operator at n%d: %s %s %s", node->index,
             operation.script == SCRIPT_ctl_room_kick      ? "room kick"
             : operation.script == SCRIPT_ctl_session_kick ? "session kick"
             : operation.script == SCRIPT_ctl_room_delete  ? "room delete"
             : operation.script == SCRIPT_ctl_notice       ? "notice"
                                                           : "room invite",
             room, operation.user->name);
    if (operation.script == SCRIPT_ctl_session_kick) {
        operation.user->was_kicked = true;
    }
    struct script_args args;
    core_control_args(node->core, &args);
    script_args_str(&args, "actor", "operator");
    script_args_str(&args, "cursor", "");
    script_args_str(&args, "dry_run", "");
    script_args_str(&args, "user", operation.user->name);
    script_args_str(&args, "room", room);
    script_args_str(&args, "text", "good evening");
    core_control(node->core, operation.script, &args, operator_on_result, NULL);
}

static void fault_operator(void)
{
    struct sim_node *node = sim_node_pick();
    if (!operation_is_open && sim_node_is_up(node)) {
        operation_is_open = true;
        sim_node_in(node, 0, SIM_IO, operator_on_call, node);
    }
}

/* What breaks ------------------------------------------------------------------------------------
 */

static struct sim_user *fault_user(bool is_original)
{
    struct sim_user *user = &sim_users[sim_below((uint32_t)sim_user_count)];
    return user->is_original == is_original ? user : NULL;
}

static void fault_bus_cut(void)
{
    int a = (int)sim_below((uint32_t)sim_node_count), b = (int)sim_below((uint32_t)sim_node_count);
    int64_t for_us = sim_between(100 * SIM_MS, sim_chance(300) ? 10 * SIM_S : 2 * SIM_S);
    bool is_held = sim_chance(300), is_both = sim_chance(500);
    if (a == b) {
        return;
    }
    SIM_TELL(NULL, NULL, "the bus from n%d to n%d%s is cut for %lld ms%s", a, b,
             is_both ? " and back" : "", (long long)(for_us / SIM_MS), is_held ? ", held" : "");
    sim_bus_cut(a, b, sim_now_us + for_us, is_held);
    if (is_both) {
        sim_bus_cut(b, a, sim_now_us + for_us, is_held);
    }
}

static void fault_line(void)
{
    struct sim_user *user = fault_user(false);
    if (user != NULL && sim_modern_conn(user) != NULL) {
        SIM_TELL(user, NULL, "its connection is cut");
        sim_conn_break(sim_modern_conn(user));
    }
}

static void fault_slow(void)
{
    struct sim_user *user = fault_user(false);
    if (user != NULL && sim_modern_conn(user) != NULL) {
        SIM_TELL(user, NULL, "is slow");
        sim_conn_slow(sim_modern_conn(user), sim_now_us + sim_between(SIM_S, 10 * SIM_S));
    }
}

static void fault_push(void)
{
    struct sim_user *user = fault_user(true);
    if (user != NULL) {
        SIM_TELL(user, NULL, "its push connection is cut");
        sim_push_break(user);
    }
}

static void fault_freeze(void)
{
    struct sim_user *user = fault_user(true);
    if (user != NULL) {
        SIM_TELL(user, NULL, "its program hangs");
        sim_original_freeze(user, sim_now_us + sim_between(500 * SIM_MS, 15 * SIM_S));
    }
}

static void fault_crash(void)
{
    struct sim_user *user = fault_user(true);
    if (user != NULL) {
        sim_original_crash(user);
    }
}

static void fault_on_restart(void *arg, bool is_over)
{
    struct sim_node *node = arg;
    if (is_over || node->phase == SIM_UP) {
        return;
    }
    if (node->phase == SIM_DOWN) {
        sim_node_start(node);
    } else { /* it is still draining */
        sim_in(SIM_S, fault_on_restart, node);
    }
}

static struct sim_node *fault_node(void)
{
    struct sim_node *node = &sim_nodes[sim_below((uint32_t)sim_node_count)];
    return node->phase == SIM_UP && !node->is_paused ? node : NULL;
}

static void fault_pause(void)
{
    struct sim_node *node = fault_node();
    if (node != NULL) {
        sim_node_pause(node, sim_between(50 * SIM_MS, 8 * SIM_S));
    }
}

static void fault_kill(void)
{
    struct sim_node *node = fault_node();
    if (node != NULL) {
        sim_node_kill(node);
        sim_in(sim_between(100 * SIM_MS, 8 * SIM_S), fault_on_restart, node);
    }
}

static void fault_drain(void)
{
    struct sim_node *node = fault_node();
    if (node != NULL) {
        sim_node_drain(node);
        sim_in(sim_between(SIM_S, 10 * SIM_S), fault_on_restart, node);
    }
}

static void fault_redis_stall(void)
{
    int64_t for_us = sim_between(50 * SIM_MS, 4 * SIM_S);
    SIM_TELL(NULL, NULL, "Redis does nothing for %lld ms", (long long)(for_us / SIM_MS));
    sim_redis_stall(sim_now_us + for_us);
}

static void fault_redis_cut(void)
{
    struct sim_node *node = fault_node();
    if (node == NULL) {
        return;
    }
    if (sim_chance(400)) {
        SIM_TELL(NULL, NULL, "the connection of n%d to Redis breaks", node->index);
        sim_link_break(node);
        return;
    }
    int64_t until_us = sim_now_us + sim_between(50 * SIM_MS, 5 * SIM_S);
    bool is_there = sim_chance(500), is_back = !is_there || sim_chance(300);
    SIM_TELL(NULL, NULL, "between n%d and Redis nothing arrives%s%s for %lld ms", node->index,
             is_there ? " there" : "", is_back ? " back" : "",
             (long long)((until_us - sim_now_us) / SIM_MS));
    sim_link_delay(node, is_there ? until_us : 0, is_back ? until_us : 0);
}

static void fault_redis_loss(void)
{
    if (now.kept_us != 0) {
        now.kept_us = 0;
        sim_redis_go_back();
    } else {
        now.kept_us = sim_now_us;
        SIM_TELL(NULL, NULL, "from here on Redis will lose what it writes");
        sim_redis_keep();
    }
}

static void fault_redis_restart(void)
{
    SIM_TELL(NULL, NULL, "Redis is started again");
    sim_redis_restart();
}

static void fault_clock(void)
{
    int64_t ahead_us = sim_between(-7200, 7200) * SIM_S;
    SIM_TELL(NULL, NULL, "Redis' clock is %lld s off", (long long)(ahead_us / SIM_S));
    sim_redis_clock(ahead_us);
}

/* Happening --------------------------------------------------------------------------------------
 */

static void fault_delay(void)
{
}

#define fault_half_open fault_delay
#define fault_udp       fault_delay
#define fault_bus_loss  fault_delay

static void (*const fault_happens[FAULT_COUNT])(void) = {
#define FAULT(name, weight, on, help) fault_##name,
#include "faults.def"
};

static void faults_on_next(void *arg, bool is_over)
{
    (void)arg;
    if (is_over || now.are_over) {
        return;
    }
    uint32_t total = 0;
    for (int i = 0; i < FAULT_COUNT; i++) {
        total += now.is_on[i] ? faults[i].weight : 0;
    }
    if (total == 0) {
        return;
    }
    uint32_t dice = sim_below(total);
    for (int i = 0; i < FAULT_COUNT; i++) {
        uint32_t weight = now.is_on[i] ? faults[i].weight : 0;
        if (dice < weight) {
            now.count++;
            fault_happens[i]();
            break;
        }
        dice -= weight;
    }
    sim_in((int64_t)sim_below((uint32_t)now.every_us), faults_on_next, NULL);
}

void sim_faults_begin(void)
{
    now.are_over = false;
    now.kept_us = 0;
    now.count = 0;
    operation_is_open = false;
    uint32_t share = 200 + sim_below(700);
    for (int i = 0; i < FAULT_COUNT; i++) {
        bool is_chosen = sim_chance(share);
        now.is_on[i] = now.was_on[i] = now.is_allowed[i] && is_chosen;
        if (now.is_on[i]) {
            SIM_TELL(NULL, NULL, "this world has the fault %s", faults[i].name);
        }
    }
    now.every_us = sim_between(500, 6000) * SIM_MS;
    sim_in(3 * SIM_S, faults_on_next, NULL);
}

void sim_faults_stop(void)
{
    now.are_over = true;
    for (int i = 0; i < FAULT_COUNT; i++) {
        now.is_on[i] = false;
    }
    SIM_TELL(NULL, NULL, "from here on nothing goes wrong");
}
