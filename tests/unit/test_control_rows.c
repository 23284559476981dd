/* SPDX-License-Identifier: MIT */
/* control_rows: requests become arguments, rows become replies, and what does not fit is refused.
 */
#include "node/control/control_rows.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "control.pb-c.h"
#include "node/core/script_args.h"

#define DATA(x) ((ProtobufCBinaryData){strlen(x), (uint8_t *)(uintptr_t)(x)})

static bool has_arg(const struct script_args *args, const char *name, const char *value)
{
    for (size_t i = 0; i + 1 < args->count; i += 2) {
        if (bytes_equal(args->items[i], bytes_str(name))) {
            return bytes_equal(args->items[i + 1], bytes_str(value));
        }
    }
    return false;
}

static void control_rows_request_becomes_arguments_by_name(void **state)
{
    (void)state;
    struct script_args args = {.count = 0};
    Hgtp__Control__RoomListRequest request = HGTP__CONTROL__ROOM_LIST_REQUEST__INIT;
    request.match = DATA("te*");
    request.reverse = 1;
    request.limit = 4294967295u;
    control_rows_args(&request.base, &args);
    assert_true(has_arg(&args, "match", "te*"));
    assert_true(has_arg(&args, "sort", ""));
    assert_true(has_arg(&args, "reverse", "1"));
    assert_true(has_arg(&args, "limit", "4294967295"));
    Hgtp__Control__RoomLimitRequest limit = HGTP__CONTROL__ROOM_LIMIT_REQUEST__INIT;
    args.count = args.digits_used = 0;
    limit.limit = INT64_MAX;
    control_rows_args(&limit.base, &args);
    assert_true(has_arg(&args, "limit", "9223372036854775807"));
    assert_true(has_arg(&args, "dry_run", ""));
}

#define PUT(reply, ...) put((reply), (const char *const[]){__VA_ARGS__, NULL})
static bool put(ProtobufCMessage *reply, const char *const *texts)
{
    struct bytes fields[16] = {bytes_str("row")};
    size_t count = 1;
    for (; *texts != NULL; texts++) {
        fields[count++] = bytes_str(*texts);
    }
    const struct effect row = {fields, count};
    return control_rows_put(reply, &row);
}

static void control_rows_become_elements_and_fields(void **state)
{
    (void)state;
    Hgtp__Control__NodeListReply *list = (Hgtp__Control__NodeListReply *)control_rows_new(
        &hgtp__control__node_list_reply__descriptor);
    assert_true(PUT(&list->base, "Node", "id", "n1", "sessions", "18446744073709551615",
                    "cpu_percent", "12.5", "since_ms", "-5"));
    assert_true(PUT(&list->base, "Node", "id", "n2", "id", "n3"));
    assert_int_equal(list->n_nodes, 2);
    assert_string_equal(list->nodes[0]->id, "n1");
    assert_true(list->nodes[0]->sessions == INT64_MAX); /* as far as Redis counts */
    assert_true(list->nodes[0]->cpu_percent == 12.5);
    assert_int_equal(list->nodes[0]->since_ms, -5);
    assert_string_equal(list->nodes[1]->id, "n3");
    protobuf_c_message_free_unpacked(&list->base, NULL);

    Hgtp__Control__Done *done =
        (Hgtp__Control__Done *)control_rows_new(&hgtp__control__done__descriptor);
    assert_true(PUT(&done->base, "Done", "dry_run", "1", "names", "a", "names", "b", "users", "2"));
    assert_true(done->dry_run);
    assert_int_equal(done->n_names, 2);
    assert_int_equal(done->names[1].len, 1);
    assert_memory_equal(done->names[1].data, "b", 1);
    protobuf_c_message_free_unpacked(&done->base, NULL);
}

/* Issue 13, item 3. */
static void control_rows_keep_what_stands_behind_a_zero_byte(void **state)
{
    (void)state;
    const struct bytes fields[] = {bytes_str("row"), bytes_str("Entry"), bytes_str("text"),
                                   bytes_of("be\0fore", 7)};
    const struct effect row = {fields, 4};
    Hgtp__Control__RoomHistoryReply *reply = (Hgtp__Control__RoomHistoryReply *)control_rows_new(
        &hgtp__control__room_history_reply__descriptor);
    assert_true(control_rows_put(&reply->base, &row));
    assert_int_equal(reply->entries[0]->text.len, 7);
    assert_memory_equal(reply->entries[0]->text.data, "be\0fore", 7);
    protobuf_c_message_free_unpacked(&reply->base, NULL);
    struct script_args args = {.count = 0};
    Hgtp__Control__RoomNoticeRequest request = HGTP__CONTROL__ROOM_NOTICE_REQUEST__INIT;
    request.text = (ProtobufCBinaryData){3, (uint8_t *)(uintptr_t) "a\0b"};
    control_rows_args(&request.base, &args);
    size_t at = 0;
    while (at < args.count && !bytes_equal(args.items[at], bytes_str("text"))) {
        at += 2;
    }
    assert_true(at < args.count);
    assert_int_equal(args.items[at + 1].len, 3);
}

static void control_rows_that_do_not_fit_are_told(void **state)
{
    (void)state;
    Hgtp__Control__NodeListReply *list = (Hgtp__Control__NodeListReply *)control_rows_new(
        &hgtp__control__node_list_reply__descriptor);
    assert_false(PUT(&list->base, "Room", "room", "tea"));
    assert_false(put(&list->base, (const char *const[]){NULL}));
    assert_false(PUT(&list->base, "Node", "id", "n1", "colour", "red"));
    assert_int_equal(list->n_nodes, 1);
    assert_string_equal(list->nodes[0]->id, "n1");
    protobuf_c_message_free_unpacked(&list->base, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_rows_request_becomes_arguments_by_name),
        cmocka_unit_test(control_rows_become_elements_and_fields),
        cmocka_unit_test(control_rows_keep_what_stands_behind_a_zero_byte),
        cmocka_unit_test(control_rows_that_do_not_fit_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
