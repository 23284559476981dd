/* SPDX-License-Identifier: MIT */
/* push_port: the push connections as talk sees them. */
#include "push.h"

static void *push_port_open(void *ctx, const uint8_t user_id[8], uint32_t ip, uint16_t port,
                            void *owner)
{
    return push_open(ctx, user_id, ip, port, owner);
}

static bool push_port_send(void *push, enum push_type type, struct frame *body, uint64_t mark)
{
    return push_send(push, type, body, mark);
}

static void push_port_redirect(void *push, uint32_t ip, uint16_t port)
{
    push_redirect(push, ip, port);
}

static bool push_port_alive(const void *push)
{
    return push_alive(push);
}

static struct push_health push_port_health(const void *push)
{
    return push_health(push);
}

static uint64_t push_port_confirmed(const void *push)
{
    return push_confirmed(push);
}

static bool push_port_idle(const void *push)
{
    return push_idle(push);
}

static void push_port_close(void *push)
{
    push_close(push);
}

struct push_port push_port(struct push_settings *settings)
{
    return (struct push_port){.ctx = settings,
                              .open = push_port_open,
                              .send = push_port_send,
                              .redirect = push_port_redirect,
                              .alive = push_port_alive,
                              .health = push_port_health,
                              .confirmed = push_port_confirmed,
                              .idle = push_port_idle,
                              .close = push_port_close};
}
