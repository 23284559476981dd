/* SPDX-License-Identifier: MIT */
/*
 * talker_pour: a long talk of numbered messages. Each is said until it is acknowledged; the ids
 * make it harmless to say one twice. Acknowledgements drive it.
 */
#include "talker_parts.h"

#include <assert.h>
#include <stdlib.h>

static void talker_pour_say(struct talker *talker, int64_t number)
{
    char id[24];
    char *text = calloc(1, talker->text_bytes + TALK_RECORD_NAME_MAX + 32);
    assert(text != NULL);
    int len = sprintf(text, "%s %lld ", talker->options.name, (long long)number);
    while ((size_t)len < talker->text_bytes) {
        text[len++] = 'x';
    }
    snprintf(id, sizeof id, "%lld", (long long)number);
    talker_say(talker, text, id);
    free(text);
}

static void talker_pour_on(struct talker *talker)
{
    while (talker->said < talker->goal && talker->said - talker->acked < talker->window) {
        if (talker->acks[talker->said] == 0) {
            talker_pour_say(talker, talker->said);
        }
        talker->said++;
    }
}

void talker_pour(struct talker *talker, int64_t count, int64_t window)
{
    assert(count >= talker->goal);
    talker->acks = realloc(talker->acks, (size_t)count * sizeof *talker->acks);
    assert(talker->acks != NULL);
    for (int64_t i = talker->goal; i < count; i++) {
        talker->acks[i] = 0;
    }
    talker->goal = count;
    talker->window = window;
    talker_pour_on(talker);
}

/* Number of the long talk's message with this id; -1: it is none. */
static int64_t talker_pour_number(const struct talker *talker, const json_t *object)
{
    const char *id = json_string_value(json_object_get(object, "id"));
    char *end = NULL;
    int64_t number = id != NULL ? strtoll(id, &end, 10) : -1;
    return id != NULL && end != id && *end == '\0' && number >= 0 && number < talker->goal ? number
                                                                                           : -1;
}

void talker_pour_on_text(struct talker *talker, const json_t *object)
{
    const char *type = json_string_value(json_object_get(object, "type"));
    bool is_ack = type != NULL && strcmp(type, "ack") == 0;
    int64_t number = talker_pour_number(talker, object);
    if (number < 0) {
        return;
    }
    if (!is_ack) {
        talker->errors++;
        return;
    }
    if (talker->acks[number] == 0) {
        talker->acks[number] = json_integer_value(json_object_get(object, "seq"));
        talker->acked++;
    }
    talker_pour_on(talker);
}

void talker_pour_again(struct talker *talker)
{
    talker->said = 0;
    while (talker->said < talker->goal && talker->acks[talker->said] != 0) {
        talker->said++;
    }
    talker_pour_on(talker);
}

static bool talker_pour_is_done(void *arg)
{
    const struct talker *talker = arg;
    return talker->acked == talker->goal;
}

bool talker_poured(struct talker *talker, int64_t timeout_ms)
{
    return pump_until(talker_pour_is_done, talker, timeout_ms);
}
