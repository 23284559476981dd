/* SPDX-License-Identifier: MIT */
/*
 * deploy/docker-compose.yml in a real engine: built, brought up, talked through from outside,
 * scaled, hit, restarted and upgraded while people talk. The scenarios share one stack and come one
 * after the other. Without an engine the test says why and is skipped.
 */
#include <stdio.h>
#include <stdlib.h>

#include "company.h"

#define SKIPPED    77
#define NODES      3
#define STEP_MS    240000
#define SETTLED_MS 30000

static struct stack *stack;

/* Around the scenarios ------------------------------------------------------------------------- */

/* The balancer takes itself for healthy, so it has found a node that serves. */
static bool is_answered(void *arg)
{
    (void)arg;
    char id[64];
    stack_line(stack_containers(stack, "balancer"), 0, id, sizeof id);
    return strncmp(STACK_RUN(stack, "docker", "inspect", "-f", "{{.State.Health.Status}}", id),
                   "healthy", strlen("healthy")) == 0;
}

static int bring_up(void **state)
{
    (void)state;
    stack = stack_open();
    snprintf(stack->settings[stack->setting_count++], STACK_SETTING_MAX, "HGTP_REALM=TRIAL");
    (void)STACK_COMPOSE(stack, "build");
    (void)STACK_COMPOSE(stack, "up", "-d");
    return pump_until(is_answered, NULL, SETTLED_MS) ? 0 : -1;
}

static int take_down(void **state)
{
    (void)state;
    stack_close(stack);
    return 0;
}

/* Clients take the balancer for the server; a node in a container is 9000 to those it reaches. */
static void outside(struct e2e *e)
{
    e->balancer = balancer_new();
    e->balancer->hgtp_port = stack->hgtp_port;
    e->balancer->talk_port = stack->http_port;
    e->nodes[0].hgtp_port = 9000;
    e->node_count = 1;
}

static void enter(struct company *company, struct e2e *e, const char *suffix)
{
    outside(e);
    company_open(company, e, stack, stack_outside_ip(stack), suffix);
}

/* Runs it while the company talks, and a little longer. */
static void during(struct company *company, struct process *process)
{
    int code = company_talk_while(company, process, STEP_MS);
    if (code != 0) {
        print_error("%s%s", process_stdout(process), process_stderr(process));
        fail_msg("it ended with %d", code);
    }
    process_free(process);
    company_talk_for(company, 1000);
}

#define DURING_COMPOSE(company, ...)                                                               \
    during((company), stack_start_compose(stack, (const char *const[]){__VA_ARGS__, NULL}))
#define DURING(company, ...)                                                                       \
    during((company), stack_start(stack, (const char *const[]){__VA_ARGS__, NULL}))

static void expect_nodes(size_t count)
{
    assert_int_equal(stack_count(stack_containers(stack, "node")), count);
}

/* Nothing was lost, and olga, who repeats nothing, had no reason to. */
static void expect_all_answered(struct company *company)
{
    (void)company_account(company);
    assert_int_equal(company->unanswered, 0);
}

/* The tool in any node sees so many that serve. */
static bool nodes_serve(void *arg)
{
    const size_t *count = arg;
    json_error_t error;
    const char *text =
        STACK_COMPOSE(stack, "exec", "-T", "node", "hgtpctl", "-o", "json", "node", "list");
    json_t *reply = json_loads(text, 0, &error);
    json_t *nodes = json_object_get(reply, "nodes");
    size_t serving = 0;
    for (size_t i = 0; i < json_array_size(nodes); i++) {
        const char *state = json_string_value(json_object_get(json_array_get(nodes, i), "state"));
        serving += state != NULL && strcmp(state, "serving") == 0;
    }
    bool is_right = json_array_size(nodes) == *count && serving == *count;
    json_decref(reply);
    return is_right;
}

/* Scenarios ------------------------------------------------------------------------------------ */

E2E_SCENARIO(containers_are_healthy_confined_and_know_their_secrets_by_file)
{
    (void)e;
    static const char *const wanted[] = {"health=healthy", "readonly=true", "no-new-privileges",
                                         "restart=always", "capdrop=[ALL]", NULL};
    char project[96], path[256], password[128];
    snprintf(path, sizeof path, "%s/redis_conf", stack->secrets);
    stack_line(STACK_RUN(stack, "cat", path) + strlen("requirepass "), 0, password,
               sizeof password);
    snprintf(project, sizeof project, "label=com.docker.compose.project=%s", stack->project);
    char *ids = strdup(STACK_RUN(stack, "docker", "ps", "-q", "--filter", project));
    assert_int_equal(stack_count(ids), NODES + 2);
    for (size_t i = 0; i < stack_count(ids); i++) {
        char id[64];
        stack_line(ids, i, id, sizeof id);
        const char *facts =
            STACK_RUN(stack, "docker", "inspect", "-f",
                      "health={{.State.Health.Status}} readonly={{.HostConfig.ReadonlyRootfs}} "
                      "{{.HostConfig.SecurityOpt}} restart={{.HostConfig.RestartPolicy.Name}} "
                      "capdrop={{.HostConfig.CapDrop}} memory={{.HostConfig.Memory}}",
                      id);
        for (size_t j = 0; wanted[j] != NULL; j++) {
            if (strstr(facts, wanted[j]) == NULL) {
                fail_msg("%s is not %s: %s", id, wanted[j], facts);
            }
        }
        assert_null(strstr(facts, "memory=0"));
        assert_true(atoi(STACK_RUN(stack, "docker", "exec", id, "id", "-u")) > 0);
        const char *all = STACK_RUN(stack, "docker", "inspect", id);
        assert_null(strstr(all, password));
        assert_null(strstr(all, stack->key));
    }
    free(ids);
}

/* Nobody has run a helper before: the first `up` makes them. */
E2E_SCENARIO(secrets_are_made_when_there_are_none_and_kept_when_there_are)
{
    (void)e;
    char folder[192], set[256], project[128], path[256], first[64], second[64];
    snprintf(folder, sizeof folder, "%s/none yet", stack->folder);
    snprintf(set, sizeof set, "SECRETS=%s", folder);
    snprintf(project, sizeof project, "COMPOSE_PROJECT_NAME=%ss", stack->project);
    snprintf(path, sizeof path, "%s/auth_key", folder);
    const char *const compose = stack->has_plugin ? "docker compose" : "docker-compose";
    char up[64], down[64];
    snprintf(up, sizeof up, "%s up secrets", compose);
    snprintf(down, sizeof down, "%s down -v", compose);
    STACK_RUN(stack, "env", set, project, "sh", "-c", up);
    snprintf(first, sizeof first, "%s", STACK_RUN(stack, "cat", path));
    assert_int_equal(strlen(first), 33);
    STACK_RUN(stack, "env", set, project, "sh", "-c", up);
    snprintf(second, sizeof second, "%s", STACK_RUN(stack, "cat", path));
    assert_string_equal(first, second);
    STACK_RUN(stack, "env", set, project, "sh", "-c", down);
}

E2E_SCENARIO(clients_of_all_kinds_talk_through_the_balancer)
{
    struct company company = {0};
    enter(&company, e, ".first");
    assert_true(strncmp(company.olga->realm, "TRIAL", 5) == 0);
    company_talk_for(&company, 2000);
    assert_int_equal(company_account(&company), 0);
    assert_int_equal(company.refused + company.resumes, 0);

    /* What a node begins itself comes to the declared address; the answer through the balancer. */
    const struct original_options options = {
        .name = "guest.first", .key = stack->key, .own_ip = company.olga->options.own_ip};
    struct original *guest = e2e_user_with(e, &options);
    e2e_ok(original_invite(company.olga, "guest.first"));
    assert_true(e2e_came(original_wait_relay(guest, HGTP_INVITE_USER_FROM_ROOM))->at_declared);
    e2e_came(original_wait_push(guest, PUSH_ROOM_USER_LIST, NULL, NULL));
}

E2E_SCENARIO(client_that_declares_an_address_nodes_cannot_reach_is_told_so)
{
    outside(e);
    const struct original_options options = {.name = "lost", .key = stack->key};
    struct original *lost = e2e_client_with(e, &options);
    original_send_register(lost);
    e2e_refused(original_wait_response(lost, HGTP_REGISTER), HGTP_BAD_REQUEST, ERR_ADDRESS_FOREIGN);
}

E2E_SCENARIO(operators_see_and_steer_all_nodes_from_any_container)
{
    (void)e;
    size_t count = NODES;
    assert_true(nodes_serve(&count));
    const char *list = STACK_COMPOSE(stack, "run", "--rm", "-T", "ctl", "node", "list");
    assert_int_equal(stack_count(list), NODES + 1);
}

E2E_SCENARIO(nodes_become_five_and_three_again_while_people_talk)
{
    struct company company = {0};
    size_t count = 5;
    enter(&company, e, ".scale");
    DURING_COMPOSE(&company, "up", "-d", "--scale", "node=5");
    expect_nodes(5);
    company_talk_for(&company, 1000);
    assert_true(pump_until(nodes_serve, &count, SETTLED_MS));

    /* Newcomers come to all of them. */
    for (int i = 0; i < 24; i++) {
        char name[32];
        snprintf(name, sizeof name, "newcomer%d", i);
        struct talker_options options = {.name = name, .key = stack->key, .port = stack->http_port};
        (void)e2e_talker_with(e, &options);
    }
    const char *nodes =
        STACK_COMPOSE(stack, "exec", "-T", "node", "hgtpctl", "-o", "json", "node", "list");
    json_error_t error;
    json_t *reply = json_loads(nodes, 0, &error);
    size_t used = 0;
    for (size_t i = 0; i < 5; i++) {
        json_t *node = json_array_get(json_object_get(reply, "nodes"), i);
        used += json_integer_value(json_object_get(node, "sessions")) > 0;
    }
    json_decref(reply);
    assert_true(used >= 4);

    DURING_COMPOSE(&company, "up", "-d", "--scale", "node=3");
    expect_nodes(3);
    expect_all_answered(&company);
}

E2E_SCENARIO(killed_container_takes_no_word_with_it)
{
    struct company company = {0};
    char node[64];
    json_error_t error;
    size_t count = NODES;
    enter(&company, e, ".kill");
    company_talk_for(&company, 1000);
    json_t *session = json_loads(STACK_COMPOSE(stack, "exec", "-T", "node", "hgtpctl", "-o", "json",
                                               "session", "show", company.names[0]),
                                 0, &error);
    const char *home = json_string_value(json_object_get(session, "node"));
    assert_non_null(home);
    snprintf(node, sizeof node, "%.12s", home); /* a node is called after its container */
    json_decref(session);
    DURING(&company, "docker", "kill", node);
    company_talk_for(&company, 6000);
    expect_nodes(NODES - 1);
    (void)company_account(&company);
    e2e_ok(original_refresh(company.oscar));
    (void)STACK_COMPOSE(stack, "up", "-d");
    assert_true(pump_until(nodes_serve, &count, SETTLED_MS));
}

E2E_SCENARIO(rolling_restart_by_the_tool_loses_nothing)
{
    struct company company = {0};
    enter(&company, e, ".restart");
    DURING_COMPOSE(&company, "run", "--rm", "-T", "ctl", "node", "restart-rolling", "--yes");
    expect_nodes(NODES);
    expect_all_answered(&company);
}

/* An image made of the present one and a line; nodes started from now on have it. */
static void next_image(struct company *company, const char *name, const char *line)
{
    char command[256], image[64];
    snprintf(image, sizeof image, "hgtpd:%s-%s", stack->project, name);
    snprintf(command, sizeof command, "printf 'FROM %s\\n%s\\n' | docker build -q -t %s -",
             stack->image, line, image);
    DURING(company, "sh", "-c", command);
    memcpy(stack->image, image, sizeof image);
}

E2E_SCENARIO(rolling_upgrade_to_an_image_that_does_not_serve_changes_nothing)
{
    struct company company = {0};
    char image[sizeof stack->image];
    memcpy(image, stack->image, sizeof image);
    enter(&company, e, ".broken");
    char *before = strdup(stack_containers(stack, "node"));
    next_image(&company, "broken", "ENTRYPOINT [\"/bin/false\"]");
    struct process *upgrade =
        stack_start(stack, (const char *const[]){TEST_SOURCE_DIR "/deploy/rolling-upgrade",
                                                 "--wait", "5", NULL});
    assert_int_equal(company_talk_while(&company, upgrade, STEP_MS), 1);
    assert_non_null(strstr(process_stdout(upgrade), "the new node does not serve"));
    process_free(upgrade);
    memcpy(stack->image, image, sizeof image);
    assert_string_equal(stack_containers(stack, "node"), before);
    free(before);
    assert_int_equal(company_account(&company), 0);
}

/* The new image is another one, and what the environment says has changed: the key. */
E2E_SCENARIO(rolling_upgrade_to_a_new_image_loses_nothing)
{
    struct company company = {0};
    enter(&company, e, ".upgrade");
    next_image(&company, "next", "LABEL next=yes");
    snprintf(stack->settings[stack->setting_count++], STACK_SETTING_MAX, "HGTP_AUTH_KEY=950817");
    DURING(&company, TEST_SOURCE_DIR "/deploy/rolling-upgrade");
    expect_nodes(NODES);
    char *ids = strdup(stack_containers(stack, "node"));
    for (size_t i = 0; i < NODES; i++) {
        char id[64];
        stack_line(ids, i, id, sizeof id);
        assert_non_null(strstr(
            STACK_RUN(stack, "docker", "inspect", "-f", "{{index .Config.Labels \"next\"}}", id),
            "yes"));
    }
    free(ids);
    expect_all_answered(&company);

    const struct original_options by_file = {
        .name = "old", .key = stack->key, .own_ip = company.olga->options.own_ip};
    const struct original_options by_environment = {.name = "new",
                                                    .own_ip = company.olga->options.own_ip};
    assert_false(original_register(e2e_client_with(e, &by_file)));
    assert_true(original_register(e2e_client_with(e, &by_environment)));
}

/* Last: all is gone that Compose has made, but for the images, which are the operator's. */
E2E_SCENARIO(down_leaves_nothing_behind)
{
    (void)e;
    char label[96];
    snprintf(label, sizeof label, "label=com.docker.compose.project=%s", stack->project);
    (void)STACK_COMPOSE(stack, "down", "-v");
    assert_string_equal(STACK_RUN(stack, "docker", "ps", "-aq", "--filter", label), "");
    assert_string_equal(STACK_RUN(stack, "docker", "volume", "ls", "-q", "--filter", label), "");
    assert_string_equal(STACK_RUN(stack, "docker", "network", "ls", "-q", "--filter", label), "");
}

int main(void)
{
    const char *missing = stack_missing();
    if (missing != NULL) {
        printf("skipped: %s\n", missing);
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        E2E_TEST(containers_are_healthy_confined_and_know_their_secrets_by_file),
        E2E_TEST(secrets_are_made_when_there_are_none_and_kept_when_there_are),
        E2E_TEST(clients_of_all_kinds_talk_through_the_balancer),
        E2E_TEST(client_that_declares_an_address_nodes_cannot_reach_is_told_so),
        E2E_TEST(operators_see_and_steer_all_nodes_from_any_container),
        E2E_TEST(nodes_become_five_and_three_again_while_people_talk),
        E2E_TEST(killed_container_takes_no_word_with_it),
        E2E_TEST(rolling_restart_by_the_tool_loses_nothing),
        E2E_TEST(rolling_upgrade_to_an_image_that_does_not_serve_changes_nothing),
        E2E_TEST(rolling_upgrade_to_a_new_image_loses_nothing),
        E2E_TEST(down_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, bring_up, take_down);
}
