// The program: picks the command.
#include "common/clock.h"
#include "common/fault.h"
#include "common/suggest.h"
#include "services/broker/broker.h"
#include "services/enrich.h"
#include "services/export/export.h"
#include "services/health.h"
#include "services/limits.h"
#include "services/status_command.h"
#include "services/submit.h"
#include "services/top.h"
#include "services/up.h"
#include "services/windows.h"
#include "services/worker.h"

#include <stdio.h>
#include <stdlib.h>

struct command {
    const char *name;
    int (*main)(int argc, char **argv); // argv[0] is the command; returns the exit code
    const char *help;
};

static const struct command commands[] = {
    {"enrich", enrich_main, "clean, tag, date and summarize articles here and now"},
    {"up", up_main, "start everything on this machine: broker, stages, export"},
    {"submit", submit_main, "hand documents to a broker"},
    {"reprocess", reprocess_main, "run stored articles through the stages again"},
    {"status", status_main, "show what a broker is doing"},
    {"top", top_main, "watch a broker: stages, rates, workers, once a second"},
    {"trace", trace_main, "show where an article is, or what became of it"},
    {"dlq", dlq_main, "list, show, retry, discard or edit the articles a broker gave up"},
    {"health", health_main, "ask a running service whether it is alive"},
    {"broker", broker_main, "take articles in, hand them to the stages, lose none"},
    {"worker", worker_main, "serve one stage of a broker's pipeline"},
    {"export", export_main, "a sink: finished articles to NDJSON files"},
    {"journal", journal_main, "show or check what a broker has on disk"},
    {"sentences", sentences_main, "show where a text is cut into sentences"},
    {"tokens", tokens_main, "show the tokens of a text"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0) {
            return &commands[i];
        }
    }
    return NULL;
}

static int fail_unknown(const char *name)
{
    struct suggestion near = {.word = view_of(name)};
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        suggest_offer(&near, commands[i].name);
    }
    if (near.best) {
        fprintf(stderr, "copydesk: no command '%s'. Did you mean '%s'?\n", name, near.best);
    } else {
        fprintf(stderr, "copydesk: no command '%s'; 'copydesk help' lists them\n", name);
    }
    return 2;
}

static void print_help(FILE *out)
{
    fprintf(out, "usage: copydesk COMMAND [FLAGS] [ARGUMENTS]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
    }
    fprintf(out,
            "\n'copydesk help COMMAND' tells more; 'copydesk --version' prints %s\n"
            "first: copydesk enrich FILE\n",
            COPYDESK_VERSION);
}

// `copydesk help enrich` is `copydesk enrich --help`.
static int help_main(int argc, char **argv)
{
    char flag[] = "--help";
    if (argc < 2) {
        print_help(stdout);
        return 0;
    }
    const struct command *command = find_command(argv[1]);
    char *arguments[] = {argv[1], flag, NULL};
    return command ? command->main(2, arguments) : fail_unknown(argv[1]);
}

int main(int argc, char **argv)
{
    limits_files(); // a socket each for workers and clients
    const char *name = argc > 1 ? argv[1] : "";
    struct error why = {""};
    if (argc < 2) {
        print_help(stderr);
        return 2;
    }
    if (fault_open(getenv("COPYDESK_FAULT"), &why) != OK ||
        clock_open(getenv("COPYDESK_CLOCK"), &why) != OK) {
        fprintf(stderr, "copydesk: %s\n", why.text);
        return 2;
    }
    if (strcmp(name, "--version") == 0 || strcmp(name, "version") == 0) {
        printf("copydesk %s\n", COPYDESK_VERSION);
        return 0;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        return help_main(argc - 1, argv + 1);
    }
    const struct command *command = find_command(name);
    return command ? command->main(argc - 1, argv + 1) : fail_unknown(name);
}
