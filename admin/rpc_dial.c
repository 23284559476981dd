/* SPDX-License-Identifier: MIT */
/*
 * rpc_dial: an attempt to connect runs in a thread of its own, which is left behind when it takes
 * too long: a host that answers nothing would hold nng's caller for minutes.
 */
#include "admin/rpc_dial.h"

#include <errno.h>
#include <nng/supplemental/tls/tls.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "proto/dial_url.h"

struct rpc_dialling {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    nng_socket socket;
    nng_dialer dialer;
    int rc;
    bool has_ended, is_left; /* whoever comes second frees */
};

static void rpc_dialling_free(struct rpc_dialling *dialling)
{
    (void)pthread_mutex_destroy(&dialling->lock);
    (void)pthread_cond_destroy(&dialling->ended);
    free(dialling);
}

static void *rpc_dialling_run(void *arg)
{
    struct rpc_dialling *dialling = arg;
    int rc = nng_dialer_start(dialling->dialer, 0);
    (void)pthread_mutex_lock(&dialling->lock);
    dialling->rc = rc;
    dialling->has_ended = true;
    bool is_left = dialling->is_left;
    (void)pthread_cond_signal(&dialling->ended);
    (void)pthread_mutex_unlock(&dialling->lock);
    if (is_left) {
        (void)nng_close(dialling->socket);
        rpc_dialling_free(dialling);
    }
    return NULL;
}

static struct rpc_dialling *rpc_dialling_new(nng_socket socket, nng_dialer dialer)
{
    struct rpc_dialling *dialling = calloc(1, sizeof *dialling);
    pthread_condattr_t attributes;
    if (dialling == NULL) {
        return NULL;
    }
    dialling->socket = socket;
    dialling->dialer = dialer;
    (void)pthread_mutex_init(&dialling->lock, NULL);
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&dialling->ended, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return dialling;
}

/* True when it ended in time; else it is left to its thread. */
static bool rpc_dialling_wait(struct rpc_dialling *dialling, int64_t timeout_ms)
{
    struct timespec until;
    int rc = 0;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t nanoseconds = until.tv_nsec + timeout_ms % 1000 * 1000000;
    until.tv_sec += timeout_ms / 1000 + nanoseconds / 1000000000;
    until.tv_nsec = nanoseconds % 1000000000;
    (void)pthread_mutex_lock(&dialling->lock);
    while (!dialling->has_ended && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&dialling->ended, &dialling->lock, &until);
    }
    bool has_ended = dialling->has_ended;
    dialling->is_left = !has_ended;
    (void)pthread_mutex_unlock(&dialling->lock);
    return has_ended;
}

static int rpc_dialer(nng_socket socket, const char *url, struct nng_tls_config *tls,
                      nng_dialer *ret_dialer)
{
    char by_ipv4[1024];
    int rc = nng_dialer_create(ret_dialer, socket, dial_url(url, by_ipv4, sizeof by_ipv4));
    if (rc == 0 && tls != NULL) {
        rc = nng_dialer_set_ptr(*ret_dialer, NNG_OPT_TLS_CONFIG, tls);
    }
    return rc;
}

int rpc_dial(nng_socket socket, const char *url, struct nng_tls_config *tls, int64_t timeout_ms)
{
    pthread_t thread;
    nng_dialer dialer;
    int rc = rpc_dialer(socket, url, tls, &dialer);
    if (rc != 0) {
        (void)nng_close(socket);
        return rc;
    }
    struct rpc_dialling *dialling = rpc_dialling_new(socket, dialer);
    if (dialling == NULL || pthread_create(&thread, NULL, rpc_dialling_run, dialling) != 0) {
        if (dialling != NULL) {
            rpc_dialling_free(dialling);
        }
        (void)nng_close(socket);
        return NNG_ENOMEM;
    }
    (void)pthread_detach(thread);
    if (!rpc_dialling_wait(dialling, timeout_ms)) {
        return NNG_ETIMEDOUT;
    }
    rc = dialling->rc;
    rpc_dialling_free(dialling);
    if (rc != 0) {
        (void)nng_close(socket);
    }
    return rc;
}
