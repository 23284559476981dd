/* SPDX-License-Identifier: MIT */
/*
 * main: the command line of hgtpd. Settings are config's, running is lifecycle's.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "keys.h"
#include "lifecycle.h"
#include "proto/build_info.h"
#include "proto/visible.h"
#include "tls.h"

#define MAIN_SETS_MAX 256

extern char **environ;

enum main_action { MAIN_RUN, MAIN_CHECK, MAIN_PRINT };

static const char main_help[] =
    "usage: hgtpd [--config FILE] [--set section.key=value]... [--check-config] [--print-config]\n"
    "             [--version] [--help]\n"
    "\n"
    "A node of an HGTP group-talk cluster. Settings come from defaults, then FILE, then the\n"
    "environment (HGTP_SECTION_KEY), then --set; later ones win.\n"
    "\n"
    "  --config FILE            read settings from FILE (INI)\n"
    "  --set section.key=value  one setting; may be given many times\n"
    "  --check-config           say whether the settings are good, and the keys and\n"
    "                           certificates that they name, and end\n"
    "  --print-config           print all settings with defaults, units, bounds and help, and end\n"
    "  --version                print the version and end\n"
    "  --help                   print this and end\n"
    "\n"
    "A first node, on this machine only, with a Redis of its own:\n"
    "  hgtpd --set hgtp.listen=127.0.0.1:9000 --set http.listen=127.0.0.1:8080\n"
    "SIGTERM drains and ends, a second one ends at once, SIGHUP reads the settings again.\n";

/* A sentence, which may hold what was typed or stands in a file. */
static void main_say(const char *what)
{
    char shown[VISIBLE_FACTOR * CHECKS_ERROR_BYTES + 1];
    struct sink out = sink_into(shown, sizeof shown - 1);
    visible_put(bytes_str(what), &out);
    shown[sink_fits(&out) ? out.len : 0] = '\0';
    fprintf(stderr, "hgtpd: %s\n", shown);
}

__attribute__((format(printf, 1, 0))) static int main_usage_error(const char *what,
                                                                  const char *argument)
{
    char sentence[CHECKS_ERROR_BYTES];
    snprintf(sentence, sizeof sentence, what, argument);
    main_say(sentence);
    fputs("Try 'hgtpd --help'.\n", stderr);
    return 2;
}

/* The files that settings name. */
static bool main_files_pass(const struct config *config, char *ret_error)
{
    struct keys keys;
    struct tls tls;
    bool is_good = keys_load(config, &keys, ret_error) && tls_load(config, &tls, ret_error);
    if (is_good) {
        tls_free(&tls);
    }
    return is_good;
}

static int main_act(enum main_action action, const struct config_sources *sources)
{
    struct config config;
    char error[CHECKS_ERROR_BYTES];
    memset(&config, 0, sizeof config);
    bool is_good = config_load(sources, &config, error);
    if (is_good && action == MAIN_PRINT) {
        config_print(&config, stdout);
        config_fini(&config);
        return 0;
    }
    is_good = is_good && checks_pass(&config, error) &&
              (action != MAIN_CHECK || main_files_pass(&config, error));
    if (!is_good) {
        main_say(error);
        config_fini(&config);
        return 1;
    }
    if (action == MAIN_CHECK) {
        printf("hgtpd: the configuration is good\n%s", checks_hint(&config));
        config_fini(&config);
        return 0;
    }
    return lifecycle_run(&config, sources);
}

int main(int argc, char **argv)
{
    enum { OPT_CONFIG = 256, OPT_SET, OPT_CHECK, OPT_PRINT, OPT_VERSION, OPT_HELP };
    static const struct option options[] = {{"config", required_argument, NULL, OPT_CONFIG},
                                            {"set", required_argument, NULL, OPT_SET},
                                            {"check-config", no_argument, NULL, OPT_CHECK},
                                            {"print-config", no_argument, NULL, OPT_PRINT},
                                            {"version", no_argument, NULL, OPT_VERSION},
                                            {"help", no_argument, NULL, OPT_HELP},
                                            {NULL, 0, NULL, 0}};
    const char *sets[MAIN_SETS_MAX];
    struct config_sources sources = {.environment = environ, .sets = sets};
    enum main_action action = MAIN_RUN;
    int option;
    while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
        switch (option) {
        case OPT_CONFIG:
            sources.file = optarg;
            break;
        case OPT_SET:
            if (sources.set_count == MAIN_SETS_MAX) {
                return main_usage_error("too many --set: %s", optarg);
            }
            sets[sources.set_count++] = optarg;
            break;
        case OPT_CHECK:
            action = MAIN_CHECK;
            break;
        case OPT_PRINT:
            action = MAIN_PRINT;
            break;
        case OPT_VERSION:
            printf("hgtpd %s\n", build_info_text);
            return 0;
        case OPT_HELP:
            fputs(main_help, stdout);
            return 0;
        case ':':
            return main_usage_error("%s needs a value", argv[optind - 1]);
        default:
            return main_usage_error("unknown or malformed option '%s'", argv[optind - 1]);
        }
    }
    if (optind < argc) {
        return main_usage_error("unexpected argument '%s'", argv[optind]);
    }
    return main_act(action, &sources);
}
