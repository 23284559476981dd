/* SPDX-License-Identifier: MIT */
/* secret_file: looks at who may read a file. What stands in it is its reader's. */
#include "node/base/secret_file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

bool secret_file_is_private(FILE *file)
{
    struct stat info;
    struct statvfs system;
    if (fstat(fileno(file), &info) != 0) {
        return false;
    }
    mode_t others = info.st_uid == 0 && info.st_gid != 0 ? S_IWGRP | S_IRWXO : S_IRWXG | S_IRWXO;
    return (info.st_mode & others) == 0 ||
           (fstatvfs(fileno(file), &system) == 0 && (system.f_flag & ST_RDONLY) != 0);
}

FILE *secret_file_open(const char *setting, const char *path, char *ret_error, size_t cap)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        (void)snprintf(ret_error, cap, "%s: cannot read %s: %s", setting, path, strerror(errno));
        return NULL;
    }
    if (!secret_file_is_private(file)) {
        (void)snprintf(ret_error, cap, "%s: %s " SECRET_FILE_HINT, setting, path);
        (void)fclose(file);
        return NULL;
    }
    return file;
}
