/* SPDX-License-Identifier: MIT */
/*
 * original_wait: waits for events of a client's log, by predicate and with a deadline. An event is
 * returned to one wait only, so the same wait again means the next event of its kind.
 */
#include "original_parts.h"

struct original_wait {
    struct original *original;
    original_fits_fn *fits;
    const void *arg;
    struct original_event *found;
};

static bool original_wait_done(void *arg)
{
    struct original_wait *wait = arg;
    const struct original_log *log = &wait->original->log;
    for (size_t i = 0; i < log->count; i++) {
        if (!log->events[i]->taken && wait->fits(log->events[i], wait->arg)) {
            wait->found = log->events[i];
            return true;
        }
    }
    return false;
}

static const struct original_event *original_wait_taken(const struct original_wait *wait)
{
    if (wait->found != NULL) {
        wait->found->taken = true;
    }
    return wait->found;
}

const struct original_event *original_wait(struct original *original, original_fits_fn *fits,
                                           const void *arg, int64_t timeout_ms)
{
    struct original_wait wait = {original, fits, arg, NULL};
    (void)pump_until(original_wait_done, &wait, timeout_ms);
    return original_wait_taken(&wait);
}

const struct original_event *original_wait_within(struct original *original, original_fits_fn *fits,
                                                  const void *arg, int64_t timeout_ms)
{
    struct original_wait wait = {original, fits, arg, NULL};
    (void)pump_within(original_wait_done, &wait, timeout_ms);
    return original_wait_taken(&wait);
}

static bool original_is_datagram(const struct original_event *event)
{
    return event->kind == ORIGINAL_DATAGRAM && event->decoded != HGTP_BAD_HEADER;
}

bool original_is_response(const struct original_event *event, const void *request_type)
{
    return original_is_datagram(event) && !hgtp_type_is_request(event->msg.header.type) &&
           event->msg.header.request_type == *(const uint8_t *)request_type;
}

bool original_is_relay(const struct original_event *event, const void *type)
{
    return original_is_datagram(event) && event->msg.header.type == *(const uint8_t *)type;
}

bool original_is_push(const struct original_event *event, const void *push_type)
{
    return event->kind == ORIGINAL_PUSH && event->push == *(const enum push_type *)push_type;
}

const struct original_event *original_wait_response(struct original *original,
                                                    enum hgtp_type request_type)
{
    const uint8_t byte = (uint8_t)request_type;
    return original_wait(original, original_is_response, &byte, ORIGINAL_WAIT_MS);
}

const struct original_event *original_wait_relay(struct original *original, enum hgtp_type type)
{
    const uint8_t byte = (uint8_t)type;
    return original_wait(original, original_is_relay, &byte, ORIGINAL_WAIT_MS);
}

struct original_wait_push {
    enum push_type type;
    original_fits_fn *fits;
    const void *arg;
};

static bool original_wait_push_fits(const struct original_event *event, const void *arg)
{
    const struct original_wait_push *wanted = arg;
    return original_is_push(event, &wanted->type) &&
           (wanted->fits == NULL || wanted->fits(event, wanted->arg));
}

const struct original_event *original_wait_push(struct original *original, enum push_type type,
                                                original_fits_fn *fits, const void *arg)
{
    const struct original_wait_push wanted = {type, fits, arg};
    return original_wait(original, original_wait_push_fits, &wanted, ORIGINAL_WAIT_MS);
}

static bool original_wait_lists(const struct original_event *event, const void *names)
{
    return original_event_lists(event, names);
}

const struct original_event *original_wait_list(struct original *original, enum push_type type,
                                                const char *names)
{
    const struct original_event *found =
        original_wait_push(original, type, original_wait_lists, names);
    for (size_t i = 0; found != NULL && i < found->index; i++) {
        struct original_event *event = original->log.events[i];
        /* A later wait must not take an older state of the list for news. */
        event->taken = event->taken || original_is_push(event, &type);
    }
    return found;
}

static bool original_wait_says(const struct original_event *event, const void *text)
{
    return event->text != NULL && strcmp(event->text, text) == 0;
}

const struct original_event *original_wait_notice(struct original *original, const char *text)
{
    return original_wait_push(original, PUSH_NOTICE, original_wait_says, text);
}

const struct original_event *original_wait_message(struct original *original, const char *text)
{
    return original_wait_push(original, PUSH_MESSAGE, original_wait_says, text);
}

static bool original_wait_answers(const struct original_event *event, const void *arg)
{
    (void)arg;
    return event->kind == ORIGINAL_ANSWER;
}

const struct original_event *original_wait_answer(struct original *original)
{
    return original_wait(original, original_wait_answers, NULL, ORIGINAL_WAIT_MS);
}

/* Fence ---------------------------------------------------------------------------------------- */

struct original_fence {
    struct original *original;
    size_t first;
    bool is_ok;
};

static bool original_fence_done(void *arg)
{
    struct original_fence *fence = arg;
    const struct original_log *log = &fence->original->log;
    const uint8_t request_type = HGTP_REFRESH;
    const enum push_type users = PUSH_USER_LIST, rooms = PUSH_ROOM_LIST,
                         members = PUSH_ROOM_USER_LIST;
    bool has_response = false, has_users = false, has_rooms = false, has_all = false;
    for (size_t i = fence->first; i < log->count; i++) {
        struct original_event *event = log->events[i];
        if (original_is_response(event, &request_type)) {
            event->taken = true;
            has_response = true;
            fence->is_ok = event->msg.header.type == HGTP_OK;
        }
        has_all = has_all || (has_rooms && original_is_push(event, &members));
        has_rooms = has_rooms || (has_users && original_is_push(event, &rooms));
        has_users = has_users || original_is_push(event, &users);
    }
    has_all = has_all || (has_rooms && !fence->original->in_room);
    return has_response && (has_all || !fence->is_ok);
}

bool original_fence(struct original *original)
{
    struct original_fence fence = {original, original->log.count, false};
    original_send_plain(original, HGTP_REFRESH);
    return pump_until(original_fence_done, &fence, ORIGINAL_WAIT_MS) && fence.is_ok;
}

size_t original_count(const struct original *original, size_t first, original_fits_fn *fits,
                      const void *arg)
{
    size_t count = 0;
    for (size_t i = first; i < original->log.count; i++) {
        count += fits(original->log.events[i], arg);
    }
    return count;
}
