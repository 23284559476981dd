/* SPDX-License-Identifier: MIT */
/* machine: what /proc knows of processes and CPUs. Sums and shares are bench_cluster.c's. */
#include "machine.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int64_t machine_cpu_us(pid_t pid)
{
    char path[64], text[1024] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        return 0;
    }
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    const char *after = strrchr(text, ')');
    unsigned long user = 0, system = 0;
    if (after == NULL || sscanf(after, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                &user, &system) != 2) {
        return 0;
    }
    return (int64_t)(user + system) * 1000000 / sysconf(_SC_CLK_TCK);
}

int64_t machine_rss_kib(pid_t pid)
{
    char path[64];
    long pages = 0;
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    FILE *file = fopen(path, "r");
    if (file != NULL) {
        if (fscanf(file, "%*d %ld", &pages) != 1) {
            pages = 0;
        }
        fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

void machine_ticks(int64_t *ret_idle, int64_t *ret_all)
{
    unsigned long long t[8] = {0};
    FILE *file = fopen("/proc/stat", "r");
    if (file != NULL) {
        if (fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &t[0], &t[1], &t[2], &t[3],
                   &t[4], &t[5], &t[6], &t[7]) != 8) {
            memset(t, 0, sizeof t);
        }
        fclose(file);
    }
    *ret_idle = (int64_t)(t[3] + t[4]);
    *ret_all = 0;
    for (size_t i = 0; i < 8; i++) {
        *ret_all += (int64_t)t[i];
    }
}
