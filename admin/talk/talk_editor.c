/* SPDX-License-Identifier: MIT */
/*
 * talk_editor: libedit, whose reading of a key is our own wait, so that the network goes on while a
 * line is edited, in the middle of an escape sequence too. libedit draws the line; where it stands
 * is counted here (talk_cells) to take it away and draw it again below what appears.
 */
#include "admin/talk/talk_editor.h"

#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "admin/talk/talk_cells.h"
#include "admin/talk/talk_command.h"

#define TALK_EDITOR_PROMPT_MAX  96
#define TALK_EDITOR_ROOM_CELLS  24
#define TALK_EDITOR_HISTORY_MAX 500
#define TALK_EDITOR_KILL_LINE   L'\x15'

struct talk_editor {
    struct talk_client *client;
    talk_editor_wait_fn *wait;
    void *ctx;
    EditLine *el;
    HistoryW *history;
    bool is_reading;
    bool kills_again;
    wchar_t prompt[TALK_EDITOR_PROMPT_MAX]; /* as it was drawn */
    wchar_t next[TALK_EDITOR_PROMPT_MAX];
};

static struct talk_editor *talk_editor_of(EditLine *el)
{
    void *editor = NULL;
    el_wget(el, EL_CLIENTDATA, &editor);
    return editor;
}

/* Characters ----------------------------------------------------------------------------------- */

static wchar_t *talk_editor_wide(const char *text)
{
    size_t cap = strlen(text) + 1;
    wchar_t *wide = calloc(cap, sizeof *wide);
    if (wide == NULL) {
        abort();
    }
    if (mbstowcs(wide, text, cap) == (size_t)-1) {
        wide[0] = L'\0';
    }
    return wide;
}

static char *talk_editor_narrow(const wchar_t *wide, size_t len)
{
    size_t cap = len * MB_CUR_MAX + 1, at = 0;
    char *text = malloc(cap + MB_CUR_MAX);
    mbstate_t state = {0};
    if (text == NULL) {
        abort();
    }
    for (size_t i = 0; i < len; i++) {
        size_t bytes = wcrtomb(text + at, wide[i], &state);
        at += bytes != (size_t)-1 ? bytes : 0;
    }
    text[at] = '\0';
    return text;
}

/* The line is thrown away; twice, because after an Escape the first key means something else. */
static int talk_editor_kill_line(struct talk_editor *editor, wchar_t *ret_key)
{
    editor->kills_again = !editor->kills_again;
    *ret_key = TALK_EDITOR_KILL_LINE;
    return 1;
}

/* Bytes that are no character are passed over. */
static int talk_editor_key(EditLine *el, wchar_t *ret_key)
{
    struct talk_editor *editor = talk_editor_of(el);
    mbstate_t state = {0};
    if (editor->kills_again) {
        return talk_editor_kill_line(editor, ret_key);
    }
    for (;;) {
        int byte = editor->wait(editor->ctx);
        if (byte == TALK_EDITOR_END) {
            return 0;
        }
        if (byte == TALK_EDITOR_CANCEL) {
            return talk_editor_kill_line(editor, ret_key);
        }
        char one = (char)byte;
        size_t taken = mbrtowc(ret_key, &one, 1, &state);
        if (taken == (size_t)-1) {
            state = (mbstate_t){0};
        } else if (taken != (size_t)-2) {
            return 1;
        }
    }
}

/* Prompt --------------------------------------------------------------------------------------- */

static void talk_editor_cut(wchar_t *text, size_t cells)
{
    size_t len = wcslen(text);
    if (talk_cells_width(text, len) <= cells) {
        return;
    }
    while (len > 0 && talk_cells_width(text, len) > cells - 1) {
        len--;
    }
    text[len] = L'\u2026';
    text[len + 1] = L'\0';
}

static void talk_editor_make_prompt(const struct talk_editor *editor, wchar_t *prompt)
{
    const struct talk_client *client = editor->client;
    char name[VISIBLE_FACTOR * HGTP_BODY_MAX + 1], state[48] = "";
    struct sink out = sink_into(name, sizeof name - 1);
    visible_put(bytes_str(client->room.name), &out);
    name[out.len] = '\0';
    wchar_t *room = talk_editor_wide(name);
    talk_editor_cut(room, TALK_EDITOR_ROOM_CELLS);
    bool is_away = client->stage != TALK_ATTACHED;
    if (is_away && client->outbox.count > 0) {
        snprintf(state, sizeof state, " (away, %zu waiting)", client->outbox.count);
    } else if (is_away) {
        snprintf(state, sizeof state, " (away)");
    } else if (client->invitation.room != NULL) {
        snprintf(state, sizeof state, " (/accept?)");
    }
    swprintf(prompt, TALK_EDITOR_PROMPT_MAX, L"%ls%s> ", room, state);
    free(room);
}

static wchar_t *talk_editor_prompt(EditLine *el)
{
    struct talk_editor *editor = talk_editor_of(el);
    talk_editor_make_prompt(editor, editor->prompt);
    return editor->prompt;
}

/* Drawing -------------------------------------------------------------------------------------- */

static size_t talk_editor_columns(void)
{
    struct winsize size;
    bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
    return is_known ? size.ws_col : 80;
}

static size_t talk_editor_row_after(const struct talk_editor *editor, const wchar_t *text,
                                    size_t len)
{
    size_t columns = talk_editor_columns();
    struct talk_cells at = talk_cells_after((struct talk_cells){0, 0}, editor->prompt,
                                            wcslen(editor->prompt), columns);
    return talk_cells_after(at, text, len, columns).row;
}

static void talk_editor_up_and_clear(size_t rows)
{
    fputs("\r", stdout);
    if (rows > 0) {
        printf("\033[%zuA", rows);
    }
    fputs("\033[J", stdout);
}

static void talk_editor_clear(struct talk_editor *editor)
{
    const LineInfoW *line = el_wline(editor->el);
    talk_editor_up_and_clear(
        talk_editor_row_after(editor, line->buffer, (size_t)(line->cursor - line->buffer)));
}

static void talk_editor_draw(struct talk_editor *editor)
{
    el_wset(editor->el, EL_REFRESH);
    fflush(stdout);
}

void talk_editor_show(struct talk_editor *editor, const char *line)
{
    if (editor->is_reading) {
        talk_editor_clear(editor);
    }
    puts(line);
    if (editor->is_reading) {
        talk_editor_draw(editor);
    }
    fflush(stdout);
}

void talk_editor_changed(struct talk_editor *editor)
{
    if (!editor->is_reading) {
        return;
    }
    talk_editor_make_prompt(editor, editor->next);
    if (wcscmp(editor->next, editor->prompt) != 0) {
        talk_editor_clear(editor);
        talk_editor_draw(editor);
    }
}

void talk_editor_resized(struct talk_editor *editor)
{
    if (editor->is_reading) {
        talk_editor_clear(editor);
        el_resize(editor->el);
        talk_editor_draw(editor);
    } else {
        el_resize(editor->el);
    }
}

void talk_editor_suspend(struct talk_editor *editor)
{
    if (editor->is_reading) {
        talk_editor_clear(editor);
        fflush(stdout);
        el_wset(editor->el, EL_PREP_TERM, 0);
    }
}

void talk_editor_resume(struct talk_editor *editor)
{
    if (editor->is_reading) {
        el_wset(editor->el, EL_PREP_TERM, 1);
        talk_editor_draw(editor);
    }
}

/* Completion ----------------------------------------------------------------------------------- */

static void talk_editor_offer(struct talk_editor *editor, const struct talk_completion *completion)
{
    for (size_t i = 0; i < completion->count; i++) {
        char safe[256];
        struct sink out = sink_into(safe, sizeof safe - 1);
        sink_text(&out, "  ");
        visible_put(bytes_str(completion->words[i]), &out);
        if (sink_fits(&out)) {
            safe[out.len] = '\0';
            talk_editor_show(editor, safe);
        }
    }
}

static unsigned char talk_editor_complete(EditLine *el, wint_t key)
{
    (void)key;
    struct talk_editor *editor = talk_editor_of(el);
    const LineInfoW *line = el_wline(el);
    char *text = talk_editor_narrow(line->buffer, (size_t)(line->cursor - line->buffer));
    struct talk_completion completion = talk_command_complete(editor->client, text);
    size_t typed = strlen(text) - completion.start, common = talk_command_common(&completion);
    unsigned char result = CC_ERROR;
    if (common > typed) {
        char *more = strndup(completion.words[0] + typed, common - typed);
        wchar_t *wide = talk_editor_wide(more != NULL ? more : "");
        result = el_winsertstr(el, wide) == 0 ? CC_REFRESH : CC_ERROR;
        free(wide);
        free(more);
    } else if (completion.count > 1) {
        talk_editor_offer(editor, &completion);
        result = CC_NORM;
    }
    talk_command_completed(&completion);
    free(text);
    return result;
}

/* Life ----------------------------------------------------------------------------------------- */

static void talk_editor_set_up(struct talk_editor *editor)
{
    HistEventW event;
    EditLine *el = editor->el;
    el_wset(el, EL_CLIENTDATA, editor);
    el_wset(el, EL_GETCFN, talk_editor_key);
    el_wset(el, EL_PROMPT, talk_editor_prompt);
    el_wset(el, EL_EDITOR, L"emacs");
    el_wset(el, EL_SIGNAL, 0);
    el_wset(el, EL_ADDFN, L"talk-complete", L"Complete a command or a name", talk_editor_complete);
    el_wset(el, EL_BIND, L"^I", L"talk-complete", NULL);
    el_source(el, NULL);
    history_w(editor->history, &event, H_SETSIZE, TALK_EDITOR_HISTORY_MAX);
    history_w(editor->history, &event, H_SETUNIQUE, 1);
    el_wset(el, EL_HIST, history_w, editor->history);
}

struct talk_editor *talk_editor_new(struct talk_client *client, talk_editor_wait_fn *wait,
                                    void *ctx)
{
    struct talk_editor *editor = calloc(1, sizeof *editor);
    if (editor == NULL) {
        abort();
    }
    editor->client = client;
    editor->wait = wait;
    editor->ctx = ctx;
    editor->el = el_init("hgtpctl", stdin, stdout, stderr);
    editor->history = history_winit();
    if (editor->el == NULL || editor->history == NULL) {
        talk_editor_free(editor);
        return NULL;
    }
    talk_editor_set_up(editor);
    return editor;
}

void talk_editor_free(struct talk_editor *editor)
{
    if (editor == NULL) {
        return;
    }
    if (editor->el != NULL) {
        el_end(editor->el);
    }
    if (editor->history != NULL) {
        history_wend(editor->history);
    }
    free(editor);
}

bool talk_editor_has_text(const struct talk_editor *editor)
{
    const LineInfoW *line = el_wline(editor->el);
    return line->lastchar > line->buffer;
}

/* What was said comes back with its time; until then it does not stand there twice. */
static void talk_editor_take_away(const struct talk_editor *editor, const wchar_t *line, size_t len)
{
    if (line[0] != L'/' && len > 0 && editor->client->room.name[0] != '\0') {
        talk_editor_up_and_clear(talk_editor_row_after(editor, line, len) + 1);
        fflush(stdout);
    }
}

char *talk_editor_read(struct talk_editor *editor)
{
    int count = 0;
    editor->is_reading = true;
    const wchar_t *line = el_wgets(editor->el, &count);
    editor->is_reading = false;
    if (line == NULL || count <= 0) {
        putchar('\n');
        return NULL;
    }
    size_t len = (size_t)count;
    HistEventW event;
    if (line[len - 1] == L'\n' || line[len - 1] == L'\r') {
        len--;
    }
    bool has_nul = wmemchr(line, L'\0', len) != NULL;
    char *text = talk_editor_narrow(line, has_nul ? 0 : len);
    if (has_nul) {
        talk_client_say(editor->client, TALK_ERROR,
                        "not sent: the line contains U+0000, which no text may");
    } else if (len > 0) {
        wchar_t *entry = talk_editor_wide(text);
        history_w(editor->history, &event, H_ENTER, entry);
        free(entry);
    }
    talk_editor_take_away(editor, line, len);
    return text;
}
