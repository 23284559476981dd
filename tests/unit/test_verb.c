/* SPDX-License-Identifier: MIT */
/*
 * verb: the table agrees with the control service: what it names is there, what is there can be
 * reached, and its own examples can be read.
 */
#include "admin/verb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "admin/args.h"
#include "control.pb-c.h"

static const ProtobufCMethodDescriptor *types_of(const struct verb *verb)
{
    return protobuf_c_service_descriptor_get_method_by_name(&hgtp__control__control__descriptor,
                                                            verb->method);
}

static bool has_field(const ProtobufCMessageDescriptor *type, const char *name)
{
    return protobuf_c_message_descriptor_get_field_by_name(type, name) != NULL;
}

static void verb_methods_and_fields_are_those_of_the_service(void **state)
{
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        const struct verb *verb = &verbs[i];
        assert_true(verb->method != NULL || verb->run != NULL);
        if (verb->method == NULL) {
            continue;
        }
        const ProtobufCMethodDescriptor *types = types_of(verb);
        assert_non_null(types);
        for (size_t w = 0; w < VERB_WORDS_MAX && verb->words[w].name != NULL; w++) {
            assert_true(verb->words[w].field == NULL ||
                        has_field(types->input, verb->words[w].field));
        }
        for (size_t o = 0; o < VERB_OPTIONS_MAX && verb->options[o].name != NULL; o++) {
            assert_true(verb->options[o].field == NULL ||
                        has_field(types->input, verb->options[o].field));
        }
        assert_true(!verb->is_destructive || has_field(types->input, "dry_run"));
    }
}

/* Fields that the tool sets itself. */
static bool is_for_code(const char *method, const char *field)
{
    static const char *const known[][2] = {
        {"NodeDrain", "ends"},  {"NodeName", "ends"},    {"Events", "count"},
        {"Events", "wait_ms"},  {"NodeShow", "ends"},    {"NodeResume", "ends"},
        {"ConfigShow", "ends"}, {"NodeShow", "dry_run"}, {"ConfigShow", "dry_run"}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i][0], method) == 0 && strcmp(known[i][1], field) == 0) {
            return true;
        }
    }
    return strcmp(field, "dry_run") == 0;
}

static bool is_reached(const struct verb *verb, const char *field)
{
    for (size_t w = 0; w < VERB_WORDS_MAX && verb->words[w].name != NULL; w++) {
        if (verb->words[w].field != NULL && strcmp(verb->words[w].field, field) == 0) {
            return true;
        }
    }
    for (size_t o = 0; o < VERB_OPTIONS_MAX && verb->options[o].name != NULL; o++) {
        if (verb->options[o].field != NULL && strcmp(verb->options[o].field, field) == 0) {
            return true;
        }
    }
    return is_for_code(verb->method, field);
}

static void verb_is_there_for_every_method_and_every_field(void **state)
{
    (void)state;
    const ProtobufCServiceDescriptor *service = &hgtp__control__control__descriptor;
    for (unsigned m = 0; m < service->n_methods; m++) {
        const struct verb *found = NULL;
        for (size_t i = 0; i < verb_count; i++) {
            if (verbs[i].method != NULL && strcmp(verbs[i].method, service->methods[m].name) == 0) {
                found = &verbs[i];
            }
        }
        if (found == NULL) {
            assert_string_equal(service->methods[m].name, "Version"); /* asked by `version` */
            continue;
        }
        const ProtobufCMessageDescriptor *input = service->methods[m].input;
        for (unsigned f = 0; f < input->n_fields; f++) {
            if (!is_reached(found, input->fields[f].name)) {
                fail_msg("%s: %s", found->method, input->fields[f].name);
            }
        }
    }
}

static void check_columns(const ProtobufCMessageDescriptor *type,
                          const struct output_column *columns)
{
    for (; columns != NULL && columns->heading != NULL; columns++) {
        if (!has_field(type, columns->field)) {
            fail_msg("%s has no field %s", type->short_name, columns->field);
        }
    }
}

static const ProtobufCMessageDescriptor *list_of(const ProtobufCMessageDescriptor *type)
{
    for (unsigned f = 0; f < type->n_fields; f++) {
        if (type->fields[f].label == PROTOBUF_C_LABEL_REPEATED &&
            type->fields[f].type == PROTOBUF_C_TYPE_MESSAGE) {
            return type->fields[f].descriptor;
        }
    }
    return NULL;
}

static void verb_columns_are_fields_of_the_reply(void **state)
{
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        const struct verb *verb = &verbs[i];
        if (verb->method == NULL) {
            continue;
        }
        const ProtobufCMessageDescriptor *reply = types_of(verb)->output, *in = reply;
        if (verb->view.fields_in != NULL) {
            const ProtobufCFieldDescriptor *field =
                protobuf_c_message_descriptor_get_field_by_name(reply, verb->view.fields_in);
            assert_non_null(field);
            in = field->descriptor;
        }
        check_columns(in, verb->view.fields);
        if (verb->view.columns != NULL) {
            assert_non_null(list_of(reply));
            check_columns(list_of(reply), verb->view.columns);
        }
        if (verb->view.fields == NULL && verb->view.columns == NULL) {
            assert_true(has_field(reply, "what"));
        }
    }
}

/* Words of an example, as a shell would cut them; quotes are the only trick. */
static size_t cut(char *line, char *words[], size_t max)
{
    size_t count = 0;
    while (*line != '\0' && count + 1 < max) {
        line += strspn(line, " ");
        char end = *line == '"' ? '"' : ' ';
        line += end == '"';
        words[count++] = line;
        line += strcspn(line, end == '"' ? "\"" : " ");
        if (*line != '\0') {
            *line++ = '\0';
        }
    }
    words[count] = NULL;
    return count;
}

static void verb_examples_are_commands(void **state)
{
    (void)state;
    for (size_t i = 0; i < verb_count; i++) {
        char line[256], *said = NULL;
        char *words[24] = {(char[]){"hgtpctl"}};
        size_t size;
        struct cli cli = {.out = stdout, .err = open_memstream(&said, &size)};
        assert_non_null(verbs[i].example);
        snprintf(line, sizeof line, "%s", verbs[i].example);
        assert_true(cut(line, words + 1, 22) > 0);
        args_init(&cli);
        int code = args_read(&cli, words);
        fclose(cli.err);
        if (code != EXIT_DONE || cli.verb != &verbs[i]) {
            fail_msg("%s: %s", verbs[i].example, said);
        }
        args_fini(&cli);
        free(said);
    }
}

static void verb_like_finds_what_was_meant(void **state)
{
    (void)state;
    assert_string_equal(verb_like(NULL, "rooom"), "room");
    assert_string_equal(verb_like("room", "lsit"), "list");
    assert_string_equal(verb_like(NULL, "evnets"), "events");
    assert_null(verb_like(NULL, "xylophone"));
    assert_string_equal(verb_like_option(verb_find("room", "list"), "revers"), "reverse");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verb_methods_and_fields_are_those_of_the_service),
        cmocka_unit_test(verb_is_there_for_every_method_and_every_field),
        cmocka_unit_test(verb_columns_are_fields_of_the_reply),
        cmocka_unit_test(verb_examples_are_commands),
        cmocka_unit_test(verb_like_finds_what_was_meant),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
