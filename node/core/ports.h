/* SPDX-License-Identifier: MIT */
/*
 * ports: what talk/ needs of the outside, as small tables of functions; it knows neither libuv nor
 * hiredis. Everything is called on the loop thread. Addresses are IPv4 in host order.
 */
#ifndef CORE_PORTS_H
#define CORE_PORTS_H

#include "frames.h"
#include "node/base/name_key.h"
#include "proto/err.h"
#include "proto/push_text.h"
#include "proto/ws.h"

/** Keys that are shared; two are valid while they are rotated, and the first one is used. */
#define CORE_KEYS_MAX 2
struct core_keys {
    struct bytes keys[CORE_KEYS_MAX];
    size_t count;
};

enum script {
#define SCRIPT(name, kind) SCRIPT_##name,
#include "script.def"
    SCRIPT_COUNT
};

/** What becomes of a script that comes too late; see script.def. */
enum script_kind { SCRIPT_CHANGES, SCRIPT_READS, SCRIPT_ALWAYS };

/** What a script wants done; fields[0] is the name (effect.def). */
struct effect {
    const struct bytes *fields;
    size_t count;
};

struct result {
    enum err code;
    struct bytes extra;
    const struct effect *effects;
    size_t effect_count;
    int64_t sent_us, got_us; /* the call and its answer, as metrics_now_us; 0: not known */
    int64_t redis_us;        /* Redis' time when the script ran; 0: not known */
};

/** Arguments of a script: name, value, name, value ... All views are borrowed. */
#define SCRIPT_ARGS_MAX 112
struct script_args {
    struct bytes items[SCRIPT_ARGS_MAX];
    size_t count;
    char digits[20][24]; /* where numbers and addresses are kept as text */
    size_t digits_used;
    struct {
        char name[16];
        uint8_t key[NAME_KEY_BYTES_MAX];
    } keys[2]; /* where script_args_name keeps what it adds */
    size_t keys_used;
};

/** `result` is borrowed for the call; NULL: the store is away or did not answer in time. What a
 * script then did all the same comes by core_on_late. */
typedef void store_on_result_fn(const struct result *result, void *arg);

struct store_port {
    void *ctx;
    /** Run a script; `args` is borrowed for the call. `on_result` comes once, from inside only when
     * memory is out. */
    void (*call)(void *ctx, enum script script, const struct script_args *args,
                 store_on_result_fn *on_result, void *arg);
    /** From inside on_result with NULL: why there is no result, ERR_STORE_AWAY if nobody knows. */
    enum err (*refusal)(void *ctx);
};

struct datagram_port {
    void *ctx;
    /** Send from the listening socket. What cannot be sent is counted and lost, as UDP is. */
    void (*send)(void *ctx, uint32_t ip, uint16_t port, struct bytes datagram);
};

/** What a push connection has been through. */
struct push_health {
    bool is_up;          /* it stands */
    unsigned lost_count; /* how often one that stood was lost, by the other end or on the way */
    int64_t failing_ms;  /* since so long it is refused, or lost before or without an answer; 0: it
                            is not */
};

/** Connections to clients' HTTP ports; see node/front/push.h, which is behind it. */
struct push_port {
    void *ctx;
    void *(*open)(void *ctx, const uint8_t user_id[8], uint32_t ip, uint16_t port, void *owner);
    bool (*send)(void *push, enum push_type type, struct frame *body, uint64_t mark);
    void (*redirect)(void *push, uint32_t ip, uint16_t port);
    bool (*alive)(const void *push);
    struct push_health (*health)(const void *push);
    uint64_t (*confirmed)(const void *push);
    bool (*idle)(const void *push);
    void (*close)(void *push);
};

/**
 * Lines: connections that clients have opened to be told what happens, WebSocket or SSE; see
 * node/front/line.h, which is behind it. A line that has ended stays valid while it is held, and
 * takes everything without effect.
 */
struct line_port {
    enum format (*format)(const void *line);
    /** It has not ended, nor begun to. */
    bool (*is_open)(const void *line);
    /** Queue a frame of its format; a reference is taken. False: the queue is full, nothing was
     * taken, core_on_drained will be called. What is urgent, because nobody keeps it for later, is
     * taken beyond the bound; where that does not help the line ends. */
    bool (*send)(void *line, struct frame *frame, bool is_urgent);
    /** Whom core_on_drained and core_on_line_ended are for; NULL: nobody. */
    void (*own)(void *line, void *owner);
    void *(*owner)(const void *line);
    /** End it once what is queued is written. It has no owner any more. */
    void (*close)(void *line, enum ws_close why);
    void (*hold)(void *line);
    void (*let_go)(void *line);
};

/** The way to the other nodes; see node/bus/bus.h, which is behind it. Nothing here can fail: what
 * is lost is noticed by the receiver. Names of nodes are "id@incarnation". */
struct bus_port {
    void *ctx;
    /** Have `effect`, borrowed, carried out by that node; "*": by all others. A node that is not
     * there is not told. */
    void (*send)(void *ctx, struct bytes node, const struct effect *effect);
    /** That node is there, at that address ("tcp://..."); repeated at least once a second for each.
     * One that has not been named for some seconds is dropped. */
    void (*peer)(void *ctx, struct bytes node, struct bytes address);
    /** Send a batch, empty if need be, to every other node, so that it can see what it missed, and
     * to this node itself, so that it can see that the bus works. */
    void (*beat)(void *ctx);
};

struct clock_port {
    void *ctx;
    int64_t (*now_ms)(void *ctx);           /* monotonic */
    int64_t (*now_unix_ms)(void *ctx);      /* for timestamps shown to people only */
    void (*wake_in)(void *ctx, int64_t ms); /* have core_tick called within that time */
    void (*random)(void *ctx, uint8_t *out, size_t len); /* unpredictable bytes */
};

#endif
