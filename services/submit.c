// Two threads: one reads and checks documents (reading may block), the loop's thread hands them to the broker. Between
// them lies a short line of parcels, which bounds the memory.
#include "services/submit.h"

#include "common/clock.h"
#include "common/trace.h"
#include "proto/wire.h"
#include "services/contact.h"
#include "services/door.h"
#include "services/input.h"
#include "services/parcel.h"
#include "services/reprocess.h"
#include "services/settings.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    FILE_LIMIT = 65536,
    LINE_LIMIT = 128,     // parcels between the threads
    ARTICLE_LIMIT = 4096, // articles without an outcome
    TICK_MS = 200,
    BUSY_MS = 3000,
    OUTCOMES = WIRE_REFUSED + 1,
    ID_SHOWN = 80,
};
#define BYTES_LIMIT ((uint64_t)64 << 20) // of articles without an outcome
#define LINE_BYTES  ((size_t)32 << 20)   // of parcels between the threads
#define ARENA_LIMIT ((size_t)1 << 30)

// A document on its way from one thread to the other; its bytes follow.
struct parcel {
    struct parcel *next;
    struct client_article article;
};

struct submit {
    uv_loop_t loop;
    struct log log;
    struct tracer tracer; // COPYDESK_TRACE=outcome
    struct config *config;
    struct door *door;
    struct client_core core;
    struct contact contact;
    uv_timer_t timer;
    const char *command;    // "submit" or "reprocess": where its settings stand
    struct reprocess which; // of a reprocess
    uint64_t random;        // of the reader's trace ids

    pthread_t reader;
    struct input *input;
    pthread_mutex_t lock;
    pthread_cond_t line_moved;
    struct parcel *first, **last; // the line
    size_t line_len, line_bytes;
    bool read_all, gave_up;
    size_t read, unreadable; // documents
    size_t left_out;         // by a reprocess
    enum status first_failure;

    struct parcel *offered; // taken from the line, and the core has no room yet
    size_t outcomes[OUTCOMES];
    int64_t start_us, shown_us;
    uint64_t busy_told; // core.counts.busy when it was told
    int64_t busy_told_ms;
    bool progress, progress_shown, stopped;
    int exit_code;
};

static int64_t now_ms(void)
{
    return clock_monotonic_us() / 1000;
}

static bool is_reprocess(const struct submit *submit)
{
    return strcmp(submit->command, "reprocess") == 0;
}

// The setting "command.name".
static const char *setting(const struct submit *submit, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "%s.%s", submit->command, name);
    return config_text(submit->config, key);
}

// ---- The reader

static uint64_t random_next(void *user)
{
    // splitmix64 from a random start: trace ids must differ, not resist
    uint64_t *state = user;
    uint64_t x = *state += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static struct parcel *parcel_copy(const struct client_article *article)
{
    struct parcel *parcel = malloc(sizeof *parcel + article->id.len + article->document.len);
    if (!parcel) {
        return NULL;
    }
    char *at = (char *)(parcel + 1);
    *parcel = (struct parcel){.article = *article};
    memcpy(at, article->id.at, article->id.len);
    memcpy(at + article->id.len, article->document.at, article->document.len);
    parcel->article.id = (struct view){at, article->id.len};
    parcel->article.document = (struct view){at + article->id.len, article->document.len};
    return parcel;
}

static size_t parcel_bytes(const struct parcel *parcel)
{
    return parcel->article.id.len + parcel->article.document.len;
}

// Waits for room. False when nobody takes parcels any more.
static bool put_in_line(struct submit *submit, struct parcel *parcel)
{
    size_t bytes = parcel_bytes(parcel);
    pthread_mutex_lock(&submit->lock);
    while (!submit->gave_up && submit->line_len > 0 &&
           (submit->line_len >= LINE_LIMIT || submit->line_bytes + bytes > LINE_BYTES)) {
        pthread_cond_wait(&submit->line_moved, &submit->lock);
    }
    bool wanted = !submit->gave_up;
    if (wanted) {
        *submit->last = parcel;
        submit->last = &parcel->next;
        submit->line_len++;
        submit->line_bytes += bytes;
        door_wake(submit->door);
    }
    pthread_mutex_unlock(&submit->lock);
    return wanted;
}

static void fail_document(struct submit *submit, enum status status, const struct error *why)
{
    pthread_mutex_lock(&submit->lock);
    submit->unreadable++;
    submit->first_failure = submit->first_failure == OK ? status : submit->first_failure;
    pthread_mutex_unlock(&submit->lock);
    fprintf(stderr, "copydesk: %s - skipped\n", why->text);
}

// Makes the document an article for the broker. `*wanted` is false when it is left out.
static enum status make_article(struct submit *submit, struct client_article *out,
                                struct article *article, struct buf *printed,
                                const struct input_event *event, bool *wanted, struct error *why)
{
    const struct trace_random random = {random_next, &submit->random};
    bool again = is_reprocess(submit);
    enum status status = parcel_make(out, article, event->json,
                                     again ? VIEW("") : event->default_id, random, printed, why);
    *wanted = status != OK || !again || reprocess_wants(&submit->which, article);
    return status == OK && again && *wanted ? reprocess_make(out, article, printed, why) : status;
}

static void leave_out(struct submit *submit)
{
    pthread_mutex_lock(&submit->lock);
    submit->left_out++;
    pthread_mutex_unlock(&submit->lock);
}

// False when reading shall end.
static bool send_document(struct submit *submit, struct article *article, struct buf *printed,
                          const struct input_event *event)
{
    struct client_article out;
    struct error why = {""};
    bool wanted;
    enum status status = make_article(submit, &out, article, printed, event, &wanted, &why);
    if (!wanted) {
        leave_out(submit);
        return true;
    }
    struct parcel *parcel = status == OK ? parcel_copy(&out) : NULL;
    if (!parcel) {
        if (status == OK) {
            status = error_set(&why, ERR_MEMORY, "no memory for an article");
        }
        input_locate(event, &why);
        fail_document(submit, status, &why);
        return true;
    }
    if (!put_in_line(submit, parcel)) {
        free(parcel);
        return false;
    }
    return true;
}

static void *read_input(void *argument)
{
    struct submit *submit = argument;
    struct input_event event;
    struct arena arena;
    struct buf printed;
    bool going = true;
    arena_init(&arena, ARENA_LIMIT);
    buf_init(&printed, ARTICLE_SIZE_LIMIT);
    while (going && input_next(submit->input, &event)) {
        if (event.kind == INPUT_NOTE) {
            fprintf(stderr, "copydesk: note: %s\n", event.why.text);
        } else if (event.kind == INPUT_FAILURE) {
            fail_document(submit, event.status, &event.why);
        } else {
            struct article article;
            arena_reset(&arena);
            article_init(&article, &arena);
            going = send_document(submit, &article, &printed, &event);
            article_clear(&article);
            pthread_mutex_lock(&submit->lock);
            submit->read++;
            pthread_mutex_unlock(&submit->lock);
        }
    }
    buf_clear(&printed);
    arena_clear(&arena);
    pthread_mutex_lock(&submit->lock);
    submit->read_all = true;
    door_wake(submit->door);
    pthread_mutex_unlock(&submit->lock);
    return NULL;
}

// ---- The loop

static void hide_progress(struct submit *submit)
{
    if (submit->progress_shown) {
        fputs("\r\x1b[K", stderr);
        submit->progress_shown = false;
    }
}

static void show_progress(struct submit *submit)
{
    int64_t now_us = clock_monotonic_us();
    const struct client_counts *counts = &submit->core.counts;
    if (!submit->progress || now_us - submit->start_us < 1000000 ||
        now_us - submit->shown_us < TICK_MS * 1000) {
        return;
    }
    fprintf(stderr, "\r\x1b[K%llu sent, %llu answered, %.0f/s", (unsigned long long)counts->sent,
            (unsigned long long)counts->settled,
            (double)counts->settled * 1e6 / (double)(now_us - submit->start_us));
    submit->shown_us = now_us;
    submit->progress_shown = true;
}

static void tell_outcome(struct submit *submit, const struct client_outcome *outcome)
{
    struct view id = view_slice(outcome->id, 0, ID_SHOWN);
    submit->outcomes[outcome->outcome]++;
    trace_line(&submit->tracer, TRACE_OUTCOME, "%.*s %s", VIEW_ARGS(id),
               wire_outcome_name(outcome->outcome));
    if (outcome->outcome == WIRE_CONFLICT) {
        hide_progress(submit);
        fprintf(stderr,
                "copydesk: %.*s: this version was accepted before with other content; raise "
                "'version' to replace it\n",
                VIEW_ARGS(id));
    } else if (outcome->outcome == WIRE_REFUSED) {
        hide_progress(submit);
        fprintf(stderr, "copydesk: %.*s: refused: %.*s\n", VIEW_ARGS(id),
                VIEW_ARGS(outcome->sentence.len ? outcome->sentence
                                                : VIEW("larger than the broker accepts")));
    }
}

static void close_all(struct submit *submit, int exit_code)
{
    submit->stopped = true;
    submit->exit_code = exit_code;
    pthread_mutex_lock(&submit->lock);
    submit->gave_up = true;
    pthread_cond_signal(&submit->line_moved);
    pthread_mutex_unlock(&submit->lock);
    uv_stop(&submit->loop);
}

static struct parcel *take_from_line(struct submit *submit, bool *read_all)
{
    pthread_mutex_lock(&submit->lock);
    struct parcel *parcel = submit->first;
    *read_all = submit->read_all;
    if (parcel) {
        submit->first = parcel->next;
        if (!submit->first) {
            submit->last = &submit->first;
        }
        submit->line_len--;
        submit->line_bytes -= parcel_bytes(parcel);
        pthread_cond_signal(&submit->line_moved);
    }
    pthread_mutex_unlock(&submit->lock);
    return parcel;
}

// Hands parcels to the core while it has room.
static void take_parcels(struct submit *submit)
{
    bool read_all = false;
    for (;;) {
        struct error why = {""};
        if (!submit->offered) {
            submit->offered = take_from_line(submit, &read_all);
        }
        if (!submit->offered) {
            break;
        }
        enum status status =
            client_core_put(&submit->core, now_ms(), &submit->offered->article, &why);
        if (status == ERR_FULL || status == ERR_MEMORY) {
            return;
        }
        if (status != OK) {
            fail_document(submit, status, &why);
        }
        free(submit->offered);
        submit->offered = NULL;
    }
    if (read_all) {
        client_core_leave(&submit->core);
    }
}

static void refuse(struct submit *submit)
{
    const struct session *session = &submit->core.session;
    hide_progress(submit);
    fprintf(stderr, "copydesk: the broker refuses us: %s\n", session->why.text);
    close_all(submit, status_exit_code(ERR_CONFIG));
}

// True when an outcome made room.
static bool perform(struct submit *submit)
{
    struct client_action action;
    struct error why = {""};
    bool room = false;
    while (!submit->stopped) {
        switch (client_core_next(&submit->core, now_ms(), &action)) {
        case CLIENT_SEND:
            if (door_send(submit->door, 0, &action.frames) != OK) {
                client_core_link(&submit->core, now_ms(), false);
            }
            break;
        case CLIENT_RECONNECT:
            if (door_reopen(submit->door, &why) != OK) {
                session_fail(&submit->core.session, now_ms(), "%s", why.text);
            }
            break;
        case CLIENT_OUTCOME:
            tell_outcome(submit, &action.outcome);
            room = true;
            break;
        case CLIENT_STOPPED:
            if (submit->core.session.state == SESSION_REFUSED) {
                refuse(submit);
            } else {
                close_all(submit, 0);
            }
            return false;
        case CLIENT_WAIT:
            return room;
        }
    }
    return false;
}

static void give_up_waiting(struct submit *submit, int64_t wait_ms)
{
    struct error why;
    const char *broker = setting(submit, "broker");
    contact_explain(broker, &submit->core.session, &why);
    hide_progress(submit);
    fprintf(stderr,
            "copydesk: gave up after %.1f s: %s\n"
            "start a broker with: copydesk up   or name one with --broker; --wait waits longer\n",
            (double)wait_ms / 1000, why.text);
    close_all(submit, status_exit_code(ERR_UNREACHABLE));
}

// A broker without room is told once it lasts, and again while it does.
static void tell_busy(struct submit *submit)
{
    uint64_t busy = submit->core.counts.busy;
    if (busy == submit->busy_told) {
        submit->busy_told_ms = now_ms();
    } else if (now_ms() - submit->busy_told_ms >= BUSY_MS) {
        hide_progress(submit);
        fprintf(stderr,
                "copydesk: the broker has no room now; %u documents wait and are sent again "
                "(copydesk status tells why)\n",
                (unsigned)submit->core.held);
        submit->busy_told = busy;
        submit->busy_told_ms = now_ms();
    }
}

static void on_timer(uv_timer_t *timer)
{
    struct submit *submit = timer->data;
    door_touch(submit->door);
}

static void set_timer(struct submit *submit)
{
    int64_t wait_ms = client_core_deadline(&submit->core) - now_ms();
    wait_ms = wait_ms < 1 ? 1 : wait_ms > TICK_MS ? TICK_MS : wait_ms;
    uv_timer_start(&submit->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void turn(void *user)
{
    struct submit *submit = user;
    const struct session *session = &submit->core.session;
    if (submit->stopped) {
        return;
    }
    do {
        take_parcels(submit);
    } while (perform(submit));
    if (submit->stopped) {
        return;
    }
    int64_t limit_ms =
        config_duration_ms(submit->config, is_reprocess(submit) ? "reprocess.wait" : "submit.wait");
    int64_t away_ms = now_ms() - session->since_ms;
    if (session->state != SESSION_UP && away_ms >= limit_ms) {
        give_up_waiting(submit, away_ms);
        return;
    }
    if (session->state != SESSION_UP) {
        hide_progress(submit);
        contact_tell(&submit->contact, session, now_ms());
    }
    tell_busy(submit);
    show_progress(submit);
    set_timer(submit);
}

static void on_message(void *user, uint64_t peer, struct view envelope, struct view body)
{
    struct submit *submit = user;
    (void)peer;
    client_core_message(&submit->core, now_ms(), envelope, body);
}

static void on_link(void *user, bool up)
{
    struct submit *submit = user;
    client_core_link(&submit->core, now_ms(), up);
}

// ---- The command

static void print_totals(const struct submit *submit)
{
    double seconds = (double)(clock_monotonic_us() - submit->start_us) / 1e6;
    size_t told = 0;
    printf("%zu read", submit->read);
    for (unsigned i = WIRE_ACCEPTED; i < OUTCOMES; i++) {
        told += submit->outcomes[i];
        if (submit->outcomes[i] > 0 || i == WIRE_ACCEPTED) {
            printf(", %zu %s", submit->outcomes[i], wire_outcome_name(i));
        }
    }
    if (submit->left_out > 0) {
        printf(", %zu left out", submit->left_out);
    }
    if (submit->unreadable > 0) {
        printf(", %zu not readable", submit->unreadable);
    }
    if (submit->core.held > 0) {
        printf(", %u without an answer (send them again: nothing is doubled)",
               (unsigned)submit->core.held);
    }
    printf(" (%.2f s, %.0f/s)\n", seconds, seconds > 0 ? (double)told / seconds : 0.0);
}

static int exit_code(const struct submit *submit)
{
    size_t good = submit->outcomes[WIRE_ACCEPTED] + submit->outcomes[WIRE_DUPLICATE] +
                  submit->outcomes[WIRE_STALE];
    size_t refused = submit->outcomes[WIRE_CONFLICT] + submit->outcomes[WIRE_REFUSED];
    if (submit->exit_code != 0 || refused + submit->unreadable == 0) {
        return submit->exit_code;
    }
    return good > 0 || submit->unreadable == 0 ? 1 : status_exit_code(submit->first_failure);
}

static enum status open_input(struct submit *submit, const char **files, struct error *why)
{
    size_t count = 0;
    const char *file;
    while ((file = config_argument(submit->config, count)) && count < FILE_LIMIT) {
        files[count++] = file;
    }
    if (count == 0 && isatty(STDIN_FILENO)) {
        fprintf(stderr, "reading standard input (Ctrl-D to end); or: copydesk %s FILE\n",
                submit->command);
    }
    return input_open(&submit->input, files, count, INPUT_LIMIT, why);
}

static enum status open_door(struct submit *submit, struct error *why)
{
    const char *broker = setting(submit, "broker");
    const struct door_config config = {.loop = &submit->loop,
                                       .endpoints = &broker,
                                       .endpoint_count = 1,
                                       .flag = "--broker",
                                       .user = submit,
                                       .on_message = on_message,
                                       .on_turn = turn,
                                       .on_link = on_link};
    submit->contact = (struct contact){.log = &submit->log, .broker = broker};
    return door_open(&submit->door, &config, why);
}

static enum status open_core(struct submit *submit, struct error *why)
{
    const struct client_config config = {.name = submit->command,
                                         .article_limit = ARTICLE_LIMIT,
                                         .bytes_limit = BYTES_LIMIT,
                                         .seed = submit->random,
                                         .patience_ms = CLIENT_PATIENCE_MS};
    return client_core_init(&submit->core, &config, now_ms()) == OK
               ? OK
               : error_set(why, ERR_MEMORY, "no memory for articles");
}

static void end_reader(struct submit *submit)
{
    // It may be waiting for standard input, which nobody can end: then the process goes without it.
    pthread_mutex_lock(&submit->lock);
    bool ended = submit->read_all;
    pthread_mutex_unlock(&submit->lock);
    if (!ended) {
        print_totals(submit);
        fflush(NULL);
        _exit(exit_code(submit));
    }
    pthread_join(submit->reader, NULL);
}

static void free_line(struct submit *submit)
{
    free(submit->offered);
    while (submit->first) {
        struct parcel *parcel = submit->first;
        submit->first = parcel->next;
        free(parcel);
    }
}

static enum status run(struct submit *submit, struct error *why)
{
    uv_timer_init(&submit->loop, &submit->timer);
    submit->timer.data = submit;
    set_timer(submit);
    int failed = pthread_create(&submit->reader, NULL, read_input, submit);
    if (failed) {
        uv_close((uv_handle_t *)&submit->timer, NULL);
        return error_set(why, ERR_MEMORY, "cannot start a thread: %s", strerror(failed));
    }
    uv_run(&submit->loop, UV_RUN_DEFAULT);
    end_reader(submit);
    uv_close((uv_handle_t *)&submit->timer, NULL);
    hide_progress(submit);
    print_totals(submit);
    return OK;
}

static enum status open_all(struct submit *submit, const char **files, struct error *why)
{
    enum status status = trace_open(&submit->tracer, getenv("COPYDESK_TRACE"), why);
    if (status == OK) {
        status = open_input(submit, files, why);
    }
    if (status == OK) {
        status = open_core(submit, why);
    }
    if (status == OK) {
        status = open_door(submit, why);
    }
    return status == OK ? run(submit, why) : status;
}

// The settings of a reprocess. False when the command is to end.
static bool read_choice(struct submit *submit, int *code)
{
    struct error why = {""};
    if (is_reprocess(submit) && reprocess_read(&submit->which, setting(submit, "stage"),
                                               setting(submit, "older_than"), &why) != OK) {
        fprintf(stderr, "copydesk reprocess: %s\n", why.text);
        *code = status_exit_code(ERR_USAGE);
        return false;
    }
    return true;
}

// `command` is "submit" or "reprocess".
static int run_command(const char *command, const char *usage, int argc, char **argv)
{
    struct submit submit = {.command = command,
                            .lock = PTHREAD_MUTEX_INITIALIZER,
                            .line_moved = PTHREAD_COND_INITIALIZER,
                            .start_us = clock_monotonic_us(),
                            .progress = isatty(STDERR_FILENO)};
    struct error why = {""};
    int code;
    if (!settings_load(&submit.config, &submit.log, usage, argc, argv, &code) ||
        !read_choice(&submit, &code)) {
        config_free(submit.config);
        return code;
    }
    const char **files = calloc((size_t)argc + 1, sizeof *files);
    submit.last = &submit.first;
    if (getrandom(&submit.random, sizeof submit.random, 0) < 0) {
        submit.random = (uint64_t)clock_wall_ms();
    }
    uv_loop_init(&submit.loop);
    enum status status =
        files ? open_all(&submit, files, &why) : error_set(&why, ERR_MEMORY, "no memory");
    if (status != OK) {
        fprintf(stderr, "copydesk: %s\n", why.text);
        submit.exit_code = status_exit_code(status);
    }
    door_close(submit.door);
    uv_run(&submit.loop, UV_RUN_DEFAULT);
    uv_loop_close(&submit.loop);
    free_line(&submit);
    if (submit.core.ring) {
        client_core_clear(&submit.core);
    }
    input_close(submit.input);
    free(files);
    config_free(submit.config);
    return exit_code(&submit);
}

int submit_main(int argc, char **argv)
{
    return run_command("submit", "submit [--broker ADDRESS] [--wait TIME] [FILE...]", argc, argv);
}

int reprocess_main(int argc, char **argv)
{
    return run_command("reprocess",
                       "reprocess [--stage STAGE] [--older-than STAGE=VERSION] [--broker ADDRESS] "
                       "[--wait TIME] [FILE...]",
                       argc, argv);
}
