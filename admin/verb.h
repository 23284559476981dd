/* SPDX-License-Identifier: MIT */
/*
 * verb: the one table of what hgtpctl can do. Parsing, help, the manual page, completion,
 * docs/admin.md and tables come from it; verb_table.c is the place to add a verb.
 */
#ifndef ADMIN_VERB_H
#define ADMIN_VERB_H

#include "admin/output.h"

#define VERB_WORDS_MAX   4
#define VERB_OPTIONS_MAX 12

struct cli;

/** What a value is: how it is checked, and what completes it. */
enum verb_kind {
    KIND_TEXT,
    KIND_FLAG, /* no value */
    KIND_NUMBER,
    KIND_DURATION, /* seconds, or a number with ms, s, m, h or d; the field is in ms */
    KIND_CHOICE,
    KIND_ROOM,
    KIND_USER,
    KIND_NODE,
    KIND_ACCOUNT,
    KIND_SETTING,
    KIND_CONTEXT,
    KIND_URL,
    KIND_FILE,
};

/** Least role that may use a verb on a node with tokens. */
enum verb_role { ROLE_NONE, ROLE_VIEW, ROLE_OPERATE, ROLE_ADMINISTER };

struct verb_word {
    const char *name;  /* as help shows it; NULL: the end */
    const char *field; /* of the request; NULL: the verb's own code takes it */
    enum verb_kind kind;
    const char *help;
    bool is_optional; /* and so is what follows */
    bool may_be_empty;
    bool is_many; /* the last word, as often as it is given */
    const char *choices;
};

struct verb_option {
    const char *name;  /* without dashes; of one letter: with one dash. NULL: the end */
    const char *value; /* what help calls its value; NULL: it has none */
    const char *field; /* of the request; NULL: the verb's own code takes it */
    enum verb_kind kind;
    const char *help;
    const char *choices; /* of KIND_CHOICE, with blanks between them */
};

struct verb {
    const char *group; /* NULL: it stands alone */
    const char *name;
    const char *method; /* of the control service; NULL: only `run` knows */
    const char *help;   /* one line */
    enum verb_role role;
    bool is_destructive; /* has --dry-run and --yes, and asks */
    struct verb_word words[VERB_WORDS_MAX];
    struct verb_option options[VERB_OPTIONS_MAX];
    struct output_view view;
    int (*run)(struct cli *cli); /* NULL: `method` is called and its reply printed */
    /** Exit code for a reply that tells of failures; NULL: it can't. */
    int (*judge)(const ProtobufCMessage *reply);
    const char *example;
};

extern const struct verb verbs[];
extern const size_t verb_count;

struct verb_group {
    const char *name;
    const char *help;
};
extern const struct verb_group verb_groups[];
extern const size_t verb_group_count;

/** Options of all verbs, in the order of enum verb_global; the end has no name. */
enum verb_global {
    GLOBAL_URL,
    GLOBAL_CONTEXT,
    GLOBAL_TOKEN_FILE,
    GLOBAL_CA_FILE,
    GLOBAL_TLS_NAME,
    GLOBAL_OUTPUT,
    GLOBAL_TIMEOUT,
    GLOBAL_HELP,
    GLOBAL_SHORT_HELP,
    GLOBAL_VERSION,
    GLOBAL_COUNT
};
extern const struct verb_option verb_globals[];
/** Those of destructive verbs: --dry-run, --yes. */
enum verb_care { CARE_DRY_RUN, CARE_YES, CARE_COUNT };
extern const struct verb_option verb_cares[];

/** NULL: there is none. `group` NULL: one that stands alone. */
const struct verb *verb_find(const char *group, const char *name);
bool verb_is_group(const char *word);

/**
 * The known word that looks most like `word`, among verbs of `group`, or, if that is NULL, among
 * groups and verbs that stand alone. NULL: nothing does.
 */
const char *verb_like(const char *group, const char *word);
/** The same among options: those of `verb`, which may be NULL, and of all. */
const char *verb_like_option(const struct verb *verb, const char *word);
/** The same among `choices`. The answer is copied to `ret_text`; false: nothing does. */
bool verb_like_choice(const char *choices, const char *word, char ret_text[32]);

/** Place of the last word that the verb takes; 0 also where it takes none. */
size_t verb_last_word(const struct verb *verb);

/* Names put together, for messages and documents; `text` is cut at `cap`. */
void verb_full_name(const struct verb *verb, char *text, size_t cap); /* "room list" */
void verb_usage(const struct verb *verb, char *text, size_t cap);     /* "room show ROOM" */
void verb_option_name(const struct verb_option *option, char *text, size_t cap); /* "--limit N" */
const char *verb_role_name(enum verb_role role);

/* Help, as people ask for it. */
void verb_help_all(FILE *out);
void verb_help_group(const char *group, FILE *out);
void verb_help(const struct verb *verb, FILE *out);

#endif
