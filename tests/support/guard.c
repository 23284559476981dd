/* SPDX-License-Identifier: MIT */
/*
 * guard FOLDER PROGRAM [ARGUMENT]...: runs a program that starts others of its own, such as a
 * browser. When the program ends, when guard gets SIGTERM, or when guard's parent is gone, however
 * that ended, then every process that came from the program is killed and FOLDER is removed. FOLDER
 * is their home. Processes are meant by their ids, so nobody else's are ended.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

static bool guard_is_child(const char *pid)
{
    char path[64];
    int parent = 0;
    snprintf(path, sizeof path, "/proc/%.20s/status", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    for (char line[256]; fgets(line, sizeof line, file) != NULL;) {
        if (sscanf(line, "PPid: %d", &parent) == 1) {
            break;
        }
    }
    fclose(file);
    return parent == getpid();
}

static void guard_kill_children(void)
{
    DIR *proc = opendir("/proc");
    if (proc == NULL) {
        return;
    }
    for (const struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
            guard_is_child(entry->d_name)) {
            kill((pid_t)atoi(entry->d_name), SIGKILL);
        }
    }
    closedir(proc);
}

/* Whoever loses its parent becomes ours, so this ends when the last descendant has ended. */
static void guard_end_all(void)
{
    do {
        guard_kill_children();
    } while (waitpid(-1, NULL, 0) > 0 || errno == EINTR);
}

static pid_t guard_run(char *const *argv, const char *folder, const sigset_t *outer_mask)
{
    pid_t pid = fork();
    if (pid == 0) {
        sigprocmask(SIG_SETMASK, outer_mask, NULL);
        setenv("HOME", folder, 1);
        execvp(argv[0], argv);
        fprintf(stderr, "cannot run %s\n", argv[0]);
        _exit(127);
    }
    return pid;
}

/* Until the program has ended or the guard is told to end. */
static int guard_wait(pid_t program, const sigset_t *signals)
{
    for (;;) {
        int status, signal = 0;
        pid_t ended;
        (void)sigwait(signals, &signal);
        if (signal != SIGCHLD) {
            return 128 + signal;
        }
        while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
            if (ended == program) {
                return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            }
        }
    }
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: guard FOLDER PROGRAM [ARGUMENT]...\n");
        return 2;
    }
    sigset_t signals, outer_mask;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, &outer_mask);
    /* Until here the parent's end kills us outright (process.c), and there is nothing to tidy. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    setpgid(0, 0);
    pid_t program = guard_run(argv + 2, argv[1], &outer_mask);
    int code = program > 0 ? guard_wait(program, &signals) : 1;
    guard_end_all();
    process_folder_remove(argv[1]);
    return code;
}
