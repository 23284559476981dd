/* SPDX-License-Identifier: MIT */
/*
 * stack: runs docker and Compose as an operator would, and cleans up by the project's name. What
 * the containers do is the test's business.
 */
#include "stack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include "tests/support/sockets.h"

#define STACK_DEPLOY TEST_SOURCE_DIR "/deploy"
#define STACK_LABEL  "label=com.docker.compose.project="

/* Engine --------------------------------------------------------------------------------------- */

/* True when it ends well, with its output kept nowhere. */
static bool stack_succeeds(const char *const *words)
{
    struct process *process = process_start(words, "/tmp");
    bool is_good = process_wait_exit(process, STACK_RUN_MS) == 0;
    process_free(process);
    return is_good;
}

#define STACK_SUCCEEDS(...) stack_succeeds((const char *const[]){__VA_ARGS__, NULL})

static bool stack_has_image(const char *image)
{
    return STACK_SUCCEEDS("docker", "image", "inspect", image) ||
           STACK_SUCCEEDS("docker", "pull", "-q", image);
}

const char *stack_missing(void)
{
    const char *host = getenv("DOCKER_HOST");
    if (host != NULL && strncmp(host, "unix://", 7) != 0) {
        return "the engine is on another machine, where these files are not";
    }
    if (!STACK_SUCCEEDS("docker", "version")) {
        return "docker reaches no engine";
    }
    if (!STACK_SUCCEEDS("docker", "compose", "version") &&
        !STACK_SUCCEEDS("docker-compose", "version")) {
        return "there is no Compose";
    }
    if (!stack_has_image("debian:bookworm-slim") || !stack_has_image("redis:7.0-bookworm") ||
        !stack_has_image("nginx:1.22")) {
        return "the base images cannot be had";
    }
    return NULL;
}

/* Commands ------------------------------------------------------------------------------------- */

struct stack_words {
    const char *words[STACK_WORDS_MAX];
    size_t count;
};

static void stack_add(struct stack_words *all, const char *const *words)
{
    for (; *words != NULL; words++) {
        assert_true(all->count < STACK_WORDS_MAX - 1);
        all->words[all->count++] = *words;
    }
}

#define STACK_ADD(all, ...) stack_add((all), (const char *const[]){__VA_ARGS__, NULL})

static struct process *stack_start_after(struct stack *stack, const char *const *before,
                                         const char *const *words)
{
    char own[9][STACK_SETTING_MAX];
    struct stack_words all = {0};
    STACK_ADD(&all, "env");
    snprintf(own[0], sizeof own[0], "COMPOSE_PROJECT_NAME=%s", stack->project);
    snprintf(own[1], sizeof own[1], "COMPOSE_FILE=%s/docker-compose.yml", STACK_DEPLOY);
    snprintf(own[2], sizeof own[2], "SECRETS=%s", stack->secrets);
    snprintf(own[3], sizeof own[3], "HGTP_IMAGE=%s", stack->image);
    snprintf(own[4], sizeof own[4], "REDIS_IMAGE=%s", stack->redis_image);
    snprintf(own[5], sizeof own[5], "BIND=127.0.0.1");
    snprintf(own[6], sizeof own[6], "HGTP_PORT=%u", stack->hgtp_port);
    snprintf(own[7], sizeof own[7], "HTTP_PORT=%u", stack->http_port);
    snprintf(own[8], sizeof own[8], "COMPOSE_HTTP_TIMEOUT=180");
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        STACK_ADD(&all, own[i]);
    }
    for (size_t i = 0; i < stack->setting_count; i++) {
        STACK_ADD(&all, stack->settings[i]);
    }
    stack_add(&all, before);
    stack_add(&all, words);
    return process_start(all.words, stack->folder);
}

struct process *stack_start(struct stack *stack, const char *const *words)
{
    return stack_start_after(stack, (const char *const[]){NULL}, words);
}

struct process *stack_start_compose(struct stack *stack, const char *const *words)
{
    const char *const plugin[] = {"docker", "compose", NULL};
    const char *const program[] = {"docker-compose", NULL};
    return stack_start_after(stack, stack->has_plugin ? plugin : program, words);
}

static const char *stack_end(struct stack *stack, struct process *process, const char *const *words)
{
    process_free(stack->last);
    stack->last = process;
    int code = process_wait_exit(process, STACK_RUN_MS);
    if (code != 0) {
        for (; *words != NULL; words++) {
            print_error("%s ", *words);
        }
        print_error("\n%s%s", process_stdout(process), process_stderr(process));
        fail_msg("it ended with %d", code);
    }
    return process_stdout(process);
}

const char *stack_run(struct stack *stack, const char *const *words)
{
    return stack_end(stack, stack_start(stack, words), words);
}

const char *stack_run_compose(struct stack *stack, const char *const *words)
{
    return stack_end(stack, stack_start_compose(stack, words), words);
}

/* Life ----------------------------------------------------------------------------------------- */

static void stack_read_key(struct stack *stack)
{
    char path[256];
    snprintf(path, sizeof path, "%s/auth_key", stack->secrets);
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_non_null(fgets(stack->key, sizeof stack->key, file));
    stack->key[strcspn(stack->key, "\n")] = '\0';
    fclose(file);
}

struct stack *stack_open(void)
{
    uint32_t noise;
    struct stack *stack = calloc(1, sizeof *stack);
    assert_non_null(stack);
    assert_int_equal(getrandom(&noise, sizeof noise, 0), sizeof noise);
    snprintf(stack->project, sizeof stack->project, "hgtptest%08x", noise);
    snprintf(stack->image, sizeof stack->image, "hgtpd:%s", stack->project);
    snprintf(stack->redis_image, sizeof stack->redis_image, "hgtp-redis:%s", stack->project);
    stack->folder = process_folder_make();
    assert_true(asprintf(&stack->secrets, "%s/secrets", stack->folder) > 0);
    stack->has_plugin = STACK_SUCCEEDS("docker", "compose", "version");
    stack->hgtp_port = sockets_free_port();
    stack->http_port = sockets_free_port();
    STACK_RUN(stack, STACK_DEPLOY "/secrets.sh", stack->secrets);
    stack_read_key(stack);
    return stack;
}

/* Removes what a listing names; goes on when something can't be removed. */
static void stack_remove(struct stack *stack, const char *const *list, const char *const *remove)
{
    struct process *listing = stack_start(stack, list);
    (void)process_wait_exit(listing, STACK_RUN_MS);
    for (size_t i = 0; i < stack_count(process_stdout(listing)); i++) {
        char name[128];
        struct stack_words all = {0};
        stack_line(process_stdout(listing), i, name, sizeof name);
        stack_add(&all, remove);
        STACK_ADD(&all, name);
        struct process *removal = stack_start(stack, all.words);
        (void)process_wait_exit(removal, STACK_RUN_MS);
        process_free(removal);
    }
    process_free(listing);
}

#define STACK_WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

void stack_close(struct stack *stack)
{
    char label[96], images[48];
    if (stack == NULL) {
        return;
    }
    snprintf(label, sizeof label, STACK_LABEL "%s", stack->project);
    snprintf(images, sizeof images, "reference=*:%s*", stack->project);
    stack_remove(stack, STACK_WORDS("docker", "ps", "-aq", "--filter", label),
                 STACK_WORDS("docker", "rm", "-fv"));
    stack_remove(stack, STACK_WORDS("docker", "network", "ls", "-q", "--filter", label),
                 STACK_WORDS("docker", "network", "rm"));
    stack_remove(stack, STACK_WORDS("docker", "volume", "ls", "-q", "--filter", label),
                 STACK_WORDS("docker", "volume", "rm"));
    stack_remove(
        stack,
        STACK_WORDS("docker", "images", "--filter", images, "--format", "{{.Repository}}:{{.Tag}}"),
        STACK_WORDS("docker", "rmi"));
    process_free(stack->last);
    process_folder_remove(stack->folder);
    free(stack->folder);
    free(stack->secrets);
    free(stack);
}

/* Looking -------------------------------------------------------------------------------------- */

size_t stack_count(const char *lines)
{
    size_t count = 0;
    for (; *lines != '\0'; lines++) {
        count += *lines == '\n';
    }
    return count;
}

void stack_line(const char *lines, size_t at, char *ret_line, size_t cap)
{
    while (at-- > 0) {
        lines = strchr(lines, '\n') + 1;
    }
    snprintf(ret_line, cap, "%.*s", (int)strcspn(lines, "\n"), lines);
}

const char *stack_containers(struct stack *stack, const char *service)
{
    char project[96], name[96];
    snprintf(project, sizeof project, STACK_LABEL "%s", stack->project);
    snprintf(name, sizeof name, "label=com.docker.compose.service=%s", service);
    return STACK_RUN(stack, "docker", "ps", "-q", "--filter", project, "--filter", name);
}

uint32_t stack_outside_ip(struct stack *stack)
{
    char network[64], text[64];
    struct in_addr ip;
    snprintf(network, sizeof network, "%s_front", stack->project);
    stack_line(STACK_RUN(stack, "docker", "network", "inspect", "-f",
                         "{{(index .IPAM.Config 0).Gateway}}", network),
               0, text, sizeof text);
    assert_int_equal(inet_pton(AF_INET, text, &ip), 1);
    return ntohl(ip.s_addr);
}
