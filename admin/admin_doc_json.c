/* SPDX-License-Identifier: MIT */
/*
 * admin_doc_json: walks a reply's descriptor and writes each field with a value of its kind, so
 * that the examples name the fields that there are and no others. The values are made up.
 */
#include "admin/admin_doc_json.h"

#include <string.h>

#include "control.pb-c.h"
#include "tool.pb-c.h"

/* Replies of verbs that are no call. */
static const struct {
    const char *verb;
    const ProtobufCMessageDescriptor *reply;
} admin_doc_json_own[] = {{"bench", &hgtp__tool__bench_reply__descriptor},
                          {"completion", &hgtp__tool__completion__descriptor},
                          {"context list", &hgtp__tool__context_list_reply__descriptor},
                          {"node restart-rolling", &hgtp__tool__restart_reply__descriptor},
                          {"top", &hgtp__tool__top_reply__descriptor},
                          {"version", &hgtp__tool__versions__descriptor}};

/* What stands in a field of that name, of whatever message. */
static const char *const admin_doc_json_texts[][2] = {{"room", "tea"},
                                                      {"user", "alice"},
                                                      {"manager", "alice"},
                                                      {"node", "n1"},
                                                      {"nodes", "n1: 2"},
                                                      {"names", "alice"},
                                                      {"incarnation", "7a73f0c1"},
                                                      {"version", "0.1.0+d13ecca"},
                                                      {"tool", "0.1.0+d13ecca"},
                                                      {"realm", "HGTP_SERVICE"},
                                                      {"state", "serving"},
                                                      {"hgtp", "10.0.0.5:9000"},
                                                      {"http", "10.0.0.5:8080"},
                                                      {"bus", "tcp://10.0.0.5:9200"},
                                                      {"transport", "websocket"},
                                                      {"auth", "hmac"},
                                                      {"address", "10.0.0.9:40123"},
                                                      {"kind", "message"},
                                                      {"text", "hello"},
                                                      {"what", "removed 2 users from 1 room"},
                                                      {"result", "done"},
                                                      {"actor", "ops@desk"},
                                                      {"args", "{\"room\":\"tea\"}"},
                                                      {"event", "ctl_room_delete"},
                                                      {"cursor", "1795417219000-0"},
                                                      {"check", "orphan-name"},
                                                      {"severity", "warning"},
                                                      {"name", "hgtp_sessions"},
                                                      {"url", "ipc:///run/hgtp/control.sock"},
                                                      {"urls", "tcp://10.0.0.5:9300"}};

static void admin_doc_json_text(const char *field, FILE *out)
{
    const char *text = "";
    for (size_t i = 0; i < sizeof admin_doc_json_texts / sizeof admin_doc_json_texts[0]; i++) {
        text = strcmp(admin_doc_json_texts[i][0], field) == 0 ? admin_doc_json_texts[i][1] : text;
    }
    fputc('"', out);
    for (; *text != '\0'; text++) {
        fputs(*text == '"' ? "\\" : "", out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void admin_doc_json_message(const ProtobufCMessageDescriptor *type, FILE *out);

static void admin_doc_json_value(const ProtobufCFieldDescriptor *field, FILE *out)
{
    size_t len = strlen(field->name);
    bool is_time = len > 3 && strcmp(field->name + len - 3, "_ms") == 0 &&
                   (strncmp(field->name, "time", 4) == 0 || strncmp(field->name, "since", 5) == 0 ||
                    strstr(field->name, "created") != NULL ||
                    strstr(field->name, "joined") != NULL || strstr(field->name, "added") != NULL);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        admin_doc_json_text(field->name, out);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        admin_doc_json_message(field->descriptor, out);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        fputs("false", out);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        fputs("1.5", out);
        break;
    default:
        fputs(is_time ? "1795417219000" : "2", out);
    }
}

static void admin_doc_json_message(const ProtobufCMessageDescriptor *type, FILE *out)
{
    fputc('{', out);
    for (unsigned f = 0; f < type->n_fields; f++) {
        const ProtobufCFieldDescriptor *field = &type->fields[f];
        bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
        fprintf(out, "%s\"%s\":%s", f > 0 ? "," : "", field->name, is_list ? "[" : "");
        admin_doc_json_value(field, out);
        fputs(is_list ? "]" : "", out);
    }
    fputc('}', out);
}

bool admin_doc_json(const struct verb *verb, FILE *out)
{
    char name[64];
    const ProtobufCMessageDescriptor *reply = NULL;
    verb_full_name(verb, name, sizeof name);
    for (size_t i = 0; i < sizeof admin_doc_json_own / sizeof admin_doc_json_own[0]; i++) {
        reply = strcmp(admin_doc_json_own[i].verb, name) == 0 ? admin_doc_json_own[i].reply : reply;
    }
    if (verb->method != NULL) {
        reply = protobuf_c_service_descriptor_get_method_by_name(
                    &hgtp__control__control__descriptor, verb->method)
                    ->output;
    }
    if (reply != NULL) {
        admin_doc_json_message(reply, out);
    }
    return reply != NULL;
}
