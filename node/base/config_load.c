/* SPDX-License-Identifier: MIT */
/*
 * config_load: reads the settings from their sources, words what is wrong with them, and takes
 * changes over on reload. What a value must look like is config_check.c's business, what a misspelt
 * name may have meant config_names.c's.
 *
 * Files go through libinih, which would take continued lines, comments behind values and text
 * behind a section; the reader below lets only lines through that mean one thing. A variable is
 * ours when its name begins with HGTP_, one of our sections in capitals, and an underscore; all
 * others are left alone.
 */
#include "node/base/config.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include <ini.h>

#include "node/base/config_table.h"
#include "node/base/secret_file.h"
#include "proto/utf8.h"

#define CONFIG_LINE_MAX_BYTES   4096
#define CONFIG_SOURCE_MAX_BYTES 192 /* shown of "FILE:LINE" and the like */
#define CONFIG_SHOWN_MAX_BYTES  48  /* shown of a value */
#define CONFIG_BLANKS           " \t\r\n\v\f"
#define CONFIG_KEY_LETTERS      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

/* What one call of config_load works with. */
struct config_load {
    struct config *config;
    char *error; /* CONFIG_ERROR_BYTES; empty: nothing is wrong so far */
    const char *path;
    FILE *file;
    int line;
    int set_in[CONFIG_ROW_COUNT]; /* line of the file; 0: not set there */
};

/* Errors --------------------------------------------------------------------------------------- */

/* Only the first error counts. Always false, to be returned. */
__attribute__((format(printf, 3, 4))) static bool
config_fail(struct config_load *load, const char *source, const char *format, ...)
{
    if (load->error[0] != '\0') {
        return false;
    }
    int used = snprintf(load->error, CONFIG_ERROR_BYTES, "%s: ", source);
    va_list args;
    va_start(args, format);
    (void)vsnprintf(load->error + used, CONFIG_ERROR_BYTES - (size_t)used, format, args);
    va_end(args);
    return false;
}

/* "FILE:LINE", of a long path its end; before the first line: the file as such. */
static void config_file_source(const struct config_load *load, char out[CONFIG_SOURCE_MAX_BYTES])
{
    size_t len = strlen(load->path);
    size_t room = CONFIG_SOURCE_MAX_BYTES - 16;
    const char *path = len > room ? load->path + len - room : load->path;
    const char *cut = len > room ? "..." : "";
    if (load->line > 0) {
        (void)snprintf(out, CONFIG_SOURCE_MAX_BYTES, "%s%.*s:%d", cut, (int)room, path, load->line);
    } else {
        (void)snprintf(out, CONFIG_SOURCE_MAX_BYTES, "%s%.*s", cut, (int)room, path);
    }
}

__attribute__((format(printf, 2, 3))) static bool config_fail_line(struct config_load *load,
                                                                   const char *format, ...)
{
    char source[CONFIG_SOURCE_MAX_BYTES];
    char what[CONFIG_ERROR_BYTES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(what, sizeof what, format, args);
    va_end(args);
    config_file_source(load, source);
    return config_fail(load, source, "%s", what);
}

/* The start of a value, fit for one line. */
static void config_shown(const char *value, char out[CONFIG_SHOWN_MAX_BYTES + 4])
{
    size_t len = strlen(value);
    size_t shown = len;
    if (len > CONFIG_SHOWN_MAX_BYTES) {
        shown = CONFIG_SHOWN_MAX_BYTES;
        while (shown > 0 && ((unsigned char)value[shown] & 0xc0) == 0x80) {
            shown--; /* not within a UTF-8 sequence */
        }
    }
    for (size_t i = 0; i < shown; i++) {
        out[i] = (unsigned char)value[i] < ' ' || value[i] == 0x7f ? '?' : value[i];
    }
    memcpy(out + shown, len > shown ? "..." : "", len > shown ? 4 : 1);
}

/* Unknown names -------------------------------------------------------------------------------- */

/* No value is shown: the name may be that of a secret, misspelt. */
static bool config_fail_unknown(struct config_load *load, const char *source, const char *section,
                                const char *key)
{
    char list[CONFIG_ERROR_BYTES];
    char hint[64] = "";
    bool is_section = config_names_section(section);
    const char *nearest =
        is_section ? config_names_nearest(section, key) : config_names_nearest(NULL, section);
    config_names_list(is_section ? section : NULL, list, sizeof list);
    if (!is_section) {
        if (nearest != NULL) {
            (void)snprintf(hint, sizeof hint, " (did you mean '%s'?)", nearest);
        }
        return config_fail(load, source, "unknown section '%.40s'%s; the sections are %s", section,
                           hint, list);
    }
    if (nearest != NULL) {
        (void)snprintf(hint, sizeof hint, " (did you mean '%s.%s'?)", section, nearest);
    }
    return config_fail(load, source, "unknown key '%s.%.40s'%s; [%s] takes %s", section, key, hint,
                       section, list);
}

/* Values --------------------------------------------------------------------------------------- */

static bool config_fail_value(struct config_load *load, const char *source,
                              const struct config_row *row, const char *value)
{
    char allowed[CONFIG_ALLOWED_BYTES];
    char shown[CONFIG_SHOWN_MAX_BYTES + 4];
    config_print_allowed(row, allowed);
    if (config_check_is_secret(row, value)) {
        return config_fail(load, source, "%s.%s must be %s; what it is instead is secret",
                           row->section, row->key, allowed);
    }
    config_shown(value, shown);
    return config_fail(load, source, "%s.%s must be %s, not '%s'", row->section, row->key, allowed,
                       shown);
}

static bool config_set(struct config_load *load, const char *source, const struct config_row *row,
                       const char *value)
{
    value += strspn(value, CONFIG_BLANKS);
    size_t len = strlen(value);
    while (len > 0 && strchr(CONFIG_BLANKS, value[len - 1]) != NULL) {
        len--;
    }
    char *trimmed = strndup(value, len);
    enum config_taken taken =
        trimmed != NULL ? config_check_take(row, trimmed, load->config) : CONFIG_NO_MEMORY;
    if (taken == CONFIG_REFUSED) {
        config_fail_value(load, source, row, trimmed);
    } else if (taken == CONFIG_NO_MEMORY) {
        config_fail(load, source, "out of memory");
    }
    free(trimmed);
    return taken == CONFIG_TAKEN;
}

static bool config_load_defaults(struct config_load *load)
{
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        if (!config_set(load, "config.def", &config_rows[i], config_rows[i].fallback)) {
            return false;
        }
    }
    return true;
}

/* File ----------------------------------------------------------------------------------------- */

/* True for a blank line, a comment, [section] and key = value; `line` has no blanks at its ends. */
static bool config_line_is_sound(const char *line)
{
    if (line[0] == '\0' || line[0] == '#' || line[0] == ';') {
        return true;
    }
    bool is_section = line[0] == '[';
    const char *name = line + is_section;
    size_t len = strspn(name, CONFIG_KEY_LETTERS);
    const char *rest = name + len;
    if (is_section) {
        return len > 0 && strcmp(rest, "]") == 0;
    }
    return len > 0 && rest[strspn(rest, CONFIG_BLANKS)] == '=';
}

/* Cuts blanks, and a byte order mark in the first line: what is indented would continue a value. */
static void config_line_trim(const struct config_load *load, char *line)
{
    size_t start = load->line == 1 ? (size_t)(utf8_past_mark(line) - line) : 0;
    start += strspn(line + start, CONFIG_BLANKS);
    size_t len = strlen(line + start);
    memmove(line, line + start, len + 1);
    while (len > 0 && strchr(CONFIG_BLANKS, line[len - 1]) != NULL) {
        line[--len] = '\0';
    }
}

/* ini_reader: one line into `line`; NULL at the end of the file and after an error. */
static char *config_on_read(char *line, int cap, void *arg)
{
    struct config_load *load = arg;
    int len = 0;
    int byte = load->error[0] != '\0' ? EOF : getc(load->file);
    if (byte == EOF) {
        return NULL;
    }
    load->line++;
    for (; byte != EOF && byte != '\n'; byte = getc(load->file)) {
        if (byte == '\0') {
            config_fail_line(load, "the line holds a NUL byte; settings are text");
            return NULL;
        }
        if (len == cap - 1) {
            config_fail_line(load, "the line is longer than %d bytes", cap - 1);
            return NULL;
        }
        line[len++] = (char)byte;
    }
    line[len] = '\0';
    config_line_trim(load, line);
    if (!config_line_is_sound(line)) {
        config_fail_line(load,
                         "the line is malformed; allowed are [section], key = value, and comments "
                         "that begin with # or ;");
        return NULL;
    }
    return line;
}

/* ini_handler */
static int config_on_pair(void *arg, const char *section, const char *key, const char *value)
{
    struct config_load *load = arg;
    char source[CONFIG_SOURCE_MAX_BYTES];
    config_file_source(load, source);
    if (section[0] == '\0') {
        return config_fail(load, source,
                           "'%.40s' stands before any section; put a line like [%s] above it", key,
                           config_rows[0].section);
    }
    const struct config_row *row = config_names_find(section, key);
    if (row == NULL) {
        return config_fail_unknown(load, source, section, key);
    }
    int *set_in = &load->set_in[row - config_rows];
    if (*set_in != 0) {
        return config_fail(load, source, "%s.%s is set a second time; line %d has it already",
                           section, key, *set_in);
    }
    *set_in = load->line;
    if (value[0] != '\0' && config_check_is_secret(row, value) &&
        !secret_file_is_private(load->file)) {
        return config_fail(load, source, "%s.%s is a secret, and the file " SECRET_FILE_HINT,
                           section, key);
    }
    return config_set(load, source, row, value);
}

static bool config_load_file(struct config_load *load)
{
    load->file = fopen(load->path, "re");
    if (load->file == NULL) {
        return config_fail_line(load, "cannot be opened: %s", strerror(errno));
    }
    ini_allow_inline_comments = false; /* a key may hold a semicolon */
    ini_stop_on_first_error = true;
    ini_max_line = CONFIG_LINE_MAX_BYTES;
    errno = 0;
    int refused_line = ini_parse_stream(config_on_read, load, config_on_pair, load);
    if (ferror(load->file) != 0) {
        config_fail_line(load, "cannot be read: %s", strerror(errno));
    } else if (refused_line != 0) {
        config_fail_line(load, "the line cannot be understood");
    }
    (void)fclose(load->file);
    return load->error[0] == '\0';
}

/* Environment and command line ----------------------------------------------------------------- */

/* Small letters to capitals and back, so that a variable in small letters is none of ours. */
static char config_swap_case(char letter)
{
    int byte = (unsigned char)letter;
    return (char)(isupper(byte) ? tolower(byte) : toupper(byte));
}

static bool config_load_variable(struct config_load *load, const char *variable)
{
    static const char prefix[] = "HGTP_";
    char name[2 * CONFIG_NAME_BYTES];
    char source[CONFIG_SOURCE_MAX_BYTES];
    const char *value = strchr(variable, '=');
    if (value == NULL || strncmp(variable, prefix, sizeof prefix - 1) != 0) {
        return true;
    }
    (void)snprintf(source, sizeof source, "environment %.*s", (int)(value - variable), variable);
    size_t len = 0;
    for (const char *at = variable + sizeof prefix - 1; at < value && len < sizeof name - 1; at++) {
        name[len++] = config_swap_case(*at);
    }
    name[len] = '\0';
    char *key = strchr(name, '_');
    if (key == NULL) {
        return true;
    }
    *key++ = '\0';
    if (!config_names_section(name)) {
        return true;
    }
    const struct config_row *row = config_names_find(name, key);
    return row != NULL ? config_set(load, source, row, value + 1)
                       : config_fail_unknown(load, source, name, key);
}

/* `from`: what its name stands behind in an error. */
static bool config_load_set(struct config_load *load, const char *from, const char *set)
{
    char name[2 * CONFIG_NAME_BYTES];
    char source[CONFIG_SOURCE_MAX_BYTES];
    /* Without a '=', what follows the name may be a secret: it is not shown. */
    size_t len = strspn(set, CONFIG_KEY_LETTERS);
    (void)snprintf(name, sizeof name, "%.*s", (int)(len < sizeof name ? len : sizeof name - 1),
                   set);
    (void)snprintf(source, sizeof source, "%s%s", from, name);
    char *key = strchr(name, '.');
    if (set[len] != '=' || key == NULL) {
        return config_fail(load, source, "section.key=value is expected, as in log.level=debug");
    }
    *key++ = '\0';
    const struct config_row *row = config_names_find(name, key);
    return row != NULL ? config_set(load, source, row, set + len + 1)
                       : config_fail_unknown(load, source, name, key);
}

/* All ------------------------------------------------------------------------------------------ */

static bool config_load_sources(struct config_load *load, const struct config_sources *sources)
{
    bool is_good = config_load_defaults(load) && (load->path == NULL || config_load_file(load));
    char *const *variables = sources->environment;
    for (size_t i = 0; is_good && variables != NULL && variables[i] != NULL; i++) {
        is_good = config_load_variable(load, variables[i]);
    }
    for (size_t i = 0; is_good && i < sources->set_count; i++) {
        is_good = config_load_set(load, "--set ", sources->sets[i]);
    }
    return is_good;
}

bool config_load(const struct config_sources *sources, struct config *ret_config, char *ret_error)
{
    struct config_load load = {.config = ret_config, .error = ret_error, .path = sources->file};
    memset(ret_config, 0, sizeof *ret_config);
    ret_error[0] = '\0';
    if (config_load_sources(&load, sources)) {
        return true;
    }
    config_fini(ret_config);
    return false;
}

/* False when memory is out; the row is then as it was. */
static bool config_take_over(struct config *live, const struct config *fresh,
                             const struct config_row *row)
{
    void *to = config_field(live, row);
    const void *from = config_field_const(fresh, row);
    switch (row->kind) {
    case CONFIG_KIND_INT:
        *(int64_t *)to = *(const int64_t *)from;
        return true;
    case CONFIG_KIND_ENUM:
        *(int *)to = *(const int *)from;
        return true;
    case CONFIG_KIND_STR:
        break;
    }
    char *copy = strdup(*(char *const *)from);
    if (copy == NULL) {
        return false;
    }
    free(*(char **)to);
    *(char **)to = copy;
    return true;
}

static bool config_differs(const struct config *a, const struct config *b,
                           const struct config_row *row)
{
    const void *field_a = config_field_const(a, row);
    const void *field_b = config_field_const(b, row);
    switch (row->kind) {
    case CONFIG_KIND_INT:
        return *(const int64_t *)field_a != *(const int64_t *)field_b;
    case CONFIG_KIND_ENUM:
        return *(const int *)field_a != *(const int *)field_b;
    case CONFIG_KIND_STR:
        break;
    }
    return strcmp(*(char *const *)field_a, *(char *const *)field_b) != 0;
}

void config_reload(struct config *live, const struct config *fresh,
                   void (*on_change)(const char *key, bool applied, void *arg), void *arg)
{
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        if (config_differs(live, fresh, row)) {
            char name[CONFIG_NAME_BYTES];
            (void)snprintf(name, sizeof name, "%s.%s", row->section, row->key);
            bool is_applied = row->reloads && config_take_over(live, fresh, row);
            on_change(name, is_applied, arg);
        }
    }
}

bool config_change(const struct config *live, const char *key, const char *value,
                   struct config *ret_changed, char *ret_error)
{
    struct config_load load = {.config = ret_changed, .error = ret_error};
    char set[CONFIG_NAME_BYTES + CONFIG_VALUE_MAX_BYTES + 2];
    memset(ret_changed, 0, sizeof *ret_changed);
    ret_error[0] = '\0';
    bool is_good = true;
    for (size_t i = 0; is_good && i < CONFIG_ROW_COUNT; i++) {
        is_good = config_take_over(ret_changed, live, &config_rows[i]) ||
                  config_fail(&load, key, "out of memory");
    }
    int len = snprintf(set, sizeof set, "%s=%s", key, value);
    if (is_good && (len < 0 || (size_t)len >= sizeof set)) {
        is_good = config_fail(&load, "value", "it is too long");
    }
    if (is_good && config_load_set(&load, "", set)) {
        return true;
    }
    config_fini(ret_changed);
    return false;
}

void config_fini(struct config *config)
{
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        if (config_rows[i].kind == CONFIG_KIND_STR) {
            free(*(char **)config_field(config, &config_rows[i]));
        }
    }
    memset(config, 0, sizeof *config);
}
