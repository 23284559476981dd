/* SPDX-License-Identifier: MIT */
/*
 * admin_doc_json: walks a reply's descriptor and writes each field with a value of its kind, so
 * that the examples name the fields that there are and no others. What changes answer with, all the
 * same message, is told for each. The values are made up.
 */
#include "admin/admin_doc_json.h"

#include <assert.h>
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

/* What changes come to, and what is said of them. */
static const struct {
    const char *verb, *what, *names, *state; /* names: as they stand in JSON */
    unsigned users, rooms;
    bool is_dry;
} admin_doc_json_done[] = {
    {"node drain", "draining n1: 214 sessions go to 2 other nodes", "", "draining", 214, 0, false},
    {"node resume", "resumed n1", "", "serving", 0, 0, false},
    {"room create", "created the room tea for 50 members", "\"tea\"", "done", 0, 1, false},
    {"room delete", "would delete the room tea with 2 users in it", "\"alice\",\"bob\"", "", 2, 1,
     true},
    {"room limit", "set the limit of the room tea from 50 to 200 members, 2 are in it", "\"tea\"",
     "done", 0, 1, false},
    {"room invite", "asked bob into the room tea", "\"bob\"", "asked", 1, 1, false},
    {"room kick", "removed bob from the room tea", "\"bob\"", "done", 1, 1, false},
    {"room notice", "told 2 users in the room tea", "\"alice\",\"bob\"", "done", 2, 1, false},
    {"session kick", "would end the session of bob", "\"bob\"", "", 1, 0, true},
    {"notice", "told 214 users", "", "done", 214, 0, false},
    {"account remove", "would remove the account bob and its session", "\"bob\"", "", 1, 0, true},
};

/* What stands in a field of that name: of a message, or of whatever message. */
static const char *const admin_doc_json_texts[][2] = {
    {"Account.key", "sealed"},
    {"AccountKey.key", "674obauyvhzjsywqrh6kchdll62gbbuq"},
    {"Context.name", "prod"},
    {"Finding.fixed", "no"},
    {"Finding.means", "nobody can take the name"},
    {"Finding.what", "un:carol leads to sx/P09AQ, which has not this name"},
    {"Node.id", "n1"},
    {"NodeResult.result", "changed"},
    {"Event.id", "1795417219000-0"},
    {"Event.node", "n1@7a73f0c1"},
    {"Restart.result", "restarted"},
    {"Room.id", "kO0CMyFTSN2h"},
    {"Room.kind", "users"},
    {"Session.id", "c6dkHX0n"},
    {"Session.state", "TALK"},
    {"Setting.default_value", "info"},
    {"Setting.help", "Least important level that is written."},
    {"Setting.key", "log.level"},
    {"Setting.value", "debug"},
    {"TopReply.view", "nodes"},
    {"Versions.node", "n1@7a73f0c1"},
    {"Completion.shell", "bash"},
    {"Completion.script", "..."},
    {"actor", "ops@desk"},
    {"added_by", "ops@desk"},
    {"address", "10.0.0.9:40123"},
    {"args", "{\"room\":\"tea\"}"},
    {"auth", "hmac"},
    {"bus", "tcp://10.0.0.5:9200"},
    {"check", "orphan-name"},
    {"checks", "orphan-name"},
    {"cursor", "1795417219000-0"},
    {"event", "ctl_room_delete"},
    {"help", "Sessions whose home is this node."},
    {"hgtp", "10.0.0.5:9000"},
    {"http", "10.0.0.5:8080"},
    {"incarnation", "7a73f0c1"},
    {"kind", "message"},
    {"manager", "alice"},
    {"name", "hgtp_sessions"},
    {"node", "n1"},
    {"nodes", "n1: 2"},
    {"realm", "HGTP_SERVICE"},
    {"result", "done"},
    {"room", "tea"},
    {"severity", "warning"},
    {"state", "serving"},
    {"text", "hello"},
    {"token_file", "/home/ops/prod.token"},
    {"tool", "0.1.0+d13ecca"},
    {"transport", "websocket"},
    {"url", "ipc:///run/hgtp/control.sock"},
    {"urls", "tcp://10.0.0.5:9300"},
    {"user", "alice"},
    {"version", "0.1.0+d13ecca"},
};

static const char *admin_doc_json_find(const char *message, const char *field)
{
    char of_message[96];
    const char *general = "";
    snprintf(of_message, sizeof of_message, "%s.%s", message, field);
    for (size_t i = 0; i < sizeof admin_doc_json_texts / sizeof admin_doc_json_texts[0]; i++) {
        const char *const *row = admin_doc_json_texts[i];
        if (strcmp(row[0], of_message) == 0) {
            return row[1];
        }
        general = strcmp(row[0], field) == 0 ? row[1] : general;
    }
    return general;
}

static void admin_doc_json_text(const char *text, FILE *out)
{
    fputc('"', out);
    for (; *text != '\0'; text++) {
        fputs(*text == '"' ? "\\" : "", out);
        fputc(*text, out);
    }
    fputc('"', out);
}

static void admin_doc_json_message(const ProtobufCMessageDescriptor *type, FILE *out);

static void admin_doc_json_value(const ProtobufCMessageDescriptor *type,
                                 const ProtobufCFieldDescriptor *field, FILE *out)
{
    size_t len = strlen(field->name);
    bool is_time = len > 3 && strcmp(field->name + len - 3, "_ms") == 0 &&
                   (strncmp(field->name, "time", 4) == 0 || strncmp(field->name, "since", 5) == 0 ||
                    strstr(field->name, "created") != NULL ||
                    strstr(field->name, "joined") != NULL || strstr(field->name, "added") != NULL);
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
        admin_doc_json_text(admin_doc_json_find(type->short_name, field->name), out);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        admin_doc_json_message(field->descriptor, out);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        fputs(strcmp(field->name, "ok") == 0 ? "true" : "false", out);
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
        admin_doc_json_value(type, field, out);
        fputs(is_list ? "]" : "", out);
    }
    fputc('}', out);
}

/* False: what the verb does is none of those. */
static bool admin_doc_json_change(const char *verb, FILE *out)
{
    for (size_t i = 0; i < sizeof admin_doc_json_done / sizeof admin_doc_json_done[0]; i++) {
        if (strcmp(admin_doc_json_done[i].verb, verb) == 0) {
            assert(hgtp__control__done__descriptor.n_fields == 6);
            fprintf(out,
                    "{\"dry_run\":%s,\"what\":\"%s\",\"users\":%u,\"rooms\":%u,"
                    "\"names\":[%s],\"state\":\"%s\"}",
                    admin_doc_json_done[i].is_dry ? "true" : "false", admin_doc_json_done[i].what,
                    admin_doc_json_done[i].users, admin_doc_json_done[i].rooms,
                    admin_doc_json_done[i].names, admin_doc_json_done[i].state);
            return true;
        }
    }
    return false;
}

bool admin_doc_json(const struct verb *verb, FILE *out)
{
    char name[64];
    const ProtobufCMessageDescriptor *reply = NULL;
    verb_full_name(verb, name, sizeof name);
    if (admin_doc_json_change(name, out)) {
        return true;
    }
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
