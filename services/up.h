// `copydesk up`: everything on one machine: a broker, a worker for each stage, an export; watched over, restarted, and
// stopped together.
#ifndef COPYDESK_UP_H
#define COPYDESK_UP_H

// Runs the command with its own arguments (argv[0] is "up") until SIGTERM or SIGINT, then drains: workers first, then the export, the broker
// last. A second signal kills. Exit code 0 when all ended by themselves, 1 when some had to be killed, else that of the
// service that cannot run here: 69 address taken, 73 folder not writable, 78 configuration.
int up_main(int argc, char **argv);

#endif
