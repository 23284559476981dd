/* SPDX-License-Identifier: MIT */
/* control_local_bind: a listening socket at a path, which a dead process may have left behind. */
#ifndef CONTROL_CONTROL_LOCAL_BIND_H
#define CONTROL_CONTROL_LOCAL_BIND_H

#include <sys/types.h>
#include <sys/un.h>

#define CONTROL_LOCAL_ERROR_BYTES 256

/** Which file is ours. */
struct control_local_name {
    struct sockaddr_un address;
    dev_t device;
    ino_t inode;
};

/** The socket, listening and non-blocking, or -1 and `ret_error` (CONTROL_LOCAL_ERROR_BYTES). */
int control_local_bind(const char *path, struct control_local_name *ret_name, char *ret_error);

/** Take the name away, unless another process has it now. */
void control_local_name_remove(const struct control_local_name *name);

#endif
