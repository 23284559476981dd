/* SPDX-License-Identifier: MIT */
/* yaml: from libyaml's events to jansson's values. What they have to say is for the tests. */
#include "yaml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include <cmocka.h>

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the last */
    const char *path;
};

static void yaml_next(struct yaml_reader *reader)
{
    yaml_event_delete(&reader->event);
    if (!yaml_parser_parse(&reader->parser, &reader->event)) {
        fail_msg("%s:%zu: %s", reader->path, reader->parser.problem_mark.line + 1,
                 reader->parser.problem);
    }
}

static json_t *yaml_value(struct yaml_reader *reader);

static json_t *yaml_scalar(const struct yaml_reader *reader)
{
    json_t *text = json_stringn((const char *)reader->event.data.scalar.value,
                                reader->event.data.scalar.length);
    assert_non_null(text);
    return text;
}

static json_t *yaml_sequence(struct yaml_reader *reader)
{
    json_t *array = json_array();
    for (yaml_next(reader); reader->event.type != YAML_SEQUENCE_END_EVENT; yaml_next(reader)) {
        json_array_append_new(array, yaml_value(reader));
    }
    return array;
}

static json_t *yaml_mapping(struct yaml_reader *reader)
{
    json_t *object = json_object();
    for (yaml_next(reader); reader->event.type != YAML_MAPPING_END_EVENT; yaml_next(reader)) {
        assert_int_equal(reader->event.type, YAML_SCALAR_EVENT);
        json_t *key = yaml_scalar(reader);
        if (json_object_get(object, json_string_value(key)) != NULL) {
            fail_msg("%s:%zu: %s stands there twice", reader->path,
                     reader->event.start_mark.line + 1, json_string_value(key));
        }
        yaml_next(reader);
        json_object_set_new(object, json_string_value(key), yaml_value(reader));
        json_decref(key);
    }
    return object;
}

/* Of the present event. */
static json_t *yaml_value(struct yaml_reader *reader)
{
    switch (reader->event.type) {
    case YAML_SCALAR_EVENT:
        return yaml_scalar(reader);
    case YAML_SEQUENCE_START_EVENT:
        return yaml_sequence(reader);
    case YAML_MAPPING_START_EVENT:
        return yaml_mapping(reader);
    default:
        fail_msg("%s:%zu: an alias, or an odd end", reader->path,
                 reader->event.start_mark.line + 1);
        return NULL;
    }
}

json_t *yaml_load(const char *path)
{
    struct yaml_reader reader = {.path = path};
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        fail_msg("cannot open %s", path);
        return NULL;
    }
    assert_true(yaml_parser_initialize(&reader.parser));
    yaml_parser_set_input_file(&reader.parser, file);
    json_t *documents = json_array();
    for (yaml_next(&reader); reader.event.type != YAML_STREAM_END_EVENT; yaml_next(&reader)) {
        if (reader.event.type == YAML_DOCUMENT_START_EVENT) {
            yaml_next(&reader);
            json_array_append_new(documents, yaml_value(&reader));
        }
    }
    yaml_event_delete(&reader.event);
    yaml_parser_delete(&reader.parser);
    (void)fclose(file);
    return documents;
}

const json_t *yaml_at(const json_t *value, const char *path)
{
    while (value != NULL && *path != '\0') {
        char name[128];
        size_t len = strcspn(path, "/");
        assert_true(len < sizeof name);
        memcpy(name, path, len);
        name[len] = '\0';
        path += len + (path[len] == '/');
        value = json_is_array(value) ? json_array_get(value, strtoul(name, NULL, 10))
                                     : json_object_get(value, name);
    }
    return value;
}

const char *yaml_text(const json_t *value, const char *path)
{
    const char *text = json_string_value(yaml_at(value, path));
    return text != NULL ? text : "";
}
