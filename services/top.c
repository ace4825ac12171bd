#include "services/top.h"

#include "common/clock.h"
#include "services/ask.h"
#include "services/paper.h"
#include "services/settings.h"
#include "services/top_frame.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

// A broker that is up answers within milliseconds; waiting longer would keep q from being heard.
enum { FRAME_MS = 1000, WAIT_MS = 900, USUAL_ROWS = 24 };

#define ANSWER_LIMIT ((size_t)16 << 20)
#define ARENA_LIMIT  ((size_t)64 << 20)

// An answer and its tree.
struct snapshot {
    struct buf text;
    struct arena arena;
    const struct node *root; // NULL: none yet
};

struct top {
    const char *broker;
    struct snapshot snapshots[2];
    int newest; // index of the last answer
    struct error why;
    bool away;
    int64_t away_since_ms;
    bool on_terminal;
    bool has_keys;
    struct termios keys; // as the terminal was
    int signals;         // signalfd; -1: none
    struct buf out;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

// ---- The terminal

static void write_all(const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, len);
        if (written < 0 && errno != EINTR) {
            return;
        }
        bytes += written > 0 ? written : 0;
        len -= written > 0 ? (size_t)written : 0;
    }
}

static void write_code(const char *code)
{
    write_all(code, strlen(code));
}

// The signals that end the program are read instead of caught, so that the terminal is always put back.
static void take_terminal(struct top *top)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    top->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (!top->on_terminal) {
        return;
    }
    top->has_keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &top->keys) == 0;
    if (top->has_keys) {
        struct termios keys = top->keys;
        keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &keys);
    }
    write_code("\x1b[?1049h\x1b[?25l"); // another screen, no cursor
}

static void give_terminal_back(struct top *top)
{
    if (top->on_terminal) {
        write_code("\x1b[?25h\x1b[?1049l");
    }
    if (top->has_keys) {
        tcsetattr(STDIN_FILENO, TCSANOW, &top->keys);
    }
    if (top->signals >= 0) {
        close(top->signals);
    }
}

static bool is_quit(const struct pollfd *keys)
{
    char key = 0;
    return keys->revents && (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q');
}

// Waits; false when the user wants to end.
static bool rest(const struct top *top, int64_t until_ms)
{
    struct pollfd files[2] = {{.fd = top->signals, .events = POLLIN},
                              {.fd = top->has_keys ? STDIN_FILENO : -1, .events = POLLIN}};
    int64_t left = until_ms - now_ms();
    do {
        int ready = poll(files, 2, left > 0 ? (int)left : 0);
        if (ready > 0 && (files[0].revents || is_quit(&files[1]))) {
            return false;
        }
        left = until_ms - now_ms();
    } while (left > 0);
    return true;
}

static size_t terminal_rows(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row
                                                                           : USUAL_ROWS;
}

// ---- Answers

static enum status take_answer(struct top *top, struct snapshot *into)
{
    buf_reset(&into->text);
    arena_reset(&into->arena);
    into->root = NULL;
    enum status status =
        ask_broker_within(top->broker, VIEW("status"), WAIT_MS, &into->text, &top->why);
    return status == OK ? node_read(buf_view(&into->text), &into->arena, &into->root, &top->why)
                        : status;
}

// Asks, and keeps the answer before. False when there was no answer.
static bool refresh(struct top *top)
{
    int other = 1 - top->newest;
    enum status status = take_answer(top, &top->snapshots[other]);
    if (status == OK) {
        top->newest = other;
        top->away = false;
        return true;
    }
    if (!top->away) {
        top->away = true;
        top->away_since_ms = now_ms();
    }
    return false;
}

static void draw(struct top *top)
{
    const struct node *now = top->snapshots[top->newest].root;
    const struct node *before = top->snapshots[1 - top->newest].root;
    bool same = now && before && !top->away &&
                view_equal(node_text(now, VIEW("session")), node_text(before, VIEW("session")));
    struct top_frame frame = {.broker = top->broker,
                              .now = now,
                              .before = same ? before : NULL,
                              .away = top->away ? top->why.text : NULL,
                              .away_ms = top->away ? now_ms() - top->away_since_ms : 0,
                              .width = paper_width(STDOUT_FILENO),
                              .rows = top->on_terminal ? terminal_rows() - 1 : SIZE_MAX};
    buf_reset(&top->out);
    top_frame_print(&frame, &top->out);
    if (!top->on_terminal) {
        write_all(top->out.at, top->out.len);
        return;
    }
    write_code("\x1b[H");
    struct view rest_of = buf_view(&top->out);
    while (rest_of.len > 0) { // each line wipes what stood there before
        size_t end = view_find(rest_of, VIEW("\n"), 0);
        write_all(rest_of.at, end);
        write_code("\x1b[K\r\n");
        rest_of = view_slice(rest_of, end + 1, rest_of.len);
    }
    write_code("\x1b[J");
}

// ---- The command

static int show_once(struct top *top)
{
    bool heard = refresh(top);
    if (heard && rest(top, now_ms() + FRAME_MS)) {
        heard = refresh(top);
    }
    if (!heard) {
        fprintf(stderr, "copydesk top: %s\n", top->why.text);
        return status_exit_code(ERR_UNREACHABLE);
    }
    draw(top);
    return 0;
}

static int show_on(struct top *top)
{
    int64_t next_ms;
    do {
        next_ms = now_ms() + FRAME_MS;
        refresh(top);
        draw(top);
    } while (rest(top, next_ms));
    return 0;
}

static int run(const struct config *config)
{
    struct top top = {.broker = config_text(config, "top.broker"), .signals = -1};
    bool once = config_bool(config, "top.once");
    buf_init(&top.out, 1 << 20);
    for (int i = 0; i < 2; i++) {
        buf_init(&top.snapshots[i].text, ANSWER_LIMIT);
        arena_init(&top.snapshots[i].arena, ARENA_LIMIT);
    }
    top.on_terminal = !once && isatty(STDOUT_FILENO);
    take_terminal(&top);
    int code = once ? show_once(&top) : show_on(&top);
    give_terminal_back(&top);
    for (int i = 0; i < 2; i++) {
        buf_clear(&top.snapshots[i].text);
        arena_clear(&top.snapshots[i].arena);
    }
    buf_clear(&top.out);
    return code;
}

int top_main(int argc, char **argv)
{
    struct config *config;
    struct log log;
    int code;
    if (settings_load(&config, &log, "top [--broker ADDRESS] [--once]", argc, argv, &code)) {
        code = run(config);
    }
    config_free(config);
    return code;
}
