/* SPDX-License-Identifier: MIT */
/*
 * context: the files of contexts. A line is a key, '=' and its value; one that begins with '#' is a
 * comment. Tokens themselves are not kept here.
 */
#include "admin/context.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTEXT_PATH_MAX 512

bool context_name_valid(const char *name)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t len = strlen(name);
    return len > 0 && len <= CONTEXT_NAME_MAX && name[0] != '.' && strspn(name, allowed) == len;
}

/* Where `below` is kept; false: there is no home. */
static bool context_path(const char *below, char path[CONTEXT_PATH_MAX])
{
    const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    int len;
    if (base != NULL && base[0] == '/') {
        len = snprintf(path, CONTEXT_PATH_MAX, "%s/hgtp%s", base, below);
    } else if (home != NULL && home[0] == '/') {
        len = snprintf(path, CONTEXT_PATH_MAX, "%s/.config/hgtp%s", home, below);
    } else {
        return false;
    }
    return len < CONTEXT_PATH_MAX;
}

static bool context_path_of(const char *name, char path[CONTEXT_PATH_MAX])
{
    char below[CONTEXT_NAME_MAX + 16];
    snprintf(below, sizeof below, "/contexts/%s", name);
    return context_name_valid(name) && context_path(below, path);
}

static bool context_fail(char *ret_error, const char *path, const char *why)
{
    snprintf(ret_error, CONTEXT_ERROR, "%.180s: %s", path, why);
    return false;
}

static bool context_unknown(char *ret_error, const char *name)
{
    snprintf(ret_error, CONTEXT_ERROR,
             "there is no context '%.64s': hgtpctl context list shows those there are", name);
    return false;
}

/* Reading -------------------------------------------------------------------------------------- */

static char *context_trim(char *text)
{
    text += strspn(text, " \t");
    size_t len = strlen(text);
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL) {
        text[--len] = '\0';
    }
    return text;
}

/* Where a key's value goes; NULL: no such key, or it has been there too often. */
static char *context_field(struct context *context, const char *key)
{
    if (strcmp(key, "url") == 0) {
        return context->url_count < CONTEXT_URLS_MAX ? context->urls[context->url_count++] : NULL;
    }
    return strcmp(key, "token_file") == 0 ? context->token_file
           : strcmp(key, "ca_file") == 0  ? context->ca_file
           : strcmp(key, "tls_name") == 0 ? context->tls_name
                                          : NULL;
}

/* What is wrong with a line; NULL: nothing. */
static const char *context_take(struct context *context, char *line)
{
    char *key = context_trim(line);
    char *equals = strchr(key, '=');
    if (key[0] == '\0' || key[0] == '#') {
        return NULL;
    }
    if (equals == NULL) {
        return "a line is a key, '=' and its value";
    }
    *equals = '\0';
    const char *value = context_trim(equals + 1);
    key = context_trim(key);
    if (strlen(value) >= CONTEXT_VALUE_MAX) {
        return "a value is too long";
    }
    char *field = context_field(context, key);
    if (field == NULL) {
        return strcmp(key, "url") == 0 ? "it has too many urls"
                                       : "a key is url, token_file, ca_file or tls_name";
    }
    snprintf(field, CONTEXT_VALUE_MAX, "%s", value);
    return NULL;
}

bool context_load(const char *name, struct context *ret_context, char *ret_error)
{
    char path[CONTEXT_PATH_MAX], line[CONTEXT_VALUE_MAX + 32];
    if (!context_path_of(name, path)) {
        return context_unknown(ret_error, name);
    }
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return errno == ENOENT ? context_unknown(ret_error, name)
                               : context_fail(ret_error, path, strerror(errno));
    }
    struct context *context = calloc(1, sizeof *context);
    const char *wrong = context == NULL ? "out of memory" : NULL;
    while (wrong == NULL && fgets(line, sizeof line, file) != NULL) {
        wrong = context_take(context, line);
    }
    (void)fclose(file);
    if (wrong == NULL && context->url_count == 0) {
        wrong = "it names no url";
    }
    if (wrong == NULL) {
        snprintf(context->name, sizeof context->name, "%s", name);
        *ret_context = *context;
    }
    free(context);
    return wrong == NULL || context_fail(ret_error, path, wrong);
}

bool context_exists(const char *name)
{
    char path[CONTEXT_PATH_MAX];
    return context_path_of(name, path) && access(path, F_OK) == 0;
}

void context_current(char ret_name[CONTEXT_NAME_MAX + 1])
{
    char path[CONTEXT_PATH_MAX], line[CONTEXT_NAME_MAX + 2] = "";
    FILE *file = context_path("/context", path) ? fopen(path, "re") : NULL;
    ret_name[0] = '\0';
    if (file != NULL) {
        bool is_read = fgets(line, sizeof line, file) != NULL;
        (void)fclose(file);
        const char *name = context_trim(line);
        if (is_read && context_name_valid(name)) {
            snprintf(ret_name, CONTEXT_NAME_MAX + 1, "%.*s", CONTEXT_NAME_MAX, name);
        }
    }
}

static int context_is_name(const struct dirent *entry)
{
    return context_name_valid(entry->d_name);
}

size_t context_names(char (*ret_names)[CONTEXT_NAME_MAX + 1], size_t max)
{
    char path[CONTEXT_PATH_MAX];
    struct dirent **entries;
    int count =
        context_path("/contexts", path) ? scandir(path, &entries, context_is_name, alphasort) : -1;
    for (int i = 0; i < count; i++) {
        if ((size_t)i < max) {
            snprintf(ret_names[i], CONTEXT_NAME_MAX + 1, "%.*s", CONTEXT_NAME_MAX,
                     entries[i]->d_name);
        }
        free(entries[i]);
    }
    if (count >= 0) {
        free(entries);
    }
    return count > 0 ? (size_t)count : 0;
}

/* Writing -------------------------------------------------------------------------------------- */

/* Every folder on the way to `path`. */
static void context_make_folders(const char *path)
{
    char folder[CONTEXT_PATH_MAX];
    for (const char *at = strchr(path + 1, '/'); at != NULL; at = strchr(at + 1, '/')) {
        snprintf(folder, sizeof folder, "%.*s", (int)(at - path), path);
        (void)mkdir(folder, 0700);
    }
}

/* `is_new`: not over one that is there. */
static bool context_write(const char *path, const char *text, bool is_new, char *ret_error)
{
    char draft[CONTEXT_PATH_MAX + 16];
    context_make_folders(path);
    snprintf(draft, sizeof draft, "%s.%u~", path, (unsigned)getpid());
    int fd = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return context_fail(ret_error, draft, strerror(errno));
    }
    size_t len = strlen(text);
    bool is_written = write(fd, text, len) == (ssize_t)len;
    is_written = close(fd) == 0 && is_written;
    if (is_written) {
        is_written = is_new ? link(draft, path) == 0 : rename(draft, path) == 0;
    }
    int error = errno;
    (void)unlink(draft);
    return is_written || context_fail(ret_error, path, strerror(error));
}

static void context_print(FILE *out, const char *key, const char *value)
{
    if (value[0] != '\0') {
        fprintf(out, "%s = %s\n", key, value);
    }
}

bool context_save(const struct context *context, char *ret_error)
{
    char path[CONTEXT_PATH_MAX];
    char *text = NULL;
    size_t size = 0;
    if (!context_name_valid(context->name)) {
        snprintf(ret_error, CONTEXT_ERROR,
                 "a name has 1 to %d letters, digits, '-', '_' or '.', and a '.' is not the first "
                 "of them: '%.80s'",
                 CONTEXT_NAME_MAX, context->name);
        return false;
    }
    if (!context_path_of(context->name, path)) {
        return context_fail(ret_error, "HOME", "is not set, or too long");
    }
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return context_fail(ret_error, path, strerror(errno));
    }
    for (size_t i = 0; i < context->url_count; i++) {
        fprintf(out, "url = %s\n", context->urls[i]);
    }
    context_print(out, "token_file", context->token_file);
    context_print(out, "ca_file", context->ca_file);
    context_print(out, "tls_name", context->tls_name);
    bool is_saved = fclose(out) == 0 && context_write(path, text, true, ret_error);
    free(text);
    return is_saved;
}

bool context_use(const char *name, char *ret_error)
{
    char path[CONTEXT_PATH_MAX], line[CONTEXT_NAME_MAX + 2];
    if (name[0] != '\0' && !context_exists(name)) {
        return context_unknown(ret_error, name);
    }
    if (!context_path("/context", path)) {
        return context_fail(ret_error, "HOME", "is not set, or too long");
    }
    if (name[0] == '\0') {
        return unlink(path) == 0 || errno == ENOENT ||
               context_fail(ret_error, path, strerror(errno));
    }
    snprintf(line, sizeof line, "%s\n", name);
    return context_write(path, line, false, ret_error);
}

bool context_remove(const char *name, char *ret_error)
{
    char path[CONTEXT_PATH_MAX], current[CONTEXT_NAME_MAX + 1];
    if (!context_path_of(name, path) || access(path, F_OK) != 0) {
        return context_unknown(ret_error, name);
    }
    context_current(current);
    if (strcmp(current, name) == 0 && !context_use("", ret_error)) {
        return false;
    }
    return unlink(path) == 0 || context_fail(ret_error, path, strerror(errno));
}
