/* SPDX-License-Identifier: MIT */
/* secret_file: looks at who may read a file. What stands in it is its reader's. */
#include "admin/secret_file.h"

#include <sys/stat.h>

#include "admin/visible_print.h"

FILE *secret_file_open(const char *path)
{
    struct stat info;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return NULL;
    }
    if (fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & S_IRWXO) != 0) {
        visible_printf(stderr,
                       "hgtpctl: warning: everybody on this machine can read %s: chmod 600 it\n",
                       path);
    }
    return file;
}
