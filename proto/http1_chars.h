/* SPDX-License-Identifier: MIT */
/* http1_chars: which bytes may stand where in HTTP/1.1. For http1*.c only. */
#ifndef PROTO_HTTP1_CHARS_H
#define PROTO_HTTP1_CHARS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/** What methods and header names are made of. */
static inline bool http1_is_token(uint8_t c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/** What stands nowhere but in line ends. */
static inline bool http1_is_control(uint8_t c)
{
    return (c < ' ' && c != '\t') || c == 0x7f;
}

#endif
