/* SPDX-License-Identifier: MIT */
/*
 * line_text: the texts of a WebSocket: messages and a room's next manager, acknowledged with their
 * number or refused with a reason, and requests for history. What the JSON says is text_json's,
 * what may be said is talk's.
 */
#include <stdlib.h>

#include "line_state.h"
#include "proto/talk_text.h"
#include "text_json.h"

/* A text that waits for its answer. */
struct line_asked {
    struct line *line;
    size_t id_len;
    uint8_t id[CORE_MESSAGE_ID_MAX];
};

static struct bytes line_asked_id(const struct line_asked *asked)
{
    return bytes_of(asked->id, asked->id_len);
}

struct line_answer {
    enum err err;
    uint64_t seq;
    struct bytes id;
};

static void line_write_answer(const void *what, struct sink *out)
{
    const struct line_answer *answer = what;
    if (answer->err == ERR_NONE) {
        talk_text_ack(answer->id, answer->seq, out);
    } else {
        talk_text_error(hgtp_type_name((uint8_t)err_hgtp_type(answer->err, 0)),
                        err_text(answer->err), err_name(answer->err), answer->id, out);
    }
}

static void line_answer(struct line *line, enum err err, uint64_t seq, struct bytes id)
{
    const struct line_answer answer = {err, seq, id};
    line_send_own(line, frames_text(FORMAT_WS, NULL, line_write_answer, &answer));
    if (err == ERR_RATE_LIMITED) {
        line_slow(line);
    }
}

void line_text_error(struct line *line, enum err err, struct bytes id)
{
    line_answer(line, err, 0, id);
}

static void line_asked_end(struct line_asked *asked)
{
    struct line *line = asked->line;
    free(asked);
    line->in_flight--;
    line_pace(line);
    line_let_go(line);
}

static void line_on_said(enum err err, uint64_t seq, void *arg)
{
    struct line_asked *asked = arg;
    line_answer(asked->line, err, seq, line_asked_id(asked));
    line_asked_end(asked);
}

struct line_history {
    struct bytes text, id;
};

static void line_write_history(const void *what, struct sink *out)
{
    const struct line_history *history = what;
    talk_text_with_id(history->text, history->id, out);
}

static void line_on_history(enum err err, struct bytes text, void *arg)
{
    struct line_asked *asked = arg;
    if (err == ERR_NONE && !line_has_room(asked->line, text.len)) {
        err = ERR_RATE_LIMITED; /* the answers before it have not been read */
    }
    if (err == ERR_NONE) {
        const struct line_history history = {text, line_asked_id(asked)};
        line_send_own(asked->line, frames_text(FORMAT_WS, NULL, line_write_history, &history));
    } else {
        line_text_error(asked->line, err, line_asked_id(asked));
    }
    line_asked_end(asked);
}

static void line_text_ask(struct line *line, const struct text_json *text)
{
    struct line_asked *asked = calloc(1, sizeof *asked);
    if (asked == NULL) {
        line_text_error(line, ERR_BUSY, text->id);
        return;
    }
    asked->line = line;
    asked->id_len = text->id.len;
    sink_put(&(struct sink){asked->id, sizeof asked->id, 0}, bytes_of(text->id.ptr, asked->id_len));
    line_hold(line);
    line->in_flight++;
    struct core *core = line->lines->settings->core;
    const struct core_asker asker = {
        .ip = line->peer_ip, .client_ip = line->client_ip, .line = line, .owner = line->owner};
    if (text->kind == TEXT_HISTORY) {
        core_history(core, &asker, text->before, text->count, line_on_history, asked);
        return;
    }
    const struct core_message message = {.asker = asker,
                                         .id = text->id,
                                         .text = text->message,
                                         .is_manager = text->kind == TEXT_MANAGER};
    core_say(core, &message, line_on_said, asked);
}

void line_text_take(struct line *line, struct bytes text)
{
    struct text_json decoded;
    enum err err = text_json_decode(text, &decoded);
    if (err == ERR_NONE) {
        line_text_ask(line, &decoded);
    } else {
        line_text_error(line, err, decoded.id);
    }
    text_json_free(&decoded);
}
