/* SPDX-License-Identifier: MIT */
/*
 * talk_outbox: order and once-ness of what is said. The server keeps an id for a while
 * (history.dedupe_s) and stores a message with it once; for longer absences the room's log tells:
 * the owner reports its own entries before it lets anything be said again.
 */
#include "admin/talk/talk_outbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin/talk/talk_names.h"
#include "admin/talk/talk_net.h"
#include "admin/tick.h"
#include "proto/talk_text.h"

struct talk_said {
    struct talk_said *next;
    char id[TALK_OUTBOX_ID_MAX + 1];
    char *text, *epoch;
    bool is_under_way;
    bool was_sent; /* at least once, maybe by an earlier connection */
    int64_t sent_ms;
};

static const struct talk_outbox_reason {
    const char *name;
    bool is_worth_repeating;
} talk_outbox_reasons[] = {
#define ERR(name, code, hgtp, http, control, retry, text) {#name, retry},
#include "proto/err.def"
};

void talk_outbox_init(struct talk_outbox *outbox)
{
    uint64_t noise;
    *outbox = (struct talk_outbox){.next_id = 1};
    talk_net_random(&noise, sizeof noise);
    snprintf(outbox->id_prefix, sizeof outbox->id_prefix, "%016llx", (unsigned long long)noise);
}

/* Takes out the first one. */
static char *talk_outbox_pop(struct talk_outbox *outbox)
{
    struct talk_said *said = outbox->first;
    char *text = said->text;
    outbox->first = said->next;
    outbox->last = outbox->first == NULL ? NULL : outbox->last;
    outbox->count--;
    free(said->epoch);
    free(said);
    return text;
}

void talk_outbox_fini(struct talk_outbox *outbox)
{
    while (outbox->first != NULL) {
        free(talk_outbox_pop(outbox));
    }
}

void talk_outbox_new_id(struct talk_outbox *outbox, char ret_id[TALK_OUTBOX_ID_MAX + 1])
{
    snprintf(ret_id, TALK_OUTBOX_ID_MAX + 1, "%s-%llu", outbox->id_prefix,
             (unsigned long long)outbox->next_id++);
}

void talk_outbox_put(struct talk_outbox *outbox, const char *epoch, const char *text)
{
    struct talk_said *said = calloc(1, sizeof *said);
    if (said == NULL) {
        abort();
    }
    talk_outbox_new_id(outbox, said->id);
    said->text = talk_names_copy(text);
    said->epoch = talk_names_copy(epoch);
    if (outbox->last != NULL) {
        outbox->last->next = said;
    } else {
        outbox->first = said;
    }
    outbox->last = said;
    outbox->count++;
}

void talk_outbox_disconnected(struct talk_outbox *outbox)
{
    if (outbox->first != NULL) {
        outbox->first->is_under_way = false;
    }
}

void talk_outbox_log_changed(struct talk_outbox *outbox, const char *from, const char *to,
                             uint64_t kept)
{
    for (struct talk_said *said = outbox->first; said != NULL; said = said->next) {
        if (strcmp(said->epoch, from) == 0) {
            free(said->epoch);
            said->epoch = talk_names_copy(to);
        }
    }
    outbox->acked_seq = outbox->acked_seq < kept ? outbox->acked_seq : kept;
    talk_outbox_disconnected(outbox);
}

size_t talk_outbox_frame_bytes(const struct talk_outbox *outbox)
{
    return outbox->first == NULL ? 0 : 6 * strlen(outbox->first->text) + 256;
}

bool talk_outbox_next(struct talk_outbox *outbox, int64_t now_ms, struct sink *out)
{
    struct talk_said *said = outbox->first;
    if (said == NULL || said->is_under_way || now_ms < outbox->pause_until_ms) {
        return false;
    }
    sink_text(out, "{\"type\":\"message\",\"message\":");
    talk_text_string(bytes_str(said->text), out);
    sink_text(out, ",\"id\":");
    talk_text_string(bytes_str(said->id), out);
    sink_text(out, "}");
    said->is_under_way = said->was_sent = true;
    said->sent_ms = now_ms;
    return true;
}

int64_t talk_outbox_due_ms(const struct talk_outbox *outbox)
{
    const struct talk_said *said = outbox->first;
    if (said == NULL) {
        return TICK_NEVER;
    }
    return said->is_under_way ? said->sent_ms + TALK_OUTBOX_ACK_MS : outbox->pause_until_ms;
}

bool talk_outbox_is_stuck(const struct talk_outbox *outbox, int64_t now_ms)
{
    const struct talk_said *said = outbox->first;
    return said != NULL && said->is_under_way && now_ms >= said->sent_ms + TALK_OUTBOX_ACK_MS;
}

static bool talk_outbox_is_first(const struct talk_outbox *outbox, const char *id)
{
    return outbox->first != NULL && id != NULL && strcmp(outbox->first->id, id) == 0;
}

void talk_outbox_on_ack(struct talk_outbox *outbox, const char *id, uint64_t seq)
{
    if (talk_outbox_is_first(outbox, id)) {
        outbox->acked_seq = seq;
        free(talk_outbox_pop(outbox));
    }
}

/* Only what is newer than the last acknowledged one can be the one under way: what was said twice
 * in the same words is told apart by that. */
void talk_outbox_on_own(struct talk_outbox *outbox, uint64_t seq, const char *text)
{
    const struct talk_said *said = outbox->first;
    if (said != NULL && said->was_sent && seq > outbox->acked_seq &&
        strcmp(said->text, text) == 0) {
        outbox->acked_seq = seq;
        free(talk_outbox_pop(outbox));
    }
}

char *talk_outbox_on_error(struct talk_outbox *outbox, const char *id, const char *reason_name,
                           int64_t now_ms)
{
    if (!talk_outbox_is_first(outbox, id)) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof talk_outbox_reasons / sizeof talk_outbox_reasons[0]; i++) {
        if (reason_name != NULL && strcmp(talk_outbox_reasons[i].name, reason_name) == 0 &&
            talk_outbox_reasons[i].is_worth_repeating) {
            outbox->first->is_under_way = false;
            outbox->pause_until_ms = now_ms + TALK_OUTBOX_PAUSE_MS;
            return NULL;
        }
    }
    return talk_outbox_pop(outbox);
}

char *talk_outbox_drop_other(struct talk_outbox *outbox, const char *epoch)
{
    if (outbox->first == NULL || strcmp(outbox->first->epoch, epoch) == 0) {
        return NULL;
    }
    return talk_outbox_pop(outbox);
}
