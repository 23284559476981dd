/* SPDX-License-Identifier: MIT */
/*
 * entry: entries of room logs in memory, their wording as notices (notice.def) and their encoding
 * for HTTP push. What is sent to whom is decided elsewhere.
 */
#include "entry.h"

static const char *const entry_kind_words[ENTRY_KIND_COUNT] = {
    "message",
#define NOTICE(kind, en, ko) #kind,
#include "notice.def"
    "",
};

static const char *const entry_wordings[ENTRY_KIND_COUNT][NOTICE_LANGUAGE_COUNT] = {
    {"%t", "%t"},
#define NOTICE(kind, en, ko) {en, ko},
#include "notice.def"
    {"", ""},
};

enum entry_kind entry_kind_of(struct bytes word)
{
    int kind = 0;
    while (kind < ENTRY_unknown && !bytes_equal(word, bytes_str(entry_kind_words[kind]))) {
        kind++;
    }
    return (enum entry_kind)kind;
}

struct entry *entry_new(uint64_t seq, enum entry_kind kind, struct bytes who, struct bytes text,
                        int64_t time_unix_ms, int64_t sent_unix_ms)
{
    struct entry *entry = malloc(sizeof *entry + who.len + text.len);
    if (entry == NULL) {
        return NULL;
    }
    *entry = (struct entry){.refs = 1,
                            .seq = seq,
                            .kind = kind,
                            .time_unix_ms = time_unix_ms,
                            .sent_unix_ms = sent_unix_ms};
    struct sink data = sink_into(entry->data, who.len + text.len);
    sink_put(&data, who);
    sink_put(&data, text);
    entry->who = bytes_of(entry->data, who.len);
    entry->text = bytes_of(entry->data + who.len, text.len);
    return entry;
}

struct entry *entry_ref(struct entry *entry)
{
    entry->refs++;
    return entry;
}

void entry_unref(struct entry *entry)
{
    if (entry != NULL) {
        assert(entry->refs > 0);
        if (--entry->refs == 0) {
            frame_unref(entry->push_body);
            free(entry);
        }
    }
}

size_t entry_bytes(const struct entry *entry)
{
    return sizeof *entry + 3 * (entry->who.len + entry->text.len);
}

enum push_type entry_push_type(const struct entry *entry)
{
    return entry->kind == ENTRY_message ? PUSH_MESSAGE : PUSH_NOTICE;
}

/* Writes the wording with %u and %t filled in. */
static void entry_word(const struct entry *entry, const char *wording, struct sink *out)
{
    for (const char *at = wording; *at != '\0'; at++) {
        if (at[0] == '%' && (at[1] == 'u' || at[1] == 't')) {
            sink_put(out, at[1] == 'u' ? entry->who : entry->text);
            at++;
        } else {
            sink_u8(out, (uint8_t)*at);
        }
    }
}

static void entry_encode(const struct entry *entry, struct bytes wording, struct sink *out)
{
    if (entry->kind == ENTRY_message) {
        push_message_body(entry->who, entry->text, entry->sent_unix_ms, out);
    } else {
        push_notice_body(wording, out);
    }
}

struct frame *entry_push_body(struct entry *entry, enum notice_language language)
{
    if (entry->push_body != NULL) {
        return entry->push_body;
    }
    uint8_t words[2048];
    struct sink worded = sink_into(words, sizeof words);
    if (entry->kind != ENTRY_message) {
        entry_word(entry, entry_wordings[entry->kind][language], &worded);
        if (!sink_fits(&worded)) {
            worded.len = 0;
        }
    }
    struct sink measure = sink_into(NULL, 0);
    entry_encode(entry, sink_bytes(&worded), &measure);
    struct frame *body = frame_new(measure.len);
    if (body != NULL) {
        struct sink out = sink_into(body->data, body->len);
        entry_encode(entry, sink_bytes(&worded), &out);
        entry->push_body = body;
    }
    return body;
}
