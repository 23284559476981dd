/* SPDX-License-Identifier: MIT */
/*
 * talk_net: turns what people type for a server into addresses. Sockets are opened by talk_udp.c
 * and talk_ws.c. Nodes listen on IPv4; a balancer may be reached by IPv6 as well.
 */
#include "admin/talk/talk_net.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static bool talk_net_is_port(const char *text)
{
    size_t len = strspn(text, "0123456789");
    return len > 0 && len <= 5 && text[len] == '\0' && atol(text) > 0 && atol(text) <= UINT16_MAX;
}

bool talk_net_parse(const char *text, const char *default_port, struct talk_address *ret_address)
{
    bool has_brackets = text[0] == '[';
    text += has_brackets ? 1 : 0;
    size_t host_len = strcspn(text, has_brackets ? "]" : ":");
    const char *rest = text + host_len;
    if (has_brackets && *rest++ != ']') {
        return false;
    }
    const char *port = rest[0] == ':' ? rest + 1 : default_port;
    if ((rest[0] != ':' && rest[0] != '\0') || host_len == 0 || host_len > TALK_NET_HOST_MAX ||
        !talk_net_is_port(port) || strcspn(text, "/ \t\r\n") < host_len) {
        return false;
    }
    memcpy(ret_address->host, text, host_len);
    ret_address->host[host_len] = '\0';
    snprintf(ret_address->port, sizeof ret_address->port, "%s", port);
    return true;
}

bool talk_net_resolve(const struct talk_address *address, int socket_type, unsigned attempt,
                      struct talk_endpoint *ret_endpoint)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = socket_type};
    struct addrinfo *found = NULL;
    if (getaddrinfo(address->host, address->port, &hints, &found) != 0) {
        return false;
    }
    unsigned count = 0;
    for (const struct addrinfo *one = found; one != NULL; one = one->ai_next) {
        count++;
    }
    const struct addrinfo *one = found;
    for (unsigned i = attempt % count; i > 0; i--) {
        one = one->ai_next;
    }
    memcpy(&ret_endpoint->address, one->ai_addr, one->ai_addrlen);
    ret_endpoint->len = one->ai_addrlen;
    freeaddrinfo(found);
    return true;
}

void talk_net_print(const struct talk_address *address, char *text, size_t cap)
{
    bool has_brackets = strchr(address->host, ':') != NULL;
    snprintf(text, cap, "%s%s%s:%s", has_brackets ? "[" : "", address->host,
             has_brackets ? "]" : "", address->port);
}

void talk_net_random(void *out, size_t len)
{
    if (getrandom(out, len, 0) != (ssize_t)len) {
        fputs("hgtpctl talk: no randomness to be had\n", stderr);
        abort();
    }
}
