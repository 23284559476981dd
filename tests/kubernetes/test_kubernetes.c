/* SPDX-License-Identifier: MIT */
/*
 * The Kubernetes manifest, without a Kubernetes: its fields are the API's, what it refers to is
 * there, and hgtpd takes the settings that it is given.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "tests/support/process.h"
#include "tests/support/yaml.h"

#define MANIFEST TEST_SOURCE_DIR "/deploy/kubernetes/hgtp.yaml"
#define FIELDS   TEST_SOURCE_DIR "/tests/kubernetes/fields.txt"
#define POD      "spec/template/spec"
#define HGTPD    POD "/containers/0"

static json_t *documents;

static const json_t *document(const char *kind, const char *name)
{
    size_t i;
    json_t *found;
    json_array_foreach(documents, i, found)
    {
        if (strcmp(yaml_text(found, "kind"), kind) == 0 &&
            strcmp(yaml_text(found, "metadata/name"), name) == 0) {
            return found;
        }
    }
    fail_msg("there is no %s %s", kind, name);
    return NULL;
}

static const json_t *nodes(void)
{
    return document("StatefulSet", "hgtp");
}

/* Fields ------------------------------------------------------------------------------------------
 */

static bool is_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789") == strlen(text);
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    return len > 0 && len <= 63 && text[0] != '-' && text[len - 1] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

static bool is_quantity(const char *text)
{
    static const char *const units[] = {"", "m", "Ki", "Mi", "Gi"};
    size_t digits = strspn(text, "0123456789");
    for (size_t i = 0; digits > 0 && i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + digits, units[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* One of the words between the bars. */
static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);
    for (const char *at = choices; *at != '\0'; at += strcspn(at, "|"), at += *at == '|') {
        if (strcspn(at, "|") == len && strncmp(at, text, len) == 0) {
            return true;
        }
    }
    return false;
}

static bool fits(const char *form, const json_t *value)
{
    const char *text = json_string_value(value);
    if (strcmp(form, "map") == 0) {
        const char *key;
        const json_t *member;
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            if (!json_is_string(member)) {
                return false;
            }
        }
        return json_is_object(value);
    }
    return text != NULL &&
           (strcmp(form, "text") == 0   ? text[0] != '\0'
            : strcmp(form, "name") == 0 ? is_name(text)
            : strcmp(form, "int") == 0  ? is_number(text)
            : strcmp(form, "port") == 0 ? is_number(text) || (is_name(text) && strlen(text) < 16)
            : strcmp(form, "bool") == 0 ? is_choice("true|false", text)
            : strcmp(form, "quantity") == 0 ? is_quantity(text)
                                            : is_choice(form, text));
}

/* The form of a path; false: it is none of the API's. */
static bool find_form(const char *kind, const char *path, char ret_form[128])
{
    char line[512], of[64], wanted[256];
    bool is_found = false;
    FILE *file = fopen(FIELDS, "re");
    assert_non_null(file);
    while (!is_found && fgets(line, sizeof line, file) != NULL) {
        is_found = line[0] != '#' && sscanf(line, "%63s %255s %127s", of, wanted, ret_form) == 3 &&
                   (strcmp(of, "*") == 0 || strcmp(of, kind) == 0) && strcmp(wanted, path) == 0;
    }
    (void)fclose(file);
    return is_found;
}

static void check_fields(const char *kind, const char *path, const json_t *value)
{
    char form[128], below[512];
    if (find_form(kind, path, form)) {
        if (!fits(form, value)) {
            fail_msg("%s %s is not of the form %s", kind, path, form);
        }
    } else if (json_is_object(value) && json_object_size(value) > 0) {
        const char *key;
        const json_t *member;
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            snprintf(below, sizeof below, "%s%s%s", path, path[0] != '\0' ? "." : "", key);
            check_fields(kind, below, member);
        }
    } else if (json_array_size(value) > 0) {
        snprintf(below, sizeof below, "%s[]", path);
        for (size_t i = 0; i < json_array_size(value); i++) {
            check_fields(kind, below, json_array_get(value, i));
        }
    } else {
        fail_msg("%s has no %s", kind, path);
    }
}

static void manifest_has_fields_of_the_api_in_their_forms(void **state)
{
    (void)state;
    size_t i;
    json_t *found;
    json_array_foreach(documents, i, found)
    {
        check_fields(yaml_text(found, "kind"), "", found);
    }
}

static void manifest_has_the_kinds_at_their_versions_and_each_name_once(void **state)
{
    (void)state;
    static const char *const versions[][2] = {{"ConfigMap", "v1"},
                                              {"Service", "v1"},
                                              {"StatefulSet", "apps/v1"},
                                              {"PodDisruptionBudget", "policy/v1"},
                                              {"NetworkPolicy", "networking.k8s.io/v1"}};
    json_t *names = json_object();
    size_t i, found_count = 0;
    json_t *found;
    json_array_foreach(documents, i, found)
    {
        char name[256];
        snprintf(name, sizeof name, "%s/%s", yaml_text(found, "kind"),
                 yaml_text(found, "metadata/name"));
        assert_null(json_object_get(names, name));
        json_object_set_new(names, name, json_true());
        for (size_t k = 0; k < sizeof versions / sizeof versions[0]; k++) {
            if (strcmp(yaml_text(found, "kind"), versions[k][0]) == 0) {
                assert_string_equal(yaml_text(found, "apiVersion"), versions[k][1]);
                found_count++;
            }
        }
    }
    assert_int_equal(found_count, json_array_size(documents));
    json_decref(names);
}

/* References ------------------------------------------------------------------------------------
 */

static void every_selector_chooses_the_nodes(void **state)
{
    (void)state;
    const json_t *labels = yaml_at(nodes(), "spec/template/metadata/labels");
    static const char *const selectors[][2] = {
        {"StatefulSet", "spec/selector/matchLabels"},
        {"StatefulSet", POD "/topologySpreadConstraints/0/labelSelector/matchLabels"},
        {"Service", "spec/selector"},
        {"PodDisruptionBudget", "spec/selector/matchLabels"},
        {"NetworkPolicy", "spec/podSelector/matchLabels"},
        {"NetworkPolicy", "spec/ingress/1/from/0/podSelector/matchLabels"},
        {"NetworkPolicy", "spec/egress/0/to/0/podSelector/matchLabels"}};
    size_t i, checked = 0;
    json_t *found;
    assert_true(json_object_size(labels) > 0);
    json_array_foreach(documents, i, found)
    {
        for (size_t k = 0; k < sizeof selectors / sizeof selectors[0]; k++) {
            if (strcmp(yaml_text(found, "kind"), selectors[k][0]) == 0) {
                assert_true(json_equal(yaml_at(found, selectors[k][1]), labels));
                checked++;
            }
        }
    }
    assert_int_equal(checked, 9);
}

/* A named port of the container, with that protocol. */
static bool has_port(const char *name, const char *protocol)
{
    const json_t *ports = yaml_at(nodes(), HGTPD "/ports");
    for (size_t i = 0; i < json_array_size(ports); i++) {
        const json_t *port = json_array_get(ports, i);
        if (strcmp(yaml_text(port, "name"), name) == 0 &&
            strcmp(yaml_text(port, "protocol"), protocol) == 0) {
            return true;
        }
    }
    return false;
}

static void every_named_port_is_one_of_the_container(void **state)
{
    (void)state;
    size_t i, k, service_count = 0;
    json_t *found, *port;
    json_array_foreach(documents, i, found)
    {
        if (strcmp(yaml_text(found, "kind"), "Service") == 0) {
            service_count++;
            json_array_foreach((json_t *)(uintptr_t)yaml_at(found, "spec/ports"), k, port)
            {
                assert_true(has_port(yaml_text(port, "targetPort"), yaml_text(port, "protocol")));
            }
        }
    }
    assert_int_equal(service_count, 3);
    static const char *const probes[] = {"startupProbe", "livenessProbe", "readinessProbe"};
    for (i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, HGTPD "/%s/httpGet/port", probes[i]);
        assert_true(has_port(yaml_text(nodes(), path), "TCP"));
    }
    const json_t *rules = yaml_at(document("NetworkPolicy", "hgtp"), "spec/ingress");
    for (i = 0; i < json_array_size(rules); i++) {
        json_array_foreach((json_t *)(uintptr_t)yaml_at(json_array_get(rules, i), "ports"), k, port)
        {
            assert_true(has_port(yaml_text(port, "port"), yaml_text(port, "protocol")));
        }
    }
}

static void stateful_set_has_its_headless_service(void **state)
{
    (void)state;
    const json_t *service = document("Service", yaml_text(nodes(), "spec/serviceName"));
    assert_string_equal(yaml_text(service, "spec/clusterIP"), "None");
}

static const json_t *named(const json_t *array, const char *name)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (strcmp(yaml_text(json_array_get(array, i), "name"), name) == 0) {
            return json_array_get(array, i);
        }
    }
    return NULL;
}

static void every_volume_is_mounted_and_every_mount_is_of_a_volume(void **state)
{
    (void)state;
    const json_t *volumes = yaml_at(nodes(), POD "/volumes");
    const json_t *mounts = yaml_at(nodes(), HGTPD "/volumeMounts");
    assert_int_equal(json_array_size(volumes), json_array_size(mounts));
    for (size_t i = 0; i < json_array_size(mounts); i++) {
        const json_t *mount = json_array_get(mounts, i);
        assert_non_null(named(volumes, yaml_text(mount, "name")));
        assert_non_null(named(mounts, yaml_text(json_array_get(volumes, i), "name")));
    }
    document("ConfigMap", yaml_text(named(volumes, "config"), "configMap/name"));
}

/* Secrets are referred to and not in the file; the command at its head makes all that is named. */
static void every_secret_is_by_reference_and_made_by_the_command(void **state)
{
    (void)state;
    static char text[32768];
    FILE *file = fopen(MANIFEST, "re");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_null(strstr(text, "kind: Secret"));
    const json_t *secret = yaml_at(named(yaml_at(nodes(), POD "/volumes"), "secrets"), "secret");
    const json_t *url =
        yaml_at(named(yaml_at(nodes(), HGTPD "/env"), "HGTP_REDIS_URL"), "valueFrom/secretKeyRef");
    assert_string_equal(yaml_text(secret, "secretName"), yaml_text(url, "name"));
    const char *keys[] = {yaml_text(secret, "items/0/key"), yaml_text(secret, "items/1/key"),
                          yaml_text(url, "key")};
    assert_int_equal(json_array_size(yaml_at(secret, "items")), 2);
    for (size_t i = 0; i < 3; i++) {
        char option[128];
        snprintf(option, sizeof option, "--from-file=%s", keys[i]);
        assert_non_null(strstr(text, option));
    }
}

/* The container ----------------------------------------------------------------------------------
 */

static void container_is_kept_small_in_what_it_may_do(void **state)
{
    (void)state;
    static const char *const wanted[][2] = {
        {POD "/securityContext/runAsNonRoot", "true"},
        {POD "/securityContext/seccompProfile/type", "RuntimeDefault"},
        {POD "/automountServiceAccountToken", "false"},
        {HGTPD "/securityContext/allowPrivilegeEscalation", "false"},
        {HGTPD "/securityContext/readOnlyRootFilesystem", "true"},
        {HGTPD "/securityContext/capabilities/drop/0", "ALL"}};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_string_equal(yaml_text(nodes(), wanted[i][0]), wanted[i][1]);
    }
    assert_true(strlen(yaml_text(nodes(), HGTPD "/resources/limits/memory")) > 0);
    const char *image = yaml_text(nodes(), HGTPD "/image");
    assert_non_null(strrchr(image, ':'));
    assert_null(strstr(image, ":latest"));
}

/* Of the section's lines in the configuration; -1: it is not set there. */
static long setting(const char *key)
{
    char start[64];
    const char *text = yaml_text(document("ConfigMap", "hgtp-config"), "data/hgtpd.conf");
    snprintf(start, sizeof start, "\n%s = ", key);
    const char *at = strstr(text, start);
    return at != NULL ? strtol(at + strlen(start), NULL, 10) : -1;
}

static void pod_has_time_to_drain(void **state)
{
    (void)state;
    long grace = strtol(yaml_text(nodes(), POD "/terminationGracePeriodSeconds"), NULL, 10);
    long wait = strtol(yaml_text(nodes(), HGTPD "/lifecycle/preStop/exec/command/1"), NULL, 10);
    assert_true(wait > 0 && setting("drain_s") > 0);
    assert_true(grace >= wait + setting("drain_s") + 2 + 5);
}

static void probes_ask_what_they_are_for(void **state)
{
    (void)state;
    assert_string_equal(yaml_text(nodes(), HGTPD "/startupProbe/httpGet/path"), "/healthz");
    assert_string_equal(yaml_text(nodes(), HGTPD "/livenessProbe/httpGet/path"), "/healthz");
    assert_string_equal(yaml_text(nodes(), HGTPD "/readinessProbe/httpGet/path"), "/readyz");
}

/* HGTP_BUS_ADVERTISE=... as bus.advertise=..., filled in as Kubernetes would. */
static void env_as_setting(const json_t *env, char ret_setting[256])
{
    static const char *const given[][2] = {{"HGTP_NODE_ID", "hgtp-0"},
                                           {"HGTP_REDIS_URL", "redis://:secret@redis:6379/0"}};
    const char *name = yaml_text(env, "name"), *value = yaml_text(env, "value");
    char key[64], address[128];
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++) {
        value = strcmp(name, given[i][0]) == 0 ? given[i][1] : value;
    }
    const char *pod_ip = strstr(value, "$(POD_IP)");
    if (pod_ip != NULL) {
        snprintf(address, sizeof address, "%.*s10.1.2.3%s", (int)(pod_ip - value), value,
                 pod_ip + strlen("$(POD_IP)"));
        value = address;
    }
    snprintf(key, sizeof key, "%s", name + strlen("HGTP_"));
    for (char *at = key; *at != '\0'; at++) {
        *at = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    }
    *strchr(key, '_') = '.';
    assert_true(value[0] != '\0');
    snprintf(ret_setting, 256, "%s=%s", key, value);
}

/* As the manifest has it, but with secrets in `folder`, where there are some. */
static void write_configuration(const char *folder, const char *path)
{
    static const char mount[] = "/run/secrets/hgtp/";
    const char *text = yaml_text(document("ConfigMap", "hgtp-config"), "data/hgtpd.conf");
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    for (const char *at; (at = strstr(text, mount)) != NULL;) {
        fprintf(file, "%.*s%s/", (int)(at - text), text, folder);
        text = at + strlen(mount);
    }
    fputs(text, file);
    assert_int_equal(fclose(file), 0);
    static const char *const secrets[] = {"auth_key", "bus_key"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        char secret[256];
        snprintf(secret, sizeof secret, "%s/%s", folder, secrets[i]);
        file = fopen(secret, "we");
        assert_non_null(file);
        assert_int_equal(fchmod(fileno(file), 0600), 0);
        fputs("a secret of the test\n", file);
        assert_int_equal(fclose(file), 0);
    }
}

static void hgtpd_takes_the_configuration_and_the_environment(void **state)
{
    (void)state;
    char *folder = process_folder_make();
    char path[256], settings[8][256];
    const char *argv[24] = {HGTPD_PATH, "--check-config", "--config", path};
    size_t count = 4, set_count = 0;
    snprintf(path, sizeof path, "%s/hgtpd.conf", folder);
    write_configuration(folder, path);
    const json_t *env = yaml_at(nodes(), HGTPD "/env");
    for (size_t i = 0; i < json_array_size(env); i++) {
        if (strncmp(yaml_text(json_array_get(env, i), "name"), "HGTP_", 5) == 0) {
            env_as_setting(json_array_get(env, i), settings[set_count]);
            argv[count++] = "--set";
            argv[count++] = settings[set_count++];
        }
    }
    assert_int_equal(set_count, 3);
    /* Else the names of services would come along as HGTP_PORT and the like, which it refuses. */
    assert_string_equal(yaml_text(nodes(), POD "/enableServiceLinks"), "false");
    struct process *hgtpd = process_start(argv, folder);
    if (process_wait_exit(hgtpd, 10000) != 0) {
        fail_msg("%s", process_stderr(hgtpd));
    }
    process_free(hgtpd);
    process_folder_remove(folder);
    free(folder);
}

static int load(void **state)
{
    (void)state;
    documents = yaml_load(MANIFEST);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    json_decref(documents);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manifest_has_fields_of_the_api_in_their_forms),
        cmocka_unit_test(manifest_has_the_kinds_at_their_versions_and_each_name_once),
        cmocka_unit_test(every_selector_chooses_the_nodes),
        cmocka_unit_test(every_named_port_is_one_of_the_container),
        cmocka_unit_test(stateful_set_has_its_headless_service),
        cmocka_unit_test(every_volume_is_mounted_and_every_mount_is_of_a_volume),
        cmocka_unit_test(every_secret_is_by_reference_and_made_by_the_command),
        cmocka_unit_test(container_is_kept_small_in_what_it_may_do),
        cmocka_unit_test(pod_has_time_to_drain),
        cmocka_unit_test(probes_ask_what_they_are_for),
        cmocka_unit_test(hgtpd_takes_the_configuration_and_the_environment),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
