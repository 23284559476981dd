/* SPDX-License-Identifier: MIT */
/*
 * config_print: shows the settings to people: as an INI file with their values, as an example file,
 * and as docs/configuration.md. What is printed as INI loads again to the same values; secrets are
 * never printed.
 */
#include <inttypes.h>

#include "node/base/config_table.h"

#define CONFIG_PRINT_COLUMNS 98

/* Words ---------------------------------------------------------------------------------------- */

/* "a, b or c" */
static void config_print_choices(const struct config_row *row, char *out)
{
    const char *choice;
    const char *next;
    int len;
    int next_len;
    size_t used = 0;
    for (int i = 0; config_check_choice(row, i, &choice, &len); i++) {
        bool is_last = !config_check_choice(row, i + 1, &next, &next_len);
        const char *glue = i == 0 ? "" : is_last ? " or " : ", ";
        used +=
            (size_t)snprintf(out + used, CONFIG_ALLOWED_BYTES - used, "%s%.*s", glue, len, choice);
    }
}

void config_print_allowed(const struct config_row *row, char *out)
{
    const char *empty = row->fallback[0] == '\0' ? ", or empty" : "";
    switch (row->kind) {
    case CONFIG_KIND_INT:
        (void)snprintf(out, CONFIG_ALLOWED_BYTES,
                       "a whole number from %" PRId64 " to %" PRId64 " (%s)", row->min, row->max,
                       row->unit);
        return;
    case CONFIG_KIND_ENUM:
        config_print_choices(row, out);
        return;
    case CONFIG_KIND_STR:
        break;
    }
    if (row->check != NULL) {
        (void)snprintf(out, CONFIG_ALLOWED_BYTES, "%s%s", row->allowed, empty);
    } else {
        (void)snprintf(out, CONFIG_ALLOWED_BYTES,
                       "text of at most %d bytes without control characters%s",
                       CONFIG_VALUE_MAX_BYTES, empty);
    }
}

static const char *config_print_fallback(const struct config_row *row)
{
    return row->fallback[0] != '\0' ? row->fallback : "empty";
}

static const char *config_print_taken(const struct config_row *row)
{
    return row->reloads ? "on reload (SIGHUP)" : "on restart";
}

/* INI ------------------------------------------------------------------------------------------ */

/* A comment in lines of bounded width. */
static void config_print_comment(FILE *out, const char *text)
{
    while (*text != '\0') {
        size_t len = strlen(text);
        if (len > CONFIG_PRINT_COLUMNS - 2) {
            const char *blank = memrchr(text, ' ', CONFIG_PRINT_COLUMNS - 1);
            len = blank != NULL ? (size_t)(blank - text) : len;
        }
        (void)fprintf(out, "# %.*s\n", (int)len, text);
        text += len;
        text += strspn(text, " ");
    }
}

static void config_print_about(FILE *out, const struct config_row *row)
{
    char allowed[CONFIG_ALLOWED_BYTES];
    char line[2 * CONFIG_ALLOWED_BYTES];
    config_print_allowed(row, allowed);
    (void)snprintf(line, sizeof line, "Default: %s. Allowed: %s. A change is taken %s.",
                   config_print_fallback(row), allowed, config_print_taken(row));
    if (config_row_begins(row)) {
        (void)fprintf(out, "\n[%s]\n", row->section);
    }
    (void)fputs("\n", out);
    config_print_comment(out, row->help);
    config_print_comment(out, line);
}

static void config_print_str(FILE *out, const struct config_row *row, const char *value)
{
    if (value[0] == '\0') {
        (void)fprintf(out, "%s =\n", row->key);
    } else if (config_check_is_secret(row, value)) {
        (void)fprintf(out, "# %s = (set)\n", row->key);
    } else {
        (void)fprintf(out, "%s = %s\n", row->key, value);
    }
}

static void config_print_value(FILE *out, const struct config_row *row, const void *field)
{
    const char *choice = "";
    int len = 0;
    switch (row->kind) {
    case CONFIG_KIND_INT:
        (void)fprintf(out, "%s = %" PRId64 "\n", row->key, *(const int64_t *)field);
        break;
    case CONFIG_KIND_ENUM:
        (void)config_check_choice(row, *(const int *)field, &choice, &len);
        (void)fprintf(out, "%s = %.*s\n", row->key, len, choice);
        break;
    case CONFIG_KIND_STR:
        config_print_str(out, row, *(char *const *)field);
        break;
    }
}

void config_print(const struct config *config, FILE *out)
{
    (void)fputs(
        "# All settings as they are now. What is secret is not shown, only that it is (set).\n",
        out);
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        config_print_about(out, &config_rows[i]);
        config_print_value(out, &config_rows[i], config_field_const(config, &config_rows[i]));
    }
}

void config_print_example(FILE *out)
{
    (void)fputs("# All settings of hgtpd at their defaults. To change one, take the '#' in front "
                "of its key away.\n"
                "# Made from node/base/config.def by: cmake --build build --target docs\n"
                "# What a file may look like, and what else sets these: docs/configuration.md\n",
                out);
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        const char *blank = row->fallback[0] != '\0' ? " " : "";
        config_print_about(out, row);
        (void)fprintf(out, "#%s =%s%s\n", row->key, blank, row->fallback);
    }
}

/* One by one ----------------------------------------------------------------------------------- */

static void config_print_text(const struct config_row *row, const void *field, char *text,
                              size_t cap)
{
    const char *choice = "";
    int len = 0;
    switch (row->kind) {
    case CONFIG_KIND_INT:
        (void)snprintf(text, cap, "%" PRId64, *(const int64_t *)field);
        return;
    case CONFIG_KIND_ENUM:
        (void)config_check_choice(row, *(const int *)field, &choice, &len);
        (void)snprintf(text, cap, "%.*s", len, choice);
        return;
    case CONFIG_KIND_STR:
        break;
    }
    const char *value = *(char *const *)field;
    (void)snprintf(text, cap, "%s",
                   value[0] != '\0' && config_check_is_secret(row, value) ? "(set)" : value);
}

void config_each(const struct config *config,
                 void (*on_setting)(const struct config_setting *setting, void *arg), void *arg)
{
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        const void *field = config_field_const(config, row);
        char key[CONFIG_NAME_BYTES], value[CONFIG_VALUE_MAX_BYTES + 1];
        (void)snprintf(key, sizeof key, "%s.%s", row->section, row->key);
        config_print_text(row, field, value, sizeof value);
        const struct config_setting setting = {
            .key = key,
            .value = value,
            .fallback = row->fallback,
            .help = row->help,
            .is_secret =
                row->kind == CONFIG_KIND_STR && config_check_is_secret(row, *(char *const *)field),
            .reloads = row->reloads};
        on_setting(&setting, arg);
    }
}

bool config_is_secret(const char *key, const char *value)
{
    char section[CONFIG_NAME_BYTES];
    const char *dot = strchr(key, '.');
    if (dot == NULL || (size_t)(dot - key) >= sizeof section) {
        return true;
    }
    (void)snprintf(section, sizeof section, "%.*s", (int)(dot - key), key);
    const struct config_row *row = config_names_find(section, dot + 1);
    return row == NULL || config_check_is_secret(row, value);
}

/* Markdown ------------------------------------------------------------------------------------- */

static const char config_markdown_head[] =
    "# Configuration\n"
    "\n"
    "<!-- Made from node/base/config.def by: cmake --build build --target docs -->\n"
    "\n"
    "Settings of `hgtpd` come from these sources; a later one wins:\n"
    "\n"
    "1. the defaults below\n"
    "2. the file of `--config FILE`\n"
    "3. the environment: `HGTP_SECTION_KEY`, as in `HGTP_LIMITS_ROOM_MEMBERS=500`\n"
    "4. `--set section.key=value`; of two for one key, the later\n"
    "\n"
    "`hgtpd --print-config` prints what comes of them, `--check-config` only says whether they are "
    "good. An "
    "unknown name or a value that is not allowed is an error that names where it stands and what "
    "is allowed. "
    "Values lose blanks at both ends. `auth.key`, `bus.key`, and a `redis.url` with a password are "
    "never "
    "shown.\n"
    "\n"
    "**File.** INI: lines `[section]`, `key = value`, and comments that begin with `#` or `;`. A "
    "comment has "
    "its line for itself: behind a value it would be part of the value. There are no quotes and no "
    "continued "
    "lines; a key may stand once in a file. [hgtpd.conf.example](../deploy/hgtpd.conf.example) has "
    "all keys.\n"
    "\n"
    "**Environment.** A variable whose name begins with `HGTP_`, one of the sections below in "
    "capitals, and `_` "
    "has to be a setting: `HGTP_LOG_LEVLE` is an error. Every other variable is left alone, "
    "`HGTP_PORT` too. "
    "An empty variable sets an empty value.\n"
    "\n"
    "**Reload.** On SIGHUP all sources are read again. Settings marked *reload* change at once, "
    "for those "
    "marked *restart* the log says that a restart is needed. When anything is wrong, all stay as "
    "they were.\n";

/* A cell; a bar would end it. */
static void config_markdown_text(FILE *out, const char *text)
{
    for (; *text != '\0'; text++) {
        (void)fprintf(out, *text == '|' ? "\\%c" : "%c", *text);
    }
}

static void config_markdown_row(FILE *out, const struct config_row *row)
{
    char allowed[CONFIG_ALLOWED_BYTES];
    config_print_allowed(row, allowed);
    const char *quote = row->fallback[0] != '\0' ? "`" : "";
    (void)fprintf(out, "| `%s` | %s%s%s | ", row->key, quote, config_print_fallback(row), quote);
    config_markdown_text(out, allowed);
    (void)fprintf(out, " | %s | ", row->reloads ? "reload" : "restart");
    config_markdown_text(out, row->help);
    (void)fputs(" |\n", out);
}

void config_print_markdown(FILE *out)
{
    (void)fputs(config_markdown_head, out);
    for (size_t i = 0; i < CONFIG_ROW_COUNT; i++) {
        const struct config_row *row = &config_rows[i];
        if (config_row_begins(row)) {
            (void)fprintf(out,
                          "\n## %s\n\n| key | default | allowed | change | meaning "
                          "|\n|---|---|---|---|---|\n",
                          row->section);
        }
        config_markdown_row(out, row);
    }
}
