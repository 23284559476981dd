/* SPDX-License-Identifier: MIT */
/*
 * request_register: REGISTER, first and second. The script opens the challenge; the digest is
 * checked here, because only the node has the keys; the script `prove` then opens the session.
 */
#include "request.h"

#include "lines.h"
#include "node/base/metrics.h"
#include "proto/base64.h"

#define REQUEST_CHALLENGE_RANDOM_BYTES 18

enum request_digest { DIGEST_WRONG, DIGEST_MD5, DIGEST_HMAC };

static void request_random_base64url(struct talk *talk, size_t count, struct sink *out)
{
    uint8_t noise[32];
    assert(count <= sizeof noise && count % 3 == 0);
    talk->options.clock.random(talk->options.clock.ctx, noise, count);
    base64_encode(bytes_of(noise, count), out);
    for (size_t i = 0; i < out->len; i++) {
        out->ptr[i] = out->ptr[i] == '+' ? '-' : out->ptr[i] == '/' ? '_' : out->ptr[i];
    }
}

/* A session token: the user id, in the URL alphabet, and 144 random bits. */
static struct bytes request_make_token(struct request *request)
{
    struct sink out = sink_into(request->new_token, sizeof request->new_token);
    sink_put(&out, request_uid(request));
    request_random_base64url(request->talk, REQUEST_TOKEN_RANDOM_BYTES, &out);
    return sink_bytes(&out);
}

static enum request_digest request_digest(const struct request *request, struct bytes challenge)
{
    const struct talk *talk = request->talk;
    uint8_t realm[REQUEST_REALM_MAX];
    struct sink realm_out = sink_into(realm, sizeof realm);
    if (!request_realm(talk, challenge, &realm_out)) {
        return DIGEST_WRONG;
    }
    for (size_t i = 0; i < talk->options.keys->count; i++) {
        uint8_t mac[DIGEST_SHA256_BYTES];
        digest_hmac_sha256(talk->options.keys->keys[i], sink_bytes(&realm_out), mac);
        if (digest_equal(request->msg.reg.nonce, bytes_of(mac, sizeof mac))) {
            return DIGEST_HMAC;
        }
        uint8_t legacy[DIGEST_LEGACY_MAX];
        struct sink legacy_out = sink_into(legacy, sizeof legacy);
        digest_legacy(sink_bytes(&realm_out), talk->options.keys->keys[i], &legacy_out);
        if (talk->options.config->auth_md5 &&
            digest_equal(request->msg.reg.nonce, sink_bytes(&legacy_out))) {
            return DIGEST_MD5;
        }
    }
    return DIGEST_WRONG;
}

static bool request_declares_foreign(const struct request *request, bool *ret_trusted)
{
    const struct hgtp_register *reg = &request->msg.reg;
    *ret_trusted = config_networks_contain(request->talk->options.config->hgtp_trusted_networks,
                                           reg->listen_ip);
    return reg->listen_port != 0 && reg->listen_ip != request->origin.ip && !*ret_trusted;
}

static void request_declared(const struct request *request, char text[24])
{
    text[0] = '\0';
    if (request->msg.reg.listen_port != 0) {
        datagrams_address(request->msg.reg.listen_ip, request->msg.reg.listen_port, text);
    }
}

static void request_prove(struct request *request, struct bytes challenge, bool is_md5)
{
    const struct config *config = request->talk->options.config;
    int64_t expires_s = request->msg.reg.expires_s;
    if (expires_s < 1 || expires_s > config->hgtp_expires_s) {
        expires_s = config->hgtp_expires_s;
    }
    char http[24];
    request_declared(request, http);
    struct script_args args;
    request_args(request, &args);
    script_args_bytes(&args, "challenge", challenge);
    script_args_str(&args, "auth", is_md5 ? "md5" : "hmac");
    script_args_bytes(&args, "new_token", request_make_token(request));
    script_args_int(&args, "expires", expires_s);
    script_args_str(&args, "http", http);
    if (request->origin.line != NULL && http[0] == '\0') {
        lines_name(request->talk, request->talk->options.line.format(request->origin.line),
                   request->line_name);
    }
    script_args_str(&args, "line", request->line_name);
    script_args_str(&args, "after", "");
    script_args_str(&args, "epoch", "");
    script_args_int(&args, "users_max", config->limits_users);
    request_call(request, SCRIPT_prove, &args, request_on_result);
}

static void request_on_registered(const struct result *result, void *arg)
{
    struct request *request = arg;
    talk_call_over(request->talk);
    if (result == NULL || result->code != ERR_PROVE) {
        request_finish(request, result);
        return;
    }
    struct bytes challenge = bytes_str("");
    for (size_t i = 0; i < result->effect_count; i++) {
        if (effect_is(&result->effects[i], "challenge") && result->effects[i].count > 1) {
            challenge = result->effects[i].fields[1];
        }
    }
    enum request_digest digest = request_digest(request, challenge);
    if (digest == DIGEST_WRONG) {
        request_refuse(request, ERR_WRONG_DIGEST);
        request_end(request);
        return;
    }
    request_prove(request, challenge, digest == DIGEST_MD5);
}

void request_register(struct request *request)
{
    struct talk *talk = request->talk;
    const struct config *config = talk->options.config;
    bool trusted;
    enum err err = ERR_NONE;
    if (!rate_table_take(&talk->registers, request->origin.ip, config->limits_registers_per_s,
                         talk_now_ms(talk))) {
        metric_add(METRIC_RATE_LIMITED, 1);
        err = ERR_RATE_LIMITED;
    } else if (talk->draining) {
        err = ERR_DRAINING;
    } else if (request_declares_foreign(request, &trusted)) {
        err = ERR_ADDRESS_FOREIGN;
    }
    if (err != ERR_NONE) {
        request_refuse(request, err);
        request_end(request);
        return;
    }
    bool is_base64 =
        request_name(request, request->msg.reg.nonce, request->name, &request->name_bytes);
    uint8_t challenge[2 * REQUEST_CHALLENGE_RANDOM_BYTES];
    struct sink challenge_out = sink_into(challenge, sizeof challenge);
    request_random_base64url(talk, REQUEST_CHALLENGE_RANDOM_BYTES, &challenge_out);
    char udp[24];
    request_declared(request, udp);
    struct script_args args;
    request_args(request, &args);
    script_args_bytes(&args, "name", bytes_of(request->name, request->name_bytes));
    script_args_int(&args, "name_err", is_base64 ? ERR_NAME_INVALID : ERR_NOT_CHALLENGED);
    script_args_bytes(&args, "challenge", sink_bytes(&challenge_out));
    script_args_str(&args, "udp", udp);
    script_args_str(&args, "trusted", trusted ? "1" : "0");
    script_args_int(&args, "challenge_ms", config->auth_challenge_ms);
    script_args_int(&args, "users_max", config->limits_users);
    request_call(request, SCRIPT_register, &args, request_on_registered);
}
