/* SPDX-License-Identifier: MIT */
/* err: the one catalogue of errors and how each is shown on every protocol. Table: err.def. */
#ifndef PROTO_ERR_H
#define PROTO_ERR_H

#include <stdbool.h>
#include <stdint.h>

#include "proto/hgtp.h"

enum err {
#define ERR(name, code, hgtp, http, control, retry, text) ERR_##name = code,
#include "err.def"
};

/** From here on: outcomes of scripts that are no refusals. */
#define ERR_FIRST_OUTCOME 90

/** gRPC's canonical codes, as in rpc.proto. */
enum err_control {
    ERR_CONTROL_OK,
    ERR_CONTROL_CANCELLED,
    ERR_CONTROL_UNKNOWN,
    ERR_CONTROL_INVALID_ARGUMENT,
    ERR_CONTROL_DEADLINE_EXCEEDED,
    ERR_CONTROL_NOT_FOUND,
    ERR_CONTROL_ALREADY_EXISTS,
    ERR_CONTROL_PERMISSION_DENIED,
    ERR_CONTROL_RESOURCE_EXHAUSTED,
    ERR_CONTROL_FAILED_PRECONDITION,
    ERR_CONTROL_ABORTED,
    ERR_CONTROL_OUT_OF_RANGE,
    ERR_CONTROL_UNIMPLEMENTED,
    ERR_CONTROL_INTERNAL,
    ERR_CONTROL_UNAVAILABLE,
    ERR_CONTROL_DATA_LOSS,
    ERR_CONTROL_UNAUTHENTICATED,
};

/** "NAME_TAKEN"; "INTERNAL" for a number that is none of ours. */
const char *err_name(enum err err);
/** A sentence for people, without a full stop. */
const char *err_text(enum err err);
int err_http_status(enum err err);
enum err_control err_control_status(enum err err);
bool err_is_worth_repeating(enum err err);
/** Whoever asked did nothing wrong, and no limit is reached: Redis is away, the node overloaded. */
bool err_is_fault(enum err err);

/**
 * The response type that carries `err` to a request of `request_type`. The one exception stands
 * here: CREATE_ROOM and JOIN_ROOM are never answered by SERVER_UNAVAILABLE, which leaves the
 * original client in a state that only a restart cures.
 */
enum hgtp_type err_hgtp_type(enum err err, uint8_t request_type);

#endif
