/* SPDX-License-Identifier: MIT */
/*
 * control_local_bind: whether somebody listens at a path is found out by connecting to it. Two
 * nodes that start at the same time must not each take the other's socket for one that is left
 * over: they look and bind with the folder locked.
 */
#include "control_local_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define CONTROL_LOCAL_BACKLOG 1024
#define CONTROL_LOCK_TRIES    200
#define CONTROL_LOCK_STEP_MS  10

/* -1: it could not be had in time, or there is no such folder. */
static int control_local_lock(const char *path)
{
    char folder[sizeof((struct sockaddr_un *)0)->sun_path] = ".";
    const char *slash = strrchr(path, '/');
    const struct timespec step = {0, CONTROL_LOCK_STEP_MS * 1000000L};
    if (slash != NULL) {
        snprintf(folder, sizeof folder, "%.*s", slash > path ? (int)(slash - path) : 1, path);
    }
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < CONTROL_LOCK_TRIES; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return fd;
        }
        (void)nanosleep(&step, NULL);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return -1;
}

/* A socket that nobody listens at. */
static bool control_local_is_left_over(const struct sockaddr_un *address)
{
    struct stat info;
    if (lstat(address->sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) {
        return false;
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_left_over = fd >= 0 &&
                        connect(fd, (const struct sockaddr *)address, sizeof *address) != 0 &&
                        errno == ECONNREFUSED;
    if (fd >= 0) {
        (void)close(fd);
    }
    return is_left_over;
}

static int control_local_bind_at(int fd, const struct sockaddr_un *address)
{
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) == 0) {
        return 0;
    }
    if (errno != EADDRINUSE) {
        return -1;
    }
    if (!control_local_is_left_over(address)) {
        errno = EADDRINUSE;
        return -1;
    }
    (void)unlink(address->sun_path);
    return bind(fd, (const struct sockaddr *)address, sizeof *address);
}

/* Nobody can connect before it listens, so its mode is right from the first connection on. */
static bool control_local_take(int fd, struct control_local_name *name)
{
    struct stat info;
    if (control_local_bind_at(fd, &name->address) != 0) {
        return false;
    }
    if (chmod(name->address.sun_path, 0600) == 0 && stat(name->address.sun_path, &info) == 0 &&
        listen(fd, CONTROL_LOCAL_BACKLOG) == 0) {
        name->device = info.st_dev;
        name->inode = info.st_ino;
        return true;
    }
    int error = errno;
    (void)unlink(name->address.sun_path);
    errno = error;
    return false;
}

int control_local_bind(const char *path, struct control_local_name *ret_name, char *ret_error)
{
    struct control_local_name name = {.address = {.sun_family = AF_UNIX}};
    if (path[0] == '\0' || strlen(path) >= sizeof name.address.sun_path) {
        snprintf(ret_error, CONTROL_LOCAL_ERROR_BYTES,
                 "the path of a socket has 1 to %zu bytes; this one has %zu",
                 sizeof name.address.sun_path - 1, strlen(path));
        return -1;
    }
    memcpy(name.address.sun_path, path, strlen(path));
    int lock = control_local_lock(path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool is_taken = fd >= 0 && control_local_take(fd, &name);
    if (is_taken) {
        *ret_name = name;
    } else {
        snprintf(ret_error, CONTROL_LOCAL_ERROR_BYTES, "%s",
                 errno == EADDRINUSE ? "another process listens there, or it is no socket"
                                     : strerror(errno));
    }
    if (!is_taken && fd >= 0) {
        (void)close(fd);
        fd = -1;
    }
    if (lock >= 0) {
        (void)close(lock);
    }
    return fd;
}

void control_local_name_remove(const struct control_local_name *name)
{
    struct stat info;
    if (lstat(name->address.sun_path, &info) == 0 && info.st_dev == name->device &&
        info.st_ino == name->inode) {
        (void)unlink(name->address.sun_path);
    }
}
