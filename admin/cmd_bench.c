/* SPDX-License-Identifier: MIT */
/*
 * cmd_bench: `hgtpctl bench`: what the command line asks for, within bounds, and what the figures
 * mean for the exit code.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/bench/bench_run.h"
#include "admin/bench/bench_user.h"
#include "admin/cli.h"
#include "admin/cmd.h"
#include "admin/units.h"

#define BENCH_HTTP     "127.0.0.1:8080"
#define BENCH_SIZE_MIN 64 /* room for what tells messages apart */

/* False: it was said why not. */
static bool bench_number(const struct cli *cli, const char *name, uint64_t min, uint64_t max,
                         uint64_t usual, uint64_t *ret_number)
{
    const char *text = cli_option(cli, name);
    *ret_number = usual;
    if (text != NULL) {
        (void)units_number(text, ret_number);
    }
    if (*ret_number < min || *ret_number > max) {
        cli_say(cli, "--%s is from %" PRIu64 " to %" PRIu64 ", not %s", name, min, max, text);
        return false;
    }
    return true;
}

static bool bench_options(const struct cli *cli, struct bench_options *options)
{
    uint64_t users, rooms, size, window, rate;
    const char *seconds = cli_option(cli, "seconds"), *wait = cli_option(cli, "wait"),
               *prefix = cli_option(cli, "prefix");
    if (!bench_number(cli, "users", 1, 20000, 20, &users) ||
        !bench_number(cli, "rooms", 1, users, users < 4 ? 1 : users / 4, &rooms) ||
        !bench_number(cli, "size", BENCH_SIZE_MIN, 1u << 20, 128, &size) ||
        !bench_number(cli, "window", 1, BENCH_WINDOW, 8, &window) ||
        !bench_number(cli, "rate", 0, 10000000, 100, &rate)) {
        return false;
    }
    options->talk_ms = 10000;
    if (seconds != NULL) {
        (void)units_duration(seconds, &options->talk_ms);
    }
    options->wait_ms = 30000;
    if (wait != NULL) {
        (void)units_duration(wait, &options->wait_ms);
    }
    options->user_count = (size_t)users;
    options->room_count = (size_t)rooms;
    options->message_bytes = (size_t)size;
    options->window = (size_t)window;
    options->rate = (double)rate;
    options->prefix = prefix != NULL ? prefix : "bench";
    options->may_disturb = cli_option(cli, "yes") != NULL;
    options->is_terminal = isatty(STDERR_FILENO);
    if (strspn(options->prefix,
               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") !=
            strlen(options->prefix) ||
        strlen(options->prefix) > 24) {
        cli_say(cli, "--prefix is of at most 24 letters, digits, '-', '_', not '%s'",
                options->prefix);
        return false;
    }
    return true;
}

static bool bench_target(const struct cli *cli, struct talk_target *ret_target)
{
    struct talk_target_words words = {.verb = "bench",
                                      .http = cli->word_count > 0 ? cli->words[0] : BENCH_HTTP,
                                      .hgtp = cli_option(cli, "hgtp"),
                                      .key = cli_option(cli, "key"),
                                      .key_file = cli_option(cli, "key-file")};
    if (words.key == NULL && words.key_file == NULL) {
        words.key = getenv("HGTP_AUTH_KEY");
    }
    return talk_target_find(&words, ret_target);
}

static int bench_judge(const struct cli *cli, const Hgtp__Tool__BenchReply *figures)
{
    bool is_clean = figures->lost == 0 && figures->twice == 0 && figures->out_of_order == 0 &&
                    figures->wrong == 0 && figures->unacknowledged == 0 && figures->refused == 0 &&
                    figures->sessions_lost == 0 && figures->messages > 0;
    if (figures->tool_cpu_percent > 90) {
        cli_say(cli, "this tool itself had no more to give: a second one beside it, or from "
                     "another machine, may find more");
    }
    if (!is_clean) {
        cli_say(cli, "not everything that was said has come, once and in order");
    }
    return is_clean ? EXIT_DONE : EXIT_FAILED;
}

int cmd_bench(struct cli *cli)
{
    struct talk_target target;
    struct bench_options options = {.target = &target};
    Hgtp__Tool__BenchReply figures = HGTP__TOOL__BENCH_REPLY__INIT;
    if (!bench_options(cli, &options) || !bench_target(cli, &target)) {
        return EXIT_USAGE;
    }
    figures.users = options.user_count;
    figures.rooms = options.room_count;
    figures.size = options.message_bytes;
    figures.rate = options.rate;
    switch (bench_run(&options, &figures)) {
    case BENCH_REFUSED:
        return EXIT_FAILED;
    case BENCH_UNREACHABLE:
        return EXIT_UNREACHABLE;
    case BENCH_OTHERS:
        cli_say(cli, "%" PRIu64 " sessions of others are there, and would feel it: --yes goes on",
                figures.foreign_sessions);
        return EXIT_USAGE;
    case BENCH_DONE:
        break;
    }
    cli_print(cli, &figures.base);
    return bench_judge(cli, &figures);
}
