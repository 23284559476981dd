/* SPDX-License-Identifier: MIT */
/*
 * err_doc: build tool that prints the catalogue of errors (err.def) as the Markdown table in
 * docs/protocol.md. It is no part of the node.
 */
#include <stdbool.h>
#include <stdio.h>

#include "proto/err.h"

static void err_doc_row(int code, const char *name, const char *hgtp, int http, bool retry,
                        const char *text)
{
    if (code == ERR_NONE || code >= ERR_FIRST_OUTCOME) {
        return; /* never on the wire as a reason */
    }
    printf("| %d | %s | %s | %d | %s | %s |\n", code, name, hgtp, http, retry ? "yes" : "no", text);
}

int main(void)
{
    puts("| code | name | HGTP response | HTTP status | worth repeating | text |");
    puts("|---|---|---|---|---|---|");
#define ERR(name, code, hgtp, http, control, retry, text)                                          \
    err_doc_row(code, #name, #hgtp, http, retry, text);
#include "proto/err.def"
    return 0;
}
