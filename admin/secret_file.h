/* SPDX-License-Identifier: MIT */
/* secret_file: files of the operator's with a key or a token in them. */
#ifndef ADMIN_SECRET_FILE_H
#define ADMIN_SECRET_FILE_H

#include <stdio.h>

/**
 * Open for reading. A file that everybody may read is warned about on stderr: the key in it is
 * theirs as well.
 *
 * returns  the caller's to close; NULL with errno set
 */
FILE *secret_file_open(const char *path);

#endif
