/* SPDX-License-Identifier: MIT */
/*
 * original_main: the original client for people, as a line-based program: what is typed is said or,
 * after a slash, done; what comes in is printed. Works on a terminal and with stdin from a pipe.
 * The protocol is original.c's.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "original.h"
#include "pump.h"

#define MAIN_LINE_MAX     16384
#define MAIN_PEER_WAIT_MS 15000 /* longer than a server waits for the peer */

static const char main_help[] =
    "usage: original --server IP:PORT --name NAME [--key KEY | --key-file FILE]\n"
    "                [--udp-port N] [--http-port N] [--help]\n"
    "\n"
    "A client that speaks to an HGTP server as the original Java client does.\n"
    "\n"
    "  --server IP:PORT   the server's HGTP address (UDP), e.g. 127.0.0.1:9000\n"
    "  --name NAME        the name to register with\n"
    "  --key KEY          the shared key (default: the original's, 950817)\n"
    "  --key-file FILE    the shared key is the first line of FILE\n"
    "  --udp-port N       port on which requests of the server are heard (default: any)\n"
    "  --http-port N      port on which lists, notices and messages are heard (default: any)\n"
    "\n"
    "At /quit or the end of the input it leaves its room (a manager closes it) and unregisters.\n"
    "Exit code: 0, or 1 when it was not registered or something got no answer, or 2 for wrong\n"
    "usage.\n";

static const char main_commands[] =
    "/create NAME   open a room          /delete        close your room\n"
    "/join NAME     enter a room         /exit          leave it\n"
    "/invite USER   ask USER in          /remove USER   put USER out\n"
    "/rooms /users /members              lists, as last seen\n"
    "/refresh       ask for the lists    /quit /help\n"
    "Everything else is said in the room.\n";

struct main_session {
    struct original *original;
    struct pump_watch input;
    struct queue typed;
    bool input_ended;
    bool is_over;
    bool has_failed;
};

/* What comes in -------------------------------------------------------------------------------- */

static void main_print_list(const char *what, const struct original_event *event)
{
    printf("* %s:", what);
    for (size_t i = 0; i < event->name_count; i++) {
        printf("%s %s", i == 0 ? "" : ",", event->names[i]);
    }
    printf("%s\n", event->name_count == 0 ? " none" : "");
}

static const char *main_list_name(enum push_type type)
{
    return type == PUSH_ROOM_LIST ? "rooms" : type == PUSH_USER_LIST ? "users" : "in this room";
}

static void main_print_push(const struct original_event *event)
{
    if (event->status != 200) {
        printf("! a push that cannot be read\n");
    } else if (event->push == PUSH_MESSAGE) {
        printf("<%s> %s\n", event->who, event->text);
    } else if (event->push == PUSH_NOTICE) {
        printf("* %s\n", event->text);
    } else {
        main_print_list(main_list_name(event->push), event);
    }
}

static void main_print_refusal(const struct hgtp_message *msg)
{
    const char *request = hgtp_type_name(msg->header.request_type);
    struct hgtp_reason reason;
    printf("! %s: %s", request != NULL ? request : "?", hgtp_type_name(msg->header.type));
    if (hgtp_reason_decode(msg->body, &reason)) {
        printf(": %.*s", (int)reason.text.len, (const char *)reason.text.ptr);
    }
    printf("\n");
}

static void main_print_datagram(const struct original_event *event)
{
    if (event->decoded != HGTP_DECODED) {
        return;
    }
    const struct hgtp_message *msg = &event->msg;
    switch (msg->header.type) {
    case HGTP_OK:
    case HGTP_UNAUTHORIZED:
        break;
    case HGTP_INVITE_USER_FROM_ROOM:
        printf("* you were invited and have entered, if you were in no room\n");
        break;
    case HGTP_REMOVE_USER_FROM_ROOM:
        printf("* you have been put out of the room\n");
        break;
    default:
        main_print_refusal(msg);
        break;
    }
}

/* {"code":"NAME","reason":"text"}: the text, which has nothing to unescape. */
static void main_print_http_refusal(const struct original_event *event)
{
    static const char key[] = "\"reason\":\"";
    const char *reason = strstr((const char *)event->raw.ptr, key);
    if (reason != NULL) {
        reason += strlen(key);
        printf("! not said: %.*s\n", (int)strcspn(reason, "\""), reason);
    } else {
        printf("! not said: HTTP %d\n", event->status);
    }
}

static void main_on_event(const struct original_event *event, void *arg)
{
    (void)arg;
    if (event->kind == ORIGINAL_PUSH) {
        main_print_push(event);
    } else if (event->kind == ORIGINAL_DATAGRAM) {
        main_print_datagram(event);
    } else if (event->status != 200) {
        main_print_http_refusal(event);
    }
    fflush(stdout);
}

/* What is typed -------------------------------------------------------------------------------- */

/* True when an answer has come; a missing one is told. */
static void main_answered(struct main_session *session, const struct original_event *response)
{
    if (response == NULL) {
        printf("! no answer\n");
        session->has_failed = true;
    }
}

static void main_create(struct main_session *session, const char *name, int type)
{
    (void)type;
    main_answered(session, original_create(session->original, name));
}

static void main_join(struct main_session *session, const char *name, int type)
{
    (void)type;
    main_answered(session, original_join(session->original, name));
}

static void main_exit(struct main_session *session, const char *name, int type)
{
    (void)name;
    (void)type;
    main_answered(session, original_exit(session->original, session->original->room_name));
}

static void main_delete(struct main_session *session, const char *name, int type)
{
    (void)name;
    (void)type;
    main_answered(session, original_delete(session->original));
}

/* Answered when the peer has spoken: a script waits for that, a person types on meanwhile. */
static void main_ask_peer(struct main_session *session, const char *name, int type)
{
    struct original *original = session->original;
    const uint8_t byte = (uint8_t)type;
    original_send_peer(original, (enum hgtp_type)type, original->room_name, name);
    if (!isatty(STDIN_FILENO)) {
        main_answered(session,
                      original_wait(original, original_is_response, &byte, MAIN_PEER_WAIT_MS));
    }
}

static void main_refresh(struct main_session *session, const char *name, int type)
{
    (void)name;
    (void)type;
    main_answered(session, original_refresh(session->original));
}

static void main_last_list(struct main_session *session, const char *name, int type)
{
    (void)name;
    const struct original_log *log = &session->original->log;
    const enum push_type list = (enum push_type)type;
    for (size_t i = log->count; i-- > 0;) {
        if (original_is_push(log->events[i], &list)) {
            main_print_list(main_list_name(list), log->events[i]);
            return;
        }
    }
    printf("* %s: not known yet\n", main_list_name(list));
}

static void main_quit(struct main_session *session, const char *name, int type)
{
    (void)name;
    (void)type;
    session->is_over = true;
}

static void main_show_help(struct main_session *session, const char *name, int type)
{
    (void)session;
    (void)name;
    (void)type;
    fputs(main_commands, stdout);
}

static const struct main_command {
    const char *name;
    bool takes_name;
    void (*run)(struct main_session *session, const char *name, int type);
    int type; /* of a request or a list, for commands that differ in nothing else */
} main_table[] = {
    {"/create", true, main_create, 0},
    {"/join", true, main_join, 0},
    {"/exit", false, main_exit, 0},
    {"/delete", false, main_delete, 0},
    {"/invite", true, main_ask_peer, HGTP_INVITE_USER_FROM_ROOM},
    {"/remove", true, main_ask_peer, HGTP_REMOVE_USER_FROM_ROOM},
    {"/refresh", false, main_refresh, 0},
    {"/rooms", false, main_last_list, PUSH_ROOM_LIST},
    {"/users", false, main_last_list, PUSH_USER_LIST},
    {"/members", false, main_last_list, PUSH_ROOM_USER_LIST},
    {"/quit", false, main_quit, 0},
    {"/help", false, main_show_help, 0},
};

static void main_run_command(struct main_session *session, const char *line)
{
    size_t word = strcspn(line, " ");
    const char *name = line + word + strspn(line + word, " ");
    for (size_t i = 0; i < sizeof main_table / sizeof main_table[0]; i++) {
        const struct main_command *command = &main_table[i];
        if (strlen(command->name) != word || strncmp(line, command->name, word) != 0) {
            continue;
        }
        if (command->takes_name && (*name == '\0' || strlen(name) >= ORIGINAL_NAME_MAX / 2)) {
            printf("! %s needs a name of at most %d bytes\n", command->name,
                   ORIGINAL_NAME_MAX / 2 - 1);
        } else {
            command->run(session, name, command->type);
        }
        return;
    }
    printf("! no such command; /help lists them\n");
}

/* Said means: the server has taken it, and it has come back like everybody's messages. */
static void main_say(struct main_session *session, const char *line)
{
    if (!original_say(session->original, line)) {
        printf("! not said: the server's HTTP port does not answer\n");
        session->has_failed = true;
        return;
    }
    const struct original_event *answer = original_wait_answer(session->original);
    main_answered(session, answer);
    if (answer != NULL && answer->status == 200) {
        (void)original_wait_message(session->original, line);
    }
}

static void main_run_line(struct main_session *session, const char *line)
{
    if (line[0] == '/') {
        main_run_command(session, line);
    } else if (line[0] != '\0') {
        main_say(session, line);
    }
    fflush(stdout);
}

/* Takes one typed line; false when there is none yet. */
static bool main_take_line(struct main_session *session, char *line)
{
    struct queue *typed = &session->typed;
    const uint8_t *end = typed->len > 0 ? memchr(typed->ptr, '\n', typed->len) : NULL;
    bool is_last = end == NULL && (session->input_ended || typed->len >= MAIN_LINE_MAX - 1);
    if (end == NULL && (!is_last || typed->len == 0)) {
        return false;
    }
    size_t len = end != NULL ? (size_t)(end - typed->ptr) : typed->len;
    size_t kept = len < MAIN_LINE_MAX ? len : MAIN_LINE_MAX - 1;
    memcpy(line, typed->ptr, kept);
    line[kept > 0 && line[kept - 1] == '\r' ? kept - 1 : kept] = '\0';
    queue_take(typed, end != NULL ? len + 1 : len);
    return true;
}

static void main_on_input(short revents, void *arg)
{
    (void)revents;
    struct main_session *session = arg;
    uint8_t storage[4096];
    ssize_t len = read(STDIN_FILENO, storage, sizeof storage);
    if (len > 0) {
        queue_put(&session->typed, bytes_of(storage, (size_t)len));
    } else if (len == 0 || errno != EINTR) {
        session->input_ended = true;
        pump_remove(&session->input);
    }
}

static bool main_has_line(void *arg)
{
    const struct main_session *session = arg;
    return session->input_ended ||
           (session->typed.len > 0 &&
            memchr(session->typed.ptr, '\n', session->typed.len) != NULL) ||
           session->typed.len >= MAIN_LINE_MAX - 1;
}

/* Until /quit or the end of the input. False when something got no answer. */
static bool main_talk(struct original *original)
{
    struct main_session session = {.original = original};
    char line[MAIN_LINE_MAX];
    session.input = (struct pump_watch){
        .fd = STDIN_FILENO, .events = POLLIN, .on_ready = main_on_input, .arg = &session};
    pump_add(&session.input);
    while (!session.is_over) {
        if (main_take_line(&session, line)) {
            main_run_line(&session, line);
        } else if (session.input_ended) {
            break;
        } else {
            (void)pump_until(main_has_line, &session, 60000);
        }
    }
    pump_remove(&session.input);
    queue_fini(&session.typed);
    return !session.has_failed;
}

/* Start ---------------------------------------------------------------------------------------- */

static int main_usage(const char *what)
{
    fprintf(stderr, "original: %s\nTry 'original --help'.\n", what);
    return 2;
}

static bool main_port(const char *text, uint16_t *ret_port)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *text == '-' || value < 1 || value > 65535) {
        return false;
    }
    *ret_port = (uint16_t)value;
    return true;
}

static bool main_server(const char *text, struct original_options *options)
{
    char ip[INET_ADDRSTRLEN];
    size_t len = strcspn(text, ":");
    struct in_addr address;
    if (text[len] != ':' || len >= sizeof ip) {
        return false;
    }
    memcpy(ip, text, len);
    ip[len] = '\0';
    if (inet_pton(AF_INET, ip, &address) != 1) {
        return false;
    }
    options->server_ip = ntohl(address.s_addr);
    return main_port(text + len + 1, &options->server_port);
}

static bool main_key_file(const char *path, char *key, size_t cap)
{
    FILE *file = fopen(path, "re");
    bool is_read = file != NULL && fgets(key, (int)cap, file) != NULL;
    if (!is_read) {
        fprintf(stderr, "original: no key in %s: %s\n", path,
                file == NULL ? strerror(errno) : "it is empty");
    } else {
        key[strcspn(key, "\r\n")] = '\0';
    }
    if (file != NULL) {
        fclose(file);
    }
    return is_read;
}

/* The original's process just ends, and its session has to run out; this one says goodbye. */
static void main_leave(struct original *original)
{
    original->options.on_event = NULL;
    if (original->registered && original->in_room) {
        (void)(original->is_manager ? original_delete(original)
                                    : original_exit(original, original->room_name));
    }
    if (original->registered) {
        (void)original_unregister(original);
    }
}

static int main_run(const struct original_options *options)
{
    struct original *original = original_open(options);
    if (original == NULL) {
        fprintf(stderr, "original: cannot open the ports: %s\n", strerror(errno));
        return 1;
    }
    bool is_good = original_register(original);
    if (is_good) {
        printf("* registered as %s; /help lists the commands\n", options->name);
        fflush(stdout);
        is_good = main_talk(original);
    } else {
        fprintf(stderr, "original: not registered: the server %s\n",
                original->log.count == 0 ? "does not answer" : "refuses");
    }
    main_leave(original);
    original_close(original);
    return is_good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {
        {"server", required_argument, NULL, 's'},   {"name", required_argument, NULL, 'n'},
        {"key", required_argument, NULL, 'k'},      {"key-file", required_argument, NULL, 'f'},
        {"udp-port", required_argument, NULL, 'u'}, {"http-port", required_argument, NULL, 'p'},
        {"help", no_argument, NULL, 'h'},           {NULL, 0, NULL, 0}};
    struct original_options options = {.on_event = main_on_event};
    char key[1024];
    const char *key_file = NULL;
    int option;
    pump_be_prompt();
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case 's':
            if (!main_server(optarg, &options)) {
                return main_usage("--server wants an IPv4 address and a port, as 127.0.0.1:9000");
            }
            break;
        case 'n':
            options.name = optarg;
            break;
        case 'k':
            options.key = optarg;
            break;
        case 'f':
            key_file = optarg;
            break;
        case 'u':
        case 'p':
            if (!main_port(optarg, option == 'u' ? &options.udp_port : &options.http_port)) {
                return main_usage("--udp-port and --http-port want a number from 1 to 65535");
            }
            break;
        case 'h':
            fputs(main_help, stdout);
            return 0;
        default:
            fputs("Try 'original --help'.\n", stderr);
            return 2;
        }
    }
    if (optind < argc || options.server_port == 0 || options.name == NULL) {
        return main_usage("--server and --name are needed, and nothing else");
    }
    if (strlen(options.name) >= ORIGINAL_NAME_MAX / 2) {
        return main_usage("that name is too long");
    }
    if (key_file != NULL && options.key != NULL) {
        return main_usage("--key and --key-file exclude each other");
    }
    if (key_file != NULL) {
        if (!main_key_file(key_file, key, sizeof key)) {
            return 1;
        }
        options.key = key;
    }
    return main_run(&options);
}
