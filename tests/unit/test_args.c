/* SPDX-License-Identifier: MIT */
/* args: command lines, right and wrong, and what is said of the wrong ones. */
#include "admin/args.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control.pb-c.h"

static struct cli cli;
static char *said;
static size_t said_bytes;

static int read_args(const char *const *args)
{
    char *argv[32] = {(char *)(uintptr_t) "hgtpctl"};
    size_t count = 1;
    for (; *args != NULL; args++) {
        argv[count++] = (char *)(uintptr_t)*args;
    }
    memset(&cli, 0, sizeof cli);
    cli.out = stdout;
    cli.err = open_memstream(&said, &said_bytes);
    args_init(&cli);
    int code = args_read(&cli, argv);
    fclose(cli.err);
    return code;
}

static void forget(void)
{
    args_fini(&cli);
    free(said);
}

#define READ(...) read_args((const char *const[]){__VA_ARGS__, NULL})
#define REFUSED(why, ...)                                                                          \
    do {                                                                                           \
        assert_int_equal(READ(__VA_ARGS__), EXIT_USAGE);                                           \
        if (strstr(said, (why)) == NULL) {                                                         \
            fail_msg("said: %s", said);                                                            \
        }                                                                                          \
        forget();                                                                                  \
    } while (0)

static void args_options_of_all_stand_anywhere(void **state)
{
    (void)state;
    assert_int_equal(READ("-o", "json", "room", "--timeout=90s", "list", "--limit", "20",
                          "--reverse", "--url", "tcp://h:1"),
                     EXIT_DONE);
    const Hgtp__Control__RoomListRequest *request =
        (const Hgtp__Control__RoomListRequest *)cli.request;
    assert_true(cli.is_json);
    assert_int_equal(cli.timeout_ms, 90000);
    assert_int_equal(request->limit, 20);
    assert_true(request->reverse);
    assert_string_equal(request->sort, "");
    assert_string_equal(cli.url, "tcp://h:1");
    forget();
}

static void args_words_behind_two_dashes_are_no_options(void **state)
{
    (void)state;
    assert_int_equal(READ("room", "notice", "--", "--den", "-- it begins"), EXIT_DONE);
    const Hgtp__Control__RoomNoticeRequest *request =
        (const Hgtp__Control__RoomNoticeRequest *)cli.request;
    assert_true(bytes_equal(bytes_of(request->room.data, request->room.len), bytes_str("--den")));
    assert_true(
        bytes_equal(bytes_of(request->text.data, request->text.len), bytes_str("-- it begins")));
    forget();
}

static void args_what_is_missing_or_too_much_is_named(void **state)
{
    (void)state;
    REFUSED("ROOM is missing: the room's name", "room", "show");
    REFUSED("there is nothing to do with 'b'", "room", "show", "a", "b");
    REFUSED("put a text with blanks between quotes", "notice", "two", "words");
    REFUSED("a value is missing: --limit N", "room", "list", "--limit");
    REFUSED("--reverse takes no value", "room", "list", "--reverse=yes");
}

static void args_unknown_words_are_answered_by_what_was_meant(void **state)
{
    (void)state;
    REFUSED("did you mean 'room'?", "romo");
    REFUSED("did you mean 'kick'?", "room", "kik");
    REFUSED("did you mean '--reverse'?", "room", "list", "--revers");
    REFUSED("its group comes first, one of room", "invite");
    REFUSED("did you mean 'members'?", "room", "list", "--sort", "member");
    REFUSED("unknown option '--yes'", "room", "list", "--yes");
}

static void args_values_are_checked(void **state)
{
    (void)state;
    static const char *const numbers[] = {"x",         "-1", "", "1x", "99999999999999999999",
                                          "4294967296"};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        assert_int_equal(READ("room", "list", "--limit", numbers[i]), EXIT_USAGE);
        forget();
    }
    static const char *const times[] = {"", "x", "10x", "s", "-5", "1e3", "99999d", "1.2.3"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_int_equal(READ("events", "--since", times[i]), EXIT_USAGE);
        forget();
    }
    assert_int_equal(READ("events", "--since", "1.5h"), EXIT_DONE);
    assert_int_equal(((const Hgtp__Control__EventsRequest *)cli.request)->since_ms, 5400000);
    forget();
    REFUSED("--timeout", "--timeout", "0", "version");
    REFUSED("ipc:///path, tcp://host:port", "--url", "http://h", "version");
    REFUSED("a port from 1 to 65535", "--url", "tcp://127.0.0.1", "version");
    REFUSED("a port from 1 to 65535", "--url", "tcp://h:65536", "version");
    REFUSED("a port from 1 to 65535", "--url", "tls+tcp://[::1]", "version");
    REFUSED("at most 107 bytes", "--url",
            "ipc:///0123456789012345678901234567890123456789012345678901234567890123456789"
            "0123456789012345678901234567890123456789",
            "version");
    REFUSED("TEXT is empty", "notice", "");
    REFUSED("ROOM is empty", "room", "show", "");
}

static void args_cares_are_for_what_destroys(void **state)
{
    (void)state;
    assert_int_equal(READ("room", "delete", "den", "--dry-run", "--yes"), EXIT_DONE);
    assert_true(cli.cares[CARE_DRY_RUN] && cli.cares[CARE_YES]);
    forget();
    REFUSED("unknown option", "room", "show", "den", "--dry-run");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(args_options_of_all_stand_anywhere),
        cmocka_unit_test(args_words_behind_two_dashes_are_no_options),
        cmocka_unit_test(args_what_is_missing_or_too_much_is_named),
        cmocka_unit_test(args_unknown_words_are_answered_by_what_was_meant),
        cmocka_unit_test(args_values_are_checked),
        cmocka_unit_test(args_cares_are_for_what_destroys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
