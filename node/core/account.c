/* SPDX-License-Identifier: MIT */
/* account: chooses secrets and what a sealed key is bound to. Who has an account is in Redis. */
#include "account.h"

#include "proto/base64.h"
#include "proto/seal.h"

#define ACCOUNT_RANDOM_BYTES (CORE_ACCOUNT_KEY_CHARS * 5 / 8) /* a character has five bits */
#define ACCOUNT_SECRETS_MAX  (2 * CORE_KEYS_MAX)
#define ACCOUNT_BOUND_MAX    2048

/* The first seals, all open. */
static size_t account_secrets(const struct core *core, struct bytes secrets[ACCOUNT_SECRETS_MAX])
{
    const struct core_keys *const sources[] = {core->options.bus_keys, core->options.keys};
    size_t count = 0;
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++) {
        for (size_t k = 0; k < sources[i]->count; k++) {
            secrets[count++] = sources[i]->keys[k];
        }
    }
    return count;
}

/* A sealed key is of no use to another user, or in another realm. */
static struct bytes account_bound(const struct core *core, struct bytes user,
                                  uint8_t storage[ACCOUNT_BOUND_MAX])
{
    struct sink out = sink_into(storage, ACCOUNT_BOUND_MAX);
    sink_text(&out, core->options.config->node_realm);
    sink_put(&out, bytes_of("", 1));
    sink_put(&out, user);
    assert(sink_fits(&out));
    return sink_bytes(&out);
}

bool account_seal(struct core *core, struct bytes user, struct bytes key,
                  char ret_sealed[CORE_SEALED_MAX])
{
    struct bytes secrets[ACCOUNT_SECRETS_MAX];
    uint8_t bound[ACCOUNT_BOUND_MAX], nonce[SEAL_NONCE_BYTES], sealed[CORE_SEALED_MAX / 2];
    struct sink out = sink_into(sealed, sizeof sealed);
    struct sink text = sink_into(ret_sealed, CORE_SEALED_MAX - 1);
    if (account_secrets(core, secrets) == 0 || key.len > SEAL_PLAIN_MAX / 2) {
        return false;
    }
    core->options.clock.random(core->options.clock.ctx, nonce, sizeof nonce);
    seal_close(secrets[0], account_bound(core, user, bound), nonce, key, &out);
    base64_encode(sink_bytes(&out), &text);
    ret_sealed[text.len] = '\0';
    return true;
}

static void account_make_key(struct core *core, char ret_key[CORE_ACCOUNT_KEY_CHARS + 1])
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t noise[ACCOUNT_RANDOM_BYTES];
    core->options.clock.random(core->options.clock.ctx, noise, sizeof noise);
    for (size_t i = 0; i < CORE_ACCOUNT_KEY_CHARS; i++) {
        size_t bit = i * 5;
        unsigned two =
            (unsigned)noise[bit / 8] << 8 | (bit / 8 + 1 < sizeof noise ? noise[bit / 8 + 1] : 0u);
        ret_key[i] = letters[two >> (11 - bit % 8) & 31];
    }
    ret_key[CORE_ACCOUNT_KEY_CHARS] = '\0';
}

enum account_state account_open(const struct core *core, struct bytes user, struct bytes sealed,
                                struct sink *ret_key)
{
    struct bytes secrets[ACCOUNT_SECRETS_MAX];
    uint8_t bound[ACCOUNT_BOUND_MAX], raw[CORE_SEALED_MAX];
    struct sink out = sink_into(raw, sizeof raw);
    size_t count = account_secrets(core, secrets);
    if (!base64_decode(sealed, &out) || !sink_fits(&out)) {
        return ACCOUNT_UNREADABLE;
    }
    for (size_t i = 0; i < count; i++) {
        if (seal_open(secrets[i], account_bound(core, user, bound), sink_bytes(&out), ret_key)) {
            return i == 0 ? ACCOUNT_CURRENT : ACCOUNT_OLD;
        }
    }
    return ACCOUNT_UNREADABLE;
}

bool core_account_make(struct core *core, struct bytes user,
                       char ret_key[CORE_ACCOUNT_KEY_CHARS + 1], char ret_sealed[CORE_SEALED_MAX])
{
    account_make_key(core, ret_key);
    return account_seal(core, user, bytes_str(ret_key), ret_sealed);
}

const char *core_account_state(const struct core *core, struct bytes user, struct bytes sealed)
{
    uint8_t key[SEAL_PLAIN_MAX];
    struct sink out = sink_into(key, sizeof key);
    enum account_state state = account_open(core, user, sealed, &out);
    explicit_bzero(key, sizeof key);
    return state == ACCOUNT_CURRENT ? "sealed" : state == ACCOUNT_OLD ? "old" : "unreadable";
}
