/* SPDX-License-Identifier: MIT */
/*
 * guesses: a table of pairs in fixed memory. Entries are compared, not shared: a flood of forged
 * pairs can have a pair forgotten, never held back.
 */
#include "guesses.h"

#include <string.h>

#include "proto/digest.h"

#define GUESSES_FREE      5 /* people mistype */
#define GUESSES_FIRST_MS  1000
#define GUESSES_MOST_MS   60000
#define GUESSES_FORGET_MS 600000 /* after the last one */

static struct guess *guesses_find(struct guesses *guesses, const struct guesser *guesser,
                                  uint64_t ret_pair[2])
{
    uint8_t text[sizeof guesses->secret + sizeof guesser->client_ip + 1];
    uint8_t hash[DIGEST_SHA256_BYTES];
    struct sink salt = sink_into(text, sizeof text);
    sink_put(&salt, bytes_of(guesses->secret, sizeof guesses->secret));
    sink_be32(&salt, guesser->client_ip);
    sink_u8(&salt, guesser->is_datagram ? 1 : 0);
    digest_sha256(guesser->name_key, sink_bytes(&salt), hash);
    memcpy(ret_pair, hash, 2 * sizeof ret_pair[0]);
    struct guess *set = guesses->pairs[ret_pair[0] % GUESSES_SETS];
    for (int i = 0; i < GUESSES_WAYS; i++) {
        if (memcmp(set[i].pair, ret_pair, sizeof set[i].pair) == 0) {
            return &set[i];
        }
    }
    return NULL;
}

/* NULL when nothing is known of the pair, or it was long ago. */
static struct guess *guesses_known(struct guesses *guesses, const struct guesser *guesser,
                                   int64_t now_ms)
{
    uint64_t pair[2];
    struct guess *guess = guesses_find(guesses, guesser, pair);
    return guess != NULL && now_ms - guess->last_ms < GUESSES_FORGET_MS ? guess : NULL;
}

bool guesses_is_doubted(struct guesses *guesses, const struct guesser *guesser, int64_t now_ms)
{
    const struct guess *guess = guesses_known(guesses, guesser, now_ms);
    return guess != NULL && (guess->doubtful_count >= GUESSES_FREE || guess->wrong_count > 0);
}

static bool guesses_counts(const struct guesser *guesser)
{
    return !guesser->is_datagram || guesser->is_heard;
}

enum guesses_verdict guesses_may(struct guesses *guesses, const struct guesser *guesser,
                                 int64_t now_ms)
{
    const struct guess *guess = guesses_known(guesses, guesser, now_ms);
    if (guess == NULL) {
        return GUESSES_MAY;
    }
    if (!guesses_counts(guesser)) {
        return guess->doubtful_count < GUESSES_FREE ? GUESSES_MAY : GUESSES_ANEW;
    }
    return now_ms < guess->until_ms ? GUESSES_WAIT : GUESSES_MAY;
}

/* Where one that is not known yet is put: where none is any more, else where the least is known. */
static struct guess *guesses_place(struct guess *set, int64_t now_ms)
{
    struct guess *least = set;
    for (int i = 0; i < GUESSES_WAYS; i++) {
        if (now_ms - set[i].last_ms >= GUESSES_FORGET_MS || set[i].last_ms == 0) {
            return &set[i];
        }
        bool is_less =
            set[i].wrong_count < least->wrong_count ||
            (set[i].wrong_count == least->wrong_count && set[i].last_ms < least->last_ms);
        least = is_less ? &set[i] : least;
    }
    return least;
}

int64_t guesses_wrong(struct guesses *guesses, const struct guesser *guesser, int64_t now_ms)
{
    uint64_t pair[2];
    struct guess *guess = guesses_find(guesses, guesser, pair);
    if (guess == NULL || now_ms - guess->last_ms >= GUESSES_FORGET_MS) {
        guess =
            guess != NULL ? guess : guesses_place(guesses->pairs[pair[0] % GUESSES_SETS], now_ms);
        *guess = (struct guess){.pair = {pair[0], pair[1]}};
    }
    guess->last_ms = now_ms;
    if (!guesses_counts(guesser)) {
        guess->doubtful_count++;
        return 0;
    }
    guess->wrong_count++;
    int64_t delay_ms = guess->wrong_count >= GUESSES_FREE ? GUESSES_FIRST_MS : 0;
    for (uint32_t i = GUESSES_FREE; i < guess->wrong_count && delay_ms < GUESSES_MOST_MS; i++) {
        delay_ms *= 2;
    }
    delay_ms = delay_ms < GUESSES_MOST_MS ? delay_ms : GUESSES_MOST_MS;
    guess->until_ms = now_ms + delay_ms;
    return delay_ms;
}

void guesses_right(struct guesses *guesses, const struct guesser *guesser)
{
    uint64_t pair[2];
    struct guess *guess = guesses_find(guesses, guesser, pair);
    if (guess != NULL) {
        *guess = (struct guess){{0, 0}, 0, 0, 0, 0};
    }
}
