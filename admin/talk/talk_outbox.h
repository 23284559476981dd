/* SPDX-License-Identifier: MIT */
/*
 * talk_outbox: what the person has said and the server has not acknowledged yet. One message is
 * under way at a time, so the room hears them in their order whatever happens to connections; after
 * a new connection it is said again with the same id, unless the room's log shows that it has
 * arrived. Without I/O; time is passed in.
 */
#ifndef ADMIN_TALK_TALK_OUTBOX_H
#define ADMIN_TALK_TALK_OUTBOX_H

#include "proto/bytes.h"

#define TALK_OUTBOX_ID_MAX   63
#define TALK_OUTBOX_PAUSE_MS 500   /* after a refusal that is worth repeating */
#define TALK_OUTBOX_ACK_MS   15000 /* an open connection without an answer is not believed */

struct talk_said;

struct talk_outbox {
    struct talk_said *first, *last;
    size_t count;
    char id_prefix[17];
    uint64_t next_id;
    uint64_t acked_seq; /* number of the last one that arrived, in its room */
    int64_t pause_until_ms;
};

void talk_outbox_init(struct talk_outbox *outbox);
void talk_outbox_fini(struct talk_outbox *outbox);

/** An id that no other message of this client has. */
void talk_outbox_new_id(struct talk_outbox *outbox, char ret_id[TALK_OUTBOX_ID_MAX + 1]);

/** Say something in the room of this epoch. */
void talk_outbox_put(struct talk_outbox *outbox, const char *epoch, const char *text);

/**
 * The log of the room has gone back to number `kept` and has another epoch: ids are not known any
 * more. What was sent is sent again, once the owner has heard all that the log has.
 */
void talk_outbox_log_changed(struct talk_outbox *outbox, const char *from, const char *to,
                             uint64_t kept);

/** What was under way on the old connection has to be said again. */
void talk_outbox_disconnected(struct talk_outbox *outbox);

/** Append the next text frame to send; false: nothing is to be sent now. */
bool talk_outbox_next(struct talk_outbox *outbox, int64_t now_ms, struct sink *out);
/** When to ask again by time alone. */
int64_t talk_outbox_due_ms(const struct talk_outbox *outbox);
/** True when the one under way has waited too long for its answer. */
bool talk_outbox_is_stuck(const struct talk_outbox *outbox, int64_t now_ms);

void talk_outbox_on_ack(struct talk_outbox *outbox, const char *id, uint64_t seq);
/** An entry of the person's own in the room's log. */
void talk_outbox_on_own(struct talk_outbox *outbox, uint64_t seq, const char *text);

/**
 * The server has refused a message.
 *
 * returns  its text, to be freed by the caller: it will not be said; NULL: it is said again, or it
 *          was none of these
 */
char *talk_outbox_on_error(struct talk_outbox *outbox, const char *id, const char *reason_name,
                           int64_t now_ms);

/** Take out the first one if it is for another room than that of this epoch; as above. */
char *talk_outbox_drop_other(struct talk_outbox *outbox, const char *epoch);

/** Bytes that talk_outbox_next may need. */
size_t talk_outbox_frame_bytes(const struct talk_outbox *outbox);

#endif
