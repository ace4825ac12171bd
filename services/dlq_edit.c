#include "services/dlq_edit.h"

#include "common/article.h"
#include "common/buf.h"
#include "services/ask.h"
#include "services/node.h"
#include "services/reel.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_LIMIT ((size_t)160 << 20) // a document with every byte escaped is larger than it is
#define ARENA_LIMIT  ((size_t)1 << 30)

extern char **environ;

struct edit {
    const struct config *config;
    char handle[24];
    struct buf id;       // of the letter, as the broker knows it
    int64_t version;     // likewise
    char path[PATH_MAX]; // the copy for the editor; empty: none
    struct arena arena;
    struct buf answer;
    struct buf document; // the dead letter's
    struct buf pretty;   // the same, for people
    struct reel input;   // what came back
    struct article before, after;
    bool
        readable; // the dead letter's document is an article; else it is judged by id and version alone
    struct buf printed_before, printed_after; // both in the same form
};

static int fail(const struct edit *edit, enum status status, const struct error *why)
{
    fprintf(stderr, "copydesk dlq edit: %s\n", why->text);
    if (status != ERR_UNREACHABLE && *edit->handle) {
        fprintf(stderr, "the dead letter is as it was\n");
    }
    if (*edit->path) {
        fprintf(stderr, "your text is in %s\n", edit->path);
    }
    return status_exit_code(status);
}

// ---- The dead letter

static const char *broker_of(const struct edit *edit)
{
    return config_text(edit->config, "dlq.broker");
}

// Puts the broker's own sentence into `why` when that is all it answered.
static enum status read_answer(struct edit *edit, const struct node **root, struct error *why)
{
    enum status status = node_read(buf_view(&edit->answer), &edit->arena, root, why);
    struct view told = status == OK ? node_text(*root, VIEW("error")) : VIEW("");
    return told.len > 0 ? error_set(why, ERR_NOT_FOUND, "%.*s", VIEW_ARGS(told)) : status;
}

static enum status fetch(struct edit *edit, const char *which, struct error *why)
{
    struct buf command;
    const struct node *root = NULL;
    buf_init(&command, 1 << 16);
    buf_printf(&command, "dlq show %s", which);
    enum status status = ask_broker(broker_of(edit), buf_view(&command), &edit->answer, why);
    buf_clear(&command);
    if (status == OK) {
        status = read_answer(edit, &root, why);
    }
    if (status != OK) {
        return status;
    }
    snprintf(edit->handle, sizeof edit->handle, "%.*s", VIEW_ARGS(node_text(root, VIEW("handle"))));
    node_decode(node_text(root, VIEW("id")), &edit->id);
    edit->version = (int64_t)node_number(root, VIEW("version"));
    node_decode(node_text(root, VIEW("document")), &edit->document);
    return edit->document.full ? error_set(why, ERR_LIMIT, "the document is too large") : OK;
}

// ---- The editor

static void begin_line(struct buf *out, size_t depth)
{
    buf_add_char(out, '\n');
    for (size_t i = 0; i < depth * 2; i++) {
        buf_add_char(out, ' ');
    }
}

// JSON with a line for each member and element. The text was checked or is only looked at.
static void make_pretty(struct view json, struct buf *out)
{
    size_t depth = 0;
    bool in_string = false;
    for (size_t i = 0; i < json.len; i++) {
        char c = json.at[i];
        bool opens = c == '{' || c == '[';
        if (in_string || c == '"') {
            in_string = in_string ? c != '"' : true;
            buf_add_char(out, c);
            if (c == '\\' && in_string && i + 1 < json.len) {
                buf_add_char(out, json.at[++i]);
            }
            continue;
        }
        if ((c == '}' || c == ']') && depth > 0) {
            begin_line(out, --depth);
        }
        if (!strchr(" \t\r\n", c)) {
            buf_add_char(out, c);
        }
        if (opens || c == ',') {
            depth += opens;
            begin_line(out, depth);
        } else if (c == ':') {
            buf_add_char(out, ' ');
        }
    }
    buf_add_char(out, '\n');
}

static enum status write_copy(struct edit *edit, struct error *why)
{
    const char *folder = getenv("TMPDIR");
    snprintf(edit->path, sizeof edit->path, "%s/copydesk-%s-XXXXXX.json",
             folder && *folder ? folder : "/tmp", edit->handle);
    int file = mkstemps(edit->path, (int)strlen(".json"));
    FILE *out = file >= 0 ? fdopen(file, "w") : NULL;
    bool written = out && fwrite(edit->pretty.at, 1, edit->pretty.len, out) == edit->pretty.len;
    if (!out || fclose(out) != 0 || !written) {
        return error_set(why, ERR_IO, "cannot write a copy for the editor to %s: %s", edit->path,
                         strerror(errno));
    }
    return OK;
}

// Runs $VISUAL, $EDITOR or vi on the copy; the shell reads them, as they may hold flags in quotes.
static enum status run_editor(struct edit *edit, struct error *why)
{
    static const char *const line = "eval \"${VISUAL:-${EDITOR:-vi}} \\\"\\$1\\\"\"";
    char *const arguments[] = {"sh", "-c", (char *)line, "sh", edit->path, NULL};
    pid_t child;
    int how = 0;
    int failed = posix_spawn(&child, "/bin/sh", NULL, NULL, arguments, environ);
    if (failed) {
        return error_set(why, ERR_IO, "cannot start an editor: %s", strerror(failed));
    }
    while (waitpid(child, &how, 0) < 0) {
        if (errno != EINTR) {
            return error_set(why, ERR_IO, "the editor is lost: %s", strerror(errno));
        }
    }
    return WIFEXITED(how) && WEXITSTATUS(how) == 0
               ? OK
               : error_set(why, ERR_IO, "the editor ended with a failure");
}

// Reads the whole file, or standard input for "-".
static enum status read_file(struct edit *edit, const char *path, struct error *why)
{
    int file = strcmp(path, "-") == 0 ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return error_set(why, ERR_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    }
    reel_open(&edit->input, file);
    while (reel_fill(&edit->input)) {
    }
    return edit->input.failed == 0
               ? OK
               : error_set(why, ERR_IO, "cannot read %s: %s", path, strerror(edit->input.failed));
}

static enum status have_edited(struct edit *edit, struct error *why)
{
    const char *file = config_text(edit->config, "dlq.file");
    if (*file) {
        return read_file(edit, file, why);
    }
    make_pretty(buf_view(&edit->document), &edit->pretty);
    enum status status = write_copy(edit, why);
    if (status == OK) {
        status = run_editor(edit, why);
    }
    return status == OK ? read_file(edit, edit->path, why) : status;
}

// ---- What came back

// The broker knows these from the door and acts on them; a new version changes them. NULL when none is changed.
static const char *changed_member(const struct edit *edit)
{
    const struct article *before = &edit->before;
    const struct article *after = &edit->after;
    if (!edit->readable) {
        return after->version != edit->version ? "version" : NULL;
    }
    return !view_equal(before->pubstatus, after->pubstatus)               ? "pubstatus"
           : !view_equal(before->embargoed_until, after->embargoed_until) ? "embargoed_until"
           : before->urgency != after->urgency                            ? "urgency"
           : before->version != after->version                            ? "version"
                                                                          : NULL;
}

static enum status check(struct edit *edit, struct error *why)
{
    struct view text = view_trim(reel_window(&edit->input));
    if (text.len == 0) {
        return error_set(why, ERR_FORMAT, "the edited document is empty");
    }
    edit->readable = article_merge(&edit->before, buf_view(&edit->document), NULL) == OK;
    struct view id = buf_view(&edit->id);
    id = edit->readable && edit->before.id.len > 0 ? edit->before.id : id;
    enum status status = article_accept(&edit->after, text, id, why);
    if (status == OK && !view_equal(id, edit->after.id)) {
        return error_set(why, ERR_FORMAT, "the id is '%.*s' and must stay '%.*s'",
                         VIEW_ARGS(view_slice(edit->after.id, 0, 80)),
                         VIEW_ARGS(view_slice(id, 0, 80)));
    }
    const char *member = status == OK ? changed_member(edit) : NULL;
    if (member) {
        return error_set(why, ERR_FORMAT,
                         "'%s' is changed, and must stay; to change it, submit the article with a "
                         "higher version",
                         member);
    }
    if (status == OK && edit->readable) {
        status = article_print(&edit->before, false, &edit->printed_before);
    }
    return status == OK ? article_print(&edit->after, false, &edit->printed_after) : status;
}

static enum status hand_back(struct edit *edit, struct error *why)
{
    char command[64];
    const struct node *root;
    snprintf(command, sizeof command, "dlq edit %s", edit->handle);
    buf_reset(&edit->answer);
    enum status status = ask_broker_about(broker_of(edit), view_of(command),
                                          buf_view(&edit->printed_after), &edit->answer, why);
    return status == OK ? read_answer(edit, &root, why) : status;
}

static int finish(struct edit *edit)
{
    if (*edit->path) {
        unlink(edit->path);
    }
    if (config_bool(edit->config, "dlq.json")) {
        printf("%.*s\n", VIEW_ARGS(buf_view(&edit->answer)));
    } else {
        printf("edited: article %s goes through the stages again\n", edit->handle);
    }
    return 0;
}

static int edit_it(struct edit *edit, const char *which)
{
    struct error why = {""};
    enum status status = fetch(edit, which, &why);
    if (status == ERR_NOT_FOUND) {
        fail(edit, status, &why);
        return 1;
    }
    if (status == OK) {
        status = have_edited(edit, &why);
    }
    if (status == OK) {
        status = check(edit, &why);
    }
    if (status == OK &&
        view_equal(buf_view(&edit->printed_before), buf_view(&edit->printed_after))) {
        fprintf(stderr,
                "copydesk dlq edit: nothing was changed; copydesk dlq retry %s tries it again as "
                "it is\n",
                edit->handle);
        unlink(edit->path);
        return 1;
    }
    if (status == OK) {
        status = hand_back(edit, &why);
    }
    return status == OK ? finish(edit) : fail(edit, status, &why);
}

int dlq_edit(const struct config *config, const char *which)
{
    struct edit edit = {.config = config};
    arena_init(&edit.arena, ARENA_LIMIT);
    buf_init(&edit.answer, ANSWER_LIMIT);
    buf_init(&edit.id, 1 << 16);
    buf_init(&edit.document, ARTICLE_SIZE_LIMIT);
    buf_init(&edit.pretty, ANSWER_LIMIT);
    buf_init(&edit.printed_before, ARTICLE_SIZE_LIMIT * 2);
    buf_init(&edit.printed_after, ARTICLE_SIZE_LIMIT * 2);
    reel_init(&edit.input, ARTICLE_SIZE_LIMIT);
    article_init(&edit.before, &edit.arena);
    article_init(&edit.after, &edit.arena);
    int code = edit_it(&edit, which);
    article_clear(&edit.before);
    article_clear(&edit.after);
    reel_close(&edit.input);
    reel_clear(&edit.input);
    buf_clear(&edit.answer);
    buf_clear(&edit.id);
    buf_clear(&edit.document);
    buf_clear(&edit.pretty);
    buf_clear(&edit.printed_before);
    buf_clear(&edit.printed_after);
    arena_clear(&edit.arena);
    return code;
}
