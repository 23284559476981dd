/* SPDX-License-Identifier: MIT */
/*
 * secret_file: the one rule for files that hold secrets: keys, tokens, a certificate's private key,
 * settings with a key or password in them. Who may read such a file is decided by its owner alone.
 */
#ifndef BASE_SECRET_FILE_H
#define BASE_SECRET_FILE_H

#include <stdbool.h>
#include <stdio.h>

/** What is wrong with a file that is not private, and what to do. */
#define SECRET_FILE_HINT                                                                           \
    "may be read by others than its owner: chmod 600 it (or 640 if root owns it and its group is " \
    "the node's)"

/**
 * True when nobody but its owner may read the file; a file of root's also by its group, unless that
 * is root's own. What is mounted read-only was put there for this process, as secrets of containers
 * are: who may read it is decided where it comes from.
 */
bool secret_file_is_private(FILE *file);

/**
 * Open for reading, if it is private.
 *
 * setting    what names the file, as "auth.key_file"
 * ret_error  on failure one sentence that names setting, file and what to do; `cap` bytes
 * returns    the caller's to close; NULL: see ret_error
 */
FILE *secret_file_open(const char *setting, const char *path, char *ret_error, size_t cap);

#endif
