// `copydesk status` and `copydesk dlq`: what the broker is doing, and what to do with articles it gave up.
#ifndef COPYDESK_STATUS_COMMAND_H
#define COPYDESK_STATUS_COMMAND_H

// Prints the broker's state as tables, or as JSON with --json. argv[0] is "status". Exit code 0 when the broker answered, 69
// when it did not.
int status_main(int argc, char **argv);

// dlq list | retry HANDLE|all | discard HANDLE|all. argv[0] is "dlq". Exit codes as status_main, 1 when the broker did not know the
// handle, 2 for a wrong command line.
int dlq_main(int argc, char **argv);

#endif
