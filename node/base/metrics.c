/* SPDX-License-Identifier: MIT */
/*
 * metrics: holds the numbers of metrics.def and writes them, with the kernel's numbers on this
 * process, as Prometheus text. It counts nothing itself. What /proc does not tell is left out:
 * a missing sample is better than a wrong one.
 */
#include "node/base/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* In /proc/self/stat, counted as proc(5) does; the fields up to the second hold the name. */
#define METRICS_STAT_UTIME     14
#define METRICS_STAT_STIME     15
#define METRICS_STAT_STARTTIME 22

int64_t metrics_values[METRIC_COUNT];

struct metrics_row {
    const char *kind;
    const char *prom;
    const char *labels;
    const char *help;
};

#define METRICS_COUNTER "counter"
#define METRICS_GAUGE   "gauge"

static const struct metrics_row metrics_rows[METRIC_COUNT] = {
#define METRIC(name, kind, prom, labels, help) {METRICS_##kind, prom, labels, help},
#include "node/base/metrics.def"
};

static void metrics_head(struct sink *out, const struct metrics_row *row)
{
    const char *parts[] = {"# HELP ", row->prom, " ",       row->help, "\n# TYPE ",
                           row->prom, " ",       row->kind, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        sink_text(out, parts[i]);
    }
}

static void metrics_sample(struct sink *out, const struct metrics_row *row, int64_t value)
{
    char number[24];
    (void)snprintf(number, sizeof number, " %" PRId64 "\n", value);
    sink_text(out, row->prom);
    sink_text(out, row->labels);
    sink_text(out, number);
}

static void metrics_table(struct sink *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        if (i == 0 || strcmp(metrics_rows[i].prom, metrics_rows[i - 1].prom) != 0) {
            metrics_head(out, &metrics_rows[i]);
        }
        metrics_sample(out, &metrics_rows[i], metrics_values[i]);
    }
}

void metrics_each(void (*on_metric)(const char *name, const char *labels, const char *help,
                                    int64_t value, void *arg),
                  void *arg)
{
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        const struct metrics_row *row = &metrics_rows[i];
        on_metric(row->prom, row->labels, row->help, metrics_values[i], arg);
    }
}

/* The process ---------------------------------------------------------------------------------- */

/* False when the file cannot be read; longer ones are cut. */
static bool metrics_read(const char *path, char *text, size_t cap)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    size_t len = fread(text, 1, cap - 1, file);
    text[len] = '\0';
    (void)fclose(file);
    return len > 0;
}

/* `text` begins with field `number`, after a space. */
static bool metrics_field(const char *text, int number, int wanted, int64_t *ret_value)
{
    for (; number < wanted && text != NULL; number++) {
        text = strchr(text + 1, ' ');
    }
    return text != NULL && sscanf(text, " %" SCNd64, ret_value) == 1;
}

static void metrics_seconds(struct sink *out, const struct metrics_row *row, int64_t ticks)
{
    char number[48];
    int64_t per_s = sysconf(_SC_CLK_TCK);
    if (per_s > 0) {
        (void)snprintf(number, sizeof number, " %" PRId64 ".%03" PRId64 "\n", ticks / per_s,
                       ticks % per_s * 1000 / per_s);
        metrics_head(out, row);
        sink_text(out, row->prom);
        sink_text(out, number);
    }
}

/* Seconds since 1970 at which the machine came up; /proc/self only says how long after that. */
static bool metrics_boot_time(int64_t *ret_unix_s)
{
    char line[256];
    FILE *file = fopen("/proc/stat", "re");
    if (file == NULL) {
        return false;
    }
    bool is_found = false;
    while (!is_found && fgets(line, sizeof line, file) != NULL) {
        is_found = sscanf(line, "btime %" SCNd64, ret_unix_s) == 1;
    }
    (void)fclose(file);
    return is_found;
}

static void metrics_times(struct sink *out)
{
    static const struct metrics_row cpu = {METRICS_COUNTER, "process_cpu_seconds_total", "",
                                           "User and system CPU time of the process."};
    static const struct metrics_row start = {METRICS_GAUGE, "process_start_time_seconds", "",
                                             "When the process started, in seconds since 1970."};
    char text[1024];
    if (!metrics_read("/proc/self/stat", text, sizeof text)) {
        return;
    }
    /* The name of the program, in brackets, may itself hold blanks and brackets. */
    const char *name_end = strrchr(text, ')');
    int64_t user;
    int64_t system;
    int64_t started;
    int64_t boot_unix_s;
    if (name_end == NULL) {
        return;
    }
    if (metrics_field(name_end + 1, 3, METRICS_STAT_UTIME, &user) &&
        metrics_field(name_end + 1, 3, METRICS_STAT_STIME, &system)) {
        metrics_seconds(out, &cpu, user + system);
    }
    if (metrics_field(name_end + 1, 3, METRICS_STAT_STARTTIME, &started) &&
        metrics_boot_time(&boot_unix_s)) {
        metrics_seconds(out, &start, boot_unix_s * sysconf(_SC_CLK_TCK) + started);
    }
}

static void metrics_memory(struct sink *out)
{
    static const struct metrics_row row = {METRICS_GAUGE, "process_resident_memory_bytes", "",
                                           "Memory of the process that is in RAM."};
    char text[256];
    int64_t pages;
    if (metrics_read("/proc/self/statm", text, sizeof text) && metrics_field(text, 1, 2, &pages)) {
        metrics_head(out, &row);
        metrics_sample(out, &row, pages * sysconf(_SC_PAGESIZE));
    }
}

static void metrics_open_fds(struct sink *out)
{
    static const struct metrics_row row = {METRICS_GAUGE, "process_open_fds", "",
                                           "Open file descriptors."};
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return;
    }
    int64_t count = -1; /* the folder's own */
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    metrics_head(out, &row);
    metrics_sample(out, &row, count);
}

void metrics_render(struct sink *out)
{
    metrics_table(out);
    metrics_memory(out);
    metrics_times(out);
    metrics_open_fds(out);
}
