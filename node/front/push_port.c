/* SPDX-License-Identifier: MIT */
/* push_port: the push connections as talk sees them. */
#include "push.h"

static void *push_port_open(void *ctx, const uint8_t user_id[8], uint32_t ip, uint16_t port,
                            void *owner)
{
    return push_open(ctx, user_id, ip, port, owner);
}

static bool push_port_send(void *push, enum push_type type, struct frame *body)
{
    return push_send(push, type, body);
}

static void push_port_redirect(void *push, uint32_t ip, uint16_t port)
{
    push_redirect(push, ip, port);
}

static bool push_port_alive(const void *push)
{
    return push_alive(push);
}

static void push_port_close(void *push)
{
    push_close(push);
}

struct push_port push_port(struct push_settings *settings)
{
    return (struct push_port){settings,           push_port_open,  push_port_send,
                              push_port_redirect, push_port_alive, push_port_close};
}
