/* SPDX-License-Identifier: MIT */
/* visible_print: takes a format apart, so that each argument is printed by itself and made visible.
 */
#include "admin/visible_print.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/visible.h"

#define VISIBLE_SPEC_MAX 32

/* So that functions can take arguments from it in turn. */
struct visible_args {
    va_list list;
};

char *visible_copy(struct bytes text)
{
    char *copy = malloc(VISIBLE_FACTOR * text.len + 1);
    if (copy != NULL) {
        struct sink out = sink_into(copy, VISIBLE_FACTOR * text.len);
        visible_put(text, &out);
        copy[out.len] = '\0';
    }
    return copy;
}

/* The directive at `format`, as far as its length modifier, with the numbers for its stars. Returns
 * how long it is there. */
static size_t visible_spec(const char *format, struct visible_args *args, char *ret_spec)
{
    size_t at = 0;
    struct sink out = sink_into(ret_spec, VISIBLE_SPEC_MAX - 2);
    do {
        if (format[at] == '*') {
            char number[16];
            (void)snprintf(number, sizeof number, "%d", va_arg(args->list, int));
            sink_text(&out, number);
        } else {
            sink_u8(&out, (uint8_t)format[at]);
        }
        at++;
    } while (format[at] != '\0' && strchr("-+ #0123456789.*lzj", format[at]) != NULL);
    assert(sink_fits(&out));
    ret_spec[out.len] = format[at];
    ret_spec[out.len + 1] = '\0';
    return at + 1;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* One argument by its directive. */
static int visible_format(const char *spec, struct visible_args *args, char **ret_text)
{
    char kind = spec[strlen(spec) - 1], length = spec[strlen(spec) - 2];
    switch (kind) {
    case 's':
        return asprintf(ret_text, spec, va_arg(args->list, const char *));
    case 'f':
        return asprintf(ret_text, spec, va_arg(args->list, double));
    case '%':
        return asprintf(ret_text, "%%");
    default:
        assert(strchr("cdiux", kind) != NULL);
        return length == 'l' || length == 'z' || length == 'j'
                   ? asprintf(ret_text, spec, va_arg(args->list, intmax_t))
                   : asprintf(ret_text, spec, va_arg(args->list, int));
    }
}

#pragma GCC diagnostic pop

/* All of these are taken as one type. */
static_assert(sizeof(long) == sizeof(intmax_t) && sizeof(size_t) == sizeof(intmax_t),
              "long, size_t and intmax_t are of one size");

void visible_vprintf(FILE *out, const char *format, va_list list)
{
    struct visible_args args;
    va_copy(args.list, list);
    while (*format != '\0') {
        char spec[VISIBLE_SPEC_MAX], *text = NULL, *shown = NULL;
        size_t literal = strcspn(format, "%");
        (void)fwrite(format, 1, literal, out);
        format += literal;
        if (*format == '\0') {
            break;
        }
        format += visible_spec(format, &args, spec);
        if (visible_format(spec, &args, &text) >= 0) {
            shown = visible_copy(bytes_str(text));
            fputs(shown != NULL ? shown : "", out);
            free(text);
        }
        free(shown);
    }
    va_end(args.list);
}

void visible_printf(FILE *out, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    visible_vprintf(out, format, list);
    va_end(list);
}
