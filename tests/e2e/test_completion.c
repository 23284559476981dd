/* SPDX-License-Identifier: MIT */
/*
 * Completion in real shells, in a real terminal: the scripts that hgtpctl prints are loaded, Tab is
 * pressed, and groups, verbs, options, files and the names of a live node come; whatever a name is
 * to the shell, it comes to the node as it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/e2e_talk.h"
#include "tests/support/terminal.h"
#include "tests/support/tool.h"

#define SHOWS_MS 20000

/* A shell, and the home that it leaves its files in. */
struct shell {
    struct terminal *terminal;
    char *home;
};

static void free_shell(void *guest)
{
    struct shell *shell = guest;
    terminal_free(shell->terminal);
    process_folder_remove(shell->home);
    free(shell->home);
    free(shell);
}

static void print_shell(const void *guest, FILE *out)
{
    fprintf(out, "--- the screen\n%s---\n",
            terminal_screen(((const struct shell *)guest)->terminal));
}

static char path[512];

/* A shell with the completion loaded; hgtpctl is in its PATH and finds the node. */
static struct terminal *open_shell(struct e2e *e, const char *const *argv, const char *load)
{
    char url[TOOL_URL_BYTES], line[1024], folder[512];
    tool_url(e->daemon, url);
    snprintf(folder, sizeof folder, "%s", HGTPCTL_PATH);
    *strrchr(folder, '/') = '\0';
    snprintf(path, sizeof path, "%s", folder);
    struct shell *shell = calloc(1, sizeof *shell);
    assert_non_null(shell);
    shell->home = process_folder_make();
    char home[256];
    snprintf(home, sizeof home, "HOME=%s", shell->home);
    const char *with_home[16] = {"env", "-u", "XDG_CONFIG_HOME", home};
    for (size_t i = 0; argv[i] != NULL; i++) {
        with_home[4 + i] = argv[i];
    }
    struct terminal *terminal = shell->terminal = terminal_open(with_home, shell->home, 100, 30);
    const struct e2e_guest guest = {.guest = shell, .print = print_shell, .free = free_shell};
    e2e_adopt(e, &guest);
    assert_true(terminal_shows(terminal, "$", SHOWS_MS));
    snprintf(line, sizeof line, "export PATH=%s:$PATH HGTPCTL_URL=%s; %s; echo loa''ded", path, url,
             load);
    terminal_type(terminal, line);
    terminal_press(terminal, "Enter", 1);
    assert_true(terminal_shows(terminal, "\nloaded", SHOWS_MS));
    terminal_type(terminal, "clear");
    terminal_press(terminal, "Enter", 1);
    return terminal;
}

/* Names that are commands, or anything else, to a shell that takes them for more than text. Each is
 * found by its first two bytes. */
static const char *const hostile[] = {"a0$(touch x)",    "a1`touch x`", "a2'q\"w",
                                      "a3 b;touch x",    "a4!x",        "a5\\b*?[x]",
                                      "a6&|<>{a,b} #x(", "a7:c=d@e~f",  "a8$HOME 민아"};
#define HOSTILE (sizeof hostile / sizeof hostile[0])

/* The name comes to the node as it is, in this state of quoting, and nothing runs on the way. */
static void reaches_the_node(struct terminal *terminal, const char *before, const char *name)
{
    char typed[64], shown[96];
    snprintf(typed, sizeof typed, "hgtpctl room show %s%.2s", before, name);
    snprintf(shown, sizeof shown, "\nroom      %s\n", name);
    terminal_type(terminal, typed);
    terminal_press(terminal, "Tab", 1);
    terminal_press(terminal, "Enter", 1);
    if (!terminal_shows(terminal, shown, SHOWS_MS)) {
        fail_msg("%s does not become %s", typed, name);
    }
    terminal_type(terminal, "clear");
    terminal_press(terminal, "Enter", 1);
}

static void check_hostile(struct e2e *e, struct terminal *terminal, const char *const *states)
{
    for (size_t i = 0; i < HOSTILE; i++) {
        TOOL(e->daemon, 0, "room", "create", hostile[i]);
    }
    terminal_type(terminal, "cd; clear");
    terminal_press(terminal, "Enter", 1);
    for (size_t q = 0; states[q] != NULL; q++) {
        for (size_t i = 0; i < HOSTILE; i++) {
            reaches_the_node(terminal, states[q], hostile[i]);
        }
    }
    /* As a later argument, and behind an option with its value. */
    reaches_the_node(terminal, "--timeout 9 ", hostile[0]);
    terminal_type(terminal, "echo *");
    terminal_press(terminal, "Enter", 1);
    terminal_type(terminal, "[ -e x ] || echo no''thing");
    terminal_press(terminal, "Enter", 1);
    assert_true(terminal_shows(terminal, "\nnothing", SHOWS_MS));
}

/* Types that and presses Tab; what is typed behind it stands at the end of `expected`. Forgets the
 * line. */
static void completes(struct terminal *terminal, const char *typed, const char *expected)
{
    terminal_type(terminal, typed);
    terminal_press(terminal, "Tab", 1);
    terminal_type(terminal, "!");
    if (!terminal_shows(terminal, expected, SHOWS_MS)) {
        fail_msg("%s does not become %s", typed, expected);
    }
    terminal_press(terminal, "C-u", 1);
}

static void check_shell(struct terminal *terminal)
{
    completes(terminal, "hgtpctl roo", "hgtpctl room !");
    completes(terminal, "hgtpctl room hist", "hgtpctl room history !");
    completes(terminal, "hgtpctl room list --rev", "hgtpctl room list --reverse !");
    completes(terminal, "hgtpctl room list --sort mem", "hgtpctl room list --sort members !");
    completes(terminal, "hgtpctl room show teah", "hgtpctl room show teahouse !");
    completes(terminal, "hgtpctl session show ali", "hgtpctl session show alice !");
    completes(terminal, "hgtpctl config set log.lev", "hgtpctl config set log.level !");
}

static void people(struct e2e *e)
{
    E2E_NODE(e);
    struct original *alice = e2e_user(e, "alice");
    e2e_open_room(alice, "teahouse");
}

E2E_SCENARIO(bash_completes)
{
    people(e);
    struct terminal *terminal =
        open_shell(e, (const char *const[]){"PS1=$ ", "bash", "--norc", "--noprofile", NULL},
                   "eval \"$(hgtpctl completion bash)\"");
    check_shell(terminal);
    /* What is typed stays what it means. */
    completes(terminal, "hgtpctl room show te\\ah", "hgtpctl room show teahouse !");
    completes(terminal, "hgtpctl room show 'te'\"ah", "hgtpctl room show 'te'\"ahouse\" !");
    completes(terminal, "hgtpctl room show t'e'ah", "hgtpctl room show teahouse !");
    completes(terminal, "hgtpctl room show \"$(ls)te", "hgtpctl room show \"$(ls)te!");
    completes(terminal, "hgtpctl room show te\\'", "hgtpctl room show te\\'!");
    check_hostile(e, terminal, (const char *const[]){"", "\"", "'", "$'", "\\", NULL});
}

E2E_SCENARIO(zsh_completes)
{
    people(e);
    struct terminal *terminal =
        open_shell(e, (const char *const[]){"PS1=$ ", "zsh", "-f", NULL},
                   "autoload -U compinit; compinit -D; source <(hgtpctl completion zsh)");
    check_shell(terminal);
    check_hostile(e, terminal, (const char *const[]){"", "\"", "'", "\\", NULL});
}

E2E_SCENARIO(fish_completes)
{
    people(e);
    struct terminal *terminal = open_shell(
        e,
        (const char *const[]){
            "env", "fish", "--no-config", "-C",
            "function fish_prompt; echo '$ '; end; set fish_autosuggestion_enabled 0", NULL},
        "hgtpctl completion fish | source");
    check_shell(terminal);
    check_hostile(e, terminal, (const char *const[]){"", "\"", "'", NULL});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        E2E_TEST(bash_completes),
        E2E_TEST(zsh_completes),
        E2E_TEST(fish_completes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
