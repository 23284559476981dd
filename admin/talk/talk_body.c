/* SPDX-License-Identifier: MIT */
/* talk_body: what the requests of the talk client and of the bench have in common. */
#include "admin/talk/talk_body.h"

#include "admin/talk/talk_net.h"
#include "proto/base64.h"
#include "proto/hgtp.h"

void talk_body_put_name(struct sink *body, const char *name)
{
    sink_be32(body, (uint32_t)base64_encoded_bytes(strlen(name)));
    base64_encode(bytes_str(name), body);
}

void talk_body_put_new_room_id(struct sink *body)
{
    uint8_t noise[9];
    talk_net_random(noise, sizeof noise);
    base64_encode(bytes_of(noise, sizeof noise), body);
}

void talk_body_put_no_address(struct sink *body, unsigned expires_s)
{
    sink_be64(body, expires_s);
    sink_be64(body, 0);
    sink_be16(body, 0);
}

void talk_body_put_takes_over(struct sink *body, bool takes_over)
{
    if (takes_over) {
        sink_be16(body, HGTP_REGISTER_TAKE_OVER);
    }
}
