/* SPDX-License-Identifier: MIT */
/*
 * client_address: each proxy adds at the end whom it heard, so the way back to the client leads
 * from the connection's own address through the last elements to the first.
 */
#include "client_address.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "node/base/config.h"

static bool client_address_is_forwarded(const struct http1_header *header)
{
    static const char name[] = "x-forwarded-for";
    return header->name.len == sizeof name - 1 &&
           strncasecmp((const char *)header->name.ptr, name, header->name.len) == 0;
}

/* Cuts the last element, without blanks, off a list. */
static struct bytes client_address_cut(struct bytes *list)
{
    const uint8_t *comma = memrchr(list->ptr, ',', list->len);
    size_t start = comma != NULL ? (size_t)(comma - list->ptr) + 1 : 0;
    struct bytes last = bytes_from(*list, start);
    list->len = comma != NULL ? start - 1 : 0;
    while (last.len > 0 && strchr(" \t", last.ptr[0]) != NULL) {
        last = bytes_from(last, 1);
    }
    while (last.len > 0 && strchr(" \t", last.ptr[last.len - 1]) != NULL) {
        last.len--;
    }
    return last;
}

/* "a.b.c.d", some proxies write ":port" behind it. */
static bool client_address_parse(struct bytes element, uint32_t *ret_ip)
{
    const uint8_t *colon = element.len > 0 ? memchr(element.ptr, ':', element.len) : NULL;
    size_t len = colon != NULL ? (size_t)(colon - element.ptr) : element.len;
    char text[INET_ADDRSTRLEN] = "";
    struct in_addr address;
    if (len >= sizeof text) {
        return false;
    }
    sink_put(&(struct sink){(uint8_t *)text, sizeof text - 1, 0}, bytes_of(element.ptr, len));
    if (inet_pton(AF_INET, text, &address) != 1) {
        return false;
    }
    *ret_ip = ntohl(address.s_addr);
    return true;
}

uint32_t client_address(const struct http1_request *req, uint32_t peer_ip, const char *proxies)
{
    uint32_t ip = peer_ip;
    for (size_t i = req->header_count; i > 0; i--) {
        const struct http1_header *header = &req->headers[i - 1];
        struct bytes list = header->value;
        while (client_address_is_forwarded(header) && list.len > 0) {
            if (!config_networks_contain(proxies, ip) ||
                !client_address_parse(client_address_cut(&list), &ip)) {
                return ip;
            }
        }
    }
    return ip;
}
