/* SPDX-License-Identifier: MIT */
/* where: which sockets are tried when no address is given; what a missing context comes to. */
#include "admin/where.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/hgtp-where-XXXXXX";
static const char *const sockets[] = {"control-8081.sock", "control-8082.sock", "control.sock"};

static void path_of(const char *name, char ret_path[128])
{
    snprintf(ret_path, 128, "%s/hgtp/%s", folder, name);
}

static int set_up(void **state)
{
    char path[128];
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    path_of("", path);
    int rc = mkdir(path, 0700);
    unsetenv("HGTPCTL_URL");
    unsetenv("HGTPCTL_TOKEN_FILE");
    return rc == 0 && setenv("XDG_RUNTIME_DIR", folder, 1) == 0 &&
                   setenv("XDG_CONFIG_HOME", folder, 1) == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        path_of(sockets[i], path);
        (void)remove(path);
    }
    path_of("", path);
    (void)remove(path);
    return remove(folder);
}

/* Place of that socket of ours among the addresses; CLI_URLS_MAX: it is not among them. */
static size_t place_of(const struct cli *cli, const char *name)
{
    char path[128];
    size_t i = 0;
    path_of(name, path);
    while (i < CLI_URLS_MAX && cli->where[i] != NULL &&
           strcmp(cli->where[i] + strlen("ipc://"), path) != 0) {
        i++;
    }
    return cli->where[i] == NULL ? CLI_URLS_MAX : i;
}

static void where_sockets_of_all_nodes_here_are_tried_the_first_nodes_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof sockets / sizeof sockets[0]; i++) {
        char path[128];
        path_of(sockets[i], path);
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        (void)fclose(file);
    }
    struct cli cli = {.out = stdout, .err = stderr};
    assert_int_equal(where_find(&cli), EXIT_DONE);
    size_t first = place_of(&cli, "control.sock");
    assert_true(first < CLI_URLS_MAX);
    assert_int_equal(place_of(&cli, "control-8081.sock"), first + 1);
    assert_int_equal(place_of(&cli, "control-8082.sock"), first + 2);
    where_fini(&cli);
}

static void where_changes_are_made_at_the_first_socket_only(void **state)
{
    (void)state;
    const char *const changes[] = {"delete", "create"};
    for (size_t i = 0; i < 2; i++) {
        struct cli cli = {.out = stdout, .err = stderr, .verb = verb_find("room", changes[i])};
        assert_non_null(cli.verb);
        assert_int_equal(where_find(&cli), EXIT_DONE);
        assert_non_null(cli.where[0]);
        assert_null(cli.where[1]);
        where_fini(&cli);
    }
    struct cli cli = {.out = stdout, .err = stderr, .verb = verb_find("room", "list")};
    assert_int_equal(where_find(&cli), EXIT_DONE);
    assert_non_null(cli.where[1]);
    where_fini(&cli);
}

static void where_given_address_is_the_only_one(void **state)
{
    (void)state;
    struct cli cli = {.out = stdout, .err = stderr, .url = "tcp://h:1"};
    assert_int_equal(where_find(&cli), EXIT_DONE);
    assert_string_equal(cli.where[0], "tcp://h:1");
    assert_null(cli.where[1]);
    where_fini(&cli);
}

static void where_context_that_is_not_there_is_not_found(void **state)
{
    (void)state;
    char said[256] = "";
    FILE *err = fmemopen(said, sizeof said, "w");
    assert_non_null(err);
    struct cli cli = {.out = stdout, .err = err, .context = "nowhere"};
    assert_int_equal(where_find(&cli), EXIT_NOT_FOUND);
    (void)fclose(err);
    assert_non_null(strstr(said, "hgtpctl context list"));
    where_fini(&cli);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_sockets_of_all_nodes_here_are_tried_the_first_nodes_first),
        cmocka_unit_test(where_changes_are_made_at_the_first_socket_only),
        cmocka_unit_test(where_given_address_is_the_only_one),
        cmocka_unit_test(where_context_that_is_not_there_is_not_found),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
