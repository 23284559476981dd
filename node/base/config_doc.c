/* SPDX-License-Identifier: MIT */
/*
 * config_doc: build tool that prints what is made from config.def and kept in the repository:
 * deploy/hgtpd.conf.example and docs/configuration.md. It is no part of the node.
 */
#include <stdio.h>
#include <string.h>

#include "node/base/config.h"

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "example") == 0) {
        config_print_example(stdout);
    } else if (argc == 2 && strcmp(argv[1], "markdown") == 0) {
        config_print_markdown(stdout);
    } else {
        fprintf(stderr, "usage: config_doc example|markdown\n");
        return 2;
    }
    return 0;
}
