/* SPDX-License-Identifier: MIT */
/* sim_user: who is there, and when each does something. What they can do is their programs'. */
#include <stdio.h>
#include <string.h>

#include "sim_client.h"

#define USER_TICK_US (100 * SIM_MS)
#define USER_ACT_US  (600 * SIM_MS) /* twice the mean */

struct sim_user sim_users[SIM_USERS_MAX];
int sim_user_count;
static bool users_rest;
static uint64_t operation_count;

struct sim_user *sim_user_named(struct bytes name)
{
    int index = 0;
    if (name.len < 2 || name.len > 3 || name.ptr[0] != 'u') {
        return NULL;
    }
    for (size_t i = 1; i < name.len; i++) {
        index = index * 10 + name.ptr[i] - '0';
    }
    return index >= 0 && index < sim_user_count ? &sim_users[index] : NULL;
}

struct sim_user *sim_user_at(uint32_t ip)
{
    uint32_t index = (ip & 255) - 1;
    return ip >> 8 == 0x0a0100 && index < (uint32_t)sim_user_count ? &sim_users[index] : NULL;
}

const char *sim_room_name(int index)
{
    static const char *const names[SIM_ROOMS] = {"tea", "attic", "garden", "cellar"};
    return names[index];
}

uint64_t sim_operations(void)
{
    return operation_count;
}

void sim_operation(void)
{
    operation_count++;
}

static void user_on_tick(void *arg, bool is_over)
{
    struct sim_user *user = arg;
    if (is_over) {
        return;
    }
    sim_in(USER_TICK_US / 2 + (int64_t)sim_below(USER_TICK_US), user_on_tick, user);
    if (user->is_done) {
        return;
    }
    bool acts = sim_now_us >= user->act_us && (!users_rest || user->wants_out);
    if (user->is_original) {
        sim_original_tick(user);
    } else {
        sim_modern_tick(user);
    }
    if (acts) {
        user->act_us = sim_now_us + (int64_t)sim_below(USER_ACT_US);
        if (user->is_original) {
            sim_original_act(user);
        } else {
            sim_modern_act(user);
        }
    }
}

void sim_users_begin(int count)
{
    memset(sim_users, 0, sizeof sim_users);
    users_rest = false;
    operation_count = 0;
    sim_user_count = count;
    for (int i = 0; i < count; i++) {
        struct sim_user *user = &sim_users[i];
        user->index = i;
        user->ip = 0x0a010001u + (uint32_t)i;
        user->is_original = sim_chance(400);
        snprintf(user->name, sizeof user->name, "u%d", i);
        if (user->is_original) {
            sim_original_new(user);
        } else {
            sim_modern_new(user);
        }
        sim_in(sim_between(SIM_S, 3 * SIM_S), user_on_tick, user);
    }
}

void sim_users_end(void)
{
    for (int i = 0; i < sim_user_count; i++) {
        if (sim_users[i].is_original) {
            sim_original_free(&sim_users[i]);
        } else {
            sim_modern_free(&sim_users[i]);
        }
    }
}

void sim_users_rest(void)
{
    users_rest = true;
}

void sim_users_go(void)
{
    for (int i = 0; i < sim_user_count; i++) {
        sim_users[i].wants_out = true;
    }
}

bool sim_users_are_gone(struct sim_user **ret_user)
{
    for (int i = 0; i < sim_user_count; i++) {
        if (!sim_users[i].is_done) {
            *ret_user = &sim_users[i];
            return false;
        }
    }
    return true;
}

struct sim_belief sim_belief(const struct sim_user *user)
{
    return user->is_original ? sim_original_belief(user) : sim_modern_belief(user);
}
