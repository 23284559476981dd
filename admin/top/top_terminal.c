/* SPDX-License-Identifier: MIT */
/*
 * top_terminal: modes, signals, size. Plain ANSI instead of ncurses: the few sequences that are
 * needed are the same in every terminal that operators have today, handlers of signals stay ours,
 * and widths those of cells.c. The alternate screen makes that what stood there before stands there
 * again; at its edge nothing wraps. What is drawn is top_frame.c's.
 */
#include "admin/top/top_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define TOP_TERMINAL_ENTER "\033[?1049h\033[?7l\033[?25l\033[2J"
#define TOP_TERMINAL_LEAVE "\033[0m\033[?25h\033[?7h\033[?1049l"

static const int top_terminal_asking[] = {SIGINT,   SIGTERM, SIGHUP, SIGQUIT,
                                          SIGWINCH, SIGCONT, SIGTSTP};
static const int top_terminal_faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
#define TOP_COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

static struct {
    int keyboard;
    int pipe[2]; /* numbers of signals */
    struct termios before;
    volatile sig_atomic_t is_ours;
} top_terminal = {.keyboard = -1, .pipe = {-1, -1}};

/* Modes ---------------------------------------------------------------------------------------- */

static int top_terminal_find_keyboard(void)
{
    return isatty(STDIN_FILENO) ? STDIN_FILENO : open("/dev/tty", O_RDONLY | O_CLOEXEC);
}

bool top_terminal_is_there(void)
{
    const char *term = getenv("TERM");
    if (!isatty(STDOUT_FILENO) || term == NULL || strcmp(term, "dumb") == 0) {
        return false;
    }
    if (top_terminal.keyboard < 0) {
        top_terminal.keyboard = top_terminal_find_keyboard();
    }
    return top_terminal.keyboard >= 0;
}

/* May be called by a handler of signals. */
static void top_terminal_leave(void)
{
    if (top_terminal.is_ours) {
        top_terminal.is_ours = 0;
        (void)!write(STDOUT_FILENO, TOP_TERMINAL_LEAVE, sizeof TOP_TERMINAL_LEAVE - 1);
        (void)tcsetattr(top_terminal.keyboard, TCSADRAIN, &top_terminal.before);
    }
}

static bool top_terminal_enter(void)
{
    struct termios raw;
    if (tcgetattr(top_terminal.keyboard, &top_terminal.before) != 0) {
        return false;
    }
    raw = top_terminal.before;
    raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON | ISTRIP);
    raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG | IEXTEN);
    raw.c_cc[VMIN] = 0;
    raw.c_cc[VTIME] = 0;
    top_terminal.is_ours = 1;
    if (tcsetattr(top_terminal.keyboard, TCSADRAIN, &raw) != 0) {
        top_terminal.is_ours = 0;
        return false;
    }
    return top_terminal_write(TOP_TERMINAL_ENTER, sizeof TOP_TERMINAL_ENTER - 1);
}

/* Signals -------------------------------------------------------------------------------------- */

static void top_terminal_on_asked(int signal)
{
    int saved = errno;
    unsigned char number = (unsigned char)signal;
    (void)!write(top_terminal.pipe[1], &number, 1);
    errno = saved;
}

/* It goes on to end the process as it would have without us. */
static void top_terminal_on_fault(int signal)
{
    top_terminal_leave();
    (void)raise(signal);
}

static void top_terminal_handle(const int *signals, size_t count, void (*handler)(int), int flags)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    for (size_t i = 0; i < count; i++) {
        (void)sigaction(signals[i], &action, NULL);
    }
}

bool top_terminal_open(void)
{
    if (pipe2(top_terminal.pipe, O_CLOEXEC | O_NONBLOCK) != 0) {
        return false;
    }
    top_terminal_handle(top_terminal_asking, TOP_COUNT_OF(top_terminal_asking),
                        top_terminal_on_asked, SA_RESTART);
    top_terminal_handle(top_terminal_faults, TOP_COUNT_OF(top_terminal_faults),
                        top_terminal_on_fault, (int)SA_RESETHAND);
    return top_terminal_enter();
}

void top_terminal_close(void)
{
    top_terminal_leave();
    top_terminal_handle(top_terminal_asking, TOP_COUNT_OF(top_terminal_asking), SIG_DFL, 0);
    top_terminal_handle(top_terminal_faults, TOP_COUNT_OF(top_terminal_faults), SIG_DFL, 0);
}

int top_terminal_keyboard(void)
{
    return top_terminal.keyboard;
}

int top_terminal_signals(void)
{
    return top_terminal.pipe[0];
}

int top_terminal_signal(void)
{
    unsigned char number;
    return read(top_terminal.pipe[0], &number, 1) == 1 ? number : 0;
}

void top_terminal_stop(void)
{
    const int stop = SIGTSTP;
    top_terminal_leave();
    top_terminal_handle(&stop, 1, SIG_DFL, 0);
    (void)raise(SIGTSTP);
    top_terminal_handle(&stop, 1, top_terminal_on_asked, SA_RESTART);
    (void)top_terminal_enter();
}

/* Screen --------------------------------------------------------------------------------------- */

void top_terminal_size(size_t *ret_columns, size_t *ret_rows)
{
    struct winsize size = {0};
    (void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    *ret_columns = size.ws_col > 0 ? size.ws_col : 80;
    *ret_rows = size.ws_row > 0 ? size.ws_row : 24;
}

bool top_terminal_write(const char *text, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, text, len);
        if (written < 0 && errno != EINTR) {
            return false;
        }
        text += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
    return true;
}
