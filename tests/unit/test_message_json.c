/* SPDX-License-Identifier: MIT */
/* Tests of node/front/message_json against what the original accepted (vectors
 * http_message_decode). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "node/front/message_json.h"

static enum err decode(const char *json, struct message_json *ret_message)
{
    static uint8_t storage[4096];
    assert_true(strlen(json) < sizeof storage);
    return message_json_decode(bytes_str(json), storage, ret_message);
}

/* Whether the original could read the message and its time. */
static bool vector_is_good(const json_t *result)
{
    return strcmp(json_string_value(json_object_get(result, "kind")), "ok") == 0 &&
           json_object_get(result, "message") != NULL;
}

static void message_json_every_vector_is_read_as_the_original_does(void **state)
{
    (void)state;
    json_t *root = json_load_file(TEST_DATA_DIR "/hgtp_vectors.json", JSON_ALLOW_NUL, NULL);
    const json_t *vectors = json_object_get(root, "http_message_decode");
    assert_true(json_array_size(vectors) > 15);
    for (size_t i = 0; i < json_array_size(vectors); i++) {
        const json_t *vector = json_array_get(vectors, i);
        const json_t *result = json_object_get(vector, "result");
        struct message_json message;
        enum err err = decode(json_string_value(json_object_get(vector, "body")), &message);
        print_message("%s\n", json_string_value(json_object_get(vector, "name")));
        if (!vector_is_good(result)) {
            assert_int_equal(err, ERR_MALFORMED);
            continue;
        }
        assert_int_equal(err, ERR_NONE);
        assert_true(bytes_equal(message.text,
                                bytes_str(json_string_value(json_object_get(result, "message")))));
        assert_int_equal(message.time_unix_ms,
                         json_integer_value(json_object_get(result, "messageTime")));
    }
    json_decref(root);
}

static void message_json_what_has_a_type_is_one_of_the_newer_texts(void **state)
{
    (void)state;
    struct message_json message;
    assert_int_equal(decode("{\"type\":\"message\",\"message\":\"aGk=\"}", &message), ERR_NONE);
    assert_true(message.is_text);
    assert_int_equal(decode("{\"type\":7,\"message\":\"aGk=\"}", &message), ERR_NONE);
    assert_false(message.is_text);
}

static void message_json_odd_times_are_refused(void **state)
{
    (void)state;
    static const char *const times[] = {"1.5",  "\"\"", "\"x\"", "\"1.5\"", "1e30",
                                        "true", "[1]",  "{}",    "\"1 \"",  "99999999999999999999"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char json[128];
        struct message_json message;
        snprintf(json, sizeof json, "{\"message\":\"aGk=\",\"messageTime\":%s}", times[i]);
        assert_int_equal(decode(json, &message), ERR_MALFORMED);
    }
}

static void message_json_what_is_no_object_with_a_message_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {"",
                                         "[]",
                                         "1",
                                         "null",
                                         "{}",
                                         "{\"message\":1}",
                                         "{\"message\":null}",
                                         "{\"message\":\"!!\"}",
                                         "{\"message\":\"aGk=\"",
                                         "\xff\xfe"};
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        struct message_json message;
        assert_int_equal(decode(bodies[i], &message), ERR_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_json_every_vector_is_read_as_the_original_does),
        cmocka_unit_test(message_json_what_has_a_type_is_one_of_the_newer_texts),
        cmocka_unit_test(message_json_odd_times_are_refused),
        cmocka_unit_test(message_json_what_is_no_object_with_a_message_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
