/* SPDX-License-Identifier: MIT */
/* sim_net: datagrams between nodes and clients: late, out of order, twice, or never. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim_client.h"
#include "sim_faults.h"
#include "sim_node.h"

struct datagram {
    struct sim_node *node;
    struct sim_user *user;
    uint16_t port;
    size_t len;
    uint8_t data[];
};

static struct datagram *datagram_new(struct sim_node *node, struct sim_user *user, uint16_t port,
                                     struct bytes content)
{
    struct datagram *datagram = malloc(sizeof *datagram + content.len);
    assert(datagram != NULL);
    *datagram = (struct datagram){.node = node, .user = user, .port = port, .len = content.len};
    memcpy(datagram->data, content.ptr, content.len);
    return datagram;
}

/* How often it arrives. */
static int datagram_copies(void)
{
    if (!sim_fault_is_on(FAULT_udp)) {
        return 1;
    }
    return sim_chance(30) ? 0 : sim_chance(30) ? 2 : 1;
}

static int64_t datagram_way_us(void)
{
    int64_t us = sim_way_us(SIM_WAY_UDP);
    return sim_fault_is_on(FAULT_udp) && sim_chance(50) ? us + sim_between(0, 500 * SIM_MS) : us;
}

/* To a node --------------------------------------------------------------------------------------
 */

static void datagram_on_at_node(void *arg, bool is_over)
{
    struct datagram *datagram = arg;
    if (!is_over) {
        core_on_datagram(datagram->node->core, datagram->user->ip, datagram->port,
                         bytes_of(datagram->data, datagram->len));
    }
    free(datagram);
}

void sim_datagram_to_node(struct sim_user *user, uint16_t port, struct sim_node *node,
                          struct bytes content)
{
    int copies = datagram_copies();
    if (copies == 0 || !sim_node_is_up(node) || node->phase >= SIM_LEAVING) {
        SIM_TELL(user, NULL, "a datagram to n%d is lost", node->index);
        return;
    }
    for (int i = 0; i < copies; i++) {
        sim_node_in(node, datagram_way_us(), SIM_IO, datagram_on_at_node,
                    datagram_new(node, user, port, content));
    }
}

/* To a client ------------------------------------------------------------------------------------
 */

static void datagram_on_at_client(void *arg, bool is_over)
{
    struct datagram *datagram = arg;
    if (!is_over && sim_original_has_port(datagram->user, datagram->port)) {
        sim_trace_bytes(datagram->data, datagram->len);
        sim_original_on_datagram(datagram->user, datagram->port,
                                 bytes_of(datagram->data, datagram->len));
    }
    free(datagram);
}

static void datagram_send(void *ctx, uint32_t ip, uint16_t port, struct bytes content)
{
    struct sim_node *node = ctx;
    struct sim_user *user = sim_user_at(ip);
    if (node->phase == SIM_DOWN || user == NULL || !user->is_original) {
        return;
    }
    int copies = datagram_copies();
    if (copies == 0) {
        SIM_TELL(user, NULL, "a datagram from n%d is lost: %s", node->index,
                 hgtp_type_name(content.ptr[2]));
        sim_original_on_lost(user, content);
    }
    for (int i = 0; i < copies; i++) {
        sim_in(datagram_way_us(), datagram_on_at_client, datagram_new(NULL, user, port, content));
    }
}

struct datagram_port sim_datagram_port(struct sim_node *node)
{
    return (struct datagram_port){node, datagram_send};
}
