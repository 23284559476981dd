/* SPDX-License-Identifier: MIT */
/*
 * e2e_talk: modern users in a scenario, with assertions about them, and HTTP by a session's token.
 * All of it ends with the scenario. What a record finds wrong fails the scenario at its end, or at
 * the next assertion of these.
 */
#ifndef SUPPORT_E2E_TALK_H
#define SUPPORT_E2E_TALK_H

#include "e2e_cluster.h"
#include "sse_client.h"
#include "talker.h"

/** Connected to the scenario's node, not registered. */
struct talker *e2e_visitor(struct e2e *e, const char *name);
/** Registered, with the lists that come first. */
struct talker *e2e_talker(struct e2e *e, const char *name);
struct talker *e2e_talker_at(struct e2e *e, size_t node, const char *name);
/** The same by all options; a port of 0 is that of the scenario's node. */
struct talker *e2e_talker_with(struct e2e *e, const struct talker_options *options);

/** A connection for frames by hand; a port of 0 is that of the scenario's node. */
struct ws_client *e2e_ws(struct e2e *e, const struct ws_client_options *options);
struct sse_client *e2e_sse(struct e2e *e, const struct sse_client_options *options);
struct relay *e2e_relay(struct e2e *e, uint16_t port);

/** `manager` opens a room, or `user` joins it; session, list and notice have come when this
 * returns. */
void e2e_talk_open_room(struct talker *manager, const char *room);
void e2e_talk_join_room(struct talker *user, const char *room);

#define e2e_talk_ok(reply) e2e_talk_reply_at((reply), HGTP_OK, ERR_NONE, __FILE__, __LINE__)
/** A response of this type whose body explains it by `err`: code and text of the catalogue. */
#define e2e_talk_refused(reply, type, err)                                                         \
    e2e_talk_reply_at((reply), (type), (err), __FILE__, __LINE__)
void e2e_talk_reply_at(struct talker_reply reply, enum hgtp_type type, enum err err,
                       const char *file, int line);

/** An "error" with the catalogue's words for `err`; `id` NULL: without one. */
#define e2e_talk_error(talker, err, id) e2e_talk_error_at((talker), (err), (id), __FILE__, __LINE__)
void e2e_talk_error_at(struct talker *talker, enum err err, const char *id, const char *file,
                       int line);

/** JSON has come (non-NULL); returns it. */
#define e2e_told(json) e2e_told_at((json), #json, __FILE__, __LINE__)
const json_t *e2e_told_at(const json_t *json, const char *what, const char *file, int line);

/** All that came in the present room came once, in order and without a gap, up to `last`. */
void e2e_talk_whole(const struct talker *talker, int64_t last);

/* HTTP by token -------------------------------------------------------------------------------- */

/** POST /hgtp of one message; the reply's views live until the next call. `ret_status` may be NULL.
 * `token` NULL: without one. */
struct talker_reply e2e_post_hgtp(uint16_t port, const char *token, struct bytes message,
                                  int *ret_status);
/** POST /message of a JSON text; returns the status and the answer's JSON (to be freed; NULL when
 * it is none). */
int e2e_post_message(uint16_t port, const char *token, json_t *object, json_t **ret_answer);

#endif
