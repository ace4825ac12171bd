// `copydesk worker STAGE`: serves one stage of a broker's pipeline, with any number of threads.
#ifndef COPYDESK_WORKER_H
#define COPYDESK_WORKER_H

// Runs the command with its own arguments (argv[0] is "worker") until SIGTERM or SIGINT, then drains. Exit code 0 when
// everything was finished or handed back, 69 when the drain time was over, 70 when an article took too long, 78 when
// the broker's pipeline has no such stage or speaks another protocol.
int worker_main(int argc, char **argv);

#endif
