/* SPDX-License-Identifier: MIT */
/* Tests of proto/push_text: every request of the original, byte for byte (vectors `http`). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "proto/push_text.h"

#define NAMES_MAX 64
#define TEXT_MAX  65536

static struct bytes text_of(const json_t *object, const char *member)
{
    const json_t *text = json_object_get(object, member);
    assert_true(json_is_string(text));
    return bytes_of(json_string_value(text), json_string_length(text));
}

static enum push_type type_of(const json_t *fields)
{
    for (int type = 0; type < PUSH_TYPE_COUNT; type++) {
        if (bytes_equal(text_of(fields, "type"),
                        bytes_str(push_type_target((enum push_type)type)))) {
            return (enum push_type)type;
        }
    }
    fail_msg("unknown type");
    return PUSH_TYPE_COUNT;
}

static void encode_body(const json_t *fields, struct sink *out)
{
    enum push_type type = type_of(fields);
    if (type == PUSH_MESSAGE) {
        push_message_body(text_of(fields, "hostName"), text_of(fields, "message"),
                          json_integer_value(json_object_get(fields, "messageTime")), out);
    } else if (type == PUSH_NOTICE) {
        push_notice_body(text_of(fields, "notice"), out);
    } else {
        fail_msg("lists are compared by members");
    }
}

static bool is_list(const json_t *fields)
{
    return json_object_get(fields, "names") != NULL;
}

/* The vectors' sets are in a hash order: names are put in the order in which the body has them. */
static size_t names_in_order_of(const json_t *fields, struct bytes body, struct bytes *ret_names)
{
    size_t count = json_array_size(json_object_get(fields, "names")), found = 0;
    static uint8_t storage[NAMES_MAX][1024];
    size_t positions[NAMES_MAX];
    assert_true(count <= NAMES_MAX);
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(json_object_get(fields, "names"), i);
        struct bytes raw = bytes_of(json_string_value(name), json_string_length(name));
        struct sink quoted = sink_into(storage[i], sizeof storage[i]);
        push_notice_body(raw, &quoted);
        /* {\n  "notice": "..."\n}: the quoted form is between the 14th byte and the last two. */
        const uint8_t *at = memmem(body.ptr, body.len, quoted.ptr + 14, quoted.len - 16);
        assert_non_null(at);
        positions[i] = (size_t)(at - body.ptr);
        size_t place = found++;
        while (place > 0 && positions[i] < (size_t)(uintptr_t)ret_names[place - 1].len) {
            ret_names[place] = ret_names[place - 1];
            place--;
        }
        ret_names[place] = (struct bytes){(const uint8_t *)name, positions[i]};
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *name = (const json_t *)(const void *)ret_names[i].ptr;
        ret_names[i] = bytes_of(json_string_value(name), json_string_length(name));
    }
    return count;
}

static void push_text_every_vector_is_written_to_the_byte(void **state)
{
    (void)state;
    static uint8_t body[TEXT_MAX], request[TEXT_MAX];
    json_t *root = json_load_file(TEST_DATA_DIR "/hgtp_vectors.json", JSON_ALLOW_NUL, NULL);
    const json_t *vectors = json_object_get(root, "http");
    assert_true(json_array_size(vectors) >= 20);
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *vector = json_array_get(vectors, i);
        const json_t *fields = json_object_get(vector, "fields");
        struct bytes expected = text_of(vector, "body");
        struct sink out = sink_into(body, sizeof body);
        print_message("%s\n", json_string_value(json_object_get(vector, "name")));
        if (is_list(fields)) {
            struct bytes names[NAMES_MAX];
            size_t count = names_in_order_of(fields, expected, names);
            push_list_body(type_of(fields), names, count, 1, &out);
        } else {
            encode_body(fields, &out);
        }
        assert_true(bytes_equal(sink_bytes(&out), expected));
        struct sink whole = sink_into(request, sizeof request);
        push_request_head(type_of(fields), text_of(fields, "host"), text_of(fields, "userAgent"),
                          out.len, &whole);
        sink_put(&whole, sink_bytes(&out));
        assert_true(bytes_equal(sink_bytes(&whole), text_of(vector, "requestText")));
    }
    json_decref(root);
}

static void push_text_measured_length_is_the_written_length(void **state)
{
    (void)state;
    uint8_t storage[256];
    for (size_t len = 0; len < 8; len++) {
        struct sink measure = sink_into(NULL, 0), out = sink_into(storage, sizeof storage);
        push_message_body(bytes_of("abcdefgh", len), bytes_of("abcdefgh", len), -1, &measure);
        push_message_body(bytes_of("abcdefgh", len), bytes_of("abcdefgh", len), -1, &out);
        assert_int_equal(measure.len, out.len);
    }
}

static void push_text_extreme_times_are_written_as_they_are(void **state)
{
    (void)state;
    uint8_t storage[256];
    static const struct {
        int64_t time;
        const char *text;
    } cases[] = {{INT64_MAX, ": 9223372036854775807\n}"},
                 {INT64_MIN, ": -9223372036854775808\n}"},
                 {0, ": 0\n}"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sink out = sink_into(storage, sizeof storage);
        push_message_body(bytes_str(""), bytes_str(""), cases[i].time, &out);
        size_t len = strlen(cases[i].text);
        assert_memory_equal(storage + out.len - len, cases[i].text, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(push_text_every_vector_is_written_to_the_byte),
        cmocka_unit_test(push_text_measured_length_is_the_written_length),
        cmocka_unit_test(push_text_extreme_times_are_written_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
