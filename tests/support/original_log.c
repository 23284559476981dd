/* SPDX-License-Identifier: MIT */
/*
 * original_log: keeps and parses what a client has received. It decides nothing; how the client
 * reacts is in original_datagram.c and original_push.c.
 */
#include "original_log.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "proto/base64.h"
#include "pump.h"

struct original_event *original_log_add(struct original_log *log, enum original_kind kind,
                                        struct bytes raw)
{
    if ((log->count & (log->count - 1)) == 0) {
        size_t cap = log->count == 0 ? 1 : 2 * log->count;
        log->events = realloc(log->events, cap * sizeof *log->events);
        assert(log->events != NULL);
    }
    struct original_event *event = calloc(1, sizeof *event);
    uint8_t *copy = calloc(1, raw.len + 1);
    assert(event != NULL && copy != NULL);
    if (raw.len > 0) {
        memcpy(copy, raw.ptr, raw.len);
    }
    event->kind = kind;
    event->index = log->count;
    event->at_ms = pump_now_ms();
    event->arrived_ns = pump_now_unix_ns();
    event->raw = bytes_of(copy, raw.len);
    event->push = PUSH_TYPE_COUNT;
    log->events[log->count++] = event;
    return event;
}

static void original_log_free(struct original_event *event)
{
    for (size_t i = 0; i < event->name_count; i++) {
        free(event->names[i]);
    }
    free(event->names);
    free(event->head);
    free(event->text);
    free(event->who);
    free((void *)(uintptr_t)event->raw.ptr);
    free(event);
}

void original_log_fini(struct original_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        original_log_free(log->events[i]);
    }
    free(log->events);
    *log = (struct original_log){0};
}

/* A base64 string of the JSON, decoded and NUL-terminated; NULL when it is none. */
static char *original_log_text(const json_t *value)
{
    if (!json_is_string(value)) {
        return NULL;
    }
    size_t len = json_string_length(value);
    char *text = calloc(1, len + 1);
    assert(text != NULL);
    struct sink out = sink_into(text, len);
    if (!base64_decode(bytes_of(json_string_value(value), len), &out)) {
        free(text);
        return NULL;
    }
    text[out.len] = '\0';
    return text;
}

static bool original_log_list(struct original_event *event, const json_t *list)
{
    if (!json_is_array(list)) {
        return list == NULL;
    }
    event->names = calloc(json_array_size(list) + 1, sizeof *event->names);
    assert(event->names != NULL);
    for (size_t i = 0; i < json_array_size(list); i++) {
        char *name = original_log_text(json_array_get(list, i));
        if (name == NULL) {
            return false;
        }
        event->names[event->name_count++] = name;
    }
    return true;
}

static const char *original_log_member(enum push_type type)
{
    static const char *const members[] = {
#define ORIGINAL_LOG_MEMBER(name, target, member) member,
        PUSH_TYPES(ORIGINAL_LOG_MEMBER)
#undef ORIGINAL_LOG_MEMBER
    };
    return members[type];
}

bool original_log_parse_push(struct original_event *event)
{
    json_t *root = json_loadb((const char *)event->raw.ptr, event->raw.len, 0, NULL);
    bool is_good = json_is_object(root);
    if (is_good && event->push == PUSH_NOTICE) {
        event->text = original_log_text(json_object_get(root, "notice"));
        is_good = event->text != NULL;
    } else if (is_good && event->push == PUSH_MESSAGE) {
        event->who = original_log_text(json_object_get(root, "hostName"));
        event->text = original_log_text(json_object_get(root, "message"));
        event->time_unix_ms = json_integer_value(json_object_get(root, "messageTime"));
        is_good = event->who != NULL && event->text != NULL;
    } else if (is_good) {
        is_good = original_log_list(event, json_object_get(root, original_log_member(event->push)));
    }
    json_decref(root);
    return is_good;
}

const char *original_event_name(const struct original_event *event)
{
    static const char *const targets[] = {
#define ORIGINAL_LOG_TARGET(name, target, member) target,
        PUSH_TYPES(ORIGINAL_LOG_TARGET)
#undef ORIGINAL_LOG_TARGET
    };
    if (event->kind == ORIGINAL_ANSWER) {
        return "answer";
    }
    if (event->kind == ORIGINAL_PUSH) {
        return event->push < PUSH_TYPE_COUNT ? targets[event->push] : "unknown push";
    }
    const char *name =
        event->decoded == HGTP_BAD_HEADER ? NULL : hgtp_type_name(event->msg.header.type);
    return name != NULL ? name : "unknown datagram";
}

static bool original_event_has(const struct original_event *event, struct bytes name)
{
    for (size_t i = 0; i < event->name_count; i++) {
        if (bytes_equal(bytes_str(event->names[i]), name)) {
            return true;
        }
    }
    return false;
}

bool original_event_lists(const struct original_event *event, const char *names)
{
    size_t count = 0;
    for (const char *at = names; *at != '\0';) {
        size_t len = strcspn(at, ",");
        if (!original_event_has(event, bytes_of(at, len))) {
            return false;
        }
        count++;
        at += len + (at[len] == ',');
    }
    return count == event->name_count;
}

static void original_log_print_datagram(const struct original_event *event, FILE *out)
{
    const struct hgtp_header *header = &event->msg.header;
    const char *request = hgtp_type_name(header->request_type);
    fprintf(out, " for %s seq %d from port %u to the %s socket, %zu bytes", request ? request : "?",
            (int)header->seq, event->from_port, event->at_declared ? "declared" : "sending",
            event->raw.len);
    struct hgtp_reason reason;
    if (event->decoded == HGTP_DECODED && !hgtp_type_is_request(header->type) &&
        header->type != HGTP_OK && header->type != HGTP_UNAUTHORIZED &&
        hgtp_reason_decode(event->msg.body, &reason)) {
        fprintf(out, ": %d %.*s", reason.code, (int)reason.text.len, (const char *)reason.text.ptr);
    }
}

void original_log_print(const struct original_log *log, FILE *out)
{
    for (size_t i = 0; i < log->count; i++) {
        const struct original_event *event = log->events[i];
        fprintf(out, "  %4zu %8lld ms %s", i, (long long)(event->at_ms - log->events[0]->at_ms),
                original_event_name(event));
        if (event->kind == ORIGINAL_DATAGRAM) {
            original_log_print_datagram(event, out);
        } else if (event->kind == ORIGINAL_ANSWER) {
            fprintf(out, " %d %s", event->status, (const char *)event->raw.ptr);
        } else if (event->text != NULL) {
            fprintf(out, " [%s] %s", event->who != NULL ? event->who : "", event->text);
        } else {
            for (size_t j = 0; j < event->name_count; j++) {
                fprintf(out, "%c%s", j == 0 ? ' ' : ',', event->names[j]);
            }
        }
        fprintf(out, "\n");
    }
}
