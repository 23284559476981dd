/* SPDX-License-Identifier: MIT */
/* cli: what all parts of a run of the tool share. */
#include "admin/cli.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "admin/visible_print.h"

const char *cli_option(const struct cli *cli, const char *name)
{
    for (size_t i = 0; i < VERB_OPTIONS_MAX && cli->verb->options[i].name != NULL; i++) {
        if (strcmp(cli->verb->options[i].name, name) == 0) {
            return cli->options[i];
        }
    }
    return NULL;
}

bool cli_next_url(const char **at, const char **ret_url, size_t *ret_len)
{
    *ret_url = *at + strspn(*at, " ,");
    *ret_len = strcspn(*ret_url, " ,");
    *at = *ret_url + *ret_len;
    return *ret_len > 0;
}

void cli_say(const struct cli *cli, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    fputs("hgtpctl: ", cli->err);
    visible_vprintf(cli->err, format, list);
    va_end(list);
    fputc('\n', cli->err);
}

/* Beside the table, so that what reads the table need not know of it. */
static void cli_say_rest(const struct cli *cli, const ProtobufCMessage *reply)
{
    const ProtobufCFieldDescriptor *total = output_field(reply, "total");
    const ProtobufCFieldDescriptor *rows = output_list(reply);
    if (total == NULL || rows == NULL) {
        return;
    }
    size_t shown = output_count(reply, rows);
    uint64_t all = *(const uint64_t *)output_at(reply, total);
    if (all > shown) {
        cli_say(cli, "%zu of %" PRIu64 " are shown; see --limit and --match", shown, all);
    }
}

void cli_print(const struct cli *cli, const ProtobufCMessage *reply)
{
    if (cli->is_json) {
        output_json(reply, cli->out);
        return;
    }
    const struct output_style style = output_style_of(cli->out);
    output_people(reply, &cli->verb->view, &style, cli->out);
    cli_say_rest(cli, reply);
}
