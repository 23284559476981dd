/* SPDX-License-Identifier: MIT */
/*
 * checks: settings that would open a node to everybody are refused: no key, no bus key, no tokens
 * on an address that others can reach. Bounds of single settings are config's.
 */
#include "checks.h"

#include <stdio.h>
#include <string.h>

#include "keys.h"

static bool checks_begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

/* No machine but this one reaches an nng address of this kind. */
static bool checks_is_local(const char *url)
{
    static const char *const local[] = {
        "ipc://",       "inproc://",        "tcp://127.",      "tls+tcp://127.",
        "tcp://[::1]:", "tls+tcp://[::1]:", "tcp://localhost:"};
    for (size_t i = 0; i < sizeof local / sizeof local[0]; i++) {
        if (checks_begins(url, local[i])) {
            return true;
        }
    }
    return false;
}

static bool checks_auth(const struct config *config, char *ret_error)
{
    bool has_key = config->auth_key[0] != '\0' || config->auth_key_file[0] != '\0';
    if (has_key || keys_may_be_made(config)) {
        return true;
    }
    snprintf(
        ret_error, CHECKS_ERROR_BYTES,
        "auth.key: no key is set, and hgtp.listen=%s, http.listen=%s reach beyond loopback, "
        "where anybody could register; set auth.key_file (or auth.key), or listen on 127.0.0.1",
        config->hgtp_listen, config->http_listen);
    return false;
}

static bool checks_bus(const struct config *config, char *ret_error)
{
    bool has_key = config->bus_key[0] != '\0' || config->bus_key_file[0] != '\0';
    if (has_key || checks_is_local(config->bus_listen)) {
        return true;
    }
    snprintf(
        ret_error, CHECKS_ERROR_BYTES,
        "bus.key: no key is set, and bus.listen=%s reaches beyond loopback, where anybody could "
        "speak as a node; set bus.key_file (or bus.key), the same on all nodes, or listen on "
        "127.0.0.1",
        config->bus_listen);
    return false;
}

static bool checks_is_tls(const char *url)
{
    return checks_begins(url, "tls+tcp://");
}

static bool checks_tls(const struct config *config, char *ret_error)
{
    bool is_bus = checks_is_tls(config->bus_listen) || checks_is_tls(config->bus_advertise);
    bool is_wanted = is_bus || checks_is_tls(config->control_listen);
    bool lacks_cert = is_wanted && config->tls_cert_file[0] == '\0';
    if (!lacks_cert && (!is_bus || config->tls_ca_file[0] != '\0')) {
        return true;
    }
    snprintf(ret_error, CHECKS_ERROR_BYTES, "tls.%s: required when %s begins with tls+tcp",
             lacks_cert ? "cert_file" : "ca_file",
             is_bus ? "bus.listen (or bus.advertise)" : "control.listen");
    return false;
}

static bool checks_control(const struct config *config, char *ret_error)
{
    bool is_tcp = !checks_begins(config->control_listen, "ipc://") &&
                  !checks_begins(config->control_listen, "inproc://");
    if (!is_tcp || config->control_token_file[0] != '\0') {
        return true;
    }
    snprintf(ret_error, CHECKS_ERROR_BYTES,
             "control.token_file: required when control.listen=%s is no unix socket",
             config->control_listen);
    return false;
}

const char *checks_hint(const struct config *config)
{
    bool is_open = !checks_begins(config->http_listen, "127.");
    return is_open && config->http_names[0] == '\0'
               ? "hgtpd: http.names is empty: web pages reach this node by addresses and localhost "
                 "(and the hosts of http.allowed_origins); if people type a host name, name it "
                 "there\n"
               : "";
}

bool checks_pass(const struct config *config, char *ret_error)
{
    return checks_auth(config, ret_error) && checks_bus(config, ret_error) &&
           checks_control(config, ret_error) && checks_tls(config, ret_error);
}
