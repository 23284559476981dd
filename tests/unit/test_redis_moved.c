/* SPDX-License-Identifier: MIT */
/* redis_cluster: what is taken for a node's word about where the keys are, and what is not. */
#include "node/store/redis_cluster.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static bool moved(int type, const char *text, struct redis_cluster_place *ret_place)
{
    char copy[512];
    assert_true(strlen(text) < sizeof copy);
    strcpy(copy, text);
    const redisReply reply = {.type = type, .str = copy, .len = strlen(text)};
    return redis_cluster_moved(&reply, ret_place);
}

static void redis_cluster_moved_tells_host_and_port(void **state)
{
    (void)state;
    struct redis_cluster_place place;
    assert_true(moved(REDIS_REPLY_ERROR, "MOVED 6373 10.0.0.7:6379", &place));
    assert_string_equal(place.host, "10.0.0.7");
    assert_int_equal(place.port, 6379);
    assert_true(moved(REDIS_REPLY_ERROR, "MOVED 0 redis-1.example.org:65535", &place));
    assert_string_equal(place.host, "redis-1.example.org");
    assert_int_equal(place.port, 65535);
    assert_true(moved(REDIS_REPLY_ERROR, "MOVED 1 2001:db8::7:6380", &place));
    assert_string_equal(place.host, "2001:db8::7");
    assert_int_equal(place.port, 6380);
}

static void redis_cluster_moved_without_host_means_the_one_that_was_asked(void **state)
{
    (void)state;
    char asked[] = "10.0.0.1";
    struct redis_cluster_place place;
    struct redis_url server = {.host = asked, .port = 1};
    assert_true(moved(REDIS_REPLY_ERROR, "MOVED 6373 :7000", &place));
    char host[REDIS_CLUSTER_HOST_BYTES] = "";
    redis_cluster_go(&server, &place, host);
    assert_string_equal(server.host, "10.0.0.1");
    assert_int_equal(server.port, 7000);
    assert_true(moved(REDIS_REPLY_ERROR, "MOVED 6373 10.0.0.2:7001", &place));
    redis_cluster_go(&server, &place, host);
    assert_true(moved(REDIS_REPLY_ERROR, "MOVED 6373 :7002", &place));
    redis_cluster_go(&server, &place, host);
    assert_string_equal(server.host, "10.0.0.2");
    assert_int_equal(server.port, 7002);
}

static void redis_cluster_go_leaves_a_unix_socket_for_the_place(void **state)
{
    (void)state;
    char path[] = "/run/redis.sock";
    struct redis_url server = {.path = path};
    const struct redis_cluster_place place = {"10.0.0.7", 6379};
    char host[REDIS_CLUSTER_HOST_BYTES];
    redis_cluster_go(&server, &place, host);
    assert_null(server.path);
    assert_string_equal(server.host, "10.0.0.7");
}

static void redis_cluster_moved_takes_nothing_else(void **state)
{
    (void)state;
    static const char *const others[] = {"",
                                         "MOVED",
                                         "MOVED 6373",
                                         "MOVED 6373 10.0.0.7",
                                         "MOVED 1 :",
                                         "MOVED 1 h:0",
                                         "MOVED 1 h:-1",
                                         "MOVED 1 h:65536",
                                         "MOVED 1 ?:6379",
                                         "MOVED x h:1",
                                         "MOVED 1 h:12ab",
                                         "ASK 6373 10.0.0.7:6379"};
    struct redis_cluster_place place = {"untouched", 1};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (moved(REDIS_REPLY_ERROR, others[i], &place)) {
            fail_msg("taken: %s", others[i]);
        }
    }
    assert_false(moved(REDIS_REPLY_STRING, "MOVED 6373 10.0.0.7:6379", &place));
    assert_string_equal(place.host, "untouched");
    assert_int_equal(place.port, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(redis_cluster_moved_tells_host_and_port),
        cmocka_unit_test(redis_cluster_moved_without_host_means_the_one_that_was_asked),
        cmocka_unit_test(redis_cluster_go_leaves_a_unix_socket_for_the_place),
        cmocka_unit_test(redis_cluster_moved_takes_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
