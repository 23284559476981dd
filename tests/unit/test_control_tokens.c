/* SPDX-License-Identifier: MIT */
/* control_tokens and control_form: who is who, and which requests have the right form. */
#include "node/control/control_tokens.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control.pb-c.h"
#include "node/control/control_form.h"

#define DATA(x) ((ProtobufCBinaryData){strlen(x), (uint8_t *)(uintptr_t)(x)})

static struct control_tokens tokens;
static char error[CONTROL_TOKENS_ERROR];

static bool load(const char *text, mode_t mode)
{
    char path[] = "/tmp/hgtp-tokens-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
    bool is_loaded = control_tokens_load(path, &tokens, error);
    (void)unlink(path);
    return is_loaded;
}

static void control_tokens_are_found_with_role_and_name(void **state)
{
    (void)state;
    assert_true(load("# who\n\nview 0123456789abcdef watcher\n"
                     "operate fedcba9876543210\nadminister aaaaaaaaaaaaaaaaaaaa night\n",
                     0600));
    assert_int_equal(tokens.count, 3);
    assert_int_equal(control_tokens_find(&tokens, "0123456789abcdef")->role, CONTROL_ROLE_VIEW);
    assert_string_equal(control_tokens_find(&tokens, "aaaaaaaaaaaaaaaaaaaa")->name, "night");
    assert_null(control_tokens_find(&tokens, "0123456789abcde"));
    assert_null(control_tokens_find(&tokens, "0123456789abcdefg"));
    assert_null(control_tokens_find(&tokens, ""));
}

static void control_tokens_that_are_wrong_are_named_by_line_and_leave_the_old(void **state)
{
    (void)state;
    assert_true(load("view 0123456789abcdef\n", 0600));
    assert_false(load("view 0123456789abcdef\nadmin 0123456789abcdef\n", 0600));
    assert_non_null(strstr(error, "line 2"));
    assert_non_null(strstr(error, "role"));
    assert_false(load("view short\n", 0600));
    assert_non_null(strstr(error, "16 to 254"));
    assert_false(load("# none\n", 0600));
    assert_non_null(strstr(error, "holds no token"));
    assert_true(load("\xef\xbb\xbfview 0123456789abcdef\n", 0600));
    assert_false(load("view 0123456789abcdef\n", 0604));
    assert_false(load("view 0123456789abcdef\n", 0640));
    assert_non_null(strstr(error, "chmod 600"));
    assert_false(control_tokens_load("/nowhere/at/all", &tokens, error));
    assert_non_null(strstr(error, "/nowhere/at/all"));
    assert_int_equal(tokens.count, 1);
    assert_non_null(control_tokens_find(&tokens, "0123456789abcdef"));
}

static bool is_good(const char *room, const char *text)
{
    static const struct config config = {.limits_name_bytes = 10, .limits_message_bytes = 20};
    Hgtp__Control__RoomNoticeRequest request = HGTP__CONTROL__ROOM_NOTICE_REQUEST__INIT;
    request.room = DATA(room);
    request.text = DATA(text);
    return control_form_good(&request.base, &config, error);
}

static void control_form_wants_what_clients_have_to_keep_to(void **state)
{
    (void)state;
    char name[CONFIG_NAME_BYTES_MAX + 2] = "";
    memset(name, 'n', CONFIG_NAME_BYTES_MAX);
    assert_true(is_good("den", "hello"));
    assert_true(is_good("", "twenty bytes, no mor"));
    assert_true(is_good("방방방", "줄\nbreak"));
    assert_true(is_good("elevenbytes", "x")); /* what there is has a name of any length */
    assert_true(is_good(name, "x"));
    name[CONFIG_NAME_BYTES_MAX] = 'n';
    assert_false(is_good(name, "x"));
    assert_non_null(strstr(error, "room is no name: at most 512 bytes"));
    assert_false(is_good("a\001b", "x"));
    assert_false(is_good("\xff", "x"));
    assert_non_null(strstr(error, "room is not UTF-8"));
    assert_false(is_good("den", "\xed\xa0\x80"));
    assert_non_null(strstr(error, "text is not UTF-8"));
    assert_false(is_good("den", "twenty-one bytes here"));
    assert_non_null(strstr(error, "text has 21 bytes; 20 are allowed"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(control_tokens_are_found_with_role_and_name),
        cmocka_unit_test(control_tokens_that_are_wrong_are_named_by_line_and_leave_the_old),
        cmocka_unit_test(control_form_wants_what_clients_have_to_keep_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
