/* SPDX-License-Identifier: MIT */
/*
 * http_connection: one client's connection: bytes in, requests out to the handler, answers back in
 * the order of the requests. Shared by http_server.c (listening, time, life), http_connection.c and
 * http_connection_read.c.
 */
#ifndef FRONT_HTTP_CONNECTION_H
#define FRONT_HTTP_CONNECTION_H

#include "http_server.h"

/* Requests of one connection that wait for their answer; then reading pauses. */
#define HTTP_IN_FLIGHT_MAX 64
/* Unsent answers of one connection; then reading pauses. */
#define HTTP_UNSENT_MAX (256 * 1024)
/* For a client to go on sending what it was refused. */
#define HTTP_LINGER_MAX_MS 30000
/* Connections beyond the limits at one time; the oldest gives way to the next. */
#define HTTP_SPARE_MAX 32
/* For their question. */
#define HTTP_SPARE_MS 2000

struct http_exchange {
    struct http_server *server;
    struct http_connection *connection; /* NULL: the client has gone */
    struct http_exchange *next;         /* the request after it */
    uint32_t peer_ip;
    bool is_answered;
    bool is_head;  /* HEAD: the answer has no body */
    bool is_last;  /* the connection closes after this answer */
    bool is_kept;  /* HTTP/1.0 asked to keep the connection: the answer must say so */
    char *headers; /* more of them, or NULL */
    size_t answer_bytes;
    uint8_t *answer; /* complete, or NULL */
};

struct http_connection {
    struct http_server *server;
    struct http_connection *next, *prev;
    struct http_connection *next_dirty;
    uv_tcp_t *tcp; /* NULL: taken over by somebody else */
    uint32_t peer_ip;
    bool is_counted;   /* in options.connections */
    bool is_spare;     /* one of server->spares */
    bool is_dirty;     /* answers wait to be written in this turn */
    bool is_writing;   /* a write is under way */
    bool is_last_read; /* no further request is taken: closing, lost framing, or the client's end */
    bool is_closing;
    bool is_paused;
    bool is_reserved;  /* reading has stopped: the request may take the connection over */
    bool is_lingering; /* all is answered and our end is shut; the client may still be reading */
    bool has_ended;    /* the client has shut its end */
    uv_shutdown_t shutdown;
    int64_t lingering_ms; /* since when it lingers */
    int64_t since_ms;     /* start of the request being read, of the write, or of idleness */
    uint8_t *in;
    size_t in_len, in_cap;
    uint8_t *body; /* of a chunked request, de-chunked so far */
    size_t body_len, body_cap;
    bool in_body;   /* the head in `in` is parsed, its chunked body is being read */
    bool continued; /* 100 Continue was sent for the request being read */
    struct http1_request req;
    uint64_t body_max_bytes; /* as it was on accepting */
    struct http1_chunked chunked;
    size_t chunked_at; /* in `in`: where the rest of the chunked body begins */
    struct http_exchange *first;
    size_t in_flight;
    size_t used_bytes; /* of `in`: the request that the handler has */
    size_t unsent_bytes;
};

struct http_server {
    uv_loop_t *loop;
    struct http_server_options options;
    uv_tcp_t listener;
    uv_timer_t timer;
    uv_idle_t flush;
    uint16_t port;
    bool is_draining;
    bool is_sending_off;
    struct http_connection *spares[HTTP_SPARE_MAX]; /* see http_exchange_is_spare; NULL: free */
    size_t next_spare;                              /* whose turn it is to give way */
    bool owes_accept;  /* there was no memory for a connection; libuv waits until it is taken */
    size_t open_count; /* handles, connections and exchanges that keep the server alive */
    struct http_connection *connections;
    struct http_connection *dirty;
    struct http_connection *taken; /* without their sockets; freed at the end of the loop turn */
    int64_t date_s;
    char date[40];
};

/* http_connection.c */
/** False when there was no memory: try again later, or no other connection is heard of. */
bool http_connection_accept(struct http_server *server);
void http_connection_close(struct http_connection *connection);
/** Write what has been answered, read on if that was paused, close if all is over. */
void http_connection_flush(struct http_connection *connection);
/** End after the answer to what has been asked. */
void http_connection_drain(struct http_connection *connection);
/** End it if all is answered and nothing more will be asked. */
void http_connection_end_if_over(struct http_connection *connection);
void http_exchange_free(struct http_exchange *exchange);

/** The socket is somebody else's: the rest goes when nothing of it is on the stack any more. */
void http_connection_free(struct http_connection *connection);

/* http_connection_read.c */
/** Hand over what has come as far as it may be; read on, or pause. */
void http_connection_parse(struct http_connection *connection);
/** Read what comes. */
void http_connection_listen(struct http_connection *connection);

/* http_server.c */
void http_server_hold(struct http_server *server);
void http_server_let_go(struct http_server *server);
void http_server_dirty(struct http_connection *connection);
void http_server_free_later(struct http_connection *connection);
int64_t http_server_now_ms(const struct http_server *server);
const char *http_reason(int status);

#endif
