/* SPDX-License-Identifier: MIT */
/*
 * units: conversions only. Decimal points are points: the tool leaves LC_NUMERIC alone.
 */
#include "admin/units.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define UNITS_DURATION_MAX_MS (INT64_C(3650) * 86400000)

static const struct {
    const char *name;
    int64_t ms;
} units_times[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
#define UNITS_TIMES (sizeof units_times / sizeof units_times[0])

bool units_duration(const char *text, int64_t *ret_ms)
{
    char *end;
    size_t digits = strspn(text, "0123456789.");
    double value = strtod(text, &end);
    double scale = text[digits] == '\0' ? 1000 : 0;
    for (size_t i = 0; i < UNITS_TIMES; i++) {
        if (strcmp(text + digits, units_times[i].name) == 0) {
            scale = (double)units_times[i].ms;
        }
    }
    if (digits == 0 || end != text + digits || scale <= 0 ||
        value * scale > (double)UNITS_DURATION_MAX_MS) {
        return false;
    }
    *ret_ms = (int64_t)(value * scale + 0.5);
    return true;
}

bool units_number(const char *text, uint64_t *ret_number)
{
    errno = 0;
    size_t digits = strspn(text, "0123456789");
    unsigned long long number = strtoull(text, NULL, 10);
    if (digits == 0 || text[digits] != '\0' || errno != 0) {
        return false;
    }
    *ret_number = number;
    return true;
}

void units_age(int64_t ms, char *text, size_t cap)
{
    const char *sign = ms < 0 ? "-" : "";
    int64_t rest = ms < 0 && ms > INT64_MIN ? -ms : ms;
    if (rest < 1000) {
        snprintf(text, cap, "%s%" PRId64 "ms", sign, rest);
        return;
    }
    size_t unit = 0;
    while (rest < units_times[unit].ms) {
        unit++;
    }
    int64_t whole = rest / units_times[unit].ms;
    int64_t part = unit < 3 ? rest % units_times[unit].ms / units_times[unit + 1].ms : 0;
    if (part > 0) {
        snprintf(text, cap, "%s%" PRId64 "%s%" PRId64 "%s", sign, whole, units_times[unit].name,
                 part, units_times[unit + 1].name);
    } else {
        snprintf(text, cap, "%s%" PRId64 "%s", sign, whole, units_times[unit].name);
    }
}

/* Three digits and a unit. */
static void units_scaled(double value, double step, const char *names, const char *behind,
                         char *text, size_t cap)
{
    size_t unit = 0;
    while (fabs(value) >= step - 0.5 && names[unit + 1] != '\0') {
        value /= step;
        unit++;
    }
    bool is_short = fabs(value) < 9.95 && (unit > 0 || value != floor(value));
    int name_len = names[unit] == ' ' ? 0 : 1;
    snprintf(text, cap, "%.*f%.*s%s", is_short ? 1 : 0, value, name_len, names + unit, behind);
}

void units_bytes(double bytes, char *text, size_t cap)
{
    units_scaled(bytes, 1024, "BKMGTP", "", text, cap);
}

void units_rate(double per_s, char *text, size_t cap)
{
    if (per_s < 0) {
        snprintf(text, cap, "-");
        return;
    }
    units_scaled(per_s, 1000, " kMG", "/s", text, cap);
}

void units_percent(double percent, char *text, size_t cap)
{
    snprintf(text, cap, "%.1f%%", percent);
}

void units_time(int64_t unix_ms, char *text, size_t cap)
{
    time_t seconds = (time_t)(unix_ms / 1000);
    struct tm parts;
    if (unix_ms <= 0 || localtime_r(&seconds, &parts) == NULL ||
        strftime(text, cap, "%Y-%m-%d %H:%M:%S", &parts) == 0) {
        snprintf(text, cap, "-");
    }
}

void units_value(double value, char *text, size_t cap)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, cap, "%.*g", digits, value);
        if (strtod(text, NULL) == value) {
            return;
        }
    }
}
