/* SPDX-License-Identifier: MIT */
/*
 * line: the life of a line and its queue: frames in order, all of a loop turn in one write, a bound
 * that keeps a slow reader from costing more than its queue. Reading is the kinds' (ws_line.c,
 * sse_line.c); who is behind a line is told by talk.
 */
#include <assert.h>
#include <stdlib.h>
#include <utlist.h>

#include "line_state.h"
#include "node/base/ages.h"
#include "tcp_socket.h"

#define LINE_STEP_MS    250
#define LINE_END_MS     2000 /* for a client to take the rest and close */
#define LINE_GIVE_UP_MS 120000
#define LINE_BUFS       64
/* What a frame costs beside its bytes. */
#define LINE_FRAME_BYTES 64

int64_t line_now_ms(const struct lines *lines)
{
    return (int64_t)uv_now(lines->settings->loop);
}

static void lines_let_go(struct lines *lines)
{
    assert(lines->open_count > 0);
    if (--lines->open_count == 0) {
        free(lines);
    }
}

/* Life ----------------------------------------------------------------------------------------- */

void line_hold(struct line *line)
{
    line->holds++;
}

/* What waits in all lines together is a metric. */
static void line_set_bytes(struct line *line, size_t bytes)
{
    metric_add(METRIC_QUEUED_BYTES, (int64_t)bytes - (int64_t)line->queue_bytes);
    line->queue_bytes = bytes;
}

static void line_drop_queue(struct line *line)
{
    for (; line->queue_count > 0; line->queue_count--) {
        frame_unref(line->queue[line->queue_at]);
        line->queue_at = (line->queue_at + 1) % line->queue_cap;
    }
    free(line->queue);
    line->queue = NULL;
    line->queue_cap = line->queue_at = line->started_bytes = 0;
    line_set_bytes(line, 0);
}

void line_let_go(struct line *line)
{
    assert(line->holds > 0);
    if (--line->holds == 0) {
        struct lines *lines = line->lines;
        line_drop_queue(line);
        ws_line_free(line);
        free(line->tcp);
        free(line);
        lines_let_go(lines);
    }
}

static void line_on_closed(uv_handle_t *handle)
{
    line_let_go(handle->data);
}

void line_disown(struct line *line)
{
    void *owner = line->owner;
    line->owner = NULL;
    if (owner != NULL) {
        core_on_line_ended(owner);
    }
}

static void line_give_back(const struct lines *lines, uint32_t client_ip)
{
    if (lines->settings->connections != NULL) {
        connections_give(lines->settings->connections, client_ip);
    }
}

void line_drop(struct line *line)
{
    if (line->state == LINE_CLOSED) {
        return;
    }
    line->state = LINE_CLOSED;
    metric_add(METRIC_LINE_CONNECTIONS, -1);
    DL_DELETE(line->lines->first, line);
    if (line->is_dirty) {
        LL_DELETE2(line->lines->dirty, line, next_dirty);
        line->is_dirty = false;
    }
    line_give_back(line->lines, line->client_ip);
    uv_close((uv_handle_t *)line->tcp, line_on_closed);
    line_disown(line);
}

/* Writing -------------------------------------------------------------------------------------- */

static void line_on_shut(uv_shutdown_t *shutdown, int status)
{
    struct line *line = shutdown->data;
    if (status != 0) {
        line_drop(line);
    }
    line_let_go(line);
}

/* All is written: our end is shut, and the client gets a moment to close its own. */
static void line_shut(struct line *line)
{
    line->is_shut = true;
    line->shutdown.data = line;
    line_hold(line);
    if (uv_shutdown(&line->shutdown, (uv_stream_t *)line->tcp, line_on_shut) != 0) {
        line_drop(line);
        line_let_go(line);
    }
}

static size_t line_bufs(const struct line *line, uv_buf_t bufs[LINE_BUFS])
{
    size_t count = line->queue_count < LINE_BUFS ? line->queue_count : LINE_BUFS;
    for (size_t i = 0; i < count; i++) {
        struct frame *frame = line->queue[(line->queue_at + i) % line->queue_cap];
        bufs[i] = uv_buf_init((char *)frame->data, (unsigned)frame->len);
    }
    if (count > 0) {
        bufs[0].base += line->started_bytes;
        bufs[0].len -= line->started_bytes;
    }
    return count;
}

static void line_written(struct line *line, size_t bytes)
{
    bytes += line->started_bytes;
    while (line->queue_count > 0 && bytes >= line->queue[line->queue_at]->len) {
        struct frame *frame = line->queue[line->queue_at];
        bytes -= frame->len;
        ages_delivered(line->format == FORMAT_WS ? HISTOGRAM_DELIVERY_WEBSOCKET
                                                 : HISTOGRAM_DELIVERY_EVENTS,
                       frame->logged_unix_ms, line->opened_ms * 1000);
        line_set_bytes(line, line->queue_bytes - frame->len - LINE_FRAME_BYTES);
        line->queue_at = (line->queue_at + 1) % line->queue_cap;
        line->queue_count--;
        frame_unref(frame);
    }
    line->started_bytes = bytes;
}

static void line_on_written(uv_write_t *write, int status);

/* The socket is full: libuv writes what is first when it can. */
static void line_write_later(struct line *line)
{
    uv_buf_t bufs[LINE_BUFS];
    size_t count = line_bufs(line, bufs);
    line->write_count = count;
    line->is_writing = true;
    line->write.data = line;
    line_hold(line);
    if (uv_write(&line->write, (uv_stream_t *)line->tcp, bufs, (unsigned)count, line_on_written) !=
        0) {
        line->is_writing = false;
        line_drop(line);
        line_let_go(line);
    }
}

static void line_flush(struct line *line)
{
    uv_buf_t bufs[LINE_BUFS];
    size_t count;
    while (line->state != LINE_CLOSED && !line->is_writing && (count = line_bufs(line, bufs)) > 0) {
        int done = uv_try_write((uv_stream_t *)line->tcp, bufs, (unsigned)count);
        if (done == UV_EAGAIN || done == 0) {
            line_write_later(line);
        } else if (done < 0) {
            line_drop(line);
        } else {
            line->wrote_ms = line_now_ms(line->lines);
            line_written(line, (size_t)done);
        }
    }
    if (line->state == LINE_CLOSED || line->queue_count > 0) {
        return;
    }
    free(line->queue); /* an idle line holds no memory for its queue */
    line->queue = NULL;
    line->queue_cap = line->queue_at = 0;
    if (line->state == LINE_ENDING && !line->is_shut) {
        line_shut(line);
    }
}

/* There is space again: who was refused may go on. */
static void line_tell_drained(struct line *line)
{
    if (line->has_refused && line->state == LINE_OPEN && line->owner != NULL &&
        line->queue_bytes <= line->lines->settings->queue_max_bytes / 2) {
        line->has_refused = false;
        core_on_drained(line->owner);
    }
}

static void line_on_written(uv_write_t *write, int status)
{
    struct line *line = write->data;
    line->is_writing = false;
    if (status != 0) {
        line_drop(line);
    } else if (line->state != LINE_CLOSED) {
        size_t bytes = 0;
        for (size_t i = 0; i < line->write_count; i++) {
            bytes += line->queue[(line->queue_at + i) % line->queue_cap]->len;
        }
        line->wrote_ms = line_now_ms(line->lines);
        line_written(line, bytes - line->started_bytes);
        line_flush(line);
        line_tell_drained(line);
    }
    line_let_go(line);
}

static void lines_on_flush(uv_idle_t *idle)
{
    struct lines *lines = idle->data;
    uv_idle_stop(idle);
    while (lines->dirty != NULL) {
        struct line *line = lines->dirty;
        lines->dirty = line->next_dirty;
        line->is_dirty = false;
        line_hold(line);
        line_flush(line);
        line_tell_drained(line);
        line_let_go(line);
    }
}

static void line_dirty(struct line *line)
{
    if (!line->is_dirty && line->state != LINE_CLOSED) {
        line->is_dirty = true;
        line->next_dirty = line->lines->dirty;
        line->lines->dirty = line;
        uv_idle_start(&line->lines->flush, lines_on_flush);
    }
}

static bool line_queue(struct line *line, struct frame *frame)
{
    if (line->queue_count == line->queue_cap) {
        size_t cap = line->queue_cap == 0 ? 8 : line->queue_cap * 2;
        struct frame **queue = malloc(cap * sizeof *queue);
        if (queue == NULL) {
            return false;
        }
        for (size_t i = 0; i < line->queue_count; i++) {
            queue[i] = line->queue[(line->queue_at + i) % line->queue_cap];
        }
        free(line->queue);
        line->queue = queue;
        line->queue_cap = cap;
        line->queue_at = 0;
    }
    line->queue[(line->queue_at + line->queue_count++) % line->queue_cap] = frame_ref(frame);
    line_set_bytes(line, line->queue_bytes + frame->len + LINE_FRAME_BYTES);
    line_dirty(line);
    return true;
}

static bool line_fits(const struct line *line, size_t bytes, bool is_urgent)
{
    size_t max_bytes = line->lines->settings->queue_max_bytes * (is_urgent ? 2 : 1);
    return line->queue_count == 0 || line->queue_bytes + bytes + LINE_FRAME_BYTES <= max_bytes;
}

bool line_has_room(const struct line *line, size_t bytes)
{
    return line_fits(line, bytes, false);
}

bool line_send(struct line *line, struct frame *frame, bool is_urgent)
{
    if (line->state != LINE_OPEN) {
        return true;
    }
    bool is_taken = line_fits(line, frame->len, is_urgent) && line_queue(line, frame);
    if (!is_taken && is_urgent) {
        line_drop(line);
        return true;
    }
    line->has_refused = line->has_refused || !is_taken;
    return is_taken;
}

void line_send_own(struct line *line, struct frame *frame)
{
    if (frame == NULL) {
        line_drop(line);
    } else {
        (void)line_send(line, frame, true);
        frame_unref(frame);
    }
}

void line_end(struct line *line)
{
    if (line->state != LINE_OPEN) {
        return;
    }
    line->state = LINE_ENDING;
    line->end_ms = line_now_ms(line->lines) + LINE_END_MS;
    line_disown(line);
    line_dirty(line);
}

const char *line_close_reason(enum ws_close why)
{
    static const struct {
        enum ws_close code;
        const char *reason;
    } reasons[] = {
        {WS_CLOSE_GOING_AWAY, "the node is going down"},
        {WS_CLOSE_PROTOCOL, "protocol error"},
        {WS_CLOSE_NOT_UTF8, "the text is not UTF-8"},
        {WS_CLOSE_TOO_LARGE, "the message is too long"},
        {WS_CLOSE_IDLE, "no sign of life"},
        {WS_CLOSE_REPLACED, "another connection has taken over the session"},
        {WS_CLOSE_ENDED, "the session has ended"},
    };
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].code == why) {
            return reasons[i].reason;
        }
    }
    return "";
}

/* Reading -------------------------------------------------------------------------------------- */

static void line_on_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    (void)suggested;
    struct line *line = handle->data;
    *buf = uv_buf_init((char *)line->lines->in, sizeof line->lines->in);
}

static void line_on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buf)
{
    struct line *line = stream->data;
    line_hold(line);
    if (count < 0) {
        line_drop(line);
    } else if (count > 0 && line->format == FORMAT_WS) {
        line->heard_ms = line_now_ms(line->lines);
        line->pinged_ms = 0;
        ws_line_on_bytes(line, bytes_of(buf->base, (size_t)count));
    }
    if (line->state != LINE_CLOSED) {
        line_pace(line);
    }
    line_let_go(line);
}

void line_slow(struct line *line)
{
    line->is_slowed = true;
    line_pace(line);
}

void line_pace(struct line *line)
{
    bool must_pause = line->in_flight >= LINE_IN_FLIGHT_MAX || line->is_slowed;
    if (line->state == LINE_CLOSED || must_pause == line->is_paused) {
        return;
    }
    line->is_paused = must_pause;
    if (must_pause) {
        uv_read_stop((uv_stream_t *)line->tcp);
    } else {
        uv_read_start((uv_stream_t *)line->tcp, line_on_buffer, line_on_read);
    }
}

/* Opening -------------------------------------------------------------------------------------- */

static void line_on_refused(uv_handle_t *handle)
{
    free(handle);
}

struct line *line_new(struct lines *lines, uv_tcp_t *tcp, const struct line_peer *peer,
                      enum format format, struct bytes head)
{
    struct line *line = calloc(1, sizeof *line);
    struct frame *frame = frame_new(head.len);
    if (line == NULL || frame == NULL || lines->is_closed) {
        free(line);
        frame_unref(frame);
        line_give_back(lines, peer->client_ip);
        uv_close((uv_handle_t *)tcp, line_on_refused);
        return NULL;
    }
    line->lines = lines;
    line->tcp = tcp;
    line->peer_ip = peer->ip;
    line->client_ip = peer->client_ip;
    line->format = format;
    line->holds = 1;
    line->opened_ms = line->heard_ms = line->wrote_ms = line_now_ms(lines);
    tcp->data = line;
    lines->open_count++;
    DL_APPEND(lines->first, line);
    metric_add(METRIC_LINE_CONNECTIONS, 1);
    tcp_socket_set(tcp, LINE_GIVE_UP_MS);
    memcpy(frame->data, head.ptr, head.len);
    line_send_own(line, frame);
    if (line->state != LINE_OPEN ||
        uv_read_start((uv_stream_t *)tcp, line_on_buffer, line_on_read) != 0) {
        line_drop(line);
        return NULL;
    }
    return line;
}

/* Time ----------------------------------------------------------------------------------------- */

static void line_on_time(struct line *line, int64_t now_ms)
{
    const struct line_settings *settings = line->lines->settings;
    if (line->state == LINE_ENDING) {
        if (now_ms >= line->end_ms) {
            line_drop(line);
        }
    } else if (line->format == FORMAT_SSE) {
        if (now_ms - line->wrote_ms >= settings->ping_ms && line->queue_count == 0) {
            sse_line_ping(line);
        }
    } else if (line->pinged_ms != 0 && now_ms - line->pinged_ms >= settings->ping_ms) {
        ws_line_close(line, WS_CLOSE_IDLE);
    } else if (line->owner == NULL && now_ms - line->opened_ms >= settings->idle_ms) {
        ws_line_close(line, WS_CLOSE_IDLE);
    } else if (line->pinged_ms == 0 && now_ms - line->heard_ms >= settings->ping_ms) {
        line->pinged_ms = now_ms;
        ws_line_ping(line);
    }
}

static void lines_on_timer(uv_timer_t *timer)
{
    struct lines *lines = timer->data;
    int64_t now_ms = line_now_ms(lines);
    struct line *line, *next;
    DL_FOREACH_SAFE(lines->first, line, next)
    {
        if (line->is_slowed) {
            line->is_slowed = false;
            line_pace(line);
        }
        line_on_time(line, now_ms);
    }
}

/* All ------------------------------------------------------------------------------------------ */

struct lines *lines_open(struct line_settings *settings)
{
    struct lines *lines = calloc(1, sizeof *lines);
    if (lines != NULL) {
        lines->settings = settings;
        uv_timer_init(settings->loop, &lines->timer);
        uv_idle_init(settings->loop, &lines->flush);
        lines->timer.data = lines->flush.data = lines;
        lines->open_count = 2;
        uv_timer_start(&lines->timer, lines_on_timer, LINE_STEP_MS, LINE_STEP_MS);
    }
    return lines;
}

static void lines_on_closed(uv_handle_t *handle)
{
    lines_let_go(handle->data);
}

void lines_close(struct lines *lines)
{
    lines->is_closed = true;
    struct line *line, *next;
    DL_FOREACH_SAFE(lines->first, line, next)
    {
        line_hold(line);
        if (line->format == FORMAT_WS) {
            ws_line_close(line, WS_CLOSE_GOING_AWAY);
        }
        line_flush(line);
        line_drop(line);
        line_let_go(line);
    }
    uv_close((uv_handle_t *)&lines->timer, lines_on_closed);
    uv_close((uv_handle_t *)&lines->flush, lines_on_closed);
}
