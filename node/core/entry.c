/* SPDX-License-Identifier: MIT */
/*
 * entry: entries of room logs in memory, their wording as notices (notice.def) and their encoding
 * for each kind of connection. What is sent to whom is decided elsewhere.
 */
#include "entry.h"

#include "proto/talk_text.h"

#define ENTRY_WORDS_MAX 2048 /* of a notice: two names and what stands around them */

static const char *const entry_kind_words[ENTRY_KIND_COUNT] = {
    "message",
#define NOTICE(kind, en, ko) #kind,
#include "notice.def"
    "closed",
    "",
};

static const char *const entry_wordings[ENTRY_KIND_COUNT][NOTICE_LANGUAGE_COUNT] = {
    {"%t", "%t"},
#define NOTICE(kind, en, ko) {en, ko},
#include "notice.def"
    {"", ""},
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
            for (int format = 0; format < FORMAT_COUNT; format++) {
                frame_unref(entry->frames[format]);
            }
            free(entry);
        }
    }
}

size_t entry_bytes(const struct entry *entry)
{
    return sizeof *entry + 4 * (entry->who.len + entry->text.len);
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

/* What an entry says, in words. What is nothing but its text may be longer than a wording. */
static struct bytes entry_words(const struct entry *entry, enum notice_language language,
                                struct sink *worded)
{
    const char *wording = entry_wordings[entry->kind][language];
    if (strcmp(wording, "%t") == 0) {
        return entry->text;
    }
    entry_word(entry, wording, worded);
    return sink_fits(worded) ? sink_bytes(worded) : bytes_of(NULL, 0);
}

struct entry_form {
    const struct entry *entry;
    struct bytes room_name;
    struct bytes words;
};

static void entry_write_push(const void *what, struct sink *out)
{
    const struct entry_form *form = what;
    const struct entry *entry = form->entry;
    if (entry->kind == ENTRY_message) {
        push_message_body(entry->who, form->words, entry->sent_unix_ms, out);
    } else {
        push_notice_body(form->words, out);
    }
}

static void entry_write_text(const void *what, struct sink *out)
{
    const struct entry_form *form = what;
    const struct entry *entry = form->entry;
    const struct talk_text_entry text = {.room = form->room_name,
                                         .seq = entry->seq,
                                         .event = bytes_str(entry_kind_words[entry->kind]),
                                         .user = entry->who,
                                         .text = form->words,
                                         .time_unix_ms = entry->time_unix_ms};
    talk_text_entry(&text, out);
}

struct frame *entry_frame(struct entry *entry, enum format format, struct bytes room_name,
                          const char *epoch, enum notice_language language)
{
    if (entry->frames[format] == NULL) {
        uint8_t storage[ENTRY_WORDS_MAX];
        struct sink worded = sink_into(storage, sizeof storage);
        const struct entry_form form = {entry, room_name, entry_words(entry, language, &worded)};
        const struct frame_place place = {epoch, entry->seq};
        struct frame *frame =
            frames_text(format, entry->seq != 0 ? &place : NULL,
                        format == FORMAT_PUSH ? entry_write_push : entry_write_text, &form);
        if (frame != NULL) {
            frame->logged_unix_ms = entry->time_unix_ms;
        }
        entry->frames[format] = frame;
    }
    return entry->frames[format];
}

void entry_text(const struct entry *entry, struct bytes room_name, enum notice_language language,
                struct sink *out)
{
    uint8_t storage[ENTRY_WORDS_MAX];
    struct sink worded = sink_into(storage, sizeof storage);
    const struct entry_form form = {entry, room_name, entry_words(entry, language, &worded)};
    entry_write_text(&form, out);
}
