/* SPDX-License-Identifier: MIT */
/*
 * process: fork, exec, pipes and a pidfd; folders for what a child leaves behind. What the
 * children are is the business of daemon.c and redis_server.c.
 */
#include "process.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pump.h"
#include "sockets.h"

#define PROCESS_INPUT_MS 10000

struct process_stream {
    struct pump_watch watch;
    struct queue text; /* always ends in a NUL, which is not counted in the output */
};

struct process {
    pid_t pid;
    int exit_code; /* -1: runs */
    int input;     /* -1: it has none of its own, or that has ended */
    struct pump_watch end;
    struct process_stream streams[2]; /* stdout, stderr */
};

extern char **environ;

/* Start ---------------------------------------------------------------------------------------- */

static void process_clean_environment(const char *folder)
{
    for (size_t i = 0; environ[i] != NULL;) {
        if (strncmp(environ[i], "HGTP_", 5) == 0) {
            char *name = strndup(environ[i], strcspn(environ[i], "="));
            unsetenv(name);
            free(name);
        } else {
            i++;
        }
    }
    setenv("TMPDIR", folder, 1);
    setenv("XDG_RUNTIME_DIR", folder, 1);
}

/* `in` < 0: the parent's own. */
static void process_run(const char *const *argv, const char *folder, int in, const int *out,
                        const int *err)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_DFL);
    if (in >= 0) {
        dup2(in, STDIN_FILENO);
    }
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    process_clean_environment(folder);
    execvp(argv[0], (char *const *)(uintptr_t)argv);
    dprintf(STDERR_FILENO, "cannot run %s\n", argv[0]);
    _exit(127);
}

static void process_read(struct process_stream *stream)
{
    char storage[16384];
    ssize_t len = read(stream->watch.fd, storage, sizeof storage);
    if (len > 0) {
        stream->text.len--;
        queue_put(&stream->text, bytes_of(storage, (size_t)len));
        queue_put(&stream->text, bytes_of("", 1));
    } else if (len == 0) {
        pump_remove(&stream->watch);
        close(stream->watch.fd);
        stream->watch.fd = -1;
    }
}

static void process_on_output(short revents, void *arg)
{
    (void)revents;
    process_read(arg);
}

static void process_on_end(short revents, void *arg)
{
    (void)revents;
    struct process *process = arg;
    int status;
    if (waitpid(process->pid, &status, WNOHANG) != process->pid) {
        return;
    }
    process->exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    pump_remove(&process->end);
    /* Its last words may still be in the pipes; a grandchild may hold them open. */
    for (int i = 0; i < 2; i++) {
        struct pollfd waiting = {.fd = process->streams[i].watch.fd, .events = POLLIN};
        while (waiting.fd >= 0 && poll(&waiting, 1, 0) == 1) {
            process_read(&process->streams[i]);
            waiting.fd = process->streams[i].watch.fd;
        }
    }
}

static void process_open_stream(struct process_stream *stream, int fd)
{
    fcntl(fd, F_SETFL, O_NONBLOCK);
    queue_put(&stream->text, bytes_of("", 1));
    stream->watch = (struct pump_watch){
        .fd = fd, .events = POLLIN, .on_ready = process_on_output, .arg = stream};
    pump_add(&stream->watch);
}

static struct process *process_start_with(const char *const *argv, const char *folder, int in)
{
    int out[2], err[2];
    struct process *process = calloc(1, sizeof *process);
    if (process == NULL || pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) {
        abort();
    }
    process->input = -1;
    process->pid = fork();
    assert(process->pid >= 0);
    if (process->pid == 0) {
        process_run(argv, folder, in, out, err);
    }
    close(out[1]);
    close(err[1]);
    process->exit_code = -1;
    process_open_stream(&process->streams[0], out[0]);
    process_open_stream(&process->streams[1], err[0]);
    process->end = (struct pump_watch){.fd = pidfd_open(process->pid, 0),
                                       .events = POLLIN,
                                       .on_ready = process_on_end,
                                       .arg = process};
    assert(process->end.fd >= 0);
    pump_add(&process->end);
    return process;
}

struct process *process_start(const char *const *argv, const char *folder)
{
    return process_start_with(argv, folder, -1);
}

struct process *process_start_fed(const char *const *argv, const char *folder)
{
    int in[2];
    if (pipe2(in, O_CLOEXEC) != 0) {
        abort();
    }
    struct process *process = process_start_with(argv, folder, in[0]);
    close(in[0]);
    fcntl(in[1], F_SETFL, O_NONBLOCK);
    process->input = in[1];
    return process;
}

void process_free(struct process *process)
{
    if (process == NULL) {
        return;
    }
    process_end_input(process);
    if (process->exit_code < 0) {
        kill(process->pid, SIGKILL);
        waitpid(process->pid, NULL, 0);
    }
    pump_remove(&process->end);
    close(process->end.fd);
    for (int i = 0; i < 2; i++) {
        pump_remove(&process->streams[i].watch);
        if (process->streams[i].watch.fd >= 0) {
            close(process->streams[i].watch.fd);
        }
        queue_fini(&process->streams[i].text);
    }
    free(process);
}

/* Input ---------------------------------------------------------------------------------------- */

static void process_on_input(short revents, void *arg)
{
    (void)revents;
    *(bool *)arg = true;
}

static bool process_takes_input(void *arg)
{
    return *(const bool *)arg;
}

bool process_write(struct process *process, const char *text)
{
    size_t left = strlen(text);
    bool takes = true;
    struct pump_watch watch = {
        .fd = process->input, .events = POLLOUT, .on_ready = process_on_input, .arg = &takes};
    pump_add(&watch);
    while (left > 0 && pump_until(process_takes_input, &takes, PROCESS_INPUT_MS)) {
        ssize_t len = write(process->input, text, left);
        takes = false;
        if (len < 0 && errno != EAGAIN) {
            break;
        }
        text += len > 0 ? len : 0;
        left -= len > 0 ? (size_t)len : 0;
    }
    pump_remove(&watch);
    return left == 0;
}

void process_end_input(struct process *process)
{
    if (process->input >= 0) {
        close(process->input);
        process->input = -1;
    }
}

/* Life ----------------------------------------------------------------------------------------- */

pid_t process_pid(const struct process *process)
{
    return process->pid;
}

void process_signal(struct process *process, int signal)
{
    if (process->exit_code < 0) {
        kill(process->pid, signal);
    }
}

static bool process_has_ended(void *arg)
{
    const struct process *process = arg;
    return process->exit_code >= 0;
}

int process_wait_exit(struct process *process, int64_t timeout_ms)
{
    (void)pump_until(process_has_ended, process, timeout_ms);
    return process->exit_code;
}

const char *process_stdout(const struct process *process)
{
    return (const char *)process->streams[0].text.ptr;
}

const char *process_stderr(const struct process *process)
{
    return (const char *)process->streams[1].text.ptr;
}

void process_hold_stderr(struct process *process)
{
    struct pump_watch *watch = &process->streams[1].watch;
    process_read(&process->streams[1]);
    pump_remove(watch);
    int capacity = fcntl(watch->fd, F_SETPIPE_SZ, 4096);
    assert(capacity == 4096);
}

void process_read_stderr(struct process *process)
{
    pump_add(&process->streams[1].watch);
}

struct process_output {
    const struct process *process;
    const char *text;
};

static bool process_output_has(const struct process_output *wait)
{
    return strstr(process_stdout(wait->process), wait->text) != NULL ||
           strstr(process_stderr(wait->process), wait->text) != NULL;
}

static bool process_output_over(void *arg)
{
    const struct process_output *wait = arg;
    return wait->process->exit_code >= 0 || process_output_has(wait);
}

bool process_wait_output(struct process *process, const char *text, int64_t timeout_ms)
{
    struct process_output wait = {process, text};
    (void)pump_until(process_output_over, &wait, timeout_ms);
    return process_output_has(&wait);
}

/* Its family ----------------------------------------------------------------------------------- */

static pid_t process_parent_of(const char *pid)
{
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return 0;
    }
    size_t len = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[len] = '\0';
    /* The name in parentheses may hold anything. */
    const char *after = strrchr(text, ')');
    int parent = 0;
    return after != NULL && sscanf(after, ") %*c %d", &parent) == 1 ? parent : 0;
}

size_t process_children(const struct process *process, pid_t *pids, size_t max)
{
    size_t count = 0;
    DIR *proc = opendir("/proc");
    assert(proc != NULL);
    for (const struct dirent *entry; (entry = readdir(proc)) != NULL;) {
        if (strspn(entry->d_name, "0123456789") == strlen(entry->d_name) &&
            process_parent_of(entry->d_name) == process->pid) {
            if (count < max) {
                pids[count] = (pid_t)atoi(entry->d_name);
            }
            count++;
        }
    }
    closedir(proc);
    return count;
}

static bool process_has_gone(void *arg)
{
    struct pollfd *end = arg;
    return poll(end, 1, 0) == 1;
}

static void process_on_gone(short revents, void *arg)
{
    (void)revents;
    (void)arg;
}

bool process_gone(pid_t pid, int64_t timeout_ms)
{
    struct pollfd end = {.fd = pidfd_open(pid, 0), .events = POLLIN};
    if (end.fd < 0) {
        return true;
    }
    struct pump_watch watch = {.fd = end.fd, .events = POLLIN, .on_ready = process_on_gone};
    pump_add(&watch);
    bool has_gone = pump_until(process_has_gone, &end, timeout_ms);
    pump_remove(&watch);
    close(end.fd);
    return has_gone;
}

/* Folders -------------------------------------------------------------------------------------- */

char *process_folder_make(void)
{
    char *folder = strdup("/tmp/hgtp-test-XXXXXX");
    assert(folder != NULL && mkdtemp(folder) != NULL);
    return folder;
}

static int process_folder_drop(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
    (void)stat;
    (void)flag;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void process_folder_remove(const char *folder)
{
    (void)nftw(folder, process_folder_drop, 16, FTW_DEPTH | FTW_PHYS);
}

size_t process_folder_count(const char *folder)
{
    size_t count = 0;
    DIR *dir = opendir(folder);
    assert(dir != NULL);
    for (const struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    }
    closedir(dir);
    return count;
}
