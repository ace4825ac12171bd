#include "services/output.h"

#include "common/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 256 * 1024, PATH_LIMIT = 4096 };

// Ctrl-C must not leave half a file behind. While one is written, the signals that end a program are blocked, and a
// thread of their own waits for them: it deletes the file and lets the signal do its work.
struct output {
    const char *path;        // as it was given; NULL: standard output
    char target[PATH_LIMIT]; // what `path` leads to, when that is a link
    char temporary[PATH_LIMIT + 32];
    pthread_mutex_t lock; // guards `temporary`
    pthread_t guard;
    bool guarded;
    sigset_t signals, signals_before;
    int fd;
    int broken; // errno of the first failure
    struct buf buffer;
};

static enum status fail(struct output *output, int reason, struct error *why)
{
    const char *hint = reason == EPIPE    ? "the program that read it has ended"
                       : reason == ENOSPC ? "free some space, or choose another place with --out"
                       : reason == EACCES ? "choose another place with --out"
                                          : "what was written before is incomplete";
    output->broken = reason;
    return error_set(why, ERR_IO, "cannot write %s: %s; %s",
                     output->path ? output->path : "to standard output", strerror(reason), hint);
}

static void forget_temporary(struct output *output)
{
    pthread_mutex_lock(&output->lock);
    output->temporary[0] = '\0';
    pthread_mutex_unlock(&output->lock);
}

static void *run_guard(void *argument)
{
    struct output *output = argument;
    int number;
    if (sigwait(&output->signals, &number) != 0) {
        return NULL;
    }
    pthread_mutex_lock(&output->lock); // kept: nobody renames now
    if (output->temporary[0]) {
        unlink(output->temporary);
    }
    signal(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &output->signals, NULL);
    kill(getpid(), number);
    return NULL;
}

// A signal that is ignored, as nohup does, stays so. Without the thread the file is merely not deleted.
static void start_guard(struct output *output)
{
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP};
    sigemptyset(&output->signals);
    for (size_t i = 0; i < sizeof ending / sizeof ending[0]; i++) {
        struct sigaction action;
        if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(&output->signals, ending[i]);
        }
    }
    pthread_sigmask(SIG_BLOCK, &output->signals, &output->signals_before);
    output->guarded = pthread_create(&output->guard, NULL, run_guard, output) == 0;
    if (!output->guarded) {
        pthread_sigmask(SIG_SETMASK, &output->signals_before, NULL);
    }
}

static void stop_guard(struct output *output)
{
    if (output->guarded) {
        pthread_cancel(output->guard);
        pthread_join(output->guard, NULL);
        pthread_sigmask(SIG_SETMASK, &output->signals_before, NULL);
    }
}

// Opens a temporary file beside the target; it takes over the permissions of what it will replace.
static enum status open_temporary(struct output *output, const struct stat *old, struct error *why)
{
    snprintf(output->temporary, sizeof output->temporary, "%s.part-%ld", output->target,
             (long)getpid());
    output->fd = open(output->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (output->fd < 0) {
        output->temporary[0] = '\0';
        return fail(output, errno, why);
    }
    if (old && fchmod(output->fd, old->st_mode & 07777) != 0) {
        return fail(output, errno, why);
    }
    start_guard(output);
    return OK;
}

// Devices and pipes are written in place: nothing can be put where they are.
static enum status open_file(struct output *output, struct error *why)
{
    struct stat old;
    char *resolved = realpath(output->path, NULL);
    const char *target = resolved ? resolved : output->path;
    bool fits = strlen(target) < sizeof output->target;
    snprintf(output->target, sizeof output->target, "%s", target);
    free(resolved);
    if (!fits) {
        return fail(output, ENAMETOOLONG, why);
    }
    bool exists = stat(output->target, &old) == 0;
    if (!exists || S_ISREG(old.st_mode)) {
        return open_temporary(output, exists ? &old : NULL, why);
    }
    output->fd = open(output->target, O_WRONLY | O_CLOEXEC);
    return output->fd < 0 ? fail(output, errno, why) : OK;
}

enum status output_open(struct output **out, const char *path, struct error *why)
{
    struct output *output = calloc(1, sizeof *output);
    enum status status = OK;
    if (!output) {
        return error_set(why, ERR_MEMORY, "no memory to write results");
    }
    output->path = path;
    output->fd = path ? -1 : STDOUT_FILENO;
    pthread_mutex_init(&output->lock, NULL);
    buf_init(&output->buffer, BUFFER);
    if (path) {
        status = open_file(output, why);
    }
    if (status != OK) {
        output_close(output);
        return status;
    }
    *out = output;
    return OK;
}

static enum status write_all(struct output *output, struct view bytes, struct error *why)
{
    while (bytes.len > 0) {
        ssize_t put = write(output->fd, bytes.at, bytes.len);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return fail(output, errno, why);
        }
        bytes = view_slice(bytes, (size_t)put, bytes.len);
    }
    return OK;
}

enum status output_flush(struct output *output, struct error *why)
{
    if (output->broken) {
        return fail(output, output->broken, why);
    }
    enum status status = write_all(output, buf_view(&output->buffer), why);
    buf_reset(&output->buffer);
    return status;
}

enum status output_write(struct output *output, struct view bytes, struct error *why)
{
    if (output->broken) {
        return fail(output, output->broken, why);
    }
    if (bytes.len > BUFFER - output->buffer.len) {
        enum status status = output_flush(output, why);
        if (status != OK) {
            return status;
        }
    }
    if (bytes.len > BUFFER) {
        return write_all(output, bytes, why);
    }
    buf_add(&output->buffer, bytes);
    return output->buffer.full ? fail(output, ENOMEM, why) : OK;
}

enum status output_commit(struct output *output, struct error *why)
{
    enum status status = output_flush(output, why);
    if (status != OK || !output->temporary[0]) {
        return status;
    }
    if (fsync(output->fd) != 0 && errno != EINVAL) {
        return fail(output, errno, why);
    }
    if (rename(output->temporary, output->target) != 0) {
        return fail(output, errno, why);
    }
    forget_temporary(output);
    return OK;
}

void output_close(struct output *output)
{
    if (!output) {
        return;
    }
    if (output->path && output->fd >= 0) {
        close(output->fd);
    }
    stop_guard(output);
    if (output->temporary[0]) {
        unlink(output->temporary);
    }
    pthread_mutex_destroy(&output->lock);
    buf_clear(&output->buffer);
    free(output);
}
