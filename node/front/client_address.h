/* SPDX-License-Identifier: MIT */
/*
 * client_address: where the client of an HTTP request is. It is what proxies say: good enough to
 * count and to show clients by, never a proof of who somebody is.
 */
#ifndef FRONT_CLIENT_ADDRESS_H
#define FRONT_CLIENT_ADDRESS_H

#include <stdint.h>

#include "proto/http1.h"

/**
 * peer_ip  of the connection, host order
 * proxies  networks as http.trusted_proxies has them
 * returns  host order: `peer_ip`; or, if that is one of `proxies`, the last address in the
 *          request's X-Forwarded-For headers that is none of them. What is no IPv4 address ends
 *          the way back: then the address before it counts.
 */
uint32_t client_address(const struct http1_request *req, uint32_t peer_ip, const char *proxies);

#endif
