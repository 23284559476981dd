/* SPDX-License-Identifier: MIT */
/* line_port: the lines as talk sees them. */
#include "line_state.h"

static enum format line_port_format(const void *line)
{
    return ((const struct line *)line)->format;
}

static bool line_port_is_open(const void *line)
{
    return ((const struct line *)line)->state == LINE_OPEN;
}

static bool line_port_send(void *line, struct frame *frame, bool is_urgent)
{
    return line_send(line, frame, is_urgent);
}

static void line_port_own(void *line, void *owner)
{
    ((struct line *)line)->owner = owner;
}

static void *line_port_owner(const void *line)
{
    return ((const struct line *)line)->owner;
}

static void line_port_close(void *line, enum ws_close why)
{
    struct line *closing = line;
    closing->owner = NULL;
    if (closing->format == FORMAT_WS) {
        ws_line_close(closing, why);
    } else {
        sse_line_close(closing, why);
    }
}

static void line_port_hold(void *line)
{
    line_hold(line);
}

static void line_port_let_go(void *line)
{
    line_let_go(line);
}

struct line_port line_port(void)
{
    return (struct line_port){.format = line_port_format,
                              .is_open = line_port_is_open,
                              .send = line_port_send,
                              .own = line_port_own,
                              .owner = line_port_owner,
                              .close = line_port_close,
                              .hold = line_port_hold,
                              .let_go = line_port_let_go};
}
