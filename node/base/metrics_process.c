/* SPDX-License-Identifier: MIT */
/*
 * metrics_process: what the kernel tells of this process, by the names that Prometheus' own
 * libraries use. What /proc does not tell is left out: a missing sample is better than a wrong one.
 */
#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "node/base/metrics.h"

/* In /proc/self/stat, counted as proc(5) does; the fields up to the second hold the name. */
#define METRICS_STAT_UTIME     14
#define METRICS_STAT_STIME     15
#define METRICS_STAT_STARTTIME 22

/* False when the file cannot be read; longer ones are cut. */
static bool metrics_process_read(const char *path, char *text, size_t cap)
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
static bool metrics_process_field(const char *text, int number, int wanted, int64_t *ret_value)
{
    for (; number < wanted && text != NULL; number++) {
        text = strchr(text + 1, ' ');
    }
    return text != NULL && sscanf(text, " %" SCNd64, ret_value) == 1;
}

static void metrics_process_gauge(struct sink *out, const char *name, const char *help,
                                  int64_t value)
{
    metrics_head(out, name, "gauge", help);
    metrics_sample(out, name, "", value);
}

static void metrics_process_seconds(struct sink *out, const char *name, const char *kind,
                                    const char *help, int64_t ticks)
{
    char number[48];
    int64_t per_s = sysconf(_SC_CLK_TCK);
    if (per_s > 0) {
        (void)snprintf(number, sizeof number, " %" PRId64 ".%03" PRId64 "\n", ticks / per_s,
                       ticks % per_s * 1000 / per_s);
        metrics_head(out, name, kind, help);
        sink_text(out, name);
        sink_text(out, number);
    }
}

/* Seconds since 1970 at which the machine came up; /proc/self only says how long after that. */
static bool metrics_process_boot_time(int64_t *ret_unix_s)
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

static void metrics_process_times(struct sink *out)
{
    char text[1024];
    int64_t user, system, started, boot_unix_s;
    if (!metrics_process_read("/proc/self/stat", text, sizeof text)) {
        return;
    }
    /* The name of the program, in brackets, may itself hold blanks and brackets. */
    const char *name_end = strrchr(text, ')');
    if (name_end == NULL) {
        return;
    }
    if (metrics_process_field(name_end + 1, 3, METRICS_STAT_UTIME, &user) &&
        metrics_process_field(name_end + 1, 3, METRICS_STAT_STIME, &system)) {
        metrics_process_seconds(out, "process_cpu_seconds_total", "counter",
                                "User and system CPU time of the process.", user + system);
    }
    if (metrics_process_field(name_end + 1, 3, METRICS_STAT_STARTTIME, &started) &&
        metrics_process_boot_time(&boot_unix_s)) {
        metrics_process_seconds(out, "process_start_time_seconds", "gauge",
                                "When the process started, in seconds since 1970.",
                                boot_unix_s * sysconf(_SC_CLK_TCK) + started);
    }
}

static void metrics_process_memory(struct sink *out)
{
    char text[256];
    int64_t pages;
    int64_t page_bytes = sysconf(_SC_PAGESIZE);
    if (!metrics_process_read("/proc/self/statm", text, sizeof text)) {
        return;
    }
    if (metrics_process_field(text, 1, 1, &pages)) {
        metrics_process_gauge(out, "process_virtual_memory_bytes", "Address space of the process.",
                              pages * page_bytes);
    }
    if (metrics_process_field(text, 1, 2, &pages)) {
        metrics_process_gauge(out, "process_resident_memory_bytes",
                              "Memory of the process that is in RAM.", pages * page_bytes);
    }
}

static void metrics_process_files(struct sink *out)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        metrics_process_gauge(out, "process_max_fds", "Most file descriptors it may have.",
                              (int64_t)limit.rlim_cur);
    }
    DIR *folder = opendir("/proc/self/fd");
    if (folder == NULL) {
        return;
    }
    int64_t count = -1; /* the folder's own */
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(folder);
    metrics_process_gauge(out, "process_open_fds", "Open file descriptors.", count);
}

void metrics_process_render(struct sink *out)
{
    metrics_process_memory(out);
    metrics_process_times(out);
    metrics_process_files(out);
}
