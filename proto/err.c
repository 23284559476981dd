/* SPDX-License-Identifier: MIT */
/*
 * err: looks up in the catalogue (err.def) what each protocol shows of an error. It decides nothing
 * but the one exception in err_hgtp_type; who answers with which error is decided elsewhere.
 */
#include "proto/err.h"

#include <stddef.h>

struct err_row {
    const char *name; /* NULL: no error has this code */
    const char *text;
    enum hgtp_type hgtp;
    int http_status;
    enum err_control control_status;
    bool is_worth_repeating;
};

static const struct err_row err_rows[] = {
#define ERR(name, code, hgtp, http, control, retry, text)                                          \
    [code] = {#name, text, HGTP_##hgtp, http, ERR_CONTROL_##control, retry},
#include "proto/err.def"
};

/* A number from a script or another node may be none of ours. */
static const struct err_row *err_row(enum err err)
{
    size_t code = (size_t)err;
    if (code >= sizeof err_rows / sizeof err_rows[0] || err_rows[code].name == NULL) {
        code = ERR_INTERNAL;
    }
    return &err_rows[code];
}

const char *err_name(enum err err)
{
    return err_row(err)->name;
}

const char *err_text(enum err err)
{
    return err_row(err)->text;
}

int err_http_status(enum err err)
{
    return err_row(err)->http_status;
}

enum err_control err_control_status(enum err err)
{
    return err_row(err)->control_status;
}

bool err_is_worth_repeating(enum err err)
{
    return err_row(err)->is_worth_repeating;
}

bool err_is_fault(enum err err)
{
    enum err_control status = err_control_status(err);
    bool is_fault = status == ERR_CONTROL_UNAVAILABLE || status == ERR_CONTROL_INTERNAL;
    return is_fault && err != ERR_DRAINING; /* that one is sent on */
}

enum hgtp_type err_hgtp_type(enum err err, uint8_t request_type)
{
    enum hgtp_type type = err_row(err)->hgtp;
    bool is_fragile = request_type == HGTP_CREATE_ROOM || request_type == HGTP_JOIN_ROOM;
    return is_fragile && type == HGTP_SERVER_UNAVAILABLE ? HGTP_BAD_REQUEST : type;
}
