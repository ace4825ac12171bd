// `copydesk enrich`: all stages in this process, no broker, no configuration, no network.
#ifndef COPYDESK_ENRICH_H
#define COPYDESK_ENRICH_H

// Runs the command with its own arguments (argv[0] is "enrich"); returns the exit code.
int enrich_main(int argc, char **argv);

#endif
