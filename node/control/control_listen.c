/* SPDX-License-Identifier: MIT */
/*
 * control_listen: where operators' tools reach this node: the address that is set, or, instead of
 * the default, a socket in a folder of this user's own. How bytes come in is control_local.c's, for
 * sockets of this machine, and control_socket.c's for the rest.
 */
#include <errno.h>
#include <nng/nng.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control_state.h"

static const char *control_local_path(const char *url)
{
    size_t len = strlen(CONTROL_LOCAL_SCHEME);
    return strncmp(url, CONTROL_LOCAL_SCHEME, len) == 0 ? url + len : NULL;
}

static bool control_listen_at(struct control *control, const char *url, char *ret_error)
{
    const char *path = control_local_path(url);
    int rc = 0;
    if (path != NULL) {
        control->local = control_local_open(control->options.loop, path, CONTROL_LOCAL_PATIENCE_MS,
                                            control_on_request, control, ret_error);
    } else {
        control->socket = control_socket_open(control->options.loop, url, control->options.tls,
                                              control_on_request, control, &rc);
        snprintf(ret_error, CONTROL_ERROR_BYTES, "%s", nng_strerror(rc));
    }
    snprintf(control->address, sizeof control->address, "%s",
             control->local != NULL    ? url
             : control->socket != NULL ? control_socket_url(control->socket)
                                       : "");
    return control->address[0] != '\0';
}

/* What is wrong with a folder that another one of this machine may have made; NULL: nothing. */
static const char *control_folder_fault(const char *folder)
{
    struct stat info;
    if (lstat(folder, &info) != 0) {
        return strerror(errno);
    }
    if (!S_ISDIR(info.st_mode)) {
        return "it is no folder; remove it";
    }
    if (info.st_uid != getuid()) {
        return "it belongs to another user, who could pose as this node; have it removed";
    }
    return (info.st_mode & 077) != 0 ? "others may open it; chmod 700" : NULL;
}

/* A folder of our own for the socket, in the user's runtime directory. */
static bool control_make_folder(struct control *control, char *ret_error)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    char *folder = control->folder;
    if (runtime == NULL || runtime[0] != '/') {
        snprintf(folder, sizeof control->folder, "/tmp/hgtp-%u", (unsigned)getuid());
    } else {
        snprintf(folder, sizeof control->folder, "%.100s/hgtp", runtime);
    }
    (void)mkdir(folder, 0700);
    const char *fault = control_folder_fault(folder);
    if (fault != NULL) {
        snprintf(ret_error, CONTROL_ERROR_BYTES, "the folder %s cannot be used: %s", folder, fault);
        folder[0] = '\0';
    }
    return fault == NULL;
}

/* Instead of the default: where this user may, and where no other node of this machine is. */
static bool control_listen_elsewhere(struct control *control, char *ret_error)
{
    char url[256];
    if (!control_make_folder(control, ret_error)) {
        return false;
    }
    snprintf(url, sizeof url, CONTROL_LOCAL_SCHEME "%s/control.sock", control->folder);
    if (control_listen_at(control, url, ret_error)) {
        return true;
    }
    snprintf(url, sizeof url, CONTROL_LOCAL_SCHEME "%s/control-%u.sock", control->folder,
             control->options.http_port);
    return control_listen_at(control, url, ret_error);
}

bool control_listen(struct control *control, char *ret_error)
{
    const char *url = control->options.config->control_listen;
    char why[CONTROL_ERROR_BYTES], elsewhere[CONTROL_ERROR_BYTES];
    if (!control_reload(control, ret_error)) {
        return false;
    }
    if (control_listen_at(control, url, why)) {
        return true;
    }
    if (!config_is_default("control", "listen", url)) {
        snprintf(ret_error, CONTROL_ERROR_BYTES, "cannot listen on %s: %.200s", url, why);
        return false;
    }
    if (control_listen_elsewhere(control, elsewhere)) {
        return true;
    }
    snprintf(ret_error, CONTROL_ERROR_BYTES,
             "cannot listen on %s: %.100s; nor in a folder of this user: %.250s", url, why,
             elsewhere);
    return false;
}

const char *control_address(const struct control *control)
{
    return control->address;
}

void control_remove_files(const struct control *control)
{
    if (control == NULL) {
        return;
    }
    if (control->local != NULL) {
        control_local_unlink(control->local);
    }
    if (control->folder[0] != '\0') {
        (void)rmdir(control->folder); /* another node may still be in it */
    }
}
