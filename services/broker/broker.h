// `copydesk broker`: the core behind a socket, on real disks and clocks.
#ifndef COPYDESK_BROKER_H
#define COPYDESK_BROKER_H

// Runs the command with its own arguments (argv[0] is "broker"); returns the exit code.
int broker_main(int argc, char **argv);

// `copydesk journal dump|verify FOLDER`: what is in a journal, for people.
int journal_main(int argc, char **argv);

#endif
