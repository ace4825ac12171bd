// `copydesk status`, `copydesk trace` and `copydesk dlq`: what the broker is doing, what became of an article, and
// what to do with those it gave up.
#ifndef COPYDESK_STATUS_COMMAND_H
#define COPYDESK_STATUS_COMMAND_H

// Prints the broker's state as tables, or as JSON with --json. argv[0] is "status". Exit code 0 when the broker answered, 69
// when it did not.
int status_main(int argc, char **argv);

// Prints where the article with this id is now, or how it ended, and who had it. argv[0] is "trace". Exit codes as
// status_main, 1 when the broker does not know the article, 2 for a wrong command line.
int trace_main(int argc, char **argv);

// dlq list | show | retry | discard | edit. argv[0] is "dlq". Exit codes as status_main, 1 when nothing was found to show,
// retry, discard or edit, 2 for a wrong command line; of edit more in dlq_edit.h.
int dlq_main(int argc, char **argv);

#endif
