/* SPDX-License-Identifier: MIT */
/*
 * sim_line: connections that modern clients have opened, from both ends: the client's
 * (sim_conn_...) and the node's, which is a line of talk's line port, as node/front/line.h
 * promises. Also the requests that clients send by POST. What goes over them arrives in its order,
 * late, or not at all when they break; either end may learn of that long after the other.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "proto/base64.h"
#include "sim_client.h"
#include "sim_faults.h"
#include "sim_node.h"

#define LINE_FRAME_BYTES 64
#define LINE_NOTICED_US  (50 * SIM_S) /* two pings without an answer */

/* The node's end. */
struct sim_line {
    struct sim_line *next; /* of its node */
    struct sim_node *node;
    struct sim_conn *conn;
    void *owner;
    bool is_open;
    size_t holds;
    size_t queue_bytes;
    bool has_refused;
};

struct sim_conn {
    unsigned holds;        /* by events, the client and the node's end */
    struct sim_user *user; /* NULL: the client has left it */
    struct sim_node *node;
    uint32_t life;
    enum format format;
    bool is_attach;
    uint8_t token[64], epoch[40];
    struct core_attach attach; /* views into the two above */
    struct sim_line *line;     /* NULL: not yet, or not any more */
    bool is_broken;            /* nothing passes */
    bool is_shut;              /* the client has closed it */
    int64_t to_node_us, to_client_us, slow_until_us;
};

static void conn_let_go(struct sim_conn *conn)
{
    if (--conn->holds == 0) {
        free(conn);
    }
}

static bool conn_reaches(const struct sim_conn *conn)
{
    return !conn->is_broken && sim_node_is_up(conn->node) && conn->life == conn->node->life;
}

static void line_let_go(struct sim_line *line)
{
    if (--line->holds == 0) {
        struct sim_line **at = &line->node->lines;
        while (*at != line) {
            at = &(*at)->next;
        }
        *at = line->next;
        conn_let_go(line->conn);
        free(line);
    }
}

/* It has ended; who owned it is told. */
static void line_drop(struct sim_line *line)
{
    if (!line->is_open) {
        return;
    }
    line->is_open = false;
    line->conn->line = NULL;
    void *owner = line->owner;
    line->owner = NULL;
    if (owner != NULL) {
        core_on_line_ended(owner);
    }
    line_let_go(line);
}

/* To the client ----------------------------------------------------------------------------------
 */

enum conn_news { CONN_OPENED, CONN_REFUSED, CONN_FRAME, CONN_CLOSED };

struct conn_down {
    struct sim_conn *conn;
    enum conn_news news;
    enum err err;
    enum ws_close why;
    struct frame *frame;
    struct sim_line *line; /* of the frame, held */
};

static void line_on_read(struct sim_line *line, size_t bytes)
{
    line->queue_bytes -= bytes;
    if (line->is_open && line->has_refused && line->owner != NULL &&
        line->queue_bytes <= (size_t)sim_config.limits_queue_bytes / 2) {
        line->has_refused = false;
        core_on_drained(line->owner);
    }
}

struct line_read {
    struct sim_line *line;
    size_t bytes;
};

static void line_on_read_event(void *arg, bool is_over)
{
    struct line_read *read = arg;
    if (!is_over) {
        line_on_read(read->line, read->bytes);
    }
    line_let_go(read->line);
    free(read);
}

/* "data: ..." and what stands before it */
static void conn_take_event(struct sim_conn *conn, struct bytes event)
{
    static const char mark[] = "data: ", hgtp[] = "event: hgtp\n";
    const uint8_t *data = memmem(event.ptr, event.len, mark, sizeof mark - 1);
    assert(data != NULL && event.len >= sizeof mark + 1);
    bool is_text = memmem(event.ptr, (size_t)(data - event.ptr), hgtp, sizeof hgtp - 1) == NULL;
    data += sizeof mark - 1;
    struct bytes content = bytes_of(data, (size_t)(event.ptr + event.len - data) - 2);
    uint8_t decoded[HGTP_DATAGRAM_MAX];
    struct sink out = sink_into(decoded, sizeof decoded);
    if (!is_text) {
        bool is_base64 = base64_decode(content, &out);
        assert(is_base64 && sink_fits(&out));
        content = sink_bytes(&out);
    }
    sim_modern_on_frame(conn->user, conn, is_text, content);
}

static void conn_take_frame(struct sim_conn *conn, struct bytes frame)
{
    if (conn->format == FORMAT_SSE) {
        conn_take_event(conn, frame);
        return;
    }
    assert(frame.len >= 2);
    uint8_t opcode = frame.ptr[0] & 15, len = frame.ptr[1];
    size_t head = len == 126 ? 4 : len == 127 ? 10 : 2;
    sim_modern_on_frame(conn->user, conn, opcode == WS_TEXT, bytes_from(frame, head));
}

static void conn_on_down(void *arg, bool is_over)
{
    struct conn_down *down = arg;
    struct sim_conn *conn = down->conn;
    bool is_heard = !is_over && conn->user != NULL && !conn->is_broken;
    if (down->line != NULL) { /* the node's end has space again */
        struct line_read *read = malloc(sizeof *read);
        assert(read != NULL);
        *read = (struct line_read){down->line, down->frame->len + LINE_FRAME_BYTES};
        if (!is_over && conn->life == conn->node->life) {
            sim_node_in(conn->node, sim_way_us(SIM_WAY_TCP), SIM_IO, line_on_read_event, read);
        } else {
            line_on_read_event(read, true);
        }
    }
    if (is_heard) {
        switch (down->news) {
        case CONN_OPENED:
            sim_modern_on_open(conn->user, conn);
            break;
        case CONN_REFUSED:
            sim_modern_on_refused(conn->user, conn, down->err);
            break;
        case CONN_FRAME:
            sim_trace_bytes(down->frame->data, down->frame->len);
            conn_take_frame(conn, bytes_of(down->frame->data, down->frame->len));
            break;
        case CONN_CLOSED:
            sim_modern_on_closed(conn->user, conn, down->why);
            break;
        }
    }
    frame_unref(down->frame);
    free(down);
    conn_let_go(conn);
}

static void conn_down(struct sim_conn *conn, struct conn_down what)
{
    struct conn_down *down = malloc(sizeof *down);
    assert(down != NULL);
    *down = what;
    down->conn = conn;
    conn->holds++;
    int64_t at_us = sim_now_us + sim_way_us(SIM_WAY_TCP);
    at_us = at_us > conn->slow_until_us ? at_us : conn->slow_until_us;
    conn->to_client_us = at_us > conn->to_client_us ? at_us : conn->to_client_us;
    sim_in(conn->to_client_us - sim_now_us, conn_on_down, down);
}

/* The line port ----------------------------------------------------------------------------------
 */

static enum format line_port_format(const void *line)
{
    return ((const struct sim_line *)line)->conn->format;
}

static bool line_port_send(void *port, struct frame *frame, bool is_urgent)
{
    struct sim_line *line = port;
    if (!line->is_open) {
        return true;
    }
    size_t max_bytes = (size_t)sim_config.limits_queue_bytes * (is_urgent ? 2 : 1);
    size_t would_be = line->queue_bytes + frame->len + LINE_FRAME_BYTES;
    if (line->queue_bytes > 0 && would_be > max_bytes) {
        if (is_urgent) {
            conn_down(line->conn, (struct conn_down){.news = CONN_CLOSED});
            line_drop(line);
            return true;
        }
        line->has_refused = true;
        return false;
    }
    line->queue_bytes = would_be;
    line->holds++;
    conn_down(line->conn,
              (struct conn_down){.news = CONN_FRAME, .frame = frame_ref(frame), .line = line});
    return true;
}

static void line_port_own(void *line, void *owner)
{
    ((struct sim_line *)line)->owner = owner;
}

static void *line_port_owner(const void *line)
{
    return ((const struct sim_line *)line)->owner;
}

static bool line_port_is_open(const void *line)
{
    return ((const struct sim_line *)line)->is_open;
}

static void line_port_close(void *port, enum ws_close why)
{
    struct sim_line *line = port;
    line->owner = NULL;
    if (line->is_open) {
        conn_down(line->conn, (struct conn_down){.news = CONN_CLOSED, .why = why});
        line_drop(line);
    }
}

static void line_port_hold(void *line)
{
    ((struct sim_line *)line)->holds++;
}

static void line_port_let_go(void *line)
{
    line_let_go(line);
}

struct line_port sim_line_port(void)
{
    return (struct line_port){.format = line_port_format,
                              .send = line_port_send,
                              .own = line_port_own,
                              .owner = line_port_owner,
                              .is_open = line_port_is_open,
                              .close = line_port_close,
                              .hold = line_port_hold,
                              .let_go = line_port_let_go};
}

static void conn_on_node_death(void *arg, bool is_over)
{
    struct sim_conn *conn = arg;
    if (!is_over && conn->user != NULL) {
        sim_modern_on_closed(conn->user, conn, WS_CLOSE_NO_STATUS);
    }
    conn_let_go(conn);
}

/* A client learns that its connection is no more. */
static void conn_is_dead(struct sim_conn *conn, int64_t in_us)
{
    conn->is_broken = true;
    conn->holds++;
    sim_in(in_us, conn_on_node_death, conn);
}

/* The process is gone. Talk still knows the lines, and is about to be freed. */
void sim_line_end(struct sim_node *node)
{
    for (struct sim_line *line = node->lines; line != NULL; line = line->next) {
        if (line->is_open) {
            conn_is_dead(line->conn, sim_way_us(SIM_WAY_TCP));
        }
    }
}

void sim_line_free(struct sim_node *node)
{
    struct sim_line *line = node->lines, *next;
    for (; line != NULL; line = next) {
        next = line->next;
        line->owner = NULL;
        line_drop(line);
    }
}

void sim_lines_send_off(struct sim_node *node)
{
    core_send_off(node->core);
}

/* From the client --------------------------------------------------------------------------------
 */

struct conn_up {
    struct sim_conn *conn;
    struct sim_line *line; /* while it is answered */
    enum sim_said what;
    size_t id_len, len;
    uint8_t data[]; /* id, content */
};

static struct sim_line *line_new(struct sim_conn *conn)
{
    struct sim_line *line = calloc(1, sizeof *line);
    assert(line != NULL);
    line->node = conn->node;
    line->conn = conn;
    line->is_open = true;
    line->holds = 1;
    line->next = conn->node->lines;
    conn->node->lines = line;
    conn->line = line;
    conn->holds++;
    conn_down(conn, (struct conn_down){.news = CONN_OPENED});
    return line;
}

static void *conn_on_attach(enum err err, void *arg)
{
    struct sim_conn *conn = arg;
    struct sim_line *line = NULL;
    if (!conn_reaches(conn)) {
        conn_is_dead(conn, sim_way_us(SIM_WAY_TCP));
    } else if (err != ERR_NONE) {
        conn_down(conn, (struct conn_down){.news = CONN_REFUSED, .err = err});
    } else if (!conn->is_shut) {
        line = line_new(conn);
    }
    conn_let_go(conn);
    return line;
}

static void conn_on_open(void *arg, bool is_over)
{
    struct sim_conn *conn = arg;
    if (is_over || conn->is_broken || conn->is_shut) {
        conn_is_dead(conn, sim_way_us(SIM_WAY_TCP));
        conn_let_go(conn);
    } else if (conn->is_attach) {
        core_attach(conn->node->core, &conn->attach, conn_on_attach, conn);
    } else {
        (void)line_new(conn);
        conn_let_go(conn);
    }
}

static void up_end(struct conn_up *up)
{
    if (up->line != NULL) {
        line_let_go(up->line);
    }
    conn_let_go(up->conn);
    free(up);
}

static void up_frame(struct conn_up *up, struct frame *frame)
{
    if (frame != NULL) {
        (void)line_port_send(up->line, frame, true);
        frame_unref(frame);
    }
}

static void up_on_reply(struct bytes reply, void *arg)
{
    struct conn_up *up = arg;
    if (reply.len > 0) {
        up_frame(up, frames_hgtp(up->line->conn->format, reply));
    }
    up_end(up);
}

struct up_answer {
    enum err err;
    uint64_t seq;
    struct bytes id;
};

static void up_write_answer(const void *what, struct sink *out)
{
    const struct up_answer *answer = what;
    char text[160];
    snprintf(text, sizeof text, "{\"type\":\"%s\",\"id\":\"%.*s\",\"seq\":%llu,\"code\":%d}",
             answer->err == ERR_NONE ? "ack" : "error", (int)answer->id.len,
             (const char *)answer->id.ptr, (unsigned long long)answer->seq, (int)answer->err);
    sink_text(out, text);
}

static void up_on_said(enum err err, uint64_t seq, void *arg)
{
    struct conn_up *up = arg;
    const struct up_answer answer = {err, seq, bytes_of(up->data, up->id_len)};
    up_frame(up, frames_text(up->line->conn->format, NULL, up_write_answer, &answer));
    up_end(up);
}

static void conn_on_up(void *arg, bool is_over)
{
    struct conn_up *up = arg;
    struct sim_conn *conn = up->conn;
    struct sim_line *line = conn->line;
    if (is_over || conn->is_broken || line == NULL || !line->is_open) {
        up_end(up);
        return;
    }
    up->line = line;
    line->holds++;
    struct bytes id = bytes_of(up->data, up->id_len);
    struct bytes content = bytes_of(up->data + up->id_len, up->len);
    const struct core_asker asker = {
        .ip = conn->user != NULL ? conn->user->ip : 0, .line = line, .owner = line->owner};
    if (up->what == SIM_SAID_HGTP) {
        core_ask(conn->node->core, &asker, content, up_on_reply, up);
    } else {
        const struct core_message message = {.asker = asker, .id = id, .text = content};
        core_say(conn->node->core, &message, up_on_said, up);
    }
}

static int64_t conn_up_us(struct sim_conn *conn)
{
    int64_t at_us = sim_now_us + sim_way_us(SIM_WAY_TCP);
    conn->to_node_us = at_us > conn->to_node_us ? at_us : conn->to_node_us;
    return conn->to_node_us - sim_now_us;
}

void sim_conn_send(struct sim_conn *conn, enum sim_said what, struct bytes id, struct bytes content)
{
    if (!conn_reaches(conn)) {
        return; /* the client does not know yet */
    }
    struct conn_up *up = malloc(sizeof *up + id.len + content.len);
    assert(up != NULL);
    *up = (struct conn_up){.conn = conn, .what = what, .id_len = id.len, .len = content.len};
    if (id.len > 0) {
        memcpy(up->data, id.ptr, id.len);
    }
    memcpy(up->data + id.len, content.ptr, content.len);
    conn->holds++;
    sim_node_in(conn->node, conn_up_us(conn), SIM_IO, conn_on_up, up);
}

struct sim_conn *sim_conn_open(struct sim_user *user, struct sim_node *node, enum format format,
                               const struct core_attach *attach)
{
    struct sim_conn *conn = calloc(1, sizeof *conn);
    assert(conn != NULL);
    conn->holds = 1;
    conn->user = user;
    conn->node = node;
    conn->life = node->life;
    conn->format = format;
    if (attach != NULL) {
        conn->is_attach = true;
        conn->attach = *attach;
        conn->attach.format = format;
        memcpy(conn->token, attach->asker.token.ptr, attach->asker.token.len);
        memcpy(conn->epoch, attach->epoch.ptr, attach->epoch.len);
        conn->attach.asker.token.ptr = conn->token;
        conn->attach.epoch.ptr = conn->epoch;
    }
    if (!sim_node_is_up(node)) { /* refused */
        conn_is_dead(conn, sim_way_us(SIM_WAY_TCP));
        return conn;
    }
    conn->holds++;
    sim_node_in(node, conn_up_us(conn) + sim_way_us(SIM_WAY_TCP), SIM_IO, conn_on_open, conn);
    conn->to_node_us += SIM_MS;
    return conn;
}

static void conn_on_noticed(void *arg, bool is_over)
{
    struct sim_conn *conn = arg;
    if (!is_over && conn->line != NULL) {
        line_drop(conn->line);
    }
    conn_let_go(conn);
}

/* The node learns, now or much later, that nobody is there any more. */
static void conn_is_left(struct sim_conn *conn)
{
    if (sim_node_is_up(conn->node) && conn->life == conn->node->life) {
        bool is_silent = sim_fault_is_on(FAULT_half_open) && sim_chance(300);
        int64_t in_us = is_silent ? sim_between(SIM_S, LINE_NOTICED_US) : conn_up_us(conn);
        conn->holds++;
        sim_node_in(conn->node, in_us, SIM_IO, conn_on_noticed, conn);
    }
}

void sim_conn_close(struct sim_conn *conn)
{
    conn->is_shut = true;
    conn_is_left(conn);
    conn->user = NULL;
    conn_let_go(conn);
}

void sim_conn_break(struct sim_conn *conn)
{
    if (!conn->is_broken) {
        conn_is_left(conn);
        bool is_silent = sim_fault_is_on(FAULT_half_open) && sim_chance(300);
        conn_is_dead(conn, is_silent ? sim_between(SIM_S, 10 * SIM_S) : sim_way_us(SIM_WAY_TCP));
    }
}

void sim_conn_slow(struct sim_conn *conn, int64_t until_us)
{
    conn->slow_until_us = until_us;
}

bool sim_conn_is_stream(const struct sim_conn *conn)
{
    return conn->format == FORMAT_SSE;
}

/* POST -------------------------------------------------------------------------------------------
 */

struct post {
    struct sim_user *user;
    struct sim_node *node;
    enum sim_said what;
    sim_on_post_fn *on_post;
    uint64_t tag;
    bool is_for_uid; /* the token is a user id */
    uint8_t token[64];
    size_t token_len, id_len, len;
    enum err err;
    uint64_t seq;
    size_t reply_len;
    uint8_t reply[HGTP_DATAGRAM_MAX];
    uint8_t data[];
};

static void post_on_answer(void *arg, bool is_over)
{
    struct post *post = arg;
    if (!is_over) {
        post->on_post(post->user, post->err, post->seq, bytes_of(post->reply, post->reply_len),
                      post->tag);
    }
    free(post);
}

static void post_answered(struct post *post)
{
    if (post->node->phase == SIM_DOWN) { /* it dies: the client hears nothing of it */
        free(post);
        return;
    }
    sim_in(sim_way_us(SIM_WAY_TCP), post_on_answer, post);
}

static void post_on_reply(struct bytes reply, void *arg)
{
    struct post *post = arg;
    post->reply_len = reply.len;
    if (reply.len > 0) {
        memcpy(post->reply, reply.ptr, reply.len);
    }
    post_answered(post);
}

static void post_on_said(enum err err, uint64_t seq, void *arg)
{
    struct post *post = arg;
    post->err = err;
    post->seq = seq;
    post_answered(post);
}

static void post_on_at_node(void *arg, bool is_over)
{
    struct post *post = arg;
    if (is_over) {
        free(post);
        return;
    }
    struct bytes token = bytes_of(post->token, post->token_len);
    struct bytes content = bytes_of(post->data + post->id_len, post->len);
    const struct core_asker asker = {.ip = post->user->ip,
                                     .token = post->is_for_uid ? bytes_of(NULL, 0) : token};
    if (post->what == SIM_SAID_HGTP) {
        core_ask(post->node->core, &asker, content, post_on_reply, post);
        return;
    }
    const struct core_message message = {.asker = asker,
                                         .user_id = post->is_for_uid ? token : bytes_of(NULL, 0),
                                         .id = bytes_of(post->data, post->id_len),
                                         .text = content,
                                         .is_originals = post->is_for_uid,
                                         .sent_unix_ms = 1700000000000 + sim_now_us / SIM_MS};
    core_say(post->node->core, &message, post_on_said, post);
}

void sim_post(struct sim_user *user, struct sim_node *node, enum sim_said what, struct bytes token,
              struct bytes id, struct bytes content, sim_on_post_fn *on_post, uint64_t tag)
{
    if (!sim_node_is_up(node) || node->phase >= SIM_LEAVING) {
        return; /* refused; the client will see */
    }
    struct post *post = malloc(sizeof *post + id.len + content.len);
    assert(post != NULL && token.len <= sizeof post->token);
    *post = (struct post){.user = user,
                          .node = node,
                          .what = what,
                          .on_post = on_post,
                          .tag = tag,
                          .is_for_uid = token.len == HGTP_USER_ID_BYTES,
                          .token_len = token.len,
                          .id_len = id.len,
                          .len = content.len};
    if (token.len > 0) {
        memcpy(post->token, token.ptr, token.len);
    }
    if (id.len > 0) {
        memcpy(post->data, id.ptr, id.len);
    }
    memcpy(post->data + id.len, content.ptr, content.len);
    sim_node_in(node, sim_way_us(SIM_WAY_TCP), SIM_IO, post_on_at_node, post);
}
