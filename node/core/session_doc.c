/* SPDX-License-Identifier: MIT */
/*
 * session_doc: build tool for what the scripts need of the C tables: the codes of errors (err.def),
 * the session's state machine (session.def) as a Lua table; and the machine as the picture in
 * docs/protocol.md.
 */
#include <stdio.h>
#include <string.h>

static void session_doc_errors(void)
{
#define ERR(name, code, hgtp, http, control, retry, text) printf("%s %d\n", #name, code);
#include "proto/err.def"
}

static void session_doc_machine(void)
{
    printf("local MACHINE = {\n");
#define SESSION_STATE(name, meaning)
#define SESSION_STEP(event, from, to) printf("    ['%s %s'] = '%s',\n", #from, #event, #to);
#include "session.def"
    printf("}\n");
}

static void session_doc_picture(void)
{
    printf("```mermaid\nstateDiagram-v2\n    [*] --> IDLE\n");
#define SESSION_STATE(name, meaning)  printf("    %s: %s<br/>%s\n", #name, #name, meaning);
#define SESSION_STEP(event, from, to) printf("    %s --> %s: %s\n", #from, #to, #event);
#include "session.def"
    printf("```\n");
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "errors") == 0) {
        session_doc_errors();
    } else if (argc == 2 && strcmp(argv[1], "machine") == 0) {
        session_doc_machine();
    } else if (argc == 2 && strcmp(argv[1], "picture") == 0) {
        session_doc_picture();
    } else {
        fprintf(stderr, "usage: session_doc errors|machine|picture\n");
        return 2;
    }
    return 0;
}
