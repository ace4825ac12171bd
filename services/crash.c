// A signal handler can be given nothing: whom to tell and what each thread is at are therefore state of the process.
#include "services/crash.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NO_DESK = -1 };

static crash_call told;
static void *told_user;
static _Thread_local volatile sig_atomic_t working_at = NO_DESK;

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, CRASH_STOP};

static void set_handler(int number, void (*handler)(int))
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

static void on_crash(int number)
{
    int desk = working_at;
    if (desk != NO_DESK) {
        working_at = NO_DESK;
        told(told_user, (size_t)desk, number);
        for (;;) {
            pause();
        }
    }
    if (number != CRASH_STOP) { // else it has finished meanwhile
        set_handler(number, SIG_DFL);
        raise(number);
    }
}

void crash_catch(crash_call call, void *user)
{
    told = call;
    told_user = user;
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        set_handler(signals[i], on_crash);
    }
}

void crash_release(void)
{
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        set_handler(signals[i], SIG_DFL);
    }
}

void crash_use_stack(void *stack)
{
    const stack_t alternate = {
        .ss_sp = stack, .ss_size = CRASH_STACK_BYTES, .ss_flags = stack ? 0 : SS_DISABLE};
    sigaltstack(&alternate, NULL);
}

void crash_enter(size_t desk)
{
    working_at = (sig_atomic_t)desk;
}

void crash_leave(void)
{
    working_at = NO_DESK;
}

void crash_soon_ends(void)
{
    alarm(CRASH_END_S);
}

void crash_end(int number)
{
    sigset_t only;
    sigemptyset(&only);
    sigaddset(&only, number);
    set_handler(number, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &only, NULL);
    raise(number);
    _exit(128 + number); // a signal that does not end a process by itself
}

void crash_name(int number, char *out, size_t size)
{
    const char *short_name = sigabbrev_np(number);
    snprintf(out, size, "%s (SIG%s)", strsignal(number), short_name ? short_name : "?");
}
