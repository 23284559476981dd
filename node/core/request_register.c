/* SPDX-License-Identifier: MIT */
/*
 * request_register: REGISTER, first and second. The script opens the challenge; the digest is
 * checked here, because only the node has the keys; the script `prove` then opens the session.
 */
#include "request.h"

#include "account.h"
#include "lines.h"
#include "node/base/log.h"
#include "node/base/metrics.h"
#include "node/base/name_key.h"
#include "proto/base64.h"

#define REQUEST_CHALLENGE_RANDOM_BYTES 18
#define REQUEST_BEGUN_SPARE            10000 /* registrations begun, beyond the users that there may be */

#define REQUEST_ACCOUNTS_ONLY 1 /* auth.accounts */

enum request_digest { DIGEST_WRONG, DIGEST_MD5, DIGEST_HMAC };

/* What a proof is for. */
struct request_challenge {
    struct bytes challenge;
    struct bytes name;   /* as its account is written, if it has one */
    struct bytes sealed; /* key of that account; empty: there is none */
    bool is_heard;       /* its number could not be known without having got the challenge */
};

static void request_random_base64url(struct core *core, size_t count, struct sink *out)
{
    uint8_t noise[32];
    assert(count <= sizeof noise && count % 3 == 0);
    core->options.clock.random(core->options.clock.ctx, noise, count);
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
    request_random_base64url(request->core, REQUEST_TOKEN_RANDOM_BYTES, &out);
    return sink_bytes(&out);
}

static enum request_digest request_digest_by(const struct request *request, struct bytes realm,
                                             struct bytes key)
{
    uint8_t mac[DIGEST_SHA256_BYTES];
    digest_hmac_sha256(key, realm, mac);
    if (digest_equal(request->msg.reg.nonce, bytes_of(mac, sizeof mac))) {
        return DIGEST_HMAC;
    }
    uint8_t legacy[DIGEST_LEGACY_MAX];
    struct sink legacy_out = sink_into(legacy, sizeof legacy);
    digest_legacy(realm, key, &legacy_out);
    bool is_right = request->core->options.config->auth_md5 &&
                    digest_equal(request->msg.reg.nonce, sink_bytes(&legacy_out));
    return is_right ? DIGEST_MD5 : DIGEST_WRONG;
}

static void request_on_resealed(const struct result *result, void *arg)
{
    (void)result;
    core_call_over(arg);
}

/* The secret that an account's key is sealed by is being replaced. */
static void request_reseal(struct core *core, const struct request_challenge *challenge,
                           struct bytes key)
{
    char sealed[CORE_SEALED_MAX];
    if (account_seal(core, challenge->name, key, sealed)) {
        struct script_args args;
        core_args_init(core, &args, bytes_of(NULL, 0));
        script_args_name(&args, "user", challenge->name);
        script_args_bytes(&args, "old", challenge->sealed);
        script_args_str(&args, "sealed", sealed);
        core_call(core, SCRIPT_reseal, &args, request_on_resealed, core);
    }
}

/* A user with an account has no other key. */
static enum request_digest request_digest_of_account(const struct request *request,
                                                     struct bytes realm,
                                                     const struct request_challenge *challenge)
{
    uint8_t key[CORE_SEALED_MAX];
    struct sink key_out = sink_into(key, sizeof key);
    enum account_state state =
        account_open(request->core, challenge->name, challenge->sealed, &key_out);
    if (state == ACCOUNT_UNREADABLE) {
        LOG_LIMITED(LOG_ERROR, "account_unreadable", log_bytes("user", challenge->name),
                    log_str("hint", "its key was sealed by another bus.key (or auth.key): remove "
                                    "the account and add it again"));
    }
    enum request_digest digest = request_digest_by(request, realm, sink_bytes(&key_out));
    if (state == ACCOUNT_UNREADABLE) {
        digest = DIGEST_WRONG;
    } else if (state == ACCOUNT_OLD && digest != DIGEST_WRONG) {
        request_reseal(request->core, challenge, sink_bytes(&key_out));
    }
    explicit_bzero(key, sizeof key);
    return digest;
}

static enum request_digest request_digest(const struct request *request,
                                          const struct request_challenge *challenge)
{
    const struct core *core = request->core;
    uint8_t storage[REQUEST_REALM_MAX];
    struct sink realm = sink_into(storage, sizeof storage);
    if (!request_realm(core, challenge->challenge, &realm)) {
        return DIGEST_WRONG;
    }
    if (challenge->sealed.len > 0) {
        return request_digest_of_account(request, sink_bytes(&realm), challenge);
    }
    enum request_digest digest = DIGEST_WRONG;
    size_t tried = 0;
    while (digest == DIGEST_WRONG && tried < core->options.keys->count) {
        digest = request_digest_by(request, sink_bytes(&realm), core->options.keys->keys[tried++]);
    }
    metric_add(METRIC_SECOND_KEY_CLIENTS, digest != DIGEST_WRONG && tried > 1 ? 1 : 0);
    return core->options.config->auth_accounts == REQUEST_ACCOUNTS_ONLY ? DIGEST_WRONG : digest;
}

static bool request_declares_foreign(const struct request *request, bool *ret_trusted)
{
    const struct hgtp_register *reg = &request->msg.reg;
    *ret_trusted = config_networks_contain(request->core->options.config->hgtp_trusted_networks,
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

/* The session at whose address the client is, and what is known of it; the script tells its name
 * first. */
struct request_rival {
    struct bytes uid;
    const char *verdict;
};

static void request_on_proved(const struct result *result, void *arg)
{
    struct request *request = arg;
    struct core *core = request->core;
    if (result == NULL || result->code != ERR_RIVAL) {
        request_on_result(result, arg);
        return;
    }
    core_call_over(core);
    struct bytes uid = bytes_str(""), node = bytes_str("");
    for (size_t i = 0; i < result->effect_count; i++) {
        if (effect_is(&result->effects[i], "rival") && result->effects[i].count > 2) {
            uid = result->effects[i].fields[1];
            node = result->effects[i].fields[2];
        }
    }
    effects_apply(core, result, NULL, NULL);
    rivals_ask(core, request, uid, node);
}

static void request_prove(struct request *request, const struct request_challenge *challenge,
                          enum request_digest digest, const struct request_rival *rival)
{
    const struct config *config = request->core->options.config;
    int64_t expires_s = request->msg.reg.expires_s;
    if (expires_s < 1 || expires_s > config->hgtp_expires_s) {
        expires_s = config->hgtp_expires_s;
    }
    char http[24];
    request_declared(request, http);
    bool has_account = challenge->sealed.len > 0;
    bool takes_over = (request->msg.reg.flags & HGTP_REGISTER_TAKE_OVER) != 0;
    struct script_args args;
    request_args(request, &args);
    script_args_bytes(&args, "challenge", challenge->challenge);
    script_args_str(&args, "auth", digest == DIGEST_MD5 ? "md5" : "hmac");
    script_args_str(&args, "account", has_account ? "1" : "");
    script_args_str(&args, "take_over", takes_over ? "1" : "");
    script_args_bytes(&args, "new_token", request_make_token(request));
    script_args_int(&args, "expires", expires_s);
    script_args_str(&args, "http", http);
    script_args_ip(&args, "client_ip", request->origin.client_ip);
    if (request->origin.line != NULL && http[0] == '\0') {
        lines_name(request->core, request->core->options.line.format(request->origin.line),
                   request->line_name);
    }
    script_args_str(&args, "line", request->line_name);
    script_args_str(&args, "after", "");
    script_args_str(&args, "epoch", "");
    script_args_int(&args, "users_max", config->limits_users);
    script_args_bytes(&args, "rival", rival->uid);
    script_args_str(&args, "verdict", rival->verdict);
    lists_args(request->core, &args, request_uid(request));
    request_call(request, SCRIPT_prove, &args, request_on_proved);
}

void request_rival_seen(struct request *request, struct bytes uid, const char *verdict)
{
    const struct request_challenge challenge = {
        .challenge = bytes_of(request->challenge, request->challenge_bytes)};
    request_prove(request, &challenge, DIGEST_MD5, &(struct request_rival){uid, verdict});
}

/* Who registers, for those that count wrong keys. False: nobody counts his, because many share his
 * address, or his name is none. */
static bool request_guesser(const struct request *request, struct bytes name, bool is_heard,
                            uint8_t storage[NAME_KEY_BYTES_MAX], struct guesser *ret_guesser)
{
    const struct config *config = request->core->options.config;
    *ret_guesser = (struct guesser){.client_ip = request->origin.client_ip,
                                    .is_datagram = request->origin.port != 0,
                                    .is_heard = is_heard};
    return !config_networks_contain(config->http_trusted_proxies, ret_guesser->client_ip) &&
           name_key(name, storage, &ret_guesser->name_key);
}

static enum err request_guessed(struct request *request, struct bytes name,
                                const struct guesser *guesser, bool is_right)
{
    struct core *core = request->core;
    if (is_right) {
        guesses_right(&core->guesses, guesser);
        return ERR_NONE;
    }
    int64_t wait_ms = guesses_wrong(&core->guesses, guesser, core_now_ms(core));
    if (wait_ms > 0) {
        char address[24];
        datagrams_address(guesser->client_ip, 0, address);
        LOG_LIMITED(LOG_WARN, "wrong_keys", log_bytes("user", name),
                    log_bytes("address", bytes_of(address, strcspn(address, ":"))),
                    log_int("wait_ms", wait_ms),
                    log_str("hint", "somebody there tries one key after the other for this name"));
    }
    return ERR_WRONG_DIGEST;
}

/* Is the digest right? Not looked at while its sender has to wait. */
static enum err request_check_digest(struct request *request,
                                     const struct request_challenge *challenge,
                                     enum request_digest *ret_digest)
{
    struct core *core = request->core;
    uint8_t storage[NAME_KEY_BYTES_MAX];
    struct guesser guesser;
    bool is_counted =
        request_guesser(request, challenge->name, challenge->is_heard, storage, &guesser);
    enum guesses_verdict verdict =
        is_counted ? guesses_may(&core->guesses, &guesser, core_now_ms(core)) : GUESSES_MAY;
    if (verdict == GUESSES_WAIT) {
        metric_add(METRIC_RATE_LIMITED, 1);
        return ERR_RATE_LIMITED;
    }
    if (verdict == GUESSES_ANEW) {
        return ERR_NOT_CHALLENGED;
    }
    *ret_digest = request_digest(request, challenge);
    bool is_right = *ret_digest != DIGEST_WRONG;
    return is_counted ? request_guessed(request, challenge->name, &guesser, is_right)
           : is_right ? ERR_NONE
                      : ERR_WRONG_DIGEST;
}

static void request_on_registered(const struct result *result, void *arg)
{
    struct request *request = arg;
    core_call_over(request->core);
    if (result == NULL || result->code != ERR_PROVE) {
        request_finish(request, result);
        return;
    }
    struct request_challenge challenge = {bytes_str(""), bytes_str(""), bytes_str(""), false};
    for (size_t i = 0; i < result->effect_count; i++) {
        const struct bytes *f = result->effects[i].fields;
        if (effect_is(&result->effects[i], "challenge") && result->effects[i].count > 4) {
            challenge = (struct request_challenge){f[1], f[2], f[3], f[4].len > 0};
        }
    }
    enum request_digest digest;
    enum err err = request_check_digest(request, &challenge, &digest);
    if (err != ERR_NONE) {
        request_refuse(request, err);
        request_end(request);
        return;
    }
    struct sink kept = sink_into(request->challenge, sizeof request->challenge);
    sink_put(&kept, challenge.challenge);
    request->challenge_bytes = sink_fits(&kept) ? kept.len : 0;
    request_prove(request, &challenge, digest, &(struct request_rival){bytes_str(""), ""});
}

void request_register(struct request *request)
{
    struct core *core = request->core;
    const struct config *config = core->options.config;
    bool is_trusted;
    enum err err = ERR_NONE;
    if (!core_address_in_time(core, &core->registers, request->origin.client_ip,
                              config->limits_registers_per_s)) {
        cost_refused(core, request_uid(request), request->origin.client_ip);
        err = ERR_RATE_LIMITED;
    } else if (core->draining) {
        err = ERR_DRAINING;
    } else if (request_declares_foreign(request, &is_trusted)) {
        err = ERR_ADDRESS_FOREIGN;
    }
    if (err != ERR_NONE) {
        request_refuse(request, err);
        request_end(request);
        return;
    }
    request_check_signature(request);
}

/* Wrong keys of this name came from this address, by datagrams that anybody may have sent in its
 * name. The answer to a challenge has the number behind that of the challenge: now one that only he
 * knows who gets it. */
static void request_hide_number(struct request *request)
{
    struct core *core = request->core;
    uint8_t storage[NAME_KEY_BYTES_MAX], noise[3];
    struct guesser guesser;
    struct bytes name = bytes_of(request->name, request->name_bytes);
    if (request->origin.port != 0 && request_guesser(request, name, false, storage, &guesser) &&
        guesses_is_doubted(&core->guesses, &guesser, core_now_ms(core))) {
        core->options.clock.random(core->options.clock.ctx, noise, sizeof noise);
        request->ahead = 1 + (noise[0] | noise[1] << 8 | noise[2] << 16);
    }
}

void request_register_ask(struct request *request)
{
    struct core *core = request->core;
    const struct config *config = core->options.config;
    bool is_trusted;
    if (!request_pay(request)) {
        return;
    }
    (void)request_declares_foreign(request, &is_trusted);
    bool is_base64 = request_name(request->msg.reg.nonce, request->name, &request->name_bytes);
    uint8_t challenge[2 * REQUEST_CHALLENGE_RANDOM_BYTES];
    struct sink challenge_out = sink_into(challenge, sizeof challenge);
    request_random_base64url(core, REQUEST_CHALLENGE_RANDOM_BYTES, &challenge_out);
    char udp[24];
    request_declared(request, udp);
    request_hide_number(request);
    struct script_args args;
    request_args(request, &args);
    script_args_int(&args, "ahead", request->ahead);
    struct bytes spelling = bytes_of(request->name, request->name_bytes);
    script_args_name(&args, "name", spelling);
    script_args_bytes(&args, "spelling", spelling);
    script_args_int(&args, "name_max", config->limits_name_bytes);
    script_args_int(&args, "name_err", is_base64 ? ERR_NAME_INVALID : ERR_NOT_CHALLENGED);
    script_args_bytes(&args, "challenge", sink_bytes(&challenge_out));
    script_args_str(&args, "udp", udp);
    script_args_str(&args, "trusted", is_trusted ? "1" : "0");
    script_args_int(&args, "challenge_ms", config->auth_challenge_ms);
    script_args_int(&args, "users_max", config->limits_users);
    script_args_int(&args, "begun_max", config->limits_users + REQUEST_BEGUN_SPARE);
    request_call(request, SCRIPT_register, &args, request_on_registered);
}
