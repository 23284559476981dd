/* SPDX-License-Identifier: MIT */
/*
 * talk_main: hgtptalk, the talk client as a program of its own: reads the command line and nothing
 * else.
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "admin/cmd_talk.h"

static const char talk_main_usage[] =
    "usage: hgtptalk --name NAME (--key KEY | --key-file FILE) [option]... HOST[:PORT]\n"
    "\n"
    "Talk in the terminal. HOST:PORT is where a node, or a balancer, speaks HTTP (port 8080).\n"
    "\n"
    "  --hgtp HOST[:PORT]   where it speaks HGTP over UDP (the same host, port 9000)\n"
    "  --room ROOM          enter this room first\n"
    "  --no-color           no colours\n"
    "  --plain              lines in and out, on a terminal too\n";

int main(int argc, char **argv)
{
    static const struct option words[] = {{"name", required_argument, NULL, 'n'},
                                          {"key", required_argument, NULL, 'k'},
                                          {"key-file", required_argument, NULL, 'f'},
                                          {"hgtp", required_argument, NULL, 'u'},
                                          {"room", required_argument, NULL, 'r'},
                                          {"no-color", no_argument, NULL, 'c'},
                                          {"plain", no_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    struct talk_options options = {.colour = true};
    int word;
    while ((word = getopt_long(argc, argv, "h", words, NULL)) != -1) {
        const char **const values[] = {['n'] = &options.name,
                                       ['k'] = &options.key,
                                       ['f'] = &options.key_file,
                                       ['u'] = &options.hgtp,
                                       ['r'] = &options.room};
        if (word == 'h') {
            fputs(talk_main_usage, stdout);
            return TALK_DONE;
        } else if (word == 'c') {
            options.colour = false;
        } else if (word == 'p') {
            options.plain = true;
        } else if (word == '?') {
            fputs(talk_main_usage, stderr);
            return TALK_USAGE;
        } else {
            *values[word] = optarg;
        }
    }
    if (optind != argc - 1) {
        fputs(talk_main_usage, stderr);
        return TALK_USAGE;
    }
    options.http = argv[optind];
    return talk_run(&options);
}
